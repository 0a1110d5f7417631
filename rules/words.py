"""Words of a text with their stems and places, as the rules compare them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import snowballstemmer

from pagehop.rules.vocabulary import NUMBER_WORDS

_TOKEN = re.compile(r"[^\W_]+(?:[.,'\u2019&/-][^\W_]+)*")
_STEMMER = snowballstemmer.stemmer("english")
_STEMMING = Lock()
"""The stemmer keeps the word it works on in itself."""
_SHORT = 5
"""Stems up to this length keep their `e` (`tree`, `three`)."""
_DASH_PARTS = re.compile("[/\u2013\u2014]")
_WORD_PARTS = re.compile(r"[-/,]|(?<=\w{3})\.(?=\w{2})")
_POSSESSIVES = ("'s", "\u2019s", "'S", "\u2019S")


@dataclass(frozen=True)
class Token:
    """One word of a text."""

    text: str
    """As written, without possessive ending."""
    stem: str
    """Lower case, without accents, stemmed; what is compared."""
    start: int
    end: int
    possessive: bool = False


@dataclass(frozen=True)
class _Part:
    """A word cut out of a run of characters; `offset` counts from the run's start."""

    text: str
    stem: str
    offset: int
    possessive: bool


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Fold case, accents and inflection of one word; `nine` is `9`, and `1,577` is `1577`."""
    if word[0].isdigit():
        return word.replace(",", "").lower()
    folded = word.lower()
    if NUMBER_WORDS.get(folded, 0) > 1:
        return str(NUMBER_WORDS[folded])
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(c for c in decomposed if not unicodedata.combining(c))
    with _STEMMING:
        stemmed: str = _STEMMER.stemWord(folded)
    return stemmed


def base(stem: str) -> str:
    """Return the stem of the verb behind `employee` or `licensee`; any other stem as it is."""
    return stem[:-1] if len(stem) > _SHORT and stem.endswith("e") else stem


def tokens(text: str) -> list[Token]:
    """Split a text into words: `long-term` and `amazon.com` are two, `10-K` and `U.S.` one."""
    found = []
    for match in _TOKEN.finditer(text):
        for part in _parts(match.group()):
            start = match.start() + part.offset
            end = start + len(part.text)
            found.append(Token(part.text, part.stem, start, end, part.possessive))
    return found


def stems(text: str) -> list[str]:
    """Return the stems of a text in order."""
    return [part.stem for run in _TOKEN.findall(text) for part in _parts(run)]


@lru_cache(maxsize=200_000)
def _parts(run: str) -> tuple[_Part, ...]:
    pattern = _DASH_PARTS if run[0].isdigit() or "&" in run else _WORD_PARTS
    found, at = [], 0
    for piece in pattern.split(run):
        bare = piece
        possessive = piece.endswith(_POSSESSIVES)
        if possessive:
            bare = piece[:-2]
        bare = bare.rstrip("'\u2019")
        if bare:
            found.append(_Part(bare, stem(bare), at, possessive))
        at += len(piece) + 1
    return tuple(found)
