"""Finds damage in a library on disk, and what can be mended.

1. Regions, word counts, anchors and vectors are made again from the copies of the files; indexes
   from the rows of their table.
2. Where pages or documents are damaged, the library goes back to its newest commit that can be
   read as a whole; what was added since is named, to be added again.
3. A missing copy of a file comes back when the file is still where it was added from.

Not covered: files that were changed and can still be read. Lance keeps no digests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pagehop.errors import LibraryError
from pagehop.library.copies import is_whole
from pagehop.library.manifest import MANIFEST, Manifest, history, is_readable, read_manifest
from pagehop.library.store import Store
from pagehop.library.tables import INDEXES, StoredDocument, to_documents

if TYPE_CHECKING:
    from lancedb.table import Table

TableName = tuple[str, str]
"""(partition, table)"""
IndexName = tuple[str, str, str]
"""(partition, table, column)"""
ALL = 1_000_000
"""More parts than any index of vectors has."""
WORDS_A_QUERY = 5_000
"""Words looked up at once; every list of a full-text index is read by asking for all words."""


@dataclass(frozen=True)
class Damage:
    """What is wrong, and the manifest that leaves it out."""

    problems: tuple[str, ...]
    lost: tuple[str, ...]
    """Sources that must be added again."""
    copies: tuple[StoredDocument, ...]
    """Documents whose copy is missing or changed."""
    indexes: tuple[IndexName, ...]
    """Indexes to make again, of tables in `manifest`."""
    manifest: Manifest
    """Names only tables that can be read; what it misses is made again by the writer."""


def find_damage(folder: Path, store: Store) -> Damage:
    """Read every table of the last commit, and look at every copy.

    Raises:
        LibraryError: A newer pagehop wrote the library, or no commit is readable.
    """
    problems: list[str] = []
    manifest = read_manifest(folder)
    if manifest.version and not is_readable(folder / MANIFEST):
        problems.append(f"{MANIFEST} is damaged; version {manifest.version} is the newest readable")
    broken = broken_tables(store, manifest)
    problems += [f"table {key}/{name} is damaged: {why}" for (key, name), why in broken.items()]
    lost: list[str] = []
    if any(name in ("documents", "pages") for _, name in broken):
        before, manifest = manifest, _newest_whole(folder, store, manifest)
        kept = {document.id for document in _documents(store, manifest)}
        lost = _lost(store, before, kept)
    else:
        manifest = _without(manifest, set(broken))
    spoilt = broken_indexes(store, manifest)
    problems += [
        f"the index of {column} in {key}/{name} is damaged: {why}"
        for (key, name, column), why in spoilt.items()
    ]
    copies = tuple(d for d in _documents(store, manifest) if not is_whole(folder, d))
    problems += [f"the copy of {d.sources[0].name} is missing or changed" for d in copies]
    return Damage(tuple(problems), tuple(lost), copies, tuple(spoilt), manifest)


def broken_tables(store: Store, manifest: Manifest) -> dict[TableName, str]:
    """Read all rows of all tables; returns why some cannot be read."""
    broken = {}
    for key, partition in manifest.partitions.items():
        for name, version in partition.tables.items():
            try:
                with store.reading(key, name):
                    opened = store.at(key, name, version, any_columns=True)
                    for batch in opened.search().to_batches():
                        if name == "documents":
                            to_documents(pa.Table.from_batches([batch]))
            except LibraryError as error:
                broken[key, name] = _why(error)
    return broken


def broken_indexes(store: Store, manifest: Manifest) -> dict[IndexName, str]:
    """Read all of every index through queries; returns why some cannot be used.

    Args:
        store: With nothing of the indexes in memory yet.
        manifest: Its tables can be read.
    """
    broken = {}
    for key, partition in manifest.partitions.items():
        for name, version in partition.tables.items():
            table = store.at(key, name, version, any_columns=True)
            kinds = dict(INDEXES.get(name, ()))
            for column in {index.columns[0] for index in table.list_indices()}:
                try:
                    with store.reading(key, name):
                        _use_index(table, column, kinds.get(column, "vector"))
                except LibraryError as error:
                    broken[key, name, column] = _why(error)
    return broken


def _use_index(table: "Table", column: str, kind: str) -> None:
    """Ask an index for all it knows.

    Raises:
        ValueError: It misses rows. Lance raises what it likes when its files are damaged.
    """
    values = table.search().select([column]).to_arrow()[column].drop_null()
    if not len(values):
        return
    if kind == "btree":
        ends = pc.min_max(values).as_py()
        least, most = (ends[end].replace("'", "''") for end in ("min", "max"))
        found = table.count_rows(f"{column} >= '{least}' AND {column} <= '{most}'")
        if found != len(values):
            raise ValueError(f"it finds {found} of {len(values)} rows")
    elif kind == "vector":
        table.search(values[0].as_py(), vector_column_name=column).nprobes(ALL).limit(1).to_arrow()
    else:
        words = pc.unique(pc.list_flatten(pc.utf8_split_whitespace(values))).to_pylist()
        for first in range(0, len(words), WORDS_A_QUERY):
            text = " ".join(words[first : first + WORDS_A_QUERY])
            query = table.search(text, query_type="fts", fts_columns=column)
            query.select(["document", "_score"]).limit(len(values)).to_arrow()


def _why(error: LibraryError) -> str:
    return str(error.__cause__ or error).split("\n", 1)[0].split(", /", 1)[0]


def _newest_whole(folder: Path, store: Store, damaged: Manifest) -> Manifest:
    """Return the newest commit before that has all its tables; at worst an empty one.

    Its number is the damaged one's, so that versions never count down.
    """
    for manifest in history(folder):
        if manifest.version < damaged.version and not broken_tables(store, manifest):
            return replace(manifest, version=damaged.version)
    return Manifest(version=damaged.version)


def _without(manifest: Manifest, broken: set[TableName]) -> Manifest:
    partitions = {}
    for key, partition in manifest.partitions.items():
        kept = {name: v for name, v in partition.tables.items() if (key, name) not in broken}
        partitions[key] = replace(partition, tables=kept)
    return replace(manifest, partitions=partitions)


def _documents(store: Store, manifest: Manifest) -> Iterator[StoredDocument]:
    for key, partition in manifest.partitions.items():
        if "documents" in partition.tables:
            with store.reading(key, "documents"):
                rows = store.rows(key, "documents", partition.tables["documents"])
                documents = to_documents(rows)
            yield from documents


def _lost(store: Store, before: Manifest, kept: set[str]) -> list[str]:
    """Return the files of documents that are gone; all roots when even their names are."""
    try:
        documents = [d for d in _documents(store, before) if d.id not in kept]
    except LibraryError:
        return [root.path for root in before.roots]
    return sorted(source.path for document in documents for source in document.sources)
