"""Words of a text with their stems and places, as the rules compare them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

_TOKEN = re.compile(r"[^\W_]+(?:[.,'\u2019&/-][^\W_]+)*")
_STEMMER = snowballstemmer.stemmer("english")


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


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Fold case, accents and inflection of one word; numbers lose their thousands separators."""
    if word[0].isdigit():
        return word.replace(",", "").lower()
    folded = unicodedata.normalize("NFKD", word.lower())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    stemmed: str = _STEMMER.stemWord(folded)
    return stemmed


def tokens(text: str) -> list[Token]:
    """Split a text into words; `long-term` and `10-K` are split at hyphens unless a digit leads."""
    found = []
    for match in _TOKEN.finditer(text):
        for word, start in _parts(match.group(), match.start()):
            bare, possessive = _strip_possessive(word)
            if bare:
                found.append(Token(bare, stem(bare), start, start + len(bare), possessive))
    return found


def stems(text: str) -> list[str]:
    """Return the stems of a text in order."""
    return [token.stem for token in tokens(text)]


def _parts(word: str, start: int) -> list[tuple[str, int]]:
    if word[0].isdigit() or "&" in word:
        pieces = re.split(r"[/–—]", word)  # noqa: RUF001 - dashes between years
    else:
        pieces = re.split(r"[-/,]", word)
    parts, at = [], start
    for piece in pieces:
        if piece:
            parts.append((piece, at))
        at += len(piece) + 1
    return parts


def _strip_possessive(word: str) -> tuple[str, bool]:
    for ending in ("'s", "’s"):  # noqa: RUF001 - typographic apostrophe
        if word.lower().endswith(ending):
            return word[:-2], True
    return word.rstrip("'’"), False  # noqa: RUF001
