"""Find the number that a phrase and a year ask for: the right row, then the right column.

1. Each cell stands under words: its row's label, its column heading, its section, its caption, the
   page. A phrase's words count by how near they stand: 1 in the label, .9 in the heading, .8 in
   the section, .7 in the caption, .2 on the page; rare words count more.
2. A label that says more than the question does loses (`net sales` is not `cost of net sales`).
3. A year must stand in the heading, the label or the section; in the caption it counts half.
4. A word that tells rows of the page apart (`current`, `deferred`) must not be missing; least of
   all one that is another row's whole label. `without` is not `with`.
5. `Total` is said by a row's label, or by its numbers, when they are the sums of rows above it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from pagehop.finding.periods import find_periods, find_years
from pagehop.rules.figures import TOTALS, Figures, content_stems
from pagehop.rules.numbers import Number
from pagehop.types import PageRef

Weight = Callable[[str], float]
"""Rarity of a stem, above 0."""

_LABEL, _COLUMN, _SECTION, _CAPTION, _PAGE = 1.0, 0.9, 0.8, 0.7, 0.2
_EXTRA_PERIOD, _DOCUMENT_PERIOD = 0.25, 0.2
_TELLING_LOSS = 0.1
_OTHER_LOSS = 0.15
"""Another row of the table is called just what the question says and this row's label does not."""
_CONTRAST_LOSS = 0.02
_SECTION_LOSS = 0.03
"""A row's group that says more than the question is that of another quantity."""
_RATE_LOSS = 0.1
_DATED_LOSS = 0.03
"""A column of one day (of a purchase, say) is not the year's column when there is another."""
_WRITTEN = re.compile(r"\d+(?:[.,]\d+)*")
_RATES = frozenset(content_stems("percent percentage rate margin ratio share yield proportion"))
CONTRASTS = frozenset("with without before after above below under over not other".split())
"""Words without a topic by which rows or columns of one table may differ."""


@dataclass(frozen=True)
class Value:
    """One number and how well it fits what was asked."""

    number: Number
    ref: PageRef
    quote: str
    """The line or sentence it stands in."""
    label: str
    column: str
    score: float
    """0 to about 1."""
    scale: float
    """What the number is multiplied by when the table says so; 1 otherwise."""
    year: int | None
    table: int
    """Number of its table on the page; -1 for a sentence."""
    crowded: bool = False
    """It stands in a sentence among other numbers, and no year tells which one is meant."""

    @property
    def value(self) -> float:
        """The number as printed, its own scale word included."""
        return self.number.value


def find_values(
    lines: Sequence[Figures],
    phrase: str,
    weight: Weight,
    *,
    year: int | None = None,
    measure: str = "",
    page_stems: Callable[[PageRef], frozenset[str]] | None = None,
) -> list[Value]:
    """Return the numbers that fit best, best first.

    Args:
        lines: Rows and sentences of a page (figures.py).
        phrase: What the row must be about.
        weight: Rarity of a stem.
        year: The column that is asked for; None takes the first column.
        measure: Words for the column or section, e.g. `base salary` of a person.
        page_stems: Stems of a page, for words that stand elsewhere on it.
    """
    wanted = dict.fromkeys(content_stems(phrase))
    contrasts = CONTRASTS & set(phrase.lower().split())
    extra = [s for s in dict.fromkeys(content_stems(measure)) if s not in wanted]
    if not wanted and year is not None:
        wanted = {str(year): None}
        year = None
    if not wanted:
        return []
    given = set(_WRITTEN.findall(f"{phrase} {measure}"))
    found = []
    for line in lines:
        if line.table >= 0 and not line.label_stems:
            continue  # an axis of a chart, a page number: nothing says what it counts
        near = _nearness(line, [*wanted, *extra], page_stems)
        if max(near[s] for s in wanted) < 0.4:
            continue
        for i, number in enumerate(line.numbers):
            column = line.columns[i] if i < len(line.columns) else ""
            if (number.is_year and not number.unit and line.table < 0) or is_reference(column):
                continue
            if number.text in given:
                continue  # it is part of a name that was asked for, such as a version
            score = _score(line, i, list(wanted), extra, near, weight, year)
            if contrasts and line.table >= 0:
                own = CONTRASTS & set(re.findall(r"[a-z]+", f"{line.label} {column}".lower()))
                score -= _CONTRAST_LOSS * len(own ^ contrasts)
            found.append(
                Value(
                    number, line.ref, line.quote, line.label, column, score,
                    1.0 if number.unit == "%" or number.scale > 1 else line.scale,
                    year, line.table,
                    line.table < 0 and len(line.numbers) > 1 and not column,
                )
            )  # fmt: skip
    return sorted(found, key=lambda v: -v.score)


def twins(a: Value, b: Value) -> bool:
    """Whether two values are the same cell."""
    same = a.ref == b.ref and a.quote == b.quote
    return same and a.number == b.number and a.column == b.column


