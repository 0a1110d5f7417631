"""Words found on scanned pages, pages a second and memory: pagehop, the bare engine, Tesseract.

    python benchmarks/ocr.py --data FOLDER [--pages N] [--dpi 150 200]

Pages of the PDFs in FOLDER, and of the examples, are made scans: turned by a degree, noisy, no text
layer. A word is found when it stands within a quarter of a line of its place, both ways. Pagehop
reads the pages of the PDF of scans, through its own processes; the bare engine is called in a loop
on pictures that are in memory. The two take turns page by page, so that they meet the same load.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from rapidocr import RapidOCR

from pagehop.evaluation.rasters import (
    PlacedWord,
    count_found,
    placed_words,
    save_scans,
    scan_page,
)
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.ocr_worker import rapidocr_settings
from pagehop.reading.parsed import DocumentText, PageText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import OcrSettings
from pagehop.types import FULL_PAGE

EXAMPLES = Path(__file__).parent.parent / "examples" / "documents"
SKEW = 1.0
FEWEST_WORDS = 150
WHOLE = {"Det.limit_type": "min", "Det.limit_side_len": 736}
"""Text is looked for in the whole picture, as RapidOCR does unless told otherwise."""
Find = Callable[[int], list[PlacedWord]]


@dataclass
class Tally:
    """What one way of reading came to."""

    found: int = 0
    words: int = 0
    seconds: list[float] = field(default_factory=list)
    worst: float = 1.0
    memory_mb: float = 0.0

    def add(self, counted: tuple[int, int], seconds: float) -> None:
        """Take in a page."""
        self.found += counted[0]
        self.words += counted[1]
        self.seconds.append(seconds)
        self.worst = min(self.worst, counted[0] / counted[1])

    def row(self, name: str) -> str:
        """Return a line of the table."""
        rate = len(self.seconds) / sum(self.seconds)
        memory = f"{self.memory_mb:.0f}" if self.memory_mb else ""
        share = self.found / self.words
        return f"| {name} | {share:.3f} | {self.worst:.2f} | {rate:.2f} | {memory} |"


def main() -> None:
    """Make scans of each resolution and read them in every way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of PDFs")
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--dpi", type=int, nargs="+", default=[150, 200])
    args = parser.parse_args()
    with PdfPool() as pool, tempfile.TemporaryDirectory() as folder:
        chosen = choose(pool, args.data, args.pages)
        for dpi in args.dpi:
            print(measure(pool, chosen, Path(folder), dpi), flush=True)


def choose(pool: PdfPool, folder: Path, count: int) -> list[tuple[Path, PageText]]:
    """Return pages with enough words: one of each PDF, a quarter of them of the examples."""
    dice = random.Random(4)
    own = count // 4
    chosen: list[tuple[Path, PageText]] = []
    for paths, wanted in ((EXAMPLES.glob("*.pdf"), own), (folder.rglob("*.pdf"), count - own)):
        usable = []
        for job, text in pool.texts([PdfJob(path) for path in paths]):
            pages = text.pages if isinstance(text, DocumentText) else ()
            plain = [p for p in pages if len(p.text.split()) >= FEWEST_WORDS and not p.scanned]
            usable += [(job.path, plain)] if plain else []
        some = dice.sample(sorted(usable, key=lambda found: str(found[0])), wanted)
        chosen += [(path, dice.choice(pages)) for path, pages in some]
    return chosen


