"""Crops: the right part of the page, at the resolution that fills the budget."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from pagehop.errors import PdfError
from pagehop.reading.parsed import DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.reading.render import MAX_DPI, PictureCache, draw_box, plan_cut
from pagehop.types import FULL_PAGE, Box

LINES = (
    "Barges counted at the northern lock in the spring of the year",
    "Forty came down the river and sixty went up, three were lost",
    "See the annex of the harbour office for the list of masters",
)


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool() as pool:
        yield pool


def write(path: Path, *, rotation: int = 0, crop_box: bool = False, height_pt: float = 480) -> Path:
    """Write a page of lines and a coloured block; optionally turned, or showing a part only."""
    canvas = Canvas(str(path), pagesize=(480, height_pt), invariant=True)
    canvas.setFillColorRGB(0.8, 0.2, 0.1)
    canvas.rect(60, 120, 120, 60, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    canvas.setFont("Helvetica", 9)
    for i, line in enumerate(LINES):
        canvas.drawString(60, 400 - 40 * i, line)
    if rotation:
        canvas.setPageRotation(rotation)
    if crop_box:
        canvas.setCropBox((40, 80, 440, 440))
    canvas.save()
    return path


def pixels(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture.convert("L"), dtype=np.float64)


def word_boxes(pool: PdfPool, path: Path) -> tuple[str, NDArray[np.float64]]:
    ((_, document),) = pool.texts([PdfJob(path)])
    assert isinstance(document, DocumentText)
    page = document.pages[0]
    return page.text, page.boxes / 65535


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop_box", [False, True])
def test_a_crop_shows_the_same_pixels_as_the_page(
    pool: PdfPool, tmp_path: Path, rotation: int, crop_box: bool
) -> None:
    path = write(tmp_path / "a.pdf", rotation=rotation, crop_box=crop_box)
    page = pool.crop(path, 1, FULL_PAGE, max_pixels=4_000_000)
    boxes = np.sort(np.random.default_rng(rotation).random((6, 2, 2)), axis=1)
    for (x0, y0), (x1, y1) in boxes:
        box = (float(x0), float(y0), float(x1), float(y1))
        crop = pool.crop(path, 1, box, max_pixels=90_000)
        part = page.crop(
            (
                round(x0 * page.width),
                round(y0 * page.height),
                round(x1 * page.width),
                round(y1 * page.height),
            )
        )
        difference = pixels(crop) - pixels(part.resize(crop.size, Image.Resampling.BOX))
        assert np.abs(difference).mean() < 8, box


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop_box", [False, True])
def test_word_boxes_cover_the_ink_of_the_words(
    pool: PdfPool, tmp_path: Path, rotation: int, crop_box: bool
) -> None:
    """Words of turned pages once had the boxes of the page as drawn, not as displayed."""
    path = write(tmp_path / "a.pdf", rotation=rotation, crop_box=crop_box)
    text, boxes = word_boxes(pool, path)
    assert set(text.split()) == {word for line in LINES for word in line.split()}
    page = pixels(pool.crop(path, 1, FULL_PAGE, max_pixels=1_000_000))
    height, width = page.shape
    for x0, y0, x1, y1 in boxes:
        window = np.s_[
            int(y0 * height) : int(y1 * height) + 2, int(x0 * width) : int(x1 * width) + 2
        ]
        assert page[window].min() < 100
        page[window] = 255
    assert page.min() > 80, "ink outside of all word boxes, darker than the coloured block"


def test_a_turned_page_is_read_line_by_line(pool: PdfPool, tmp_path: Path) -> None:
    text, _ = word_boxes(pool, write(tmp_path / "a.pdf", rotation=180))
    assert sorted(text.split()) == sorted(" ".join(LINES).split())


def test_a_crop_fills_its_budget_up_to_the_finest_resolution(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    large = pool.crop(path, 1, (0.1, 0.1, 0.9, 0.6), max_pixels=500_000)
    assert 0.95 * 500_000 < large.width * large.height <= 500_000
    small = pool.crop(path, 1, (0.4, 0.4, 0.45, 0.42), max_pixels=5_000_000)
    assert small.width == pytest.approx(0.05 * 480 * MAX_DPI / 72, abs=2)


_fractions = st.floats(0, 1)


@settings(deadline=None)
@given(
    st.floats(1, 3000), st.floats(1, 3000), st.tuples(*[_fractions] * 4), st.integers(1, 2_000_000)
)
def test_a_crop_is_planned_within_its_budget(
    width_pt: float, height_pt: float, box: Box, max_pixels: int
) -> None:
    cut = plan_cut(width_pt, height_pt, box, {"max_pixels": max_pixels})
    x0, y0, x1, y1 = (value * cut.zoom for value in cut.clip_pt)
    drawn = (math.ceil(x1) - math.floor(x0)) * (math.ceil(y1) - math.floor(y0))
    assert cut.zoom > 0 and drawn <= max_pixels


def test_a_crop_never_exceeds_its_budget(pool: PdfPool, tmp_path: Path) -> None:
    """The engine draws every pixel that the box touches; 1,000,790 came for 1,000,000."""
    path = write(tmp_path / "a.pdf", height_pt=611)
    rng = random.Random(3)
    for _ in range(40):
        x0, y0 = rng.uniform(0, 0.9), rng.uniform(0, 0.9)
        box = (x0, y0, rng.uniform(x0, 1), rng.uniform(y0, 1))
        most = rng.choice([1, 7, 500, 20_011, 300_000])
        picture = pool.crop(path, 1, box, max_pixels=most)
        assert 0 < picture.width * picture.height <= most, (box, most)


def test_a_padded_crop_holds_its_margin(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    padded = pool.crop(path, 1, (0.3, 0.3, 0.5, 0.5), max_pixels=100_000, pad=0.1)
    wide = pool.crop(path, 1, (0.2, 0.2, 0.6, 0.6), max_pixels=100_000)
    assert padded.size == wide.size
    assert np.abs(pixels(padded) - pixels(wide)).mean() < 1


def test_a_crop_of_no_area_still_shows_the_place() -> None:
    for box in ((0.5, 0.5, 0.5, 0.5), (1.0, 1.0, 1.0, 1.0), (0.9, 0.2, 0.1, 0.2)):
        x0, y0, x1, y1 = plan_cut(400, 500, box, {"max_pixels": 1000}).clip_pt
        assert 0 <= x0 < x1 <= 400
        assert 0 <= y0 < y1 <= 500


def test_a_page_that_does_not_exist_is_an_error(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    with pytest.raises(PdfError, match="page 2 does not exist; it has 1"):
        pool.crop(path, 2, FULL_PAGE, max_pixels=1000)
    with pytest.raises(PdfError, match="unreadable"):
        pool.crop(tmp_path / "b.pdf", 1, FULL_PAGE, max_pixels=1000)


def test_a_changed_file_is_rendered_anew(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    assert pool.crop(path, 1, FULL_PAGE, max_pixels=10_000).size == (100, 100)
    write(path, height_pt=960)
    width, height = pool.crop(path, 1, FULL_PAGE, max_pixels=10_000).size
    assert height == 2 * width


def test_drawing_on_a_crop_does_not_change_the_next_one(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    first = pool.crop(path, 1, FULL_PAGE, max_pixels=10_000)
    first.paste((0, 0, 0), (0, 0, *first.size))
    assert pixels(pool.crop(path, 1, FULL_PAGE, max_pixels=10_000)).max() == 255


def test_the_cache_forgets_the_pictures_used_longest_ago() -> None:
    cache = PictureCache(max_pixels=250)
    for name in "abc":
        cache.put(name, Image.new("RGB", (10, 10)))
        cache.get("a")
    assert [cache.get(name) is not None for name in "abc"] == [True, False, True]


def test_a_marked_box_is_framed_and_not_covered(pool: PdfPool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf")
    page = pool.crop(path, 1, FULL_PAGE, max_pixels=300_000)
    box: Box = (0.2, 0.5, 0.6, 0.7)
    marked = np.asarray(draw_box(page, box, colour=(0, 0, 255))).astype(int)
    height, width = marked.shape[:2]
    inside = np.s_[
        int(0.5 * height) + 1 : int(0.7 * height) - 1, int(0.2 * width) + 1 : int(0.6 * width)
    ]
    blue = (marked == (0, 0, 255)).all(-1)
    assert blue.sum() > width * 0.4
    assert not blue[inside].any()
    assert np.array_equal(marked[inside], np.asarray(page)[inside])
