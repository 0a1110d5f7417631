"""Work a calculation out of the pages read: which numbers, which expression, how to say it.

1. Per page, the best value of every operand; a page's solution is as good as the mean of its
   values, and operands of one table are preferred to those of several.
2. The solution names the expression for `calculate`; the rules never compute a result themselves.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pagehop.finding.periods import find_years
from pagehop.rules.cells import of_another_number, told_apart, undecided
from pagehop.rules.expressions import as_amounts, expression_of, unlike_scales
from pagehop.rules.figures import Figures, content_stems
from pagehop.rules.match import (
    Value,
    Weight,
    find_values,
    first_value,
    is_reference,
    nearness,
    twins,
)
from pagehop.rules.task import Task
from pagehop.types import PageRef

MIN_FIT = 0.45
"""Least fit of an operand's value; below it the number is about something else."""

_SAME_TABLE = 0.06
_SAME_COLUMN = 0.06
_PAGE_SHARE = 0.3
_OVER_TIME = ("difference", "growth")
_FROM = re.compile(r"\bfrom (?:the |a |an |about |around |some )?[$€£¥]?\s*$", re.IGNORECASE)
_FEWEST_ROWS = 2
_ROWS_SHOWN = 5


Form = Literal["which", "whether", "by", "same"]


@dataclass(frozen=True)
class Comparison:
    """How a question compares (comparison.py)."""

    form: Form
    up: bool
    """The larger one is asked for, or whether the first is larger."""
    sides: tuple[str, str] | None = None
    """What stands on each side, when they are two things; else one thing of several names."""
    dates: bool = False
    """Years are compared; the larger one is the later."""


@dataclass(frozen=True)
class Solution:
    """The numbers that answer a task, all located on one page or on several."""

    task: Task
    values: tuple[Value, ...]
    expression: str
    """For `calculate`; empty when nothing is to be calculated."""
    fit: float
    """Mean fit of the values, 0 to about 1."""
    percent: bool = False
    """The result is to be shown as a percentage."""
    joint: bool = False
    """It answers the whole question, not one part."""
    comparison: Comparison | None = None
    """Its first two values are compared; the operands of the task say whose they are."""

    @property
    def ref(self) -> PageRef:
        """Page of the first value."""
        return self.values[0].ref

    @property
    def quotes(self) -> tuple[tuple[PageRef, str], ...]:
        """Page and line of each value, each once."""
        return tuple(dict.fromkeys((v.ref, v.quote) for v in self.values))


def solve(
    task: Task,
    lines: Mapping[PageRef, Sequence[Figures]],
    weight: Weight,
    *,
    page_scores: Mapping[PageRef, float],
    page_stems: Callable[[PageRef], frozenset[str]],
) -> Solution | None:
    """Return the best solution over the pages, or None when no page holds every operand.

    Args:
        task: Operation, operands and years.
        lines: Prepared rows and sentences of each page (match.py).
        weight: Rarity of a stem.
        page_scores: How good each page is for the question.
        page_stems: Stems of a page.
    """
    best: tuple[float, Solution] | None = None
    for ref, prepared in lines.items():
        solution = _on_page(task, prepared, weight, page_stems)
        if solution is None:
            continue
        total = solution.fit + _PAGE_SHARE * page_scores.get(ref, 0.0)
        if best is None or total > best[0]:
            best = (total, solution)
    return best[1] if best else None


def _on_page(
    task: Task,
    prepared: Sequence[Figures],
    weight: Weight,
    page_stems: Callable[[PageRef], frozenset[str]],
) -> Solution | None:
    def values(phrase: str, year: int | None) -> list[Value]:
        return find_values(
            prepared, phrase, weight, year=year, measure=task.measure, page_stems=page_stems
        )

    if task.operation == "top_sum":
        return _top_sum(task, values)
    if task.over == "years":
        return _over_years(task, values)
    if task.over == "rows":
        return _over_rows(task, prepared, weight)
    if task.operation == "share" and not task.operands[0]:
        return _share_of_year(task, prepared, weight, page_stems)
    slots = _slots(task)
    if not slots:
        return _told_change(task, values)
    choices = [
        [v for v in values(phrase, year)[:40] if v.score >= MIN_FIT] for phrase, year in slots
    ]
    choices = told_apart(task.operands, choices)
    if not all(choices):
        return None
    chosen = _choose(choices, one_column=len(task.operands) > 1)
    if not chosen or (task.calculates and not all(map(_is_stated, chosen))):
        return None
    if unlike_scales(chosen) or (task.operation in _OVER_TIME and not _one_measure(task, chosen)):
        return None
    fit = sum(v.score for v in chosen) / len(chosen)
    if task.operation in ("sum", "average", *_OVER_TIME):
        chosen = as_amounts(chosen)
    if task.operation == "value" and not task.years:
        row = [v for v in choices[0] if v.quote == chosen[0].quote]
        if of_another_number(task.operands[0], row):
            return None
        chosen = undecided(chosen[0], choices[0]) or chosen
    expression, percent = expression_of(task, chosen)
    return Solution(task, tuple(chosen), expression, fit, percent)


