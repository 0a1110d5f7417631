"""The expression of a calculation over values read: signs, scales and the formula.

The rules write what `calculate` is to compute; they never compute a result themselves.
"""

from collections.abc import Sequence
from dataclasses import replace

from pagehop.rules.match import Value
from pagehop.rules.numbers import format_number
from pagehop.rules.task import Task
from pagehop.rules.vocabulary import SIGNED
from pagehop.rules.words import stems

_SIGNED = frozenset(stems(" ".join(SIGNED)))


def as_amounts(values: Sequence[Value]) -> list[Value]:
    """Return costs that a table brackets as amounts, unless they may be of either sign.

    `(26.4)` is a minus in a column of profits; asked for a total of payments it is 26.4, and
    payments that went from (21.6) to (26.4) grew.
    """
    bracketed = all(v.number.value < 0 and v.number.text.endswith(")") for v in values)
    if not bracketed or any(_SIGNED & set(stems(v.label)) for v in values):
        return list(values)
    return [
        replace(v, number=replace(v.number, value=-v.number.value, text=v.number.text.strip("()")))
        for v in values
    ]


def unlike_scales(values: Sequence[Value]) -> bool:
    """Whether one number says that it is in millions and another, smaller than one, says nothing.

    Its table's heading was not read then: 531.9 beside 412.8 million is no amount to work with.
    """
    whole = [(v, v.scale * v.number.scale) for v in values if v.number.unit != "%"]
    largest = max((scale for _, scale in whole), default=1.0)
    return largest > 1 and any(scale == 1 and 0 < abs(v.value) < largest for v, scale in whole)


def expression_of(task: Task, chosen: Sequence[Value]) -> tuple[str, bool]:
    """Write the formula of a task over its values, and whether its result is a percentage."""
    n = _numbers(chosen)
    match task.operation:
        case "difference":
            a, b = (n[0], n[1]) if len(task.operands) > 1 else (n[-1], n[0])
            return f"{a} - {_wrapped(b)}", False
        case "growth":
            a, b = (n[0], n[1]) if len(task.operands) > 1 else (n[-1], n[0])
            return f"({a} - {_wrapped(b)}) / {_wrapped(b)} * 100", True
        case "share":
            return f"{n[0]} / {_wrapped(n[-1])} * 100", True
        case "ratio":
            return f"{n[0]} / {_wrapped(n[-1])}", False
        case "average":
            return f"({' + '.join(_wrapped(x) for x in n)}) / {len(n)}", False
        case "sum" | "top_sum":
            return " + ".join(_wrapped(x) for x in n), False
    return "", False


def _numbers(chosen: Sequence[Value]) -> list[str]:
    """Write the values in one scale: as printed when they share it, else multiplied out."""
    scales = {v.scale * (v.number.scale if v.number.unit != "%" else 1.0) for v in chosen}
    same_words = len({v.number.scale for v in chosen}) == 1
    # 412.8 million of a sentence and 531.9 of a table in millions share a scale, not a form.
    mixed = not same_words or (len(scales) > 1 and any(v.table < 0 for v in chosen))
    numbers = []
    for v in chosen:
        value = v.value * v.scale if mixed else v.value / v.number.scale
        numbers.append(format_number(value, decimals=6).replace(",", ""))
    return numbers


def _wrapped(number: str) -> str:
    return f"({number})" if number.startswith("-") else number
