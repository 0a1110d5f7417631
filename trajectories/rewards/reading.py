"""What rewards read of an episode: its answer, pages shown and cited, gold, calls."""

from collections.abc import Sequence

from pagehop.scoring.words import plain_answer
from pagehop.trajectories.calls import ToolCallRecord
from pagehop.trajectories.episode import Episode

NO_TOOLS = frozenset({"note", "recall"})
"""Calls that look at nothing new in the documents."""


def answer_text(episode: Episode) -> str:
    """Return what was answered, without its marks; empty when the run abstained or was cut off.

    A spent run without a claim has only the machine's own words, which repeat what was searched
    for: a policy could search for guesses and be paid for them.
    """
    answer = episode.answer
    if answer is None or abstained(episode):
        return ""
    return (
        "" if episode.status == "exhausted" and not answer.citations else plain_answer(answer.text)
    )


def answered(episode: Episode) -> bool:
    """Say whether there is an answer that claims something."""
    return episode.status in ("answered", "exhausted") and bool(answer_text(episode).strip())


def abstained(episode: Episode) -> bool:
    """Say whether the run ended by saying that the documents do not hold it."""
    return episode.status == "unanswerable"


def golds(episode: Episode) -> tuple[str, ...]:
    """Return the gold answers."""
    return episode.task.gold_answers


def shown_pages(episode: Episode) -> list[str]:
    """Return the pages that were put before the reasoner, once each, in order."""
    return [shown.page for shown in episode.shown]


def cited_pages(episode: Episode) -> list[str]:
    """Return the pages that the answer cites, once each, in order."""
    citations = episode.answer.citations if episode.answer is not None else ()
    return list(dict.fromkeys(f"{one.name}:{one.page}" for one in citations))


def gold_pages(episode: Episode) -> list[str]:
    """Return the pages that hold what answers the question."""
    return [gold.page for gold in episode.task.gold_pages]


def documents(pages: Sequence[str]) -> list[str]:
    """Return the documents of pages, once each, in order."""
    return list(dict.fromkeys(page.rpartition(":")[0] for page in pages))


def looks(episode: Episode) -> list[ToolCallRecord]:
    """Return the calls that look at documents, in order."""
    return [call for call in episode.tool_calls if call.tool not in NO_TOOLS]


def malformed(episode: Episode) -> int:
    """Return how many calls no tool could take and how many replies no parser could."""
    replies = sum(edit.kind == "repair" for edit in episode.edits)
    return replies + sum(not call.valid for call in episode.tool_calls)


def page_number(page: str) -> int:
    """Return the number of a page reference."""
    return int(page.rpartition(":")[2])
