"""The visual signal of a search: pages whose picture fits the query, by a page encoder.

1. Every page in scope is compared by its byte codes. Of more than `LED` vectors only the leads are
   compared first, and then all vectors of the best pages. Beyond `picture_vectors.SCANNED` vectors
   of a partition its index brings candidates instead, more than are asked for, since it ranks
   roughly.
2. The best are compared again by two bytes a number, and these scores rank them.

In hybrid search the best pages bring their passages along, or stand as a candidate each where they
have none, and say of them how much better than an empty page the page fits.

A page's score depends on nothing but its own vectors and the query; equal scores are ordered by
document id and page.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pagehop.errors import ModelError
from pagehop.finding.candidates import Found, Scope
from pagehop.finding.coded_pages import CodedPages, PagePlace
from pagehop.models.maxsim import Codes, Vectors, exact
from pagehop.types import FULL_PAGE, Hit, Hits, Region

if TYPE_CHECKING:
    from pagehop.finding.corpus import Corpus, CorpusView

OVERFETCH = 20
"""Candidates asked of an index for each page wanted."""
RANKED = 30
"""Fewest candidates that are compared exactly, where there are as many."""
RANKED_VECTORS = 8_000
"""As many more of them are as have so many vectors together: pages with one vector are closer."""
LED = 2_000_000
"""Most vectors that are all compared; of more, the leads choose `ROUGHLY` pages."""
ROUGHLY = 400
"""Fewest pages that leads choose; docs/benchmarks/visual.md says how late good ones may come."""
FUSED = 30
"""Pages that looking brings into a hybrid search."""


class PictureVectorSource(Protocol):
    """The page vectors of one encoder that a view sees (`library/picture_vectors.py`)."""

    @property
    def encoded(self) -> int:
        """Number of visible pages that have been at the encoder."""
        ...

    def in_scope(self, documents: Collection[str] | None) -> tuple[list[str], list[str]]:
        """Return ids of documents to scan, and partitions to ask by their index."""
        ...

    def codes(self, document: str) -> Codes:
        """Return the codes of a document's encoded pages."""
        ...

    def nearest(
        self,
        query: Vectors,
        partition: str,
        *,
        limit: int,
        documents: Collection[str] | None,
        pages: Collection[int] | None,
    ) -> list[PagePlace]:
        """Return the pages that the index of a partition's table holds for the nearest."""
        ...


@dataclass(frozen=True)
class Looked:
    """What looking adds to a hybrid search beside passages."""

    pages: Mapping[str, Region] = field(default_factory=dict)
    """Candidates for pages without passages, by id."""
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """A page that was found by its picture."""

    document: str
    """Document id."""
    page: int
    score: float
    """Mean over the query's vectors of the best cosine to one of the page's."""


def find_looks(view: "CorpusView", query: str, scope: Scope, limit: int) -> list[Seen]:
    """Return the pages that fit a query best by their pictures, best first.

    Raises:
        ConfigError: The view has no page vectors.
        ModelError: Their encoder cannot be loaded.
    """
    asked = view.page_encoder.encode_query(query)
    return rank_pages(view.snapshot.picture_vectors, asked, scope, limit)


def rank_pages(known: PictureVectorSource, asked: Vectors, scope: Scope, limit: int) -> list[Seen]:
    """Return the pages that fit a query's vectors, (tokens, dim), best, best first."""
    seen = []
    for places in _candidates(known, asked, scope, limit):
        places.compare(asked, fine=True)
        named = zip(places.named(), places.scores.tolist(), strict=True)
        seen += [Seen(document, page, round(score, 5)) for (document, page), score in named]
    return sorted(seen, key=lambda page: (-page.score, page.document, page.page))[:limit]


