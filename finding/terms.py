"""Words of a text as keyword search counts them, and the counts that BM25 needs.

1. Unicode is folded (NFKC, accents off, lower case); runs of letters and digits are words.
2. A number keeps its decimal point and loses its thousands commas: `1,577.5` is `1577.5`.
3. A word with a digit that is joined by a hyphen also counts as one: `10-K` is `10`, `k`, `10k`.
4. Scripts written without spaces give overlapping pairs of characters.
5. English function words are left out, the rest is stemmed (Snowball English).

Light imports only: PDF workers may count terms.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

import snowballstemmer

TERMS_VERSION = 1
"""Raise it when `tokens` changes: stored counts of another version must be made again."""

# The Snowball project's English function words, without the ones that ask for an amount or time.
STOP_WORDS = frozenset(
    """i me my we our ours you your he him his she her hers it its they them their theirs what
    which who whom this that these those am is are was were be been being have has had having do
    does did doing would should could ought a an the and but if or because as until while of at
    by for with about against between into through to from in out on off over under again further
    then once here there when where why how so than too very can will just not no nor only own
    same such s t""".split()
)

# A stemmer holds the word it works on: two threads in it at once give wrong stems or IndexError.
_STEMMING = Lock()

# Scripts without spaces between words: kana, CJK ideographs, Thai, Lao, Khmer, Myanmar.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f"
_WORD = re.compile(
    rf"\d+(?:[.,]\d+)*(?![^\W_{_UNSPACED}])"  # a number, not the start of `3rd`
    rf"|[{_UNSPACED}]+"
    rf"|[^\W_{_UNSPACED}]+(?:['\u2019][^\W\d_]+)?"
)
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]")
_JOINED = re.compile(r"\b[^\W_]+(?:-[^\W_]+)+\b")
_MIXED = re.compile(r"(?=.*\d).*[^\W\d_]")


@dataclass(frozen=True)
class TermCounts:
    """What BM25 needs of a set of passages; counts of disjoint sets may be added."""

    passages: int = 0
    total_length: int = 0
    """Tokens of all passages."""
    df: Mapping[str, int] = field(default_factory=dict)
    """Number of passages that hold each term."""

    def __add__(self, other: "TermCounts") -> "TermCounts":
        df = Counter(self.df)
        df.update(other.df)
        return TermCounts(
            self.passages + other.passages, self.total_length + other.total_length, dict(df)
        )


@dataclass(frozen=True)
class TermStatistics:
    """Counts summed over the visible passages."""

    passages: int
    mean_length: float
    """Tokens of a passage, on average; 0 when there is none."""
    df: Mapping[str, int]

    @classmethod
    def of(cls, counts: Iterable[TermCounts]) -> "TermStatistics":
        """Sum the counts of disjoint sets of passages."""
        passages, length = 0, 0
        df: Counter[str] = Counter()
        for part in counts:
            passages += part.passages
            length += part.total_length
            df.update(part.df)
        return cls(passages, length / passages if passages else 0.0, df)

    def plus(self, counts: TermCounts) -> "TermStatistics":
        """Return these counts and those of some more passages."""
        length = round(self.mean_length * self.passages)
        return TermStatistics.of([TermCounts(self.passages, length, self.df), counts])


def tokens(text: str) -> list[str]:
    """Return the terms of a text in order, function words left out."""
    folded = fold(text)
    words = _WORD.findall(folded)
    if "-" in folded:
        words += [m.replace("-", "") for m in _JOINED.findall(folded) if _MIXED.match(m)]
    return [term for word in words for term in _terms(word)]


def count(passages: Iterable[str]) -> TermCounts:
    """Count terms over passages."""
    n, length = 0, 0
    df: Counter[str] = Counter()
    for text in passages:
        terms = tokens(text)
        n += 1
        length += len(terms)
        df.update(set(terms))
    return TermCounts(n, length, dict(df))


def fold(text: str) -> str:
    """Return the text in lower case, without accents and compatibility forms."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
        text = unicodedata.normalize("NFC", text)
    return text.lower()


@lru_cache(maxsize=200_000)
def _terms(word: str) -> tuple[str, ...]:
    """Return the terms of one folded word: none for a function word, pairs of unspaced script."""
    if word in STOP_WORDS:
        return ()
    if word[0].isdigit():
        return (word.replace(",", ""),)
    if _UNSPACED_WORD.match(word):
        return tuple(word[i : i + 2] for i in range(len(word) - 1)) or (word,)
    for mark in ("'", "\u2019"):
        word = word.removesuffix(mark + "s").replace(mark, "")
    return () if word in STOP_WORDS else (_stem(word),)


def _stem(word: str) -> str:
    with _STEMMING:
        return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> "snowballstemmer.basestemmer.BaseStemmer":
    return snowballstemmer.stemmer("english")
