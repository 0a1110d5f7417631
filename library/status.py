"""How far a library is: what is read, cut into passages, embedded, and what is left to do."""

from collections.abc import Callable
from pathlib import Path

from pagehop.errors import LibraryError
from pagehop.library.manifest import Manifest
from pagehop.library.reports import LibraryStatus
from pagehop.library.snapshot import Snapshot
from pagehop.library.tables import READ_BY
from pagehop.library.writer import Writer


def library_status(
    path: Path, manifest: Manifest, snapshot: Callable[[], Snapshot], writer: Writer
) -> LibraryStatus:
    """Count what a version holds and estimate the rest; cheap enough to poll.

    Args:
        path: The library's own folder.
        manifest: Of the version that is counted.
        snapshot: Opens its tables.
        writer: What is at work on the next version.

    Raises:
        LibraryError: The tables cannot be read, and nobody is at work on them.
    """
    waiting, progress, busy = writer.waiting, writer.progress, writer.busy
    try:
        tables = snapshot()
        records = [record for record, _ in tables.records.values()]
        passages, embedded = tables.passages(), tables.embedded()
        seen = tables.picture_vectors.encoded
    except LibraryError:  # an older library is being read again
        if not busy:
            raise
        records, passages, embedded, seen = [], 0, 0.0, 0
    read = sum(record.pages for record in records if record.read_by == READ_BY)
    pages = sum(record.pages for record in records)
    if not passages and read < pages:
        embedded = 0.0  # of the passages to come
    scanned = sum(len(record.scanned_pages) for record in records)
    scanned_read = sum(len(record.ocr_pages) for record in records)
    left = progress.seconds_left(
        waiting, pages - read, passages * (1 - embedded), scanned - scanned_read, pages - seen
    )
    return LibraryStatus(
        path=str(path),
        version=manifest.version,
        documents=len(records),
        pages=pages,
        pages_read=read,
        passages=passages,
        scanned=scanned,
        scanned_read=scanned_read,
        embedded=embedded,
        text_complete=waiting == 0,
        failed=len(manifest.failed),
        stage=progress.stage if busy else "idle",
        waiting=waiting,
        seconds_left=left if busy else None,
        encoder=manifest.serving,
        page_encoder=manifest.seeing,
        pages_seen=seen,
    )
