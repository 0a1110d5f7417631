"""How the built-in answers read: the result first, then what it is and what it is made of.

Only words of the pages and fixed phrases; numbers are those of the quotes or of `calculate`.
"""

import re
from collections.abc import Collection, Sequence

from pagehop.finding.periods import find_years
from pagehop.rules.figures import content_stems, names_column
from pagehop.rules.match import Value
from pagehop.rules.numbers import format_number
from pagehop.rules.rows import Row
from pagehop.rules.solve import Comparison, Solution

_SCALE_WORDS = {1e3: "in thousands", 1e6: "in millions", 1e9: "in billions", 1e12: "in trillions"}
_SCALES = {1e3: "thousand", 1e6: "million", 1e9: "billion", 1e12: "trillion"}
_MAX_WORDS = 60
_MAX_HEADING = 8
_MOST_HEADINGS = 6
_MOST_COUNTED = 99
"""A larger number in a heading states something, and is not said beside the cell's."""


def phrase_solution(solution: Solution, result: float | None) -> str:
    """Write a solution as one sentence.

    Args:
        solution: Values and task.
        result: What `calculate` gave; None when nothing was to be calculated, or it was not.
    """
    values, task = solution.values, solution.task
    if solution.comparison is not None:
        return _verdict(solution, solution.comparison, result)
    if task.operation in ("highest", "lowest"):
        return _extreme(solution)
    if task.over == "rows":
        each = ", ".join(f"{v.label} {_shown(v)}" for v in values)
        return f"{each}{_unit(values)}."
    if task.operation == "value" and len(values) > 1:
        each = ", ".join(f"{_shown(v)} ({_heading(v)})" for v in values)
        return f"{each}{_unit(values)}: {_name(solution)}."
    if not solution.expression or result is None:
        shown = " and ".join(_shown(v) for v in values)
        what = f"{_name(solution)}{_column(values)}{_when(values)}"
        return f"{shown}{_unit(values)}: {what}."
    number = _written(result, solution) + ("%" if solution.percent else "")
    named = len({v.label for v in values}) > 1
    across = not named and len({v.column for v in values}) == len(values) and not task.years
    parts = [_part(v, named=named, across=across) for v in values]
    unit = "" if solution.percent or task.operation == "ratio" else _unit(values)
    match task.operation:
        case "difference" if len(task.operands) < 2:
            what = f"change in {_name(solution)} from {parts[0]} to {parts[-1]}"
        case "growth" if len(task.operands) < 2:
            what = f"change in {_name(solution)} from {parts[0]} to {parts[-1]}"
        case "difference":
            what = f"difference between {parts[0]} and {parts[1]}"
        case "growth":
            what = f"difference of {parts[0]} from {parts[1]}, relative to the latter"
        case "share":
            what = f"share of {parts[0]} in {parts[-1]}"
        case "ratio":
            what = f"ratio of {parts[0]} to {parts[-1]}"
        case "average":
            what = f"average of {_name(solution)}: {', '.join(parts)}"
        case _:
            what = f"sum of {_name(solution)}: {', '.join(parts)}"
    return f"{number}{unit}: {what}."


def phrase_quote(text: str) -> str:
    """Write a quoted sentence as a claim, cut at a word when it is very long."""
    words = text.split()
    if len(words) > _MAX_WORDS:
        text = " ".join(words[:_MAX_WORDS]) + " ..."
    return f"“{text}”"


def phrase_row(row: Row, asked: Collection[str]) -> str:
    """Write a quoted table row as a claim: the cell that is asked for, else each under its heading.

    Args:
        row: What is quoted.
        asked: Stems of the question.
    """
    headings = _own_headings(row)
    if not headings:
        return phrase_quote(row.text)
    cells = [cell.text for cell in row.cells]
    wanted = set(asked) - set(content_stems(row.label))
    named = [i for i, heading in enumerate(headings) if names_column(heading, wanted)]
    if len(named) == 1 and row.label:
        unit = "" if row.cells[named[0]].number.unit == "%" else _scale(row.scale)
        return f"{cells[named[0]]}{unit}: {row.label}, {headings[named[0]]}."
    each = ", ".join(f"{a} {b}" for a, b in zip(headings, cells, strict=True))
    return f"{phrase_quote(row.text)} ({each}){_scale(row.scale)}"


def _own_headings(row: Row) -> list[str]:
    """What tells the columns of a row apart; empty where one has none, or says another number."""
    words = [column.split() for column in row.columns]
    if not 0 < len(words) <= _MOST_HEADINGS or len(words) != len(row.cells):
        return []
    shared = set.intersection(*map(set, words)) if len(words) > 1 else set()
    own = [" ".join(word for word in column if word not in shared) for column in words]
    if any(heading.isdigit() for heading in own):  # `Grade 4`, `Grade 8`
        own = [" ".join(column) for column in words]
    fit = all(own) and len(set(own)) == len(own)
    return own if fit and all(map(_can_be_said, own)) else []


def _can_be_said(heading: str) -> bool:
    """Whether a heading may stand beside a cell: short, and no number that would need a quote."""
    written = re.findall(r"\d[\d.,]*", heading)
    counts = all(n.isdigit() and int(n) <= _MOST_COUNTED for n in written)
    return counts and not any(find_years(heading)) and len(heading.split()) <= _MAX_HEADING


