"""A LangChain chat model over weights on this machine, through transformers.

    model = TransformersChat(model="Qwen/Qwen3-4B", temperature=0)

1. The checkpoint's own chat template renders messages and tools; what it refuses is said.
2. Tool calls are read out of the text (`tool_call_text.py`); the raw text stays in
   `additional_kwargs["text_raw"]`, token ids in `response_metadata` (`prompt_token_ids`,
   `completion_token_ids`), for training on exactly what was sampled.
3. Weights load on the first call. One call runs at a time; a call given up stops.

4. A checkpoint with eyes (Qwen2.5-VL, Qwen3-VL, SmolVLM and others that transformers loads for
   pictures and text) is shown pictures, none with more than `max_pixels`.

Not covered: videos; `tool_choice` other than `none` is left to the model.
"""

import asyncio
import base64
import io
import json
import queue
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr

from pagehop.errors import CallFailed
from pagehop.models.capture import Captured, keep
from pagehop.models.local_generation import Generated, Job, LocalWeights, Sampling
from pagehop.models.tool_call_text import MARKERS, find_calls

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES = ("image", "image_url")
"""Types of blocks that hold one."""
ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


class TransformersChat(BaseChatModel):
    """A local chat model; see the module."""

    model: str
    """Hub id or folder."""
    max_tokens: int = Field(default=1024, ge=1, alias="max_new_tokens")
    """The most tokens of a reply."""
    temperature: float | None = None
    """0 is greedy; None is the checkpoint's own setting."""
    top_p: float | None = None
    seed: int | None = None
    """Makes sampled replies repeatable."""
    stop: list[str] | None = None
    device: str = "auto"
    dtype: str = "auto"
    max_pixels: int = Field(default=1_000_000, ge=1)
    """A larger picture is scaled down."""
    template_options: dict[str, Any] = Field(default_factory=dict)
    """For the chat template, e.g. `{"enable_thinking": False}`."""
    _weights: LocalWeights = PrivateAttr()

    model_config = ConfigDict(populate_by_name=True)

    def model_post_init(self, context: Any) -> None:
        """Name the weights; they are loaded when they are needed."""
        super().model_post_init(context)
        self._weights = LocalWeights(self.model, self.device, self.dtype)

    def check(self) -> None:
        """Find the checkpoint and its context length, without loading weights.

        Raises:
            ConfigError: There is no such model, or it has no chat template.
        """
        assert self._weights.tokenizer
        self.profile = ModelProfile(image_inputs=self._weights.takes_pictures, tool_calling=True)
        if self._weights.context_tokens is not None:
            self.profile["max_input_tokens"] = self._weights.context_tokens

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools through the chat template."""
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
        job = self._job(messages, stop, kwargs)
        try:
            done = self._weights.submit(job).result()
        finally:
            job.given_up.set()
        return ChatResult(generations=[ChatGeneration(message=self._message(done, job))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        job = self._job(messages, stop, kwargs)
        try:
            done = await asyncio.wrap_future(self._weights.submit(job))
        finally:
            job.given_up.set()
        return ChatResult(generations=[ChatGeneration(message=self._message(done, job))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        job, pieces = self._job(messages, stop, kwargs), queue.SimpleQueue[str | None]()
        job.on_text = pieces.put
        shown = _Shown(job)
        try:
            future = self._weights.submit(job)
            future.add_done_callback(lambda _: pieces.put(None))
            while (piece := pieces.get()) is not None:
                if chunk := shown.chunk(piece):
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            yield shown.last(self._message(future.result(), job))
        finally:
            job.given_up.set()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        job, loop = self._job(messages, stop, kwargs), asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        job.on_text = lambda text: _tell(loop, pieces, text)
        shown = _Shown(job)
        try:
            future = self._weights.submit(job)
            future.add_done_callback(lambda _: _tell(loop, pieces, None))
            while (piece := await pieces.get()) is not None:
                if chunk := shown.chunk(piece):
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            yield shown.last(self._message(future.result(), job))
        finally:
            job.given_up.set()

    def _job(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, options: dict[str, Any]
    ) -> Job:
        if options.get("response_format"):
            raise CallFailed(
                f"{self.model} takes no response_format here: ask for JSON in the prompt",
                kind="request",
            )
        limit = options.get("max_tokens", options.get("max_new_tokens", self.max_tokens))
        sampling = Sampling(
            max_new_tokens=limit,
            temperature=options.get("temperature", self.temperature),
            top_p=options.get("top_p", self.top_p),
            seed=options.get("seed", self.seed),
            stop=tuple(stop or self.stop or ()),
        )
        tools = () if options.get("tool_choice") == "none" else options.get("tools", ())
        blocks, pixels = self._weights.takes_pictures, self.max_pixels
        turns = [template_message(m, blocks=blocks, max_pixels=pixels) for m in messages]
        return Job(turns, tools, sampling, self.template_options)

    def _message(self, done: Generated, job: Job) -> AIMessage:
        text = done.text_raw
        for word in job.sampling.stop:
            text = text.partition(word)[0]
        found = find_calls(text) if job.tools else None
        text = found.text if found else text
        for token in self._weights.tokenizer.all_special_tokens:
            text = text.replace(token, "")
        calls, invalid = (found.calls, found.invalid) if found else ([], [])
        finish = "tool_calls" if calls and done.finish == "stop" else done.finish
        asked, written = len(done.prompt_ids), len(done.completion_ids)
        keep(
            Captured(
                text=done.text_raw, prompt_ids=tuple(done.prompt_ids), finish_reason=finish,
                completion_ids=tuple(done.completion_ids), model=self.model,
                image_tokens=done.image_tokens,
            )
        )  # fmt: skip
        return AIMessage(
            text.strip(),
            tool_calls=calls,
            invalid_tool_calls=invalid,
            additional_kwargs={"text_raw": done.text_raw},
            response_metadata={
                "model_name": self.model,
                "finish_reason": finish,
                "prompt_token_ids": done.prompt_ids,
                "completion_token_ids": done.completion_ids,
            },
            usage_metadata=UsageMetadata(
                input_tokens=asked, output_tokens=written, total_tokens=asked + written
            ),
        )


class _Shown:
    """What of a growing text may be streamed: all that is surely no call, stop word or token."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._text = ""
        self._sent = ""

    def chunk(self, piece: str) -> ChatGenerationChunk | None:
        """Take in a piece; return what became sure."""
        self._text += piece
        new = self._sure()[len(self._sent) :]
        self._sent += new
        return ChatGenerationChunk(message=AIMessageChunk(content=new)) if new else None

    def last(self, message: AIMessage) -> ChatGenerationChunk:
        """Return the rest of a finished message."""
        rest = message.text.removeprefix(self._sent) if message.text != self._sent else ""
        calls = [(c["name"], json.dumps(c["args"]), c["id"]) for c in message.tool_calls]
        calls += [(c["name"] or "", c["args"] or "", c["id"]) for c in message.invalid_tool_calls]
        return ChatGenerationChunk(
            message=AIMessageChunk(
                content=rest,
                tool_call_chunks=[
                    tool_call_chunk(name=name, args=args, id=call_id, index=i)
                    for i, (name, args, call_id) in enumerate(calls)
                ],
                additional_kwargs=message.additional_kwargs,
                response_metadata=message.response_metadata,
                usage_metadata=message.usage_metadata,
                chunk_position="last",
            )
        )

    def _sure(self) -> str:
        text = self._text.lstrip()
        if self._job.tools and text[:1] in ("{", "[", "`"):
            return self._sent
        ends = {*self._job.sampling.stop, *self._job.special_tokens}
        ends |= set(MARKERS if self._job.tools else ())
        for end in ends:
            text = text.partition(end)[0]
        for end in ends:
            start = next((n for n in range(len(end), 0, -1) if text.endswith(end[:n])), 0)
            text = text[: len(text) - start]
        text = text.rstrip()
        return text if len(text) >= len(self._sent) else self._sent


