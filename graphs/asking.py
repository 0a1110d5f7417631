"""Let a role make its move: what it sees, how long it may take, what it spends."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from langgraph.errors import GraphBubbleUp

from pagehop.agents.moves import Context, Meter, Role
from pagehop.errors import ModelError
from pagehop.graphs.budget import Budget, Spent
from pagehop.graphs.state import State
from pagehop.graphs.telling import Teller
from pagehop.library.view import View

Effort = Literal["low", "medium", "high"]
ROUND_STEPS: Mapping[Effort, int] = {"low": 1, "medium": 4, "high": 2}
"""Steps after which a round closes."""
ROUND_CHARACTERS = 24_000
"""Characters of observations after which a round closes; about 6,000 tokens."""

MoveT = TypeVar("MoveT")
_DUE_S = 0.1


class RoleFailed(Exception):
    """A role raised: the error, and the counters with what its calls had spent until then."""

    def __init__(self, error: Exception, spent: Spent) -> None:
        """Keep both; the node decides what becomes of the run."""
        super().__init__(str(error))
        self.error = error
        self.spent = spent


@dataclass(frozen=True)
class Asker:
    """What every role of a machine is told beside the state."""

    view: View
    budget: Budget
    effort: Effort
    teller: Teller

    def limits(self, state: State) -> Budget:
        """Return the limits of a run: a person may have given it others."""
        return state.get("limits") or self.budget

    def view_of(self, state: State) -> View:
        """Return what a run may see: a person may have taken something out."""
        banned = state.get("banned")
        return self.view.without(banned) if banned else self.view

    async def ask(
        self,
        role: Role[MoveT],
        kind: type[MoveT],
        state: State,
        spent: Spent,
        *,
        reserve: float = 0.0,
        nudge: str = "",
    ) -> tuple[MoveT | None, Spent]:
        """Return a role's move and the new counters; no move when its time was up before.

        Args:
            role: Who moves.
            kind: What the move must be.
            state: Of the run.
            spent: Counters so far.
            reserve: Share that it may use of the seconds kept for answer and verify; with 1 it
                is one of these, which may not be skipped.
            nudge: What the machine tells the reasoner.

        Raises:
            RoleFailed: It raised, gave a move of another kind, or is answer or verify and did not
                come in its time.
        """
        limit = self.limits(state).seconds_for_role(spent, reserve=reserve)
        context = self.context(state, spent, nudge)
        if limit is not None:  # what is kept for answer and verify is left to them
            context = replace(context, budget_left={**context.budget_left, "seconds": limit})
        error: Exception | None = None
        move = None
        try:
            async with asyncio.timeout(limit) as clock:
                move = await role.step(context)
        except GraphBubbleUp:
            raise
        except Exception as raised:
            error = raised
            # A call of a model ends at the same limit, a moment before the clock or after it.
            ended = isinstance(raised, ModelError) and _is_due(clock)
            if ended or (isinstance(raised, TimeoutError) and clock.expired()):
                late = TimeoutError(f"no {kind.__name__.lower()} within {limit:.3g} s")
                error = late if reserve == 1 else None
        else:
            if not isinstance(move, kind):
                error = TypeError(f"the role gave {type(move).__name__}, not {kind.__name__}")
        spent = spent.plus_usage(context.meter.usage)
        if error is not None:
            raise RoleFailed(error, spent) from error
        return move, spent

    def context(self, state: State, spent: Spent, nudge: str = "") -> Context:
        """Return what a role sees of the state, with a meter of its own."""
        return Context(
            question=state["question"],
            view=self.view_of(state),
            history=tuple(state.get("history") or ()),
            sub_questions=tuple(state.get("sub_questions", ())),
            evidence=tuple(state.get("evidence", ())),
            notes=tuple(state.get("notes", ())),
            turns=tuple(state.get("turns", ())),
            observations=tuple(state.get("observations", ())),
            calculations=tuple(state.get("calculations", ())),
            reflection=state.get("reflection"),
            draft=state.get("draft"),
            tried=tuple(state.get("tried", ())),
            budget_left=self.limits(state).left(spent),
            round_left=self._round_left(state),
            effort=self.effort,
            step=state["step"],
            round=state["round"],
            barren_rounds=state["barren_rounds"],
            strategy=state["strategy"],
            nudges=(nudge,) if nudge else (),
            meter=Meter(),
            tell=lambda kind, what, body: self.teller.tell(state, kind, what, body),
        )

    def _round_left(self, state: State) -> dict[str, float]:
        used = sum(len(item.text) for item in state.get("observations", ()))
        steps = ROUND_STEPS[self.effort] - (state["step"] - state["round_start"]) + 1
        return {"steps": max(0, steps), "characters": max(0, ROUND_CHARACTERS - used)}


def _is_due(clock: asyncio.Timeout) -> bool:
    end = clock.when()
    return end is not None and end - asyncio.get_running_loop().time() <= _DUE_S