def _verdict(solution: Solution, comparison: Comparison, result: float | None) -> str:
    """The verdict, the numbers and their difference."""
    names, values = solution.task.operands, solution.values
    shown = [_shown(v) for v in values]
    if comparison.dates:
        if len({v.value for v in values[:2]}) < 2:
            return f"The same year, {shown[0]}: {' and '.join(names)}."
        rest = ", ".join(f"{s} ({n})" for n, s in zip(names[1:], shown[1:], strict=True))
        return f"{names[0]}: {shown[0]} against {rest}."
    if len({v.scale for v in values}) > 1:  # a sentence's million against a table in millions
        shown = [f"{s}{_unit([v])}" for s, v in zip(shown, values, strict=True)]
    first, second = (v.value * v.scale for v in solution.values[:2])
    how = "more" if first > second else "less"
    size = "" if result is None or first == second else _written(abs(result), solution)
    tail = f", {size} {how}" if size else ""
    if comparison.form == "which" and first != second:
        rest = ", ".join(f"{s} ({n})" for n, s in zip(names[1:], shown[1:], strict=True))
        return f"{names[0]}: {shown[0]} against {rest}{tail}{_unit(solution.values)}."
    named = " against ".join(f"{s} ({n})" for n, s in zip(names, shown, strict=True))
    named += _unit(solution.values)
    if first == second:
        return f"They are the same: {named}."
    if comparison.form == "by":
        return f"{size} {how}: {named}." if size else f"{named}."
    if comparison.form == "same":
        return f"No: {named}{tail}."
    return f"{'Yes' if (first > second) == comparison.up else 'No'}: {named}{tail}."


def _extreme(solution: Solution) -> str:
    first, *others = solution.values
    word = solution.task.operation
    years = find_years(first.column) or find_years(first.label)
    if solution.task.over == "years" and years:
        rest = ", ".join(_part(v) for v in others[:4])
        tail = f", against {rest}" if rest else ""
        return f"{years[-1]}: {first.label} is {word} then, {_shown(first)}{_unit([first])}{tail}."
    if not solution.joint:
        rest = ", ".join(f"{v.label} {_shown(v)}" for v in others)
        when = f" ({first.year})" if first.year else ""
        return f"{first.label}: {word}, {_shown(first)}{_unit([first])}{when}, against {rest}."
    rest = ", ".join(f"{v.label} {_shown(v)} ({v.ref.name})" for v in others[:4])
    tail = f", against {rest}" if rest else ""
    return (
        f"{first.ref.name}: {first.label} is {word} there, {_shown(first)}{_unit([first])}{tail}."
    )


def _written(result: float, solution: Solution) -> str:
    """Sums and differences with the decimals of what they are made of, the rest rounded."""
    if solution.task.operation in ("sum", "top_sum", "difference"):
        parts = [v.number.text.partition(".")[2] for v in solution.values]
        decimals = max(len(re.sub(r"\D.*", "", part)) for part in parts)
        if abs(result) >= 1e5 and result == round(result):
            scale = max(v.scale * v.number.scale for v in solution.values)
            word = _SCALES.get(scale)
            if word is not None:  # written out in full, from numbers in millions
                return f"{result / scale:,.{decimals}f} {word}"
            decimals = 0
        if abs(round(result, decimals) - result) <= 1e-9 * max(1.0, abs(result)):
            return f"{result:,.{decimals}f}"
    return _rounded(result)


def _rounded(result: float) -> str:
    """Two decimals, more where that would leave fewer than three digits of a rounded number."""
    for decimals in (2, 3, 4, 5, 6):
        text = format_number(result, decimals=decimals)
        digits = sum(c.isdigit() for c in text.strip("-0.").replace(".", ""))
        if digits >= 3 or abs(float(text.replace(",", "")) - result) <= 1e-9 * abs(result):
            return text
    return format_number(result)


def _part(value: Value, *, named: bool = False, across: bool = False) -> str:
    """A value with what tells it from the others: its row, its year or its column."""
    if across and value.table >= 0 and value.column and not find_years(value.column):
        return f"{value.label} {_shown(value)} ({_heading(value)})"
    year = value.year or next(iter(find_years(value.column)), None)
    label = f"{value.label} " if value.table >= 0 and (named or not year) else ""
    when = f" ({year})" if year else ""
    return f"{label}{_shown(value)}{when}".strip()


def _name(solution: Solution) -> str:
    labels = dict.fromkeys(v.label for v in solution.values if v.table >= 0)
    if not labels:
        asked = solution.task.operands[0]
        return f"what the text says on {asked}" if asked else "as the text says"
    return " and ".join(" ".join(label.split()[:14]) for label in labels)


def _column(values: Sequence[Value]) -> str:
    """The heading over the values, where it says what they are and not only when."""
    headings = {" ".join(v.column.split()) for v in values}
    heading = headings.pop() if len(headings) == 1 else ""
    said = heading and _can_be_said(heading) and values[0].table >= 0
    return f", {heading}" if said else ""


def _heading(value: Value) -> str:
    return " ".join(value.column.split()[:_MAX_HEADING])


def _when(values: Sequence[Value]) -> str:
    years = [str(v.year) for v in values if v.year]
    return f", {' and '.join(years)}" if years else ""


def _shown(value: Value) -> str:
    return value.number.text.strip()


def _unit(values: Sequence[Value]) -> str:
    scales = {v.scale for v in values if v.number.unit != "%"}
    if len(scales) != 1:
        return ""
    return _scale(scales.pop())


def _scale(scale: float) -> str:
    word = _SCALE_WORDS.get(scale)
    return f" (table {word})" if word else ""
