"""For TRL's SFTTrainer: conversations (`trl-sft`) and token ids (`trl-tokens`).

One row a segment. What an earlier segment trained stands in `prompt`, so that each sampled message
is trained once. Train with `SFTConfig(assistant_only_loss=True, max_length=...)`: the loss then
falls on the assistant's messages of `completion` and never on what tools said. `max_length` is 1024
unless it is raised, which cuts the answer off.

Source: TRL 1.16, `SFTTrainer` (dataset formats), read and run.
"""

from collections.abc import Iterator

from pagehop.trajectories.exporters.chat_form import (
    WORDS,
    about,
    chat_message,
    dumps,
    split,
    tool_schemas,
    trained,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row
from pagehop.trajectories.segments import Segment

IGNORED = -100
"""Label without loss."""


def _conversations(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, *WORDS):
        if isinstance(found, Refused):
            yield found
            continue
        sample, segment = found
        before, after = split(segment)
        yield {
            "prompt": [chat_message(message) for message in before],
            "completion": [chat_message(message) for message in after],
            # A string: as structs, Arrow would fill each schema with the others' keys.
            "tools": dumps(tool_schemas(job.run.manifest, segment)),
            **about(sample, segment),
        }


def _tokens(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, trained, with_tokens):
        if isinstance(found, Refused):
            yield found
            continue
        sample, segment = found
        labels = [
            token if kept else IGNORED
            for token, kept in zip(segment.response_ids, segment.response_mask, strict=True)
        ]
        yield {
            "input_ids": [*segment.prompt_ids, *segment.response_ids],
            "labels": [*[IGNORED] * len(segment.prompt_ids), *labels],
            **about(sample, segment),
        }


def with_tokens(segment: Segment) -> Refused | None:
    """Refuse a segment whose engine gave no token ids: re-tokenised text is not what it sampled."""
    if not segment.has_tokens:
        return Refused(segment.id, "its engine gave no token ids")
    return None


TRL_SFT = Exporter(
    "trl-sft",
    _conversations,
    loses=(
        "token ids and logprobs: text is tokenised again, which may differ from what was sampled",
        "evidence, boxes, rewards by part",
    ),
)
TRL_TOKENS = Exporter(
    "trl-tokens",
    _tokens,
    loses=("words, roles, evidence: only ids and labels remain", "logprobs"),
    suffixes=(".parquet", ".jsonl"),
)
