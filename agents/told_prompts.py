"""What the record is told of a model's prompts and replies.

Prompts repeat most of the one before, so each is told as how many of its messages are those of the
call before (`after`, `same`) and the others. Where a prompt does not go on from the last one and
its reply, that is an edit of the context; it is told with its cause. A break without a cause is
not explained away: readers of the record see it as undeclared.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from pagehop.agents.replies import text_of
from pagehop.models.capture import Captured
from pagehop.models.chat_calls import ChatReply
from pagehop.models.token_arrays import packed_floats, packed_ids

_SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "seed", "stop",
    "frequency_penalty", "presence_penalty", "repetition_penalty", "reasoning_effort",
)  # fmt: skip
_PICTURE = re.compile(r"^Picture of (\S+), box ([\d., ]+), (\d+) x (\d+) pixels:$")
_SHEET = re.compile(r", (\d+) x (\d+) pixels:$")


@dataclass
class PromptsTold:
    """The last prompt of a run, and which causes there were to leave it."""

    last: str = ""
    """Id of the call."""
    ids: tuple[int, ...] = ()
    """Of the last prompt and its reply, where the endpoint gives them."""
    ids_of: str = ""
    """The call that they are of."""
    goes_on: bool = True
    """The last prompt told begins with the whole one before, and drops no reply to it."""
    _replied: bool = False
    _prompt: list[dict[str, Any]] = field(default_factory=list)
    _why: tuple[str, int, int, bool, str] | None = None

    def told(self, name: str, messages: Sequence[BaseMessage]) -> dict[str, Any]:
        """Return what an `llm.start` says of a prompt."""
        prompt, blobs = told_messages(messages)
        same = 0
        for old, new in zip(self._prompt, prompt, strict=False):
            if old != new:
                break
            same += 1
        body: dict[str, Any] = {"after": self.last, "same": same, "messages": prompt[same:]}
        new_blobs = _named(body["messages"])
        if kept := {digest: data for digest, data in blobs.items() if digest in new_blobs}:
            body["blobs"] = kept
        dropped = self._replied and same == len(prompt)  # the very prompt again
        self.goes_on = not self.last or (same == len(self._prompt) and not dropped)
        self._prompt, self.last, self._replied = prompt, name, False
        return body

    def told_tokens(self, name: str, captured: Captured | None) -> dict[str, Any] | None:
        """Return what an `llm.end` says of tokens; None where the endpoint gave no ids."""
        self._replied = True
        told = told_tokens(captured, self.ids_of, self.ids)
        if told is not None and captured is not None:
            self.ids, self.ids_of = captured.prompt_ids + captured.completion_ids, name
        return told

    def edit(
        self, role: str, round_: int, *, shrink: int, repairs: int, form: str, begun: bool = False
    ) -> tuple[str, str] | None:
        """Return kind and reason of the edit that the last prompt is; None when it is none.

        Args:
            role: Who asks.
            round_: Number of the round.
            shrink: How often the prompt was shortened.
            repairs: Messages about unusable replies at its end.
            form: Of calls and pictures, e.g. `native with pictures`.
            begun: A model has spoken before in this run.
        """
        before, self._why = self._why, (role, round_, shrink, repairs > 0, form)
        if before is None:  # the first call of this process
            return ("resume", "the run was taken up again") if begun else None
        if self.goes_on:
            return None
        old_role, old_round, old_shrink, repaired, old_form = before
        if role != old_role and not {role, old_role} <= {"explorer", "condenser"}:
            return "role", f"{role} begins its own conversation"
        if round_ != old_round:
            return "summarise", "the round is closed: its observations leave the context"
        if shrink or old_shrink:  # cut again from the whole: even as often, not at the same places
            return "truncate", "the prompt was too long and was shortened"
        if form != old_form:
            return "drop_images" if "pictures" in old_form else "merge", f"calls are {form} now"
        if repaired:
            return "repair", "replies that could not be used are left out"
        return None


def told_messages(
    messages: Sequence[BaseMessage],
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return messages as an `llm.start` has them, and the pictures that they name by sha256."""
    blobs: dict[str, bytes] = {}
    return [_told(message, blobs) for message in messages], blobs


def told_end(name: str, role: str, reply: ChatReply) -> dict[str, Any]:
    """Return what an `llm.end` says of a call."""
    end = {
        "call": name,
        "role": role,
        **told_reply(reply.message, reply.captured),
        "usage": dict(vars(reply.usage)),
        "attempts": reply.attempts,
        "retried": list(reply.retried),
        "seconds": round(reply.seconds, 4),
    }
    return end if reply.ttft_s is None else {**end, "ttft_s": round(reply.ttft_s, 4)}


