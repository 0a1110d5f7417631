"""Which cells of a row are meant, where several fit.

1. A row whose headings no word of the question tells apart is given whole.
2. `x before z` and `x after z` are the cells whose row or column says before, and after.
3. Where headings are a word with a number each (`Level 1`), another number is none of them.
"""

import re
from collections.abc import Sequence

from pagehop.finding.periods import find_years
from pagehop.rules.figures import content_stems
from pagehop.rules.match import CONTRASTS, Value

_FEWEST = 2
_CELLS_SHOWN = 6
_BY_ORDER = 0.0101
"""What a column costs that is one further to the right (match.py), and nothing else."""


def undecided(best: Value, fitting: Sequence[Value]) -> list[Value]:
    """All cells of a row whose headings the question tells apart by no word; else none.

    The columns of years are in an order, the latest first or last, and are told apart by it.
    """
    row = [v for v in fitting if v.quote == best.quote and v.ref == best.ref]
    row.sort(key=lambda v: -v.score)
    headings = {v.column for v in row}
    if best.table < 0 or not 1 < len(row) <= _CELLS_SHOWN or len(headings) < len(row):
        return []
    if "" in headings or any(find_years(heading) for heading in headings):
        return []
    return row if best.score - min(v.score for v in row) <= _BY_ORDER * len(row) else []


def told_apart(operands: Sequence[str], choices: list[list[Value]]) -> list[list[Value]]:
    """Keep for `x before z` and `x after z` the cells whose row or column says before, and after.

    Operands that differ in nothing else cannot be told apart otherwise.
    """
    words = [set(phrase.split()) for phrase in operands]
    if len(words) != 2 or not words[0] ^ words[1] <= CONTRASTS or words[0] == words[1]:
        return choices
    own = [w & (words[0] ^ words[1]) for w in words]
    return [
        [v for v in fitting if v.table >= 0 and said <= _words(v) and not other & _words(v)]
        for fitting, said, other in zip(choices, own, reversed(own), strict=True)
    ]


def _words(value: Value) -> set[str]:
    return set(re.findall(r"[a-z]+", f"{value.label} {value.column}".lower()))


def of_another_number(phrase: str, row: Sequence[Value]) -> bool:
    """Whether the headings are a word with a number each, and the phrase has another number."""
    told = [re.fullmatch(r"(?P<head>\S.*?)\s+(?P<n>\d+)", v.column) for v in row]
    heads = {t["head"].lower() for t in told if t is not None}
    asked = re.findall(r"(?<![\w.])\d+(?![\w.]*\d)", phrase)
    if None in told or len(heads) != 1 or len(row) < _FEWEST or not asked:
        return False
    named = set(content_stems(heads.pop())) <= set(content_stems(phrase))
    return named and not set(asked) & {t["n"] for t in told if t is not None}
