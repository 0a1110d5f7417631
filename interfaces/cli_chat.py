"""The command `chat`: a conversation in the terminal, one line a question.

A question is understood from those before it. Ctrl-C ends the run in hand and keeps the
conversation; Ctrl-D, an empty line or the end of a pipe ends the conversation.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pagehop.errors import PagehopError
from pagehop.interfaces import cli_library, cli_options
from pagehop.interfaces.terminal import follow, guarded, print_answer, say, tell, warn

if TYPE_CHECKING:
    from pagehop.interfaces.options import RunOptions
    from pagehop.library.view import View

PROMPT = "\n? "


def chat(
    path: cli_options.Path,
    model: cli_options.Model = None,
    vision_model: cli_options.VisionModel = None,
    base_url: cli_options.BaseUrl = None,
    effort: cli_options.Effort = None,
    graph: cli_options.Graph = "explore",
    max_steps: Annotated[int | None, typer.Option(help="Most steps a question.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds a question.")] = None,
    thread: Annotated[
        str | None, typer.Option(help="Name of a conversation to go on with; else a new one.")
    ] = None,
    labels: cli_options.Labels = None,
) -> None:
    """Talk with the documents in PATH, one line a question; Ctrl-D ends."""
    with guarded():
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
            thread=thread or f"chat-{uuid.uuid4().hex}",
        )
        checked_options(options)  # wrong options are refused before anything is indexed
        with cli_library.brought_up_to_date(path) as (library, _):
            view = library.view(cli_options.words(labels))
            count = len(view.documents())
            tell(f"{count} document{'s' if count != 1 else ''}; one line a question, Ctrl-D ends")
            for question in _lines():
                _answer(question, view, options)


def _lines() -> Iterator[str]:
    """Yield what is typed until an empty line or the end."""
    try:
        import readline  # noqa: F401, PLC0415 - arrow keys and history, where there are any
    except ImportError:
        pass
    while True:
        try:
            line = input(PROMPT).strip()
        except (EOFError, KeyboardInterrupt):
            say("")
            return
        if not line:
            return
        yield line


def _answer(question: str, view: "View", options: "RunOptions") -> None:
    """Print the answer to one question; what goes wrong ends this question only."""
    from pagehop.interfaces.api import stream  # noqa: PLC0415 - loads the machine

    try:
        answer = follow(stream(question, view, **options), view, show=True)
    except KeyboardInterrupt:
        tell("Stopped; ask on, or end with Ctrl-D.", "yellow")
        return
    except PagehopError as error:
        tell(f"Error: {error}", "red")
        return
    print_answer(answer)
    for warning in answer.warnings:
        warn(warning)


COMMANDS: dict[str, Callable[..., None]] = {"chat": chat}
