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
    """Return each metric over all questions.

    Args:
        runs: By question id, the scores of each of its seeds.
        confidence: Of the two-sided interval.
        resamplings: Of the bootstrap.
        seed: Of the bootstrap.
    """
    names = dict.fromkeys(name for seeds in runs.values() for parts in seeds for name in parts)
    found = {}
    for name in names:
        kept = [part for seeds in runs.values() if (part := _of(name, seeds)).size]
        if (estimate := _estimate(kept, confidence, resamplings, seed)) is not None:
            found[name] = estimate
    return found


def _of(name: str, seeds: Sequence[Parts]) -> NDArray[np.float64]:
    return np.array([parts[name] for parts in seeds if name in parts], dtype=np.float64)


def _estimate(
    questions: list[NDArray[np.float64]], confidence: float, resamplings: int, seed: int
) -> Estimate | None:
    """Resample one metric; each array is (seeds, 2): numerators and denominators."""
    sums = np.array([part.mean(axis=0) for part in questions])  # (n, 2), all seeds weigh alike
    total = sums.sum(axis=0)
    if total[1] == 0:
        return None
    random = np.random.default_rng(seed)
    counts = np.array([len(part) for part in questions])
    most = int(counts.max())
    padded = np.zeros((len(questions), most, 2))
    for i, part in enumerate(questions):
        padded[i, : len(part)] = part
    values = np.empty(resamplings)
    for i in range(resamplings):
        chosen = random.integers(0, len(questions), len(questions))
        if most == 1:
            numerator, denominator = padded[chosen, 0].sum(axis=0)
        else:
            picks = random.random((len(chosen), most)) * counts[chosen, None]  # (n, seeds)
            drawn = padded[chosen[:, None], picks.astype(int)]  # (n, seeds, 2)
            numerator, denominator = drawn.mean(axis=1).sum(axis=0)
        values[i] = numerator / denominator if denominator else np.nan
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return Estimate(float(total[0] / total[1]), float(low), float(high), len(questions))
