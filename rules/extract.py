"""Pick the sentences and table rows that a question asks for, from the pages that searches found.

1. A unit is a sentence or a table row with the words around it (heading, column headings, caption).
2. Each unit's coverage is the share of the question's words, weighted by rarity, that stand in it
   (1), around it (.6) or elsewhere on its page (.2).
3. Per page the units with the best coverage, a few only, are compared with the question by the
   encoder. A page is scored by its search scores plus its best unit (benchmarks/answers.py: better
   than either alone); page scores decide between pages, unit scores between units of a page.

Source: Baleen's condensation of pages to sentences after each hop (Khattab et al. 2021);
differs: coverage and cosine in place of trained readers.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pagehop.finding.periods import MONTHS, find_periods, find_years
from pagehop.rules.figures import names_column
from pagehop.rules.lines import read_lines
from pagehop.rules.question import AnswerKind, Question
from pagehop.rules.rows import Row, find_axes, read_rows
from pagehop.rules.sentences import Sentence, is_source, read_sentences
from pagehop.rules.vocabulary import FUNCTION_WORDS, NUMBER_WORDS
from pagehop.rules.words import base, stems
from pagehop.types import Box, Kind, Page, PageRef, Region

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Weight = Callable[[str], float]

COSINE_SHARE, COVERAGE_SHARE = 0.5, 0.25
"""Weights of a unit's cosine and coverage beside its page's search scores (1 each)."""
UNITS_ENCODED = 6
"""Units per page that are compared by the encoder; more cost time and gained nothing."""
_AROUND, _ELSEWHERE = 0.6, 0.2
_HEADING_LOSS = 0.15
_KIND_LOSS = 0.1
_UNDATED_LOSS = 0.2
"""A line without a date says nothing of when; one without a number may say how many in words."""
_LABEL_LOSS = 0.1
_CAPTION = re.compile(r"(?:figure|fig\.|table|chart|exhibit)\s+\w+\s*[:.]", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"(?<!\[)\b(?:\d[\d.,]*|{'|'.join(w for w, n in NUMBER_WORDS.items() if n > 1)})\b(?!\])",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[A-Z][\w\u2019'-]+[., ]+[A-Z]")
"""Two capitalised words in a row."""
_MONTH = "|".join(name.capitalize() for name in MONTHS)
_PLACED = re.compile(rf"\b(?:in|at|near|from|of|to|outside) (?:the )?(?!(?:{_MONTH})\b)[A-Z][a-z]")
"""A place's name behind a preposition; months stand there too."""
_WHY = re.compile(r"\bwhy\b", re.IGNORECASE)
REASON = re.compile(
    r"\b(?:because|since|as a result|so that|due to|owing to|thanks to|therefore|in order to|"
    r"caused?|causes|reasons?|led to|why)\b",
    re.IGNORECASE,
)
"""Words by which a line, or the heading over it, gives a reason."""
_SOURCE_LOSS = 0.15
_CITED = re.compile(r"\b(?:cit(?:e[sd]?|ing|ations?)|references?|sources?|bibliography)\b", re.I)
"""A question that asks for an entry of a list of sources."""
TITLES = frozenset({"title", "heading", "caption"})
"""Places of lines that name what is below or beside them."""
_SETTLED = 0.2


@dataclass(frozen=True)
class Unit:
    """A sentence or table row."""

    ref: PageRef
    kind: Literal["sentence", "row"]
    text: str
    """What may be quoted."""
    around: str
    """Heading, column headings, caption."""
    box: Box
    stems: frozenset[str]
    around_stems: frozenset[str]
    row: Row | None = None
    place: Kind | None = None
    """Kind of the region a sentence stands in; None without a layout."""

    @property
    def reading(self) -> str:
        """What the encoder sees."""
        if self.row is None:
            return self.text
        columns = " ".join(dict.fromkeys(self.row.columns))
        return f"{self.row.label}: {columns} {self.row.section} {self.row.caption[-120:]}"


