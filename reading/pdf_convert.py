"""Makes a PDF of every other format, so that all that follows knows one kind of page.

1. The size of a page, its margins and type are fixed here: text that flows gets the same pages on
   every machine, and the copy in the library keeps them.
2. Web pages, Markdown and text are handed to the engine as bytes without a folder: it can open no
   file beside them and has no network. An e-book can open what is inside it only.
3. A picture becomes a page without text, which is a scan like any other.

Imports no engine: `pdf_worker` hands it in. Not covered: scripts and forms of web pages.
"""

import codecs
import html
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from pagehop.errors import PdfError
from pagehop.reading.archives import check_archive
from pagehop.reading.formats import Family

PAGE_PT = (595.0, 842.0)
BODY_PT = 11.0
PLAIN_PT = 10.0
LINE_CHARS = 84
"""Of plain text that surely fit on one line; longer words are cut there."""
CHUNK_CHARS = 60_000
"""Plain text is set in pieces, as the engine slows down with the length of one."""
MAX_TEXT_BYTES = 24 * 2**20
MAX_MARKUP_BYTES = 6 * 2**20
"""The engine sets a web page at once, with some 60 bytes of memory for each of its own."""
MAX_PAGES = 5_000
FILE_BYTES = 2**28
MAX_PICTURE_PIXELS = 200_000_000
"""Three bytes each are what a worker of the default size can still unpack."""
USUAL_PT = (150.0, 1500.0)
"""Longer side of a picture whose resolution is believed; others get `PICTURE_PT`."""
PICTURE_PT = 792.0

