"""Which files an `add` is about.

1. A folder is walked; hidden folders and libraries inside it are left out.
2. `labels=None` keeps what the nearest folder that was added before says, so that adding a parent
   folder again never opens up a labelled one below it.
3. Labels given to a folder replace those of all that was added below it before, for good.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pagehop.arguments import check_mapping, check_path, check_texts, misfit
from pagehop.errors import ConfigError, LibraryError
from pagehop.library.manifest import HEADER, Root
from pagehop.library.tables import Source
from pagehop.reading.formats import READABLE, is_readable
from pagehop.types import Scalar


@dataclass(frozen=True)
class Found:
    """A file to be in the library."""

    source: Source
    labels: frozenset[str]
    metadata: Mapping[str, Scalar]


@dataclass(frozen=True)
class Scan:
    """What the sources of one `add` hold."""

    files: tuple[Found, ...]
    roots: tuple[Root, ...]
    """What was named, with the labels and metadata it has from now on."""
    folders: tuple[str, ...]
    """Absolute paths of the folders walked: what is missing there was deleted."""
    empty: tuple[str, ...] = ()
    """Folders without a file that can be read."""
    below: tuple[Root, ...] = ()
    """What was added before below a folder that labels are given to: it has them from now on."""


def scan(
    sources: Iterable[str | Path],
    known: Iterable[Root],
    labels: frozenset[str] | None,
    metadata: Mapping[str, Scalar] | None,
) -> Scan:
    """Walk the sources.

    Args:
        sources: Folders and files.
        known: Roots added before.
        labels: None keeps what was given before, nothing for a new root.
        metadata: As labels.

    Raises:
        LibraryError: A source does not exist, or none of them holds a file that can be read.
    """
    roots = {root.path: root for root in known}
    files: dict[str, Found] = {}
    walked: list[Root] = []
    below: list[Root] = []
    folders, empty = [], []
    for given in sources:
        path = Path(os.path.abspath(given))
        if not path.exists():
            raise LibraryError(f"{given} does not exist")
        before = _nearest_root(str(path), roots)
        roots[str(path)] = root = Root(
            str(path),
            tuple(sorted(labels)) if labels is not None else before.labels,
            dict(metadata) if metadata is not None else before.metadata,
        )
        walked.append(root)
        if labels is not None:
            inner = _relabelled(root, roots.values(), keep_metadata=metadata is None)
            roots |= {r.path: r for r in inner}
            below += inner
        found = _walk(path, root, roots)
        if path.is_dir():
            folders.append(str(path))
            if not found:
                empty.append(str(path))
        files |= {file.source.path: file for file in found}
    if empty and not files and not any(root.path in empty for root in known):
        raise LibraryError(f"no {READABLE} file in {', '.join(empty)}")
    return Scan(tuple(files.values()), tuple(walked), tuple(folders), tuple(empty), tuple(below))


def read_sources(sources: str | Path | Iterable[str | Path]) -> list[str | Path]:
    """Return what an `add` names as a list.

    Raises:
        ConfigError: It names nothing, or something that is no path.
    """
    if isinstance(sources, bytes | Mapping) or not isinstance(sources, str | Path | Iterable):
        raise misfit("sources", sources, "files and folders")
    paths = [sources] if isinstance(sources, str | Path) else list(sources)
    if not paths:
        raise ConfigError("add needs at least one file or folder")
    for path in paths:
        check_path("sources", path)
    return paths


def read_labels(labels: Collection[str] | None) -> frozenset[str] | None:
    """Check labels.

    Raises:
        ConfigError: A bare string, or something else than words.
    """
    if labels is None:
        return None
    if isinstance(labels, str):
        raise ConfigError(f"labels must be a set of words; write {{{labels!r}}}")
    check_texts("labels", labels, "a set of words")
    if not all(label.strip() for label in labels):
        raise ConfigError(f"labels must be words, not {sorted(map(repr, labels))}")
    return frozenset(labels)


def read_metadata(metadata: Mapping[str, Scalar] | None) -> dict[str, Scalar] | None:
    """Check metadata.

    Raises:
        ConfigError: A value is neither text, number nor truth value.
    """
    check_mapping("metadata", metadata, 'a mapping, e.g. {"year": 2018}')
    for key, value in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(value, str | int | float | bool):
            raise ConfigError(f"metadata {key!r}: {value!r} is no text, number or truth value")
    return None if metadata is None else dict(metadata)


def is_below(path: str, folder: str) -> bool:
    """Say whether a path is inside a folder, by name only."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _relabelled(outer: Root, roots: Iterable[Root], *, keep_metadata: bool) -> list[Root]:
    """Return the roots below one, with its labels."""
    return [
        replace(
            root,
            labels=outer.labels,
            metadata=root.metadata if keep_metadata else outer.metadata,
        )
        for root in roots
        if is_below(root.path, outer.path)
    ]


def _nearest_root(path: str, roots: Mapping[str, Root]) -> Root:
    above = [root for root in roots.values() if root.path == path or is_below(path, root.path)]
    return max(above, key=lambda root: len(root.path), default=Root(path))


def _walk(path: Path, root: Root, roots: Mapping[str, Root]) -> list[Found]:
    if not path.is_dir():
        return [_found(str(path), path.name, root)]
    found = []
    seen = set()
    for folder, inside, names in os.walk(path, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            inside.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if HEADER in names and folder != str(path):
            inside.clear()
            continue
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(names):
            if is_readable(name):
                file = os.path.join(folder, name)
                nearest = _nearest_root(file, roots)
                found.append(_found(file, os.path.relpath(file, path), nearest))
    return found


def _found(path: str, name: str, root: Root) -> Found:
    try:
        status = os.stat(path)
        size, mtime_ns = status.st_size, status.st_mtime_ns
    except OSError:
        size, mtime_ns = -1, -1  # a dangling link: opening it will say so
    readable = name.replace(os.sep, "/").encode("utf-8", "replace").decode()
    source = Source(path, readable, size, mtime_ns)
    return Found(source, frozenset(root.labels), root.metadata)
