"""vrag: one policy that searches, zooms and answers with tags; a search shows one new page.

A box is in the pixels of the picture shown last, as it was sent; agents/replies.py makes it a part
of the page, through the box which that picture itself shows, and it is drawn anew from the file. So
a zoom into a zoom stays where it was meant (the trainer takes it for one into the whole page).

Source: VRAG-RL, arXiv 2505.22019, Alibaba-NLP/VRAG; differs: that; `look` also widens a box to
whole words; a reply that cannot be read is asked again and costs no turn; a search that brings no
new page says so; when the turns are spent the answer is written from what was seen.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from pagehop.agents.moves import Observation
from pagehop.agents.prompting import Grammar
from pagehop.graphs.blocks.policy import PolicyGraph, take_turn
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.blocks.zooming import with_room
from pagehop.graphs.graph import Eyes, Need, Shape
from pagehop.graphs.state import State

_NOTHING = "No page was found that you have not seen. Search in other words, or answer."
_SEEN: dict[Eyes, str] = {
    "text": "No pictures can be shown: pages come as their words, and <bbox> cannot be used.",
    "reader": "A reader tells what a picture shows: give <bbox> in fractions of it, from 0 to 1.",
}


@dataclass(frozen=True)
class VRAG(PolicyGraph):
    """Search, zoom, answer; one action a turn."""

    name: ClassVar[str] = "vrag"
    shape: ClassVar[Shape] = "one policy"
    source: ClassVar[str] = "VRAG-RL, arXiv 2505.22019, Alibaba-NLP/VRAG"
    needs: ClassVar[tuple[Need, ...]] = ("model", "pictures", "page encoder")
    why_model: ClassVar[str] = "one model decides every step, which rules cannot"
    tools: ClassVar[tuple[str, ...]] = ("semantic_search", "look")
    grammar: ClassVar[Grammar | None] = "tags"
    max_pixels: ClassVar[int] = 512 * 28 * 28

    turns: int = 10
    """Of the demo; its training has 4 and a forced last one."""
    ranked: int = 10
    """Pages of a search, of which the first new one is shown."""
    pad_px: int = 28
    """Shown around a box; of the trainer's validation (demo: 56 of the page as it was drawn)."""

    async def think(self, step: Step) -> str:
        """Let the model take its turn."""
        more = _SEEN.get(step.eyes, "")
        return await take_turn(step, self.name, most=self.turns, more=more, visible=_visible(step))

    async def act(self, step: Step) -> None:
        """Show the best page that was not shown before, or the part of one."""
        call = step.state["pending"][0]
        step.take(State(pending=[]))
        query = call.arguments.get("query")
        if call.tool != "semantic_search" or not query:
            asks = step.question if step.eyes == "reader" else ""
            await step.calls([with_room(call, step.seen, self.pad_px, question=asks)])
            return
        found = await step.search(str(query), k=self.ranked, by=step.by)
        known = step.memo.setdefault("shown", [])
        new = [page for page in found if page not in known][:1]
        known += new
        await step.show(new, form="image")


def _visible(step: Step) -> list[Observation]:
    """Return the pages shown, not the lists of hits; of a search that brought none only that."""
    pages = {item.call.id.partition("c")[0] for item in step.seen if "hits" not in item.artifact}
    return [
        replace(item, text=_NOTHING, artifact={}, cached=False) if "hits" in item.artifact else item
        for item in step.seen
        if "hits" not in item.artifact or item.call.id.partition("c")[0] not in pages
    ]
