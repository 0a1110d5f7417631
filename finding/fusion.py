"""Named ways to make one ranking of several retrievers' lists.

A strategy gets the candidates of a search with what each retriever says of them (`Pool`) and gives
one score each; higher is better, nan leaves a candidate out. `STRATEGIES` names them all;
docs/SEARCH.md says when to use which and what each was measured to do.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType

import numpy as np

from pagehop.errors import ConfigError, ModelError
from pagehop.finding.cuts import adaptive, gmm, tiles
from pagehop.finding.pool import Pool, Scores
from pagehop.finding.refinement import gqr, mmr
from pagehop.finding.weighing import weighted

Strategy = Callable[[Pool], Scores]

RRF_K = 60
BAG = 20
"""Candidates that one call of a judge ranks: what ViC uses for texts."""


def rrf(pool: Pool) -> Scores:
    """Return the sum of 1 / (60 + rank); a candidate that a signal does not know gets nothing.

    Source: Cormack, Clarke, Buettcher 2009.
    """
    fused = np.zeros(len(pool))
    for signal in pool.signals.values():
        known = ~np.isnan(signal.scores)
        ranks = np.empty(int(known.sum()))
        order = np.argsort(-signal.scores[known], kind="stable")
        ranks[order] = np.arange(1, len(ranks) + 1)
        fused[known] += 1 / (RRF_K + ranks)
    return fused


def vote(pool: Pool) -> Scores:
    """Return the order in which a judge puts the pages that the retrievers name in turns.

    The lists are dealt round-robin into one bag, each page once; the judge sees each page's best
    passage and who found it at which rank. Without a judge, or where it fails to judge, the order
    of the bag stands.

    Source: Vote-in-Context (mohammad2012191/ViC, arXiv 2511.01617), `ViC_unique`; differs: the
    judge scores texts instead of writing a list of numbers, and votes are told in words.
    """
    lists = pool.lists()
    bag = deal(pool, lists.values())
    if pool.judge is not None and bag:
        head = bag[: max(BAG, pool.k)]
        texts = [f"{_votes(pool, lists, i)}\n{pool.texts(i)}" for i in head]
        judged: list[float] = []
        with contextlib.suppress(ModelError):
            judged = pool.judge(pool.question, texts)
        if len(judged) == len(head):
            order = sorted(range(len(head)), key=lambda i: (-judged[i], i))
            bag = [head[i] for i in order] + bag[len(head) :]
    return pool.in_order(bag)


def deal(pool: Pool, lists: Iterable[Sequence[int]]) -> list[int]:
    """Deal ranked lists of candidates in turns, each page once, where it first comes."""
    seen: dict[int, int] = {}
    for turn in zip_longest(*lists):
        for candidate in turn:
            if candidate is not None:
                seen.setdefault(int(pool.pages[candidate]), candidate)
    return list(seen.values())


def _votes(pool: Pool, lists: Mapping[str, Sequence[int]], candidate: int) -> str:
    page = pool.pages[candidate]
    ranks = {
        name: next((r for r, i in enumerate(ranked, 1) if pool.pages[i] == page), None)
        for name, ranked in lists.items()
    }
    return "; ".join(f"{name} search: rank {rank}" for name, rank in ranks.items() if rank)


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "weighted": weighted,
        "rrf": rrf,
        "gmm": gmm,
        "gqr": gqr,
        "vote": vote,
        "mmr": mmr,
        "adaptive": adaptive,
        "tiles": tiles,
    }
)


PREFERRING = frozenset({"weighted", "mmr", "adaptive", "tiles"})
"""Those that prefer documents which the question names; the others are as they were published."""


def checked_fusion(name: str) -> Strategy:
    """Return a strategy by name.

    Raises:
        ConfigError: There is no such strategy; names those there are.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"unknown fusion {name!r}; there are: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
