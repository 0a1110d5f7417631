"""mdocagent: five readers in a fixed order: general, critical, text, image, summariser.

Source: MDocAgent, arXiv 2503.13964, aiming-lab/MDocAgent; differs: the summariser is told the
question and sees the pages (in the code neither), so that its claims can have quotes; retrieval is
over the view, not per document; one model fills all five roles. As in the code, a critic without
readable JSON gives no clues.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.agents.moves import Observation
from pagehop.agents.replies import read_json
from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.flow import Flow
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.graph import Graph, Need, Shape


@dataclass(frozen=True)
class MDocAgent(Graph):
    """A fixed committee of readers."""

    name: ClassVar[str] = "mdocagent"
    shape: ClassVar[Shape] = "committee"
    source: ClassVar[str] = "MDocAgent, arXiv 2503.13964, aiming-lab/MDocAgent"
    needs: ClassVar[tuple[Need, ...]] = ("model", "pictures", "page encoder")
    why_model: ClassVar[str] = "its five readers write in words, which rules cannot"

    pages: int = 4
    """By text and by pictures each; the paper has 1 and 4."""

    def draw(self, flow: Flow) -> None:
        """Add the nodes."""
        flow.add(self.retrieve, to=["general"])
        flow.add(self.general, to=["critic"])
        flow.add(self.critic, to=["text"])
        flow.add(self.text, to=["image"])
        flow.add(self.image, to=["answer"])

    async def retrieve(self, step: Step) -> None:
        """Find pages by their text and, apart from it, by their pictures."""
        step.memo["text"] = list(await step.search(k=self.pages))
        step.memo["image"] = list(await step.search(k=self.pages, by=step.by))

    async def general(self, step: Step) -> None:
        """Answer from both."""
        step.memo["General reader"] = await self._says(step, "general", "Your answer?")

    async def critic(self, step: Step) -> None:
        """Give a clue for each of the next two."""
        first = f"The first answer: {step.memo['General reader']}"
        step.memo["clues"] = read_json(await self._says(step, "critic", first)) or {}

    async def text(self, step: Step) -> None:
        """Answer from text alone."""
        step.memo["Text reader"] = await self._says(step, "text", _clue(step, "text"))

    async def image(self, step: Step) -> None:
        """Answer from pictures alone."""
        step.memo["Image reader"] = await self._says(step, "image", _clue(step, "image"))

    async def answer(self, step: Step) -> None:
        """Put their answers together."""
        said = [f"{name}: {text}" for name, text in step.memo.items() if name.endswith("reader")]
        await answer_from(step, told="\n".join(said), role="summariser")

    async def _says(self, step: Step, name: str, last: str) -> str:
        texts = [] if name == "image" else await step.show(step.memo["text"])
        images = [] if name == "text" else await step.show(step.memo["image"], form="image")
        once: dict[str, Observation] = {item.call.id: item for item in [*texts, *images]}
        asked, last = f"Question: {step.question}", f"The question again: {step.question}\n{last}"
        return await step.say(name, asked, last, shows=list(once.values()), prompt=f"mdoc_{name}")


def _clue(step: Step, name: str) -> str:
    clue = step.memo["clues"].get(name)
    return f"You may use the given clue: {clue}" if clue else "No clue was given."
