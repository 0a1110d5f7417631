"""The explorer by rules: search, read the best pages, follow their references, calculate.

For each open sub-question, one phase a step: (1) both searches, (2) reading the pages that rank
best, (3) a walk along references (`see Note 8`) when a page points elsewhere and words are still
uncovered, (4) `calculate` with the numbers found. A phase that has nothing to do is skipped.
"""

import asyncio
from collections.abc import Sequence

from pagehop.agents.desk import Desk
from pagehop.agents.leads import SEARCH_TOOLS, new_names, of_sub, references, uncovered
from pagehop.agents.moves import Call, Context, Explore, SubQuestion
from pagehop.agents.solutions import front_page, ranked, solutions
from pagehop.rules.extract import Scored
from pagehop.rules.question import read_question
from pagehop.types import PageRef

SEARCH_PAGES = 10
"""Pages a search returns."""
_WALKS = 2


class Explorer:
    """Fills the explorer's role without a model."""

    def __init__(self, desk: Desk) -> None:
        """Share what the other roles of the run have read."""
        self._desk = desk

    async def step(self, context: Context) -> Explore:
        """Choose the next calls."""
        return await asyncio.to_thread(self._step, context)

    def _step(self, context: Context) -> Explore:
        self._desk.open(context)
        ready = [s for s in context.sub_questions if s.state == "open" and not s.after]
        calls: list[Call] = []
        for sub in ready:
            calls += self._next(context, sub, len(ready))
        calls += self._sums(context, calls)
        made = {_key(call) for call in context.tried}
        fresh = {_key(call): call for call in calls if _key(call) not in made}
        if not fresh:
            return Explore((), "nothing more to look up for the open parts", done=True)
        tools = ", ".join(sorted({call.tool for call in fresh.values()}))
        done = all(call.tool == "calculate" for call in fresh.values())
        many = "1 call" if len(fresh) == 1 else f"{len(fresh)} calls"
        return Explore(tuple(fresh.values()), f"{many}: {tools}", done=done)

    def _next(self, context: Context, sub: SubQuestion, n_open: int) -> list[Call]:
        seen = of_sub(context, sub)
        made = {o.call.tool for o in seen}
        if not made & SEARCH_TOOLS:
            return self._searches(context, sub)
        units = ranked(self._desk, context, sub)
        if not units:
            return []
        read = {str(c.arguments.get("ref")) for c in context.tried if c.tool == "read_page"}
        if "read_page" not in made:
            pages = list(dict.fromkeys(s.unit.ref for s in units))
            front = front_page(self._desk, sub, units)
            pages = [front, *pages] if front is not None else pages
            some = [p for p in pages[: 2 if n_open < 3 else 1] if str(p) not in read]
            if some:
                return [_call("read_page", sub, ref=str(ref)) for ref in some]
        if "walk" not in made:
            walks = self._walks(sub, units)
            if walks:
                return walks
        walked = [o for o in seen if o.call.tool == "walk" and o.ok]
        best = units[0].unit.ref
        if walked and str(best) not in read:
            return [_call("read_page", sub, ref=str(best))]
        return []

    def _searches(self, context: Context, sub: SubQuestion) -> list[Call]:
        """Both searches; later rounds ask with what was read and what is still missing."""
        question = read_question(sub.text)
        text, words = sub.text, question.query
        own = [e for e in context.evidence if e.sub_question == sub.id]
        if own:
            missing = uncovered(question, ranked(self._desk, context, sub))
            names = new_names([e.quote for e in own[:2]], question, self._desk.weights())
            text = " ".join([*missing, *names]) or text
            words = " ".join([*missing, *names]) or words
        documents = ",".join(sub.documents) if context.strategy == 0 else ""
        return [
            _call("semantic_search", sub, query=text, k=SEARCH_PAGES, documents=documents),
            _call("keyword_search", sub, query=words or text, k=SEARCH_PAGES, documents=documents),
        ]

    def _walks(self, sub: SubQuestion, units: Sequence[Scored]) -> list[Call]:
        if not uncovered(read_question(sub.text), units, 1):
            return []
        refs: dict[PageRef, None] = {ref: None for ref, _ in references(units)}
        return [
            _call("walk", sub, ref=str(ref), relations="refers_to", query=sub.text, hops=1, width=3)
            for ref in list(refs)[:_WALKS]
        ]

    def _sums(self, context: Context, waiting: Sequence[Call]) -> list[Call]:
        """The calculation, once nothing else is waiting to be looked up."""
        if waiting:
            return []
        done = {str(o.call.arguments.get("expression")) for o in context.calculations}
        calls = []
        for solution, sub in solutions(self._desk, context):
            if solution.expression and solution.expression not in done:
                calls.append(_call("calculate", sub, expression=solution.expression))
        return calls


def _call(tool: str, sub: SubQuestion, **arguments: object) -> Call:
    given = {name: value for name, value in arguments.items() if value != ""}
    return Call(tool, given, sub_question=sub.id)


def _key(call: Call) -> tuple[object, ...]:
    return (call.tool, *sorted((name, str(value)) for name, value in call.arguments.items()))
