"""Pictures as tools show them: thumbnails, crops by box or caption, charts that hold no text.

The document of this file has a page with a drawn chart, one whose chart is a picture, one that is
turned by 90 degrees, and seven of plain text.
"""

import base64
import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, ToolMessage
from PIL import Image, ImageChops, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A5
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

import pagehop
from pagehop.agents.moves import Call, Observation
from pagehop.agents.perceiver import Perceiver
from pagehop.agents.replies import read_reply
from pagehop.errors import ToolError
from pagehop.interfaces.narration import call_result
from pagehop.interfaces.replays import replay
from pagehop.library.library import Library
from pagehop.library.picture_reader import OFF
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel, count_tokens
from pagehop.settings import load_settings
from pagehop.tools.contact_sheet import plan_sheet, read_sheet
from pagehop.tools.pictures import BLIND, draw
from pagehop.tools.toolset import toolset
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import segments, undeclared
from pagehop.types import PageRef

NAME = "charts"
BARS = (("North", 42), ("South", 65), ("Islands", 23))
HEADINGS = ("Docks", "Crews", "Orders in hand", "Repairs", "Safety", "Accounts", "Outlook")
PROSE = (
    "The yard delivered eleven hulls in the year, three more than in the year before,",
    "and took orders for nine; the dock at Tungenes was closed for repairs until May.",
)


def draw_chart_picture() -> Image.Image:
    """Draw bars with labels into a raster picture."""
    picture = Image.new("RGB", (900, 500), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=44)
    for i, (label, value) in enumerate(BARS):
        x = 90 + 280 * i
        draw.rectangle((x, 400 - 5 * value, x + 150, 400), fill=(40, 90, 160))
        draw.text((x, 420), label, font=font, fill="black")
        draw.text((x + 40, 345 - 5 * value), str(value), font=font, fill="black")
    return picture


def write_document(path: Path) -> None:
    sheet = Canvas(str(path), pagesize=A5)
    height = A5[1]

    def prose(top: float) -> None:
        sheet.setFont("Helvetica", 9)
        for i, line in enumerate(PROSE):
            sheet.drawString(40, top - 12 * i, line)

    prose(height - 60)
    sheet.line(50, 260, 270, 260)
    sheet.line(50, 260, 50, 480)
    for i, (_, value) in enumerate(BARS):
        sheet.rect(60 + 70 * i, 260, 40, 3.0 * value, fill=1)
    sheet.drawString(60, 240, "Figure 1. Hulls by region, in thousands of tonnes.")
    sheet.showPage()
    prose(height - 60)
    sheet.drawImage(ImageReader(draw_chart_picture()), 60, 220, 300, 167)
    sheet.drawString(60, 200, "Figure 2. Orders by region.")
    sheet.showPage()
    sheet.setPageRotation(90)  # the page is stored lying, and its lines run upwards in it
    sheet.translate(height, 0)
    sheet.rotate(90)
    prose(A5[0] - 60)
    sheet.showPage()
    sheet.setPageRotation(0)
    for i, heading in enumerate(HEADINGS):
        sheet.setFont("Helvetica-Bold", 14)
        sheet.drawString(40, height - 60 - 9 * i, heading)
        prose(height - 110 - 9 * i)
        sheet.showPage()
    sheet.save()


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("charts")
    write_document(folder / f"{NAME}.pdf")
    with Library(tmp_path_factory.mktemp("library")) as library:
        library.add(folder)
        yield library.view()


