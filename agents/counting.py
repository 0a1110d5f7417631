"""Counting and listing over many documents, by rules: each role tries this before its usual way.

1. The question is read as a predicate (`rules/tally.py`); if it cannot be, or a document that it
   holds for has no place that says so, the usual roles do all. If it holds for none, that is said.
2. `filter_documents` says which documents hold, and where; those places are the evidence, one a
   document, and `calculate` counts them.
3. The answer gives the number, then a claim a document with its citation.

Not covered: documents that say it in other words; the answer says what was compared.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pagehop.agents.moves import (
    Call,
    Claim,
    Context,
    Draft,
    Explore,
    Finding,
    Observation,
    Plan,
    Reflection,
    Role,
    Roles,
    SubQuestion,
    Summary,
)
from pagehop.answers import Evidence
from pagehop.errors import ToolError
from pagehop.finding.filters import filter_documents
from pagehop.rules.phrasing import phrase_quote
from pagehop.rules.tally import Tally, read_tally
from pagehop.types import PageRef

if TYPE_CHECKING:
    from pagehop.library.view import View

MoveT = TypeVar("MoveT")
_MOST = 60
"""Documents that are counted with a place each."""


def with_counting(roles: Roles) -> Roles:
    """Return roles that count documents where a question asks for it, else do as before."""
    tallies = _Tallies()
    return replace(
        roles,
        planner=_Counting(roles.planner, tallies, _plan),
        explorer=_Counting(roles.explorer, tallies, _explore),
        summarizer=_Counting(roles.summarizer, tallies, _summarize),
        reflector=_Counting(roles.reflector, tallies, _reflect),
        answerer=_Counting(roles.answerer, tallies, _answer),
    )


class _Tallies:
    """What the question of a run counts; read once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: tuple[View, str] | None = None
        self._tally: Tally | None = None

    def read(self, view: "View", question: str) -> Tally | None:
        """Return what a question counts; None where the usual roles are to answer."""
        with self._lock:
            if self._of is None or self._of[0] is not view or self._of[1] != question:
                self._of, self._tally = (view, question), _citable(view, question)
            return self._tally


def _citable(view: "View", question: str) -> Tally | None:
    documents = view.documents()
    tally = read_tally(question, documents, view.fields) if len(documents) > 1 else None
    if tally is None:
        return None
    try:
        found = filter_documents(documents, tally.predicate, view.fields)
    except ToolError:
        return None
    counted = len(found.documents) <= _MOST
    return tally if counted and all(found.places.values()) else None


class _Counting(Generic[MoveT]):
    """A role that counts where it can."""

    def __init__(
        self,
        inner: Role[MoveT],
        tallies: _Tallies,
        own: Callable[[Context, Tally], MoveT | None],
    ) -> None:
        self._inner = inner
        self._tallies = tallies
        self._own = own

    async def step(self, context: Context) -> MoveT:
        """Count, or ask the usual role."""
        move = await asyncio.to_thread(self._counted, context)
        return move if move is not None else await self._inner.step(context)

    def _counted(self, context: Context) -> MoveT | None:
        tally = self._tallies.read(context.view, context.question)
        return self._own(context, tally) if tally else None


def _plan(context: Context, tally: Tally) -> Plan:
    part = SubQuestion("Q1", context.question, needs="documents")
    return Plan((part,), f"counts documents: {tally.predicate}")


def _explore(context: Context, tally: Tally) -> Explore | None:
    part = context.sub_questions[0]
    tried = {call.tool for call in context.tried}
    if "filter_documents" not in tried:
        arguments = {"predicate": tally.predicate}
        call = Call("filter_documents", arguments, sub_question=part.id)
        return Explore((call,), f"1 call: filter_documents, {tally.predicate}")
    places = _places(context)
    if not places:
        return Explore((), "no document matches", done=True)
    if "calculate" not in tried:
        ones = ", ".join("1" for _ in places)
        sum_up = Call("calculate", {"expression": f"sum({ones})"}, sub_question=part.id)
        return Explore((sum_up,), "1 call: calculate, to count them", done=True)
    return Explore((), "all of them are counted", done=True)


def _summarize(context: Context, tally: Tally) -> Summary | None:
    places = _places(context)
    filtered = _filtered(context)
    if filtered is None:
        return None
    part = context.sub_questions[0].id
    findings = [
        Finding(PageRef.parse(str(place["ref"])), str(place["words"]), filtered.call.id, 1.0, part)
        for place in places.values()
    ]
    return Summary(tuple(findings))


def _reflect(context: Context, tally: Tally) -> Reflection | None:
    if not _own_evidence(context):
        parts = tuple(replace(sub, state="unanswerable") for sub in context.sub_questions)
        return Reflection(False, "", parts, give_up=True, thought="no document matches")
    parts = tuple(replace(sub, state="answered") for sub in context.sub_questions)
    return Reflection(True, "", parts, thought="the documents are counted")


def _answer(context: Context, tally: Tally) -> Draft | None:
    own = _own_evidence(context)
    sums = [o for o in context.calculations if o.ok]
    if not own:
        return Draft(unanswerable=True, reason=f"No document says so: {tally.predicate}.")
    if not sums:
        return None
    count = int(float(sums[-1].artifact["value"]))
    if count != len({item.ref.name for item in own}):
        return None
    names = ", ".join(dict.fromkeys(item.ref.name for item in own))
    all_ids = tuple(item.id for item in own)
    noun = tally.noun.removesuffix("s") if count == 1 else tally.noun
    compared = f"counted by what documents say of themselves: {tally.predicate}"
    head = Claim(f"{count} {noun}: {names}.", all_ids, (sums[-1].call.id,), compared)
    each = tuple(Claim(f"{item.ref.name}: {phrase_quote(item.quote)}", (item.id,)) for item in own)
    return Draft((head, *each))


def _filtered(context: Context) -> Observation | None:
    found = [o for o in context.observations if o.ok and o.call.tool == "filter_documents"]
    return found[-1] if found else None


def _places(context: Context) -> dict[str, dict[str, Any]]:
    """Return a place of each document that the filter chose; none if one has no place."""
    filtered = _filtered(context)
    if filtered is None:
        return {}
    names = list(filtered.artifact.get("documents", ()))
    asked = str(filtered.call.arguments.get("predicate", "")).casefold()
    places: dict[str, dict[str, Any]] = {}
    # The place that says most of what was asked: a value of the question, else no mere kind.
    telling = sorted(
        filtered.artifact.get("places", ()),
        key=lambda place: (
            place["field"] in ("kind", "type"),
            str(place["value"]).casefold() not in asked,
        ),
    )
    for place in telling:
        places.setdefault(PageRef.parse(str(place["ref"])).name, place)
    whole = bool(names) and len(names) <= _MOST and all(name in places for name in names)
    return {name: places[name] for name in names} if whole else {}


def _own_evidence(context: Context) -> list[Evidence]:
    """Return the evidence that counts documents, one a document."""
    filters = {call.id for call in context.tried if call.tool == "filter_documents"}
    found = {item.ref.name: item for item in context.evidence if item.call in filters}
    return list(found.values())
