"""What OCR read of each document, kept beside the library's copy of its file.

One line of JSON a page in `sources/<document id>.ocr`, added as soon as the page is read. It is no
part of any commit: a killed writer loses the page it was at and nothing else, and a document that
is read again, for other labels or by a newer parser, keeps what took seconds a page.

Not covered: a disk that loses lines it has acknowledged; their pages are then read again.
"""

import json
from pathlib import Path

from pagehop.library.disk import writing
from pagehop.reading.ocr_words import PageScan, from_json


def results_path(copy: Path) -> Path:
    """Return where the results of a document are, by the path of the library's copy."""
    return copy.with_suffix(".ocr")


def read_results(copy: Path, by: str = "") -> dict[int, PageScan]:
    """Return what was read of a document, by page; a line that is broken off is left out.

    Args:
        copy: Path of the library's copy.
        by: Only what this read (`ocr_engine.reader_id`); empty takes the last reading of each page.
    """
    try:
        lines = results_path(copy).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[int, PageScan] = {}
    for line in lines:
        try:
            values = json.loads(line)
            if by in ("", values["by"]):
                scan = from_json(values)
                found[scan.page] = scan
        except (KeyError, TypeError, ValueError):
            continue
    return found


def add_result(copy: Path, scan: PageScan, by: str) -> None:
    """Keep what was read of a page.

    Raises:
        LibraryError: The folder is read-only or the disk is full.
    """
    path = results_path(copy)
    with writing(path.parent), path.open("ab+") as file:
        end = file.seek(0, 2)
        torn = b"\n" if end and _last_byte(path) != b"\n" else b""
        file.write(torn + scan.to_json(by).encode() + b"\n")


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)
