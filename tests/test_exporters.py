"""Exports of episodes made by hand and of a real run; what a target cannot carry is refused."""

import contextlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

import pagehop
from made_episodes import Tale
from pagehop.errors import ConfigError, LibraryError
from pagehop.interfaces.cli import app
from pagehop.library.view import View
from pagehop.trajectories.blobs import digest_of, keep_blob
from pagehop.trajectories.exporters.exporter import Job, Refused, Row, Sample
from pagehop.trajectories.exporters.exporting import EXPORTERS, export_run
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.reading import Run, read_run
from pagehop.trajectories.rewards.scoring_run import score_run
from pagehop.trajectories.segments import segments

SYSTEM = {"role": "system", "content": "Look it up."}
ASKED = {"role": "human", "content": "Revenue?"}
SEARCHED = '{"query":   "revenue"}'
FOUND = {
    "role": "tool", "tool_call_id": "c1", "name": "keyword_search", "content": "a:2 Revenue 455.9",
}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}
MANIFEST = RunManifest(
    "run",
    tools=(
        {"name": "keyword_search", "description": "Find.", "parameters_json": json.dumps(SCHEMA)},
    ),
)


def told(
    name: str = "e1", *, answer: str = "455.9", ids: bool = False, arguments: str = SEARCHED
) -> Tale:
    """A search, then an answer, by a model that calls natively."""
    tale = Tale("Revenue?", episode_id=name, gold_answers=["455.9"], group_id="g")
    call: dict[str, Any] = {"id": "c1", "name": "keyword_search", "arguments_raw": arguments}
    with contextlib.suppress(ValueError):
        call["arguments"] = json.loads(arguments)
    begin = {"tools_sha256": "x"}
    tokens = {"delta_ids": [1, 2, 3], "completion_ids": [4, 5], "logprobs": [-0.1, -0.2]}
    more: dict[str, Any] = {"tokens": tokens} if ids else {}
    first = tale.say([SYSTEM, ASKED], "I search.", tool_calls=[call], begin=begin, **more)
    said = {"role": "ai", "content": "I search.", "tool_calls": [call]}
    tokens = {"delta_ids": [4, 5, 6], "completion_ids": [7], "logprobs": [-0.3]}
    more = {"tokens": {**tokens, "after": first, "same": 3}} if ids else {}
    tale.say([said, FOUND], answer, same=2, begin=begin, **more)
    tale.end("answered", answer, cited=["a:2"])
    return tale


def rows_of(to: str, samples: Sequence[Sample], out: Path) -> list[Row | Refused]:
    run = Run(out, MANIFEST, tuple(sample.episode for sample in samples))
    return list(EXPORTERS[to].rows(Job(run, samples, out)))


def sample(tale: Tale, reward: float | None = 1.0, advantage: float | None = 0.5) -> Sample:
    episode = tale.episode()
    return Sample(episode, segments(episode), reward, advantage)


def one(found: Sequence[Row | Refused]) -> Mapping[str, Any]:
    (row,) = found
    assert not isinstance(row, Refused), row.reason
    return row


def test_a_conversation_keeps_the_models_own_characters(tmp_path: Path) -> None:
    row = one(rows_of("trl-sft", [sample(told())], tmp_path))
    assert [m["role"] for m in row["prompt"]] == ["system", "user"]
    assert [m["role"] for m in row["completion"]] == ["assistant", "tool", "assistant"]
    called = row["completion"][0]["tool_calls"][0]["function"]
    assert called == {"name": "keyword_search", "arguments": '{"query":   "revenue"}'}
    assert json.loads(row["tools"])[0]["function"]["parameters"] == SCHEMA
    assert row["reward"] == 1.0


def test_tokens_are_those_of_the_engine_and_tools_get_no_loss(tmp_path: Path) -> None:
    row = one(rows_of("trl-tokens", [sample(told(ids=True))], tmp_path))
    assert row["input_ids"] == [1, 2, 3, 4, 5, 6, 7]
    assert row["labels"] == [-100, -100, -100, 4, 5, -100, 7]
    row = one(rows_of("rows", [sample(told(ids=True))], tmp_path))
    assert row["response_mask"] == [1, 1, 0, 1]
    assert row["response_logprobs"] == pytest.approx([-0.1, -0.2, -0.3], abs=1e-6)
    assert (row["reward"], row["advantage"], row["is_last"]) == (1.0, 0.5, True)


