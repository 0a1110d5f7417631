"""JSON schemas of the replies, for endpoints that hold a model to one.

1. They ask for what `model_roles` reads, in the order of the examples in `prompts/`. A reply that
   follows one may still be wrong (a quote that is not on its page): it is checked as any other.
2. Every text and list has a length: a weak model otherwise writes on until its tokens are spent.
3. Where the machine knows what may be named (pages shown in this round, ids of evidence), nothing
   else can be named.

Properties may be left out where the prompts allow it, so that the schemas are not OpenAI's `strict`
ones; most servers (vLLM, llama.cpp, SGLang) follow them as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool

Schema = Mapping[str, Any]

_FIRST: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "semantic_search": (("query",), ("documents",)),
    "keyword_search": (("query",), ("documents",)),
    "list_documents": ((), ("filter",)),
    "filter_documents": (("predicate",), ()),
    "aggregate": (("field", "op"), ("documents",)),
}
FIRST_CALLED = tuple(_FIRST)
"""What a plan may call; above with what each takes, needed and not."""
FIRST_CALLS = 6
_MOST_CALLS = 8
_MOST_NAMES = 60
"""Pages or ids that a schema lists; of more it gives the form only."""
_YES_OR_NO: Schema = {"type": "boolean"}


def _text(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def _one_of(names: Sequence[str], most: int) -> Schema:
    if 0 < len(names) <= _MOST_NAMES:
        return {"type": "string", "enum": list(names)}
    return _text(most)


def _object(properties: Schema, required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema, most: int, least: int = 0) -> dict[str, Any]:
    return {
        "type": "array",
        "items": items,
        "maxItems": most,
        **({"minItems": least} if least else {}),
    }


_THOUGHT = _text(200)
_QUERY = _text(160)
_WORDS = _text(400)
"""A part of the question, a note, a reason."""
_NAMES = _text(200)
"""Of documents, comma-separated."""
_ID: Schema = {"type": "string", "enum": [f"Q{i}" for i in range(1, 9)]}
"""Of a part; as free text a weak model may write digits without end."""
_PART = {"text": _WORDS, "needs": _text(120), "documents": _NAMES}
_STATE: Schema = {"type": "string", "enum": ["open", "answered", "unanswerable"]}


def _first(tool: str) -> dict[str, Any]:
    """Return the schema of a plan's call."""
    needed, more = _FIRST[tool]
    given = {name: _NAMES if name == "documents" else _QUERY for name in (*needed, *more)}
    called = {"tool": {"type": "string", "enum": [tool]}, "arguments": _object(given, needed)}
    return _object(called, list(called))


PLAN: Schema = _object(
    {
        "thought": _THOUGHT,
        "parts": _list(
            _object({"id": _ID, **_PART, "after": _text(24)}, ["id", "text"]), most=8, least=1
        ),
        "calls": _list(
            {"anyOf": [_first(tool) for tool in FIRST_CALLED]},
            most=FIRST_CALLS,
        ),
    },
    ["parts"],
)
"""Of the planner."""

_BOX: Schema = _list({"type": "number"}, most=4, least=4)
_JUDGEMENT: Schema = {
    "parts": _list(_object({"id": _ID, "state": _STATE}, ["id", "state"]), most=8),
    "new_parts": _list(_object(_PART, ["text"]), most=4),
    "missing": _WORDS,
    "contradictions": _list(_WORDS, most=4),
    "sufficient": _YES_OR_NO,
    "give_up": _YES_OR_NO,
    "reason": _WORDS,
}

JUDGE: Schema = _object(_JUDGEMENT, ["parts", "sufficient"])
"""Of the reflector."""


def keep_schema(pages: Sequence[str]) -> Schema:
    """Return the schema of the condenser's reply.

    Args:
        pages: That were shown in this round: evidence can be on no other one.
    """
    return _object(_kept(pages), ["evidence", "parts", "sufficient"])


def _kept(pages: Sequence[str]) -> Schema:
    ref = _one_of(pages, 100)
    quoted = {"ref": ref, "quote": _text(600), "part": _ID}
    seen = {"ref": ref, "reading": _text(600), "box": _BOX, "part": _ID}
    evidence = {
        "anyOf": [
            _object(quoted, list(quoted)),
            _object(seen, ["ref", "reading", "part"]),
        ]
    }
    return {
        "evidence": _list(evidence, most=16),
        "notes": _list(_WORDS, most=8),
        "calculations": _list(_QUERY, most=8),
        **_JUDGEMENT,
    }


