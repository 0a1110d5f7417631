"""Run the tool calls of one step: at once, each with a time limit, each call once.

1. A call that cannot run (unknown tool, wrong arguments) is answered with the right ones.
2. Tools run in daemon threads, so one that hangs neither holds up the run nor the interpreter's
   end; its thread is given up at the time limit.
3. Results are kept by (library version, tool, normalised arguments) for as long as the machine
   lives: tools only read, and the view is fixed, so an identical call has an identical result.
   One that hung or broke is no result: asked for again, the call is made again.

Not covered: ending a tool that hangs inside its thread; Python cannot.
"""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from pagehop.agents.moves import Call, Observation
from pagehop.agents.perceiver import CALL
from pagehop.errors import ToolError
from pagehop.graphs.state import State
from pagehop.graphs.threads import in_thread

PICTURE_TOOLS = frozenset({"look", "overview"})
"""Tools whose calls spend images and pixels; `read_page` does so in its form of a picture."""
MEMORY_TOOLS = frozenset({"recall"})
"""Tools that look at the run itself: the same call may have another result later."""
_KEPT = 512
"""Results kept; the oldest goes first."""


@dataclass(frozen=True)
class Done:
    """What became of one call."""

    observation: Observation
    error: str = ""
    """What a programmer needs when a tool broke; empty otherwise."""
    pictures: tuple[int, ...] = ()
    """Pixels of each picture rendered."""


@dataclass
class ToolRunner:
    """The tools of one machine and the results it has seen."""

    tools: Mapping[str, BaseTool]
    timeout_s: float
    version: int
    """Of the library; part of every key."""
    _results: dict[str, Done] = field(default_factory=dict)
    _broken: set[str] = field(default_factory=set)
    """Keys of calls that hung or broke when they were last made."""
    _schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def key(self, call: Call) -> str:
        """Return what identical calls share: spacing, order and default values do not count."""
        if call.id not in self._keys:
            self._keys[call.id] = self._key(call)
        return self._keys[call.id]

    def is_broken(self, call: Call) -> bool:
        """Whether a call hung or broke when it was last made, so that it has no result yet."""
        return self.key(call) in self._broken

    def _key(self, call: Call) -> str:
        if call.tool in MEMORY_TOOLS:
            return call.id
        schema = self._schema(call.tool)
        given = {
            name: _normal(value)
            for name, value in call.arguments.items()
            if value is not None and _normal(value) != schema.get(name, {}).get("default")
        }
        return json.dumps([self.version, call.tool, given], sort_keys=True, default=str)

    async def run(
        self,
        calls: Sequence[Call],
        *,
        seen: Collection[str] = (),
        seconds_left: float | None,
        finished: Callable[[Done], None] = lambda done: None,
    ) -> list[Done]:
        """Run calls at once and return what became of them, in the same order.

        Args:
            calls: With their ids.
            seen: Keys of the calls that the run made before; these count as repeated.
            seconds_left: Of the run; bounds each call beside the tool's own limit.
            finished: Called as each one ends, in the order in which they end.
        """
        running: dict[str, asyncio.Task[Done]] = {}

        async def one(call: Call) -> Done:
            key = self.key(call)
            repeated = key in running or (key in seen and not self.is_broken(call))
            if key not in running:
                running[key] = asyncio.create_task(self._result(call, key, seconds_left))
            done = _for_call(await running[key], call, repeated=repeated)
            finished(done)
            return done

        try:
            return list(await asyncio.gather(*(one(call) for call in calls)))
        finally:
            for task in running.values():
                task.cancel()

    async def _result(self, call: Call, key: str, seconds_left: float | None) -> Done:
        if key in self._results:
            return self._results[key]
        started = time.perf_counter()
        done = self._refused(call) or await self._executed(call, seconds_left)
        seconds = round(time.perf_counter() - started, 6)
        done = replace(done, observation=replace(done.observation, seconds=seconds))
        if done.error:
            self._broken.add(key)
            return done
        self._broken.discard(key)
        while len(self._results) >= _KEPT:
            self._results.pop(next(iter(self._results)))
        self._results[key] = done
        return done

    def _refused(self, call: Call) -> Done | None:
        if call.tool not in self.tools:
            known = ", ".join(sorted(self.tools))
            return _failed(call, f"There is no tool {call.tool!r}. The tools are: {known}.")
        schema = self._schema(call.tool)
        unknown = [name for name in call.arguments if name not in schema]
        if unknown:
            return _failed(call, f"unknown argument {unknown[0]!r}. {self._signature(call.tool)}")
        return None

    async def _executed(self, call: Call, seconds_left: float | None) -> Done:
        limit = self.timeout_s if seconds_left is None else min(self.timeout_s, seconds_left)
        tool = self.tools[call.tool]
        CALL.set(call.id)  # of the task that this call has for itself
        request = {
            "type": "tool_call", "name": call.tool, "args": dict(call.arguments), "id": call.id
        }  # fmt: skip
        try:
            async with asyncio.timeout(limit) as clock:
                if getattr(tool, "func", True) is None:
                    message = await tool.ainvoke(request)
                else:
                    message = await in_thread(tool.invoke, request)
            return _read(call, message)
        except ToolError as error:
            return _failed(call, str(error))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors()
            )
            return _failed(call, f"wrong arguments ({problems}). {self._signature(call.tool)}")
        except TimeoutError as error:
            if not clock.expired():
                return _broken(call, error)
            text = (
                f"{call.tool} gave nothing within {limit:.3g} s and was given up. Ask for less "
                "(fewer documents, a smaller k, one page), use another tool, or try once more."
            )
            return _failed(call, text, error=f"timeout after {limit:.3g} s")
        except Exception as error:
            # The boundary to code of others: whatever a tool raises is one failed call, never a
            # failed run, and goes into the record as an error.
            return _broken(call, error)

    def _schema(self, tool: str) -> Mapping[str, Any]:
        if tool not in self.tools:
            return {}
        if tool not in self._schemas:
            self._schemas[tool] = self.tools[tool].args
        return self._schemas[tool]

    def _signature(self, tool: str) -> str:
        arguments = [
            f"{name} ({schema.get('type', 'any')}"
            + (f", default {schema['default']!r})" if "default" in schema else ", needed)")
            for name, schema in self._schema(tool).items()
        ]
        return f"{tool} takes: {', '.join(arguments) or 'no arguments'}."


