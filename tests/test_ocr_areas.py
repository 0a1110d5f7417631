"""Which pages, or parts of them, are taken for pictures of text; how far a picture is turned."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from pagehop.reading.ocr_areas import common_share, is_garbage
from pagehop.reading.ocr_picture import find_skew, straightened
from pagehop.reading.ocr_words import PageScan, ReadArea, merged, placed
from pagehop.reading.parsed import DocumentText, PageText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.types import FULL_PAGE, Box

ENGLISH = (
    "The harbour office counted forty barges in the spring of that year, and the keeper of the "
    "lighthouse wrote down each of them with the hour at which it had passed the northern mole. "
    "None of the books was lost when the office burnt, because they had been lent to a neighbour."
)
OTHERS = {
    "German": "Das Hafenamt zählte im Frühjahr jenes Jahres vierzig Lastkähne, und der Wärter des "
    "Leuchtturms schrieb jeden von ihnen mit der Stunde auf, zu der er die nördliche Mole passiert "
    "hatte. Keines der Bücher ging verloren, als das Amt abbrannte, denn sie waren verliehen.",
    "French": "Le bureau du port compta quarante péniches au printemps de cette année, et le "
    "gardien du phare nota chacune d'elles avec l'heure à laquelle elle avait passé le môle du "
    "nord. Aucun des livres ne fut perdu quand le bureau brûla, car ils avaient été prêtés.",
    "Polish": "Urząd portowy naliczył wiosną tego roku czterdzieści barek, a latarnik zapisał "
    "każdą z nich wraz z godziną, o której minęła północne molo. Żadna z ksiąg nie zginęła, kiedy "
    "urząd spłonął, ponieważ wcześniej zostały wypożyczone sąsiadowi z drugiej strony rzeki.",
    "Finnish": "Satamatoimisto laski sinä keväänä neljäkymmentä proomua, ja majakanvartija "
    "merkitsi jokaisen muistiin sekä kellonajan, jolloin se oli ohittanut pohjoisen laiturin. "
    "Mikään kirjoista ei kadonnut toimiston palaessa, sillä ne oli lainattu naapurille.",
}


def words(text: str) -> list[tuple[float, float, float, float, str, int, int, int]]:
    return [
        (10.0 * i, 0.0, 10.0 * i + 8, 8.0, word, 0, 0, i) for i, word in enumerate(text.split())
    ]


def shifted(text: str, by: int) -> str:
    """Return a text as a font without a Unicode map gives it: each letter stands for another."""
    return "".join(chr((ord(c) - 97 + by) % 26 + 97) if c.islower() else c for c in text)


def test_a_text_of_other_letters_is_garbage_and_languages_are_not() -> None:
    assert not is_garbage(words(ENGLISH))
    for language, text in OTHERS.items():
        share = common_share((text + " " + text).split())
        assert share is not None and share > 0.4, (language, share)
        assert not is_garbage(words(text))
    assert all(is_garbage(words(shifted(ENGLISH, by))) for by in range(1, 26))


@pytest.mark.parametrize("bad", ["\ufffd", "\ue012", "\uf0b7", "\x02", "\U000f0041"])
def test_characters_without_a_meaning_are_garbage_when_there_are_many(bad: str) -> None:
    assert is_garbage(words(f"{bad * 7} {bad * 5} harbour"))
    assert not is_garbage(words(f"{bad} The harbour office counted barges"))


def test_other_scripts_and_tables_are_not_garbage() -> None:
    for text in (
        "港務局はその年の春に四十隻の艀を数えた。",
        "مكتب الميناء أحصى أربعين مركبا",
        "12.5 48,250 (3.1)",
    ):
        assert not is_garbage(words(" ".join([text] * 30)))


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool() as made:
        yield made


def read_page(pool: PdfPool, path: Path, draw: Callable[[Canvas], None]) -> PageText:
    sheet = Canvas(str(path), pagesize=(400, 500))
    draw(sheet)
    sheet.save()
    ((_, text),) = pool.texts([PdfJob(path)])
    assert isinstance(text, DocumentText), text
    return text.pages[0]


def picture_of_text(width: int = 800, height: int = 1000) -> ImageReader:
    """Return dark lines on light ground."""
    picture = Image.new("L", (width, height), 240)
    pen = ImageDraw.Draw(picture)
    for y in range(40, height - 40, 30):
        for x in range(40, width - 80, 60):
            pen.rectangle((x, y, x + 40, y + 9), fill=30)
    return ImageReader(picture)


def photograph() -> ImageReader:
    """Return a picture of all shades."""
    x, y = np.meshgrid(np.linspace(0, 9, 800), np.linspace(0, 9, 800))
    return ImageReader(Image.fromarray((127 + 120 * np.sin(x) * np.cos(y)).astype(np.uint8)))


def prose(sheet: Canvas, left: float = 30, top: float = 470, size: float = 9) -> None:
    sheet.setFont("Helvetica", size)
    pieces = ENGLISH.split()
    for i in range(0, len(pieces), 10):
        sheet.drawString(left, top - 1.4 * size * i / 10, " ".join(pieces[i : i + 10]))


def test_a_picture_of_text_beside_text_is_an_area(pool: PdfPool, tmp_path: Path) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet)
        sheet.drawImage(picture_of_text(), 40, 50, 200, 250)

    page = read_page(pool, tmp_path / "mixed.pdf", draw)
    assert list(page.areas) == [pytest.approx((0.1, 0.4, 0.6, 0.9), abs=0.01)]
    assert page.ocr is None and page.scanned and "lighthouse" in page.text


def test_a_scanned_page_with_a_stamp_of_text_is_an_area(pool: PdfPool, tmp_path: Path) -> None:
    def draw(sheet: Canvas) -> None:
        sheet.drawImage(picture_of_text(), 0, 0, 400, 500)
        sheet.drawString(30, 10, "RECEIVED 4 May")

    page = read_page(pool, tmp_path / "stamp.pdf", draw)
    assert list(page.areas) == [pytest.approx(FULL_PAGE, abs=0.01)]
    assert page.text == "RECEIVED 4 May"


def test_strips_of_one_scan_are_one_area(pool: PdfPool, tmp_path: Path) -> None:
    def draw(sheet: Canvas) -> None:
        for i in range(4):
            sheet.drawImage(picture_of_text(800, 250), 0, 125 * i, 400, 125)
        sheet.drawString(30, 10, "RECEIVED 4 May")

    page = read_page(pool, tmp_path / "strips.pdf", draw)
    assert list(page.areas) == [pytest.approx(FULL_PAGE, abs=0.01)]


def test_a_searchable_scan_a_photograph_and_a_logo_are_not(pool: PdfPool, tmp_path: Path) -> None:
    def searchable(sheet: Canvas) -> None:
        sheet.drawImage(picture_of_text(), 0, 0, 400, 500)
        for i in range(5):
            prose(sheet, top=470 - 90 * i, size=8)

    def shown(sheet: Canvas) -> None:
        prose(sheet)
        sheet.drawImage(photograph(), 40, 50, 200, 200)
        sheet.drawImage(picture_of_text(300, 100), 300, 20, 60, 20)

    for draw in (searchable, shown):
        page = read_page(pool, tmp_path / f"{draw.__name__}.pdf", draw)
        assert not page.areas and not page.scanned


@pytest.mark.parametrize(
    ("width", "turn", "box", "dpi"),
    [
        (800, 0, FULL_PAGE, 144),  # the page is 400 points wide
        (800, 90, FULL_PAGE, 144),
        (800, 0, (0.1, 0.1, 0.9, 0.9), 144),
        (500, 0, FULL_PAGE, 200),  # letters of 90 dpi have too few pixels
        (1600, 0, FULL_PAGE, 200),
    ],
)
def test_a_scan_is_rendered_at_its_own_resolution_when_that_suffices(
    pool: PdfPool, tmp_path: Path, width: int, turn: int, box: Box, dpi: int
) -> None:
    sheet = Canvas(str(tmp_path / "scan.pdf"), pagesize=(400, 500))
    sheet.setPageRotation(turn)  # reportlab turns the paper with it
    wide, high = (500, 400) if turn else (400, 500)
    sheet.drawImage(picture_of_text(width * wide // 400, width * high // 400), 0, 0, wide, high)
    sheet.save()
    path = tmp_path / "scan.pdf"
    found = pool.render(path, 1, box, dpi=200, max_pixels=9**9, as_scanned=True)
    assert found.dpi == pytest.approx(dpi, abs=0.5)
    assert pool.render(path, 1, box, dpi=200, max_pixels=9**9).dpi == pytest.approx(200)


@pytest.mark.parametrize("also", ["nothing", "finer", "masked"])
def test_a_picture_of_a_part_or_with_a_finer_one_does_not_set_the_resolution(
    pool: PdfPool, tmp_path: Path, also: str
) -> None:
    sheet = Canvas(str(tmp_path / "scan.pdf"), pagesize=(400, 500))
    high = 400 if also == "nothing" else 500
    sheet.drawImage(picture_of_text(800, 2 * high), 0, 500 - high, 400, high)
    if also == "finer":
        sheet.drawImage(picture_of_text(1600, 2000), 0, 0, 400, 500)
    if also == "masked":
        clear = Image.new("RGBA", (800, 1000), (20, 20, 20, 0))
        sheet.drawImage(ImageReader(clear), 0, 0, 400, 500, mask="auto")
    sheet.save()
    found = pool.render(
        tmp_path / "scan.pdf", 1, FULL_PAGE, dpi=200, max_pixels=9**9, as_scanned=True
    )
    assert found.dpi == pytest.approx(200)


def test_a_page_whose_font_gives_other_letters_is_read_as_a_picture(
    pool: PdfPool, tmp_path: Path
) -> None:
    def draw(sheet: Canvas) -> None:
        sheet.setFont("Helvetica", 9)
        pieces = shifted(ENGLISH, 3).split()
        for i in range(0, len(pieces), 10):
            sheet.drawString(30, 470 - 1.3 * i, " ".join(pieces[i : i + 10]))

    page = read_page(pool, tmp_path / "garbled.pdf", draw)
    assert page.areas == (FULL_PAGE,) and not page.text


def lines_turned(angle: float) -> np.ndarray:
    picture = Image.new("L", (900, 700), 235)
    pen = ImageDraw.Draw(picture)
    for y in range(100, 600, 28):
        for x in range(120, 760, 50):
            pen.rectangle((x, y, x + 36, y + 11), fill=25)
    turned = picture.rotate(-angle, resample=Image.Resampling.BICUBIC, fillcolor=235)
    return np.asarray(turned.convert("RGB"))


@settings(max_examples=12, deadline=None)
@given(st.floats(-4.5, 4.5))
def test_the_skew_of_lines_is_found_to_a_tenth_of_a_degree(angle: float) -> None:
    found = find_skew(lines_turned(angle), 150)
    assert abs(found - angle) <= 0.15


def test_a_straightened_picture_is_level_in_grey_and_in_colour() -> None:
    grey = lines_turned(2)
    coloured = grey // np.array([1, 2, 3], np.uint8)
    for picture in (grey, coloured):
        level = straightened(picture, find_skew(picture, 150))
        assert find_skew(level, 150) == 0
        assert level.shape == picture.shape
        assert np.array_equal(level[0, 0], np.median(picture, axis=(0, 1)))  # paper


def test_what_has_no_lines_is_left_as_it_is() -> None:
    assert find_skew(np.full((500, 400, 3), 255, np.uint8), 150) == 0
    assert find_skew(np.zeros((5, 5, 3), np.uint8), 150) == 0
    assert find_skew(lines_turned(30), 150) == 0 or abs(find_skew(lines_turned(30), 150)) <= 5


def test_a_box_is_turned_with_the_picture_it_was_read_in() -> None:
    area = ReadArea(FULL_PAGE, 90.0, ())
    scan = PageScan(1, (FULL_PAGE,), (area,))
    assert placed((0.2, 0.4, 0.4, 0.5), scan, 100, 100) == pytest.approx((0.5, 0.2, 0.6, 0.4))
    level = PageScan(1, (FULL_PAGE,), (ReadArea(FULL_PAGE, 0.0, ()),))
    assert placed((0.2, 0.4, 0.4, 0.5), level, 100, 100) == (0.2, 0.4, 0.4, 0.5)


def test_words_that_the_text_layer_has_are_not_read_twice() -> None:
    layer = [(10.0, 10.0, 60.0, 20.0, "RECEIVED", 0, 0, 0)]
    line = ((0.09, 0.09, 0.61, 0.21, "RECE1VED"), (0.7, 0.1, 0.9, 0.2, "today"))
    scan = PageScan(1, (FULL_PAGE,), (ReadArea(FULL_PAGE, 0.0, (line,)),))
    assert [word[4] for word in merged(layer, scan, 100, 100)] == ["RECEIVED", "today"]
    assert merged(layer, None, 100, 100) == layer
