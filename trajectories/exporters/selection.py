"""Which episodes of a run are exported: by status, by reward, the best of each group."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from pagehop.errors import ConfigError
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporter import Sample
from pagehop.trajectories.reading import Run
from pagehop.trajectories.rewards.advantage import advantages, group_of, reward_of
from pagehop.trajectories.segments import segments


def select(
    run: Run, *, reward: str = "", min_reward: float | None = None, best: int | None = None
) -> tuple[list[Sample], dict[str, int]]:
    """Choose episodes; return them, and how many were left out by reason.

    Episodes that chose among samples made no call and are left out; so are those that were cut off
    before their end. Advantages are over the whole group (GRPO's), whoever is chosen.

    Args:
        run: What was recorded.
        reward: Name of a reward that the run was scored with; empty takes the only one there is.
        min_reward: Least reward; an episode without a value is left out.
        best: Keep so many of each group, the best first; equal ones in their order
            (rejection sampling, the first stage of MARAG-R1).

    Raises:
        ConfigError: A reward is needed and there is none, or several and none is named.
    """
    reward = _reward_name(run, reward, needed=min_reward is not None or best is not None)
    values = {one.episode_id: reward_of(one, reward) for one in run.episodes}
    over = advantages(values, {one.episode_id: group_of(one) for one in run.episodes})
    left_out: Counter[str] = Counter()
    kept: list[Episode] = []
    for episode in run.episodes:
        why = _why_not(episode, values[episode.episode_id], min_reward)
        if why:
            left_out[why] += 1
        else:
            kept.append(episode)
    if best is not None:
        chosen = {one.episode_id for one in _best(kept, values, best)}
        left_out["not among the best of its group"] += len(kept) - len(chosen)
        kept = [one for one in kept if one.episode_id in chosen]
    samples = [
        Sample(one, segments(one), values[one.episode_id], over[one.episode_id]) for one in kept
    ]
    return samples, {why: n for why, n in left_out.items() if n}


def _reward_name(run: Run, reward: str, *, needed: bool) -> str:
    names = list(dict.fromkeys(r.name for one in run.episodes for r in one.rewards))
    if reward and reward not in names:
        has = ", ".join(names) or "no reward"
        raise ConfigError(
            f"this run was not scored with {reward!r}; it has {has}: "
            f"pagehop score {run.folder} --reward {reward}"
        )
    if reward or not needed:
        return reward or (names[0] if len(names) == 1 else "")
    if len(names) != 1:
        has = f"has several rewards ({', '.join(names)})" if names else "has no reward yet"
        way = (
            "name one with --reward" if names else f"pagehop score {run.folder} --reward documents"
        )
        raise ConfigError(f"choosing by reward needs one; this run {has}: {way}")
    return names[0]


def _why_not(episode: Episode, value: float | None, min_reward: float | None) -> str:
    if episode.samples:
        return "it chose among samples and made no call"
    if episode.status == "aborted":
        return "it was cut off"
    if episode.status == "failed":
        return "it failed"
    if min_reward is None:
        return ""
    if value is None:
        return "its reward has no value"
    return "its reward is too low" if value < min_reward else ""


def _best(kept: Iterable[Episode], values: dict[str, float | None], best: int) -> Iterable[Episode]:
    groups: dict[str, list[Episode]] = defaultdict(list)
    for episode in kept:
        groups[group_of(episode)].append(episode)
    for group in groups.values():
        known = [one for one in group if values[one.episode_id] is not None]
        known.sort(key=lambda one: values[one.episode_id] or 0.0, reverse=True)
        yield from known[:best]
