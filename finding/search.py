"""Find pages of a view: keyword, semantic, visual and hybrid search.

1. keyword: full text brings candidates from every visible partition; BM25 with counts summed
   over the visible passages scores them, so that partitions compare and nothing outside the view
   matters. Within one document all its passages are scored, with its own counts.
2. semantic: the query's vector against all visible ones (`meaning.py`).
3. visual: pages whose picture fits the query (`visual_search.py`).
4. hybrid: candidates of both, each scored by both signals, fused by a named strategy; its cosines
   are of passages read with their neighbours on the page.
5. One hit a page: its best passage. In hybrid search a page's second passage speaks for it too
   (`fusion.page_score`). Equal scores are ordered by document id and page.

Search never writes. Candidates that have no vector yet are embedded into memory; `Hits.embedded`
and `Hits.note` say that vectors are missing. Documents that are not yet read into passages are
found by the words of their pages (`unread.py`).

Not covered: phrases, exclusions and patterns (`patterns.py`), which are conditions on pages.
"""

from collections.abc import Collection, Mapping
from typing import get_args

import numpy as np

from pagehop.errors import ConfigError
from pagehop.finding.bm25 import DocumentRanker, ViewRanker
from pagehop.finding.candidates import DEPTH, Found, Scope
from pagehop.finding.corpus import Corpus, CorpusView
from pagehop.finding.fusion import SECOND, fuse, page_score
from pagehop.finding.meaning import find_meaning
from pagehop.finding.terms import count, tokens
from pagehop.finding.unread import find_unread
from pagehop.finding.visual_search import search_by_sight
from pagehop.types import Hit, Hits, Kind, Mode, Scalar

_KINDS = frozenset(get_args(Kind))


def search(
    view: CorpusView,
    query: str,
    *,
    k: int = 10,
    mode: Mode = "hybrid",
    documents: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    pages: Collection[int] | None = None,
    metadata: Mapping[str, Scalar] | None = None,
    fusion: str = "weighted",
) -> Hits:
    """Find pages: one hit a page, with the region on it that matched best.

    Args:
        view: What is searched.
        query: Words or a question.
        k: Most hits to return.
        mode: keyword, semantic, visual or hybrid.
        documents: Names; None searches all.
        kinds: Kinds of the regions that passages were cut from.
        pages: Page numbers.
        metadata: Values that a document's metadata must have.
        fusion: Name of the strategy that makes one score of two (`fusion.py`).

    Raises:
        LibraryError: A named document is not visible.
        ConfigError: An empty query, an unknown mode, kind or fusion, or `k` below 1.
        ModelError: Semantic or visual search without an encoder.
    """
    if not query.strip():
        raise ConfigError("the search query is empty; give some words")
    scope = _read_scope(view, mode, k, documents, kinds, pages, metadata)
    if scope.documents is not None and not scope.documents:
        return Hits()
    if mode == "visual":
        return search_by_sight(view, query, scope, k)
    terms = list(dict.fromkeys(tokens(query)))
    found = Found(max(DEPTH, 2 * k))
    note = ""
    embedded = view.snapshot.embedded()
    if mode != "semantic" or embedded < 1:
        _find_words(view.snapshot, terms, scope, found)
    if mode != "keyword" and query.strip():
        note = find_meaning(view, query, mode, scope, found)
        if embedded < 1 and not note:
            note = (
                f"{1 - embedded:.0%} of the passages have no vector yet and are found by their "
                "words; they get one while an add runs"
            )
    note = " ".join(part for part in (note, _unread_scans(view, scope)) if part)
    if mode != "semantic":
        _score_words(view.snapshot, terms, scope, found)
    return Hits(_rank(view, found, mode, fusion, k), embedded=embedded, note=note)


def _unread_scans(view: CorpusView, scope: Scope) -> str:
    """Say how many pages cannot be found because OCR has not read them; empty when all can."""
    left = sum(
        len(document.scanned_pages) - len(document.ocr_pages)
        for document in view.documents()
        if scope.documents is None or document.id in scope.documents
    )
    what = "1 scanned page is" if left == 1 else f"{left} scanned pages are"
    return f"{what} not read by OCR yet, so words there are not found" if left else ""


def _read_scope(
    view: CorpusView,
    mode: str,
    k: int,
    documents: Collection[str] | None,
    kinds: Collection[str] | None,
    pages: Collection[int] | None,
    metadata: Mapping[str, Scalar] | None,
) -> Scope:
    if mode not in get_args(Mode):
        raise ConfigError(f"search mode {mode!r}: choose one of {', '.join(get_args(Mode))}")
    if mode == "visual" and kinds:
        raise ConfigError("visual search finds whole pages, so it takes no kinds of regions")
    if k < 1:
        raise ConfigError(f"search k = {k!r}: at least 1")
    if unknown := set(kinds or ()) - _KINDS:
        raise ConfigError(f"unknown kinds {sorted(unknown)}; there are: {sorted(_KINDS)}")
    chosen = view.documents()
    if documents is not None:
        chosen = tuple(view.document(name) for name in documents)
    for key, value in (metadata or {}).items():
        chosen = tuple(d for d in chosen if d.metadata.get(key) == value)
    ids = frozenset(document.id for document in chosen)
    return Scope(
        None if len(ids) == len(view.snapshot.records) else ids,
        None if kinds is None else frozenset(kinds),
        None if pages is None else frozenset(pages),
    )


