"""Rollouts: groups, seeds, retries; killed anywhere and run again, each episode is there once."""

import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from typer.testing import CliRunner

import pagehop
from pagehop.errors import ConfigError
from pagehop.graphs.budget import Budget
from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.rollout import planned

REPORT = "Halden_2022_annual_report"
SOURCE = "Halden 2022 annual report.pdf"
QUOTE = "Revenue rose to 455.9 million crowns"
QUESTIONS: list[dict[str, Any]] = [
    {"id": "rev", "question": "What was the revenue of Halden Marine in 2022?",
     "answers": ["455.9"], "documents": [SOURCE], "answerable": True,
     "evidence": [{"document": SOURCE, "page": 1}]},
    {"id": "a/b c", "question": "How many people work there?"},
]  # fmt: skip


def answering(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Answer each role from its prompt alone, so that the order of the calls does not matter."""
    first, last = str(messages[0].content), str(messages[-1].content)
    if first.startswith("You plan"):
        return json.dumps({"parts": [{"id": "Q1", "text": "revenue"}]})
    if first.startswith("You write the answer"):
        return json.dumps(
            {"claims": [{"text": "It was 455.9 million crowns.", "evidence": ["E1"]}]}
        )
    if "The round ends here" in last:
        kept = [{"ref": f"{REPORT}:1", "quote": QUOTE, "part": "Q1"}]
        parts = [{"id": "Q1", "state": "answered"}]
        return json.dumps({"evidence": kept, "parts": parts, "sufficient": True})
    if last.startswith("Step 1."):
        calls = [{"name": "read_page", "args": {"ref": f"{REPORT}:1"}}]
        return {"content": "Read.", "tool_calls": calls}
    return "Found it."


def run(view: View, out: Path, **more: Any) -> Any:
    options: dict[str, Any] = {
        "samples": 3,
        "concurrency": 4,
        "model": ScriptedModel(replies=answering),
    }
    return pagehop.rollout(QUESTIONS, view, out=out, **{**options, **more})


def test_every_question_has_a_group_of_episodes_with_seeds_and_gold(
    view: View, tmp_path: Path
) -> None:
    report = run(view, tmp_path / "x")
    assert report.statuses == {"answered": 6} and report.episodes == 6 and report.resumed == 0
    assert report.usage.model_calls == 30
    episodes = read_run(tmp_path / "x").episodes
    groups = Counter(episode.group_id for episode in episodes)
    assert groups["rev"] == 3 and len(groups) == 2
    assert all("/" not in name and " " not in name for name in groups)
    assert len({episode.seed for episode in episodes}) == 6
    first = next(e for e in episodes if e.group_id == "rev")
    assert first.task.gold_answers == ("455.9",) and first.task.gold_documents == (REPORT,)
    assert [gold.page for gold in first.task.gold_pages] == [f"{REPORT}:1"]
    assert any(one.page == f"{REPORT}:1" and one.cited for one in first.shown)


def test_a_rollout_run_again_does_nothing_and_more_samples_are_added(
    view: View, tmp_path: Path
) -> None:
    run(view, tmp_path, samples=1)
    model = ScriptedModel(replies=[])
    again = run(view, tmp_path, samples=1, model=model)
    assert (again.episodes, again.resumed) == (0, 2) and not model.calls
    more = run(view, tmp_path, samples=2)
    assert (more.episodes, more.resumed) == (2, 2)
    assert len(read_run(tmp_path).episodes) == 4


def test_other_settings_are_not_mixed_into_a_rollout(view: View, tmp_path: Path) -> None:
    run(view, tmp_path, samples=1)
    with pytest.raises(ConfigError, match="begun with other settings"):
        run(view, tmp_path, samples=1, budget=Budget(steps=2))
    with pytest.raises(ConfigError, match="the seed"):
        run(view, tmp_path, samples=1, seed=5)


def test_a_question_that_changed_under_its_id_is_refused(view: View, tmp_path: Path) -> None:
    """It counted as done, and the new words were never asked."""
    run(view, tmp_path, samples=1)
    other = [{**QUESTIONS[0], "question": "What was the revenue in 2021?"}, QUESTIONS[1]]
    model = ScriptedModel(replies=answering)
    with pytest.raises(ConfigError, match=r"same ids: 'rev' \(words.*--out"):
        pagehop.rollout(other, view, out=tmp_path, samples=1, model=model)
    assert not model.calls and len(read_run(tmp_path).episodes) == 2
    added = [*QUESTIONS, {"id": "new", "question": "What was the profit?"}]
    report = pagehop.rollout(added, view, out=tmp_path, samples=1, model=model)
    assert (report.episodes, report.resumed) == (1, 2)


def test_an_episode_that_fails_is_run_again_and_stands_once(view: View, tmp_path: Path) -> None:
    broken = [True]

    def sometimes(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if "Step 1." in str(messages[-1].content) and broken:
            broken.pop()
            raise RuntimeError("the endpoint is gone")
        return answering(messages, tools)

    report = run(view, tmp_path, samples=1, concurrency=1, model=ScriptedModel(replies=sometimes))
    assert report.statuses == {"answered": 2} and report.retried == 1
    episodes = read_run(tmp_path).episodes
    assert sorted(episode.attempt for episode in episodes) == [0, 1]
    assert all(not episode.faults for episode in episodes)


def test_never_more_runs_at_once_than_asked_for(view: View, tmp_path: Path) -> None:
    going, most, lock = set[str](), [0], threading.Lock()

    def watched(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        return answering(messages, tools)

    from pagehop.interfaces import rollouts  # noqa: PLC0415 - patched here only

    real = rollouts._Crew.take

    def take(crew: Any, event: Any) -> None:
        with lock:
            if event.type == "episode.start":
                going.add(event.episode_id)
            most[0] = max(most[0], len(going))
            if event.type == "episode.end":
                going.discard(event.episode_id)
        real(crew, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollouts._Crew, "take", take)
        run(view, tmp_path, samples=4, concurrency=3, model=ScriptedModel(replies=watched))
    assert most[0] == 3


@pytest.mark.parametrize("frozen_before", [False, True])
def test_a_rollout_spares_collections_what_was_there_and_no_longer(
    view: View, tmp_path: Path, frozen_before: bool
) -> None:
    counts = []
    if frozen_before:
        gc.freeze()
    try:
        before = gc.get_freeze_count()
        run(view, tmp_path, samples=1, on_end=lambda *_: counts.append(gc.get_freeze_count()))
        assert min(counts) > 1000
        assert (gc.get_freeze_count() > 1000) == frozen_before == (before > 1000)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"concurrency": 0}, {"retries": -1}])
def test_wrong_numbers_are_refused(view: View, tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        run(view, tmp_path, **wrong)


def test_questions_with_the_same_id_are_refused() -> None:
    with pytest.raises(ConfigError, match="the id 'a'"):
        planned(["a", "b", "a"], 1, 0)


def test_a_rollout_killed_three_times_has_each_episode_once(
    library: Library, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import pagehop
from test_rollout import answering, QUESTIONS
from pagehop.models.scripted import ScriptedModel
def slow(messages, tools):
    time.sleep(0.02)
    return answering(messages, tools)
print("ready", flush=True)
pagehop.rollout(QUESTIONS, {str(library.path)!r}, out={str(out)!r}, samples=6, concurrency=3,
                model=ScriptedModel(replies=slow))
print("done", flush=True)
"""
    pipe = subprocess.PIPE
    for kill_at in (2, 5, 8, None):
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True
        )
        while kill_at is not None and child.poll() is None:
            done = read_run(out).episodes if (out / "run.json").exists() else ()
            if sum(episode.status != "aborted" for episode in done) >= kill_at:
                os.kill(child.pid, signal.SIGKILL)
                break
            time.sleep(0.02)
        told, errors = child.communicate(timeout=100)
    assert told.endswith("done\n"), errors
    run_now = read_run(out)
    assert len(run_now.episodes) == 12 and run_now.damaged_lines == 0
    assert {episode.status for episode in run_now.episodes} == {"answered"}
    ends = Counter(
        event.episode_id
        for e in run_now.episodes
        for event in e.events
        if event.type == "episode.end"
    )
    assert set(ends.values()) == {1}


