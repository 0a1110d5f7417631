"""How a plain function becomes a tool: its docstring is the prompt, its errors reach the model.

1. A tool function returns a `Result`: text for the model, an artifact of references for the
   record, perhaps a picture.
2. `ToolError`, and what the library says about a wrong name, page or argument, becomes a tool
   message with status `error`, for any LangChain or LangGraph agent, whatever its settings.
   Anything else is a bug and is raised.
"""

import asyncio
import base64
import inspect
import io
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from pagehop.errors import ConfigError, LibraryError, ToolError

if TYPE_CHECKING:
    from PIL.Image import Image

Content = str | list[dict[str, Any]]


class Arguments(BaseModel):
    """Arguments of a tool: flat strings and numbers."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)


@dataclass(frozen=True)
class Result:
    """What a tool gives back."""

    text: str
    """Compact; what the model reads."""
    artifact: dict[str, Any]
    """JSON-able references only: page references, boxes, region ids, scores."""
    picture: "Image | None" = None
    """Sent after the text, as a PNG."""


def make_tool(function: Callable[..., Result], arguments: type[Arguments]) -> BaseTool:
    """Make a LangChain tool of a function that bears the tool's name.

    Args:
        function: Its docstring is what the model reads.
        arguments: Its arguments with a description each.
    """

    @wraps(function)
    def call(**values: Any) -> tuple[Content, dict[str, Any]]:
        try:
            result = function(**values)
        except (ToolError, LibraryError, ConfigError) as error:
            raise ToolException(str(error)) from error
        return _content(result), result.artifact

    @wraps(function)
    async def call_async(**values: Any) -> tuple[Content, dict[str, Any]]:
        return await asyncio.to_thread(call, **values)

    coroutine: Callable[..., Coroutine[Any, Any, tuple[Content, dict[str, Any]]]] = call_async
    shape = _shape(function.__name__, function.__doc__ or "", arguments)
    return shape.model_copy(update={"func": call, "coroutine": coroutine})


@lru_cache(maxsize=128)
def _shape(name: str, description: str, arguments: type[Arguments]) -> StructuredTool:
    """Return a tool that lacks its function: all views share one, whose schema is made once.

    LangChain keeps a tool's schema with the tool, and copies have what the original has; made anew
    for each run, it would cost more than the call.
    """
    shape = StructuredTool(
        name=name,
        description=inspect.cleandoc(description),
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=_wrong_arguments(name, arguments),
    )
    assert shape.args is not None
    return shape


def _wrong_arguments(
    name: str, arguments: type[Arguments]
) -> Callable[[ValidationError | ValidationErrorV1], str]:
    known = ", ".join(
        field if info.is_required() else f"{field}={info.default!r}"
        for field, info in arguments.model_fields.items()
    )

    def explain(error: ValidationError | ValidationErrorV1) -> str:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors()
        )
        return f"wrong arguments ({wrong}); call {name}({known})"

    return explain


def _content(result: Result) -> Content:
    if result.picture is None:
        return result.text
    png = io.BytesIO()
    result.picture.convert("RGB").save(png, format="PNG")
    picture = base64.b64encode(png.getvalue()).decode("ascii")
    return [
        {"type": "text", "text": result.text},
        {"type": "image", "base64": picture, "mime_type": "image/png"},
    ]
