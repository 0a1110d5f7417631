"""Write a run's events as they happen, one JSON line each, and what the run was made of.

    <runs>/<date>-<time>-<id>/run.json                 the manifest, written once, atomically
                              events/<writer>-<n>.jsonl  appended; a new file every 256 MB
                              blobs/sha256/aa/bb...      pictures and long texts, by their hash

1. A line is the event with `v`, `seq` and `crc`, the crc32 of the body's text as it stands in the
   line. Events told in an event loop are written together, before any task that was suspended goes
   on; others at once. Who tells that a call begins is suspended once before it does, and events
   reach a caller later than that: so a process that is killed loses nothing that anybody saw or
   that was acted on. The file is synced when an episode has ended, about once a second where many
   do: a crash of the machine loses the last ones.
2. Folders are 0700 and files 0600: questions and quotes are as private as the documents.
3. Recording never breaks a run: when it cannot go on it stops, and `problem` says why.

4. Pictures as they were sent lie in `blobs/` by their sha256, each once.

The form is described in docs/TRAJECTORIES.md.
"""

import asyncio
import json
import logging
import math
import os
import re
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import orjson

from pagehop.errors import LibraryError
from pagehop.events import Event
from pagehop.surrogates import whole_text
from pagehop.trajectories.blobs import digest_of, keep_blob
from pagehop.trajectories.manifest import SCHEMA
from pagehop.trajectories.provenance import provenance
from pagehop.trajectories.secrets import secret_values, struck_out

VERSION = "1.0"
_TEXTS = (b"{", b"[", b"d")
"""How JSON and streams of events begin; no picture does."""
ROTATE_BYTES = 256 * 1024 * 1024
TOGETHER = 64
"""Most events that are written together."""
SYNC_S = 1.0
"""At least so long from one sync to the next: what is appended while a file is synced may wait for
it, and with it all runs of the process."""

_log = logging.getLogger(__name__)


@dataclass
class Recorder:
    """The record of one run; a sink for its events."""

    run_id: str
    path: Path | None
    """The run's folder; None when it could not be made."""
    problem: str = ""
    """Why (further) events were not recorded, for the user; empty when all is well."""
    _file: int | None = None
    _seq: int = 0
    _files: int = 0
    _bytes: int = 0
    _syncing: "Future[None] | None" = None
    _unsynced: bool = False
    """An episode has ended since the last sync began."""
    _next_sync: float = 0.0
    """On the monotonic clock."""
    _waiting: list[Event] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    """That will write what waits."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writer: str = field(default_factory=lambda: _writer())
    _secrets: re.Pattern[bytes] | None = field(default_factory=lambda: secret_values())

    def __call__(self, event: Event) -> None:
        """Append one event."""
        if self.path is None or self.problem or event.type == "llm.delta":
            return  # deltas pass; `llm.end` has the whole text
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        with self._lock:
            self._waiting.append(event)
            if loop is None or len(self._waiting) >= TOGETHER:
                self._write()
            elif loop is not self._loop:
                # What a loop calls soon, it calls before all that is scheduled later. To encode and
                # write a few events at once costs a third of doing so between a run's own steps.
                self._loop = loop
                loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Sync and close the file; an episode without its end reads back as aborted."""
        self.flush()
        self._close()

    def _close(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if self._syncing is not None:
                self._syncing.result()  # the file may not be closed under it
            os.fsync(file)
        except OSError as error:
            self._give_up(error)
        finally:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self) -> None:
        events, self._waiting, self._loop = self._waiting, [], None
        if self.problem or not events:
            return
        ready, bodies, fault = self._ready(events)
        try:
            if ready:
                # No secret spans lines, and no line ends inside of JSON.
                clean = struck_out(b"\n".join(bodies), self._secrets)
                self._append(b"".join(map(self._line, ready, clean.split(b"\n"))))
        except (OSError, ValueError, TypeError) as error:
            fault = error
        if fault is not None:
            self._give_up(fault)

    def _ready(self, events: Sequence[Event]) -> tuple[list[Event], list[bytes], Exception | None]:
        """Return events with their bodies as JSON, up to the first that cannot be written."""
        ready: list[Event] = []
        bodies: list[bytes] = []
        for event in events:
            try:
                kept = self._with_blobs(event) if event.blobs else event
                bodies.append(_encoded(kept.body))
            except (OSError, ValueError, TypeError, RecursionError) as error:
                return ready, bodies, error
            ready.append(kept)
        return ready, bodies, None

    def _append(self, lines: bytes) -> None:
        if self._file is None or self._bytes + len(lines) > ROTATE_BYTES:
            self._close()
            self._open()
        assert self._file is not None
        self._bytes += len(lines)
        while lines:
            lines = lines[os.write(self._file, lines) :]
        if self._unsynced and (now := time.monotonic()) >= self._next_sync:
            self._unsynced, self._next_sync = False, now + SYNC_S
            # In another thread: many runs share the one that appends, and must not wait.
            self._syncing = _syncer().submit(self._sync, self._file)

    def _with_blobs(self, event: Event) -> Event:
        """Keep what the event names by hash; texts without secrets, under the hash that gives."""
        assert self.path is not None
        renamed: dict[str, str] = {}
        for digest, data in event.blobs.items():
            if data[:1] in _TEXTS:
                clean = struck_out(data, self._secrets)
                if clean != data:
                    data, renamed[digest] = clean, digest_of(clean)
            keep_blob(self.path, renamed.get(digest, digest), data)
        if not renamed:
            return event
        body = {name: renamed.get(str(value), value) for name, value in event.body.items()}
        return replace(event, body=body)

    def _sync(self, file: int) -> None:
        try:
            os.fsync(file)
        except OSError as error:
            self._give_up(error)

    def _line(self, event: Event, body: bytes) -> bytes:
        head = {
            "v": VERSION, "seq": self._seq, "id": event.id, "ts": event.ts, "mono": event.mono,
            "run_id": event.run_id, "episode_id": event.episode_id, "attempt": event.attempt,
            "type": event.type,
        }  # fmt: skip
        self._seq += 1
        self._unsynced = self._unsynced or event.type == "episode.end"
        return b'%b,"body":%b,"crc":%d}\n' % (_encoded(head)[:-1], body, zlib.crc32(body))

    def _open(self) -> None:
        assert self.path is not None
        name = f"{self._writer}-{self._files:04}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(self.path / "events" / name, flags, 0o600)
        self._files += 1
        self._bytes = 0

    def _give_up(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self.problem = f"This run is not (fully) recorded in {self.path}: {reason}."
        _log.warning(self.problem)


@lru_cache(maxsize=1)
def _syncer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="record")


