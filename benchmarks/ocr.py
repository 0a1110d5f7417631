"""Words found on scanned pages, pages a second and memory: pagehop, the bare engine, Tesseract.

    python benchmarks/ocr.py --data FOLDER... [--pages N] [--seed N] [--dpi 150 200] [--ways ...]

Pages of the PDFs in the folders, and of the examples, are made scans: turned by a degree, noisy,
saved as JPEG, no text layer. A word is found when it stands within a quarter of a line of its
place, both ways. Pagehop reads the pages of the PDF of scans, through its own processes; the bare
engine is called in a loop on pictures that are in memory. The ways take turns page by page, each
page in another order, so that they meet the same load. The last column compares the share of
words of each page with that of the first way, by a bootstrap over the pages.
"""

import argparse
import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
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
from pagehop.evaluation.retrieval import paired_bootstrap
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_rapid import rapidocr_settings
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.parsed import DocumentText, PageText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import OcrSettings
from pagehop.types import FULL_PAGE

EXAMPLES = Path(__file__).parent.parent / "examples" / "documents"
SKEW = 1.0
FEWEST_WORDS = 150
WORDS = {"Global.return_single_char_box": False}
"""A bare loop takes the engine's own words."""
WHOLE = {"Det.limit_type": "min", "Det.limit_side_len": 736}
"""Text is looked for in the whole picture, as RapidOCR does unless told otherwise."""
Find = Callable[[int], list[PlacedWord]]


WAYS = {
    "own": "pagehop (rapidocr)",
    "same": "bare RapidOCR, same settings and pictures",
    "whole": "bare RapidOCR, its own settings, the scan itself",
    "tesseract": "pagehop, engine = tesseract",
}
Chosen = list[tuple[Path, PageText]]


@dataclass
class Tally:
    """What one way of reading came to, page by page."""

    found: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    memory_mb: float = 0.0

    def add(self, counted: tuple[int, int], seconds: float, processor: float) -> None:
        """Take in a page."""
        self.found.append(counted[0])
        self.words.append(counted[1])
        self.seconds.append(seconds)
        self.processor.append(processor)

    def last(self) -> str:
        """Say what the last page came to."""
        lost, seconds = self.words[-1] - self.found[-1], self.seconds[-1]
        return f"{lost} words lost, {seconds:.1f} s, {self.processor[-1]:.1f} of a processor"

    def shares(self) -> np.ndarray:
        """Return the share of words found on each page: (pages,)."""
        return np.array(self.found) / np.array(self.words)

    def row(self, name: str, first: "Tally") -> str:
        """Return a line of the table."""
        rate = len(self.seconds) / sum(self.seconds)
        processor = sum(self.processor) / len(self.processor)
        memory = f"{self.memory_mb:.0f}" if self.memory_mb else ""
        lost = sum(self.words) - sum(self.found)
        share = sum(self.found) / sum(self.words)
        cells = [name, f"{share:.4f}", str(lost), f"{self.shares().min():.2f}", f"{rate:.3f}"]
        cells += [f"{processor:.1f}", memory]
        if self is not first:
            less = paired_bootstrap(first.shares(), self.shares())
            cells.append(f"{less.mean:+.4f} ({less.low:+.4f} to {less.high:+.4f})")
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Make scans of each resolution and read them in every way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of PDFs")
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--seed", type=int, default=4, help="of the choice of pages")
    parser.add_argument("--dpi", type=int, nargs="+", default=[150, 200])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    args = parser.parse_args()
    with PdfPool() as pool, tempfile.TemporaryDirectory() as folder:
        chosen = choose(pool, args.data, args.pages, args.seed)
        for dpi in args.dpi:
            print(measure(pool, chosen, Path(folder), dpi, args.ways), flush=True)


