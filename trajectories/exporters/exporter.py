"""What an exporter is, and what an export says of itself.

An exporter makes rows of samples. A sample that its target cannot carry is refused with the reason
and counted; it is never bent. What every row of a target loses is said once, in `loses`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagehop.trajectories.episode import Episode
from pagehop.trajectories.reading import Run
from pagehop.trajectories.segments import Segment

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """An episode that was chosen, with its segments and what it was worth."""

    episode: Episode
    segments: tuple[Segment, ...]
    reward: float | None = None
    """None: no reward was asked for."""
    advantage: float | None = None


@dataclass(frozen=True)
class Refused:
    """A sample, or a segment of one, that a target cannot carry."""

    what: str
    """Id of the episode or segment."""
    reason: str
    """Equal reasons are counted together."""


@dataclass(frozen=True)
class Job:
    """What is exported, and where to."""

    run: Run
    samples: Sequence[Sample]
    out: Path
    reward: str = ""
    """Name of the reward that chose them; empty for none."""


Rows = Callable[[Job], Iterator[Row | Refused]]


@dataclass(frozen=True)
class Exporter:
    """A target."""

    name: str
    rows: Rows
    loses: tuple[str, ...]
    """What its rows cannot hold, a line each."""
    suffixes: tuple[str, ...] = (".jsonl", ".parquet")
    """Of the file it writes; the first is the default. Empty: a folder."""
    finish: Callable[[Job, Sequence[Row]], None] | None = None
    """Writes what stands beside the rows, or instead of them for a folder."""


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and what it left out and why."""

    target: str
    path: Path
    rows: int
    episodes: int
    """Chosen ones."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Episodes not chosen, by reason."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Samples that the target cannot carry, by reason."""
    loses: tuple[str, ...] = ()


def count(refused: Sequence[Refused]) -> dict[str, int]:
    """Return how often each reason was given, most often first."""
    return dict(Counter(one.reason for one in refused).most_common())
