"""The commit record of a library: which version of each table belongs together.

1. Lance has no transaction over tables, so a writer first writes tables, then replaces
   `manifest.json` atomically: that replace is the only commit.
2. Each manifest is also kept as `manifests/<version>.json`, so that an older version stays
   readable while the Lance versions it names exist.
3. `library.json` says which format and parser wrote the library and which encoders it knows.

Not covered: two writers at once; the lock file of `writer.py` keeps them apart.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pagehop.errors import LibraryError
from pagehop.library.disk import replace_file, writing
from pagehop.reading.parsed import PARSER_VERSION
from pagehop.types import Scalar

FORMAT_VERSION = 3
"""Raise it with the columns or indexes of a table, or when an older pagehop could misread what this
one writes: it then says upgrade, and this one reads older libraries again (renewal.py)."""
MANIFEST = "manifest.json"
HISTORY = "manifests"
HEADER = "library.json"
T = TypeVar("T")


@dataclass(frozen=True)
class Partition:
    """The tables of all documents that carry exactly one set of labels."""

    labels: tuple[str, ...]
    """Sorted."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Lance version of each table."""


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read, kept so that it is not tried again while unchanged."""

    path: str
    source: str
    """Name as a document would have it."""
    size: int
    mtime_ns: int
    reason: str
    """One of `PdfReason`."""
    detail: str
    labels: tuple[str, ...] = ()
    parser: int = PARSER_VERSION


@dataclass(frozen=True)
class RemovedFile:
    """A file that was taken out by name: it stays out while its bytes are these."""

    path: str
    document: str
    """Document id."""
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Root:
    """A folder or file that was added; scanned again when it is added again."""

    path: str
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoder:
    """An encoder whose vectors the library holds."""

    model: str
    """As it was named: hub id or folder, empty for the packaged one."""
    digest: str
    dim: int


@dataclass(frozen=True)
class Manifest:
    """One version of a library."""

    version: int = 0
    partitions: Mapping[str, Partition] = field(default_factory=dict)
    roots: tuple[Root, ...] = ()
    failed: tuple[FailedFile, ...] = ()
    removed: tuple[RemovedFile, ...] = ()
    serving: str = ""
    """Id of the encoder whose vectors answer searches; empty before the first vector."""
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    seeing: str = ""
    """Id of the page encoder whose vectors answer visual searches; empty: there are none."""
    page_encoders: Mapping[str, Encoder] = field(default_factory=dict)
    next_added: int = 0
    """Running number of the next document."""
    format: int = FORMAT_VERSION
    parser: int = PARSER_VERSION
    """Of the text of all pages."""
    time: float = 0.0
    """Unix time of the commit in seconds."""

    @property
    def is_outdated(self) -> bool:
        """Whether an older release wrote it, so that its documents must be read again."""
        return self.format < FORMAT_VERSION or self.parser != PARSER_VERSION

    def visible(self, labels: frozenset[str] | None) -> dict[str, Partition]:
        """Return the partitions whose labels are a subset of `labels`; None sees everything."""
        return {
            key: partition
            for key, partition in self.partitions.items()
            if labels is None or labels.issuperset(partition.labels)
        }


def partition_key(labels: frozenset[str]) -> str:
    """Return the folder name of the partition with exactly these labels."""
    if not labels:
        return "public"
    return "p" + sha256("\0".join(sorted(labels)).encode()).hexdigest()[:16]


def read_manifest(folder: Path) -> Manifest:
    """Read the last commit; an unreadable one falls back to the newest readable one before it.

    Raises:
        LibraryError: A newer pagehop wrote it, or no commit of an existing library is readable.
    """
    current = folder / MANIFEST
    if not current.exists() and not (folder / HISTORY).exists():
        return Manifest()
    for path in (current, *_history(folder)):
        try:
            return _decode(json.loads(path.read_bytes()), path)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    if not _history(folder) and not current.exists():
        return Manifest()
    raise LibraryError(
        f"{folder}: no readable commit record; restore {MANIFEST} from a backup, "
        "or delete the library folder and add the documents again"
    )


def commit_mark(folder: Path) -> tuple[int, ...]:
    """Return what a commit changes, at the price of a stat; empty before the first one."""
    try:
        stat = (folder / MANIFEST).stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def is_readable(path: Path) -> bool:
    """Say whether a file holds a manifest."""
    try:
        _decode(json.loads(path.read_bytes()), path)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def read_version(folder: Path, version: int) -> Manifest:
    """Read the manifest of an older commit.

    Raises:
        LibraryError: That version was never committed or has been cleaned up.
    """
    path = folder / HISTORY / f"{version}.json"
    try:
        if version > read_manifest(folder).version:
            raise ValueError("it was written, but never committed")
        return _decode(json.loads(path.read_bytes()), path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        kept = sorted(int(p.stem) for p in _history(folder))
        span = f"{kept[0]} to {kept[-1]}" if kept else "none"
        raise LibraryError(f"{folder} has no version {version}; kept are {span}") from error


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Commit: keep the next version in the history, then replace the current manifest.

    Raises:
        LibraryError: The folder is read-only or the disk is full; the last commit still holds.
    """
    number = manifest.version + 1
    committed = replace(manifest, version=number, format=FORMAT_VERSION, time=time.time())
    content = json.dumps(asdict(committed), ensure_ascii=False, separators=(",", ":")).encode()
    with writing(folder):
        (folder / HISTORY).mkdir(exist_ok=True)
        replace_file(folder / HISTORY / f"{committed.version}.json", content)
        replace_file(folder / MANIFEST, content)
    return committed