def is_reference(column: str) -> bool:
    """Whether a column tells where to read more, not how much."""
    return column.strip(" .:").lower() in ("note", "notes", "page", "pages", "ref", "reference")


def nearness(
    line: Figures, phrase: str, weight: Weight, page_stems: Callable[[PageRef], frozenset[str]]
) -> float:
    """How near the words of a phrase stand to a row, caption and section counting in full."""
    wanted = list(dict.fromkeys(content_stems(phrase)))
    near = _nearness(line, wanted, page_stems)
    total = sum(weight(s) for s in wanted) or 1.0
    return sum(weight(s) * (1.0 if near[s] >= _CAPTION else near[s]) for s in wanted) / total


def first_value(line: Figures, score: float) -> Value:
    """The first number of a row."""
    column = line.columns[0] if line.columns else ""
    return Value(
        line.numbers[0], line.ref, line.quote, line.label, column, score, line.scale, None,
        line.table,
    )  # fmt: skip


def _score(
    line: Figures,
    i: int,
    wanted: Sequence[str],
    extra: Sequence[str],
    near: dict[str, float],
    weight: Weight,
    year: int | None,
) -> float:
    column = _column_stems(line.columns[i]) if i < len(line.columns) else frozenset()
    total = covered = 0.0
    for stems, share in ((wanted, 1.0), (extra, 0.6)):
        for s in stems:
            w = share * weight(s)
            total += w
            covered += w * max(near[s], _COLUMN if s in column else 0.0)
    recall = covered / total
    asked = set(wanted) | set(extra)
    label = [s for s in line.label_stems if s not in asked and s not in line.aside]
    label_weight = sum(weight(s) for s in line.label_stems) or 1.0
    surplus = sum(weight(s) for s in label) / label_weight
    score = recall - (0.22 if line.table >= 0 else 0.08) * surplus
    if line.table >= 0 and line.section - asked - column:
        score -= _SECTION_LOSS
    if line.table < 0:
        score -= 0.08
    missing = [s for s in wanted if near[s] < _SECTION and s not in column]
    telling = [s for s in missing if s in line.siblings and s not in TOTALS]
    score -= min(_TELLING_LOSS * len(telling), 2 * _TELLING_LOSS)
    if any(label <= asked and label & set(missing) for label in line.others):
        score -= _OTHER_LOSS
    rate = line.numbers[i].unit == "%" or (line.table >= 0 and "%" in line.label)
    if rate and not _RATES & asked:
        score -= _RATE_LOSS
    if TOTALS & set(label):
        score -= 0.05
    if TOTALS & column - asked:
        score -= 0.03
    return score + _year_fit(line, i, year)


def _year_fit(line: Figures, i: int, year: int | None) -> float:
    """0 when the year stands over the number, below 0 the less it is certain."""
    if year is None:
        return -0.01 * i
    heading = find_years_cached(line.columns[i]) if i < len(line.columns) else ()
    if not heading and any(find_years_cached(column) for column in line.columns):
        return -0.5
    if year in heading or year in line.label_years:
        dated = i < len(line.columns) and _has_month(line.columns[i])
        return (0.0 if len(heading) <= 1 else -0.03) - (_DATED_LOSS if dated else 0.0)
    if heading or (line.label_years and line.table >= 0):
        return -0.5
    if year in line.context_years:
        return -0.1 if len(set(line.context_years)) == 1 else -_EXTRA_PERIOD
    if year in line.document_years:
        return -_DOCUMENT_PERIOD
    return -_EXTRA_PERIOD - 0.02 * i


def _nearness(
    line: Figures,
    stems: Iterable[str],
    page_stems: Callable[[PageRef], frozenset[str]] | None,
) -> dict[str, float]:
    """How near each stem stands to the row's numbers."""
    label = set(line.label_stems)
    near = {}
    for s in stems:
        if s in label or _fuzzy(s, label) or (s in TOTALS and line.sums_up):
            near[s] = _LABEL
        elif s in line.section:
            near[s] = _SECTION
        elif s in line.caption:
            near[s] = _CAPTION
        elif page_stems is not None and s in page_stems(line.ref):
            near[s] = _PAGE
        else:
            near[s] = 0.0
    return near


def _fuzzy(wanted: str, label: set[str]) -> bool:
    """Forgive one or two wrong letters in a long word."""
    if len(wanted) < 6 or wanted[0].isdigit():
        return False
    return any(
        abs(len(s) - len(wanted)) <= 2
        and s[:2] == wanted[:2]
        and SequenceMatcher(None, s, wanted).ratio() >= 0.86
        for s in label
    )


@lru_cache(maxsize=4096)
def _column_stems(text: str) -> frozenset[str]:
    return frozenset(content_stems(text))


@lru_cache(maxsize=4096)
def _has_month(column: str) -> bool:
    return any(period.month for period in find_periods(column))


@lru_cache(maxsize=4096)
def find_years_cached(text: str) -> tuple[int, ...]:
    """Years of a column heading; headings repeat for every row."""
    return tuple(find_years(text))
