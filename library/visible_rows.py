"""The rows of one library version in the partitions that are visible: nothing else is ever opened.

A document that stands in several visible partitions is shown once, from the first of them; the rows
of its doubles are left out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from pagehop.library.manifest import Partition
from pagehop.library.tables import REGIONS, SCHEMAS, StoredDocument, to_documents

if TYPE_CHECKING:
    from pagehop.library.store import Store

T = TypeVar("T")
TableRow = tuple[str, int]
"""(partition, number of a row, which stands for it in one version of a table)"""
SHOWN = {"regions": [name for name in REGIONS.names if name != "terms"]}
"""Columns worth reading, where that is not all of them."""


class VisibleRows:
    """Tables of the visible partitions, as one version has them."""

    def __init__(self, store: "Store", partitions: Mapping[str, Partition]) -> None:
        """Open nothing yet."""
        self._store = store
        self.partitions = partitions

    @cached_property
    def records(self) -> dict[str, tuple[StoredDocument, str]]:
        """Every visible document, first added first, with the partition it is read from."""
        found: dict[str, tuple[StoredDocument, str]] = {}
        rows = [(document, key) for key in self.partitions for document in self._stored(key)]
        for document, key in sorted(rows, key=lambda row: (row[0].added, row[0].id, row[1])):
            if document.id in found:
                first, home = found[document.id]
                found[document.id] = (
                    replace(first, sources=first.sources + document.sources),
                    home,
                )
            else:
                found[document.id] = (document, key)
        return found

    def _stored(self, key: str) -> list[StoredDocument]:
        def make() -> list[StoredDocument]:
            rows = self.rows(key, "documents")
            with self._store.reading(key, "documents"):
                return to_documents(rows)

        version = self.partitions[key].tables.get("documents")
        return self._store.memo(("documents", key, version), make)

    def full_text(
        self,
        table: str,
        column: str,
        words: str | Iterable[str],
        limit: int,
        where: str,
        columns: list[str],
    ) -> pa.Table | None:
        """Return rows that hold any of the words, the best `limit` of each partition, best first.

        None when there is nothing to search, or no words.
        """
        found = [
            self.own(key, rows)
            for key, rows in self._full_text(table, column, words, limit, where, columns)
        ]
        if not found:
            return None
        order = [("_score", "descending"), ("document", "ascending"), ("page", "ascending")]
        return pa.concat_tables(found).sort_by(order)

    def full_text_rows(
        self, table: str, column: str, words: str | Iterable[str], limit: int, where: str
    ) -> dict[TableRow, float]:
        """Return the scores of such rows, doubles among them; no columns are read."""
        found: dict[TableRow, float] = {}
        for key, rows in self._full_text(table, column, words, limit, where, []):
            numbers, scores = rows["_rowid"].to_pylist(), rows["_score"].to_pylist()
            found |= {(key, row): score for row, score in zip(numbers, scores, strict=True)}
        return found

    def _full_text(
        self,
        table: str,
        column: str,
        words: str | Iterable[str],
        limit: int,
        where: str,
        columns: list[str],
    ) -> Iterator[tuple[str, pa.Table]]:
        text = words if isinstance(words, str) else " ".join(words)
        for key in self.partitions if text.strip() else ():
            opened = self.open(key, table)
            if opened is None:
                continue
            query = opened.search(text, query_type="fts", fts_columns=column).limit(limit)
            query = query.where(where, prefilter=True) if where else query
            # with numbers of rows asked for, lancedb does not ask for the schema twice
            with self._store.reading(key, table):
                rows = query.select([*columns, "_score"]).with_row_id(True).to_arrow()
            yield key, rows

    def home(self, document_id: str) -> str:
        """Return the partition that a document is read from; empty when it is not visible."""
        record = self.records.get(document_id)
        return record[1] if record else ""

    @cached_property
    def _doubles(self) -> Mapping[str, list[str]]:
        """Documents each partition holds that are shown from another one."""
        doubles: dict[str, list[str]] = {}
        if len(self.partitions) > 1:
            for key in self.partitions:
                ids = (document.id for document in self._stored(key))
                doubles[key] = [id for id in ids if self.home(id) != key]
        return doubles

    def own(self, key: str, rows: pa.Table) -> pa.Table:
        """Leave out rows of documents that are read from another partition."""
        doubles = self._doubles.get(key)
        if not doubles or not rows.num_columns:
            return rows
        return rows.filter(pc.invert(pc.is_in(rows["document"], pa.array(doubles))))

    def open(self, key: str, table: str) -> Any:
        """Return a table of a partition; None when it has none."""
        version = self.partitions[key].tables.get(table)
        return None if version is None else self._store.at(key, table, version)

    def rows(
        self, key: str, table: str, where: str = "", columns: Collection[str] | None = None
    ) -> pa.Table:
        """Read rows of a partition's table, doubles among them; no table reads as an empty one."""
        version = self.partitions[key].tables.get(table)
        if version is None:
            return SCHEMAS[table].empty_table() if table in SCHEMAS else pa.table({})
        columns = SHOWN.get(table) if columns is None else columns
        return self._store.rows(key, table, version, where=where, columns=columns)

    def own_rows(
        self, key: str, table: str, where: str = "", columns: Collection[str] | None = None
    ) -> pa.Table:
        """Read rows of a partition's table, doubles left out."""
        return self.own(key, self.rows(key, table, where, columns))

    def kept(self, what: str, key: str, table: str, make: Callable[[], T]) -> T:
        """Return what was made of a table's own rows, in memory as long as neither changes."""
        doubles = tuple(self._doubles.get(key, ()))
        version = self.partitions[key].tables.get(table)
        return self._store.memo((what, key, version, doubles), make)
