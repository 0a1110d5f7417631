"""Named ways to make one score of a keyword and a semantic one.

A strategy gets, for the same candidates, shares of the best possible BM25 score (0 to 1) and
cosines above the encoder's floor (0: nothing in common, 1: the same), nan where a candidate has
none, and gives one score each; higher is better.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ConfigError

Scores = NDArray[np.float64]
Strategy = Callable[[Scores, Scores], Scores]

SEMANTIC_WEIGHT = 0.65
"""On filings and articles .6 to .8 do equally well in benchmarks/retrieval.py, on the examples,
where exact names matter more, .5 to .65."""
RRF_K = 60
SECOND = 0.2
"""How much of its second passage a page is given: of two pages with equally good passages the one
that says more of what is asked. .1 to .3 do equally well in benchmarks/retrieval.py on pages chosen
by hand, silver ones and the examples; more favours pages that are of one piece."""


def weighted(keyword: Scores, semantic: Scores) -> Scores:
    """Return the convex combination of both scores on their own scales.

    Neither is rescaled by the candidates at hand, so a score depends on nothing but the passage,
    the query and the counts: a query whose words are nowhere together leans on its meaning. A
    candidate without a cosine takes the lowest one known.

    Source: Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"
    (TM2C2); differs: BM25 is divided by its ceiling, not by the best candidate's score.
    """
    known = semantic[~np.isnan(semantic)]
    lowest = float(known.min()) if len(known) else 0.0
    return SEMANTIC_WEIGHT * np.nan_to_num(semantic, nan=lowest) + (
        1 - SEMANTIC_WEIGHT
    ) * np.nan_to_num(keyword)


def rrf(keyword: Scores, semantic: Scores) -> Scores:
    """Return the sum of 1 / (60 + rank); a candidate that a signal does not know gets nothing.

    Source: Cormack, Clarke, Buettcher 2009.
    """
    fused = np.zeros(len(keyword))
    for scores in (np.where(keyword > 0, keyword, np.nan), semantic):
        known = ~np.isnan(scores)
        ranks = np.empty(int(known.sum()))
        ranks[np.argsort(-scores[known], kind="stable")] = np.arange(1, len(ranks) + 1)
        fused[known] += 1 / (RRF_K + ranks)
    return fused


STRATEGIES: Mapping[str, Strategy] = MappingProxyType({"weighted": weighted, "rrf": rrf})


def page_score(passages: Sequence[float], share: float = SECOND) -> float:
    """Return the score of a page from those of its passages, best first; there is at least one."""
    second = max(passages[1], 0.0) if len(passages) > 1 else 0.0
    return passages[0] + share * second


def fuse(strategy: str, keyword: Scores, semantic: Scores) -> Scores:
    """Fuse by name.

    Raises:
        ConfigError: There is no such strategy; names those there are.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"unknown fusion {strategy!r}; there are: {', '.join(STRATEGIES)}")
    return STRATEGIES[strategy](keyword, semantic)
