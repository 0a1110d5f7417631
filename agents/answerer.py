"""The answerer by rules: numbers with what they are made of, or the quoted lines themselves.

Extractive: every claim is a quote of a page, a number out of one, or a calculation over such.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from pagehop.agents.comparison import read_comparison
from pagehop.agents.decompose import decompose
from pagehop.agents.desk import Desk
from pagehop.agents.moves import Claim, Context, Draft, SubQuestion
from pagehop.agents.refusal import is_unfound, own_words, refused
from pagehop.agents.solutions import ranked, solutions
from pagehop.answers import Evidence
from pagehop.rules.extract import Scored
from pagehop.rules.numbers import find_numbers
from pagehop.rules.phrasing import phrase_quote, phrase_row, phrase_solution
from pagehop.rules.question import Question, read_question
from pagehop.rules.solve import Solution
from pagehop.rules.vocabulary import NUMBER_WORDS
from pagehop.types import PageRef

CHART = "the chart on this page may show it; charts are not read"
SCAN = "a page of this document has no text, only a picture, and is not read"
"""Doubts of a quote without the number that was asked for."""
UNLIKE = "weakly supported: this line is not much like the question"
CLOSE = "weakly supported: another page fits nearly as well"
"""Doubts of a quote that is wrong more often than right (docs/BUILTIN.md, Measured)."""
LIKE = 0.6
"""Cosine of question and line below which a quote is doubtful."""
MARGIN = 0.05
"""Least lead over the next page."""
_CAPTION = re.compile(r"^(?:figure|fig\.|table|chart|exhibit)\s+[\w.]+\s*:?", re.IGNORECASE)
_WORDED = re.compile(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b", re.IGNORECASE)
_SECOND = 0.92
"""A second quote is given when its score is at least this share of the first one's."""


class Answerer:
    """Fills the answerer's role without a model."""

    def __init__(self, desk: Desk) -> None:
        """Share what the other roles of the run have read."""
        self._desk = desk

    async def step(self, context: Context) -> Draft:
        """Draft the answer from the evidence."""
        return await asyncio.to_thread(self._step, context)

    def _step(self, context: Context) -> Draft:
        question = self._desk.open(context)
        units = [u for sub in context.sub_questions for u in ranked(self._desk, context, sub)]
        found = solutions(self._desk, context)
        reason = refused(self._desk, context, units, found)
        if reason:
            return Draft(unanswerable=True, reason=reason)
        claims: list[Claim] = []
        done: set[str] = set()
        for solution, sub in found:
            claim = _solution_claim(context, solution)
            if claim is not None:
                claims.append(claim)
                done |= {e.sub_question for e in context.evidence if e.id in claim.evidence}
                done.add(sub.id)
                if solution.joint:
                    return Draft((claim,))
        unfound: list[str] = []
        for sub in context.sub_questions:
            if sub.id in done:
                continue
            own = ranked(self._desk, context, sub)
            if len(context.sub_questions) > 1 and is_unfound(self._desk, sub, own):
                unfound.append(own_words(sub))
            else:
                claims += self._quotes(context, sub)
        if any(sub.after for sub in decompose(question, self._desk.scope)):
            claims = _last_first(context, claims)
        if not claims:
            return Draft(unanswerable=True, reason="Nothing found answers the question.")
        once = _once(claims)
        comparison = read_comparison(context.question)
        if comparison is not None and comparison.form == "same" and len(once) == 1 < len(claims):
            once = (replace(once[0], text=f"The same words in both: {once[0].text}"),)
        return Draft(once, reason=" ".join(unfound))

    def _quotes(self, context: Context, sub: SubQuestion) -> list[Claim]:
        """The best quote, and a second one when it is about as good."""
        own = [e for e in context.evidence if e.sub_question == sub.id]
        own.sort(key=lambda e: -e.score)
        kept: list[Evidence] = own[:1]
        kept += [e for e in own[1:2] if e.score >= _SECOND * own[0].score]
        question = read_question(sub.text)
        claims = [Claim(self._phrased(e, question), (e.id,)) for e in kept]
        kind = question.kind
        told = states_number if kind == "number" else _states_date
        doubt = ""
        if kept and kind in ("number", "date") and not told(kept[0].quote):
            doubt = self._unread(kept[0].ref)
        if kept:
            doubt = doubt or self._doubt(ranked(self._desk, context, sub), kept[0].ref)
            claims[0] = replace(claims[0], doubt=doubt)
        return claims

    def _phrased(self, item: Evidence, question: Question) -> str:
        """A quote as a claim; a row of a table with what its columns say."""
        rows = [row for row in self._desk.read(item.ref).rows if row.text == item.quote]
        if not rows:
            return phrase_quote(item.quote)
        row = min(rows, key=lambda row: abs(row.box[1] - item.box[1]))
        compares = question.kind == "yes_no" or read_comparison(question.text) is not None
        return phrase_row(row, () if compares else {term.stem for term in question.content})

    def _doubt(self, units: Sequence[Scored], ref: PageRef) -> str:
        """Why a quote may be the wrong one; empty when nothing speaks against it."""
        best = next((item for item in units if item.unit.ref == ref), None)
        if best is None or self._desk.view.encoder is None:
            return ""
        if best.cosine < LIKE:
            return UNLIKE
        rest = [item.page_score for item in units if item.unit.ref != ref]
        return CLOSE if rest and abs(best.page_score - max(rest)) < MARGIN else ""

    def _unread(self, ref: PageRef) -> str:
        """What is near a quote and cannot be read."""
        if self._desk.read(ref).chart:
            return CHART
        return SCAN if self._desk.has_scan(ref.name) else ""


def _once(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Say once what several pages say in the same words, with all of them cited."""
    said: dict[str, Claim] = {}
    for claim in claims:
        first = said.setdefault(claim.text, claim)
        every = dict.fromkeys((*first.evidence, *claim.evidence))
        said[claim.text] = replace(first, evidence=tuple(every))
    return tuple(said.values())


def _states_date(quote: str) -> bool:
    return any(c.isdigit() for c in quote)


def states_number(quote: str) -> bool:
    """Whether a quote gives a number; a caption's own number and its year are none."""
    said = _CAPTION.sub("", quote)
    return any(not number.is_year for number in find_numbers(said)) or bool(_WORDED.search(said))


def _solution_claim(context: Context, solution: Solution) -> Claim | None:
    ids = []
    for ref, quote in solution.quotes:
        words = " ".join(quote.split())
        found = [
            e.id for e in context.evidence if e.ref == ref and " ".join(e.quote.split()) == words
        ]
        ids += found[:1]
    if not ids:
        return None
    result: float | None = None
    calls: tuple[str, ...] = ()
    for observation in context.calculations:
        if str(observation.call.arguments.get("expression")) == solution.expression:
            result = float(observation.artifact["value"])
            calls = (observation.call.id,)
    return Claim(phrase_solution(solution, result), tuple(ids), calls)


def _last_first(context: Context, claims: Sequence[Claim]) -> list[Claim]:
    """Behind a bridge the last part is the answer; what led there follows it."""
    order = [sub.id for sub in context.sub_questions]
    part = {e.id: order.index(e.sub_question) for e in context.evidence}
    return sorted(claims, key=lambda claim: -max(part[name] for name in claim.evidence))