@dataclass(frozen=True)
class ReadPage:
    """A page cut into units."""

    ref: PageRef
    units: tuple[Unit, ...]
    stems: frozenset[str]
    rows: tuple[Row, ...]
    sentences: tuple[Sentence, ...]
    chart: bool = False
    """It has the scale of a chart, whose values are not read."""


@dataclass(frozen=True)
class Scored:
    """A unit and how well it fits."""

    unit: Unit
    page_score: float
    """Score of its page for the question; comparable within one question."""
    score: float
    """Score of the unit itself."""
    coverage: float
    """Share of the question's weighted words, 0 to 1."""
    cosine: float
    """Likeness of unit and question, 0 where it was not compared."""


def read_units(page: Page, regions: Sequence[Region] = ()) -> ReadPage:
    """Cut a page into sentences and rows.

    Args:
        page: A page.
        regions: Its layout; running heads and feet are left out by it.
    """
    units = []
    lines = read_lines(page, regions)
    rows, sentences = read_rows(page, lines), read_sentences(page, lines)
    axes = find_axes(rows)
    rows = [row for row in rows if row.table not in axes]
    for row in rows:
        if not any(c.isalpha() for c in row.text):
            continue  # numbers alone say nothing that could be quoted
        around = f"{row.section} {' '.join(row.columns)} {row.caption}"
        units.append(
            Unit(
                row.ref, "row", row.text, around, row.box,
                _held(f"{row.label} {row.text}"), _held(around), row,
            )
        )  # fmt: skip
    heads = {word for row in rows for column in row.columns for word in column.split()}
    for s in sentences:
        if s.kind == "table" and heads.issuperset(s.text.split()):
            continue  # the heading of its columns
        if len(s.text) > 3:
            units.append(
                Unit(
                    s.ref, "sentence", s.text, s.heading, s.box,
                    _held(s.text), _held(s.heading), None,
                    s.kind,
                )
            )  # fmt: skip
    held = frozenset(stems(page.text))
    return ReadPage(page.ref, tuple(units), held, tuple(rows), tuple(sentences), bool(axes))


def _held(text: str) -> frozenset[str]:
    """Stems of a text, with what `employees` are derived from."""
    found = stems(text)
    return frozenset((*found, *map(base, found)))


def coverage(terms: Sequence[tuple[str, float]], unit: Unit, page_stems: frozenset[str]) -> float:
    """Share of weighted words in a unit and around it, 0 to 1."""
    total = sum(weight for _, weight in terms)
    if not total:
        return 0.0
    covered = 0.0
    for stem, weight in terms:
        words = {stem, base(stem)}
        if words & unit.stems:
            covered += weight
        elif words & unit.around_stems or _heads_column(stem, unit.row):
            covered += _AROUND * weight
        elif stem in page_stems:
            covered += _ELSEWHERE * weight
    return covered / total


def _heads_column(stem: str, row: Row | None) -> bool:
    """Whether a word heads a column of a row, cut short there."""
    return row is not None and any(names_column(column, (stem,)) for column in row.columns)


def weigh(
    question: Question, weight: Weight, settled: Set[str] = frozenset()
) -> list[tuple[str, float]]:
    """Return the question's stems with their weights: what a word is, times how rare it is.

    Settled stems, names that already chose the documents, tell little between their pages.
    """
    return [
        (t.stem, t.weight * weight(t.stem) * (_SETTLED if t.stem in settled else 1.0))
        for t in question.terms
    ]


