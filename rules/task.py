"""The calculation a question asks for, and the phrases its numbers are found by.

1. Periods and the prepositions that lead to them are taken out of the question; what is left is
   matched against patterns over arithmetic vocabulary, most specific first.
2. A pattern gives the operation and its operand phrases (`difference between A and B`).
3. Periods become operands too: `change in X between 2018 and 2019` is X in two years; a change
   asked for one year is against the year before.
"""

import re
from dataclasses import dataclass
from typing import Literal

from pagehop.finding.periods import find_periods, find_years
from pagehop.rules.vocabulary import FUNCTION_WORDS, NUMBER_WORDS

Operation = Literal[
    "value", "values", "difference", "growth", "share", "ratio", "average", "sum", "top_sum",
    "highest", "lowest", "exceeds",
]  # fmt: skip


@dataclass(frozen=True)
class Task:
    """An operation and what it works on."""

    operation: Operation
    operands: tuple[str, ...]
    """Phrases that rows or sentences must match; for a share the part, then the whole."""
    years: tuple[int, ...] = ()
    """Columns that are asked for, as the question orders them."""
    measure: str = ""
    """What is compared when the operands are things: `total compensation` of A and of B."""
    top: int = 0
    """For `top_sum`, how many."""
    over: Literal["years", "rows", ""] = ""
    """For highest and lowest, among what."""

    @property
    def calculates(self) -> bool:
        """Whether it needs arithmetic rather than reading a value."""
        return self.operation not in ("value", "values", "highest", "lowest", "exceeds")


_LEADS = frozenset(
    """in for from between during as of at on by over through since to until the fiscal year years
    ended ending end beginning both period periods quarter month months respectively versus vs
    compared than with against ,""".split()
)
_CHANGE = r"(?:change|increase|decrease|growth|decline|difference|reduction|drop|rise|variation)s?"
_PERCENT = r"(?:percentage|percent|proportion|portion|share|fraction|%)"
_BE = r"(?:is|are|was|were|do|does|did|has|have|had)"
_VERBS = r"(?:change|increase|decrease|grow|decline|rise|fall|drop|differ|improve|vary)[sd]?"
_MOVES = (
    r"(?:cut|reduce|lower|raise|increase|decrease|change|widen|narrow|extend|shorten|slow)[sd]?"
)
"""What somebody does to a quantity."""
_N = "|".join((*(w for w, n in NUMBER_WORDS.items() if n > 1), r"\d+"))


def read_task(text: str) -> Task:
    """Read the operation and its operands from a question."""
    years = tuple(find_years(text))
    core = _without_periods(text)
    for reader in (_top_sum, _each, _share, _growth, _difference, _ratio, _average, _sum, _extreme):
        task = reader(core, years, text.lower())
        if task is not None:
            return task
    several = len(years) > 1 or "respectively" in text.lower()
    return Task("values" if several else "value", (_phrase(core),), years)


def _without_periods(text: str) -> str:
    """Lower case, without periods and the words that lead to them."""
    keep: list[str] = []
    at = 0
    text = re.sub(r"\s+,", ",", text)
    text = re.sub(
        r"\(?\bin (?:thousand|million|billion|dollar)s?\b\)?", " ", text, flags=re.IGNORECASE
    )
    for start, end in sorted((p.start, p.end) for p in find_periods(text)):
        if start < at:
            continue
        words = text[at:start].replace(",", " , ").split()
        between = bool(keep) and all(w.lower() in _LEADS or w.lower() == "and" for w in words)
        while words and (words[-1].lower() in _LEADS or (between and words[-1].lower() == "and")):
            if words[-2:-1] and words[-2].lower() in ("each", "every"):
                break  # `for each quarter of 2022` asks by quarter
            words.pop()
        keep += [*words, " "]
        at = end
    keep += text[at:].split()
    joined = " ".join(" ".join(keep).lower().replace("’", "'").split())  # noqa: RUF001
    return re.sub(r"\s+([?.,])", r"\1", joined).rstrip(" ?.,")


def _top_sum(core: str, years: tuple[int, ...], _: str) -> Task | None:
    match = re.search(rf"\btop ({_N})\b(?: most| highest| largest| maximum)?\s*(.+)", core)
    if match is None or not re.search(r"\b(sum|summed|add|adds|total|combined|together)\b", core):
        return None
    top = NUMBER_WORDS.get(match[1]) or int(match[1])
    before = core[: match.start()]
    measure = re.search(
        r"\b(?:summed|total|combined|sum of)\s+(?:the )?(.+?)\s+(?:for|of)\b", before
    )
    rest = re.sub(r"\b(add|adds|sum|sums|summed|up|to|together|combined|most)\b", " ", match[2])
    operand = _phrase(measure[1] if measure else rest)
    return Task("top_sum", (operand,), years, top=top)


