"""Where the pages of one document refer to: its anchors, joined by their keys.

1. A link leads to a page of the file; one that is repeated on many pages is navigation, which
   tells nothing and is left out.
2. `see Note 8` leads to where note 8 is defined, by the outline or on the page itself. Of several
   such places the one whose title the reference quotes is meant, else the nearest one, which then
   weighs less. A key that is not defined is shortened: `part:ii/item:7` to `item:7`, `section:4.2`
   to `section:4`.
3. `[12]` leads to the entry of the list of references; a row of an exhibit index to the exhibit.
4. `page 41` leads to the page that bears this number, else to page 41 of the file.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pagehop.reading.anchors import Anchor, outline_definitions
from pagehop.types import Document

IDENTIFIERS = ("doi", "arxiv")
"""Kinds of keys that name whole documents: other ones, mostly."""
_LINK_WEIGHT = 1.0
_REFERENCE_WEIGHT = 0.9
_GUESSED_PAGE_WEIGHT = 0.5
_ENTRY_WEIGHT = 0.6
"""A list of references says less than what a text refers to by name."""
_NAVIGATION_PAGES = 5
"""A link that stands on so many pages (`Table of Contents` in each header) tells nothing."""
_SHORTENED = ("part", "section", "item", "note", "appendix", "chapter")
"""Kinds whose parts stand within the whole: Table 2.1 is no part of Table 2."""
_POINTS = re.compile(r"(?:see|refer|on|in|cf)\b|.*\b(?:in|on)\s+pages?\b", re.IGNORECASE)
"""What stands before a page of this file; other numbers of pages may be those of a cited work."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_OTHER_TEXT = re.compile(
    r"\bof\s+(?!this\b|these\b|the\s+(?:notes|consolidated|accompanying)\b)", re.I
)
"""`Item 7 of the 2021 Form`: perhaps a number of another text."""


@dataclass(frozen=True)
class Lead:
    """A page that another one refers to."""

    page: int
    weight: float
    """0 to 1."""
    words: str
    """What refers, and what it refers to."""


class References:
    """The references of one document, by page."""

    def __init__(self, document: Document, anchors: Iterable[Anchor]) -> None:
        """Join the document's anchors and its outline."""
        self._pages = document.pages
        self._refers: dict[int, list[Anchor]] = {}
        self._defines: dict[str, list[Anchor]] = {}
        self._links: Counter[tuple[str, str]] = Counter()
        for anchor in (*outline_definitions(document.id, document.outline), *anchors):
            if anchor.role == "defines":
                self._defines.setdefault(anchor.key, []).append(anchor)
            elif anchor.role == "refers":
                self._refers.setdefault(anchor.page, []).append(anchor)
                self._links[anchor.key, anchor.words] += 1

    def leads(self, page: int) -> Iterator[Lead]:
        """Yield where a page refers to; a target may come several times, and may be the page."""
        for anchor in self._refers.get(page, ()):
            kind, _, number = anchor.key.partition(":")
            if kind == "link":
                yield from self._link(anchor, int(number))
                continue
            if kind in IDENTIFIERS:
                continue
            other = 0.5 if _OTHER_TEXT.search(anchor.words) else 1.0
            for lead in self.resolve(anchor):
                yield Lead(lead.page, lead.weight * other, lead.words)

    def resolve(self, anchor: Anchor) -> Iterator[Lead]:
        """Yield the page of this document that a reference means, also one from another."""
        kind, _, number = anchor.key.partition(":")
        targets, certainty = self._definitions(anchor.key)
        if targets:
            target, share = _meant(anchor, targets)
            known = _ENTRY_WEIGHT if kind == "entry" else _REFERENCE_WEIGHT
            said = f"{anchor.words} -> {target.words}"
            yield Lead(target.page, round(known * certainty * share, 4), said)
        elif kind == "page" and number.isdigit() and 1 <= int(number) <= self._pages:
            if not _POINTS.match(anchor.words):
                return
            words = f"{anchor.words} (page of the file)"
            yield Lead(int(number), _GUESSED_PAGE_WEIGHT, words)

    def refers(self, page: int) -> list[Anchor]:
        """Return what a page refers to, links left out."""
        return [a for a in self._refers.get(page, ()) if not a.key.startswith("link:")]

    def _link(self, anchor: Anchor, page: int) -> Iterator[Lead]:
        navigation = self._links[anchor.key, anchor.words] >= _NAVIGATION_PAGES
        words = f"link: {anchor.words}" if anchor.words else "link"
        if 1 <= page <= self._pages and not navigation:
            yield Lead(page, _LINK_WEIGHT, words)

    def _definitions(self, key: str) -> tuple[list[Anchor], float]:
        """Find where a key is defined: itself, else without its part or its last sub-number.

        Returns:
            The definitions, and how sure they are the ones meant, halved at each shortening.
        """
        certainty = 1.0
        while key:
            found = self._defines.get(key, [])
            fresh = [a for a in found if "continued" not in a.words.casefold()] or found
            # A heading repeated on the following pages is one definition.
            pages = {anchor.page for anchor in fresh}
            first = {a.page: a for a in reversed(fresh) if a.page - 1 not in pages}
            if first:
                return [first[page] for page in sorted(first)], certainty
            if key.startswith("part:") and "/" in key:
                key = key.partition("/")[2]
            else:
                shorter = re.sub(r"(?<=\d)(?:[.\-]\d+|[a-z])$", "", key)
                key = shorter if shorter != key and key.startswith(_SHORTENED) else ""
            certainty /= 2
        return [], 0.0


def _meant(anchor: Anchor, targets: list[Anchor]) -> tuple[Anchor, float]:
    """Return the definition that a reference means, and how sure that is, 0 to 1."""
    if len(targets) == 1:
        return targets[0], 1.0
    said = set(map(str.casefold, _WORD.findall(anchor.words)))
    alike = [len(said & set(map(str.casefold, _WORD.findall(t.words)))) for t in targets]
    # The word of the kind itself (`Item`) stands in all of them.
    if max(alike) > min(alike) and alike.count(max(alike)) == 1:
        return targets[alike.index(max(alike))], 0.9
    nearest = min(targets, key=lambda t: (abs(t.page - anchor.page), t.page))
    return nearest, 0.5
