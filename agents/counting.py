"""Counting and listing over many documents, by rules: each role tries this before its usual way.

1. The question is read as a predicate (`rules/tally.py`); if it cannot be, or a document that it
   holds for has no place that says so, the usual roles do all. If it holds for none, that is said.
2. `filter_documents` says which documents hold, and where; those places are the evidence, one a
   document, and `calculate` counts them. Where documents need no labelled value for that (all of
   them, those of a year, those that mention something), `document_places.py` finds the places, and
   the filter is of their names.
   Numbered things of one document, and which of two documents appeared first, go the same way.
3. The answer gives the number, then a claim a document with its citation.

Not covered: documents that say it in other words; the answer says what was compared.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from pagehop.agents.document_places import (
    MOST_READ,
    Place,
    called,
    find_places,
    in_order,
    numbered_things,
)
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
from pagehop.finding.periods import find_years
from pagehop.rules.phrasing import phrase_quote
from pagehop.rules.question import read_question
from pagehop.rules.scope import read_profiles, read_scope
from pagehop.rules.tally import ALL, Tally, read_numbered, read_order, read_tally
from pagehop.rules.words import stems

if TYPE_CHECKING:
    from pagehop.library.view import View

MoveT = TypeVar("MoveT")
Counted = tuple[Tally, Mapping[str, Place | None]]
"""What a question counts, and the documents that hold, each with its place."""
_MOST = 60
"""Documents that are cited and named."""


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
        self._counted: Counted | None = None

    def read(self, view: "View", question: str) -> Counted | None:
        """Return what a question counts; None where the usual roles are to answer."""
        with self._lock:
            if self._of is None or self._of[0] is not view or self._of[1] != question:
                self._of, self._counted = (view, question), _counted(view, question)
            return self._counted


def _counted(view: "View", question: str) -> Counted | None:
    documents = view.documents()
    tally = read_tally(question, documents, view.fields) if len(documents) > 1 else None
    if tally is None:
        return _ordered(view, question) or _numbered(view, question)
    found = find_places(view, tally)
    if found is not None:
        if tally.predicate == ALL:
            return tally, found
        return replace(tally, predicate=_by_name(found)), found
    stated = _stated(view, tally)
    return (tally, stated) if stated is not None else None


def _ordered(view: "View", question: str) -> Counted | None:
    """Return the two documents of which the one that appeared first or last is asked for."""
    tally = read_order(question)
    found = in_order(view, tally.sides, later=tally.later) if tally else None
    return (replace(tally, predicate=_by_name(found)), found) if tally and found else None


def _numbered(view: "View", question: str) -> Counted | None:
    """Return the numbered things of the one document that a question is about."""
    tally = read_numbered(question)
    if tally is None:
        return None
    asked = read_question(question)
    names = read_scope(view, asked, read_profiles(view, asked)).documents
    names = names or called(view, {term.stem for term in asked.terms} - set(stems(tally.numbered)))
    if len(names) != 1:
        return None
    found = numbered_things(view, names[0], tally.numbered)
    return (replace(tally, predicate=_by_name({names[0]: None})), found) if found else None


def _by_name(found: Mapping[str, Place | None]) -> str:
    quoted = ", ".join(f'"{name}"' for name in found)
    return f"name in ({quoted})" if found else "pages < 1"


def _stated(view: "View", tally: Tally) -> dict[str, Place | None] | None:
    """Return the documents that say of themselves what is asked; None where one has no place."""
    try:
        filtered = filter_documents(view.documents(), tally.predicate, view.fields)
    except ToolError:
        return None
    asked = tally.predicate.casefold()
    found: dict[str, Place | None] = {}
    for document in filtered.documents:
        # The place that says most of what was asked: a value of the question, else no mere kind.
        telling = sorted(
            filtered.places[document.id],
            key=lambda field: (
                field.field in ("kind", "type"),
                field.shown.casefold() not in asked,
            ),
        )
        if not telling:
            return None
        found[document.name] = Place(telling[0].ref, telling[0].words)
    return found if len(found) <= MOST_READ else None


class _Counting(Generic[MoveT]):
    """A role that counts where it can."""

    def __init__(
        self,
        inner: Role[MoveT],
        tallies: _Tallies,
        own: Callable[[Context, Counted], MoveT | None],
    ) -> None:
        self._inner = inner
        self._tallies = tallies
        self._own = own

    async def step(self, context: Context) -> MoveT:
        """Count, or ask the usual role."""
        move = await asyncio.to_thread(self._counted, context)
        return move if move is not None else await self._inner.step(context)

    def _counted(self, context: Context) -> MoveT | None:
        counted = self._tallies.read(context.view, context.question)
        return self._own(context, counted) if counted else None


def _plan(context: Context, counted: Counted) -> Plan:
    part = SubQuestion("Q1", context.question, needs="documents")
    return Plan((part,), f"counts documents: {_said(counted[0])}")


def _said(tally: Tally) -> str:
    """By what documents are counted, in the answer's words."""
    if tally.sides:
        return f"when they appeared: {' and '.join(tally.sides)}"
    if tally.numbered:
        return f"{tally.numbered} 1 to the last"
    if tally.mention:
        return f"mentions {tally.mention}"
    return (
        "all"
        if tally.predicate == ALL
        else f"year = {tally.year}"
        if tally.year
        else tally.predicate
    )


