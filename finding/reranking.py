"""Re-ranking: the first hits of a search in a second order, by a costlier look at each.

- `late`: late interaction over the text encoder's own token vectors; no second model.
- `cross-encoder:ID_OR_PATH`: any sequence classifier with one or two labels, through transformers.
- `judge`: list-wise by the search's `judge`; `chat:provider:name` makes one of a chat model.

Docs/SEARCH.md says what each was measured to do, and what it costs.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ConfigError, ModelError
from pagehop.finding.corpus import CorpusView
from pagehop.finding.fusion import BAG
from pagehop.types import Hit, Judge

DEPTH = 50
"""Hits that are looked at again."""
LATE_WEIGHT = 0.2
"""Of late interaction against the fused score. On half of the questions, .1 to .3 do equally well;
alone it is worse than what it re-ranks: the encoder was trained for its mean vector."""
RERANKERS = ("late", "cross-encoder:ID_OR_PATH", "judge", "chat:PROVIDER:NAME")


def checked_rerank(rerank: str, judge: Judge | None) -> str:
    """Return a re-ranker's name when it can be had.

    Raises:
        ConfigError: There is none of that name, or `judge` without one.
    """
    kind, _, rest = rerank.partition(":")
    if rerank in ("", "late") or (kind in ("cross-encoder", "chat") and rest):
        return rerank
    if rerank == "judge":
        if judge is None:
            raise ConfigError("rerank='judge' needs judge=, which scores pages list-wise")
        return rerank
    raise ConfigError(f"unknown rerank {rerank!r}; there are: {', '.join(RERANKERS)}")


def rerank_hits(
    view: CorpusView, query: str, hits: Sequence[Hit], rerank: str, judge: Judge | None
) -> tuple[list[Hit], str]:
    """Return hits in their second order, and a note when they could not be judged.

    Raises:
        ModelError: The model cannot be loaded or does not answer.
    """
    kind, _, name = rerank.partition(":")
    head = list(hits[: BAG if kind in ("judge", "chat") else DEPTH])
    rest = list(hits[len(head) :])
    if len(head) < 2:
        return list(hits), ""
    if kind == "late":
        late = _late_scores(view, query, head)
        if late is None:
            return list(hits), "not re-ranked: the library's encoder cannot be loaded"
        scores = (1 - LATE_WEIGHT) * np.array([hit.score for hit in head]) + LATE_WEIGHT * late
        return _ordered(head, scores, {"late": late}) + rest, ""
    if kind == "cross-encoder":
        from pagehop.models.cross_encoder import load_cross_encoder  # noqa: PLC0415 - on first use

        scores = load_cross_encoder(name).scores(query, [_text(view, hit) for hit in head])
        return _ordered(head, scores, {"cross-encoder": scores}) + rest, ""
    judged = (_chat_judge(name) if kind == "chat" else judge)  # fmt: skip
    assert judged is not None, "checked before the search"
    try:
        given = judged(query, [f"{hit.ref}\n{hit.text}" for hit in head])
    except ModelError as error:
        return list(hits), f"not re-ranked: {error}"
    if len(given) != len(head):
        return list(hits), "not re-ranked: the judge's reply could not be read"
    scores = np.array(given, np.float64)
    return _ordered(head, scores, {"judge": scores}) + rest, ""


def _late_scores(view: CorpusView, query: str, hits: Sequence[Hit]) -> NDArray[np.float64] | None:
    encoder = view.encoder
    if encoder is None:
        return None
    from pagehop.models.token_vectors import max_similarity  # noqa: PLC0415 - on first use

    tokens, memo = encoder.tokens, view.snapshot.memo.token_vectors
    missing = [hit for hit in hits if memo.find(_key(hit)) is None]
    for hit, made in zip(missing, tokens.of([_text(view, hit) for hit in missing]), strict=True):
        memo.put(_key(hit), made)
    asked = tokens.of([query])[0]
    known = (memo.find(_key(hit)) for hit in hits)
    return np.array([max_similarity(asked, one) if one is not None else 0.0 for one in known])


def _key(hit: Hit) -> str:
    return hit.region or str(hit.ref)


def _text(view: CorpusView, hit: Hit) -> str:
    """Return what is indexed of a hit: its words with title and section before them."""
    region = view.snapshot.regions_by_id([hit.region]).get(hit.region) if hit.region else None
    return region.search_text if region else hit.text


def _chat_judge(name: str) -> Judge:
    from pagehop.finding.judging import ChatJudge  # noqa: PLC0415 - on first use
    from pagehop.models.chat_models import load_chat_model  # noqa: PLC0415 - loads langchain

    return ChatJudge(load_chat_model(name))


def _ordered(
    hits: Sequence[Hit], scores: NDArray[np.float64], each: dict[str, NDArray[np.float64]]
) -> list[Hit]:
    """Return hits by new scores; equal ones keep their order."""
    made = [
        replace(
            hit,
            score=float(scores[i]),
            scores={**hit.scores, **{name: float(values[i]) for name, values in each.items()}},
        )
        for i, hit in enumerate(hits)
    ]
    return [made[i] for i in np.argsort(-scores, kind="stable")]
