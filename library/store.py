"""The LanceDB tables of a library: the only module that imports lancedb.

1. Readers open a table at the version their manifest names, whatever was written since.
2. A `Commit` gathers writes to several tables; they become visible when `finish` replaces the
   manifest. What a killed writer left behind is undone by `recover` before the next write.
3. New rows are searchable at once; `tidy` indexes and compacts them, which is a commit too.

Not covered: object stores, and more than one writer (see `writer.py`).
"""

import shutil
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyarrow as pa
import pyarrow.compute as pc

from pagehop.errors import LibraryError
from pagehop.finding.profiles import Profile
from pagehop.library import picture_vectors
from pagehop.library.disk import reading, writing
from pagehop.library.manifest import (
    Manifest,
    Partition,
    history,
    partition_key,
    prune_history,
    write_manifest,
)
from pagehop.library.snapshot import Snapshot as Snapshot
from pagehop.library.tables import INDEXES, PAGE_VECTORS, SCHEMAS, VECTORS, has_columns

if TYPE_CHECKING:
    from lancedb.table import Table

KEPT = timedelta(days=7)
"""Older versions of tables, and with them of the library, are removed by `tidy`."""
T = TypeVar("T")
OPEN_TABLES = 64
MEMOS = 32
"""Documents and word counts of partitions kept in memory, over all versions in use."""
INDEX_CACHE_BYTES = 256 << 20
METADATA_CACHE_BYTES = 64 << 20
ANN_FROM = 200_000
"""Vectors in one table from which an approximate index pays; a scan is exact and faster below."""


class Store:
    """Opens, writes and repairs the tables under one library folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._databases: dict[str, Any] = {}
        self._session: Any = None
        self._pinned: OrderedDict[tuple[str, str, int], Table] = OrderedDict()
        self._current: set[tuple[str, str, int]] = set()
        """Table versions that were seen to have the columns of this release."""
        self._latest: dict[tuple[str, str], Table] = {}
        self._memo: OrderedDict[Hashable, object] = OrderedDict()
        self.profiles: dict[Hashable, Profile] = {}
        """Of `Snapshot` alone: what documents say of themselves, a few kB each."""
        self._lock = RLock()

    def at(self, key: str, table: str, version: int, *, any_columns: bool = False) -> "Table":
        """Open a table as it was at a version; the handle is shared and must not be written.

        Args:
            key: Of the partition.
            table: Its name.
            version: As a manifest names it.
            any_columns: Also when they are those of another release.

        Raises:
            LibraryError: That version is no longer on disk, or an older pagehop wrote it.
        """
        with self._lock:
            found = self._pinned.get((key, table, version))
            if found is None:
                with self.reading(key, table):
                    found = self._database(key).open_table(table)
                    found.checkout(version)
                self._pinned[key, table, version] = found
                if len(self._pinned) > OPEN_TABLES:
                    self._pinned.popitem(last=False)
            self._pinned.move_to_end((key, table, version))
        if not any_columns and (key, table, version) not in self._current:
            # A version never changes, and asking for its columns takes as long as a small query.
            if not has_columns(table, found.schema):
                raise outdated(self.folder)
            self._current.add((key, table, version))
        return found

    def reading(self, key: str, table: str) -> AbstractContextManager[None]:
        """Turn a read that fails on damaged files into a clear error."""
        return reading(self.folder, f"table {key}/{table}")

    def rows(
        self,
        key: str,
        table: str,
        version: int,
        *,
        where: str = "",
        columns: Collection[str] | None = None,
        any_columns: bool = False,
    ) -> pa.Table:
        """Read rows of a table as it was at a version.

        Args:
            key: Of the partition.
            table: Its name.
            version: As a manifest names it.
            where: A condition in SQL; empty for all rows.
            columns: None for all.
            any_columns: Also when they are those of another release.

        Raises:
            LibraryError: Its files are damaged or gone, or an older pagehop wrote it.
        """
        opened = self.at(key, table, version, any_columns=any_columns)
        with self.reading(key, table):
            query = opened.search()
            query = query.where(where) if where else query
            return (query if columns is None else query.select(list(columns))).to_arrow()

    def count(self, key: str, table: str, version: int) -> int:
        """Return how many rows a table had at a version.

        Raises:
            LibraryError: Its files are damaged or gone, or an older pagehop wrote it.
        """
        opened = self.at(key, table, version)
        with self.reading(key, table):
            return int(opened.count_rows())

    def is_current(self, key: str, table: str, version: int) -> bool:
        """Say whether a table has the columns of this release; damage says nothing of its age."""
        try:
            return has_columns(table, self.at(key, table, version, any_columns=True).schema)
        except LibraryError:
            return True

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key that names a table version, or make it."""
        with self._lock:
            if key in self._memo:
                self._memo.move_to_end(key)
                return cast(T, self._memo[key])  # one kind of key is made by one caller
        made = make()
        with self._lock:
            self._memo[key] = made
            while len(self._memo) > MEMOS:
                self._memo.popitem(last=False)
        return made

    def latest(self, key: str, table: str) -> "Table":
        """Open a table for writing."""
        with self._lock:
            if (key, table) not in self._latest:
                self._latest[key, table] = self._database(key).open_table(table)
            return self._latest[key, table]

    def create(self, key: str, table: str, schema: pa.Schema) -> "Table":
        """Create an empty table with its indexes; one of an older release becomes its history."""
        old = (self.folder / "tables" / key / f"{table}.lance").exists()
        with self._lock:
            mode = "overwrite" if old else "create"  # Lance warns of nothing to overwrite
            made = self._database(key).create_table(table, schema=schema, mode=mode)
            self._latest[key, table] = made
        for column, kind in INDEXES.get(table, ()):
            if kind != "btree":
                made.create_index(column, config=_index(kind))
        return made

    def recover(self, manifest: Manifest) -> None:
        """Undo what was written after the last commit; call before the first write."""
        root = self.folder / "tables"
        stale = [path for path in _children(root) if path.name not in manifest.partitions]
        for key, partition in manifest.partitions.items():
            stale += [p for p in _children(root / key) if p.stem not in partition.tables]
        self.close()  # a table made anew counts its versions from 1 again
        with writing(self.folder):
            for path in stale:
                shutil.rmtree(path)
        for key, partition in manifest.partitions.items():
            for name, version in partition.tables.items():
                self._rewind(key, name, version)

    def _rewind(self, key: str, name: str, version: int) -> None:
        with self.reading(key, name):
            table = self.latest(key, name)
            if table.version == version:
                return
            with writing(self.folder):
                table.checkout(version)
                table.restore()

    def _database(self, key: str) -> Any:
        if key not in self._databases:
            import lancedb  # noqa: PLC0415 - takes 0.5 s; nothing else of a library needs it

            if self._session is None:
                # Lance's own limits are 6 GB and 1 GB.
                self._session = lancedb.Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES)
            path = self.folder / "tables" / key
            self._databases[key] = lancedb.connect(path, session=self._session)
        return self._databases[key]

    def close(self) -> None:
        """Let go of all open tables."""
        with self._lock:
            self._memo.clear()
            self._pinned.clear()
            self._current.clear()
            self._latest.clear()
            self._databases.clear()
            self._session = None


