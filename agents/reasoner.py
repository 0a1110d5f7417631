"""Roles filled by a chat model: its prompt, its reply read and checked, its mistakes told to it.

1. A reply that cannot be used is answered with what was wrong and a right example, at most
   `TRIES` times a move; `MOST_FAILURES` unusable replies in a row end the run as failed.
2. Summarize and reflect are one model call (fused) that continues the explorer's conversation, so
   an endpoint reuses its prefix; with effort high, reflect is asked on its own after it. A plan may
   bring the first searches, and the explorer may end a round itself: each saves a call.
3. With effort low there is no plan and no choice of tools by the model: both searches and the best
   pages are read by code, then the model keeps evidence and answers.
4. A prompt that is too long for the model is shortened and sent again: long observations first.
5. Where replies are JSON the endpoint is given their schema, until it refuses one; of a reply that
   was cut off at its limit of tokens the whole items are used, and the record says so.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool

from pagehop.agents.moves import Context
from pagehop.agents.prompting import Grammar, Prompts, library_overview
from pagehop.agents.raw_exchanges import told_raw
from pagehop.agents.replies import read_cut, text_of, was_cut
from pagehop.agents.reply_schemas import Schema, explore_schema, response_format
from pagehop.agents.shortening import Fitted, shortened, tokens_of
from pagehop.agents.told_prompts import PromptsTold, sampling_of, told_end
from pagehop.agents.tool_texts import ToolTexts
from pagehop.answers import Usage
from pagehop.errors import (
    CallFailed,
    ContextOverflow,
    ModelError,
    PicturesUnsupported,
    ToolsUnsupported,
)
from pagehop.models.call_attempts import FIRST_WAIT_S
from pagehop.models.chat_calls import ChatReply, call_chat
from pagehop.models.chat_errors import model_name

TRIES = 3
"""Times that one move is asked again after a reply that cannot be used."""
MOST_FAILURES = 6
"""Unusable replies in a row that end a run."""
_SHRINKS = 5
"""Times that a prompt is shortened after its endpoint refused it."""
_LIMIT_SHRINKS = 8
"""Times that it is shortened to stay below `max_prompt_tokens`."""
_MOST_PER_ESTIMATE = 3.0
"""Tokens for each estimated one, at most: beyond it what an endpoint reports is not believed."""
UNOFFERED = frozenset({"verify", "note"})
"""Tools that a model inside the machine does not need: every quote it keeps is checked anyway, and
it keeps notes when a round ends."""
T = TypeVar("T")


class Make(Protocol):
    """Makes a role's prompt."""

    def __call__(self, *, level: int) -> list[BaseMessage]:
        """Return the messages.

        Args:
            level: 0 is whole; 1 has tools in a line each; 2 has the shortest instructions, too.
        """
        ...


class Unusable(Exception):
    """A reply cannot be used; the text says why, for the model."""


