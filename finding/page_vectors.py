"""The passages of a view's pages as vectors: which pages are like a page, and like a query.

1. Two pages are as near as the nearest of their passages.
2. A whole frontier of pages is compared in one product, and what was compared is kept: walks come
   back to pages they passed.
3. Beyond `SCAN_LIMIT` passages the index is asked, passage by passage.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pagehop.finding.corpus import CorpusView
from pagehop.finding.page_keys import PageKey
from pagehop.types import Edge

SCAN_LIMIT = 200_000
"""Passages up to which similar pages are found by an exact scan in memory."""
NEIGHBOURS = 24
"""Similar pages kept of a page, so at most so many are ever returned."""
_KEPT_PAGES = 8192
_KEPT_QUERIES = 4
"""Queries whose nearness to all pages is kept: one question is walked with from several pages."""
_SNIPPET = 90


class PageVectors:
    """The vectors of one view, page by page."""

    def __init__(self, view: CorpusView) -> None:
        """Order the view's passages by page."""
        self._view = view
        block = view.snapshot.vectors()
        documents, owners = np.unique(block.documents.astype(str), return_inverse=True)
        order = np.lexsort((block.pages, owners))  # (n_passages,)
        owners, pages = owners[order], block.pages[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (owners[1:] != owners[:-1]) | (pages[1:] != pages[:-1])
        self._starts = np.flatnonzero(first)  # (n_pages,) rows where pages begin
        self.pages: list[PageKey] = [
            (str(documents[owner]), int(page))
            for owner, page in zip(owners[self._starts], pages[self._starts], strict=True)
        ]
        self._index = {page: i for i, page in enumerate(self.pages)}
        self._hidden = np.array([page[0] not in view.names for page in self.pages], dtype=bool)
        self._order = order
        ordered = bool((order[1:] > order[:-1]).all())
        self._matrix = block.matrix if ordered else block.matrix[order]  # (n_passages, dim)
        self._near: OrderedDict[PageKey, list[tuple[PageKey, float]]] = OrderedDict()
        self._relevance: dict[bytes, dict[PageKey, float]] = {}
        """By the query's vector; replaced as a whole, as threads share it."""

    def of(self, page: PageKey) -> NDArray[np.float32]:
        """Return the vectors of a page's passages; (n, dim), none when it has no vector."""
        return self._matrix[self._rows(page)]

    def relevance(self, vector: NDArray[np.float32]) -> dict[PageKey, float]:
        """Return how near each page that has vectors is to a unit vector, 0 to 1."""
        if not len(self._starts):
            return {}
        key = vector.tobytes()
        known = self._relevance.get(key)
        if known is None:
            best = np.maximum.reduceat(self._matrix @ vector, self._starts).clip(0.0, 1.0)
            known = dict(zip(self.pages, best.tolist(), strict=True))
            last = list(self._relevance.items())[1 - _KEPT_QUERIES :]
            self._relevance = dict([*last, (key, known)])
        return known

    def likeness(self, page: PageKey, others: Sequence[PageKey]) -> list[float | None]:
        """Return how near other pages are to a page; None for those without vectors."""
        own = self.of(page)
        rows = [self.of(other) if len(own) else own for other in others]
        if not any(map(len, rows)):
            return [None] * len(others)
        near = (np.concatenate(rows) @ own.T).max(axis=1)  # (n_passages of the others,)
        ends = np.cumsum([len(vectors) for vectors in rows])
        parts = np.split(near, ends[:-1])
        return [float(part.max()) if len(part) else None for part in parts]

    def nearest(self, page: PageKey) -> list[tuple[PageKey, float]]:
        """Return the pages nearest to a page, the nearest first, with their cosine."""
        self.compare([page])
        return self._near.get(page, [])

    def compare(self, pages: Collection[PageKey]) -> None:
        """Find the neighbours of several pages at once; `nearest` has them then."""
        fresh = [page for page in pages if page not in self._near and page in self._index]
        if fresh and len(self._matrix) > SCAN_LIMIT:
            for page in fresh:
                self._near[page] = self._indexed(page)
        elif fresh:
            self._near.update(zip(fresh, self._scanned(fresh), strict=True))
        for page in pages:
            if page in self._near:
                self._near.move_to_end(page)
        while len(self._near) > max(_KEPT_PAGES, len(pages)):
            self._near.popitem(last=False)

    def explained(self, edges: Sequence[Edge]) -> Iterator[Edge]:
        """Give edges between similar pages the two passages that are nearest, in one reading."""
        ids = self._view.snapshot.vectors().ids
        pairs = []
        for edge in edges:
            here, there = (
                (self._view.document(end.name).id, end.page) for end in (edge.source, edge.target)
            )
            one, other = self.of(here), self.of(there)
            i, j = np.unravel_index((one @ other.T).argmax(), (len(one), len(other)))
            rows = self._rows(here).start + i, self._rows(there).start + j
            pairs.append(tuple(ids[self._order[row]] for row in rows))
        texts = self._view.snapshot.regions_by_id([id for pair in pairs for id in pair])
        for edge, (first, second) in zip(edges, pairs, strict=True):
            words = f'"{_snippet(texts[first].text)}" ~ "{_snippet(texts[second].text)}"'
            yield replace(edge, words=words)

    def _rows(self, page: PageKey) -> slice:
        i = self._index.get(page)
        if i is None:
            return slice(0, 0)
        end = self._starts[i + 1] if i + 1 < len(self._starts) else len(self._matrix)
        return slice(int(self._starts[i]), int(end))

    def _scanned(self, pages: Sequence[PageKey]) -> Iterator[list[tuple[PageKey, float]]]:
        """Compare pages with all passages, in one product."""
        own = [self.of(page) for page in pages]
        ends = np.cumsum([len(rows) for rows in own])
        near = np.concatenate(own) @ self._matrix.T  # (n_own, n_passages)
        for page, rows in zip(pages, np.split(near, ends[:-1]), strict=True):
            best = np.maximum.reduceat(rows.max(axis=0), self._starts)  # (n_pages,)
            best[self._hidden] = -1.0
            best[self._index[page]] = -1.0
            most = min(NEIGHBOURS, len(best))
            found = np.argpartition(-best, most - 1)[:most]
            found = found[np.lexsort((found, -best[found]))]
            yield [(self.pages[i], float(best[i])) for i in found if best[i] > 0.0]

    def _indexed(self, page: PageKey) -> list[tuple[PageKey, float]]:
        """Ask the index for the neighbours of each passage."""
        best: dict[PageKey, float] = {}
        for vector in self.of(page):
            for match in self._view.snapshot.nearest(vector, limit=20 * NEIGHBOURS):
                key = (match.document, match.page)
                if key != page and key[0] in self._view.names and match.score > 0.0:
                    best[key] = max(best.get(key, 0.0), match.score)
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:NEIGHBOURS]


def _snippet(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SNIPPET else flat[:_SNIPPET].rsplit(" ", 1)[0] + " ..."
