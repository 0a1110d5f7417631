"""The tokens of the stub endpoint: a byte each, of prompts and replies written as templates do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pagehop.models.stub_personalities import StubReply, StubRequest

END = "<|end|>"


def prompt_ids(request: StubRequest) -> list[int]:
    """Return the ids of a prompt, tools first, up to where the reply begins."""
    tools = request.body.get("tools")
    text = f"<|tools|>{json.dumps(tools)}{END}" if tools else ""
    text += "".join(_message(message) for message in request.messages)
    return list(f"{text}<|assistant|>".encode())


def completion(reply: StubReply, calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the ids of a reply and their logprobs, as fields of a choice."""
    ids = list((_said(reply.reasoning, reply.content, calls) + END).encode())
    content = [{"token": "", "logprob": -0.001 * (one % 97)} for one in ids]
    return {"token_ids": ids, "logprobs": {"content": content}}


def _message(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = json.dumps(content)
    thought = message.get("reasoning_content") or ""
    said = _said(thought, content, message.get("tool_calls") or ())
    return f"<|{message.get('role')}|>{said}{END}"


def _said(reasoning: str, content: str, calls: Sequence[Mapping[str, Any]]) -> str:
    thought = f"<think>{reasoning}</think>" if reasoning else ""
    written = "".join(
        f"<call>{call['function']['name']} {call['function']['arguments']}</call>" for call in calls
    )
    return f"{thought}{content}{written}"
