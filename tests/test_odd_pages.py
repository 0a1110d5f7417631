"""Pages made to be hard: many objects, huge or empty sheets, odd type and boxes."""

from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from pagehop.layout.figures import find_figures
from pagehop.layout.grids import find_grids
from pagehop.layout.orientation import reading_turn, turned
from pagehop.layout.page_lines import PageLines, page_lines
from pagehop.layout.page_marks import MOST_MARKS, Marks, read_marks
from pagehop.layout.reading_order import read_rows
from pagehop.layout.regions import LayoutState, read_chunk
from pagehop.layout.rows import RawWord
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import PageRef, Region

SIZE = (600.0, 800.0)
WORDS = "The harbour office counted the barges that came down the river."


def shape(x0: float, y0: float, x1: float, y1: float) -> dict[str, object]:
    """Return a dark rectangle as the engine gives it."""
    box = (x0, y0, x1, y1)
    return {"rect": box, "items": [("re", box, 1)], "type": "f", "fill": (0.1, 0.1, 0.1),
            "fill_opacity": 1.0}  # fmt: skip


def rule(x0: float, y0: float, x1: float, y1: float) -> dict[str, object]:
    return {"rect": (x0, y0, x1, y1), "items": [("l", (x0, y0), (x1, y1))], "type": "s",
            "color": (0, 0, 0), "stroke_opacity": 1.0}  # fmt: skip


def regions_of(path: Path, page: int = 1) -> tuple[View, list[Region]]:
    with Library(path.parent) as library:
        report = library.add(path)
        assert not report.failed, report
        view = library.view()
        name = view.documents()[0].name
        return view, [r for r in view.regions(PageRef(name, page)) if r.kind != "passage"]


