"""What a comparison found, one row a system: metrics with intervals, cost, where runs failed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagehop.evaluation.comparison import System
from pagehop.evaluation.failures import PLACES, PageText, Place, place
from pagehop.evaluation.intervals import Estimate, estimates
from pagehop.evaluation.observed import Observed
from pagehop.evaluation.questions import Question
from pagehop.evaluation.scores import Parts, cost_of, is_right, score_run

MAIN = "accuracy"
TYPE_TAGS = ("type", "set")
"""Tags that say what kind of question it is, the first that any question has."""


@dataclass(frozen=True)
class Judged:
    """What a judge said of a system's runs."""

    parts: Mapping[tuple[str, int], Parts]
    """By question id and seed."""
    missing: int
    """Verdicts that it did not give."""


@dataclass(frozen=True)
class RunRow:
    """One run in the list of runs."""

    question: Question
    run: Observed
    place: Place | None
    right: float | None


@dataclass(frozen=True)
class SystemSummary:
    """One row of the report."""

    graph: str
    model: str
    n: int
    """Questions that were run."""
    metrics: Mapping[str, Estimate]
    """By rules."""
    cost: Mapping[str, float]
    """Mean of a run."""
    judged: Mapping[str, Estimate] = field(default_factory=dict)
    """What a model judged; never mixed with `metrics`."""
    unjudged: int = 0
    """Verdicts that the judge did not give; they count nowhere."""
    by_type: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    places: Mapping[Place, int] = field(default_factory=dict)
    unplaced: int = 0
    """Runs of which rules cannot tell whether they are right."""
    rows: Sequence[RunRow] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the row that `pagehop evaluate --json` prints."""
        metrics = {**self.metrics, **{f"judged_{n}": e for n, e in self.judged.items()}}
        return {
            "graph": self.graph,
            "model": self.model,
            "n": self.n,
            "metrics": {name: estimate.to_json() for name, estimate in metrics.items()},
            "cost": {name: round(value, 6) for name, value in self.cost.items()},
        }


def summarise_system(
    system: System,
    questions: Sequence[Question],
    runs: Sequence[Observed],
    text_of: PageText,
    *,
    judged: Judged | None = None,
) -> SystemSummary:
    """Score a system's runs.

    Args:
        system: What ran.
        questions: All that were asked.
        runs: Of these questions, in any order.
        text_of: Words of a page, for telling where runs failed.
        judged: What a judge said of them. It also tells whether an answer is right where rules
            cannot, for the place where a run failed, and there alone.
    """
    by_id = {question.id: question for question in questions}
    scores: dict[str, list[Parts]] = {}
    verdicts: dict[str, list[Parts]] = {}
    rows = []
    for run in runs:
        question = by_id[run.question]
        scores.setdefault(run.question, []).append(score_run(question, run))
        right = _right(question, run)
        if judged is not None:
            parts = judged.parts.get((run.question, run.seed), {})
            verdicts.setdefault(run.question, []).append(parts)
            if right is None and "correct" in parts:
                right = parts["correct"][0]
        known = run.trajectory or run.status in ("failed", "aborted")
        where = place(question, run, right, text_of) if known else None
        rows.append(RunRow(question, run, where, right))
    places = Counter(row.place for row in rows if row.place is not None)
    aborted = sum(run.status == "aborted" for run in runs)
    return SystemSummary(
        graph=system.graph,
        model=system.model,
        n=len(scores),
        metrics=estimates(scores),
        cost=mean_cost(runs),
        judged=estimates(verdicts),
        unjudged=0 if judged is None else judged.missing,
        by_type=scores_by_type(questions, scores),
        places={name: places[name] for name in PLACES if places[name]},
        unplaced=sum(row.place is None for row in rows),
        rows=rows,
        notes=[f"{aborted} runs were cut off and are not scored"] if aborted else [],
    )


def summarise_search(
    name: str, questions: Sequence[Question], scores: Mapping[str, list[Parts]], seconds: float
) -> SystemSummary:
    """Make the row of a search strategy."""
    return SystemSummary(
        graph=name,
        model="",
        n=len(scores),
        metrics=estimates(scores),
        cost={"seconds": seconds},
        by_type=scores_by_type(questions, scores),
    )


def scores_by_type(
    questions: Sequence[Question], scores: Mapping[str, list[Parts]]
) -> dict[str, dict[str, Estimate]]:
    """Return the metrics of each kind of question, as the set tags them."""
    tag = next((t for t in TYPE_TAGS if any(t in q.tags for q in questions)), None)
    if tag is None:
        return {}
    groups: dict[str, dict[str, list[Parts]]] = {}
    for question in questions:
        if question.id in scores:
            kind = str(question.tags.get(tag) or "untagged")
            groups.setdefault(kind, {})[question.id] = scores[question.id]
    return {kind: estimates(group, resamplings=500) for kind, group in sorted(groups.items())}


def mean_cost(runs: Sequence[Observed]) -> dict[str, float]:
    """Return the mean cost of a run, by unit; runs that were cut off do not count."""
    costs = [cost_of(run) for run in runs if run.status != "aborted"]
    if not costs:
        return {}
    return {name: sum(cost[name] for cost in costs) / len(costs) for name in costs[0]}


def _right(question: Question, run: Observed) -> float | None:
    if question.answerable is False:
        return float(run.status == "unanswerable")
    if run.status == "unanswerable":
        return None if question.answerable is None else 0.0
    return is_right(question, run.said)
