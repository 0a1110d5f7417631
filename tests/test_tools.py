"""Each tool on real small reports: what the model reads, and the way out of every error."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from PIL import Image

from pagehop.errors import ConfigError
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.toolset import toolset

HALDEN = "Halden_2021_annual_report"


def call(view: View, tool: str, images: str = "text", **arguments: Any) -> ToolMessage:
    tools = {t.name: t for t in toolset(view, images, inside=True)}  # type: ignore[arg-type]
    request = {"type": "tool_call", "id": "c1", "name": tool, "args": arguments}
    message = tools[tool].invoke(request)
    assert isinstance(message, ToolMessage)
    return message


def text_of(view: View, tool: str, **arguments: Any) -> str:
    message = call(view, tool, **arguments)
    assert message.status == "success", message.content
    assert isinstance(message.content, str)
    return message.content


def error_of(view: View, tool: str, **arguments: Any) -> str:
    message = call(view, tool, **arguments)
    assert message.status == "error", message.content
    assert isinstance(message.content, str)
    return message.content


def test_list_documents_lists_and_filters_by_words(view: View) -> None:
    everything = text_of(view, "list_documents")
    assert everything.startswith("4 documents:")
    assert f"- {HALDEN} | " in everything
    assert everything.count(" | 4 pages") == 4
    assert text_of(view, "list_documents", filter="orrin 2022").startswith("1 of 4 documents:")
    nothing = text_of(view, "list_documents", filter="unknown plc")
    assert "None of the 4 documents" in nothing
    assert HALDEN in nothing


def test_outline_gives_sections_with_references(view: View) -> None:
    message = call(view, "outline", document="Halden 2021 annual report.pdf")
    assert "Results" in str(message.content)
    assert f"[{HALDEN}:2]" in str(message.content)
    assert f"{HALDEN}:3" in message.artifact["refs"]
    assert "nearest names: " + HALDEN in error_of(view, "outline", document="Haldn 2021 report")


def test_read_page_gives_rows_as_lines(view: View) -> None:
    message = call(view, "read_page", ref=f"{HALDEN}:2")
    assert "Capital expenditure 57.3 49.8" in str(message.content)
    assert str(message.content).startswith(f"[{HALDEN}:2] of 4")
    assert message.artifact["ref"] == f"{HALDEN}:2"
    assert message.artifact["regions"]


def test_wrong_references_say_what_to_do(view: View) -> None:
    gone = error_of(view, "read_page", ref=f"{HALDEN}:41")
    assert gone == (f"page 41 does not exist; {HALDEN} has 4 pages: use {HALDEN}:1 to {HALDEN}:4")
    assert "write name:page, e.g. " in error_of(view, "read_page", ref="page two")
    assert "there is no document 'Nobody'" in error_of(view, "read_page", ref="Nobody:1")
    assert "call read_page(ref, form='text')" in error_of(view, "read_page")
    assert "input should be 'text' or 'image'" in error_of(
        view, "read_page", ref=f"{HALDEN}:1", form="video"
    )


def test_look_gives_the_words_inside_to_a_text_reader(view: View) -> None:
    upper = call(view, "look", ref=f"{HALDEN}:2", x0=0, y0=0, x1=1, y1=0.5)
    lower = error_of(view, "look", ref=f"{HALDEN}:2", x0=0, y0=0.7, x1=1, y1=1)
    assert "Capital expenditure 57.3 49.8" in upper.artifact["text"]
    assert "no words in this box" in lower


def test_look_gives_a_picture_that_fills_the_pixels_to_a_seeing_reader(view: View) -> None:
    message = call(view, "look", "inline", ref=f"{HALDEN}:2", x0=0, y0=0, x1=0.5, y1=0.25)
    assert isinstance(message.content, list)
    block = message.content[1]
    assert isinstance(block, dict)
    picture = Image.open(io.BytesIO(base64.b64decode(block["base64"])))
    assert (picture.width, picture.height) == (
        message.artifact["width_px"],
        message.artifact["height_px"],
    )
    assert 900_000 <= picture.width * picture.height <= 1_010_000
    assert min(picture.convert("L").tobytes()) < 64


def test_look_by_reference_names_the_picture_and_its_size(view: View) -> None:
    message = call(view, "look", "reference", ref=f"{HALDEN}:2")
    assert isinstance(message.content, str)
    assert message.artifact["box"] == [0.0, 0.0, 1.0, 1.0]
    assert message.artifact["width_px"] * message.artifact["height_px"] <= 1_000_000


def test_a_perceiver_reads_pictures_for_a_text_reader(view: View) -> None:
    asked = []

    def perceive(picture: Image.Image, question: str) -> str:
        asked.append((picture.width > 100, question))
        return "a table of three rows"

    (look,) = (t for t in toolset(view, "text", perceive=perceive) if t.name == "look")
    arguments = {"ref": f"{HALDEN}:2", "question": "How many rows has the table?"}
    message = look.invoke({"type": "tool_call", "id": "c", "name": "look", "args": arguments})
    assert "a table of three rows" in message.content
    assert message.artifact["reading"] == "a table of three rows"
    assert asked == [(True, "How many rows has the table?")]


@pytest.mark.parametrize("box", [(0, 0, 0, 1), (0.5, 0.5, 0.2, 0.9), (0, 0, 100, 200)])
def test_a_wrong_box_is_explained(view: View, box: tuple[float, ...]) -> None:
    x0, y0, x1, y1 = box
    message = error_of(view, "look", ref=f"{HALDEN}:2", x0=x0, y0=y0, x1=x1, y1=y1)
    assert "x0 < x1" in message or "from 0 to 1" in message


def test_walk_shows_paths_and_why(view: View) -> None:
    message = call(view, "walk", ref=f"{HALDEN}:1", relations="refers_to")
    assert f"refers_to [{HALDEN}:3] (see Note 3" in str(message.content)
    path = message.artifact["paths"][0]
    assert path["refs"][0] == f"{HALDEN}:1"
    assert path["relations"] == ["refers_to"]
    assert "No page is reached" in text_of(view, "walk", ref=f"{HALDEN}:1", relations="cites")
    assert "there is no relation 'up'" in error_of(view, "walk", ref=f"{HALDEN}:1", relations="up")
    assert "No page is reached" in text_of(view, "walk", ref=f"{HALDEN}:4", relations="next")


def test_filter_documents_returns_names_for_the_next_call(view: View) -> None:
    message = call(view, "filter_documents", predicate="year = 2021 and pages > 1")
    assert message.artifact["documents"] == [HALDEN, "Orrin_2021_annual_report"]
    assert "at position 1" in error_of(view, "filter_documents", predicate="pgs > 1")


def test_a_filter_on_titles_shows_one_that_is_left_out_of_lists(tmp_path: Path) -> None:
    """Documents matched by a title that the list did not show, and nothing said why."""
    (tmp_path / "acme.md").write_text("# Form 10-Q\n\nSales rose.\n", encoding="utf-8")
    with Library(tmp_path) as library:
        library.add(tmp_path)
        shown = text_of(library.view(), "filter_documents", predicate="title ~ 10-Q")
        assert shown.endswith("- acme | 1 page | title: Form 10-Q")
        assert "title:" not in text_of(library.view(), "filter_documents", predicate="pages = 1")


def test_aggregate_works_on_what_is_known_of_documents(view: View) -> None:
    assert text_of(view, "aggregate", field="pages", op="sum") == "sum of pages over 4 values = 16"
    some = call(
        view, "aggregate", field="year", op="list", documents="Orrin 2022 annual report.pdf"
    )
    assert some.artifact["value"] == [2022]
    assert text_of(view, "aggregate", field="name", op="count") == "4 documents have name"
    assert "max of pages = 4" in text_of(view, "aggregate", field="PAGES", op="max")
    assert "is no number" in error_of(view, "aggregate", field="name", op="sum")
    assert "there is no field 'labels'" in error_of(view, "aggregate", field="labels", op="list")


def test_verify_finds_the_quote_and_its_numbers(view: View) -> None:
    quote = "Capital expenditure was 57.3 million crowns"
    good = call(view, "verify", claim="It spent 57.3 million.", quote=quote, ref=f"{HALDEN}:3")
    assert str(good.content).startswith("VERIFIED: the quote stands exactly")
    assert good.artifact["verified"] is True
    assert len(good.artifact["box"]) == 4
    other = call(view, "verify", claim="It spent 61.4 million.", quote=quote, ref=f"{HALDEN}:3")
    assert "NUMBERS MISSING" in str(other.content)
    assert other.artifact["verified"] is False
    assert other.artifact["missing"] == ["61.4"]


def test_verify_names_the_page_where_the_quote_does_stand(view: View) -> None:
    quote = "Capital expenditure was 57.3 million crowns"
    moved = call(view, "verify", claim="x", quote=quote, ref=f"{HALDEN}:2")
    assert moved.artifact["found_on"] == f"{HALDEN}:3"
    assert moved.artifact["box"] is None
    wrong = quote.replace("57.3", "58.3")
    nowhere = call(view, "verify", claim="x", quote=wrong, ref=f"{HALDEN}:3")
    assert "NOT FOUND" in str(nowhere.content)
    assert "Nearest line there: Capital expenditure was 57.3" in str(nowhere.content)


def test_note_is_there_inside_a_machine_only(view: View) -> None:
    assert call(view, "note", text="look  at Note 3").artifact == {"note": "look at Note 3"}
    assert "note" not in [tool.name for tool in toolset(view)]


def test_semantic_search_names_pages_and_regions(view: View) -> None:
    message = call(view, "semantic_search", query="Halden capital expenditure 2021", k=3)
    hits = message.artifact["hits"]
    assert len(hits) == 3
    assert hits[0]["ref"] in (f"{HALDEN}:2", f"{HALDEN}:3")
    assert str(message.content).startswith(f"1. [{hits[0]['ref']}]")
    assert set(hits[0]) - {"why"} == {
        "ref", "box", "region", "kind", "score", "found_by", "ranks", "source",
    }  # fmt: skip
    scoped = call(view, "semantic_search", query="debt", documents="Orrin 2021 annual report.pdf")
    assert {hit["ref"].split(":")[0] for hit in scoped.artifact["hits"]} == {
        "Orrin_2021_annual_report"
    }
    assert 'use by="text"' in error_of(view, "semantic_search", query="x", by="image")
    assert "there is no kind 'map'; use title" in error_of(
        view, "semantic_search", query="x", kinds="map"
    )


def refs(message: ToolMessage) -> list[str]:
    return [hit["ref"] for hit in message.artifact["hits"]]


def test_keyword_search_finds_words_phrases_patterns_and_exclusions(view: View) -> None:
    phrase = call(view, "keyword_search", query='"plant at Skarvoy"')
    assert set(refs(phrase)) == {f"{HALDEN}:1", f"{HALDEN}:3"}
    assert "plant at Skarvoy" in str(phrase.content)
    without = call(view, "keyword_search", query='"plant at Skarvoy" -"largest project"')
    assert refs(without) == [f"{HALDEN}:3"]
    pattern = call(view, "keyword_search", query=r"regex:employed 19\d\d people")
    assert refs(pattern) == ["Halden_2022_annual_report:1"]
    x0, y0, x1, y1 = pattern.artifact["hits"][0]["box"]
    assert 0 < x0 < x1 < 1
    assert y1 - y0 < 0.05
    words = call(view, "keyword_search", query="Tungenes", k=5)
    assert {ref.split(":")[0] for ref in refs(words)} == {"Halden_2022_annual_report"}
    assert "Nothing found" in text_of(view, "keyword_search", query='"no such phrase here"')


def test_keyword_search_explains_what_it_cannot_read(view: View) -> None:
    assert "a phrase is not closed" in error_of(view, "keyword_search", query='"open phrase')
    assert "cannot be read" in error_of(view, "keyword_search", query="regex:(")
    assert "asks for nothing" in error_of(view, "keyword_search", query="-debt")


def test_an_endless_pattern_is_stopped(view: View) -> None:
    message = error_of(view, "keyword_search", query=r"regex:((\w+)\W*){10,}?\2{5}\d{6}")
    assert "takes too long" in message


def test_an_unknown_way_to_show_pictures_is_a_wrong_setting(view: View) -> None:
    with pytest.raises(ConfigError, match="use inline, reference, text"):
        toolset(view, "jpeg")  # type: ignore[arg-type]
