"""The one background writer of a library, under a lock file.

1. Requests queue; while one is there, its text stage goes before any reading or embedding.
2. When nothing is left to do the thread ends, its PDF workers with it, and the lock is free.
3. What a killed or failed writer left is undone when the next one starts.

Not covered: a lock file on a network file system that has no locks.
"""

import importlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from filelock import FileLock, Timeout

from pagehop.errors import LibraryError, ModelError
from pagehop.library.copies import clean_copies
from pagehop.library.disk import replace_file, writing
from pagehop.library.ingest import Ingestion, Interrupted, Progress, Request
from pagehop.library.integrity import Damage
from pagehop.library.manifest import (
    Manifest,
    Root,
    prune_history,
    read_manifest,
    write_header,
    write_manifest,
)
from pagehop.library.ocr_stage import OcrStage
from pagehop.library.page_vector_stage import PageVectorStage
from pagehop.library.reading_stage import ReadingStage
from pagehop.library.renewal import needs_renewal, renew, without_tables
from pagehop.library.store import KEPT, Commit, Store, forget_old_versions
from pagehop.library.text_stage import TextStage
from pagehop.library.vector_stage import VectorStage
from pagehop.models.encoder_backends import return_freed_memory
from pagehop.models.text_encoder import TextEncoder, load_text_encoder
from pagehop.reading.ocr_engine import reader_id
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import Settings

LOCK = ".lock"


@dataclass(frozen=True)
class Removal:
    """A document to take out, under some of its names."""

    document: str
    """Document id."""
    names: frozenset[str]
    """Source names."""


@dataclass(frozen=True)
class Mending:
    """What to commit before anything else, because the last commit is damaged."""

    damage: Damage


Job = Request | Removal | Mending


