"""A part of a part of a page is the part itself, at the same resolution."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from pagehop.reading.parsed import DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.reading.render import plan_cut
from pagehop.types import Box

SIZE = (417.3, 561.9)
"""No whole numbers: edges of pages and boxes then fall between pixels."""
MOST = 20_000_000
TURNS = (0, 90, 180, 270)
LEVELS = 40
"""How far a pixel on a slope may be off: the engine rounds where its clip cuts a line."""

Pixels = NDArray[np.int16]


@dataclass(frozen=True)
class Sheet:
    path: Path
    width_pt: float
    height_pt: float


class Sheets:
    """Pages of lines of type, and some with slopes and a picture, each turned four ways."""

    def __init__(self, pool: PdfPool, folder: Path) -> None:
        self.pool = pool
        self.made: dict[tuple[int, bool], Sheet] = {}
        for turn in TURNS:
            for mixed in (False, True):
                path = folder / f"{turn}-{mixed}.pdf"
                write(path, turn, mixed)
                ((_, text),) = pool.texts([PdfJob(path)])
                assert isinstance(text, DocumentText)
                page = text.pages[0]
                self.made[turn, mixed] = Sheet(path, page.width_pt, page.height_pt)

    def crop(self, sheet: Sheet, box: Box, dpi: int) -> tuple[Pixels, int, int]:
        """Return the pixels of a box, and the pixel of the page in which it begins."""
        part = self.pool.render(sheet.path, 1, box, dpi=dpi, max_pixels=MOST)
        assert part.dpi == pytest.approx(dpi)
        pixels = np.frombuffer(part.pixels, np.uint8).astype(np.int16)
        limits = {"max_pixels": MOST, "dpi": dpi}
        cut = plan_cut(sheet.width_pt, sheet.height_pt, box, limits)
        left, top = (math.floor(edge * cut.zoom + 0.001) for edge in cut.clip_pt[:2])
        return pixels.reshape(part.height, part.width, 3), left, top

    def nested(self, sheet: Sheet, outer: Box, inner: Box, dpi: int) -> tuple[Pixels, Pixels]:
        """Return the pixels of the inner box, cut from the outer crop and cropped by itself."""
        large, left, top = self.crop(sheet, outer, dpi)
        small, x, y = self.crop(sheet, inner, dpi)
        height, width = small.shape[:2]
        return large[y - top : y - top + height, x - left : x - left + width], small


def write(path: Path, turn: int, mixed: bool) -> None:
    canvas = Canvas(str(path), pagesize=SIZE, invariant=True)
    canvas.setFont("Helvetica", 7)
    for i in range(60):
        canvas.drawString(31 + 2 * i, 540 - 8.3 * i, f"Barge {i} of the harbour office")
    if mixed:
        for i in range(40):
            canvas.line(20 + 9 * i, 20, 400 - 7 * i, 550)
        noise = np.random.default_rng(0).integers(0, 255, (90, 70)).astype(np.uint8)
        canvas.drawImage(ImageReader(Image.fromarray(noise)), 111.7, 203.1, 240, 190)
    canvas.setPageRotation(turn)
    canvas.setCropBox((7.1, 11.3, 409.9, 410.7))
    canvas.save()


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sheets]:
    with PdfPool() as pool:
        yield Sheets(pool, tmp_path_factory.mktemp("sheets"))


def _span(edges: list[float]) -> tuple[float, float, float, float]:
    a, b, c, d = sorted(edges)
    return a, max(b, a), max(c, b + 0.03), max(d, c, b + 0.03)


_spans = st.lists(st.floats(0, 0.97), min_size=4, max_size=4).map(_span)
"""Edges of an outer and an inner box along one side; the inner one is some pixels long."""
_cases = given(
    across=_spans, down=_spans, turn=st.sampled_from(TURNS), dpi=st.sampled_from((72, 97, 150, 211))
)
Span = tuple[float, float, float, float]


def boxes(across: Span, down: Span) -> tuple[Box, Box]:
    outer = (across[0], down[0], across[3], down[3])
    return outer, (across[1], down[1], across[2], down[2])


@settings(deadline=None, max_examples=40)
@_cases
def test_type_is_the_same_to_the_last_bit(
    sheets: Sheets, across: Span, down: Span, turn: int, dpi: int
) -> None:
    part, alone = sheets.nested(sheets.made[turn, False], *boxes(across, down), dpi)
    assert part.shape == alone.shape
    assert np.array_equal(part, alone)


@settings(deadline=None, max_examples=40)
@_cases
def test_slopes_and_pictures_are_the_same_to_a_pixel(
    sheets: Sheets, across: Span, down: Span, turn: int, dpi: int
) -> None:
    """The engine rounds at its clip, so a dot of a picture may begin a pixel sooner or later."""
    part, alone = sheets.nested(sheets.made[turn, True], *boxes(across, down), dpi)
    assert part.shape == alone.shape
    around = np.pad(part, ((1, 1), (1, 1), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(0, 1))
    near = views.reshape(*part.shape, 9)[1:-1, 1:-1]
    inside = alone[1:-1, 1:-1]  # what is next to an edge is known on one side only
    assert (inside >= near.min(-1) - LEVELS).all()
    assert (inside <= near.max(-1) + LEVELS).all()


@pytest.mark.parametrize("turn", TURNS)
def test_the_comparison_sees_a_shift_of_a_pixel(sheets: Sheets, turn: int) -> None:
    outer, inner = (0.1, 0.1, 0.9, 0.9), (0.3, 0.3, 0.7, 0.7)
    part, alone = sheets.nested(sheets.made[turn, False], outer, inner, 150)
    assert np.array_equal(part, alone)
    assert not np.array_equal(part[1:], alone[:-1])
    assert not np.array_equal(part[:, 1:], alone[:, :-1])