@dataclass
class Reasoner:
    """A chat model at work in one run."""

    model: BaseChatModel
    tools: Sequence[BaseTool] = ()
    prompts: Prompts = field(default_factory=Prompts)
    grammar: Grammar = "native"
    pictures: bool = False
    """The model is shown pictures."""
    timeout_s: float = 120.0
    """Of one call."""
    max_prompt_tokens: int = 0
    """About how long a prompt may be; 0 is as long as the endpoint takes."""
    retry_wait_s: float = FIRST_WAIT_S
    """Wait before a call that failed is made again; it doubles from one time to the next."""
    schemas: bool = True
    """The endpoint is given schemas where the grammar is JSON; False once it refused one."""
    raw: bool = False
    """Tell the raw bytes of requests and replies."""
    tokens: bool = False
    """The endpoint is asked for token ids and logprobs, which the record keeps."""
    deltas: bool = False
    """Text is told as it arrives, as `llm.delta` events; the endpoint is asked to stream."""
    shown: Sequence[BaseMessage] = ()
    """What the question shows beside its text; stands in every prompt behind the question."""
    reads: Callable[[Context], Awaitable[Sequence[BaseMessage]]] | None = None
    """Makes that of the question's pictures, before the first prompt."""
    failures: int = 0
    """Unusable replies in a row."""
    texts: ToolTexts = field(init=False)
    """Of the tools."""
    _library: str = ""
    _per_estimate: float = 1.0
    _told_long: bool = False
    _numbers: dict[tuple[int, int, str, str], int] = field(default_factory=dict)
    _prompts_told: PromptsTold = field(default_factory=PromptsTold)

    def __post_init__(self) -> None:
        """Share the tools' texts among all prompts."""
        self.tools = [tool for tool in self.tools if tool.name not in UNOFFERED]
        self.texts = ToolTexts(self.tools)

    def library(self, context: Context) -> str:
        """Return the overview of the library, the same for the whole run."""
        if not self._library:
            lists = any(tool.name == "list_documents" for tool in self.tools)
            self._library = library_overview(context, lists=lists)
        return self._library

    def explore_schema(self, context: Context, pages: Sequence[str]) -> Schema | None:
        """Return the schema of the explorer's reply; None where the grammar is not JSON."""
        if self.grammar != "json":
            return None
        return explore_schema(self.tools, pages, begun=bool(context.tried))

    async def ask(
        self,
        role: str,
        context: Context,
        make: Make,
        read: Callable[[AIMessage], T],
        example: str,
        *,
        tools: bool = False,
        schema: Schema | None = None,
    ) -> T:
        """Return what a role's reply says; what the calls cost goes to the context's meter.

        Args:
            role: For the record.
            context: Of the step.
            make: Makes the prompt.
            read: Reads a reply; raises `Unusable` when it cannot.
            example: A right reply, shown after a wrong one.
            tools: Whether native tool calls are offered.
            schema: Of the reply; the endpoint is told where replies are JSON.

        Raises:
            ModelError: The endpoint cannot be reached, or gave no usable reply.
        """
        repairs: list[BaseMessage] = []
        for attempt in range(1, TRIES + 2):
            reply = await self._call(role, context, make, repairs, tools=tools, schema=schema)
            try:
                value = read(reply.message)
            except Unusable as problem:
                self.failures += 1
                text = f"The reply of {role} could not be used: {problem}"
                self._note(context, role, "unusable", text)
                ended = f"the model gave no usable reply as {role}"
                if attempt > TRIES or self.failures >= MOST_FAILURES:
                    text = f"{ended} ({self.failures} in a row); the last: {problem}"
                    raise ModelError(text) from problem
                if context.meter.over(context.budget_left):
                    text = f"the budget ran out while {ended}: {problem}"
                    raise ModelError(text) from problem
                repairs = [*repairs, *_repair(reply.message, str(problem), example)][-4:]
                continue
            self.failures = 0
            if was_cut(reply.message):
                text = f"The reply of {role} was cut off at its limit; its whole items are used."
                self._note(context, role, "cut", text)
            return value
        raise AssertionError("unreachable")

    async def _call(
        self,
        role: str,
        context: Context,
        make: Make,
        repairs: Sequence[BaseMessage],
        *,
        tools: bool,
        schema: Schema | None,
    ) -> ChatReply:
        """Call the model; what its endpoint does not take is left out, and the call made again."""
        if self.reads is not None:
            self.shown, self.reads = await self.reads(context), None
        shrink = 0
        while True:
            fitted = self._fitted(context, make, repairs, shrink)
            form = self._form(role, schema)
            try:
                return await self._recorded(
                    role, context, fitted, form, tools=tools, repairs=len(repairs)
                )
            except ContextOverflow:
                shrink += 1
                if shrink == _SHRINKS:
                    raise
                text = f"The prompt of {role} was too long for the model; it was shortened."
                self._note(context, role, "shortened", text)
            except PicturesUnsupported:
                if not self.pictures:
                    raise
                self.pictures = False
                text = "The model takes no pictures; it reads the words inside each box instead."
                self._note(context, role, "pictures", text)
            except ToolsUnsupported:
                if self.grammar != "native":
                    raise
                self.grammar = "json"
                text = "The endpoint takes no tool calls; the model is asked for JSON instead."
                self._note(context, role, "grammar", text)
            except CallFailed as error:
                if not form or error.kind not in ("request", "malformed"):
                    raise
                self.schemas = False
                text = "The endpoint takes no JSON schema; the model is asked for JSON without one."
                self._note(context, role, "schema", text)

    def _form(self, role: str, schema: Schema | None) -> dict[str, Any]:
        """Return the options that hold a reply to its schema; empty when none does."""
        if schema is None or not self.schemas or self.grammar == "native":
            return {}
        form = response_format(role, schema)
        if hasattr(self.model, "extra_body"):
            # Given `response_format` itself, the OpenAI client raises on a reply that was cut off
            # at its length instead of giving it.
            return {"extra_body": {**(self.model.extra_body or {}), "response_format": form}}
        return {"response_format": form}

    def _fitted(
        self, context: Context, make: Make, repairs: Sequence[BaseMessage], shrink: int
    ) -> Fitted:
        """Return the prompt, shortened as often as it takes to fit."""
        most = _LIMIT_SHRINKS if self.max_prompt_tokens else _SHRINKS
        for times in range(shrink, most):
            messages = [*make(level=min(times, 2)), *repairs]
            messages[2:2] = self.shown
            if times:
                messages = shortened(messages, times)
            if not self.max_prompt_tokens or self._tokens(messages) <= self.max_prompt_tokens:
                return Fitted(messages, times)
        if not self._told_long:
            self._told_long = True
            text = (
                f"A prompt has about {self._tokens(messages):,.0f} tokens, more than "
                f"max_prompt_tokens ({self.max_prompt_tokens:,}): nothing more can be left out."
            )
            context.tell("note", "long", {"text": text})
        return Fitted(messages, times)

    def _tokens(self, messages: Sequence[BaseMessage]) -> float:
        """Return about how many tokens this model makes of a prompt, judged by those before."""
        return tokens_of(messages) * self._per_estimate

    def _learn(self, messages: Sequence[BaseMessage], usage: Usage) -> None:
        """Learn how many tokens this model makes of an estimated one."""
        reported = usage.input_tokens / max(1, tokens_of(messages))
        self._per_estimate = min(max(self._per_estimate, reported), _MOST_PER_ESTIMATE)

    async def _recorded(
        self,
        role: str,
        context: Context,
        fitted: Fitted,
        form: Mapping[str, Any],
        *,
        tools: bool,
        repairs: int,
    ) -> ChatReply:
        messages = fitted.messages
        name = self._id(context, role, "llm")
        native = tools and self.grammar == "native"
        after = self._prompts_told.last
        self._tell_start(context, role, name, messages, native=native)
        self._tell_edit(context, name, after, shrink=fitted.times, repairs=repairs)
        await asyncio.sleep(0)  # the record writes what was told: before the call is under way
        try:
            reply = await call_chat(
                self.model,
                messages,
                tools=self.texts.native("short") if native else (),
                timeout_s=self.timeout_s,
                seconds_left=context.budget_left.get("seconds"),
                first_wait_s=self.retry_wait_s,
                tokens=self.tokens,
                on_spend=context.meter.add,
                on_delta=self._teller(context, name) if self.deltas else None,
                on_retry=lambda why: context.tell(
                    "llm.delta",
                    f"{name}.void",
                    {"call": name, "text": "", "void": True, "reason": why},
                ),
                **form,
            )
        except ModelError as error:
            body: dict[str, Any] = {"where": role, "call": name}
            body |= {"error": f"{type(error).__name__}: {error}"}
            body |= {"attempts": getattr(error, "attempts", 1)}
            context.tell("error", f"{name}.error", body)
            raise
        if not (native or self.pictures or reply.retried):
            self._learn(messages, reply.usage)
        end = told_end(name, role, reply)
        tokens = self._prompts_told.told_tokens(f"{context.step}/{name}", reply.captured)
        if tokens is not None:
            end["tokens"] = tokens
        if self.raw:
            end |= told_raw(reply.captured)
        context.tell("llm.end", f"{name}.end", end)
        return reply

    def _tell_start(
        self,
        context: Context,
        role: str,
        name: str,
        messages: Sequence[BaseMessage],
        *,
        native: bool,
    ) -> None:
        start = {"call": name, "role": role, "step": context.step, "round": context.round}
        start |= {"model": model_name(self.model), "sampling": sampling_of(self.model)}
        if native:
            start["tools_sha256"] = self.texts.sha256("short")
        start |= self._prompts_told.told(f"{context.step}/{name}", messages)
        context.tell("llm.start", f"{name}.start", start)

    def _tell_edit(
        self, context: Context, name: str, after: str, *, shrink: int, repairs: int
    ) -> None:
        """Tell why a prompt does not go on from the one before, where it does not."""
        role = name.split(".")[1]
        form = f"{self.grammar} with pictures" if self.pictures else self.grammar
        edit = self._prompts_told.edit(
            role, context.round, shrink=shrink, repairs=repairs, form=form,
            begun=bool(context.turns or context.round),
        )  # fmt: skip
        if edit is not None:
            body: dict[str, Any] = {"call": f"{context.step}/{name}", "after": after}
            body |= {"kind": edit[0], "reason": edit[1]}
            body |= {"step": context.step, "round": context.round}
            context.tell("context.edit", f"{name}.edit", body)

    def _teller(self, context: Context, name: str) -> Callable[[str], None]:
        numbers = itertools.count(1)

        def tell(text: str) -> None:
            body = {"call": name, "text": text}
            context.tell("llm.delta", f"{name}.delta{next(numbers)}", body)

        return tell

    def _id(self, context: Context, role: str, what: str) -> str:
        """Return a name that is the same when this step runs again in another process."""
        key = (context.step, context.round, role, what)
        number = self._numbers[key] = self._numbers.get(key, 0) + 1
        return f"{what}.{role}.{context.round}.{number}"

    def _note(self, context: Context, role: str, what: str, text: str) -> None:
        context.tell("note", self._id(context, role, what), {"text": text})


def read_object(
    message: AIMessage, reader: Callable[[str], dict[str, Any] | None]
) -> dict[str, Any]:
    """Return the JSON object of a reply.

    Raises:
        Unusable: There is none.
    """
    text = text_of(message)
    value = reader(text) or read_cut(text)
    if value is not None:
        return value
    if message.tool_calls:
        raise Unusable("No tool can be called now; the reply is one JSON object.")
    what = (
        "The JSON object is broken or was cut off." if "{" in text else "There is no JSON object."
    )
    raise Unusable(what if text.strip() else "The reply was empty.")


def _repair(message: AIMessage, problem: str, example: str) -> list[BaseMessage]:
    said = text_of(message)[:1500] or "(nothing)"
    return [
        AIMessage(said),
        HumanMessage(f"That reply could not be used. {problem} A right reply looks so:\n{example}"),
    ]
