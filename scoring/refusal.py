"""Whether a system refuses what cannot be answered, and only that."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusals:
    """Counts over questions of which it is known whether they can be answered."""

    right: int
    """Refused, and cannot be answered."""
    wrong: int
    """Refused, and can be answered."""
    missed: int
    """Answered, and cannot be answered."""

    @property
    def precision(self) -> float | None:
        """Share of the refusals that were right, 0 to 1; None when nothing was refused."""
        refused = self.right + self.wrong
        return self.right / refused if refused else None

    @property
    def recall(self) -> float | None:
        """Share of the unanswerable questions that were refused; None when there are none."""
        unanswerable = self.right + self.missed
        return self.right / unanswerable if unanswerable else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when nothing was refused and nothing should have been."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else None


def count_refusals(outcomes: Iterable[tuple[bool, bool]]) -> Refusals:
    """Count (refused, answerable) pairs.

    Source: unanswerable is the positive class, as in SQuAD 2.0 (Rajpurkar et al. 2018).
    """
    pairs = list(outcomes)
    return Refusals(
        right=sum(refused and not answerable for refused, answerable in pairs),
        wrong=sum(refused and answerable for refused, answerable in pairs),
        missed=sum(not refused and not answerable for refused, answerable in pairs),
    )