def _each(core: str, years: tuple[int, ...], _: str) -> Task | None:
    """One value for each row: `the low price for each quarter`, `headcount at every site`."""
    match = re.search(
        r"^(?:what|how (?:much|many))\b(?P<x>[^?;]+?),? (?:for|in|of|at|by) (?:each|every) "
        r"(?:of the )?(?P<n>[\w ]+?)(?: (?:in|by|from) [\w ]+)?$",
        core,
    )
    if match is None or re.search(r"\b(?:years?|periods?)\b", match["n"]):
        return None  # these are columns or documents, not rows
    return Task("values", (_phrase(match["x"]),), years, measure=_phrase(match["n"]), over="rows")


def _share(core: str, years: tuple[int, ...], _: str) -> Task | None:
    patterns = (
        rf"\b{_PERCENT} (?:constitution|composition|contribution)s? of (?P<part>.+?) "
        rf"(?:among|in|of|out of|to|within|towards) (?:the )?(?P<whole>.+)",
        rf"\b(?:(?:what|which|how much) {_PERCENT}|what|how much) of (?:the )?(?P<whole>.+?) "
        rf"(?:{_BE}|consist\w*|compris\w+|represent\w*|account\w*|come|came|relate\w*)\b"
        rf"(?P<part>.*)",
        rf"(?:what|how much) {_BE} (?:the )?(?P<part>.+?) as an? {_PERCENT} of (?:the )?"
        rf"(?P<whole>.+)",
        rf"\b{_PERCENT} (?:that )?(?P<part>.+?) (?:represent\w*|constitut\w*|mak\w+ up|"
        rf"account\w* for) (?:of |in )?(?:the )?(?P<whole>.+)",
        rf"^how much of (?:the )?(?P<whole>.+?) {_BE} (?P<part>.+)",
    )
    for pattern in patterns:
        match = re.search(pattern, core)
        if match is None:
            continue
        part = re.sub(
            r"^[\s,]*(?:(?:comprised|made|composed|due|related|attribut\w+|up|of|to|by|from|for|"
            rf"currently|in|the|as|{_BE})\b\s*)*",
            "",
            match["part"],
        )
        if not part and not years:
            return None
        return Task("share", (_phrase(part), _phrase(match["whole"])), years)
    return None


def _growth(core: str, years: tuple[int, ...], _: str) -> Task | None:
    patterns = (
        rf"\b(?:{_PERCENT}|relative|annual|yearly) {_CHANGE}(?: rate)? (?:in|of|for)? ?(?P<x>.+)",
        r"\b(?:growth|change) rates? (?:in|of|for) (?P<x>.+)",
        rf"\brate of (?:growth|{_CHANGE}|return) (?:in|of|for|on) (?P<x>.+)",
        rf"\b{_CHANGE} (?:in|of|for) (?P<x>.+?),? (?:as an? |in |by )(?:{_PERCENT})(?: terms)?\b",
        rf"\bby (?:what|how many) {_PERCENT} {_BE} (?P<x>.+?) {_VERBS}",
        rf"\bhow (?:many|much) {_PERCENT} {_BE} (?P<x>.+?) {_VERBS}",
        r"\b(?:roi|return on (?:an )?investment) (?:of|in|on|for) (?:an investment in )?(?P<x>.+)",
    )
    for pattern in patterns:
        match = re.search(pattern, core)
        if match is not None:
            return _compared("growth", match["x"], years)
    return None


