"""Finds damage in a library on disk, and what can be mended.

1. Regions, word counts, anchors and vectors are made again from the copies of the files.
2. Where pages or documents are damaged, the library goes back to its newest commit that can be
   read as a whole; what was added since is named, to be added again.
3. A missing copy of a file comes back when the file is still where it was added from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pagehop.errors import LibraryError
from pagehop.library.copies import is_whole
from pagehop.library.manifest import MANIFEST, Manifest, history, is_readable, read_manifest
from pagehop.library.store import Store
from pagehop.library.tables import StoredDocument, to_documents

TableName = tuple[str, str]
"""(partition, table)"""


@dataclass(frozen=True)
class Damage:
    """What is wrong, and the manifest that leaves it out."""

    problems: tuple[str, ...]
    lost: tuple[str, ...]
    """Sources that must be added again."""
    copies: tuple[StoredDocument, ...]
    """Documents whose copy is missing or changed."""
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
    copies = tuple(d for d in _documents(store, manifest) if not is_whole(folder, d))
    problems += [f"the copy of {d.sources[0].name} is missing or changed" for d in copies]
    return Damage(tuple(problems), tuple(lost), copies, manifest)


def broken_tables(store: Store, manifest: Manifest) -> dict[TableName, str]:
    """Read all rows of all tables; returns why some cannot be read."""
    broken = {}
    for key, partition in manifest.partitions.items():
        for name, version in partition.tables.items():
            try:
                for _ in store.at(key, name, version, any_columns=True).search().to_batches():
                    pass
            except (LibraryError, ValueError, OSError, RuntimeError) as error:
                broken[key, name] = (str(error).splitlines() or [type(error).__name__])[0]
    return broken


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
            table = store.at(key, "documents", partition.tables["documents"])
            yield from to_documents(table.search().to_arrow())


def _lost(store: Store, before: Manifest, kept: set[str]) -> list[str]:
    """Return the files of documents that are gone; all roots when even their names are."""
    try:
        documents = [d for d in _documents(store, before) if d.id not in kept]
    except (LibraryError, ValueError, OSError, RuntimeError):
        return [root.path for root in before.roots]
    return sorted(source.path for document in documents for source in document.sources)
