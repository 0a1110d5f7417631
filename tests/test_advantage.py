"""Advantages inside groups, and scores beside a run's log."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pagehop
from made_episodes import Tale
from pagehop.errors import ConfigError, LibraryError
from pagehop.interfaces.cli import app
from pagehop.library.view import View
from pagehop.trajectories.episode import Episode, RewardRecord
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.rewards.advantage import advantages, report, stamp
from pagehop.trajectories.rewards.reward import Reward, Scored
from pagehop.trajectories.rewards.scoring_run import score_run

GROUPS = {"a": "g", "b": "g", "c": "g", "d": "h"}


def test_grpo_divides_by_the_deviation_of_the_group() -> None:
    found = advantages({"a": 1.0, "b": 0.0, "c": 0.5}, GROUPS)
    # mean .5, deviation with n - 1: sqrt((.25 + .25 + 0) / 2) = .5
    assert found == {"a": pytest.approx(1.0, abs=1e-5), "b": pytest.approx(-1.0, abs=1e-5), "c": 0}


def test_rloo_takes_the_mean_of_the_others() -> None:
    found = advantages({"a": 1.0, "b": 0.0, "c": 0.5}, GROUPS, "rloo")
    assert found == {"a": pytest.approx(0.75), "b": pytest.approx(-0.75), "c": pytest.approx(0.0)}


def test_dr_grpo_takes_the_mean_only() -> None:
    assert advantages({"a": 1.0, "b": 0.0}, GROUPS, "dr_grpo") == {"a": 0.5, "b": -0.5}


def test_an_episode_without_a_value_is_no_part_of_the_baseline() -> None:
    found = advantages({"a": 1.0, "b": None, "c": 0.0}, GROUPS, "dr_grpo")
    assert found == {"a": 0.5, "b": None, "c": -0.5}


def test_an_episode_alone_in_its_group_has_no_advantage() -> None:
    assert advantages({"d": 1.0}, GROUPS) == {"d": None}


def test_a_flat_group_teaches_nothing() -> None:
    assert advantages({"a": 1.0, "b": 1.0}, GROUPS) == {"a": 0.0, "b": 0.0}


def test_a_baseline_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="grpo, dr_grpo, rloo"):
        advantages({}, {}, "best")  # type: ignore[arg-type]


def told(name: str, reward: float, group: str = "g") -> Episode:
    tale = Tale("Q?", episode_id=name, gold_answers=["yes"], group_id=group)
    message = {"role": "user", "parts": [{"type": "text", "text": "Q?"}]}
    for role in ("explorer", "answerer"):
        tale.say([message], "words", role=role)
    episode = tale.end("answered", "yes" if reward > 0.5 else "no")
    record = RewardRecord("mine", reward, parts={"half": reward / 2, "flat": 1.0})
    return replace(episode, rewards=(record,))


def test_every_segment_carries_the_advantage_of_its_episode() -> None:
    stamped = stamp([told("e1", 1.0), told("e2", 0.0)], "mine", baseline="dr_grpo")
    assert len(stamped) == 4, "two roles each"
    assert {value for name, value in stamped.items() if name.startswith("e1/")} == {0.5}
    assert {value for name, value in stamped.items() if name.startswith("e2/")} == {-0.5}


def test_a_report_says_which_part_can_teach() -> None:
    episodes = [told("e1", 1.0), told("e2", 0.0), told("e3", 1.0, "h"), told("e4", 1.0, "h")]
    parts = {part.name: part for part in report(episodes, "mine")}
    assert parts["mine"].groups == 2
    assert parts["mine"].flat_groups == 1
    assert parts["mine"].deviation == pytest.approx(math.sqrt(0.5) / 2)
    assert parts["mine"].correlation == pytest.approx(1.0)
    assert parts["flat"].flat_groups == 2
    assert parts["flat"].correlation is None


@pytest.fixture
def run_folder(view: View, tmp_path: Path) -> Path:
    answer = pagehop.ask("What was the revenue of Halden Marine in 2022?", view, record=tmp_path)
    return Path(answer.trajectory)


def test_scores_stand_beside_the_log_and_change_no_byte_of_it(run_folder: Path) -> None:
    before = {path: path.read_bytes() for path in (run_folder / "events").iterdir()}
    (first,) = score_run(run_folder, ["format"])
    assert (first.episodes, first.scored, first.mean) == (1, 1, 1.0)
    score_run(run_folder, ["format", "page_recall"])
    assert {path: path.read_bytes() for path in (run_folder / "events").iterdir()} == before
    (episode,) = read_run(run_folder).episodes
    assert [r.name for r in episode.rewards if r.name == "format"] == ["format"], "once"
    recall = episode.reward("page_recall")
    assert recall is not None
    assert recall.value is None
    assert "no gold page" in recall.reason


def test_a_rule_that_breaks_leaves_the_others(run_folder: Path) -> None:
    def rule(episode: Episode) -> Scored:
        raise RuntimeError("no")

    broken, kept = score_run(run_folder, [Reward("mine", rule), "format"])
    assert broken.broken[0][1] == "broke with RuntimeError: no"
    assert broken.scored == 0
    assert kept.scored == 1
    assert json.loads(broken.path.read_text().splitlines()[0])["value"] is None


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no record of a run"):
        score_run(tmp_path, ["format"])


def test_the_command_prints_means_and_reasons(run_folder: Path) -> None:
    found = CliRunner().invoke(
        app, ["score", str(run_folder), "--reward", "format", "--reward", "page_recall"]
    )
    assert found.exit_code == 0
    assert "format: mean 1.000 over 1 of 1 episodes" in found.output
    assert "no gold page is known" in found.output


def test_the_command_gives_json_and_the_names(run_folder: Path) -> None:
    found = CliRunner().invoke(app, ["score", str(run_folder), "--reward", "format", "--json"])
    assert json.loads(found.output)[0]["mean"] == 1.0
    named = CliRunner().invoke(app, ["score", "--list"])
    assert "vrag_rl" in named.output


@pytest.mark.parametrize("arguments", [[], ["--reward", "nothing"]])
def test_the_command_says_what_it_needs(run_folder: Path, arguments: list[str]) -> None:
    found = CliRunner().invoke(app, ["score", str(run_folder), *arguments])
    assert found.exit_code == 2
    assert "reward" in found.output


def test_a_broken_rule_ends_the_command_with_1(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking_rules.py").write_text("def nan(episode):\n    return float('nan')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = CliRunner().invoke(app, ["score", str(run_folder), "--reward", "breaking_rules:nan"])
    assert found.exit_code == 1
    assert "gave nan" in found.output
