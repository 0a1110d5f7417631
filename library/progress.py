"""A progress bar for long work, or a function that is told how far it is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pagehop.library.reports import LibraryStatus

WORDS = {
    "text": "reading",
    "reading": "finding passages",
    "vectors": "embedding",
    "looks": "looking at pages",
    "ocr": "reading scans",
    "idle": "done",
}


@contextmanager
def show_progress(
    sink: bool | Callable[[LibraryStatus], None],
) -> Iterator[Callable[[LibraryStatus], None]]:
    """Yield what to call with each status: the given function, or a bar on standard error.

    The bar is silent when standard error is no terminal.
    """
    if callable(sink):
        yield sink
        return
    from rich.console import Console  # noqa: PLC0415 - only bars need it
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - only bars need it

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("reading", total=1.0, said="")

        def show(status: LibraryStatus) -> None:
            share, said = _share(status)
            left = status.seconds_left
            said += f", {_time(left)} left" if left is not None else ""
            bar.update(task, completed=share, description=WORDS[status.stage], said=said)

        yield show


def _share(status: LibraryStatus) -> tuple[float, str]:
    """Return how far the present stage is, 0 to 1, and in words."""
    if status.stage == "vectors":
        done = round(status.embedded * status.passages)
        return status.embedded, f"{done} of {status.passages} passages"
    if status.stage == "looks":
        share = status.pages_seen / status.pages if status.pages else 1.0
        return share, f"{status.pages_seen} of {status.pages} pages"
    if status.stage == "ocr":
        share = status.scanned_read / status.scanned if status.scanned else 1.0
        return share, f"{status.scanned_read} of {status.scanned} scanned pages"
    if status.stage == "reading":
        share = status.pages_read / status.pages if status.pages else 1.0
        return share, f"{status.pages_read} of {status.pages} pages"
    files = status.documents + status.waiting
    return status.documents / files if files else 0.0, f"{status.documents} of {files} files"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
