"""What comes back from an export's file equals what the export promises: invariant 9 of the record.

Made-up runs (those of test_record_invariants) are recorded, exported, read from the files as their
users read them, and compared with the segments and calls of the record.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagehop.events import Event
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporting import export_run
from pagehop.trajectories.manifest import SCHEMA
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.recorder import Recorder
from pagehop.trajectories.segments import Segment, segments
from test_record_invariants import told_runs

few = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


ended: st.SearchStrategy[tuple[Event, ...]] = told_runs().filter(
    lambda events: events[-1].type == "episode.end"
)
"""Of an episode without its end nothing is exported."""


def exported(events: Sequence[Event], folder: Path, *targets: str) -> tuple[Episode, list[Any]]:
    """Record and export a run; return its episode, and what each file holds."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "run" / "events").mkdir(parents=True)
    header = {"run_id": "run", "schema_version": SCHEMA}
    (folder / "run" / "run.json").write_text(json.dumps(header))
    with Recorder("run", folder / "run") as recorder:
        for event in events:
            recorder(event)
    files = []
    for target in targets:
        if target == "atif":
            assert export_run(folder / "run", target, folder / "atif").rows == 1
            files.append(json.loads((folder / "atif" / "e1.json").read_text()))
        elif target in ("rows", "trl-tokens"):
            assert export_run(folder / "run", target, folder / f"{target}.parquet").rows
            files.append(pq.read_table(folder / f"{target}.parquet").to_pylist())
        else:
            suffix = ".json" if target == "inspect" else ".jsonl"
            file = folder / f"{target}{suffix}"
            assert export_run(folder / "run", target, file).rows
            lines = [file.read_text()] if suffix == ".json" else file.read_text().splitlines()
            files.append([json.loads(line) for line in lines])
    (episode,) = read_run(folder / "run").episodes
    return episode, files


def near(found: Sequence[float], told: Sequence[float]) -> bool:
    return list(found) == pytest.approx(list(told), abs=1e-6)


@few
@given(events=ended)
def test_token_rows_come_back_as_the_segments(events: tuple[Event, ...], tmp_path: Path) -> None:
    episode, (rows, tokens) = exported(events, tmp_path / "x", "rows", "trl-tokens")
    found = segments(episode)
    assert len(rows) == len(tokens) == len(found)
    for row, labelled, segment in zip(rows, tokens, found, strict=True):
        assert tuple(row["prompt_ids"]) == segment.prompt_ids
        assert tuple(row["response_ids"]) == segment.response_ids
        assert [bool(kept) for kept in row["response_mask"]] == list(segment.response_mask)
        assert near(row["response_logprobs"], segment.response_logprobs)
        assert tuple(labelled["input_ids"]) == segment.prompt_ids + segment.response_ids
        labels = labelled["labels"][len(segment.prompt_ids) :]
        assert [label != -100 for label in labels] == list(segment.response_mask)
        assert set(labelled["labels"][: len(segment.prompt_ids)]) == {-100}
    assert [row["is_last"] for row in rows] == [False] * (len(rows) - 1) + [True]


@few
@given(events=ended)
def test_atif_comes_back_with_the_tokens_of_each_call(
    events: tuple[Event, ...], tmp_path: Path
) -> None:
    episode, (file,) = exported(events, tmp_path / "x", "atif")
    metrics = [step["metrics"] for step in file["steps"] if "metrics" in step]
    assert len(metrics) == len(episode.calls)
    for told, call in zip(metrics, episode.calls, strict=True):
        assert tuple(told["prompt_token_ids"]) == call.prompt_ids
        assert tuple(told["completion_token_ids"]) == call.completion_ids
        assert near(told["logprobs"], call.completion_logprobs)
    copied = [step["extra"]["message_id"] for step in file["steps"] if "is_copied_context" in step]
    assert copied == [message.id for message in episode.messages if message.copied_from]


@few
@given(events=ended)
def test_verifiers_branches_come_back_as_the_segments(
    events: tuple[Event, ...], tmp_path: Path
) -> None:
    episode, ((line,),) = exported(events, tmp_path / "x", "verifiers")
    nodes = line["traces"][0]["nodes"]
    parents = {node.get("parent") for node in nodes}
    branches = [_branch(nodes, i) for i in range(len(nodes)) if i not in parents]
    assert sum(sum(node["mask"]) for node in nodes) == sum(
        len(call.completion_ids) for call in episode.calls
    )
    told = sorted(_whole(one) for one in segments(episode) if _is_leaf(episode, one))
    assert sorted(tuple(i for node in b for i in node["token_ids"]) for b in branches) == told


@few
@given(events=ended)
def test_words_come_back_in_their_order(events: tuple[Event, ...], tmp_path: Path) -> None:
    targets = ("trl-sft", "openai", "sharegpt", "inspect", "otel")
    episode, files = exported(events, tmp_path / "x", *targets)
    said = sorted(episode.message(call.message).text for call in episode.calls)
    sft, weighed, turns, log, spans = files
    trained = [m["content"] for row in sft for m in row["completion"] if m["role"] == "assistant"]
    assert sorted(trained) == said
    weights = [m for row in weighed for m in row["messages"] if m.get("weight") == 1]
    assert sorted(m["content"] for m in weights) == said
    for row, segment in zip(sft, segments(episode), strict=True):
        words = [m["content"] for m in (*row["prompt"], *row["completion"])]
        assert words == [message.text for message in segment.messages]
    spoken = [t["value"] for row in turns for t in row["conversations"] if t["from"] == "gpt"]
    assert set(spoken) <= set(said)
    sample = log[0]["samples"][0]
    assert {m["content"] for m in sample["messages"] if m["role"] == "assistant"} <= set(said)
    assert set(said) <= set(_strings(spans)) | set(_read(spans))


def _branch(nodes: Sequence[Mapping[str, Any]], leaf: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    at: int | None = leaf
    while at is not None:
        found.append(nodes[at])
        at = nodes[at].get("parent")
    return found[::-1]


def _whole(segment: Segment) -> tuple[int, ...]:
    return segment.prompt_ids + segment.response_ids


def _is_leaf(episode: Episode, segment: Segment) -> bool:
    return not any(m.parent == segment.messages[-1].id for m in episode.messages)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _strings(part)


def _read(value: Any) -> Iterator[str]:
    """Yield the strings inside of JSON that stands in strings."""
    for text in _strings(value):
        with contextlib.suppress(ValueError):
            yield from _strings(json.loads(text))