def measure(pool: PdfPool, chosen: list[tuple[Path, PageText]], folder: Path, dpi: int) -> str:
    """Read scans of one resolution in every way; returns a Markdown table."""
    pictures = [scan_page(pool, path, page.page, dpi=dpi, skew=SKEW) for path, page in chosen]
    scans = folder / f"{dpi}.pdf"
    save_scans(pictures, scans, dpi=dpi)
    expected = [placed_words(page, skew=SKEW) for _, page in chosen]
    settings = OcrSettings()
    drawn = [_drawn(pool, scans, i + 1, settings.dpi) for i in range(len(chosen))]
    native = [np.asarray(picture.convert("RGB")) for picture in pictures]
    ways: dict[str, Tally] = {}
    with (
        _Pagehop(pool, scans, len(chosen), settings) as own,
        _Pagehop(pool, scans, len(chosen), OcrSettings(engine="tesseract")) as other,
    ):
        same = _bare({}, drawn, chosen)
        whole = _bare(WHOLE, native, chosen)
        steps: list[tuple[str, Find]] = [
            ("pagehop (rapidocr)", own.read),
            ("bare RapidOCR, same settings and pictures", same),
            ("bare RapidOCR, its own settings, the scan itself", whole),
            ("pagehop, engine = tesseract", other.read),
        ]
        for i in range(len(chosen)):
            for name, read in steps:
                start = time.perf_counter()
                words = read(i)
                seconds = time.perf_counter() - start
                ways.setdefault(name, Tally()).add(count_found(expected[i], words), seconds)
            print(f"{dpi} dpi: {i + 1} of {len(chosen)}", file=sys.stderr)
        ways[steps[0][0]].memory_mb = own.memory_mb()
    head = f"| {dpi} dpi, {len(chosen)} pages, {ways[steps[0][0]].words} words "
    head += "| words found | worst page | pages/s | peak MB |\n|---|---|---|---|---|\n"
    return head + "\n".join(tally.row(name) for name, tally in ways.items()) + "\n"


def _drawn(pool: PdfPool, path: Path, page: int, dpi: int) -> np.ndarray:
    picture = pool.render(path, page, FULL_PAGE, dpi=dpi, max_pixels=20_000_000, as_scanned=True)
    size = picture.width, picture.height
    return np.asarray(Image.frombytes("RGB", size, picture.pixels))


def _bare(
    changes: dict[str, object], pictures: list[np.ndarray], chosen: list[tuple[Path, PageText]]
) -> Find:
    """Return a reader that calls the engine and nothing else."""
    engine = RapidOCR(params={**rapidocr_settings(0), **changes})
    engine(np.full((64, 64, 3), 255, np.uint8))

    def read(i: int) -> list[PlacedWord]:
        result = engine(np.ascontiguousarray(pictures[i][:, :, ::-1]))
        height, width = pictures[i].shape[:2]
        page = chosen[i][1]
        return list(
            _placed(result.word_results or (), page.width_pt / width, page.height_pt / height)
        )

    return read


def _placed(
    lines: Iterable[Iterable[tuple[str, float, list[list[float]]]]], x_scale: float, y_scale: float
) -> Iterable[PlacedWord]:
    for line in lines:
        for text, _, corners in line:
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            x, y = (min(xs) + max(xs)) / 2 * x_scale, (min(ys) + max(ys)) / 2 * y_scale
            yield PlacedWord(text, x, y, (max(ys) - min(ys)) * y_scale)


class _Pagehop:
    """Reads pages as the OCR stage does: rendered, read in a process, put among the text."""

    def __init__(self, pool: PdfPool, path: Path, pages: int, settings: OcrSettings) -> None:
        self._pool, self._path, self._pages = pool, path, pages
        self._engine = OcrEngine(settings, pool)
        before = set(psutil.Process().children())
        self._engine.read(PdfJob(path), PageScan(1, ((0.0, 0.0, 0.2, 0.05),)))  # starts it
        (self._process,) = set(psutil.Process().children()) - before

    def __enter__(self) -> "_Pagehop":
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def read(self, i: int) -> list[PlacedWord]:
        """Read a page of the PDF."""
        scan = self._engine.read(PdfJob(self._path), PageScan(i + 1, (FULL_PAGE,)))
        assert not scan.failed, scan.failed
        others = (PageScan(n, (FULL_PAGE,)) for n in range(1, self._pages + 1) if n != i + 1)
        job = PdfJob(self._path, scans=(scan, *others))
        ((_, text),) = self._pool.texts([job])
        assert isinstance(text, DocumentText)
        return placed_words(text.pages[i])

    def memory_mb(self) -> float:
        """Return the most memory that the engine's process held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    main()
