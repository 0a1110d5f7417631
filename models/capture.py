"""What an endpoint really said: kept under the chat client, which drops much of it.

LangChain's OpenAI client gives no token ids, drops `reasoning_content`, and reads tool arguments
into objects, so that the characters the model wrote are gone. A transport below it sees the bytes.

    client = wrapped(openai.DefaultAsyncHttpxClient())
    model = ChatOpenAI(model="m", base_url=url, http_async_client=client)
    with capturing() as captured:
        reply = await model.ainvoke("...")
    captured[-1].tool_arguments, captured[-1].completion_ids

1. Nothing is kept, and no request is changed, outside of `capturing`.
2. With `tokens=True` the endpoint is asked for token ids and logprobs (`return_token_ids`,
   `logprobs`, as vLLM has them). One that refuses the request is asked again without, and from then
   on not asked for them.
3. A streamed reply is handed on as it comes and read when it has ended.

Not covered: protocols other than Chat Completions.
"""

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self, TypeVar

from pagehop.surrogates import whole_text

ClientT = TypeVar("ClientT")
_ASKED: Mapping[str, Any] = {"return_token_ids": True, "logprobs": True}
_PATH = "/chat/completions"


@dataclass(frozen=True)
class Captured:
    """One exchange with an endpoint."""

    request: bytes = b""
    """The body as it was sent."""
    reply: bytes = b""
    """The body as it came; of a stream all its events."""
    text: str = ""
    reasoning: str = ""
    tool_arguments: tuple[str, ...] = ()
    """The characters that the model wrote, a call each, in order."""
    prompt_ids: tuple[int, ...] = ()
    completion_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    """One for each completion id; empty when there are none, or as many as ids."""
    image_tokens: tuple[int, ...] = ()
    """Of each picture of the prompt, in order, where who generates can tell."""
    finish_reason: str = ""
    model: str = ""
    """As the endpoint names it."""
    id: str = ""


@dataclass
class _Listener:
    found: list[Captured]
    tokens: bool


_LISTENER: ContextVar[_Listener | None] = ContextVar("captured", default=None)


@contextmanager
def capturing(*, tokens: bool = False) -> Iterator[list[Captured]]:
    """Keep what endpoints say inside of the block, in order of their replies' ends.

    Args:
        tokens: Ask for token ids and logprobs.
    """
    listener = _Listener([], tokens)
    token = _LISTENER.set(listener)
    try:
        yield listener.found
    finally:
        _LISTENER.reset(token)


def keep(exchange: Captured) -> None:
    """Give an exchange to whoever listens: for clients that see more than their transport."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.found.append(exchange)


class CapturingTransport:
    """Hands requests on to another transport and keeps the exchanges that somebody listens for.

    It is one for clients of httpx and of httpx2, sync or async, by having their methods: which of
    the two packages a provider's client is made with changes from release to release.
    """

    def __init__(self, inner: Any) -> None:
        """Take the transport beneath."""
        self._inner = inner
        self._refused: set[str] = set()
        """Hosts that take no request for tokens."""

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request."""
        listener = _listening(request)
        if listener is None:
            return await self._inner.handle_async_request(request)
        sent = self._asking(request, listener)
        response = await self._inner.handle_async_request(sent)
        if response.status_code == 400 and sent is not request:
            await response.aread()
            await response.aclose()
            self._refused.add(request.url.host)
            sent = request
            response = await self._inner.handle_async_request(request)
        if response.status_code == 200:
            response.stream = _tee(_AsyncTee, "AsyncByteStream", response, sent, listener)
        return response

    def handle_request(self, request: Any) -> Any:
        """Send one request, in a client that is not async."""
        listener = _listening(request)
        if listener is None:
            return self._inner.handle_request(request)
        sent = self._asking(request, listener)
        response = self._inner.handle_request(sent)
        if response.status_code == 400 and sent is not request:
            response.read()
            response.close()
            self._refused.add(request.url.host)
            sent = request
            response = self._inner.handle_request(request)
        if response.status_code == 200:
            response.stream = _tee(_SyncTee, "SyncByteStream", response, sent, listener)
        return response

    async def aclose(self) -> None:
        """Close the async transport beneath."""
        await self._inner.aclose()

    def close(self) -> None:
        """Close the transport beneath."""
        self._inner.close()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._inner.__aexit__(*error)

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)

    def _asking(self, request: Any, listener: _Listener) -> Any:
        """Return the request with a wish for tokens, or itself when there is to be none."""
        if not listener.tokens or request.url.host in self._refused:
            return request
        body = json.loads(request.content)
        body.update({name: value for name, value in _ASKED.items() if name not in body})
        kept = [(name, value) for name, value in request.headers.multi_items()]
        headers = [(name, value) for name, value in kept if name.lower() != "content-length"]
        return type(request)(
            request.method, request.url, headers=headers, content=json.dumps(body).encode(),
            extensions=request.extensions,
        )  # fmt: skip


