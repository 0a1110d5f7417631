"""The notebook chat's Python side, driven by the messages that a browser sends."""

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pagehop
from pagehop.errors import ConfigError
from pagehop.library.library import Library
from pagehop.library.view import View

pytest.importorskip("anywidget", reason="the chat needs pagehop[notebook]")

QUESTION = "What was the capital expenditure of Halden Marine in 2021?"
PATIENCE_S = 90


class Browser:
    """What a browser does with the widget: sends messages, keeps what comes back."""

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self.received: list[tuple[Any, list[bytes] | None]] = []
        self._arrived = threading.Event()
        widget.send = self._keep

    def send(self, **message: Any) -> None:
        """Deliver a message as the kernel does."""
        self.widget._handle_custom_msg(message, [])

    def ask(self, question: str) -> dict[str, Any]:
        """Ask, wait and return the finished turn."""
        self.send(type="ask", question=question)
        assert self.widget.wait(PATIENCE_S)
        turn: dict[str, Any] = self.widget.turns[-1]
        return turn

    def crop(self, turn: Any, citation: Any) -> tuple[Any, list[bytes] | None]:
        """Ask for a crop and return the answer with its buffers."""
        self._arrived.clear()
        self.send(type="crop", turn=turn, citation=citation)
        assert self._arrived.wait(PATIENCE_S)
        return self.received[-1]

    def _keep(self, content: Any, buffers: list[bytes] | None = None) -> None:
        self.received.append((content, buffers))
        self._arrived.set()


@pytest.fixture
def browser(library: Library) -> Iterator[Browser]:
    widget = pagehop.chat(library, record=False)
    yield Browser(widget)
    widget.close()


def test_script_and_style_come_with_the_widget(browser: Browser) -> None:
    assert "export default" in str(browser.widget._esm)
    assert ".pagehop-chat" in str(browser.widget._css)


def test_a_question_from_the_browser_is_answered(browser: Browser) -> None:
    turn = browser.ask(QUESTION)
    assert turn["state"] == "done" and turn["question"] == QUESTION
    assert turn["answer"]["status"] == "answered" and "57.3" in turn["answer"]["answer"]
    assert browser.widget.current is None
    assert [answer.text for answer in browser.widget.history] == [turn["answer"]["answer"]]


def test_what_happens_streams_into_the_running_turn(browser: Browser) -> None:
    seen: list[int] = []
    browser.widget.observe(
        lambda change: seen.append(len(change.new["lines"]) if change.new else -1), "current"
    )
    turn = browser.ask(QUESTION)
    assert seen[0] == 0 and seen[-1] == -1
    assert seen[1:-1] == list(range(1, len(turn["lines"]) + 1))
    assert {"plan", "call", "evidence"} <= {line["kind"] for line in turn["lines"]}


def test_a_question_does_not_block_the_notebook(browser: Browser) -> None:
    started = threading.Event()
    browser.widget.observe(lambda change: started.set(), "current")
    browser.send(type="ask", question=QUESTION)
    assert started.is_set() and browser.widget.history == [], "it returned before the answer"
    assert browser.widget.wait(PATIENCE_S) and len(browser.widget.history) == 1


def test_several_questions_in_a_row(browser: Browser) -> None:
    first = browser.ask(QUESTION)
    second = browser.ask("What was the capital expenditure of Orrin Textiles in 2022?")
    assert "57.3" in first["answer"]["answer"] and "25.9" in second["answer"]["answer"]
    assert [turn["id"] for turn in browser.widget.turns] == [1, 2]
    assert len(browser.widget.history) == 2


def test_crops_come_as_pictures_of_the_cited_place(browser: Browser) -> None:
    turn = browser.ask(QUESTION)
    message, buffers = browser.crop(turn["id"], 1)
    assert message == {"type": "crop", "turn": turn["id"], "citation": 1, "error": ""}
    assert buffers is not None
    with Image.open(io.BytesIO(buffers[0])) as image:
        assert image.format == "JPEG" and image.width > 600


