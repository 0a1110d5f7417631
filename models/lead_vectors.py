"""Which vectors of a page stand for all of it, when very many pages are compared roughly first.

Vectors are taken one after another, each the one that is least like those taken before, until every
vector of the page has a cosine of at least `ALIKE` to one of them. So a line that stands alone on a
page is always taken, and of a page on which nothing repeats all are: a fixed share of the vectors
loses such pages among others that repeat themselves (docs/benchmarks/visual.md).

Source: Gonzalez 1985, farthest-first traversal; differs: stops at a likeness, not at a number.
"""

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.7
"""Least cosine of any vector to a lead."""
SHARES = (8, 4, 2)
"""One in so many vectors is taken, so that the pages of a document are compared together."""
FEWEST = 32
"""Pages with fewer vectors take them all."""


def choose_leads(vectors: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return positions of the leads among a page's vectors, (n, dim) of unit length."""
    n = len(vectors)
    if n < FEWEST:
        return np.arange(n)
    rows = vectors.astype(np.float32)
    alike = rows @ rows.T  # (n, n)
    np.fill_diagonal(alike, 2.0)  # what is taken is never taken again
    taken = [int(alike.sum(axis=1).argmin())]
    nearest = alike[taken[0]].copy()  # (n,) likeness to the nearest that is taken
    for share in SHARES:
        while len(taken) < n // share:
            taken.append(int(nearest.argmin()))
            np.maximum(nearest, alike[taken[-1]], out=nearest)
        if nearest.min() >= ALIKE:
            return np.array(taken)
    return np.arange(n)
