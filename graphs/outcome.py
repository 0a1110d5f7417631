"""Assemble the answer of a run by code, from claims that were verified.

1. Each claim keeps its words and gets the markers of its citations: `... 1,577 million. [1][2]`.
   What speaks against it is a warning.
2. Citations that show the same place are one citation; they are numbered as the text meets them.
3. The status follows from why the run stopped and from what is left to say, never from a model's
   word for it.
"""

import re
from collections.abc import Sequence

from pagehop.agents.moves import Call, Claim, Draft, Verdict
from pagehop.answers import Answer, Citation, Evidence, Status
from pagehop.graphs.state import State
from pagehop.library.view import View

_SHOWN_QUERIES = 8


def assemble(state: State, view: View, *, trajectory: str) -> Answer:
    """Make the answer from the verdict of a run.

    Args:
        state: After verify.
        view: What was searched.
        trajectory: Path of the run's record; empty when there is none.
    """
    draft, verdict = state["draft"] or Draft(), state["verdict"] or Verdict(kept=())
    used_up = state["used_up"]
    claims = () if draft.unanswerable else verdict.kept
    evidence = state.get("evidence", [])
    text, citations = write_claims(claims, evidence)
    status = _status(state, bool(claims))
    warnings = _latest(state.get("warnings", []))
    warnings += [_doubt(claim, evidence, citations) for claim in claims if claim.doubt]
    if draft.claims and not draft.unanswerable:
        warnings += [
            f"Removed from the answer, because {reason}: {claim.text}"
            for claim, reason in verdict.removed
        ]
    broken = list(dict.fromkeys(state.get("broken", [])))
    warnings += [f"A tool call failed: {error}" for error in broken]
    if not claims:
        text = "" if status == "failed" else _without_claims(state, view, draft, verdict)
    elif draft.reason:
        text = f"{text}\nNot found in the documents: {draft.reason.strip()}"
    if claims and status == "exhausted":
        why = f"the budget was spent: {used_up}" if used_up else "no further lead was found"
        warnings.append(f"This is the best answer so far; it may be incomplete: {why}.")
    return Answer(
        question=state["asked"],
        text=text,
        status=status,
        citations=citations,
        usage=state["spent"].usage(),
        warnings=tuple(dict.fromkeys(warnings)),
        trajectory=trajectory,
        error=_failure(state, broken) if status == "failed" else "",
    )


def _latest(warnings: Sequence[str]) -> list[str]:
    """Keep the last of warnings that differ in numbers only, e.g. in a share still missing."""
    return list({re.sub(r"\d+", "#", warning): warning for warning in warnings}.values())


def write_claims(
    claims: Sequence[Claim], evidence: Sequence[Evidence]
) -> tuple[str, tuple[Citation, ...]]:
    """Write claims with their citation markers."""
    by_id = {item.id: item for item in evidence}
    citations: list[Citation] = []
    sentences = []
    for claim in claims:
        numbers = [_number(by_id[name], citations) for name in claim.evidence]
        markers = "".join(f"[{number}]" for number in dict.fromkeys(numbers))
        sentences.append(f"{claim.text.strip()} {markers}".rstrip())
    lines = any("\n" in sentence or sentence.startswith(("- ", "* ")) for sentence in sentences)
    return ("\n" if lines else " ").join(sentences), tuple(citations)


def _doubt(claim: Claim, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> str:
    """Say what speaks against a claim, and which citations it rests on."""
    known = list(citations)  # holds them all already
    numbers = [_number(item, known) for item in evidence if item.id in claim.evidence]
    return f"{''.join(f'[{n}]' for n in dict.fromkeys(numbers))} {claim.doubt}."


def _number(item: Evidence, citations: list[Citation]) -> int:
    """Return the 1-based number of the citation that shows an evidence item, adding it if new."""
    citation = Citation(
        document=item.document,
        name=item.ref.name,
        page=item.ref.page,
        box=item.box,
        quote=item.quote,
        verified=item.kind == "quote",
        evidence=item.id,
        source=item.source,
    )
    for number, other in enumerate(citations, 1):
        if (other.ref, other.box, other.quote) == (citation.ref, citation.box, citation.quote):
            return number
    citations.append(citation)
    return len(citations)


def _status(state: State, claims: bool) -> Status:
    stop = state["stop"]
    if not claims and stop != "budget":
        # Nothing was searched, so nothing can be said about what is in the documents.
        return "failed" if state.get("tried") and not state["worked"] else "unanswerable"
    return "exhausted" if stop in ("budget", "no leads") else "answered"


def _failure(state: State, broken: Sequence[str]) -> str:
    """Say why nothing was searched: a tool that broke, else the calls, which were refused."""
    calls = dict.fromkeys(f"{call.tool}({dict(call.arguments)})" for call in state["tried"])
    reason = broken[0] if broken else f"{', '.join(calls)[:300]}: refused, see the record"
    return f"no tool call gave a result: {reason}"


def _without_claims(state: State, view: View, draft: Draft, verdict: Verdict) -> str:
    if state["stop"] == "budget":
        reason = f"No answer was found before the budget was spent: {state['used_up']}."
    elif draft.unanswerable and draft.reason:
        reason = draft.reason.strip()
    elif verdict.removed:
        reason = "No claim of the answer could be verified in the documents."
    else:
        reason = "The documents do not answer this."
    reason += "" if reason.endswith((".", "!", "?")) else "."
    return f"{reason} {_searched(view, state.get('tried', []))}"


def _searched(view: View, tried: Sequence[Call]) -> str:
    count = len(view.documents())
    documents = f"{count} document{'s' if count != 1 else ''}"
    queries = dict.fromkeys(
        str(call.arguments["query"]).replace('"', "")
        for call in tried
        if call.arguments.get("query")
    )
    pages = {str(call.arguments["ref"]) for call in tried if call.arguments.get("ref")}
    if not queries and not pages:
        return f"Nothing was searched in {documents}."
    shown = ", ".join(f'"{query}"' for query in list(queries)[:_SHOWN_QUERIES])
    more = f" and {len(queries) - _SHOWN_QUERIES} more" if len(queries) > _SHOWN_QUERIES else ""
    searched = f"Searched {documents} for {shown}{more}" if queries else f"Looked into {documents}"
    read = f"; read {len(pages)} page{'s' if len(pages) != 1 else ''}" if pages else ""
    return f"{searched}{read}."
