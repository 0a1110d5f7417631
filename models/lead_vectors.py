"""Which vectors of a page stand for all of it, when very many pages are compared roughly first.

Vectors are taken one after another, each the one that is least like those taken before, until every
vector of the page has a cosine of at least `ALIKE` to one of them. So a line that stands alone on a
page is always taken, and of a page on which nothing repeats all are: a fixed share of the vectors
loses such pages among others that repeat themselves (docs/benchmarks/visual.md).

Source: Gonzalez 1985, farthest-first traversal; differs: stops at a likeness, not at a number.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.7
"""Least cosine of any vector to a lead."""
SHARES = (8, 4, 2)
"""One in so many vectors is taken, so that the pages of a document are compared together."""
FEWEST = 32
"""Pages with fewer vectors take them all."""


def choose_leads(
    vectors: NDArray[np.floating], *, alike: float = ALIKE, shares: Sequence[int] = SHARES
) -> NDArray[np.int64]:
    """Return positions of the leads among a page's vectors, (n, dim) of unit length.

    Args:
        vectors: Of one page.
        alike: Least cosine that any vector shall have to a lead.
        shares: Numbers that are tried, in parts of n; where none will do, all are taken.
    """
    n = len(vectors)
    if n < FEWEST:
        return np.arange(n)
    rows = vectors.astype(np.float32)
    cosines = rows @ rows.T  # (n, n)
    np.fill_diagonal(cosines, 2.0)  # what is taken is never taken again
    taken = [int(cosines.sum(axis=1).argmin())]
    nearest = cosines[taken[0]].copy()  # (n,) likeness to the nearest that is taken
    for share in shares:
        while len(taken) < n // share:
            taken.append(int(nearest.argmin()))
            np.maximum(nearest, cosines[taken[-1]], out=nearest)
        if nearest.min() >= alike:
            return np.array(taken)
    return np.arange(n)
