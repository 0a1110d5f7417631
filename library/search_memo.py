"""What search keeps in memory for one snapshot, which never changes; all of it bounded."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pagehop.library.bm25 import DocumentRanker, encode_terms
from pagehop.types import Region

V = TypeVar("V")

CACHED_TERMS = 30_000
"""Passages whose terms are kept: about 1 kB each."""
CACHED_RANKERS = 8
CACHED_VECTORS = 4_096
"""Vectors made during searches because ingestion has not come to them yet."""


class SearchMemo:
    """Terms, rankers of single documents, vectors made on the fly and positions of vectors."""

    def __init__(self) -> None:
        self._terms: _Kept[NDArray[np.int64]] = _Kept(CACHED_TERMS)
        self._rankers: _Kept[DocumentRanker] = _Kept(CACHED_RANKERS)
        self.vectors: _Kept[NDArray[np.float32]] = _Kept(CACHED_VECTORS)
        """By region id."""
        self._rows: tuple[dict[str, int], dict[str, NDArray[np.int64]]] | None = None

    def terms(self, passages: Iterable[Region]) -> list[NDArray[np.int64]]:
        """Return the codes of each passage's terms."""
        return [self._terms.get(p.id, partial(encode_terms, p.search_text)) for p in passages]

    def ranker(self, document: str, make: Callable[[], DocumentRanker]) -> DocumentRanker:
        """Return the ranker of one document, made when it is not kept."""
        return self._rankers.get(document, make)

    def rows(
        self, ids: Sequence[str], documents: NDArray[np.object_]
    ) -> tuple[dict[str, int], dict[str, NDArray[np.int64]]]:
        """Return the row of each region id and the rows of each document, of the vector block."""
        if self._rows is None:
            by_document: dict[str, list[int]] = {}
            for i, document in enumerate(documents.tolist()):
                by_document.setdefault(document, []).append(i)
            rows = {document: np.array(at) for document, at in by_document.items()}
            self._rows = {id: i for i, id in enumerate(ids)}, rows
        return self._rows


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
