"""vrag: one policy that searches, zooms and answers with tags; a search shows one new page.

Source: VRAG-RL, arXiv 2505.22019, Alibaba-NLP/VRAG; differs: a box means the picture shown last,
also inside a zoom (the trainer takes it for the whole page), and is drawn anew from the file with
1 % of the page around it (there 56 or 28 pixels); a reply that cannot be read is asked again and
costs no turn; when the turns are spent the answer is written from what was seen.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.agents.prompting import Grammar
from pagehop.graphs.blocks.policy import PolicyGraph, take_turn
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Need, Shape
from pagehop.graphs.state import State

_BLIND = "No pictures can be shown: pages come as their words, and <bbox> cannot be used."


@dataclass(frozen=True)
class VRAG(PolicyGraph):
    """Search, zoom, answer; one action a turn."""

    name: ClassVar[str] = "vrag"
    shape: ClassVar[Shape] = "one policy"
    source: ClassVar[str] = "VRAG-RL, arXiv 2505.22019, Alibaba-NLP/VRAG"
    needs: ClassVar[tuple[Need, ...]] = ("model", "pictures", "page encoder")
    why_model: ClassVar[str] = "one model decides every step, which rules cannot"
    grammar: ClassVar[Grammar | None] = "tags"
    max_pixels: ClassVar[int] = 512 * 28 * 28

    turns: int = 10
    """Of the demo; its training has 4 and a forced last one."""
    ranked: int = 10
    """Pages of a search, of which the first new one is shown."""

    async def think(self, step: Step) -> str:
        """Let the model take its turn; it sees pages, not lists of hits."""
        shown = {_step(item.call.id) for item in step.seen if item.call.tool != "semantic_search"}
        visible = [
            item for item in step.seen
            if item.call.tool != "semantic_search" or _step(item.call.id) not in shown
        ]  # fmt: skip
        blind = _BLIND if step.eyes == "text" else ""
        return await take_turn(step, self.name, most=self.turns, more=blind, visible=visible)

    async def act(self, step: Step) -> None:
        """Show the best page that was not shown before, or the part of one."""
        (call,) = step.state["pending"][:1]
        if call.tool != "semantic_search":
            await step.calls([call])
            return
        step.take(State(pending=[]))
        found = await step.search(str(call.arguments["query"]), k=self.ranked, by=step.by)
        known = step.memo.setdefault("shown", [])
        new = [page for page in found if page not in known][:1]
        known += new
        await step.show(new, form="image")


def _step(call: str) -> str:
    return call.partition("c")[0]
