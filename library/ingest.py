"""What the stages of ingestion share: the catalog, the workers, and the way to a commit.

The stages are text_stage.py, reading_stage.py, vector_stage.py, page_vector_stage.py and
ocr_stage.py. Each is resumable because what
is left to do is read from the tables, and each ends between two commits when it is interrupted:
nothing half done is ever visible.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pagehop.library.catalog import Catalog
from pagehop.library.manifest import Manifest, RemovedFile
from pagehop.library.ocr_results import read_results
from pagehop.library.reports import IngestReport
from pagehop.library.scan import Scan
from pagehop.library.store import Commit, Store
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.pdf_pool import PdfPool


class Interrupted(Exception):
    """The writer was told to stop; everything committed so far stays."""


@dataclass(frozen=True)
class Request:
    """One call of `Library.add`."""

    scan: Scan
    password: str | None
    report: IngestReport


@dataclass
class Progress:
    """What the writer is at; read by `Library.status` from other threads."""

    stage: str = "text"
    files_per_s: float = 0.0
    pages_per_s: float = 0.0
    """Of the reading stage."""
    passages_per_s: float = 0.0
    """Of the vector stage."""
    looks_per_s: float = 0.0
    """Pages of the page vector stage."""
    scans_per_s: float = 0.0
    """Of the OCR stage."""

    def read_scan(self, seconds: float) -> None:
        """Note how long OCR took for a page; those before count for less and less."""
        rate = 1 / max(seconds, 0.001)
        self.scans_per_s = 0.8 * self.scans_per_s + 0.2 * rate if self.scans_per_s else rate

    def seconds_left(
        self, files: int, pages: int, passages: float, scans: int, looks: int
    ) -> float | None:
        """Estimate how long the rest takes; None when nothing is known of it."""
        rest = (
            (files, self.files_per_s),
            (pages, self.pages_per_s),
            (passages, self.passages_per_s),
            (scans, self.scans_per_s),
            (looks, self.looks_per_s),
        )
        return sum(n / per_s for n, per_s in rest if n > 0 and per_s > 0) or None


class Ingestion:
    """One writer's hold on a library: what is committed, and what comes next."""

    def __init__(
        self,
        store: Store,
        manifest: Manifest,
        pool: PdfPool,
        *,
        progress: Progress,
        reader: str,
        interrupted: Callable[[], bool],
        committed: Callable[[Manifest], None],
    ) -> None:
        """Read the catalog.

        Args:
            store: Recovered to `manifest`.
            manifest: The last commit.
            pool: Workers that read PDFs.
            progress: Kept up to date.
            reader: Whose OCR results count (`ocr_engine.reader_id`); empty takes any.
            interrupted: Asked between files; true ends the stage after a commit.
            committed: Told of each commit.
        """
        self.store = store
        self.manifest = manifest
        self.pool = pool
        self.progress = progress
        self.catalog = Catalog(store, manifest)
        self.sources = store.folder / "sources"
        self._reader = reader
        self.last_commit = time.monotonic()
        self.interrupted = interrupted
        self._committed = committed

    def check(self) -> None:
        """Stop here when told to.

        Raises:
            Interrupted: Told to stop.
        """
        if self.interrupted():
            raise Interrupted

    def known_scans(self, document_id: str) -> tuple[PageScan, ...]:
        """Return what OCR has read of a document, for whoever reads its file."""
        shown = [d.ocr_by for (_, id), d in self.catalog.documents.items() if id == document_id]
        by = next(filter(None, shown), self._reader)
        return tuple(read_results(self.sources / f"{document_id}.pdf", by).values())

    def remove(self, document_id: str, names: Collection[str]) -> None:
        """Take a document out under some of its names; scans of their folders leave those out.

        Raises:
            LibraryError: The disk refused; the last commit holds.
        """
        removed = {file.path: file for file in self.manifest.removed}
        for key in [key for key in self.catalog.documents if key[1] == document_id]:
            for s in self.catalog.documents[key].sources:
                if s.name in names:
                    removed[s.path] = RemovedFile(s.path, document_id, s.size, s.mtime_ns)
                    self.catalog.detach(s.path)
        self.finish(self.begin(), removed=tuple(removed.values()))

    def begin(self) -> Commit:
        """Return a commit on top of the last one."""
        return Commit(self.store, self.manifest)

    def finish(self, commit: Commit, *tidy: str, **changes: Any) -> None:
        """Write the catalog into a commit and make it visible.

        Args:
            commit: May hold rows already.
            tidy: Tables to index and compact first.
            changes: Fields of the manifest to replace.

        Raises:
            LibraryError: The disk refused; the last commit holds.
        """
        self.catalog.write(commit)
        if tidy:
            commit.tidy(tidy)
        self.manifest = commit.finish(next_added=self.catalog.next_added, **changes)
        self.last_commit = time.monotonic()
        self._committed(self.manifest)
