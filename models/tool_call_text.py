"""Find tool calls in the text of a model that writes them itself, as its chat template taught it.

1. Hermes and Qwen: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, the end may lack.
2. Mistral: `[TOOL_CALLS][{"name": ..., "arguments": ...}]`, newer `[TOOL_CALLS]name[ARGS]{...}`.
3. Llama: `<|python_tag|>{"name": ..., "parameters": {...}}`, or such JSON as the whole text.

What stands before `</think>` is thought, not action. A marked call that cannot be read becomes an
invalid call, so that the model can be told; unmarked text that is no call stays text.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

MARKERS = ("<tool_call>", "[TOOL_CALLS]", "<|python_tag|>")
THOUGHT_END = "</think>"
HERMES = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
REST = re.compile(r"(?:\[TOOL_CALLS\]|<\|python_tag\|>)(.*)\Z", re.DOTALL)
MISTRAL = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?=\{)")
FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


@dataclass
class FoundCalls:
    """A text without its calls, and the calls."""

    text: str
    calls: list[ToolCall] = field(default_factory=list)
    invalid: list[InvalidToolCall] = field(default_factory=list)

    def add(self, written: str) -> bool:
        """Add the calls of one piece of JSON; return whether there were any."""
        try:
            values = _values(written)
            pairs = [_pair(value) for value in values]
        except ValueError as error:
            self.invalid.append(
                invalid_tool_call(name=None, args=written.strip(), id=self._id(), error=str(error))
            )
            return False
        for name, args in pairs:
            self.calls.append(tool_call(name=name, args=args, id=self._id()))
        return bool(pairs)

    def _id(self) -> str:
        return f"call_{len(self.calls) + len(self.invalid) + 1}"


def find_calls(text: str) -> FoundCalls:
    """Split what a model wrote into text and tool calls.

    Args:
        text: As decoded, special tokens kept.
    """
    head, end, body = text.rpartition(THOUGHT_END)
    thought = head + end
    if HERMES.search(body):
        found = FoundCalls(thought + HERMES.sub("", body))
        for match in HERMES.finditer(body):
            found.add(match[1])
        return found
    if rest := REST.search(body):
        found = FoundCalls(thought + body[: rest.start()])
        found.add(rest[1])
        return found
    bare = body.strip()
    if fenced := FENCE.match(bare):
        bare = fenced[1]
    if bare[:1] in ("{", "["):
        found = FoundCalls(thought)
        if found.add(bare):
            return found
    return FoundCalls(text)


def _values(written: str) -> list[Any]:
    """Return the JSON values that follow one another in a text."""
    decoder, values, rest = json.JSONDecoder(), [], written.strip()
    while rest:
        named = MISTRAL.match(rest)
        value, end = decoder.raw_decode(rest, named.end() if named else 0)
        if named:
            values.append({"name": named[1], "arguments": value})
        else:
            values += value if isinstance(value, list) else [value]
        rest = rest[end:].lstrip(" \n;,").removeprefix("[TOOL_CALLS]")
    if not values:
        raise ValueError("the call is empty")
    return values


def _pair(value: Any) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of a call."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError('a call needs the form {"name": ..., "arguments": {...}}')
    args = value.get("arguments", value.get("parameters", {}))
    if isinstance(args, str):
        args = json.loads(args)
    if not isinstance(args, dict):
        raise ValueError(f"the arguments of {value['name']} are no object")
    return value["name"], args
