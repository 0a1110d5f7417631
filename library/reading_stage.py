"""The reading stage: documents are cut into regions and passages; anchors and word counts."""

import time
from collections.abc import Iterator

import pyarrow as pa

from pagehop.errors import PdfError
from pagehop.finding.terms import tokens
from pagehop.library.catalog import Key
from pagehop.library.ingest import Ingestion
from pagehop.library.store import Commit
from pagehop.library.tables import (
    READ_BY,
    VECTORS,
    StoredDocument,
    anchor_rows,
    region_rows,
    term_rows,
    to_page_texts,
)
from pagehop.library.text_stage import search_title
from pagehop.reading.anchors import find_anchors
from pagehop.reading.continuations import find_continuations
from pagehop.reading.parsed import DocumentReading, PageText, PdfJob

COMMIT_EVERY_S = 2.0


class ReadingStage:
    """Cuts the documents that have no regions of this parser version."""

    def __init__(self, ingestion: Ingestion) -> None:
        self._at = ingestion
        self._homes: dict[str, str] = {}
        """Partition for which each document is being cut; another one comes another time."""
        self.warnings: list[str] = []

    def left(self) -> list[Key]:
        """Return the documents still to be cut, each in one of its partitions."""
        documents = self._at.catalog.documents.items()
        found = {id: (key, id) for (key, id), d in documents if d.read_by != READ_BY}
        return list(found.values())

    def run(self) -> None:
        """Cut all of them.

        Raises:
            Interrupted: Told to stop; what was cut so far is committed.
            LibraryError: The disk refused; the last commit holds.
        """
        # Pages wait for their index until here: they can be found before, if slowly.
        self._at.finish(self._at.begin(), "pages")
        start, pages = time.monotonic(), 0
        commit, held = self._at.begin(), 0
        for job, reading in self._at.pool.readings(self._jobs()):
            pages += self._write(commit, job, reading)
            held += 1
            self._at.progress.pages_per_s = pages / (time.monotonic() - start)
            if time.monotonic() - self._at.last_commit > COMMIT_EVERY_S:
                self._at.finish(commit)
                commit, held = self._at.begin(), 0
            if self._at.interrupted():
                break
        if held or not self.left():
            self._at.finish(commit, "documents", "regions", "terms", "anchors")
        self._at.check()

    def _jobs(self) -> Iterator[PdfJob]:
        for key, id in self.left():
            if self._at.interrupted():
                return
            document = self._at.catalog.documents[key, id]
            self._homes[id] = key
            yield PdfJob(
                self._at.sources / f"{id}.pdf",
                document_id=id,
                title=search_title(document),
                skip_pages=frozenset(document.damaged_pages),
                scans=self._at.known_scans(id) if document.scanned_pages else (),
            )

    def _write(self, commit: Commit, job: PdfJob, reading: DocumentReading | PdfError) -> int:
        """Put a document's regions into its partition; returns its pages."""
        key = self._homes.pop(job.document_id)
        document = self._at.catalog.documents[key, job.document_id]
        name = document.sources[0].name
        if isinstance(reading, PdfError):
            self.warnings.append(
                f"{name}: only its plain text can be searched; cutting it failed ({reading})"
            )
            reading = DocumentReading(())
        self.warnings += [f"{name}: {words}" for words in reading.warnings]
        if document.read_by:
            self._clear(commit, key, document, reading)
        for table, rows in self._rows(commit, key, document, reading).items():
            commit.append(self._at.catalog.labels[key], table, rows)
        passages = sum(region.kind == "passage" for region in reading.regions)
        self._at.catalog.update((key, document.id), passages=passages)
        return document.pages

    def _clear(
        self, commit: Commit, key: str, document: StoredDocument, reading: DocumentReading
    ) -> None:
        """Take out what an earlier cut left; vectors of passages that stay as they are stay."""
        kept = {(r.id, r.search_text, r.parent_kind) for r in reading.regions}
        before = self._passages(key, document.id)
        for table in [t for t in commit.tables(key) if t not in ("documents", "pages")]:
            if table.startswith(VECTORS) and before is not None:
                commit.delete(key, table, [id for id, _, _ in before - kept], "id")
            else:
                commit.delete(key, table, (document.id,))

    def _passages(self, key: str, document_id: str) -> set[tuple[str, str, str]] | None:
        """Return what vectors of a document go by; None when its regions were damaged."""
        version = self._at.manifest.partitions[key].tables.get("regions")
        if version is None:
            return None
        where = f"document = '{document_id}' AND kind = 'passage'"
        columns = ["id", "search_text", "parent_kind"]
        rows = self._at.store.rows(key, "regions", version, where=where, columns=columns)
        return {(row["id"], row["search_text"], row["parent_kind"]) for row in rows.to_pylist()}

    def _rows(
        self, commit: Commit, key: str, document: StoredDocument, reading: DocumentReading
    ) -> dict[str, pa.Table]:
        terms = {r.id: tokens(r.search_text) for r in reading.regions if r.kind == "passage"}
        anchors = find_anchors(reading, self._page_texts(commit, key, document.id))
        anchors += find_continuations(reading.regions)
        return {
            "regions": region_rows(reading.regions, terms),
            "terms": term_rows(document.id, terms.values()),
            "anchors": anchor_rows(anchors),
        }

    def _page_texts(self, commit: Commit, key: str, document_id: str) -> list[PageText]:
        version, where = commit.tables(key)["pages"], f"document = '{document_id}'"
        rows = self._at.store.rows(key, "pages", version, where=where)
        return to_page_texts(rows.sort_by("page"))
