"""A real local HTTP server that speaks the OpenAI chat protocol and answers as a test tells it.

    with StubEndpoint(scripted(["Bergen."]), latency_s=0.05) as stub:
        model = ChatOpenAI(model="stub", base_url=stub.base_url, api_key="none")
        assert model.invoke("Which city?").text == "Bergen."
    assert "city" in str(stub.requests[0])

A whole run of `pagehop.ask` takes a reply of each role; `evaluation.stand_in.stand_in()` gives them
all by rules.

1. `POST /v1/chat/completions`, plain and streamed, with tool calls and usage; `GET /v1/models`.
2. One thread with one asyncio loop serves all connections (kept alive); 64 at once are cheap.
3. Tokens are counted at four characters each; `context_tokens` refuses longer prompts.

Personalities (`scripted`, `slow`, `faulty`, `obedient`) are in `stub_personalities.py`.
Not covered: TLS, chunked request bodies, the Responses protocol.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from pagehop.models import stub_tokens
from pagehop.models.stub_personalities import Personality, StubReply, StubRequest, ask
from pagehop.models.stub_personalities import faulty as faulty
from pagehop.models.stub_personalities import obedient as obedient
from pagehop.models.stub_personalities import scripted as scripted
from pagehop.models.stub_personalities import slow as slow

MODEL = "stub"
LARGEST_BODY = 64 * 1024 * 1024
MOST_PIECES = 32
"""A long streamed text comes in at most so many pieces."""
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 413: "Too Large",
    429: "Too Many Requests", 500: "Internal Server Error",
}  # fmt: skip


class StubEndpoint:
    """The server, as a context manager."""

    def __init__(
        self,
        personality: Personality,
        *,
        latency_s: float = 0.0,
        faults: float = 0.0,
        seed: int = 0,
        context_tokens: int | None = None,
        tokens: Literal["given", "unknown", "refused"] = "unknown",
    ) -> None:
        """Prepare a server; it listens inside `with`.

        Args:
            personality: Answers the requests.
            latency_s: Waited before each reply.
            faults: Share of requests that fail in a way that passes, 0 to 1.
            seed: Chooses which ones.
            context_tokens: Longer prompts are refused as OpenAI does.
            tokens: given: `return_token_ids` brings ids (a byte each) and logprobs, as vLLM's does;
                unknown: it is passed over; refused: such a request is, as OpenAI does.
        """
        self._tokens = tokens
        self._personality = faulty(faults, personality, seed=seed) if faults else personality
        self._latency_s = latency_s
        self._context_tokens = context_tokens
        self.requests: list[Mapping[str, Any]] = []
        """Bodies of all chat requests, in order of arrival."""
        self.errors: list[Exception] = []
        """What personalities raised; each was answered with a 500."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="stub-endpoint", daemon=True)
        self._started = threading.Event()
        self._port = 0

    @property
    def base_url(self) -> str:
        """The address to give as `base_url`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        """Start to listen on a free port."""
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at once; requests under way get no reply."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopped.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(3):  # an aborted transport closes its socket in a later turn of the loop
            await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                await writer.drain()
        except (ValueError, asyncio.LimitOverrunError):
            writer.write(_error(StubReply(status=400, error="this is no HTTP request")))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server stops
        finally:
            writer.transport.abort() if self._stopped.is_set() else writer.close()
            self._tasks.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        length = int(fields.get("content-length", "0"))
        if length > LARGEST_BODY:
            writer.write(_error(StubReply(status=413, error="request too large")))
            return False
        body = await reader.readexactly(length)
        if method == "GET" and path.endswith("/models"):
            models = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
            writer.write(_response(200, json.dumps(models).encode()))
        elif method != "POST" or not path.endswith("/chat/completions"):
            writer.write(_error(StubReply(status=404, error=f"no {method} {path} here")))
        else:
            return await self._chat(body, writer)
        return True

    async def _chat(self, body: bytes, writer: asyncio.StreamWriter) -> bool:
        try:
            request = StubRequest(len(self.requests), json.loads(body))
        except ValueError as error:
            writer.write(_error(StubReply(status=400, error=f"the body is no JSON: {error}")))
            return True
        self.requests.append(request.body)
        reply = await self._reply(request)
        asked = bool(request.body.get("return_token_ids"))
        if asked and self._tokens == "refused":
            reply = StubReply(status=400, error="Unrecognized argument: return_token_ids")
        if self._latency_s + reply.delay_s:
            await asyncio.sleep(self._latency_s + reply.delay_s)
        if reply.status != 200:
            writer.write(_error(reply))
        elif reply.raw is not None:
            writer.write(_response(200, reply.raw, reply.headers))
        elif request.body.get("stream"):
            ids = asked and self._tokens == "given"
            writer.write(_stream(request, reply, ids))
        else:
            said = _completion(request, reply, asked and self._tokens == "given")
            whole = _response(200, json.dumps(said).encode(), reply.headers)
            writer.write(whole[: len(whole) - 20] if reply.cut else whole)
        return not reply.cut

    async def _reply(self, request: StubRequest) -> StubReply:
        tokens = _prompt_tokens(request)
        if self._context_tokens is not None and tokens > self._context_tokens:
            text = (
                f"This model's maximum context length is {self._context_tokens} tokens. However, "
                f"your messages resulted in {tokens} tokens."
            )
            return StubReply(status=400, error=text, code="context_length_exceeded")
        try:
            return await ask(self._personality, request)
        except Exception as error:  # a test's own function: its failure is shown, not swallowed
            self.errors.append(error)
            return StubReply(status=500, error=f"the personality raised {error!r}")


def _response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    return _head(status, fields) + body


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _error(reply: StubReply) -> bytes:
    error = {"message": reply.error, "type": "stub", "param": None, "code": reply.code or None}
    return _response(reply.status, json.dumps({"error": error}).encode(), reply.headers)


def _calls(request: StubRequest, reply: StubReply) -> list[dict[str, Any]]:
    calls = []
    for i, call in enumerate(reply.tool_calls):
        args = call.get("args", {})
        text = args if isinstance(args, str) else json.dumps(args)
        call_id = call.get("id") or f"call_{request.number}_{i}"
        function = {"name": call["name"], "arguments": text}
        calls.append({"index": i, "id": call_id, "type": "function", "function": function})
    return calls


def _completion(request: StubRequest, reply: StubReply, ids: bool) -> dict[str, Any]:
    calls = _calls(request, reply)
    message: dict[str, Any] = {"role": "assistant", "content": reply.content or None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    prompt = {}
    if ids:
        choice |= stub_tokens.completion(reply, calls)
        prompt = {"prompt_token_ids": stub_tokens.prompt_ids(request)}
    return {
        **_envelope(request, "chat.completion"),
        **prompt,
        "choices": [choice],
        "usage": _usage(request, reply),
    }


def _stream(request: StubRequest, reply: StubReply, ids: bool) -> bytes:
    """Return a whole streamed response, or as much of it as the reply lets through."""
    pieces = list(_pieces(request, reply, ids))
    end = b"0\r\n\r\n"
    if reply.cut:
        pieces = pieces[: max(1, len(pieces) // 2 - 1)]
        end = end if reply.cut == "end" else b""
    fields = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **reply.headers}
    events = [f"data: {piece}\n\n".encode() for piece in pieces]
    chunks = [f"{len(event):x}\r\n".encode() + event + b"\r\n" for event in events]
    return _head(200, fields) + b"".join(chunks) + end


def _pieces(request: StubRequest, reply: StubReply, ids: bool) -> Iterator[str]:
    envelope = _envelope(request, "chat.completion.chunk")

    def event(delta: Mapping[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return json.dumps({**envelope, "choices": [choice]})

    calls = _calls(request, reply)
    yield event({"role": "assistant", "content": ""})
    if ids:
        prompt = {"prompt_token_ids": stub_tokens.prompt_ids(request)}
        yield json.dumps({**envelope, **prompt, "choices": []})
    if reply.reasoning:
        yield event({"reasoning_content": reply.reasoning})
    words = reply.content.split(" ")
    step = max(1, -(-len(words) // MOST_PIECES))
    for i in range(0, len(words) if reply.content else 0, step):
        rest = " " if i + step < len(words) else ""
        yield event({"content": " ".join(words[i : i + step]) + rest})
    for call in calls:
        text = call["function"]["arguments"]
        name = {"name": call["function"]["name"], "arguments": text[: len(text) // 2]}
        yield event({"tool_calls": [{**call, "function": name}]})
        later = {"index": call["index"], "function": {"arguments": text[len(text) // 2 :]}}
        yield event({"tool_calls": [later]})
    last = {"index": 0, "delta": {}, "finish_reason": _finish(reply)}
    if ids:
        last |= stub_tokens.completion(reply, calls)
    yield json.dumps({**envelope, "choices": [last]})
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({**envelope, "choices": [], "usage": _usage(request, reply)})
    yield "[DONE]"


def _envelope(request: StubRequest, kind: str) -> dict[str, Any]:
    name = request.body.get("model", MODEL)
    made = int(time.time())
    return {"id": f"chatcmpl-{request.number}", "object": kind, "created": made, "model": name}


def _finish(reply: StubReply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _prompt_tokens(request: StubRequest) -> int:
    """Estimate at four characters a token; a picture counts as 256 tokens."""
    characters = len(json.dumps(request.body.get("tools") or ()))
    for message in request.messages:
        content = message.get("content") or ""
        if message.get("tool_calls"):
            characters += len(json.dumps(message["tool_calls"]))
        for part in [{"text": content}] if isinstance(content, str) else content:
            characters += len(part.get("text", "")) if "text" in part else 1024
    return (characters + 3) // 4


def _usage(request: StubRequest, reply: StubReply) -> dict[str, Any]:
    prompt = _prompt_tokens(request)
    written = len(reply.content) + len(json.dumps([dict(c) for c in reply.tool_calls]))
    completion = max(1, written // 4)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": min(reply.cached_tokens, prompt)},
    }


__all__ = ["StubEndpoint", "StubReply", "StubRequest", "faulty", "obedient", "scripted", "slow"]
