"""What a graph is: its name, where it comes from, what it needs, and its nodes.

    @dataclass(frozen=True)
    class Twice(Graph):
        name = "twice"
        pages: int = 3

        def draw(self, flow: Flow) -> None:
            flow.add(self.search, to=["answer"])

        async def search(self, step: Step) -> None:
            found = await step.search(k=self.pages)
            await step.show(found)

    pagehop.ask("...", view, graph=Twice(pages=5))

1. Its constants are the fields; the defaults are those of the paper.
2. `draw` adds its nodes: async functions of a `Step`, which has everything that a node may do
   (blocks/step.py) and gives the name of the next node, or None for the first of `to`.
3. Every graph begins with `begin` and ends with `answer`, `verify` and, where a form was asked for,
   `form`; `answer` may be replaced by a method of that name. A spent budget goes to `answer`.
4. So each tells the same events, keeps the same budget, ends in the same statuses, and cites only
   what was found on its page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pagehop.errors import ConfigError

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from pagehop.agents.moves import Roles
    from pagehop.agents.prompting import Grammar
    from pagehop.events import EventSink
    from pagehop.graphs.asking import Effort
    from pagehop.graphs.blocks.flow import Flow
    from pagehop.graphs.blocks.step import Step
    from pagehop.graphs.budget import Budget
    from pagehop.graphs.explore import Machine
    from pagehop.graphs.scope import Tools
    from pagehop.graphs.steering import Pause
    from pagehop.library.view import View

Need = Literal["model", "pictures", "page encoder"]
"""What a graph needs to be what its paper describes: a chat model, because rules cannot fill its
roles; a model that sees pictures; vectors of page pictures."""
Eyes = Literal["pictures", "reader", "text"]
"""How pages are seen: by the model, by a vision model that reads them for it, or by nobody."""
Shape = Literal["loop", "linear", "committee", "pool", "one policy", "retriever", "own"]


@dataclass(frozen=True)
class Graph:
    """A machine by name; subclass it to write one."""

    name: ClassVar[str] = ""
    shape: ClassVar[Shape] = "own"
    source: ClassVar[str] = ""
    """Paper and repository."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """Without a model it cannot run; without the rest it runs in text mode and says so."""
    why_model: ClassVar[str] = "rules cannot fill its roles"
    """Why it needs a model, for the refusal."""
    tools: ClassVar[tuple[str, ...]] = ()
    """Names of those that a model is offered; empty for all."""
    grammar: ClassVar["Grammar | None"] = None
    """How its policy writes calls; None takes the setting of the run."""
    blind: ClassVar[bool] = False
    """The model is never shown a picture; a reader looks for it."""
    max_pixels: ClassVar[int] = 1_000_000
    """Of a picture that is shown."""
    prompts: ClassVar[Mapping[str, str]] = {}
    """Texts of its own roles; those that are not here are files in `prompts/`."""

    @property
    def constants(self) -> dict[str, Any]:
        """What may be set, with its value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def draw(self, flow: "Flow") -> None:
        """Add the nodes, the first one first; building a graph that adds none is refused."""

    async def answer(self, step: "Step") -> None:
        """Answer from what was seen, each claim with quotes."""
        from pagehop.graphs.blocks.answering import answer_from  # noqa: PLC0415 - loads the roles

        await answer_from(step)

    def build(self, setup: "Setup") -> "Machine":
        """Compile the machine for a view, its roles and a budget."""
        from pagehop.graphs.blocks.flow import compiled  # noqa: PLC0415 - loads langgraph

        return compiled(self, setup)

    def missing(self, *, rules: bool, eyes: Eyes, page_vectors: bool) -> list[str]:
        """Say what it has to do without, in words a user can act on; empty when nothing is missing.

        Args:
            rules: No model was named.
            eyes: How pages are seen.
            page_vectors: The library has vectors of page pictures.

        Raises:
            ConfigError: It cannot run without a model.
        """
        if rules and "model" in self.needs:
            raise ConfigError(
                f"graph={self.name!r} needs a model: {self.why_model}. Give model= "
                "(PAGEHOP_RUN__MODEL), or take a graph that runs by rules: list_graphs() tells"
            )
        said = []
        if "pictures" in self.needs and eyes == "text":
            said.append(
                f"{self.name} is made to look at pages. Nobody here sees pictures, so it reads the "
                "words of each page instead (text mode). Give a model that takes pictures, or a "
                "vision_model (PAGEHOP_RUN__VISION_MODEL)."
            )
        if "page encoder" in self.needs and not page_vectors:
            said.append(
                f"{self.name} searches by vectors of page pictures. This library has none, so it "
                "searches by the text of pages. Give it a page encoder "
                "(PAGEHOP_PAGE_ENCODER__MODEL) and add the documents again."
            )
        return said


@dataclass(frozen=True)
class Setup:
    """What a machine is built with, the same for every graph; terms as in `explore.build`."""

    view: "View"
    make_roles: "Callable[[], Roles]"
    budget: "Budget"
    tools: "Tools"
    effort: "Effort" = "medium"
    model: str = "builtin"
    tool_timeout_s: float = 30.0
    checkpointer: "BaseCheckpointSaver[Any] | None" = None
    sinks: "Sequence[EventSink]" = ()
    run_id: str = ""
    trajectory: str = ""
    forms: bool = False
    pause_after: "Sequence[Pause]" = ()
    eyes: Eyes = "text"
    notes: tuple[str, ...] = ()
    """What the graph has to do without; told once a run."""