_STYLE = "<style>pre{white-space:pre-wrap}*{overflow-wrap:break-word}</style>"
_LONG_WORD = re.compile(rf"\S{{{LINE_CHARS}}}(?=\S)")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_INSIDE = re.compile(r"\bsrc\s*=\s*[\"']?\s*data:", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ENGINE_TYPES = {b"\x89PNG": "png", b"GIF8": "gif", b"II*\0": "tiff", b"MM\0*": "tiff"}


def write_pdf(engine: Any, path: Path, family: Family, out: Path) -> None:
    """Write the pages of a file to `out`, within a limit that goes by the size of the file.

    Raises:
        PdfError: The file is too large, locked, damaged, or has no pages.
    """
    import resource  # noqa: PLC0415 - POSIX only

    most = 8 * path.stat().st_size + FILE_BYTES
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        with convert(engine, path, family) as document:
            document.save(out, garbage=3, deflate=True)
    except engine.mupdf.FzErrorBase as error:
        if "alloc" in str(error):
            raise  # the worker knows what to say of that
        words = re.sub(r"^code=\d+: ", "", str(error))
        raise PdfError("damaged", f"the engine cannot read it: {words}") from error


def convert(engine: Any, path: Path, family: Family) -> Any:
    """Return the pages of a file as an open PDF.

    Args:
        engine: PyMuPDF.
        path: The file; its name says nothing.
        family: What it is; neither `pdf` nor `office`.

    Raises:
        PdfError: The file is too large, locked, damaged, or has no pages.
    """
    if family in ("epub", "xps", "cbz"):
        check_archive(path)
    if family in ("image", "cbz"):
        return engine.open("pdf", _pictures(engine, _open(engine, path, family)))
    out = engine.open()
    if family == "text":
        for chunk in _chunks(decode(_read(path, MAX_TEXT_BYTES))):
            _append(engine, out, _flow(engine, chunk, "txt", PLAIN_PT))
    elif family in ("html", "markdown"):
        _append(engine, out, _flow(engine, _markup(path, family), "html", BODY_PT))
    else:
        _append(engine, out, _open(engine, path, family))
    if not len(out):
        raise PdfError("blank", "it has no text")
    out.subset_fonts(fallback=False)  # whole fonts of Chinese are 2 MB a file
    return out


def decode(content: bytes) -> str:
    """Read text as what it says it is, else as UTF-8, else as Windows' Latin, which takes all."""
    if content.startswith(codecs.BOM_UTF8):
        return content[3:].decode("utf-8", errors="replace")
    if content.startswith(_WIDE):
        return content.decode("utf-16", errors="replace")
    stated = _CHARSET.search(content[:2048]) if content.lstrip()[:1] == b"<" else None
    for name in ([stated[1].decode()] if stated else []) + ["utf-8", "cp1252"]:
        try:
            return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("latin-1")


def _read(path: Path, most: int) -> bytes:
    size = path.stat().st_size
    if size > most:
        raise PdfError(
            "too large",
            f"it has {size / 2**20:.0f} MB of text and {most / 2**20:.0f} are the most; split it",
        )
    return path.read_bytes()


def _chunks(text: str) -> Iterator[str]:
    """Cut at form feeds, and at line ends where a piece gets long."""
    text = re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd")
    for page in text.split("\f"):
        while len(page) > CHUNK_CHARS:
            cut = page.rfind("\n", 0, CHUNK_CHARS) + 1 or CHUNK_CHARS
            yield _LONG_WORD.sub(_broken, page[:cut])
            page = page[cut:]
        if page.strip():
            yield _LONG_WORD.sub(_broken, page)


def _broken(word: re.Match[str]) -> str:
    return word[0] + "\n"


def _markup(path: Path, family: Family) -> str:
    text = decode(_read(path, MAX_MARKUP_BYTES))
    if family == "markdown":
        from markdown_it import MarkdownIt  # noqa: PLC0415 - few libraries hold Markdown

        text = re.sub(r"\A---\n.*?\n(?:---|\.\.\.)\n", "", text, flags=re.DOTALL)
        return _STYLE + _PICTURE.sub(
            _in_words, MarkdownIt("commonmark").enable("table").render(text)
        )
    text = _PICTURE.sub(_in_words, re.sub(r"^\s*<\?xml[^>]*>", "", text))
    head = re.search(r"<head[^>]*>", text, re.IGNORECASE)
    at = head.end() if head else 0
    return text[:at] + _STYLE + text[at:]


def _in_words(picture: re.Match[str]) -> str:
    """Replace a picture that is not inside the file by the words that stand for it."""
    if _INSIDE.search(picture[0]):
        return picture[0]
    alt = _ALT.search(picture[0])
    return html.escape(html.unescape(alt[1] or alt[2] or "")) if alt else ""


def _flow(engine: Any, text: str, kind: str, size_pt: float) -> Any:
    content = codecs.BOM_UTF8 + text.encode("utf-8", "replace")
    document = engine.open(stream=content, filetype=kind)
    document.layout(width=PAGE_PT[0], height=PAGE_PT[1], fontsize=size_pt)
    return document


def _open(engine: Any, path: Path, family: Family) -> Any:
    kind: str = family
    if family == "image":
        with path.open("rb") as file:
            head = file.read(4)
        kind = _ENGINE_TYPES.get(head, "bmp" if head.startswith(b"BM") else "jpeg")
    try:
        document = engine.open(path, filetype=kind)
        if document.is_reflowable:
            document.layout(width=PAGE_PT[0], height=PAGE_PT[1], fontsize=BODY_PT)
        count = len(document)
    except (RuntimeError, ValueError) as error:
        raise PdfError("damaged", f"the engine cannot open it: {error}") from error
    if not count:
        raise PdfError("no pages", "the file has none")
    return document


def _append(engine: Any, out: Any, source: Any) -> None:
    """Add pages that hold text, with the document's title and outline."""
    before = len(out)
    if before + len(source) > MAX_PAGES:
        raise PdfError("too large", f"it has over {MAX_PAGES:,} pages; split it")
    outline = source.get_toc(simple=True)
    title = (source.metadata or {}).get("title") or ""
    out.insert_pdf(engine.open("pdf", source.convert_to_pdf()))
    level, entries = 0, []
    for depth, words, page in outline:
        if page >= 1:
            level = max(1, min(depth, level + 1))  # a level left out is an error to the engine
            entries.append([level, words, before + page])
    if entries and not before:
        out.set_toc(entries)
    if title and not before:
        out.set_metadata({"title": title})


def _pictures(engine: Any, source: Any) -> bytes:
    """Write each picture as a page of a usual size; JPEGs keep their bytes."""
    if len(source) > MAX_PAGES:
        raise PdfError("too large", f"it has {len(source):,} pictures; {MAX_PAGES:,} are the most")
    made = BytesIO()
    writer = engine.DocumentWriter(made)
    for number, page in enumerate(source, 1):
        _check_size(page, number)
        width, height = page.rect.width, page.rect.height
        longer = max(width, height)
        scale = 1.0 if USUAL_PT[0] <= longer <= USUAL_PT[1] else PICTURE_PT / longer
        sheet = engine.Rect(0, 0, max(1.0, width * scale), max(1.0, height * scale))
        device = writer.begin_page(sheet)
        # `page.run` fails in PyMuPDF 2.0: its device has another name there.
        engine.mupdf.fz_run_page(
            page.this, device.this, engine.mupdf.FzMatrix(scale, 0, 0, scale, 0, 0),
            engine.mupdf.FzCookie(),
        )  # fmt: skip
        writer.end_page()
    writer.close()
    return made.getvalue()


def _check_size(page: Any, number: int) -> None:
    for picture in page.get_image_info():
        if picture["width"] * picture["height"] > MAX_PICTURE_PIXELS:
            raise PdfError(
                "too large",
                f"picture {number} has {picture['width']:,} x {picture['height']:,} pixels, and "
                f"{MAX_PICTURE_PIXELS // 10**6} million are the most",
            )
