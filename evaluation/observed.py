"""What a run gave for one question: all that scoring needs of it, in one JSON-able value.

It is taken from the run's record, so that new metrics need no new runs; what has no record keeps
it a line a run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pagehop.answers import Answer, Usage
from pagehop.errors import LibraryError
from pagehop.evaluation.questions import Fault, Question
from pagehop.library.view import View
from pagehop.scoring.words import plain_answer
from pagehop.trajectories.episode import Episode, EpisodeStatus
from pagehop.trajectories.reading import read_run
from pagehop.types import Box, PageRef

READS = frozenset({"read_page", "look", "overview", "find_tables"})
"""Tools that open pages; searches only show what was found on them."""


@dataclass(frozen=True)
class Cited:
    """A citation, by source name."""

    document: str
    page: int
    box: Box
    quote: str
    verified: bool


@dataclass(frozen=True)
class Observed:
    """One run of one question."""

    question: str
    """Question id."""
    seed: int
    status: EpisodeStatus
    text: str = ""
    cited: tuple[Cited, ...] = ()
    shown: tuple[tuple[str, int], ...] = ()
    """(document, page) of the pages put before the reasoner, in that order."""
    read: tuple[tuple[str, int], ...] = ()
    """Those of them that were opened."""
    images: int = 0
    """Pictures that were shown."""
    usage: Usage = field(default_factory=Usage)
    trajectory: str = ""
    """The run's record; empty when there is none."""
    episode: str = ""
    error: str = ""

    @property
    def said(self) -> str:
        """The answer without its marks; empty when there is none.

        What a spent run says that found nothing are the machine's words, and repeat its searches.
        """
        none = self.status in ("unanswerable", "failed", "aborted")
        none = none or (self.status == "exhausted" and not self.cited)
        return "" if none else plain_answer(self.text)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Observed":
        """Read what `to_json` gave."""
        cited = tuple(Cited(**{**c, "box": tuple(c["box"])}) for c in record["cited"])
        pages = {name: tuple((d, p) for d, p in record[name]) for name in ("shown", "read")}
        usage = Usage(**record["usage"])
        return cls(**{**record, "cited": cited, **pages, "usage": usage})


def observe(
    question: str, seed: int, answer: Answer, episode: Episode | None, view: View
) -> Observed:
    """Take what scoring needs from an answer and the episode that led to it.

    Args:
        question: Question id.
        seed: Which of the runs of this question it is, from 0.
        answer: What the run returned.
        episode: Its record; without one no page is known to have been shown.
        view: What was asked; gives documents their source names.
    """
    tools = () if episode is None else episode.tool_calls
    read = [page for call in tools if call.tool in READS and call.ok for page in call.pages]
    return Observed(
        question=question,
        seed=seed,
        status=answer.status,
        text=answer.text,
        cited=tuple(
            Cited(c.document, c.page, c.box, c.quote, c.verified) for c in answer.citations
        ),
        shown=_sources(() if episode is None else [page.page for page in episode.shown], view),
        read=_sources(read, view),
        images=sum(call.crop is not None and call.crop.width > 0 for call in tools),
        usage=answer.usage,
        trajectory=answer.trajectory,
        episode="" if episode is None else episode.episode_id,
        error=answer.error,
    )


def observe_record(
    folder: Path, questions: Sequence[Question], view: View
) -> tuple[list[Observed], list[Fault]]:
    """Take the runs of a question set from the record of a rollout.

    Args:
        folder: Of the record.
        questions: Those that count; runs of others are passed over.
        view: What was asked.

    Returns:
        The runs, cut-off ones among them as `aborted`, and a fault for each question whose words
        or scope are others now than when it was run.
    """
    by_id = {question.id: question for question in questions}
    runs, changed = [], {}
    for episode in read_run(folder).episodes:
        question = by_id.get(episode.task.task_id)
        if question is None:
            continue
        if (episode.question, episode.task.scope) != (question.question, question.scope):
            changed[question.id] = Fault(
                f"question {question.id!r}",
                f"it was run with other words or another scope; give another folder than {folder}",
            )
            continue
        seed = episode.rollout_index or 0
        if episode.answer is None:
            runs.append(Observed(question.id, seed, "aborted", trajectory=str(folder)))
            continue
        answer = replace(episode.answer, trajectory=str(folder))
        runs.append(observe(question.id, seed, answer, episode, view))
    return runs, list(changed.values())


def _sources(refs: Iterable[str], view: View) -> tuple[tuple[str, int], ...]:
    """Return (source, page) of page references, each once; those not in the view are left out."""
    found = []
    for text in dict.fromkeys(refs):
        try:
            ref = PageRef.parse(text)
            found.append((view.document(ref.name).source, ref.page))
        except (ValueError, LibraryError):
            continue
    return tuple(found)