@pytest.mark.parametrize(
    "turn, citation", [(99, 1), (1, 99), (1, 0), (1, -1), (None, None), ([], "x")]
)
def test_a_crop_that_is_not_there_is_answered_with_words(
    browser: Browser, turn: Any, citation: Any
) -> None:
    browser.ask(QUESTION)
    message, buffers = browser.crop(turn, citation)
    assert "no such citation" in message["error"] and buffers is None


def test_the_history_can_be_used_on(browser: Browser) -> None:
    browser.ask(QUESTION)
    citation = browser.widget.history[0].citations[0]
    assert citation.crop().width > 100


def test_a_stopped_question_leaves_the_chat_ready(browser: Browser) -> None:
    browser.send(type="ask", question=QUESTION)
    browser.send(type="stop")
    assert browser.widget.wait(PATIENCE_S)
    assert browser.widget.turns[0]["state"] == "stopped" and browser.widget.history == []
    assert browser.ask(QUESTION)["state"] == "done"


def test_a_question_is_stopped_in_the_middle(browser: Browser) -> None:
    def stop_at_first_line(change: Any) -> None:
        if change.new and change.new["lines"]:
            browser.send(type="stop")

    browser.widget.observe(stop_at_first_line, "current")
    turn = browser.ask(QUESTION)
    assert turn["state"] == "stopped" and turn["lines"] and "answer" not in turn


def test_stopping_when_nothing_runs_does_nothing(browser: Browser) -> None:
    browser.send(type="stop")
    assert browser.ask(QUESTION)["state"] == "done"


def test_a_second_question_waits_for_the_first(browser: Browser) -> None:
    browser.send(type="ask", question=QUESTION)
    browser.send(type="ask", question="And in 2022?")
    assert "running" in browser.widget.notice
    assert browser.widget.wait(PATIENCE_S)
    assert [turn["question"] for turn in browser.widget.turns] == [QUESTION]


@pytest.mark.parametrize("message", ["nonsense", None, {}, {"type": "dance"}, {"type": "ask"}])
def test_messages_that_make_no_sense_start_nothing(browser: Browser, message: Any) -> None:
    browser.widget._handle_custom_msg(message, [])
    assert browser.widget.current is None and browser.widget.turns == []


def test_a_wrong_argument_is_told_and_the_chat_goes_on(library: Library) -> None:
    browser = Browser(pagehop.chat(library, model="openai:gpt-5-mini"))
    turn = browser.ask(QUESTION)
    assert turn["state"] == "failed" and "OPENAI_API_KEY" in turn["notice"]
    browser.widget.close()


def test_a_view_limits_what_is_asked(library: Library, pdf_folder: Path, tmp_path: Path) -> None:
    with Library(tmp_path) as made:
        made.add(pdf_folder / "Halden 2021 annual report.pdf", labels={"board"})
        made.add(pdf_folder / "Orrin 2021 annual report.pdf")
        view: View = made.view(labels=())
        browser = Browser(pagehop.chat(view, record=False))
        turn = browser.ask(QUESTION)
        assert "Halden_2021" not in str(turn["lines"]) + str(turn["answer"]["citations"])
        browser.widget.close()


def test_a_path_is_opened_and_indexed(pdf_folder: Path, tmp_path: Path) -> None:
    for name in ("Halden 2021 annual report.pdf",):
        (tmp_path / name).write_bytes((pdf_folder / name).read_bytes())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 cut")
    browser = Browser(pagehop.chat(tmp_path))
    assert "broken.pdf" in browser.widget.notice
    assert browser.ask(QUESTION)["answer"]["status"] == "answered"
    browser.widget.close()


def test_closing_ends_the_running_question(browser: Browser) -> None:
    browser.send(type="ask", question=QUESTION)
    browser.widget.close()
    deadline = time.monotonic() + PATIENCE_S
    while threading.active_count() and time.monotonic() < deadline:
        if not any(thread.name == "pagehop-chat" for thread in threading.enumerate()):
            return
        time.sleep(0.02)
    pytest.fail("the question still runs")


def test_without_anywidget_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "import pagehop\n"
        "try:\n    pagehop.chat('nowhere')\n"
        "except pagehop.ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert 'pip install "pagehop[notebook]"' in done.stdout, done.stderr


def test_an_empty_question_is_refused(browser: Browser) -> None:
    with pytest.raises(ConfigError, match="empty"):
        browser.widget.ask("  ")
