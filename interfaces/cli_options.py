"""Arguments and options that several commands share, and how their words are read."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pagehop.errors import ConfigError
from pagehop.types import Box

if TYPE_CHECKING:
    from pagehop.graphs.budget import Budget

Path = Annotated[
    str,
    typer.Argument(metavar="PATH", help="A folder of documents, or a library (library.json)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
Labels = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="See only documents whose labels are all among these."),
]
Model = Annotated[
    str | None, typer.Option(help="provider:name; builtin needs no key and no network.")
]
VisionModel = Annotated[str | None, typer.Option(help="Another model for pictures.")]
BaseUrl = Annotated[str | None, typer.Option(help="Address of the model's server.")]
Effort = Annotated[Literal["low", "medium", "high"] | None, typer.Option(help="How hard to try.")]
Graph = Annotated[str, typer.Option(help="Which machine: a name, or FILE.py:NAME.")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="name:page; name:p38 as printed.")]


def words(text: str | None) -> list[str] | None:
    """Split a comma-separated list; None stays None, empty items are dropped."""
    if text is None:
        return None
    return [item.strip() for item in text.split(",") if item.strip()]


def box(text: str) -> Box:
    """Read `x0,y0,x1,y1`, fractions of the page.

    Raises:
        ConfigError: It is no box on a page.
    """
    try:
        x0, y0, x1, y1 = (float(edge) for edge in text.split(","))
    except ValueError as error:
        raise ConfigError(f"box {text!r}: write x0,y0,x1,y1, e.g. 0.1,0.2,0.9,0.4") from error
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ConfigError(
            f"box {text!r}: edges are fractions of the page from its top left, "
            "with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1"
        )
    return (x0, y0, x1, y1)


def budget(steps: int | None, seconds: float | None) -> "Budget | None":
    """Return the limits given here on top of those of the settings; None when there are none."""
    from pagehop.graphs.budget import Budget  # noqa: PLC0415 - not for `--help`
    from pagehop.settings import load_settings  # noqa: PLC0415 - not for `--help`

    if steps is None and seconds is None:
        return None
    run = load_settings().run
    return Budget(
        steps=run.max_steps if steps is None else steps,
        tool_calls=run.max_tool_calls,
        seconds=run.max_seconds if seconds is None else seconds,
    )
