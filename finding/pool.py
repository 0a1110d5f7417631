"""What a fusion strategy sees: the candidates of one search and what each retriever says of them.

Candidates are passages; retrievers that know pages only, as visual search does, bring a page as one
candidate, or speak for all candidates of it. Pages are what strategies rank, as in the papers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pagehop.types import Judge

Scores = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Signal:
    """One retriever's scores of the candidates; nan where it knows nothing of one."""

    scores: Scores
    """(n,) as the retriever makes them: BM25, cosines."""
    shares: Scores
    """(n,) the same, 0 for nothing in common and 1 for what cannot be better."""


@dataclass(frozen=True)
class Pool:
    """The candidates of one search, in an order that depends on nothing but themselves."""

    pages: NDArray[np.int64]
    """(n,) number of each candidate's page."""
    signals: Mapping[str, Signal]
    """By retriever; the one that others help first."""
    k: int
    """Most pages that the search returns."""
    preferred: Scores = field(default_factory=lambda: np.zeros(0))
    """(n,) how much each candidate's document is what the question names, 0 to 1; or none."""
    question: str = ""
    texts: Callable[[int], str] = lambda i: ""
    """The words of a candidate, for a judge."""
    vectors: Callable[[Sequence[int]], Vectors] | None = None
    """Vectors (m, dim) of candidates, nan where there is none; None without an encoder."""
    query: Vectors | None = None
    """(dim,) the query's vector, where `vectors` is there."""
    judge: Judge | None = None

    def __len__(self) -> int:
        return len(self.pages)

    def ranked(self, scores: Scores) -> list[int]:
        """Return the best candidate of each page that has a score, best first."""
        known = np.flatnonzero(~np.isnan(scores))
        order = known[np.argsort(-scores[known], kind="stable")]
        _, first = np.unique(self.pages[order], return_index=True)
        return [int(i) for i in order[np.sort(first)]]

    def lists(self) -> dict[str, list[int]]:
        """Return each retriever's list: the best candidate of each page, best first."""
        return {name: self.ranked(signal.scores) for name, signal in self.signals.items()}

    def in_order(self, candidates: Sequence[int]) -> Scores:
        """Return scores that put candidates into an order, 1 / rank; nan for all others."""
        scores = np.full(len(self), np.nan)
        scores[list(candidates)] = 1 / np.arange(1, len(candidates) + 1)
        return scores