def rank_units(
    question: Question,
    pages: Mapping[PageRef, ReadPage],
    search_scores: Mapping[PageRef, float],
    weight: Weight,
    encode: Encode | None,
    query_vector: NDArray[np.float32] | None,
    settled: Set[str] = frozenset(),
) -> list[Scored]:
    """Score the best units of each page, best page first, best unit of a page first.

    Args:
        question: What is asked.
        pages: Candidate pages.
        search_scores: How well searches found each page.
        weight: Rarity of a stem.
        encode: Text encoder; None ranks by coverage alone.
        query_vector: (dim,) float32, unit length; None with `encode`.
        settled: Stems of names that chose the documents.
    """
    terms = weigh(question, weight, settled)
    chosen: list[tuple[Unit, float]] = []
    for page in pages.values():
        covered = [(unit, coverage(terms, unit, page.stems)) for unit in page.units]
        covered.sort(key=lambda pair: -pair[1])
        chosen += covered[:UNITS_ENCODED]
    cosines = np.zeros(len(chosen), np.float32)
    if encode is not None and query_vector is not None and chosen:
        cosines = encode([unit.reading for unit, _ in chosen]) @ query_vector  # (n_units,)
    return _by_page(chosen, cosines, search_scores, question)


def _by_page(
    chosen: Sequence[tuple[Unit, float]],
    cosines: NDArray[np.float32],
    search_scores: Mapping[PageRef, float],
    question: Question,
) -> list[Scored]:
    kind, asked = question.kind, {t.stem for t in question.content}
    why = _WHY.search(question.text) is not None
    sources = _CITED.search(question.text) is not None
    scores = [
        COSINE_SHARE * float(cosine)
        + COVERAGE_SHARE * covered
        - _SOURCE_LOSS * (not sources and is_entry(unit))
        - _KIND_LOSS * (why and not REASON.search(f"{unit.around} {unit.text}"))
        for (unit, covered), cosine in zip(chosen, cosines, strict=True)
    ]
    best: dict[PageRef, float] = {}
    for (unit, _), score in zip(chosen, scores, strict=True):
        best[unit.ref] = max(best.get(unit.ref, -math.inf), score)
    scored = [
        Scored(unit, search_scores.get(unit.ref, 0.0) + best[unit.ref], score, covered, float(cos))
        for (unit, covered), score, cos in zip(chosen, scores, cosines, strict=True)
    ]
    return sorted(scored, key=lambda s: (-s.page_score, -_worth(s, kind, asked)))


def is_entry(unit: Unit) -> bool:
    """Whether a unit is an entry of a list of sources."""
    return is_source(unit.text, unit.row.heading if unit.row else unit.around)


def _worth(scored: Scored, kind: AnswerKind, asked: Set[str]) -> float:
    """What a unit is worth as a quote: less when it only names a topic or gives no such answer.

    A row answers when its label or section says what is asked; its caption says only of what kind.
    """
    text = scored.unit.text
    undated = kind == "date" and not find_years(text)
    misses = (
        (kind == "number" and not _AMOUNT.search(text))
        or (kind == "person" and not _NAMED.search(text))
        or (kind == "place" and not _PLACED.search(text))
    )
    row = scored.unit.row
    unlabelled = row is not None and not asked & set(stems(f"{row.label} {row.section}"))
    return (
        scored.score
        - _HEADING_LOSS * is_heading(scored.unit)
        - _KIND_LOSS * misses
        - _UNDATED_LOSS * undated
        - _LABEL_LOSS * unlabelled
    )


def page_scores(units: Sequence[Scored]) -> dict[PageRef, float]:
    """Score of each ranked page."""
    scores: dict[PageRef, float] = {}
    for item in units:
        scores.setdefault(item.unit.ref, item.page_score)
    return scores


def is_heading(unit: Unit) -> bool:
    """Whether a unit names a topic without saying anything on it."""
    words = [w for w in unit.text.split() if w[0].isalpha()]
    if unit.place in TITLES:
        return True
    digits = any(c.isdigit() for c in unit.text)
    if unit.kind == "row" or len(words) > 14 or (unit.place == "table" and digits):
        return False
    if digits and any(period.month for period in find_periods(unit.text)):
        return False  # `Accepted 3 May 2021` says when
    capitals = sum(1 for w in words if w[0].isupper() or w.lower() in FUNCTION_WORDS)
    if _CAPTION.match(unit.text) and len(words) <= 14:
        return True
    open_end = not unit.text.rstrip().endswith((".", "!", "?", ";"))
    return capitals == len(words) or (open_end and not digits)
