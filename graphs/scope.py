"""What lives as long as one run and is no part of its state: roles, tools and their results.

A run that is resumed in another process starts with an empty scope and goes on the same way:
whatever a scope holds is a function of the view and of what the state says was done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from langchain_core.tools import BaseTool

from pagehop.agents.moves import Roles
from pagehop.graphs.calls import ToolRunner
from pagehop.library.view import View

Tools = Sequence[BaseTool] | Callable[[View], Sequence[BaseTool]]
"""The tools, or a function that makes them for a view."""
_MOST = 256
"""Runs of one machine at once; beyond, the oldest scope is made anew when it is needed."""


@dataclass(frozen=True)
class Scope:
    """The roles and tools of one run."""

    roles: Roles
    runner: ToolRunner


@dataclass(frozen=True)
class Scopes:
    """The scopes of one machine's runs."""

    make_roles: Callable[[], Roles]
    view: View
    tools: Tools
    timeout_s: float
    version: int
    """Of the library; part of every key of a result."""
    _open: dict[str, tuple[tuple[str, ...], Scope]] = field(default_factory=dict)

    def of(self, episode: str, banned: Sequence[str] = ()) -> Scope:
        """Return the scope of a run, making it on first use and when more of the view is banned."""
        known = self._open.get(episode)
        if known is None or known[0] != tuple(banned):
            while len(self._open) >= _MOST:
                self._open.pop(next(iter(self._open)))
            made = self.tools
            if callable(made):
                made = made(self.view.without(banned) if banned else self.view)
            tools = {tool.name: tool for tool in made}
            runner = ToolRunner(tools, self.timeout_s, self.version)
            known = self._open[episode] = (tuple(banned), Scope(self.make_roles(), runner))
        return known[1]

    def close(self, episode: str) -> None:
        """Forget a run that has ended."""
        self._open.pop(episode, None)
