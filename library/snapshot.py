"""The read side of one library version, restricted to the partitions that are visible.

Whatever a view can learn comes from here, and nothing here opens a table outside the visible
partitions: that is what keeps documents outside a view without any influence on it.

1. A document that stands in several visible partitions is shown once, from the first of them.
2. Full text runs in each partition; its scores are comparable within a partition only, so a
   search re-scores with `statistics()`, which are summed over the visible partitions.
3. Rows a search will need again (regions, pages) are kept in small caches; versions never change.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pagehop.errors import LibraryError
from pagehop.finding.corpus import Matched, VectorBlock
from pagehop.finding.names import slug
from pagehop.finding.page_keys import PageKeys, ViewKeys
from pagehop.finding.profiles import read_profiles
from pagehop.finding.routing import Routing
from pagehop.finding.search_memo import SearchMemo
from pagehop.finding.terms import TermCounts, TermStatistics, tokens
from pagehop.library.manifest import Encoder, Manifest
from pagehop.library.matches import sum_counts, to_matches, to_vector_block, where_clause
from pagehop.library.picture_vectors import PictureVectors
from pagehop.library.region_rows import RegionRows, remember
from pagehop.library.tables import (
    PAGE_VECTORS,
    PAGES,
    VECTORS,
    StoredDocument,
    to_anchors,
    to_page,
    to_page_texts,
    to_regions,
)
from pagehop.library.visible_rows import VisibleRows
from pagehop.reading.anchors import Anchor
from pagehop.reading.parsed import PageText
from pagehop.types import Document, Page, Region

if TYPE_CHECKING:
    from pagehop.library.store import Store

CACHED_PAGES = 256
MANY_DOCUMENTS = 500
"""More documents are not named one by one in a query."""


class Snapshot:
    """One library version, seen through the visible partitions."""

    def __init__(self, store: "Store", manifest: Manifest, labels: frozenset[str] | None) -> None:
        self._store = store
        self._manifest = manifest
        self._partitions = manifest.visible(labels)
        self._visible = VisibleRows(store, self._partitions)
        self._regions = RegionRows(self._visible)
        self._page_texts: OrderedDict[tuple[str, int], PageText] = OrderedDict()
        self._lock = RLock()
        self.memo = SearchMemo()
        """Of `search.py` alone."""

    @property
    def version(self) -> int:
        """Library version."""
        return self._manifest.version

    @property
    def encoder(self) -> tuple[str, Encoder] | None:
        """Id and description of the encoder whose vectors `vectors()` returns."""
        serving = self._manifest.serving
        return (serving, self._manifest.encoders[serving]) if serving else None

    @property
    def records(self) -> dict[str, tuple[StoredDocument, str]]:
        """Every visible document, first added first, with the partition it is read from."""
        return self._visible.records

    def documents(self) -> list[Document]:
        """Return the documents, first added first, named by their bare slug."""
        return [
            document.show(slug(document.sources[0].name), self._partitions[key].labels)
            for document, key in self.records.values()
        ]

    def unread(self) -> frozenset[str]:
        """Return the ids of documents without passages: only `match_pages` finds them."""
        return frozenset(id for id, (record, _) in self.records.items() if not record.passages)

    def pages(self, document_id: str, pages: Collection[int] | None = None) -> list[Page]:
        """Return pages of a document in order, with an empty name in their reference."""
        return [to_page(document_id, "", text) for text in self.page_texts(document_id, pages)]

    def page_texts(self, document_id: str, pages: Collection[int] | None = None) -> list[PageText]:
        """Return pages of a document in order, as the text stage read them."""
        if document_id not in self.records:
            return []
        with self._lock:
            cached = [self._page_texts.get((document_id, page)) for page in pages or ()]
        if cached and all(cached):
            return sorted((text for text in cached if text), key=lambda text: text.page)
        where = where_clause(documents=(document_id,), pages=pages)
        rows = self._visible.rows(self.records[document_id][1], "pages", where)
        texts = to_page_texts(rows.sort_by("page"))
        with self._lock:
            remember(self._page_texts, {(document_id, t.page): t for t in texts}, CACHED_PAGES)
        return texts

    def texts(self, pages: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the texts of pages of several documents (id, page), in one reading.

        Without the boxes of their words, which `page_texts` reads, too.
        """
        wanted: dict[str, dict[str, list[int]]] = {}
        for id, page in pages:
            if id in self.records:
                wanted.setdefault(self.records[id][1], {}).setdefault(id, []).append(page)
        found = {}
        for key, documents in wanted.items():
            parts = (where_clause(documents=(id,), pages=of) for id, of in documents.items())
            where = " OR ".join(f"({part})" for part in parts)
            names = ["document", "page", "search_text", "skip"]
            rows = self._visible.rows(key, "pages", where, names)
            columns = (rows[name].to_pylist() for name in rows.column_names)
            for id, page, text, skip in zip(*columns, strict=True):
                found[id, page] = (text or "")[skip:]
        return found

    def regions(
        self, document_id: str, *, page: int | None = None, kinds: Collection[str] | None = None
    ) -> list[Region]:
        """Return regions and passages of a document in reading order."""
        if document_id not in self.records:
            return []
        pages = None if page is None else (page,)
        where = where_clause(documents=(document_id,), pages=pages, column="kind", values=kinds)
        rows = self._visible.rows(self.records[document_id][1], "regions", where)
        return to_regions(rows.sort_by([("page", "ascending"), ("order", "ascending")]))

    def regions_by_id(self, ids: Iterable[str]) -> dict[str, Region]:
        """Return the regions that exist and are visible, by id."""
        return self._regions.with_ids(ids)

    def match(
        self,
        words: str | Iterable[str],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return passages that hold any of the words, the best `limit` of each partition.

        Args:
            words: A text, or terms as `terms.tokens` gives them.
            limit: Rows from each partition: ask for more than are needed and re-score.
            documents: Ids; None for all visible ones.
            kinds: Kinds of the region a passage was cut from.
            pages: Page numbers.
        """
        where = where_clause(documents=documents, pages=pages, column="parent_kind", values=kinds)
        terms = tokens(words) if isinstance(words, str) else words
        # rows only: the regions of a query like earlier ones are in memory
        found = self._visible.full_text_rows("regions", "terms", terms, limit, where)
        ranked = [
            (-found[row], region.document, region.page, region.order, region.id)
            for row, region in self._regions.at(found).items()
        ]
        return [
            Matched(id, document, page, -score) for score, document, page, _, id in sorted(ranked)
        ]

    def match_pages(
        self,
        words: str | Iterable[str],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return pages that hold any of the words: finds documents not yet read into regions."""
        where = where_clause(documents=documents, pages=pages)
        rows = self._visible.full_text("pages", "search_text", words, limit, where, PAGES.names)
        if rows is None:
            return []
        keys = list(zip(rows["document"].to_pylist(), rows["page"].to_pylist(), strict=True))
        with self._lock:
            texts = dict(zip(keys, to_page_texts(rows), strict=True))
            remember(self._page_texts, texts, CACHED_PAGES)
        scores = rows["_score"].to_pylist()
        return [Matched("", *key, score) for key, score in zip(keys, scores, strict=True)]

    def statistics(self, documents: Collection[str] | None = None) -> TermStatistics:
        """Return the word statistics of all visible passages, or of some documents' (ids)."""
        if documents is None:
            return self._statistics
        counts = []
        for id in documents:
            where = where_clause(documents=(id,))
            for row in self._visible.rows(self.records[id][1], "terms", where).to_pylist():
                df = dict(zip(row["words"], row["counts"], strict=True))
                counts.append(TermCounts(row["passages"], row["total_length"], df))
        return TermStatistics.of(counts)

    @cached_property
    def _statistics(self) -> TermStatistics:
        counted = [self._counted(key) for key in self._partitions]
        passages = sum(pc.sum(rows["passages"]).as_py() or 0 for rows, _ in counted)
        length = sum(pc.sum(rows["total_length"]).as_py() or 0 for rows, _ in counted)
        if not passages:
            return TermStatistics(0, 0.0, {})
        df = sum_counts([words for _, words in counted])
        words, counts = df["word"].to_pylist(), df["count"].to_pylist()
        return TermStatistics(passages, length / passages, dict(zip(words, counts, strict=True)))

    def spread(self, terms: Collection[str]) -> dict[str, int]:
        """Return in how many visible documents each of these terms stands."""
        wanted = pa.array(list(terms), pa.string())
        found: Counter[str] = Counter()
        for key in self._partitions:
            _, words = self._counted(key)
            rows = words.filter(pc.is_in(words["word"], wanted))
            found.update(
                dict(zip(rows["word"].to_pylist(), rows["documents"].to_pylist(), strict=True))
            )
        return dict(found)

    @cached_property
    def routing(self) -> Routing:
        """Which documents a question names, by what each says of itself."""
        return Routing(read_profiles(self.documents(), self._store.profiles, self._fronts))

    def _fronts(self, ids: Collection[str]) -> dict[str, str]:
        """Return the texts of documents' first pages."""
        where = where_clause(documents=ids if len(ids) <= MANY_DOCUMENTS else None, pages=(1,))
        columns = ["document", "search_text", "skip"]
        fronts: dict[str, str] = {}
        for key in self._partitions if ids else ():
            for row in self._visible.own_rows(key, "pages", where, columns).to_pylist():
                fronts[row["document"]] = (row["search_text"] or "")[row["skip"] :]
        return fronts

    def _counted(self, key: str) -> tuple[pa.Table, pa.Table]:
        """Return the lengths of a partition's documents and its summed word counts."""

        def make() -> tuple[pa.Table, pa.Table]:
            rows = self._visible.own_rows(key, "terms")
            words, counts = (pc.list_flatten(rows[name]) for name in ("words", "counts"))
            ones = pa.repeat(pa.scalar(1, pa.int32()), len(words))
            columns = {"word": words, "count": counts, "documents": ones}
            summed = sum_counts([pa.table(columns)])
            return rows.select(["passages", "total_length"]), summed

        return self._visible.kept("terms", key, "terms", make)

    def passages(self) -> int:
        """Return how many visible passages there are."""
        return self._passages

    @cached_property
    def _passages(self) -> int:
        return sum(record.passages for record, _ in self.records.values())

    def embedded(self) -> float:
        """Return the share of visible passages that have a vector, 0 to 1."""
        passages = self.passages()
        if not passages:
            return 1.0
        return min(1.0, self._vector_count / passages)

    @cached_property
    def _vector_count(self) -> int:
        name, parts = VECTORS + self._manifest.serving, self._partitions.items()
        versions = {key: part.tables[name] for key, part in parts if name in part.tables}
        return sum(self._store.count(key, name, version) for key, version in versions.items())

    def vectors(self) -> VectorBlock:
        """Return all visible passage vectors of the serving encoder."""
        return self._vectors

    @cached_property
    def _vectors(self) -> VectorBlock:
        name = VECTORS + self._manifest.serving
        blocks = [self._visible.own_rows(key, name) for key in self._partitions]
        return to_vector_block([block for block in blocks if block.num_columns])

    def nearest(
        self,
        vector: NDArray[np.float32],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return the passages nearest to a unit vector; for more vectors than `vectors()` suits.

        The index knows what passages say with what stands above them. The score is the better of
        that cosine and the one to a passage's own words, exact for what the index brings.
        """
        where = where_clause(documents=documents, pages=pages, column="kind", values=kinds)
        name, found = VECTORS + self._manifest.serving, []
        for key in self._partitions:
            table = self._visible.open(key, name)
            if table is None:
                continue
            query = table.search(vector, vector_column_name="vector").distance_type("cosine")
            query = query.limit(limit).refine_factor(10)
            query = query.where(where, prefilter=True) if where else query
            query = query.select(["id", "document", "page", "own", "_distance"])
            with self._store.reading(key, name):
                rows = query.to_arrow()
            found += to_matches(self._visible.own(key, rows), vector)
        return sorted(found, key=lambda match: (-match.score, match.region_id))[:limit]

    @cached_property
    def picture_vectors(self) -> PictureVectors:
        """What is known of the visible pages' looks."""
        name = PAGE_VECTORS + self._manifest.seeing
        versions = {key: part.tables.get(name) for key, part in self._partitions.items()}
        return PictureVectors(
            self._store,
            self._manifest.seeing,
            {key: version for key, version in versions.items() if version is not None},
            {id: (key, document.pages) for id, (document, key) in self.records.items()},
        )

    def seen(self) -> float:
        """Return the share of visible pages that have been at the page encoder, 0 to 1."""
        pages = sum(record.pages for record, _ in self.records.values())
        return min(1.0, self.picture_vectors.encoded / pages) if pages else 1.0

    def anchors(
        self, document_ids: Collection[str] | None = None, keys: Collection[str] | None = None
    ) -> list[Anchor]:
        """Return anchors of these documents with these keys, in document and page order."""
        return self._anchors(where_clause(documents=document_ids, column="key", values=keys))

    def stated(self) -> list[Anchor]:
        """Return the fields that documents state of themselves, in document and page order."""
        return self._stated_fields

    @cached_property
    def _stated_fields(self) -> list[Anchor]:
        return self._anchors(where_clause(column="role", values=("states",)))

    def _anchors(self, where: str) -> list[Anchor]:
        tables = (self._visible.own_rows(key, "anchors", where) for key in self._partitions)
        found = [anchor for rows in tables for anchor in to_anchors(rows)]
        order = {id: i for i, id in enumerate(self.records)}
        return sorted(found, key=lambda anchor: (order[anchor.document], anchor.page))

    @cached_property
    def page_keys(self) -> ViewKeys:
        """Which visible pages share names, or are nearly the same."""
        return ViewKeys([self._keyed(key) for key in self._partitions])

    def _keyed(self, key: str) -> PageKeys:
        def make() -> PageKeys:
            where = where_clause(column="role", values=("mentions", "resembles"))
            return PageKeys.of(self._visible.own_rows(key, "anchors", where))

        return self._visible.kept("page_keys", key, "anchors", make)

    def source_path(self, document_id: str) -> Path:
        """Return the library's own copy of a document's file.

        Raises:
            LibraryError: The document is not visible, or its copy is gone.
        """
        if document_id not in self.records:
            raise LibraryError(f"no document {document_id[:12]} in this view")
        path = self._store.folder / "sources" / f"{document_id}.pdf"
        if not path.exists():
            source = self.records[document_id][0].sources[0].name
            raise LibraryError(
                f"{path} is missing, so pages of {source} cannot be rendered; "
                "run: pagehop check, then add the file again"
            )
        return path