def answer_schema(evidence: Sequence[str], calculations: Sequence[str]) -> Schema:
    """Return the schema of the answerer's reply.

    Args:
        evidence: Ids that claims may name.
        calculations: Those of the run, likewise.
    """
    claim: dict[str, Any] = {
        "text": _text(800),
        "evidence": _list(_one_of(evidence, 8), most=8),
    }
    if calculations:
        claim["calculations"] = _list(_one_of(calculations, 8), most=8)
    fields = {
        "claims": _list(_object(claim, ["text", "evidence"]), most=16),
        "not_found": _WORDS,
        "unanswerable": _YES_OR_NO,
        "reason": _WORDS,
    }
    return _object(fields, ["claims", "unanswerable"])


def quoted_schema(pages: Sequence[str]) -> Schema:
    """Return the schema of an answer given at once from pages, each claim with its quotes.

    Args:
        pages: That were shown: quotes can be of no other one.
    """
    ref = _one_of(pages, 100)
    quote = {
        "anyOf": [
            _object({"ref": ref, "quote": _text(600)}, ["ref", "quote"]),
            _object({"ref": ref, "reading": _text(600), "box": _BOX}, ["ref", "reading"]),
        ]
    }
    claim = _object(
        {"text": _text(800), "quotes": _list(quote, most=6), "calculation": _text(200)},
        ["text", "quotes"],
    )
    fields = {
        "claims": _list(claim, most=8),
        "not_found": _WORDS,
        "unanswerable": _YES_OR_NO,
        "reason": _WORDS,
    }
    return _object(fields, ["claims", "unanswerable"])


def choice_schema(
    pages: Sequence[str], words: Sequence[str], choices: Sequence[str], *, least: Sequence[str]
) -> Schema:
    """Return the schema of a reply that picks pages.

    Args:
        pages: That were shown.
        words: Names of fields in words.
        choices: Names of fields that list pages.
        least: Fields that a reply must have.
    """
    listed = _list(_one_of(pages, 100), most=max(1, len(pages)))
    return _object({**dict.fromkeys(words, _WORDS), **dict.fromkeys(choices, listed)}, least)


def policy_schema(tools: Sequence[BaseTool], *, begun: bool) -> Schema:
    """Return the schema of a policy's turn: calls, or its answer.

    Args:
        tools: That may be called.
        begun: Something was looked up; before that there is nothing to answer from.
    """
    looks = _looks(tools)
    answers = _object({"thought": _THOUGHT, "answer": _text(800)}, ["thought", "answer"])
    return {"type": "object", "anyOf": [looks, answers]} if begun else looks


def explore_schema(tools: Sequence[BaseTool], pages: Sequence[str], *, begun: bool) -> Schema:
    """Return the schema of the explorer's reply: calls, or what it keeps, or that it is done.

    Args:
        tools: That may be called.
        pages: As for `keep_schema`.
        begun: Something was looked up; before that there is nothing to end.
    """
    looks = _looks(tools)
    if not begun:
        return looks
    keeps = _object(
        {"thought": _THOUGHT, **_kept(pages)},
        ["thought", "evidence", "parts", "sufficient"],
    )
    done = _object({"thought": _THOUGHT, "done": {"const": True}}, ["thought", "done"])
    return {"type": "object", "anyOf": [looks, keeps, done]}


def _looks(tools: Sequence[BaseTool]) -> dict[str, Any]:
    """Return the schema of a reply that calls tools."""
    calls = [
        _object(
            {"tool": {"type": "string", "enum": [tool.name]}, "arguments": _arguments(tool)},
            ["tool", "arguments"],
        )
        for tool in tools
    ]
    listed = _list({"anyOf": calls}, most=_MOST_CALLS, least=1)
    return _object({"thought": _THOUGHT, "calls": listed}, ["thought", "calls"])


def _arguments(tool: BaseTool) -> dict[str, Any]:
    """Return what a tool takes, without titles, descriptions and limits that servers differ in."""
    known = ("type", "enum", "anyOf", "items")
    properties = {}
    for name, schema in tool.args.items():
        kept = {key: schema[key] for key in known if key in schema}
        text = not kept or (kept.get("type") == "string" and "enum" not in kept)
        properties[name] = _QUERY if text else kept
    return _object(properties, [n for n, schema in tool.args.items() if "default" not in schema])


def response_format(name: str, schema: Schema) -> dict[str, Any]:
    """Return a schema as the Chat Completions protocol asks for it."""
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema)}}
