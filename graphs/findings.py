"""Turn what a summarizer found into evidence: only what stands on its page is kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pagehop.agents.moves import Call, Finding
from pagehop.answers import Evidence
from pagehop.errors import LibraryError
from pagehop.library.view import View
from pagehop.types import FULL_PAGE, Located


@dataclass(frozen=True)
class Sifted:
    """What became of the findings of one round."""

    evidence: tuple[Evidence, ...]
    dropped: tuple[str, ...]
    """Why findings were left out, one sentence each."""


def sift(
    view: View, findings: Sequence[Finding], *, known: Sequence[Evidence], made: Sequence[Call]
) -> Sifted:
    """Locate findings on their pages and give the new ones ids.

    The quote becomes the page's own words. A finding that was kept before, for the same
    sub-question, is passed over in silence.

    Args:
        view: Where the pages are.
        findings: Of the round, best first.
        known: Evidence so far; ids count on after it.
        made: Every call of the run; a finding must come from one of them.
    """
    calls = {call.id: call for call in made}
    seen = {_identity(item) for item in known}
    # Evidence of a banned page is gone, and its number is not given again.
    last = max((int(item.id[1:]) for item in known), default=0)
    kept: list[Evidence] = []
    dropped: list[str] = []
    for finding in findings:
        item = _evidence(view, finding, calls, f"E{last + len(kept) + 1}")
        if isinstance(item, str):
            dropped.append(item)
        elif _identity(item) not in seen:
            seen.add(_identity(item))
            kept.append(item)
    return Sifted(tuple(kept), tuple(dropped))


def sift_one(
    view: View, finding: Finding, known: Sequence[Evidence], made: Sequence[Call]
) -> tuple[Sifted, str]:
    """Return what becomes of one finding, and the id of its evidence, which may be an older one.

    Args:
        view: As for `sift`, like `known` and `made`.
        finding: What was found.
        known: Evidence so far.
        made: Every call of the run.
    """
    kept = sift(view, [finding], known=known, made=made)
    if kept.evidence or kept.dropped:
        return kept, kept.evidence[0].id if kept.evidence else ""
    place = view.locate(finding.ref, finding.quote) if finding.kind == "quote" else None
    text = place.text if place is not None else finding.quote
    same = (item.id for item in known if (item.ref, item.quote) == (finding.ref, text))
    return kept, next(same, "")


def _evidence(view: View, finding: Finding, calls: Mapping[str, Call], name: str) -> Evidence | str:
    shown = finding.quote if len(finding.quote) <= 80 else f"{finding.quote[:77]}..."
    if finding.call not in calls:
        return f"Dropped {shown!r}: it names no call of this run ({finding.call!r})."
    if finding.kind == "reading" and not _looked(calls[finding.call]):
        return f"Dropped {shown!r}: no picture of {finding.ref} was looked at."
    try:
        document = view.document(finding.ref.name)
        if finding.kind == "reading":
            located: Located | None = Located(finding.quote, finding.box or FULL_PAGE, 0.0)
        else:
            located = view.locate(finding.ref, finding.quote, near=finding.box)
    except LibraryError as error:
        return f"Dropped {shown!r}: {error}."
    if located is None:
        return f"Dropped {shown!r}: these words are not on {finding.ref}."
    return Evidence(
        id=name,
        ref=finding.ref,
        document=document.source,
        document_id=document.id,
        quote=located.text,
        box=located.box,
        call=finding.call,
        score=finding.score,
        sub_question=finding.sub_question,
        kind=finding.kind,
        source=located.source,
    )


def _looked(call: Call) -> bool:
    return call.tool == "look" or call.arguments.get("form") == "image"


def _identity(item: Evidence) -> tuple[str, int, str, str]:
    return (
        item.document_id, item.ref.page, re.sub(r"\s+", " ", item.quote).lower(),
        item.sub_question,
    )  # fmt: skip
