"""Bytes of a run by their hash: pictures as they were sent, prompts, raw requests and replies.

<run>/blobs/sha256/aa/bb...    named by the sha256 of its bytes; written once, never changed
"""

import hashlib
import os
import secrets
from pathlib import Path

from pagehop.errors import LibraryError


def digest_of(data: bytes) -> str:
    """Return the name of a blob."""
    return hashlib.sha256(data).hexdigest()


def blob_path(folder: Path, digest: str) -> Path:
    """Return where a run keeps a blob."""
    return folder / "blobs" / "sha256" / digest[:2] / digest[2:]


def keep_blob(folder: Path, digest: str, data: bytes) -> None:
    """Write a blob unless it is there; another writer of the same one does no harm."""
    path = blob_path(folder, digest)
    if path.exists():
        return
    for parent in (path.parents[2], path.parents[1], path.parent):
        parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name[:16]}-{secrets.token_hex(4)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_blob(folder: Path, digest: str) -> bytes:
    """Return a blob's bytes.

    Raises:
        LibraryError: It is missing, or its bytes are not those it is named by.
    """
    path = blob_path(folder, digest)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LibraryError(f"blob {digest[:12]} of {folder} is missing: {error}") from error
    if digest_of(data) != digest:
        raise LibraryError(f"blob {digest[:12]} of {folder} is damaged: its bytes were changed")
    return data
