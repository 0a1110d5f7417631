"""vidorag: explore, inspect, answer over a pool of pages that shrinks.

Source: ViDoRAG, arXiv 2502.18017, Alibaba-NLP/ViDoRAG; differs: pages are shown one by one instead
of as one tiled picture (a flag there); at most `rounds` (the code has no limit); pages are named by
reference; the answer is always written by one more call, with quotes; without vectors of pictures
the first list is by meaning and words, the second by words alone.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.choosing import pick
from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.policy import first_answer
from pagehop.graphs.blocks.pooling import pooled
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph, Need, Shape


@dataclass(frozen=True)
class ViDoRAG(Graph):
    """Seeker, inspector, answer over a shrinking pool."""

    name: ClassVar[str] = "vidorag"
    shape: ClassVar[Shape] = "pool"
    source: ClassVar[str] = "ViDoRAG, arXiv 2502.18017, Alibaba-NLP/ViDoRAG"
    needs: ClassVar[tuple[Need, ...]] = ("model", "pictures", "page encoder")
    why_model: ClassVar[str] = "its seeker and inspector judge pages in words, which rules cannot"

    pages: int = 10
    """Most of each list; twice as many are looked at."""
    least: int = 5
    """Of each list."""
    rounds: int = 5

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.retrieve, to=["seek"])
        flow.add(self.seek, to=["inspect", "answer"])
        flow.add(self.inspect, to=["seek", "answer"])

    async def retrieve(self, step: Step) -> None:
        """Make the pool."""
        seen = await step.search(k=2 * self.pages, by=step.by)
        also = step.words if step.by == "text" else step.search
        pool = pooled(seen, await also(k=2 * self.pages), most=self.pages, least=self.least)
        step.memo |= {"pool": pool, "kept": [], "missing": "", "rounds": 0}

    async def seek(self, step: Step) -> str:
        """Choose pages; they leave the pool."""
        pool, missing = step.memo["pool"], step.memo["missing"]
        if not pool:
            return "answer"
        more = f"A reader who has other pages still misses: {missing}" if missing else ""
        asks, words = "Which may help?", ["reason", "summary"]
        said = await pick(step, "seeker", pool, more, asks=asks, words=words)
        step.note(f"Chosen: {', '.join(said['choice']) or 'none'}.")
        step.memo |= {"pool": [p for p in pool if p not in said["choice"]], "why": said["reason"]}
        step.memo["kept"] += said["choice"]
        return "inspect" if said["choice"] else "answer"

    async def inspect(self, step: Step) -> str:
        """Answer, or say what is missing."""
        kept, fields = step.memo["kept"], ["answer", "information"]
        said = await pick(
            step, "inspector", kept, asks="Do they answer it?", words=["reason", *fields],
            lists=["reference", "choice"], least=fields,
        )  # fmt: skip
        pages = said["reference"] if said["answer"] else said["choice"]
        step.memo |= {"answer": said["answer"], "missing": said["information"]}
        step.memo |= {"kept": pages or kept, "rounds": step.memo["rounds"] + 1}
        return "answer" if said["answer"] or step.memo["rounds"] >= self.rounds else "seek"

    async def answer(self, step: Step) -> None:
        """Answer from the pages that were kept."""
        kept = await step.show(step.memo.get("kept", []), form="image")
        all_seen = step.state["used_up"] and not kept  # it was stopped before it chose
        pages, why = None if all_seen else kept, step.memo.get("why", "")
        await answer_from(step, pages, told=first_answer(step), nothing=why)
