"""What search and the page graph read: a library's version and view, as far as they use them.

`pagehop.library.snapshot.Snapshot` is a `Corpus`, `pagehop.library.view.View` a `CorpusView`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pagehop.reading.anchors import Anchor
from pagehop.reading.parsed import PageText
from pagehop.types import Document, Hits, Mode, Page, PageRef, PageSource, Region, Scalar

if TYPE_CHECKING:
    from pagehop.finding.fields import FieldTable
    from pagehop.finding.page_edges import PageEdges
    from pagehop.finding.page_keys import ViewKeys
    from pagehop.finding.routing import Routing
    from pagehop.finding.search_memo import SearchMemo
    from pagehop.finding.terms import TermStatistics
    from pagehop.finding.visual_search import PictureVectorSource
    from pagehop.models.page_encoder import PageEncoder
    from pagehop.models.text_encoder import TextEncoder


@dataclass(frozen=True)
class Matched:
    """A row that full text or an index of vectors found."""

    region_id: str
    """Empty for a page."""
    document: str
    """Document id."""
    page: int
    score: float
    """As Lance scores it: comparable within one partition only."""


@dataclass(frozen=True)
class VectorBlock:
    """All visible passage vectors, in memory."""

    ids: list[str]
    """Region ids."""
    documents: NDArray[np.object_]
    """(n,) document ids."""
    pages: NDArray[np.int32]
    """(n,)"""
    kinds: NDArray[np.object_]
    """(n,) kind of the region each passage was cut from."""
    matrix: NDArray[np.float32]
    """(n, dim) unit length: each passage with what stands above it."""
    own: NDArray[np.float32]
    """(n, dim) unit length: its own words alone."""


class Corpus(Protocol):
    """One version of a library, seen through the visible partitions."""

    memo: "SearchMemo"

    @property
    def records(self) -> Mapping[str, object]:
        """Every visible document, by id."""
        ...

    @property
    def page_keys(self) -> "ViewKeys":
        """Which visible pages share names, or are nearly the same."""
        ...

    @property
    def routing(self) -> "Routing":
        """Which documents a question names."""
        ...

    def spread(self, terms: Collection[str]) -> dict[str, int]:
        """Return in how many visible documents each of these terms stands."""
        ...

    @property
    def picture_vectors(self) -> "PictureVectorSource":
        """What is known of the visible pages' looks."""
        ...

    def seen(self) -> float:
        """Return the share of visible pages that have been at the page encoder, 0 to 1."""
        ...

    def unread(self) -> frozenset[str]:
        """Return the ids of documents without passages."""
        ...

    def pages(self, document_id: str, pages: Collection[int] | None = None) -> list[Page]:
        """Return pages of a document in order."""
        ...

    def page_texts(self, document_id: str, pages: Collection[int] | None = None) -> list[PageText]:
        """Return pages of a document in order, as the text stage read them."""
        ...

    def texts(self, pages: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the texts of pages of several documents (id, page), in one reading."""
        ...

    def regions(
        self, document_id: str, *, page: int | None = None, kinds: Collection[str] | None = None
    ) -> list[Region]:
        """Return regions and passages of a document in reading order."""
        ...

    def regions_by_id(self, ids: Iterable[str]) -> dict[str, Region]:
        """Return the regions that exist and are visible, by id."""
        ...

    def match(
        self,
        words: str | Iterable[str],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return passages that hold any of the words, the best `limit` of each partition."""
        ...

    def match_pages(
        self,
        words: str | Iterable[str],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return pages that hold any of the words, the best `limit` of each partition."""
        ...

    def statistics(self, documents: Collection[str] | None = None) -> "TermStatistics":
        """Return the word statistics of all visible passages, or of some documents' (ids)."""
        ...

    def passages(self) -> int:
        """Return how many visible passages there are."""
        ...

    def embedded(self) -> float:
        """Return the share of visible passages that have a vector, 0 to 1."""
        ...

    def vectors(self) -> VectorBlock:
        """Return all visible passage vectors of the serving encoder."""
        ...

    def nearest(
        self,
        vector: NDArray[np.float32],
        *,
        limit: int,
        documents: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        pages: Collection[int] | None = None,
    ) -> list[Matched]:
        """Return the passages nearest to a unit vector, with their cosines."""
        ...

    def anchors(
        self, document_ids: Collection[str] | None = None, keys: Collection[str] | None = None
    ) -> list[Anchor]:
        """Return anchors of these documents with these keys, in document and page order."""
        ...

    def stated(self) -> list[Anchor]:
        """Return the fields that documents state of themselves, in document and page order."""
        ...


class CorpusView(PageSource, Protocol):
    """A corpus as a user may see it: documents under names, pages checked, pictures of them."""

    @property
    def snapshot(self) -> Corpus:
        """What the view is of; it may hold documents that the view leaves out."""
        ...

    @property
    def encoder(self) -> "TextEncoder | None":
        """The encoder whose vectors the corpus holds; None when it cannot be loaded."""
        ...

    @property
    def page_encoder(self) -> "PageEncoder":
        """The page encoder whose vectors the corpus holds.

        Raises:
            ConfigError: There are none.
            ModelError: It cannot be loaded, or has changed.
        """
        ...

    @property
    def edges(self) -> "PageEdges":
        """The edges between its pages."""
        ...

    @property
    def fields(self) -> "FieldTable":
        """What its documents say of themselves."""
        ...

    @property
    def names(self) -> Mapping[str, str]:
        """Slug of each visible document, by document id."""
        ...

    def documents(self) -> tuple[Document, ...]:
        """Return the visible documents, first added first."""
        ...

    def document(self, name: str) -> Document:
        """Find a document by slug, source name or id."""
        ...

    def checked(self, ref: PageRef) -> Document:
        """Return the document of a page that exists."""
        ...

    def page(self, ref: PageRef) -> Page:
        """Return the text of one page."""
        ...

    def regions(self, ref: PageRef, kinds: Collection[str] | None = None) -> tuple[Region, ...]:
        """Return the regions of a page in reading order, then its passages."""
        ...

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
    ) -> Hits:
        """Find pages: one hit a page, with the region on it that matched best."""
        ...
