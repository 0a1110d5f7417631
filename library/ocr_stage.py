"""The OCR stage: pages that are pictures of text are read, in the background, after all else.

1. What is read of a page is kept at once (`ocr_results.py`); now and then, and at a document's
   end, the words go into its pages, where searches by keyword and quotes find them.
2. A document whose scanned pages are all read is cut again, with the words among those of its text
   layer, by the reading stage; vectors follow.
3. Which page comes next is asked each time: documents of which somebody wanted a scanned page come
   first, then those with the fewest pages left.

Without the engine nothing is read, and a warning says what to install.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from pagehop.errors import ConfigError, PdfError
from pagehop.finding.names import name_words
from pagehop.library.catalog import Key
from pagehop.library.ingest import Ingestion
from pagehop.library.ocr_results import add_result, read_results
from pagehop.library.tables import StoredDocument, page_rows, to_page_texts
from pagehop.library.text_stage import read_document, search_title
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.parsed import DocumentText, PdfJob
from pagehop.settings import OcrSettings
from pagehop.types import Box

COMMIT_EVERY_S = 20.0
TURN_S = 60.0
"""How long to read before the finished documents are cut and embedded."""


class OcrStage:
    """Reads the scanned pages that the chosen engine has not been at."""

    def __init__(
        self, ingestion: Ingestion, settings: OcrSettings, wanted: Callable[[], list[str]]
    ) -> None:
        """Prepare; the engine starts with the first page.

        Args:
            ingestion: The writer's hold on the library.
            settings: Which engine, and how.
            wanted: Ids of documents that come first.
        """
        self._at = ingestion
        self._engine = OcrEngine(settings, ingestion.pool)
        self._off = settings.engine == "none"
        self._wanted = wanted
        self.warnings: list[str] = []

    def left(self) -> list[str]:
        """Return the ids of documents with pages still to be read."""
        if self._off:
            return []
        documents = self._at.catalog.documents.items()
        return list(
            dict.fromkeys(
                id for (_, id), d in documents if d.scanned_pages and d.ocr_by != self._engine.id
            )
        )

    def run(self) -> None:
        """Read for a while: whole documents, until `TURN_S` are over.

        Raises:
            Interrupted: Told to stop; what was read so far is kept.
            LibraryError: The disk refused; the last commit holds.
        """
        start = time.monotonic()
        try:
            while (left := self.left()) and time.monotonic() - start < TURN_S:
                self._read_document(self._next(left))
                self._at.check()
        except ConfigError as error:
            self._off = True
            self.warnings.append(str(error))
        finally:
            if self._off or not self.left():
                self.close()

    def close(self) -> None:
        """End the engine's process."""
        self._engine.close()

    def _next(self, left: list[str]) -> str:
        wanted = [id for id in self._wanted() if id in left]
        return wanted[-1] if wanted else min(left, key=self._pages_left)

    def _pages_left(self, id: str) -> int:
        document = self._at.catalog.documents[self._keys(id)[0]]
        return len(set(document.scanned_pages) - set(document.ocr_pages))

    def _keys(self, id: str) -> list[Key]:
        return [(key, id) for key in self._at.catalog.partitions_of(id)]

    def _read_document(self, id: str) -> None:
        """Read the pages of one document and put their words into it."""
        document = self._at.catalog.documents[self._keys(id)[0]]
        copy = self._at.sources / f"{id}.pdf"
        boxes = self._areas(id)
        before = read_results(copy, self._engine.id)
        done = {page: before[page] for page in boxes if page in before and not before[page].failed}
        job = PdfJob(copy, document_id=id)
        last, stopped = time.monotonic(), False
        for page in sorted(boxes.keys() - done.keys()):
            if stopped := self._at.interrupted():
                break
            done[page] = self._read_page(job, PageScan(page, boxes[page]), document)
            if time.monotonic() - last > COMMIT_EVERY_S:
                self._put(id, boxes, done)
                last = time.monotonic()
        self._put(id, boxes, done, whole=not stopped)

    def _read_page(self, job: PdfJob, scan: PageScan, document: StoredDocument) -> PageScan:
        start = time.monotonic()
        read = self._engine.read(job, scan)
        if read.failed:
            name = document.sources[0].name
            self.warnings.append(
                f"{name}: page {scan.page} could not be read by OCR: {read.failed}"
            )
        add_result(job.path, read, self._engine.id)
        self._at.progress.read_scan(time.monotonic() - start)
        return read

    def _areas(self, id: str) -> dict[int, tuple[Box, ...]]:
        """Return the pictures of text on each scanned page of a document."""
        key = self._keys(id)[0][0]
        version = self._at.manifest.partitions[key].tables["pages"]
        rows = self._at.store.rows(key, "pages", version, where=f"document = '{id}'")
        return {text.page: text.areas for text in to_page_texts(rows) if text.areas}

    def _put(
        self,
        id: str,
        boxes: dict[int, tuple[Box, ...]],
        done: dict[int, PageScan],
        *,
        whole: bool = False,
    ) -> None:
        """Read the document's text again, with the words of OCR, and replace its pages."""
        scans = tuple(done.get(page, PageScan(page, boxes[page])) for page in sorted(boxes))
        first = self._at.catalog.documents[self._keys(id)[0]]
        job = PdfJob(
            self._at.sources / f"{id}.pdf",
            document_id=id,
            title=name_words(first.sources[0].name),
            skip_pages=frozenset(first.damaged_pages),
            scans=scans,
        )
        ((_, text),) = self._at.pool.texts([job])
        if isinstance(text, PdfError):
            self.warnings.append(
                f"{first.sources[0].name}: its scanned pages are not searchable: {text}"
            )
            whole = True
        for key in self._keys(id):
            document, rows = self._at.catalog.documents[key], None
            if isinstance(text, DocumentText):
                document = with_text(document, text)
                rows = page_rows(id, search_title(document), text)
            if whole:
                document = replace(document, ocr_by=self._engine.id, read_by=-1)
            self._at.catalog.put(key, document, rows)
        self._at.finish(self._at.begin())


def with_text(document: StoredDocument, text: DocumentText) -> StoredDocument:
    """Return a document whose text was read again, now also by OCR."""
    read = read_document(
        text,
        id=document.id,
        added=document.added,
        sources=document.sources,
        metadata=document.metadata,
        decrypted=document.decrypted,
    )
    return replace(
        read, passages=document.passages, read_by=document.read_by, ocr_by=document.ocr_by
    )
