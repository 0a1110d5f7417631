"""The chat's script in a real browser, with a stand-in for the notebook's side of the widget."""

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

INTERFACES = Path(__file__).parent.parent / "interfaces"
HARNESS = Path(__file__).parent / "browser" / "chat_harness.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def write_harness(folder: Path) -> Path:
    """Write the page with script, style and a picture put in."""
    picture = io.BytesIO()
    Image.new("RGB", (640, 120), (250, 250, 235)).save(picture, format="JPEG")
    page = HARNESS.read_text()
    for name, content in {
        "{{SCRIPT}}": base64.b64encode((INTERFACES / "chat.js").read_bytes()).decode(),
        "{{STYLE}}": (INTERFACES / "chat.css").read_text(),
        "{{JPEG}}": base64.b64encode(picture.getvalue()).decode(),
    }.items():
        page = page.replace(name, content)
    file = folder / "chat.html"
    file.write_text(page)
    return file


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page saw when the conversation was played."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    folder = tmp_path_factory.mktemp("browser")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom",
        "--virtual-time-budget=8000", f"--user-data-dir={folder / 'profile'}",
        write_harness(folder).as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=True)
    results = done.stdout.split('<pre id="results">')[1].split("</pre>")[0]
    assert results, f"the page did not reach its end: {done.stderr[-2000:]}"
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        results = results.replace(entity, character)
    found: dict[str, Any] = json.loads(results)
    return found


def test_enter_asks_once_and_blanks_ask_nothing(seen: dict[str, Any]) -> None:
    assert seen["blank"] == [] and seen["shift"] == []
    assert seen["asked"] == [{"type": "ask", "question": "What did Orion spend?"}]
    assert seen["cleared"] == ""


def test_typing_does_not_reach_the_shortcuts_of_the_notebook(seen: dict[str, Any]) -> None:
    assert seen["leaked"] == 0


def test_lines_are_drawn_one_by_one(seen: dict[str, Any]) -> None:
    assert seen["counts"] == [1, 2, 3, 4]
    assert seen["running"] == {"button": "Stop", "open": True, "summary": "working ..."}


def test_the_button_stops_while_a_question_runs(seen: dict[str, Any]) -> None:
    assert seen["stop"] == [{"type": "stop"}]
    assert seen["enterWhileRunning"] == []


def test_the_answer_is_drawn_with_markers_citations_and_cost(seen: dict[str, Any]) -> None:
    drawn = seen["afterAnswer"]
    assert drawn["button"] == "Ask" and drawn["open"] is False and drawn["badge"] == "answered"
    assert drawn["markers"] == ["[1]", "[2]"] and drawn["text"].endswith("[9]")
    assert drawn["citations"] == 2 and drawn["unverified"]
    assert drawn["turns"] == 1 and drawn["lines"] == 4
    assert drawn["warning"] == "Warning: Search was by words only."
    assert drawn["usage"] == "3 steps, 1 round, 1 tool call, 1.3 s"


def test_a_marker_leads_to_its_citation(seen: dict[str, Any]) -> None:
    assert seen["found"] == [False, True]


def test_each_crop_is_asked_for_once_and_shown(seen: dict[str, Any]) -> None:
    asked = [{"type": "crop", "turn": 1, "citation": number} for number in (1, 2)]
    assert seen["cropsAsked"] == asked and seen["cropsAskedAgain"] == []
    assert seen["images"] == [640] and seen["enlarged"]


def test_a_crop_that_failed_says_why(seen: dict[str, Any]) -> None:
    assert seen["slots"][1].startswith("no picture: gone")


def test_a_stopped_question_keeps_its_place(seen: dict[str, Any]) -> None:
    assert seen["turnsAtEnd"] == ["done", "stopped"] and seen["stopped"] == "Stopped."
    assert seen["notice"] == "the question is empty"


def test_a_second_view_shows_the_same_and_leaves_no_handlers(seen: dict[str, Any]) -> None:
    assert seen["second"] == ["done", "stopped"]
    assert seen["handlers"][0] == seen["handlers"][1]


def test_text_of_documents_never_becomes_markup(seen: dict[str, Any]) -> None:
    assert seen["hacked"] == 0
    assert "<img src=x" in seen["afterAnswer"]["text"]
