"""A chat model that says what a test tells it to say, and keeps what it was asked.

    model = ScriptedModel(replies=[
        {"content": "", "tool_calls": [{"name": "keyword_search", "args": {"query": "revenue"}}]},
        "The revenue was 455.9 million.",
    ])
    agent = create_agent(model, pagehop.toolset(view))

A run of `pagehop.ask` takes a reply of each role in turn (plan, calls, a closing word, what to
keep, the claims): tests/test_model_roles.py shows one.

1. Replies are used up in the order in which calls arrive, whatever thread or task they come from.
2. Copies made by `bind`, `bind_tools` and `with_structured_output` share the script and `calls`.
3. Usage is counted at about four characters a token, so that budgets have something to count.

Not covered: `stop` words are recorded, not obeyed.
"""

import inspect
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from pagehop.errors import ModelError

Said = str | AIMessage | Mapping[str, Any] | BaseException
"""A text, a message, `{"content", "tool_calls": [{"name", "args"}]}`, or an error to raise."""
Reply = Said | Callable[[list[BaseMessage], list[dict[str, Any]]], Any]
"""What to say, or a function of (messages, tools) that gives it; it may be async for `ainvoke`."""


@dataclass(frozen=True)
class ScriptedCall:
    """One call as the model got it."""

    messages: tuple[BaseMessage, ...]
    tools: tuple[dict[str, Any], ...]
    """Schemas in the OpenAI form, as an endpoint would see them."""
    kwargs: Mapping[str, Any]
    """Everything else that was bound or passed, e.g. `tool_choice`, `temperature`, `stop`."""


class _Script:
    """The replies left and the calls made; one object for all copies of a model."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: list[ScriptedCall] = []

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def record(self, call: ScriptedCall) -> int:
        """Keep a call and return its running number, from 0."""
        with self.lock:
            self.calls.append(call)
            return len(self.calls) - 1


class ScriptedModel(BaseChatModel):
    """A chat model with replies written in advance; see the module for an example."""

    replies: Any = Field(repr=False)
    """A sequence of `Reply`, or one function that answers every call."""
    repeat_last: bool = False
    """Give the last reply again and again instead of an error when the script is over."""
    model_name: str = "scripted"
    _script: _Script = PrivateAttr(default_factory=_Script)

    @property
    def calls(self) -> list[ScriptedCall]:
        """All calls so far, of this model and of its copies, in order of arrival."""
        with self._script.lock:
            return list(self._script.calls)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Keep the tools' schemas for the replies and for `calls`."""
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        said, number = self._ask(messages, stop, kwargs)
        return _result(self._message(said, number, messages, kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        said, number = self._ask(messages, stop, kwargs)
        if inspect.isawaitable(said):
            said = await said
        return _result(self._message(said, number, messages, kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        said, number = self._ask(messages, stop, kwargs)
        for chunk in _chunks(self._message(said, number, messages, kwargs)):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        said, number = self._ask(messages, stop, kwargs)
        if inspect.isawaitable(said):
            said = await said
        for chunk in _chunks(self._message(said, number, messages, kwargs)):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _ask(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[Any, int]:
        """Record the call; return what is said to it, and the call's number."""
        tools = list(kwargs.get("tools", ()))
        rest = {key: value for key, value in kwargs.items() if key != "tools"}
        if stop:
            rest["stop"] = stop
        number = self._script.record(ScriptedCall(tuple(messages), tuple(tools), rest))
        reply = self._reply(number)
        return (reply(list(messages), tools) if _is_function(reply) else reply), number

    def _reply(self, number: int) -> Any:
        if _is_function(self.replies):
            return self.replies
        if number < len(self.replies):
            return self.replies[number]
        if self.repeat_last and self.replies:
            return self.replies[-1]
        raise ModelError(
            f"the script is over: this is call {number + 1} and ScriptedModel was given "
            f"{len(self.replies)} replies; add one, or set repeat_last=True"
        )

    def _message(
        self, said: Any, number: int, messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]
    ) -> AIMessage:
        message = _as_message(said, number)
        if message.usage_metadata is None:
            asked = count_tokens(messages) + len(json.dumps(kwargs.get("tools", ()))) // 4
            written = count_tokens([message])
            message.usage_metadata = UsageMetadata(
                input_tokens=asked, output_tokens=written, total_tokens=asked + written
            )
        message.response_metadata = {"model_name": self.model_name, **message.response_metadata}
        return message


def count_tokens(messages: Sequence[BaseMessage]) -> int:
    """Estimate tokens at four characters each; a picture counts as 256 tokens."""
    characters = pictures = 0
    for message in messages:
        characters += len(message.text)
        if isinstance(message, AIMessage) and message.tool_calls:
            characters += len(json.dumps([[c["name"], c["args"]] for c in message.tool_calls]))
        if isinstance(message.content, list):
            kinds = [b.get("type") for b in message.content if isinstance(b, dict)]
            pictures += sum(kind in ("image", "image_url") for kind in kinds)
    return (characters + 3) // 4 + 256 * pictures


def _is_function(reply: object) -> bool:
    return callable(reply) and not isinstance(reply, type)


def _as_message(said: Any, number: int) -> AIMessage:
    """Turn what a script says into a new message, or raise the error it asks for."""
    if inspect.iscoroutine(said):
        said.close()
        raise ModelError("this reply of ScriptedModel is an async function; use ainvoke or astream")
    if isinstance(said, BaseException):
        raise said
    if isinstance(said, AIMessage):
        return copy(said)  # the same message object twice would carry the first call's id
    if isinstance(said, str):
        return AIMessage(said)
    if not isinstance(said, Mapping) or not said.keys() <= {"content", "tool_calls"}:
        raise ModelError(
            f"ScriptedModel cannot say {said!r}; allowed: str, AIMessage, an exception, a function "
            'or {"content": ..., "tool_calls": [{"name": ..., "args": {...}}]}'
        )
    message = AIMessage(said.get("content", ""))
    for i, call in enumerate(said.get("tool_calls", ())):
        _add_call(message, call, call.get("id") or f"call_{number + 1}_{i + 1}")
    return message


def _add_call(message: AIMessage, call: Mapping[str, Any], call_id: str) -> None:
    """Add a tool call; arguments given as text that is no JSON object become an invalid one."""
    args = call.get("args", {})
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except json.JSONDecodeError as error:
            message.invalid_tool_calls.append(
                invalid_tool_call(name=call["name"], args=args, id=call_id, error=str(error))
            )
            return
    message.tool_calls.append(tool_call(name=call["name"], args=args, id=call_id))


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """Cut a message into words, then its tool calls, then usage."""
    words = message.text.split(" ")
    for i, word in enumerate(words if message.text else ()):
        text = word if i == len(words) - 1 else word + " "
        yield ChatGenerationChunk(message=AIMessageChunk(content=text))
    calls = [(c["name"], json.dumps(c["args"]), c["id"]) for c in message.tool_calls]
    calls += [(c["name"] or "", c["args"] or "", c["id"]) for c in message.invalid_tool_calls]
    for i, (name, args, call_id) in enumerate(calls):
        piece = tool_call_chunk(name=name, args=args, id=call_id, index=i)
        yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))
    yield ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
            additional_kwargs=message.additional_kwargs,
            chunk_position="last",
        )
    )
