"""One call of a chat model that survives what endpoints do, and says what happened.

1. A timeout, 429 (its Retry-After is honoured), 5xx, lost connection, cut stream or unreadable
   reply is tried again with exponential, jittered waits, as long as `seconds_left` allows.
2. An empty reply (no text, no tool call) is asked for again twice, then returned as it is: the
   caller answers a malformed reply.
3. Tool calls of a stream whose arguments are not whole JSON become invalid calls: a client mends
   them, and a call with half an argument is not what the model asked for.
4. Anything else (key, quota, unknown model, bad request, too long, no tools, no pictures) is
   raised at once, in words for a person and without a key.
5. Half a surrogate pair in a reply, which nothing could send on, becomes U+FFFD.
6. Every attempt counts as a call from its beginning, also one that fails or is cancelled. Tokens
   are those that replies report, and estimated for a reply that reports none; what an endpoint
   read for an attempt that failed is not known and not guessed.

The client's own retries must be off (`load_chat_model` sees to it), or waits multiply. A tool calls
from its own thread, where no loop runs (`call_chat_here`).
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.messages.utils import message_chunk_to_message
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from pagehop.answers import Usage
from pagehop.errors import FaultKind, PagehopError
from pagehop.models.call_attempts import FIRST_WAIT_S, Patience, Sleep, Tally
from pagehop.models.capture import Captured, capturing
from pagehop.models.chat_errors import Fault, model_name, read_fault
from pagehop.models.prices import Prices
from pagehop.surrogates import whole, whole_text

Tool = BaseTool | dict[str, Any]


@dataclass(frozen=True)
class ChatReply:
    """What a model said, and what it took."""

    message: AIMessage
    usage: Usage
    """Tokens and money of all attempts; `model_calls` is their number."""
    attempts: int
    retried: tuple[FaultKind, ...]
    """Why each attempt before the last one failed."""
    seconds: float
    """From the first attempt to the reply, waits included."""
    ttft_s: float | None
    """From the last attempt to its first token; None when the reply was not streamed."""
    estimated: bool = False
    """The endpoint reported no tokens, so that they are guessed at four characters each."""
    captured: Captured | None = None
    """What the endpoint really said, where its client lets that be seen."""


class _CutError(Exception):
    """A stream ended without the end that its provider always sends."""


class _CallbackError(Exception):
    """`on_delta` failed: the caller's error, not the model's."""


@dataclass(frozen=True)
class _Said:
    """What an attempt gave."""

    message: AIMessage
    ttft_s: float | None
    captured: Captured | None


@dataclass(frozen=True)
class _Call:
    """What each attempt of a call sends, and how it is heard."""

    model: BaseChatModel
    bound: Runnable[LanguageModelInput, AIMessage]
    """The model with its tools."""
    messages: Sequence[BaseMessage]
    options: dict[str, Any]
    has_tools: bool
    timeout_s: float
    on_delta: Callable[[str], None] | None
    tokens: bool
    blocking: bool
    patience: Patience
    tally: Tally

    async def attempt(self) -> _Said | Fault:
        """Call once; give the reply, or the fault for which another attempt may be made."""
        self.tally.begin()
        try:
            limit_s = min(self.timeout_s, self.patience.left_s())
            async with nullcontext() if self.blocking else asyncio.timeout(limit_s):
                with capturing(tokens=self.tokens) as exchanges:
                    message, ttft_s = await _heard(
                        self.bound, list(self.messages), self.on_delta, self.options, self.blocking
                    )
        except PagehopError:
            raise
        except _CallbackError as error:
            raise error.args[0] from None
        except _CutError:
            words = f"{model_name(self.model)} ended its stream in the middle of a reply"
            return Fault("cut", words)
        except Exception as error:  # clients of different providers share no class of errors
            pictures = _has_pictures(self.messages)
            return read_fault(error, self.model, tools=self.has_tools, pictures=pictures)
        message = _with_whole_texts(message)
        self.tally.add(message, self.messages)
        if _is_empty(message) and self.patience.may_ask_again():
            words = f"{model_name(self.model)} sent an empty reply"
            return Fault("empty", words, wait_s=self.patience.first_wait_s)
        return _Said(message, ttft_s, exchanges[-1] if exchanges else None)


async def call_chat(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    *,
    tools: Sequence[Tool] = (),
    tool_choice: str | None = None,
    timeout_s: float = 60.0,
    retries: int = 4,
    on_delta: Callable[[str], None] | None = None,
    on_retry: Callable[[str], None] | None = None,
    on_spend: Callable[[Usage], None] | None = None,
    seconds_left: float | None = None,
    prices: Prices | None = None,
    first_wait_s: float = FIRST_WAIT_S,
    sleep: Sleep = asyncio.sleep,
    tokens: bool = False,
    blocking: bool = False,
    **kwargs: Any,
) -> ChatReply:
    """Call a chat model until it replies or nothing can be done.

    Args:
        model: Any LangChain chat model.
        messages: The prompt.
        tools: Offered natively.
        tool_choice: As `bind_tools` takes it: `auto`, `any`, `none` or a tool's name.
        timeout_s: Limit of one attempt.
        retries: Attempts after the first.
        on_delta: Gets each piece of text as it arrives; without it the call does not stream.
        on_retry: Gets the reason when an attempt failed: deltas so far are void.
        on_spend: Gets what is spent as it is spent, so that a call that fails counts, too.
        seconds_left: Limit of all attempts and waits together; None for none.
        prices: Price table; None for the one in the settings.
        first_wait_s: Before the second attempt, where the endpoint names no time; then twice as
            long each time.
        sleep: How to wait.
        tokens: Ask the endpoint for token ids and logprobs, where its client lets us.
        blocking: Of `call_chat_here`.
        kwargs: For the model, e.g. `stop`, `response_format`.

    Raises:
        ContextOverflow: The prompt is too long.
        ToolsUnsupported: No native tools there.
        PicturesUnsupported: No pictures there.
        CallFailed: Anything else; `kind` says what.
    """
    start = time.monotonic()
    end = None if seconds_left is None else start + seconds_left
    if on_delta is None and not blocking and getattr(model, "streaming", False):
        # Such a client streams inside of `ainvoke`, and gives calls that were cut off as whole.
        on_delta = _unheard
    call = _Call(
        model, _bind(model, tools, tool_choice), messages, kwargs, bool(tools), timeout_s, on_delta,
        tokens, blocking, Patience(retries, end, first_wait_s, sleep, on_retry),
        Tally(model, prices or Prices.from_settings(), on_spend),
    )  # fmt: skip
    while isinstance(said := await call.attempt(), Fault):
        # Outside of `except`: the client's text may hold a key, so that ours is not chained to it.
        await call.patience.wait(said)
    seconds = time.monotonic() - start
    return ChatReply(
        message=said.message,
        usage=replace(call.tally.usage, seconds=seconds),
        attempts=len(call.patience.retried) + 1,
        retried=tuple(call.patience.retried),
        seconds=seconds,
        ttft_s=said.ttft_s,
        estimated=call.tally.estimated,
        captured=said.captured,
    )


def call_chat_here(
    model: BaseChatModel, messages: Sequence[BaseMessage], **options: Any
) -> ChatReply:
    """Call and wait in this thread, as `call_chat` does in a loop; there may be one or none here.

    A provider's async client belongs to the loop that it was first used in, so that a loop made for
    one call would not do. The client's own time limit holds, not `timeout_s`.

    Args:
        model: Any LangChain chat model.
        messages: The prompt.
        options: As for `call_chat`, but for `on_delta`.

    Raises:
        ModelError: As `call_chat` does.
    """
    call = call_chat(model, messages, blocking=True, sleep=_sleep_here, **options)
    try:
        call.send(None)
    except StopIteration as done:
        reply: ChatReply = done.value
        return reply
    raise AssertionError("a blocking call was suspended")


async def _sleep_here(seconds: float) -> None:
    time.sleep(seconds)


def _bind(
    model: BaseChatModel, tools: Sequence[Tool], tool_choice: str | None
) -> Runnable[LanguageModelInput, AIMessage]:
    if not tools:
        return model
    options = {} if tool_choice is None else {"tool_choice": tool_choice}
    try:
        return model.bind_tools(list(tools), **options)
    except NotImplementedError as error:
        fault = read_fault(error, model, tools=True)
        assert fault.final is not None
        raise fault.final from error


async def _heard(
    bound: Runnable[LanguageModelInput, AIMessage],
    messages: list[BaseMessage],
    on_delta: Callable[[str], None] | None,
    kwargs: dict[str, Any],
    blocking: bool,
) -> tuple[AIMessage, float | None]:
    """Call once; return the message and the seconds to its first token."""
    if on_delta is None:
        if blocking:
            said = bound.invoke(messages, **kwargs)
        else:
            said = await bound.ainvoke(messages, **kwargs)
        if _is_cut(said):  # a client that streams inside of `ainvoke`
            raise _CutError("the stream ended before the reply did")
        return said, None
    start = time.monotonic()
    whole: AIMessageChunk | None = None
    ttft_s = None
    async for piece in bound.astream(messages, **kwargs):
        chunk = piece if isinstance(piece, AIMessageChunk) else _as_chunk(piece)
        if ttft_s is None and (chunk.content or chunk.tool_call_chunks):
            ttft_s = time.monotonic() - start
        whole = chunk if whole is None else whole + chunk
        if chunk.text:
            try:
                on_delta(whole_text(chunk.text))
            except Exception as error:
                raise _CallbackError(error) from error
    if whole is None or _is_cut(whole):
        raise _CutError("the stream ended before the reply did")
    message = message_chunk_to_message(whole)
    assert isinstance(message, AIMessage)
    return _with_whole_calls(message, whole), ttft_s


def _with_whole_calls(message: AIMessage, chunks: AIMessageChunk) -> AIMessage:
    """Return a message whose tool calls have the arguments that were sent, unmended."""
    calls, broken = [], []
    for chunk in chunks.tool_call_chunks:
        name, written = chunk["name"], chunk["args"] or "{}"
        try:
            args = json.loads(written, strict=False)
        except ValueError:
            args = None
        if name and isinstance(args, dict):
            calls.append(tool_call(name=name, args=args, id=chunk["id"]))
        else:
            error = "the arguments are no whole JSON object"
            broken.append(invalid_tool_call(name=name, args=written, id=chunk["id"], error=error))
    if not broken:
        return message
    return message.model_copy(update={"tool_calls": calls, "invalid_tool_calls": broken})


def _with_whole_texts(message: AIMessage) -> AIMessage:
    """Return a message that can be sent again, recorded and shown: all of it is UTF-8."""
    said: dict[str, Any] = {
        name: getattr(message, name)
        for name in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs")
    }
    mended = whole(said)
    return message if mended == said else message.model_copy(update=mended)


def _unheard(text: str) -> None:
    pass


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    return AIMessageChunk(**message.model_dump(exclude={"type"}))


def _is_cut(message: AIMessage) -> bool:
    """Tell whether a provider's stream stopped early.

    Clients that name their provider on each piece also pass on the reason for which the reply
    ended, under a name of their own (`finish_reason`, `stop_reason`, `done_reason`, `status`).
    """
    keys = message.response_metadata.keys()
    ended = any("reason" in key.lower() or key in ("status", "done") for key in keys)
    return "model_provider" in keys and not ended


def _is_empty(message: AIMessage) -> bool:
    refusal = message.additional_kwargs.get("refusal")
    return not (message.text.strip() or message.tool_calls or message.invalid_tool_calls or refusal)


def _has_pictures(messages: Sequence[BaseMessage]) -> bool:
    return any(
        isinstance(block, dict) and block.get("type") in ("image", "image_url")
        for message in messages
        if isinstance(message.content, list)
        for block in message.content
    )