def choose(pool: PdfPool, folders: list[Path], count: int, seed: int = 4) -> Chosen:
    """Return pages with enough words: one of each PDF, a quarter of them of the examples."""
    dice = random.Random(seed)
    own = count // 4
    chosen: Chosen = []
    given = [path for folder in folders for path in folder.rglob("*.pdf")]
    for paths, wanted in ((list(EXAMPLES.glob("*.pdf")), own), (given, count - own)):
        usable = []
        for job, text in pool.texts([PdfJob(path) for path in paths]):
            pages = text.pages if isinstance(text, DocumentText) else ()
            plain = [p for p in pages if len(p.text.split()) >= FEWEST_WORDS and not p.scanned]
            usable += [(job.path, plain)] if plain else []
        some = dice.sample(sorted(usable, key=lambda found: str(found[0])), wanted)
        chosen += [(path, dice.choice(pages)) for path, pages in some]
    return chosen


def measure(pool: PdfPool, chosen: Chosen, folder: Path, dpi: int, names: list[str]) -> str:
    """Read scans of one resolution in every way; returns a Markdown table."""
    pictures = [scan_page(pool, path, page.page, dpi=dpi, skew=SKEW) for path, page in chosen]
    scans = folder / f"{dpi}.pdf"
    save_scans(pictures, scans, dpi=dpi)
    expected = [placed_words(page, skew=SKEW) for _, page in chosen]
    tallies = {name: Tally() for name in names}
    with ExitStack() as stack:
        ways = {name: _way(name, pool, scans, pictures, chosen, stack) for name in names}
        for i in range(len(chosen)):
            for name in names[i % len(names) :] + names[: i % len(names)]:
                start, before = time.perf_counter(), _processor_seconds()
                words = ways[name](i)
                seconds, used = time.perf_counter() - start, _processor_seconds() - before
                tallies[name].add(count_found(expected[i], words), seconds, used)
            told = ", ".join(f"{name} {t.last()}" for name, t in tallies.items())
            print(f"{dpi} dpi, {i + 1} of {len(chosen)}: {told}", file=sys.stderr)
        for name, way in ways.items():
            if isinstance(way, _Pagehop):
                tallies[name].memory_mb = way.memory_mb()
    first = tallies[names[0]]
    head = f"| {dpi} dpi, {len(chosen)} pages, {sum(first.words)} words | words found | lost "
    head += "| worst page | pages/s | processor s a page | peak MB | found less than the first |\n"
    head += "|---|---|---|---|---|---|---|---|\n"
    return head + "\n".join(t.row(WAYS[name], first) for name, t in tallies.items()) + "\n"


def _way(
    name: str,
    pool: PdfPool,
    scans: Path,
    pictures: list[Image.Image],
    chosen: Chosen,
    stack: ExitStack,
) -> Find:
    """Return what reads a page in the way of that name."""
    settings = OcrSettings(engine="tesseract") if name == "tesseract" else OcrSettings()
    if name in ("own", "tesseract"):
        return stack.enter_context(_Pagehop(pool, scans, len(chosen), settings))
    if name == "same":
        drawn = [_drawn(pool, scans, i + 1, settings.dpi) for i in range(len(chosen))]
        return _bare({}, drawn, chosen)
    return _bare(WHOLE, [_saved(picture) for picture in pictures], chosen)


def _processor_seconds() -> float:
    """Return what this process and those it started have used so far."""
    own = psutil.Process()
    used = 0.0
    for process in (own, *own.children(recursive=True)):
        times = process.cpu_times()
        used += times.user + times.system
        if process != own:  # programs that the engine's process ran
            used += times.children_user + times.children_system
    return used


def _saved(picture: Image.Image) -> np.ndarray:
    """Return a picture as the PDF of scans holds it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file).convert("RGB"))


def _drawn(pool: PdfPool, path: Path, page: int, dpi: int) -> np.ndarray:
    picture = pool.render(path, page, FULL_PAGE, dpi=dpi, max_pixels=20_000_000, as_scanned=True)
    size = picture.width, picture.height
    return np.asarray(Image.frombytes("RGB", size, picture.pixels))


def _bare(changes: dict[str, object], pictures: list[np.ndarray], chosen: Chosen) -> Find:
    """Return a reader that calls the engine and nothing else."""
    engine = RapidOCR(params={**rapidocr_settings(0), **WORDS, **changes})
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

    def __call__(self, i: int) -> list[PlacedWord]:
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
