"""Fewer vectors a page: what others resemble is left out, or averaged.

Both ways take the two most alike again and again, so that what stands alone on a page stays
longest: `drop` keeps one of the two as it is, `merge` their average. Averages of vectors that are
not alike resemble neither, which is how pooling loses the one line a question is about
(tests/test_maxsim.py).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def prune(vectors: Vectors, keep: int, how: Literal["drop", "merge"]) -> Vectors:
    """Return at most `keep` vectors, in their order.

    Args:
        vectors: (n, dim) float32 of unit length.
        keep: Most to return; 0 for all.
        how: `drop` leaves out the later one of the two most alike, `merge` puts their average, of
            unit length, in the place of the first.

    Source: merging as in colpali-engine's hierarchical token pooling; differs: by centroids, not
    Ward's distance, and the number that is left is stated, not a share.
    """
    n = len(vectors)
    if not keep or n <= keep:
        return vectors
    kept, weights = vectors.copy(), np.ones(n, np.float32)
    alive = np.ones(n, bool)
    alike = kept @ kept.T  # (n, n)
    np.fill_diagonal(alike, -np.inf)
    nearest = alike.argmax(axis=1)  # (n,)
    for _ in range(n - keep):
        best = np.where(alive, alike[np.arange(n), nearest], -np.inf)
        row = int(best.argmax())
        first, second = sorted((row, int(nearest[row])))
        alive[second] = False
        alike[second] = alike[:, second] = -np.inf
        changed = nearest == second
        if how == "merge":
            total = weights[first] * kept[first] + weights[second] * kept[second]
            kept[first] = total / max(float(np.linalg.norm(total)), 1e-6)
            weights[first] += weights[second]
            row_of_first = np.where(alive, kept @ kept[first], -np.inf)
            row_of_first[first] = -np.inf
            alike[first] = alike[:, first] = row_of_first
            changed |= nearest == first
            closer = alive & (row_of_first > alike[np.arange(n), nearest])
            nearest[closer] = first
            changed[first] = True
        nearest[changed] = alike[changed].argmax(axis=1)
    return kept[alive]
