"""verl's multi-turn SFT parquet (`verl-sft`): every message is plain text.

Tool calls stand in the assistant's text as it was sampled, tools in the system text. verl's loader
fills structs of tools with null keys and escapes string arguments twice, so it is given neither.

Source: verl 0.9.1, `MultiTurnSFTDataset`, read and run.
"""

from collections.abc import Iterator

from pagehop.trajectories.exporters.chat_form import (
    dumps,
    first_refusal,
    readable_calls,
    tool_schemas,
    trained,
    without_pictures,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message
from pagehop.trajectories.segments import Segment


def _rows(job: Job) -> Iterator[Row | Refused]:
    for sample in job.samples:
        for segment in sample.segments:
            refused = first_refusal(
                trained(sample, segment),
                without_pictures(segment),
                readable_calls(segment),
                _all_new(segment),
            )
            yield refused or _row(job, sample, segment)


def _row(job: Job, sample: Sample, segment: Segment) -> Row:
    raw = {call.message: call.text_raw for call in segment.calls}
    messages = []
    for message in segment.messages:
        text = raw.get(message.id) or written(message)
        messages.append({"role": message.role, "content": text})
    tools = tool_schemas(job.run.manifest, segment)
    if tools:
        described = "# Tools\n\n" + "\n".join(dumps(tool) for tool in tools)
        if messages[0]["role"] == "system":
            messages[0]["content"] += f"\n\n{described}"
        else:
            messages.insert(0, {"role": "system", "content": described})
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


def _all_new(segment: Segment) -> Refused | None:
    said = [m.id for m in segment.messages if m.role == "assistant"]
    if any(name not in segment.new for name in said):
        return Refused(segment.id, "it repeats messages that another segment trains")
    return None


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
