"""Find pages of a view: keyword, semantic, visual and hybrid search.

1. keyword (`words.py`): full text brings candidates from every visible partition; BM25 with counts
   summed over the visible passages scores them, so that partitions compare and nothing outside the
   view matters. Within one document all its passages are scored, with the same counts.
2. semantic: the query's vector against all visible ones (`meaning.py`).
3. visual: pages whose picture fits the query (`visual_search.py`).
4. hybrid: candidates of all three, each scored by all signals, fused by a named strategy
   (`fusion.py`); its cosines are of passages read with their neighbours on the page.
5. One hit a page: its best passage (`ranking.py`). In hybrid search a page's second passage speaks
   for it too (`weighing.page_score`). Equal scores are ordered by document id and page.

Search never writes. Candidates that have no vector yet are embedded into memory; `Hits.embedded`
and `Hits.note` say that vectors are missing. Documents that are not yet read into passages are
found by the words of their pages (`unread.py`).

Not covered: phrases, exclusions and patterns (`patterns.py`), which are conditions on pages.
"""

from collections.abc import Collection, Mapping
from typing import get_args

from pagehop.errors import ConfigError
from pagehop.finding.candidates import DEPTH, Found, Scope
from pagehop.finding.corpus import CorpusView
from pagehop.finding.fusion import PREFERRING, checked_fusion
from pagehop.finding.meaning import find_meaning
from pagehop.finding.ranking import rank
from pagehop.finding.reranking import DEPTH as RERANKED
from pagehop.finding.reranking import checked_rerank, rerank_hits
from pagehop.finding.visual_search import Looked, bring_looks, search_by_sight
from pagehop.finding.words import find_words, read_terms, score_words
from pagehop.settings import load_settings
from pagehop.types import Hits, Judge, Kind, Mode, Scalar

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
    fusion: str = "",
    rerank: str | None = None,
    judge: Judge | None = None,
    pictures: bool = True,
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
        fusion: Name of the strategy that makes one ranking of several (`fusion.py`) in
            hybrid search; empty takes the setting.
        rerank: Who puts the first hits into a second order (`reranking.py`); empty: nobody, None
            takes the setting.
        judge: Scores pages list-wise for the strategies and the re-ranker that ask one.
        pictures: Hybrid search finds pages by their pictures, too, where these have vectors.

    Raises:
        LibraryError: A named document is not visible.
        ConfigError: An empty query, an unknown mode, kind or fusion, or `k` below 1.
        ModelError: Semantic or visual search without an encoder.
    """
    if not query.strip():
        raise ConfigError("the search query is empty; give some words")
    fusion = fusion or load_settings().search.fusion
    checked_fusion(fusion)
    rerank = checked_rerank(load_settings().search.rerank if rerank is None else rerank, judge)
    scope = _read_scope(view, mode, k, documents, kinds, pages, metadata)
    if scope.documents is not None and not scope.documents:
        return Hits()
    if mode == "visual":
        if rerank:
            raise ConfigError(f"rerank={rerank!r} reads passages, which visual search has not")
        return search_by_sight(view, query, scope, k)
    wanted = max(k, RERANKED) if rerank else k
    found = Found(max(DEPTH, 2 * wanted))
    routed = mode == "hybrid" and fusion in PREFERRING
    notes = _gather(view, query, mode, scope, found, routed=routed, pictures=pictures)
    hits = rank(view, query, found, mode=mode, fusion=fusion, k=wanted, judge=judge)
    if rerank:
        hits, note = rerank_hits(view, query, hits, rerank, judge)
        hits = hits[:k]
        notes.append(note)
    note = " ".join(filter(None, notes))
    return Hits(hits, embedded=view.snapshot.embedded(), note=note)


def _gather(
    view: CorpusView,
    query: str,
    mode: Mode,
    scope: Scope,
    found: Found,
    *,
    routed: bool,
    pictures: bool,
) -> list[str]:
    """Bring each retriever's candidates, and score them all; return what is to be said of it."""
    terms, note = read_terms(view.snapshot, query)
    notes = [note]
    if routed:
        held = view.snapshot.spread(terms)
        found.route = view.snapshot.routing.route(query, held, scope.documents)
    embedded = view.snapshot.embedded()
    if mode != "semantic" or embedded < 1:
        find_words(view.snapshot, terms, scope, found)
    looked = Looked()
    if mode == "hybrid" and pictures:
        looked = bring_looks(view, query, scope, found)
        notes.append(looked.note)
    if mode != "keyword":
        notes.append(find_meaning(view, query, mode, scope, found))
        if embedded < 1 and not notes[-1]:
            notes.append(
                f"{1 - embedded:.0%} of the passages have no vector yet and are found by their "
                "words; they get one while an add runs"
            )
    found.passages = {**looked.pages, **found.passages}  # only now: there is nothing to embed
    notes.append(_unread_scans(view, scope))
    if mode != "semantic":
        score_words(view.snapshot, terms, scope, found)
    return notes


def _unread_scans(view: CorpusView, scope: Scope) -> str:
    """Say how many pages cannot be found because OCR has not read them; empty when all can."""
    left = sum(
        len(document.scanned_pages) - len(document.ocr_pages)
        for document in view.documents()
        if scope.documents is None or document.id in scope.documents
    )
    what = "1 scanned page is" if left == 1 else f"{left} scanned pages are"
    return f"{what} not read by OCR yet, so words there are not found" if left else ""


def checked_k(k: int) -> int:
    """Return how many hits are asked for.

    Raises:
        ConfigError: It is no whole number of at least 1.
    """
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ConfigError(f"search k = {k!r}: a whole number, at least 1")
    return k


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
    checked_k(k)
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
