"""BM25 over candidates and over all passages of one document, with counts of the whole view.

score = sum over the query's terms of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len / mean))
idf   = ln(1 + (N - df + 0.5) / (df + 0.5)), above 0 however common a term is

A document alone is too small a sample to count in: that `role` stands in 8 of its passages and its
subject in all of them would make `role` all that a question asks (benchmarks/retrieval.md). So its
passages are scored as among all others; naming it cuts pages off and puts none before another.

Source: Robertson and Zaragoza 2009; the idf is Lucene's. rank-bm25 counts terms in one document;
differs: it takes document frequencies and mean length from the view.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from pagehop.finding.terms import TermStatistics, tokens
from pagehop.types import Region

K1 = 1.2
B = 0.75


class DocumentRanker:
    """BM25 over all passages of one document, with document frequencies of the view."""

    def __init__(self, passages: Sequence[Region], statistics: TermStatistics) -> None:
        """Count the terms of a document's passages, of which there is at least one."""
        self.passages = tuple(passages)
        self._ranker = _Okapi([tokens(p.search_text) or [""] for p in passages], statistics)

    def scores(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores (n_passages,) of distinct terms."""
        return np.asarray(self._ranker.get_scores(list(terms)), np.float64)

    def ceiling(self, terms: Iterable[str]) -> float:
        """Return what no score of these terms can exceed; those it does not hold count nothing."""
        return sum(self._ranker.idf.get(term, 0.0) for term in terms) * (K1 + 1)


class ViewRanker:
    """BM25 of any passages, with counts summed over the visible ones."""

    def __init__(self, terms: Sequence[str], statistics: TermStatistics) -> None:
        """Weigh distinct query terms."""
        self._statistics = statistics
        self._weights = {
            code(term): idf(statistics.passages, statistics.df.get(term, 0)) for term in terms
        }
        self.ceiling = (K1 + 1) * sum(
            idf(statistics.passages, statistics.df[term]) for term in terms if term in statistics.df
        )
        """What a score cannot exceed; terms that no passage holds count nothing."""

    def scores(self, passages: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the scores (n,) of passages given as codes of their terms."""
        lengths = np.array([len(codes) for codes in passages], np.float64)
        scores = np.zeros(len(passages))
        if not lengths.sum():
            return scores
        flat = np.concatenate(passages)  # (total terms,)
        owner = np.repeat(np.arange(len(passages)), lengths.astype(np.int64))
        room = K1 * (1 - B + B * lengths / (self._statistics.mean_length or lengths.mean()))
        for term, weight in self._weights.items():
            tf = np.bincount(owner[flat == term], minlength=len(passages))
            scores += weight * tf * (K1 + 1) / (tf + room)
        return scores


class _Okapi(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
    def __init__(self, corpus: list[list[str]], statistics: TermStatistics) -> None:
        self._statistics = statistics
        super().__init__(corpus, k1=K1, b=B)
        self.avgdl = statistics.mean_length or 1.0

    def _calc_idf(self, nd: dict[str, int]) -> None:
        df, passages = self._statistics.df, self._statistics.passages
        self.idf = {term: idf(passages, df.get(term, own)) for term, own in nd.items()}


def idf(passages: int, df: int) -> float:
    """Return how much a term says that `df` of the passages hold; above 0."""
    return math.log(1 + (max(passages, df) - df + 0.5) / (df + 0.5))


def code(term: str) -> int:
    """Return a number for a term, the same within one process."""
    return hash(term)


def encode_terms(text: str) -> NDArray[np.int64]:
    """Return the codes of a text's terms: 8 bytes each, compared faster than words."""
    return np.array([code(term) for term in tokens(text)], np.int64)
