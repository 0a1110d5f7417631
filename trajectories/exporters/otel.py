"""Spans of OpenTelemetry as OTLP JSON, a request an episode and line (`otel`).

Keys of the generative AI conventions and of OpenInference side by side, so that both kinds of
backends show calls, tools and retrieved pages. Long values are cut; pictures are named by hash.

Source: OpenTelemetry protocol, JSON encoding; semantic conventions gen_ai; OpenInference. The
names of spans are unverified.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from pagehop.trajectories.calls import LLMCall, ToolCallRecord
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row

MOST = 8_000
"""Characters of a value; exporters refuse long ones."""
Value = str | int | float | bool


def _rows(job: Job) -> Iterator[Row | Refused]:
    version = str(job.run.manifest.code.get("version") or "")
    for sample in job.samples:
        yield {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes({"service.name": "pagehop"})},
                    "scopeSpans": [
                        {
                            "scope": {"name": "pagehop", "version": version},
                            "spans": list(_spans(sample.episode)),
                        }
                    ],
                }
            ]
        }


def _spans(episode: Episode) -> Iterator[dict[str, Any]]:
    trace = _id(episode.episode_id, 32)
    root = _id(f"{episode.episode_id}/run", 16)
    text = episode.answer.text if episode.answer is not None else ""
    values: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"pagehop/{episode.graph or 'explore'}",
        "gen_ai.request.model": episode.model,
        "gen_ai.usage.input_tokens": episode.usage.input_tokens,
        "gen_ai.usage.output_tokens": episode.usage.output_tokens,
        "openinference.span.kind": "AGENT",
        "input.value": episode.question,
        "output.value": text,
        "pagehop.status": episode.status,
    }
    values |= {
        f"pagehop.reward.{r.name}": r.value
        for r in episode.rewards
        if r.value is not None and r.scope == "episode"
    }
    failed = episode.status == "failed"
    yield _span(
        trace, root, "", "invoke_agent pagehop", (episode.started, episode.ended), values, failed
    )
    spans = {call.id: _id(f"{episode.episode_id}/{call.id}", 16) for call in episode.calls}
    for call in episode.calls:
        yield _model_span(episode, call, trace, spans[call.id], root)
    for tool in episode.tool_calls:
        parent = spans.get(tool.llm_call, root)
        yield _tool_span(tool, trace, _id(f"{episode.episode_id}/{tool.id}", 16), parent)


def _model_span(
    episode: Episode, call: LLMCall, trace: str, own: str, parent: str
) -> dict[str, Any]:
    said = episode.message(call.message).text if call.message else ""
    asked = episode.message(call.leaf).text if call.leaf else ""
    values: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model_served or call.model,
        "gen_ai.response.finish_reasons": call.finish_reason,
        "gen_ai.usage.input_tokens": call.usage.input_tokens,
        "gen_ai.usage.output_tokens": call.usage.output_tokens,
        "openinference.span.kind": "LLM",
        "llm.model_name": call.model,
        "llm.token_count.prompt": call.usage.input_tokens,
        "llm.token_count.completion": call.usage.output_tokens,
        "input.value": asked,
        "output.value": said,
        "pagehop.role": call.role,
    }
    time = (call.started, call.started + call.seconds)
    return _span(trace, own, parent, f"chat {call.model}", time, values, bool(call.error))


def _tool_span(call: ToolCallRecord, trace: str, own: str, parent: str) -> dict[str, Any]:
    values: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": call.id,
        "openinference.span.kind": "RETRIEVER" if call.retrieval is not None else "TOOL",
        "tool.name": call.tool,
        "input.value": call.arguments_raw or str(dict(call.arguments)),
        "output.value": call.result,
    }
    if call.retrieval is not None:
        for i, hit in enumerate(call.retrieval.hits):
            values[f"retrieval.documents.{i}.document.id"] = hit.page
            values[f"retrieval.documents.{i}.document.score"] = hit.score
    time = (call.started, call.started + call.seconds)
    return _span(trace, own, parent, f"execute_tool {call.tool}", time, values, not call.ok)


def _span(
    trace: str,
    own: str,
    parent: str,
    name: str,
    time: tuple[float, float],
    values: Mapping[str, Value],
    failed: bool,
) -> dict[str, Any]:
    start, end = (str(int(moment * 1e9)) for moment in (time[0], max(time)))
    return {
        "traceId": trace,
        "spanId": own,
        **({"parentSpanId": parent} if parent else {}),
        "name": name.strip(),
        "kind": 1,
        "startTimeUnixNano": start,
        "endTimeUnixNano": end,
        "attributes": _attributes({key: v for key, v in values.items() if v != ""}),
        "status": {"code": 2 if failed else 1},
    }


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value if len(value) <= MOST else value[: MOST - 1] + "\u2026"}


def _id(name: str, digits: int) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:digits]


OTEL = Exporter(
    "otel",
    _rows,
    loses=(
        f"what is longer than {MOST:,} characters, pictures",
        "prompts but for their last message, token ids, masks",
    ),
    suffixes=(".jsonl",),
)
