"""Means over questions and seeds, with bootstrap intervals.

The questions are resampled, and for each the seeds that were run of it: both are chance. With one
seed, only the questions are. The same runs give the same interval.

Source: Efron and Tibshirani 1993, chapter 13 (percentile interval); two levels as in Davison and
Hinkley 1997, section 3.8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pagehop.evaluation.scores import Parts

RESAMPLINGS = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A metric over a set of questions."""

    value: float
    low: float
    high: float
    """Of the interval."""
    questions: int
    """To how many it applies."""

    def to_json(self) -> dict[str, float]:
        """Return value, low and high."""
        return {name: round(getattr(self, name), 6) for name in ("value", "low", "high")}


def estimates(
    runs: Mapping[str, Sequence[Parts]],
    *,
    confidence: float = CONFIDENCE,
    resamplings: int = RESAMPLINGS,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return each metric over all questions: the sum of numerators over that of denominators.

    Args:
        runs: By question id, the scores of each of its seeds.
        confidence: Of the two-sided interval.
        resamplings: Of the bootstrap.
        seed: Of the bootstrap.
    """
    names = list(dict.fromkeys(name for seeds in runs.values() for one in seeds for name in one))
    if not names:
        return {}
    most = max(len(seeds) for seeds in runs.values())
    parts = np.zeros((len(runs), most, len(names), 2))
    for i, seeds in enumerate(runs.values()):
        for j, one in enumerate(seeds):
            for name, part in one.items():
                parts[i, j, names.index(name)] = part
    weights = _weights([len(seeds) for seeds in runs.values()], most, resamplings, seed)
    flat = parts.reshape(len(runs) * most, -1)
    sums = (weights @ flat).reshape(resamplings, len(names), 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = sums[..., 0] / sums[..., 1]  # (resamplings, metrics), nan without denominator
    total = parts.sum(axis=(0, 1))  # (metrics, 2)
    applies = (parts[..., 1] > 0).any(axis=1).sum(axis=0)  # (metrics,)
    tail = (1 - confidence) / 2
    found = {}
    for k, name in enumerate(names):
        drawn = values[:, k][~np.isnan(values[:, k])]
        if total[k, 1] > 0 and len(drawn):
            low, high = np.quantile(drawn, (tail, 1 - tail))
            value = float(total[k, 0] / total[k, 1])
            found[name] = Estimate(value, float(low), float(high), int(applies[k]))
    return found


def _weights(counts: Sequence[int], most: int, resamplings: int, seed: int) -> NDArray[np.float64]:
    """Return how often each run is drawn in each resampling: (resamplings, questions * most).

    A question is drawn with replacement, and for each time as many of its seeds as it has, with
    replacement too.
    """
    random = np.random.default_rng(seed)
    n = len(counts)
    chosen = random.integers(0, n, (resamplings, n))
    weights = np.zeros((resamplings, n * most))
    rows = np.arange(resamplings)[:, None]
    seeds = np.array(counts)[chosen]  # (resamplings, n)
    for j in range(most):
        picks = (random.random((resamplings, n)) * seeds).astype(int)
        np.add.at(weights, (rows, chosen * most + picks), j < seeds)
    return weights
