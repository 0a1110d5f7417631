"""TRL's vision SFT (`trl-vision`): pictures behind the call that fetched them, tools as text.

The vision collator never shows the `tools` column to the chat template and puts all pictures into
the first user message unless the content says where they stand. So tools go into the system text,
and the pictures of a tool message into a user message right after it.

Load it with `dataset.cast_column("images", [Image()])` of `datasets`.

Source: TRL 1.16, vision data collator, read and run.
"""

from collections.abc import Iterator
from typing import Any

from pagehop.errors import LibraryError
from pagehop.trajectories.blobs import read_blob
from pagehop.trajectories.exporters.chat_form import (
    about,
    described,
    readable_calls,
    tool_schemas,
    trained,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.exporters.verl_sft import written
from pagehop.trajectories.messages import Message
from pagehop.trajectories.segments import Segment


def _rows(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, trained, readable_calls):
        yield found if isinstance(found, Refused) else _row(job, *found)


def _row(job: Job, sample: Sample, segment: Segment) -> Row | Refused:
    if not segment.pictures:
        return Refused(segment.id, "it has no pictures: trl-sft takes it")
    try:
        images = [_picture(job, picture.blob) for picture in segment.pictures]
    except LibraryError:
        return Refused(segment.id, "a picture of it is missing from the run's blobs")
    first = next(i for i, m in enumerate(segment.messages) if m.id in segment.new)
    turns = [(i, turn) for i, m in enumerate(segment.messages) for turn in _turns(m)]
    prompt = [turn for i, turn in turns if i < first]
    tools = tool_schemas(job.run.manifest, segment)
    if tools:
        text = described(tools)
        prompt.append({"role": "system", "content": [{"type": "text", "text": text}]})
    return {
        "prompt": _one_system(prompt),
        "completion": [turn for i, turn in turns if i >= first],
        "images": images,
        **about(sample, segment),
    }


def _turns(message: Message) -> list[dict[str, Any]]:
    """Return a message; of a tool message its words, then its pictures in a user message."""
    text = [{"type": "text", "text": written(message)}]
    pictures = [{"type": "image"} for _ in message.pictures]
    if message.role != "tool" or not pictures:
        return [{"role": message.role, "content": [*pictures, *text]}]
    return [{"role": "tool", "content": text}, {"role": "user", "content": pictures}]


def _one_system(prompt: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join the system messages, which chat templates want to be one, at the beginning."""
    systems = [turn for turn in prompt if turn["role"] == "system"]
    others = [turn for turn in prompt if turn["role"] != "system"]
    text = "\n\n".join(part["text"] for turn in systems for part in turn["content"])
    return [{"role": "system", "content": [{"type": "text", "text": text}]}, *others]


def _picture(job: Job, blob: str) -> dict[str, Any]:
    """Return the picture in the form that `datasets` stores: cast the column to `Image`."""
    return {"bytes": read_blob(job.run.folder, blob), "path": None}


TRL_VISION = Exporter(
    "trl-vision",
    _rows,
    loses=(
        "pages and boxes of the pictures",
        "tool calls as such: they are text",
        "token ids and logprobs, rewards by part",
    ),
    suffixes=(".parquet",),
)
