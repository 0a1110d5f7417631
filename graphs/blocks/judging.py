"""How much pages help with the question: a model says so list-wise, or rules count its words.

Of a long page the model sees its first lines and those nearest the question: an answer may stand
anywhere on it.

Source: MoLoRAG's relevance of 1 to 5, made a score by (n - 1) / 4; differs: several pages in one
call, judged side by side; a page without a readable number counts as the middle.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log1p

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
_FIRST = 2
"""Lines that tell what page it is."""
_AROUND = 1
"""Lines shown on either side of one that has words of the question."""
_MIDDLE = 0.5
_LEVELS = 4


async def judged(step: Step, pages: Sequence[str]) -> dict[str, float]:
    """Return how much each page helps with the question, 0 to 1."""
    if step.rules:
        return await in_thread(_by_words, step, pages)
    scores: dict[str, float] = {}
    weights = await in_thread(_weights, step)
    for first in range(0, len(pages), AT_ONCE):
        some = pages[first : first + AT_ONCE]
        texts = await in_thread(lambda some=some: [_text(step, page, weights) for page in some])
        shown = "\n".join(
            f'<page number="{i}" ref="{page}">\n{text}\n</page>'
            for i, (page, text) in enumerate(zip(some, texts, strict=True), 1)
        )
        again = f"The question again: {step.question}\nOne line for each of {len(some)} pages."
        said = await step.say("judge", f"Question: {step.question}", f"{shown}\n\n{again}")
        found = read_scores(said, len(some)) or [_MIDDLE] * len(some)
        scores |= dict(zip(some, found, strict=True))
    return scores


def _text(step: Step, page: str, weights: Mapping[str, float]) -> str:
    text = nearest_lines(step.view.page(PageRef.parse(page)).text, weights, most=CHARACTERS)
    return text.replace("<page", "< page").replace("</page", "< /page")


def nearest_lines(text: str, weights: Mapping[str, float], *, most: int) -> str:
    """Return the first lines of a text and those nearest a question, in their order.

    Args:
        text: Of a page.
        weights: Of the question's stems.
        most: Characters; a text that is no longer stays whole.
    """
    if len(text) <= most:
        return text
    lines = text.split("\n")
    found = [set(stems(line)) & weights.keys() for line in lines]
    on_lines = Counter(stem for line in found for stem in line)

    def near(i: int) -> float:
        # Words of one sentence stand on lines that follow each other; a word that stands all over
        # the page does not tell where to look on it.
        with_next = found[i].union(*found[max(0, i - 1) : i + 2])
        each = [*found[i], *with_next]
        return sum(weights[stem] * log1p(len(lines) / on_lines[stem]) for stem in each)

    best = sorted(range(len(lines)), key=near, reverse=True)
    around = (i for at in best for i in range(at - _AROUND, at + _AROUND + 1))
    kept: set[int] = set()
    room = most
    for i in [*range(_FIRST), *around]:
        if not 0 <= i < len(lines) or i in kept:
            continue
        room -= len(lines[i]) + 1
        if room < 0:
            break
        kept.add(i)
    shown: list[str] = []
    for i in sorted(kept):
        if i and i - 1 not in kept:
            shown.append("...")
        shown.append(lines[i])
    return "\n".join(shown)


def _weights(step: Step) -> dict[str, float]:
    """Return the question's words with their rarity."""
    rarity = step.view.rarity(None)
    return {term.stem: rarity(term.stem) for term in read_question(step.question).content}


def _by_words(step: Step, pages: Sequence[str]) -> dict[str, float]:
    """Return the share of the question's words, weighed by rarity, that each page has.

    In five levels, as a model's number has them.
    """
    weights = _weights(step)
    whole = sum(weights.values()) or 1.0
    scores = {}
    for page in pages:
        words = set(stems(step.view.page(PageRef.parse(page)).text))
        share = sum(weight for stem, weight in weights.items() if stem in words) / whole
        scores[page] = round(_LEVELS * share) / _LEVELS
    return scores