class Commit:
    """Writes to several tables that become visible together."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self.manifest = manifest
        """The last commit this one builds on."""
        self._partitions = dict(manifest.partitions)
        self._touched: set[tuple[str, str]] = set()

    def tables(self, key: str) -> Mapping[str, int]:
        """Return the tables of a partition, with their versions at the last commit."""
        return self._partitions[key].tables if key in self._partitions else {}

    def append(self, labels: Iterable[str], table: str, rows: pa.Table) -> None:
        """Add rows to a table of the partition with exactly these labels, made when missing.

        Raises:
            LibraryError: The folder is read-only or the disk is full.
        """
        with writing(self._store.folder):
            key = self._open(frozenset(labels), table, rows.schema)
            if rows.num_rows:
                self._store.latest(key, table).add(rows)
            self._touched.add((key, table))

    def delete(
        self, key: str, table: str, documents: Iterable[str], column: str = "document"
    ) -> None:
        """Remove the rows of these documents from a table, if the partition has that table."""
        ids = ", ".join(f"'{document}'" for document in documents)
        if ids and table in self._partitions[key].tables:
            with writing(self._store.folder):
                self._store.latest(key, table).delete(f"{column} IN ({ids})")
                self._touched.add((key, table))

    def tidy(self, tables: Iterable[str] | None = None) -> None:
        """Index new rows and compact small files of these tables, or of all."""
        wanted = None if tables is None else set(tables)
        for key, partition in self._partitions.items():
            for name in partition.tables:
                if wanted is None or name in wanted:
                    with writing(self._store.folder):
                        self._tidy_table(key, name)

    def _tidy_table(self, key: str, name: str) -> None:
        table = self._store.latest(key, name)
        present = {index.columns[0] for index in table.list_indices()}
        for column, kind in INDEXES.get(name, ()):
            if kind == "btree" and column not in present and table.count_rows():
                table.create_index(column, config=_index(kind))
        if name.startswith(VECTORS) and "vector" not in present and table.count_rows() > ANN_FROM:
            table.create_index("vector", config=_index("vector"))
        if name.startswith(PAGE_VECTORS) and "vectors" not in present and _has_many(table):
            table.create_index("vectors", config=_index("vector"))
        table.optimize(cleanup_older_than=KEPT)
        self._touched.add((key, name))

    def reindex(self, key: str, name: str, column: str) -> None:
        """Make an index again whose files are damaged."""
        table = self._store.latest(key, name)
        with writing(self._store.folder):
            for index in table.list_indices():
                if index.columns == [column]:
                    table.drop_index(index.name)
            kinds = dict(INDEXES.get(name, ()))
            table.create_index(column, config=_index(kinds.get(column, "vector")))
            self._touched.add((key, name))

    def finish(self, **changes: Any) -> Manifest:
        """Make everything visible.

        Args:
            changes: Fields of the manifest to replace.

        Raises:
            LibraryError: The folder is read-only or the disk is full; the last commit holds.
        """
        versions: dict[str, dict[str, int]] = {}
        for key, name in self._touched:
            versions.setdefault(key, {})[name] = self._store.latest(key, name).version
        for key, changed in versions.items():
            part = self._partitions[key]
            self._partitions[key] = replace(part, tables={**part.tables, **changed})
        manifest = replace(self.manifest, partitions=self._partitions, **changes)
        return write_manifest(self._store.folder, manifest)

    def _open(self, labels: frozenset[str], table: str, schema: pa.Schema) -> str:
        key = partition_key(labels)
        part = self._partitions.setdefault(key, Partition(tuple(sorted(labels))))
        if table not in part.tables:
            self._store.create(key, table, SCHEMAS.get(table, schema))
            self._partitions[key] = replace(part, tables={**part.tables, table: 0})
        return key


def _has_many(table: "Table") -> bool:
    """Say whether a table of page vectors holds more than a search compares one by one."""
    counts = table.search().select(["count"]).to_arrow()["count"]
    return (pc.sum(counts).as_py() or 0) > picture_vectors.SCANNED


def forget_old_versions(folder: Path, store: Store) -> None:
    """Drop kept manifests whose table versions `tidy` has removed."""
    kept = history(folder)
    if not kept or kept[-1].time > time.time() - KEPT.total_seconds():
        return
    alive: dict[tuple[str, str], frozenset[int]] = {}
    keep = set()
    for manifest in kept:
        if _all_alive(store, manifest, alive):
            keep.add(manifest.version)
    prune_history(folder, frozenset(keep))


def _all_alive(
    store: Store, manifest: Manifest, alive: dict[tuple[str, str], frozenset[int]]
) -> bool:
    for key, partition in manifest.partitions.items():
        for name, version in partition.tables.items():
            if (key, name) not in alive:
                alive[key, name] = _versions(store, key, name)
            if version not in alive[key, name]:
                return False
    return True


def _versions(store: Store, key: str, name: str) -> frozenset[int]:
    try:
        rows = store.latest(key, name).list_versions()
    except (ValueError, OSError, RuntimeError):
        return frozenset()
    return frozenset(int(row["version"]) for row in rows)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def _index(kind: str) -> Any:
    """Return how Lance is to index a column: a kind of `INDEXES`, or `vector`."""
    from lancedb.index import FTS, BTree, IvfRq  # noqa: PLC0415 - loads lancedb

    if kind == "btree":
        return BTree()
    if kind == "vector":
        return IvfRq(distance_type="cosine")
    if kind == "words":
        return FTS(with_position=False)
    return FTS(  # the column holds terms already, with blanks between
        with_position=False,
        base_tokenizer="whitespace",
        language="English",
        max_token_length=None,
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
    )


def outdated(folder: Path) -> LibraryError:
    """Say what to do with a library that an older release wrote."""
    return LibraryError(
        f"{folder} was written by an older pagehop, and its documents must be read again; run: "
        f"pagehop add {folder} SOURCE, with any file or folder of it. Nothing of it is lost."
    )
