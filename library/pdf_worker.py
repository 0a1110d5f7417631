"""The process that reads PDFs: the only file that imports the PDF engine.

Started by `pdf_pool` as `python -P -m pagehop.library.pdf_worker SOCKET POSITION MEMORY_MB`; takes
requests and gives answers as msgpack over the socket, so that nothing unpickles what a hostile file
made this process say. Before each page it writes the page number into the position file: when the
process hangs or dies, that is the page at fault.

Limits: address space, file size, no core dump, and an alarm that ends an orphan stuck in the engine.
"""

import contextlib
import os
import signal
import struct
import sys
import time
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
from pagehop.library.reading_order import RawWord, Row, read_rows  # noqa: E402
from pagehop.library.render import Cut, plan_cut  # noqa: E402

FLUSH_PAGES = 24
FLUSH_S = 0.2
OPEN_DOCUMENTS = 4

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

    def __init__(self, link: Connection, position: int) -> None:
        self.link = link
        self.position = position
        self.documents: dict[tuple[str, int, int], Any] = {}
        """Open documents of the crop requests, oldest first."""

    def send(self, kind: str, **body: object) -> None:
        """Send one message; the alarm is off meanwhile, as a slow parent is no fault of the page."""
        signal.alarm(0)
        self.link.send_bytes(ormsgpack.packb({"kind": kind, **body}))

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
            self.send("open", pages=len(document), **_about(document))
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
        """Send `regions` a page at a time, then `done`."""
        with _open(request) as document:
            for number in range(1, len(document) + 1):
                if number in request["skip"]:
                    continue
                self.at(number, request["alarm_s"])
                page = document[number - 1]
                rows = read_rows(_words(page.get_textpage(flags=_TEXT), page), page.rect.width)
                self.send(
                    "regions", regions=_simple(rows, number, page, request["title"]), links=[]
                )
            self.send("done")

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


def _about(document: Any) -> Json:
    outline = []
    with contextlib.suppress(RuntimeError, ValueError):
        outline = [
            (level, " ".join(title.split()), page)
            for level, title, page in document.get_toc(simple=True)
            if 1 <= page <= len(document) and title.strip()
        ]
    return {"title": (document.metadata or {}).get("title") or "", "outline": outline}


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


def _simple(rows: list[Row], number: int, page: Any, title: str) -> list[Any]:
    blocks: list[list[Row]] = []
    for row in rows:
        top, bottom = min(w[1] for w in row.words), max(w[3] for w in row.words)
        last = blocks[-1][-1] if blocks else None
        gap = top - max(w[3] for w in last.words) if last else 0
        if last and last.column == row.column and -5 < gap < 0.6 * (bottom - top):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    out: list[Any] = []
    for order, block in enumerate(blocks):
        words = [w for row in block for w in row.words]
        text = "\n".join(" ".join(w[4] for w in row.words) for row in block)
        w, h = page.rect.width, page.rect.height
        box = [min(a[0] for a in words) / w, min(a[1] for a in words) / h]
        box += [max(a[2] for a in words) / w, max(a[3] for a in words) / h]
        out.append([number, order, "text", text, "", -1, "", "", box])
    for order, region in enumerate(list(out)):
        full = f"{title}\n{region[3]}"
        out.append(
            [number, len(blocks) + order, "passage", region[3], full, order, "text", "", region[8]]
        )
    return out


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
    fd, position, memory_mb = map(int, sys.argv[1:4])  # sys.argv[4]: tokenizer
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    _limit(memory_mb)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Worker(Connection(fd), position).serve()


if __name__ == "__main__":
    main()
