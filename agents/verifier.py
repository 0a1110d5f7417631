"""The verifier by rules: every claim rests on quotes that stand on their pages, or on sums.

1. A claim names evidence or calculations of this run; each quote is located again on its page.
2. Each number that a calculation works on stands in one of the claim's quotes, or is the result of
   another calculation of which that holds; constants (100 for percent, the count that an average
   divides by) need no quote.
3. Each number of a claim appears in one of its quotes or is the result of one of its calculations.
   Thousands separators, currency signs and minus signs against brackets do not matter; a scale
   word (million) or percent sign that a table states once in its head need not be in the quote,
   but must not contradict what the page states; a calculated share may be given in percent.
4. Rounding is accepted where it is stated (about, roughly, ...), keeps three digits of a
   calculation, or gives its percent with decimals (9.5 % for 9.489).
5. Numbers that only name what is asked about (a year, note 8) may come from the question, the
   document's name or the page; one that is part of a name (S&P 500) from the question and the page.
   A cited document's name, written out, states no number.

Not covered: whether a claim without numbers follows from its quotes.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from pagehop.agents.moves import Claim, Context, Observation, Verdict
from pagehop.answers import Evidence
from pagehop.errors import LibraryError, ToolError
from pagehop.rules.numbers import Number, find_numbers, table_scales
from pagehop.rules.vocabulary import NUMBER_WORDS
from pagehop.tools.calculate import operands

_ROUNDED = re.compile(
    r"\b(?:about|approximately|approx|around|roughly|nearly|almost|some|circa|rounded|over|"
    r"more than|less than)\b|~|≈",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!\w)(?![A-Z]{3}\W)[A-Z][\w&.]*[ -]$")
"""A capitalised word before a number; three capitals are a currency."""
_CONSTANTS = frozenset({1.0, 100.0, 1e3, 1e6, 1e9, 1e12})
"""Percent, scales, and the 1 that a growth rate takes off."""


class RuleVerifier:
    """Fills the verifier's role without a model."""

    async def step(self, context: Context) -> Verdict:
        """Keep the claims that are supported, and say why the others are not."""
        draft = context.draft
        if draft is None or draft.unanswerable:
            return Verdict(kept=())
        reasons = problems(draft.claims, context)
        kept = tuple(c for c, reason in zip(draft.claims, reasons, strict=True) if not reason)
        removed = tuple((c, r) for c, r in zip(draft.claims, reasons, strict=True) if r)
        return Verdict(kept, removed, "; ".join(claim.text for claim, _ in removed))


def problems(claims: Sequence[Claim], context: Context) -> list[str]:
    """Return for each claim why nothing supports it; empty where it is supported."""
    evidence = {item.id: item for item in context.evidence}
    calculations = {item.call.id: item for item in context.calculations if item.ok}
    return [_problem(claim, context, evidence, calculations) for claim in claims]


def _problem(
    claim: Claim,
    context: Context,
    evidence: Mapping[str, Evidence],
    calculations: Mapping[str, Observation],
) -> str:
    """Say why nothing supports a claim; empty when it is supported."""
    if not claim.text.strip():
        return "it says nothing"
    if not claim.evidence and not claim.calculations:
        return "it names neither evidence nor a calculation"
    unknown = [name for name in claim.evidence if name not in evidence]
    unknown += [name for name in claim.calculations if name not in calculations]
    if unknown:
        return f"{unknown[0]} is no evidence or calculation of this run"
    quotes = [evidence[name] for name in claim.evidence]
    for item in quotes:
        # What a picture shows has no words to be found; the machine saw that it was looked at.
        if item.kind == "quote" and not _stands(context, item):
            return f"its quote is not on {item.ref}"
    results = [calculations[name] for name in claim.calculations]
    for result in results:
        operand = _unquoted(result, context, quotes, list(calculations.values()))
        if operand:
            return f"{operand} in {_expression(result)!r} stands in none of its quotes"
    return _untraced(claim.text, context, quotes, results)


def _stands(context: Context, item: Evidence) -> bool:
    try:
        return context.view.locate(item.ref, item.quote) is not None
    except LibraryError:
        return False


def _untraced(
    text: str, context: Context, quotes: Sequence[Evidence], results: Sequence[Observation]
) -> str:
    """Say which number of a text nothing holds; empty when each is held."""
    text = _without_names(text, quotes)
    stated = find_numbers(text)
    if not stated:
        return ""
    quoted = [(number, item) for item in quotes for number in find_numbers(item.quote)]
    values = [value for result in results if (value := _value(result)) is not None]
    operands = [n for r in results for n in find_numbers(str(r.artifact.get("expression", "")))]
    pages = _page_texts(context, quotes)
    # A table may go on behind the page of its head.
    heads = "".join(f"\n{item.quote}" for item in quotes)
    names = _numbers_of([context.question, *(item.document for item in quotes), *pages.values()])
    for number in stated:
        rounded = bool(_ROUNDED.search(text[max(0, number.start - 30) : number.start]))
        if any(
            _same(number, source, f"{pages[item.id]}\n{heads}", rounded) for source, item in quoted
        ):
            continue
        if any(_is_result(number, value, rounded) for value in values):
            continue
        if any(abs(number.value) == abs(operand.value) for operand in operands):
            continue
        if _names_something(number) and number.value in names:
            continue
        if _in_a_name(number, text, context.question, pages.values()):
            continue
        if any(_is_result(number, value, rounded=True) for value in values):
            return f"{number.text} is a rounded result; write about {number.text}, or more digits"
        return f"{number.text} is in none of its quotes or calculations"
    return ""