def _find_words(snapshot: Corpus, terms: list[str], scope: Scope, found: Found) -> None:
    """Bring the passages that hold the query's words."""
    if not terms:
        return
    if ranker := _document_ranker(snapshot, scope):
        scores = ranker.scores(terms)
        best = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores > 0)]
        held = [p for p in (ranker.passages[i] for i in best) if scope.holds(p)]
        ids = [passage.id for passage in held[: found.depth]]
    else:
        matches = snapshot.match(
            terms,
            limit=2 * found.depth,
            documents=scope.documents,
            kinds=scope.kinds,
            pages=scope.pages,
        )
        ids = [match.region_id for match in matches]
    found.passages |= snapshot.regions_by_id(ids)
    unread = snapshot.unread() & (snapshot.unread() if scope.documents is None else scope.documents)
    if unread and scope.kinds is None:
        for page in find_unread(snapshot, terms, unread, pages=scope.pages, limit=found.depth // 2):
            found.passages[page.id] = page
    found.bring("keyword", found.passages)
    _score_words(snapshot, terms, scope, found)


def _score_words(snapshot: Corpus, terms: list[str], scope: Scope, found: Found) -> None:
    """Give every candidate its BM25 score."""
    if not terms:
        return
    if ranker := _document_ranker(snapshot, scope):
        scores = ranker.scores(terms)
        known = {p.id: float(s) for p, s in zip(ranker.passages, scores, strict=True)}
        found.keyword = {id: known[id] for id in found.passages if id in known}
        found.ceiling = ranker.ceiling(terms)
        return
    new = [passage for id, passage in found.passages.items() if id not in found.keyword]
    statistics = snapshot.statistics()
    if unread := [p.search_text for p in found.passages.values() if p.kind == "page"]:
        statistics = statistics.plus(count(unread))
    view_ranker = ViewRanker(terms, statistics)
    scores = view_ranker.scores(snapshot.memo.terms(new))
    found.keyword |= {p.id: float(s) for p, s in zip(new, scores, strict=True)}
    found.ceiling = view_ranker.ceiling


def _document_ranker(snapshot: Corpus, scope: Scope) -> DocumentRanker | None:
    """Return the ranker of the one document in scope; None for several, or one not read yet."""
    if scope.documents is None or len(scope.documents) != 1:
        return None
    (document,) = scope.documents
    if document in snapshot.unread():
        return None
    return snapshot.memo.ranker(
        document, lambda: DocumentRanker(snapshot.regions(document, kinds=("passage",)))
    )


def _rank(view: CorpusView, found: Found, mode: Mode, fusion: str, k: int) -> list[Hit]:
    """Return the best passage of each page, pages by score, then document id and page."""
    scores = _score(found, mode, fusion)
    ranked: dict[tuple[str, int], list[str]] = {}
    for id in sorted(scores, key=lambda id: (-scores[id], id)):
        passage = found.passages[id]
        ranked.setdefault((passage.document, passage.page), []).append(id)
    share = SECOND if mode == "hybrid" else 0.0
    total = {
        page: page_score([scores[id] for id in ids[:2]], share) for page, ids in ranked.items()
    }
    pages = sorted(total, key=lambda page: (-total[page], page))[:k]
    documents = {document.id: document for document in view.documents()}
    hits = []
    for page in pages:
        id = ranked[page][0]
        passage, document = found.passages[id], documents[page[0]]
        each = {"keyword": found.keyword.get(id), "semantic": found.semantic.get(id)}
        hits.append(
            Hit(
                document=document.source,
                name=document.name,
                page=page[1],
                box=passage.box,
                kind=passage.parent_kind or passage.kind,
                text=passage.text,
                score=total[page],
                found_by=tuple(found.by[id]),
                scores={name: value for name, value in each.items() if value is not None},
                region="" if passage.kind == "page" else id,
                section=passage.section,
                source=passage.source,
                pictures=view,
            )
        )
    return hits


def _score(found: Found, mode: Mode, fusion: str) -> dict[str, float]:
    """Return the score of each candidate that the mode's signals know."""
    if mode == "semantic":
        return {id: found.semantic[id] for id in found.passages if id in found.semantic}
    if mode == "keyword" or not found.semantic:
        return {id: score for id, score in found.keyword.items() if score > 0}
    ids = list(found.passages)
    keyword = np.array([found.keyword.get(id, 0.0) for id in ids]) / (found.ceiling or 1.0)
    semantic = np.array([found.context.get(id, np.nan) for id in ids])
    semantic = (semantic - found.floor) / (1 - found.floor)
    return dict(zip(ids, fuse(fusion, keyword, semantic).tolist(), strict=True))
