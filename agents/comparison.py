"""Questions that compare: what stands on each side, and the verdict.

1. `Which company spent more, A or B?`, `Was A's profit higher than B's?`: one thing of several
   names. The parts are those of the names (decompose.py).
2. `By how much did A's lead exceed the limit in B?`: two things, one on each side of the comparing
   words. Each side is a part; the second takes over what the first is about.
   So does `Is the fee the same in A and in B?`.
3. `Which was built earlier, A or B?`: a year is read for each part, behind the words asked.
4. One number is read for each part, and the verdict is drawn from their difference, which
   `calculate` computes. Numbers of different units are not compared.

Not covered: comparisons in words alone; more than one thing compared at once.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from pagehop.agents.desk import Desk
from pagehop.agents.moves import SubQuestion
from pagehop.rules.expressions import as_amounts, expression_of, unlike_scales
from pagehop.rules.extract import Scored, page_scores
from pagehop.rules.match import Value, find_values, twins
from pagehop.rules.numbers import find_numbers
from pagehop.rules.question import Question, read_question
from pagehop.rules.solve import MIN_FIT, Comparison, Form, Solution
from pagehop.rules.vocabulary import COMPARATIVE_DOWN, COMPARATIVE_UP, HIGHEST, LOWEST
from pagehop.rules.words import stem, stems, tokens

LIKE = 0.5
"""Least cosine of a line whose only number is taken though its words differ."""
_PAGE_SHARE = 0.3
_UP = "|".join(sorted(COMPARATIVE_UP | HIGHEST))
_DOWN = "|".join(sorted(COMPARATIVE_DOWN | LOWEST))
_WORD = re.compile(rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN}))\b", re.IGNORECASE)
_BE = r"(?:is|are|was|were|do|does|did|has|have|had)"
_BY = re.compile(r"\b(?:by how (?:much|many)|by what|how (?:much|many))\b", re.IGNORECASE)
_PASSES = r"exceed(?:s|ed)?|surpass(?:es|ed)?|(?:\w+ )?(?:above|beyond)"
_STAYS = r"(?:(?:stay|remain|lie|fall)(?:s|ed)? |lay |fell )?(?:below|under|within)"
_SIDES = re.compile(
    rf"^(?:by how much |by what \w+ |how much )?{_BE}\s+(?P<left>.+?)\s+"
    rf"(?:(?P<passes>{_PASSES})|(?P<stays>{_STAYS})|(?P<word>\w+) than)\s+(?P<right>.+?)"
    r"(?:,? and by how (?:much|many))?\s*\??$",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"^(?:which|who|what)\b.*\b(?:(?P<sooner>earlier|first|older|sooner)|"
    r"(?P<later>later|younger|newer|more recently|last))\b[^,?]*,.*\bor\b",
    re.IGNORECASE,
)
"""`Who was born earlier, A or B?`; without two names, `first` orders a list."""
_SAME = re.compile(
    rf"^{_BE}\s+(?P<thing>.+?)\s+(?:the same|equal|identical|alike)\s+(?P<by>in|for|under|at|by)\s+"
    r"(?:both\s+)?(?P<left>.+?)\s+and\s+(?:(?:in|for|under|at|by)\s+)?(?P<right>.+?)\s*\??$",
    re.IGNORECASE,
)
_TIMES = frozenset(stems("year quarter month period prior previous last preceding before earlier"))
_ORDERS = frozenset(stems("earlier first older sooner later younger newer recently last"))
_HEAD_ENDS = re.compile(
    r"\b(?:in|of|at|for|on|by|from|that|which|with|found|measured|reported|stated)\b.*",
    re.IGNORECASE,
)


def read_comparison(text: str) -> Comparison | None:
    """Return how a question compares; None when it does not."""
    text = " ".join(text.split())
    when = _WHEN.search(text)
    if when is not None:
        return Comparison("which", bool(when["later"]), dates=True)
    same = _SAME.match(text)
    if same is not None:
        return Comparison("same", True, _same_sides(same))
    match = _SIDES.search(text)
    form: Form = "by" if _BY.match(text) else "whether"
    if match is not None and _is_thing(match["right"], owned=bool(match["word"])):
        sides = (match["left"], match["right"])
        if match["passes"]:
            return Comparison(form, True, sides)
        if match["stays"]:
            return Comparison(form, False, sides)
        word = _WORD.fullmatch(match["word"])
        return Comparison(form, bool(word["up"]), sides) if word else None
    word = _WORD.search(text)
    if word is None:
        return None
    if re.match(r"(?:which|who|whose|what)\b", text, re.IGNORECASE):
        return Comparison("which", bool(word["up"]))
    if re.search(rf"\b{word.group()}\b.*\bthan\b|\bexceed", text, re.IGNORECASE):
        if re.match(_BE, text, re.IGNORECASE) or form == "by":
            return Comparison(form, bool(word["up"]))
    return None


def _same_sides(same: re.Match[str]) -> tuple[str, str]:
    """`the fee the same in version 1 and in version 2 of the code`: both are of the code."""
    left, right = same["left"], same["right"]
    whole = re.search(r"\s+of\s+.+$", right)
    if whole is not None and " of " not in left:
        left += whole.group()
    return f"{same['thing']} {same['by']} {left}", f"{same['thing']} {same['by']} {right}"


def _is_thing(phrase: str, *, owned: bool) -> bool:
    """Whether a side says what it is, rather than only whose, when or a bare number."""
    question = read_question(f"What is {phrase}?")
    own = [t for t in question.content if t.stem not in question.name_stems]
    own = [t for t in own if t.stem not in _TIMES and not t.text.isdigit()]
    if not own or phrase[:1].isdigit() or re.match(r"[$€£¥]|that\b|those\b|in\b", phrase):
        return False
    return not owned or bool(re.match(r"(?:the|its|their)\b|.*['\u2019]s\s+\w", phrase))


def side_texts(comparison: Comparison) -> tuple[str, str]:
    """Return what to look up on each side; the second names what the first is about."""
    assert comparison.sides is not None
    left, right = comparison.sides
    head = _HEAD_ENDS.sub("", re.sub(r"^(?:the|a|an|its|their)\s+", "", left)).strip()
    head = re.sub(r"^.*['\u2019]s\s+", "", head)
    known = {t.stem for t in read_question(right).terms}
    carried = [t.text for t in read_question(head).terms if t.stem not in known]
    return left, f"{right} ({' '.join(carried)})" if carried else right


def compare(
    desk: Desk,
    question: Question,
    comparison: Comparison,
    parts: Sequence[tuple[SubQuestion, Sequence[Scored]]],
) -> Solution | None:
    """Read one number for each part; None when one has none, or they cannot be compared.

    Args:
        desk: Where pages are read.
        question: The whole question.
        comparison: How it compares.
        parts: Sub-questions with the best lines of the pages found for them.
    """
    found = []
    for sub, units in parts:
        read = _best_date if comparison.dates else _best_value
        value = read(desk, units, sub, question)
        if value is None:
            return None
        found.append((value, _name(desk, question, sub, sided=comparison.sides is not None)))
    amounts = as_amounts([value for value, _ in found])
    found = [(value, name) for value, (_, name) in zip(amounts, found, strict=True)]
    if len({value.number.unit == "%" for value, _ in found}) > 1:
        return None
    values = [value for value, _ in found]
    if unlike_scales(values) or any(twins(a, b) for a, b in combinations(values, 2)):
        return None  # the same cell twice is no comparison
    if comparison.form == "which":
        sign = -1 if comparison.up else 1
        found.sort(key=lambda pair: sign * pair[0].value * pair[0].scale)
    ordered = tuple(v for v, _ in found)
    task = replace(question.task, operation="difference", operands=tuple(n for _, n in found))
    expression, _ = expression_of(task, ordered)
    fit = sum(v.score for v in ordered) / len(ordered)
    return Solution(task, ordered, expression, fit, joint=True, comparison=comparison)


def _best_value(
    desk: Desk, units: Sequence[Scored], sub: SubQuestion, question: Question
) -> Value | None:
    part = read_question(sub.text)
    names = question.name_stems | part.name_stems
    asked = re.match(r"(?:which|what)\s+(\w+)", sub.text, re.IGNORECASE)
    names |= {stem(asked[1])} if asked else frozenset()
    phrase = " ".join(t.text for t in part.content if t.stem not in names and not t.text.isdigit())
    years = part.years or question.years
    best: tuple[float, Value] | None = None
    for ref, score in page_scores(units).items():
        values = find_values(
            desk.lines(ref), phrase, desk.weights(), year=years[-1] if years else None,
            page_stems=desk.stems,
        )  # fmt: skip
        if values and values[0].score >= MIN_FIT:
            total = values[0].score + _PAGE_SHARE * score
            if best is None or total > best[0]:
                best = (total, values[0])
        # The line that is most like the question, when it states one number, is about it too.
        for value in values:
            same = value.quote == units[0].unit.text and units[0].cosine >= LIKE
            if best is None and same and not value.crowded:
                best = (0.0, value)
    return best[1] if best else None


def _best_date(
    desk: Desk, units: Sequence[Scored], sub: SubQuestion, question: Question
) -> Value | None:
    """The year that follows what is asked soonest, in the best line that holds both."""
    names = question.name_stems | read_question(sub.text).name_stems
    asked = {t.stem for t in question.terms if t.stem not in names and t.stem not in _ORDERS}
    for item in units:
        text = item.unit.text
        told = [t.end for t in tokens(text) if t.stem in asked]
        years = [n for n in find_numbers(text) if n.is_year]
        after = [(n.start - end, n) for n in years for end in told if n.start >= end]
        if after:
            number = min(after, key=lambda pair: pair[0])[1]
            return Value(
                number, item.unit.ref, text, "", "", item.coverage, 1.0, int(number.value), -1
            )
    return None


def _name(desk: Desk, question: Question, sub: SubQuestion, *, sided: bool) -> str:
    """Whose a part's value is: the name that leads to its documents, or the side's own words."""
    if sided:
        return " ".join(sub.text.partition(" (")[0].split()[:12])
    own = [n.text for n in question.names if n.text in sub.text]
    led = [n for n in own if set(desk.scope.leads(n)) & set(sub.documents)]
    return (led or own or [" ".join(sub.documents)])[0]
