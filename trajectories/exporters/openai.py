"""Lines for OpenAI's fine-tuning of chat models (`openai`).

`weight` is 0 on assistant messages that an earlier segment trained.

Source: OpenAI, fine-tuning data format (chat); limits of pictures unverified.
"""

from collections.abc import Iterator

from pagehop.trajectories.exporters.chat_form import (
    WORDS,
    chat_message,
    tool_schemas,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row


def _rows(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, *WORDS):
        if isinstance(found, Refused):
            yield found
            continue
        _, segment = found
        messages = []
        for message in segment.messages:
            made = chat_message(message)
            made.pop("reasoning_content", None)
            if message.role == "tool":
                made.pop("name", None)
            if message.role == "assistant":
                made["weight"] = int(message.id in segment.new)
            messages.append(made)
        tools = tool_schemas(job.run.manifest, segment)
        yield {
            "messages": messages,
            **({"tools": tools, "parallel_tool_calls": True} if tools else {}),
        }


OPENAI = Exporter(
    "openai",
    _rows,
    loses=("reasoning", "token ids and logprobs", "rewards: choose rows with --min-reward"),
    suffixes=(".jsonl",),
)
