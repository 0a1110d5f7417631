"""Which documents a question names, and how much more each is preferred for it.

1. The words of the question that stand in documents' profiles (`profiles.py`) speak for those
   documents: the fewer documents hold a word anywhere in their text, the more it says; a word of
   the path, title or metadata says more than one of the first page.
2. A year, quarter or date of the question speaks for the documents that call it their own.
3. The preference of a document is its share of the best document's weight, times how much that best
   weight says at all. It is added to the scores of passages and never hides a document: a name that
   is wrong, or fits many, moves little.

How common a word is, is counted over all documents that the labels of a view allow, so what a
reader may not see changes nothing. A question's scope (`documents=`, `View.within`) narrows what
may be named, not how rare a word is: a few documents would say little about that.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pagehop.finding.periods import Period, find_periods
from pagehop.finding.profiles import Profile
from pagehop.finding.terms import tokens

FRONT = 0.7
"""What a word of the first page says, against one of the document's own name."""
DATED = 0.7
"""What a period says, against a name."""
_HALF = 1.0
"""The weight at which half of it is believed: that of a word which a third of documents holds."""
_ALIKE = 0.8
"""A document with this share of the best preference is searched by itself, too."""
MOST_ALIKE = 12
_WORTH_SAYING = 0.5
_SHOWN = 4
"""Words of a reason, each with at least this part of the first one's weight."""


@dataclass(frozen=True)
class Route:
    """How much the documents are preferred for one question."""

    preferred: Mapping[str, float] = field(default_factory=dict)
    """0 to 1 by document id; those that nothing speaks for are not in it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """By document id: the words that speak for it, and where they stand."""

    def reason(self, document: str) -> str:
        """Say why a document is preferred to most; empty when it is not."""
        best = max(self.preferred.values(), default=0.0)
        there = self.preferred.get(document, 0.0) >= _WORTH_SAYING * best > 0
        return self.reasons[document] if there else ""

    @property
    def likely(self) -> tuple[str, ...]:
        """Ids of the documents that are preferred about as much as the best one, few or none."""
        best = max(self.preferred.values(), default=0.0)
        ids = tuple(id for id, share in self.preferred.items() if share >= _ALIKE * best)
        return ids if len(ids) <= MOST_ALIKE else ()


class Routing:
    """The profiles of some documents, to be asked which of them a question names."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._profiles = profiles
        self._own: dict[str, list[str]] = {}
        self._front: dict[str, list[str]] = {}
        self._dated: dict[int | None, dict[str, None]] = {}
        """Documents by the years of their periods, all that have any under None."""
        for id, profile in profiles.items():
            for term in profile.own:
                self._own.setdefault(term, []).append(id)
            for term in profile.front:
                self._front.setdefault(term, []).append(id)
            for period in (*profile.own_periods, *profile.front_periods):
                self._dated.setdefault(period.year, {})[id] = None
                self._dated.setdefault(None, {})[id] = None

    def route(
        self, question: str, held: Mapping[str, int], documents: Collection[str] | None = None
    ) -> Route:
        """Say which documents a question names.

        Args:
            question: Any text.
            held: In how many documents each term stands.
            documents: Ids of those that are searched; None for all.
        """
        n = len(self._profiles) if documents is None else len(documents)
        if n < 2:
            return Route()
        weight: dict[str, float] = defaultdict(float)
        said: dict[str, dict[str, float]] = {}
        periods = _asked(question)
        dated = [range(p.start, p.end) for p in find_periods(question)]
        for term, word in _terms(question, dated).items():
            own = _among(self._own.get(term, ()), documents)
            front = _among(self._front.get(term, ()), documents)
            common = min(n, max(held.get(term, 0), len(own) + len(front)))
            says = _says(n, common)
            for ids, share, shown in ((own, 1.0, word), (front, FRONT, f"{word} (first page)")):
                for id in ids if says > 0 else ():
                    weight[id] += says * share
                    said.setdefault(id, {})[shown] = says * share
        for period in periods:
            agreeing = {
                id: agreed
                for id in _among(list(self._dated.get(period.year, ())), documents)
                if (agreed := _agreement(period, self._profiles[id])) > 0
            }
            says = DATED * _says(n, len(agreeing))
            for id, agreed in agreeing.items() if says > 0 else ():
                weight[id] += says * agreed
                said.setdefault(id, {})[period.label] = says * agreed
        best = max(weight.values(), default=0.0)
        if best <= 0:
            return Route()
        believed = best / (best + _HALF)
        return Route(
            {id: round(believed * w / best, 5) for id, w in sorted(weight.items())},
            {id: _reason(words) for id, words in said.items()},
        )


def _terms(question: str, dated: Sequence[range]) -> dict[str, str]:
    """Return the terms of a question outside its periods, with the words they come from."""
    found: dict[str, str] = {}
    for start, word in _words(question):
        if not any(start in span for span in dated):
            for term in tokens(word):
                if len(term) > 1 and not term.replace(".", "").isdigit():
                    found.setdefault(term, word)
    return found


def _words(text: str) -> list[tuple[int, str]]:
    words, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        bare = word.strip("\"'.,;:?!()[]\u201c\u201d\u2018\u2019")
        words.append((at, bare.removesuffix("'s").removesuffix("\u2019s")))
        at += len(word)
    return words


def _asked(question: str) -> list[Period]:
    """Return the periods of a question; a quarter alone takes the one year that is named."""
    periods = find_periods(question)
    years = {p.year for p in periods if p.year is not None}
    quarters = [p for p in periods if p.quarter is not None and p.year is None]
    if len(years) != 1 or not quarters:
        return periods
    (year,) = years
    joined = [Period(year, p.quarter, text=f"{p.text} {year}") for p in quarters]
    return joined + [p for p in periods if p.quarter is not None and p.year is not None]


def _says(n: int, common: int) -> float:
    return max(0.0, math.log((n + 1) / (common + 0.5))) if common else 0.0


def _among(ids: Sequence[str], documents: Collection[str] | None) -> Sequence[str]:
    return ids if documents is None else [id for id in ids if id in documents]


def _agreement(asked: Period, profile: Profile) -> float:
    own = max((_same(asked, period) for period in profile.own_periods), default=0.0)
    return own or FRONT * max((_same(asked, p) for p in profile.front_periods), default=0.0)


def _same(asked: Period, own: Period) -> float:
    """Return 1 when a document's period is what is asked for, less when it only may be."""
    if asked.year is not None and own.year != asked.year:
        return 0.0
    parts = [(asked.quarter, own.quarter), (asked.month, own.month), (asked.day, own.day)]
    told = [(a, b) for a, b in parts if a is not None]
    if any(b is not None and a != b for a, b in told):
        return 0.0
    if asked.year is None and not any(a == b for a, b in told):
        return 0.0
    return 1.0 if all(b is not None for _, b in told) else 0.5


def _reason(words: Mapping[str, float]) -> str:
    """Return the words that speak for a document, the most telling first."""
    most = max(words.values())
    shown = sorted((w for w in words if words[w] >= most / _SHOWN), key=lambda w: -words[w])
    return ", ".join(shown[:_SHOWN])
