"""Fusion strategies that decide how many pages are worth returning: `gmm`, `adaptive`, `tiles`."""

import numpy as np

from pagehop.finding.pool import Pool, Scores
from pagehop.finding.weighing import page_order, weighted

LEAST = 5
"""Pages that a cut leaves of each list, as in ViDoRAG."""
TILES = (1, 2, 4, 6, 9, 12, 16, 20)
"""Numbers of pages that fill a grid without gaps."""
RELEVANT = 0.5
"""Of a judge's score (0 to 1), or of the best page's score where nobody judges."""
_ROUNDS = 100
_TOLERANCE = 1e-3
_NARROWEST = 1e-6
"""Least variance of a component; these three are scikit-learn's defaults."""


def gmm(pool: Pool) -> Scores:
    """Return the pages that stand out in each list, as many as fill a grid of pages.

    Each list is cut where a mixture of two Gaussians over its first 2k scores parts them; the union
    is filled up, first with pages in all lists, then with the first list's next best, to a number
    that tiles. They are ordered by reciprocal ranks.

    Source: ViDoRAG (Alibaba-NLP/ViDoRAG, arXiv 2502.18017), its constants; differs: any number of
    lists, never more than k pages, one ranked list instead of groups by document.
    """
    lists = list(pool.lists().values())
    if not lists:
        return np.full(len(pool), np.nan)
    held = [{int(pool.pages[i]): rank for rank, i in enumerate(ranked)} for ranked in lists]
    best: dict[int, int] = {}
    for name, ranked in zip(pool.signals, lists, strict=True):
        scores = pool.signals[name].scores[ranked[: 2 * pool.k]]
        for i in ranked[: gmm_cut(scores, most=pool.k)]:
            best.setdefault(int(pool.pages[i]), i)
    more = sorted(lists[0], key=lambda i: not all(int(pool.pages[i]) in ranks for ranks in held))
    for i in more:
        if len(best) >= tile_size(len(best), pool.k):
            break
        best.setdefault(int(pool.pages[i]), i)

    def reciprocal(page: int) -> float:
        return sum(1 / (60 + ranks[page]) for ranks in held if page in ranks)

    order = sorted(best, key=lambda page: (-reciprocal(page), best[page]))
    return pool.in_order([best[page] for page in order])


def adaptive(pool: Pool) -> Scores:
    """Return up to k pages: those that a judge, or else the weighted score, calls relevant.

    Source: RAG-Check's follow-up (arXiv 2501.04695, abstract): up to k above a threshold of
    relevance instead of a fixed k; differs: no trained relevancy model, see `RELEVANT`.
    """
    return pool.in_order(_relevant(pool, page_order(pool, weighted(pool))))


def tiles(pool: Pool) -> Scores:
    """Return the pages of `adaptive`, and the next best until they fill a grid of pages.

    Source: ViDoRAG, the last step of its retrieval; for readers that look at one picture of pages.
    """
    ranked = page_order(pool, weighted(pool))
    kept = _relevant(pool, ranked)
    more = [i for i, _ in ranked if i not in kept]
    return pool.in_order((kept + more)[: tile_size(len(kept), pool.k)])


def tile_size(pages: int, most: int) -> int:
    """Return how many pages fill a grid: the next larger number that does, within `most`."""
    fitting = [size for size in TILES if size <= most] or [most]
    return next((size for size in fitting if size >= pages), fitting[-1])


def gmm_cut(scores: Scores, *, most: int, least: int = LEAST) -> int:
    """Return how many of the best scores belong together, between `least` and `most`.

    Args:
        scores: (n,) best first.
        most: Upper limit.
        least: Lower limit, where there are so many.
    """
    if len(scores) < 2 or scores[0] - scores[-1] < 1e-12:
        return min(len(scores), most)
    above = _upper_component(scores)
    # Hard labels of a wide component may come back beyond a narrow one: it is the head that counts.
    kept = len(scores) if above.all() else int(np.argmin(above))
    return min(len(scores), max(least, min(kept, most)))


def _relevant(pool: Pool, ranked: list[tuple[int, float]]) -> list[int]:
    """Return those of the first k ranked pages that are relevant; the best where none is."""
    head = ranked[: pool.k]
    if pool.judge is not None and head:
        judged = pool.judge(pool.question, [pool.texts(i) for i, _ in head])
        kept = [i for (i, _), score in zip(head, judged, strict=False) if score >= RELEVANT]
    else:
        kept = [i for i, score in head if score >= RELEVANT * head[0][1]]
    return kept or [i for i, _ in head[:1]]


def _upper_component(scores: Scores) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which scores (n,) are likelier of the component that holds the highest one.

    Expectation and maximisation from the best split into two groups, which for one dimension can be
    found exactly: scikit-learn starts from k-means with a seed.
    """
    n = len(scores)
    splits = [scores[:i].var() * i + scores[i:].var() * (n - i) for i in range(1, n)]
    first = int(np.argmin(splits)) + 1
    share = np.zeros((2, n))  # (component, score)
    share[0, :first] = share[1, first:] = 1.0
    before = -np.inf
    for _ in range(_ROUNDS):
        weight = share.sum(axis=1) + 1e-12
        mean = share @ scores / weight
        variance = (share * (scores - mean[:, None]) ** 2).sum(axis=1) / weight + _NARROWEST
        log = -0.5 * ((scores - mean[:, None]) ** 2 / variance[:, None] + np.log(variance)[:, None])
        log += np.log(weight / n)[:, None]
        total = np.logaddexp(log[0], log[1])
        share = np.exp(log - total)
        if abs(total.mean() - before) < _TOLERANCE:
            break
        before = float(total.mean())
    labels = share.argmax(axis=0)
    return np.asarray(labels == labels[0])
