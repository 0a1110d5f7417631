"""A person steers a run: it pauses behind a node, is shown where it stands, and goes on as told.

    machine = pagehop.graph("explore", view, checkpointer=saver, pause_after=("plan", "reflect"))
    await machine.ainvoke({"question": "..."}, config)              # stops at the first pause
    await machine.ainvoke(Command(resume=Steer(pin=("report:12",))), config)

1. A pause is a LangGraph interrupt in a node of its own, so nothing before it runs again and the
   budget's clock stands still.
2. A pinned page is read, and a pinned document searched, by the machine itself as the next step.
3. A banned page or document leaves the view that tools and roles have, and its evidence with it.
4. A wrong steer changes nothing: the run pauses again and says what was wrong.

Not covered: notes that a model wrote from a page before it was banned; they are no evidence.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

from langgraph.types import Overwrite, interrupt

from pagehop.agents.moves import Call, SubQuestion
from pagehop.errors import LibraryError
from pagehop.graphs.asking import Asker
from pagehop.graphs.state import State
from pagehop.graphs.steer import Steer
from pagehop.library.view import View
from pagehop.types import PageRef

Pause = Literal["plan", "reflect"]
PAUSES: tuple[Pause, ...] = ("plan", "reflect")


async def pause(name: Pause, asker: Asker, state: State) -> State:
    """Wait behind a node until a person tells how the run goes on; return the change."""
    problem = ""
    while True:
        given = interrupt(_shown(name, state, asker, problem))
        steer = Steer() if given in (None, True, "") else given
        problem = _problem(asker.view_of(state), steer)
        if not problem:
            break
    if steer == Steer():
        return State()
    body = {"text": f"Steered: {_told(steer)}"}
    asker.teller.tell(state, "note", f"steer.{name}.{state['round']}", body)
    return _steered(state, steer)


def _shown(name: Pause, state: State, asker: Asker, problem: str) -> dict[str, Any]:
    """Return what a person is shown at a pause: JSON-able."""
    told = {
        "after": name,
        "question": state["question"],
        "sub_questions": [asdict(sub) for sub in state["sub_questions"]],
        "evidence": [
            {"id": item.id, "ref": str(item.ref), "quote": item.quote} for item in state["evidence"]
        ],
        "stop": state["stop"],
        "budget_left": asker.limits(state).left(state["spent"]),
    }
    return {**told, "problem": problem} if problem else told


def _problem(view: View, steer: object) -> str:
    """Say what is wrong with a steer; empty if nothing."""
    if not isinstance(steer, Steer):
        return f"resume with a pagehop.graphs.Steer, not a {type(steer).__name__}"
    try:
        view.without(steer.ban)
        for name in steer.pin:
            if ref := page_of(name):
                view.page(ref)
            else:
                view.document(name)
    except LibraryError as error:
        return str(error)
    both = set(steer.pin) & set(steer.ban)
    return f"{min(both)} is both pinned and banned" if both else ""


def _steered(state: State, steer: Steer) -> State:
    """Return the change of the state."""
    update = State()
    subs = list(steer.plan or state["sub_questions"])
    if steer.budget is not None:
        update.update(State(limits=steer.budget, told=False))
    if steer.ban:
        kept = [item for item in state["evidence"] if not _banned(item.ref, steer.ban)]
        update.update(State(banned=[*state["banned"], *steer.ban]))
        update["evidence"] = Overwrite(kept)  # type: ignore[typeddict-item]  # replaces the channel
    if steer.pin:
        documents = tuple(dict.fromkeys(_document(name) for name in steer.pin))
        subs = [
            replace(sub, documents=tuple(dict.fromkeys((*documents, *sub.documents))))
            if sub.documents
            else sub
            for sub in subs
        ]
        step = state["step"] + 1
        update.update(
            State(
                step=step,
                # The person's step is not one of the round's own.
                round_start=step,
                round_done=False,
                pending=_calls(state["question"], steer.pin, subs, step),
                spent=state["spent"].plus(steps=1),
            )
        )
    if steer.pin or steer.plan or steer.ban:
        # What was judged before no longer holds.
        update.update(State(sub_questions=subs, stop="", barren_rounds=0))
        if not steer.pin:
            update["pending"] = []  # calls of the plan as it was
    return update


def _calls(question: str, pins: tuple[str, ...], subs: list[SubQuestion], step: int) -> list[Call]:
    """Read the pinned pages; search in the pinned documents."""
    made = []
    for i, name in enumerate(pins, 1):
        tool, arguments = "read_page", {"ref": name}
        if page_of(name) is None:
            tool, arguments = "semantic_search", {"query": question, "documents": name}
        made.append(Call(tool, arguments, f"s{step}c{i}", subs[0].id if subs else "Q1"))
    return made


def page_of(name: str) -> PageRef | None:
    """Return the page that a name means; None when it names a document."""
    try:
        return PageRef.parse(name)
    except ValueError:
        return None


def _document(name: str) -> str:
    ref = page_of(name)
    return ref.name if ref else name


def _banned(ref: PageRef, bans: tuple[str, ...]) -> bool:
    return str(ref) in bans or ref.name in bans


def _told(steer: Steer) -> str:
    said: Mapping[str, object] = {
        "pinned": ", ".join(steer.pin),
        "banned": ", ".join(steer.ban),
        "plan": "; ".join(sub.text for sub in steer.plan),
        "budget": steer.budget,
    }
    return "; ".join(f"{what} {value}" for what, value in said.items() if value)
