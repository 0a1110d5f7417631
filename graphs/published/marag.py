"""marag: one policy with four retrieval tools, for questions over whole collections.

By rules (`builtin`) the four are called in turn: filter, both searches, aggregate.

Source: MARAG-R1, arXiv 2510.27569 (no repository; tools and loop from the abstract and third-party
pages, the number of turns is ours); differs: filter and aggregate work on what documents say of
themselves, not on free text; several calls a turn; claims have quotes. GlobalQA is not used: most
of its test questions are in its training set.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.gathering import answer_gathered, next_calls, with_words
from pagehop.graphs.blocks.policy import PolicyGraph, first_answer, take_turn
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Shape
from pagehop.graphs.state import State

_LISTED = 40


@dataclass(frozen=True)
class MARAG(PolicyGraph):
    """Semantic and keyword search, filter, aggregate."""

    name: ClassVar[str] = "marag"
    shape: ClassVar[Shape] = "one policy"
    source: ClassVar[str] = "MARAG-R1, arXiv 2510.27569"
    tools: ClassVar[tuple[str, ...]] = (
        "semantic_search", "keyword_search", "filter_documents", "aggregate",
    )  # fmt: skip

    turns: int = 10

    async def think(self, step: Step) -> str:
        """Let the model take its turn; it is told which documents it has found."""
        if step.rules:
            turn = step.memo["turns"] = int(step.memo.get("turns", 0)) + 1
            calls = await next_calls(step) if turn <= self.turns else []
            step.take(State(pending=calls))
            return "act" if calls else "answer"
        found = _found(step)
        named = ", ".join(found[:_LISTED]) or "none"
        more = f"Documents found so far ({len(found)}): {named}"
        return await take_turn(step, self.name, most=self.turns, more=more)

    async def answer(self, step: Step) -> None:
        """Write its answer down from all that the tools gave."""
        if step.rules:
            await answer_gathered(step)
        else:
            shows = [with_words(item) for item in step.seen]
            await answer_from(step, shows, told=first_answer(step))


def _found(step: Step) -> list[str]:
    """Return the names of the documents that searches and filters brought, in that order."""
    found: dict[str, None] = {}
    for item in step.seen:
        hits = (str(hit["ref"]).rpartition(":")[0] for hit in item.artifact.get("hits", ()))
        chosen = item.artifact.get("documents", ()) if item.call.tool != "aggregate" else ()
        found |= dict.fromkeys([*hits, *chosen])
    return list(found)
