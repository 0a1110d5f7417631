"""Read a run's folder back.

1. A torn last line of a file is passed over: its writer was killed in it. A damaged line elsewhere
   is passed over too, but counted.
2. Events of several writers are put in the order of their times; those of one writer stay as they
   stand.
3. Scores beside the log are added to the episodes' rewards.
"""

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pagehop.errors import LibraryError
from pagehop.events import Event
from pagehop.trajectories.episode import Episode, RewardRecord
from pagehop.trajectories.fold import fold_all
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.scores import read_scores

MAJOR = "1."
_BODY = re.compile(rb',"body":(.*),"crc":(\d+)\}$', re.DOTALL)


@dataclass(frozen=True)
class Run:
    """A run's folder, read."""

    folder: Path
    manifest: RunManifest
    episodes: tuple[Episode, ...]
    damaged_lines: int = 0
    """Lines that could not be read, a torn last one of a file not counted."""

    def episode(self, name: str) -> Episode:
        """Return an episode by its id, or by a beginning that only one has.

        Raises:
            LibraryError: None has it, or several.
        """
        found = [one for one in self.episodes if one.episode_id == name]
        found = found or [one for one in self.episodes if one.episode_id.startswith(name)]
        if len(found) != 1:
            many = f"{len(found)} episodes begin with" if found else "no episode is"
            raise LibraryError(f"{many} {name!r} in {self.folder}")
        return found[0]


@dataclass
class _Lines:
    events: list[Event] = field(default_factory=list)
    damaged: int = 0


def read_run(folder: str | Path) -> Run:
    """Read the manifest, all episodes and their scores.

    Raises:
        LibraryError: The folder is no record of a run, or one that a newer pagehop wrote.
    """
    folder = Path(folder).expanduser()
    manifest = read_manifest(folder)
    lines = _Lines()
    for path in sorted((folder / "events").glob("*.jsonl")):
        _read_file(path, lines)
    lines.events.sort(key=lambda event: event.ts)
    scores = read_scores(folder)
    episodes = tuple(_scored(one, scores) for one in fold_all(lines.events))
    return Run(folder, manifest, episodes, lines.damaged)


def read_manifest(folder: Path) -> RunManifest:
    """Read what a run was made with.

    Raises:
        LibraryError: The folder is no record of a run, or one that a newer pagehop wrote.
    """
    try:
        record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LibraryError(f"{folder} is no record of a run: {error}") from error
    if not isinstance(record, dict):
        raise LibraryError(f"{folder} is no record of a run: run.json holds no object")
    schema = str(record.get("schema_version", ""))
    if not schema.startswith(f"pagehop-trajectory/{MAJOR}"):
        raise LibraryError(
            f"{folder} has schema {schema!r}; this pagehop reads {MAJOR}x: install a newer one"
        )
    try:
        return RunManifest.from_json({"run_id": folder.name, **record})
    except (TypeError, ValueError, AttributeError) as error:
        raise LibraryError(f"{folder} is no record of a run: run.json: {error}") from error


def read_events(folder: Path) -> Iterator[Event]:
    """Yield the events of all files of a run, file by file."""
    for path in sorted((folder / "events").glob("*.jsonl")):
        lines = _Lines()
        _read_file(path, lines)
        yield from lines.events


def _scored(episode: Episode, scores: dict[str, list[RewardRecord]]) -> Episode:
    more = scores.get(episode.episode_id)
    return replace(episode, rewards=(*episode.rewards, *more)) if more else episode


def _read_file(path: Path, lines: _Lines) -> None:
    raw = path.read_bytes()
    whole = raw.endswith(b"\n")
    rows = raw.split(b"\n")[:-1] if whole else raw.split(b"\n")
    for i, row in enumerate(rows):
        event = _event(row)
        if event is not None:
            lines.events.append(event)
        elif i < len(rows) - 1 or whole:
            lines.damaged += 1


def _event(row: bytes) -> Event | None:
    match = _BODY.search(row)
    if match is None or zlib.crc32(match[1]) != int(match[2]):
        return None
    try:
        record = json.loads(row)
        return Event(
            id=record["id"],
            type=record["type"],
            body=record["body"],
            run_id=record["run_id"],
            episode_id=record["episode_id"],
            attempt=record["attempt"],
            ts=record["ts"],
            mono=record["mono"],
        )
    except (ValueError, KeyError):
        return None
