"""The process that reads PDFs: the only file that imports the PDF engine.

Started by `pdf_pool` as `python -P -m pagehop.library.pdf_worker SOCKET POSITION MEMORY_MB`; takes
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
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# The engine imports its layout model (0.6 s, 400 MB of address space), which is not used here.
sys.modules["pymupdf.layout"] = None  # type: ignore[assignment]
sys.modules["pymupdf4llm"] = None  # type: ignore[assignment]

import numpy as np  # noqa: E402
import ormsgpack  # noqa: E402
import pymupdf  # noqa: E402

from pagehop.errors import PdfError  # noqa: E402
from pagehop.library.layout import Block, LayoutState, read_chunk  # noqa: E402
from pagehop.library.page_lines import PageLines, Style, page_lines, whole_words  # noqa: E402
from pagehop.library.passages import (  # noqa: E402
    TokenCounter,
    cut_passages,
    fractions,
    region_fields,
)
from pagehop.library.reading_order import RawWord, Row, read_rows  # noqa: E402
from pagehop.library.render import Cut, plan_cut  # noqa: E402
from pagehop.types import OutlineEntry  # noqa: E402

FLUSH_PAGES = 24
FLUSH_S = 0.2
OPEN_DOCUMENTS = 4
CHUNK_PAGES = 64
MAX_LINKS = 300
"""Internal links of one page; more are an index or a forgery."""

_TEXT = (
    pymupdf.TEXT_MEDIABOX_CLIP
    | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
    | pymupdf.TEXT_PRESERVE_WHITESPACE
)  # no TEXT_PRESERVE_LIGATURES: search and quotes want plain letters
_SPACES = "\u0085\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""Further characters that part words, so that `str.split` agrees with the boxes."""
_BROKEN = ("zlib error", "read error", "cannot decode", "syntax error", "cannot find", "corrupt")

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
            except MemoryError:
                self.send("error", reason="memory", detail="")
            except Exception as error:
                detail = f"{type(error).__name__}: {error}"
                out_of_memory = "malloc" in detail or "calloc" in detail
                self.send("error", reason="memory" if out_of_memory else "damaged", detail=detail)
            signal.alarm(0)

    def text(self, request: Json) -> None:
        """Send `open`, then `pages` in batches, then `done`."""
        with _open(request) as document:
            self.send("open", pages=len(document), title="", outline=_outline(document))
            batch: list[Any] = []
            sent = time.monotonic()
            labels = bool(document.get_page_labels())
            for number in range(1, len(document) + 1):
                if number in request["skip"]:
                    continue
                self.at(number, request["alarm_s"])
                batch.append(_page_text(document, number, labels))
                if len(batch) == FLUSH_PAGES or time.monotonic() - sent > FLUSH_S:
                    self.send("pages", pages=batch)
                    batch, sent = [], time.monotonic()
            self.send("pages", pages=batch)
            self.send("done", repaired=bool(document.is_repaired))

    def read(self, request: Json) -> None:
        """Send `regions` and `links` in batches, then `done`."""
        with _open(request) as document:
            outline = [OutlineEntry(*entry) for entry in _outline(document)]
            state = LayoutState(outline=outline)
            numbers = [n for n in range(1, len(document) + 1) if n not in request["skip"]]
            for start in range(0, len(numbers), CHUNK_PAGES):
                pages, links = [], []
                for number in numbers[start : start + CHUNK_PAGES]:
                    self.at(number, request["alarm_s"])
                    page = document[number - 1]
                    words, lines = _lines(page, number)
                    pages.append(lines)
                    links += _links(document, page, number, words)
                    self.alive()
                self.send_regions(read_chunk(pages, state), links, request)
            self.send("done")

    def send_regions(
        self, chunk: list[tuple[PageLines, list[Block]]], links: list[Any], request: Json
    ) -> None:
        """Cut passages and send the regions of a chunk of pages."""
        vocabulary = whole_words(line for page, _ in chunk for line in page.lines)
        regions: list[Any] = []
        for page, blocks in chunk:
            self.at(page.number, request["alarm_s"])
            passages = cut_passages(blocks, request["title"], self.counter, vocabulary)
            regions += region_fields(page, blocks, passages, vocabulary)
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
        cut = plan_cut(page.rect.width, page.rect.height, tuple(request["box"]), request)
        self.send("picture", **_picture(page, cut, self.link))

    def decrypt(self, request: Json) -> None:
        """Write a copy without encryption to `out`."""
        with _open(request) as document:
            document.save(request["out"], encryption=pymupdf.PDF_ENCRYPT_NONE)
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
    """Open a file, or say why it cannot be read.

    Raises:
        PdfError: It is empty, no PDF, truncated, damaged, locked, or has no pages.
    """
    path = Path(request["path"])
    try:
        with path.open("rb") as file:
            head = file.read(1024)
            file.seek(max(0, path.stat().st_size - 2048))
            tail = file.read()
    except OSError as error:
        raise PdfError("unreadable", error.strerror or str(error)) from error
    if not head.strip(b"\0\t\r\n "):
        raise PdfError("empty", "the file has no content")
    cut_short = b"%%EOF" not in tail
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (RuntimeError, ValueError) as error:
        raise _cannot_open(head, cut_short) from error
    if document.needs_pass:
        password = request.get("password")
        if password is None:
            raise PdfError("encrypted", "it needs a password")
        if not document.authenticate(password):
            raise PdfError("encrypted", "the password is wrong")
    if not len(document):
        raise _cannot_open(head, cut_short) if document.is_repaired else PdfError("no pages", "")
    return document


