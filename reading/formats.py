"""Which files can be read: by the suffix of the name, held against the first bytes.

A name that says one thing over bytes that say another is refused with both, so that nobody cites a
file as something that it is not. Pictures may be named as each other. All but PDFs are made into
one when they are added (`pdf_convert.py`, `office.py`): their pages then stay as they are.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from pagehop.errors import PdfError

Family = Literal["pdf", "image", "epub", "xps", "cbz", "text", "markdown", "html", "office"]

HEAD_BYTES = 4096
_SUFFIXES: dict[Family, tuple[str, ...]] = {
    "pdf": (".pdf",),
    "image": (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif"),
    "epub": (".epub",),
    "xps": (".xps", ".oxps"),
    "cbz": (".cbz",),
    "text": (".txt", ".text"),
    "markdown": (".md", ".markdown"),
    "html": (".html", ".htm", ".xhtml"),
    "office": (
        ".docx", ".docm", ".doc", ".odt", ".rtf",
        ".xlsx", ".xlsm", ".xls", ".ods",
        ".pptx", ".pptm", ".ppt", ".odp",
    ),
}  # fmt: skip
_SET_BY_THE_ENGINE: tuple[Family, ...] = ("epub", "text", "markdown", "html")
_JOINED = re.compile(r"[\u0600-\u06ff\u0750-\u077f\u0900-\u0dff\ufb50-\ufdff\ufe70-\ufefc]")
"""Letters of scripts that are joined or change places: Arabic, Devanagari to Sinhala."""
_BY_SUFFIX = {suffix: family for family, suffixes in _SUFFIXES.items() for suffix in suffixes}
READABLE = "PDF, PNG, JPEG, TIFF, BMP, GIF, EPUB, XPS, CBZ, text, Markdown, HTML or Office"

_ZIP = "a ZIP or Office file"
_MAGIC = (
    (b"PK\x03\x04", _ZIP),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF text"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Format:
    """How a file is read."""

    family: Family
    suffix: str
    """Of its name, in small letters; empty when it has none."""


def is_readable(name: str) -> bool:
    """Tell whether a file in a folder is taken: by its name, and not what open programs leave."""
    return not name.startswith((".", "~$")) and PurePath(name).suffix.lower() in _BY_SUFFIX


def spelling_warnings(name: str, pages: Iterable[str]) -> list[str]:
    """Say that words of a file come out wrong, where the engine has set and joined its letters.

    Args:
        name: Its end says what the file is.
        pages: What was read on the pages made of it.
    """
    family = _BY_SUFFIX.get(PurePath(name).suffix.lower())
    if family not in _SET_BY_THE_ENGINE or not any(map(_JOINED.search, pages)):
        return []
    return [
        "words of Arabic or Indian scripts are not read rightly from this format, so most of them "
        "cannot be found or quoted; save it as PDF and add that"
    ]


def identify(name: str, head: bytes) -> Format:
    """Say what a file is.

    Args:
        name: Of the file; one with an unknown suffix goes by its bytes.
        head: Its first `HEAD_BYTES`.

    Raises:
        PdfError: It is none of the formats, or not what its name says.
    """
    suffix = PurePath(name).suffix.lower()
    seen = _seen(head)
    family = _BY_SUFFIX.get(suffix) or _family_of(seen)
    if family is None:
        raise PdfError("unknown format", f"it looks like {seen}, not like {READABLE}")
    if not head.strip(b"\0\t\r\n "):
        raise PdfError("not a PDF" if family == "pdf" else "empty", "it holds only blanks")
    if not _fits(family, seen):
        if family == "pdf":
            raise PdfError("not a PDF", f"it looks like {seen}")
        raise PdfError("renamed", f"its name says {suffix}, but it looks like {seen}")
    return Format(family, suffix)


def _seen(head: bytes) -> str:
    """Say what the bytes look like."""
    if b"%PDF-" in head[:1024]:
        return "a PDF"
    start = head.lstrip().lower()
    for magic, name in _MAGIC:
        if start.startswith(magic.lower()) and not (magic == b"BM" and b"\0" not in head):
            return name
    if head.startswith(_WIDE) or b"\0" not in head:
        return "text"
    return "binary data"


def _family_of(seen: str) -> Family | None:
    if seen.endswith("picture"):
        return "image"
    known: dict[str, Family] = {"a PDF": "pdf", "a web page": "html", "text": "text"}
    return known.get(seen)


def _fits(family: Family, seen: str) -> bool:
    match family:
        case "pdf":
            return seen == "a PDF"
        case "image":
            return seen.endswith("picture")
        case "epub" | "xps" | "cbz":
            return seen == _ZIP
        case "office":
            return seen in (_ZIP, "an old Office file", "an RTF text")
    return seen in ("text", "a web page", "an RTF text")