def _without_names(text: str, quotes: Iterable[Evidence]) -> str:
    """Blank out the names of cited documents, whose numbers (`charter-1.4`) state nothing."""
    for name in {item.ref.name for item in quotes}:
        if any(c.isalpha() for c in name):
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", " " * len(name), text)
    return text


def _expression(result: Observation) -> str:
    return str(result.artifact.get("expression") or result.call.arguments.get("expression", ""))


def _unquoted(
    result: Observation,
    context: Context,
    quotes: Sequence[Evidence],
    others: Sequence[Observation],
) -> str:
    """Return a number of a calculation that no quote holds; empty when there is none."""
    try:
        numbers = operands(_expression(result))
    except ToolError:
        return "a number"
    quoted = _quoted_sizes(context, quotes)
    earlier = [other for other in others if other is not result]
    for number in numbers:
        if any(math.isclose(number, size, rel_tol=1e-9) for size in quoted):
            continue
        if number in _CONSTANTS or _counts(number, numbers, _expression(result)):
            continue
        made = [o for o in earlier if (v := _value(o)) is not None and _is_close(number, v)]
        rest = [other for other in earlier if other not in made]
        if any(not _unquoted(o, context, quotes, rest) for o in made):
            continue
        return f"{number:.12g}"
    return ""


def _counts(number: float, numbers: Sequence[float], expression: str) -> bool:
    """Whether a number is what an average divides by: how many others there are."""
    divides = re.search(rf"/\s*{number:g}\s*$", expression)
    return divides is not None and number == len(numbers) - 1 > 1


def _is_close(number: float, value: float) -> bool:
    """Whether a number is a calculated value as it may have been copied, rounded a little."""
    return math.isclose(number, abs(value), rel_tol=1e-3)


def _quoted_sizes(context: Context, quotes: Sequence[Evidence]) -> list[float]:
    """Numbers of the quotes as printed, and multiplied out by their scale word or table's."""
    pages = _page_texts(context, quotes)
    sizes = []
    for item in quotes:
        scales = table_scales(pages[item.id])
        for number in find_numbers(item.quote):
            size = abs(number.value)
            sizes += [size, size / number.scale, *(size * scale for scale in scales)]
        sizes += [float(value) for word, value in NUMBER_WORDS.items() if _holds(item, word)]
    return sizes


def _holds(item: Evidence, word: str) -> bool:
    return re.search(rf"\b{word}\b", item.quote, re.IGNORECASE) is not None


def _value(result: Observation) -> float | None:
    value = result.artifact.get("value")
    if isinstance(value, str):
        found = find_numbers(value)
        return found[0].value if found else None
    return float(value) if isinstance(value, int | float) else None


def _page_texts(context: Context, quotes: Iterable[Evidence]) -> dict[str, str]:
    return {item.id: context.view.page(item.ref).text for item in quotes}


def _numbers_of(texts: Iterable[str]) -> set[float]:
    """All integers of some texts, those glued to letters or hyphens (FY2018, 10-K) too."""
    return {float(digits) for text in texts for digits in re.findall(r"\d+", text)}


def _names_something(number: Number) -> bool:
    """Years and small counting numbers name a period, a note, a table, a page."""
    small = number.value == int(number.value) and 0 <= number.value < 100
    return number.is_year or (small and not number.unit and number.scale == 1)


def _in_a_name(number: Number, text: str, question: str, pages: Iterable[str]) -> bool:
    """Whether a number ends a name that the question and a page have in the same words."""
    before = _NAME.search(text[: number.start])
    if before is None or number.unit or number.scale != 1:
        return False
    name = re.compile(rf"(?<!\w){re.escape(before[0] + number.text)}(?![\w.,]*\d|\s?%)")
    return bool(name.search(question)) and any(name.search(page) for page in pages)


def _same(stated: Number, source: Number, page: str, rounded: bool) -> bool:
    """Whether a stated number is a quoted one."""
    if (stated.unit == "%") != (source.unit == "%") and source.unit:
        return False
    if _equal(stated, abs(source.value), rounded):
        return True
    scales = table_scales(page)
    if stated.scale == 1 or source.scale != 1:
        # A table in thousands may be quoted without its head: 1,577,000 for 1,577.
        return source.scale == 1 and any(
            _equal(stated, abs(source.value) * scale, rounded) for scale in scales
        )
    # A page may hold tables of several scales; which one is the quote's is not known.
    return (not scales or stated.scale in scales) and _equal(
        stated, abs(source.value) * stated.scale, rounded
    )


def _is_result(stated: Number, value: float, rounded: bool) -> bool:
    """Whether a stated number is the value of a calculation, or that value in percent."""
    candidates = [value, value * stated.scale] + ([value * 100] if stated.unit == "%" else [])
    digits = len(re.sub(r"\D", "", stated.text).strip("0"))
    fine = digits >= 3 or (stated.unit == "%" and "." in stated.text)
    return any(
        _equal(stated, abs(candidate), rounded or fine or _is_short(candidate))
        for candidate in candidates
    )


def _is_short(value: float) -> bool:
    """Whether rounding to two decimals shows the whole of a small result, e.g. 0.5 or 12.25."""
    return abs(value) < 10 and abs(value * 100 - round(value * 100)) < 1e-6


def _equal(stated: Number, value: float, rounded: bool) -> bool:
    """Compare sizes: a minus sign, brackets and the word `loss` say the same."""
    size = abs(stated.value)
    if abs(size - value) <= 1e-9 * max(size, value):
        return True
    if not rounded:
        return False
    whole, _, decimals = re.sub(r"[^\d.]", "", stated.text).partition(".")
    places = -len(decimals) if decimals else len(whole) - len(whole.rstrip("0"))
    step = stated.scale * 10.0**places
    return abs(size - value) <= 0.5 * step * (1 + 1e-9)
