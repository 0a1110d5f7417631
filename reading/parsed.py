"""What the PDF workers hand to ingestion: plain values, no engine objects."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pagehop.reading.ocr_words import PageScan
from pagehop.types import Box, OutlineEntry, Region

PARSER_VERSION = 6
"""Regions are a function of (document hash, parser version); raise it when the cut changes."""


@dataclass(frozen=True)
class PdfJob:
    """One file for the workers."""

    path: Path
    document_id: str = ""
    """sha256 of the bytes, hex; goes into region ids."""
    title: str = ""
    """Words put before each search_text: file name words, then the document's own title."""
    password: str | None = None
    skip_pages: frozenset[int] = frozenset()
    """Pages known to hang or crash the engine."""
    scans: tuple[PageScan, ...] = ()
    """Pages known to be pictures in whole or part, with what OCR has read there."""


@dataclass(frozen=True)
class PageText:
    """The text layer of one page, as the text stage stores it."""

    page: int
    label: str
    """Page label of the file; empty when it has none."""
    width_pt: float
    height_pt: float
    text: str
    """Words joined by one space, lines by one newline; table cells of one row share a line."""
    boxes: NDArray[np.uint16]
    """(n_words, 4) uint16, fractions of the page times 65535, in the order of `text`."""
    damaged: bool = False
    areas: tuple[Box, ...] = ()
    """Parts that are pictures of text; the whole page when it has no usable text layer."""
    ocr: NDArray[np.bool_] | None = None
    """(n_words,) bool, which words OCR read; None when it has not been there."""

    @property
    def scanned(self) -> bool:
        """Whether it is a picture of text, in whole or part."""
        return bool(self.areas)


@dataclass(frozen=True)
class DocumentText:
    """All pages of one file."""

    title: str
    """The file's own title, or the largest line of page 1; empty when neither is usable."""
    outline: tuple[OutlineEntry, ...]
    pages: tuple[PageText, ...]
    warnings: tuple[str, ...] = ()
    """What a user should know, e.g. `page 7 could not be read`."""


@dataclass(frozen=True)
class Link:
    """An internal link of the file."""

    page: int
    box: Box
    target_page: int
    words: str
    """The text under the link's box."""
    target_top: float = 0.0
    """How far down the target page it leads, in fractions of it from the top."""


@dataclass(frozen=True)
class DocumentReading:
    """Regions and passages of one file, in reading order, and its links."""

    regions: tuple[Region, ...]
    links: tuple[Link, ...] = ()
    warnings: tuple[str, ...] = field(default=())
