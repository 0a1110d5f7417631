"""Byte codes of page vectors, a file a document, mapped into memory by searches.

1. The Lance table is what holds; these files are made from it and as large, so that a search reads
   what it compares and nothing else, and memory stays small: half of a file are the bytes that are
   compared first, the other half those that only the best pages are compared by.
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
_MAGIC = b"PHCODES2"
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
    columns = (codes.pages, codes.counts, codes.leads, codes.scales)
    head = _MAGIC + head + b"".join(column.tobytes() for column in columns)
    head += bytes(-len(head) % _ALIGNED)
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, head + codes.values.tobytes() + codes.fine.tobytes())


def read_codes(path: Path) -> Codes | None:
    """Map the codes of a document into memory; None when they are not there or not whole."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
            n, dim = (int(value) for value in np.frombuffer(start[8:16], np.int32))
            if not start.startswith(_MAGIC) or n < 1 or dim < 1:
                return None
            columns = np.frombuffer(file.read(16 * n), np.int32).reshape(4, n)
            pages, counts, leads = columns[:3]
            scales = columns[3].view(np.float32)
            offset = 16 + 16 * n
            offset += -offset % _ALIGNED
            total = int(counts.sum())
            if path.stat().st_size != offset + 2 * total * dim or (leads > counts).any():
                return None
            if not total:
                values = fine = np.zeros((0, dim), np.int8)
            else:
                # Copy on write: torch refuses what it might not write.
                values, fine = np.memmap(file, np.int8, "c", offset, (2, total, dim))
            return Codes(pages, counts, leads, scales, values, fine)
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
