"""Hard files through the public interface: what a person and a model are told of them."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from langchain_core.messages import ToolMessage
from typer.testing import CliRunner

from pagehop.errors import ConfigError, LibraryError
from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import FULL_PAGE, Box, PageRef

WORDS = "The harbour office counted four hundred barges."
PAGE_BOXES = {
    "empty": ("MediaBox", "[0 0 0 0]"),
    "reversed": ("MediaBox", "[595 842 0 0]"),
    "negative": ("MediaBox", "[-300 -100 295 842]"),
    "endless": ("MediaBox", "[0 0 1e9 1e9]"),
    "no_numbers": ("MediaBox", "[0 0 /x (y)]"),
    "scaled": ("UserUnit", "1000"),
    "crop_outside": ("CropBox", "[2000 2000 3000 3000]"),
    "crop_empty": ("CropBox", "[100 100 100 100]"),
}


def start(pages: int = 1, **size: float) -> Any:
    document = pymupdf.open()
    for _ in range(pages):
        document.new_page(**size)
    return document


def write_boxes(folder: Path) -> None:
    """Write two pages each; the first one has an odd box."""
    for name, (key, value) in PAGE_BOXES.items():
        document = start(2)
        document[0].insert_text((60, 100), WORDS)
        document[1].insert_text((60, 100), "Second page")
        document.xref_set_key(document[0].xref, key, value)
        document.save(folder / f"{name}.pdf")


def write_hard(folder: Path) -> None:
    many = start(width=600, height=800)
    body = "".join(f"{i % 500 + 20} {i // 500 + 20} 2 2 re f\n" for i in range(50_000))
    many[0].insert_text((60, 60), WORDS)
    xref = many.get_new_xref()
    many.update_object(xref, "<<>>")
    many.update_stream(xref, body.encode())
    old = many[0].get_contents()
    refs = " ".join(f"{number} 0 R" for number in [*old, xref])
    many.xref_set_key(many[0].xref, "Contents", f"[{refs}]")
    many.save(folder / "many.pdf")
    large = start(width=14_400, height=14_400)
    large[0].insert_text((400, 9_000), WORDS, fontsize=200)
    large.save(folder / "large.pdf")
    unmapped = start()
    for i in range(20):
        unmapped[0].insert_htmlbox((60, 100 + 20 * i, 500, 120 + 20 * i), f"<p>{WORDS}</p>")
    for xref in range(1, unmapped.xref_length()):
        if unmapped.xref_get_key(xref, "ToUnicode")[0] != "null":
            unmapped.xref_set_key(xref, "ToUnicode", "null")
    unmapped.save(folder / "unmapped.pdf")
    hebrew = start()
    hebrew[0].insert_htmlbox((50, 50, 500, 700), "<p>שלום עולם המעגן סופר דוברות</p>")
    hebrew.save(folder / "hebrew.pdf")
    upright = start()
    upright[0].insert_text((300, 100), "港湾事務所", fontname="japan", fontsize=14)
    font = upright[0].get_fonts()[0][0]
    upright.xref_set_key(font, "Encoding", "/UniJIS-UTF16-V")
    upright.save(folder / "upright.pdf")
    unseen = start(2)
    unseen[0].insert_text((60, 100), WORDS)
    unseen[1].draw_rect((0, 0, 595, 842), fill=(1, 1, 1), color=None)
    unseen.save(folder / "unseen.pdf")
    nothing = start()
    nothing[0].draw_rect((0, 0, 595, 842), fill=(1, 1, 1), color=None)
    nothing.save(folder / "nothing.pdf")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("hard")
    write_boxes(folder)
    write_hard(folder)
    with Library(folder) as library:
        report = library.add(folder)
        assert report.failed == [(str(folder / "nothing.pdf"), "blank: no page has any content")]
        yield library


@pytest.fixture(scope="module")
def view(library: Library) -> View:
    return library.view()


def call(view: View, tool: str, **arguments: Any) -> ToolMessage:
    tools = {t.name: t for t in toolset(view, "inline")}
    request = {"type": "tool_call", "id": "c1", "name": tool, "args": arguments}
    message = tools[tool].invoke(request)
    assert isinstance(message, ToolMessage)
    return message


@pytest.mark.parametrize("name", sorted(PAGE_BOXES))
def test_a_page_with_an_odd_box_is_shown_and_does_no_harm_to_the_next(
    view: View, name: str
) -> None:
    assert view.page(PageRef(name, 2)).text == "Second page"
    page = view.page(PageRef(name, 1))
    assert 0 < page.width_pt < 1e6 and 0 < page.height_pt < 1e6
    assert page.text in (WORDS, ""), "a crop box off the page leaves nothing to read"
    assert (page.text == "") == name.startswith("crop")
    for word in page.words:
        assert all(0 <= edge <= 1 for edge in word.box)
    picture = view.crop(PageRef(name, 1), FULL_PAGE, max_pixels=5_000)
    assert 0 < picture.width * picture.height <= 5_000
    assert call(view, "read_page", ref=f"{name}:1").status == "success"


@pytest.mark.parametrize("name", ["many", "large"])
def test_a_page_of_many_objects_or_inches_is_found_and_shown(view: View, name: str) -> None:
    hits = view.search("four hundred barges", mode="keyword", documents=[name])
    assert [hit.ref for hit in hits] == [PageRef(name, 1)]
    box = hits[0].box
    assert view.crop(PageRef(name, 1), box, max_pixels=90_000).width > 30
    assert call(view, "look", ref=f"{name}:1").status == "success"


def test_type_without_a_unicode_map_waits_for_ocr(view: View) -> None:
    assert view.document("unmapped").scanned_pages == (1,)
    told = str(call(view, "read_page", ref="unmapped:1").content)
    assert "a scan that OCR has not read yet" in told


def test_right_to_left_words_are_found(view: View) -> None:
    assert set(view.page(PageRef("hebrew", 1)).text.split()) == set(
        "שלום עולם המעגן סופר דוברות".split()
    )
    assert [h.ref.name for h in view.search("המעגן", mode="keyword")] == ["hebrew"]


def test_upright_type_is_read_from_top_to_bottom(view: View) -> None:
    page = view.page(PageRef("upright", 1))
    assert "".join(page.text.split()) == "港湾事務所"
    tops = [word.box[1] for word in page.words]
    assert tops == sorted(tops)


def test_a_page_that_shows_nothing_says_that_it_is_blank(view: View) -> None:
    told = str(call(view, "read_page", ref="unseen:2").content)
    assert "The page has no text: it is blank" in told


@pytest.mark.parametrize("page", [0, -1, 2, 10**12])
def test_a_page_that_does_not_exist_is_named(library: Library, view: View, page: int) -> None:
    ref = PageRef("many", page)
    for ask in (view.page, view.regions, view.crop):
        with pytest.raises(LibraryError, match=f"page {page} does not exist; many has 1"):
            ask(ref)
    for tool in ("read_page", "look", "find_tables"):
        message = call(view, tool, ref=f"many:{page}")
        assert message.status == "error"
        assert "many:1" in str(message.content), "it says what to use instead"
    result = CliRunner().invoke(app, ["page", str(library.path.parent), f"many:{page}"])
    assert result.exit_code == 2 and str(page) in result.output + result.stderr


NO_BOXES: list[Box] = [
    (1.5, 0.0, 2.0, 1.0), (-1.0, 0.0, -0.5, 1.0), (0.0, 3.0, 1.0, 9.0),
    (math.nan, 0.0, 1.0, 1.0), (0.0, 0.0, math.inf, 1.0), (0.0, -math.inf, 1.0, 1.0),
]  # fmt: skip


@pytest.mark.parametrize("box", NO_BOXES)
def test_a_box_off_the_page_is_refused(library: Library, view: View, box: Box) -> None:
    with pytest.raises(ConfigError, match="is not on the page: its edges are fractions"):
        view.crop(PageRef("many", 1), box)
    numbers = dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
    message = call(view, "look", ref="many:1", **numbers)
    assert message.status == "error" and "fractions of the page" in str(message.content)
    given = "--box=" + ",".join(map(str, box))
    result = CliRunner().invoke(app, ["page", str(library.path.parent), "many:1", given])
    assert result.exit_code == 2 and "fractions of the page" in result.output + result.stderr


@pytest.mark.parametrize("box", [(0.5, 0.5, 0.5, 0.5), (0.9, 0.8, 0.2, 0.1), (-0.5, -2, 0.5, 3)])
def test_an_empty_turned_or_overhanging_box_shows_the_part_on_the_page(
    library: Library, view: View, box: Box
) -> None:
    picture = view.crop(PageRef("many", 1), box, max_pixels=9_000)
    assert 0 < picture.width * picture.height <= 9_000
    numbers = dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
    message = call(view, "look", ref="many:1", **numbers)
    assert message.status == "error", "a model that mixes up edges is told so"


def test_the_command_line_shows_a_hard_page(library: Library, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    folder = str(library.path.parent)
    result = CliRunner().invoke(
        app, ["page", folder, "large:1", "--out", str(out), "--regions", "--json"]
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["width_px"] * said["height_px"] <= 2_000_000 and out.exists()
