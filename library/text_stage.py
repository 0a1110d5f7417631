"""The text stage: files are copied, hashed and read; their pages can then be found by keywords.

1. A file whose size and time are known costs a stat; one whose bytes are known, a hash.
2. A changed file is a new document that replaces the old one in the same commit, and keeps its
   place in the list. If its new version cannot be read, the old one stays, and that is reported.
3. Files gone from a folder that is scanned again leave the library at the end.
4. A file of a folder that was removed by name stays out, until it is added by name or changes.
"""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pagehop.errors import PdfError
from pagehop.finding.names import name_words
from pagehop.library.copies import copy_hashed, keep_copy, open_up
from pagehop.library.disk import writing
from pagehop.library.ingest import Ingestion, Interrupted, Request
from pagehop.library.manifest import FailedFile, RemovedFile
from pagehop.library.scan import Found, is_below
from pagehop.library.tables import Source, StoredDocument, page_rows
from pagehop.reading.formats import spelling_warnings
from pagehop.reading.office import find_soffice
from pagehop.reading.parsed import PARSER_VERSION, DocumentText, PdfJob
from pagehop.types import Scalar

COMMIT_EVERY_S = 1.0
BATCH_PAGES = 2_000
"""Pages kept in memory before they are committed whatever the time."""


@dataclass(frozen=True)
class _Pending:
    """A file in the hands of the workers."""

    found: Found
    added: int
    replaces: str
    """Document id of the file's version before; empty for a new file."""
    decrypted: bool


