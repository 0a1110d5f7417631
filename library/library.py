"""A library: everything indexed, in one folder.

    library = pagehop.Library("reports/")
    library.add("reports/")

Reading goes through views (`view.py`); writing through one background writer (`writer.py`).
"""

import atexit
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pagehop.arguments import check_text, check_whole, misfit
from pagehop.errors import LibraryError
from pagehop.finding.names import meant_sources
from pagehop.finding.page_graph import MOST_JUDGED
from pagehop.library.copies import restore_copy
from pagehop.library.folder import forget_folder, open_folder
from pagehop.library.ingest import Request
from pagehop.library.integrity import Damage, find_damage
from pagehop.library.manifest import (
    FORMAT_VERSION,
    Manifest,
    commit_mark,
    read_manifest,
    read_version,
    write_header,
)
from pagehop.library.page_encoders import load_seeing
from pagehop.library.picture_reader import PictureReader
from pagehop.library.renewal import needs_renewal
from pagehop.library.reports import CheckReport as CheckReport
from pagehop.library.reports import IngestReport as IngestReport
from pagehop.library.reports import LibraryStatus as LibraryStatus
from pagehop.library.scan import read_labels, read_metadata, read_sources, scan
from pagehop.library.snapshot import Snapshot
from pagehop.library.status import library_status
from pagehop.library.store import Store, outdated
from pagehop.library.text_encoders import TextEncoders
from pagehop.library.view import View
from pagehop.library.writer import Mending, Removal, Writer
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import Settings, load_settings
from pagehop.types import FULL_PAGE, Box, Document, Hits, Judge, Mode, PageRef, Relation, Scalar
from pagehop.types import Path as Walk

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from networkx import MultiDiGraph
    from PIL.Image import Image

KEPT_VIEWS = 8
POLL_S = 0.1

Sources = str | Path | Iterable[str | Path]
ProgressSink = Callable[[LibraryStatus], None]


