"""The command `evaluate`: systems or search strategies compared on a question set."""

import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagehop.interfaces import cli_library, cli_options
from pagehop.interfaces.terminal import RUNS_KEPT, guarded, print_json, print_table, tell, warn

if TYPE_CHECKING:
    from pagehop.interfaces.evaluating import Progress

_SHOWN_FAULTS = 10


def evaluate(
    path: cli_options.Path,
    questions: Annotated[
        str,
        typer.Argument(
            metavar="QUESTIONS",
            help="A question file (JSON lines), or the folder of a public set.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Reports, results and trajectories.")],
    graphs: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Machines: names, FILE.py:NAME, explore:low. Default explore."
        ),
    ] = None,
    models: Annotated[
        str, typer.Option(metavar="A,B", help="Models as for ask --model.")
    ] = "builtin",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each question.")] = 1,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Score search strategies, without any model.")
    ] = False,
    base_url: cli_options.BaseUrl = None,
    effort: cli_options.Effort = None,
    max_steps: Annotated[int | None, typer.Option(help="Most steps of a run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds of a run.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Runs at once.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions.")] = None,
    closed_book: Annotated[
        bool, typer.Option(help="Also ask each model without documents.")
    ] = True,
    judge: Annotated[str, typer.Option(metavar="MODEL", help="Judges answers, beside rules.")] = "",
    judge_labelled: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Answers labelled by people, to measure the judge on."),
    ] = None,
    labels: cli_options.Labels = None,
    as_json: cli_options.Json = False,
) -> None:
    """Compare systems on a question set; started again, it goes on where it stopped."""
    with guarded(RUNS_KEPT):
        from pagehop.evaluation.tables import tables  # noqa: PLC0415 - loads numpy
        from pagehop.interfaces import evaluating  # noqa: PLC0415 - loads the machine
        from pagehop.trajectories.secrets import secret_values, struck_out  # noqa: PLC0415 - as above

        plan = evaluating.Plan(
            graphs=cli_options.words(graphs) or (),
            models=cli_options.words(models) or (),
            seeds=seeds,
            retrieval_only=retrieval_only,
            base_url=base_url or "",
            effort=effort,
            budget=cli_options.budget(max_steps, max_seconds),
            concurrency=concurrency,
            limit=limit,
            closed_book=closed_book,
            judge=judge,
            labelled=judge_labelled,
        )
        with cli_library.brought_up_to_date(path) as (library, _):
            view = library.view(cli_options.words(labels))
            command = f"pagehop {shlex.join(sys.argv[1:])}".encode()
            head = struck_out(command, secret_values()).decode()
            done = asyncio.run(
                evaluating.evaluate(view, questions, out, plan, head=head, progress=_progress())
            )
    for note in done.notes:
        warn(note)
    for fault in done.faults[:_SHOWN_FAULTS]:
        warn(f"left out: {fault}")
    if len(done.faults) > _SHOWN_FAULTS:
        more = len(done.faults) - _SHOWN_FAULTS
        warn(f"{more} more were left out; all are in {out / 'report.json'}")
    if as_json:
        print_json(done.rows())
    else:
        for title, heads, rows in tables(done.summaries):
            print_table(title, heads, rows)
    tell(f"report: {out / 'report.html'}")


def _progress() -> "Progress":
    """Tell on standard error how far a system is, at each tenth."""
    told: dict[str, int] = {}

    def progress(name: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > told.get(name, 0) or done == total:
            told[name] = tenth
            tell(f"{name}: {done} of {total}")

    return progress


COMMANDS = {"evaluate": evaluate}
