"""Byte codes of page vectors, a file a document, mapped into memory by searches.

1. The Lance table is what holds; these files are made from it (a quarter to half of its size), so
   that a search reads what it compares and nothing else, and memory stays small.
2. A file is named by encoder and document and holds all pages of it, so it never changes and may be
   shared by all versions and views; a document that is not wholly encoded has none.
3. A file that is missing or cut short is as if it were not there: the search reads the table, and
   the next `add` makes it again.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np

from pagehop.library.disk import replace_file, writing
from pagehop.models.maxsim import Codes

FOLDER = "page_codes"
_MAGIC = b"PHCODES1"
_ALIGNED = 64


def codes_path(folder: Path, encoder: str, document: str) -> Path:
    """Return where the codes of a document are kept."""
    return folder / FOLDER / encoder / f"{document}.codes"


def write_codes(path: Path, codes: Codes) -> None:
    """Write the codes of a document.

    Raises:
        LibraryError: The folder is read-only or the disk is full.
    """
    head = np.array([len(codes.pages), codes.values.shape[1]], np.int32).tobytes()
    head = _MAGIC + head + np.array([codes.scale], np.float64).tobytes()
    head += codes.pages.tobytes() + codes.counts.tobytes()
    head += bytes(-len(head) % _ALIGNED)
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, head + codes.values.tobytes())


def read_codes(path: Path) -> Codes | None:
    """Map the codes of a document into memory; None when they are not there or not whole."""
    try:
        with path.open("rb") as file:
            start = file.read(24)
            n, dim = (int(value) for value in np.frombuffer(start[8:16], np.int32))
            if not start.startswith(_MAGIC) or n < 1 or dim < 1:
                return None
            scale = float(np.frombuffer(start[16:24], np.float64)[0])
            pages, counts = np.frombuffer(file.read(8 * n), np.int32).reshape(2, n)
            offset = 24 + 8 * n
            offset += -offset % _ALIGNED
            total = int(counts.sum())
            if path.stat().st_size != offset + total * dim:
                return None
            if not total:
                return Codes(pages, counts, np.zeros((0, dim), np.int8), scale)
            # Copy on write: torch refuses what it might not write.
            values = np.memmap(file, np.int8, mode="c", offset=offset, shape=(total, dim))
            return Codes(pages, counts, values, scale)
    except (OSError, ValueError, IndexError):
        return None


def clean_codes(folder: Path, encoders: Collection[str], documents: Collection[str]) -> None:
    """Remove codes of encoders and documents that the library has no more."""
    root = folder / FOLDER
    for path in root.iterdir() if root.exists() else ():
        if path.name not in encoders:
            shutil.rmtree(path, ignore_errors=True)
            continue
        for file in path.glob("*"):
            if file.stem not in documents:
                file.unlink(missing_ok=True)