def template_message(
    message: BaseMessage, *, blocks: bool, max_pixels: int = 1_000_000
) -> dict[str, Any]:
    """Return a message in the form that chat templates know.

    Args:
        message: Of the prompt.
        blocks: Text too is a block, as templates of models with eyes want it.
        max_pixels: Of one picture.

    Raises:
        CallFailed: A picture cannot be read.
    """
    content: Any = _content(message, max_pixels)
    if isinstance(content, str) and blocks:
        content = [{"type": "text", "text": content}] if content else []
    turn: dict[str, Any] = {"role": ROLES.get(message.type, "user"), "content": content}
    if isinstance(message, AIMessage) and message.tool_calls:
        turn["tool_calls"] = [
            {
                "type": "function",
                "id": call["id"],
                "function": {"name": call["name"], "arguments": call["args"]},
            }
            for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        turn |= {"tool_call_id": message.tool_call_id, "name": message.name or ""}
    return turn


def _content(message: BaseMessage, max_pixels: int) -> str | list[dict[str, Any]]:
    """Return the text of a message, or its blocks when it holds pictures."""
    parts = message.content if isinstance(message.content, list) else []
    if not any(isinstance(part, dict) and part.get("type") in PICTURES for part in parts):
        return message.text
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, dict) and part.get("type") in PICTURES:
            blocks.append({"type": "image", "image": _picture(part, max_pixels)})
        elif text := part if isinstance(part, str) else str(part.get("text", "")):
            blocks.append({"type": "text", "text": text})
    return blocks


def _picture(block: dict[str, Any], max_pixels: int) -> "Image":
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only with pictures

    given = block.get("image_url", block.get("url", ""))
    url = given.get("url", "") if isinstance(given, dict) else given
    head, _, data = str(url).partition("base64,")
    if not (data := str(block.get("base64") or data)):
        where = "at a web address" if head else "without data"
        raise CallFailed(f"a local model takes no picture {where}: give its bytes", kind="request")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    except (ValueError, UnidentifiedImageError, OSError) as error:
        raise CallFailed(f"a picture cannot be read: {error}", kind="request") from error
    scale = (max_pixels / (picture.width * picture.height)) ** 0.5
    if scale >= 1:
        return picture
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _tell(
    loop: asyncio.AbstractEventLoop, pieces: "asyncio.Queue[str | None]", text: str | None
) -> None:
    if not loop.is_closed():  # a call given up may outlive its loop by one token
        loop.call_soon_threadsafe(pieces.put_nowait, text)
