"""From candidates to hits: one pool, one strategy, one hit a page."""

from collections.abc import Mapping, Sequence

import numpy as np

from pagehop.finding.candidates import Found
from pagehop.finding.corpus import CorpusView
from pagehop.finding.fusion import checked_fusion
from pagehop.finding.meaning import vectors_of
from pagehop.finding.pool import Pool, Signal, Vectors
from pagehop.finding.weighing import SECOND, page_order
from pagehop.types import Document, Hit, Judge, Mode, Region


def rank(
    view: CorpusView,
    query: str,
    found: Found,
    *,
    mode: Mode,
    fusion: str,
    k: int,
    judge: Judge | None = None,
) -> list[Hit]:
    """Return one hit a page, pages by score, then document id and page."""
    strategy = checked_fusion(fusion)
    passages = sorted(found.passages.values(), key=lambda p: (p.document, p.page, p.id))
    signals = _signals([passage.id for passage in passages], found, mode)
    if not signals:
        return []
    pool = _pool(view, query, passages, signals, found, k, judge)
    if len(signals) > 1:
        scores = strategy(pool)
    else:
        (scores,) = (signal.scores for signal in signals.values())
    ranks = {
        name: {int(pool.pages[i]): rank for rank, i in enumerate(ranked, 1)}
        for name, ranked in pool.lists().items()
    }
    brought: dict[int, set[str]] = {}
    for passage, page in zip(passages, pool.pages.tolist(), strict=True):
        brought.setdefault(page, set()).update(found.by.get(passage.id, ()))
    documents = {document.id: document for document in view.documents()}
    hits = []
    for i, score in page_order(pool, scores, SECOND if mode == "hybrid" else 0.0)[:k]:
        page = int(pool.pages[i])
        known = {name: at[page] for name, at in ranks.items() if page in at}
        # Within one document a page may be good by all signals and among the first of none.
        of_page = {n: rank for n, rank in known.items() if n in brought[page]} or known
        hits.append(_hit(view, documents[passages[i].document], passages[i], score, found, of_page))
    return hits


def _pool(
    view: CorpusView,
    query: str,
    passages: Sequence[Region],
    signals: Mapping[str, Signal],
    found: Found,
    k: int,
    judge: Judge | None,
) -> Pool:
    numbers: dict[tuple[str, int], int] = {}
    pages = [numbers.setdefault((p.document, p.page), len(numbers)) for p in passages]

    def vectors(chosen: Sequence[int]) -> Vectors:
        return vectors_of(view, [passages[i] for i in chosen])

    return Pool(
        pages=np.array(pages, np.int64),
        signals=signals,
        k=k,
        preferred=np.array([found.route.preferred.get(p.document, 0.0) for p in passages]),
        question=query,
        texts=lambda i: passages[i].text,
        vectors=vectors if found.query is not None else None,
        query=found.query,
        judge=judge,
    )


def _signals(ids: Sequence[str], found: Found, mode: Mode) -> dict[str, Signal]:
    """Return what each retriever of a mode says of the candidates; those that know none are out."""
    keyword = np.array([found.keyword.get(id, np.nan) for id in ids])
    keyword = np.where(keyword > 0, keyword, np.nan)
    cosines = found.context if mode == "hybrid" else found.semantic
    semantic = np.array([cosines.get(id, np.nan) for id in ids])
    signals = {
        "semantic": Signal(semantic, (semantic - found.floor) / (1 - found.floor)),
        "keyword": Signal(keyword, keyword / (found.ceiling or 1.0)),
    }
    for name, shares in found.others.items():
        known = np.array([shares.get(id, np.nan) for id in ids])
        signals[name] = Signal(known, known)
    return {
        name: signal
        for name, signal in signals.items()
        if mode in ("hybrid", name) and not np.isnan(signal.scores).all()
    }


def _hit(
    view: CorpusView,
    document: Document,
    passage: Region,
    score: float,
    found: Found,
    ranks: Mapping[str, int],
) -> Hit:
    signals = {"keyword": found.keyword, "semantic": found.semantic, **found.others}
    return Hit(
        document=document.source,
        name=document.name,
        page=passage.page,
        box=passage.box,
        kind=passage.parent_kind or passage.kind,
        text=passage.text,
        score=score,
        found_by=tuple(ranks),
        scores={name: known[passage.id] for name, known in signals.items() if passage.id in known},
        region="" if passage.kind == "page" else passage.id,
        section=passage.section,
        source=passage.source,
        pictures=view,
        ranks=ranks,
        why=found.route.reason(passage.document),
    )
