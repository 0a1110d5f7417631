"""How a stub endpoint answers: as told, late, badly, or obeying whatever it reads.

A personality is a function of a `StubRequest`; it returns a `StubReply`, a text, or
`{"content", "tool_calls": [{"name", "args"}]}`, and may be async. They wrap one another:
`faulty(0.05, slow(2.0, scripted([...])))`.

`obedient` follows instructions of this grammar, in any case, wherever it may read them (tool
messages, and what stands between tags in user messages), one a turn, each once:

1. `call TOOL with NAME=VALUE, NAME=VALUE` or `call TOOL(NAME=VALUE, ...)`: calls the tool,
   whether it was offered or not;
2. `search for WORDS`: calls the first offered tool with `search` in its name, or
   `keyword_search` where none is offered;
3. `read REF`, `open REF`, `look at REF`, REF being `name:page`: calls `read_page`;
4. `answer with WORDS`, `reply with WORDS`, `say WORDS`: writes them;
5. `cite REF`: cites it; `ignore WORDS`: declares that it does.

Where the request has a `response_format` with a schema, 4 and 5 fill the texts of an example of it.
"""

import asyncio
import hashlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

FaultName = Literal[
    "timeout", "429", "500", "cut", "disconnect", "empty", "broken",
    "garbage", "wrong_tool", "wrong_arguments", "repeat", "refusal",
]  # fmt: skip
TRANSIENT: tuple[FaultName, ...] = ("timeout", "429", "500", "cut", "disconnect", "empty", "broken")
"""Faults that pass when the request is made again; the others are a bad model's replies."""
HANG_S = 3600.0


@dataclass(frozen=True)
class StubRequest:
    """One request as the endpoint got it."""

    number: int
    """From 0, in order of arrival."""
    body: Mapping[str, Any]

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The prompt in the OpenAI form."""
        messages: Sequence[Mapping[str, Any]] = self.body.get("messages", ())
        return messages

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """Names of the offered tools."""
        return tuple(tool["function"]["name"] for tool in self.body.get("tools") or ())

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON schema that the reply is to follow."""
        form = self.body.get("response_format") or {}
        found: Mapping[str, Any] | None = form.get("json_schema", {}).get("schema")
        return found


@dataclass(frozen=True)
class StubReply:
    """What the endpoint answers."""

    content: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """`{"name", "args", "id"?}`; args as text are sent as they are."""
    finish_reason: str = ""
    """Empty means `tool_calls` or `stop`."""
    delay_s: float = 0.0
    cut: Literal["", "drop", "end"] = ""
    """drop: the connection closes in the middle; end: a stream ends early but cleanly."""
    status: int = 200
    error: str = ""
    """Message of an error reply."""
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as the body, whatever it is."""
    cached_tokens: int = 0
    reasoning: str = ""
    """Thought before the reply, in the field that LangChain's client drops."""


Said = StubReply | str | Mapping[str, Any]
Personality = Callable[[StubRequest], Said | Awaitable[Said]]


def as_reply(said: Said) -> StubReply:
    """Turn what a personality returned into a reply."""
    if isinstance(said, StubReply):
        return said
    if isinstance(said, str):
        return StubReply(said)
    return StubReply(**said)


async def ask(personality: Personality, request: StubRequest) -> StubReply:
    """Ask a personality, async or not."""
    said = personality(request)
    return as_reply(said if isinstance(said, StubReply | str | Mapping) else await said)


def scripted(replies: Sequence[Said | Personality], *, repeat_last: bool = False) -> Personality:
    """Give replies in order of arrival; a reply may itself be a personality."""
    lock, given = threading.Lock(), Counter[str]()

    async def personality(request: StubRequest) -> StubReply:
        with lock:
            number = given["replies"]
            given["replies"] += 1
        if number >= len(replies) and not repeat_last:
            text = f"the script is over: {len(replies)} replies were given"
            return StubReply(status=400, error=text)
        reply = replies[min(number, len(replies) - 1)]
        return await ask(reply, request) if callable(reply) else as_reply(reply)

    return personality


