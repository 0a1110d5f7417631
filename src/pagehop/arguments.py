"""What public functions take: a wrong argument is named at the door, with what fits there.

Types say the same to a type checker; these checks say it to everyone else, before anything began.
"""

import math
import re
import reprlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pagehop.errors import ConfigError

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.I)
"""`s3://bucket`, which `Path` writes with one stroke."""


def misfit(name: str, value: object, wanted: str) -> ConfigError:
    """Return the error that says what an argument takes."""
    return ConfigError(f"{name}={reprlib.repr(value)}: give {wanted}")


def check_text(name: str, value: object, wanted: str = "a text") -> None:
    """Refuse what is no text.

    Raises:
        ConfigError: It is something else.
    """
    if not isinstance(value, str):
        raise misfit(name, value, wanted)


def check_whole(name: str, value: object, least: int | None = None) -> None:
    """Refuse what is no whole number, or one below the least.

    Raises:
        ConfigError: It is something else; a truth value is no number.
    """
    small = least is not None and isinstance(value, int) and value < least
    if not isinstance(value, int) or isinstance(value, bool) or small:
        bound = "" if least is None else f" from {least} on"
        raise misfit(name, value, f"a whole number{bound}")


def check_texts(name: str, value: object, wanted: str) -> None:
    """Refuse what is no collection of texts; None is one.

    Raises:
        ConfigError: It is something else: a bare text would be taken as its letters.
    """
    if not all(isinstance(one, str) for one in _members(name, value, wanted)):
        raise misfit(name, value, wanted)


def check_mapping(name: str, value: object, wanted: str) -> None:
    """Refuse what is no mapping; None is one.

    Raises:
        ConfigError: It is something else.
    """
    if not isinstance(value, Mapping | None):
        raise misfit(name, value, wanted)


def check_path(name: str, value: object) -> None:
    """Refuse what is no path on this machine.

    Raises:
        ConfigError: It is no path, or the address of an object store.
    """
    if not isinstance(value, str | Path):
        raise misfit(name, value, "the path of a file or folder")
    if _ADDRESS.match(str(value)) and not Path(value).exists():
        raise ConfigError(
            f"{name}={str(value)!r} is an address, and only folders of this machine can be read "
            "and written: copy the files to one, or mount the store"
        )


def check_box(value: object) -> None:
    """Refuse what is no box with a part on the page.

    Raises:
        ConfigError: It is none.
    """
    edges = "(x0, y0, x1, y1), fractions of the page from 0, 0 at the top left to 1, 1"
    if not isinstance(value, tuple | list) or len(value) != 4:
        raise misfit("box", value, edges)
    if not all(isinstance(edge, int | float) for edge in value):
        raise misfit("box", value, edges)
    x0, y0, x1, y1 = value
    beside = min(x0, x1) > 1 or min(y0, y1) > 1 or max(x0, x1) < 0 or max(y0, y1) < 0
    if beside or not all(map(math.isfinite, value)):
        raise ConfigError(
            f"box {value!r} is not on the page: its edges are fractions of the page, "
            "from 0, 0 at the top left to 1, 1 at the bottom right"
        )


def check_search(
    query: object, k: object, documents: object, kinds: object, pages: object, metadata: object
) -> None:
    """Refuse what a search does not take.

    Raises:
        ConfigError: One of them is of a wrong type.
    """
    check_text("query", query)
    check_whole("k", k)
    check_texts("documents", documents, "a list of names")
    check_texts("kinds", kinds, 'a list of kinds, e.g. ["table"]')
    numbers = "a list of page numbers, e.g. range(1, 11)"
    if not all(isinstance(page, int) for page in _members("pages", pages, numbers)):
        raise misfit("pages", pages, numbers)
    check_mapping("metadata", metadata, 'a mapping, e.g. {"year": 2018}')


def check_walk(relations: object, query: object, hops: object, width: object) -> None:
    """Refuse what a walk does not take.

    Raises:
        ConfigError: One of them is of a wrong type.
    """
    check_texts("relations", relations, 'a list of relations, e.g. ["refers_to"]')
    if query is not None:
        check_text("query", query)
    check_whole("hops", hops)
    check_whole("width", width)


def _members(name: str, value: object, wanted: str) -> Iterable[object]:
    """Return what a collection holds; one that can be read only once is none."""
    if value is None:
        return ()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Collection):
        raise misfit(name, value, wanted)
    return value
