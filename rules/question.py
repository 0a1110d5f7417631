"""What a question asks for: its terms, names, periods, kind of answer and calculation.

Rules over closed word classes only (vocabulary.py): nothing here knows a topic, a company or a
document. Names are capitalised or quoted words; a question without capitals has none.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pagehop.finding.periods import MONTHS, Period, find_periods, find_years
from pagehop.rules.task import Task, read_task
from pagehop.rules.vocabulary import (
    COMPARATIVE_DOWN,
    COMPARATIVE_UP,
    DOCUMENT_WORDS,
    FUNCTION_WORDS,
    HIGHEST,
    LOWEST,
    OPERATION_WORDS,
    QUESTION_FRAME,
)
from pagehop.rules.words import Token, stem, tokens

AnswerKind = Literal["number", "date", "person", "place", "yes_no", "reason", "list", "text"]

_FRAME_STEMS = frozenset(stem(w) for w in QUESTION_FRAME | DOCUMENT_WORDS)
_OPERATION_STEMS = frozenset(
    stem(w) for w in OPERATION_WORDS | HIGHEST | LOWEST | COMPARATIVE_UP | COMPARATIVE_DOWN
)
_QUARTER = re.compile(r"q[1-4]", re.IGNORECASE)
_JOINTS = (" ", " & ", "-")
_INNER = re.compile(r"(?=.{5})[a-z]+[A-Z]\w*")
"""A name with its capitals inside; units such as `kWh` are shorter."""
_FORM = re.compile(r"\d+-?[a-z]", re.IGNORECASE)
_KINDS: tuple[tuple[AnswerKind, str], ...] = (
    ("number", r"\bhow (many|much|long|old|far|large|big|high|tall|fast|often)\b"),
    ("number", r"\bwhat (is|was|were|are|percent\w*|proportion|share|fraction)\b.*"
     r"\b(number|amount|total|percent\w*|rate|ratio|average|value|price|cost|sum|difference)\b"),
    ("date", r"\bwhen\b|\b(what|which|in which) (year|date|month|day|quarter|century|time)\b"),
    ("person", r"\bwho(m|se)?\b"),
    ("place", r"\bwhere\b|\b(what|which) (place|city|country|state|region|location)\b"),
    ("reason", r"\bwhy\b|\bhow\b"),
    ("yes_no", r"^(did|does|do|is|are|was|were|has|have|had|can|could|will|would|should)\b"),
    ("list", r"^(list|name)\b|^(which|what) (all|are|were)\b.*s\b"),
)  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A word of the question that an answer should be about."""

    stem: str
    text: str
    weight: float
    """1 for a topic word; less for words of asking, of arithmetic and of documents."""


@dataclass(frozen=True)
class Name:
    """Capitalised or quoted words that name something."""

    text: str
    stems: tuple[str, ...]
    possessive: bool
    """Followed by 's: the thing the question is about."""


@dataclass(frozen=True)
class Question:
    """A question as the rules see it."""

    text: str
    kind: AnswerKind
    terms: tuple[Term, ...]
    names: tuple[Name, ...]
    periods: tuple[Period, ...]
    years: tuple[int, ...]
    task: Task

    @property
    def content(self) -> tuple[Term, ...]:
        """Terms other than words of asking and arithmetic; all terms when nothing else is left."""
        strong = tuple(term for term in self.terms if term.weight >= 0.5)
        return strong or self.terms

    @property
    def name_stems(self) -> frozenset[str]:
        """Stems of all names."""
        return frozenset(stem for name in self.names for stem in name.stems)

    @property
    def query(self) -> str:
        """The question's words worth searching for, in order."""
        return " ".join(term.text for term in self.terms)


@lru_cache(maxsize=512)
def read_question(text: str) -> Question:
    """Analyse a question; pure and fast (well under a millisecond when repeated)."""
    text = " ".join(text.split())
    found = tokens(text)
    periods = tuple(find_periods(text))
    return Question(
        text,
        _kind(text),
        _terms(found, periods),
        _names(text, found, periods),
        periods,
        tuple(find_years(text)),
        read_task(text),
    )


def _kind(text: str) -> AnswerKind:
    lowered = text.lower()
    return next((kind for kind, pattern in _KINDS if re.search(pattern, lowered)), "text")


def _terms(found: list[Token], periods: tuple[Period, ...]) -> tuple[Term, ...]:
    terms: dict[str, Term] = {}
    for token in found:
        if token.text.lower() in FUNCTION_WORDS or token.stem in terms:
            continue
        if len(token.stem) == 1 and not token.stem.isdigit():
            continue
        terms[token.stem] = Term(token.stem, token.text, _weight(token, periods))
    return tuple(terms.values())


def _weight(token: Token, periods: tuple[Period, ...]) -> float:
    if any(p.start <= token.start < p.end for p in periods):
        return 0.6 if token.text.isdigit() and len(token.text) == 4 else 0.3
    if _FORM.fullmatch(token.text) or token.stem in _FRAME_STEMS:
        return 0.3
    return 0.35 if token.stem in _OPERATION_STEMS else 1.0


def _names(text: str, found: list[Token], periods: tuple[Period, ...]) -> tuple[Name, ...]:
    words = [t for t in found if t.text[0].isalpha()]
    capitals = sum(1 for t in words if t.text[0].isupper())
    groups: list[list[Token]] = []
    quoted = [m.span(1) for m in re.finditer(r"[\"“”]([^\"“”]{2,80})[\"“”]", text)]
    if words and capitals <= max(2, 0.6 * len(words)):
        for i, token in enumerate(found):
            if not _is_name(found, i, periods) or any(a <= token.start < b for a, b in quoted):
                continue
            before = groups[-1][-1] if groups else None
            if before and not before.possessive and text[before.end : token.start] in _JOINTS:
                groups[-1].append(token)
            else:
                groups.append([token])
    groups += [[t for t in found if a <= t.start < b] for a, b in quoted]
    return tuple(
        Name(text[g[0].start : g[-1].end], tuple(t.stem for t in g), g[-1].possessive)
        for g in groups
        if g
    )


def _leads_name(found: list[Token]) -> bool:
    """Whether the question begins with a name of several words, or one with capitals inside."""
    first = found[0].text
    lowered = first.lower()
    if lowered in QUESTION_FRAME or lowered in OPERATION_WORDS:
        return False
    return first[1:] != first[1:].lower() or (len(found) > 1 and found[1].text[0].isupper())


def _is_name(found: list[Token], i: int, periods: tuple[Period, ...]) -> bool:
    token = found[i]
    word = token.text
    if _INNER.fullmatch(word):
        return True
    if not word[0].isupper() or word == "I" or _QUARTER.fullmatch(word):
        return False
    if any(p.start <= token.start < p.end for p in periods) or len(word) == 1:
        return False
    lowered = word.lower()
    if lowered in FUNCTION_WORDS or lowered in MONTHS or lowered in DOCUMENT_WORDS:
        return False
    return i > 0 or token.possessive or _leads_name(found)
