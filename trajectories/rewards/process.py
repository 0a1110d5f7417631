"""Process rewards: what a round kept, and how the evidence grew. They never pay for the answer."""

import re

from pagehop.scoring import words
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reading import cited_pages, gold_pages, golds
from pagehop.trajectories.rewards.reward import Reward, Scored

_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def summary_fidelity() -> Reward:
    """For each round, the share of what it saw and later needed that its evidence kept, 0 to 1.

    Needed are pages that are gold, or that the answer cites, and the numbers of gold answers which
    a tool showed in the round. A round that saw none of them has no value.
    """

    def rule(episode: Episode) -> list[Scored]:
        needed = set(gold_pages(episode)) | set(cited_pages(episode))
        numbers = {number for gold in golds(episode) for number in _NUMBER.findall(gold)}
        rounds = _rounds(episode)
        return [_fidelity(episode, steps, i, needed, numbers) for i, steps in enumerate(rounds)]

    return Reward("summary_fidelity", rule)


def progress() -> Reward:
    """For each tool call, how much more of the gold is covered by the evidence that it gave, 0-1.

    Covered are gold pages with evidence; where no gold page is known, words of the best gold
    answer that stand in the evidence. The values sum to the share covered at the end.

    Source: the Progress Tracker of IM-RAG (Yang et al. 2024), from its abstract; differs: exact
    coverage where it has the similarity of a trained encoder.
    """

    def rule(episode: Episode) -> list[Scored]:
        if not gold_pages(episode) and not golds(episode):
            return [Scored(None, "neither gold pages nor gold answers are known")]
        scored, before = [], 0.0
        for call in episode.tool_calls:
            upto = {c.id for c in episode.tool_calls if c.step <= call.step and c.id <= call.id}
            now = max(before, _covered(episode, upto))
            reason = f"evidence covers {now:.0%} of the gold"
            scored.append(Scored(now - before, reason, scope="tool_call", target=call.id))
            before = now
        return scored

    return Reward("progress", rule)


def _covered(episode: Episode, calls: set[str]) -> float:
    """Return the share of gold that the evidence of some calls covers."""
    kept = [item for item in episode.evidence if item.call in calls]
    gold = set(gold_pages(episode))
    if gold:
        return len(gold & {str(item.ref) for item in kept}) / len(gold)
    said = set(words.normalise(" ".join(item.quote for item in kept)).split())
    shares = [
        len(wanted & said) / len(wanted)
        for gold_answer in golds(episode)
        if (wanted := set(words.normalise(gold_answer).split()))
    ]
    return max(shares, default=0.0)


def _rounds(episode: Episode) -> list[range]:
    """Return the steps of each round: they end where a round was summarized."""
    last = max((call.step for call in episode.tool_calls), default=0)
    ends = sorted({e.step for e in episode.edits if e.kind == "summarise" and e.step} | {last})
    starts = [1, *(end + 1 for end in ends[:-1])]
    return [range(start, end + 1) for start, end in zip(starts, ends, strict=True)] if last else []


def _fidelity(
    episode: Episode, steps: range, number: int, needed: set[str], numbers: set[str]
) -> Scored:
    calls = [call for call in episode.tool_calls if call.step in steps]
    kept = [item for item in episode.evidence if item.call in {call.id for call in calls}]
    saw = needed & {page for call in calls for page in call.pages}
    read = {n for n in numbers if any(n in _NUMBER.findall(call.result) for call in calls)}
    target = calls[-1].id if calls else ""
    if not saw and not read:
        said = f"round {number + 1} saw nothing that was needed"
        return Scored(None, said, scope="tool_call", target=target)
    pages = saw & {str(item.ref) for item in kept}
    held = {n for n in read if any(n in _NUMBER.findall(item.quote) for item in kept)}
    lost = sorted(saw - pages) + sorted(read - held)
    value = (len(pages) + len(held)) / (len(saw) + len(read))
    reason = (
        f"round {number + 1} lost {', '.join(lost)}" if lost else f"round {number + 1} kept all"
    )
    return Scored(value, reason, scope="tool_call", target=target)
