"""The tables of a comparison, and the report in Markdown.

What rules score and what a model judges stand in tables of their own.
"""

from collections.abc import Mapping, Sequence

from pagehop.evaluation.failures import PLACES
from pagehop.evaluation.intervals import Estimate
from pagehop.evaluation.summary import SystemSummary

ANSWERS = {
    "accuracy": "right", "numeric": "numbers", "list_f1": "list F1", "exact_match": "EM",
    "cover_match": "cover EM", "token_f1": "F1", "anls": "ANLS",
    "generalised_accuracy": "gen. accuracy", "generalised_f1": "gen. F1",
    "refusal_precision": "refusal P", "refusal_recall": "refusal R", "failed": "failed",
    "exhausted": "budget spent",
}  # fmt: skip
_WHERE_ANY = ("exhausted",)
"""Shown where any system has it."""
PAGES = {
    "page_hit@1": "hit@1", "page_hit@5": "hit@5", "page_recall@1": "R@1", "page_recall@5": "R@5",
    "page_recall@10": "R@10", "page_ndcg@10": "nDCG@10", "page_mrr@10": "MRR@10",
    "page_precision@5": "P@5", "page_recall": "R, all shown", "document_recall@1": "doc R@1",
    "document_recall@5": "doc R@5", "region_recall@5": "region R@5",
    "region_hit@5": "region hit@5",
}  # fmt: skip
CITATIONS = {
    "citation_page_precision": "page P", "citation_page_recall": "page R",
    "citation_page_f1": "page F1", "citation_box_iou": "box IoU",
    "citation_quote_found": "quote found",
}  # fmt: skip
COSTS = {
    "pages_shown": "pages shown", "pages_read": "pages read", "images": "images",
    "model_calls": "model calls", "tool_calls": "tool calls", "input_tokens": "tokens in",
    "output_tokens": "tokens out", "seconds": "seconds", "money": "money",
}  # fmt: skip
BY_TYPE = ("accuracy", "page_recall@5", "page_hit@5")


Table = tuple[str, list[str], list[list[str]]]
"""Title, heads, rows."""


def tables(summaries: Sequence[SystemSummary]) -> list[Table]:
    """Return all tables that have something to show."""
    found = [
        _estimates("Answers, scored by rules", summaries, ANSWERS),
        _judged(summaries),
        _estimates("Pages found", summaries, PAGES),
        _estimates("Citations, scored by rules", summaries, CITATIONS),
        _costs(summaries),
        *(_by_type(summaries, name) for name in BY_TYPE),
        _failures(summaries),
    ]
    return [table for table in found if table[2]]


def markdown(summaries: Sequence[SystemSummary], head: str, notes: Sequence[str] = ()) -> str:
    """Return the report in Markdown.

    Args:
        summaries: One a system.
        head: What was run, e.g. the command.
        notes: What a reader must know: left-out questions, interrupted runs.
    """
    parts = ["# Evaluation", head]
    for title, heads, rows in tables(summaries):
        lines = [f"## {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        parts.append("\n".join(lines))
    noted = [*notes, *(f"{name_of(s)}: {note}" for s in summaries for note in s.notes)]
    if noted:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in noted))
    return "\n\n".join(parts) + "\n"


def name_of(summary: SystemSummary) -> str:
    """Return what a system is called in tables and plots."""
    return f"{summary.graph}, {summary.model}" if summary.model else summary.graph


def shown(estimate: Estimate | None) -> str:
    """Write a value with its interval; nothing when there is none."""
    if estimate is None:
        return ""
    return f"{_short(estimate.value)} [{_short(estimate.low)}, {_short(estimate.high)}]"


def _estimates(title: str, summaries: Sequence[SystemSummary], columns: Mapping[str, str]) -> Table:
    used = [
        name
        for name in columns
        if any(
            name in s.metrics and (name not in _WHERE_ANY or s.metrics[name].value)
            for s in summaries
        )
    ]
    rows = [
        [name_of(s), str(s.n), *(shown(s.metrics.get(name)) for name in used)]
        for s in summaries
        if any(name in s.metrics for name in used)
    ]
    return title, ["system", "n", *(_head(summaries, name, columns) for name in used)], rows


def _judged(summaries: Sequence[SystemSummary]) -> Table:
    used = list(dict.fromkeys(name for s in summaries for name in s.judged))
    rows = [
        [name_of(s), *(shown(s.judged.get(name)) for name in used), str(s.unjudged)]
        for s in summaries
        if s.judged or s.unjudged
    ]
    heads = ["system", *(name.replace("_", " ") for name in used), "no verdict"]
    return "Answers, judged by a model", heads, rows


def _costs(summaries: Sequence[SystemSummary]) -> Table:
    used = [name for name in COSTS if any(s.cost.get(name) for s in summaries)]
    rows = [[name_of(s), *(_number(s.cost.get(name)) for name in used)] for s in summaries]
    return "Cost of a run", ["system", *(COSTS[name] for name in used)], rows if used else []


def _by_type(summaries: Sequence[SystemSummary], metric: str) -> Table:
    kinds = sorted({k for s in summaries for k, found in s.by_type.items() if metric in found})
    rows = []
    for summary in summaries:
        cells = [summary.by_type.get(kind, {}).get(metric) for kind in kinds]
        if any(cells):
            rows.append([name_of(summary), *(_with_count(cell) for cell in cells)])
    label = {**ANSWERS, **PAGES}[metric]
    return f"By kind of question: {label}", ["system", *kinds], rows if len(kinds) > 1 else []


def _failures(summaries: Sequence[SystemSummary]) -> Table:
    used = [name for name in PLACES if any(s.places.get(name) for s in summaries)]
    rows = [
        [name_of(s), *(str(s.places.get(name, 0)) for name in used), str(s.unplaced)]
        for s in summaries
        if s.places
    ]
    return "Where runs fail", ["system", *used, "not told"], rows


def _head(summaries: Sequence[SystemSummary], name: str, columns: Mapping[str, str]) -> str:
    """Return a column's head; with the number of questions that it applies to where not to all."""
    counts = {(s.n, s.metrics[name].questions) for s in summaries if name in s.metrics}
    if all(n == questions for n, questions in counts):
        return columns[name]
    low, high = min(c for _, c in counts), max(c for _, c in counts)
    return f"{columns[name]} (n {low})" if low == high else f"{columns[name]} (n {low} to {high})"


def _with_count(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{_short(estimate.value)} (n {estimate.questions})"


def _short(value: float) -> str:
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
