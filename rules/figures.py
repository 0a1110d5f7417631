"""Lines that state numbers, prepared for matching: table rows, and sentences with amounts.

Sentences are rows too: their numbers are cells, and years listed in the same number head them
(`$1.6, $2.7 and $2.2 million for 2012, 2011 and 2010`).
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from pagehop.finding.periods import find_years
from pagehop.rules.numbers import Number, find_numbers
from pagehop.rules.rows import Row
from pagehop.rules.sentences import Sentence, is_source
from pagehop.rules.vocabulary import DOCUMENT_WORDS, FUNCTION_WORDS, SHORTENED
from pagehop.rules.words import stem, stems, tokens
from pagehop.types import PageRef

TOTALS = frozenset(stem(w) for w in ("total", "totals", "sum", "overall"))
_CODE = re.compile(r"(?:[A-Za-z]|\b(?:1[5-9]|20)\d\d)-$")
_MOST_NUMBERS = 12
_ENTRY = re.compile(r"\[\d{1,3}\]\s+\w")
"""How an entry of a list of sources begins."""
_ASIDE = re.compile(r"[(\[]([^()\[\]]{1,8})[)\]]\s*$")
"""Behind a label, a unit, a mark or another word for the same: nothing a question has to say."""
_DOCUMENT_STEMS = frozenset(stem(w) for w in DOCUMENT_WORDS)
_CONTENTS_ROWS = 6


@dataclass(frozen=True)
class Figures:
    """A row or sentence with numbers."""

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
    """Number of its table on the page; -1 for a sentence."""
    label_years: tuple[int, ...]
    context_years: tuple[int, ...]
    siblings: frozenset[str] = frozenset()
    """Stems of the labels and sections of all rows of the page: what tells rows apart."""
    others: frozenset[frozenset[str]] = frozenset()
    """The labels of the other rows of its table, each as its stems."""
    sums_up: bool = False
    """Its numbers are the sums of rows above it, whatever its label says."""
    aside: frozenset[str] = frozenset()
    """Stems that stand in brackets behind the label."""
    document_years: tuple[int, ...] = ()
    """Of the document's name, where nothing nearer names a year."""

    @property
    def is_total(self) -> bool:
        """Whether a row sums up its table, or a part of it."""
        return self.sums_up or bool(TOTALS & set(self.label_stems))


def row_figures(rows: Sequence[Row]) -> list[Figures]:
    """Prepare table rows; tables of contents and lists of sources state no numbers."""
    if is_contents(rows):
        return []
    rows = [row for row in rows if not (_ENTRY.match(row.label) or is_source("", row.heading))]
    siblings = frozenset(s for row in rows for s in content_stems(f"{row.label} {row.section}"))
    figures = [_row_figures(row, siblings) for row in rows]
    labels: dict[int, set[frozenset[str]]] = {}
    for item in figures:
        labels.setdefault(item.table, set()).add(frozenset(item.label_stems))
    sums = _sums(figures)
    return [
        replace(
            item,
            others=frozenset(labels[item.table] - {frozenset(item.label_stems), frozenset()}),
            sums_up=i in sums,
        )
        for i, item in enumerate(figures)
    ]


def _sums(figures: Sequence[Figures]) -> set[int]:
    """Positions of the rows whose every number is the sum of those of two or more rows above."""
    found = set()
    for i, item in enumerate(figures):
        parts = [0.0] * len(item.numbers)
        above = 0
        for other in reversed(figures[:i]):
            if other.table != item.table or len(other.numbers) != len(item.numbers):
                break
            parts = [p + n.value for p, n in zip(parts, other.numbers, strict=True)]
            above += 1
            # Rounded parts miss their sum by half of the last digit each.
            off = 0.51 * above * 10.0 ** -max(len(_decimals(n)) for n in item.numbers)
            whole = [n.value for n in item.numbers]
            if above > 1 and all(abs(p - w) <= off for p, w in zip(parts, whole, strict=True)):
                if any(whole):
                    found.add(i)
                break
    return found


def _decimals(number: Number) -> str:
    return re.sub(r"\D.*", "", number.text.partition(".")[2])


