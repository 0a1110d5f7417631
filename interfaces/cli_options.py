"""Arguments and options that several commands share, and how their words are read."""

from typing import Annotated

import typer

from pagehop.errors import ConfigError
from pagehop.types import Box

Path = Annotated[
    str,
    typer.Argument(metavar="PATH", help="A folder of documents, or a library (library.json)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
Labels = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="See only documents whose labels are all among these."),
]
Ref = Annotated[str, typer.Argument(metavar="REF", help="A page as name:page.")]


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