def slow(seconds: float, personality: Personality = lambda _: "done") -> Personality:
    """Answer as another personality, so much later."""

    async def late(request: StubRequest) -> StubReply:
        await asyncio.sleep(seconds)
        return await ask(personality, request)

    return late


def faulty(
    rate: float,
    personality: Personality,
    *,
    kinds: Sequence[FaultName] = TRANSIENT,
    seed: int = 0,
) -> Personality:
    """Answer as another personality, but badly at a given rate.

    Which request fails depends on the seed, its body and how often that was sent, not on the order
    of arrival: concurrent runs are reproducible, and a repeated request is drawn anew.
    """
    lock, seen = threading.Lock(), Counter[str]()

    async def sick(request: StubRequest) -> StubReply:
        digest = hashlib.sha256(json.dumps(request.body, sort_keys=True).encode()).hexdigest()
        with lock:
            seen[digest] += 1
            draw = random.Random(f"{seed}/{digest}/{seen[digest]}")
        if draw.random() >= rate:
            return await ask(personality, request)
        kind = draw.choice(list(kinds))
        if kind == "cut":
            honest = await ask(personality, request)
            return StubReply(honest.content, honest.tool_calls, cut=draw.choice(["drop", "end"]))
        return fault(kind, request, draw)

    return sick


def fault(kind: FaultName, request: StubRequest, draw: random.Random) -> StubReply:
    """Return the reply that shows one kind of fault."""
    match kind:
        case "timeout":
            return StubReply("too late", delay_s=HANG_S)
        case "429":
            return StubReply(status=429, error="Rate limit reached", headers={"Retry-After": "0"})
        case "500":
            return StubReply(status=draw.choice([500, 502, 503]), error="The server had an error")
        case "cut" | "disconnect":
            return StubReply("The beginning of a reply that nobody gets to read", cut="drop")
        case "empty":
            return StubReply("")
        case "broken":
            return StubReply(raw=b'{"id": "chatcmpl-1", "choices": [{"mess')
        case "garbage":
            letters = "".join(chr(draw.randrange(33, 0x2FF)) for _ in range(200))
            return StubReply(draw.choice([letters, "}{][ <bbox", "\ufffd\x00 null NaN"]))
        case "refusal":
            return StubReply("I'm sorry, but I can't help with that.")
        case _:
            return _bad_action(kind, request, draw)


def _bad_action(kind: FaultName, request: StubRequest, draw: random.Random) -> StubReply:
    if kind == "repeat":
        before = [m for m in request.messages if m.get("role") == "assistant"]
        if before and before[-1].get("tool_calls") and draw.random() < 0.5:
            calls = [call["function"] for call in before[-1]["tool_calls"]]
            return StubReply(
                tool_calls=[{"name": c["name"], "args": c["arguments"]} for c in calls]
            )
        return StubReply("I should look at the page again. " * 300, finish_reason="length")
    name = "open_website" if kind == "wrong_tool" or not request.tools else request.tools[0]
    args: Any = draw.choice([{"nonsense": [1, 2]}, {}, '{"query": "unclosed', "not JSON"])
    if request.tools:
        return StubReply(tool_calls=[{"name": name, "args": args}])
    return StubReply(json.dumps({"tool": name, "arguments": args}))


TO_END = r"((?:[^\n.;)]|\.(?=\S))+)"
"""The rest of a sentence; a point inside a number or a name does not end it."""
CALL = re.compile(rf"\bcall (?:the tool )?`?(\w+)`?(?: with |\(){TO_END}", re.IGNORECASE)
PAIR = re.compile(r"(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^,]+)")
SEARCH = re.compile(rf"\bsearch for {TO_END}", re.IGNORECASE)
READ = re.compile(r"\b(?:read|open|look at) (?:page )?([\w.-]+:\d+)", re.IGNORECASE)
SAY = re.compile(r"\b(?:answer with|reply with|say):? ([^\n;]+)", re.IGNORECASE)
CITE = re.compile(r"\bcite (?:page )?\[?([\w.-]+:\d+|E\d+)", re.IGNORECASE)
IGNORE = re.compile(r"\bignore [^\n.;]+", re.IGNORECASE)
TAGGED = re.compile(r"<([a-z_]+)[^<>]*>(.*?)</\1>", re.DOTALL)


