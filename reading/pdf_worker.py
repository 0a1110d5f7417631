"""The process that reads PDFs: the only file that imports the PDF engine.

Started by `pdf_pool` as `python -P -m pagehop.reading.pdf_worker SOCKET POSITION MEMORY_MB`; takes
requests and gives answers as msgpack over the socket, so that nothing unpickles what a hostile file
made this process say. Before each page it writes the page number into the position file: when the
process hangs or dies, that is the page at fault.

Limits: address space, file size, no core dump, and an alarm that ends an orphan that hangs.
"""

import contextlib
import os
import signal
import struct
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# The engine imports its layout model (0.6 s, 400 MB of address space), which is not used here.
sys.modules["pymupdf.layout"] = None  # type: ignore[assignment]
sys.modules["pymupdf4llm"] = None  # type: ignore[assignment]

import ormsgpack  # noqa: E402
import pymupdf  # noqa: E402

from pagehop.errors import PdfError  # noqa: E402
from pagehop.layout.blocks import Block  # noqa: E402
from pagehop.layout.orientation import turned_size, turned_words  # noqa: E402
from pagehop.layout.page_lines import Line, PageLines, whole_words  # noqa: E402
from pagehop.layout.passages import cut_passages, region_fields  # noqa: E402
from pagehop.layout.regions import LayoutState, read_chunk  # noqa: E402
from pagehop.layout.titles import choose_title, number_candidates  # noqa: E402
from pagehop.layout.token_counter import TokenCounter  # noqa: E402
from pagehop.reading.ocr_areas import finest_dpi, is_garbage, picture_areas  # noqa: E402
from pagehop.reading.ocr_words import (  # noqa: E402
    PageScan,
    displayed,
    from_message,
    is_ocr,
    merged,
    with_sources,
)
from pagehop.reading.pdf_convert import write_pdf  # noqa: E402
from pagehop.reading.pdf_page import (  # noqa: E402
    outermost_lines,
    read_label,
    read_lines,
    read_links,
    read_outline,
    read_page_rows,
    read_words,
    spell_rows,
)
from pagehop.reading.render import Cut, plan_cut  # noqa: E402
from pagehop.types import FULL_PAGE, OutlineEntry  # noqa: E402

FLUSH_PAGES = 24
FLUSH_S = 0.2
OPEN_DOCUMENTS = 4
CHUNK_PAGES = 64
FILE_BYTES = 2**26
"""Nothing here writes files but the decrypted copy, whose limit goes by the original."""
_TEXT = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_WHITESPACE
"""Without ligatures, as search and quotes want plain letters; unknown glyphs come as U+FFFD."""
_THUMBNAIL = pymupdf.Matrix(0.2, 0.2)
_SMALL = pymupdf.Matrix(0.5, 0.5)
_BROKEN = ("zlib error", "read error", "cannot decode", "syntax error", "cannot find", "corrupt")

PAGE_ERRORS: tuple[type[Exception], ...] = (
    pymupdf.mupdf.FzErrorBase,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    MemoryError,
)
"""What the engine raises for broken files; the last ones come from its Python half."""

Json = dict[str, Any]


