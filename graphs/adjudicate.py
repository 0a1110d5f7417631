"""Choose one answer among samples of a question, by code.

1. An answer comes before a best answer so far, that before `unanswerable`, that before a failure.
2. Among these, the one that most samples agree with: samples agree when the direct answer (the
   first sentence with something new in it) has the same numbers and names, in whatever form; what
   the question says itself does not count. Where it has neither, its words are compared.
3. Then the one with more verified citations, then the first.

Not covered: joining what several samples found into one answer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from pagehop.answers import Answer, Status, Usage
from pagehop.rules.numbers import find_numbers
from pagehop.rules.words import stem

ORDER: tuple[Status, ...] = ("answered", "exhausted", "unanswerable", "failed")
"""Better first."""
_SAME_WORDS = 0.75
"""Share of words by which answers without numbers and names are the same."""
_MARKERS = re.compile(r"\s*\[\d+\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NAME = re.compile(r"[^\W\d_]*[A-Z][\w'’-]*")  # noqa: RUF001 - as documents write it
_YES_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)
_SHOWN = 80


@dataclass(frozen=True)
class Adjudicated:
    """The answer that was chosen."""

    answer: Answer
    """With the usage of all samples, and how they differ among its warnings."""
    chosen: int
    """Index of the sample it is of."""


def adjudicate(answers: Sequence[Answer]) -> Adjudicated:
    """Choose one of several answers to the same question; at least one is given."""
    best = min((answer.status for answer in answers), key=ORDER.index)
    able = [i for i, answer in enumerate(answers) if answer.status == best]
    agreeing = {i: sum(_agree(answers[i], answers[j]) for j in able) for i in able}

    def rank(i: int) -> tuple[int, int, int]:
        verified = sum(citation.verified for citation in answers[i].citations)
        return agreeing[i], verified, -i

    chosen = max(able, key=rank)
    answer = answers[chosen]
    differ = _differences(answers, chosen)
    return Adjudicated(
        replace(
            answer,
            usage=_sum([answer.usage for answer in answers]),
            warnings=(*answer.warnings, differ) if differ else answer.warnings,
        ),
        chosen,
    )


def _differences(answers: Sequence[Answer], chosen: int) -> str:
    """Say what the other samples gave; empty when all agree with the one chosen."""
    mine = answers[chosen]
    other = [a for a in answers if a.status != mine.status or not _agree(a, mine)]
    if not other:
        return ""
    counted = Counter(_told(answer) for answer in other)
    told = "; ".join(f"{count} {what}" for what, count in counted.most_common())
    return f"{len(answers) - len(other)} of {len(answers)} samples gave this answer; {told}."


def _told(answer: Answer) -> str:
    if answer.status == "failed":
        return f"failed ({answer.error})" if answer.error else "failed"
    if answer.status == "unanswerable":
        return "found no answer in the documents"
    text = " ".join(_MARKERS.sub("", answer.text).split())
    return f"said: {text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}".rstrip(".")


def _agree(a: Answer, b: Answer) -> bool:
    if not (a.citations and b.citations):
        # Why something is not in the documents is told in many ways; that it is not is one answer.
        return a.status == b.status
    mine, other = _facts(a), _facts(b)
    if any(fact.sure for fact in (*mine, *other)):
        return _all_in(mine, other) and _all_in(other, mine)
    words, more = _words(a.text), _words(b.text)
    return len(words & more) >= _SAME_WORDS * max(1, len(words | more))


def _all_in(facts: Sequence["_Fact"], others: Sequence["_Fact"]) -> bool:
    known = {form for fact in others for form in fact.forms}
    return all(fact.forms & known for fact in facts if fact.sure)


@dataclass(frozen=True)
class _Fact:
    """A number, a name, yes or no."""

    forms: frozenset[str]
    """The ways to write it, normalised: with a scale word's value and without it."""
    sure: bool = True
    """False for the first word of a sentence, which is written large whatever it is."""


def _facts(answer: Answer) -> list[_Fact]:
    """Return numbers and names of the direct answer that the question does not name itself."""
    asked = {form for fact in _marks(answer.question) for form in fact.forms}
    asked |= _words(answer.question)
    sentences = _SENTENCE.split(_MARKERS.sub("", answer.text))
    told = [[fact for fact in _marks(s) if not fact.forms & asked] for s in sentences]
    return next((new for new in told if any(fact.sure for fact in new)), told[0])


def _marks(text: str) -> list[_Fact]:
    first = re.match(r"\W*\w+", text)
    start = first.end() if first else 0
    found = []
    for number in find_numbers(text):
        forms = {f"{abs(value):.6g}" for value in (number.value, number.value / number.scale)}
        found.append(_Fact(frozenset(forms)))
    for name in _NAME.finditer(text):
        found.append(_Fact(frozenset({stem(name[0])}), sure=name.start() >= start))
    if said := _YES_NO.match(text):
        found.append(_Fact(frozenset({said[1].lower()})))
    return found


def _words(text: str) -> set[str]:
    return {stem(word) for word in re.findall(r"\w+", _MARKERS.sub("", text))}


def _sum(usages: Sequence[Usage]) -> Usage:
    """Return what samples spent together; they run at once, so the longest is their time."""
    sums = {field.name: sum(getattr(u, field.name) for u in usages) for field in fields(Usage)}
    return Usage(**{**sums, "seconds": max(usage.seconds for usage in usages)})
