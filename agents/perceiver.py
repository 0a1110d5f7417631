"""The perceiver: a vision model reads a picture for a reasoner that takes only text.

1. A tool that shows a picture asks from its thread, and spends what the step's `Allowance` has
   left. The same picture and question are read once, at once too.
2. The pictures of a question are read when a run makes its first prompt, for all samples once.
3. Both are calls of a model like those of the roles: made again where a fault may pass, in the
   events, in the usage, within the budget. They begin conversations of their own, which are no
   part of what the policy said.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from pagehop.agents.moves import Context, Meter
from pagehop.agents.prompting import picture_block, shipped
from pagehop.agents.replies import text_of
from pagehop.agents.told_prompts import sampling_of, told_end, told_messages
from pagehop.answers import Usage
from pagehop.errors import ModelError, ToolError
from pagehop.events import EventType
from pagehop.models.call_attempts import FIRST_WAIT_S
from pagehop.models.chat_calls import ChatReply, call_chat, call_chat_here
from pagehop.models.chat_errors import model_name

if TYPE_CHECKING:
    from PIL.Image import Image

_KEPT = 256
"""Readings kept; the oldest goes first."""
ROLE = "perceiver"
READ = "The question comes with pictures; this is what another model reads in them."
"""Stands before these readings in a prompt."""
Tell = Callable[[EventType, str, Mapping[str, Any]], None]


@dataclass
class Allowance:
    """What reading pictures may spend in one step of a run, and has spent; tells of each call."""

    left: Mapping[str, float]
    """Of each limit, by its name."""
    tell: Tell = lambda kind, what, body: None
    """Emits an event of the step; called from the tools' threads."""
    step: int = 0
    round: int = 0
    meter: Meter = field(default_factory=Meter)
    _under_way: dict[str, int] = field(default_factory=dict)
    """Names of calls that wait for their reply; 0 once they have it."""
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    def begin(self, model: BaseChatModel, messages: Sequence[BaseMessage]) -> str:
        """Tell of a call that begins, and return its name.

        Raises:
            ToolError: The budget does not allow it.
        """
        with self._lock:
            self._check()
            tool = CALL.get()
            number = 1 + sum(name.startswith(f"llm.{ROLE}.{tool}.") for name in self._under_way)
            name = f"llm.{ROLE}.{tool}.{number}"
            self._under_way[name] = 1
        start = {**begun(name, model, messages, self.step, self.round), "tool_call": tool}
        self._say("llm.start", f"{name}.start", start)
        self._say("context.edit", f"{name}.edit", edited(name, self.step, self.round))
        return name

    def spend(self, more: Usage) -> None:
        """Count an attempt that begins, or the tokens of a reply.

        Raises:
            ToolError: The budget allows no other attempt, or nobody waits for it any more.
        """
        with self._lock:
            if more.model_calls:
                self._check()
            self.meter.add(more)

    def end(self, name: str, reply: ChatReply) -> None:
        """Tell of a reply."""
        with self._lock:
            self._under_way[name] = 0
        self._say("llm.end", f"{name}.end", told_end(name, ROLE, reply))

    def fail(self, name: str, why: str, attempts: int = 1) -> None:
        """Tell that a call gave no reply."""
        with self._lock:
            self._under_way[name] = 0
        body = {"where": ROLE, "call": name, "error": why, "attempts": attempts}
        self._say("error", f"{name}.error", body)

    def _check(self) -> None:
        over = self.meter.over(self.left)
        if over or self._closed:
            why = f"the budget of {over} is spent" if over else "there was no more time"
            raise ToolError(f"the picture was not read, {why}; use the text of the page")

    def close(self) -> None:
        """End the step: a call that a tool left behind is told as given up, then nothing more."""
        with self._lock:
            left = [name for name, waits in self._under_way.items() if waits]
        for name in left:
            self.fail(name, "given up: the tool that asked had no more time")
        self._closed = True

    def _say(self, kind: EventType, what: str, body: Mapping[str, Any]) -> None:
        if not self._closed:
            self.tell(kind, what, body)


ALLOWANCE: ContextVar[Allowance | None] = ContextVar("pagehop_allowance", default=None)
"""Of the step that is running; None outside of a machine, where nobody counts."""
CALL: ContextVar[str] = ContextVar("pagehop_call", default="")
"""Id of the tool call that is running."""


