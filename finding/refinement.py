"""Fusion strategies that use vectors: guided query refinement and maximal marginal relevance."""

import numpy as np

from pagehop.finding.pool import Pool, Scores, Vectors
from pagehop.finding.weighing import page_order, weighted

TOP = 10
"""Pages of each list that are ranked anew."""
MIX = 0.5
TEMPERATURE = 1.0
RATE = 1e-3
STEPS = 25
"""The middle of the grids that the paper tunes rate and steps on; nothing here was tuned."""
DIVERSITY = 0.3
"""How much being unlike the pages before it counts, against being relevant."""


def gqr(pool: Pool) -> Scores:
    """Return the pages by a query vector that was moved until both lists agree more.

    The first list's query vector is refined by Adam so that the distribution of its scores over the
    first pages of both lists nears the mean of both distributions; passages stay as they are. Pages
    further down follow in the first list's order.

    Source: Guided Query Refinement (IBM/test-time-hybrid-retrieval, arXiv 2510.05038),
    `union_no_search`, K 10, T 1, mix .5; differs: one vector a passage instead of one a token, and
    the mean of all other lists where there are several.
    """
    lists = pool.lists()
    main, *helpers = pool.signals
    union = {int(pool.pages[i]): i for name in lists for i in reversed(lists[name][:TOP])}
    chosen = sorted(union.values())
    if pool.vectors is None or pool.query is None or not helpers or not chosen:
        return pool.in_order(lists[main])
    vectors = pool.vectors(chosen)
    there = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    chosen, vectors = [chosen[i] for i in there], vectors[there]
    if not chosen:
        return pool.in_order(lists[main])
    others = [_softmax(np.nan_to_num(pool.signals[name].scores[chosen])) for name in helpers]
    scores = vectors @ refine(pool.query, vectors, np.mean(others, axis=0))
    order = [chosen[i] for i in np.argsort(-scores, kind="stable")]
    pages = {int(pool.pages[i]) for i in order}
    return pool.in_order(order + [i for i in lists[main] if int(pool.pages[i]) not in pages])


def refine(query: Vectors, vectors: Vectors, guide: Scores) -> Vectors:
    """Return the query moved so that its scores agree with itself and a guide.

    Args:
        query: (dim,)
        vectors: (n, dim) of what is ranked.
        guide: (n,) distribution that the helpers give.
    """
    target = (1 - MIX) * _softmax(vectors @ query) + MIX * guide
    moved = query.astype(np.float64)
    first, second = np.zeros_like(moved), np.zeros_like(moved)
    for step in range(1, STEPS + 1):
        # KL(target || softmax(vectors @ z / T)) has this gradient in z
        slope = (_softmax(vectors @ moved) - target) @ vectors / TEMPERATURE
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        moved -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return moved.astype(np.float32)


def mmr(pool: Pool) -> Scores:
    """Return pages that are relevant by the weighted score and unlike the ones before them.

    Source: Carbonell and Goldstein 1998, "The Use of MMR", lambda .7; similarity is the cosine of
    the pages' best passages, among the first 4k pages.
    """
    ranked = page_order(pool, weighted(pool))[: 4 * pool.k]
    if pool.vectors is None or len(ranked) < 2:
        return pool.in_order([i for i, _ in ranked])
    vectors = np.nan_to_num(pool.vectors([i for i, _ in ranked]))
    relevance = np.array([score for _, score in ranked]) / (ranked[0][1] or 1.0)
    alike = vectors @ vectors.T  # (m, m)
    nearest = np.zeros(len(ranked))
    left = list(range(len(ranked)))
    order = []
    while left:
        gain = (1 - DIVERSITY) * relevance[left] - DIVERSITY * nearest[left]
        taken = left.pop(int(np.argmax(gain)))
        order.append(ranked[taken][0])
        nearest = np.maximum(nearest, alike[taken])
    return pool.in_order(order)


def _softmax(scores: Scores | Vectors) -> Scores:
    powers = np.exp((scores - scores.max()) / TEMPERATURE)
    return np.asarray(powers / powers.sum(), np.float64)
