"""Score a run's folder: rewards beside the log, which is not touched."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pagehop.trajectories.reading import read_run
from pagehop.trajectories.rewards.catalog import find_reward
from pagehop.trajectories.rewards.reward import Reward, broke
from pagehop.trajectories.scores import write_scores


@dataclass(frozen=True)
class ScoreReport:
    """What a reward said of a run."""

    reward: str
    path: Path
    """The file of its scores."""
    episodes: int
    scored: int
    """Episodes with a value."""
    mean: float | None
    unknown: tuple[tuple[str, str], ...]
    """(episode, reason) without a value, because nothing is known to judge by."""
    broken: tuple[tuple[str, str], ...]
    """(episode, reason) without a value, because the rule failed."""


def score_run(folder: str | Path, rewards: Sequence[str | Reward]) -> list[ScoreReport]:
    """Score all episodes of a run; one file a reward, replaced whole when it is scored again.

    Raises:
        ConfigError: There is no such reward.
        LibraryError: The folder is no record of a run.
    """
    found = [one if isinstance(one, Reward) else find_reward(one) for one in rewards]
    run = read_run(folder)
    reports = []
    for reward in found:
        now = time.time()
        records = {
            name: [replace(record, ts=now) for record in scored]
            for name, scored in reward.score_all(run.episodes).items()
        }
        path = write_scores(run.folder, reward.name, reward.digest, records)
        values: dict[str, float] = {}
        missing: list[tuple[str, str]] = []
        broken: list[tuple[str, str]] = []
        for name, scored in records.items():
            known = [record.value for record in scored if record.value is not None]
            if known:
                values[name] = sum(known)
            for record in scored:
                if broke(record):
                    broken.append((name, record.reason))
            if not known and not any(map(broke, scored)):
                missing.append((name, scored[0].reason if scored else "it made no call"))
        mean = sum(values.values()) / len(values) if values else None
        counted = len(run.episodes), len(values)
        reports.append(
            ScoreReport(reward.name, path, *counted, mean, tuple(missing), tuple(broken))
        )
    return reports
