"""A user's own tools in a replay: they give what they gave when the run was recorded.

The record has the schema of each and every call with its result, but not its code. A stand-in gives
the result of the same call; a call that was not made then has none, and is told so.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from pagehop.trajectories.calls import ToolCallRecord
from pagehop.trajectories.episode import Episode

if TYPE_CHECKING:
    from pagehop.trajectories.manifest import RunManifest


def recorded_tools(
    manifest: "RunManifest", episode: Episode, known: Sequence[BaseTool]
) -> tuple[BaseTool, ...]:
    """Return stand-ins for the tools of a run that are none of pagehop's.

    Args:
        manifest: Of the run.
        episode: Whose calls are given again.
        known: The library's own tools, which run anew.
    """
    names = {tool.name for tool in known}
    return tuple(
        _stand_in(told, [call for call in episode.tool_calls if call.tool == told["name"]])
        for told in manifest.tools
        if told["name"] not in names
    )


def _stand_in(told: Mapping[str, Any], calls: Sequence[ToolCallRecord]) -> BaseTool:
    given = {_key(call.arguments): call for call in reversed(calls)}

    def call(**arguments: Any) -> tuple[str, dict[str, Any]]:
        found = given.get(_key(arguments))
        if found is None:
            raise ToolException(
                f"{told['name']} was not called with these arguments when the run was recorded; "
                "a replay has its results, not its code"
            )
        if found.error:
            name, _, words = found.error.partition(": ")
            raise type(name, (Exception,), {})(words)
        if not found.ok:
            raise ToolException(found.result)
        return found.result, dict(found.artifact)

    return StructuredTool(
        name=told["name"], description=told["description"], func=call,
        args_schema=json.loads(told["parameters_json"]), response_format="content_and_artifact",
        handle_tool_error=True,
    )  # fmt: skip


def _key(arguments: Mapping[str, Any]) -> str:
    given = {name: value for name, value in arguments.items() if value is not None}
    return json.dumps(given, sort_keys=True, default=str)