class Perceiver:
    """Fills the `Perceive` protocol; the same picture and question are read once, at once too."""

    def __init__(self, model: BaseChatModel, retry_wait_s: float = FIRST_WAIT_S) -> None:
        """Keep the model and the wait before a call is made again; nothing is called yet."""
        self.model = model
        self.retry_wait_s = retry_wait_s
        self._readings: dict[str, Future[str]] = {}
        self._lock = Lock()

    def __call__(self, picture: "Image", question: str) -> str:
        """Answer a self-contained question about the picture.

        Raises:
            ToolError: The vision model gave nothing; says what to do instead.
        """
        key = hashlib.sha256(picture.tobytes() + repr((picture.size, question)).encode())
        name = key.hexdigest()
        with self._lock:
            asked = self._readings.get(name)
            if mine := asked is None:
                while len(self._readings) >= _KEPT:
                    self._readings.pop(next(iter(self._readings)))
                asked = self._readings[name] = Future()
        assert asked is not None
        if mine:
            try:
                asked.set_result(self._read(looked_at(picture_block(picture), question)))
            except BaseException as error:
                with self._lock:
                    self._readings.pop(name, None)  # asked again, it is tried again
                asked.set_exception(error)
        return asked.result()

    def _read(self, messages: list[BaseMessage]) -> str:
        allowance = ALLOWANCE.get() or Allowance({})
        call = allowance.begin(self.model, messages)
        attempts = 0

        def spend(more: Usage) -> None:
            nonlocal attempts
            allowance.spend(more)
            attempts += more.model_calls

        try:
            reply = call_chat_here(
                self.model, messages, seconds_left=allowance.left.get("seconds"),
                on_spend=spend, first_wait_s=self.retry_wait_s,
            )  # fmt: skip
        except (ModelError, ToolError) as error:
            allowance.fail(call, f"{type(error).__name__}: {error}", attempts)
            if isinstance(error, ToolError):
                raise
            raise ToolError(
                "the vision model gave no reading; use the text of the page, or another page"
            ) from error
        allowance.end(call, reply)
        said = text_of(reply.message).strip()
        if not said:
            raise ToolError("the vision model gave an empty reading; ask in other words")
        return said


@dataclass
class QuestionPictures:
    """The pictures of a question, read once for a reasoner that takes only text."""

    model: BaseChatModel
    question: str
    blocks: Sequence[Mapping[str, Any]]
    """Content blocks, one a picture."""
    retry_wait_s: float = FIRST_WAIT_S
    _shown: Sequence[BaseMessage] = ()
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Samples of the question ask at once."""

    async def __call__(self, context: Context) -> Sequence[BaseMessage]:
        """Return what prompts show of them; what reading costs goes to the context's meter.

        Raises:
            ModelError: The vision model gave no reading.
        """
        async with self._lock:
            if not self._shown:
                readings = [
                    f"Picture {i}: {await self._reading(context, i, block)}"
                    for i, block in enumerate(self.blocks, 1)
                ]
                self._shown = [HumanMessage("\n\n".join([READ, *readings]))]
        return self._shown

    async def _reading(self, context: Context, number: int, block: Mapping[str, Any]) -> str:
        wanted = (
            f"A person asks about this picture: {self.question}\nSay what it shows: all titles, "
            "names, labels and values that may help to find it or to answer. Do not answer the "
            "question."
        )
        messages, name = looked_at(dict(block), wanted), f"llm.{ROLE}.question.{number}"
        context.tell(
            "llm.start", f"{name}.start",
            begun(name, self.model, messages, context.step, context.round),
        )  # fmt: skip
        edit = edited(name, context.step, context.round)
        context.tell("context.edit", f"{name}.edit", edit)
        await asyncio.sleep(0)  # the record writes what was told: before the call is under way
        try:
            reply = await call_chat(
                self.model, messages, seconds_left=context.budget_left.get("seconds"),
                on_spend=context.meter.add, first_wait_s=self.retry_wait_s,
            )  # fmt: skip
            said = text_of(reply.message).strip()
            if not said:
                raise ModelError("the vision model gave an empty reading")
        except ModelError as error:
            why = {"where": ROLE, "call": name, "error": f"{type(error).__name__}: {error}"}
            context.tell("error", f"{name}.error", why)
            raise ModelError(f"the picture in the question was not read: {error}") from error
        context.tell("llm.end", f"{name}.end", told_end(name, ROLE, reply))
        return said


def looked_at(block: dict[str, Any], question: str) -> list[BaseMessage]:
    """Return the prompt for one picture, given as a content block."""
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": question}, block]
    return [SystemMessage(shipped("perceiver")), HumanMessage(blocks)]


def begun(
    name: str, model: BaseChatModel, messages: Sequence[BaseMessage], step: int, round_: int
) -> dict[str, Any]:
    """Return what an `llm.start` says of a call: its prompt goes on from no other."""
    told, blobs = told_messages(messages)
    told[-1]["kind"] = "nudge"  # not the user's question
    body = {"call": name, "role": ROLE, "step": step, "round": round_, "trainable": False}
    body |= {"model": model_name(model), "sampling": sampling_of(model)}
    return {**body, "after": "", "same": 0, "messages": told, "blobs": blobs}


def edited(name: str, step: int, round_: int) -> dict[str, Any]:
    """Return why the prompt goes on from no other."""
    body = {"call": f"{step}/{name}", "after": "", "kind": "subagent"}
    return {**body, "reason": "a picture is read", "step": step, "round": round_}
