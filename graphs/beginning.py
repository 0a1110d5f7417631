"""The state in which a question starts."""

import uuid

from langgraph.types import Overwrite

from pagehop.graphs.budget import Spent
from pagehop.graphs.state import State

LISTS = (
    "turns",
    "observations",
    "evidence",
    "notes",
    "tried",
    "calculations",
    "warnings",
    "broken",
)
"""Channels that grow."""


def begun(state: State) -> State:
    """Return the state in which a question starts: nothing of an earlier one on its thread."""
    episode = state.get("episode_id", "")
    if not episode or episode == state.get("planned"):
        episode = uuid.uuid4().hex[:12]
    return State(
        turns=[],
        observations=[],
        evidence=[],
        notes=[],
        tried=[],
        calculations=[],
        warnings=[],
        broken=[],
        worked=0,
        question=state["question"],
        asked=state["question"],
        # A run on a checkpointed thread that is given no history starts without one.
        history=state.get("history") or [],
        episode_id=episode,
        planned=episode,
        sub_questions=[],
        pending=[],
        round_done=False,
        reflection=None,
        fused=None,
        draft=None,
        verdict=None,
        assembled=None,
        answer=None,
        spent=Spent(),
        step=0,
        round=0,
        round_start=0,
        barren_rounds=0,
        strategy=0,
        limits=None,
        banned=[],
        told=False,
        sent_back=False,
        stop="",
        used_up="",
    )


def replaced(start: State, update: State) -> State:
    """Return what plan gives: every value, in place of what an earlier question left."""
    lists = {name: Overwrite([]) for name in LISTS}
    return {**start, **lists, **update}  # type: ignore[typeddict-item]  # empties the channels
