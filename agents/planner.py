"""The planner by rules: which documents, which parts."""

import asyncio
from dataclasses import replace

from pagehop.agents.decompose import decompose
from pagehop.agents.desk import Desk
from pagehop.agents.moves import Context, Plan
from pagehop.rules.follow_up import stand_alone


class Planner:
    """Fills the planner's role without a model."""

    def __init__(self, desk: Desk) -> None:
        """Share what the other roles of the run have read."""
        self._desk = desk

    async def step(self, context: Context) -> Plan:
        """Scope the documents and split the question; a follow-up is written to stand alone."""
        return await asyncio.to_thread(self._step, context)

    def _step(self, context: Context) -> Plan:
        standing = ""
        if context.history:
            standing = stand_alone(context.question, context.history[-1].question)
            context = replace(context, question=standing)
        question = self._desk.open(context)
        scope = self._desk.scope
        said = []
        if scope.documents:
            shown = ", ".join(scope.documents[:6])
            more = len(scope.documents) - 6
            said.append(f"about {shown}" + (f" and {more} more" if more > 0 else ""))
        if scope.absent:
            said.append(f"named nowhere in the documents: {', '.join(scope.absent)}")
        if scope.mentioned:
            said.append(f"mentioned, but no document is theirs: {', '.join(scope.mentioned)}")
        if question.task.calculates:
            said.append(f"needs a {question.task.operation.replace('_', ' ')}")
        return Plan(decompose(question, scope), "; ".join(said), question=standing)
