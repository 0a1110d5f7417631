"""What four retrieval tools are asked by rules: filter, search, aggregate, one after the other.

1. `filter_documents`: the question as a condition on what documents say of themselves, where it is
   one as a whole (rules/tally.py), else the documents that it is about.
2. `semantic_search` and `keyword_search` for each part of the question in those documents.
3. `aggregate`: a field that the question names, by the operation that it asks for.

Not covered: conditions on fields beside other words, and figures that stand in tables.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pagehop.agents.moves import Call, Claim, Draft, Explore, Finding, Observation, Plan
from pagehop.graphs.blocks.answering import answer_from
from pagehop.graphs.blocks.step import Step
from pagehop.graphs.state import State
from pagehop.graphs.threads import in_thread
from pagehop.rules.question import read_question
from pagehop.rules.vocabulary import FUNCTION_WORDS
from pagehop.rules.words import stems, tokens
from pagehop.types import PageRef

PAGES = 10
"""Of a search."""
_MOST = 20
"""Documents that a filter names one by one."""
_QUOTED = 60
_OPERATIONS = {
    "count": r"how\s+many",
    "max": r"highest|largest|greatest|biggest|maximum|(?<!at )most",
    "min": r"lowest|smallest|fewest|minimum|(?<!at )least",
    "mean": r"average|mean",
    "sum": r"total|sum|altogether|combined",
}
_DOCUMENTS = frozenset(stems("document file paper one"))
_TURNED = frozenset({"not", "no", "without", "except", "than", "but", "other", "second"})
"""Small words that make another question of it."""
_ADJECTIVES = {"max": "highest", "min": "lowest", "mean": "average", "sum": "total"}


async def next_calls(step: Step) -> list[Call]:
    """Return the next calls; none when all were made."""
    if not step.memo.get("gathered"):
        plan = await step.role(step.roles.planner, Plan)
        step.take(State(sub_questions=list(plan.sub_questions)))
        move = await step.role(step.roles.explorer, Explore)
        step.memo["filters"] = [
            dict(call.arguments) for call in move.calls if call.tool == "filter_documents"
        ]
    while (done := int(step.memo.get("gathered", 0))) < len(_PHASES):
        step.memo["gathered"] = done + 1
        if calls := await in_thread(_PHASES[done], step):
            return calls
    return []


async def answer_gathered(step: Step) -> None:
    """Answer by rules: with what was aggregated or counted, else from the hits."""
    aggregated = [item for item in step.seen if item.call.tool == "aggregate" and item.ok]
    if aggregated and await _aggregated(step, aggregated[-1]):
        return
    move = await step.role(step.roles.explorer, Explore)
    await step.calls([call for call in move.calls if call.tool == "calculate"])
    await answer_from(step)


def with_words(item: Observation) -> Observation:
    """Return a filter's or aggregate's result with what the pages say, which a claim can quote.

    Their values are written so that they compare: 2023-09-21 for `21 September 2023`.
    """
    said = [f"[{place['ref']}] {place['words']}" for place in item.artifact.get("places", ())]
    if not said:
        return item
    listed = "\n".join(dict.fromkeys(said[:_QUOTED]))
    return replace(item, text=f"{item.text}\nIn the words of the pages:\n{listed}")


def _filter(step: Step) -> list[Call]:
    if step.memo["filters"]:
        return [Call("filter_documents", arguments) for arguments in step.memo["filters"]]
    named = dict.fromkeys(name for sub in step.state["sub_questions"] for name in sub.documents)
    if not named or len(named) > _MOST:
        return []
    listed = ", ".join(f'"{name}"' for name in named)
    return [Call("filter_documents", {"predicate": f"name in ({listed})"})]


def _searches(step: Step) -> list[Call]:
    chosen = _chosen(step.seen)
    calls = []
    parts = step.state["sub_questions"]
    for sub in [sub for sub in parts if not sub.after] or parts:
        documents = ",".join(sub.documents or chosen)
        given = {"k": PAGES, **({"documents": documents} if documents else {})}
        words = read_question(sub.text).query or sub.text
        calls += [
            Call(tool, {"query": query, **given}, sub_question=sub.id)
            for tool, query in (("semantic_search", sub.text), ("keyword_search", words))
        ]
    return calls


def _aggregate(step: Step) -> list[Call]:
    asked = f" {step.question.casefold()} "
    held = [
        name for name in step.view.fields.names if re.search(rf"\b{re.escape(name)}s?\b", asked)
    ]
    if not held:
        return []
    found = (op for op, words in _OPERATIONS.items() if re.search(rf"\b(?:{words})\b", asked))
    given = {"field": max(held, key=len), "op": next(found, "list")}
    chosen = _chosen(step.seen)
    return [Call("aggregate", {**given, **({"documents": ",".join(chosen)} if chosen else {})})]


_PHASES: tuple[Callable[[Step], list[Call]], ...] = (_filter, _searches, _aggregate)


def _chosen(seen: Sequence[Observation]) -> list[str]:
    """Return the documents that a filter left; none where there was none."""
    filtered = [item for item in seen if item.call.tool == "filter_documents" and item.ok]
    return list(filtered[-1].artifact["documents"]) if filtered else []


async def _aggregated(step: Step, found: Observation) -> bool:
    """Answer with what was aggregated of a field; tell whether that is what was asked."""
    field, op, places = found.artifact["field"], found.artifact["op"], found.artifact["places"]
    if op not in _ADJECTIVES or not places or isinstance(found.artifact["value"], str):
        return False
    if await in_thread(_asks_more, step, field):
        return False
    value = float(found.artifact["value"])
    number = f"{value:,.10g}"
    unit = places[0]["value"].partition(" ")[2]
    if op in ("max", "min"):
        places = [place for place in places if place["value"].split(" ")[0] == number]
    kept = [
        Finding(PageRef.parse(place["ref"]), place["words"], found.call.id, 1.0, "Q1")
        for place in places
    ]
    ids = await step.keep(kept)
    if not all(ids):
        return False
    sums: tuple[str, ...] = ()
    if op in ("sum", "mean"):
        values = ", ".join(place["value"].split(" ")[0].replace(",", "") for place in places)
        done = await step.call("calculate", expression=f"{op}({values})")
        if not done.ok:  # more values than it takes
            return False
        sums = (done.call.id,)
        number = number if value == int(value) else f"about {value:,.2f}"
    names = ", ".join(dict.fromkeys(finding.ref.name for finding in kept))
    text = f"The {_ADJECTIVES[op]} {field} is {f'{number} {unit}'.strip()}: {names}."
    step.take(State(draft=Draft((Claim(text, tuple(dict.fromkeys(ids)), sums),))))
    return True


def _asks_more(step: Step, field: str) -> bool:
    """Tell whether a question has words beside a field, a kind of document and an operation."""
    view = step.view
    kinds = [
        str(stated.value)
        for document in view.documents()
        for name in ("kind", "type")
        for stated in view.fields.of(document.id, name)
    ]
    said = re.sub("|".join(_OPERATIONS[op] for op in _ADJECTIVES), " ", step.question.casefold())
    known = {*stems(" ".join([field, *kinds])), *_DOCUMENTS}
    left = {token.stem for token in tokens(said) if token.text not in FUNCTION_WORDS - _TURNED}
    return not left <= known
