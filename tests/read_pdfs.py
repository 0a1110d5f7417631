"""Reading one PDF in a test: what came of it, or its error raised."""

from pathlib import Path

from pagehop.errors import PdfError
from pagehop.reading.parsed import DocumentReading, DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool


def read(pool: PdfPool, path: Path, password: str | None = None) -> DocumentText:
    ((_, result),) = pool.texts([PdfJob(path, "ab" * 32, "Title", password)])
    if isinstance(result, PdfError):
        raise result
    return result


def cut(pool: PdfPool, path: Path) -> DocumentReading:
    ((_, result),) = pool.readings([PdfJob(path, "ab" * 32, "Title")])
    if isinstance(result, PdfError):
        raise result
    return result
