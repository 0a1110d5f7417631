"""Messages of a run by rules, which sends no prompts: what its moves say, in the same form.

Each round is a path: the question, what is known by then, then actions and observations in turn,
last the summary. So such a run reads, exports and shows like one by a model; its origin says that
no model was sampled.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pagehop.answers import Answer, Evidence
from pagehop.events import Event
from pagehop.trajectories.calls import ContextEdit, ToolCallRecord
from pagehop.trajectories.conversation import message_sha256
from pagehop.trajectories.messages import (
    CallPart,
    Message,
    MessageKind,
    MessageRole,
    Part,
    TextPart,
)


@dataclass(frozen=True)
class RuleMessages:
    """What the moves of a run by rules come to."""

    messages: tuple[Message, ...]
    edits: tuple[ContextEdit, ...]
    tools: tuple[ToolCallRecord, ...]
    """With the messages of their results."""


def rule_messages(
    start: Mapping[str, Any],
    moves: Sequence[Event],
    tools: Mapping[str, ToolCallRecord],
    evidence: Mapping[str, Evidence],
    answer: Answer | None,
) -> RuleMessages:
    """Return the messages of a run by rules.

    Args:
        start: Body of `episode.start`.
        moves: Events of the machine's nodes.
        tools: Calls by id.
        evidence: By id.
        answer: None when the run was cut off.
    """
    told = _Telling(tools, evidence)
    told.say("user", "question", TextPart(str(start.get("question", ""))))
    for move in moves:
        told.take(move)
    if answer is not None and answer.text:
        told.say("assistant", "answer", TextPart(answer.text))
    results = tuple(
        replace(tool, result_message=told.results.get(tool.id, "")) for tool in tools.values()
    )
    return RuleMessages(tuple(told.messages), tuple(told.edits), results)


@dataclass
class _Telling:
    tools: Mapping[str, ToolCallRecord]
    evidence: Mapping[str, Evidence]
    messages: list[Message] = field(default_factory=list)
    edits: list[ContextEdit] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    """Ids of the evidence so far."""
    leaf: str | None = None
    ts: float = 0.0

    def take(self, event: Event) -> None:
        """Say what one node did."""
        body, self.ts = event.body, event.ts
        match body.get("node"):
            case "plan":
                lines = [body.get("thought", "")]
                lines += [f"{part['id']}: {part['text']}" for part in body.get("sub_questions", ())]
                self.say("assistant", "plan", TextPart("\n".join(filter(None, lines))))
                self._act(body)
            case "explore":
                self._act(body)
            case "summarize":
                self._close_round(event)
            case "reflect":
                said = body.get("thought") or body.get("missing") or "sufficient"
                self.say("assistant", "reflection", TextPart(str(said)))
            case _:
                self._act(body)

    def say(
        self, role: MessageRole, kind: MessageKind, *parts: Part, call: str = "", name: str = ""
    ) -> str:
        """Add a message behind the last one."""
        made = Message(
            f"m{len(self.messages) + 1}", self.leaf, role, kind,
            "human" if kind == "question" else "harness", parts,
            message_sha256(role, parts, call), tool_call_id=call, name=name, ts=self.ts,
        )  # fmt: skip
        self.messages.append(made)
        self.leaf = made.id
        return made.id

    def _act(self, body: Mapping[str, Any]) -> None:
        calls = body.get("calls") or ()
        if not calls:
            return
        parts: list[Part] = [TextPart(body["thought"])] if body.get("thought") else []
        for call in calls:
            arguments = dict(call.get("arguments") or {})
            raw = json.dumps(arguments, ensure_ascii=False)
            parts.append(CallPart(call["id"], call["tool"], raw, arguments))
        self.say("assistant", "action", *parts)
        for call in calls:
            done = self.tools.get(call["id"])
            if done is not None and done.result:
                result = TextPart(done.result)
                self.results[done.id] = self.say(
                    "tool", "observation", result, call=done.id, name=done.tool
                )

    def _close_round(self, event: Event) -> None:
        """Say what is kept of the round, and begin the next one from the question and that."""
        body = event.body
        self.kept += body.get("evidence", ())
        found = [self.evidence[name] for name in self.kept if name in self.evidence]
        text = "\n".join(f"{one.id} [{one.ref}] {one.quote}" for one in found)
        text = f"Evidence so far:\n{text}" if found else "There is no evidence yet."
        summary = self.say("assistant", "summary", TextPart(text))
        question = self.messages[0].id
        self.leaf = question
        notes = self.say("user", "notes", TextPart(text))
        self.edits.append(
            ContextEdit(
                id=event.id.partition("/")[2], kind="summarise", from_leaf=summary, to_root=notes,
                kept=(question,), summary_message=summary,
                reason="the round is closed: its observations leave the context",
                step=body.get("step", 0), round=body.get("round", 0),
            )
        )  # fmt: skip