class Worker:
    """Answers requests until the parent hangs up."""

    def __init__(self, link: Connection, position: int, tokenizer: str) -> None:
        self.link = link
        self.position = position
        self.tokenizer = tokenizer
        self.sent = 0.0
        self.documents: dict[tuple[str, int, int], Any] = {}
        """Open documents of the crop requests, oldest first."""

    def send(self, kind: str, **body: object) -> None:
        """Send one message; the alarm is off, as a slow parent is no fault of the page."""
        signal.alarm(0)
        self.link.send_bytes(ormsgpack.packb({"kind": kind, **body}))
        self.sent = time.monotonic()

    @cached_property
    def counter(self) -> TokenCounter:
        """Loads the tokenizer when passages are cut for the first time."""
        return TokenCounter(Path(self.tokenizer) if self.tokenizer else None)

    def at(self, page: int, alarm_s: int) -> None:
        """Note which page comes next."""
        os.pwrite(self.position, struct.pack("<I", page), 0)
        signal.alarm(alarm_s)

    def serve(self) -> None:
        """Take requests; an error ends the request, not the process."""
        self.send("ready")
        while True:
            try:
                request = ormsgpack.unpackb(self.link.recv_bytes())
            except EOFError:
                return
            self.at(0, request["alarm_s"])
            try:
                getattr(self, request["op"])(request)
            except PdfError as error:
                self.send("error", reason=error.reason, detail=error.detail)
            except PAGE_ERRORS as error:
                reason = "memory" if _is_out_of_memory(error) else "damaged"
                self.send("error", reason=reason, detail=f"{type(error).__name__}: {error}")
            signal.alarm(0)

    def text(self, request: Json) -> None:
        """Send `open`, then `pages` in batches, then `done`."""
        with _open(request) as document:
            self.send("open", pages=len(document), outline=read_outline(document))
            batch: list[Any] = []
            sent = time.monotonic()
            labels = _has_labels(document)
            scans = _scans(request)
            for number in range(1, len(document) + 1):
                if number in request["skip"] or number in request["have"]:
                    continue
                self.at(number, request["alarm_s"])
                batch.append(_try_page(document, number, labels, scans.get(number)))
                if len(batch) == FLUSH_PAGES or time.monotonic() - sent > FLUSH_S:
                    self.send("pages", pages=batch)
                    batch, sent = [], time.monotonic()
            self.send("pages", pages=batch)
            first = _first_lines(document, scans.get(1)) if 1 not in request["skip"] else []
            stated = (document.metadata or {}).get("title") or ""
            self.send("done", title=choose_title(stated, first), cut_short=_is_cut_short(request))

    def read(self, request: Json) -> None:
        """Send `regions` and `links` in batches, then `done`."""
        with _open(request) as document:
            outline = [OutlineEntry(*entry) for entry in read_outline(document)]
            state = LayoutState(outline=outline)
            numbers = [n for n in range(1, len(document) + 1) if n not in request["skip"]]
            scans = _scans(request)
            for start in range(0, len(numbers), CHUNK_PAGES):
                pages, links = [], []
                for number in numbers[start : start + CHUNK_PAGES]:
                    self.at(number, request["alarm_s"])
                    with contextlib.suppress(*PAGE_ERRORS):  # the text stage has told of it
                        page = document[number - 1]
                        words, lines = read_lines(page, number, _TEXT, scans.get(number))
                        pages.append(lines)
                        links += read_links(document, page, number, words)
                    self.alive()
                self.send_regions(read_chunk(pages, state), links, request, scans)
            self.send("done")

    def send_regions(
        self,
        chunk: list[tuple[PageLines, list[Block]]],
        links: list[Any],
        request: Json,
        scans: Mapping[int, PageScan],
    ) -> None:
        """Cut passages and send the regions of a chunk of pages."""
        lines = [line for page, _ in chunk for line in page.lines]
        vocabulary = whole_words(lines)
        # One call for all new words; a call for each sentence takes as long as the engine.
        self.counter.counts(list({word[4] for line in lines for word in line.words}))
        regions: list[Any] = []
        for page, blocks in chunk:
            self.at(page.number, request["alarm_s"])
            passages = cut_passages(blocks, request["title"], self.counter, vocabulary)
            made = region_fields(page, blocks, passages, vocabulary)
            regions += with_sources(made, page, scans.get(page.number))
            self.alive()
        self.send("regions", regions=regions, links=links)

    def alive(self) -> None:
        """Tell the parent now and then that pages get done."""
        if time.monotonic() - self.sent > FLUSH_S:
            self.send("alive")

    def crop(self, request: Json) -> None:
        """Send `picture`, then its bytes, RGB row by row."""
        document = self._cached(request)
        number = request["page"]
        if not 1 <= number <= len(document):
            raise PdfError("no pages", f"page {number} does not exist; it has {len(document)}")
        self.at(number, request["alarm_s"])
        page = document[number - 1]
        if request.get("as_scanned"):
            request["dpi"] = finest_dpi(page, request["box"], request["dpi"])
        cut = plan_cut(page.rect.width, page.rect.height, tuple(request["box"]), request)
        self.send("picture", **_picture(page, cut, self.link))

    def decrypt(self, request: Json) -> None:
        """Write a copy without encryption to `out`."""
        import resource  # noqa: PLC0415 - POSIX only

        most = 4 * Path(request["path"]).stat().st_size + FILE_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        with _open(request) as document:
            document.save(request["out"], encryption=pymupdf.PDF_ENCRYPT_NONE)
        self.send("done")

    def convert(self, request: Json) -> None:
        """Write the pages of a file that is no PDF to `out`."""
        path, out = Path(request["path"]), Path(request["out"])
        write_pdf(pymupdf, path, request["family"], out)
        self.send("done")

    def _cached(self, request: Json) -> Any:
        path = Path(request["path"])
        status = path.stat()
        key = (str(path), status.st_mtime_ns, status.st_size)
        document = self.documents.pop(key, None) or _open(request)
        self.documents[key] = document
        while len(self.documents) > OPEN_DOCUMENTS:
            self.documents.pop(next(iter(self.documents))).close()
        return document


def _open(request: Json) -> Any:
    """Open a PDF, or say why it cannot be read.

    Raises:
        PdfError: It is empty, no PDF, truncated, damaged, locked, or has no pages.
    """
    path = Path(request["path"])
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise PdfError("unreadable", error.strerror or str(error)) from error
    if not head.strip(b"\0\t\r\n "):
        raise PdfError("empty", "the file has no content")
    if b"%PDF-" not in head:  # the engine would take pictures and other books, too
        raise PdfError("not a PDF", f"it starts with {head[:8]!r}")
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (RuntimeError, ValueError) as error:
        raise _cannot_open(request) from error
    if not document.is_pdf:
        raise PdfError("not a PDF", "it only says that it is one")
    if document.needs_pass:
        password = request.get("password")
        if password is None:
            raise PdfError("encrypted", "it needs a password")
        if not document.authenticate(password):
            raise PdfError("encrypted", "the password is wrong")
    if not len(document):
        if document.is_repaired:
            raise _cannot_open(request)
        raise PdfError("no pages", "the file has none")
    return document


