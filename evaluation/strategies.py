"""Search strategies, scored without any model: what `--retrieval-only` runs.

search:keyword, search:semantic, search:hybrid:rrf, search:hybrid:weighted, ...
"""

import time
from collections.abc import Sequence
from typing import get_args

from pagehop.errors import ConfigError
from pagehop.evaluation.comparison import seen_by
from pagehop.evaluation.questions import Question
from pagehop.evaluation.scores import CUTS, Parts, score_pages
from pagehop.finding.fusion import STRATEGIES
from pagehop.library.view import View
from pagehop.scoring.boxes import Place, region_hit_at, region_recall_at
from pagehop.types import Mode

PREFIX = "search:"
_MODES: tuple[Mode, ...] = get_args(Mode)


def list_strategies(view: View) -> list[str]:
    """Return the names of the strategies that a library can be searched with."""
    names = [f"{PREFIX}keyword"]
    if view.encoder is not None:
        names.append(f"{PREFIX}semantic")
        names += [f"{PREFIX}hybrid:{fusion}" for fusion in STRATEGIES]
    return names


def score_search(
    name: str, questions: Sequence[Question], view: View, *, k: int = max(CUTS)
) -> tuple[dict[str, list[Parts]], float]:
    """Search for each question that has gold pages or several documents to choose from.

    Returns:
        Scores by question id, and the mean seconds of a search.

    Raises:
        ConfigError: There is no such strategy.
    """
    mode, _, fusion = name.removeprefix(PREFIX).partition(":")
    known = next((one for one in _MODES if one == mode), None)
    if known is None or (fusion and fusion not in STRATEGIES):
        raise ConfigError(f"no search strategy is called {name!r}")
    scores: dict[str, list[Parts]] = {}
    seconds = 0.0
    for question in questions:
        choice = question.scope is None or len(question.scope) > 1
        if not question.sure_gold and not (question.documents and choice):
            continue
        seen = seen_by(view, question)
        if not scores:  # what is loaded once is no part of a search's time
            seen.search(question.question, k=k, mode=known, fusion=fusion)
        started = time.perf_counter()
        hits = seen.search(question.question, k=k, mode=known, fusion=fusion)
        spent = time.perf_counter() - started
        parts = score_pages(question, [(hit.document, hit.page) for hit in hits])
        gold = [Place((g.document, g.page), box) for g in question.evidence for box in g.boxes]
        if gold and question.sure_gold:
            found = [Place((hit.document, hit.page), hit.box) for hit in hits]
            for cut in CUTS:
                recall, hit_ = (f(found, gold, cut) for f in (region_recall_at, region_hit_at))
                parts[f"region_recall@{cut}"] = (recall or 0.0, 1.0)
                parts[f"region_hit@{cut}"] = (hit_ or 0.0, 1.0)
        if parts:
            scores[question.id] = [parts]
            seconds += spent
    return scores, seconds / len(scores) if scores else 0.0
