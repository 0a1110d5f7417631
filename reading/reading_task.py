"""One file on its way through a worker: the requests, the answers so far, what to try again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from pagehop.errors import PdfError, PdfReason
from pagehop.layout.titles import printed_numbers
from pagehop.reading.parsed import DocumentReading, DocumentText, Link, PageText, PdfJob
from pagehop.types import OutlineEntry, Region, TextSource

MAX_RESTARTS = 3
"""A file may kill this many workers and go on; each of its hangs takes a page timeout."""


class Task(Protocol):
    """What the pool needs of a file in work."""

    op: str

    @property
    def result(self) -> object | None:
        """What came out; None while it is in work."""

    def request(self) -> dict[str, Any]:
        """Return the message that starts or goes on with the work."""
        ...

    def take(self, message: dict[str, Any]) -> None:
        """Take one message of the worker."""
        ...

    def fail(self, reason: PdfReason, page: int, detail: str) -> None:
        """Note that the worker died at a page."""
        ...


class TextTask:
    """Reads the text layer; pages that came before a crash are kept."""

    op = "text"

    def __init__(self, job: PdfJob) -> None:
        self.job = job
        self.result: DocumentText | PdfError | None = None
        self._about: dict[str, Any] = {"title": "", "cut_short": False}
        self._pages: dict[int, PageText] = {}
        self._bad: dict[int, str] = {page: "skipped" for page in job.skip_pages}
        self._numbers: dict[int, list[str]] = {}
        self._cut: list[int] = []
        self._reason: PdfReason = "damaged"
        """Why the file is refused when no page of it is good."""
        self._restarts = 0

    def request(self) -> dict[str, Any]:
        """Ask for the pages that are neither here nor known to be bad."""
        return {
            "path": str(self.job.path),
            "password": self.job.password,
            "skip": sorted(self._bad),
            "have": sorted(self._pages),
            "scans": [scan.to_message() for scan in self.job.scans],
        }

    def take(self, message: dict[str, Any]) -> None:
        """Collect pages until the worker is done."""
        kind = message["kind"]
        if kind == "open":
            self._about |= message
        elif kind == "pages":
            for *fields, state, numbers in message["pages"]:
                self._take_page(fields, state, numbers)
        elif kind == "error":
            self.result = PdfError(message["reason"], message["detail"])
        elif kind == "done":
            self._about |= message
            self.result = self._finish()

    def fail(self, reason: PdfReason, page: int, detail: str) -> None:
        """Leave the page out next time, unless nothing is to be had from this file."""
        self._restarts += 1
        if page == 0:
            self.result = _give_up(reason, detail, self._restarts)
            return
        self._bad[page], self._reason = detail, reason
        if self._restarts > MAX_RESTARTS:
            # Those before it came through: one more request brings what was not sent yet.
            first = page + 1 if self._restarts == MAX_RESTARTS + 1 else 1
            why = "it was not tried, as too many pages before it stopped the engine"
            left = set(range(first, self._about["pages"] + 1)) - {*self._pages, *self._bad}
            self._bad |= dict.fromkeys(sorted(left), why)
        if len({*self._pages, *self._bad}) == self._about["pages"]:
            self.result = self._finish()

    def _take_page(self, fields: list[Any], state: str, numbers: list[str]) -> None:
        number = fields[0]
        if state == "memory":
            self._bad[number] = "it needs more memory than a worker may use"
            self._reason = "memory"
        elif fields[2] > 0:  # a page without a width could not even be opened
            self._pages[number] = _page(fields, state)
            self._numbers[number] = numbers
        else:
            self._bad[number] = "the engine cannot open it"
        if state == "cut":
            self._cut.append(number)

    def _finish(self) -> DocumentText | PdfError:
        count = self._about["pages"]
        pages = [self._pages.get(n) or _missing(n, self._pages) for n in range(1, count + 1)]
        if not any(p.text or p.scanned for p in pages):
            if self._bad:
                page, detail = next(iter(self._bad.items()))
                return PdfError(self._reason, f"page {page}: {detail}")
            if any(p.damaged for p in pages):
                return PdfError("damaged", "its pages render white: their streams are broken")
            return PdfError("blank", "no page has any content")
        numbers = printed_numbers(self._numbers)
        pages = [replace(p, label=numbers.get(p.page, p.label)) for p in pages]
        outline = tuple(OutlineEntry(*entry) for entry in self._about["outline"])
        title = self._about["title"]
        return DocumentText(title, outline, tuple(pages), tuple(self._warnings(pages)))

    def _warnings(self, pages: list[PageText]) -> Iterator[str]:
        if self._about["cut_short"]:
            yield f"the end of the file is missing; {len(pages)} pages could be saved"
        for page in pages:
            if page.damaged:
                why = self._bad.get(page.page, "its streams are broken")
                yield f"page {page.page} could not be read: {why}"
            elif page.page in self._cut:
                yield f"page {page.page} may be incomplete: a stream of it is broken"


class ReadingTask:
    """Cuts a file into regions and passages."""

    op = "read"

    def __init__(self, job: PdfJob) -> None:
        self.job = job
        self.result: DocumentReading | PdfError | None = None
        self._regions: list[Region] = []
        self._links: list[Link] = []
        self._skip = set(job.skip_pages)
        self._warnings: list[str] = []
        self._restarts = 0

    def request(self) -> dict[str, Any]:
        """Ask for the whole file, without the pages known to be bad."""
        return {
            "path": str(self.job.path),
            "password": self.job.password,
            "skip": sorted(self._skip),
            "title": self.job.title,
            "document": self.job.document_id,
            "scans": [scan.to_message() for scan in self.job.scans],
        }

    def take(self, message: dict[str, Any]) -> None:
        """Collect regions until the worker is done."""
        kind = message["kind"]
        if kind == "regions":
            for *fields, box, source in message["regions"]:
                self._regions.append(_region(self.job.document_id, fields, box, source))
            for page, box, target, top, words in message["links"]:
                self._links.append(Link(page, tuple(box), target, words, top))
        elif kind == "error":
            self.result = PdfError(message["reason"], message["detail"])
        elif kind == "done":
            found = tuple(self._regions), tuple(self._links)
            self.result = DocumentReading(*found, tuple(self._warnings))

    def fail(self, reason: PdfReason, page: int, detail: str) -> None:
        """Start the file again without the page."""
        self._restarts += 1
        if page == 0:
            self.result = _give_up(reason, detail, self._restarts)
        elif self._restarts > MAX_RESTARTS:
            self.result = PdfError(reason, f"page {page}: {detail}")
        else:
            self._warnings.append(f"page {page} is not cut into passages: {detail}")
        self._skip.add(page)
        self._regions, self._links = [], []


def _give_up(reason: PdfReason, detail: str, restarts: int) -> PdfError | None:
    """Try a file once more whose worker died before any page: the system may have killed it."""
    return None if reason == "crashed" and restarts == 1 else PdfError(reason, detail)


def _page(fields: list[Any], state: str) -> PageText:
    number, label, width, height, text, boxes, areas, ocr = fields
    return PageText(
        number,
        label,
        width,
        height,
        text,
        np.frombuffer(boxes, dtype=np.uint16).reshape(-1, 4),
        damaged=state == "damaged",
        areas=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in areas),
        ocr=None if ocr is None else np.frombuffer(ocr, dtype=np.bool_),
    )


def _missing(number: int, pages: dict[int, PageText]) -> PageText:
    """Stand in for a page that was left out, with the size of the page nearest before it."""
    near = next((pages[n] for n in range(number, 0, -1) if n in pages), None)
    width, height = (near.width_pt, near.height_pt) if near else (612.0, 792.0)
    empty = np.zeros((0, 4), dtype=np.uint16)
    return PageText(number, "", width, height, "", empty, damaged=True)


def _region(document: str, fields: list[Any], box: list[float], source: TextSource) -> Region:
    page, order, kind, text, search_text, parent, parent_kind, section, cells = fields
    stem = f"{document[:16]}-{page}-"
    return Region(
        id=f"{stem}{order}",
        parent=f"{stem}{parent}" if parent >= 0 else "",
        document=document,
        page=page,
        order=order,
        kind=kind,
        box=(box[0], box[1], box[2], box[3]),
        text=text,
        search_text=search_text,
        parent_kind=parent_kind,
        section=section,
        cells=cells,
        source=source,
    )
