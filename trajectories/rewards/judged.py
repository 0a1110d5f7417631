"""Rewards by a judge: a model, or a person's function, that says how right an answer is.

The judge is injected: `judge(question, answer, golds) -> float 0 to 1, or None`. What it says is
kept by (question, answer, golds), so that scoring again costs nothing. A judge that fails or
answers nonsense leaves None, never 0. evaluation/ makes such a function from a chat model.
"""

import hashlib
import statistics
from collections.abc import Callable, Sequence

from pagehop.trajectories.episode import Episode, RewardRecord
from pagehop.trajectories.rewards.answers import score_right
from pagehop.trajectories.rewards.reading import answer_text, golds
from pagehop.trajectories.rewards.reward import Reward, Scored

Judge = Callable[[str, str, Sequence[str]], float | None]
Rank = Callable[[str, Sequence[str]], Sequence[int]]
"""Question and answers to the positions of the answers, best first."""


def judged(judge: Judge, *, name: str = "judge", votes: int = 1) -> Reward:
    """A judge's word for the answer, 0 to 1; the median of several votes.

    Args:
        judge: Called `votes` times for each answer that it has not judged yet.
        name: Of the reward, e.g. the judge's model.
        votes: Odd, so that the median of yes and no is one of them.
    """
    said: dict[str, tuple[float | None, ...]] = {}

    def rule(episode: Episode) -> Scored:
        if episode.task.answerable is False:
            return score_right(episode)
        if not golds(episode):
            return Scored(None, "no gold answer is known")
        text, gold = answer_text(episode), golds(episode)
        if not text:
            return Scored(0.0, "there is no answer")
        key = hashlib.sha256("\0".join([episode.question, text, *gold]).encode()).hexdigest()
        if key not in said:
            said[key] = tuple(_vote(judge, episode.question, text, gold) for _ in range(votes))
        valid = [vote for vote in said[key] if vote is not None]
        if not valid:
            return Scored(None, "the judge gave no verdict")
        reason = f"{len(valid)} of {votes} votes: {', '.join(f'{vote:g}' for vote in valid)}"
        return Scored(statistics.median(valid), reason)

    return Reward(name, rule, settings={"votes": votes})


def group_rank(rank: Rank, episodes: Sequence[Episode]) -> dict[str, RewardRecord]:
    """Score the episodes of one question by their place in a judge's ranking, 0 to 1.

    The best has 1, the last 0, equal answers the mean of their places; nothing is known of a single
    answer.

    Source: RULER (OpenPipe ART) in its use of a group's ranking; differs: places, not marks.
    """
    texts = [answer_text(episode) for episode in episodes]
    distinct = list(dict.fromkeys(texts))
    if len(distinct) < 2:
        return {e.episode_id: _ranked(None, "nothing to rank") for e in episodes}
    order = list(rank(episodes[0].question, distinct))
    if sorted(order) != list(range(len(distinct))):
        return {e.episode_id: _ranked(None, "the judge's ranking is none") for e in episodes}
    place = {distinct[i]: 1 - n / (len(distinct) - 1) for n, i in enumerate(order)}
    return {
        episode.episode_id: _ranked(place[text], f"of {len(distinct)} different answers")
        for episode, text in zip(episodes, texts, strict=True)
    }


def _vote(judge: Judge, question: str, text: str, gold: Sequence[str]) -> float | None:
    try:
        vote = judge(question, text, gold)
    except Exception:
        return None
    return vote if vote is not None and 0 <= vote <= 1 else None


def _ranked(value: float | None, reason: str) -> RewardRecord:
    return RewardRecord("group_rank", value, scorer="group_rank", version="1", reason=reason)
