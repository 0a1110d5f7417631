"""Questions that are there twice, and test questions that stand in the training set too.

In GlobalQA 92.5 % of the test questions are in the training set, so that a score on it tells
little; this finds such sets before anything is run.

1. The same: equal once case, punctuation, articles and white space are gone.
2. Nearly the same: the share of three-word sequences that both have (Jaccard) reaches a threshold.
   Questions of fewer than five words are only compared as the same.
3. Two questions over different documents (`scope`) are no duplicates: "What is the revenue?" may
   be asked of each.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pagehop.evaluation.questions import Question
from pagehop.scoring.words import normalise

NEAR = 0.8
_WORDS = 3
_SHORT = 5
_COMMON = 200
"""A sequence in more questions than this is a turn of phrase; it calls up no candidates."""


@dataclass(frozen=True)
class Pair:
    """Two questions that are the same, or nearly."""

    first: str
    """Question id."""
    second: str
    similarity: float
    """1 for the same."""
    same_answer: bool


def duplicates(questions: Sequence[Question], *, near: float = NEAR) -> list[Pair]:
    """Return the pairs of questions over the same documents that ask the same."""
    return list(_pairs(questions, questions, near))


def overlap(
    test: Sequence[Question], train: Sequence[Question], *, near: float = NEAR
) -> list[Pair]:
    """Return for each test question that stands in the training set its nearest one there.

    Whatever the documents: a question that was trained on is known.
    """
    best: dict[str, Pair] = {}
    for pair in _pairs(test, train, near):
        if pair.first not in best or pair.similarity > best[pair.first].similarity:
            best[pair.first] = pair
    return list(best.values())


def _pairs(first: Sequence[Question], second: Sequence[Question], near: float) -> Iterable[Pair]:
    within = first is second
    shingles = [_shingles(question) for question in second]
    holders: dict[str, list[int]] = {}
    for i, parts in enumerate(shingles):
        for part in parts:
            holders.setdefault(part, []).append(i)
    for i, question in enumerate(first):
        parts = _shingles(question)
        shared = Counter(
            j
            for part in parts
            if len(holders.get(part, ())) <= _COMMON
            for j in holders.get(part, ())
        )
        for j, count in sorted(shared.items()):
            if within and (j <= i or question.scope != second[j].scope):
                continue
            similarity = count / (len(parts) + len(shingles[j]) - count)
            if similarity >= near:
                same = bool(set(map(normalise, question.answers))
                            & set(map(normalise, second[j].answers)))  # fmt: skip
                yield Pair(question.id, second[j].id, similarity, same)


def _shingles(question: Question) -> frozenset[str]:
    words = normalise(question.question).split()
    whole = " ".join(words)
    if len(words) < _SHORT:
        return frozenset({whole})
    parts = {" ".join(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1)}
    return frozenset(parts)
