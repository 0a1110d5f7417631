"""LangChain's OpenAI chat model, for many calls at once: the same requests with less work.

1. The OpenAI client walks through all messages and tools of a request by their declared types,
   for values that it would have to translate, which takes longer than sending it. What LangChain
   made is JSON already: it goes into the request past that walk, as `extra_body`.
2. A reply that is not streamed is read as JSON: the client would make typed objects of it, which
   LangChain makes a dict of again, in a thread of its own.
3. One HTTP client serves all models of a process, whichever event loop they are called from. Its
   connection pool looks at every idle connection whenever a request begins or ends: one pool has
   at most `POOL` requests, so that this does not grow with their number. All share one TLS
   context: to read the certificates takes 20 ms.

Not covered: the Responses protocol and `response_format`, which go their usual way. What watches
the OpenAI client's arguments, and not the requests, finds the messages in `extra_body`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Before openai's client: that one looks httpx up among the loaded modules, and fails where another
# thread, which starts another run, has loaded only half of it.
import httpx  # noqa: F401 - for what its import does, see above
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient

from pagehop.models.capture import wrapped

if TYPE_CHECKING:
    import ssl

POOL = 8
"""Requests at once through one connection pool."""
_OPTIONS = frozenset({"extra_headers", "extra_query", "timeout", "response_format"})
"""What the OpenAI client does more with than to send it."""


class OpenAIChat(ChatOpenAI):
    """Asks an endpoint of the OpenAI form."""

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "messages" not in payload or "response_format" in payload:
            return payload
        made = {name: payload.pop(name) for name in ("messages", "tools") if name in payload}
        body = {**(payload.get("extra_body") or {}), **made}
        return {**payload, "messages": [], "extra_body": body}

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        if (
            "messages" not in payload
            or not _OPTIONS.isdisjoint(payload)
            or self.include_response_headers
        ):
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        more = payload.pop("extra_body")
        body = {**payload, **more}
        reply = await self.root_async_client.post("/chat/completions", cast_to=object, body=body)
        result = self._create_chat_result(reply)
        for choice, generation in zip(reply["choices"], result.generations, strict=True):
            if refusal := choice["message"].get("refusal"):
                generation.message.additional_kwargs["refusal"] = refusal
        return result


@dataclass
class _Pools:
    """The connections of one event loop; as many pools as its requests need."""

    kept: list["_Pool"] = field(default_factory=list)

    async def send(self, request: Any, **options: Any) -> Any:
        pool = next((pool for pool in self.kept if pool.under_way < POOL), None)
        if pool is None:
            pool = _Pool(wrapped(DefaultAsyncHttpxClient(verify=_tls())))
            self.kept.append(pool)
        pool.under_way += 1
        try:
            return await pool.client.send(request, **options)
        finally:
            pool.under_way -= 1

    async def until_closed(self) -> AsyncIterator[None]:
        try:
            yield
        finally:  # a loop that ends closes the generators that are left
            for pool in self.kept:
                await pool.client.aclose()


@dataclass
class _Pool:
    client: DefaultAsyncHttpxClient
    under_way: int = 0


class _ClientPerLoop(DefaultAsyncHttpxClient):
    """Sends each request through a client of the running loop."""

    def __init__(self) -> None:
        super().__init__(verify=_tls())
        self._loops: dict[asyncio.AbstractEventLoop, tuple[_Pools, AsyncIterator[None]]] = {}

    async def send(self, request: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            for old in [known for known in self._loops if known.is_closed()]:
                del self._loops[old]
            pools = _Pools()
            self._loops[loop] = pools, pools.until_closed()
            await anext(self._loops[loop][1])
        return await self._loops[loop][0].send(request, **options)


@lru_cache(maxsize=1)
def _tls() -> "ssl.SSLContext":
    """Return what each client would make for itself, of the HTTP library below openai."""
    library = import_module(DefaultAsyncHttpxClient.__mro__[1].__module__)
    made: ssl.SSLContext = library.create_ssl_context()
    return made


@lru_cache(maxsize=1)
def client_per_loop() -> DefaultAsyncHttpxClient:
    """Return the HTTP client of this process, for any event loop.

    langchain-openai shares one client a base_url in the whole process, whose connections belong to
    the loop that opened them: a second `asyncio.run` would fail with `Event loop is closed`.
    """
    return _ClientPerLoop()
