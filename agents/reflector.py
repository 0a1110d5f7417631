"""The reflector by rules: which parts are answered, what is missing, when to stop.

A part is answered when its numbers were found (and calculated, where it asks for that), or when its
best line covers enough of its words or is very like it. After two rounds on a part the best line
so far stands. A question whose names the documents do not cover is given up at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pagehop.agents.decompose import cross
from pagehop.agents.desk import Desk
from pagehop.agents.leads import uncovered
from pagehop.agents.moves import Context, Reflection, SubQuestion
from pagehop.agents.refusal import refused
from pagehop.agents.solutions import ranked, solutions
from pagehop.rules.extract import Scored
from pagehop.rules.question import read_question

ENOUGH_COVERAGE = 0.6
ENOUGH_LIKENESS = 0.6
"""A line this like the part answers it, whatever its words."""
MAX_ROUNDS = 2
"""Rounds that one part may take."""


class Reflector:
    """Fills the reflector's role without a model."""

    def __init__(self, desk: Desk) -> None:
        """Share what the other roles of the run have read."""
        self._desk = desk

    async def step(self, context: Context) -> Reflection:
        """Judge what was found."""
        return await asyncio.to_thread(self._step, context)

    def _step(self, context: Context) -> Reflection:
        self._desk.open(context)
        all_units = [
            unit for sub in context.sub_questions for unit in ranked(self._desk, context, sub)
        ]
        found = solutions(self._desk, context)
        reason = refused(self._desk, context, all_units, found)
        if reason:
            subs = tuple(replace(s, state="unanswerable") for s in context.sub_questions)
            return Reflection(False, reason, subs, give_up=True, thought=reason)
        solved = {sub.id for _, sub in found}
        judged = tuple(self._judge(context, sub, solved) for sub in context.sub_questions)
        judged = tuple(cross(context, sub, judged, self._desk.weights()) for sub in judged)
        open_parts = [sub for sub in judged if sub.state == "open"]
        missing: list[str] = []
        for sub in open_parts:
            missing += uncovered(read_question(sub.text), ranked(self._desk, context, sub))
        words = " ".join(dict.fromkeys(missing)) or " ".join(sub.text for sub in open_parts)
        return Reflection(
            sufficient=not open_parts,
            missing=words,
            sub_questions=judged,
            thought=f"{len(judged) - len(open_parts)} of {len(judged)} parts are answered",
        )

    def _judge(self, context: Context, sub: SubQuestion, solved: set[str]) -> SubQuestion:
        if sub.state != "open":
            return sub
        if sub.after:
            return sub
        units = ranked(self._desk, context, sub)
        rounds = _rounds(context, sub)
        if sub.id in solved or _enough(units) or (units and rounds >= MAX_ROUNDS):
            return replace(sub, state="answered")
        if not units and rounds >= MAX_ROUNDS:
            return replace(sub, state="unanswerable")
        return sub


def _enough(units: Sequence[Scored]) -> bool:
    return any(s.coverage >= ENOUGH_COVERAGE or s.cosine >= ENOUGH_LIKENESS for s in units[:3])


def _rounds(context: Context, sub: SubQuestion) -> int:
    """Rounds in which a part was searched: each begins with one semantic search."""
    return sum(1 for c in context.tried if c.sub_question == sub.id and c.tool == "semantic_search")
