"""Answers that are lists: read without evaluating anything, compared as sets."""

import ast
import re
from collections.abc import Sequence

from pagehop.scoring.numeric import same_number
from pagehop.scoring.words import normalise

_SEPARATORS = re.compile(r"\s*(?:\n|;|,(?!\d{3}\b)|\band\b)\s*")
_BULLET = re.compile(r"^(?:[-*\u2022]|\(?\d{1,2}[.)])\s+")


def read_list(text: str) -> list[str]:
    """Read `['a', 'b']`, JSON or Python, or a text with lines, semicolons, commas or `and`.

    The comma of 1,577 parts nothing.
    """
    text = text.strip()
    if text.startswith("[") and (literal := literal_list(text)) is not None:
        return literal
    parts = (_BULLET.sub("", part).strip() for part in _SEPARATORS.split(text))
    return [part for part in parts if part]


def literal_list(text: str) -> list[str] | None:
    """Read a list written in JSON or Python; None when it is none. Nothing in it is run."""
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return [str(item) for item in value] if isinstance(value, list | tuple) else None


def list_f1(prediction: Sequence[str], golds: Sequence[Sequence[str]]) -> float | None:
    """Return F1 of the items, 0 to 1, against the best of several gold lists.

    An item is found when its normalised words, or its number, are those of a gold item that no
    other has taken.

    Returns:
        None when there is no gold list; 1 when both are empty.
    """
    return max((_f1(prediction, gold) for gold in golds), default=None)


def _f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    if not prediction and not gold:
        return 1.0
    left = list(gold)
    for item in prediction:
        taken = next((g for g in left if _same_item(item, g)), None)
        if taken is not None:
            left.remove(taken)
    shared = len(gold) - len(left)
    return 2 * shared / (len(prediction) + len(gold))


def _same_item(ours: str, gold: str) -> bool:
    return normalise(ours) == normalise(gold) or same_number(ours, gold)
