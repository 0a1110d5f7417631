"""Tools on awkward documents: commas in names, printed page numbers, blank and scanned pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.toolset import toolset

FIRM = "Smith_Jones_Co_2021"


@pytest.fixture(scope="module")
def odd_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("odd")
    write_firm(folder / "Smith, Jones & Co, 2021.pdf")
    write_scan(folder / "scan.pdf")
    with Library(tmp_path_factory.mktemp("library")) as library:
        report = library.add(folder)
        assert sorted(report.added) == ["Smith, Jones & Co, 2021.pdf", "scan.pdf"]
        yield library.view()


def write_firm(path: Path) -> None:
    """Write four pages with printed numbers from 11 on; the last one is blank."""
    sheet = Canvas(str(path))
    for page in range(1, 4):
        sheet.setFont("Helvetica", 11)
        for line in range(20):
            sheet.drawString(72, 740 - 18 * line, f"Line {line} of the account book of the firm.")
        if page == 1:
            sheet.drawString(
                72, 300, "The partners agreed on a dividend of 12 crowns a share, as page"
            )
            sheet.drawString(72, 282, "13 explains; the reserve fund stays untouched this year.")
        sheet.drawCentredString(300, 40, f"{page + 10}")
        sheet.showPage()
    sheet.showPage()
    sheet.save()


def write_scan(path: Path) -> None:
    picture = Image.new("RGB", (800, 1000), "white")
    ImageDraw.Draw(picture).text((100, 100), "WORDS THAT ONLY A PICTURE HOLDS", fill="black")
    sheet = Canvas(str(path))
    sheet.drawImage(ImageReader(picture), 0, 0, 595, 842)
    sheet.showPage()
    sheet.save()


def call(view: View, tool: str, images: str = "text", **arguments: Any) -> ToolMessage:
    tools = {t.name: t for t in toolset(view, images)}  # type: ignore[arg-type]
    request = {"type": "tool_call", "id": "c1", "name": tool, "args": arguments}
    message = tools[tool].invoke(request)
    assert isinstance(message, ToolMessage)
    return message


@pytest.mark.parametrize(
    ("documents", "names"),
    [
        ("Smith, Jones & Co, 2021.pdf", [FIRM]),
        ("scan, Smith, Jones & Co, 2021.pdf", ["scan", FIRM]),
        ("smith, jones & co, 2021.PDF , scan.pdf", ["scan", FIRM]),
        (f"[{FIRM}], scan,", ["scan", FIRM]),
        (f"'{FIRM}', \"scan\", {FIRM}", ["scan", FIRM]),
    ],
)
def test_names_with_commas_are_read(odd_view: View, documents: str, names: list[str]) -> None:
    message = call(odd_view, "aggregate", field="pages", op="count", documents=documents)
    assert message.status == "success", message.content
    assert sorted(message.artifact["documents"]) == sorted(names)


def test_a_wrong_name_in_a_list_suggests_those_that_hold_its_words(odd_view: View) -> None:
    message = call(odd_view, "aggregate", field="pages", op="count", documents="scan, jones 2021")
    assert message.status == "error"
    assert f"did you mean {FIRM}?" in str(message.content)


def test_the_printed_page_number_is_shown_where_it_differs(odd_view: View) -> None:
    message = call(odd_view, "read_page", ref=f"{FIRM}:2")
    assert str(message.content).startswith(f"[{FIRM}:2] of 4 (printed 12) |")


@pytest.mark.parametrize("written", ["p12", "p. 12", "pp 12", "printed page 12", "P.12"])
def test_a_printed_page_number_is_a_reference(odd_view: View, written: str) -> None:
    message = call(odd_view, "read_page", ref=f"{FIRM}:{written}")
    assert str(message.content).startswith(f"[{FIRM}:2] of 4 (printed 12) |")


def test_a_number_that_no_page_or_only_another_one_shows_says_what_to_use(odd_view: View) -> None:
    missing = call(odd_view, "read_page", ref=f"{FIRM}:p40")
    assert missing.status == "error"
    assert f"no page of {FIRM} shows '40' as its number; use its pages" in str(missing.content)
    beyond = call(odd_view, "find_tables", ref=f"{FIRM}:13")
    assert beyond.status == "error"
    assert str(beyond.content).endswith(f"{FIRM}:1 to {FIRM}:4; 13 is printed on {FIRM}:3")


def test_a_reference_to_a_printed_page_leads_to_the_page_of_the_file(odd_view: View) -> None:
    message = call(odd_view, "walk", ref=f"{FIRM}:1", relations="refers_to")
    assert [path["refs"][-1] for path in message.artifact["paths"]] == [f"{FIRM}:3"]
    assert "page 13" in str(message.content)


def test_phrases_run_over_line_ends_and_so_do_exclusions(odd_view: View) -> None:
    found = call(odd_view, "keyword_search", query='"as page 13 explains"')
    assert [hit["ref"] for hit in found.artifact["hits"]] == [f"{FIRM}:1"]
    without = call(odd_view, "keyword_search", query='"account book" -"as page 13 explains"')
    assert sorted(hit["ref"] for hit in without.artifact["hits"]) == [f"{FIRM}:2", f"{FIRM}:3"]


def test_a_blank_page_and_a_scan_say_what_they_are(odd_view: View) -> None:
    blank = call(odd_view, "read_page", ref=f"{FIRM}:4")
    assert "The page has no text: it is blank" in str(blank.content)
    scan = call(odd_view, "read_page", ref="scan:1")
    assert "a scan that OCR has not read yet; use other pages" in str(scan.content)
    seen = call(odd_view, "read_page", "inline", ref="scan:1")
    assert "look(scan:1, 0, 0, 1, 1) shows it" in str(seen.content)
    picture = call(odd_view, "read_page", "inline", ref="scan:1", form="image")
    assert isinstance(picture.content, list)
    assert call(odd_view, "look", ref="scan:1").status == "error"
