"""Where the pages of one document refer to: its anchors, joined by their keys.

1. A link leads to a page of the file; one that is repeated on many pages is navigation.
2. `see Note 8` leads to where note 8 is defined, by the outline or on the page itself; with
   several such places each weighs less. A key that is not defined is shortened: `part:ii/item:7`
   to `item:7`, `section:4.2` to `section:4`.
3. `page 41` leads to the page that bears this number, else to page 41 of the file.
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
_NAVIGATION_WEIGHT = 0.3
_NAVIGATION_PAGES = 5
"""A link that stands on so many pages (`Table of Contents` in each header) tells nothing."""
_MOST_DEFINITIONS = 3
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
        """Yield the pages of this document that a reference means, also one from another."""
        kind, _, number = anchor.key.partition(":")
        targets, certainty = self._definitions(anchor.key)
        weight = _REFERENCE_WEIGHT * certainty / max(len(targets), 1)
        for target in targets:
            yield Lead(target.page, weight, f"{anchor.words} -> {target.words}")
        guessed = kind == "page" and not targets and number.isdigit()
        if guessed and 1 <= int(number) <= self._pages:
            words = f"{anchor.words} (page of the file)"
            yield Lead(int(number), _GUESSED_PAGE_WEIGHT, words)

    def refers(self, page: int) -> list[Anchor]:
        """Return what a page refers to, links left out."""
        return [a for a in self._refers.get(page, ()) if not a.key.startswith("link:")]

    def _link(self, anchor: Anchor, page: int) -> Iterator[Lead]:
        navigation = self._links[anchor.key, anchor.words] >= _NAVIGATION_PAGES
        words = f"link: {anchor.words}" if anchor.words else "link"
        if 1 <= page <= self._pages:
            yield Lead(page, _NAVIGATION_WEIGHT if navigation else _LINK_WEIGHT, words)

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
                return [first[page] for page in sorted(first)][:_MOST_DEFINITIONS], certainty
            if key.startswith("part:") and "/" in key:
                key = key.partition("/")[2]
            else:
                shorter = re.sub(r"(?<=\d)(?:[.\-]\d+|[a-z])$", "", key)
                key = shorter if shorter != key and not key.startswith("page:") else ""
            certainty /= 2
        return [], 0.0
