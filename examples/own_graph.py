"""A graph of one's own: search, read, follow what the pages refer to; search again if told to.

pagehop ask examples/documents "..." --graph examples/own_graph.py:Follow
pagehop evaluate PATH QUESTIONS --graphs explore,examples/own_graph.py:Follow --out DIR
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs import Flow, Graph, Step


@dataclass(frozen=True)
class Follow(Graph):
    """Read the best pages and the pages that they point to."""

    name: ClassVar[str] = "follow"
    source: ClassVar[str] = "an example"
    prompts: ClassVar[Mapping[str, str]] = {
        "doubter": "You see a question and pages. Say what is still missing to answer it, in words "
        'that a search can use, or nothing. Reply with one JSON object: {"missing": "..."}'
    }

    pages: int = 2
    again: int = 1
    """How often it may search for what is missing."""

    def draw(self, flow: Flow) -> None:
        """Add the nodes and say where each may go."""
        flow.add(self.search, to=["follow"])
        flow.add(self.follow, to=["doubt", "answer"])
        flow.add(self.doubt, to=["search", "answer"])

    async def search(self, step: Step) -> None:
        """Find pages and read the best."""
        found = await step.search(step.memo.get("missing", ""), k=8)
        step.memo["read"] = list(found)[: self.pages]
        await step.show(step.memo["read"])

    async def follow(self, step: Step) -> str:
        """Read what these pages refer to, e.g. "see Note 3"."""
        for page in step.memo["read"]:
            walked = await step.call("walk", ref=page, relations="refers_to", width=2)
            await step.show([path["refs"][-1] for path in walked.artifact.get("paths", ())])
        return "answer" if step.rules else "doubt"

    async def doubt(self, step: Step) -> str:
        """Let the model say what is missing."""
        pages = [item for item in step.seen if item.ok and item.call.tool == "read_page"]
        missing = await step.ask(
            "doubter", f"Question: {step.question}", "What is missing?", shows=pages,
            read=lambda said: str(said.get("missing") or ""), example='{"missing": "..."}',
        )  # fmt: skip
        step.memo |= {"missing": missing, "asked": step.memo.get("asked", 0) + 1}
        return "search" if missing and step.memo["asked"] <= self.again else "answer"