@pytest.mark.parametrize("to", ["trl-tokens", "rows"])
def test_without_the_engines_tokens_nothing_is_made_up(to: str, tmp_path: Path) -> None:
    (refused,) = rows_of(to, [sample(told())], tmp_path)
    assert isinstance(refused, Refused)
    assert "no token ids" in refused.reason


@pytest.mark.parametrize("to", ["trl-sft", "openai", "sharegpt", "verl-sft", "trl-dpo"])
def test_arguments_that_cannot_be_read_are_not_bent(to: str, tmp_path: Path) -> None:
    found = rows_of(to, [sample(told(arguments='{"query": '))], tmp_path)
    assert all(isinstance(row, Refused) for row in found)
    assert "cannot be read" in next(row.reason for row in found if isinstance(row, Refused))


def test_a_pair_is_two_replies_behind_the_same_prompt(tmp_path: Path) -> None:
    good, bad = told("e1", answer="455.9"), told("e2", answer="412.6")
    found = rows_of("trl-dpo", [sample(good, 1.0), sample(bad, 0.0)], tmp_path)
    (row,) = (row for row in found if not isinstance(row, Refused))
    assert [m["role"] for m in row["prompt"]] == ["system", "user", "assistant", "tool"]
    assert row["chosen"] == [{"role": "assistant", "content": "455.9"}]
    assert row["rejected"] == [{"role": "assistant", "content": "412.6"}]
    reasons = [row.reason for row in found if isinstance(row, Refused)]
    assert reasons == ["the best and the worst reply behind its prompt are the same"]


def test_a_reply_is_labelled_by_its_episodes_advantage(tmp_path: Path) -> None:
    samples = [sample(told("e1"), 1.0, 0.7), sample(told("e2"), 0.0, -0.7)]
    found = rows_of("trl-kto", samples, tmp_path)
    assert [row["label"] for row in found if not isinstance(row, Refused)] == [True] * 2 + [
        False
    ] * 2
    (flat, *_) = rows_of("trl-kto", [sample(told(), 1.0, 0.0)], tmp_path)
    assert isinstance(flat, Refused) and "earned the same" in flat.reason


def test_strict_turns_of_sharegpt(tmp_path: Path) -> None:
    row = one(rows_of("sharegpt", [sample(told())], tmp_path))
    kinds = [turn["from"] for turn in row["conversations"]]
    assert kinds == ["human", "function_call", "observation", "gpt"]
    assert row["system"] == "Look it up."
    assert json.loads(row["conversations"][1]["value"]) == {
        "name": "keyword_search", "arguments": {"query": "revenue"},
    }  # fmt: skip


def test_openai_weighs_what_is_trained(tmp_path: Path) -> None:
    row = one(rows_of("openai", [sample(told())], tmp_path))
    assert [m.get("weight") for m in row["messages"]] == [None, None, 1, None, 1]
    assert row["messages"][3] == {
        "role": "tool", "content": "a:2 Revenue 455.9", "tool_call_id": "c1",
    }  # fmt: skip


def test_verl_gets_plain_text_with_the_tools_in_it(tmp_path: Path) -> None:
    row = one(rows_of("verl-sft", [sample(told())], tmp_path))
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    assert "keyword_search" in row["messages"][0]["content"]
    assert "<tool_call>" in row["messages"][2]["content"]


def test_questions_to_sample_from(tmp_path: Path) -> None:
    samples = [sample(told("e1"), 1.0), sample(told("e2"), 0.0)]
    row = one(rows_of("trl-grpo", samples, tmp_path))
    assert row["prompt"] == [{"role": "user", "content": "Revenue?"}]
    assert (json.loads(row["gold_answers"]), row["mean_reward"]) == (["455.9"], 0.5)
    row = one(rows_of("verl-rl", samples, tmp_path))
    assert row["reward_model"]["ground_truth"]["answers"] == ["455.9"]
    assert row["extra_info"]["index"] == 0


def test_atif_puts_results_on_the_step_that_called(tmp_path: Path) -> None:
    row = one(rows_of("atif", [sample(told(ids=True))], tmp_path))
    assert [step["source"] for step in row["steps"]] == ["system", "user", "agent", "agent"]
    assert [step["step_id"] for step in row["steps"]] == [1, 2, 3, 4]
    acted = row["steps"][2]
    assert acted["observation"]["results"][0]["source_call_id"] == "c1"
    assert acted["tool_calls"][0]["extra"]["arguments_raw"] == '{"query":   "revenue"}'
    assert acted["metrics"]["completion_token_ids"] == [4, 5]


