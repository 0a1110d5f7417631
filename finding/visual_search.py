"""The visual signal of a search: pages whose picture fits the query, by a page encoder.

1. Every page in scope is compared by its byte codes; beyond `page_vectors.SCANNED` vectors of a
   partition its index brings candidates instead, more than are asked for, since it ranks roughly.
2. The best are compared again by their own vectors, exactly, and these scores rank them.

A page's score depends on nothing but its own vectors and the query; equal scores are ordered by
document id and page.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pagehop.finding.candidates import Scope
from pagehop.models.maxsim import Codes, Vectors, exact, scan
from pagehop.types import FULL_PAGE, Hit, Hits

if TYPE_CHECKING:
    from pagehop.finding.corpus import CorpusView

OVERFETCH = 20
"""Candidates asked of an index for each page wanted."""
RANKED = 50
"""Fewest candidates that are compared exactly, where there are as many."""
RANKED_VECTORS = 20_000
"""As many more of them are as have so many vectors together: pages with one vector are closer."""


PagePlace = tuple[str, int]
"""(document id, page)"""


class PageVectorSource(Protocol):
    """The page vectors of one encoder that a view sees (`library/page_vectors.py`)."""

    def in_scope(self, documents: Collection[str] | None) -> tuple[list[str], list[str]]:
        """Return ids of documents to scan, and partitions to ask by their index."""
        ...

    def codes(self, document: str) -> Codes:
        """Return the codes of a document's encoded pages."""
        ...

    def vectors(self, places: Iterable[PagePlace]) -> dict[PagePlace, Vectors]:
        """Return the vectors of some pages."""
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
    return rank_pages(view.snapshot.page_vectors, asked, scope, limit)


def rank_pages(known: PageVectorSource, asked: Vectors, scope: Scope, limit: int) -> list[Seen]:
    """Return the pages that fit a query's vectors, (tokens, dim), best, best first."""
    places = _candidates(known, asked, scope, limit)
    vectors = known.vectors(places)
    places = [place for place in places if place in vectors]
    scores = exact(asked, [vectors[place] for place in places])
    seen = [
        Seen(document, page, round(score, 5))
        for (document, page), score in zip(places, scores, strict=True)
        if score > -np.inf
    ]
    return sorted(seen, key=lambda page: (-page.score, page.document, page.page))[:limit]


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
    known: PageVectorSource, asked: Vectors, scope: Scope, limit: int
) -> list[PagePlace]:
    """Return pages worth comparing exactly."""
    scanned, indexed = known.in_scope(scope.documents)
    found = _scan(known, asked, scanned, scope.pages, limit)
    for partition in indexed:
        found += known.nearest(
            asked,
            partition,
            limit=OVERFETCH * limit,
            documents=scope.documents,
            pages=scope.pages,
        )
    return found


def _scan(
    known: PageVectorSource,
    asked: Vectors,
    documents: list[str],
    pages: Collection[int] | None,
    limit: int,
) -> list[PagePlace]:
    """Compare all pages of some documents by their codes; return the best."""
    if not documents:
        return []
    codes = [known.codes(document) for document in documents]
    scores = np.concatenate([scan(asked, each) for each in codes])
    numbers = np.concatenate([each.pages for each in codes])
    owner = np.repeat(np.arange(len(documents)), [len(each.pages) for each in codes])
    if pages is not None:
        scores[~np.isin(numbers, list(pages))] = -np.inf
    at = np.flatnonzero(scores > -np.inf)
    vectors = sum(int(each.counts.sum()) for each in codes)
    depth = max(RANKED, 5 * limit, RANKED_VECTORS * len(scores) // max(1, vectors))
    at = at[np.argsort(-scores[at], kind="stable")][:depth]
    return [(documents[owner[i]], int(numbers[i])) for i in at]
