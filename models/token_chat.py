"""A chat model that sends and gets token ids, so that what was sampled is never tokenised anew.

    model = TokenChat(base_url="http://127.0.0.1:8000/v1", model_name="policy", tokenizer=tokenizer)

1. A prompt is rendered by the tokenizer's own chat template and sent as ids to `/completions`.
2. A prompt that goes on from an earlier one and its reply begins with exactly those ids; only what
   is new is rendered, behind a short conversation that stands in for the rest, so that templates
   which rewrite earlier turns change nothing.
3. A reply that stopped without its end-of-turn token gets it, and whatever the template puts
   between two turns comes with the next one.
4. The words of a reply are read as Hermes and Qwen models write them: `<think>`, `<tool_call>`.

Needs an endpoint that gives ids (`return_token_ids`, as vLLM has it); where it gives none, those of
the tokenizer stand in. A trainer's own way to sample stands in for the endpoint as `engine=`.
Pictures are refused: a run is told at its beginning that there are none, so that tools give words.
Not covered: streaming.
"""

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr

from pagehop.errors import PicturesUnsupported
from pagehop.models.capture import Captured, keep
from pagehop.models.seeding import SEED

_KEPT = 4096
"""Exchanges remembered; the oldest goes first."""
_STAND_IN: tuple[Mapping[str, Any], ...] = (
    {"role": "user", "content": "x"},
    {"role": "assistant", "content": "y"},
)
_THOUGHT = re.compile(r"^\s*<think>(.*?)</think>\s*", re.DOTALL)
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


class Tokenizer(Protocol):
    """What is asked of a tokenizer; those of transformers have it."""

    eos_token: str

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """Return the ids of a text."""
        ...

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Return the text of ids."""
        ...

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Return a conversation as text (`tokenize=False`)."""
        ...


@dataclass(frozen=True)
class Sampled:
    """What an engine made of a prompt."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...] = ()
    """One for each id; empty when it gives none."""
    text: str = ""
    """Special tokens kept; empty when the tokenizer is to decode the ids."""
    finish_reason: str = ""
    model: str = ""
    """As the engine names it."""


class TokenEngine(Protocol):
    """Who samples: an endpoint, or what a trainer samples with."""

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        """Return what follows on the ids of a prompt."""
        ...


class TokenChat(BaseChatModel):
    """Asks a completions endpoint, or an engine, with ids; see the module."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    base_url: str = ""
    """Of the endpoint; unused with an engine."""
    model_name: str
    engine: Any = Field(default=None, repr=False)
    """A `TokenEngine` in place of an endpoint; it has sampling settings of its own."""
    tokenizer: Any = Field(repr=False)
    """A `Tokenizer`."""
    api_key: str = Field(default="none", repr=False)
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    timeout_s: float = 120.0
    template_options: dict[str, Any] = Field(default_factory=dict)
    """For the chat template, e.g. `enable_thinking`."""
    profile: ModelProfile | None = Field(
        default_factory=lambda: ModelProfile(image_inputs=False), exclude=True
    )
    """Says that it takes no pictures."""
    transport: Any = Field(default=None, repr=False)
    """Of httpx, in place of its own."""
    _known: "OrderedDict[str, tuple[int, ...]]" = PrivateAttr(default_factory=OrderedDict)

    @property
    def _llm_type(self) -> str:
        return "token-completions"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools; they stand in the prompt as the template writes them."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        tools = kwargs.get("tools") or []
        conversation = [_plain(message) for message in convert_to_openai_messages(messages)]
        prompt = self.prompt_ids(conversation, tools)
        sampled = await (self.engine or self).sample(prompt, stop=stop or [], seed=self.seed)
        ids = sampled.ids
        raw = sampled.text or self.tokenizer.decode(ids, skip_special_tokens=False)
        message = read_reply(raw.removesuffix(self.tokenizer.eos_token))
        message.usage_metadata = UsageMetadata(
            input_tokens=len(prompt), output_tokens=len(ids), total_tokens=len(prompt) + len(ids)
        )
        finish = sampled.finish_reason
        message.response_metadata = {"model_name": self.model_name, "finish_reason": finish}
        self._remember(conversation, tools, message, prompt + ids)
        keep(
            Captured(
                text=raw, prompt_ids=prompt, completion_ids=ids, finish_reason=finish,
                logprobs=sampled.logprobs, model=sampled.model,
                reasoning=str(message.additional_kwargs.get("reasoning_content", "")),
                tool_arguments=tuple(_arguments(one) for one in _CALL.findall(raw)),
            )
        )  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        """Ask the endpoint what follows on the ids of a prompt."""
        body = {
            "model": self.model_name, "prompt": list(prompt), "max_tokens": self.max_tokens,
            "temperature": self.temperature, "top_p": self.top_p, "logprobs": 0,
            "return_token_ids": True, "skip_special_tokens": False, "stop": list(stop),
        }  # fmt: skip
        if seed is not None:
            body["seed"] = seed
        reply = await self._post(body)
        choice = reply["choices"][0]
        ids = tuple(choice.get("token_ids") or ()) or tuple(
            self.tokenizer.encode(choice["text"], add_special_tokens=False)
        )
        return Sampled(
            ids, _logprobs(choice, len(ids)), choice.get("text") or "",
            str(choice.get("finish_reason") or ""), str(reply.get("model", "")),
        )  # fmt: skip

    def prompt_ids(
        self, conversation: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> tuple[int, ...]:
        """Return the ids of a prompt: those of the exchange it goes on from, then what is new."""
        for end in range(len(conversation) - 1, 0, -1):
            if conversation[end]["role"] != "assistant":
                continue
            known = self._known.get(_key(conversation[: end + 1], tools))
            if known is not None:
                return known + self._behind(known, conversation[end + 1 :], tools)
        text = self._rendered(conversation, tools, generate=True)
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    def _behind(
        self,
        known: tuple[int, ...],
        rest: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
    ) -> tuple[int, ...]:
        """Return the ids of what comes behind a reply."""
        end = self.tokenizer.eos_token
        before = self._rendered(_STAND_IN, tools, generate=False)
        whole = self._rendered([*_STAND_IN, *rest], tools, generate=True)
        cut = before.rfind(end)
        between = before[cut + len(end) :] if cut >= 0 else ""
        closing = tuple(self.tokenizer.encode(end, add_special_tokens=False))
        closed = not closing or known[-len(closing) :] == closing
        text = between + whole[len(before) :]
        return (() if closed else closing) + tuple(
            self.tokenizer.encode(text, add_special_tokens=False)
        )

    def _rendered(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        *,
        generate: bool,
    ) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                list(conversation), tools=list(tools) or None, tokenize=False,
                add_generation_prompt=generate, **self.template_options,
            )
        )  # fmt: skip

    def _remember(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        message: AIMessage,
        ids: tuple[int, ...],
    ) -> None:
        said = _plain(convert_to_openai_messages([message])[0])
        self._known[_key([*conversation, said], tools)] = ids
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    async def _post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        async with httpx.AsyncClient(transport=self.transport, timeout=self.timeout_s) as client:
            url = f"{self.base_url.rstrip('/')}/completions"
            response = await client.post(url, json=body, headers=headers)
            if response.is_error:  # with its words: a prompt that is too long is then shortened
                raise httpx.HTTPStatusError(
                    response.text[:500], request=response.request, response=response
                )
            reply: dict[str, Any] = response.json()
            return reply


