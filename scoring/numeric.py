"""Whether an answer states the gold number: within a tolerance, whatever the form it is written in.

1. Numbers are read as the built-in reasoner reads them: thousands separators, brackets for minus,
   scale words, currencies, percent; basis points are hundredths of a percent.
2. Units that both state must agree. Where only one says percent, 12.5 % is 12.5 and .125; where
   only one says million, 1.2 million is 1.2 and 1,200,000.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pagehop.rules.numbers import Number, find_numbers

TOLERANCE = 0.01
"""Of the gold value, as in MMLongBench-Doc (`rel_tol`)."""

_UNIT_WORDS = frozenset(
    """approximately about around us usd eur gbp dollars euros pounds cents percent per cent points
    point basis bps times x thousand thousands million millions billion billions trillion trillions
    m k b bn""".split()
)


@dataclass(frozen=True)
class _Amount:
    value: float
    """Without its scale."""
    scale: float
    unit: str


def numeric_match(
    prediction: str,
    golds: Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    which: Literal["first", "any"] = "first",
    signed: bool = True,
) -> float | None:
    """Return 1 when the answer's number is a gold number, else 0.

    Args:
        prediction: Text that states it.
        golds: Alternatives; those that state no number are passed over.
        tolerance: Relative to the gold value.
        which: Compare the first number of the answer, or any of them. Years come into it only where
            the gold reads as a year, or where the answer states nothing else; they match exactly.
        signed: Whether -5 and 5 differ.

    Returns:
        0 or 1; None when no gold states exactly one number.
    """
    wanted = [numbers[0] for gold in golds if len(numbers := find_numbers(gold)) == 1]
    if not wanted:
        return None
    stated = find_numbers(prediction)
    for gold in wanted:
        eligible = stated if gold.is_year else [n for n in stated if not n.is_year] or stated
        tried = eligible[:1] if which == "first" else eligible
        if any(_same(n, gold, tolerance=tolerance, signed=signed) for n in tried):
            return 1.0
    return 0.0


def same_number(first: str, second: str, *, tolerance: float = TOLERANCE) -> bool:
    """Whether two short texts state one number each, and the same."""
    ours, gold = find_numbers(first), find_numbers(second)
    return (
        len(ours) == len(gold) == 1
        and _same(ours[0], gold[0], tolerance=tolerance, signed=True)
    )  # fmt: skip


def _same(ours: Number, gold: Number, *, tolerance: float, signed: bool) -> bool:
    one, other = _amount(ours), _amount(gold)
    if one.unit and other.unit and one.unit != other.unit:
        return False
    if gold.is_year and not (ours.unit or one.scale != 1):
        return one.value == other.value
    percent = [1.0]
    if (one.unit == "%") != (other.unit == "%"):
        percent.append(0.01 if one.unit == "%" else 100.0)
    both_scaled = one.scale != 1 and other.scale != 1
    pairs = [(one.value * one.scale, other.value * other.scale)]
    if not both_scaled:
        pairs.append((one.value, other.value))
    for stated, wanted in pairs:
        if not signed:
            stated, wanted = abs(stated), abs(wanted)
        if any(abs(stated * factor - wanted) <= tolerance * abs(wanted) for factor in percent):
            return True
    return False


def _amount(number: Number) -> _Amount:
    hundredths = number.unit == "%" and ("bps" in number.text or "basis" in number.text)
    value = number.value / number.scale / (100 if hundredths else 1)
    return _Amount(value, number.scale, number.unit)


def is_amount(text: str) -> bool:
    """Whether a text is one number with its unit and no sentence, e.g. `about 57.3 million crowns`.

    Before the number stand only words such as about, behind it one word at most beside the units.
    """
    numbers = find_numbers(text)
    if len(numbers) != 1:
        return False
    before, behind = (
        [word for word in re.findall(r"[a-z]+", part.lower()) if word not in _UNIT_WORDS]
        for part in (text[: numbers[0].start], text[numbers[0].end :])
    )
    return not before and len(behind) <= 1
