"""What the commands share: where output goes, how errors end a command, how an answer is printed.

Standard output holds the result alone (with `--json` one JSON document); what a run does, progress
and warnings go to standard error. Words of documents lose their control characters on the way, so
that no document moves the cursor or writes a title.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from pagehop.answers import Answer, Status
from pagehop.errors import ConfigError, LibraryError, PagehopError, PdfError, ToolError
from pagehop.events import Event
from pagehop.types import PageRef

if TYPE_CHECKING:
    from rich.console import Console

    from pagehop.library.view import View
    from pagehop.types import PageSource

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

_LINE_STYLES = {
    "plan": "bold cyan", "call": "blue", "evidence": "green", "reflect": "magenta",
    "check": "yellow", "note": "dim", "error": "red",
}  # fmt: skip
_STATUS_STYLES: dict[Status, str] = {
    "answered": "bold green",
    "unanswerable": "bold magenta",
    "exhausted": "bold yellow",
    "failed": "bold red",
}


RUNS_KEPT = "The runs that ended are kept; the same command goes on."


@contextmanager
def guarded(
    kept: str = "The library keeps what was committed; the next add goes on.",
) -> Iterator[None]:
    """Turn our errors and Ctrl-C into one line on standard error and an exit code.

    Args:
        kept: Said behind Ctrl-C: what is not lost.
    """
    try:
        yield
    except KeyboardInterrupt:
        _end(f"Stopped. {kept}", INTERRUPTED)
    except PagehopError as error:
        wrong = isinstance(error, ConfigError | LibraryError) and not isinstance(error, PdfError)
        _end(f"Error: {error}", WRONG_INPUT if wrong else FAILED)


def say(words: str, style: str = "") -> None:
    """Print one line of the result."""
    _print(_console(to_stderr=False), words, style)


def tell(words: str, style: str = "dim") -> None:
    """Print one line about the work to standard error."""
    _print(_console(to_stderr=True), words, style)


def warn(words: str) -> None:
    """Print a warning to standard error."""
    tell(f"Warning: {words}", "yellow")


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; a pipe gets each row on one line."""
    from rich.table import Table  # noqa: PLC0415 - with the console
    from rich.text import Text  # noqa: PLC0415 - with the console

    console = _console(to_stderr=False)
    if not console.is_terminal:
        say(f"\n{title}\n" + "\n".join("\t".join(row) for row in (heads, *rows)))
        return
    table = Table(title=title, title_justify="left")
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console.print(table)


def clean(words: str) -> str:
    """Drop control characters except newlines."""
    return "".join(c if c.isprintable() or c in "\n\u200c\u200d" else " " for c in words)


def page_reference(view: "View", text: str) -> PageRef:
    """Read `name:page`, or `name:p38` for the page on which 38 is printed.

    Raises:
        ConfigError: It is none.
    """
    from pagehop.tools.arguments import read_ref  # noqa: PLC0415 - loads the view

    try:
        return read_ref(view, text)
    except ToolError as error:
        raise ConfigError(str(error)) from error


def follow(events: Iterable[Event], pictures: "PageSource", *, show: bool) -> Answer:
    """Tell what happens in a run as it happens and return its answer.

    Args:
        events: The run's event stream.
        pictures: Where the citations of the answer are rendered from.
        show: Whether to tell it on standard error.

    Raises:
        PagehopError: The stream ended without an answer.
    """
    from pagehop.interfaces.narration import Narrator  # noqa: PLC0415 - `--help` needs none of it

    narrator, answer = Narrator(), None
    for event in events:
        line = narrator.add(event)
        if show and line is not None:
            _tell_under(line.kind, line.title, _LINE_STYLES[line.kind] if line.ok else "yellow")
            for detail in line.details:
                _tell_under("", detail, "dim")
        if event.type == "episode.end":
            answer = Answer.from_json(event.body["answer"], pictures=pictures)
    if answer is None:
        raise PagehopError("the run ended without an answer")
    return answer


def print_answer(answer: Answer) -> None:
    """Print the answer, its citations with page, box and quote, and what it cost."""
    from pagehop.show import usage_line  # noqa: PLC0415 - `--help` needs none of it

    say(answer.text, "bold" if answer.status == "answered" else "")
    for number, citation in enumerate(answer.citations, start=1):
        box = ",".join(f"{edge:.3f}" for edge in citation.box)
        marks = "" if citation.verified else "  (not verified)"
        marks += "  (read by OCR)" if citation.source == "ocr" else ""
        say("")
        say(f"[{number}] {citation.document}, page {citation.page}{marks}", "cyan")
        say(f"    {citation.ref}  box {box}", "dim")
        say(f"    “{' '.join(citation.quote.split())}”")
    say("")
    say(f"{answer.status}  {usage_line(answer.usage)}", _STATUS_STYLES[answer.status])
    if answer.error:
        tell(f"Error: {answer.error}", "red")
    if answer.trajectory:
        tell(f"recorded in {answer.trajectory}")


def _end(words: str, code: int) -> NoReturn:
    tell(words, "red")
    raise typer.Exit(code)


def _tell_under(head: str, words: str, style: str) -> None:
    """Print words beside a narrow column of heads, wrapped inside their own column."""
    from rich.table import Table  # noqa: PLC0415 - with the console
    from rich.text import Text  # noqa: PLC0415 - with the console

    console = _console(to_stderr=True)
    if not console.is_terminal:
        tell(f"{head:>8}  {words}", style)
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=8, justify="right")
    grid.add_row(Text(head, style=style), Text(clean(words), style=style))
    console.print(grid)


def _print(console: "Console", words: str, style: str) -> None:
    from rich.text import Text  # noqa: PLC0415 - with the console

    # Lines are wrapped for a reader only: a pipe gets them whole.
    console.print(Text(clean(words), style=style), soft_wrap=not console.is_terminal)


@cache
def _console(*, to_stderr: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - only what prints needs it

    return Console(stderr=to_stderr, highlight=False, markup=False)
