"""F1 of found regions and table cells against labels.

A label is a kind and a box; a table's `cells` are rows of texts or, where the repository must hold
no text of the document, triples of row, column and a hash of the text. Cells are compared by
neighbours: each one that has text with the next such one to its right and below it. Punctuation,
spaces, signs of currency and case do not count.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

KINDS = (
    "title", "heading", "text", "list", "table", "figure", "caption", "formula", "header",
    "footer", "footnote",
)  # fmt: skip
Box = Sequence[float]


def region_scores(
    gold: dict[str, Any], found: dict[str, list[tuple[str, Box]]]
) -> dict[str, tuple[float, int]]:
    """Return F1 and number of labels by kind, and of all kinds together."""
    hits: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for place, labels in gold.items():
        regions = found.get(place, [])
        wanted.update(label["kind"] for label in labels)
        given.update(kind for kind, _ in regions)
        hits.update(matched(labels, regions))
    scores = {}
    for kind in KINDS:
        scores[kind] = (_f1(hits[kind], wanted[kind], given[kind]), wanted[kind])
    total = _f1(hits.total(), wanted.total(), given.total())
    return {**scores, "all": (total, wanted.total())}


def _f1(hits: int, wanted: int, given: int) -> float:
    return 2 * hits / (wanted + given) if wanted + given else 0.0


def matched(labels: list[Any], regions: list[tuple[str, Box]]) -> list[str]:
    """Pair labels with regions of their kind, the best overlap first."""
    pairs = sorted(
        (
            (overlap(label["box"], box), i, j)
            for i, label in enumerate(labels)
            for j, (kind, box) in enumerate(regions)
            if kind == label["kind"]
        ),
        reverse=True,
    )
    taken_i: set[int] = set()
    taken_j: set[int] = set()
    kinds = []
    for share, i, j in pairs:
        if share >= 0.5 and i not in taken_i and j not in taken_j:
            taken_i.add(i)
            taken_j.add(j)
            kinds.append(labels[i]["kind"])
    return kinds


def overlap(a: Box, b: Box) -> float:
    """Return intersection over union."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return both / (areas - both)


def cell_score(gold: dict[str, Any], tables: dict[str, list[list[list[str]]]]) -> tuple[float, int]:
    """Return F1 over pairs of neighbouring cells, and their number."""
    hits = wanted = given = 0
    for place, labels in gold.items():
        grids = [_labelled(label["cells"]) for label in labels if label.get("cells")]
        true = Counter(pair for rows in grids for pair in _neighbours(rows))
        told = Counter(pair for rows in tables[place] for pair in _neighbours(_hashed(rows)))
        hits += (true & told).total()
        wanted += true.total()
        given += told.total()
    return _f1(hits, wanted, given), wanted


def _labelled(cells: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Give rows of hashes of what is labelled in either form."""
    if not isinstance(cells[0][0], int):
        return _hashed(cells)
    width = max(cell[1] for cell in cells) + 1
    rows = [[""] * width for _ in range(max(cell[0] for cell in cells) + 1)]
    for row, column, digest, *_ in cells:
        rows[row][column] = digest
    return rows


def _hashed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[hash_text(text or "") for text in row] for row in rows]


def hash_text(text: str) -> str:
    """Return 12 hex digits of the letters and digits of a cell; of none, nothing."""
    plain = re.sub(r"\W+", "", text).casefold()
    return hashlib.sha256(plain.encode()).hexdigest()[:12] if plain else ""


def _neighbours(rows: Sequence[Sequence[str]]) -> list[tuple[str, str, str]]:
    pairs = []
    for way, lines in (("right", rows), ("below", list(zip(*rows, strict=True)))):
        for line in lines:
            texts = [text for text in line if text]
            pairs += [(way, a, b) for a, b in pairwise(texts)]
    return pairs
