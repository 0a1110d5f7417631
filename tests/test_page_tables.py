"""Tables and figures of real small pages: cells, captions, what runs over a page, the drawing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

from pagehop.finding.page_graph import walk
from pagehop.interfaces.cli import app
from pagehop.layout.page_tables import Table
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef

PROSE = "The harbour office counted the barges that came down the river in spring and found more "
CONTENTS = (
    "Letter of the harbour master",
    "The year on the river",
    "Locks and bridges",
    "Barges and their masters",
    "Dues and other income",
    "Repairs of the canal",
    "Notes to the statement",
)


def put(sheet: Canvas, x: float, y: float, *texts: str, right: bool = False) -> None:
    """Set words at a place; the second and further ones 80 points to the right each."""
    for i, text in enumerate(texts):
        draw = sheet.drawRightString if right else sheet.drawString
        draw(x + 80 * i, 842 - y, text)


def prose(sheet: Canvas, y: float, lines: int, ends: str = ".") -> None:
    """Set a paragraph."""
    for i in range(lines):
        put(sheet, 60, y + 12 * i, PROSE if i < lines - 1 else f"than in any other year{ends}")


def financial(sheet: Canvas, y: float, *, heads: bool = True, total: bool = True) -> None:
    """Set an unruled statement: spanning heads, a label of two lines, brackets, a unit."""
    if heads:
        put(sheet, 340, y, "Three months ended")
        sheet.line(300, 842 - y - 3, 480, 842 - y - 3)
        put(sheet, 60, y + 13, "(in millions)")
        put(sheet, 375, y + 13, "2023", "2022", right=True)
    rows = (
        ("Capital expenditures", "1,577", "1,373"),
        ("Gain on sale of barges and of other", "", ""),
        ("equipment, net", "(88)", "41"),
        ("Dividends paid", "(312)", "(290)"),
        ("Total", "1,177", "1,124"),
    )
    for i, (label, *values) in enumerate(rows if total else rows[:-1]):
        put(sheet, 60, y + 26 + 13 * i, label)
        put(sheet, 375, y + 26 + 13 * i, *values, right=True)


def grid(sheet: Canvas, y: float) -> None:
    """Set a fully ruled table whose second row holds cells of two lines."""
    xs, ys = [60, 160, 300, 460], [y, y + 18, y + 48, y + 66]
    for x in xs:
        sheet.line(x, 842 - ys[0], x, 842 - ys[-1])
    for level in ys:
        sheet.line(xs[0], 842 - level, xs[-1], 842 - level)
    for x, words in zip(xs, ("Lock", "Duty", "Keeper"), strict=False):
        put(sheet, x + 4, y + 13, words)
    for x, lines in zip(xs, (("North",), ("open in", "spring"), ("Lee",)), strict=False):
        for i, word in enumerate(lines):
            put(sheet, x + 4, y + 31 + 12 * i, word)
    for x, word in zip(xs, ("South", "toll", "Fry"), strict=False):
        put(sheet, x + 4, y + 61, word)


def chart(sheet: Canvas, y: float) -> None:
    """Draw bars on two axes with labels."""
    foot = 842 - y - 120
    sheet.line(90, foot, 300, foot)
    sheet.line(90, foot, 90, foot + 120)
    sheet.setFillColorRGB(0.2, 0.3, 0.5)
    for i, high in enumerate((40, 90, 70, 110)):
        sheet.rect(110 + 45 * i, foot, 30, high, stroke=0, fill=1)
    sheet.setFillColorRGB(0, 0, 0)
    for i in range(4):
        sheet.drawString(112 + 45 * i, foot - 12, str(2020 + i))
        sheet.drawString(66, foot + 30 * i, str(20 * i))


def contents(sheet: Canvas, y: float) -> None:
    """Set a table of contents, its first half with dots."""
    sheet.setFont("Helvetica-Bold", 14)
    put(sheet, 60, y, "Contents")
    sheet.setFont("Helvetica", 9)
    for i, title in enumerate(CONTENTS):
        put(sheet, 60, y + 20 + 14 * i, title + (" " + ". " * 20 if i < 4 else ""))
        put(sheet, 420, y + 20 + 14 * i, str(3 + 4 * i), right=True)


@pytest.fixture(scope="module")
def tables_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("tables")
    sheet = Canvas(str(folder / "Harbour statement.pdf"), pagesize=(595, 842))
    sheet.setFont("Helvetica", 9)
    prose(sheet, 80, 4)
    put(sheet, 60, 160, "Table 1: Payments of the harbour office.")
    financial(sheet, 180)
    prose(sheet, 330, 3)
    grid(sheet, 400)
    sheet.showPage()
    sheet.setFont("Helvetica", 9)
    prose(sheet, 60, 3)
    chart(sheet, 120)
    put(sheet, 60, 276, "Figure 2. Barges counted at the northern lock by year.")
    prose(sheet, 310, 5, ends=" and the masters of the")
    sheet.showPage()
    sheet.setFont("Helvetica", 9)
    put(
        sheet, 60, 60, "northern lock had expected it since the canal was dug out to its old depth."
    )
    prose(sheet, 100, 40)
    financial(sheet, 650, total=False)
    sheet.showPage()
    sheet.setFont("Helvetica", 9)
    financial(sheet, 40, heads=False)
    prose(sheet, 160, 4)
    sheet.showPage()
    sheet.setFont("Helvetica", 9)
    contents(sheet, 90)
    sheet.showPage()
    sheet.setFont("Helvetica", 9)
    for i, lock in enumerate(("Northern lock", "Middle lock", "Old lock", "Sea lock", "All")):
        put(sheet, 60, 160 + 14 * i, lock)
        put(sheet, 300, 160 + 14 * i, str(12 + 31 * i), right=True)
    sheet.save()
    with Library(folder) as library:
        library.add(folder)
        yield library.view()


NAME = "Harbour_statement"


def table(view: View, page: int, number: int = 0) -> Table:
    return view.tables(PageRef(NAME, page))[number]


def test_cells_stand_under_their_headers(tables_view: View) -> None:
    found = table(tables_view, 1)
    assert found.headers[1:] == ("Three months ended 2023", "Three months ended 2022")
    assert found.unit == "in millions"
    assert found.caption == "Table 1: Payments of the harbour office."
    body = found.rows[found.heads :]
    assert body[0] == ("Capital expenditures", "1,577", "1,373")
    assert body[2] == ("Dividends paid", "(312)", "(290)")


def test_a_label_of_two_lines_is_one_row(tables_view: View) -> None:
    body = table(tables_view, 1).rows
    assert ("Gain on sale of barges and of other equipment, net", "(88)", "41") in body


def test_a_ruled_table_keeps_the_lines_of_a_cell_together(tables_view: View) -> None:
    assert table(tables_view, 1, 1).rows == (
        ("Lock", "Duty", "Keeper"),
        ("North", "open in spring", "Lee"),
        ("South", "toll", "Fry"),
    )


def test_cells_know_their_boxes(tables_view: View) -> None:
    found = table(tables_view, 1)
    cell = next(cell for cell in found.cells if cell.text == "1,577")
    assert found.box[0] < cell.box[0] < cell.box[2] < found.box[2]
    assert found.box[1] < cell.box[1] < cell.box[3] < found.box[3]


def test_a_query_of_header_and_row_finds_the_table(tables_view: View) -> None:
    hit = tables_view.search("2023 capital expenditures", k=1, mode="keyword", kinds=["table"])[0]
    assert hit.page in (1, 3)  # the same rows stand on both
    assert hit.kind == "table"


def test_the_tool_names_columns_units_and_rows(tables_view: View) -> None:
    (tool,) = (tool for tool in toolset(tables_view) if tool.name == "find_tables")
    text = tool.invoke({"ref": f"{NAME}:1"})
    assert "2 tables" in text
    assert "unit: in millions" in text
    assert "Dividends paid | (312) | (290)" in text
    assert "has no table" in tool.invoke({"ref": f"{NAME}:2"})


def test_a_table_of_contents_is_no_table(tables_view: View) -> None:
    """Page numbers were given as values under their titles once."""
    (tool,) = (tool for tool in toolset(tables_view) if tool.name == "find_tables")
    assert all(table.is_contents for table in tables_view.tables(PageRef(NAME, 5)))
    text = tool.invoke({"ref": f"{NAME}:5"})
    assert "lists what stands on which page, and has no other table" in text
    assert "Old lock | 74" in tool.invoke({"ref": f"{NAME}:6"})


def test_a_chart_is_one_figure_with_its_labels_and_caption(tables_view: View) -> None:
    regions = tables_view.regions(PageRef(NAME, 2))
    (figure,) = (region for region in regions if region.kind == "figure")
    (caption,) = (region for region in regions if region.kind == "caption")
    assert "2020" in figure.text
    assert "60" in figure.text
    assert caption.parent == figure.id
    assert figure.box[1] < caption.box[1]
    kinds = [r.kind for r in regions if r.kind != "passage"]
    assert kinds == ["text", "figure", "caption", "text"]


def test_a_paragraph_over_the_page_is_joined_both_ways(tables_view: View) -> None:
    (forth,) = walk(tables_view, PageRef(NAME, 2), relations=["continues"])
    assert forth.end.page == 3
    assert "masters of the ~ northern lock" in forth.edges[0].words
    back = walk(tables_view, PageRef(NAME, 3), relations=["continues"], width=5)
    assert {path.end.page for path in back} == {2, 4}


def test_a_table_over_the_page_is_joined(tables_view: View) -> None:
    (path,) = walk(tables_view, PageRef(NAME, 4), relations=["continues"])
    assert path.end.page == 3
    assert "table:" in path.edges[0].words


def test_the_command_draws_kinds_and_order(tables_view: View, tmp_path: Path) -> None:
    home = str(tables_view.snapshot.source_path(tables_view.documents()[0].id).parents[1])
    out = tmp_path / "page.png"
    plain = tmp_path / "plain.png"
    runner = CliRunner()
    assert runner.invoke(app, ["page", home, f"{NAME}:2", "--out", str(plain)]).exit_code == 0
    drawn = runner.invoke(app, ["page", home, f"{NAME}:2", "--regions", "--out", str(out)])
    assert drawn.exit_code == 0, drawn.output
    assert out.read_bytes() != plain.read_bytes()
    told = runner.invoke(app, ["page", home, f"{NAME}:2", "--regions", "--json"])
    regions = json.loads(told.stdout)["regions"]
    caption = next(region for region in regions if region["kind"] == "caption")
    assert caption["parent"] in {region["id"] for region in regions}
