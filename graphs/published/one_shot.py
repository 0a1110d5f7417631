"""one_shot: retrieve once, read the best pages, answer.

The plain baseline that every paper compares itself with ("text RAG", "vanilla RAG").
Source: Lewis et al., Retrieval-Augmented Generation (arXiv 2005.11401); differs: no training, whole
pages instead of chunks of 100 words, a hybrid search, claims with quotes that are checked.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph, Shape


@dataclass(frozen=True)
class OneShot(Graph):
    """Retrieve, read, answer."""

    name: ClassVar[str] = "one_shot"
    shape: ClassVar[Shape] = "linear"
    source: ClassVar[str] = "the retrieval-augmented baseline, arXiv 2005.11401"

    pages: int = 4
    """Pages that are read."""

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.retrieve, to=["read"])
        flow.add(self.read, to=["answer"])

    async def retrieve(self, step: Step) -> None:
        """Search with the question as it is."""
        step.memo["found"] = list(await step.search(k=10))

    async def read(self, step: Step) -> None:
        """Read the best pages."""
        await step.show(step.memo["found"][: self.pages])
