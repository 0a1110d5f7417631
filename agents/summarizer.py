"""The summarizer by rules: the lines that carry the answer, best first.

A round that closes before the explorer could calculate (with effort low after one step, with high
after two) leaves that to the summary.

Source: Baleen's condensation (Khattab et al. 2021): after each round a few sentences
stay, the rest goes.
"""

import asyncio
import re
from collections.abc import Sequence
from itertools import takewhile

from pagehop.agents.answerer import states_number
from pagehop.agents.desk import Desk
from pagehop.agents.leads import call_for
from pagehop.agents.moves import Context, Finding, SubQuestion, Summary
from pagehop.agents.refusal import LEAST_COVERAGE, LEAST_LIKENESS
from pagehop.agents.solutions import front_page, ranked, solutions
from pagehop.rules.byline import find_byline
from pagehop.rules.extract import REASON, TITLES, Scored, Unit, is_heading
from pagehop.types import PageRef

_WHY = re.compile(r"\bwhy\b", re.IGNORECASE)
_SPELT = re.compile(  # no word may be parted: that takes the fifth power of its length
    r"(?P<short>\w{1,8})\s?[\u2014\u2013=:]\s?[^\W\d_][\w-]*(?:\s[^\W\d_][\w-]*){0,5}\s?\.?"
)
KEPT = 3
"""Sentences and rows kept of a sub-question a round, beside the numbers of a solution."""
_MEASURED = re.compile(r"how (?P<how>long|wide|high|tall|deep|heavy|old|far|thick)\b", re.I)
_LOOKED_AHEAD = 4
"""Lines behind the one about a thing among which its amount is looked for."""
_LIST_WORDS = 60
"""Words of a line and the entries behind it that are quoted together."""


