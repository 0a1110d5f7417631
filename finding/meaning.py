"""The semantic signal of a search: which passages are nearest to the query's vector.

1. While vectors are few, every visible one is compared; beyond `SCANNED` the index brings the
   nearest, and passages are not read with their neighbours.
2. A passage's cosine is the better of two: of its own words alone, and with what stands above it
   (passage_vectors.py).
3. In hybrid search the second is compared as part of its page: with the passages before and after
   it (`VectorRows.in_context`). Semantic search alone compares it as it is.
4. Candidates of the keyword signal that have no vector yet are embedded into memory, the best
   first, as far as `FRESH_S` goes: while the writer embeds, each waits behind one of its batches.

3 helps the more, the less a passage says by itself: without title and section it lifts the mean
reciprocal rank of hybrid search from .62 to .65, with both by .01 only (benchmarks/retrieval.py).
Semantic search alone loses recall at 5 by it.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.finding.candidates import Found, Scope
from pagehop.finding.corpus import Corpus, CorpusView
from pagehop.finding.passage_vectors import PassageEmbedder
from pagehop.models.encoder_files import WAYS_OUT
from pagehop.types import Mode, Region

if TYPE_CHECKING:
    from pagehop.models.text_encoder import TextEncoder

SCANNED = 200_000
"""Most vectors compared one by one: 15 ms for 100,000."""
FRESH = 16
"""Most passages embedded during one search."""
FRESH_S = 0.5
"""When a search has taken this long for its vectors, it embeds no more passages. The first few are
always embedded; the others have their words only, as `Hits.note` says."""
FRESH_AT_ONCE = 4


def find_meaning(view: CorpusView, query: str, mode: Mode, scope: Scope, found: Found) -> str:
    """Bring the passages nearest to a query and give every candidate its cosines.

    Returns:
        A note when the signal is missing; empty otherwise.

    Raises:
        ModelError: There is no encoder and the mode is semantic.
    """
    encoder = view.encoder
    if encoder is None:
        if mode == "semantic":
            raise ModelError(f"semantic search needs the library's encoder; {WAYS_OUT}")
        return f"keyword search only: the library's encoder cannot be loaded; {WAYS_OUT}"
    snapshot = view.snapshot
    deadline = time.monotonic() + FRESH_S
    found.query = vector = encoder.encode_query(query)
    found.floor = encoder.floor if mode == "hybrid" else 0.0
    if snapshot.passages() * snapshot.embedded() > SCANNED:
        brought = _ask_index(snapshot, vector, scope, found)
    else:
        brought = _scan(snapshot, vector, mode, scope, found)
    found.passages |= snapshot.regions_by_id(id for id in brought if id not in found.passages)
    found.bring("semantic", brought)
    _embed_missing(snapshot, encoder, vector, found, deadline)
    return ""


def vectors_of(view: CorpusView, passages: Sequence[Region]) -> NDArray[np.float32]:
    """Return the vectors (n, dim) of passages; those that are not at hand are made, or nan."""
    encoder, corpus = view.encoder, view.snapshot
    assert encoder is not None, "asked for after a search by meaning"
    found: dict[str, NDArray[np.float32]] = {}
    if corpus.passages() * corpus.embedded() <= SCANNED:
        block = corpus.vectors()
        rows = corpus.memo.rows(block).of_region
        found = {p.id: block.matrix[rows[p.id]] for p in passages if p.id in rows}
    for passage in passages:
        if passage.id not in found and (known := corpus.memo.vectors.find(passage.id)) is not None:
            found[passage.id] = known[0]
    missing = [passage for passage in passages if passage.id not in found][:FRESH]
    found |= {id: made[0] for id, made in _embed(corpus, encoder, missing).items()}
    unknown = np.full(encoder.dim, np.nan, np.float32)
    return np.array([found.get(p.id, unknown) for p in passages]).reshape(-1, encoder.dim)


def _ask_index(
    snapshot: Corpus, vector: NDArray[np.float32], scope: Scope, found: Found
) -> list[str]:
    matches = snapshot.nearest(
        vector, limit=found.depth, documents=scope.documents, kinds=scope.kinds, pages=scope.pages
    )
    if likely := found.route.likely:
        matches += snapshot.nearest(
            vector, limit=found.depth // 2, documents=likely, kinds=scope.kinds, pages=scope.pages
        )
    found.semantic |= {match.region_id: _cosine(match.score) for match in matches}
    found.context |= {match.region_id: _cosine(match.score) for match in matches}
    return [match.region_id for match in matches]


def _scan(
    snapshot: Corpus, vector: NDArray[np.float32], mode: Mode, scope: Scope, found: Found
) -> list[str]:
    """Return the nearest passages; give them and the candidates there are their cosines."""
    block = snapshot.vectors()
    if not block.ids:
        return []
    at = snapshot.memo.rows(block)
    rows = np.arange(len(block.ids))
    if scope.documents is not None:
        parts = [at.of_document[id] for id in sorted(scope.documents) if id in at.of_document]
        rows = np.concatenate([rows[:0], *parts])
    if scope.pages is not None:
        rows = rows[np.isin(block.pages[rows], list(scope.pages))]
    if scope.kinds is not None:
        rows = rows[np.isin(block.kinds[rows], list(scope.kinds))]
    others = np.array([at.of_region[id] for id in found.passages if id in at.of_region], np.int64)
    if len(rows) == len(block.ids):
        cosines, own = block.matrix @ vector, block.own @ vector  # (n,)
    else:
        needed = at.reach(np.concatenate([rows, others]))
        cosines, own = np.zeros((2, len(block.ids)), np.float32)
        cosines[needed] = block.matrix[needed] @ vector
        own[needed] = block.own[needed] @ vector
    context = np.maximum(at.in_context(cosines), own)
    cosines = np.maximum(cosines, own)
    ranked = (cosines if mode == "semantic" else context)[rows]
    nearest = rows[_top(ranked, found.depth)]
    if likely := [at.of_document[id] for id in found.route.likely if id in at.of_document]:
        named = np.zeros(len(block.ids), np.bool_)
        named[np.concatenate(likely)] = True
        meant = np.flatnonzero(named[rows])
        of_likely = rows[meant[_top(ranked[meant], found.depth // 2)]]
        nearest = np.concatenate([nearest, np.setdiff1d(of_likely, nearest)])
    for row in (*nearest.tolist(), *others.tolist()):
        found.semantic[block.ids[row]] = _cosine(cosines[row])
        found.context[block.ids[row]] = _cosine(context[row])
    return [block.ids[row] for row in nearest]


def _cosine(value: float) -> float:
    """Round away what depends on where in a matrix a row stands."""
    return round(float(value), 5)


def _top(scores: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the positions of the n highest scores, best first, and of those equal to the last."""
    at = np.arange(len(scores))
    if len(scores) > n:
        last = np.partition(scores, len(scores) - n)[len(scores) - n]
        at = np.flatnonzero(scores >= last)
    return at[np.argsort(-scores[at], kind="stable")]


