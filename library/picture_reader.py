"""OCR of a part of a page when a run asks for it: the labels inside a chart that is a picture.

The engine's process starts with the first part and ends when it has had nothing to do for a while;
what was read is kept. Nothing is written: what is quoted and searched is what ingestion read.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pagehop.errors import ConfigError
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.parsed import PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import OcrSettings
from pagehop.types import Box

_DPI = 300
"""Labels of charts are smaller than text."""
_KEPT = 256
_IDLE_S = 60.0
OFF = "the picture was not read: OCR is off (PAGEHOP_OCR__ENGINE)"


@dataclass(frozen=True)
class PictureText:
    """What OCR read in a part of a page."""

    lines: tuple[str, ...]
    problem: str = ""
    """Why it could not be read; empty when it could."""


@dataclass(frozen=True)
class _Part:
    path: Path
    page: int
    box: Box


class PictureReader:
    """Reads parts of pages, one at a time, for any thread."""

    def __init__(self, settings: OcrSettings, pool: Callable[[], PdfPool]) -> None:
        """Prepare; nothing starts yet."""
        self._settings = settings.model_copy(update={"dpi": max(_DPI, settings.dpi)})
        self._pool = pool
        self._engine: OcrEngine | None = None
        self._read: OrderedDict[_Part, PictureText] = OrderedDict()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def read(self, path: Path, page: int, box: Box) -> PictureText:
        """Read a part of a page; what cannot be read says why."""
        if self._settings.engine == "none":
            return PictureText((), OFF)
        part = _Part(path, page, box)
        with self._lock:
            if part not in self._read:
                self._read[part] = self._ask(part)
                while len(self._read) > _KEPT:
                    self._read.popitem(last=False)
            return self._read[part]

    def close(self) -> None:
        """End the engine's process."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def _ask(self, part: _Part) -> PictureText:
        if self._timer is not None:
            self._timer.cancel()
        if self._engine is None:
            self._engine = OcrEngine(self._settings, self._pool())
        try:
            scan = self._engine.read(PdfJob(part.path), PageScan(part.page, (part.box,)))
        except ConfigError as error:
            return PictureText((), f"the picture was not read: {error}")
        finally:
            self._timer = threading.Timer(_IDLE_S, self.close)
            self._timer.daemon = True
            self._timer.start()
        if scan.failed:
            return PictureText((), f"the picture was not read: {scan.failed}")
        lines = [line for area in scan.areas or () for line in area.lines]
        return PictureText(tuple(" ".join(word[4] for word in line) for line in lines))
