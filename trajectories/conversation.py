"""The fold of model calls: from what was sent and said to a graph of messages.

1. A call's event names the call before it and how many messages both prompts share (`after`,
   `same`); the others stand in it. So each message is written once however long the run.
2. A reply is a message behind its prompt. When the next prompt states it again in the same words,
   that is the same message, and the path goes on through it; in other words it is a copy, which
   is not trained.
3. Where an engine gave token ids, each message holds those it adds to the path before it. A prompt
   whose ids do not go on from its path's (drift) gets a path of copies of its own, so that ids
   along a path are always the ids of the call.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pagehop.answers import Usage
from pagehop.events import Event
from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.messages import (
    CallPart,
    JsonPart,
    Message,
    MessageKind,
    MessageRole,
    Origin,
    Part,
    PicturePart,
    ReasoningPart,
    TextPart,
)
from pagehop.trajectories.tokens import TokenDelta, unpacked

_ROLES: Mapping[str, MessageRole] = {
    "system": "system", "human": "user", "user": "user", "ai": "assistant",
    "assistant": "assistant", "tool": "tool",
}  # fmt: skip
_SAID: Mapping[str, MessageKind] = {
    "planner": "plan", "standalone": "question", "summarizer": "summary", "condenser": "summary",
    "reflector": "reflection", "answerer": "answer", "former": "answer", "reader": "answer",
    "summariser": "answer", "perceiver": "observation",
}  # fmt: skip
"""What kind of message the reply of a role is; any other is an action."""
_OBSERVED = re.compile(r'<observation tool="[^"]*" call="([^"]+)">')


@dataclass
class Conversation:
    """Messages and model calls of one episode, built event by event."""

    messages: list[Message] = field(default_factory=list)
    calls: dict[str, LLMCall] = field(default_factory=dict)
    showed: dict[str, str] = field(default_factory=dict)
    """Message that states the result of a tool call, by the id of the call."""
    _at: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[str | None, str], str] = field(default_factory=dict)
    _prompts: dict[str, list[str]] = field(default_factory=dict)
    _ids: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def started(self, event: Event) -> None:
        """Take an `llm.start`."""
        name, body = call_name(event), event.body
        before = self._prompts.get(body.get("after", ""), [])
        prompt = before[: body.get("same", 0)]
        said = self.calls[body["after"]].message if body.get("after") in self.calls else ""
        for i, written in enumerate(body.get("messages", ())):
            follows = i == 0 and said and len(prompt) == len(before)
            prompt.append(self._sent(written, prompt, said if follows else "", event.ts))
        self._prompts[name] = prompt
        self.calls[name] = LLMCall(
            id=name,
            role=body["role"],
            step=body.get("step", 0),
            round=body.get("round", 0),
            leaf=prompt[-1] if prompt else "",
            trainable=body.get("trainable", True),
            model=body.get("model", ""),
            sampling=body.get("sampling") or {},
            tools_sha256=body.get("tools_sha256", ""),
            policy_version=body.get("policy_version", ""),
            started=event.ts,
        )

    def ended(self, event: Event) -> None:
        """Take an `llm.end`."""
        name, body = call_name(event), event.body
        if name not in self.calls:
            return  # its start was lost with a damaged line
        tokens = body.get("tokens") or {}
        self._place_prompt(name, tokens)
        self._count_pictures(name, tokens.get("image_tokens") or ())
        call = self.calls[name]
        completion = unpacked(tokens.get("completion_ids"))
        logprobs = unpacked(tokens.get("logprobs"))
        delta = None
        if completion:
            delta = TokenDelta(
                completion, (True,) * len(completion), logprobs, source="engine",
                space=tokens.get("space", "expanded"),
            )  # fmt: skip
        parts = _reply_parts(body)
        kind = _SAID.get(call.role, "action")
        reply = self._add(call.leaf or None, "assistant", kind, "sampled", parts, event.ts, delta)
        usage = {k: v for k, v in (body.get("usage") or {}).items() if k in vars(Usage())}
        self.calls[name] = replace(
            call,
            message=reply,
            model_served=body.get("model_served", ""),
            policy_version=body.get("policy_version", call.policy_version),
            request_blob=body.get("request_blob", ""),
            response_blob=body.get("response_blob", ""),
            prompt_ids=self._ids.get(name, ()),
            completion_ids=completion,
            completion_logprobs=logprobs,
            text_raw=body.get("text_raw", ""),
            finish_reason=body.get("finish_reason", ""),
            usage=Usage(**usage),
            reasoning_tokens=body.get("reasoning_tokens", 0),
            attempts=body.get("attempts", 1),
            retried=tuple(body.get("retried", ())),
            seconds=body.get("seconds", 0.0),
            ttft_s=body.get("ttft_s"),
        )

    def failed(self, event: Event) -> None:
        """Take the error of a call."""
        name = call_name(event)
        if name in self.calls:
            error, attempts = event.body.get("error", ""), event.body.get("attempts", 1)
            self.calls[name] = replace(self.calls[name], error=error, attempts=attempts)

    def message(self, name: str) -> Message:
        """Return a message by its id."""
        return self.messages[self._at[name]]

    def _sent(self, written: Mapping[str, Any], prompt: Sequence[str], said: str, ts: float) -> str:
        """Return the id of a message of a prompt; a reply stated again in full is the reply."""
        role = _ROLES.get(written["role"], "user")
        parts = _parts(written)
        if said and role == "assistant" and _same_words(self.message(said).parts, parts):
            return said
        copied = self._copied(parts) if role == "assistant" else ""
        kind = written.get("kind") or _kind(role, len(prompt), written)
        parent = prompt[-1] if prompt else None
        call = written.get("tool_call_id", "")
        origin: Origin = "human" if kind == "question" else "harness"
        name = self._add(
            parent, role, kind, origin, parts, ts, None,
            copied_from=said or copied, tool_call_id=call, name=written.get("name", ""),
        )  # fmt: skip
        shown = [call] if call else _OBSERVED.findall(str(written.get("content", "")))
        for one in shown:
            self.showed.setdefault(one, name)
        return name

    def _copied(self, parts: tuple[Part, ...]) -> str:
        for message in reversed(self.messages):
            if message.origin == "sampled" and _same_words(message.parts, parts):
                return message.id
        return ""

    def _add(
        self,
        parent: str | None,
        role: MessageRole,
        kind: MessageKind,
        origin: Origin,
        parts: tuple[Part, ...],
        ts: float,
        tokens: TokenDelta | None,
        *,
        copied_from: str = "",
        tool_call_id: str = "",
        name: str = "",
    ) -> str:
        digest = message_sha256(role, parts, tool_call_id)
        known = self._known.get((parent, digest))
        if known is not None and origin != "sampled":
            return known
        made = Message(
            f"m{len(self.messages) + 1}", parent, role, kind, origin, parts, digest,
            tool_call_id=tool_call_id, name=name, copied_from=copied_from, tokens=tokens, ts=ts,
        )  # fmt: skip
        self._at[made.id] = len(self.messages)
        self.messages.append(made)
        if origin != "sampled":
            self._known[parent, digest] = made.id
        return made.id

    def _place_prompt(self, name: str, tokens: Mapping[str, Any]) -> None:
        """Give the messages of a prompt their token ids."""
        if tokens.get("delta_ids") is None:
            return
        last = tokens.get("after", "")
        said = self.calls[last].completion_ids if last in self.calls else ()
        before = self._ids.get(last, ()) + said
        ids = before[: tokens.get("same", 0)] + unpacked(tokens["delta_ids"])
        self._ids[name] = ids
        prompt = self._prompts[name]
        known = [one.tokens for one in map(self.message, prompt)]
        new = known.index(None) if None in known else len(known)
        path = tuple(i for delta in known[:new] if delta is not None for i in delta.ids)
        if ids[: len(path)] != path or (new == len(known) and len(ids) != len(path)):
            self._on_its_own(name, ids, tokens)
        elif new < len(known):
            self._fill(prompt[new:], ids[len(path) :], tokens)

    def _fill(self, rest: Sequence[str], ids: tuple[int, ...], tokens: Mapping[str, Any]) -> None:
        """Give the last message of a prompt all the ids that its new messages add.

        Where one of them ends and the next begins an engine does not say.
        """
        for name in rest:
            mine = ids if name == rest[-1] else ()
            delta = TokenDelta(
                mine, (False,) * len(mine), space=tokens.get("space", "expanded"),
                source=tokens.get("source", "engine"),
            )  # fmt: skip
            self.messages[self._at[name]] = replace(self.message(name), tokens=delta)

    def _count_pictures(self, name: str, counts: Sequence[int]) -> None:
        """Give the pictures of a prompt the numbers of their tokens, in order."""
        prompt = [self.message(one) for one in self._prompts[name]]
        if not counts or sum(len(message.pictures) for message in prompt) != len(counts):
            return
        left = iter(counts)
        for message in prompt:
            parts = tuple(
                replace(part, n_tokens=next(left)) if isinstance(part, PicturePart) else part
                for part in message.parts
            )
            self.messages[self._at[message.id]] = replace(message, parts=parts)

    def _on_its_own(self, name: str, ids: tuple[int, ...], tokens: Mapping[str, Any]) -> None:
        """Copy a prompt whose ids do not go on from those of its path; what is new in it moves."""
        copies: list[str] = []
        for old in map(self.message, self._prompts[name]):
            if old.tokens is None:
                self._known.pop((old.parent, old.sha256), None)
                moved = replace(old, parent=copies[-1] if copies else None)
                self.messages[self._at[old.id]] = moved
                copies.append(old.id)
                continue
            made = replace(
                old, id=f"m{len(self.messages) + 1}", parent=copies[-1] if copies else None,
                copied_from=old.copied_from or old.id, tokens=None,
                origin="harness" if old.origin == "sampled" else old.origin,
            )  # fmt: skip
            self._at[made.id] = len(self.messages)
            self.messages.append(made)
            copies.append(made.id)
        self._prompts[name] = copies
        self._fill(copies, ids, tokens)
        self.calls[name] = replace(self.calls[name], leaf=copies[-1])


def call_name(event: Event) -> str:
    """Return the id of the call that an event is of: `<step>/<what>`, unique in the episode."""
    _, _, rest = event.id.partition("/")
    return rest.rpartition(".")[0]


def message_sha256(role: str, parts: Sequence[Part], tool_call_id: str = "") -> str:
    """Return what equal messages share."""
    told = [role, tool_call_id, [[type(part).__name__, vars(part)] for part in parts]]
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _kind(role: MessageRole, index: int, written: Mapping[str, Any]) -> MessageKind:
    if role == "system":
        return "system"
    if role == "tool" or _OBSERVED.search(str(written.get("content", ""))):
        return "observation"
    if role == "assistant":
        return "action"
    return "question" if index == 1 else "nudge"


def _parts(written: Mapping[str, Any]) -> tuple[Part, ...]:
    content = written.get("content", "")
    parts: list[Part] = []
    for block in [content] if isinstance(content, str) else content:
        if isinstance(block, str):
            parts += [TextPart(block)] if block else []
        else:
            parts.append(_block(block))
    return (*parts, *(_call(call) for call in written.get("tool_calls", ())))


def _block(block: Mapping[str, Any]) -> Part:
    kind = block.get("type")
    if kind == "text":
        return TextPart(str(block.get("text", "")))
    if kind == "image" and "blob" in block:
        box = block.get("box")
        return PicturePart(
            blob=block["blob"],
            mime=block.get("mime", "image/png"),
            width=block.get("width", 0),
            height=block.get("height", 0),
            page=block.get("page", ""),
            box=None if box is None else tuple(box),
            n_tokens=block.get("n_tokens"),
        )
    return JsonPart(dict(block))


def _call(call: Mapping[str, Any]) -> CallPart:
    arguments = call.get("arguments")
    raw = call.get("arguments_raw")
    return CallPart(
        id=call.get("id") or "",
        name=call.get("name") or "",
        arguments_raw=json.dumps(arguments, ensure_ascii=False) if raw is None else raw,
        arguments=arguments,
        parse_error=call.get("parse_error", ""),
    )


def _reply_parts(body: Mapping[str, Any]) -> tuple[Part, ...]:
    parts: list[Part] = []
    if body.get("reasoning"):
        parts.append(ReasoningPart(body["reasoning"], body.get("reasoning_signature", "")))
    if body.get("text"):
        parts.append(TextPart(body["text"]))
    return (*parts, *(_call(call) for call in body.get("tool_calls", ())))


def _same_words(one: Sequence[Part], other: Sequence[Part]) -> bool:
    return _words(one) == _words(other)


def _words(parts: Sequence[Part]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what a reply says, without its reasoning and the names that calls go by."""
    text = "\n".join(part.text.strip() for part in parts if isinstance(part, TextPart))
    calls = tuple(
        (part.name, json.dumps(part.arguments, sort_keys=True, ensure_ascii=False))
        for part in parts
        if isinstance(part, CallPart)
    )
    return text, calls
