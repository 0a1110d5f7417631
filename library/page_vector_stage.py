"""The stage that looks: pages are rendered and go through a page encoder, document by document.

1. What is left is read from the tables, so a stopped or killed stage goes on where its last commit
   was. A page that the document has in another partition is copied, not encoded again.
2. A page that cannot be rendered is kept without vectors and not tried again.
3. A document's byte codes for searches (`page_codes.py`) are written when all its pages are there.

The first encoder of a library serves searches from its first commit on; a later one only from its
last, and the one before it until then.
"""

import time
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pagehop.errors import ModelError, PdfError
from pagehop.library.copies import copy_path
from pagehop.library.ingest import Ingestion
from pagehop.library.manifest import Encoder, write_header
from pagehop.library.matches import where_clause
from pagehop.library.page_codes import clean_codes, codes_path, read_codes, write_codes
from pagehop.library.page_encoders import wanted_model
from pagehop.library.picture_vectors import make_codes, page_vector_rows, to_page_vectors
from pagehop.library.tables import PAGE_VECTORS
from pagehop.models.maxsim import Vectors
from pagehop.models.page_encoder import PageEncoder, load_page_encoder
from pagehop.settings import PageEncoderSettings
from pagehop.types import FULL_PAGE

COMMIT_EVERY_S = 20.0
Lacking = Mapping[str, frozenset[int]]
"""Pages of one document without vectors, by partition."""


class PageVectorStage:
    """Encodes the pages that have no vectors of one page encoder."""

    def __init__(self, ingestion: Ingestion, settings: PageEncoderSettings) -> None:
        """Prepare; the encoder is found when it is asked what is left."""
        self._at = ingestion
        self._settings = settings
        self._model = wanted_model(ingestion.manifest, settings)
        self._encoder: PageEncoder | None = None
        self._looked_at = -1
        self._left: dict[str, Lacking] = {}
        self.warnings: list[str] = []

    def left(self) -> bool:
        """Say whether pages lack vectors, or this encoder has yet to serve searches."""
        encoder = self._found()
        if encoder is None:
            return False
        if self._looked_at != self._at.manifest.version:
            self._left = self._missing(encoder)
            self._looked_at = self._at.manifest.version
        return bool(self._left) or (
            bool(self._at.catalog.documents) and self._at.manifest.seeing != encoder.id
        )

    def run(self) -> None:
        """Encode all of them.

        Raises:
            Interrupted: Told to stop; what was encoded so far is committed.
            LibraryError: The disk refused; the last commit holds.
        """
        if not self.left() or self._encoder is None:
            return
        run = _Run(self._at, self._encoder, self._model, self.warnings)
        try:
            for document, lacking in self._left.items():
                run.encode(document, lacking)
            run.end()
        except ModelError as error:
            self._give_up(error)

    def clean(self) -> None:
        """Remove codes of what the library holds no more."""
        documents = {id for _, id in self._at.catalog.documents}
        clean_codes(self._at.store.folder, self._at.manifest.page_encoders, documents)

    def _found(self) -> PageEncoder | None:
        if self._encoder is None and self._model:
            try:
                self._encoder = load_page_encoder(self._model, settings=self._settings)
            except ModelError as error:
                self._give_up(error)
        return self._encoder if self._model else None

    def _give_up(self, error: ModelError) -> None:
        self._model = ""
        self.warnings.append(f"no vectors of page pictures, so no visual search of them: {error}")

    def _missing(self, encoder: PageEncoder) -> dict[str, Lacking]:
        """Return what each document lacks; nothing in a partition where only its codes do."""
        held = _held(self._at, encoder.id)
        found: dict[str, dict[str, frozenset[int]]] = {}
        for (key, id), document in self._at.catalog.documents.items():
            pages = frozenset(range(1, document.pages + 1)) - held.get((key, id), frozenset())
            if pages or read_codes(codes_path(self._at.store.folder, encoder.id, id)) is None:
                found.setdefault(id, {})[key] = pages
        return dict(found)


def _held(at: Ingestion, encoder: str) -> dict[tuple[str, str], frozenset[int]]:
    """Return the encoded pages of each document, by partition and id."""
    found: dict[tuple[str, str], set[int]] = {}
    name = PAGE_VECTORS + encoder
    for key, part in at.manifest.partitions.items():
        if name in part.tables:
            table = at.store.at(key, name, part.tables[name])
            rows = table.search().select(["document", "page"]).to_arrow()
            for id, page in zip(*(rows[c].to_pylist() for c in rows.column_names), strict=True):
                found.setdefault((key, id), set()).add(page)
    return {where: frozenset(pages) for where, pages in found.items()}