def _difference(core: str, years: tuple[int, ...], _: str) -> Task | None:
    patterns = (
        r"\bdifferences? (?P<x>between .+)",
        rf"\b(?:net |total |absolute )?{_CHANGE} (?:in|of|for) (?P<x>.+)",
        rf"\bhow much {_BE} (?P<x>.+?) {_VERBS}",
        r"\bhow (?:much|many) (?:more|less|fewer|higher|lower|greater|larger|smaller) "
        r"(?P<x>.+ than .+)",
    )
    sides = re.search(
        rf"\b(?:by )?how much {_BE} (?P<a>.+?) (?:exceed|surpass)(?:s|ed)? (?P<b>.+)", core
    )
    if sides is not None:
        return _exceeding(sides["a"], sides["b"], years)
    event = re.search(
        rf"\bby how much {_BE} (?P<x>.+?) {_VERBS} (?:after|following) (?:the |an? )?(?P<z>.+)",
        core,
    )
    if event is not None:
        x, z = _phrase(event["x"]), _phrase(event["z"])
        return Task("difference", (f"{x} before {z}", f"{x} after {z}"), years)
    points = re.search(
        rf"\bby how (?:much|many [\w ]+?) {_BE} (?P<a>.+?) (?:more|less|fewer|higher|lower|greater|"
        r"larger|smaller) than (?P<b>(?:that|those|the ones?) .+)",
        core,
    )
    if points is not None:
        return _compared("difference", f"{points['a']} than {points['b']}", years)
    moved = re.search(rf"\bby how much {_BE} .+? {_MOVES} (?P<x>.+)", core)
    if moved is not None:
        return _compared("difference", moved["x"], years)
    told = re.search(rf"^how {_BE} (?P<x>.+?) (?:change|develop|evolve)d?$", core)
    if told is not None and len(set(years)) > 1:
        return _compared("difference", told["x"], years)
    if re.search(r"^(?:how|why) (?:has|have|did|does|do|is|are|was|were)\b", core):
        return None
    for pattern in patterns:
        match = re.search(pattern, core)
        if match is None:
            continue
        if " between " not in f" {match['x']}" and " than " not in match["x"]:
            if not years or not re.search(r"^(?:what|by|how much|calculate|find)\b", core):
                return None
        return _compared("difference", match["x"], years)
    return None


def _exceeding(more: str, less: str, years: tuple[int, ...]) -> Task:
    """`the forecast for training` over `its budget`: what both are of is said once."""
    owned = re.match(r"(?:its|their|the) ", less)
    about = re.search(r"\b(?:for|of|in|on) (?P<thing>.+)$", more)
    if owned and owned[0] != "the " and about:
        less = f"{less[owned.end() :]} {about['thing']}"
    a, b = _phrase(more), _phrase(re.sub(r"^(?:that|those) (?:of|for|in)?\b", "", less))
    return Task("difference", (a, b), years) if b else _compared("difference", more, years)


def _compared(operation: Operation, phrase: str, years: tuple[int, ...]) -> Task:
    """Two things compared in one period, or one thing in two."""
    pair = re.search(r"^(?P<m>.*?)\bbetween (?P<a>.+?) and (?P<b>.+)$", phrase) or re.search(
        r"^(?P<m>)(?P<a>.+?) (?:as )?(?:compared (?:to|with)|than|versus|vs\.?) (?P<b>.+)$", phrase
    )
    if pair is not None and not find_years(pair["a"]):
        a, measure = _phrase(pair["a"]), _phrase(pair["m"])
        b = _phrase(_spelt_out(a, re.sub(r"^the ", "", pair["b"])))
        owner, mark, owned = a.partition("'s ")
        if mark and not measure and "'s" not in b:
            a, measure = owner, owned
        if a and b and set(b.split()) < set(a.split()) - {measure}:
            return Task("value", (_phrase(phrase),), years)  # the second is not said in words
        if a and b:
            return Task(operation, (a, b), years, measure=measure)
    operand = _phrase(re.sub(r"\b(between|from|to|as compared|compared)\s*$", "", phrase))
    ordered = tuple(sorted(years))
    if len(ordered) == 1:
        ordered = (ordered[0] - 1, ordered[0])
    return Task(operation, (operand,), (ordered[0], ordered[-1]) if ordered else ())


def _ratio(core: str, years: tuple[int, ...], _: str) -> Task | None:
    patterns = (
        r"\bratio (?:of|between) (?:the )?(?P<a>.+?) (?:to|and|over) (?:the )?(?P<b>.+)",
        r"\b(?P<a>[\w&' -]+?)[- ]to[- ](?P<b>[\w&' -]+?) ratio\b",
        rf"^(?P<a>.+?) {_BE} what multiple of (?P<b>.+)",
        rf"\bhow many times (?:(?:larger|higher|greater|more|bigger) )?{_BE} "
        rf"(?P<a>.+?) (?:than|of|to|as) (?P<b>.+)",
    )
    for pattern in patterns:
        match = re.search(pattern, core)
        if match is not None:
            a = _phrase(match["a"])
            return Task("ratio", (a, _phrase(_spelt_out(a, match["b"]))), years)
    return None