def _is_stated(value: Value) -> bool:
    """Whether a cell says a number; a dash is nil, which no quote of a calculation shows."""
    return any(c.isdigit() for c in value.number.text)


def _slots(task: Task) -> list[tuple[str, int | None]]:
    """Operand phrases with their years, in the order of the formula."""
    years: Sequence[int | None] = task.years or (None,)
    if len(task.operands) > 1:
        return [(phrase, years[-1]) for phrase in task.operands]
    phrase = task.operands[0] if task.operands else ""
    if task.operation == "value":
        return [(phrase, years[0])]
    if task.operation in ("difference", "growth") and len(years) < 2:
        return []
    return [(phrase, year) for year in years]


def _choose(choices: Sequence[Sequence[Value]], *, one_column: bool) -> list[Value]:
    """Take the best value of each slot, or a slightly worse set out of one table.

    Args:
        choices: For each slot what fits it, best first.
        one_column: The slots are several things: a budget is no part of what was spent, so a set
            out of one column is better still.
    """
    first = [v for options in choices for v in options[:12]]
    tables: list[int | None] = [None, *sorted({v.table for v in first})]
    places: list[tuple[int | None, str]] = [(table, "") for table in tables]
    if one_column and len(choices) > 1:
        places += sorted({(v.table, v.column) for v in first if v.table >= 0 and v.column})
    best: tuple[float, list[Value]] | None = None
    for table, column in places:
        chosen: list[Value] = []
        for options in choices:
            same = [
                v
                for v in options
                if (table is None or v.table == table) and (not column or v.column == column)
            ]
            fresh = [v for v in same if not any(twins(v, c) for c in chosen)]
            if fresh:
                chosen.append(fresh[0])
        if len(chosen) < len(choices):
            continue
        together = table is not None and len(choices) > 1
        total = sum(v.score for v in chosen) / len(chosen)
        total += (_SAME_TABLE if together else 0) + (_SAME_COLUMN if column else 0)
        if best is None or total > best[0]:
            best = (total, chosen)
    return best[1] if best else []


def _told_change(task: Task, values: Callable[[str, int | None], list[Value]]) -> Solution | None:
    """A change that one sentence tells: `rose from A to B`, `to B, down from A`."""
    if task.operation not in _OVER_TIME or len(task.operands) != 1:
        return None
    for first in values(task.operands[0], None):
        if first.score < MIN_FIT:
            return None
        own = [v for v in values(task.operands[0], None) if v.quote == first.quote]
        old = [v for v in own if _FROM.search(v.quote[: v.number.start])]
        new = [v for v in own if v not in old]
        if first.table >= 0 or len(old) != 1 or len(new) != 1:
            continue
        if old[0].number.unit != new[0].number.unit or unlike_scales([*old, *new]):
            continue
        # A year of the sentence is not when either was so.
        pair = tuple(replace(v, column="", year=None) for v in (old[0], new[0]))
        expression, percent = expression_of(task, pair)
        return Solution(task, pair, expression, first.score, percent)
    return None


def _one_measure(task: Task, chosen: Sequence[Value]) -> bool:
    """Whether one quantity in two years is read from one table or one sentence.

    Two sentences that share its name may speak of different things: orders, and an outlook. In
    one sentence each number needs its year.
    """
    if len({v.number.unit == "%" for v in chosen}) > 1:
        return False
    if len(task.operands) > 1:
        return True
    if any(v.table < 0 for v in chosen) and len({v.year for v in chosen} - {None}) < len(chosen):
        return False
    places = {(v.table, "" if v.table >= 0 else v.quote) for v in chosen}
    return len(places) == 1


def _top_sum(task: Task, values: Callable[[str, int | None], list[Value]]) -> Solution | None:
    year = task.years[-1] if task.years else None
    found = [v for v in values(task.operands[0], year) if v.score >= MIN_FIT and v.table >= 0]
    if not found:
        return None
    first = found[0]
    column = [
        v for v in found
        if v.table == first.table and v.column == first.column and "total" not in v.label.lower()
    ]  # fmt: skip
    chosen = sorted(as_amounts(column), key=lambda v: -v.value)[: task.top]
    if len(chosen) < task.top:
        return None
    expression, _ = expression_of(task, chosen)
    return Solution(task, tuple(chosen), expression, first.score)