class Summarizer:
    """Fills the summarizer's role without a model."""

    def __init__(self, desk: Desk) -> None:
        """Share what the other roles of the run have read."""
        self._desk = desk

    async def step(self, context: Context) -> Summary:
        """Keep what the answer may be made of."""
        return await asyncio.to_thread(self._step, context)

    def _step(self, context: Context) -> Summary:
        self._desk.open(context)
        findings: list[Finding] = []
        found = solutions(self._desk, context)
        for solution, sub in found:
            by_document = {s.documents: s for s in context.sub_questions}
            for ref, quote in solution.quotes:
                owner = by_document.get((ref.name,), sub)
                call = call_for(context, owner, ref)
                findings.append(Finding(ref, quote, call, 1.0 + solution.fit, owner.id))
        notes = []
        for sub in context.sub_questions:
            units = ranked(self._desk, context, sub)
            if units and sub.state == "open":
                findings += self._kept(context, sub, units)
            elif sub.state == "open":
                notes.append(f"Nothing was found for: {sub.text}")
        made = {str(o.call.arguments.get("expression")) for o in context.calculations}
        sums = [s.expression for s, _ in found if s.expression and s.expression not in made]
        return Summary(tuple(findings), tuple(notes), calculations=tuple(sums))

    def _kept(self, context: Context, sub: SubQuestion, units: Sequence[Scored]) -> list[Finding]:
        """The best unit of the best page, then the next best, one of each page."""
        named = self._authors(context, sub, units)
        if named is not None:
            return [named]
        firsts: dict[object, Scored] = {}
        for item in units:
            firsts.setdefault(item.unit.ref, item)
        chosen = [s for i, s in enumerate(firsts.values()) if i == 0 or _speaks(s)][:KEPT]
        findings = []
        for item in chosen:
            unit = self._under(item.unit)
            headed = unit != item.unit and unit.place == "list"
            text = self._with_list(unit, headed=headed) or self._with_amount(sub, unit)
            box = unit.box if text == unit.text else None
            call, score = call_for(context, sub, unit.ref), round(item.page_score, 4)
            findings.append(Finding(unit.ref, text, call, score, sub.id, box=box))
        return findings

    def _authors(
        self, context: Context, sub: SubQuestion, units: Sequence[Scored]
    ) -> Finding | None:
        """The lines that name who wrote the document asked about, where it was read."""
        ref = front_page(self._desk, sub, units)
        call = call_for(context, sub, ref) if ref is not None else ""
        if ref is None or not call:
            return None
        lines = find_byline(self._desk.read(ref).units, self._desk.view.document(ref.name).title)
        if not lines:
            return None
        score = round(max(item.page_score for item in units), 4)
        return Finding(ref, self._together(ref, lines), call, score, sub.id)

    def _together(self, ref: PageRef, lines: Sequence[Unit]) -> str:
        """Lines as one quote, as far as nothing stands between them on the page."""
        text = lines[0].text
        for line in lines[1:]:
            longer = f"{text} {line.text}"
            if len(longer.split()) > _LIST_WORDS or self._desk.view.locate(ref, longer) is None:
                break
            text = longer
        return text

    def _under(self, unit: Unit) -> Unit:
        """What stands first under a heading, which says nothing itself; else the unit.

        A note that only spells out a table's label stands for the row of that label.
        """
        units = self._desk.read(unit.ref).units
        spelt = _SPELT.fullmatch(unit.text.strip()) if unit.kind == "sentence" else None
        if spelt is not None:
            rows = (u for u in units if u.row is not None and u.row.label)
            own = (u for u in rows if u.row and u.row.label.split()[0] == spelt["short"])
            return next(own, unit)
        if not is_heading(unit):
            return unit
        heading = " ".join(unit.text.split())
        under = (
            u for u in units if heading and heading in " ".join(u.around.split()) and u != unit
        )
        # A line of a table's words reads like a heading, and is what the heading is over.
        return next((u for u in under if u.place not in TITLES), unit)

    def _with_list(self, unit: Unit, *, headed: bool) -> str:
        """A line that announces a list, with what stands in it; empty when it announces none.

        So is the first entry of a list that a heading asked about stands over.
        """
        if unit.kind == "row" or not (headed or unit.text.rstrip().endswith(":")):
            return ""
        units = self._desk.read(unit.ref).units
        following = units[units.index(unit) + 1 :]
        entries = list(takewhile(lambda u: u.kind == "sentence" and u.place == "list", following))
        text = self._together(unit.ref, [unit, *entries])
        return text if text != unit.text else ""

    def _with_amount(self, sub: SubQuestion, unit: Unit) -> str:
        """For `how long`, the line with those up to the one that tells it; else as for `why`."""
        asked = _MEASURED.match(sub.text.strip())
        if asked is None or unit.kind == "row" or asked["how"].lower() in unit.text.lower():
            return self._reasoned(sub, unit)
        units = self._desk.read(unit.ref).units
        ahead = units[units.index(unit) + 1 :][:_LOOKED_AHEAD]
        for i, following in enumerate(ahead):
            if following.kind == "row":
                break
            if states_number(following.text) and asked["how"].lower() in following.text.lower():
                whole = self._together(unit.ref, [unit, *ahead[: i + 1]])
                return whole if whole.endswith(following.text) else following.text
        return self._reasoned(sub, unit)

    def _reasoned(self, sub: SubQuestion, unit: Unit) -> str:
        """For `why`, the sentence with the one after it, where it gives no reason itself."""
        if not _WHY.search(sub.text) or unit.kind == "row" or REASON.search(unit.text):
            return unit.text
        units = self._desk.read(unit.ref).units
        following = units[units.index(unit) + 1 :][:1]
        # The next sentence of a paragraph begins on the line on which this one ends.
        if following and unit.box[1] <= following[0].box[1] <= unit.box[3]:
            return f"{unit.text} {following[0].text}"
        return unit.text


def _speaks(item: Scored) -> bool:
    """Whether a line is about the question at all; the best one is kept whatever it is."""
    return item.coverage >= LEAST_COVERAGE or item.cosine >= LEAST_LIKENESS
