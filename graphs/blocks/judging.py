"""How much pages help with the question: a model says so list-wise, or rules count its words.

Source: MoLoRAG's relevance of 1 to 5, made a score by (n - 1) / 4; differs: several pages in one
call, judged side by side; a page without a readable number counts as the middle.
"""

from collections.abc import Sequence

from pagehop.finding.judging import read_scores
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.threads import in_thread
from pagehop.rules.question import read_question
from pagehop.rules.words import stems
from pagehop.types import PageRef

AT_ONCE = 8
"""Pages that one call is shown."""
CHARACTERS = 1_200
"""Of each page's text."""
_MIDDLE = 0.5
_LEVELS = 4


async def judged(step: Step, pages: Sequence[str]) -> dict[str, float]:
    """Return how much each page helps with the question, 0 to 1."""
    if step.rules:
        return await in_thread(_by_words, step, pages)
    scores: dict[str, float] = {}
    for first in range(0, len(pages), AT_ONCE):
        some = pages[first : first + AT_ONCE]
        texts = await in_thread(lambda some=some: [_text(step, page) for page in some])
        shown = "\n".join(
            f'<page number="{i}" ref="{page}">\n{text}\n</page>'
            for i, (page, text) in enumerate(zip(some, texts, strict=True), 1)
        )
        said = await step.say("judge", f"Question: {step.question}", shown)
        found = read_scores(said, len(some)) or [_MIDDLE] * len(some)
        scores |= dict(zip(some, found, strict=True))
    return scores


def _text(step: Step, page: str) -> str:
    text = step.view.page(PageRef.parse(page)).text[:CHARACTERS]
    return text.replace("<page", "< page").replace("</page", "< /page")


def _by_words(step: Step, pages: Sequence[str]) -> dict[str, float]:
    """Return the share of the question's words, weighed by rarity, that each page has.

    In five levels, as a model's number has them.
    """
    asked = {term.stem for term in read_question(step.question).content}
    rarity = step.view.rarity(None)
    weights = {stem: rarity(stem) for stem in asked}
    whole = sum(weights.values()) or 1.0
    scores = {}
    for page in pages:
        words = set(stems(step.view.page(PageRef.parse(page)).text))
        share = sum(weight for stem, weight in weights.items() if stem in words) / whole
        scores[page] = round(_LEVELS * share) / _LEVELS
    return scores
