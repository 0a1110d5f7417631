"""Bounds on what ZIP files may unpack to, checked before anything unpacks one.

E-books, comics, XPS and Office files are ZIP files. A few kilobytes can say that they hold
terabytes; the directory at the end of the file tells how much, without unpacking.

Not covered: a directory that lies. What reads the parts has limits on memory and time of its own.
"""

import zipfile
from pathlib import Path

from pagehop.errors import PdfError

MAX_BYTES = 2**30
MAX_PARTS = 20_000
_FONTS_ONLY = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")


def check_archive(path: Path) -> None:
    """Refuse a ZIP file that is damaged, locked, or unpacks to too much.

    Raises:
        PdfError: It is one of these.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise PdfError("too large", f"it has {len(parts)} parts, and {MAX_PARTS} are most")
            size = sum(part.file_size for part in parts)
            if size > MAX_BYTES:
                raise PdfError(
                    "too large",
                    f"it unpacks to {size / 2**20:,.0f} MB, and {MAX_BYTES / 2**20:,.0f} are most",
                )
            if any(part.flag_bits & 1 for part in parts) or _is_locked(archive):
                raise PdfError("encrypted", "it is locked; save it without its protection")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError, NotImplementedError):
        raise PdfError("damaged", "its parts cannot be listed; it may be cut short") from None


def _is_locked(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    if "META-INF/rights.xml" in names:
        return True
    book, office = "META-INF/encryption.xml", "META-INF/manifest.xml"
    if book in names:
        methods = _part(archive, book).count(b"EncryptionMethod ")
        scrambled = sum(_part(archive, book).count(kind) for kind in _FONTS_ONLY)
        return methods > scrambled
    return office in names and b"manifest:encryption-data" in _part(archive, office)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(2**20)
