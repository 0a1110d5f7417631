"""The end of every graph: an answer from what was seen, each claim with quotes of its pages.

1. A model gives claims with quotes in one reply (`prompts/reader.md`), which code checks; the
   calculations that a claim states are made by the tool.
2. Rules keep the lines that carry the answer, then draft from them, as in the main machine.
3. Whatever a graph found out on its way (an answer of its own, what its agents said) goes in as
   `told`; it is no evidence.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pagehop.agents.moves import Claim, Draft, Observation, Summary
from pagehop.agents.quoting import RIGHT, Quoted, read_quoted, told_wrong
from pagehop.agents.reasoner import Unusable
from pagehop.agents.reply_moves import shown_pages
from pagehop.agents.reply_schemas import quoted_schema
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.state import State

NOTHING = "Nothing was found."
_FORM = (
    "Reply with the JSON object: claims with the quotes that carry them, or unanswerable with the "
    "reason."
)


async def answer_from(
    step: Step,
    pages: Sequence[Observation] | None = None,
    *,
    told: str = "",
    nothing: str = "",
    role: str = "reader",
    prompt: str = "reader",
) -> None:
    """Draft the answer.

    Args:
        step: Of the node `answer`.
        pages: What the model sees; None takes every page that was read, or else what was found.
        told: What the graph found out itself.
        nothing: Why there are no pages, for whoever asked; empty says that nothing was found.
        role: For the record.
        prompt: Of the model.
    """
    shows = pages_seen(step) if pages is None else [item for item in pages if item.ok]
    if step.rules:
        await _by_rules(step, shows)
        return
    if not shows:
        step.take(State(draft=Draft(unanswerable=True, reason=nothing or NOTHING)))
        return
    tries = 0
    seen = step.context()

    def read(value: Mapping[str, Any]) -> Quoted:
        nonlocal tries
        tries += 1
        quoted, wrong = read_quoted(seen, value)
        if wrong and tries == 1:
            raise Unusable(told_wrong(wrong))
        return quoted

    parts = [f"Question: {step.question}", *([told] if told else [])]
    quoted = await step.ask(
        role, "\n\n".join(parts), f"The question again: {step.question}\n{_FORM}", shows=shows,
        read=read, example=RIGHT, prompt=prompt, schema=quoted_schema(shown_pages(seen)),
    )  # fmt: skip
    await _draft(step, quoted)


def pages_seen(step: Step) -> list[Observation]:
    """Return what was read of pages, zooms into one too; what was found where nothing was read."""
    good = [item for item in step.seen if item.ok and not item.cached]
    read = {item.artifact["ref"] for item in good if item.call.tool == "read_page"}
    return [
        item
        for item in good
        if item.call.tool == "read_page"
        # A look that showed no picture gave words of the page, which stand there already.
        or (item.call.tool == "look" and _showed(item, read))
    ] or good


def _showed(look: Observation, read: Collection[str]) -> bool:
    return bool(look.artifact.get("width_px")) or look.artifact["ref"] not in read


async def _draft(step: Step, quoted: Quoted) -> None:
    """Make evidence of the quotes, make the calculations, write the draft down."""
    claims = []
    for claim in quoted.claims:
        ids = [name for name in await step.keep(claim.findings) if name]
        sums: list[str] = []
        if claim.calculation:
            done = await step.call("calculate", expression=claim.calculation)
            sums = [done.call.id] if done.ok else []
        claims.append(Claim(claim.text, tuple(dict.fromkeys(ids)), tuple(sums)))
    reason = quoted.reason if claims or quoted.reason else NOTHING
    step.take(State(draft=Draft(tuple(claims), quoted.unanswerable or not claims, reason)))


async def _by_rules(step: Step, seen: Sequence[Observation]) -> None:
    roles = step.roles
    summary = await step.role(roles.summarizer, Summary, seen=seen)
    await step.keep(summary.findings)
    step.take(State(draft=await step.role(roles.answerer, Draft, seen=seen)))
