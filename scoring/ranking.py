"""How well a ranking or a set finds what is gold: pages, documents, anything hashable.

All return 0 to 1, or None when nothing is gold. Relevance is yes or no. A thing that was found
twice counts at its first place only, and the second one takes no rank.

Source: Manning, Raghavan and Schuetze 2008, chapter 8; as `trec_eval` computes them.
"""

import math
from collections.abc import Collection, Hashable, Iterable, Sequence


def distinct(found: Iterable[Hashable]) -> list[Hashable]:
    """Return the first of each, in order."""
    return list(dict.fromkeys(found))


def recall_at(found: Sequence[Hashable], gold: Collection[Hashable], k: int | None) -> float | None:
    """Return the share of gold among the first k found (`recall_k`); k None: among all."""
    return _hits(found, gold, k) / len(set(gold)) if gold else None


def hit_at(found: Sequence[Hashable], gold: Collection[Hashable], k: int | None) -> float | None:
    """Return 1 when any gold is among the first k found (`success_k`), else 0."""
    return float(_hits(found, gold, k) > 0) if gold else None


def precision_at(found: Sequence[Hashable], gold: Collection[Hashable], k: int) -> float | None:
    """Return the share of k that is gold among the first k (`P_k`); fewer found do not help."""
    return _hits(found, gold, k) / k if gold else None


def reciprocal_rank(
    found: Sequence[Hashable], gold: Collection[Hashable], k: int | None = None
) -> float | None:
    """Return 1 / rank of the first gold (`recip_rank`), 0 when it is not among the first k."""
    if not gold:
        return None
    ranks = (i for i, item in enumerate(distinct(found)[:k], 1) if item in gold)
    return 1 / first if (first := next(ranks, None)) else 0.0


def ndcg_at(
    found: Sequence[Hashable], gold: Collection[Hashable], k: int | None = None
) -> float | None:
    """Return discounted gain over that of the best ranking (`ndcg_cut_k`); k None: of all found.

    The best ranking has min(k, number of gold) of them first. With k None it has all the gold.

    Source: Jarvelin and Kekalainen 2002, with log2(rank + 1).
    """
    if not gold:
        return None
    gain = sum(
        1 / math.log2(i + 1) for i, item in enumerate(distinct(found)[:k], 1) if item in gold
    )
    count = len(set(gold))
    ideal = sum(1 / math.log2(i + 1) for i in range(1, min(count, k or count) + 1))
    return gain / ideal


def set_precision(found: Iterable[Hashable], gold: Collection[Hashable]) -> float | None:
    """Return the share of what was found that is gold; 0 when nothing was found."""
    items = set(found)
    return (len(items.intersection(gold)) / len(items) if items else 0.0) if gold else None


def set_fbeta(
    found: Iterable[Hashable], gold: Collection[Hashable], *, beta: float = 1.0
) -> float | None:
    """Return F-beta of two sets: the harmonic mean of precision and recall for beta 1.

    Source: van Rijsbergen 1979, chapter 7.
    """
    if not gold:
        return None
    items, wanted = set(found), set(gold)
    shared = len(items & wanted)
    return (1 + beta**2) * shared / (beta**2 * len(wanted) + len(items))


def _hits(found: Sequence[Hashable], gold: Collection[Hashable], k: int | None) -> int:
    return len(set(gold).intersection(distinct(found)[:k]))