def test_a_page_of_fifty_thousand_objects_is_read(tmp_path: Path) -> None:
    sheet = Canvas(str(tmp_path / "plot.pdf"), pagesize=SIZE)
    for i in range(50_000):
        sheet.rect(100 + 3 * (i % 120), 200 + (i // 120), 1.5, 1.5, stroke=0, fill=1)
    sheet.drawString(60, 740, WORDS)
    sheet.save()
    _, regions = regions_of(tmp_path / "plot.pdf")
    assert any(region.text == WORDS for region in regions)


def test_marks_are_bounded_and_the_largest_stay() -> None:
    many = [shape(i % 500, i // 500, i % 500 + 4, i // 500 + 4) for i in range(30_000)]
    marks = read_marks([*many, shape(100, 300, 400, 600)], [], SIZE)
    assert len(marks.shapes) == MOST_MARKS
    assert (100, 300, 400, 600) in marks.shapes


def test_many_rules_do_not_make_a_table() -> None:
    rules = [(float(i % 40) * 15, 0.0, float(i % 40) * 15, 790.0 + i % 7) for i in range(20_000)]
    level = [(0.0, float(i % 90) * 8, 590.0, float(i % 90) * 8) for i in range(20_000)]
    page = PageLines(1, *SIZE, [], Marks(across=level, upright=rules))
    assert find_grids(page.marks, []) == []
    assert find_figures(page, [], []) == []


def test_a_page_of_two_hundred_inches_is_read(tmp_path: Path) -> None:
    sheet = Canvas(str(tmp_path / "map.pdf"), pagesize=(14_400, 14_400))
    sheet.setFont("Helvetica", 200)
    sheet.drawString(400, 9_000, WORDS)
    sheet.rect(1_000, 1_000, 8_000, 4_000, stroke=0, fill=1)
    sheet.save()
    view, regions = regions_of(tmp_path / "map.pdf")
    assert any(WORDS in region.text for region in regions)
    assert any(region.kind == "figure" for region in regions)
    assert view.page(PageRef("map", 1)).width_pt == 14_400


def test_a_page_that_shows_nothing_has_no_regions(tmp_path: Path) -> None:
    sheet = Canvas(str(tmp_path / "white.pdf"), pagesize=SIZE)
    sheet.setFillColorRGB(1, 1, 1)
    sheet.rect(0, 0, *SIZE, stroke=0, fill=1)
    sheet.showPage()
    sheet.drawString(60, 700, WORDS)
    sheet.save()
    _, regions = regions_of(tmp_path / "white.pdf")
    assert regions == []


@pytest.mark.parametrize(
    "box",
    [(50, 50, 20, 10), (10, 10, 10, 10), (-900, -900, -800, -800), (5e9, 5e9, 6e9, 6e9),
     (float("nan"),) * 4, (-50, 700, 9_000, 90_000)],
)  # fmt: skip
def test_odd_boxes_of_drawings_stay_on_the_page(box: tuple[float, float, float, float]) -> None:
    drawings = [shape(*box), rule(*box)]
    marks = read_marks(drawings, [box], SIZE)
    found = [*marks.across, *marks.upright, *marks.shapes, *marks.shading, *marks.pictures]
    for x0, y0, x1, y1 in found:
        assert 0 <= x0 <= x1 <= 600
        assert 0 <= y0 <= y1 <= 800


def test_words_with_empty_or_negative_boxes_are_read() -> None:
    words: list[RawWord] = [
        (60, 100, 100, 110, "barges", 0, 0, 0),
        (104, 100, 104, 100, "and", 0, 0, 1),
        (150, 110, 120, 100, "boats", 0, 0, 2),
        (-40, -20, -10, -5, "gone", 1, 0, 0),
    ]
    page = page_lines(1, SIZE, read_rows(words, SIZE[0]), {})
    ((_, blocks),) = read_chunk([page], LayoutState())
    text = " ".join(block.text for block in blocks)
    assert {"barges", "and", "boats", "gone"} == set(text.split())
    for block in blocks:
        assert all(0 <= side <= 1 for side in page.placed(block.box))


@pytest.mark.parametrize("turn", [90, 270])
def test_type_that_runs_up_or_down_is_read_in_order(turn: int, tmp_path: Path) -> None:
    path = tmp_path / "turned.pdf"
    sheet = Canvas(str(path), pagesize=SIZE)
    # What is turned clockwise to be read runs up the page.
    sheet.transform(*((0, 1, -1, 0, 600, 0) if turn == 90 else (0, -1, 1, 0, 0, 800)))
    for i, (label, value) in enumerate(
        (("Tolls of the northern lock", "1,204"), ("Wages of the dredger crew", "(88)"),
         ("Repairs of harbour cranes", "412"), ("Insurance of barges", "77"))
    ):  # fmt: skip
        sheet.drawString(100, 400 - 14 * i, label)
        sheet.drawRightString(500, 400 - 14 * i, value)
    sheet.save()
    view, regions = regions_of(path)
    (table,) = (region for region in regions if region.kind == "table")
    assert table.text.split("\n")[1] == "Wages of the dredger crew (88)"
    x0, y0, x1, y1 = table.box
    assert (y1 - y0) * 800 > (x1 - x0) * 600
    page = view.page(PageRef("turned", 1))
    assert page.text.split("\n")[0] == "Tolls of the northern lock 1,204"
    first = page.words[0].box
    assert (first[3] - first[1]) * 800 > (first[2] - first[0]) * 600
    assert view.tables(PageRef("turned", 1))[0].rows[1] == ("Wages of the dredger crew", "(88)")


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turn_and_its_way_back_end_where_they_began(turn: int) -> None:
    size = (600.0, 800.0) if turn % 180 == 0 else (800.0, 600.0)
    there = turned((10, 20, 110, 60), turn, SIZE)
    assert turned(there, -turn % 360, size) == (10, 20, 110, 60)


def test_a_margin_note_does_not_turn_a_page() -> None:
    upright = [(60.0, 20.0 * i, 120.0, 20.0 * i + 10, "barges", i, 0, 0) for i in range(10)]
    aside: list[RawWord] = [(10, 300, 20, 400, "arXiv:1801", 99, 0, 0)]
    assert reading_turn([*upright, *aside]) == 0


def test_right_to_left_letters_keep_their_words(tmp_path: Path) -> None:
    hebrew = [
        (300 - 60 * i, 100, 350 - 60 * i, 110, w, 0, 0, i)
        for i, w in enumerate("אבג דהו זחט".split())
    ]
    page = page_lines(1, SIZE, read_rows(hebrew, SIZE[0]), {})  # type: ignore[arg-type]
    ((_, blocks),) = read_chunk([page], LayoutState())
    assert sorted(" ".join(b.text for b in blocks).split()) == ["אבג", "דהו", "זחט"]
