"""The documents that a page names: what the page graph's `cites` edges come from.

1. A document is named by its title or its file name: all their words within a short stretch of
   text, in any order (`Tarnwick's annual report for 2022`); or by author and year where its file
   name begins with both (`Varkonyi (2022)`).
2. Words that fit several documents (`Annual Report 2023`) name each of them the less, and more than
   three of them none. Where a longer name stands, a shorter one inside it does not count.
3. What follows or precedes within a line or two (`Note 8 of the ...`) is left to the page graph.

Nothing is stored: names belong to a view, so the pages are read when they are walked from.

Not covered: a title told in other words, or in another language.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pagehop.finding.names import name_words
from pagehop.layout.titles import names_a_kind
from pagehop.types import Document

_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_WEAK = frozenset(
    "a an and for from in its of on or s the to with by at as de la le der die das".split()
)
_SLACK = 3
"""Words of a text that may stand between those of a name."""
_MOST_ALIKE = 3
_LONGEST = 24
"""Words of a name that count: titles of papers are shorter."""
_SHOWN = 90
_BESIDE = 30
"""Characters shown on each side of a document's name."""
_AUTHOR_YEAR = re.compile(
    r"\b(?P<author>[^\W\d_][\w'\u2019-]+)(?:\s+(?:et\s+al\.?|(?:and|&)\s+[^\W\d_][\w'\u2019-]+))?,?"
    r"\s*[(\[]?(?P<year>(?:19|20)\d\d)[a-z]?\b"
)


@dataclass(frozen=True)
class Named:
    """A place in a text where a document is named."""

    document: str
    """Document id."""
    start: int
    end: int
    """Characters of the text."""
    certainty: float
    """0 to 1: one over the number of documents that the words fit."""


class DocumentNames:
    """The names of some documents, to be found in texts."""

    def __init__(self, documents: Iterable[Document]) -> None:
        """Learn the names, and how common each of their words is among them."""
        self._names: list[tuple[str, frozenset[str]]] = []
        self._authors: dict[tuple[str, str], list[str]] = {}
        words_of: dict[str, set[str]] = {}
        for document in documents:
            stem = name_words(document.source)
            for name in dict.fromkeys((stem, document.title)):
                words = _content(name)
                if _is_telling(words):
                    self._names.append((document.id, frozenset(words)))
                words_of.setdefault(document.id, set()).update(words)
            first = _TOKEN.findall(stem.casefold())[:2]
            if len(first) == 2 and re.fullmatch(r"(?:19|20)\d\d", first[1]) and len(first[0]) > 3:
                self._authors.setdefault((first[0], first[1]), []).append(document.id)
        self._words_of = {id: frozenset(words) for id, words in words_of.items()}
        frequency = Counter(word for words in words_of.values() for word in words)
        self._by_rarest: dict[str, list[int]] = {}
        for i, (_, several) in enumerate(self._names):
            rarest = min(several, key=lambda word: (frequency[word], -len(word), word))
            self._by_rarest.setdefault(rarest, []).append(i)

    def find(self, text: str) -> list[Named]:
        """Find the documents that a text names, the first place of each, in text order."""
        folded = text.casefold()
        there = set(_TOKEN.findall(folded))
        rarest = sorted(there & self._by_rarest.keys())
        likely = [self._names[i] for word in rarest for i in self._by_rarest[word]]
        likely = [(document, words) for document, words in likely if words <= there]
        found = list(self._by_author(text))
        if likely:
            places = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(folded)]
            found += self._by_words(likely, places)
        return _first_of_each(_outermost(found))

    def _by_words(
        self, likely: Iterable[tuple[str, frozenset[str]]], places: Sequence[tuple[str, int, int]]
    ) -> Iterator[Named]:
        at: dict[str, list[int]] = {}
        for i, (word, _, _) in enumerate(places):
            at.setdefault(word, []).append(i)
        for document, words in likely:
            span = _shortest_span({word: at[word] for word in words})
            certainty = self._certainty(words)
            if certainty and span[1] - span[0] < len(words) + _SLACK + len(words) // 3:
                yield Named(document, places[span[0]][1], places[span[1]][2], certainty)

    def _by_author(self, text: str) -> Iterator[Named]:
        for match in _AUTHOR_YEAR.finditer(text) if self._authors else ():
            ids = self._authors.get((match["author"].casefold(), match["year"]), [])
            for id in ids if len(ids) <= _MOST_ALIKE else ():
                yield Named(id, match.start(), match.end(), 1 / len(ids))

    def _certainty(self, words: frozenset[str]) -> float:
        fitting = sum(words <= others for others in self._words_of.values())
        return 1 / fitting if 0 < fitting <= _MOST_ALIKE else 0.0


def words_around(text: str, named: Named) -> str:
    """Return where a document is named, with the whole words beside it."""
    before = text[max(named.start - _BESIDE, 0) : named.start]
    after = text[named.end : named.end + _BESIDE]
    if named.start > _BESIDE:
        before = before.partition(" ")[2]
    if named.end + _BESIDE < len(text):
        after = after.rpartition(" ")[0]
    flat = " ".join((before + text[named.start : named.end] + after).split())
    return flat if len(flat) <= _SHOWN else flat[:_SHOWN].rsplit(" ", 1)[0] + " ..."


def _content(name: str) -> list[str]:
    words = _TOKEN.findall(name.casefold())
    return list(dict.fromkeys(word for word in words if word not in _WEAK))[:_LONGEST]


def _is_telling(words: list[str]) -> bool:
    """Tell whether words can name a document: two, and one says more than a date and a kind.

    `Annual Report 2009` is what a hundred documents are called.
    """
    return len(words) >= 2 and any(
        word.isalpha() and len(word) > 2 and not names_a_kind(word) for word in words
    )


def _shortest_span(at: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    """Return the first and last index of the shortest stretch that holds each word once."""
    places = sorted((i, word) for word, indexes in at.items() for i in indexes)
    best = (places[0][0], places[-1][0])
    count: Counter[str] = Counter()
    low = 0
    for i, word in places:
        count[word] += 1
        while count[places[low][1]] > 1:
            count[places[low][1]] -= 1
            low += 1
        if len(count) == len(at) and i - places[low][0] < best[1] - best[0]:
            best = (places[low][0], i)
    return best


def _outermost(found: list[Named]) -> list[Named]:
    """Drop what lies inside a longer name of another document."""

    def inside(one: Named, other: Named) -> bool:
        longer = other.end - other.start > one.end - one.start
        return longer and other.start <= one.start and one.end <= other.end

    return [n for n in found if not any(inside(n, o) for o in found if o.document != n.document)]


def _first_of_each(found: list[Named]) -> list[Named]:
    best: dict[str, Named] = {}
    for named in sorted(found, key=lambda n: (n.start, n.end)):
        known = best.get(named.document)
        if known is None or named.certainty > known.certainty:
            best[named.document] = named
    return sorted(best.values(), key=lambda n: (n.start, n.document))
