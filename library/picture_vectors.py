"""The vectors of page pictures: their table's columns, and what one snapshot sees of them.

1. One table an encoder in each partition; a row a page, with all its vectors as 16-bit floats. A
   page that could not be rendered has a row without vectors.
2. A search compares codes (`page_codes.py`); where more than `SCANNED` vectors of a partition are
   in its scope, the table's index chooses pages to compare.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pagehop.finding.coded_pages import PagePlace
from pagehop.library.matches import where_clause
from pagehop.library.page_codes import codes_path, read_codes
from pagehop.library.tables import PAGE_VECTORS, page_vector_schema
from pagehop.models.maxsim import Codes, Vectors, to_codes

if TYPE_CHECKING:
    from pagehop.library.store import Store

SCANNED = 16_000_000
"""Most vectors of a partition searched without an index: 20,000 pages of 700 are 14 million."""
COUNTED = ("document", "page", "count")


def page_vector_rows(
    document: str, pages: Sequence[int], vectors: Sequence[NDArray[np.float32]], dim: int
) -> pa.Table:
    """Return rows of a table of page vectors.

    Args:
        document: Id.
        pages: Their numbers.
        vectors: (n, dim) of each page, of unit length; n may be 0.
        dim: Length of a vector.
    """
    counts = [len(rows) for rows in vectors]
    flat = np.concatenate([np.zeros((0, dim), np.float32), *vectors]).astype(np.float16)
    values = pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), dim)
    offsets = np.cumsum([0, *counts]).astype(np.int32)
    columns = [
        pa.array([document] * len(pages)),
        pa.array(pages, pa.int32()),
        pa.array(counts, pa.int32()),
        pa.ListArray.from_arrays(pa.array(offsets), values),
    ]
    return pa.table(columns, schema=page_vector_schema(dim))


def to_page_vectors(rows: pa.Table) -> dict[PagePlace, Vectors]:
    """Read rows of such a table, as float32."""
    bounds = np.cumsum(rows["count"].to_numpy())[:-1]
    each = np.split(_flat(rows).astype(np.float32), bounds) if rows.num_rows else []
    places = zip(rows["document"].to_pylist(), rows["page"].to_pylist(), strict=True)
    return dict(zip(places, each, strict=True))


class PictureVectors:
    """The page vectors of one encoder that a snapshot sees."""

    def __init__(
        self,
        store: "Store",
        encoder: str,
        tables: Mapping[str, int],
        documents: Mapping[str, tuple[str, int]],
    ) -> None:
        """Read nothing yet.

        Args:
            store: Tables of the library.
            encoder: Id of the encoder.
            tables: Version of the encoder's table in each visible partition that has one.
            documents: Partition and number of pages of each visible document, by id.
        """
        self._store = store
        self._encoder = encoder
        self._tables = tables
        self._documents = documents
        self._mapped: dict[str, Codes] = {}

    @cached_property
    def _counts(self) -> dict[str, dict[int, int]]:
        """Number of vectors of each page of each visible document."""
        found: dict[str, dict[int, int]] = {}
        for partition, version in self._tables.items():
            rows = self._store.memo(
                ("page_counts", self._encoder, partition, version),
                partial(self._read, partition, columns=COUNTED),
            )
            columns = (rows[name].to_pylist() for name in COUNTED)
            for document, page, count in zip(*columns, strict=True):
                if self._documents.get(document, ("", 0))[0] == partition:
                    found.setdefault(document, {})[page] = count
        return found

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Number of vectors of each document."""
        return {id: sum(pages.values()) for id, pages in self._counts.items()}

    @property
    def encoded(self) -> int:
        """Number of visible pages that have been at the encoder."""
        return sum(map(len, self._counts.values()))

    def in_scope(self, documents: Collection[str] | None) -> tuple[list[str], list[str]]:
        """Return ids of documents to scan, and partitions to ask by their index.

        Args:
            documents: Ids; None for all.
        """
        by_partition: dict[str, list[str]] = {}
        for document in self._counts:
            if documents is None or document in documents:
                by_partition.setdefault(self._documents[document][0], []).append(document)
        scanned, asked = [], []
        for partition, ids in by_partition.items():
            if sum(self._sizes[id] for id in ids) > SCANNED:
                asked.append(partition)
            else:
                scanned += ids
        return scanned, asked

    def codes(self, document: str) -> Codes:
        """Return the codes of a document's encoded pages, those of whole ones from their files."""
        if document in self._mapped:
            return self._mapped[document]
        partition, pages = self._documents[document]
        if len(self._counts[document]) == pages:
            found = read_codes(codes_path(self._store.folder, self._encoder, document))
            if found is not None and len(found.pages) == pages:
                self._mapped[document] = found
                return found
        return self._store.memo(
            ("page_codes", self._encoder, partition, self._tables[partition], document),
            lambda: make_codes(
                self._read(partition, where_clause(documents=(document,))), leads=False
            ),
        )

    def nearest(
        self,
        query: Vectors,
        partition: str,
        *,
        limit: int,
        documents: Collection[str] | None,
        pages: Collection[int] | None,
    ) -> list[PagePlace]:
        """Return the pages that the index of a partition's table holds for the nearest."""
        where = where_clause(documents=documents, pages=pages)
        asked = self._open(partition).search(query, vector_column_name="vectors")
        asked = asked.distance_type("cosine").limit(limit)
        asked = asked.where(where, prefilter=True) if where else asked
        rows = asked.select(["document", "page", "_distance"]).to_arrow()
        places = zip(rows["document"].to_pylist(), rows["page"].to_pylist(), strict=True)
        return [
            (id, page)
            for id, page in places
            if page in self._counts.get(id, {}) and self._documents[id][0] == partition
        ]

    def _open(self, partition: str) -> Any:
        return self._store.at(partition, PAGE_VECTORS + self._encoder, self._tables[partition])

    def _read(
        self,
        partition: str,
        where: str = "",
        columns: Sequence[str] = ("document", "page", "count", "vectors"),
    ) -> pa.Table:
        query = self._open(partition).search().select(list(columns))
        return (query.where(where) if where else query).to_arrow()


def make_codes(rows: pa.Table, *, leads: bool = True) -> Codes:
    """Make the codes of a document's rows, with leads chosen or not, which takes longer."""
    rows = rows.sort_by("page")
    pages, counts = rows["page"].to_numpy(), rows["count"].to_numpy()
    return to_codes(pages, counts, _flat(rows), leads=leads)


def _flat(rows: pa.Table) -> NDArray[np.float16]:
    """Return all vectors (n, dim) float16, in the order of the rows."""
    dim = rows.schema.field("vectors").type.value_type.list_size
    flat = pc.list_flatten(pc.list_flatten(rows["vectors"])).to_numpy().reshape(-1, dim)
    return np.asarray(flat, np.float16)