def _share_of_year(
    task: Task,
    prepared: Sequence[Figures],
    weight: Weight,
    page_stems: Callable[[PageRef], frozenset[str]],
) -> Solution | None:
    """The row of a year against the total of its table (`what share is due in 2018`)."""
    best: Solution | None = None
    for part in prepared:
        if part.table < 0 or part.label_years != (task.years[-1],):
            continue
        whole = next((o for o in prepared if o.table == part.table and o.is_total), None)
        if whole is None:
            continue
        fit = nearness(whole, task.operands[1], weight, page_stems)
        if fit >= MIN_FIT and (best is None or fit > best.fit):
            values = (first_value(part, fit), first_value(whole, fit))
            expression, percent = expression_of(task, values)
            best = Solution(task, values, expression, fit, percent)
    return best


def _over_rows(task: Task, prepared: Sequence[Figures], weight: Weight) -> Solution | None:
    """The rows of the table about what is asked, in one column, the extreme one first.

    The table says of itself what its rows are (`Revenue by division`), or their labels do (`First
    quarter`); totals are no row of it.
    """
    wanted, nouns = (
        list(dict.fromkeys(content_stems(p))) for p in (task.operands[0], task.measure)
    )
    best: tuple[float, list[Value]] | None = None
    for table in sorted({line.table for line in prepared if line.table >= 0}):
        rows = [x for x in prepared if x.table == table and x.label_stems and not x.is_total]
        called = [x for x in rows if set(nouns) & set(x.label_stems)]
        if task.operation == "values" and len(called) >= _FEWEST_ROWS:
            rows = _of_year(called, task.years)
        if len(rows) < _FEWEST_ROWS or not (
            set(nouns) & (rows[0].caption | rows[0].section) or len(called) >= _FEWEST_ROWS
        ):
            continue
        about = rows[0].caption | rows[0].section | set(content_stems(" ".join(rows[0].columns)))
        about |= set(nouns) if called else set()
        total = sum(weight(s) for s in (*wanted, *nouns)) or 1.0
        fit = sum(weight(s) for s in (*wanted, *nouns) if s in about) / total
        dated = any(task.years and set(task.years) & set(_years(row)) for row in rows)
        values = _column(rows, wanted, task.years[-1] if task.years and not dated else None, fit)
        if values and fit >= MIN_FIT and (best is None or fit > best[0]):
            best = (fit, values)
    if best is None:
        return None
    if task.operation == "values":
        return Solution(task, tuple(best[1]), "", best[0])
    sign = -1 if task.operation == "highest" else 1
    ordered = sorted(as_amounts(best[1]), key=lambda v: sign * v.value)
    return Solution(task, tuple(ordered[:_ROWS_SHOWN]), "", best[0])


def _years(row: Figures) -> tuple[int, ...]:
    return row.label_years or row.context_years


def _of_year(rows: Sequence[Figures], years: Sequence[int]) -> list[Figures]:
    """The rows of the years asked for, where labels or sections name years; else all."""
    own = [row for row in rows if set(years) & set(_years(row))]
    return own or list(rows)


def _column(
    rows: Sequence[Figures], wanted: Sequence[str], year: int | None, fit: float
) -> list[Value]:
    """One column of rows: that of the year, else the one whose heading says most of the phrase."""
    headings = max((row.columns for row in rows), key=len)
    if any(len(row.numbers) != len(headings) for row in rows):
        return []
    fits = [
        (
            year is None or year in find_years(heading),
            len(set(wanted) & set(content_stems(heading))),
        )
        for heading in headings
    ]
    best = max(range(len(headings)), key=lambda i: (*fits[i], -i)) if headings else -1
    if best < 0 or not fits[best][0] or is_reference(headings[best]):
        return []
    return [
        Value(
            row.numbers[best], row.ref, row.quote, row.label, headings[best], fit,
            1.0 if row.numbers[best].unit == "%" else row.scale, year, row.table,
        )
        for row in rows
    ]  # fmt: skip


def _over_years(task: Task, values: Callable[[str, int | None], list[Value]]) -> Solution | None:
    """All columns of the best row, the extreme one first."""
    found = [v for v in values(task.operands[0], None) if v.score >= MIN_FIT]
    if not found:
        return None
    row = [v for v in found if v.quote == found[0].quote and v.number.unit != "%"] or found[:1]
    sign = -1 if task.operation == "highest" else 1
    ordered = sorted(row, key=lambda v: sign * v.value)
    return Solution(task, tuple(ordered), "", found[0].score)