def _spelt_out(first: str, second: str) -> str:
    """`that of B` behind `the price of A` is `price of B`."""
    stands = re.match(
        r"(?:that|those|ones?)\s+(?P<rest>(?:of|for|in|at|with|without|from)\b.+)", second
    )
    head = re.match(r"(?P<head>.+?)\s+(?:of|for|in|at|with|without|from)\b", first)
    return f"{head['head']} {stands['rest']}" if stands and head else second


def _average(core: str, years: tuple[int, ...], _: str) -> Task | None:
    match = re.search(
        r"(?<!weighted )(?<!weighted-)\b(?:average|mean) (?:value |amount |annual |yearly )?"
        r"(?:of |in |for )?(?:the )?(?P<x>.+)",
        core,
    )
    if match is None:
        return None
    parts = _conjuncts(match["x"])
    if len(years) < 2 and len(parts) < 2:
        return None
    return Task("average", parts if len(years) < 2 else (_phrase(match["x"]),), years)


def _sum(core: str, years: tuple[int, ...], text: str) -> Task | None:
    if "respectively" in text:
        return None
    match = re.search(
        r"\b(?:sum|combined|cumulative|total)(?: value| amount| cost| number)? (?:of )?(?:the )?"
        r"(?P<x>.+)",
        core,
    )
    if match is None:
        return None
    parts = _conjuncts(match["x"])
    stated = re.search(r"\b(sum|combined|cumulative|total(?: value| amount)? of)\b", core)
    if len(years) > 1:
        word = "total " if match[0].startswith("total") else ""
        return Task("sum", (word + _phrase(match["x"]),), years)
    if stated and len(parts) > 1:
        return Task("sum", _shared_head(parts), years)
    return None


def _shared_head(parts: tuple[str, ...]) -> tuple[str, ...]:
    """`costs for oil and rope` are costs for oil and costs for rope."""
    head = re.match(r"(?P<head>.+?\s(?:for|of|in))\s", parts[0])
    if head is None or any(re.search(r"\s(?:for|of|in)\s", part) for part in parts[1:]):
        return parts
    return (parts[0], *(f"{head['head']} {part}" for part in parts[1:]))


def _extreme(core: str, years: tuple[int, ...], text: str) -> Task | None:
    up = r"(?:highest|higher|largest|larger|greatest|greater|biggest|bigger|most|more|maximum)"
    down = r"(?:lowest|lower|smallest|smaller|least|fewest|fewer|less|minimum)"
    year = re.search(
        rf"\b(?:which|what) (?:fiscal )?(?:year|period|quarter)s?\b(?P<a>.*?)"
        rf"\b(?P<w>{up}|{down})\b(?P<b>.*)",
        core,
    )
    if year is not None:
        word: Operation = "highest" if re.fullmatch(up, year["w"]) else "lowest"
        phrase = re.sub(
            rf"\b(?:{_BE}|the|that|with|of|in|value)\b", " ", f"{year['a']} {year['b']}"
        )
        return Task(word, (_phrase(phrase),), years, over="years")
    rows = re.search(
        rf"^(?:which|who|what (?!{_BE}))\b(?P<n>.*?)\b(?:{_BE}|with)\b(?: the)? "
        rf"(?P<w>{up}|{down})\b(?P<x>.+)",
        core,
    )
    if rows is not None:
        word = "highest" if re.fullmatch(up, rows["w"]) else "lowest"
        return Task(word, (_phrase(rows["x"]),), years, measure=_phrase(rows["n"]), over="rows")
    return None


def _conjuncts(phrase: str) -> tuple[str, ...]:
    parts = re.split(r",\s*(?:and\s+)?|\s+and\s+|\s*\+\s*", phrase)
    return tuple(p for p in (_phrase(part) for part in parts) if p)


def _phrase(text: str) -> str:
    """Strip what frames an operand: question words, articles, `the value of`, `in millions`."""
    text = re.sub(
        rf"^\s*(?:(?:what|which|how much|how many|{_BE}|be|would|the|a|an|its|their|of|in|for|and|"
        r"between|value|amount|number|level|company's|company|respective)\b[\s,]*)+",
        "",
        text.strip(" ,.?"),
    )
    words = text.split()
    while words and words[-1].strip(",") in FUNCTION_WORDS | {"respectively"}:
        words.pop()
    return " ".join(words).strip(" ,.?")
