"""The objects in a model's replies as moves: each checked, what is wrong told in words for it.

1. A quote becomes a finding only if its words stand on a page that this round has shown.
2. A claim names evidence and calculations that there are; what would not be verified is told.
3. Lists may come as one item, ids in brackets or small letters; nothing is invented.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from pagehop.agents.moves import (
    Call,
    Claim,
    Context,
    Draft,
    Finding,
    Reflection,
    SubQuestion,
    Summary,
)
from pagehop.agents.reasoner import Unusable
from pagehop.agents.verifier import problems
from pagehop.errors import LibraryError, ToolError
from pagehop.tools.calculate import evaluate
from pagehop.tools.verify import nearest_line
from pagehop.types import PageRef

State = Literal["open", "answered", "unanswerable"]
MOST_PARTS = 8
MOST_SUMS = 8
_MADE = re.compile(r"C\d+", re.IGNORECASE)
"""A calculation named by its id instead of written out."""


def read_parts(value: object, names: set[str], first: int = 1) -> list[SubQuestion]:
    """Return the parts of a plan.

    Args:
        value: What the reply has under `parts`.
        names: Of the documents; others are left out.
        first: Number of the first part's id.
    """
    parts: list[SubQuestion] = []
    for item in value if isinstance(value, list) else []:
        given = {"text": item} if isinstance(item, str) else item
        if not isinstance(given, Mapping):
            continue
        text = str(given.get("text") or given.get("question") or "").strip()
        # Weak models repeat the dots of the example.
        if not any(map(str.isalnum, text)) or len(parts) == MOST_PARTS:
            continue
        parts.append(
            SubQuestion(
                id=f"Q{first + len(parts)}",
                text=text,
                needs=str(given.get("needs") or ""),
                documents=tuple(n for n in _listed(given.get("documents")) if n in names),
                after=tuple(_listed(given.get("after"))),
            )
        )
    known = {part.id for part in parts}
    return [replace(p, after=tuple(a for a in p.after if a in known and a != p.id)) for p in parts]


def read_summary(context: Context, value: Mapping[str, Any]) -> tuple[Summary, list[str]]:
    """Return the summary, and what is wrong with it in words for the model."""
    findings, problems = [], []
    if not {"evidence", "parts", "sufficient", "give_up", "notes"} & value.keys():
        raise Unusable('The object has none of "evidence", "parts" and "sufficient".')
    for item in _items(value, "evidence"):
        finding = read_finding(context, item)
        if isinstance(finding, Finding):
            findings.append(finding)
        else:
            problems.append(finding)
    notes = tuple(str(note) for note in _items(value, "notes") if str(note).strip())
    sums, wrong = _sums(context, value)
    judgement = read_judgement(context, value)
    return Summary(tuple(findings), notes, judgement, tuple(sums)), [*problems, *wrong]


def _sums(context: Context, value: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the calculations that a summary asks for, and why others cannot be made.

    Those made already, and ids of them, are left out.
    """
    made = {str(item.artifact.get("expression")) for item in context.calculations}
    sums, problems = [], []
    for item in _items(value, "calculations"):
        given = item.get("expression") if isinstance(item, Mapping) else item
        expression = str(given or "").strip()
        if not expression or expression in made or _MADE.fullmatch(expression):
            continue
        try:
            evaluate(expression)
        except ToolError as error:
            problems.append(f"The calculation cannot be made: {error}.")
        else:
            sums.append(expression)
    return sums[:MOST_SUMS], problems


def joined(before: Sequence[Summary], summary: Summary) -> Summary:
    """Return a summary with the findings of the one before it that it does not repeat."""
    known = {(finding.ref, finding.quote) for finding in summary.findings}
    earlier = [f for one in before for f in one.findings if (f.ref, f.quote) not in known]
    sums = dict.fromkeys(sum_ for one in (*before, summary) for sum_ in one.calculations)
    return replace(summary, findings=(*earlier, *summary.findings), calculations=tuple(sums))


def read_judgement(context: Context, value: Mapping[str, Any]) -> Reflection:
    """Return the judgement: every part with its state, parts added, what is missing."""
    states: dict[str, State] = {}
    for item in _items(value, "parts"):
        for state in get_args(State):
            if isinstance(item, Mapping) and item.get("state") == state:
                states[str(item.get("id"))] = state
    judged = tuple(
        replace(sub, state=states.get(sub.id, sub.state)) for sub in context.sub_questions
    )
    names = {document.name for document in context.view.documents()}
    room = MOST_PARTS - len(judged)
    new = read_parts(value.get("new_parts"), names, first=len(judged) + 1)[: max(0, room)]
    return Reflection(
        sufficient=bool(value.get("sufficient")),
        missing=str(value.get("missing") or ""),
        sub_questions=(*judged, *new),
        contradictions=tuple(str(text) for text in _items(value, "contradictions")),
        give_up=bool(value.get("give_up")),
        thought=str(value.get("reason") or ""),
    )


