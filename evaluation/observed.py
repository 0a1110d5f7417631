"""What a run gave for one question: all that scoring needs of it, in one JSON-able value.

Comparisons keep one a line, so that a run that was interrupted goes on where it stopped, and so
that new metrics need no new runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pagehop.answers import Answer, Usage
from pagehop.errors import LibraryError
from pagehop.library.view import View
from pagehop.trajectories.episode import Episode, EpisodeStatus
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
