"""What search keeps in memory for one snapshot, which never changes; all of it bounded."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pagehop.finding.bm25 import DocumentRanker, encode_terms
from pagehop.finding.corpus import VectorBlock
from pagehop.types import Region

V = TypeVar("V")

CACHED_TERMS = 30_000
"""Passages whose terms are kept: about 1 kB each."""
NEIGHBOURS = 0.4
"""Weight of a passage's neighbours; 0 to .5 differ by 1 or 2 points of recall at 5 either way."""
CACHED_RANKERS = 8
CACHED_TOKEN_VECTORS = 512
"""Passages whose token vectors are kept: about 100 kB each."""
CACHED_VECTORS = 4_096
"""Vectors made during searches because ingestion has not come to them yet."""


class SearchMemo:
    """Terms, rankers of single documents, vectors made on the fly and positions of vectors."""

    def __init__(self) -> None:
        self._terms: _Kept[NDArray[np.int64]] = _Kept(CACHED_TERMS)
        self._rankers: _Kept[DocumentRanker] = _Kept(CACHED_RANKERS)
        self.vectors: _Kept[NDArray[np.float32]] = _Kept(CACHED_VECTORS)
        """By region id; (2, dim): whole, own."""
        self.token_vectors: _Kept[NDArray[np.float16]] = _Kept(CACHED_TOKEN_VECTORS)
        """By region id; (n_tokens, dim)."""
        self._rows: VectorRows | None = None

    def terms(self, passages: Iterable[Region]) -> list[NDArray[np.int64]]:
        """Return the codes of each passage's terms."""
        return [self._terms.get(p.id, partial(encode_terms, p.search_text)) for p in passages]

    def ranker(self, document: str, make: Callable[[], DocumentRanker]) -> DocumentRanker:
        """Return the ranker of one document, made when it is not kept."""
        return self._rankers.get(document, make)

    def rows(self, block: VectorBlock) -> "VectorRows":
        """Return where things are in the snapshot's vectors."""
        if self._rows is None:
            self._rows = VectorRows(block)
        return self._rows


class VectorRows:
    """Positions in a vector block, and how long each passage's vector is with its neighbours."""

    def __init__(self, block: VectorBlock) -> None:
        """Sort the passages of each page into reading order, which ends their ids."""
        n = len(block.ids)
        self.of_region = {id: i for i, id in enumerate(block.ids)}
        _, codes = np.unique(block.documents.astype(str), return_inverse=True)
        order = np.array([int(id.rpartition("-")[2]) for id in block.ids], np.int64)
        reading = np.lexsort((order, block.pages, codes))  # (n,) rows in reading order
        first, second = reading[:-1], reading[1:]
        near = (codes[first] == codes[second]) & (block.pages[first] == block.pages[second])
        self.before = np.full(n, n)
        """(n,) row of the passage before it on its page; n when it is the first."""
        self.before[second[near]] = first[near]
        self.after = np.full(n, n)
        """(n,) row of the passage after it."""
        self.after[first[near]] = second[near]
        bounds = np.flatnonzero(np.diff(codes[reading])) + 1
        self.of_document = {
            str(block.documents[rows[0]]): np.sort(rows)
            for rows in np.split(reading, bounds)
            if len(rows)
        }
        self._lengths = np.empty(n, np.float32)
        for start in range(0, n, 8192):
            rows = np.arange(start, min(start + 8192, n))
            sums = block.matrix[rows].copy()
            for side in (self.before, self.after):
                there = side[rows] < n
                sums[there] += NEIGHBOURS * block.matrix[side[rows][there]]
            self._lengths[rows] = np.linalg.norm(sums, axis=1)

    def reach(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return these rows and those of their neighbours."""
        near = np.concatenate([rows, self.before[rows], self.after[rows]])
        return np.unique(near[near < len(self.before)])

    def in_context(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return cosines (n,) to passages read with their neighbours, from those without.

        A passage's vector in context is its own and `NEIGHBOURS` times those of the passages
        before and after it on its page, of unit length again: a table row or short paragraph
        that matches counts more when what stands around it does too.
        """
        padded = np.append(cosines, np.float32(0))
        near = padded[self.before] + padded[self.after]
        return np.asarray((cosines + NEIGHBOURS * near) / self._lengths, np.float32)


class _Kept(Generic[V]):
    """The values asked for last; safe for several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, V] = OrderedDict()
        self._lock = Lock()

    def find(self, key: str) -> V | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def get(self, key: str, make: Callable[[], V]) -> V:
        value = self.find(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value

    def put(self, key: str, value: V) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
