"""A library seen through an access filter: what tools and agents hold.

1. A view is one library version and a set of labels; it never changes.
2. A document is visible iff its labels are a subset of the view's labels.
3. Names are made unique among the visible documents only, so that no name, score or order
   depends on a document outside the view.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pagehop.arguments import (
    check_box,
    check_search,
    check_text,
    check_texts,
    check_walk,
    check_whole,
)
from pagehop.errors import ConfigError, LibraryError, ModelError
from pagehop.finding.bm25 import idf
from pagehop.finding.fields import FieldTable
from pagehop.finding.names import find_document, name_uniquely
from pagehop.finding.page_edges import PageEdges
from pagehop.finding.page_graph import MOST_JUDGED, walk
from pagehop.finding.search import checked_k, search
from pagehop.layout.page_tables import Table, read_tables
from pagehop.library.snapshot import Snapshot
from pagehop.types import (
    FULL_PAGE,
    Box,
    Document,
    Hits,
    Judge,
    Located,
    Mode,
    Page,
    PageRef,
    Region,
    Relation,
    Scalar,
)
from pagehop.types import Path as Walk

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from networkx import MultiDiGraph
    from PIL.Image import Image

    from pagehop.library.picture_reader import PictureReader, PictureText
    from pagehop.models.page_encoder import PageEncoder
    from pagehop.models.text_encoder import TextEncoder
    from pagehop.reading.pdf_pool import PdfPool


class View:
    """An immutable library version seen through labels."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        labels: frozenset[str] | None,
        runs_path: Path | None,
        encoder: Callable[[], "TextEncoder | None"],
        page_encoder: Callable[[], "PageEncoder"],
        pool: Callable[[], "PdfPool"],
        reader: "PictureReader",
        want: Callable[[str], None],
    ) -> None:
        """Made by `Library.view`; encoder and PDF workers start on first use.

        `want` is told the id of a document of which a scanned page is asked for before it is read.
        """
        self.snapshot = snapshot
        """For modules of `library/` and `finding/` only."""
        self.labels = labels
        """None sees everything."""
        self.runs_path = runs_path
        """Where runs over this view are recorded."""
        self._encoder = encoder
        self._page_encoder = page_encoder
        self._pool = pool
        self._reader = reader
        self._want = want
        self._narrowed = False
        self._hidden: frozenset[PageRef] = frozenset()

    def __repr__(self) -> str:
        shown = "everything" if self.labels is None else sorted(self.labels)
        return f"View(version={self.version}, labels={shown}, documents={len(self._documents)})"

    @property
    def version(self) -> int:
        """Library version."""
        return self.snapshot.version

    @property
    def encoder(self) -> "TextEncoder | None":
        """The encoder whose vectors the view holds; None when it cannot be loaded."""
        return self._encoder()

    @property
    def has_picture_vectors(self) -> bool:
        """Whether pages can be found by their pictures."""
        return self.snapshot.picture_vectors.encoded > 0

    @property
    def page_encoder(self) -> "PageEncoder":
        """The page encoder whose vectors the view holds.

        Raises:
            ConfigError: The library has no page vectors.
            ModelError: Their encoder cannot be loaded, or has changed.
        """
        return self._page_encoder()

    def load_encoder(self) -> None:
        """Load the encoder and its weights, for which the first search by meaning would wait."""
        try:
            if (encoder := self.encoder) is not None:
                _ = encoder.floor
        except ModelError:
            return  # each search says so itself

    def documents(self) -> tuple[Document, ...]:
        """Return the visible documents, first added first."""
        return self._documents

    @cached_property
    def _documents(self) -> tuple[Document, ...]:
        return tuple(name_uniquely(self.snapshot.documents()))

    def within(self, documents: Collection[str]) -> "View":
        """Return this view with some of its documents only, under the names they have here.

        Nothing else is searched, read or walked to.

        Raises:
            LibraryError: A named document is not visible.
        """
        check_texts("documents", documents, "a list of names")
        chosen = {self.document(name).id for name in documents}
        narrowed = copy.copy(self)
        for cached in ("_by_name", "names", "edges", "fields"):
            narrowed.__dict__.pop(cached, None)
        narrowed._documents = tuple(d for d in self._documents if d.id in chosen)
        narrowed._narrowed = True
        return narrowed

    def without(self, hidden: Collection[str]) -> "View":
        """Return this view without some documents (`name`) and pages (`name:page`).

        Raises:
            LibraryError: One of them is not visible.
        """
        pages, names = set(), set()
        for name in hidden:
            head, colon, page = name.rpartition(":")
            if colon and page.isdigit():
                pages.add(PageRef(self.checked(PageRef(head, int(page))).name, int(page)))
            else:
                names.add(self.document(name).name)
        made = self.within([d.name for d in self._documents if d.name not in names])
        made._narrowed = self._narrowed or bool(names)
        made._hidden = self._hidden | pages
        return made

    @cached_property
    def edges(self) -> PageEdges:
        """For modules of `library/` and `finding/` only."""
        return PageEdges(self)

    @cached_property
    def fields(self) -> FieldTable:
        """What the documents say of themselves: type, date, parties, labelled values."""
        return FieldTable(self, self._hidden)

    @cached_property
    def _by_name(self) -> dict[str, Document]:
        return {document.name: document for document in self._documents}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Slug of each visible document, by document id."""
        return {document.id: document.name for document in self._documents}

    def document(self, name: str) -> Document:
        """Find a document by slug, source name or id.

        Raises:
            LibraryError: No visible document has that name; names the nearest.
        """
        check_text("name", name, "the name of a document")
        return self._by_name.get(name) or find_document(self._documents, name)

    def page(self, ref: PageRef) -> Page:
        """Return the text layer of one page.

        Raises:
            LibraryError: There is no such document or page in this view.
        """
        document = self.checked(ref)
        page = self.snapshot.pages(document.id, (ref.page,))[0]
        return replace(page, ref=PageRef(document.name, ref.page))

    def pages(self, name: str) -> tuple[Page, ...]:
        """Return all pages of a document.

        Raises:
            LibraryError: No visible document has that name.
        """
        document = self.document(name)
        return tuple(
            replace(page, ref=PageRef(document.name, page.ref.page))
            for page in self.snapshot.pages(document.id)
            if PageRef(document.name, page.ref.page) not in self._hidden
        )

    def regions(self, ref: PageRef, kinds: Collection[str] | None = None) -> tuple[Region, ...]:
        """Return the regions of a page in reading order, then its passages.

        Raises:
            LibraryError: There is no such document or page in this view.
        """
        check_texts("kinds", kinds, 'a list of kinds, e.g. ["table"]')
        document = self.checked(ref)
        return tuple(self.snapshot.regions(document.id, page=ref.page, kinds=kinds))

    def tables(self, ref: PageRef) -> tuple[Table, ...]:
        """Return the tables of a page as cells, in reading order.

        Raises:
            LibraryError: There is no such document or page in this view.
        """
        return read_tables(ref, self.regions(ref, kinds=("table",)))

    def region(self, region_id: str) -> Region:
        """Return one region or passage.

        Raises:
            LibraryError: No visible document has that region.
        """
        check_text("region_id", region_id)
        found = self.snapshot.regions_by_id((region_id,))
        if region_id not in found:
            raise LibraryError(f"there is no region {region_id!r}")
        return found[region_id]

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
        pictures: bool = True,
    ) -> Hits:
        """Find pages: one hit a page, with the region on it that matched best.

        Args:
            query: Words or a question.
            k: Most hits to return.
            mode: keyword, semantic, visual or hybrid.
            documents: Names as `document` takes them; None searches all.
            kinds: Kinds of regions, e.g. `["table"]`.
            pages: Page numbers, e.g. `range(1, 11)`.
            metadata: Values that a document's metadata must have.
            fusion: How hybrid search makes one ranking of several: weighted, rrf, gmm, gqr, vote,
                mmr, adaptive or tiles (docs/SEARCH.md); empty takes the setting.
            rerank: Who puts the first hits into a second order: late, cross-encoder:ID_OR_PATH,
                judge or chat:PROVIDER:NAME; empty: nobody, None takes the setting.
            judge: Scores pages for the strategies and the re-ranker that ask one.
            pictures: Hybrid search finds pages by their pictures, too, where these have vectors.

        Raises:
            LibraryError: A named document is not visible.
            ConfigError: An unknown mode, kind or fusion, `k` below 1, or visual search without page
                vectors.
            ModelError: Semantic or visual search whose encoder cannot be loaded.
        """
        check_search(query, k, documents, kinds, pages, metadata)
        if documents is None and self._narrowed:
            documents = [document.name for document in self._documents]
        hits = search(
            self,
            query,
            k=checked_k(k) + len(self._hidden),
            mode=mode,
            documents=documents,
            kinds=kinds,
            pages=pages,
            metadata=metadata,
            fusion=fusion,
            rerank=rerank,
            judge=judge,
            pictures=pictures,
        )
        if not self._hidden:
            return hits
        left = [hit for hit in hits if hit.ref not in self._hidden][:k]
        return Hits(left, embedded=hits.embedded, note=hits.note)

    def crop(self, ref: PageRef, box: Box = FULL_PAGE, *, max_pixels: int = 1_000_000) -> "Image":
        """Render a box of a page from its PDF so that it fills `max_pixels`, and never more.

        Raises:
            LibraryError: No such page, or the page cannot be rendered.
            ConfigError: `max_pixels` is below 1, or the box is not on the page.
        """
        check_whole("max_pixels", max_pixels, least=1)
        check_box(box)
        document = self.checked(ref)
        path = self.snapshot.source_path(document.id)
        return self._pool().crop(path, ref.page, box, max_pixels=max_pixels)

    def read_picture(self, ref: PageRef, box: Box = FULL_PAGE) -> "PictureText":
        """Read a box of a page by OCR, now, e.g. the labels of a chart that is a picture.

        Takes about a second; `page` has what ingestion read already.

        Raises:
            LibraryError: There is no such document or page in this view.
        """
        check_box(box)
        document = self.checked(ref)
        return self._reader.read(self.snapshot.source_path(document.id), ref.page, box)

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
        """Follow the page graph from a page.

        Args:
            ref: The start page.
            relations: Edge types to follow; None follows all.
            query: Paths to pages near it come first.
            hops: Most edges of a path.
            width: Paths kept after each hop.
            judge: Scores the best pages of each hop for the query, e.g. a model's `ChatJudge`.
            judged: Most pages that it is shown.

        Raises:
            LibraryError: There is no such document or page in this view.
            ConfigError: An unknown relation, hops or width too large, a judge without a query.
            ModelError: The judge gave no scores.
        """
        self.checked(ref)
        check_walk(relations, query, hops, width)
        paths = walk(
            self,
            ref,
            relations=relations,
            query=query,
            hops=hops,
            width=width,
            judge=judge,
            judged=judged,
        )
        hidden = self._hidden
        return [path for path in paths if not any(edge.target in hidden for edge in path.edges)]

    def page_graph(
        self, relations: Collection[Relation] | None = None, *, most: int = 5
    ) -> "MultiDiGraph":
        """Return the page graph as a networkx graph; needs a minute for some thousand pages.

        Nodes are pages, `name:page`, with document, page, source and title; edges have their
        relation as key, and relation, weight and words.

        Args:
            relations: Edges to put in; None puts in all.
            most: Edges of one relation that leave a page, the best ones.

        Raises:
            ConfigError: An unknown relation, `most` below 1, or networkx is not installed.
        """
        from pagehop.library.page_network import page_network  # noqa: PLC0415 - it reads views

        return page_network(self, relations, most, self._hidden)

    def locate(self, ref: PageRef, quote: str, *, near: Box | None = None) -> Located | None:
        """Find where a quote stands on a page; None when it does not.

        Args:
            ref: The page.
            quote: Words of the page, or a row of one of its tables as `label | value | value`.
            near: Among several exact places, prefer the one nearest to this box.

        Raises:
            LibraryError: There is no such document or page in this view.
        """
        from pagehop.finding.quotes import locate  # noqa: PLC0415 - only citations need it
        from pagehop.finding.row_quotes import locate_row  # noqa: PLC0415 - likewise

        check_text("quote", quote)
        page = self.page(ref)
        located = locate(page, quote, near=near)
        if located is None and "|" in quote:
            located = locate_row(self.tables(ref), quote, source=page.source)
        return located

    def vocabulary(self, documents: Collection[str] | None = None) -> Collection[str]:
        """Return the terms, as `terms.tokens` gives them, that visible passages hold.

        Args:
            documents: Names of the documents whose passages count; None counts all.

        Raises:
            LibraryError: A named document is not visible.
        """
        return self.snapshot.statistics(self._counted(documents)).df.keys()

    def rarity(self, documents: Collection[str] | None = None) -> Callable[[str], float]:
        """Return how rare a term, as `terms.tokens` gives it, is among the visible passages.

        The inverse document frequency of BM25, above 0; a term of no passage is rarest.

        Args:
            documents: Names of the documents whose passages count; None counts all.

        Raises:
            LibraryError: A named document is not visible.
        """
        counts = self.snapshot.statistics(self._counted(documents))
        return lambda term: idf(counts.passages, counts.df.get(term, 0))

    def _counted(self, documents: Collection[str] | None) -> list[str] | None:
        """Return the ids of the documents whose words count; None for the whole snapshot."""
        if documents is not None:
            return [self.document(name).id for name in documents]
        return [document.id for document in self._documents] if self._narrowed else None

    def as_retriever(self, k: int = 8) -> "BaseRetriever":
        """Return a LangChain retriever over this view."""
        check_whole("k", k, least=1)
        from pagehop.library.retriever import ViewRetriever  # noqa: PLC0415 - loads langchain

        return ViewRetriever(self, k)

    def checked(self, ref: PageRef) -> Document:
        """Return the document of a page that exists; for `library/` and `finding/` only.

        Raises:
            LibraryError: There is no such document or page in this view.
            ConfigError: `ref` is no page reference.
        """
        if not isinstance(ref, PageRef):
            raise ConfigError(f"{ref!r} is no PageRef; write PageRef(name, page)")
        check_whole("page", ref.page)
        document = self.document(ref.name)
        if not 1 <= ref.page <= document.pages:
            count = f"{document.pages} page{'s' if document.pages != 1 else ''}"
            raise LibraryError(f"page {ref.page} does not exist; {document.name} has {count}")
        if ref.page in document.scanned_pages and ref.page not in document.ocr_pages:
            self._want(document.id)
        if PageRef(document.name, ref.page) in self._hidden:
            raise LibraryError(f"page {ref.page} of {document.name} is not to be used in this run")
        return document
