"""What a model is told of the tools: the essentials, the same in every prompt of a run.

1. The first line of a tool's text, the paragraph with the syntax where two follow, and the
   arguments: every prompt repeats them, so that an endpoint reuses them, and the explorer's own
   prompt says how to work with them. The whole text is for agents that have no such prompt.
   An argument that an earlier tool has, too, with the same text, has it there only; one with a
   list of its values needs none.
2. A tool of which an argument has no description is always shown whole.
3. A prompt that was too long for its endpoint gets one line a tool.

Each form is made once a run: the same text in every prompt is what endpoints reuse, and making
schemas takes milliseconds.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool

Form = Literal["whole", "short", "line"]
_LIMITS = ("default", "minimum", "maximum", "minLength", "maxLength")
"""Of an argument: a call that breaks one is answered with them."""


class ToolTexts:
    """The tools of a run as prompts show them."""

    def __init__(self, tools: Sequence[BaseTool]) -> None:
        """Take the tools in the order in which they are shown."""
        self._tools = tuple(tools)
        self._native: dict[Form, list[dict[str, Any]]] = {}
        self._written: dict[Form, str] = {}
        self._sha256: dict[Form, str] = {}

    def native(self, form: Form) -> list[dict[str, Any]]:
        """Return schemas for native calls."""
        if form not in self._native:
            whole = [_schema(tool) for tool in self._tools]
            told: set[tuple[str, str]] = set()
            short = (_short(tool, told) for tool in whole)
            self._native[form] = whole if form == "whole" else list(short)
        return self._native[form]

    def sha256(self, form: Form) -> str:
        """Return the hash of the schemas for native calls, which tells tool lists apart."""
        if form not in self._sha256:
            text = json.dumps(self.native(form), sort_keys=True, ensure_ascii=False)
            self._sha256[form] = hashlib.sha256(text.encode()).hexdigest()
        return self._sha256[form]

    def written(self, form: Form) -> str:
        """Return the tools as text, for the grammars in which calls are text."""
        if form not in self._written:
            between = "\n" if form == "line" else "\n\n"
            shown = (_described(tool["function"], form) for tool in self.native("whole"))
            self._written[form] = between.join(shown)
        return self._written[form]


def _schema(tool: BaseTool) -> dict[str, Any]:
    arguments = tool.args_schema
    if type(tool) is StructuredTool and isinstance(arguments, type):
        return _schema_of(tool.name, tool.description, arguments)
    return convert_to_openai_tool(tool)


@lru_cache(maxsize=128)
def _schema_of(name: str, description: str, arguments: type) -> dict[str, Any]:
    """Return the schema of all tools that are the same but for the view they hold."""
    made = StructuredTool(name=name, description=description, args_schema=arguments)
    return convert_to_openai_tool(made)


def _short(tool: Mapping[str, Any], told: set[tuple[str, str]]) -> dict[str, Any]:
    """Return a schema with the essentials.

    Args:
        tool: Whole.
        told: Arguments and their texts in the tools before, to which those of this one are added.
    """
    function = tool["function"]
    arguments = function["parameters"]["properties"]
    if not _explained(function):
        return dict(tool)
    slim = {}
    for name, schema in arguments.items():
        says_itself = "enum" in schema or (name, schema["description"]) in told
        left_out = (*_LIMITS, "description") if says_itself else _LIMITS
        slim[name] = {key: value for key, value in schema.items() if key not in left_out}
        told.add((name, schema["description"]))
    parameters = {**function["parameters"], "properties": slim}
    about = _essentials(function)
    return {**tool, "function": {**function, "description": about, "parameters": parameters}}


def _described(function: Mapping[str, Any], form: Form) -> str:
    arguments = function["parameters"]["properties"]
    about = " ".join(function["description"].split())
    if form == "line":
        first = about.partition(". ")[0].rstrip(".")
        needed = {n: s for n, s in arguments.items() if "enum" in s and "default" not in s}
        named = (f"{n}: {_choices(needed[n])}" if n in needed else n for n in arguments)
        return f"{function['name']}({', '.join(named)}): {first}."
    if form == "short" and _explained(function):
        about = _essentials(function)
    lines = [f"{function['name']}: {about}"]
    for name, schema in arguments.items():
        default = f", default {schema['default']!r}" if "default" in schema else ", needed"
        kind = f"{schema.get('type', 'string')}{default}"
        choices = f"one of {_choices(schema)}" if "enum" in schema else ""
        text = "; ".join(filter(None, (schema.get("description"), choices)))
        lines.append(f"  - {name} ({kind}): {text}")
    return "\n".join(lines)


def _choices(schema: Mapping[str, Any]) -> str:
    return " | ".join(str(value) for value in schema["enum"])


def _explained(function: Mapping[str, Any]) -> bool:
    arguments = function["parameters"]["properties"]
    return all(schema.get("description") for schema in arguments.values())


def _essentials(function: Mapping[str, Any]) -> str:
    """Return the first line of a tool's text, and the syntax where a paragraph after it has it."""
    paragraphs = str(function["description"]).split("\n\n")
    return " ".join(" ".join(paragraphs[: 2 if len(paragraphs) > 2 else 1]).split())