class Library:
    """Documents of one folder, indexed."""

    def __init__(
        self,
        path: str | Path,
        *,
        encoder: str | None = None,
        page_encoder: str | None = None,
        create: bool = True,
    ) -> None:
        """Open or create a library.

        Args:
            path: A folder with `library.json`, or one whose `.pagehop` is or becomes the library.
            encoder: Hub id or folder of a text encoder; None keeps the library's own, for a new
                library the one of the settings.
            page_encoder: The same of a page encoder (docs/VISUAL.md); a new library has none
                unless it is named here or in the settings.
            create: Make it when there is none.

        Raises:
            LibraryError: There is none and `create` is false, it cannot be made, or a newer
                pagehop wrote it.
        """
        if encoder is not None:
            check_text("encoder", encoder, "the hub id or folder of a text encoder")
        self._folder = open_folder(path, create=create)
        self.path = self._folder.path
        """The library's own folder."""
        self._settings = _with_page_encoder(load_settings(), page_encoder)
        self._encoders = TextEncoders(self._settings.encoder, encoder)
        self._store = Store(self.path)
        self._lock = threading.RLock()
        self._adding = threading.Lock()
        self._manifest: tuple[tuple[int, ...], Manifest] | None = None
        self._views: OrderedDict[tuple[int, frozenset[str] | None], View] = OrderedDict()
        self._pool: PdfPool | None = None
        self._reader = PictureReader(self._settings.ocr, self._render_pool)
        self._writer = Writer(
            self._store, self._settings, self._encoders.wanted_model, self._committed
        )
        self._current()
        atexit.register(_stop_at_exit, weakref.ref(self._writer))

    def __repr__(self) -> str:
        return f"Library({str(self.path)!r}, version={self.version})"

    def __enter__(self) -> "Library":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self,
        sources: Sources,
        *,
        labels: Collection[str] | None = None,
        metadata: Mapping[str, Scalar] | None = None,
        password: str | None = None,
        wait: bool = True,
        progress: bool | ProgressSink = False,
    ) -> IngestReport:
        """Bring files and folders into the library, or up to date.

        Args:
            sources: Folders (walked) and files of the formats in docs/FORMATS.md. A folder added
                before is compared: new, changed and deleted files are dealt with.
            labels: Who may see them: a view shows a document iff it has all its labels. None
                keeps what was given before; nothing for new sources.
            metadata: Kept with each document, for filters. None keeps what was given before.
            password: Tried on encrypted files; their copies in the library are not encrypted.
            wait: Return when regions, vectors and OCR are done; else at once, with a report that
                fills up while the writer works.
            progress: True shows a bar on a terminal; a function is called with each `status()`.

        Raises:
            LibraryError: A source does not exist or holds nothing to read, another process writes,
                the folder is read-only, or the disk is full. The report tells of bad files.
        """
        report = IngestReport()
        paths = read_sources(sources)
        wanted = read_labels(labels), read_metadata(metadata)
        if password is not None:
            check_text("password", password)
        if not isinstance(progress, bool) and not callable(progress):
            raise misfit("progress", progress, "True, False or a function of the status")
        with self._adding:  # a second add must see the labels that the first one gave
            try:
                found = scan(paths, (*self._current().roots, *self._writer.roots), *wanted)
            except LibraryError:
                forget_folder(self._folder)
                raise
            if not self.path.exists():  # an add before found nothing
                write_header(self.path, Manifest())
            self._writer.submit(Request(found, password, report))
        if wait:
            self._watch(progress)
        return report

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the background writer is idle; false when that took too long.

        Raises:
            LibraryError: What made the writer fail.
        """
        if timeout_s is not None and not isinstance(timeout_s, int | float):
            raise misfit("timeout_s", timeout_s, "a number of seconds, or None")
        return self._writer.wait(timeout_s)

    def remove(self, name: str) -> Document:
        """Take a document out; older versions of the library keep it for seven days.

        Its file stays where it is, and stays out when its folder is added again, until it is
        added by its own path or its bytes change.

        Args:
            name: A source name or slug takes out that file only, if the same bytes are there
                under other names, too; an id takes out all of them.

        Returns:
            The document, with the sources that were taken out.

        Raises:
            LibraryError: No document has that name, another process writes, the folder is
                read-only or the disk full.
        """
        check_text("name", name, "the name of a document")
        document = self.view().document(name)
        taken = meant_sources(document, name)
        self._writer.submit(Removal(document.id, frozenset(taken)))
        self._writer.wait()
        return replace(document, source=taken[0], sources=taken)

    def check(self, repair: bool = True) -> CheckReport:
        """Read every table and copy, and mend what is damaged.

        Args:
            repair: Mend; otherwise only look.

        Raises:
            LibraryError: No commit is readable, an older pagehop wrote it, another process writes,
                the folder is read-only or the disk full.
        """
        self._writer.wait()
        if needs_renewal(self._store, self._current()):
            raise outdated(self.path)
        damage = self._find_damage()
        if not (damage.problems and repair):
            return CheckReport(damage.problems, (), damage.lost)
        self._writer.submit(Mending(damage))
        self._writer.wait()
        pool = self._render_pool()
        gone = [d.sources[0].path for d in damage.copies if not restore_copy(self.path, d, pool)]
        left = self._find_damage().problems
        repaired = tuple(problem for problem in damage.problems if problem not in left)
        return CheckReport(damage.problems, repaired, (*damage.lost, *gone))

    def _find_damage(self) -> Damage:
        store = Store(self.path)  # ours may have in memory what is damaged on disk
        try:
            return find_damage(self.path, store)
        finally:
            store.close()

    def status(self) -> LibraryStatus:
        """Return how far the library is; cheap enough to poll."""
        manifest = self._current()
        return library_status(
            self.path, manifest, lambda: self._view(manifest, None).snapshot, self._writer
        )

    @property
    def version(self) -> int:
        """Number of the last commit."""
        return self._current().version

    @property
    def failed(self) -> tuple[tuple[str, str], ...]:
        """(path, reason) of each file that could not be read."""
        return tuple(
            (f.path, f"{f.reason}: {f.detail}" if f.detail else f.reason)
            for f in self._current().failed
        )

    def view(self, labels: Collection[str] | None = None) -> View:
        """Return the library as it is now, through labels.

        Args:
            labels: A document is visible iff its labels are a subset of these; an empty set shows
                unlabelled documents only, None shows everything.
        """
        return self._view(self._current(), read_labels(labels))

    def at(self, version: int) -> View:
        """Return an older version, kept for seven days.

        Raises:
            LibraryError: It was never committed or is no longer kept.
        """
        check_whole("version", version)
        return self._view(read_version(self.path, version), None)

    def documents(self) -> tuple[Document, ...]:
        """Return all documents, first added first."""
        return self.view().documents()

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        documents: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        pages: Collection[int] | None = None,
        metadata: Mapping[str, Scalar] | None = None,
        fusion: str = "",
        rerank: str | None = None,
        judge: Judge | None = None,
    ) -> Hits:
        """Find pages in all documents; see `View.search`."""
        return self.view().search(
            query,
            k=k,
            mode=mode,
            documents=documents,
            kinds=kinds,
            pages=pages,
            metadata=metadata,
            fusion=fusion,
            rerank=rerank,
            judge=judge,
        )

    def crop(self, ref: PageRef, box: Box = FULL_PAGE, *, max_pixels: int = 1_000_000) -> "Image":
        """Render a box of a page; see `View.crop`."""
        return self.view().crop(ref, box, max_pixels=max_pixels)

    def walk(
        self,
        ref: PageRef,
        *,
        relations: Collection[Relation] | None = None,
        query: str | None = None,
        hops: int = 1,
        width: int = 5,
        judge: Judge | None = None,
        judged: int = MOST_JUDGED,
    ) -> list[Walk]:
        """Follow the page graph; see `View.walk`."""
        return self.view().walk(
            ref,
            relations=relations,
            query=query,
            hops=hops,
            width=width,
            judge=judge,
            judged=judged,
        )

    def page_graph(
        self, relations: Collection[Relation] | None = None, *, most: int = 5
    ) -> "MultiDiGraph":
        """Return the page graph as a networkx graph; see `View.page_graph`."""
        return self.view().page_graph(relations, most=most)

    def as_retriever(self, k: int = 8) -> "BaseRetriever":
        """Return a LangChain retriever over all documents."""
        return self.view().as_retriever(k)

    def close(self) -> None:
        """Stop the writer after its next commit and end all workers.

        What is left to do is done by the next `add`.
        """
        self._writer.stop()
        self._reader.close()
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None
            self._views.clear()
            self._store.close()

    def _watch(self, progress: bool | ProgressSink) -> None:
        """Wait for the writer; Ctrl-C stops it after its next commit."""
        try:
            if not progress:
                self._writer.wait()
                return
            from pagehop.library.progress import show_progress  # noqa: PLC0415 - loads rich

            with show_progress(progress) as show:
                while not self._writer.wait(POLL_S):
                    show(self.status())
                show(self.status())
        except KeyboardInterrupt:
            self._writer.stop()
            raise

    def _current(self) -> Manifest:
        """Return the last commit, also one of another process."""
        mark = commit_mark(self.path)
        with self._lock:
            if self._manifest is None or self._manifest[0] != mark:
                self._manifest = (mark, read_manifest(self.path))
                self._views.clear()  # each may hold all vectors; those in use live on
            return self._manifest[1]

    def _committed(self, _: Manifest) -> None:
        with self._lock:
            self._manifest = None

    def _view(self, manifest: Manifest, labels: frozenset[str] | None) -> View:
        if manifest.format < FORMAT_VERSION:
            raise outdated(self.path)
        key = (manifest.version, labels)
        with self._lock:
            if key not in self._views:
                self._views[key] = View(
                    Snapshot(self._store, manifest, labels),
                    labels=labels,
                    runs_path=self.path / "runs",
                    encoder=lambda: self._encoders.serving(manifest),
                    page_encoder=lambda: load_seeing(manifest, self._settings.page_encoder),
                    pool=self._render_pool,
                    reader=self._reader,
                    want=self._writer.want,
                )
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
            self._views.move_to_end(key)
            return self._views[key]

    def _render_pool(self) -> PdfPool:
        with self._lock:
            if self._pool is None:
                self._pool = PdfPool(self._settings.ingest)
            return self._pool


def _with_page_encoder(settings: Settings, model: str | None) -> Settings:
    if model is None:
        return settings
    changed = settings.page_encoder.model_copy(update={"model": model})
    return settings.model_copy(update={"page_encoder": changed})


def _stop_at_exit(writer: "weakref.ref[Writer]") -> None:
    """Let a running writer reach its next commit, so that the least is done again."""
    alive = writer()
    if alive is not None and alive.busy:
        alive.stop(timeout_s=5.0)
