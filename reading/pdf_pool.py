"""Worker processes that read PDFs, seen from the parent.

1. Workers are own processes (`python -P -m pagehop.reading.pdf_worker`): multiprocessing's spawn
   breaks in unguarded scripts, and fork breaks LanceDB. They start lazily, all at once.
2. A worker that gives nothing for `page_timeout_s` is killed. Its document is tried again without
   the page at fault; a document no page of which can be read is a `PdfError`. Other files go on.
3. Messages are msgpack, never pickle: the workers read untrusted files.

Not covered: a file that tells the engine lies within the limits; a parent killed while a worker
hangs leaves it for three page timeouts.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.errors import PdfError
from pagehop.reading.formats import Format
from pagehop.reading.office import convert_office
from pagehop.reading.parsed import DocumentReading, DocumentText, PdfJob
from pagehop.reading.reading_task import ReadingTask, Task, TextTask
from pagehop.reading.render import PictureCache
from pagehop.reading.worker_process import Died, WorkerProcess
from pagehop.settings import IngestSettings
from pagehop.types import Box

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_WORKERS = 8
CONVERT_TIMEOUTS = 10
"""Page timeouts that making a PDF of a file of another format may take."""


@dataclass(frozen=True)
class Rendered:
    """A part of a page as pixels."""

    width: int
    height: int
    pixels: bytes
    """RGB, row by row."""
    dpi: float


class PdfPool:
    """Reads PDFs in worker processes.

    Args:
        settings: Number of workers, time and memory limits; None means the defaults.
        tokenizer: `tokenizer.json` of the encoder, which measures passages; None means an estimate.
    """

    def __init__(
        self, settings: IngestSettings | None = None, tokenizer: Path | None = None
    ) -> None:
        self._settings = settings or IngestSettings()
        self._tokenizer = tokenizer
        self._size = self._settings.workers or min(os.cpu_count() or 1, MAX_WORKERS)
        self._lock = threading.Lock()
        self._crop_lock = threading.Lock()
        self._pictures = PictureCache()
        self._idle: list[WorkerProcess] = []
        self._crop_worker: list[WorkerProcess] = []
        self._convert_worker: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._finalizer = weakref.finalize(self, _close_all, self._all)

    def texts(self, jobs: Iterable[PdfJob]) -> Iterator[tuple[PdfJob, DocumentText | PdfError]]:
        """Read the text layer of files, in the order they get done."""
        for task in self._run(TextTask(job) for job in jobs):
            assert isinstance(task, TextTask) and task.result is not None
            yield task.job, task.result

    def readings(
        self, jobs: Iterable[PdfJob]
    ) -> Iterator[tuple[PdfJob, DocumentReading | PdfError]]:
        """Cut files into regions and passages, in the order they get done."""
        for task in self._run(ReadingTask(job) for job in jobs):
            assert isinstance(task, ReadingTask) and task.result is not None
            yield task.job, task.result

    def crop(
        self,
        path: Path,
        page: int,
        box: Box,
        *,
        max_pixels: int,
        pad: float = 0.0,
        password: str | None = None,
    ) -> "Image":
        """Render a box of a page so that it fills `max_pixels`; never waits behind ingestion.

        Args:
            path: The file.
            page: 1-based.
            box: Fractions of the page as displayed.
            max_pixels: Most pixels of the picture, padding included; at most 600 dpi.
            pad: Added on every side, in fractions of the page.
            password: For an encrypted file.

        Raises:
            PdfError: The file or page cannot be read, or the page takes too long.
        """
        from PIL import Image  # noqa: PLC0415 - only pictures need it

        status = _stat(path)
        key = (str(path), status.st_mtime_ns, status.st_size, page, box, max_pixels, pad)
        found = self._pictures.get(key)
        if found is not None:
            return found
        body: dict[str, Any] = {"path": str(path), "password": password, "page": page, "box": box}
        body |= {"max_pixels": max_pixels, "pad": pad}
        with self._crop_lock:
            answer = self._call("crop", self._crop_worker, body)
        size = answer["width"], answer["height"]
        picture = Image.frombytes("RGB", size, answer["pixels"])
        self._pictures.put(key, picture)
        return picture

    def render(
        self,
        path: Path,
        page: int,
        box: Box,
        *,
        dpi: int,
        max_pixels: int,
        as_scanned: bool = False,
    ) -> Rendered:
        """Render a box of a page at a resolution, coarser when it had more than `max_pixels`.

        Args:
            path: The file.
            page: 1-based.
            box: Fractions of the page as displayed.
            dpi: The resolution.
            max_pixels: Most pixels of the picture.
            as_scanned: Whether a scan that is a little coarser is given as it is.

        Raises:
            PdfError: The file or page cannot be read, or the page takes too long.
        """
        body: dict[str, Any] = {"path": str(path), "password": None, "page": page, "box": box}
        body |= {"max_pixels": max_pixels, "dpi": dpi, "as_scanned": as_scanned}
        with self._crop_lock:
            answer = self._call("crop", self._crop_worker, body)
        return Rendered(answer["width"], answer["height"], answer["pixels"], answer["dpi"])

    def decrypt(self, path: Path, password: str, out: Path) -> None:
        """Write a copy of an encrypted file without its encryption.

        Raises:
            PdfError: The password is wrong, or the file cannot be read or the copy written.
        """
        body = {"path": str(path), "password": password, "out": str(out)}
        with self._crop_lock:
            self._call("decrypt", self._crop_worker, body)

    def convert(self, path: Path, format: Format, out: Path, check: Callable[[], None]) -> None:
        """Write the pages of a file that is no PDF to `out`, as a PDF.

        Args:
            path: The file; its name says nothing.
            format: What it is.
            out: The PDF to write.
            check: Called while LibreOffice works; what it raises ends it.

        Raises:
            PdfError: It cannot be read, is too large or takes too long, or LibreOffice is missing.
        """
        timeout_s = CONVERT_TIMEOUTS * self._settings.page_timeout_s
        if format.family == "office":
            convert_office(path, format.suffix, out, timeout_s=timeout_s, check=check)
            return
        request = {"path": str(path), "family": format.family, "out": str(out)}
        self._call("convert", self._convert_worker, request, timeout_s)

    def close(self) -> None:
        """End all workers."""
        self._finalizer()
        self._finalizer = weakref.finalize(self, _close_all, self._all)
        self._idle.clear()
        self._crop_worker.clear()
        self._convert_worker.clear()

    def __enter__(self) -> "PdfPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, timeout_s: float = 0.0) -> WorkerProcess:
        arguments = [str(self._settings.memory_mb), str(self._tokenizer or "")]
        limit_s = timeout_s or self._settings.page_timeout_s
        worker = WorkerProcess("pagehop.reading.pdf_worker", arguments, timeout_s=limit_s)
        with self._lock:
            self._all.add(worker)
        return worker

    def _end(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.close()

    def _take(self) -> WorkerProcess:
        return self._alive(self._idle) or self._start()

    def _alive(self, idle: list[WorkerProcess]) -> WorkerProcess | None:
        """Take an idle worker; those that have died meanwhile are put away."""
        while True:
            with self._lock:
                if not idle:
                    return None
                worker = idle.pop()
            if worker.is_alive():
                return worker
            self._end(worker)

    def _call(
        self, op: str, kept: list[WorkerProcess], request: dict[str, Any], timeout_s: float = 0.0
    ) -> dict[str, Any]:
        """Ask a worker that is kept for single calls."""
        worker = self._alive(kept) or self._start(timeout_s)
        try:
            worker.send(op, **request)
            answer = None
            while answer is None:
                if not worker.link.poll(max(0.0, worker.deadline - time.monotonic())):
                    raise worker.overdue()
                answer = worker.receive()
        except Died as died:
            self._end(worker)
            raise PdfError(died.reason, died.detail) from died
        except BaseException:
            self._end(worker)
            raise
        kept.append(worker)
        if answer["kind"] == "error":
            raise PdfError(answer["reason"], answer["detail"])
        return answer

    def _run(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Keep all workers busy; yields tasks that have a result."""
        busy: dict[Connection, tuple[WorkerProcess, Task]] = {}
        try:
            while True:
                while len(busy) < self._size and (task := next(tasks, None)) is not None:
                    self._assign(busy, self._take(), task)
                if not busy:
                    return
                yield from self._advance(busy)
        finally:
            for worker, _ in busy.values():
                self._end(worker)

    def _assign(
        self, busy: dict[Connection, tuple[WorkerProcess, Task]], worker: WorkerProcess, task: Task
    ) -> None:
        worker.send(task.op, **task.request())
        busy[worker.link] = worker, task

    def _advance(self, busy: dict[Connection, tuple[WorkerProcess, Task]]) -> Iterator[Task]:
        """Take what has come; deal with workers that are overdue or gone."""
        now = time.monotonic()
        soonest = min(worker.deadline for worker, _ in busy.values())
        ready = wait(list(busy), timeout=max(0.0, soonest - now))
        late = [link for link, (worker, _) in busy.items() if worker.deadline <= time.monotonic()]
        for link in {*ready, *late}:
            assert isinstance(link, Connection)
            worker, task = busy[link]
            try:
                if link not in ready:
                    raise worker.overdue()
                message = worker.receive()
                if message is not None:
                    _give(task, message)
            except Died as died:
                del busy[link]
                self._end(worker)
                task.fail(died.reason, died.page, died.detail)
                if task.result is None:
                    self._assign(busy, self._start(), task)
            else:
                if task.result is not None:
                    del busy[link]
                    with self._lock:
                        self._idle.append(worker)
            if task.result is not None:
                yield task


def _give(task: Task, message: dict[str, Any]) -> None:
    try:
        task.take(message)
    except (KeyError, TypeError, ValueError) as error:
        # Only a worker that a file has taken over sends something else than it should.
        raise Died("crashed", 0, f"a worker sent a malformed message: {error!r}") from error


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise PdfError("unreadable", error.strerror or str(error)) from error


def _close_all(workers: set[WorkerProcess]) -> None:
    while workers:
        workers.pop().close()
