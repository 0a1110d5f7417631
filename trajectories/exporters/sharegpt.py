"""ShareGPT conversations for LLaMA-Factory (`sharegpt`), with the `dataset_info.json` beside them.

It wants strict turns: human or observation, then gpt or function_call. Several calls of one turn
become one function_call with a list, their results one observation.

Source: LLaMA-Factory, data/README (sharegpt format).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pagehop.trajectories.exporters.chat_form import (
    WORDS,
    all_new,
    dumps,
    tool_schemas,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message
from pagehop.trajectories.segments import Segment

ASKS, SAYS = ("human", "observation"), ("gpt", "function_call")
INFO = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
    "tags": {
        "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
        "observation_tag": "observation", "function_tag": "function_call",
    },
}  # fmt: skip


def _rows(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, *WORDS, all_new):
        yield found if isinstance(found, Refused) else _row(job, *found)


def _row(job: Job, sample: Sample, segment: Segment) -> Row | Refused:
    turns: list[dict[str, Any]] = []
    for message in segment.messages:
        turn = _turn(message)
        if turn is None:
            continue
        if turns and turns[-1]["from"] == turn["from"] and turn["from"] in ASKS:
            turns[-1]["value"] += "\n\n" + turn["value"]
        elif turns and {turns[-1]["from"], turn["from"]} == set(ASKS):
            return Refused(segment.id, "a user message and a tool result follow one another")
        else:
            turns.append(turn)
    kinds = [turn["from"] for turn in turns]
    if any(kind not in (SAYS if i % 2 else ASKS) for i, kind in enumerate(kinds)):
        return Refused(segment.id, "its turns do not alternate")
    if len(turns) % 2:
        return Refused(segment.id, "it does not end with what the model said")
    system = "\n\n".join(m.text for m in segment.messages if m.role == "system")
    tools = [schema["function"] for schema in tool_schemas(job.run.manifest, segment)]
    return {"conversations": turns, "system": system, "tools": dumps(tools) if tools else ""}


def _turn(message: Message) -> dict[str, Any] | None:
    if message.role == "system":
        return None
    if message.role == "user":
        return {"from": "human", "value": message.text}
    if message.role == "tool":
        return {"from": "observation", "value": message.text}
    if not message.calls:
        return {"from": "gpt", "value": message.text}
    calls = [{"name": call.name, "arguments": dict(call.arguments or {})} for call in message.calls]
    return {"from": "function_call", "value": dumps(calls[0] if len(calls) == 1 else calls)}


def _info(job: Job, rows: Sequence[Row]) -> None:
    info = {job.out.stem: {"file_name": job.out.name, **INFO}}
    (job.out.parent / "dataset_info.json").write_text(json.dumps(info, indent=1) + "\n")


SHAREGPT = Exporter(
    "sharegpt",
    _rows,
    loses=(
        "what the model said beside a tool call, and its reasoning",
        "ids of calls, token ids, logprobs, rewards",
    ),
    suffixes=(".jsonl",),
    finish=_info,
)
