"""How well search finds gold pages: recall, reciprocal rank, and whether a difference is real.

A question counts as found at k when one of its gold pages is among the first k hits, as in the
measurements that the targets come from; `coverage` counts the share of its gold pages instead.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pagehop.evaluation.questions import Question
from pagehop.scoring import ranking
from pagehop.scoring.ranking import hit_at, reciprocal_rank
from pagehop.types import Hits, Mode


class Searches(Protocol):
    """A view or library."""

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        documents: Collection[str] | None = None,
    ) -> Hits:
        """Find pages, best first."""
        ...


@dataclass(frozen=True)
class Ranking:
    """What one search gave for one question."""

    question: str
    """Question id."""
    gold: frozenset[tuple[str, int]]
    """(document, page)."""
    found: tuple[tuple[str, int], ...]
    """(document, page), best first."""

    @property
    def rank(self) -> int | None:
        """Rank of the first gold page, from 1; None when none was found."""
        return next((i for i, page in enumerate(self.found, 1) if page in self.gold), None)


@dataclass(frozen=True)
class Interval:
    """A mean difference and where it lies with the given confidence."""

    mean: float
    low: float
    high: float


def rank_pages(
    searches: Searches,
    questions: Iterable[Question],
    *,
    mode: Mode = "hybrid",
    given: bool = False,
    k: int = 10,
) -> list[Ranking]:
    """Search for each question that has gold pages.

    Args:
        searches: View or library that holds their documents.
        questions: Those without evidence are passed over.
        mode: Search mode.
        given: Search only the documents that a user would name; else everything.
        k: Hits of each search.
    """
    rankings = []
    for question in questions:
        if not question.gold:
            continue
        documents = question.given if given else None
        hits = searches.search(question.question, k=k, mode=mode, documents=documents)
        found = tuple((hit.document, hit.page) for hit in hits)
        rankings.append(Ranking(question.id, question.gold, found))
    return rankings


def recall_at(rankings: Sequence[Ranking], k: int) -> NDArray[np.float64]:
    """Return 1 for each question with a gold page among the first k hits, else 0: (n,)."""
    return np.array([hit_at(r.found, r.gold, k) for r in rankings], dtype=np.float64)


def coverage_at(rankings: Sequence[Ranking], k: int) -> NDArray[np.float64]:
    """Return the share of each question's gold pages among the first k hits: (n,)."""
    return np.array([ranking.recall_at(r.found, r.gold, k) for r in rankings], dtype=np.float64)


def reciprocal_rank_at(rankings: Sequence[Ranking], k: int) -> NDArray[np.float64]:
    """Return 1 / rank of each question's first gold page among k hits, 0 without: (n,)."""
    return np.array([reciprocal_rank(r.found, r.gold, k) for r in rankings], dtype=np.float64)


def paired_bootstrap(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    confidence: float = 0.95,
    samples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return the mean of first - second and its percentile interval over resampled questions.

    Args:
        first: (n,) one number a question.
        second: (n,) of the same questions in the same order.
        confidence: Of the two-sided interval.
        samples: Resamplings.
        seed: Of the resampling: the same numbers give the same interval.

    Source: Efron and Tibshirani 1993, chapter 13.
    """
    assert first.shape == second.shape, "paired numbers of the same questions"
    differences = first - second
    random = np.random.default_rng(seed)
    chosen = random.integers(0, len(differences), (samples, len(differences)))
    means = differences[chosen].mean(axis=1)  # (samples,)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(differences.mean()), float(low), float(high))


def summarise(rankings: Sequence[Ranking], cuts: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Return recall at each cut and MRR at the last, averaged over the questions."""
    means = {f"R@{k}": float(recall_at(rankings, k).mean()) for k in cuts}
    last = cuts[-1]
    return means | {f"MRR@{last}": float(reciprocal_rank_at(rankings, last).mean())}
