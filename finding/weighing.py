"""The default fusion: a weighted sum of signals on their own scales, and a page's share of it."""

from collections.abc import Sequence

import numpy as np

from pagehop.finding.pool import Pool, Scores

WEIGHTS = {"semantic": 0.55, "keyword": 0.45, "visual": 0.55}
"""Relative to each other. On filings and articles .5 to .65 for meaning do equally well in
benchmarks/retrieval.py; where questions use the words of the page, less for meaning is better."""
ROUTE = 0.2
"""What a document that the question names without doubt adds to its passages' scores. On a half of
the questions set aside for such choices .1 to .2 do equally well in benchmarks/retrieval.py; .2
finds more of several documents since passages are also compared without their titles. From .3 on,
the first page is more often a wrong one of the right document."""
SECOND = 0.2
"""How much of its second passage a page is given: of two pages with equally good passages the one
that says more of what is asked. .1 to .3 do equally well in benchmarks/retrieval.py on pages chosen
by hand, silver ones and the examples; more favours pages that are of one piece."""


def weighted(pool: Pool) -> Scores:
    """Return the convex combination of all signals on their own scales.

    None is rescaled by the candidates at hand, so a score depends on nothing but the passage, the
    query and the counts: a query whose words are nowhere together leans on its meaning. A candidate
    that a vector signal does not know takes its lowest share, one without the words none.

    Source: Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"
    (TM2C2); differs: BM25 is divided by its ceiling, not by the best candidate's score.
    """
    total = np.zeros(len(pool))
    weights = 0.0
    for name, signal in pool.signals.items():
        known = signal.shares[~np.isnan(signal.shares)]
        lowest = float(known.min()) if len(known) and name != "keyword" else 0.0
        total += WEIGHTS.get(name, 0.5) * np.nan_to_num(signal.shares, nan=lowest)
        weights += WEIGHTS.get(name, 0.5)
    total /= weights or 1.0
    return total + ROUTE * pool.preferred if len(pool.preferred) else total


def page_score(passages: Sequence[float], share: float = SECOND) -> float:
    """Return the score of a page from those of its passages, best first; there is at least one."""
    second = max(passages[1], 0.0) if len(passages) > 1 else 0.0
    return passages[0] + share * second


def page_order(pool: Pool, scores: Scores, share: float = SECOND) -> list[tuple[int, float]]:
    """Return the best candidate of each page that has a score, with the page's, best first."""
    known = np.flatnonzero(~np.isnan(scores))
    by_page: dict[int, list[int]] = {}
    for i in known[np.argsort(-scores[known], kind="stable")].tolist():
        by_page.setdefault(int(pool.pages[i]), []).append(i)
    ranked = [
        (held[0], page_score([float(scores[i]) for i in held[:2]], share))
        for held in by_page.values()
    ]
    return sorted(ranked, key=lambda item: (-item[1], int(pool.pages[item[0]])))
