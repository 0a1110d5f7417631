"""A log of inspect-ai in its JSON form, to look at runs in `inspect view` (`inspect`).

One sample an episode: its messages in the order in which they were made, its rewards as scores.

Source: inspect-ai 0.3.285, `EvalLog`, read and run.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message


def _rows(job: Job) -> Iterator[Row | Refused]:
    epochs: dict[str, int] = {}
    for sample in job.samples:
        episode = sample.episode
        if not episode.messages:
            yield Refused(episode.episode_id, "it has no messages")
            continue
        name = episode.task.task_id or episode.episode_id
        epochs[name] = epochs.get(name, 0) + 1
        yield _sample(job, sample, name, epochs[name])


def _sample(job: Job, sample: Sample, name: str, epoch: int) -> Row:
    episode = sample.episode
    text = episode.answer.text if episode.answer is not None else ""
    model = episode.model or "none"
    return {
        "id": name,
        "epoch": epoch,
        "input": episode.question,
        "target": list(episode.task.gold_answers) or [""],
        "messages": [_message(one, job, model) for one in episode.messages],
        "output": {
            "model": model,
            "choices": [
                {
                    "message": {"role": "assistant", "content": text, "source": "generate"},
                    "stop_reason": "stop",
                }
            ],
        },
        "scores": {
            r.name: {"value": r.value, "explanation": r.reason}
            for r in episode.rewards
            if r.value is not None and r.scope == "episode"
        },
        "metadata": {
            "episode_id": episode.episode_id,
            "status": episode.status,
            "group_id": episode.group_id,
            "cited": [
                {"page": f"{c.name}:{c.page}", "box": list(c.box), "quote": c.quote}
                for c in (episode.answer.citations if episode.answer is not None else ())
            ],
        },
        "total_time": max(0.0, episode.ended - episode.started),
    }


def _message(message: Message, job: Job, model: str) -> dict[str, Any]:
    shown = "".join(f"\n[picture {one.blob[:12]} of {one.page}]" for one in message.pictures)
    made: dict[str, Any] = {
        "id": message.id,
        "role": message.role,
        "content": message.text + shown,
        "metadata": {"kind": message.kind, "origin": message.origin},
    }
    if message.role == "assistant":
        made |= {"source": "generate", "model": model}
        if message.calls:
            made["tool_calls"] = [
                {"id": c.id, "function": c.name, "arguments": dict(c.arguments or {})}
                | ({"parse_error": c.parse_error} if c.parse_error else {})
                for c in message.calls
            ]
    if message.role == "tool":
        made |= {"tool_call_id": message.tool_call_id, "function": message.name}
    return made


def _write(job: Job, rows: Sequence[Row]) -> None:
    manifest = job.run.manifest
    created = datetime.fromtimestamp(manifest.created_at, UTC).isoformat()
    models = {one.episode.model for one in job.samples if one.episode.model}
    log = {
        "version": 2,
        "status": "success",
        "eval": {
            "run_id": manifest.run_id,
            "created": created,
            "task": f"pagehop/{manifest.graph or 'explore'}",
            "dataset": {"name": "pagehop", "samples": len(rows)},
            "model": sorted(models)[0] if models else "none",
            "config": {},
            "packages": {
                name: str(version)
                for name, version in (manifest.environment.get("packages") or {}).items()
            },
        },
        "plan": {"name": "pagehop"},
        "results": {"total_samples": len(rows), "completed_samples": len(rows)},
        "stats": {"started_at": created, "completed_at": created},
        "samples": rows,
    }
    text = json.dumps(log, ensure_ascii=False, allow_nan=False)
    job.out.write_text(text + "\n", encoding="utf-8")


INSPECT = Exporter(
    "inspect",
    _rows,
    loses=(
        "pictures: their hash and page stand in the text",
        "token ids, logprobs, masks, the graph of messages: they come in one list",
        "raw characters of arguments",
    ),
    suffixes=(".json",),
    finish=_write,
)