def told_reply(message: AIMessage, captured: Captured | None = None) -> dict[str, Any]:
    """Return what an `llm.end` says of a reply.

    Args:
        message: As the client gives it.
        captured: What the endpoint really said; it has more.
    """
    raw: list[dict[str, Any]] = message.additional_kwargs.get("tool_calls") or []
    written = {call.get("id"): (call.get("function") or {}).get("arguments") for call in raw}
    calls: list[dict[str, Any]] = []
    exact = captured.tool_arguments if captured is not None else ()
    if len(exact) == len(message.tool_calls):
        written |= {call["id"]: raw for call, raw in zip(message.tool_calls, exact, strict=True)}
    for call in message.tool_calls:
        one = {"name": call["name"], "arguments": call["args"], "id": call["id"]}
        if isinstance(arguments := written.get(call["id"]), str):
            one["arguments_raw"] = arguments
        calls.append(one)
    calls += [
        {
            "name": call["name"], "arguments": None, "id": call["id"],
            "arguments_raw": call["args"] or "", "parse_error": call["error"] or "not readable",
        }
        for call in message.invalid_tool_calls
    ]  # fmt: skip
    said: dict[str, Any] = {"text": text_of(message), "tool_calls": calls}
    if reasoning := _reasoning(message) or (captured.reasoning if captured is not None else ""):
        said["reasoning"] = reasoning
    about = message.response_metadata
    if reason := about.get("finish_reason") or about.get("stop_reason"):
        said["finish_reason"] = str(reason)
    if served := about.get("model_name"):
        said["model_served"] = str(served)
    usage = message.usage_metadata
    if usage and (thought := usage.get("output_token_details", {}).get("reasoning")):
        said["reasoning_tokens"] = thought
    return said


def told_tokens(
    captured: Captured | None, after: str, before: Sequence[int]
) -> dict[str, Any] | None:
    """Return what an `llm.end` says of tokens; None where the endpoint gave no ids.

    Args:
        captured: What the endpoint said.
        after: Id of the call before.
        before: Ids of its prompt and reply, with which most prompts begin.
    """
    if captured is None or not (captured.prompt_ids and captured.completion_ids):
        return None
    same = 0
    for old, new in zip(before, captured.prompt_ids, strict=False):
        if old != new:
            break
        same += 1
    told: dict[str, Any] = {
        "after": after,
        "same": same,
        "delta_ids": packed_ids(captured.prompt_ids[same:]),
        "completion_ids": packed_ids(captured.completion_ids),
        "source": "engine",
    }
    if captured.logprobs:
        told["logprobs"] = packed_floats(captured.logprobs)
    if captured.image_tokens:
        told["image_tokens"] = list(captured.image_tokens)
    return told


def sampling_of(model: BaseChatModel) -> dict[str, Any]:
    """Return how a model samples, as far as it was set."""
    found = {}
    for name in _SAMPLING:
        value = getattr(model, name, None)
        if isinstance(value, str | int | float | list):
            found[name] = value
    return found


def _told(message: BaseMessage, blobs: dict[str, bytes]) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.type, "content": _content(message.content, blobs)}
    if isinstance(message, AIMessage) and message.tool_calls:
        body["tool_calls"] = [
            {"name": c["name"], "arguments": c["args"], "id": c["id"]} for c in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        body["tool_call_id"] = message.tool_call_id
    return body


def _content(content: str | list[Any], blobs: dict[str, bytes]) -> str | list[Any]:
    if isinstance(content, str):
        return content
    told: list[Any] = []
    for block in content:
        if not isinstance(block, Mapping) or "base64" not in block:
            told.append(block)
            continue
        data = base64.b64decode(block["base64"])
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        picture = {"type": "image", "blob": digest, "mime": block.get("mime_type", "image/png")}
        before = told[-1] if told and isinstance(told[-1], Mapping) else {}
        told.append({**picture, **_place(str(before.get("text", "")))})
    return told


def _place(head: str) -> dict[str, Any]:
    """Return what the words before a picture say of it."""
    if found := _PICTURE.match(head):
        box = [float(side) for side in found[2].split(",")]
        size = {"width": int(found[3]), "height": int(found[4])}
        return {"page": found[1], "box": box, **size}
    found = _SHEET.search(head)
    return {"width": int(found[1]), "height": int(found[2])} if found else {}


def _named(messages: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        block["blob"]
        for message in messages
        if isinstance(message["content"], list)
        for block in message["content"]
        if isinstance(block, Mapping) and "blob" in block
    }


def _reasoning(message: AIMessage) -> str:
    said = message.additional_kwargs.get("reasoning_content")
    if isinstance(said, str) and said:
        return said
    if isinstance(message.content, str):
        return ""
    blocks = [block for block in message.content if isinstance(block, Mapping)]
    return "".join(
        str(block.get("thinking") or block.get("reasoning") or "")
        for block in blocks
        if block.get("type") in ("thinking", "reasoning")
    )