def call(view: View, tool: str, images: str = "text", **arguments: Any) -> ToolMessage:
    (made,) = (t for t in toolset(view, images) if t.name == tool)  # type: ignore[arg-type]
    message = made.invoke({"type": "tool_call", "id": "c1", "name": tool, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message


def picture_in(message: ToolMessage) -> Image.Image:
    assert isinstance(message.content, list)
    block = message.content[1]
    assert isinstance(block, dict)
    return Image.open(io.BytesIO(base64.b64decode(block["base64"]))).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.asarray(ImageChops.difference(one.convert("L"), other.convert("L"))).mean())


def test_an_overview_shows_each_page_in_its_place_within_the_pixels(charts: View) -> None:
    message = call(charts, "overview", "inline", document=NAME)
    picture, sheet = picture_in(message), read_sheet(message.artifact)
    assert picture.size == (sheet.width_px, sheet.height_px)
    assert 900_000 < picture.width * picture.height <= 1_000_000
    assert [one.ref.page for one in sheet.thumbnails] == list(range(1, 11))
    for one in sheet.thumbnails[:3]:
        shown = picture.crop(one.place)
        page = charts.crop(one.ref).convert("RGB").resize(shown.size, Image.Resampling.LANCZOS)
        assert difference(shown, page) < 4
    other = picture.crop(sheet.thumbnails[0].place).resize((200, 280))
    assert difference(other, picture.crop(sheet.thumbnails[1].place).resize((200, 280))) > 4
    for one in sheet.thumbnails:  # a number stands above each
        x0, y0, x1, _ = one.place
        label = np.asarray(picture.crop((x0, y0 - 19, x1, y0 - 1)).convert("L"))
        assert label.max() > 200


@pytest.mark.parametrize("count", range(1, 21))
@pytest.mark.parametrize("max_pixels", [90_000, 1_000_000])
def test_a_sheet_of_any_number_of_pages_keeps_them_apart(
    charts: View, count: int, max_pixels: int
) -> None:
    refs = [PageRef(NAME, i % 10 + 1) for i in range(count)]
    sheet = plan_sheet(charts, refs, max_pixels)
    assert sheet.width_px * sheet.height_px <= max_pixels
    places = [one.place for one in sheet.thumbnails]
    assert all(0 < x0 < x1 < sheet.width_px for x0, _, x1, _ in places)
    assert all(0 < y0 < y1 < sheet.height_px for _, y0, _, y1 in places)
    covered = np.zeros((sheet.height_px, sheet.width_px), int)
    for x0, y0, x1, y1 in places:
        covered[y0:y1, x0:x1] += 1
    assert covered.max() == 1


def test_an_overview_in_words_names_headings_figures_and_captions(charts: View) -> None:
    text = str(call(charts, "overview", document=NAME).content)
    assert f"[{NAME}:1] " in text and "1 figure | Figure 1. Hulls by region" in text
    assert f"[{NAME}:7] Repairs" in text
    some = str(call(charts, "overview", document=NAME, pages="2, 4-5").content)
    assert f"[{NAME}:2]" in some and f"[{NAME}:5]" in some and f"[{NAME}:3]" not in some


def test_an_overview_of_a_search_shows_the_pages_found(charts: View) -> None:
    message = call(charts, "overview", "reference", query="orders by region")
    assert message.artifact["refs"][0] == f"{NAME}:2"
    assert len(message.artifact["sheet"]) == len(message.artifact["refs"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give a document, or a query"),
        ({"document": "chart of hulls"}, "list_documents"),
        ({"document": NAME, "pages": "the last"}, "write e.g. 21-40"),
        ({"document": NAME, "pages": "31-40"}, "has pages 1 to 10"),
        ({"document": NAME, "pages": "3-5,99"}, "there is no 99"),
        ({"document": NAME, "pages": "5-3"}, "there is no 5-3"),
    ],
)
def test_an_overview_says_what_it_needs(
    charts: View, arguments: dict[str, str], words: str
) -> None:
    message = call(charts, "overview", **arguments)
    assert message.status == "error"
    assert words in str(message.content)


def test_pages_that_are_banned_are_in_no_overview(charts: View) -> None:
    narrowed = charts.without([f"{NAME}:1"])
    refs = call(narrowed, "overview", document=NAME).artifact["refs"]
    assert refs == [f"{NAME}:{page}" for page in range(2, 11)]
    assert call(narrowed, "overview", document=NAME, pages="1").status == "error"


def test_look_finds_a_figure_by_its_caption_and_says_what_it_shows(charts: View) -> None:
    message = call(charts, "look", "inline", ref=f"{NAME}:1 Fig. 1")
    x0, y0, x1, y1 = message.artifact["box"]
    assert x0 < 0.15 and 0.15 < y0 < 0.5 and 0.5 < x1 < 1 and 0.58 < y1 < 0.65
    assert "Figure 1. Hulls by region" in str(message.content)
    picture = np.asarray(picture_in(message).convert("L"))
    assert (picture < 60).mean() > 0.1  # the bars fill it
    wrong = call(charts, "look", "inline", ref=f"{NAME}:1 Figure 2")
    assert wrong.status == "error" and "there are: Figure 1. Hulls" in str(wrong.content)
    none = call(charts, "look", "inline", ref=f"{NAME}:5, Figure 2")
    assert none.status == "error" and "no captions" in str(none.content)


def test_a_box_that_ends_inside_a_word_shows_the_whole_word(charts: View) -> None:
    page = charts.page(PageRef(NAME, 1))
    (word,) = (word for word in page.words if word.text == "tonnes.")
    x0, y0, x1, y1 = word.box
    sides = {"x0": 0.1, "y0": 0.3, "x1": (x0 + x1) / 2, "y1": (y0 + y1) / 2}
    shown = call(charts, "look", "reference", ref=f"{NAME}:1", **sides).artifact["box"]
    assert shown[2] > x1 > sides["x1"] + 0.01 and shown[3] > y1
    assert shown[0] == pytest.approx(0.09) and shown[1] == pytest.approx(0.29)


def test_a_picture_by_reference_is_drawn_again_to_the_pixel(charts: View) -> None:
    for tool, arguments in (
        ("look", {"ref": f"{NAME}:2", "x0": 0.13, "y0": 0.31, "x1": 0.77, "y1": 0.68}),
        ("read_page", {"ref": f"{NAME}:3", "form": "image"}),
        ("overview", {"document": NAME, "pages": "1-7"}),
    ):
        sent = picture_in(call(charts, tool, "inline", **arguments))
        named = call(charts, tool, "reference", **arguments)
        assert isinstance(named.content, str)
        again = draw(charts, named.artifact)
        assert again is not None
        assert again.size == (named.artifact["width_px"], named.artifact["height_px"])
        assert again.convert("RGB").tobytes() == sent.tobytes()
    assert draw(charts, call(charts, "outline", document=NAME).artifact) is None


def test_a_crop_of_a_turned_page_shows_the_words_whose_box_was_asked_for(charts: View) -> None:
    page = charts.page(PageRef(NAME, 3))
    (word,) = (word for word in page.words if word.text == "Tungenes")
    sides = dict(zip(("x0", "y0", "x1", "y1"), word.box, strict=True))
    message = call(charts, "look", "inline", ref=f"{NAME}:3", **sides)
    x0, y0, x1, y1 = message.artifact["box"]
    whole = charts.crop(PageRef(NAME, 3), max_pixels=8_000_000)
    edges = (x0 * whole.width, y0 * whole.height, x1 * whole.width, y1 * whole.height)
    seen = picture_in(message).resize((300, 100))
    same = whole.crop(tuple(map(round, edges))).resize((300, 100))
    assert difference(seen, same) < 12 < np.asarray(seen.convert("L")).std()


def zoomed(artifact: dict[str, Any], text: str) -> Any:
    shown = Observation(Call("look", {}, "s1c1"), True, "", artifact)
    return read_reply(AIMessage(f"<bbox>{text}</bbox>"), [shown])


def test_a_box_on_a_thumbnail_is_a_box_on_its_page(charts: View) -> None:
    artifact = call(charts, "overview", "reference", document=NAME).artifact
    x0, y0, x1, y1 = read_sheet(artifact).thumbnails[6].place
    middle = (y0 + y1) // 2
    (look,) = zoomed(artifact, f"[{x0}, {middle}, {x1}, {y1}]").calls
    assert look.arguments["ref"] == f"{NAME}:7"
    assert look.arguments["y0"] == pytest.approx(0.5, abs=0.01)
    assert (look.arguments["x0"], look.arguments["y1"]) == (0.0, 1.0)
    assert "none of the thumbnails" in zoomed(artifact, "[1, 1, 5, 5]").problem


def test_a_box_is_in_pixels_of_the_picture_or_in_fractions_of_it() -> None:
    artifact = {"ref": "x:3", "box": [0.5, 0.0, 1.0, 0.5], "width_px": 400, "height_px": 300}
    by_pixels = zoomed(artifact, "[100, 150, 400, 300]").calls
    assert zoomed(artifact, "[0.25, 0.5, 1.0, 1.0]").calls == by_pixels
    assert by_pixels[0].arguments == {"ref": "x:3", "x0": 0.625, "y0": 0.25, "x1": 1.0, "y1": 0.5}
    assert zoomed(artifact, "[0, 0, 404, 303]").calls  # rounded by the model
    beyond = zoomed(artifact, "[250, 500, 1000, 1000]")
    assert not beyond.calls and "400 x 300 pixels" in beyond.problem


def test_without_ocr_a_chart_without_words_is_told_to_be_one(charts: View) -> None:
    message = call(charts, "look", ref=f"{NAME}:2 Figure 2")
    text = str(message.content)
    assert "figure at" in text and "Figure 2. Orders by region." in text and OFF in text
    assert message.artifact["note"] == BLIND
    bare = call(charts, "look", ref=f"{NAME}:2", x0=0.3, y0=0.45, x1=0.6, y1=0.55)
    assert bare.status == "error" and OFF in str(bare.content)


def test_ocr_reads_the_labels_of_a_chart_that_is_a_picture(
    charts: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rapidocr")
    write_document(tmp_path / f"{NAME}.pdf")
    library = Library(tmp_path / "library")
    library.add(tmp_path / f"{NAME}.pdf")
    library.close()
    monkeypatch.setenv("PAGEHOP_OCR__ENGINE", "rapidocr")
    load_settings.cache_clear()
    try:
        with Library(tmp_path / "library") as opened:
            message = call(opened.view(), "look", ref=f"{NAME}:2 Figure 2")
            again = call(opened.view(), "look", ref=f"{NAME}:2 Figure 2")
    finally:
        monkeypatch.undo()
        load_settings.cache_clear()
    text = str(message.content)
    assert "Read by OCR in the picture" in text
    assert all(label in text and str(value) in text for label, value in BARS)
    assert again.content == message.content
    assert message.artifact["source"] == "text"  # the caption's own words are


def test_a_run_without_eyes_says_so_once(charts: View) -> None:
    def look(top: float) -> dict[str, Any]:
        arguments = {"ref": f"{NAME}:1", "y0": top}
        return {"content": "", "tool_calls": [{"name": "look", "args": arguments}]}

    replies = ['{"parts": [{"id": "Q1", "text": "q"}]}', look(0.0), look(0.1)]
    model = ScriptedModel(replies=[*replies, '{"evidence": [], "sufficient": false}'] * 3)
    model.profile = {"image_inputs": False}
    budget = pagehop.Budget(steps=2, seconds=None)
    answer = pagehop.ask("How many hulls?", charts, model=model, record=False, budget=budget)
    assert answer.warnings.count(BLIND) == 1


def test_the_same_picture_and_question_are_read_once(charts: View) -> None:
    model = ScriptedModel(replies=["Three bars.", "Blue."])
    perceiver = Perceiver(model)
    (look,) = (t for t in toolset(charts, "text", perceive=perceiver) if t.name == "look")
    asked = [(0.3, "How many bars?"), (0.3, "How many bars?"), (0.3, "Which colour?")]
    said = [
        look.invoke({"ref": f"{NAME}:1", "y0": top, "question": question})
        for top, question in asked
    ]
    assert "Three bars." in said[0] and said[0] == said[1] and "Blue." in said[2]
    assert len(model.calls) == 2


def run_over_pictures(
    charts: View, most: int | None, record: Path | bool = False, **eyes: Any
) -> pagehop.Answer:
    """Two steps with a picture each."""

    def look(top: float) -> dict[str, Any]:
        arguments = {"ref": f"{NAME}:1", "y0": top, "question": "How many bars?"}
        return {"content": "", "tool_calls": [{"name": "look", "args": arguments}]}

    replies = ['{"parts": [{"id": "Q1", "text": "q"}]}', look(0.0), look(0.3)]
    model = ScriptedModel(replies=[*replies, '{"evidence": [], "sufficient": false}'] * 3)
    model.profile = {"image_inputs": False}
    budget = pagehop.Budget(steps=2, seconds=None, model_calls=most)
    return pagehop.ask("How many hulls?", charts, model=model, record=record, budget=budget, **eyes)


def test_readings_of_pictures_count(charts: View) -> None:
    eyes = ScriptedModel(replies=["Three bars."] * 2)
    with_eyes = run_over_pictures(charts, None, vision_model=eyes).usage
    without = run_over_pictures(charts, None).usage
    assert len(eyes.calls) == 2
    assert with_eyes.model_calls == without.model_calls + 2
    read = sum(count_tokens(asked.messages) for asked in eyes.calls)
    assert with_eyes.input_tokens >= read and read > 0
    said = count_tokens([AIMessage("Three bars.")])
    assert with_eyes.output_tokens - without.output_tokens >= 2 * said


def test_readings_of_pictures_are_calls_of_the_record(charts: View, tmp_path: Path) -> None:
    eyes = ScriptedModel(replies=["Three bars.", RuntimeError("the endpoint is down")])
    answer = run_over_pictures(charts, None, tmp_path, vision_model=eyes)
    (episode,) = read_run(answer.trajectory).episodes
    read, failed = (call for call in episode.calls if call.role == "perceiver")
    assert (read.id, failed.id) == ("1/llm.perceiver.s1c1.1", "2/llm.perceiver.s2c1.1")
    assert episode.message(read.message).text == "Three bars." and not failed.message
    assert "the endpoint is down" in failed.error and failed in episode.calls
    assert len(episode.message(read.leaf).pictures) == 1
    assert not read.trainable and not failed.trainable and not undeclared(episode)
    asked = sum(call.usage.model_calls or call.attempts for call in episode.calls)
    assert answer.usage.model_calls == asked
    assert answer.usage.output_tokens == sum(c.usage.output_tokens for c in episode.calls)
    begun = [part.begins for part in segments(episode) if part.calls[0].role == "perceiver"]
    assert begun == ["start"]


def test_a_reading_that_its_tool_left_behind_is_told_as_given_up(
    charts: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__TOOL_TIMEOUT_S", "1")
    load_settings.cache_clear()
    over = threading.Event()

    def reads(messages: Any, tools: Any) -> str:
        over.wait(60)
        return "Three bars."

    try:
        eyes = ScriptedModel(replies=reads)
        answer = run_over_pictures(charts, None, tmp_path, vision_model=eyes)
    finally:
        over.set()
        monkeypatch.undo()
        load_settings.cache_clear()
    (episode,) = read_run(answer.trajectory).episodes
    left = [call for call in episode.calls if call.role == "perceiver"]
    assert left and all("given up" in call.error for call in left)


def test_a_replay_reads_pictures_as_they_were_read(charts: View, tmp_path: Path) -> None:
    eyes = ScriptedModel(replies=["Three bars.", "Four bars."])
    answer = run_over_pictures(charts, None, tmp_path, vision_model=eyes)
    (episode,) = read_run(answer.trajectory).episodes
    assert charts.runs_path is not None
    played = replay(answer.trajectory, episode.episode_id, library=charts.runs_path.parent)
    assert played.differences == ()
    assert len(eyes.calls) == 2


def test_a_spent_budget_leaves_pictures_unread(charts: View) -> None:
    """Plan, a step and its picture use what exploring may; the answer keeps two calls."""
    eyes = ScriptedModel(replies=["Three bars."] * 2)
    usage = run_over_pictures(charts, 4, vision_model=eyes).usage
    assert usage.model_calls <= 4 and not eyes.calls


def test_a_reading_that_failed_is_tried_again_and_none_is_made_twice_at_once() -> None:
    together = threading.Barrier(2, timeout=10)
    begun: list[int] = []

    def reads(messages: Any, tools: Any) -> str:
        begun.append(1)
        if len(begun) == 1:
            raise RuntimeError("the endpoint is down")
        time.sleep(0.2)
        return "Three bars."

    perceiver = Perceiver(ScriptedModel(replies=reads))
    picture = draw_chart_picture()
    with pytest.raises(ToolError, match="gave no reading"):
        perceiver(picture, "How many bars?")

    def ask(_: int) -> str:
        together.wait()
        return perceiver(picture, "How many bars?")

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, range(2))) == ["Three bars."] * 2
    assert len(begun) == 2


def test_a_reader_of_the_steps_is_told_which_pictures_the_model_saw(charts: View) -> None:
    seen = call(charts, "look", "reference", ref=f"{NAME}:1", y0=0.3, y1=0.7)
    sheet = call(charts, "overview", "reference", document=NAME)
    words = call(charts, "overview", document=NAME)
    read = {**seen.artifact, "reading": "Three bars."}
    told = [call_result({"artifact": a, "text": ""}) for a in (seen.artifact, sheet.artifact, read)]
    width, height = seen.artifact["width_px"], seen.artifact["height_px"]
    assert told[0] == f"{NAME}:1, box 0, 0.29, 1, 0.71, {width} x {height} pixels"
    assert told[1].startswith("10 thumbnails, ")
    assert told[2].endswith("pixels: Three bars.")
    assert call_result({"artifact": words.artifact}).endswith(f"{NAME}:4 and 6 more")
