"""Recorded episodes run again: the same, branched, without a page, in a changed library."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.tools import tool
from typer.testing import CliRunner

import pagehop
from made_episodes import Tale
from pagehop.errors import ConfigError, LibraryError
from pagehop.interfaces.cli import app
from pagehop.interfaces.recorded_tools import recorded_tools
from pagehop.interfaces.replays import replay
from pagehop.library.library import Library
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.reading import read_run
from test_rollout import REPORT, answering

QUESTION = "What was the revenue of Halden Marine in 2022?"


def recorded(library: Library, folder: Path, **options: Any) -> tuple[Path, str]:
    answer = pagehop.ask(QUESTION, library, record=folder, **options)
    (episode,) = read_run(answer.trajectory).episodes
    return Path(answer.trajectory), episode.episode_id


def by_model(library: Library, folder: Path) -> tuple[Path, str]:
    return recorded(library, folder, model=ScriptedModel(replies=answering))


@pytest.mark.parametrize("by_rules", [True, False])
def test_a_replay_shows_the_same_events(library: Library, tmp_path: Path, by_rules: bool) -> None:
    folder, name = recorded(library, tmp_path) if by_rules else by_model(library, tmp_path)
    played = replay(folder, name)
    assert played.differences == () and played.answers_alike and not played.warnings


def test_another_reply_makes_a_branch(library: Library, tmp_path: Path) -> None:
    folder, name = by_model(library, tmp_path)
    (episode,) = read_run(folder).episodes
    answerer = episode.calls[-1].id
    said = json.dumps({"claims": [{"text": "Revenue rose.", "evidence": ["E1"]}]})
    played = replay(folder, name, at=answerer, reply=said, out=tmp_path / "branch")
    assert played.answer.text == "Revenue rose. [1]" and not played.answers_alike
    (branch,) = read_run(tmp_path / "branch").episodes
    assert branch.parent is not None
    assert (branch.parent.kind, branch.parent.at) == ("branch", answerer)
    with pytest.raises(ConfigError, match="no model call '9/nothing'"):
        replay(folder, name, at="9/nothing")


def test_without_its_page_an_answer_is_another(library: Library, tmp_path: Path) -> None:
    folder, name = by_model(library, tmp_path)
    live = ScriptedModel(replies=answering)
    played = replay(folder, name, drop=[f"{REPORT}:1"], model=live)
    assert not played.answers_alike and live.calls
    assert all(str(c.ref) != f"{REPORT}:1" for c in played.answer.citations)
    other = replay(folder, name, drop=["Orrin_2021_annual_report:4"], model=live)
    assert other.answers_alike


def test_a_library_that_changed_is_said(library: Library, pdf_folder: Path, tmp_path: Path) -> None:
    folder, name = recorded(library, tmp_path / "runs")
    (tmp_path / "some").mkdir()
    for path in sorted(pdf_folder.glob("*2022*.pdf")):
        (tmp_path / "some" / path.name).write_bytes(path.read_bytes())
    with Library(tmp_path / "smaller") as smaller:
        smaller.add(tmp_path / "some")
        played = replay(folder, name, library=smaller.path)
    assert any("library has changed" in warning for warning in played.warnings)
    with pytest.raises(LibraryError, match="not there"):
        replay(folder, name, library=tmp_path / "nowhere")


def test_the_command_says_whether_it_is_the_same(library: Library, tmp_path: Path) -> None:
    folder, name = recorded(library, tmp_path)
    told = CliRunner().invoke(app, ["replay", str(folder), name[:6], "--json"])
    assert told.exit_code == 0 and json.loads(told.stdout)["same"] is True


def test_a_follow_up_in_a_conversation_is_replayed(library: Library, tmp_path: Path) -> None:
    """Its planner reads what was said before, which the record once did not hold."""

    def following(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if str(messages[0].content).startswith("You plan"):
            parts = [{"id": "Q1", "text": "revenue"}]
            return json.dumps({"question": QUESTION, "parts": parts})
        return answering(messages, tools)

    model = ScriptedModel(replies=following)
    pagehop.ask(QUESTION, library, model=model, thread="t")
    answer = pagehop.ask("And again?", library, model=model, thread="t", record=tmp_path)
    (episode,) = read_run(answer.trajectory).episodes
    assert QUESTION in str(episode.path(episode.calls[0].leaf)[-1].text)
    played = replay(answer.trajectory, episode.episode_id)
    assert played.differences == () and not played.warnings


def test_tools_of_a_users_own_give_what_they_gave(library: Library, tmp_path: Path) -> None:
    asked: list[str] = []

    @tool
    def weather(place: str, day: int = 1) -> str:
        """Tell the weather."""
        asked.append(place)
        if place == "nowhere":
            raise ValueError("no such place")
        return f"Rain in {place}."

    def looking(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        said = answering(messages, tools)
        if isinstance(said, dict):
            places = [{"name": "weather", "args": {"place": p}} for p in ("Halden", "nowhere")]
            said = {**said, "tool_calls": [*said["tool_calls"], *places]}
        return said

    model = ScriptedModel(replies=looking)
    folder, name = recorded(library, tmp_path, model=model, tools=[weather])
    assert sorted(asked) == ["Halden", "nowhere"]
    played = replay(folder, name)
    assert played.differences == () and not played.warnings and len(asked) == 2
    (episode,) = read_run(folder).episodes
    step = next(call.id for call in episode.calls if call.role == "explorer")
    other = replay(folder, name, at=step, reply="Nothing.", model=ScriptedModel(replies=answering))
    assert other.differences and len(asked) == 2


def test_a_stand_in_has_only_the_calls_of_its_record(tmp_path: Path) -> None:
    tale = Tale("q", episode_id="e")
    tale.call("weather", {"place": "Halden"}, {}, text="Rain.")
    schema = {"type": "object", "properties": {"place": {"type": "string"}}}
    told = {"name": "weather", "description": "d", "parameters_json": json.dumps(schema)}
    (made,) = recorded_tools(RunManifest("r", tools=(told,)), tale.episode(), [])
    assert made.invoke({"place": "Halden"}) == "Rain."
    assert "not called with these arguments" in made.invoke({"place": "Bergen"})