def _embed_missing(
    snapshot: Corpus,
    encoder: "TextEncoder",
    vector: NDArray[np.float32],
    found: Found,
    deadline: float,
) -> None:
    """Embed the best candidates without a vector into memory, until a moment of `monotonic`."""
    missing = [id for id in found.passages if id not in found.semantic]
    missing.sort(key=lambda id: (-found.keyword.get(id, 0.0), id))
    kept = {id: snapshot.memo.vectors.find(id) for id in missing}
    new = [id for id in missing if kept[id] is None][:FRESH]
    for first in range(0, len(new), FRESH_AT_ONCE):
        if first and time.monotonic() > deadline:
            break
        some = [found.passages[id] for id in new[first : first + FRESH_AT_ONCE]]
        kept |= _embed(snapshot, encoder, some)
    for id, known in kept.items():
        if known is not None:
            found.semantic[id] = found.context[id] = _cosine((known @ vector).max())


def _embed(
    corpus: Corpus, encoder: "TextEncoder", passages: Sequence[Region]
) -> dict[str, NDArray[np.float32]]:
    """Return both vectors (2, dim) of passages by their ids: whole, own; they are remembered."""
    texts, search_texts = [p.text for p in passages], [p.search_text for p in passages]
    vectors = PassageEmbedder(encoder).embed(texts, search_texts)
    both = np.stack([vectors.whole, vectors.own], axis=1)  # (n, 2, dim)
    made = {p.id: pair for p, pair in zip(passages, both, strict=True)}
    for id, pair in made.items():
        corpus.memo.vectors.put(id, pair)
    return made
