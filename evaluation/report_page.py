"""The report of a comparison as one HTML file: plots, tables, and every run with its trajectory.

No script, no link outside but to the trajectories beside it. All words of documents, questions and
models are escaped.
"""

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from pagehop.evaluation.failures import PLACES
from pagehop.evaluation.intervals import Estimate
from pagehop.evaluation.plots import COLOURS, Dot, bars_plot, legend, pareto_plot, stacked_plot
from pagehop.evaluation.summary import MAIN, RunRow, SystemSummary
from pagehop.evaluation.tables import COSTS, name_of, tables

PLACE_COLOURS = dict(
    zip(
        PLACES,
        ("#009e73", "#7a5195", "#cc79a7", "#0072b2", "#56b4e9", "#8a6d00", "#e69f00", "#d55e00",
         "#b3261e", "#888888", "#bbbbbb"),
        strict=True,
    )
)  # fmt: skip
_RECALLS = ("page_recall@5", "page_hit@5", "document_recall@5")
_MOST = 400
"""Characters of an answer in the list of runs."""
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:#1d1d1f;
background:#fff}
h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em}
table{border-collapse:collapse;font-size:.85em;display:block;overflow-x:auto}
th,td{padding:.25em .7em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td{font-variant-numeric:tabular-nums}
th{white-space:nowrap;border-bottom:2px solid #999}
.runs td{max-width:26em;overflow-wrap:anywhere}
svg{width:100%;max-width:760px;font-size:12px;fill:#333}
svg .grid{stroke:#e4e4e4}svg .axis{stroke:#666}svg .whisker{stroke:#222}
svg text{paint-order:stroke;stroke:#fff;stroke-width:3px}
svg .front{fill:none;stroke:#999;stroke-dasharray:5 4}svg text.inside{fill:#fff;stroke:none}
.legend span{margin-right:1.2em;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px}
.badge{color:#fff;border-radius:.8em;padding:.05em .7em;white-space:nowrap}
.soft{color:#666}code{overflow-wrap:anywhere}
"""


def report_page(
    summaries: Sequence[SystemSummary], out: Path, head: str, notes: Sequence[str] = ()
) -> str:
    """Return the HTML of a report.

    Args:
        summaries: One a system.
        out: The folder that it is written into; trajectories are linked relative to it.
        head: What was run.
        notes: What a reader must know.
    """
    noted = [*notes, *(f"{name_of(s)}: {note}" for s in summaries for note in s.notes)]
    parts = [f"<h1>Evaluation</h1><p><code>{escape(head)}</code></p>"]
    if noted:
        parts.append(f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in noted)}</ul>")
    parts += _plots(summaries)
    parts += [_table(*table) for table in tables(summaries)]
    parts += [_runs(summary, out) for summary in summaries if summary.rows]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>pagehop evaluation</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def system_colours(summaries: Sequence[SystemSummary]) -> dict[str, str]:
    """Give each system a colour; they repeat when there are more than colours."""
    return {name_of(s): COLOURS[i % len(COLOURS)] for i, s in enumerate(summaries)}


def _plots(summaries: Sequence[SystemSummary]) -> list[str]:
    colours = system_colours(summaries)
    parts = []
    for cost in ("seconds", "input_tokens", "pages_read", "money"):
        dots = [Dot(name_of(s), s.cost[cost], s.metrics[MAIN])
                for s in summaries if MAIN in s.metrics and cost in s.cost]  # fmt: skip
        if dots and (cost == "seconds" or any(dot.cost for dot in dots)):
            plot = pareto_plot(dots, x=f"{COSTS[cost]} a run", y="answers right", colours=colours)
            parts.append(f"<h2>Right answers against {COSTS[cost]}</h2>{plot}")
    for metric in (MAIN, *_RECALLS):
        groups = _groups(summaries, metric)
        if len(groups) > 1:
            title = "Right answers" if metric == MAIN else metric.replace("_", " ").capitalize()
            used = {name: colours[name] for group in groups.values() for name in group}
            parts.append(
                f"<h2>{title} by kind of question</h2>{bars_plot(groups, colours)}{legend(used)}"
            )
    rows = {name_of(s): {str(name): count for name, count in s.places.items()}
            for s in summaries if s.places}  # fmt: skip
    if rows:
        names: dict[str, str] = {str(name): colour for name, colour in PLACE_COLOURS.items()}
        keys = {name: names[name] for name in names if any(name in row for row in rows.values())}
        parts.append(f"<h2>Where runs fail</h2>{stacked_plot(rows, names)}{legend(keys)}")
    return parts


def _groups(summaries: Sequence[SystemSummary], metric: str) -> dict[str, Mapping[str, Estimate]]:
    kinds = dict.fromkeys(kind for s in summaries for kind in s.by_type)
    groups: dict[str, Mapping[str, Estimate]] = {}
    for kind in kinds:
        found = {name_of(s): s.by_type[kind][metric]
                 for s in summaries if metric in s.by_type.get(kind, {})}  # fmt: skip
        if found:
            groups[kind] = found
    return groups


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _runs(summary: SystemSummary, out: Path) -> str:
    order = {name: i for i, name in enumerate(PLACES)}
    rows = sorted(summary.rows, key=lambda row: -1 if row.place is None else -order[row.place])
    body = "".join(_run(row, out) for row in rows)
    return (
        f"<h2>Runs of {escape(name_of(summary))}</h2><details><summary>{len(rows)} runs, "
        "wrong ones first</summary><table class='runs'><tr><th>question</th><th></th>"
        f"<th>answer</th><th>gold</th><th>cited</th><th>record</th></tr>{body}</table></details>"
    )


def _run(row: RunRow, out: Path) -> str:
    run, question = row.run, row.question
    place = row.place or "not told"
    colour = PLACE_COLOURS[row.place] if row.place else "#999999"
    cited = ", ".join(dict.fromkeys(f"{one.document}:{one.page}" for one in run.cited))
    gold = " | ".join(question.answers)
    gold = "not answerable" if question.answerable is False else gold
    cells = (
        f"{escape(question.question)}<br><span class='soft'>{escape(question.id)}, seed {run.seed}"
        "</span>",
        f"<span class='badge' style='background:{colour}'>{escape(place)}</span>",
        escape((run.text or run.error)[:_MOST]),
        escape(gold[:_MOST]),
        escape(cited),
        _link(run.trajectory, run.episode, out),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _link(trajectory: str, episode: str, out: Path) -> str:
    """Link a run's record; its page is the overview that is written beside it."""
    if not trajectory:
        return ""
    target = escape(os.path.relpath(trajectory, out.resolve()), quote=True)
    return f"<a href='{target}/show.html'>{escape(episode or Path(trajectory).name)}</a>"
