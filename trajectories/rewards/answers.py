"""Rewards for the answer's words: against the gold answers of the task."""

from collections.abc import Callable, Sequence

from pagehop.scoring import items, numeric, words
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reading import abstained, answer_text, golds
from pagehop.trajectories.rewards.reward import Reward, Scored

Match = Callable[[str, Sequence[str]], float | None]


def answer_em() -> Reward:
    """Exact match after SQuAD normalisation, 0 or 1."""
    return _matched("answer_em", words.exact_match, "is a gold answer")


def answer_sub_em() -> Reward:
    """A gold answer stands in the answer, word by word, 0 or 1."""
    return _matched("answer_sub_em", words.sub_match, "holds a gold answer")


def answer_cover_em() -> Reward:
    """All words of a gold answer stand in the answer, 0 or 1."""
    return _matched("answer_cover_em", words.cover_match, "holds all words of a gold answer")


def answer_f1() -> Reward:
    """F1 of words against the best gold answer, 0 to 1."""
    return _matched("answer_f1", words.token_f1, "F1 of words with the best gold answer")


def answer_anls(threshold: float = words.ANLS_THRESHOLD) -> Reward:
    """Normalised edit similarity, cut at the threshold, 0 to 1."""

    def match(text: str, gold: Sequence[str]) -> float | None:
        return words.anls(text, gold, threshold=threshold)

    said = "edit similarity to the best gold answer"
    return _matched("answer_anls", match, said, threshold=threshold)


def answer_numeric(tolerance: float = numeric.TOLERANCE) -> Reward:
    """A number of the answer is the gold number within a relative tolerance, 0 or 1."""

    def match(text: str, gold: Sequence[str]) -> float | None:
        return numeric.numeric_match(text, gold, tolerance=tolerance, which="any")

    return _matched("answer_numeric", match, "states the gold number", tolerance=tolerance)


def answer_list() -> Reward:
    """F1 of the items of a list, 0 to 1."""

    def match(text: str, gold: Sequence[str]) -> float | None:
        return items.list_f1(items.read_list(text), [items.read_list(one) for one in gold])

    return _matched("answer_list", match, "F1 of list items with the best gold answer")


def answer_right() -> Reward:
    """The best of F1, ANLS and numeric, 0 to 1; what a composite takes where no judge is set.

    On a question that the documents do not answer it is 1 for abstaining and 0 for an answer.
    """
    return Reward("answer_right", score_right)


def score_right(episode: Episode) -> Scored:
    """Score an answer by the rule that fits it best."""
    if episode.task.answerable is False:
        right = abstained(episode)
        return Scored(float(right), "abstained rightly" if right else "nothing answers this")
    if not golds(episode):
        return Scored(None, "no gold answer is known")
    if abstained(episode):
        return Scored(0.0, "abstained, though there is an answer")
    text, gold = answer_text(episode), golds(episode)
    parts = {
        "f1": words.token_f1(text, gold),
        "anls": words.anls(text, gold),
        "numeric": numeric.numeric_match(text, gold, which="any"),
    }
    best = max((value, name) for name, value in parts.items() if value is not None)
    return Scored(best[0], f"best of three rules: {best[1]}", parts)


def _matched(name: str, match: Match, said: str, **settings: float) -> Reward:
    def rule(episode: Episode) -> Scored:
        if not golds(episode):
            return Scored(None, "no gold answer is known")
        value = match(answer_text(episode), golds(episode))
        if value is None:
            return Scored(None, "the gold answers do not fit this rule")
        return Scored(value, said if value else f"not: {said}")

    return Reward(name, rule, settings=settings)
