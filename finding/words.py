"""The keyword retriever: passages that hold the query's words, scored by BM25."""

import re

import numpy as np

from pagehop.finding.bm25 import DocumentRanker, ViewRanker
from pagehop.finding.candidates import Found, Scope
from pagehop.finding.corpus import Corpus
from pagehop.finding.terms import count, tokens
from pagehop.finding.unread import find_unread

MOST_TERMS = 64
"""Terms of a query that are searched for: the rarest. A question has 5 to 30."""
_ASKS_AN_AMOUNT = re.compile(r"\bhow\s+(?:many|much|long|often)\b(?!-)", re.IGNORECASE)
"""Here the second word asks, as `how` does; it seldom stands beside the number that answers."""


def read_terms(corpus: Corpus, query: str) -> tuple[list[str], str]:
    """Return a query's distinct terms, and a note when some are left out because it is long."""
    terms = list(dict.fromkeys(tokens(_ASKS_AN_AMOUNT.sub("how", query)) or tokens(query)))
    if len(terms) <= MOST_TERMS:
        return terms, ""
    df = corpus.statistics().df
    held = sorted((term for term in terms if term in df), key=lambda term: (df[term], term))
    kept = set(held[:MOST_TERMS])
    note = f"the query has {len(terms)} different words; the {MOST_TERMS} rarest were searched for"
    return [term for term in terms if term in kept], note


def find_words(corpus: Corpus, terms: list[str], scope: Scope, found: Found) -> None:
    """Bring the passages that hold the query's words."""
    if not terms:
        return
    if ranker := _document_ranker(corpus, scope):
        scores = ranker.scores(terms)
        best = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores > 0)]
        held = [p for p in (ranker.passages[i] for i in best) if scope.holds(p)]
        ids = [passage.id for passage in held[: found.depth]]
        # In a long document the best by all signals need not be among the first of any.
        found.passages |= {p.id: p for p in ranker.passages if scope.holds(p)}
    else:
        matches = corpus.match(
            terms,
            limit=2 * found.depth,
            documents=scope.documents,
            kinds=scope.kinds,
            pages=scope.pages,
        )
        if likely := found.route.likely:
            # Among thousands of documents alike, those that are meant may not come by words alone.
            matches += corpus.match(
                terms,
                limit=found.depth // 2,
                documents=likely,
                kinds=scope.kinds,
                pages=scope.pages,
            )
        ids = [match.region_id for match in matches]
    found.passages |= corpus.regions_by_id(id for id in ids if id not in found.passages)
    unread = corpus.unread() & (corpus.unread() if scope.documents is None else scope.documents)
    if unread and scope.kinds is None:
        for page in find_unread(corpus, terms, unread, pages=scope.pages, limit=found.depth // 2):
            found.passages[page.id] = page
            ids.append(page.id)
    found.bring("keyword", dict.fromkeys(ids))
    score_words(corpus, terms, scope, found)


def score_words(corpus: Corpus, terms: list[str], scope: Scope, found: Found) -> None:
    """Give every candidate its BM25 score."""
    if not terms:
        return
    if ranker := _document_ranker(corpus, scope):
        scores = ranker.scores(terms)
        known = {p.id: float(s) for p, s in zip(ranker.passages, scores, strict=True)}
        found.keyword = {id: known[id] for id in found.passages if id in known}
        found.ceiling = ranker.ceiling(terms)
        return
    new = [passage for id, passage in found.passages.items() if id not in found.keyword]
    statistics = corpus.statistics()
    if unread := [
        p.search_text for p in found.passages.values() if p.kind == "page" and p.search_text
    ]:
        statistics = statistics.plus(count(unread))
    view_ranker = ViewRanker(terms, statistics)
    scores = view_ranker.scores(corpus.memo.terms(new))
    found.keyword |= {p.id: float(s) for p, s in zip(new, scores, strict=True)}
    found.ceiling = view_ranker.ceiling


def _document_ranker(corpus: Corpus, scope: Scope) -> DocumentRanker | None:
    """Return the ranker of the one document in scope; None for several, or one not read yet."""
    if scope.documents is None or len(scope.documents) != 1:
        return None
    (document,) = scope.documents
    if document in corpus.unread():
        return None
    return corpus.memo.ranker(
        document,
        lambda: DocumentRanker(corpus.regions(document, kinds=("passage",)), corpus.statistics()),
    )
