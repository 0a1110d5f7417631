"""Find the number that a phrase and a year ask for: the right row, then the right column.

1. Each cell stands under words: its row's label, its column heading, its section, its caption, the
   page. A phrase's words count by how near they stand: 1 in the label, .9 in the heading, down to
   .2 on the page; rare words count more.
2. A label that says more than the question does loses (`net sales` is not `cost of net sales`).
3. A year must stand in the heading, the label or the section; in the caption it counts half.
4. Sentences are rows too: their numbers are cells, and years listed in the same number head them
   (`$1.6, $2.7 and $2.2 million for 2012, 2011 and 2010`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from pagehop.agents.numbers import Number, find_numbers
from pagehop.agents.periods import find_years
from pagehop.agents.rows import Row
from pagehop.agents.sentences import Sentence, is_source
from pagehop.agents.vocabulary import FUNCTION_WORDS
from pagehop.agents.words import stem, tokens
from pagehop.types import PageRef

Weight = Callable[[str], float]
"""Rarity of a stem, above 0."""

_LABEL, _COLUMN, _SECTION, _CAPTION, _PAGE = 1.0, 0.9, 0.7, 0.45, 0.2
_TOTALS = frozenset(stem(w) for w in ("total", "totals", "sum", "overall"))
_EXTRA_PERIOD = 0.25


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


@dataclass(frozen=True)
class Line:
    """A row or sentence prepared for matching."""

    ref: PageRef
    quote: str
    label: str
    label_stems: tuple[str, ...]
    section: frozenset[str]
    caption: frozenset[str]
    numbers: tuple[Number, ...]
    columns: tuple[str, ...]
    scale: float
    table: int
    label_years: tuple[int, ...]
    context_years: tuple[int, ...]


def row_lines(rows: Iterable[Row]) -> list[Line]:
    """Prepare table rows."""
    return [
        Line(
            row.ref,
            row.text,
            row.label,
            tuple(_stems(row.label)),
            frozenset(_stems(row.section)),
            frozenset(_stems(row.caption)),
            tuple(c.number for c in row.cells),
            row.columns,
            row.scale,
            row.table,
            tuple(find_years(row.label)),
            tuple(find_years(f"{row.section} {row.caption}")),
        )
        for row in rows
    ]


def sentence_lines(sentences: Iterable[Sentence]) -> list[Line]:
    """Prepare sentences that hold numbers other than years."""
    lines = []
    for sentence in sentences:
        if is_source(sentence.text):
            continue
        numbers = [n for n in find_numbers(sentence.text) if not n.is_year]
        numbers = [n for n in numbers if n.unit or n.scale > 1 or abs(n.value) >= 100]
        if not numbers or len(numbers) > 12:
            continue
        lines.append(_sentence_line(sentence, numbers))
    return lines


def find_values(
    lines: Sequence[Line],
    phrase: str,
    weight: Weight,
    *,
    year: int | None = None,
    measure: str = "",
    page_stems: Callable[[PageRef], frozenset[str]] | None = None,
) -> list[Value]:
    """Return the numbers that fit best, best first.

    Args:
        lines: What `row_lines` and `sentence_lines` prepared.
        phrase: What the row must be about.
        weight: Rarity of a stem.
        year: The column that is asked for; None takes the first column.
        measure: Words for the column or section, e.g. `base salary` of a person.
        page_stems: Stems of a page, for words that stand elsewhere on it.
    """
    wanted = dict.fromkeys(_stems(phrase))
    extra = [s for s in dict.fromkeys(_stems(measure)) if s not in wanted]
    if not wanted and year is not None:
        wanted = {str(year): None}
        year = None
    if not wanted:
        return []
    found = []
    for line in lines:
        near = _nearness(line, [*wanted, *extra], page_stems)
        if max(near[s] for s in wanted) < 0.4:
            continue
        for i, number in enumerate(line.numbers):
            if number.is_year and not number.unit and line.table < 0:
                continue
            score = _score(line, i, list(wanted), extra, near, weight, year)
            column = line.columns[i] if i < len(line.columns) else ""
            found.append(
                Value(
                    number, line.ref, line.quote, line.label, column, score,
                    1.0 if number.unit == "%" or number.scale > 1 else line.scale,
                    year, line.table,
                    line.table < 0 and len(line.numbers) > 1 and not column,
                )
            )  # fmt: skip
    return sorted(found, key=lambda v: -v.score)


def is_total(line: Line) -> bool:
    """Whether a row sums up its table."""
    return bool(_TOTALS & set(line.label_stems))


def nearness(
    line: Line, phrase: str, weight: Weight, page_stems: Callable[[PageRef], frozenset[str]]
) -> float:
    """How near the words of a phrase stand to a row, caption and section counting in full."""
    wanted = list(dict.fromkeys(_stems(phrase)))
    near = _nearness(line, wanted, page_stems)
    total = sum(weight(s) for s in wanted) or 1.0
    return sum(weight(s) * (1.0 if near[s] >= _CAPTION else near[s]) for s in wanted) / total


def first_value(line: Line, score: float) -> Value:
    """The first number of a row."""
    column = line.columns[0] if line.columns else ""
    return Value(
        line.numbers[0], line.ref, line.quote, line.label, column, score, line.scale, None,
        line.table,
    )  # fmt: skip


def _score(
    line: Line,
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
    label = [s for s in line.label_stems if s not in asked]
    label_weight = sum(weight(s) for s in line.label_stems) or 1.0
    surplus = sum(weight(s) for s in label) / label_weight
    score = recall - (0.22 if line.table >= 0 else 0.08) * surplus
    if line.table < 0:
        score -= 0.08
    if _TOTALS & set(label):
        score -= 0.05
    if _TOTALS & column - asked:
        score -= 0.03
    return score + _year_fit(line, i, year)


def _year_fit(line: Line, i: int, year: int | None) -> float:
    """0 when the year stands over the number, below 0 the less it is certain."""
    if year is None:
        return -0.01 * i
    heading = find_years_cached(line.columns[i]) if i < len(line.columns) else ()
    if year in heading or year in line.label_years:
        return 0.0 if len(heading) <= 1 else -0.03
    if heading or (line.label_years and line.table >= 0):
        return -0.5
    if year in line.context_years:
        return -0.1 if len(set(line.context_years)) == 1 else -_EXTRA_PERIOD
    return -_EXTRA_PERIOD - 0.02 * i


def _nearness(
    line: Line,
    stems: Iterable[str],
    page_stems: Callable[[PageRef], frozenset[str]] | None,
) -> dict[str, float]:
    """How near each stem stands to the row's numbers."""
    label = set(line.label_stems)
    near = {}
    for s in stems:
        if s in label or _fuzzy(s, label):
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


