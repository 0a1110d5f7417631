"""The vector stage: passages without a vector are embedded, those of like length together."""

import time
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pagehop.finding.passage_vectors import PassageEmbedder
from pagehop.library.ingest import Ingestion
from pagehop.library.manifest import Encoder, write_header
from pagehop.library.tables import VECTORS, vector_rows
from pagehop.models.text_encoder import TextEncoder

WINDOW = 8_192
"""Passages sorted by length together."""
CHUNK = 512
"""Passages embedded between two commits."""


class VectorStage:
    """Embeds what has no vector of one encoder."""

    def __init__(self, ingestion: Ingestion, encoder: TextEncoder, model: str) -> None:
        """Prepare.

        Args:
            ingestion: The writer's hold on the library.
            encoder: Loaded lazily by itself.
            model: What the encoder is loaded by: hub id, folder, or empty for the packaged one.
        """
        self._at = ingestion
        self._encoder = encoder
        self._table = VECTORS + encoder.id
        self._embedder = PassageEmbedder(encoder)
        self._entry = Encoder(model, encoder.digest, encoder.dim)

    def needed(self) -> bool:
        """Say whether passages lack a vector, or this encoder has yet to serve searches."""
        at = self._at.manifest.partitions
        passages = sum(document.passages for document in self._at.catalog.documents.values())
        rows: int = sum(
            self._at.store.count(key, self._table, part.tables[self._table])
            for key, part in at.items()
            if self._table in part.tables
        )
        return passages > rows or (passages > 0 and self._at.manifest.serving != self._encoder.id)

    def run(self) -> None:
        """Embed all of them.

        The first encoder of a library serves searches from its first commit on; a later one
        only from its last, and the one before it until then.

        Raises:
            Interrupted: Told to stop; what was embedded so far is committed.
            LibraryError: The disk refused; the last commit holds.
            ModelError: The encoder cannot be loaded.
        """
        start, done = time.monotonic(), 0
        for key, window in self._windows():
            lengths = pc.utf8_length(window["text"])
            window = window.take(pc.sort_indices(lengths))
            for first in range(0, window.num_rows, CHUNK):
                self._embed(key, window.slice(first, CHUNK))
                done += min(CHUNK, window.num_rows - first)
                self._at.progress.passages_per_s = done / (time.monotonic() - start)
                self._at.check()
        self._end()

    def _embed(self, key: str, rows: pa.Table) -> None:
        texts, search_texts = (rows[name].to_pylist() for name in ("text", "search_text"))
        vectors = self._embedder.embed(texts, search_texts)
        commit = self._at.begin()
        commit.append(self._at.catalog.labels[key], self._table, vector_rows(rows, vectors))
        self._at.finish(commit, **self._serving(self._at.manifest.serving or self._encoder.id))

    def _end(self) -> None:
        commit = self._at.begin()
        changes = self._serving(self._encoder.id)
        self._at.finish(commit, self._table, **changes)
        write_header(self._at.store.folder, self._at.manifest)

    def _serving(self, serving: str) -> dict[str, object]:
        encoders = {**self._at.manifest.encoders, self._encoder.id: self._entry}
        return {"serving": serving, "encoders": encoders}

    def _windows(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield passages without a vector, as (partition, rows)."""
        columns = ["id", "document", "page", "parent_kind", "text", "search_text"]
        for key, part in list(self._at.manifest.partitions.items()):
            if "regions" not in part.tables:
                continue
            store, version = self._at.store, part.tables["regions"]
            ids = store.rows(key, "regions", version, where="kind = 'passage'", columns=["id"])[
                "id"
            ]
            if self._table in part.tables:
                made = part.tables[self._table]
                have = store.rows(key, self._table, made, columns=["id"])["id"].combine_chunks()
                ids = ids.filter(pc.invert(pc.is_in(ids, have)))
            for first in range(0, len(ids), WINDOW):
                wanted = ", ".join(f"'{id}'" for id in ids.slice(first, WINDOW).to_pylist())
                where = f"id IN ({wanted})"
                yield key, store.rows(key, "regions", version, where=where, columns=columns)
