"""When the documents do not answer: names that are not theirs, words that nothing covers.

1. A question that needs a name is refused when the name stands nowhere in the visible documents,
   not even misspelt.
2. A name that is only mentioned (in none of their titles or first pages) must stand in or next to
   a sentence that covers most of what else is asked. Where documents speak of a name without being
   about it on every page, a line must cover less, but some of what else is asked.
3. Otherwise a question is refused when the best line found is neither like it nor about its words.
4. A detail that documents about the right things do not give (details.py).
"""

import re
from collections.abc import Collection, Sequence

from pagehop.agents.desk import Desk
from pagehop.agents.details import missing_detail
from pagehop.agents.moves import Context, SubQuestion
from pagehop.agents.solutions import charts, quoted_lines
from pagehop.rules.extract import Scored, Weight, coverage
from pagehop.rules.presence import is_mentioned
from pagehop.rules.question import Question, read_question
from pagehop.rules.scope import Scope
from pagehop.rules.solve import Solution
from pagehop.rules.words import stem
from pagehop.types import PageRef

LEAST_LIKENESS = 0.25
"""A best line below this cosine and below `LEAST_COVERAGE` is about something else."""
LEAST_COVERAGE = 0.3
PART_LIKENESS = 0.4
"""A part none of whose words was found is answered all the same by a line this like it."""
MENTION_COVERAGE = 0.6
"""Share of the other words that must stand with a name that is only mentioned."""
TOPICAL_COVERAGE = 0.3
"""The same for a name that documents speak of."""
_LINES = 10


def refused(
    desk: Desk,
    context: Context,
    units: Sequence[Scored],
    found: Sequence[tuple[Solution, SubQuestion]],
) -> str:
    """Return why a run's question is to be refused; empty when it is not.

    Args:
        desk: What the roles have read.
        context: The run.
        units: Best lines found, of all parts.
        found: Solutions of its parts.
    """
    question = read_question(context.question)
    reason = refusal(
        question, desk.scope, units, desk.weights(), quoted_lines(found), charts(desk, units)
    )
    if reason or found or len(context.sub_questions) > 1:
        return reason
    return missing_detail(desk, question, units)


def is_unfound(desk: Desk, sub: SubQuestion, units: Sequence[Scored]) -> bool:
    """Whether one part of several found nothing: a name, or every word of what is asked, is absent.

    Args:
        desk: What the roles have read.
        sub: The part.
        units: Best lines found for it.
    """
    question = read_question(own_words(sub))
    if not units or any(name.text in desk.scope.absent for name in question.names):
        return True
    best = max(units, key=lambda s: s.score)
    if best.cosine < LEAST_LIKENESS and best.coverage < LEAST_COVERAGE:
        return True
    asked = {t.stem for t in question.terms if t.weight >= 1} - question.name_stems
    if not asked or any(asked & desk.stems(item.unit.ref) for item in units):
        return False
    encoder = desk.view.encoder
    if encoder is None:
        return True
    lines = desk.encode([item.unit.reading for item in units[:_LINES]])
    return float((lines @ encoder.encode_query(question.text)).max()) < PART_LIKENESS


def own_words(sub: SubQuestion) -> str:
    """A part without what it took over from the one before, which says where to look."""
    return re.sub(r"\s*\([^()]*\)(?=\?$)", "", sub.text)


def refusal(
    question: Question,
    scope: Scope,
    units: Sequence[Scored],
    weight: Weight,
    solved: Collection[str] = (),
    charts: Collection[PageRef] = (),
) -> str:
    """Return why a question is to be refused; empty when it is not.

    Args:
        question: What is asked.
        scope: What its names lead to.
        units: Best lines found.
        weight: Rarity of a stem.
        solved: Lines whose numbers answer the question.
        charts: Pages with a chart: what is asked may be in it, where it is not read.
    """
    main = _main_names(question)
    absent = [name for name in scope.absent if name in main or not _is_abbreviation(name)]
    if absent:
        return f"Nothing in the documents is about {_listed(absent)}."
    for name in main:
        if name not in scope.mentioned or any(is_mentioned(name, line) for line in solved):
            continue
        if not _speaks_of(question, name, units, weight):
            return f"The documents mention {name}, but say nothing on what is asked about it."
    for name in main:
        spoken_of = name in (scope.by_name or {}) and name not in scope.own
        drawn = any(s.unit.ref in charts for s in units[:1])
        if spoken_of and not (solved or drawn or _stands_by(question, units, weight)):
            return f"The documents speak of {name}, but not of what is asked about it."
    if not units:
        return "No page matches the question."
    best = max(units, key=lambda s: s.score)
    if best.cosine < LEAST_LIKENESS and best.coverage < LEAST_COVERAGE:
        return "Nothing found in the documents speaks of what is asked."
    return ""


def _is_abbreviation(name: str) -> bool:
    return len(name) <= 4 and name.upper() == name


def _main_names(question: Question) -> list[str]:
    """What the question is about: names with a possessive, else the first one."""
    possessive = [n.text for n in question.names if n.possessive]
    return possessive or [n.text for n in question.names[:1]]


def _speaks_of(question: Question, name: str, units: Sequence[Scored], weight: Weight) -> bool:
    wanted = {stem(w) for w in re.findall(r"\w+", name)}
    others = _others(question, weight)
    return any(
        wanted <= (s.unit.stems | s.unit.around_stems)
        and coverage(others, s.unit, frozenset()) >= MENTION_COVERAGE
        for s in units
    )


def _stands_by(question: Question, units: Sequence[Scored], weight: Weight) -> bool:
    others = _others(question, weight)
    return not others or any(
        coverage(others, s.unit, frozenset()) >= TOPICAL_COVERAGE for s in units
    )


def _others(question: Question, weight: Weight) -> list[tuple[str, float]]:
    """What is asked beside the names."""
    return [
        (t.stem, t.weight * weight(t.stem))
        for t in question.content
        if t.stem not in question.name_stems
    ]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