def _row_figures(row: Row, siblings: frozenset[str]) -> Figures:
    numbers, columns = tuple(c.number for c in row.cells), row.columns
    years = tuple(find_years(row.label))
    if len(numbers) > 1 and numbers[0].is_year and not all(n.is_year for n in numbers):
        # A year in the first column says when the row is, e.g. behind a person's name.
        years, numbers, columns = (*years, int(numbers[0].value)), numbers[1:], columns[1:]
    aside = _ASIDE.search(row.label)
    return Figures(
        row.ref,
        row.text,
        row.label,
        tuple(content_stems(row.label)),
        frozenset(content_stems(row.section)),
        frozenset(content_stems(f"{row.caption} {row.heading}")),
        numbers,
        columns,
        row.scale,
        row.table,
        years,
        tuple(find_years(f"{row.section} {row.caption}") or find_years(row.heading)),
        siblings,
        aside=frozenset(content_stems(aside[1])) if aside else frozenset(),
    )


def is_contents(rows: Sequence[Row]) -> bool:
    """Whether rows are a table of contents: one small rising whole number each."""
    if len(rows) < _CONTENTS_ROWS:
        return False
    values = [row.values[0] for row in rows if len(row.cells) == 1]
    whole = [v for v in values if v == int(v) and 0 < v < 1000]
    rising = sum(1 for a, b in pairwise(whole) if b >= a)
    return len(whole) >= 0.8 * len(rows) and rising >= 0.85 * (len(whole) - 1)


def sentence_figures(sentences: Iterable[Sentence]) -> list[Figures]:
    """Prepare sentences that hold numbers other than years."""
    found = []
    for sentence in sentences:
        if is_source(sentence.text, sentence.heading):
            continue
        numbers = [n for n in find_numbers(sentence.text) if not n.is_year]
        numbers = [n for n in numbers if _measures(n, sentence.text)]
        if not numbers or len(numbers) > _MOST_NUMBERS:
            continue
        found.append(_sentence_figures(sentence, numbers))
    return found


def dated(figures: Figures, years: Sequence[int]) -> Figures:
    """Return figures that name no year themselves with the years of their document's name."""
    stated = figures.context_years or figures.label_years or any(map(find_years, figures.columns))
    return figures if stated else replace(figures, document_years=tuple(years))


def _measures(number: Number, text: str) -> bool:
    """Tell amounts from small counts, from the numbers of notes and sections, and from codes."""
    if re.match(r"0\d", number.text) or _CODE.search(text[: number.start]):
        return False  # `D-0442`, `invoice 2023-117`
    if number.unit or number.scale > 1 or abs(number.value) >= 100:
        return True
    if re.match(r"\s+per\b", text[number.end :]):
        return True
    before = stems(text[: number.start])[-1:]
    named = not before or before[0] in _DOCUMENT_STEMS
    return "." in number.text and not named


def _sentence_figures(sentence: Sentence, numbers: list[Number]) -> Figures:
    years = find_years(sentence.text)
    columns: tuple[str, ...]
    if len(years) == len(numbers) and len(numbers) > 1:
        columns = tuple(str(y) for y in years)
    elif len(years) == 1:
        columns = (str(years[0]),) * len(numbers)
    else:
        columns = tuple(_nearest_year(sentence.text, n) for n in numbers)
    return Figures(
        sentence.ref, sentence.text, sentence.text, tuple(content_stems(sentence.text)),
        frozenset(content_stems(sentence.heading)), frozenset(), tuple(numbers), columns, 1.0, -1,
        (), tuple(years),
    )  # fmt: skip


def _nearest_year(text: str, number: Number) -> str:
    """The first year behind the number and before the next clause, else none."""
    tail = text[number.end : number.end + 80]
    years = find_years(tail.split(";")[0])
    return str(years[0]) if years else ""


def content_stems(text: str) -> list[str]:
    """Return the stems of a text without function words and single letters."""
    return [
        t.stem
        for t in tokens(text)
        if t.text.lower() not in FUNCTION_WORDS and (len(t.stem) > 1 or t.stem.isdigit())
    ]


def names_column(heading: str, asked: Collection[str]) -> bool:
    """Whether stems of a question name a heading, also a word cut short (`Rec` of recall)."""
    return not _heading_stems(heading).isdisjoint(asked)


@lru_cache(maxsize=4096)
def _heading_stems(heading: str) -> frozenset[str]:
    words = [word.strip(".").lower() for word in heading.split()]
    longer = [stem(SHORTENED[word]) for word in words if word in SHORTENED]
    return frozenset((*content_stems(heading), *longer))
