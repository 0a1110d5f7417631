"""Read what a model writes as arguments: page references, lists of documents, kinds, relations."""

import re
from collections.abc import Sequence
from typing import TypeVar, get_args

from pagehop.errors import LibraryError, ToolError
from pagehop.library.view import View
from pagehop.types import Document, Kind, PageRef

T = TypeVar("T", bound=str)
_PRINTED = re.compile(r"(.+):\s*(?:pp?\b\.?|pp?(?=\d)|printed(?: page)?)\s*([\w.-]+)", re.I)
_BELOW_ONE = re.compile(r"(.+):\s*(-\d+|0+)\s*")
_KINDS = tuple(kind for kind in get_args(Kind) if kind not in ("passage", "page"))


def read_ref(view: View, text: str) -> PageRef:
    """Read `name:page`; the name may be a slug or a file name.

    `name:p38` is the page on which 38 is printed.

    Raises:
        ToolError: It is no reference, or there is no such document or page.
    """
    plain = text.strip().strip("[]")
    if printed := _PRINTED.fullmatch(plain):
        return _printed_page(view, read_document(view, printed[1]), printed[2])
    below = _BELOW_ONE.fullmatch(plain)
    try:
        ref = PageRef(below[1], int(below[2])) if below else PageRef.parse(text)
    except ValueError:
        example = next((f"{d.name}:1" for d in view.documents()), "report:12")
        raise ToolError(f"{text!r} is no page reference; write name:page, e.g. {example}") from None
    document = read_document(view, ref.name)
    pages = view.document(document).pages
    if not 1 <= ref.page <= pages:
        count = "1 page" if pages == 1 else f"{pages} pages"
        same = _pages_that_print(view, document, str(ref.page))
        raise ToolError(
            f"page {ref.page} does not exist; {document} has {count}: use {document}:1"
            + (f" to {document}:{pages}" if pages > 1 else "")
            + (f"; {ref.page} is printed on {', '.join(map(str, same))}" if same else "")
        )
    return PageRef(document, ref.page)


def _printed_page(view: View, document: str, label: str) -> PageRef:
    """Return the page on which a number is printed.

    Raises:
        ToolError: None or several show it.
    """
    found = _pages_that_print(view, document, label)
    if len(found) == 1:
        return found[0]
    pages = view.document(document).pages
    if found:
        raise ToolError(
            f"{label!r} is printed on several pages; use one of {', '.join(map(str, found))}"
        )
    raise ToolError(
        f"no page of {document} shows {label!r} as its number; use its pages as counted from the "
        f"start of the file, {document}:1 to {document}:{pages}"
    )


def _pages_that_print(view: View, document: str, label: str) -> list[PageRef]:
    wanted = label.strip(".").casefold()
    return [page.ref for page in view.pages(document) if page.label.casefold() == wanted]


def read_document(view: View, text: str) -> str:
    """Return the slug of one document, given as slug or file name.

    Raises:
        ToolError: There is no such document; names the nearest.
    """
    try:
        return view.document(text.strip().strip("\"'[]")).name
    except LibraryError as error:
        words = re.findall(r"[^\W_]+", text.casefold())
        alike = [d.name for d in view.documents() if words and _holds(d, words)]
        if alike:
            more = f" and {len(alike) - 5} more" if len(alike) > 5 else ""
            names = ", ".join(alike[:5]) + more
            raise ToolError(
                f"there is no document {text.strip()!r}; did you mean {names}?"
            ) from error
        raise ToolError(f"{error}; list_documents() shows all names") from error


def _holds(document: Document, words: list[str]) -> bool:
    named = f"{document.name} {document.title}".casefold()
    return all(word in named for word in words)


def read_documents(view: View, text: str) -> list[str] | None:
    """Return the slugs of a comma-separated list, in order, or None for an empty one.

    A file name may itself hold commas: the longest run of parts that is a name is taken.

    Raises:
        ToolError: One of them is no document; names the nearest.
    """
    parts = text.strip().strip("[]").split(",")
    if not any(part.strip() for part in parts):
        return None
    names: list[str] = []
    at = 0
    while at < len(parts):
        for end in range(len(parts), at, -1):
            candidate = ",".join(parts[at:end]).strip().strip("\"'")
            try:
                names.append(view.document(candidate).name)
            except LibraryError:
                continue
            break
        else:
            if not parts[at].strip():
                end = at + 1
            else:
                names.append(read_document(view, parts[at]))
                end = at + 1
        at = end
    return list(dict.fromkeys(names))


def read_kinds(text: str) -> list[str] | None:
    """Return the region kinds of a comma-separated list, or None for an empty one.

    Raises:
        ToolError: One is unknown; lists the kinds.
    """
    return list(read_choices(text, _KINDS, "kind")) or None


def read_choices(text: str, allowed: Sequence[T], what: str) -> tuple[T, ...]:
    """Return the words of a comma-separated list, each one of `allowed`.

    Raises:
        ToolError: One is not; lists what is allowed.
    """
    by_word = {choice.casefold(): choice for choice in allowed}
    chosen: list[T] = []
    for part in text.strip().strip("[]").replace(";", ",").split(","):
        word = part.strip().strip("\"'").casefold()
        if not word:
            continue
        choice = by_word.get(word) or by_word.get(word.removesuffix("s"))
        if choice is None:
            raise ToolError(f"there is no {what} {part.strip()!r}; use {', '.join(allowed)}")
        chosen.append(choice)
    return tuple(dict.fromkeys(chosen))


def snippet(text: str, most: int = 240) -> str:
    """Return text on one line, cut at a word."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[:most].rsplit(" ", 1)[0] + " ..."
