"""m3docrag: the K pages whose pictures are most like the question, read at once.

Source: M3DocRAG, arXiv 2411.04952, bloomberg/m3docrag; differs: in the open domain pages are
re-scored exactly (the code asks its index for only K neighbours of each word); pages are drawn at
1224 x 1584 at most, not resized to their document's most common size; the closed domain takes the
document of the best page where the view has several; claims have quotes, and the model may say that
the pages do not answer.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph, Need, Shape

_LEADS = 50
"""Pages looked at so that each may come from another document."""


@dataclass(frozen=True)
class M3DocRAG(Graph):
    """Retrieve pages over all documents, answer from their pictures."""

    name: ClassVar[str] = "m3docrag"
    shape: ClassVar[Shape] = "linear"
    source: ClassVar[str] = "M3DocRAG, arXiv 2411.04952, bloomberg/m3docrag"
    needs: ClassVar[tuple[Need, ...]] = ("pictures", "page encoder")
    max_pixels: ClassVar[int] = 1224 * 1584
    closed: ClassVar[bool] = False
    """Within one document."""

    pages: int = 4
    """The paper has 1, 2 and 4; its code never takes more."""
    one_per_document: bool = False

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.retrieve, to=["read"])
        flow.add(self.read, to=["answer"])

    async def retrieve(self, step: Step) -> None:
        """Find the K pages."""
        domain: list[str] = []
        if self.closed and len(step.view.documents()) > 1:
            best = next(iter(await step.search(k=1, by=step.by)), "")
            domain = [best.rpartition(":")[0]] if best else []
            step.note(f"The closed domain is {', '.join(domain) or 'empty'}.")
        k = _LEADS if self.one_per_document else self.pages
        found = list(await step.search(k=k, by=step.by, documents=domain))
        if self.one_per_document:
            firsts = {page.rpartition(":")[0]: page for page in reversed(found)}
            found = [page for page in found if page in firsts.values()]
        step.memo["found"] = found[: self.pages]

    async def read(self, step: Step) -> None:
        """Look at them."""
        await step.show(step.memo["found"], form="image")


@dataclass(frozen=True)
class M3DocRAGClosed(M3DocRAG):
    """The same within one document."""

    name: ClassVar[str] = "m3docrag_closed"
    closed: ClassVar[bool] = True
