"""The documents of a library while a writer changes them, and their way into one commit.

1. A document stands once in each partition that has a source of it.
2. A source that moves to other labels takes its document along: rows are copied to the other
   partition, and leave the first one with its last source there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from pagehop.library.manifest import Manifest, partition_key
from pagehop.library.scan import Found
from pagehop.library.store import Commit, Store
from pagehop.library.tables import READ_BY, StoredDocument, document_rows, to_documents

Key = tuple[str, str]
"""(partition, document id)"""


class Catalog:
    """What the `documents` tables say, changed in memory until `write`."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self.documents: dict[Key, StoredDocument] = {}
        self.labels = {key: frozenset(p.labels) for key, p in manifest.partitions.items()}
        for key, partition in manifest.partitions.items():
            if "documents" in partition.tables:
                rows = store.rows(key, "documents", partition.tables["documents"])
                whole = {"regions", "terms", "anchors"} <= set(partition.tables)
                for document in to_documents(rows):
                    if document.read_by and not whole:  # `check` left a damaged table out
                        document = replace(document, read_by=-1)
                    self.documents[key, document.id] = document
        self.by_path = {
            source.path: key
            for key, document in self.documents.items()
            for source in document.sources
        }
        self.next_added = manifest.next_added
        self._dirty: set[Key] = set()
        self._gone: set[Key] = set()
        self._copies: list[tuple[str, Key]] = []
        self._pages: list[tuple[frozenset[str], pa.Table]] = []
        self._replaced: dict[Key, pa.Table] = {}
        self._stored = set(self.documents)

    def partitions_of(self, document_id: str) -> list[str]:
        """Return the partitions in which a document stands."""
        return [key for key, id in self.documents if id == document_id]

    def number(self) -> int:
        """Return the running number for a new document."""
        self.next_added += 1
        return self.next_added - 1

    def add(self, labels: frozenset[str], document: StoredDocument, pages: pa.Table) -> None:
        """Take in a new document with its pages."""
        self._put(labels, document)
        self._pages.append((labels, pages))

    def _put(self, labels: frozenset[str], document: StoredDocument) -> None:
        key = (self._partition(labels), document.id)
        self.documents[key] = document
        self._dirty.add(key)
        for source in document.sources:
            self.by_path[source.path] = key

    def attach(self, document_id: str, found: Found) -> bool:
        """Give a document one more source, or a newer look at one it has.

        Returns:
            False when the document has no rows for these labels that could be used: it must be
            read for them. Rows of another partition are taken over only for a source that was
            its first one there, because the file's name is part of what they are found by.
        """
        target = (self._partition(found.labels), document_id)
        before = self.by_path.get(found.source.path)
        if target not in self.documents:
            if before is None or before[1] != document_id or not self._moves(before, found):
                return False
            self._copies.append((before[0], target))
            self.documents[target] = replace(self.documents[before], sources=())
        if before is not None and before != target:
            self.detach(found.source.path)
        document = self.documents[target]
        kept = {source.path: source for source in document.sources}
        known = kept.get(found.source.path)
        source = replace(found.source, name=known.name) if known else found.source
        metadata = dict(found.metadata)
        if known != source or dict(document.metadata) != metadata:
            sources = tuple((kept | {source.path: source}).values())
            self._put(found.labels, replace(document, sources=sources, metadata=metadata))
        return True

    def _moves(self, key: Key, found: Found) -> bool:
        return key in self._stored and self.documents[key].sources[0].path == found.source.path

    def detach(self, path: str) -> StoredDocument | None:
        """Take a source away; returns the document when that was its last one."""
        key = self.by_path.pop(path, None)
        if key is None:
            return None
        document = self.documents[key]
        left = tuple(source for source in document.sources if source.path != path)
        if left:
            renamed = left[0].name != document.sources[0].name
            read_by = -1 if renamed else document.read_by
            self.documents[key] = replace(document, sources=left, read_by=read_by)
            self._dirty.add(key)
            return None
        self.remove(key)
        return document

    def remove(self, key: Key) -> None:
        """Take a document out of a partition."""
        for source in self.documents.pop(key).sources:
            self.by_path.pop(source.path, None)
        self._dirty.discard(key)
        self._gone.add(key)

    def put(self, key: Key, document: StoredDocument, pages: pa.Table | None = None) -> None:
        """Replace what is said of a document, and its pages when they are given."""
        self.documents[key] = document
        self._dirty.add(key)
        if pages is not None:
            self._replaced[key] = pages

    def update(self, key: Key, *, passages: int) -> None:
        """Note that a document was cut into passages."""
        self.documents[key] = replace(self.documents[key], passages=passages, read_by=READ_BY)
        self._dirty.add(key)

    @property
    def changed(self) -> bool:
        """Whether `write` has anything to do."""
        return bool(self._dirty or self._gone or self._copies)

    def write(self, commit: Commit) -> None:
        """Bring the tables up to the catalog: rows to copy are read before any is removed."""
        copies = [
            rows for home, target in self._copies for rows in self._rows_of(commit, home, target)
        ]
        for partition, ids in _by_partition(self._gone & self._stored).items():
            for name in tuple(commit.tables(partition)):
                commit.delete(partition, name, ids, "id" if name == "documents" else "document")
        for labels, name, rows in copies:
            commit.append(labels, name, rows)
        for (partition, id), pages in self._replaced.items():
            if (partition, id) in self.documents:
                commit.delete(partition, "pages", (id,))
                commit.append(self.labels[partition], "pages", pages)
        for labels, pages in _by_labels(self._pages).items():
            commit.append(labels, "pages", pa.concat_tables(pages))
        for partition, ids in _by_partition(self._dirty).items():
            old = [id for id in ids if (partition, id) in self._stored - self._gone]
            commit.delete(partition, "documents", old, "id")
            rows = document_rows(self.documents[partition, id] for id in ids)
            commit.append(self.labels[partition], "documents", rows)
        self._stored = (self._stored - self._gone) | self._dirty
        for done in (self._copies, self._pages, self._replaced, self._dirty, self._gone):
            done.clear()

    def _rows_of(
        self, commit: Commit, home: str, target: Key
    ) -> Iterator[tuple[frozenset[str], str, pa.Table]]:
        if target not in self.documents:
            return  # it was taken out again
        for name in commit.tables(home):
            if name != "documents":
                with self._store.reading(home, name):
                    query = self._store.latest(home, name).search()
                    rows = query.where(f"document = '{target[1]}'").to_arrow()
                yield self.labels[target[0]], name, rows

    def _partition(self, labels: frozenset[str]) -> str:
        key = partition_key(labels)
        self.labels.setdefault(key, labels)
        return key


def _by_partition(keys: Iterable[Key]) -> Mapping[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for partition, document_id in sorted(keys):
        grouped.setdefault(partition, []).append(document_id)
    return grouped


def _by_labels(
    pages: Iterable[tuple[frozenset[str], pa.Table]],
) -> Mapping[frozenset[str], list[pa.Table]]:
    grouped: dict[frozenset[str], list[pa.Table]] = {}
    for labels, rows in pages:
        grouped.setdefault(labels, []).append(rows)
    return grouped
