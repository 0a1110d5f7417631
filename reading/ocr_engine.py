"""The OCR engine, seen from the library: one process with limits on time and memory.

Reads areas of pages: has each rendered by the PDF workers, sends the picture, and turns what comes
back into words of the page. A page at which the engine hangs or dies is left unread, and the
process is started again for the next one.
"""

import time
from collections.abc import Sequence
from typing import Any

from pagehop.errors import ConfigError, PdfError
from pagehop.reading.ocr_words import OcrWord, PageScan, ReadArea
from pagehop.reading.parsed import PdfJob
from pagehop.reading.pdf_pool import PdfPool, Rendered
from pagehop.reading.worker_process import Died, WorkerProcess
from pagehop.settings import OcrSettings
from pagehop.types import Box

OCR_VERSION = 4
"""Raise it when the same engine would read pages otherwise: they are then read again."""
MOST_PIXELS = 12_000_000
"""A poster at full resolution would take all memory; it is read coarser."""


def reader_id(settings: OcrSettings) -> str:
    """Return what names a way of reading: pages read by another one are read again."""
    return f"{settings.engine}:{settings.language}:{OCR_VERSION}"


class OcrEngine:
    """Reads scanned pages; its process starts with the first one."""

    def __init__(self, settings: OcrSettings, pool: PdfPool) -> None:
        """Prepare.

        Args:
            settings: Engine, language, limits.
            pool: Renders the pages.
        """
        self.id = reader_id(settings)
        self._settings = settings
        self._pool = pool
        self._process: WorkerProcess | None = None

    def read(self, job: PdfJob, scan: PageScan) -> PageScan:
        """Read the areas of a page.

        Returns:
            The page as read, or why it cannot be.

        Raises:
            ConfigError: The engine cannot be used; says what to install.
        """
        areas: list[ReadArea] = []
        try:
            for box in scan.boxes:
                picture = self._pool.render(
                    job.path,
                    scan.page,
                    box,
                    dpi=self._settings.dpi,
                    max_pixels=MOST_PIXELS,
                    as_scanned=True,
                )
                areas.append(self._read(picture, box))
        except PdfError as error:
            return PageScan(scan.page, scan.boxes, (), str(error))
        except Died as died:
            return PageScan(scan.page, scan.boxes, (), died.detail)
        return PageScan(scan.page, scan.boxes, tuple(areas))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _read(self, picture: Rendered, box: Box) -> ReadArea:
        process = self._process or self._start()
        try:
            process.send(
                "read",
                width=picture.width,
                height=picture.height,
                pixels=picture.pixels,
                dpi=picture.dpi,
            )
            answer = self._answer(process)
        except BaseException:
            self.close()
            raise
        if answer["kind"] == "error":
            raise Died("crashed", 0, str(answer["detail"]))
        size = picture.width, picture.height
        lines = tuple(_on_page(line, box, size) for line in answer["lines"])
        return ReadArea(box, float(answer["angle"]), lines)

    def _answer(self, process: WorkerProcess) -> dict[str, Any]:
        while True:
            if not process.link.poll(max(0.0, process.deadline - time.monotonic())):
                raise process.overdue()
            message = process.receive()
            if message is not None:
                return message

    def _start(self) -> WorkerProcess:
        """Start the process and wait until the engine has its models.

        Raises:
            ConfigError: The engine cannot be used.
        """
        of = self._settings
        arguments = [str(of.memory_mb), of.engine, of.language, str(of.threads)]
        process = WorkerProcess(
            "pagehop.reading.ocr_worker", arguments, timeout_s=of.page_timeout_s
        )
        self._process = process
        while not process.ready:
            if not process.link.poll(max(0.0, process.deadline - time.monotonic())):
                self.close()
                raise ConfigError(unusable(f"{of.engine} took too long to start"))
            message = process.receive()
            if message is not None:
                self.close()
                raise ConfigError(unusable(str(message.get("detail"))))
        return process


def unusable(why: str) -> str:
    """Say that scanned pages are not read, and what to do."""
    return (
        f"scanned pages are not read, so their text cannot be found: {why}; or choose another "
        "engine with PAGEHOP_OCR__ENGINE (rapidocr, tesseract, none)"
    )


def _on_page(line: Sequence[Sequence[Any]], box: Box, size: tuple[int, int]) -> tuple[OcrWord, ...]:
    """Turn pixels of an area's picture into fractions of the page."""
    x_scale, y_scale = (box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]
    words: list[OcrWord] = []
    for x0, y0, x1, y1, text in line:
        left, right = box[0] + float(x0) * x_scale, box[0] + float(x1) * x_scale
        top, foot = box[1] + float(y0) * y_scale, box[1] + float(y1) * y_scale
        a, b, c, d = (round(min(max(side, 0.0), 1.0), 5) for side in (left, top, right, foot))
        words.append((a, b, c, d, str(text)))
    return tuple(words)
