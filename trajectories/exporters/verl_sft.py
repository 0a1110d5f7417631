"""verl's multi-turn SFT parquet (`verl-sft`): every message is plain text.

Tool calls stand in the assistant's text as it was sampled, tools in the system text. verl's loader
fills structs of tools with null keys and escapes string arguments twice, so it is given neither.

Source: verl 0.9.1, `MultiTurnSFTDataset`, read and run.
"""

from collections.abc import Iterator

from pagehop.trajectories.exporters.chat_form import (
    WORDS,
    all_new,
    described,
    dumps,
    tool_schemas,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message
from pagehop.trajectories.segments import Segment


def _rows(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, *WORDS, all_new):
        yield found if isinstance(found, Refused) else _row(job, *found)


def _row(job: Job, sample: Sample, segment: Segment) -> Row:
    raw = {call.message: call.text_raw for call in segment.calls}
    messages = []
    for message in segment.messages:
        text = raw.get(message.id) or written(message)
        messages.append({"role": message.role, "content": text})
    tools = tool_schemas(job.run.manifest, segment)
    if tools:
        if messages[0]["role"] == "system":
            messages[0]["content"] += f"\n\n{described(tools)}"
        else:
            messages.insert(0, {"role": "system", "content": described(tools)})
    return {
        "messages": messages,
        "episode_id": sample.episode.episode_id,
        "reward": sample.reward,
    }


def written(message: Message) -> str:
    """Return what a message says with its tool calls as text, in the form of Qwen's templates."""
    calls = [{"name": c.name, "arguments": dict(c.arguments or {})} for c in message.calls]
    tagged = [f"<tool_call>\n{dumps(call)}\n</tool_call>" for call in calls]
    return "\n".join(part for part in (message.text, *tagged) if part)


VERL_SFT = Exporter(
    "verl-sft",
    _rows,
    loses=(
        "tool calls as such: they are text",
        "which message of a tool belongs to which call",
        "token ids and logprobs, rewards by part",
    ),
    suffixes=(".parquet",),
)
