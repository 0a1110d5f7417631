"""Messages of a segment in the form of chat completions, which most targets take."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from pagehop.trajectories.exporters.exporter import Job, Refused, Sample
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.messages import CallPart, Message
from pagehop.trajectories.segments import Segment

Arguments = Literal["string", "object"]
Check = Callable[[Segment], Refused | None]
"""Refuses a segment that a target cannot carry."""


def chat_message(message: Message, *, arguments: Arguments = "string") -> dict[str, Any]:
    """Return one message; keys that it does not need are absent.

    Args:
        message: Its pictures are left out; see `vision.py` for rows that carry them.
        arguments: Of its tool calls, as the model wrote them or parsed.
    """
    made: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.reasoning:
        made["reasoning_content"] = message.reasoning
    if message.calls:
        made["tool_calls"] = [chat_call(call, arguments=arguments) for call in message.calls]
    if message.role == "tool":
        made |= {"tool_call_id": message.tool_call_id, "name": message.name}
    return made


def chat_call(call: CallPart, *, arguments: Arguments = "string") -> dict[str, Any]:
    """Return a tool call."""
    given = call.arguments_raw if arguments == "string" else dict(call.arguments or {})
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": given},
    }


def tool_schemas(manifest: RunManifest, segment: Segment) -> list[dict[str, Any]]:
    """Return the tools that a segment's model was offered natively; none for other grammars."""
    if not any(call.tools_sha256 for call in segment.calls):
        return []
    return [
        {
            "type": "function",
            "function": {
                "name": tool["name"],
                "description": tool.get("description", ""),
                "parameters": json.loads(tool.get("parameters_json") or "{}"),
            },
        }
        for tool in manifest.tools
    ]


def described(tools: Sequence[dict[str, Any]]) -> str:
    """Return tools as a text, for targets that show their templates none."""
    return "# Tools\n\n" + "\n".join(dumps(tool) for tool in tools)


def split(segment: Segment) -> tuple[list[Message], list[Message]]:
    """Return the messages before the first that is trained here, and the others."""
    messages = list(segment.messages)
    first = next((i for i, one in enumerate(messages) if one.id in segment.new), len(messages))
    return messages[:first], messages[first:]


def trained(segment: Segment) -> Refused | None:
    """Refuse a segment that holds nothing to train on."""
    if not segment.calls:
        return Refused(segment.id, "rules made the run: no model spoke in it")
    if not any(call.trainable for call in segment.calls):
        return Refused(segment.id, "its model is not the policy")
    return None


def without_pictures(segment: Segment) -> Refused | None:
    """Refuse a segment with pictures, for a target of words."""
    if segment.pictures:
        return Refused(segment.id, "it has pictures, which this target cannot carry: trl-vision")
    return None


def readable_calls(segment: Segment) -> Refused | None:
    """Refuse a segment with a tool call whose arguments are no JSON object."""
    if any(call.arguments is None for message in segment.messages for call in message.calls):
        return Refused(segment.id, "a tool call has arguments that cannot be read")
    return None


def all_new(segment: Segment) -> Refused | None:
    """Refuse a segment that states what it does not train, for a target that cannot mask it.

    Another segment trains it, or code wrote it in the model's place.
    """
    said = (message.id for message in segment.messages if message.role == "assistant")
    if any(name not in segment.new for name in said):
        return Refused(segment.id, "it holds replies that are not trained in it")
    return None


WORDS: tuple[Check, ...] = (trained, without_pictures, readable_calls)
"""What a target of words alone asks of a segment."""


def usable(job: Job, *checks: Check) -> Iterator[tuple[Sample, Segment] | Refused]:
    """Yield each segment that passes all checks, and for the others the first reason."""
    for sample in job.samples:
        for segment in sample.segments:
            refused = next((no for check in checks if (no := check(segment))), None)
            yield refused or (sample, segment)


def about(sample: Sample, segment: Segment) -> dict[str, Any]:
    """Return the columns that say where a row comes from."""
    return {
        "episode_id": sample.episode.episode_id,
        "segment_id": segment.id,
        "group_id": sample.episode.group_id,
        "reward": sample.reward,
    }


def dumps(value: Sequence[Any] | dict[str, Any]) -> str:
    """Return JSON as one line; a float that JSON lacks is refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