class TextStage:
    """One request's way through the text stage."""

    _at: Ingestion

    def __init__(self, request: Request) -> None:
        self._request = request
        self._report = request.report
        self._named = {root.path for root in request.scan.roots}
        self._failed: dict[str, FailedFile] = {}
        self._removed: dict[str, RemovedFile] = {}
        self._pending: dict[str, _Pending] = {}
        self._later: list[Found] = []
        """Files with the bytes of one that the workers have at the moment."""
        self._pages = 0
        """Read, not yet committed."""
        self.waiting = len(request.scan.files)
        """Files not yet decided."""

    def run(self, ingestion: Ingestion) -> None:
        """Read all files of the request.

        Raises:
            Interrupted: Told to stop; what was read so far is committed.
            LibraryError: The disk refused; the last commit holds.
        """
        self._at = ingestion
        self._failed = {failed.path: failed for failed in ingestion.manifest.failed}
        self._removed = {removed.path: removed for removed in ingestion.manifest.removed}
        with writing(self._at.store.folder):
            self._at.sources.mkdir(parents=True, exist_ok=True)
        files: Sequence[Found] = self._request.scan.files
        try:
            while files:
                self._later = []
                self._read(files)
                files = self._later
                if files:
                    self._commit()
        except Interrupted:
            self._commit()
            raise
        self._end()

    def _read(self, files: Sequence[Found]) -> None:
        start = time.monotonic()
        for done, (job, text) in enumerate(self._at.pool.texts(self._jobs(files)), 1):
            self._take(job, text)
            self._at.progress.files_per_s = done / (time.monotonic() - start)
            if self._due():
                self._commit()
            self._at.check()
        self._at.check()

    def _jobs(self, files: Sequence[Found]) -> Iterator[PdfJob]:
        for found in files:
            if self._at.interrupted():
                return
            job = None if self._known(found) else self._prepare(found)
            if job is not None:
                yield job
            elif found not in self._later:
                self.waiting -= 1

    def _known(self, found: Found) -> bool:
        """Deal with a file that is as it was; true when there is nothing to read."""
        source = found.source
        if source.path in self._named:
            self._removed.pop(source.path, None)
        removed = self._removed.get(source.path)
        if removed and (removed.size, removed.mtime_ns) == (source.size, source.mtime_ns):
            self._report.left_out.append(source.name)
            return True
        failed = self._failed.get(source.path)
        if failed and (failed.size, failed.mtime_ns) == (source.size, source.mtime_ns):
            if not self._may_go_better(failed):
                self._report.failed.append((source.path, _reason(failed)))
                return True
        key = self._at.catalog.by_path.get(source.path)
        if key is None:
            return False
        document = self._at.catalog.documents[key]
        stored = next(s for s in document.sources if s.path == source.path)
        same = (stored.size, stored.mtime_ns) == (source.size, source.mtime_ns)
        return same and self._keep(key[1], found)

    def _may_go_better(self, failed: FailedFile) -> bool:
        """Tell whether a file that could not be read is worth another try as it is."""
        if failed.parser != PARSER_VERSION:
            return True
        match failed.reason:
            case "encrypted":
                return self._request.password is not None
            case "no converter":
                return find_soffice() is not None
            case "not a PDF":  # an older release took nothing else
                return not failed.path.lower().endswith(".pdf")
        return False

    def _keep(self, document_id: str, found: Found) -> bool:
        """Note a file whose bytes are in the library; false when they must be read again."""
        catalog, source = self._at.catalog, found.source
        before = catalog.by_path.get(source.path)
        metadata = catalog.documents[before].metadata if before else None
        if not catalog.attach(document_id, found):
            return False
        if before is None or before[1] != document_id:
            told = self._report.added if before is None else self._report.updated
        elif catalog.by_path[source.path] != before or metadata != found.metadata:
            told = self._report.updated
        else:
            told = self._report.unchanged
        told.append(source.name)
        self._failed.pop(source.path, None)
        return True

    def _prepare(self, found: Found) -> PdfJob | None:
        """Copy and hash a file; returns a job when its bytes are new."""
        part = self._at.sources / f".{secrets.token_hex(8)}.part"
        try:
            with writing(self._at.store.folder):
                copied = copy_hashed(Path(found.source.path), part)
                id = copied.id
                if self._leave_out(id, found):
                    return None
                if id in self._pending:
                    self._later.append(found)
                    return None
                if self._keep(id, found):
                    return None
                path = self._at.sources / f"{id}.pdf"
                given = self._at.pool, self._request.password, self._at.check
                decrypted = open_up(part, copied, *given)
                keep_copy(part, path, made=decrypted)
        except PdfError as error:
            self._fail(found, error)
            return None
        finally:
            part.unlink(missing_ok=True)
        before = self._at.catalog.by_path.get(found.source.path)
        added = self._at.catalog.documents[before].added if before else self._at.catalog.number()
        self._pending[id] = _Pending(found, added, before[1] if before else "", decrypted)
        title = name_words(found.source.name)
        password, scans = self._request.password, self._at.known_scans(id)
        return PdfJob(path, document_id=id, title=title, password=password, scans=scans)

    def _leave_out(self, id: str, found: Found) -> bool:
        """Say whether a file was removed by name and still has the bytes it had."""
        source = found.source
        removed = self._removed.pop(source.path, None)
        if removed is None or removed.document != id:
            return False
        self._removed[source.path] = RemovedFile(source.path, id, source.size, source.mtime_ns)
        self._report.left_out.append(source.name)
        return True

    def _take(self, job: PdfJob, text: DocumentText | PdfError) -> None:
        """Put what a worker read, or why it could not, into the catalog."""
        pending = self._pending.pop(job.document_id)
        self.waiting -= 1
        if isinstance(text, PdfError):
            if not self._at.catalog.partitions_of(job.document_id):
                job.path.unlink(missing_ok=True)
                job.path.with_suffix(".sum").unlink(missing_ok=True)
            self._fail(pending.found, text)
            return
        found, source = pending.found, pending.found.source
        self._failed.pop(source.path, None)
        if pending.replaces:
            self._at.catalog.detach(source.path)
        document = read_document(
            text,
            id=job.document_id,
            added=pending.added,
            sources=(source,),
            metadata=dict(found.metadata),
            decrypted=pending.decrypted,
        )
        rows = page_rows(document.id, search_title(document), text)
        self._at.catalog.add(found.labels, document, rows)
        self._pages += len(text.pages)
        told = self._report.updated if pending.replaces else self._report.added
        told.append(source.name)
        warnings = [*text.warnings, *spelling_warnings(source.name, (p.text for p in text.pages))]
        self._report.warnings += [f"{source.name}: {warning}" for warning in warnings]

    def _fail(self, found: Found, error: PdfError) -> None:
        source = found.source
        kept = source.path in self._at.catalog.by_path
        detail = error.detail + ("; its version before is kept" if kept else "")
        failed = FailedFile(
            path=source.path,
            source=source.name,
            size=source.size,
            mtime_ns=source.mtime_ns,
            reason=error.reason,
            detail=detail,
            labels=tuple(sorted(found.labels)),
        )
        self._failed[source.path] = failed
        self._report.failed.append((source.path, _reason(failed)))

    def _due(self) -> bool:
        since = time.monotonic() - self._at.last_commit
        return self._pages > 0 and (since > COMMIT_EVERY_S or self._pages > BATCH_PAGES)

    def _commit(self, **changes: object) -> None:
        self._at.finish(self._at.begin(), **self._told_apart(), **changes)
        self._pages = 0

    def _told_apart(self) -> dict[str, object]:
        """Return what the manifest says of files that are no documents."""
        return {
            "failed": tuple(self._failed.values()),
            "removed": tuple(self._removed.values()),
        }

    def _end(self) -> None:
        """Drop what was deleted, and remember the folders."""
        self._drop_deleted()
        order = {found.source.name: i for i, found in enumerate(self._request.scan.files)}
        report = self._report
        for told in (report.added, report.updated, report.unchanged, report.left_out):
            told.sort(key=lambda name: order[name])
        manifest = self._at.manifest
        scan = self._request.scan
        merged = {root.path: root for root in (*manifest.roots, *scan.below, *scan.roots)}
        roots = tuple(merged.values())
        now = {**self._told_apart(), "roots": roots}
        if self._at.catalog.changed or any(getattr(manifest, n) != v for n, v in now.items()):
            self._commit(roots=roots)

    def _drop_deleted(self) -> None:
        present = {found.source.path for found in self._request.scan.files}
        for folder in self._request.scan.folders:
            for path in [p for p in self._at.catalog.by_path if is_below(p, folder)]:
                if path not in present:
                    key = self._at.catalog.by_path[path]
                    sources = self._at.catalog.documents[key].sources
                    self._report.removed += [s.name for s in sources if s.path == path]
                    self._at.catalog.detach(path)
            for files in (self._failed, self._removed):
                for path in [p for p in files if is_below(p, folder) and p not in present]:
                    del files[path]
        for folder in self._request.scan.empty:
            self._report.failed.append((folder, "empty: nothing in this folder can be read"))


def read_document(
    text: DocumentText,
    *,
    id: str,
    added: int,
    sources: tuple[Source, ...],
    metadata: Mapping[str, Scalar],
    decrypted: bool,
) -> StoredDocument:
    """Return the row of a document whose text was read."""
    return StoredDocument(
        id=id,
        added=added,
        title=text.title,
        pages=len(text.pages),
        sources=sources,
        metadata=metadata,
        decrypted=decrypted,
        outline=text.outline,
        damaged_pages=tuple(page.page for page in text.pages if page.damaged),
        scanned_pages=tuple(page.page for page in text.pages if page.scanned),
        ocr_pages=tuple(page.page for page in text.pages if page.ocr is not None),
    )


def search_title(document: StoredDocument) -> str:
    """Return the words put before each text for indexing: file name, then its own title."""
    words = name_words(document.sources[0].name)
    title = " ".join(document.title.split())
    return words if title.lower() in words.lower() else f"{words} {title}".strip()


def _reason(failed: FailedFile) -> str:
    return f"{failed.reason}: {failed.detail}" if failed.detail else failed.reason