class _Run:
    """One pass over what is left."""

    def __init__(
        self, at: Ingestion, encoder: PageEncoder, model: str, warnings: list[str]
    ) -> None:
        self._at = at
        self._encoder = encoder
        self._table = PAGE_VECTORS + encoder.id
        self._entry = Encoder(model, encoder.digest, encoder.dim)
        self._warnings = warnings
        self._start, self._done = time.monotonic(), 0

    def encode(self, id: str, lacking: Lacking) -> None:
        """Bring a document up to all its pages, then write its codes."""
        made = self._copied(id, lacking)
        pages = sorted(frozenset[int]().union(*lacking.values()) - made.keys())
        self._put(id, made, lacking)
        made, last = {}, time.monotonic()
        size = self._encoder.batch_pages
        for first in range(0, len(pages), size):
            some = pages[first : first + size]
            made |= self._look(id, some)
            self._note(len(some))
            if self._at.interrupted() or time.monotonic() - last > COMMIT_EVERY_S:
                self._put(id, made, lacking)
                made, last = {}, time.monotonic()
                self._at.check()
        self._put(id, made, lacking)
        self._write_codes(id)

    def end(self) -> None:
        """Index what is there and let this encoder serve."""
        self._at.finish(self._at.begin(), self._table, **self._seeing(self._encoder.id))
        write_header(self._at.store.folder, self._at.manifest)

    def _copied(self, id: str, lacking: Lacking) -> dict[int, Vectors]:
        """Return vectors of lacking pages that the document has in another partition."""
        found: dict[int, Vectors] = {}
        wanted = frozenset[int]().union(*lacking.values())
        for key, held_id in _held(self._at, self._encoder.id) if wanted else ():
            if held_id == id:
                where = where_clause(documents=(id,), pages=sorted(wanted))
                rows = to_page_vectors(self._rows(key, where))
                found |= {page: vectors for (_, page), vectors in rows.items()}
        return found

    def _look(self, id: str, pages: list[int]) -> dict[int, Vectors]:
        """Render and encode some pages; those that cannot be rendered get no vectors."""
        path = copy_path(self._at.store.folder, id)
        pictures = {}
        for page in pages:
            try:
                pictures[page] = self._at.pool.crop(
                    path, page, FULL_PAGE, max_pixels=self._encoder.pixels
                )
            except PdfError as error:
                name = self._name(id)
                self._warnings.append(f"{name}: page {page} cannot be found by sight: {error}")
        made = self._encoder.encode_pages(list(pictures.values()))
        none = np.zeros((0, self._encoder.dim), np.float32)
        return dict.fromkeys(pages, none) | dict(zip(pictures, made, strict=True))

    def _name(self, id: str) -> str:
        key = self._at.catalog.partitions_of(id)[0]
        return self._at.catalog.documents[key, id].sources[0].name

    def _put(self, id: str, made: dict[int, Vectors], lacking: Lacking) -> None:
        if not made:
            return
        commit = self._at.begin()
        for key, wanted in lacking.items():
            pages = sorted(wanted & made.keys())
            vectors = [made[page] for page in pages]
            rows = page_vector_rows(id, pages, vectors, self._encoder.dim)
            commit.append(self._at.catalog.labels[key], self._table, rows)
        self._at.finish(commit, **self._seeing(self._at.manifest.seeing or self._encoder.id))

    def _seeing(self, seeing: str) -> dict[str, object]:
        known = {**self._at.manifest.page_encoders, self._encoder.id: self._entry}
        return {"seeing": seeing, "page_encoders": known}

    def _write_codes(self, id: str) -> None:
        key = self._at.catalog.partitions_of(id)[0]
        rows = self._rows(key, where_clause(documents=(id,)))
        if rows.num_rows:
            path = codes_path(self._at.store.folder, self._encoder.id, id)
            write_codes(path, make_codes(rows))

    def _rows(self, key: str, where: str) -> pa.Table:
        version = self._at.manifest.partitions[key].tables[self._table]
        return self._at.store.at(key, self._table, version).search().where(where).to_arrow()

    def _note(self, pages: int) -> None:
        self._done += pages
        self._at.progress.looks_per_s = self._done / (time.monotonic() - self._start)
