"""A model by rules for the stub endpoint: it plays every role of the machine from its prompts.

    with StubEndpoint(stand_in()) as stub:
        pagehop.ask("...", view, model="openai:stub", base_url=stub.base_url)

It knows no more than a real model would: it reads the messages of a request, in any of the three
grammars, and keeps nothing between requests. It searches for the question, reads the pages found
first, keeps the sentence of each that shares most words with the question, and answers with the
best of them. Faults, attacks and throughput are measured with it.

Not covered: follow-ups, several parts, arithmetic.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pagehop.agents.prompting import shipped
from pagehop.models.stub_personalities import Personality, StubReply, StubRequest

Role = Literal[
    "planner", "explorer", "condenser", "reflector", "answerer", "standalone", "perceiver"
]
_HEAD = 60
"""Characters of a shipped prompt by which it is known."""
_REF = re.compile(r"\[([\w.-]+:\d+)\]")
_SEEN = re.compile(r'<observation tool="(\w+)"[^>]*>\n(.*?)\n</observation>', re.DOTALL)
_KEPT = re.compile(r"^(E\d+) \[[^\]]+\] for \w+[^:]*: (.*)$", re.MULTILINE)
_FAILED = "This call failed: "
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True)
class Seen:
    """One observation of the round, as a prompt shows it."""

    tool: str
    text: str


def role_of(request: StubRequest) -> Role:
    """Tell which role a request asks for."""
    texts = [content_of(message) for message in request.messages]
    system = texts[0] if texts else ""
    alone: tuple[Role, ...] = ("planner", "answerer", "standalone", "perceiver")
    for role in alone:
        if system.startswith(shipped(role)[:_HEAD]):
            return role
    if any(text.startswith(shipped("reflector")[:_HEAD]) for text in texts):
        return "reflector"
    ended = any(text.startswith(shipped("condenser")[:_HEAD]) for text in texts)
    return "condenser" if ended else "explorer"


def stand_in(*, pages: int = 1, curious: bool = False) -> Personality:
    """Return the personality.

    Args:
        pages: How many pages it reads.
        curious: It also looks at the picture of each, and at the outline of its document.
    """

    def personality(request: StubRequest) -> StubReply:
        match role_of(request):
            case "planner":
                part = {"id": "Q1", "text": question_of(request), "needs": "what it asks for"}
                return StubReply(json.dumps({"thought": "One part.", "parts": [part]}))
            case "explorer":
                return _explore(request, pages, curious=curious)
            case "condenser":
                return StubReply(json.dumps(_keep(request)))
            case "reflector":
                return StubReply(json.dumps(_judge(request)))
            case "answerer":
                return StubReply(json.dumps(_answer(request)))
            case _:
                return StubReply(question_of(request))

    return personality


def written_call(request: StubRequest, name: str, args: Mapping[str, Any]) -> StubReply:
    """Return a call in the grammar of a request: native, JSON or tags."""
    if request.tools:
        return StubReply("Next.", tool_calls=[{"name": name, "args": dict(args)}])
    call = json.dumps({"tool": name, "arguments": dict(args)})
    if in_tags(request):
        return StubReply(f"<think>Next.</think><call>{call}</call>")
    return StubReply(f'{{"thought": "Next.", "calls": [{call}]}}')


def in_tags(request: StubRequest) -> bool:
    """Tell whether the model is to write tags."""
    return shipped("grammar_tags")[:_HEAD] in content_of(request.messages[0])


def question_of(request: StubRequest) -> str:
    """Return the question of a prompt."""
    for message in request.messages[1:]:
        found = re.search(r"^(?:Question|The next question): (.+)$", content_of(message), re.M)
        if found:
            return found[1].strip()
    return content_of(request.messages[-1])


def seen_in(request: StubRequest) -> list[Seen]:
    """Return the observations of the round, oldest first, without the calls that failed."""
    names: dict[str, str] = {}
    found: list[Seen] = []
    for message in request.messages:
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        text = content_of(message)
        if message.get("role") == "tool":
            found.append(Seen(names.get(str(message.get("tool_call_id")), ""), text))
        elif message.get("role") == "user":
            found += [Seen(tool, inside) for tool, inside in _SEEN.findall(text)]
    return [one for one in found if _FAILED not in one.text]


def content_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, without its pictures."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if isinstance(part, Mapping))


def _explore(request: StubRequest, pages: int, *, curious: bool) -> StubReply:
    seen = seen_in(request)
    searched = [one.text for one in seen if one.tool == "semantic_search"]
    if not searched:
        return written_call(request, "semantic_search", {"query": question_of(request)})
    refs = list(dict.fromkeys(_REF.findall(searched[0])))[:pages]
    for tool in ("read_page", "look", "outline")[: 3 if curious else 1]:
        done = sum(one.tool == tool for one in seen)
        if done < len(refs):
            document = {"document": refs[done].rpartition(":")[0]}
            return written_call(
                request, tool, document if tool == "outline" else {"ref": refs[done]}
            )
    if request.tools:
        return StubReply("That is all that is needed.")
    return StubReply("<answer>found</answer>" if in_tags(request) else '{"done": true}')


def _keep(request: StubRequest) -> dict[str, Any]:
    wanted = _words(question_of(request))
    evidence = []
    for one in seen_in(request):
        page = _REF.search(one.text)
        if one.tool != "read_page" or page is None:
            continue
        lines = [line.strip() for line in _SENTENCE.split(one.text.partition("\n")[2])]
        # Of two with as many words the longer one: the other is often a heading.
        best = max(lines, key=lambda line: (len(wanted & _words(line)), len(line)), default="")
        if wanted & _words(best):
            evidence.append({"ref": page[1], "quote": best, "part": "Q1"})
    state = "answered" if evidence else "unanswerable"
    return {
        "evidence": evidence,
        "notes": [],
        "parts": [{"id": "Q1", "state": state}],
        "sufficient": bool(evidence),
        "give_up": not evidence,
    }


def _judge(request: StubRequest) -> dict[str, Any]:
    kept = any(_KEPT.search(content_of(message)) for message in request.messages[1:])
    state = "answered" if kept else "unanswerable"
    return {"parts": [{"id": "Q1", "state": state}], "sufficient": kept, "give_up": not kept}


def _answer(request: StubRequest) -> dict[str, Any]:
    wanted = _words(question_of(request))
    kept = _KEPT.findall("\n".join(content_of(message) for message in request.messages[1:]))
    if not kept:
        return {"claims": [], "unanswerable": True, "reason": "Nothing was kept."}
    name, quote = max(kept, key=lambda item: len(wanted & _words(item[1])))
    return {"claims": [{"text": quote, "evidence": [name]}], "unanswerable": False}


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[\w.]*\w", text.casefold()) if len(word) > 3}
