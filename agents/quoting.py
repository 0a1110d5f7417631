"""An answer given at once from pages: claims with the quotes that carry them, in one reply.

For graphs that keep no evidence while they look. What a reply says is checked as in the main
machine: a quote must stand on a page that was shown, and the numbers of a claim in its quotes or in
a calculation. What is wrong is told once; then what is right is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pagehop.agents.moves import Call, Claim, Context, Finding, Observation
from pagehop.agents.reasoner import Unusable
from pagehop.agents.reply_moves import read_finding
from pagehop.agents.verifier import problems
from pagehop.answers import Evidence
from pagehop.errors import ToolError
from pagehop.tools.calculate import evaluate
from pagehop.types import FULL_PAGE

RIGHT = (
    '{"claims": [{"text": "...", "quotes": [{"ref": "name:page", "quote": "words of that page"}]}],'
    ' "unanswerable": false}'
)
_TOLD = 4
"""Mistakes that one reply is told of."""


@dataclass(frozen=True)
class QuotedClaim:
    """One sentence of an answer."""

    text: str
    findings: tuple[Finding, ...]
    calculation: str = ""
    """Expression whose result it states; empty when it states what is quoted."""


@dataclass(frozen=True)
class Quoted:
    """An answer with its quotes."""

    claims: tuple[QuotedClaim, ...] = ()
    unanswerable: bool = False
    reason: str = ""


def read_quoted(context: Context, value: Mapping[str, Any]) -> tuple[Quoted, list[str]]:
    """Return what a reply answers, and what is wrong in it.

    Raises:
        Unusable: It is no answer at all.
    """
    if value.get("unanswerable"):
        return Quoted(unanswerable=True, reason=str(value.get("reason") or "")), []
    given = value.get("claims")
    if not isinstance(given, list) or not given:
        raise Unusable('Give "claims", or "unanswerable": true with a "reason".')
    claims, wrong = [], []
    for item in given:
        claim, problem = _claim(context, item)
        wrong += problem
        if claim is not None:
            claims.append(claim)
            wrong += [] if problem else _unsupported(context, claim)
    return Quoted(tuple(claims), reason=str(value.get("not_found") or "")), wrong


def told_wrong(wrong: Sequence[str]) -> str:
    """Return what a model is told of its mistakes."""
    return " ".join([*dict.fromkeys(wrong)][:_TOLD]) + " Send the whole object again."


def _claim(context: Context, item: object) -> tuple[QuotedClaim | None, list[str]]:
    if not isinstance(item, Mapping) or not str(item.get("text") or "").strip():
        return None, ['A claim is an object with "text" and "quotes".']
    text = str(item["text"]).strip()
    quotes = item.get("quotes") or []
    findings, wrong = [], []
    for one in quotes if isinstance(quotes, list) else [quotes]:
        finding = read_finding(context, one)
        if isinstance(finding, Finding):
            findings.append(finding)
        else:
            wrong.append(finding)
    calculation = str(item.get("calculation") or "").strip()
    if calculation:
        try:
            evaluate(calculation)
        except ToolError as error:
            wrong.append(f"The calculation cannot be made: {error}.")
            calculation = ""
    if not findings and not wrong:
        wrong.append(
            f"The claim {text[:80]!r} has no quote. Every claim needs one; what was not found goes "
            "into not_found."
        )
    return QuotedClaim(text, tuple(findings), calculation), wrong


def _unsupported(context: Context, claim: QuotedClaim) -> list[str]:
    """Say why a claim would be removed, as the verifier will see it."""
    evidence = tuple(
        Evidence(
            id=f"E{i}", ref=one.ref, document=context.view.document(one.ref.name).source,
            document_id="", quote=one.quote, box=one.box or FULL_PAGE, call=one.call, score=1.0,
            sub_question=one.sub_question, kind=one.kind,
        )
        for i, one in enumerate(claim.findings, 1)
    )  # fmt: skip
    sums: tuple[Observation, ...] = ()
    if claim.calculation:
        sums = (_calculated(claim.calculation),)
    checked = replace(context, evidence=evidence, calculations=sums)
    draft = Claim(
        claim.text, tuple(item.id for item in evidence), tuple(item.call.id for item in sums)
    )
    (reason,) = problems((draft,), checked)
    if not reason:
        return []
    return [f"The claim {claim.text[:120]!r} would be removed: {reason}."]


def _calculated(expression: str) -> Observation:
    """Return what `calculate` would give for an expression that can be computed."""
    value, _ = evaluate(expression)
    call = Call("calculate", {"expression": expression}, id="C1")
    return Observation(call, True, "", {"expression": expression, "value": value})