def prune_history(folder: Path, keep: frozenset[int]) -> None:
    """Forget older versions whose tables are gone."""
    for path in _history(folder):
        if int(path.stem) not in keep:
            path.unlink(missing_ok=True)


def history(folder: Path) -> list[Manifest]:
    """Return all kept versions that are readable, newest first."""
    found = []
    for path in _history(folder):
        try:
            found.append(_decode(json.loads(path.read_bytes()), path))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def open_header(folder: Path) -> None:
    """Check that this pagehop can read the library.

    Raises:
        LibraryError: A newer pagehop wrote it.
    """
    path = folder / HEADER
    try:
        header = json.loads(path.read_bytes())
        version = int(header["format"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # the manifest carries the same format version and is checked on its own
    _check_format(version, path)


def write_header(folder: Path, manifest: Manifest) -> None:
    """Write `library.json` when what it says has changed."""
    header = {
        "format": FORMAT_VERSION,
        "parser": PARSER_VERSION,
        "encoders": {key: asdict(value) for key, value in manifest.encoders.items()},
        "page_encoders": {key: asdict(value) for key, value in manifest.page_encoders.items()},
    }
    content = (json.dumps(header, indent=2, ensure_ascii=False) + "\n").encode()
    path = folder / HEADER
    if not path.exists() or path.read_bytes() != content:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)


def _history(folder: Path) -> list[Path]:
    paths = (folder / HISTORY).glob("[0-9]*.json")
    return sorted(paths, key=lambda path: int(path.stem), reverse=True)


def _check_format(version: int, path: Path) -> None:
    if version > FORMAT_VERSION:
        raise LibraryError(
            f"{path} was written by a newer pagehop (format {version}, this one reads up to "
            f"{FORMAT_VERSION}); upgrade with: pip install --upgrade pagehop"
        )


def _decode(values: dict[str, Any], path: Path) -> Manifest:
    """Read what this release knows; what a library of an older format lacks is as if new."""
    _check_format(int(values["format"]), path)
    return _made(
        Manifest,
        values,
        version=int(values["version"]),
        partitions={key: _labelled(Partition, v) for key, v in values["partitions"].items()},
        roots=tuple(_labelled(Root, root) for root in values.get("roots", ())),
        failed=tuple(_labelled(FailedFile, failed) for failed in values.get("failed", ())),
        removed=tuple(_made(RemovedFile, removed) for removed in values.get("removed", ())),
        encoders={key: _made(Encoder, v) for key, v in values.get("encoders", {}).items()},
        page_encoders={
            key: _made(Encoder, v) for key, v in values.get("page_encoders", {}).items()
        },
    )


def _labelled(kind: type[T], values: dict[str, Any]) -> T:
    return _made(kind, values, labels=tuple(values.get("labels", ())))


def _made(kind: type[T], values: dict[str, Any], **read: Any) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: v for name, v in (values | read).items() if name in known})
