"""Commands on documents: add, documents, status, remove, check."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pagehop.arguments import check_path
from pagehop.errors import ConfigError, LibraryError
from pagehop.interfaces import cli_options
from pagehop.interfaces.terminal import FAILED, guarded, print_json, say, tell, warn
from pagehop.library.reports import none_readable, scanned_pages
from pagehop.types import Document, Scalar

if TYPE_CHECKING:
    from pagehop.library.library import IngestReport, Library


def add(
    path: cli_options.Path,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Folders and files; PATH itself when left out.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="A,B", help="Who may see them; see ask --labels.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Kept for filters; repeatable.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="PAGEHOP_PDF_PASSWORD", show_envvar=True, help="Tried on encrypted files."
        ),
    ] = None,
    as_json: cli_options.Json = False,
) -> None:
    """Index files and folders, or bring them up to date."""
    folder = Path(path).expanduser()
    # A mistyped folder is not made; a new library beside its documents is.
    with guarded(), opened(path, create=bool(sources) or folder.is_dir()) as library:
        report = library.add(
            sources or [path],
            labels=cli_options.words(labels),
            metadata=_metadata(metadata),
            password=password,
            progress=True,
        )
        status = library.status()
    if as_json:
        print_json(report.to_json())
    else:
        _print_report(report)
        say(f"{_n(status.documents, 'document')}, {_n(status.pages, 'page')} in {status.path}")
    if report.failed:
        raise typer.Exit(FAILED)


def documents(
    path: cli_options.Path, labels: cli_options.Labels = None, as_json: cli_options.Json = False
) -> None:
    """List the documents and the names that page references use."""
    with guarded(), opened(path) as library:
        found = library.view(cli_options.words(labels)).documents()
    if as_json:
        print_json([_document_json(document) for document in found])
        return
    width = max((len(document.name) for document in found), default=0)
    for document in found:
        about = [_n(document.pages, "page"), document.title]
        about += [f"labels {', '.join(sorted(document.labels))}"] if document.labels else []
        about += (
            [f"{_n(len(document.damaged_pages), 'page')} damaged"] if document.damaged_pages else []
        )
        about += [scanned_pages(document)] if document.scanned_pages else []
        line = " · ".join(part for part in about if part)
        say(f"{document.name:<{width}}  {', '.join(document.sources)}  {line}")
    if not found:
        tell("no documents")


def status(path: cli_options.Path, as_json: cli_options.Json = False) -> None:
    """Say how far a library is: read, cut into passages, embedded."""
    with guarded(), opened(path) as library:
        now, failed = library.status(), library.failed
    if as_json:
        failures = [{"path": file, "reason": reason} for file, reason in failed]
        print_json({**asdict(now), "complete": now.complete, "failed": failures})
        return
    say(f"{now.path}  version {now.version}")
    say(f"{_n(now.documents, 'document')}, {now.pages_read} of {_n(now.pages, 'page')} read")
    if now.scanned:
        say(f"{now.scanned_read} of {_n(now.scanned, 'scanned page')} read by OCR")
    say(f"{now.passages} passages, {now.embedded:.0%} embedded" + _by(now.encoder))
    if now.page_encoder:
        say(f"{now.pages_seen} of {now.pages} pages looked at" + _by(now.page_encoder))
    for file, reason in failed:
        say(f"failed  {file}: {reason}", "yellow")


def remove(
    path: cli_options.Path,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Slug, file name or id.")],
    as_json: cli_options.Json = False,
) -> None:
    """Take a document out of the library; its file stays where it is and is left out from now on.

    A file name takes out that file only, if the same bytes are there under other names.
    """
    with guarded(), opened(path) as library:
        document = library.remove(name)
        left = {d.id: d for d in library.documents()}.get(document.id)
    if as_json:
        print_json(_document_json(document))
        return
    say(f"removed {', '.join(document.sources)}")
    if left:
        tell(f"The same document is still there as {', '.join(left.sources)}.")
    tell("It stays out, also when its folder is added again, until its file is added by its path")
    tell("or changes.")


def check(
    path: cli_options.Path,
    repair: Annotated[bool, typer.Option(help="Mend what can be mended.")] = True,
    as_json: cli_options.Json = False,
) -> None:
    """Look for damage and mend it; exit code 1 when there was any."""
    with guarded(), opened(path) as library:
        report = library.check(repair=repair)
    if as_json:
        print_json({"ok": report.ok, **asdict(report)})
    else:
        for problem in report.problems:
            say(problem, "red")
        for mended in report.repaired:
            say(f"mended: {mended}", "green")
        for lost in report.lost:
            say(f"lost: {lost}; add it again", "red")
        if report.ok:
            say("no damage")
    if not report.ok:
        raise typer.Exit(FAILED)


COMMANDS: dict[str, Callable[..., None]] = {
    "add": add, "documents": documents, "status": status, "remove": remove, "check": check,
}  # fmt: skip


@contextmanager
def opened(path: str, *, create: bool = False) -> "Iterator[Library]":
    """Open a library for one command.

    Raises:
        LibraryError: There is none at that path.
    """
    from pagehop.library.library import Library  # noqa: PLC0415 - loads lancedb

    check_path("PATH", path)
    folder = Path(path).expanduser()
    if folder.is_file():
        raise LibraryError(f"{path!r} is a file; give the folder it is in first")
    if not create and not folder.is_dir():
        raise LibraryError(f"there is no folder {path!r}")
    with Library(path, create=create) as library:
        yield library


@contextmanager
def brought_up_to_date(path: str) -> "Iterator[tuple[Library, list[str]]]":
    """Open a library for a question; a plain folder is compared with its documents first.

    Yields:
        The library, and what the person who asks should know of the comparison.

    Raises:
        LibraryError: There is no such folder, or nothing in it to ask about.
    """
    from pagehop.library.manifest import HEADER  # noqa: PLC0415 - not for `--help`
    from pagehop.library.scan import scan  # noqa: PLC0415 - not for `--help`

    check_path("PATH", path)
    folder = Path(path).expanduser()
    if not folder.is_dir():
        said = "is a file; give the folder it is in" if folder.exists() else "does not exist"
        raise LibraryError(f"{path!r} {said}")
    if not (folder / HEADER).exists() and not (folder / ".pagehop").exists():
        scan([folder], (), None, None)  # refuses a folder without PDFs before one is made in it
    with opened(path, create=True) as library:
        yield library, [] if library.path == folder.absolute() else _update(library, folder)


def _update(library: "Library", folder: Path) -> list[str]:
    """Bring a library up to date with its folder; return and print what went wrong."""
    try:
        report = library.add(folder, progress=True)
    except LibraryError as error:
        if not library.documents():
            raise
        warnings = [f"the library was not brought up to date: {error}"]
    else:
        if report.failed and not library.documents():
            raise LibraryError(none_readable(report.failed))
        new = f"{len(report.added)} new, {len(report.updated)} changed"
        if report.added or report.updated:
            tell(f"indexed {new}, {len(report.unchanged)} unchanged")
        gone = ", ".join(report.removed)
        warnings = [f"hidden, their files are gone: {gone}"] if gone else []
        warnings += [f"not indexed: {file}: {reason}" for file, reason in report.failed]
        warnings += report.warnings
    for warning in warnings:
        warn(warning)
    return warnings


def _print_report(report: "IngestReport") -> None:
    for what in ("added", "updated", "removed"):
        for source in getattr(report, what):
            say(f"{what:<8} {source}")
    if report.unchanged:
        say(f"{len(report.unchanged)} unchanged")
    for source in report.left_out:
        say(f"left out {source}, as it was removed; add it by its path to bring it back")
    for file, reason in report.failed:
        say(f"failed   {file}: {reason}", "red")
    for warning in report.warnings:
        warn(warning)


def _document_json(document: Document) -> dict[str, Any]:
    listed = ("id", "name", "source", "title", "pages")
    return {name: getattr(document, name) for name in listed} | {
        "sources": list(document.sources),
        "labels": sorted(document.labels),
        "metadata": dict(document.metadata),
        "damaged_pages": list(document.damaged_pages),
        "scanned_pages": list(document.scanned_pages),
        "ocr_pages": list(document.ocr_pages),
    }


def _metadata(pairs: list[str] | None) -> dict[str, Scalar] | None:
    """Read KEY=VALUE pairs; numbers and true/false become such values."""
    if not pairs:
        return None
    found: dict[str, Scalar] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"metadata {pair!r}: write KEY=VALUE, e.g. year=2018")
        found[key.strip()] = _scalar(value.strip())
    return found


def _scalar(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _n(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _by(encoder: str) -> str:
    return f" by {encoder}" if encoder else ""