def _is_cut_short(request: Json) -> bool:
    """Tell whether the mark at the end of every PDF is missing."""
    with Path(request["path"]).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2048))
        return b"%%EOF" not in file.read()


def _cannot_open(request: Json) -> PdfError:
    if _is_cut_short(request):
        return PdfError("truncated", "its end is missing; fetch it again")
    return PdfError("damaged", "the engine finds no pages in it")


def _has_labels(document: Any) -> bool:
    try:
        return bool(document.get_page_labels())
    except PAGE_ERRORS:
        return False


def _scans(request: Json) -> dict[int, PageScan]:
    """Give what is known of the scanned pages of a request, by page."""
    scans = [from_message(values) for values in request["scans"]]
    return {scan.page: scan for scan in scans}


def _first_lines(document: Any, scan: PageScan | None) -> list[Line]:
    """Give the lines of page 1, for the title."""
    try:
        return read_lines(document[0], 1, _TEXT, scan)[1].lines
    except PAGE_ERRORS:
        return []


def _try_page(document: Any, number: int, labels: bool, scan: PageScan | None) -> tuple[Any, ...]:
    """Read one page; one that the engine refuses is damaged, and the others go on."""
    try:
        return _page_text(document, number, labels, scan)
    except PAGE_ERRORS as error:
        state = "memory" if _is_out_of_memory(error) else "damaged"
        return number, "", 0.0, 0.0, "", b"", [], None, state, []


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "alloc" in str(error)


def _page_text(document: Any, number: int, labels: bool, scan: PageScan | None) -> tuple[Any, ...]:
    """Read one page: the fields of `PageText`, its state, what may be its printed number."""
    pymupdf.TOOLS.reset_mupdf_warnings()
    page = document[number - 1]
    width, height = page.rect.width, page.rect.height
    label = read_label(page) if labels else ""
    found = read_words(page.get_textpage(flags=_TEXT), page)
    words = [] if is_garbage(found) else found
    state = "cut" if words and "zlib error" in pymupdf.TOOLS.mupdf_warnings() else ""
    if scan is not None:
        boxes = list(scan.boxes)
    elif words:
        boxes = picture_areas(page, words, _SMALL)
    else:
        state = _look_at_white(page)
        boxes = [FULL_PAGE] if state == "scanned" else []
    rows, turn = read_page_rows(merged(words, scan, width, height), (width, height), scan)
    edges = number_candidates(outermost_lines(rows))
    read = None
    if scan is not None and scan.areas is not None:
        for row in rows:
            row.words = turned_words(row.words, -turn % 360, turned_size((width, height), turn))
        displayed(rows, scan, width, height)
        turn = 0
        read = bytes(is_ocr(word) for row in rows for word in row.words)
    text, places = spell_rows(rows, width, height, turn)
    return number, label, width, height, text, places, boxes, read, state, edges


def _look_at_white(page: Any) -> str:
    """Tell a page without usable words: `damaged`, `scanned`, or blank."""
    picture = page.get_pixmap(matrix=_THUMBNAIL, alpha=False)
    pixels = picture.samples  # `is_unicolor` takes a second for a page
    white = pixels == pixels[:3] * (len(pixels) // 3)
    said = pymupdf.TOOLS.mupdf_warnings()
    broken = any(word in said for word in _BROKEN)
    # A picture that cannot be decoded may come out all black.
    if broken and (white or len(set(pixels)) <= 2):
        return "damaged"
    return "" if white else "scanned"


def _picture(page: Any, cut: Cut, link: Connection) -> Json:
    clip = pymupdf.Rect(*cut.clip_pt)
    picture = page.get_pixmap(
        matrix=pymupdf.Matrix(cut.zoom, cut.zoom), clip=clip, alpha=False, colorspace=pymupdf.csRGB
    )
    pixels = bytes(picture.samples_mv)
    size = {"width": picture.width, "height": picture.height}
    return {**size, "pixels": pixels, "dpi": 72 * cut.zoom}


def _limit(memory_mb: int) -> None:
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, resource.RLIM_INFINITY))
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        now = int(lines["VmSize"].split()[0]) * 1024
        limit = now + memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Serve the parent over the socket named on the command line."""
    fd, position, memory_mb = map(int, sys.argv[1:4])
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    _limit(memory_mb)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Worker(Connection(fd), position, sys.argv[4]).serve()


if __name__ == "__main__":
    main()