def new_run_id() -> str:
    """Return a name that sorts by time, e.g. `20260131-184501-5fe2a0c9`."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"


def record_run(
    runs: Path | None,
    *,
    fallback: Path,
    manifest: Mapping[str, Any],
    run_id: str = "",
    blobs: Mapping[str, bytes] | None = None,
) -> Recorder:
    """Make the folder of a run and its manifest.

    Args:
        runs: Where runs are kept; None or not writable takes the fallback.
        fallback: Of the user, e.g. when the library is read-only.
        manifest: What this run adds to code and environment: limits, library, labels, ...
        run_id: Made from date, time and chance when empty.
        blobs: What the manifest names by its sha256, e.g. the prompts.
    """
    run_id = run_id or new_run_id()
    reasons = []
    for parent in (runs, fallback):
        if parent is None:
            continue
        try:
            return Recorder(run_id, _made(parent / run_id, run_id, manifest, blobs or {}))
        except OSError as error:
            reasons.append(f"{parent}: {error.strerror or error}")
    problem = f"This run is not recorded ({'; '.join(reasons)})."
    _log.warning(problem)
    return Recorder(run_id, None, problem)


def open_record(
    folder: Path, manifest: Mapping[str, Any], blobs: Mapping[str, bytes] | None = None
) -> Recorder:
    """Go on with the record in a folder, or begin it there.

    Args:
        folder: Of the run itself.
        manifest: As for `record_run`; left as it is when there is one already.
        blobs: As for `record_run`.

    Raises:
        LibraryError: The folder cannot be written.
    """
    try:
        written = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return Recorder(str(written.get("run_id", folder.name)), folder)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise LibraryError(f"{folder} is no record of a run: {error}") from error
    run_id = new_run_id()
    try:
        return Recorder(run_id, _made(folder, run_id, manifest, blobs or {}))
    except OSError as error:
        raise LibraryError(f"{folder} cannot be written: {error.strerror or error}") from error


def _made(
    folder: Path, run_id: str, manifest: Mapping[str, Any], blobs: Mapping[str, bytes]
) -> Path:
    for path in (folder.parent, folder, folder / "events"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for digest, data in blobs.items():
        keep_blob(folder, digest, data)
    head = {"schema_version": SCHEMA, "run_id": run_id, "created_at": round(time.time(), 6)}
    text = _encoded({**head, **provenance(), **manifest}, orjson.OPT_INDENT_2)
    _write_atomically(folder / "run.json", struck_out(text, secret_values()))
    return folder


def _write_atomically(path: Path, text: bytes) -> None:
    draft = path.with_suffix(".tmp")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(text + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(path)


def _encoded(value: object, options: int = 0) -> bytes:
    """Return JSON in UTF-8: on the path of every event, so by the fastest writer there is."""
    try:
        return orjson.dumps(value, option=options)
    except orjson.JSONEncodeError:  # e.g. numbers of more than 64 bits, half of a surrogate pair
        separators = (",", ":") if not options else None
        text = json.dumps(
            _clean(value), ensure_ascii=False, allow_nan=False, separators=separators,
            indent=2 if options else None,
        )  # fmt: skip
        return whole_text(text).encode()


def _clean(value: object) -> Any:
    """Return a value without what JSON has no word for: NaN is null, numpy scalars are numbers."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): _clean(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    item = getattr(value, "item", None)
    return _clean(item()) if callable(item) else str(value)


def _writer() -> str:
    host = re.sub(r"[^\w.]", "_", socket.gethostname()) or "host"
    return f"{host}.{os.getpid()}.{secrets.token_hex(3)}"