def captured(request: bytes, reply: bytes) -> Captured:
    """Read an exchange; what cannot be read leaves its fields empty."""
    text = reply.decode("utf-8", "replace")
    found = _Read()
    if text.lstrip().startswith("{"):
        found.take(_object(text), whole=True)
    else:
        for line in text.splitlines():
            if line.startswith("data:") and line[5:].strip() != "[DONE]":
                found.take(_object(line[5:]), whole=False)
    ids, logprobs = tuple(found.completion_ids), tuple(found.logprobs)
    return Captured(
        request=request, reply=reply, text=whole_text("".join(found.text)),
        reasoning=whole_text("".join(found.reasoning)),
        tool_arguments=tuple(whole_text(found.arguments[i]) for i in sorted(found.arguments)),
        prompt_ids=tuple(found.prompt_ids), completion_ids=ids,
        logprobs=logprobs if len(logprobs) == len(ids) else (),
        finish_reason=found.finish_reason, model=found.model, id=found.id,
    )  # fmt: skip


@dataclass
class _Read:
    """What the pieces of a reply come to."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    arguments: dict[int, str] = field(default_factory=dict)
    prompt_ids: list[int] = field(default_factory=list)
    completion_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish_reason: str = ""
    model: str = ""
    id: str = ""

    def take(self, piece: Mapping[str, Any], *, whole: bool) -> None:
        """Take a whole reply, or the next piece of a stream."""
        self.model = piece.get("model") or self.model
        self.id = piece.get("id") or self.id
        self.prompt_ids = piece.get("prompt_token_ids") or self.prompt_ids
        choices = piece.get("choices") or ()
        choice = choices[0] if choices else {}
        self.prompt_ids = choice.get("prompt_token_ids") or self.prompt_ids
        self.completion_ids += choice.get("token_ids") or ()
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        for one in (choice.get("logprobs") or {}).get("content") or ():
            self.logprobs.append(one["logprob"])
        said = choice.get("message" if whole else "delta") or {}
        self.text.append(said.get("content") or "")
        self.reasoning.append(said.get("reasoning_content") or said.get("reasoning") or "")
        for i, call in enumerate(said.get("tool_calls") or ()):
            index = i if whole else call.get("index", i)
            written = (call.get("function") or {}).get("arguments") or ""
            self.arguments[index] = self.arguments.get(index, "") + written


class _AsyncTee:
    def __init__(self, inner: Any, kept: "_Kept") -> None:
        self._inner, self._kept = inner, kept

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._kept.pieces.append(piece)
            yield piece
        self._kept.end()

    async def aclose(self) -> None:
        self._kept.end()
        await self._inner.aclose()


class _SyncTee:
    def __init__(self, inner: Any, kept: "_Kept") -> None:
        self._inner, self._kept = inner, kept

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._kept.pieces.append(piece)
            yield piece
        self._kept.end()

    def close(self) -> None:
        self._kept.end()
        self._inner.close()


def _tee(kind: type, base: str, response: Any, request: Any, listener: _Listener) -> Any:
    """Return a stream that keeps what passes, of the class that the response's package asks for."""
    package = sys.modules[type(response).__module__.partition(".")[0]]
    return _tee_class(kind, getattr(package, base))(
        response.stream, _Kept(request, response, listener)
    )


@lru_cache(maxsize=8)
def _tee_class(kind: type, base: type) -> type:
    return type(kind.__name__, (kind, base), {})


@dataclass
class _Kept:
    """The bytes of one reply, as they pass."""

    request: Any
    response: Any
    listener: _Listener
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    def end(self) -> None:
        """Read what came; a client may stop before the last byte, at the end of the events."""
        if self.ended:
            return
        self.ended = True
        encoding = self.response.headers.get("content-encoding", "identity")
        raw = b"".join(self.pieces)
        if encoding != "identity":
            headers = {"content-encoding": encoding}
            raw = type(self.response)(200, headers=headers, content=raw).content
        self.listener.found.append(captured(self.request.content, raw))


def _listening(request: Any) -> _Listener | None:
    is_chat = request.method == "POST" and request.url.path.endswith(_PATH)
    return _LISTENER.get() if is_chat else None


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def wrapped(client: ClientT) -> ClientT:
    """Put the transport under a client of httpx or httpx2, sync or async, and return the client.

    Under one that was made already, since these packages read proxies of the environment only for
    a client to which no transport is given.
    """
    under: Any = client
    under._transport = CapturingTransport(under._transport)
    under._mounts = {
        pattern: None if transport is None else CapturingTransport(transport)
        for pattern, transport in under._mounts.items()
    }
    return client
