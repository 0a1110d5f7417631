"""The command line: `pagehop ask reports/ "What did capital expenditure rise to?"`.

A conversation is in cli_chat.py; commands on documents are in cli_library.py, on pages in
cli_pages.py, on recorded runs in cli_runs.py, for training in cli_training.py, `evaluate` in
cli_evaluate.py. Everything heavy is imported inside the commands, so that `--help` answers at once.

Exit codes: 0 done (answered, unanswerable), 1 exhausted, failed, damage found, or an add in which
a file failed, 2 wrong usage or input, 130 interrupted.
"""

from pathlib import Path
from typing import Annotated

import typer

from pagehop.interfaces import (
    cli_chat,
    cli_evaluate,
    cli_library,
    cli_options,
    cli_pages,
    cli_runs,
    cli_training,
)
from pagehop.interfaces.terminal import (
    DONE,
    FAILED,
    follow,
    guarded,
    print_answer,
    print_json,
    tell,
    warn,
)

# Locals in a traceback could hold a password or a key.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(epilog="Exit codes: 0 done, 1 failed or damage found, 2 wrong input, 130 stopped.")
def pagehop() -> None:
    """Ask questions over documents; every claim is cited to a page and a box on it."""


@app.command()
def ask(
    path: cli_options.Path,
    question: Annotated[str, typer.Argument(help="What to find out.")],
    model: cli_options.Model = None,
    vision_model: cli_options.VisionModel = None,
    base_url: cli_options.BaseUrl = None,
    effort: cli_options.Effort = None,
    graph: cli_options.Graph = "explore",
    max_steps: Annotated[int | None, typer.Option(help="Most steps.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds.")] = None,
    thread: Annotated[
        str | None, typer.Option(help="Name of a conversation that this question goes on with.")
    ] = None,
    labels: cli_options.Labels = None,
    crops: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save a picture of each citation here.")
    ] = None,
    as_json: cli_options.Json = False,
) -> None:
    """Answer a question from the documents in PATH; a plain folder is indexed first."""
    with guarded():
        from pagehop.interfaces.api import stream  # noqa: PLC0415 - loads the machine
        from pagehop.interfaces.asked import checked_question  # noqa: PLC0415 - as above
        from pagehop.interfaces.crops import save_crops  # noqa: PLC0415 - loads Pillow
        from pagehop.interfaces.options import (  # noqa: PLC0415 - loads the settings
            RunOptions,
            checked_options,
        )

        options = RunOptions(
            model=model,
            vision_model=vision_model,
            base_url=base_url,
            effort=effort,
            graph=graph,
            budget=cli_options.budget(max_steps, max_seconds),
            thread=thread,
        )
        # Wrong options are refused before anything is indexed.
        checked_question(question)
        checked_options(options)
        with cli_library.brought_up_to_date(path) as (library, warnings):
            view = library.view(cli_options.words(labels))
            answer = follow(stream(question, view, **options), view, show=not as_json)
            saved = save_crops(answer, crops) if crops else []
        if as_json:
            record = answer.to_json()
            record["warnings"] = [*warnings, *record["warnings"]]
            print_json(record | ({"crops": [str(file) for file in saved]} if crops else {}))
        else:
            print_answer(answer)
            for file in saved:
                tell(f"saved {file}")
        for warning in answer.warnings:
            warn(warning)
    raise typer.Exit(DONE if answer.status in ("answered", "unanswerable") else FAILED)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the library and the pictures go.")
    ] = Path("pagehop-demo"),
) -> None:
    """Ask three multi-hop questions over the example documents; save the cited crops."""
    with guarded():
        from pagehop.interfaces.demo import run_demo  # noqa: PLC0415 - loads the machine

        code = run_demo(out)
    raise typer.Exit(code)


for name, command in {
    **cli_chat.COMMANDS,
    **cli_library.COMMANDS,
    **cli_pages.COMMANDS,
    **cli_runs.COMMANDS,
    **cli_training.COMMANDS,
    **cli_evaluate.COMMANDS,
}.items():
    app.command(name)(command)


def main() -> None:
    """Run the command line."""
    app(prog_name="pagehop")


if __name__ == "__main__":
    main()
