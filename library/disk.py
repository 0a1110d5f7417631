"""Writes that a crash does not tear, and what a disk refuses or has spoilt in words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pagehop.errors import LibraryError


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that after a crash either the old or the new content is there."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what a disk refuses into a clear error.

    Raises:
        LibraryError: The folder is read-only, the disk is full, or Lance could not write.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(folder, error) from error
    except RuntimeError as error:
        # Lance wraps the system's error; only its words are left.
        known = ("No space left", "Read-only", "Permission denied", "File too large", "os error")
        if any(words in str(error) for words in known):
            raise disk_error(folder, error) from error
        if "lance error" not in str(error):
            raise
        raise spoilt(folder, "a table", error) from error


@contextmanager
def reading(folder: Path, what: str) -> Iterator[None]:
    """Turn what Lance says of damaged files into a clear error.

    Args:
        folder: Of the library.
        what: Is read, for the message.

    Raises:
        LibraryError: It cannot be read.
    """
    try:
        yield
    except LibraryError:
        raise
    except Exception as error:  # of many classes: also panics in Rust, and rows that make no sense
        raise spoilt(folder, what, error) from error


def disk_error(folder: Path, error: Exception) -> LibraryError:
    """Say what the disk refused and that nothing committed is lost."""
    number, words = getattr(error, "errno", None), str(error)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in words:
        what = "the disk is full; free some space and add again"
    elif number in (errno.EACCES, errno.EPERM, errno.EROFS) or any(
        part in words for part in ("Read-only", "Permission denied")
    ):
        what = "the folder is read-only for this user; searching works, adding does not"
    else:
        what = f"writing failed: {error}"
    return LibraryError(f"{folder}: {what}. Nothing that was committed is lost.")


def spoilt(folder: Path, what: str, error: Exception) -> LibraryError:
    """Say what cannot be read, and what finds and mends it."""
    # Lance adds the place in its own source: "..., /rustc/.../function.rs:250:5".
    words = str(error).split("\n", 1)[0].split(", /", 1)[0] or type(error).__name__
    return LibraryError(f"{folder}: {what} cannot be read ({words}); run: pagehop check {folder}")
