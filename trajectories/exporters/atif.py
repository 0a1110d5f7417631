"""ATIF-v1.8, the interchange format of Harbor: one JSON file an episode (`atif`).

Messages come once, in the order in which they were made; a message that a new context states again
is marked as copied. Tool results stand on the step that called. The raw characters of arguments,
rewards and the edits of the context are in `extra`.

Source: harbor 0.25.0, models/trajectories (RFC 0001), read and run.
"""

import json
import mimetypes
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pagehop.errors import LibraryError
from pagehop.trajectories.blobs import read_blob
from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message

VERSION = "ATIF-v1.8"
SOURCES = {"system": "system", "user": "user", "assistant": "agent", "tool": "user"}
"""A tool's words are the user's where no step asked for them by id."""


def _rows(job: Job) -> Iterator[Row | Refused]:
    for sample in job.samples:
        if not sample.episode.messages:
            yield Refused(sample.episode.episode_id, "it has no messages")
        else:
            yield _trajectory(job, sample)


def _trajectory(job: Job, sample: Sample) -> Row:
    episode = sample.episode
    rewards = [
        {"name": r.name, "value": r.value, "scope": r.scope, "target": r.target, "reason": r.reason}
        for r in episode.rewards
    ]
    usage = episode.usage
    return {
        "schema_version": VERSION,
        "session_id": episode.run_id or job.run.manifest.run_id,
        "trajectory_id": episode.episode_id,
        "agent": {
            "name": f"pagehop/{episode.graph or 'explore'}",
            "version": str(job.run.manifest.code.get("version") or "unknown"),
            "model_name": episode.model,
            "tool_definitions": [
                {"type": "function", "function": {
                    "name": tool["name"],
                    "description": tool.get("description", ""),
                    "parameters": json.loads(tool.get("parameters_json") or "{}"),
                }}
                for tool in job.run.manifest.tools
            ],
        },
        "steps": _steps(episode),
        "final_metrics": {
            "total_prompt_tokens": usage.input_tokens,
            "total_completion_tokens": usage.output_tokens,
            "total_cached_tokens": usage.cached_tokens,
        },
        "extra": {
            "status": episode.status,
            "stop_reason": episode.stop_reason,
            "question": episode.question,
            "group_id": episode.group_id,
            "rewards": rewards,
            "answer": episode.answer.to_json() if episode.answer is not None else None,
            "pages_shown": [one.page for one in episode.shown],
        },
    }  # fmt: skip


def _steps(episode: Episode) -> list[dict[str, Any]]:
    calls = {call.message: call for call in episode.calls}
    edits = {edit.to_root: edit for edit in episode.edits if edit.to_root}
    steps: list[dict[str, Any]] = []
    asked: dict[str, dict[str, Any]] = {}  # by tool call id, the step that asked
    for message in episode.messages:
        if message.role == "tool" and message.tool_call_id in asked:
            results = asked[message.tool_call_id].setdefault("observation", {"results": []})
            results["results"].append(
                {"source_call_id": message.tool_call_id, "content": _content(message)}
            )
            continue
        step = _step(message, calls.get(message.id)) | {"step_id": len(steps) + 1}
        if edit := edits.get(message.id):
            step["extra"]["context_management"] = {"kind": edit.kind, "reason": edit.reason}
        asked |= {call.id: step for call in message.calls}
        steps.append(step)
    return steps


def _step(message: Message, call: LLMCall | None) -> dict[str, Any]:
    step: dict[str, Any] = {
        "source": SOURCES[message.role],
        "message": _content(message),
        "extra": {"kind": message.kind, "origin": message.origin, "message_id": message.id},
    }
    if message.ts:
        step["timestamp"] = datetime.fromtimestamp(message.ts, UTC).isoformat()
    if message.copied_from:
        step["is_copied_context"] = True
    if message.role != "assistant":
        return step
    step["llm_call_count"] = 1 if call is not None else 0
    if message.calls:
        step["tool_calls"] = [
            {
                "tool_call_id": one.id,
                "function_name": one.name,
                "arguments": dict(one.arguments or {}),
                "extra": {"arguments_raw": one.arguments_raw},
            }
            for one in message.calls
        ]
    if call is None:
        return step
    if message.reasoning:
        step["reasoning_content"] = message.reasoning
    step["model_name"] = call.model_served or call.model
    step["metrics"] = {
        "prompt_tokens": call.usage.input_tokens,
        "completion_tokens": call.usage.output_tokens,
        "cached_tokens": call.usage.cached_tokens,
    }
    if call.prompt_ids:
        step["metrics"]["prompt_token_ids"] = list(call.prompt_ids)
        step["metrics"]["completion_token_ids"] = list(call.completion_ids)
    if call.completion_logprobs:
        step["metrics"]["logprobs"] = list(call.completion_logprobs)
    step["extra"] |= {"role": call.role, "finish_reason": call.finish_reason}
    return step


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.pictures:
        return message.text
    text = [{"type": "text", "text": message.text}] if message.text else []
    pictures = [
        {
            "type": "image",
            "source": {"media_type": one.mime, "path": f"images/{one.blob}{_suffix(one.mime)}"},
        }
        for one in message.pictures
    ]
    return [*text, *pictures]


def _write(job: Job, rows: Sequence[Row]) -> None:
    """Write a file an episode, and the pictures beside them."""
    job.out.mkdir(parents=True, exist_ok=True)
    for row in rows:
        name = str(row["trajectory_id"]).replace("/", "_")
        text = json.dumps(row, ensure_ascii=False, indent=1, allow_nan=False)
        (job.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    pictures = {
        (one.blob, one.mime)
        for sample in job.samples
        for message in sample.episode.messages
        for one in message.pictures
    }
    for blob, mime in pictures:
        target = job.out / "images" / f"{blob}{_suffix(mime)}"
        target.parent.mkdir(exist_ok=True)
        try:
            target.write_bytes(read_blob(job.run.folder, blob))
        except LibraryError as error:
            raise LibraryError(f"{error}; the episodes that show it cannot be exported") from error


def _suffix(mime: str) -> str:
    return mimetypes.guess_extension(mime) or ".png"


ATIF = Exporter(
    "atif",
    _rows,
    loses=("masks by token", "boxes of pictures", "which prompt a message stood in"),
    suffixes=(),
    finish=_write,
)