def bring_looks(view: "CorpusView", query: str, scope: Scope, found: Found) -> Looked:
    """Bring the passages of the pages that fit a hybrid search's query best by their pictures."""
    snapshot = view.snapshot
    if not snapshot.picture_vectors.encoded or scope.kinds is not None:
        return Looked()
    try:
        encoder = view.page_encoder
        seen = find_looks(view, query, scope, FUSED)
        (empty,) = exact(encoder.encode_query(query), [encoder.blank])
    except ModelError as error:
        return Looked(note=f"pages are not found by their pictures: {error}")
    shares = {
        (page.document, page.page): max(0.0, (page.score - empty) / max(1 - empty, 1e-6))
        for page in seen
    }
    passages = snapshot.regions_by_id(_passages_of(snapshot, shares))
    known = found.others.setdefault("visual", {})
    known |= {id: shares[p.document, p.page] for id, p in passages.items()}
    found.passages |= passages
    bare = shares.keys() - {(p.document, p.page) for p in passages.values()}
    pages = {page.id: page for page in _whole_pages(snapshot, sorted(bare))}
    known |= {id: shares[p.document, p.page] for id, p in pages.items()}
    found.bring("visual", known)
    return Looked(pages, unseen_note(snapshot.seen()))


def _passages_of(snapshot: "Corpus", pages: Collection[PagePlace]) -> list[str]:
    """Return ids of the embedded passages on some pages."""
    block = snapshot.vectors()
    if not block.ids:
        return []
    at = snapshot.memo.rows(block)
    numbers: dict[str, list[int]] = {}
    for document, page in pages:
        numbers.setdefault(document, []).append(page)
    found: list[str] = []
    for document, wanted in numbers.items():
        rows = at.of_document.get(document, np.zeros(0, np.int64))
        found += [block.ids[row] for row in rows[np.isin(block.pages[rows], wanted)]]
    return found


def _whole_pages(snapshot: "Corpus", places: list[PagePlace]) -> Iterator[Region]:
    """Yield pages as candidates of their own."""
    for document, page in places:
        (text,) = snapshot.pages(document, (page,))
        yield Region(
            id=f"{document[:16]}-{page}-page",
            parent="",
            document=document,
            page=page,
            order=0,
            kind="page",
            box=FULL_PAGE,
            text=text.text,
            search_text=text.text,
            source=text.source,
        )


def search_by_sight(view: "CorpusView", query: str, scope: Scope, k: int) -> Hits:
    """Return a hit for each of the k pages that fit best: the whole page, with its text."""
    found = find_looks(view, query, scope, k)
    documents = {document.id: document for document in view.documents()}
    hits = []
    for seen in found:
        document = documents[seen.document]
        (page,) = view.snapshot.pages(seen.document, (seen.page,))
        hits.append(
            Hit(
                document=document.source,
                name=document.name,
                page=seen.page,
                box=FULL_PAGE,
                kind="page",
                text=page.text,
                score=seen.score,
                found_by=("visual",),
                scores={"visual": seen.score},
                source=page.source,
                pictures=view,
            )
        )
    share = view.snapshot.seen()
    return Hits(hits, embedded=share, note=unseen_note(share))


def unseen_note(share: float) -> str:
    """Say that not all pages can be found by sight; empty when they can.

    Args:
        share: Of the pages that have been at the encoder, 0 to 1.
    """
    if share >= 1:
        return ""
    return f"{1 - share:.0%} of the pages have not been looked at yet; they are while an add runs"


def _candidates(
    known: PictureVectorSource, asked: Vectors, scope: Scope, limit: int
) -> Iterator[CodedPages]:
    """Yield pages worth comparing by two bytes a number."""
    scanned, indexed = known.in_scope(scope.documents)
    if scanned:
        places = CodedPages(scanned, [known.codes(document) for document in scanned])
        if scope.pages is not None:
            places.keep_pages(scope.pages)
        depth = max(RANKED, 3 * limit, RANKED_VECTORS * places.all // max(1, places.vectors))
        many = places.vectors > LED
        places.scan(asked, leads=many)
        if many:
            places.keep_best(max(ROUGHLY, 2 * depth))
            places.compare(asked)
        places.keep_best(depth)
        yield places
    for partition in indexed:
        near = known.nearest(
            asked,
            partition,
            limit=OVERFETCH * limit,
            documents=scope.documents,
            pages=scope.pages,
        )
        ids = sorted({document for document, _ in near})
        places = CodedPages(ids, [known.codes(document) for document in ids])
        places.keep_places(near)
        yield places
