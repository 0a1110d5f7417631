"""Commands on recorded runs: make them (rollout), look at them (show), run them anew (replay)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagehop.interfaces import cli_options
from pagehop.interfaces.terminal import (
    DONE,
    FAILED,
    RUNS_KEPT,
    guarded,
    print_answer,
    print_json,
    say,
    tell,
    warn,
)  # fmt: skip

if TYPE_CHECKING:
    from pagehop.answers import Answer
    from pagehop.trajectories.rollout import Job, RolloutReport

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a recorded run.")]


def rollout(
    path: cli_options.Path,
    questions: Annotated[
        Path, typer.Argument(metavar="QUESTIONS", help="JSON lines, one question each.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the record.")],
    samples: Annotated[int, typer.Option(help="Runs of each question.")] = 8,
    concurrency: Annotated[int, typer.Option(help="Most runs at once.")] = 32,
    seed: Annotated[int, typer.Option(help="Of the whole rollout.")] = 0,
    retries: Annotated[int, typer.Option(help="Times a run that failed is run again.")] = 1,
    model: cli_options.Model = None,
    vision_model: cli_options.VisionModel = None,
    base_url: cli_options.BaseUrl = None,
    effort: cli_options.Effort = None,
    graph: cli_options.Graph = "explore",
    max_steps: Annotated[int | None, typer.Option(help="Most steps of a run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds of a run.")] = None,
    labels: cli_options.Labels = None,
    as_json: cli_options.Json = False,
) -> None:
    """Run each question several times and record every run; killed, it goes on where it stopped."""
    with guarded(RUNS_KEPT):
        from pagehop.evaluation.questions import load_questions  # noqa: PLC0415 - not for --help
        from pagehop.interfaces.cli_library import brought_up_to_date  # noqa: PLC0415 - as above
        from pagehop.interfaces.options import EpisodeOptions, checked_options  # noqa: PLC0415 - as above
        from pagehop.interfaces.rollouts import rollout as run  # noqa: PLC0415 - as above

        asked = load_questions(questions)
        options = EpisodeOptions(
            model=model, vision_model=vision_model, base_url=base_url, effort=effort, graph=graph,
            budget=cli_options.budget(max_steps, max_seconds),
        )  # fmt: skip
        checked_options(options)  # wrong options are refused before anything is indexed
        with brought_up_to_date(path) as (library, warnings):
            view = library.view(cli_options.words(labels))
            with _progress(len(asked) * samples, hidden=as_json) as on_end:
                report = run(
                    asked, view, out=out, samples=samples, concurrency=concurrency, seed=seed,
                    retries=retries, on_end=on_end, **options,
                )  # fmt: skip
        if as_json:
            print_json(report.to_json() | {"warnings": [*warnings, *report.warnings]})
        else:
            _print(report)
        for warning in (*warnings, *report.warnings):
            warn(warning)
    raise typer.Exit(FAILED if report.statuses.get("failed") else DONE)


class _progress:
    """A bar on standard error that counts the runs as they end."""

    def __init__(self, total: int, *, hidden: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - not for `--help`
        from rich.progress import Progress  # noqa: PLC0415 - as above

        console = Console(stderr=True)
        self._bar = Progress(console=console, disable=hidden or not console.is_terminal)
        self._task = self._bar.add_task("runs", total=total)

    def __enter__(self) -> "_progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, job: "Job", answer: "Answer") -> None:
        """Count one run that ended."""
        self._bar.advance(self._task)
        if self._bar.disable:
            return
        self._bar.update(self._task, description=f"{job.group_id} {answer.status}")


def _print(report: "RolloutReport") -> None:
    told = report.to_json()
    ended = ", ".join(f"{count} {status}" for status, count in report.statuses.items())
    say(f"{report.episodes} runs in {report.seconds:.1f} s: {ended}")
    if report.resumed:
        say(f"{report.resumed} were done before.")
    if report.retried:
        say(f"{report.retried} were run again because they failed.")
    say(
        f"{told['episodes_per_s']} runs/s, {told['model_calls_per_s']} model calls/s, "
        f"{told['input_tokens_per_s']} + {told['output_tokens_per_s']} tokens/s, "
        f"{report.busy:.0%} of the places in use"
    )
    tell(f"recorded in {report.out}")


def show(
    folder: Folder,
    episode: Annotated[
        str | None, typer.Argument(metavar="ID", help="One episode; without it the whole run.")
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where pages are rendered from, if not where it ran."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; else it goes into DIR.")
    ] = None,
) -> None:
    """Write a recorded run, or one episode of it, as a page of HTML that stands alone."""
    with guarded():
        from pagehop.interfaces.showing import show_run  # noqa: PLC0415 - loads the reader

        page = show_run(folder, episode, library=library, out=out)
        say(str(page.file))
        for warning in page.warnings:
            warn(warning)


def replay(
    folder: Folder,
    episode: Annotated[str, typer.Argument(metavar="ID", help="The episode.")],
    library: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Of the documents, if not where it ran.")
    ] = None,
    drop: Annotated[
        str | None, typer.Option(metavar="A,B", help="Pages or documents to take out of sight.")
    ] = None,
    at: Annotated[str, typer.Option(help="Id of a model call that gets another reply.")] = "",
    reply: Annotated[str, typer.Option(help="That reply.")] = "",
    model: Annotated[
        str | None, typer.Option(help="Who goes on where prompts are no longer the recorded ones.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of that model's server.")] = None,
    graph: Annotated[
        str | None, typer.Option(help="The machine, where it was your own: FILE.py:NAME.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for a record of the replay.")
    ] = None,
    as_json: cli_options.Json = False,
) -> None:
    """Run a recorded episode again from its recorded replies and say what differs."""
    with guarded():
        from pagehop.interfaces.replays import replay as run  # noqa: PLC0415 - loads the machine

        played = run(
            folder, episode, library=library, drop=cli_options.words(drop) or (), at=at,
            reply=reply, model=model, base_url=base_url, graph=graph, out=out,
        )  # fmt: skip
        if as_json:
            print_json(played.to_json())
        else:
            print_answer(played.answer)
            same = "the same" if played.answers_alike else "another"
            count = len(played.differences)
            say(f"The answer is {same}; {count} event{'s differ' if count != 1 else ' differs'}.")
            for difference in played.differences[:20]:
                tell(difference)
        for warning in played.warnings:
            warn(warning)
    changed = not (played.same or drop or at)
    raise typer.Exit(FAILED if changed else DONE)


COMMANDS: dict[str, Callable[..., None]] = {"rollout": rollout, "show": show, "replay": replay}
