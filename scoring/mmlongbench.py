"""MMLongBench-Doc's generalised accuracy and F1, by its rules and without its `eval`.

Source: Ma et al. 2024 (arXiv 2407.01523), appendix B.3, and `eval/eval_score.py` of its repository.
Differs: a list that cannot be read is one item instead of a crash; the words mile, miles and
million after a value are removed, which the script computes and then drops.

The benchmark scores short answers that a model extracted from free text. Whole sentences given here
score as they do there: low.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pagehop.scoring.items import literal_list
from pagehop.scoring.words import similarity

Format = Literal["Str", "Int", "Float", "List", "None"]
NOT_ANSWERABLE = "Not answerable"
_UNITS = ("miles", "mile", "million")
_PARENTHESES = re.compile(r"\s*\([^)]*\)")
_OUTER_QUOTES = re.compile(r"^['\"]|['\"]$")
_LITERAL = re.compile(
    r"\d+([-\s]\d+)?|\d{4}[-\s]\d{2}([-\s]\d{2})?|[\w.%+-]+@[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE
)
"""Telephone numbers, dates and addresses: nearly right is wrong."""


@dataclass(frozen=True)
class Scored:
    """One question: its score, and who said that it cannot be answered."""

    score: float
    answerable: bool
    answered: bool
    """The system gave an answer."""


@dataclass(frozen=True)
class Generalised:
    """Means over a set of questions, 0 to 1."""

    accuracy: float
    f1: float


def answer_score(prediction: str, gold: str, form: Format) -> float:
    """Return 0 to 1: how right a short answer is, by the form that the gold has."""
    match form:
        case "Int":
            return float(_whole(gold) is not None and _whole(gold) == _whole(prediction))
        case "Float":
            return float(_close(_decimal(gold), _decimal(prediction)))
        case "Str" | "None":
            ours, wanted = _clean(prediction), _clean(gold)
            return float(ours == wanted) if _is_literal(wanted) else _similar(ours, wanted)
        case "List":
            return _list_score(prediction, gold)


def generalised(scored: Sequence[Scored]) -> Generalised | None:
    """Return accuracy over all questions, and F1 over those that can be answered.

    Recall is the mean score of the answerable questions; precision is the same sum over the
    questions that were answered, rightly or not.

    Returns:
        None without questions.
    """
    if not scored:
        return None
    accuracy = math.fsum(s.score for s in scored) / len(scored)
    earned = math.fsum(s.score for s in scored if s.answerable)
    answerable = sum(s.answerable for s in scored)
    answered = sum(s.answered for s in scored)
    if not (earned and answerable and answered):
        return Generalised(accuracy, 0.0)
    recall, precision = earned / answerable, earned / answered
    return Generalised(accuracy, 2 * recall * precision / (recall + precision))


def _list_score(prediction: str, gold: str) -> float:
    ours, wanted = _list(prediction), _list(gold)
    if len(ours) != len(wanted) or not wanted:
        return float(ours == wanted)
    if _decimal(wanted[0]) is not None or _is_literal(wanted[0]):
        return float(ours == wanted)
    return min(_similar(a, b) for a, b in zip(ours, wanted, strict=True))


def _list(text: str) -> list[str]:
    items = literal_list(text) if text.startswith("[") else None
    return sorted(_clean(item) for item in ([text] if items is None else items))


def _clean(text: str) -> str:
    text = text.lower().strip()
    text = next((text.removesuffix(u).strip() for u in _UNITS if text.endswith(u)), text)
    text = _OUTER_QUOTES.sub("", _PARENTHESES.sub("", text).strip()).strip()
    return text.lstrip("$").strip().rstrip("%").strip()


def _is_literal(text: str) -> bool:
    return bool(
        "https://" in text
        or text.endswith((".py", "ipynb"))
        or text.startswith("page")
        or "a.m." in text
        or "p.m." in text
        or _LITERAL.fullmatch(text)
    )


def _similar(ours: str, gold: str) -> float:
    return similarity(ours, gold, threshold=0.5)


def _whole(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


def _decimal(text: str) -> float | None:
    try:
        return float(_clean(text))
    except ValueError:
        return None


def _close(gold: float | None, ours: float | None) -> bool:
    """Within 1 %, or equal when rounded to the coarser precision; percent or fraction alike."""
    if gold is None or ours is None:
        return False
    for value in (gold / 100, gold, gold * 100):
        digits = max(min(_digits(ours), _digits(value)), 2)
        if math.isclose(value, ours, rel_tol=0.01) or round(ours, digits) == round(value, digits):
            return True
    return False


def _digits(value: float) -> int:
    return len(str(value).partition(".")[2]) if "." in str(value) else 3