def read_draft(context: Context, value: Mapping[str, Any]) -> Draft:
    """Return the claims of an answer.

    Raises:
        Unusable: A claim names no evidence, or some that there is not.
    """
    if value.get("unanswerable"):
        return Draft(unanswerable=True, reason=str(value.get("reason") or ""))
    evidence = {item.id for item in context.evidence}
    calculations = {f"C{i}": o.call.id for i, o in enumerate(context.calculations, 1)}
    claims = []
    for item in _items(value, "claims"):
        if not isinstance(item, Mapping) or not str(item.get("text") or "").strip():
            raise Unusable('A claim is an object with "text" and "evidence".')
        ids = [name.strip("[]").upper() for name in _listed(item.get("evidence"))]
        sums = [name.strip("[]").upper() for name in _listed(item.get("calculations"))]
        wrong = [name for name in ids if name not in evidence]
        wrong += [name for name in sums if name not in calculations]
        if wrong:
            known = ", ".join(sorted(evidence)) or "none"
            raise Unusable(f"There is no {wrong[0]}; the evidence is {known}.")
        if not ids and not sums:
            raise Unusable(
                f"The claim {str(item['text'])[:80]!r} names no evidence. Every claim needs it; "
                "what was not found goes into not_found."
            )
        claims.append(
            Claim(str(item["text"]).strip(), tuple(ids), tuple(calculations[s] for s in sums))
        )
    if not claims:
        raise Unusable('Give claims, or "unanswerable": true with a reason.')
    return Draft(tuple(claims), reason=str(value.get("not_found") or ""))


def unsupported(draft: Draft, context: Context) -> str:
    """Say which claims would be removed and why, for one chance to mend them."""
    reasons = problems(draft.claims, context)
    wrong = [
        f"The claim {claim.text[:120]!r} would be removed: {reason}."
        for claim, reason in zip(draft.claims, reasons, strict=True)
        if reason
    ]
    mend = "Name the evidence or calculation that holds it, or state only what they hold."
    return " ".join([*wrong[:3], mend]) if wrong else ""


def shown_pages(context: Context) -> list[str]:
    """Return the pages that this round has shown, in the order shown."""
    pages: dict[str, None] = {}
    for item in context.observations:
        if item.ok:
            pages |= dict.fromkeys(sorted(filter(_page, _shown_pages(item.artifact))))
    return list(pages)


def read_finding(context: Context, item: object) -> Finding | str:
    """Return a finding whose words are on its page, or why it cannot be kept."""
    if not isinstance(item, Mapping):
        return f"An evidence is an object with ref, quote and part, not {str(item)[:60]!r}."
    quote = " ".join(str(item.get("quote") or item.get("reading") or "").split())
    written = str(item.get("ref") or "").strip(" []")
    ref = _page(written)
    if ref is None:
        return f"{written[:60]!r} is no page: write name:page, e.g. report_2018:12."
    if not quote:
        return f"The evidence on {ref} has no quote."
    call = _call_for(context, ref)
    if call is None:
        return f"{ref} was not read or found in this round; keep only what you have seen."
    known = {sub.id for sub in context.sub_questions}
    part = str(item.get("part") or "")
    part = part if part in known else call.sub_question or next(iter(known), "Q1")
    if item.get("reading") and not item.get("quote"):
        box = _box(item.get("box")) or (0.0, 0.0, 1.0, 1.0)
        return Finding(ref, quote, call.id, 1.0, part, box=box, kind="reading")
    try:
        located = context.view.locate(ref, quote)
    except LibraryError as error:
        return f"{error}."
    if located is None:
        nearest = nearest_line(context.view.page(ref).text, quote)
        return (
            f"These words are not on {ref}: {quote[:100]!r}"
            + (f"; the nearest line there is {nearest[:160]!r}" if nearest else "")
            + ". Copy them exactly as they stand there, without leaving any out, or leave it away."
        )
    return Finding(ref, quote, call.id, 1.0, part)


def _page(written: str) -> PageRef | None:
    name, _, page = written.rpartition(":")
    return PageRef(name, int(page)) if name and page.isdigit() and int(page) > 0 else None


def _box(value: object) -> tuple[float, float, float, float] | None:
    if isinstance(value, list) and len(value) == 4:
        try:
            x0, y0, x1, y1 = (min(max(float(v), 0.0), 1.0) for v in value)
        except (TypeError, ValueError):
            return None
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
    return None


def _call_for(context: Context, ref: PageRef) -> Call | None:
    """Return the call of this round that showed a page: the one that read it, else a search."""
    wanted = str(ref)
    showed = [o for o in context.observations if o.ok and wanted in _shown_pages(o.artifact)]
    read = [o for o in showed if o.call.arguments.get("ref")]
    chosen = (read or showed)[-1:]
    return chosen[0].call if chosen else None


def _shown_pages(artifact: Mapping[str, Any]) -> set[str]:
    """Return every page that an artifact refers to, wherever in it."""
    pages: set[str] = set()
    for key, value in artifact.items():
        if key in ("ref", "to", "from", "page") and isinstance(value, str):
            pages.add(value)
        elif isinstance(value, Mapping):
            pages |= _shown_pages(value)
        elif isinstance(value, list | tuple):
            for item in value:
                if isinstance(item, Mapping):
                    pages |= _shown_pages(item)
                elif isinstance(item, str):
                    pages.add(item)
    return pages


def _items(value: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list of that name; empty when there is none.

    Raises:
        Unusable: It is a number or the like.
    """
    given = value.get(name) or []
    if isinstance(given, str | Mapping):
        return [given]
    if not isinstance(given, list):
        raise Unusable(f'"{name}" is a list, not {given!r}.')
    return given


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(part).strip() for part in value] if isinstance(value, list) else []