def test_verifiers_gets_the_graph(tmp_path: Path) -> None:
    (trace,) = one(rows_of("verifiers", [sample(told(ids=True))], tmp_path))["traces"]
    assert [node.get("parent") for node in trace["nodes"]] == [None, 0, 1, 2, 3]
    assert [node["sampled"] for node in trace["nodes"]] == [False, False, True, False, True]
    ids = [token for node in trace["nodes"] for token in node["token_ids"]]
    assert ids == [1, 2, 3, 4, 5, 6, 7]
    assert sum(map(sum, (node["mask"] for node in trace["nodes"]))) == 3


def test_spans_have_parents_and_short_values(tmp_path: Path) -> None:
    tale = Tale("Revenue?" * 4_000)
    tale.search("revenue", ["a:2"])
    tale.end("answered", "455.9")
    row = one(rows_of("otel", [sample(tale)], tmp_path))
    root, tool = row["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert tool["parentSpanId"] == root["spanId"] and tool["traceId"] == root["traceId"]
    values = {a["key"]: a["value"] for a in root["attributes"]}
    assert len(values["input.value"]["stringValue"]) == 8_000
    found = {a["key"]: a["value"] for a in tool["attributes"]}
    assert found["retrieval.documents.0.document.id"] == {"stringValue": "a:2"}


def test_a_run_by_rules_has_nothing_to_train(tmp_path: Path) -> None:
    tale = Tale("Revenue?")
    tale.search("revenue", ["a:2"])
    tale.end("answered", "455.9")
    for to in ("trl-sft", "trl-tokens", "rows", "openai", "sharegpt", "verl-sft", "verifiers"):
        found = rows_of(to, [sample(tale)], tmp_path)
        assert found and all(isinstance(row, Refused) for row in found)
        assert all("rules made the run" in row.reason for row in found if isinstance(row, Refused))


@pytest.mark.parametrize("to", EXPORTERS)
def test_every_target_says_what_it_loses(to: str) -> None:
    assert EXPORTERS[to].loses


@pytest.fixture(scope="module")
def run_folder(view: View, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recorded runs by rules; scored."""
    out = tmp_path_factory.mktemp("run")
    answer = pagehop.ask("What was the revenue of Halden Marine in 2022?", view, record=out)
    score_run(answer.trajectory, ["format"])
    return Path(answer.trajectory)


@pytest.mark.parametrize(
    ("to", "name"),
    [("atif", "atif"), ("inspect", "log.json"), ("otel", "spans.jsonl"), ("verl-rl", "q.parquet"),
     ("trl-grpo", "q.jsonl")],
)  # fmt: skip
def test_a_real_run_by_rules_is_exported(
    to: str, name: str, run_folder: Path, tmp_path: Path
) -> None:
    report = export_run(run_folder, to, tmp_path / name, min_reward=0.5)
    assert report.rows == 1 and report.path.exists()
    if to == "verl-rl":
        assert pq.read_table(report.path).column("data_source").to_pylist() == ["pagehop"]
    if to == "trl-grpo":
        compile((tmp_path / "q_rewards.py").read_text(), "q_rewards.py", "exec")


def test_no_row_is_said_and_nothing_written(run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    found = CliRunner().invoke(app, ["export", str(run_folder), "--to", "rows", "--out", str(out)])
    assert found.exit_code == 1
    assert "rules made the run" in found.output
    assert not out.exists()
    found = CliRunner().invoke(
        app, ["export", str(run_folder), "--to", "otel", "--out", str(tmp_path / "a.jsonl"),
              "--min-reward", "2"],
    )  # fmt: skip
    assert found.exit_code == 1
    assert "its reward is too low" in found.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "nothing"], "trl-sft, trl-tokens"),
        (["--to", "rows", "--out", "rows.csv"], ".parquet or .jsonl"),
        (["--to", "otel", "--min-reward", "1", "--reward", "answer_f1"], "pagehop score"),
        (["--to", "otel", "--best", "0"], "at least 1"),
    ],
)
def test_wrong_wishes_are_told(
    options: list[str], said: str, run_folder: Path, tmp_path: Path
) -> None:
    given = options if "--out" in options else [*options, "--out", str(tmp_path / "x.jsonl")]
    found = CliRunner().invoke(app, ["export", str(run_folder), *given])
    assert found.exit_code == 2
    assert said in " ".join(found.output.split())


def test_choosing_by_reward_needs_one(run_folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(run_folder, bare)
    shutil.rmtree(bare / "scores")
    with pytest.raises(ConfigError, match="has no reward yet"):
        export_run(bare, "otel", tmp_path / "x.jsonl", min_reward=0.1)


def test_pairs_of_a_run_with_several_rewards_ask_for_one(run_folder: Path, tmp_path: Path) -> None:
    tale = Tale("Revenue?", gold_answers=["455.9"])
    tale.say([SYSTEM, ASKED], "455.9")
    tale.end("answered", "455.9")
    reasons = []
    for n in (0, 1, 2):
        rated = sample(tale, None)
        records = [replace(r, value=None) for r in read_run(run_folder).episodes[0].rewards]
        rewards = tuple(replace(record, name=f"r{i}") for record in records for i in range(n))
        episode = replace(rated.episode, rewards=rewards)
        (refused,) = rows_of("trl-dpo", [replace(rated, episode=episode)], tmp_path)
        assert isinstance(refused, Refused)
        reasons.append(refused.reason)
    assert "pagehop score DIR" in reasons[0]
    assert reasons[1] == "its reward r0 has no value"
    assert reasons[2] == "it has several rewards, r0, r1: name one with --reward"


def test_a_file_that_cannot_be_written_is_named(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="cannot be written"):
        export_run(run_folder, "otel", tmp_path / "file" / "x.jsonl")


def test_the_best_of_each_group_are_kept(tmp_path: Path, run_folder: Path) -> None:
    with pytest.raises(LibraryError, match="no record"):
        export_run(tmp_path, "otel", tmp_path / "x.jsonl", best=1)
    assert export_run(run_folder, "otel", tmp_path / "x.jsonl", best=1).rows == 1


def seen(folder: Path, *, keep: bool = True) -> Sample:
    """A search whose result shows a picture of the page."""
    picture = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(picture, "PNG")
    blob = digest_of(picture.getvalue())
    if keep:
        keep_blob(folder, blob, picture.getvalue())
    shown = [{"type": "text", "text": "a:2"}, {"type": "image", "blob": blob, "page": "a:2"}]
    call: dict[str, Any] = {"id": "c1", "name": "look", "arguments": {"ref": "a:2"}}
    tale = Tale("Revenue?", gold_answers=["455.9"])
    begin = {"tools_sha256": "x"}
    tale.say([SYSTEM, ASKED], "I look.", tool_calls=[call], begin=begin)
    said = {"role": "ai", "content": "I look.", "tool_calls": [call]}
    tale.say([said, {**FOUND, "name": "look", "content": shown}], "455.9", same=2, begin=begin)
    tale.end("answered", "455.9", cited=["a:2"])
    return sample(tale)


def test_pictures_stand_behind_the_call_that_fetched_them(tmp_path: Path) -> None:
    row = one(rows_of("trl-vision", [seen(tmp_path)], tmp_path))
    system, asked = row["prompt"]
    assert [part["text"] for part in system["content"]] == [
        "Look it up.\n\n# Tools\n\n" + json.dumps(tool_schema())
    ]
    assert asked == {"role": "user", "content": [{"type": "text", "text": "Revenue?"}]}
    acted, found, shown, said = row["completion"]
    assert "<tool_call>" in acted["content"][0]["text"]
    assert found == {"role": "tool", "content": [{"type": "text", "text": "a:2"}]}
    assert shown == {"role": "user", "content": [{"type": "image"}]}
    assert said["content"] == [{"type": "text", "text": "455.9"}]
    (image,) = row["images"]
    assert Image.open(io.BytesIO(image["bytes"])).size == (30, 20)


def test_a_picture_that_is_missing_or_not_wanted_is_refused(tmp_path: Path) -> None:
    (refused,) = rows_of("trl-vision", [seen(tmp_path, keep=False)], tmp_path)
    assert isinstance(refused, Refused) and "missing from the run's blobs" in refused.reason
    (refused,) = rows_of("trl-vision", [sample(told())], tmp_path)
    assert isinstance(refused, Refused) and "trl-sft takes it" in refused.reason
    for to in ("trl-sft", "openai", "sharegpt", "verl-sft", "trl-dpo"):
        (refused,) = rows_of(to, [seen(tmp_path)], tmp_path)
        assert isinstance(refused, Refused) and "pictures" in refused.reason


def tool_schema() -> dict[str, Any]:
    function = {"name": "keyword_search", "description": "Find.", "parameters": SCHEMA}
    return {"type": "function", "function": function}
