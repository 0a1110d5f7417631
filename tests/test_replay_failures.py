"""Replays of calls that failed: readings of pictures, and empty replies."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import pagehop
from pagehop.errors import CallFailed
from pagehop.interfaces.replays import Replay, replay
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.settings import load_settings
from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.reading import read_run
from test_asked import asked, encoded, png
from test_rollout import REPORT, answering

QUESTION = "What was the revenue of Halden Marine in 2022?"
LOOK = {"ref": f"{REPORT}:1", "question": "How many bars?"}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Waits that a test can wait for; gives what changes a setting."""

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PAGEHOP_RUN__{name}", value)
        load_settings.cache_clear()

    change(RETRY_WAIT_S="0.001", PICTURES="no")
    yield change
    monkeypatch.undo()
    load_settings.cache_clear()


def looking(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Look at the same page in two steps, then read it."""
    said = answering(messages, tools)
    last = str(messages[-1].content)
    if last.startswith(("Step 1.", "Step 2.")):  # the same picture by another call
        more = {} if last.startswith("Step 1.") else {"y1": 0.99999}
        return {"content": "Look.", "tool_calls": [{"name": "look", "args": LOOK | more}]}
    if last.startswith("Step 3."):
        return {
            "content": "Read.",
            "tool_calls": [{"name": "read_page", "args": {"ref": LOOK["ref"]}}],
        }
    return said


def recorded(view: View, folder: Path, reads: Any, model: Any = looking, **more: Any) -> Path:
    """Ask with a reader of pictures; return the folder of the run."""
    more = {"model": ScriptedModel(replies=model), **more}
    eyes = ScriptedModel(replies=reads)
    question = more.pop("question", QUESTION)
    return Path(pagehop.ask(question, view, vision_model=eyes, record=folder, **more).trajectory)


def readings(folder: Path) -> list[LLMCall]:
    """Return the calls that read pictures."""
    (episode,) = read_run(folder).episodes
    return [call for call in episode.calls if call.role == "perceiver"]


def replayed(folder: Path, view: View) -> Replay:
    """Replay the episode of a run."""
    assert view.runs_path is not None
    (episode,) = read_run(folder).episodes
    return replay(folder, episode.episode_id, library=view.runs_path.parent)


def test_a_reading_that_failed_fails_again_and_the_next_is_read(view: View, tmp_path: Path) -> None:
    said = iter([CallFailed("the key is refused", kind="key"), "Three bars."])
    folder = recorded(view, tmp_path, lambda messages, tools: next(said))
    assert [(call.error, call.message != "") for call in readings(folder)] == [
        ("CallFailed: the key is refused", False), ("", True),
    ]  # fmt: skip
    played = replayed(folder, view)
    assert played.differences == () and not played.warnings and played.answer.status == "answered"


def test_an_empty_reading_is_empty_again_and_the_next_is_read(view: View, tmp_path: Path) -> None:
    """The client asks three times for a reply that is empty: one call of the record."""
    said = iter(["", "", "", "Three bars."])
    folder = recorded(view, tmp_path, lambda messages, tools: next(said))
    assert [call.attempts for call in readings(folder)] == [3, 1]
    played = replayed(folder, view)
    assert played.differences == () and not played.warnings


def test_an_empty_reply_of_the_policy_is_empty_again(view: View, tmp_path: Path) -> None:
    left = [3]

    def says(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if str(messages[0].content).startswith("You plan") and left[0]:
            left[0] -= 1
            return ""
        return answering(messages, tools)

    folder = recorded(view, tmp_path, [], says)
    (episode,) = read_run(folder).episodes
    assert [call.attempts for call in episode.calls][:2] == [3, 1]
    played = replayed(folder, view)
    assert played.differences == () and not played.warnings


def test_a_reading_without_a_budget_is_refused_again(view: View, tmp_path: Path) -> None:
    down = ConnectionError("the endpoint is down")
    limits = pagehop.Budget(model_calls=6, seconds=None)
    folder = recorded(view, tmp_path, lambda messages, tools: down, budget=limits)
    assert any("budget of model calls is spent" in call.error for call in readings(folder))
    assert replayed(folder, view).differences == ()


def test_a_question_whose_picture_was_not_read_fails_again(view: View, tmp_path: Path) -> None:
    question: Any = asked(base64=encoded(png()))
    folder = recorded(view, tmp_path, ["", "", ""], question=question)
    assert [call.error for call in readings(folder)] != [""]
    played = replayed(folder, view)
    assert played.differences == () and played.answer.status == "failed"


def test_a_reading_that_was_given_up_is_told_as_such(
    view: View, tmp_path: Path, settings: Callable[..., None]
) -> None:
    """Its tool hung then and does not now: that is a difference, and no crash."""
    settings(TOOL_TIMEOUT_S="5")
    over = threading.Event()

    def hangs(messages: Any, tools: Any) -> str:
        over.wait(60)
        return "Three bars."

    try:
        folder = recorded(view, tmp_path, hangs, budget=pagehop.Budget(steps=1, seconds=None))
    finally:
        over.set()
    assert any("given up" in call.error for call in readings(folder))
    played = replayed(folder, view)
    assert played.differences
    assert json.loads(json.dumps(played.to_json()))["same"] is False
