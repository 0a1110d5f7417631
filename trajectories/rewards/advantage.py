"""Group advantages: how much better an episode did than the others of its question.

Trainers compute their own; these let a person see what a reward would teach, and give rows that
carry an advantage. Every segment of an episode gets the episode's.
"""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pagehop.errors import ConfigError
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.answers import score_right
from pagehop.trajectories.segments import segments

Baseline = Literal["grpo", "dr_grpo", "rloo"]
EPSILON = 1e-6
"""Added to the standard deviation of a group, as in verl."""


def advantages(
    values: Mapping[str, float | None], groups: Mapping[str, str], baseline: Baseline = "grpo"
) -> dict[str, float | None]:
    """Return the advantage of each episode over its group.

    - `grpo`: (R - mean) / (standard deviation + 1e-6), the deviation with n - 1 (Shao et al. 2024,
      section 4.1.2; as TRL and verl compute it)
    - `dr_grpo`: R - mean (Liu et al. 2025)
    - `rloo`: R - mean of the others (Ahmadian et al. 2024)

    Args:
        values: Reward by episode id; None for one that could not be judged.
        groups: Group by episode id.
        baseline: As above.

    Returns:
        By episode id; None for an episode without a value, which is no part of the baseline
        either, and for one that is alone in its group.

    Raises:
        ConfigError: There is no such baseline.
    """
    if baseline not in get_args(Baseline):
        raise ConfigError(f"baseline {baseline!r} is none of {', '.join(get_args(Baseline))}")
    members: dict[str, list[str]] = defaultdict(list)
    for name in values:
        members[groups[name]].append(name)
    found: dict[str, float | None] = dict.fromkeys(values)
    for names in members.values():
        known = {name: value for name in names if (value := values[name]) is not None}
        if len(known) > 1:
            found |= _over(known, baseline)
    return found


def stamp(
    episodes: Sequence[Episode],
    reward: str,
    *,
    baseline: Baseline = "grpo",
    per_token: bool = False,
) -> dict[str, float | None]:
    """Return an advantage for each segment, by segment id.

    Args:
        episodes: With the reward among theirs; episodes of one group id are compared.
        reward: Name of the reward.
        baseline: See `advantages`.
        per_token: Divide by the number of tokens that the episode sampled, so that long episodes
            weigh no more than short ones.
    """
    values = {one.episode_id: reward_of(one, reward) for one in episodes}
    over = advantages(values, {one.episode_id: group_of(one) for one in episodes}, baseline)
    stamped: dict[str, float | None] = {}
    for episode in episodes:
        advantage = over[episode.episode_id]
        if advantage is not None and per_token:
            advantage /= max(1, sum(len(call.completion_ids) for call in episode.calls))
        stamped |= dict.fromkeys((one.id for one in segments(episode)), advantage)
    return stamped


@dataclass(frozen=True)
class PartReport:
    """What a part of a reward can teach."""

    name: str
    n: int
    """Episodes with a value."""
    mean: float | None
    deviation: float | None
    """Mean of the standard deviations inside the groups."""
    flat_groups: int
    """Groups in which all values are equal: they give no gradient."""
    groups: int
    correlation: float | None
    """Pearson's, with whether the answer is right; None where either never varies."""


def report(episodes: Sequence[Episode], reward: str) -> list[PartReport]:
    """Say of a reward and each of its parts what it can teach: spread in groups, link to answers.

    Args:
        episodes: With the reward among theirs.
        reward: Name of the reward.
    """
    rows: dict[str, dict[str, float | None]] = {reward: {}}
    for episode in episodes:
        record = episode.reward(reward)
        if record is not None:
            rows[reward][episode.episode_id] = reward_of(episode, reward)
            for part, value in record.parts.items():
                rows.setdefault(part, {})[episode.episode_id] = value
    right = {one.episode_id: score_right(one).value for one in episodes}
    groups = {one.episode_id: group_of(one) for one in episodes}
    return [_report(name, values, groups, right) for name, values in rows.items()]


def group_of(episode: Episode) -> str:
    """Return the group of an episode: of its rollout run, else of its question."""
    return episode.group_id or episode.task.task_id or episode.question


def _over(known: Mapping[str, float], baseline: Baseline) -> dict[str, float]:
    mean, n = statistics.fmean(known.values()), len(known)
    if baseline == "rloo":
        return {name: (value - mean) * n / (n - 1) for name, value in known.items()}
    scale = statistics.stdev(known.values()) + EPSILON if baseline == "grpo" else 1.0
    return {name: (value - mean) / scale for name, value in known.items()}


def reward_of(episode: Episode, reward: str) -> float | None:
    """Return the sum of an episode's records of a reward; None when none has a value."""
    latest = {r.target: r.value for r in episode.rewards if r.name == reward}
    values = [value for value in latest.values() if value is not None]
    return sum(values) if values else None


def _report(
    name: str,
    values: Mapping[str, float | None],
    groups: Mapping[str, str],
    right: Mapping[str, float | None],
) -> PartReport:
    known = {key: value for key, value in values.items() if value is not None}
    members: dict[str, list[float]] = defaultdict(list)
    for key, value in known.items():
        members[groups[key]].append(value)
    several = [group for group in members.values() if len(group) > 1]
    pairs = [(v, r) for key, v in known.items() if (r := right[key]) is not None]
    return PartReport(
        name=name,
        n=len(known),
        mean=statistics.fmean(known.values()) if known else None,
        deviation=statistics.fmean(map(statistics.stdev, several)) if several else None,
        flat_groups=sum(max(group) == min(group) for group in several),
        groups=len(several),
        correlation=_correlation(pairs),
    )


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len({a for a, _ in pairs}) < 2 or len({b for _, b in pairs}) < 2:
        return None
    return statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])
