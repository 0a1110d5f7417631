"""How well the words of an answer match those of a gold answer; the best of several golds counts.

All return 0 to 1, or None when there is no gold answer.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation + "\u2018\u2019\u201c\u201d")
_MARKS = re.compile(r"\s*\[\d+\]|[\u201c\u201d]")
_CLOSED = frozenset({"yes", "no", "noanswer"})
ANLS_THRESHOLD = 0.5
"""Tau of Biten et al. 2019."""


def plain_answer(text: str) -> str:
    """Return an answer without citation marks and the curly quotation marks around quotes.

    Metrics that look at letters would count both.
    """
    return _MARKS.sub("", text).strip().strip('" ')


def normalise(text: str) -> str:
    """Lower the letters, drop punctuation and articles, join words by one space.

    Source: the evaluation script of SQuAD 1.1 (Rajpurkar et al. 2016). Differs: curly quotation
    marks and apostrophes are punctuation, too; documents print them, gold answers rarely have them.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(prediction: str, golds: Sequence[str]) -> float | None:
    """Return 1 when the normalised answer is a normalised gold, else 0.

    Source: SQuAD 1.1.
    """
    return _best(prediction, golds, lambda ours, gold: float(ours == gold))


def sub_match(prediction: str, golds: Sequence[str]) -> float | None:
    """Return 1 when a gold's words stand in the answer, together and in order, else 0.

    Source: Search-R1, `subem_check`; differs: whole words only, so that 10 is not in 2010.
    """
    return _best(prediction, golds, lambda ours, gold: float(f" {gold} " in f" {ours} "))


def cover_match(prediction: str, golds: Sequence[str]) -> float | None:
    """Return 1 when all words of a gold stand in the answer, in any order, else 0.

    A word that the gold has twice must be there twice.
    """
    return _best(
        prediction, golds, lambda ours, gold: float(Counter(gold.split()) <= Counter(ours.split()))
    )


def token_f1(prediction: str, golds: Sequence[str]) -> float | None:
    """Return F1 of the answer's words and a gold's, counted as often as they stand there.

    `yes`, `no` and `noanswer` earn nothing inside a longer answer.

    Source: SQuAD 1.1, with the rule on yes and no of HotpotQA (Yang et al. 2018).
    """
    return _best(prediction, golds, _f1)


def anls(
    prediction: str, golds: Sequence[str], *, threshold: float = ANLS_THRESHOLD
) -> float | None:
    """Return 1 - (edit distance / the longer length) where that quotient is below the threshold.

    Case and runs of white space do not count; else every character does.

    Source: Biten et al. 2019, Scene Text Visual Question Answering, section 4.
    """
    if not golds:
        return None
    ours = " ".join(prediction.lower().split())
    return max(
        similarity(ours, " ".join(gold.lower().split()), threshold=threshold) for gold in golds
    )


def similarity(first: str, second: str, *, threshold: float = ANLS_THRESHOLD) -> float:
    """Return normalised Levenshtein similarity of two strings as they are, cut as in `anls`."""
    longest = max(len(first), len(second))
    distance = edit_distance(first, second) / longest if longest else 0.0
    return 1 - distance if distance < threshold else 0.0


def edit_distance(first: str, second: str) -> int:
    """Return how many characters must be put in, left out or changed.

    Source: Wagner and Fischer 1974, one row kept.
    """
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def _best(
    prediction: str, golds: Sequence[str], score: Callable[[str, str], float]
) -> float | None:
    ours = normalise(prediction)
    return max((score(ours, normalise(gold)) for gold in golds), default=None)


def _f1(ours: str, gold: str) -> float:
    if ours == gold:
        return 1.0
    if ours in _CLOSED or gold in _CLOSED:
        return 0.0
    mine, theirs = ours.split(), gold.split()
    shared = sum((Counter(mine) & Counter(theirs)).values())
    return 2 * shared / (len(mine) + len(theirs)) if shared else 0.0