def within_budget(
    runner: ToolRunner, calls: Sequence[Call], *, left: Mapping[str, float], seen: Collection[str]
) -> tuple[list[Call], list[Observation]]:
    """Part calls into those the budget allows and answers to the others.

    Args:
        runner: Knows which calls are identical.
        calls: What a role asked for.
        left: Of each limit, by its name.
        seen: Keys of the calls made before, which cost nothing unless they broke.
    """
    no_pictures = min(left.get("images", 1), left.get("pixels", 1)) <= 0
    new = 0
    allowed: list[Call] = []
    refused: list[Observation] = []
    for call in calls:
        is_new = runner.key(call) not in seen or runner.is_broken(call)
        over = ""
        if is_new and new >= left.get("tool_calls", new + 1):
            over = "tool calls"
        elif no_pictures and (call.tool in PICTURE_TOOLS or call.arguments.get("form") == "image"):
            over = "pictures"
        if over:
            text = f"Not run: the budget of {over} is spent. Answer from what was found."
            refused.append(Observation(call, False, text))
        else:
            allowed.append(call)
            new += is_new
    return allowed, refused


def sums(state: State, expressions: Sequence[str]) -> list[Call]:
    """Return calls of `calculate` with ids that follow those of the step."""
    step = state["step"]
    made = sum(call.id.startswith(f"s{step}c") for call in state["tried"])
    return [
        Call("calculate", {"expression": expression}, id=f"s{step}c{made + i}")
        for i, expression in enumerate(expressions, 1)
    ]


def _read(call: Call, message: object) -> Done:
    if not isinstance(message, ToolMessage):
        message = ToolMessage(content=str(message), tool_call_id=call.id)
    content = message.content
    if not isinstance(content, str):
        parts = [part if isinstance(part, str) else part.get("text", "") for part in content]
        content = "\n".join(part for part in parts if part)
    artifact = message.artifact if isinstance(message.artifact, Mapping) else {}
    # The round trip refuses what no record or checkpoint could hold, where it came from.
    artifact = json.loads(json.dumps(artifact, allow_nan=False))
    width, height = artifact.get("width_px"), artifact.get("height_px")
    pictures = (int(width) * int(height),) if width and height else ()
    ok = message.status != "error"
    return Done(Observation(call, ok, content, artifact), pictures=pictures)


def _failed(call: Call, text: str, *, error: str = "") -> Done:
    return Done(Observation(call, False, text), error=error)


def _broken(call: Call, error: Exception) -> Done:
    text = (
        f"{call.tool} broke on this call ({type(error).__name__}); it was recorded. "
        "Use other arguments or another tool."
    )
    return _failed(call, text, error=f"{type(error).__name__}: {error}")


def _for_call(done: Done, call: Call, *, repeated: bool) -> Done:
    if not repeated:
        return replace(done, observation=replace(done.observation, call=call))
    return Done(replace(done.observation, call=call, cached=True, seconds=0.0))


def _normal(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split())
    try:
        return json.loads(text) if text[:1] in "-0123456789" else text
    except ValueError:
        return text
