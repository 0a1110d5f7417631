"""verifiers' `traces.jsonl`: an episode a line with its graph of messages (`verifiers`).

The graph is ours: parents, sampled messages, token ids and logprobs where the engine gave them. A
context that begins anew links to what closed the one before as `compaction`.

Source: verifiers 0.4.0, v1 (`WireEpisode`, `Trace`, `MessageNode`), read and run.
"""

import json
from collections.abc import Iterator
from typing import Any

from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message

STOPS = {"answered": "answered", "unanswerable": "abstained", "exhausted": "budget"}


def _rows(job: Job) -> Iterator[Row | Refused]:
    for sample in job.samples:
        episode = sample.episode
        if not episode.calls:
            yield Refused(episode.episode_id, "rules made the run: no model spoke in it")
        elif any(message.pictures for message in episode.messages):
            yield Refused(episode.episode_id, "it has pictures, which these records hold as data")
        else:
            yield _episode(job, sample)


def _episode(job: Job, sample: Sample) -> Row:
    episode = sample.episode
    task = {
        "type": "pagehop",
        "data": {
            "id": episode.task.task_id or episode.episode_id,
            "prompt": episode.question,
            "answers": list(episode.task.gold_answers),
            "pages": [page.page for page in episode.task.gold_pages],
            "answerable": episode.task.answerable,
        },
    }
    return {
        "id": episode.episode_id,
        "task": task,
        **({"group": {"id": episode.group_id}} if episode.group_id else {}),
        "ok": True,
        "traces": [_trace(job, episode, task)],
    }


def _trace(job: Job, episode: Episode, task: dict[str, Any]) -> dict[str, Any]:
    places = {message.id: i for i, message in enumerate(episode.messages)}
    sampled = {call.message: call for call in episode.calls if call.message}
    links = {
        edit.to_root: places[edit.summary_message]
        for edit in episode.edits
        if edit.to_root and edit.summary_message in places
    }
    return {
        "id": episode.episode_id,
        "task": task,
        "agent": {"config": {"model": episode.model}, "name": "pagehop"},
        "tools": [
            {
                "name": tool["name"],
                "description": tool.get("description", ""),
                "parameters": json.loads(tool.get("parameters_json") or "{}"),
            }
            for tool in job.run.manifest.tools
        ],
        "nodes": [_node(m, places, sampled.get(m.id), links) for m in episode.messages],
        "calls": [_call(call, places) for call in episode.calls],
        "rewards": {
            r.name: None if r.value is None else {"score": r.value, "weight": r.weight}
            for r in episode.rewards
            if r.scope == "episode"
        },
        "metrics": dict(episode.metrics),
        "info": {"status": episode.status, "pages_shown": [one.page for one in episode.shown]},
        "is_completed": True,
        "ok": True,
        "stop_condition": STOPS.get(episode.status, episode.status),
    }


def _node(
    message: Message, places: dict[str, int], call: LLMCall | None, links: dict[str, int]
) -> dict[str, Any]:
    node: dict[str, Any] = {
        "message": _message(message),
        "sampled": call is not None,
        "timestamp": message.ts,
    }
    if message.parent is not None:
        node["parent"] = places[message.parent]
    if message.id in links:
        node["semantic_parents"] = [{"node": links[message.id], "type": "compaction"}]
    if message.tokens is not None:
        node["token_ids"] = list(message.tokens.ids)
        node["mask"] = list(message.tokens.loss_mask)
        node["logprobs"] = list(message.tokens.logprobs)
    return node


def _message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.reasoning:
        made["reasoning_content"] = message.reasoning
    if message.calls:
        made["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments_raw}
            for call in message.calls
        ]
    if message.role == "tool":
        made |= {"tool_call_id": message.tool_call_id, "name": message.name or None}
    return made


def _call(call: LLMCall, places: dict[str, int]) -> dict[str, Any]:
    usage = call.usage
    made: dict[str, Any] = {
        "model": call.model_served or call.model,
        "usage": {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "cached_input_tokens": usage.cached_tokens,
        },
        "time": {"start": call.started, "end": call.started + call.seconds},
    }
    if call.message in places:
        made["node"] = places[call.message]
    if call.error:
        made["error"] = {"type": "ModelError", "message": call.error}
    return made


VERIFIERS = Exporter(
    "verifiers",
    _rows,
    loses=(
        "pictures, boxes, evidence",
        "logprobs beyond 4 decimals, when verifiers writes the record again",
        "rewards of single calls",
    ),
    suffixes=(".jsonl",),
)
