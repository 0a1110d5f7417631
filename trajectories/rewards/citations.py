"""Rewards for citations: that the pages which hold the answer are cited, and no others.

No published recipe pays for these; they are why an answer of ours can be checked.
"""

from pagehop.scoring import boxes, ranking
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reading import abstained, cited_pages, gold_pages, shown_pages
from pagehop.trajectories.rewards.reward import Reward, Scored

_ABSTAINED = Scored(None, "it abstained: there is nothing to cite")


def citation_f1() -> Reward:
    """F1 of the pages cited against the gold pages, 0 to 1."""

    def rule(episode: Episode) -> Scored:
        if abstained(episode) and episode.task.answerable is False:
            return _ABSTAINED
        cited, gold = cited_pages(episode), gold_pages(episode)
        value = ranking.set_fbeta(cited, gold)
        if value is None:
            return Scored(None, "no gold page is known")
        return Scored(value, f"cited {', '.join(cited) or 'nothing'}")

    return Reward("citation_f1", rule)


def citation_grounded() -> Reward:
    """Share of the pages cited that were shown in the run, 0 to 1; an answer that cites none: 0."""

    def rule(episode: Episode) -> Scored:
        if abstained(episode):
            return _ABSTAINED
        cited, seen = cited_pages(episode), set(shown_pages(episode))
        if not cited:
            return Scored(0.0, "nothing is cited")
        unseen = [page for page in cited if page not in seen]
        reason = f"never shown: {', '.join(unseen)}" if unseen else "all cited pages were shown"
        return Scored(1 - len(unseen) / len(cited), reason)

    return Reward("citation_grounded", rule)


def citation_support() -> Reward:
    """Share of the citations whose quote was found on its page at its box, 0 to 1."""

    def rule(episode: Episode) -> Scored:
        if abstained(episode):
            return _ABSTAINED
        citations = episode.answer.citations if episode.answer is not None else ()
        if not citations:
            return Scored(0.0, "nothing is cited")
        found = sum(one.verified for one in citations)
        return Scored(found / len(citations), f"{found} of {len(citations)} quotes were found")

    return Reward("citation_support", rule)


def citation_iou() -> Reward:
    """Best overlap (IoU) of a cited box with a gold box of its page, mean over gold boxes, 0-1."""

    def rule(episode: Episode) -> Scored:
        gold = [(g.page, box) for g in episode.task.gold_pages for box in g.boxes]
        if not gold:
            return Scored(None, "no gold box is known")
        citations = episode.answer.citations if episode.answer is not None else ()
        cited = [(f"{one.name}:{one.page}", one.box) for one in citations]
        best = [
            max((boxes.iou(box, wanted) for at, box in cited if at == page), default=0.0)
            for page, wanted in gold
        ]
        return Scored(sum(best) / len(best), f"of {len(gold)} gold boxes")

    return Reward("citation_iou", rule)