def _cannot_open(head: bytes, cut_short: bool) -> PdfError:
    if b"%PDF-" not in head:
        return PdfError("not a PDF", f"it starts with {head[:8]!r}")
    if cut_short:
        return PdfError("truncated", "its end is missing; fetch it again")
    return PdfError("damaged", "the engine finds no pages in it")


def _outline(document: Any) -> list[tuple[int, str, int]]:
    """Give level, title and page of each entry that leads to a page."""
    try:
        entries = document.get_toc(simple=True)
    except (RuntimeError, ValueError):
        return []
    return [
        (level, " ".join(title.split()), page)
        for level, title, page in entries
        if 1 <= page <= len(document) and title.strip()
    ]


def _words(textpage: Any, page: Any) -> list[RawWord]:
    """Give the words of a page, boxes in points of the page as displayed."""
    words: list[RawWord] = textpage.extractWORDS(_SPACES)
    if page.rotation:
        turn = page.rotation_matrix
        words = [(*(pymupdf.Rect(w[:4]) * turn).normalize(), *w[4:]) for w in words]
    return words


def _page_text(document: Any, number: int, labels: bool) -> tuple[Any, ...]:
    """Read one page: number, label, width, height, text, boxes, damaged, scanned."""
    pymupdf.TOOLS.reset_mupdf_warnings()
    page = document[number - 1]
    width, height = page.rect.width, page.rect.height
    rows = read_rows(_words(page.get_textpage(flags=_TEXT), page), width)
    label = page.get_label() if labels else ""
    if not rows:
        return (number, label, width, height, "", b"", *_look_at_white(page))
    text, boxes = _spell(rows, width, height)
    return number, label, width, height, text, boxes, False, False


def _spell(rows: list[Row], width_pt: float, height_pt: float) -> tuple[str, bytes]:
    """Join rows to text, and their boxes to (n_words, 4) uint16 bytes."""
    text = "\n".join([" ".join([w[4] for w in row.words]) for row in rows])
    boxes = np.array([w[:4] for row in rows for w in row.words])  # (n_words, 4)
    boxes *= 65535 / np.array([width_pt, height_pt, width_pt, height_pt])
    return text, boxes.round().clip(0, 65535).astype(np.uint16).tobytes()


def _lines(page: Any, number: int) -> tuple[list[RawWord], PageLines]:
    """Read words and their type from one pass over the page."""
    textpage = page.get_textpage(flags=_TEXT)
    words = _words(textpage, page)
    styles = {
        (block["number"], i): _style(line["spans"])
        for block in textpage.extractDICT()["blocks"]
        for i, line in enumerate(block["lines"])
    }
    size = page.rect.width, page.rect.height
    return words, page_lines(number, size, read_rows(words, size[0]), styles)


def _style(spans: list[Json]) -> Style:
    """Give size, bold, italic of a line; the size of its capitals when it is set in small ones."""
    if len(spans) == 1:
        return (round(spans[0]["size"], 1), *_weight(spans[0]))
    letters = [len(span["text"].strip()) for span in spans]
    enough = 0.08 * sum(letters)
    sizes: dict[float, int] = {}
    for span, count in zip(spans, letters, strict=True):
        size = round(span["size"], 1)
        sizes[size] = sizes.get(size, 0) + count
    size = max([size for size, count in sizes.items() if count >= enough] or [0.0])
    return (size, *_weight(spans[letters.index(max(letters))]))


def _weight(span: Json) -> tuple[bool, bool]:
    font, flags = span["font"].lower(), span["flags"]
    bold = bool(flags & pymupdf.TEXT_FONT_BOLD) or "bold" in font or "black" in font
    return bold, bool(flags & pymupdf.TEXT_FONT_ITALIC) or "italic" in font or "oblique" in font


def _links(document: Any, page: Any, number: int, words: list[RawWord]) -> list[Any]:
    """Give internal links: page, box, target page, the words under it."""
    width, height = page.rect.width, page.rect.height
    found: list[Any] = []
    link = page.first_link
    while link is not None and len(found) < MAX_LINKS:
        if (link.uri or "").startswith("#"):
            target = _target(document, link.uri)
            x0, y0, x1, y1 = link.rect
            under = [
                w[4]
                for w in words
                if x0 <= (w[0] + w[2]) / 2 <= x1 and y0 <= (w[1] + w[3]) / 2 <= y1
            ]
            if 1 <= target <= len(document) and under:
                box = fractions((x0, y0, x1, y1), width, height)
                found.append((number, box, target, " ".join(under)))
        link = link.next
    return found


def _target(document: Any, uri: str) -> int:
    try:
        target = document.resolve_link(uri)
    except (RuntimeError, ValueError):
        return 0
    page = target[0] if isinstance(target, tuple) else -1
    return int(page) + 1 if isinstance(page, int) else 0


def _look_at_white(page: Any) -> tuple[bool, bool]:
    """Tell a page without words: damaged, or a scan; a blank one is neither."""
    picture = page.get_pixmap(matrix=pymupdf.Matrix(0.2, 0.2), alpha=False)
    if not picture.is_unicolor:
        return False, True
    said = pymupdf.TOOLS.mupdf_warnings()
    return any(word in said for word in _BROKEN), False


def _picture(page: Any, cut: Cut, link: Connection) -> Json:
    clip = pymupdf.Rect(*cut.clip_pt)
    picture = page.get_pixmap(
        matrix=pymupdf.Matrix(cut.zoom, cut.zoom), clip=clip, alpha=False, colorspace=pymupdf.csRGB
    )
    return {"width": picture.width, "height": picture.height, "pixels": bytes(picture.samples_mv)}


def _limit(memory_mb: int) -> None:
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
