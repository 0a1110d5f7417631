"""JSON schemas of the four replies, for endpoints that hold a model to one.

They ask for what `model_roles` reads, in the order of the examples in `prompts/`. A reply that
follows one may still be wrong (a page that was never read): it is checked as any other.

Properties may be left out where the prompts allow it, so that the schemas are not OpenAI's `strict`
ones; most servers (vLLM, llama.cpp, SGLang) follow them as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
"""Without `maxLength`, which makes llama.cpp ten times slower; the endpoint limits the tokens."""
_YES_OR_NO: Schema = {"type": "boolean"}
_MOST_CALLS = 8
FIRST_TOOLS = ("semantic_search", "keyword_search")
"""What a plan may call."""
FIRST_CALLS = 6


def _object(properties: Schema, required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema, most: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, **({"maxItems": most} if most else {})}


_ID: Schema = {"type": "string", "enum": [f"Q{i}" for i in range(1, 9)]}
"""Of a part; as free text a weak model may write digits without end."""
_PART = {"text": _TEXT, "needs": _TEXT, "documents": _TEXT}
_STATE: Schema = {"type": "string", "enum": ["open", "answered", "unanswerable"]}

PLAN: Schema = _object(
    {
        "thought": _TEXT,
        "parts": {
            **_list(_object({"id": _ID, **_PART, "after": _TEXT}, ["id", "text"]), most=8),
            "minItems": 1,
        },
        "calls": _list(
            _object(
                {
                    "tool": {"type": "string", "enum": list(FIRST_TOOLS)},
                    "arguments": _object({"query": _TEXT, "documents": _TEXT}, ["query"]),
                },
                ["tool", "arguments"],
            ),
            most=FIRST_CALLS,
        ),
    },
    ["parts"],
)
"""Of the planner."""

_QUOTED = _object({"ref": _TEXT, "quote": _TEXT, "part": _ID}, ["ref", "quote", "part"])
_BOX: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_SEEN = _object(
    {"ref": _TEXT, "reading": _TEXT, "box": _BOX, "part": _ID}, ["ref", "reading", "part"]
)

_JUDGEMENT: Schema = {
    "parts": _list(_object({"id": _ID, "state": _STATE}, ["id", "state"]), most=8),
    "new_parts": _list(_object(_PART, ["text"]), most=8),
    "missing": _TEXT,
    "contradictions": _list(_TEXT, most=8),
    "sufficient": _YES_OR_NO,
    "give_up": _YES_OR_NO,
    "reason": _TEXT,
}

KEEP: Schema = _object(
    {
        "evidence": _list({"anyOf": [_QUOTED, _SEEN]}, most=24),
        "notes": _list(_TEXT, most=12),
        **_JUDGEMENT,
    },
    ["evidence", "parts", "sufficient"],
)
"""Of the condenser."""

JUDGE: Schema = _object(_JUDGEMENT, ["parts", "sufficient"])
"""Of the reflector."""

_CLAIM = _object(
    {"text": _TEXT, "evidence": _list(_TEXT, most=12), "calculations": _list(_TEXT, most=12)},
    ["text", "evidence"],
)

ANSWER: Schema = _object(
    {
        "claims": _list(_CLAIM, most=24),
        "not_found": _TEXT,
        "unanswerable": _YES_OR_NO,
        "reason": _TEXT,
    },
    ["claims", "unanswerable"],
)
"""Of the answerer."""


def calls_schema(tools: Sequence[BaseTool]) -> Schema:
    """Return the schema of the explorer's reply: calls with their arguments, or what it keeps."""
    calls = [
        _object(
            {"tool": {"type": "string", "enum": [tool.name]}, "arguments": _arguments(tool)},
            ["tool", "arguments"],
        )
        for tool in tools
    ]
    fields: dict[str, Any] = {"thought": _TEXT, "done": _YES_OR_NO, **KEEP["properties"]}
    if calls:
        fields["calls"] = _list({"anyOf": calls}, most=_MOST_CALLS)
    return _object(fields, ["thought"])


def _arguments(tool: BaseTool) -> dict[str, Any]:
    """Return what a tool takes, without titles, descriptions and limits that servers differ in."""
    known = ("type", "enum", "anyOf", "items")
    properties = {
        name: {key: schema[key] for key in known if key in schema} or _TEXT
        for name, schema in tool.args.items()
    }
    return _object(properties, [n for n, schema in tool.args.items() if "default" not in schema])


def response_format(name: str, schema: Schema) -> dict[str, Any]:
    """Return a schema as the Chat Completions protocol asks for it."""
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema)}}
