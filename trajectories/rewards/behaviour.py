"""Rewards for how a run behaved: form, budget, repetition, abstention, length."""

from collections.abc import Sequence

from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reading import (
    abstained,
    answered,
    looks,
    malformed,
)
from pagehop.trajectories.rewards.reward import Reward, Scored

GRAM = 3
"""Words of a query that are compared at a time."""


def format_kept() -> Reward:
    """1 when every reply was parsed, every call valid, and the run ended with one answer, else 0.

    Saying that the documents do not hold it is an answer.
    """
    return Reward("format", score_format)


def score_format(episode: Episode) -> Scored:
    """Score whether the form was kept throughout."""
    wrong = malformed(episode)
    ended = answered(episode) or abstained(episode)
    if wrong:
        return Scored(0.0, f"{wrong} calls or replies were malformed")
    return Scored(float(ended), "well formed" if ended else "it ends without an answer")


def format_share() -> Reward:
    """Share of the calls that were valid, 0 to 1; 1 when there were none."""

    def rule(episode: Episode) -> Scored:
        wrong, valid = malformed(episode), sum(call.valid for call in episode.tool_calls)
        total = wrong + valid
        return Scored(valid / total if total else 1.0, f"{wrong} of {total} were malformed")

    return Reward("format_share", rule)


def tool_budget(most: int = 8) -> Reward:
    """1 up to `most` looks at documents, then falling by 1 / most each, 0 to 1."""

    def rule(episode: Episode) -> Scored:
        n = len(looks(episode))
        over = max(0, n - most) / most
        return Scored(max(0.0, 1 - over), f"{n} tool calls, {most} are free")

    return Reward(f"tool_budget({most})", rule, settings={"most": most})


def repeat_penalty(alpha: float = 0.3) -> Reward:
    """Minus alpha for what was asked or read before, -2 alpha to 0.

    alpha * (mean overlap of queries + share of pages read again). The overlap of a query: the share
    of its word triples (of its words, when it has fewer than three) that an earlier query has, the
    most over the earlier ones.

    Source: ALDEN's query repetition (.3 * 3-gram overlap); differs: a mean, not over tokens.
    """

    def rule(episode: Episode) -> Scored:
        queries = [str(c.arguments.get("query", "")) for c in looks(episode)]
        asked = [query for query in queries if query]
        overlaps = [
            max((overlap(query, before) for before in asked[:i]), default=0.0)
            for i, query in enumerate(asked)
        ]
        read = [c.pages[0] for c in looks(episode) if c.tool == "read_page" and c.pages]
        again = 1 - len(set(read)) / len(read) if read else 0.0
        mean = sum(overlaps) / len(overlaps) if overlaps else 0.0
        parts = {"queries": mean, "pages": again}
        reason = f"queries repeat {mean:.0%} of earlier ones, {again:.0%} of pages were read before"
        return Scored(-alpha * (mean + again), reason, parts)

    return Reward("repeat_penalty", rule, low=-2 * alpha, high=0.0, settings={"alpha": alpha})


def invalid_call(beta: float = 0.1) -> Reward:
    """Minus beta for each call or reply that was malformed, -1 to 0."""

    def rule(episode: Episode) -> Scored:
        wrong = malformed(episode)
        return Scored(max(-1.0, -beta * wrong), f"{wrong} calls or replies were malformed")

    return Reward("invalid_call", rule, low=-1.0, high=0.0, settings={"beta": beta})


def abstention(wrong: float = 5.0, right: float = 5.0, missed: float = 2.0) -> Reward:
    """Abstaining, paid and fined: by default as ALDEN does.

    Args:
        wrong: Fine for abstaining though there is an answer.
        right: Earned for abstaining where there is none.
        missed: Fine for answering where there is none.
    """

    def rule(episode: Episode) -> Scored:
        answerable, stayed = episode.task.answerable, abstained(episode)
        if answerable is None:
            return Scored(None, "nobody knows whether it can be answered")
        if answerable:
            return Scored(-wrong if stayed else 0.0, "abstained wrongly" if stayed else "answered")
        if stayed:
            return Scored(right, "abstained rightly")
        return Scored(-missed if answered(episode) else 0.0, "nothing answers this")

    low, high = -max(wrong, missed), right
    settings = {"wrong": wrong, "right": right, "missed": missed}
    return Reward("abstention", rule, low=low, high=high, settings=settings)


def overlong_soft(most: int = 8192, cache: int = 2048) -> Reward:
    """0 up to `most - cache` tokens that the policy wrote, then falling to -1 at `most`, -1 to 0.

    Source: DAPO (Yu et al. 2025), equation 13; its length is that of one reply, ours of the run.
    """

    def rule(episode: Episode) -> Scored:
        calls = [call for call in episode.calls if call.trainable]
        written = sum(call.usage.output_tokens for call in calls)
        if not calls or not written:
            return Scored(None, "no tokens were counted")
        over = (most - cache - written) / cache
        return Scored(max(-1.0, min(0.0, over)), f"{written} tokens of {most}")

    settings = {"most": most, "cache": cache}
    return Reward("overlong_soft", rule, low=-1.0, high=0.0, settings=settings)


def overlap(query: str, before: str) -> float:
    """Return the share of a query's word triples that an earlier query has, 0 to 1."""
    size = min(GRAM, len(query.split()))
    mine, theirs = grams(query.lower().split(), size), grams(before.lower().split(), size)
    return len(mine & theirs) / len(mine) if mine else 0.0


def grams(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """Return the runs of so many words."""
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if size else set()