def _sentence_line(sentence: Sentence, numbers: list[Number]) -> Line:
    years = find_years(sentence.text)
    columns: tuple[str, ...]
    if len(years) == len(numbers) and len(numbers) > 1:
        columns = tuple(str(y) for y in years)
    elif len(years) == 1:
        columns = (str(years[0]),) * len(numbers)
    else:
        columns = tuple(_nearest_year(sentence.text, n) for n in numbers)
    return Line(
        sentence.ref, sentence.text, sentence.text, tuple(_stems(sentence.text)),
        frozenset(_stems(sentence.heading)), frozenset(), tuple(numbers), columns, 1.0, -1,
        (), tuple(years),
    )  # fmt: skip


def _nearest_year(text: str, number: Number) -> str:
    """The first year behind the number and before the next clause, else none."""
    tail = text[number.end : number.end + 80]
    years = find_years(tail.split(";")[0])
    return str(years[0]) if years else ""


def _stems(text: str) -> list[str]:
    return [
        t.stem
        for t in tokens(text)
        if t.text.lower() not in FUNCTION_WORDS and (len(t.stem) > 1 or t.stem.isdigit())
    ]


@lru_cache(maxsize=4096)
def _column_stems(text: str) -> frozenset[str]:
    return frozenset(_stems(text))


@lru_cache(maxsize=4096)
def find_years_cached(text: str) -> tuple[int, ...]:
    """Years of a column heading; headings repeat for every row."""
    return tuple(find_years(text))
