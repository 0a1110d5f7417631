"""Rewards put together: a gate, a weighted sum, costs; every part is kept and can be explained.

    R = gate * sum(weight * part) - sum(cost * part)

Parts that cannot be judged here are left out and the other weights are scaled up to the same sum,
which the reason says; without any part the value is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pagehop.errors import ConfigError
from pagehop.trajectories.episode import Episode, RewardRecord
from pagehop.trajectories.rewards.reward import Reward, Scored


@dataclass(frozen=True)
class Term:
    """A part and its weight."""

    reward: Reward
    weight: float
    answer: bool = False
    """It pays for the answer itself; the others pay for the way to it."""


def composite(
    name: str,
    terms: tuple[Term, ...],
    *,
    costs: tuple[Term, ...] = (),
    gate: Reward | None = None,
    guard: bool = True,
    version: str = "1",
) -> Reward:
    """Put rewards together.

    Args:
        name: Of the sum.
        terms: What is paid for.
        costs: What is fined; their rewards are 0 or below, or above and taken off.
        gate: Its value multiplies what is paid; costs are taken off in any case.
        guard: Refuse a sum in which the way can pay more than the answer.
        version: Raised when the same episode would be scored otherwise.

    Raises:
        ConfigError: The way can pay more than the answer: a policy would learn to call tools.
    """
    if guard:
        check_guard(name, terms)

    def rule(episode: Episode) -> Scored:
        paid = {t.reward.name: t.reward.value(episode) for t in terms}
        fined = {t.reward.name: t.reward.value(episode) for t in costs}
        known = [t for t in terms if paid[t.reward.name] is not None]
        if not known:
            return Scored(None, "no part can be judged", {**paid, **fined})
        whole, left = sum(t.weight for t in terms), sum(t.weight for t in known)
        total = sum(t.weight * (paid[t.reward.name] or 0.0) for t in known)
        total *= whole / left if left else 0.0
        opened = gate.value(episode) if gate is not None else 1.0
        cost = sum(t.weight * abs(fined[t.reward.name] or 0.0) for t in costs)
        parts = {**paid, **fined, **({gate.name: opened} if gate else {})}
        unknown = [t.reward.name for t in terms if paid[t.reward.name] is None]
        reason = f"{opened or 0:g} * {total:.3f} - {cost:.3f}"
        reason += f"; not judged: {', '.join(unknown)}" if unknown else ""
        return Scored((opened or 0.0) * total - cost, reason, parts)

    weights = {t.reward.name: t.weight for t in (*terms, *costs)}
    low = sum(min(0.0, t.weight * t.reward.low) for t in terms) - sum(
        t.weight * max(abs(t.reward.low), abs(t.reward.high)) for t in costs
    )
    high = sum(max(0.0, t.weight * t.reward.high) for t in terms)
    return Reward(name, rule, low=low, high=high, version=version, settings=weights)


def check_guard(name: str, terms: tuple[Term, ...]) -> None:
    """Refuse a sum in which what is not the answer can pay more than the answer.

    Raises:
        ConfigError: Says by how much.
    """
    answer = sum(t.weight * t.reward.high for t in terms if t.answer)
    way = sum(t.weight * t.reward.high for t in terms if not t.answer and t.weight > 0)
    if way > answer:
        raise ConfigError(
            f"reward {name!r} pays up to {way:g} for the way and {answer:g} for the answer: a "
            "policy would learn to call tools; give the answer the larger part, or guard=False"
        )


def explain(record: RewardRecord) -> str:
    """Return how a value came about, a line a part."""
    shown: Mapping[str, float | None] = record.parts
    width = max((len(name) for name in shown), default=0)
    lines = [f"{record.name} = {'none' if record.value is None else f'{record.value:.3f}'}"]
    lines += [
        f"  {name:<{width}}  {'none' if value is None else f'{value:.3f}'}"
        for name, value in shown.items()
    ]
    return "\n".join([*lines, f"  {record.reason}"])