def _explore(context: Context, counted: Counted) -> Explore | None:
    tally, found = counted
    part = context.sub_questions[0]
    tried = {call.tool for call in context.tried}
    if "filter_documents" not in tried:
        arguments = {"predicate": tally.predicate}
        call = Call("filter_documents", arguments, sub_question=part.id)
        return Explore((call,), f"1 call: filter_documents, {_said(tally)}")
    if not found:
        return Explore((), "no document matches", done=True)
    if "calculate" not in tried and not tally.sides:
        sum_up = Call("calculate", {"expression": _count(found)}, sub_question=part.id)
        return Explore((sum_up,), "1 call: calculate, to count them", done=True)
    return Explore((), "all of them are counted", done=True)


def _summarize(context: Context, counted: Counted) -> Summary | None:
    filtered = _filtered(context)
    if filtered is None:
        return None
    part = context.sub_questions[0].id
    tally, found = counted
    placed = [place for place in found.values() if place is not None][:_MOST]
    # With effort low the explorer had no second step to count in.
    sums = (_count(found),) if context.effort == "low" and found and not tally.sides else ()
    return Summary(
        tuple(Finding(each.ref, each.words, filtered.call.id, 1.0, part) for each in placed),
        calculations=sums,
    )


def _count(found: Mapping[str, object]) -> str:
    return f"sum({', '.join('1' for _ in found)})"


def _reflect(context: Context, counted: Counted) -> Reflection | None:
    if not counted[1]:
        parts = tuple(replace(sub, state="unanswerable") for sub in context.sub_questions)
        return Reflection(False, "", parts, give_up=True, thought="no document matches")
    parts = tuple(replace(sub, state="answered") for sub in context.sub_questions)
    return Reflection(True, "", parts, thought="the documents are counted")


def _answer(context: Context, counted: Counted) -> Draft | None:
    tally, found = counted
    if not found:
        return Draft(unanswerable=True, reason=f"No document says so: {_said(tally)}.")
    own = _own_evidence(context)
    if tally.sides:
        return _answer_order(own)
    sums = [o for o in context.calculations if o.ok]
    if not own or not sums:
        return None
    count = int(float(sums[-1].artifact["value"]))
    if count != len(found):
        return None
    names = [name for name, place in found.items() if place is not None][:_MOST]
    more = f" and {count - len(names)} more" if count > len(names) else ""
    if tally.numbered:
        names = [f"{tally.numbered} {number}" for number in names]
    all_ids = tuple(item.id for item in own)
    noun = tally.noun.removesuffix("s") if count == 1 else tally.noun
    head = Claim(
        f"{count} {noun}: {', '.join(names)}{more}.", all_ids, (sums[-1].call.id,), _how(counted)
    )
    whose = {item.id: "" if tally.numbered else f"{item.ref.name}: " for item in own}
    each = tuple(Claim(f"{whose[i.id]}{phrase_quote(i.quote)}", (i.id,)) for i in own)
    return Draft((head, *each))


def _answer_order(own: Sequence[Evidence]) -> Draft | None:
    if len(own) < 2:
        return None
    first, second = own[:2]
    years = [max(find_years(item.quote), default=0) for item in (first, second)]
    names = [item.ref.name for item in (first, second)]
    text = f"{names[0]}: {years[0]} against {years[1]} ({names[1]})."
    if years[0] == years[1]:
        text = f"The same year, {years[0]}: {' and '.join(names)}."
    doubt = "dated by what the front pages say of publication"
    head = Claim(text, (first.id, second.id), (), doubt)
    each = (Claim(f"{i.ref.name}: {phrase_quote(i.quote)}", (i.id,)) for i in (first, second))
    return Draft((head, *each))


def _how(counted: Counted) -> str:
    """How the documents were counted, and which of them cannot be cited."""
    tally, found = counted
    blank = [name for name, place in found.items() if place is None]
    how = f"counted by what documents say of themselves: {_said(tally)}"
    if tally.predicate == ALL:
        how = "counted are all documents, each cited by its first line"
    elif tally.numbered:
        how = f"counted by the lines that begin with {tally.numbered} and a number"
    elif tally.mention:
        how = "counted by words; what is told in other words is not"
    elif tally.year:
        how = "counted by file names, titles and what the front pages say of publication"
    return how + (f"; {', '.join(blank)}: no words that could be cited" if blank else "")


def _filtered(context: Context) -> Observation | None:
    found = [o for o in context.observations if o.ok and o.call.tool == "filter_documents"]
    return found[-1] if found else None


def _own_evidence(context: Context) -> list[Evidence]:
    """Return the evidence that counts, one item a document or thing."""
    filters = {call.id for call in context.tried if call.tool == "filter_documents"}
    found = {(item.ref, item.quote): item for item in context.evidence if item.call in filters}
    return list(found.values())