def read_reply(raw: str) -> AIMessage:
    """Read thought, text and tool calls out of what a model wrote."""
    thought = _THOUGHT.match(raw)
    rest = raw[thought.end() :] if thought else raw
    calls, broken = [], []
    for i, written in enumerate(_CALL.findall(rest)):
        try:
            value = json.loads(written)
            arguments = value.get("arguments", {})
            calls.append(tool_call(name=str(value["name"]), args=arguments, id=f"call_{i}"))
        except (ValueError, KeyError, AttributeError) as error:
            broken.append(
                invalid_tool_call(name="", args=written, id=f"call_{i}", error=str(error))
            )
    return AIMessage(
        _CALL.sub("", rest).strip(),
        tool_calls=calls,
        invalid_tool_calls=broken,
        additional_kwargs={"reasoning_content": thought[1].strip()} if thought else {},
    )


def _plain(message: Any) -> dict[str, Any]:
    """Return a message as templates take it: arguments as objects, text as text.

    Raises:
        PicturesUnsupported: It has a picture.
    """
    plain = dict(message)
    content = plain.get("content")
    if isinstance(content, list):
        if any(block.get("type") != "text" for block in content):
            raise PicturesUnsupported("TokenChat sends ids of words only, and no picture")
        plain["content"] = "\n".join(str(block.get("text", "")) for block in content)
    if plain.get("tool_calls"):
        plain["tool_calls"] = [
            {"type": "function", "function": {
                "name": one["function"]["name"],
                "arguments": json.loads(one["function"]["arguments"] or "{}")}}
            for one in plain["tool_calls"]
        ]  # fmt: skip
    return plain


def _key(conversation: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
    """Return what equal conversations of one run share; names of calls do not count.

    Runs of one group send the same prompts, and may get the same words in other tokens.
    """
    told = [
        [
            one["role"], (one.get("content") or "").strip(),
            [[call["function"][part] for part in ("name", "arguments")]
             for call in one.get("tool_calls", ())],
        ]
        for one in conversation
    ]  # fmt: skip
    names = [tool["function"]["name"] for tool in tools]
    return json.dumps([SEED.get(), names, told], sort_keys=True)


def _logprobs(choice: Mapping[str, Any], count: int) -> tuple[float, ...]:
    found = (choice.get("logprobs") or {}).get("token_logprobs") or ()
    values = tuple(float(one) for one in found if one is not None)
    return values if len(values) == count else ()


def _arguments(written: str) -> str:
    """Return the characters of the arguments in a call; all of it where they cannot be told."""
    found = re.search(r'"arguments"\s*:\s*(\{.*\})\s*\}\s*$', written, re.DOTALL)
    return found[1] if found else written
