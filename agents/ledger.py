"""What a model sees of the evidence and notes so far: the most relevant, the rest by `recall`.

1. Items stand in the order found, so that a prompt extends the one before it.
2. Above a limit of characters some are left out. Which ones is decided anew only when `BATCH` more
   have come: in between the list grows at its end, and an endpoint can reuse the prefix.
3. Relevance is the share of a quote's words that the question and the open parts use, the best of
   each part first, then the newer.
"""

from collections.abc import Sequence

from pagehop.agents.moves import Context, Observation
from pagehop.answers import Evidence
from pagehop.tools.recall import overlap

BATCH = 4
"""Items that may come before the list is trimmed again."""
EXPLORE_CHARACTERS = 4_000
"""Of evidence that explorer and condenser see."""
ANSWER_CHARACTERS = 20_000
"""Of evidence that answerer and reflector see, who have no tool to recall more."""
_SETTLED_SHARE = 0.5
"""Of the limit for what was trimmed; the rest is room for what comes after."""
_NOTES_CHARACTERS = 500
_LOOKED_UP = 16
"""Searches, and pages read, of earlier rounds that are told of."""


def show_evidence(context: Context, characters: int, *, recalls: bool = False) -> str:
    """Return the evidence as lines; empty when there is none.

    Args:
        context: Of the step.
        characters: About as many at most.
        recalls: Who reads it has `recall`.
    """
    shown = chosen(context, characters)
    lines = [
        f"{item.id} [{item.ref}] for {item.sub_question}"
        + (" (seen in a picture)" if item.kind == "reading" else "")
        + (" (read by OCR)" if item.source == "ocr" else "")
        + f": {item.quote}"
        for item in shown
    ]
    if left_out := len(context.evidence) - len(shown):
        how = "; recall(query) shows those that match" if recalls else ""
        lines.append(f"({left_out} more are kept{how}.)")
    return "\n".join(lines)


def chosen(context: Context, characters: int) -> list[Evidence]:
    """Return the items to show, in the order found."""
    items = list(context.evidence)
    if sum(map(_length, items)) <= characters:
        return items
    settled = len(items) - len(items) % BATCH
    room = int(characters * _SETTLED_SHARE)
    kept = set(range(settled, len(items)))
    for i in _by_relevance(context, items[:settled]):
        room -= _length(items[i])
        if room < 0:
            break
        kept.add(i)
    return [items[i] for i in sorted(kept)]


def _length(item: Evidence) -> int:
    return len(item.quote) + len(str(item.ref)) + len(" for : []") + 6


def _by_relevance(context: Context, items: Sequence[Evidence]) -> list[int]:
    parts = {sub.id: sub.text for sub in context.sub_questions}
    scores = [
        overlap(item.quote, f"{context.question} {parts.get(item.sub_question, '')}")
        for item in items
    ]
    order = sorted(range(len(items)), key=lambda i: (-scores[i], -i))
    first_of_part = {items[i].sub_question: i for i in reversed(order)}
    firsts = sorted(first_of_part.values())
    return [*firsts, *(i for i in order if i not in firsts)]


def show_notes(context: Context) -> str:
    """Return the newest notes that fit, oldest first."""
    lines: list[str] = []
    room = _NOTES_CHARACTERS
    for note in reversed(dict.fromkeys(context.notes)):
        room -= len(note)
        if room < 0:
            lines.append("(older notes were left out)")
            break
        lines.append(f"- {note}")
    return "\n".join(reversed(lines))


def show_looked_up(context: Context) -> str:
    """Return what earlier rounds searched for and read, the newest of it; empty for nothing."""
    in_sight = {item.call.id for item in context.observations}
    queries: dict[str, None] = {}
    pages: dict[str, None] = {}
    for call in context.tried:
        given = call.arguments
        if call.id in in_sight:
            continue
        if query := str(given.get("query") or given.get("predicate") or "").strip():
            where = f" in {given['documents']}" if given.get("documents") else ""
            queries[f'"{query}"{where}'] = None
        elif ref := str(given.get("ref") or ""):
            pages[ref] = None
    lines = [
        f"{head}: {', '.join([*found][-_LOOKED_UP:])}."
        for head, found in (("Searched for", queries), ("Pages read", pages))
        if found
    ]
    return "\n".join(lines)


def show_calculations(calculations: Sequence[Observation]) -> str:
    """Return the calculations of the run, numbered C1, C2, ... as claims name them."""
    return "\n".join(
        f"C{i}: {' '.join(item.text.split())}" for i, item in enumerate(calculations, 1)
    )