def test_the_command_runs_questions_and_reports(library: Library, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(json.dumps(question) for question in QUESTIONS))
    told = CliRunner().invoke(
        app,
        ["rollout", str(library.path), str(questions), "--out", str(tmp_path / "o"),
         "--samples", "1", "--json"],
    )  # fmt: skip
    report = json.loads(told.stdout)
    assert told.exit_code == 0 and report["episodes"] == 2
    assert sum(report["statuses"].values()) == 2
    missing = CliRunner().invoke(
        app, ["rollout", str(library.path), str(tmp_path / "no"), "--out", str(tmp_path / "p")]
    )
    assert missing.exit_code == 2 and "cannot be read" in missing.stderr


def test_names_of_groups_are_no_hidden_files_and_no_options() -> None:
    ids = ["../x", ".", "-1", "...", "plain.v2"]
    groups = [job.group_id for job in planned(ids, 1, 0)]
    assert all(re.fullmatch(r"\w[\w.-]*", group) for group in groups)
    assert len(set(groups)) == len(ids) and groups[-1] == "plain.v2"


def test_another_machine_is_not_mixed_into_a_rollout(view: View, tmp_path: Path) -> None:
    run(view, tmp_path, samples=1)
    begun = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**begun, "graph": "one_shot"}))
    with pytest.raises(ConfigError, match="the machine: 'one_shot' then, 'explore' now"):
        run(view, tmp_path, samples=1)
