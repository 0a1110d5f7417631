"""marag: one policy with four retrieval tools, for questions over whole collections.

Source: MARAG-R1, arXiv 2510.27569 (no repository; tools and loop from the abstract and third-party
pages, the number of turns is ours); differs: filter and aggregate work on what documents say of
themselves, not on free text; claims have quotes. GlobalQA is not used: most of its test questions
are in its training set.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.policy import PolicyGraph, first_answer, take_turn
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Need, Shape

_LISTED = 40


@dataclass(frozen=True)
class MARAG(PolicyGraph):
    """Semantic and keyword search, filter, aggregate."""

    name: ClassVar[str] = "marag"
    shape: ClassVar[Shape] = "one policy"
    source: ClassVar[str] = "MARAG-R1, arXiv 2510.27569"
    needs: ClassVar[tuple[Need, ...]] = ("model",)
    why_model: ClassVar[str] = "one model decides every step, which rules cannot"
    tools: ClassVar[tuple[str, ...]] = (
        "semantic_search", "keyword_search", "filter_documents", "aggregate",
    )  # fmt: skip

    turns: int = 10

    async def think(self, step: Step) -> str:
        """Let the model take its turn; it is told which documents it has found."""
        found = dict.fromkeys(
            str(hit["ref"]).rpartition(":")[0]
            for item in step.seen
            for hit in item.artifact.get("hits", ())
        )
        named = ", ".join(list(found)[:_LISTED]) or "none"
        more = f"Documents found so far ({len(found)}): {named}"
        return await take_turn(step, self.name, most=self.turns, more=more)

    async def answer(self, step: Step) -> None:
        """Write its answer down from all that the tools gave."""
        await answer_from(step, step.seen, told=first_answer(step))
