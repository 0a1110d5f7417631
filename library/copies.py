"""The library's own copy of each file: what is indexed is what was hashed, and pages come from it.

1. A file is hashed while it is copied. One that is no PDF is then made into one, so that its pages
   stay as they are; an encrypted one, with its password, into one without encryption.
2. The bytes of such a made copy are not the file's: their own sum is kept beside it, in `.sum`.

Not covered: a made copy that is lost and made again, by another release of the engine or of
LibreOffice, may set its lines otherwise than the boxes say that were stored before.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pagehop.errors import PdfError
from pagehop.library.tables import StoredDocument
from pagehop.reading.formats import HEAD_BYTES, Format, identify
from pagehop.reading.pdf_pool import PdfPool

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Copied:
    """A copy that was made."""

    id: str
    """sha256 of its bytes, hex."""
    format: Format


def copy_path(folder: Path, document_id: str) -> Path:
    """Return where the library keeps its copy of a file."""
    return folder / "sources" / f"{document_id}.pdf"


def copy_hashed(source: Path, target: Path) -> Copied:
    """Copy a file and say what was copied.

    Raises:
        PdfError: It cannot be read, is empty, or is of no format that is read.
        OSError: The copy cannot be written.
    """
    digest, format = sha256(), None
    try:
        file = source.open("rb")
    except OSError as error:
        nowhere = source.is_symlink() and not source.exists()
        why = "its link leads nowhere" if nowhere else error.strerror or str(error)
        raise PdfError("unreadable", why) from error
    with file, target.open("wb") as copy:
        while chunk := _read(file):
            format = format or identify(source.name, chunk[:HEAD_BYTES])
            digest.update(chunk)
            copy.write(chunk)
    if format is None:
        raise PdfError("empty", "the file has no content")
    return Copied(digest.hexdigest(), format)


def open_up(
    part: Path, copied: Copied, pool: PdfPool, password: str | None, check: Callable[[], None]
) -> bool:
    """Make a PDF that needs no password of a copy; says whether its bytes are others now.

    Args:
        part: The copy.
        copied: What it is.
        pool: Workers that read files.
        password: Tried on an encrypted PDF; None leaves it as it is.
        check: Called while it takes long; what it raises ends it.

    Raises:
        PdfError: It cannot be read, or the password is wrong.
    """
    made = part.with_suffix(".made")
    try:
        if copied.format.family != "pdf":
            pool.convert(part, copied.format, made, check)
        elif password is not None and b"/Encrypt" in part.read_bytes():
            pool.decrypt(part, password, made)
        else:
            return False
        made.replace(part)
    finally:
        made.unlink(missing_ok=True)
    return True


def keep_copy(part: Path, path: Path, *, made: bool) -> None:
    """Put a copy in its place, with its sum where its bytes are not the file's."""
    sums = path.with_suffix(".sum")
    if made:
        sums.write_text(sha256(part.read_bytes()).hexdigest())
    else:
        sums.unlink(missing_ok=True)
    part.replace(path)


def restore_copy(folder: Path, document: StoredDocument, pool: PdfPool) -> bool:
    """Copy a document's file again, if it is still what was added."""
    for source in document.sources:
        part = folder / "sources" / f".{document.id}.part"
        try:
            copied = copy_hashed(Path(source.path), part)
            if copied.id == document.id:
                made = open_up(part, copied, pool, None, lambda: None)
                keep_copy(part, copy_path(folder, document.id), made=made)
                return True
        except PdfError:
            continue
        finally:
            part.unlink(missing_ok=True)
    return False


def is_whole(folder: Path, document: StoredDocument) -> bool:
    """Tell whether the copy of a document is there and has the bytes it had."""
    path = copy_path(folder, document.id)
    try:
        content = path.read_bytes()
    except OSError:
        return False
    found = sha256(content).hexdigest()
    if found == document.id or not document.decrypted:
        return found == document.id
    try:
        return path.with_suffix(".sum").read_text() == found
    except OSError:  # made by a release that kept no sums
        return b"%PDF-" in content[:1024]


def clean_copies(folder: Path, documents: Collection[str], kept: timedelta) -> None:
    """Remove half-made copies, and copies of documents that left the library long ago.

    Args:
        folder: Where the copies are.
        documents: Ids of all documents in the library.
        kept: How long older versions of the library may still need a copy.
    """
    for path in folder.glob("*") if folder.exists() else ():
        if path.name.startswith("."):
            path.unlink(missing_ok=True)
        elif path.suffix == ".pdf":
            _clean_copy(path, path.stem in documents, kept)


def _clean_copy(path: Path, needed: bool, kept: timedelta) -> None:
    left = path.with_suffix(".left")  # its time says when the document was first missed
    if needed:
        left.unlink(missing_ok=True)
    elif not left.exists():
        left.touch()
    elif left.stat().st_mtime < time.time() - kept.total_seconds():
        for gone in (path, path.with_suffix(".ocr"), path.with_suffix(".sum"), left):
            gone.unlink(missing_ok=True)


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise PdfError("unreadable", error.strerror or str(error)) from error
