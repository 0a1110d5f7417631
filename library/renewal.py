"""A library of an older release is read again, from its own copies of the files, in one commit.

1. It is outdated when its format or parser is older, or a table has other columns than today's.
2. What was said of its documents stays: names, labels, metadata, order. Text is read at once;
   passages and vectors follow as for new documents.
3. Until the commit the old tables hold, and a killed or stopped renewal starts again.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from pagehop.errors import LibraryError, PdfError
from pagehop.finding.names import name_words
from pagehop.library.copies import copy_path, restore_copy
from pagehop.library.ingest import Ingestion, Interrupted
from pagehop.library.manifest import FailedFile, Manifest, Partition
from pagehop.library.store import Store
from pagehop.library.tables import PAGE_VECTORS, Source, StoredDocument, page_rows
from pagehop.library.text_stage import read_document, search_title
from pagehop.reading.parsed import PARSER_VERSION, DocumentText, PdfJob

BATCH_PAGES = 2_000
"""Pages kept in memory before they are written, not yet committed."""


def needs_renewal(store: Store, manifest: Manifest) -> bool:
    """Say whether the documents of a library must be read again before it is written to."""
    return manifest.is_outdated or not all(
        store.is_current(key, name, version)
        for key, partition in manifest.partitions.items()
        for name, version in partition.tables.items()
    )


def without_tables(store: Store, manifest: Manifest) -> Manifest:
    """Return the library with its labels, folders, removals and encoders, but no document yet.

    Vectors of page pictures stay: no release changes how a page looks, and making them takes long.
    """
    emptied = {
        key: Partition(
            part.labels,
            {
                name: version
                for name, version in part.tables.items()
                if name.startswith(PAGE_VECTORS) and store.is_current(key, name, version)
            },
        )
        for key, part in manifest.partitions.items()
    }
    return replace(manifest, partitions=emptied, failed=(), parser=PARSER_VERSION)


def renew(
    ingestion: Ingestion, old: Manifest, *, warn: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Read all documents of an outdated library again.

    Args:
        ingestion: Of the library `without_tables`.
        old: The last commit.
        warn: Told what was done, and of each document that cannot be read any more.
        stopped: Asked between files.

    Raises:
        Interrupted: Told to stop; nothing has changed.
        LibraryError: The list of documents cannot be read, or the disk refused; nothing has
            changed.
    """
    renewal = _Renewal(ingestion, old, stopped)
    renewal.run()
    count = renewal.count
    what = f"{count} documents were" if count != 1 else "document was"
    warn(f"an older pagehop wrote this library; its {what} read again")
    for failed in renewal.failed:
        warn(f"{failed.source} left the library, as it cannot be read again: {failed.detail}")


class _Renewal:
    """The documents of the old tables on their way into new ones."""

    def __init__(self, ingestion: Ingestion, old: Manifest, stopped: Callable[[], bool]) -> None:
        self._at = ingestion
        self._stopped = stopped
        self._stored: dict[str, list[tuple[frozenset[str], StoredDocument]]] = {}
        for labels, document in _stored_documents(ingestion.store, old):
            self._stored.setdefault(document.id, []).append((labels, document))
        self.count = len(self._stored)
        self.failed: list[FailedFile] = []

    def run(self) -> None:
        commit, pages = self._at.begin(), 0
        for job, text in self._at.pool.texts(self._jobs()):
            if isinstance(text, PdfError):
                self._fail(job.document_id, text)
                continue
            self._take(job.document_id, text)
            pages += len(text.pages)
            if pages > BATCH_PAGES:
                self._at.catalog.write(commit)
                pages = 0
            self._check()
        self._check()
        self._at.finish(commit, failed=tuple(self.failed))

    def _check(self) -> None:
        if self._stopped():
            raise Interrupted

    def _jobs(self) -> Iterator[PdfJob]:
        for id, stored in self._stored.items():
            if self._stopped():
                return
            document = stored[0][1]
            path = copy_path(self._at.store.folder, id)
            if path.exists() or restore_copy(self._at.store.folder, document, self._at.pool):
                title, scans = name_words(document.sources[0].name), self._at.known_scans(id)
                yield PdfJob(path, document_id=id, title=title, scans=scans)
            else:
                self._fail(id, PdfError("unreadable", "the library's copy and the file are gone"))

    def _take(self, id: str, text: DocumentText) -> None:
        for labels, old in self._stored[id]:
            document = read_document(
                text,
                id=id,
                added=old.added,
                sources=old.sources,
                metadata=old.metadata,
                decrypted=old.decrypted,
            )
            rows = page_rows(id, search_title(document), text)
            self._at.catalog.add(labels, document, rows)

    def _fail(self, id: str, error: PdfError) -> None:
        for labels, document in self._stored[id]:
            self.failed += [
                FailedFile(
                    path=source.path,
                    source=source.name,
                    size=source.size,
                    mtime_ns=source.mtime_ns,
                    reason=error.reason,
                    detail=error.detail,
                    labels=tuple(sorted(labels)),
                )
                for source in document.sources
            ]


def _stored_documents(
    store: Store, manifest: Manifest
) -> Iterator[tuple[frozenset[str], StoredDocument]]:
    """Read what any release says of a document; the rest is read from its file."""
    for key, partition in manifest.partitions.items():
        if "documents" not in partition.tables:
            continue
        rows = store.rows(key, "documents", partition.tables["documents"], any_columns=True)
        for i, row in enumerate(rows.to_pylist()):
            try:
                document = StoredDocument(
                    id=row["id"],
                    added=row.get("added", i),
                    title="",
                    pages=0,
                    sources=tuple(Source(*source[:4]) for source in json.loads(row["sources"])),
                    metadata=json.loads(row.get("metadata") or "{}"),
                    decrypted=bool(row.get("decrypted")),
                )
            except (KeyError, TypeError, ValueError) as error:
                roots = ", ".join(root.path for root in manifest.roots) or "its documents"
                raise LibraryError(
                    f"{store.folder} was written by a pagehop too old for this one; delete that "
                    f"folder and add again: {roots}"
                ) from error
            yield frozenset(partition.labels), document
