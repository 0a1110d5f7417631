"""Pages that a visual search looks at: fewer and fewer, by comparisons that get more exact."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from pagehop.models.maxsim import Codes, Vectors, compare, scan

PagePlace = tuple[str, int]
"""(document id, page)"""


class CodedPages:
    """Pages of some documents' codes that have vectors, with the scores of the last comparison."""

    def __init__(self, documents: list[str], codes: list[Codes]) -> None:
        """Look at all pages.

        Args:
            documents: Ids.
            codes: Of each document.
        """
        self._documents, self._codes = documents, codes
        self._numbers = np.concatenate([np.zeros(0, np.int32), *(each.pages for each in codes)])
        counts = np.concatenate([np.zeros(0, np.int32), *(each.counts for each in codes)])
        self._bounds = np.cumsum([0, *(len(each.pages) for each in codes)])
        """Where the pages of each document begin among all."""
        self.all, self.vectors = len(counts), int(counts.sum())
        self.at = np.flatnonzero(counts)
        """(n,) positions among all pages of those that are still looked at."""
        self.scores = np.zeros(len(self.at), np.float32)
        """(n,)"""

    def keep(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> None:
        """Look no more at the others."""
        self.at, self.scores = self.at[which], self.scores[which]

    def keep_pages(self, numbers: Collection[int]) -> None:
        """Keep those with these numbers."""
        self.keep(np.isin(self._numbers[self.at], list(numbers)))

    def keep_places(self, places: Collection[PagePlace]) -> None:
        """Keep these."""
        wanted = set(places)
        self.keep(np.array([place in wanted for place in self.named()], bool))

    def keep_best(self, n: int) -> None:
        """Keep the n with the best scores, in their order among all."""
        self.keep(np.sort(np.argsort(-self.scores, kind="stable")[:n]))

    def scan(self, asked: Vectors, *, leads: bool) -> None:
        """Score them by their bytes, with `leads` by those of their leads."""
        scores = scan(asked, self._codes, leads=leads)
        self.scores = np.concatenate([np.zeros(0, np.float32), *scores])[self.at]

    def compare(self, asked: Vectors, *, fine: bool = False) -> None:
        """Score those that are left by all their vectors, with `fine` by two bytes a number."""
        owners = np.searchsorted(self._bounds, self.at, side="right") - 1
        held, first = np.unique(owners, return_index=True)
        chosen = np.split(self.at - self._bounds[owners], first[1:])
        codes = [self._codes[document] for document in held.tolist()]
        scores = compare(asked, codes, chosen[: len(codes)], fine=fine)
        self.scores = np.concatenate([np.zeros(0, np.float32), *scores])

    def named(self) -> list[PagePlace]:
        """Return document and number of each."""
        owners = np.searchsorted(self._bounds, self.at, side="right") - 1
        numbers = self._numbers[self.at].tolist()
        return [
            (self._documents[i], page) for i, page in zip(owners.tolist(), numbers, strict=True)
        ]
