"""Rewards for pages: what was put before the reasoner, against the gold pages of the task."""

import math

from pagehop.scoring import ranking
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reading import (
    documents,
    gold_pages,
    page_number,
    shown_pages,
)
from pagehop.trajectories.rewards.reward import Reward, Scored

_NO_GOLD = Scored(None, "no gold page is known")
NEAR = 0.3
"""What a page next to gold is worth at most (ALDEN)."""
MANY_PAGES = -0.5
"""What a call earns that fetches several pages at once (ALDEN)."""
FETCHES = frozenset({"read_page", "look", "find_tables"})
"""Tools that go to one page by its number."""


def retrieval_ndcg(k: int = 0) -> Reward:
    """Normalised discounted gain of the pages shown, in the order in which they came, 0 to 1.

    Args:
        k: Look at the first k pages; 0 takes all, which is VRAG-RL's for gold pages of equal worth.
    """

    def rule(episode: Episode) -> Scored:
        value = ranking.ndcg_at(shown_pages(episode), gold_pages(episode), k or None)
        found = ranking.recall_at(shown_pages(episode), gold_pages(episode), k or None)
        if value is None or found is None:
            return _NO_GOLD
        return Scored(value, f"{found:.0%} of the gold pages were among those shown")

    return Reward(f"retrieval_ndcg@{k}" if k else "retrieval_ndcg", rule, settings={"k": k})


def page_recall() -> Reward:
    """Share of the gold pages that were shown, 0 to 1."""

    def rule(episode: Episode) -> Scored:
        gold = gold_pages(episode)
        value = ranking.recall_at(shown_pages(episode), gold, None)
        if value is None:
            return _NO_GOLD
        missing = [page for page in dict.fromkeys(gold) if page not in shown_pages(episode)]
        return Scored(value, f"never shown: {', '.join(missing)}" if missing else "all were shown")

    return Reward("page_recall", rule)


def page_fbeta(beta: float = 1.0) -> Reward:
    """F-beta of the pages shown against the gold pages, 0 to 1; beta above 1 favours recall."""

    def rule(episode: Episode) -> Scored:
        value = ranking.set_fbeta(shown_pages(episode), gold_pages(episode), beta=beta)
        seen = len(shown_pages(episode))
        return _NO_GOLD if value is None else Scored(value, f"{seen} pages were shown")

    return Reward("page_fbeta", rule, settings={"beta": beta})


def doc_coverage() -> Reward:
    """F1 of the documents shown against the gold documents, 0 to 1 (MARAG-R1's second term)."""

    def rule(episode: Episode) -> Scored:
        gold = episode.task.gold_documents or documents(gold_pages(episode))
        seen = documents(shown_pages(episode))
        value = ranking.set_fbeta(seen, gold)
        if value is None:
            return Scored(None, "no gold document is known")
        return Scored(value, f"{len(set(seen) & set(gold))} of {len(set(gold))} were shown")

    return Reward("doc_coverage", rule)


def coverage_delta() -> Reward:
    """For each tool call, how much of the gold pages it showed first; they sum to `page_recall`.

    A difference of potentials, so it does not change which policy is best (Ng et al. 1999).
    """

    def rule(episode: Episode) -> list[Scored]:
        gold, seen = set(gold_pages(episode)), set[str]()
        if not gold:
            return [_NO_GOLD]
        scored = []
        for call in episode.tool_calls:
            new = (gold & set(call.pages)) - seen
            seen |= new
            reason = f"first to show {', '.join(sorted(new))}" if new else "showed no new gold page"
            scored.append(Scored(len(new) / len(gold), reason, scope="tool_call", target=call.id))
        return scored

    return Reward("coverage_delta", rule)


def fetch_proximity() -> Reward:
    """For each page fetched by number: 1 for gold, else .3 * exp(-distance / 2), 0 to 1.

    The distance is the mean over the gold pages of the same document, in pages; a page of a
    document without gold earns 0.

    Source: ALDEN (gipplab/ALDEN), its turn reward of `fetch`; differs: several documents.
    """

    def rule(episode: Episode) -> list[Scored]:
        if not gold_pages(episode):
            return [_NO_GOLD]
        return [
            Scored(
                proximity(call.pages[0], gold_pages(episode)),
                f"fetched {call.pages[0]}",
                scope="tool_call",
                target=call.id,
            )
            for call in episode.tool_calls
            if call.tool in FETCHES and call.pages
        ]

    return Reward("fetch_proximity", rule)


def proximity(page: str, gold: list[str]) -> float:
    """Return what fetching a page is worth, 0 to 1."""
    if page in gold:
        return 1.0
    same = [page_number(one) for one in gold if documents([one]) == documents([page])]
    if not same:
        return 0.0
    distance = sum(abs(page_number(page) - number) for number in same) / len(same)
    return NEAR * math.exp(-distance / 2)
