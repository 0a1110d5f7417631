"""The solutions of a run's sub-questions, over the pages found so far.

Explorer, summarizer, reflector and answerer all ask here, so that they speak of the same numbers:
a solution is a function of the question, the view and the pages found.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from pagehop.agents.comparison import compare, read_comparison, side_texts
from pagehop.agents.decompose import is_over_time
from pagehop.agents.desk import Desk
from pagehop.agents.leads import found_pages
from pagehop.agents.moves import Context, SubQuestion
from pagehop.rules.byline import asks_author
from pagehop.rules.expressions import as_amounts, expression_of
from pagehop.rules.extract import Scored, page_scores
from pagehop.rules.match import Value, find_values
from pagehop.rules.question import Question, read_question
from pagehop.rules.scope import Scope
from pagehop.rules.solve import MIN_FIT, Comparison, Solution, solve
from pagehop.rules.task import Task
from pagehop.rules.vocabulary import DOCUMENT_WORDS, FUNCTION_WORDS
from pagehop.rules.words import stem, stems, tokens
from pagehop.types import PageRef

SURE_FIT = 0.62
"""Least fit of a value that is read and not calculated."""
LOOSE_FIT = 0.8
"""Least fit where the question does not clearly ask for a number."""

_IN_DOCUMENT = re.compile(
    rf"\s+\b(?:in|on|from|under) the (?:[\w-]+ )?"
    rf"(?:{'|'.join(sorted(DOCUMENT_WORDS | {'appendix', 'letter', 'schedule'}))})\b.*$",
    re.IGNORECASE,
)
"""Says where a number stands (`in the appendix to the letter`), not what it is called there."""
_JOINT = frozenset(
    {"difference", "growth", "ratio", "sum", "average", "highest", "lowest", "exceeds"}
)
_KIND_STEMS = frozenset(stem(word) for word in DOCUMENT_WORDS)
_NO_NUMBERS = frozenset({"reason", "person", "place", "yes_no", "date"})


def ranked(desk: Desk, context: Context, sub: SubQuestion) -> list[Scored]:
    """Best units of the pages found for a sub-question."""
    return desk.rank(sub.text, found_pages(context, sub), sub.documents)


def solutions(desk: Desk, context: Context) -> list[tuple[Solution, SubQuestion]]:
    """Return what can be read or calculated for the sub-questions, each with its own."""
    joint = _joint(desk, context)
    if joint is not None:
        return [(joint, context.sub_questions[0])]
    found = []
    for sub in context.sub_questions:
        solution = _solution(desk, context, sub)
        if solution is not None:
            found.append((solution, sub))
    return found


def front_page(desk: Desk, sub: SubQuestion, units: Sequence[Scored]) -> PageRef | None:
    """Where the document stands that a sub-question asks the author of; None when it asks none.

    The document is the one of the best line; the question must say a word of its name or title.
    """
    if not units or not asks_author(sub.text):
        return None
    document = desk.view.document(units[0].unit.ref.name)
    called = set(stems(f"{document.name} {document.title}")) - _KIND_STEMS
    asked = {t.stem for t in read_question(sub.text).content}
    return PageRef(document.name, 1) if called & asked else None


def charts(desk: Desk, units: Sequence[Scored]) -> set[PageRef]:
    """Pages of ranked lines that show a chart."""
    return {s.unit.ref for s in units if desk.read(s.unit.ref).chart}


def quoted_lines(found: Sequence[tuple[Solution, SubQuestion]]) -> list[str]:
    """Lines of pages that solutions rest on."""
    return [quote for solution, _ in found for _, quote in solution.quotes]


def _solution(desk: Desk, context: Context, sub: SubQuestion) -> Solution | None:
    question = read_question(sub.text)
    over_time = len(sub.documents) == 1 and is_over_time(sub.text)
    reads = question.task.operation in ("value", "values")
    names = sub.needs == "a name"
    if names or (question.kind in _NO_NUMBERS and reads and not over_time):
        return None
    scores = page_scores(ranked(desk, context, sub))
    lines = {ref: desk.lines(ref) for ref in scores}
    labels = {
        s for own in lines.values() for x in own if len(x.label_stems) == 1 for s in x.label_stems
    }
    labels |= {
        s
        for own in lines.values()
        for x in own
        if x.table >= 0
        for c in x.columns
        for s in stems(c)
    }
    solution = solve(
        localised(question, desk.scope, labels),
        lines,
        desk.weights(sub.documents),
        page_scores=scores,
        page_stems=desk.stems,
    )
    if solution is None or solution.fit < _least_fit(question):
        return None
    first = solution.values[0]
    stated = question.task.operation == "value" and first.table < 0 and not question.years
    counts = "how many" in question.text.lower()
    loose = question.kind != "number" or first.crowded or solution.fit < LOOSE_FIT
    if stated and (counts or loose):
        return None
    return solution


def localised(question: Question, scope: Scope, labels: Set[str] = frozenset()) -> Task:
    """Return a question's task without the names that lead to documents, and without framing.

    `Halden Marine's revenue` stands as `Revenue` in the tables of Halden Marine's own report. A
    name that is the whole label of a row there, such as a division's, or heads a column, tells
    rows or columns apart and stays.
    """
    led = scope.settled(question) - labels
    task = question.task
    if task.operation == "value" and question.kind in _NO_NUMBERS:
        words = [t.text for t in question.content if t.stem not in led and not t.text.isdigit()]
        return replace(task, operands=(" ".join(words),))
    operands = tuple(_IN_DOCUMENT.sub("", operand) or operand for operand in task.operands)
    operands = tuple(_without(operand, led) or operand for operand in operands)
    return replace(task, operands=operands, measure=_without(task.measure, led))


def _without(phrase: str, stems: Set[str]) -> str:
    if not stems:
        return phrase
    kept = [t.text for t in tokens(phrase) if t.stem not in stems]
    return " ".join(kept)


def _least_fit(question: Question) -> float:
    if question.task.calculates:
        return MIN_FIT
    return SURE_FIT if question.kind == "number" or question.years else LOOSE_FIT


def _joint(desk: Desk, context: Context) -> Solution | None:
    """One value for each document set, compared or summed."""
    question = read_question(context.question)
    comparison = read_comparison(question.text)
    subs = [sub for sub in context.sub_questions if sub.documents or comparison]
    if comparison is not None and _are_sides(subs, comparison):
        parts = [(sub, ranked(desk, context, sub)) for sub in subs]
        return compare(desk, question, comparison, parts)
    if len({sub.documents for sub in subs}) < 2 or question.task.operation not in _JOINT:
        return None
    words = tokens(" ".join((*question.task.operands, question.task.measure)))
    names = question.name_stems
    terms = dict.fromkeys(
        t.text for t in words if t.stem not in names and t.text not in FUNCTION_WORDS
    )
    year = question.years[-1] if question.years else None
    values = []
    for sub in subs:
        scores = page_scores(ranked(desk, context, sub))
        value = _best_value(desk, scores, " ".join(terms), year)
        if value is None:
            return None
        values.append(value)
    values = as_amounts(values)
    task = question.task
    if task.operation in ("highest", "lowest"):
        sign = -1 if task.operation == "highest" else 1
        values.sort(key=lambda v: sign * v.value * v.scale)
    if task.operation in ("difference", "growth", "ratio"):
        values = values[:2]
        task = replace(task, operands=tuple(v.label for v in values))
    expression, percent = expression_of(task, values)
    fit = sum(v.score for v in values) / len(values)
    return Solution(task, tuple(values), expression, fit, percent, joint=True)


def _are_sides(subs: Sequence[SubQuestion], comparison: Comparison) -> bool:
    """Whether the parts are what a question compares."""
    if comparison.sides is not None:
        return tuple(sub.text for sub in subs) == side_texts(comparison)
    return len({sub.documents for sub in subs}) >= 2 and all(sub.documents for sub in subs)


def _best_value(
    desk: Desk, scores: Mapping[PageRef, float], phrase: str, year: int | None
) -> Value | None:
    best: tuple[float, Value] | None = None
    for ref, score in scores.items():
        found = find_values(
            desk.lines(ref), phrase, desk.weights(), year=year, page_stems=desk.stems
        )
        if found and found[0].score >= MIN_FIT:
            total = found[0].score + 0.3 * score
            if best is None or total > best[0]:
                best = (total, found[0])
    return best[1] if best else None