class Writer:
    """Runs the stages of ingestion in a thread of its own."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        model: Callable[[Manifest], str],
        committed: Callable[[Manifest], None],
    ) -> None:
        """Prepare; nothing runs before the first request.

        Args:
            store: Tables of the library.
            settings: Workers, limits, encoder.
            model: Names the encoder to embed with.
            committed: Told of each commit, in the writer's thread.
        """
        self._store = store
        self._settings = settings
        self._model = model
        self._committed = committed
        self._lock = FileLock(store.folder / LOCK, thread_local=False)
        self._queue: deque[Job] = deque()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stop = False
        self._text: TextStage | None = None
        self._error: Exception | None = None
        self.progress = Progress()
        self._requests: list[Request] = []
        """Of this run."""
        self._wanted: dict[str, None] = {}
        """Ids of documents whose scanned pages are read first, the last one first."""

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits."""
        return self._thread is not None

    @property
    def waiting(self) -> int:
        """Files whose text is not yet committed; 0 when all of it can be searched."""
        with self._change:
            queued = [r for r in self._queue if isinstance(r, Request)]
            waiting = sum(len(request.scan.files) for request in queued)
            return waiting + (max(1, self._text.waiting) if self._text else 0)

    @property
    def roots(self) -> tuple[Root, ...]:
        """Roots of requests that may not be committed yet."""
        with self._change:
            scans = [request.scan for request in self._requests]
            return tuple(root for scan in scans for root in (*scan.below, *scan.roots))

    def submit(self, request: Job) -> None:
        """Queue a request; takes the lock when the writer was idle.

        Raises:
            LibraryError: Another process writes, or the folder is read-only.
        """
        with self._change:
            idle = self._thread is None
            if idle:
                self._acquire()
                self._stop, self._error = False, None
                self._requests = []
            self._queue.append(request)
            if isinstance(request, Request):
                self._requests.append(request)
            if idle:
                self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="pagehop-writer", daemon=True)
        self._thread.start()

    def want(self, document_id: str) -> None:
        """Let OCR read a document's scanned pages before others."""
        self._wanted.pop(document_id, None)
        self._wanted[document_id] = None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until idle; false when that took too long.

        Raises:
            LibraryError: The writer failed; raised once.
        """
        with self._change:
            idle = self._change.wait_for(lambda: self._thread is None, timeout_s)
            error, self._error = self._error, None
        if error is not None:
            raise error
        return idle

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Stop after the next commit; false when it did not in time."""
        self._stop = True
        with self._change:
            return self._change.wait_for(lambda: self._thread is None, timeout_s)

    def _acquire(self) -> None:
        folder = self._store.folder
        with writing(folder):
            replace_file(folder / LOCK, b"") if not (folder / LOCK).exists() else None
            (folder / LOCK).open("ab").close()
        try:
            self._lock.acquire(timeout=self._settings.ingest.lock_timeout_s)
        except Timeout as error:
            raise LibraryError(
                f"{folder} is being written by another process; wait for it, or stop it"
            ) from error

    def _run(self) -> None:
        error: Exception | None = None
        pool: PdfPool | None = None
        try:
            threading.Thread(target=importlib.import_module, args=("lancedb",), daemon=True).start()
            damage = self._damage()
            manifest = damage.manifest if damage else read_manifest(self._store.folder)
            encoder = self._load_encoder(manifest)
            tokenizer = encoder.tokenizer_path if encoder else None
            pool = PdfPool(self._settings.ingest, tokenizer)
            if damage:
                manifest = self._mend(damage)
            self._store.recover(manifest)
            self._work(self._current(manifest, pool), encoder)
        except Interrupted:
            pass  # a renewal, of which nothing is committed
        except Exception as caught:
            error = caught
        finally:
            if pool is not None:
                pool.close()
            self._end(error)

    def _current(self, manifest: Manifest, pool: PdfPool) -> Ingestion:
        """Return the hold on a library of this release; an older one is read again first."""
        if not needs_renewal(self._store, manifest):
            return self._ingestion(manifest, pool)
        self.progress.stage = "text"
        ingestion = self._ingestion(without_tables(self._store, manifest), pool)
        renew(ingestion, manifest, warn=self.warn, stopped=lambda: self._stop)
        prune_history(self._store.folder, frozenset({ingestion.manifest.version}))
        return self._ingestion(ingestion.manifest, pool)

    def _work(self, ingestion: Ingestion, encoder: TextEncoder | None) -> None:
        """Do all there is to do, and clean up."""
        model = self._model(ingestion.manifest)
        reading = ReadingStage(ingestion)
        vectors = VectorStage(ingestion, encoder, model) if encoder else None
        looks = PageVectorStage(ingestion, self._settings.page_encoder)
        ocr = OcrStage(ingestion, self._settings.ocr, lambda: list(self._wanted))
        try:
            self._take_turns(ingestion, reading, vectors, looks, ocr)
        finally:
            ocr.close()
        looks.clean()
        write_header(self._store.folder, ingestion.manifest)
        with writing(self._store.folder):
            clean_copies(ingestion.sources, {id for _, id in ingestion.catalog.documents}, KEPT)
        if not self._stop:
            forget_old_versions(self._store.folder, self._store)

    def _take_turns(
        self,
        ingestion: Ingestion,
        reading: ReadingStage,
        vectors: VectorStage | None,
        looks: PageVectorStage,
        ocr: OcrStage,
    ) -> None:
        """Do what is queued, then what is left to cut, embed, look at and read by OCR."""
        while not self._stop:
            try:
                request = self._next()
                if request is not None:
                    self._do(ingestion, request)
                elif reading.left():
                    self.progress.stage = "reading"
                    reading.run()
                elif vectors and vectors.needed():
                    self.progress.stage = "vectors"
                    ingestion.pool.close()  # its workers start again when a file comes
                    _release_memory()
                    vectors.run()
                elif looks.left():
                    self.progress.stage = "looks"
                    looks.run()
                elif ocr.left():
                    self.progress.stage = "ocr"
                    ocr.run()
                elif self._nothing_queued():
                    break
            except Interrupted:
                continue
            except ModelError as error:
                vectors = None
                self.warn(f"no vectors, so search is by keywords only: {error}")
            finally:
                for words in (*reading.warnings, *looks.warnings, *ocr.warnings):
                    self.warn(words)

    def _damage(self) -> Damage | None:
        """Return what `check` wants mended; it is only queued while nothing else is."""
        with self._change:
            first = self._queue[0] if self._queue else None
            if not isinstance(first, Mending):
                return None
            self._queue.popleft()
            return first.damage

    def _mend(self, damage: Damage) -> Manifest:
        """Commit what was found to be whole, with its indexes made again."""
        manifest = write_manifest(self._store.folder, damage.manifest)
        self._store.recover(manifest)
        commit = Commit(self._store, manifest)
        for index in damage.indexes:
            commit.reindex(*index)
        if damage.indexes:
            manifest = commit.finish()
        prune_history(self._store.folder, frozenset({manifest.version}))
        return manifest

    def _do(self, ingestion: Ingestion, request: Job) -> None:
        if isinstance(request, Removal):
            ingestion.remove(request.document, request.names)
            return
        if isinstance(request, Mending):
            return  # something else was queued first: check again
        assert self._text is not None
        self.progress.stage = "text"
        try:
            self._text.run(ingestion)
        finally:
            self._text = None

    def _next(self) -> Job | None:
        with self._change:
            request = self._queue.popleft() if self._queue else None
            if isinstance(request, Request):
                self._text = TextStage(request)
            return request

    def _nothing_queued(self) -> bool:
        with self._change:
            return not self._queue

    def _ingestion(self, manifest: Manifest, pool: PdfPool) -> Ingestion:
        return Ingestion(
            self._store,
            manifest,
            pool,
            progress=self.progress,
            reader="" if self._settings.ocr.engine == "none" else reader_id(self._settings.ocr),
            interrupted=lambda: self._stop or (self._text is None and bool(self._queue)),
            committed=self._committed,
        )

    def _load_encoder(self, manifest: Manifest) -> TextEncoder | None:
        try:
            return load_text_encoder(self._model(manifest), settings=self._settings.encoder)
        except ModelError as error:
            self.warn(f"no vectors, so search is by keywords only: {error}")
            return None

    def warn(self, words: str) -> None:
        """Put a warning into the reports of all requests of this run, once."""
        for request in self._requests:
            if words not in request.report.warnings:
                request.report.warnings.append(words)

    def _end(self, error: Exception | None) -> None:
        with self._change:
            if self._queue and error is None and not self._stop:
                self._start()
                return
            self._queue.clear()
            self._text = None
            self._error = error
            self.progress = Progress()
            self._lock.release()
            self._thread = None
            self._change.notify_all()


def _release_memory() -> None:
    """Give back what reading has left in pieces before the encoder takes its share."""
    pa.default_memory_pool().release_unused()
    return_freed_memory()
