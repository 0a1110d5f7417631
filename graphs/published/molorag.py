"""molorag: a judged walk over the page graph finds the pages, then they are read at once.

Source: MoLoRAG, arXiv 2509.07666, WxxShirley/MoLoRAG; differs: our page graph, typed and over
documents, instead of similar pages of one; pages are judged by their text, several in one call;
similarity is 0 beyond the first 50 pages; short documents have a graph, too.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.judging import judged
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph, Need, Shape

RANKED = 50
"""Pages whose similarity is known."""
NEIGHBOURS = 5
"""Of each page, as the code joins it with."""


@dataclass(frozen=True)
class MoLoRAG(Graph):
    """Judged walk, then one reading."""

    name: ClassVar[str] = "molorag"
    shape: ClassVar[Shape] = "retriever"
    source: ClassVar[str] = "MoLoRAG, arXiv 2509.07666, WxxShirley/MoLoRAG"
    needs: ClassVar[tuple[Need, ...]] = ("pictures", "page encoder")

    width: int = 3
    hops: int = 4
    alpha: float = 0.5
    """Share of similarity; the paper's plain mean (its code: .4 for MMLongBench-Doc, .6 else)."""
    threshold: float = 0.3
    pages: int = 3
    relations: str = ""
    """Edges that are followed, comma-separated; empty for all (the paper: similar)."""

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.search, to=["hop"])
        flow.add(self.hop, to=["hop", "answer"])

    async def search(self, step: Step) -> None:
        """Rank pages, judge the best."""
        found = await step.search(k=RANKED, by=step.by)
        low, high = min(found.values(), default=0.0), max(found.values(), default=0.0)
        scaled = {page: (score - low) / ((high - low) or 1) for page, score in found.items()}
        step.memo |= {"similar": scaled, "scores": {}, "hops": 0}
        step.memo["frontier"] = await self._visit(step, list(scaled)[: self.width])

    async def hop(self, step: Step) -> str:
        """Go on to the neighbours of the frontier."""
        reached: dict[str, None] = {}
        for page in step.memo["frontier"]:
            walked = await step.call(
                "walk", ref=page, relations=self.relations, query=step.question, width=NEIGHBOURS
            )
            reached |= dict.fromkeys(path["refs"][-1] for path in walked.artifact.get("paths", ()))
        new = [page for page in reached if page not in step.memo["scores"]]
        step.memo["frontier"] = await self._visit(step, new)
        step.memo["hops"] += 1
        return "hop" if step.memo["frontier"] and step.memo["hops"] < self.hops else "answer"

    async def answer(self, step: Step) -> None:
        """Read the best of the pages that were visited, and answer from them."""
        ranked = sorted(step.memo.get("scores", {}).items(), key=lambda item: -item[1])
        kept = [page for page, score in ranked if score >= self.threshold][: self.pages]
        step.note(f"Visited {len(ranked)} pages, kept {', '.join(kept) or 'none'}.")
        shown = await step.show(kept, form="image")
        await answer_from(step, shown or (None if kept else []))

    async def _visit(self, step: Step, pages: list[str]) -> list[str]:
        """Judge and score pages; return the best of them."""
        logic, similar, a = await judged(step, pages), step.memo["similar"], self.alpha
        scores = {p: round(a * similar.get(p, 0.0) + (1 - a) * logic[p], 4) for p in pages}
        step.memo["scores"] |= scores
        return sorted(scores, key=lambda page: -scores[page])[: self.width]