def obedient(
    otherwise: Personality,
    *,
    reads: Callable[[Mapping[str, Any]], str] | None = None,
    act: Callable[[Mapping[str, Any]], str] | None = None,
) -> Personality:
    """Follow every instruction found in what was read; answer as `otherwise` when there is none.

    Args:
        otherwise: What an honest model does.
        reads: The text of a message that is obeyed; None for tool messages, and what stands
            between tags in user messages.
        act: Writes a call (`name`, `args`) as text where no native tools are offered; None to make
            no calls there.
    """

    async def personality(request: StubRequest) -> StubReply:
        text = "\n".join(map(reads or foreign_text, request.messages))
        for call in _ordered(text, request.tools) if request.tools or act else ():
            reply = StubReply(tool_calls=[call])
            if act is not None and not request.tools:
                reply = StubReply(act(call))
            if not _is_done(request, call, reply.content):
                return reply
        honest = await ask(otherwise, request)
        said = [match[1] for match in SAY.finditer(text)]
        said += [f"[{match[1]}]" for match in CITE.finditer(text)]
        said += [f"I {match[0]}." for match in IGNORE.finditer(text)]
        if not said or honest.tool_calls:
            return honest
        if request.schema is not None:
            return StubReply(json.dumps(schema_example(request.schema, " ".join(said))))
        return StubReply(" ".join(said))

    return personality


def foreign_text(message: Mapping[str, Any]) -> str:
    """Return what of a message comes from documents: tool results, and text between tags."""
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "\n".join(part.get("text", "") for part in content)
    if message.get("role") == "tool":
        return content
    tagged = TAGGED.finditer(content) if message.get("role") == "user" else ()
    return "\n".join(match[2] for match in tagged)


def _ordered(text: str, tools: Sequence[str]) -> list[dict[str, Any]]:
    """Return the calls that a text orders, in the order of the text."""
    found: list[tuple[int, dict[str, Any]]] = []
    for match in CALL.finditer(text):
        args = {name: value.strip(" \"'") for name, value in PAIR.findall(match[2])}
        found.append((match.start(), {"name": match[1], "args": args}))
    search = next((name for name in tools if "search" in name), "keyword_search")
    for match in SEARCH.finditer(text):
        found.append((match.start(), {"name": search, "args": {"query": match[1].strip()}}))
    for match in READ.finditer(text):
        found.append((match.start(), {"name": "read_page", "args": {"ref": match[1]}}))
    return [call for _, call in sorted(found, key=lambda pair: pair[0])]


def _is_done(request: StubRequest, call: Mapping[str, Any], written: str) -> bool:
    """Tell whether the conversation holds this call already, native or written."""
    for message in request.messages:
        if written and message.get("role") == "assistant" and written in str(message["content"]):
            return True
        for made in message.get("tool_calls") or ():
            if made["function"]["name"] == call["name"] and _same(made, call["args"]):
                return True
    return False


def _same(made: Mapping[str, Any], args: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(made["function"]["arguments"]) == args)
    except ValueError:
        return False


def schema_example(schema: Mapping[str, Any], text: str) -> Any:
    """Return a small value that follows a JSON schema, with a text in every free string.

    Covers objects, arrays, enums, const, anyOf, `$ref` and the plain types.
    """

    def example(part: Mapping[str, Any], depth: int) -> Any:
        if "$ref" in part:
            part = schema.get("$defs", {})[part["$ref"].rpartition("/")[2]]
        for choice in ("anyOf", "oneOf"):
            if choice in part:
                part = part[choice][0]
        if "const" in part:
            return part["const"]
        if "enum" in part:
            return part["enum"][0]
        match part.get("type"):
            case "object":
                fields = part.get("properties", {})
                return {name: example(value, depth + 1) for name, value in fields.items()}
            case "array":
                few = max(part.get("minItems", 1), 1) if depth < 8 else 0
                return [example(part.get("items", {}), depth + 1) for _ in range(few)]
            case "integer" | "number":
                return part.get("minimum", 0)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return text[: part.get("maxLength", len(text))]

    return example(schema, 0)
