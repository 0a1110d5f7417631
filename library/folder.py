"""Where a library lies on disk: found, made, and taken away again when nothing came into it."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pagehop.arguments import check_path
from pagehop.errors import LibraryError
from pagehop.library.manifest import HEADER, MANIFEST, Manifest, open_header, write_header

FOLDER = ".pagehop"


@dataclass(frozen=True)
class LibraryFolder:
    """The folder of a library."""

    path: Path
    made: bool
    """Made just now: there is nothing in it but its header."""


def open_folder(path: str | Path, *, create: bool) -> LibraryFolder:
    """Find the library at a path.

    Args:
        path: As `Library` takes it.
        create: Make one when there is none.

    Raises:
        LibraryError: There is none and `create` is false, it cannot be made, or a newer pagehop
            wrote it.
        ConfigError: `path` is no path on this machine.
    """
    check_path("path", path)
    given = Path(path).expanduser().absolute()
    folder = given if (given / HEADER).exists() else given / FOLDER
    made = not (folder / HEADER).exists() and not (folder / MANIFEST).exists()
    if made:
        if not create:
            raise LibraryError(f"there is no library in {given}; add documents to it first")
        if not given.parent.is_dir() or given.is_file():
            what = given if given.is_file() else given.parent
            raise LibraryError(f"cannot make a library in {given}: {what} is no folder")
        write_header(folder, Manifest())
    open_header(folder)
    return LibraryFolder(folder, made)


def forget_folder(folder: LibraryFolder) -> None:
    """Take away a library that was made for an `add` which found nothing; others stay."""
    if folder.made and not (folder.path / MANIFEST).exists():
        (folder.path / HEADER).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something in it
            folder.path.rmdir()
