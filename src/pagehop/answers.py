"""What a run finds and returns: evidence, citations, what it spent, the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pagehop.types import Box, PageRef, PageSource, TextSource, as_tuples, crop_of

if TYPE_CHECKING:
    from PIL.Image import Image

Status = Literal["answered", "unanswerable", "exhausted", "failed"]


@dataclass(frozen=True)
class Evidence:
    """A quote, or a reading of a picture, that a run may cite."""

    id: str
    """`E1`, `E2`, ... in the order found."""
    ref: PageRef
    document: str
    """Source name of the document."""
    document_id: str
    quote: str
    box: Box
    call: str
    """Id of the tool call that found it."""
    score: float
    sub_question: str
    """Id of the sub-question it speaks to, e.g. `Q1`."""
    kind: Literal["quote", "reading"] = "quote"
    source: TextSource = "text"

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "box")
        if not isinstance(self.ref, PageRef):
            object.__setattr__(self, "ref", PageRef(**self.ref))


@dataclass(frozen=True)
class Citation:
    """One quote of an answer and where it stands."""

    document: str
    """Source name."""
    name: str
    page: int
    box: Box
    quote: str
    verified: bool
    """The quote was found on that page at that box."""
    evidence: str = ""
    """Evidence id in the run's record."""
    pictures: "PageSource | None" = field(default=None, repr=False, compare=False)
    source: TextSource = "text"
    """`ocr` when the quote was read by OCR, so that its letters and digits may be wrong."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "box")

    @property
    def ref(self) -> PageRef:
        """The page, as tools name it."""
        return PageRef(self.name, self.page)

    def crop(self, *, max_pixels: int = 1_000_000) -> "Image":
        """Render the cited box from its source file.

        Raises:
            LibraryError: This citation was read from a record and has no library to render from.
        """
        return crop_of(self.pictures, self.ref, self.box, max_pixels)

    def _repr_html_(self) -> str:
        from pagehop.show import citation_html  # noqa: PLC0415 - only notebooks need it

        return citation_html(self)


@dataclass(frozen=True)
class Usage:
    """What a run spent."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    money: float = 0.0
    """In the currency of the price table; 0 without one."""
    model_calls: int = 0
    tool_calls: int = 0
    repeated_calls: int = 0
    """Identical tool calls answered from the run's cache."""
    steps: int = 0
    rounds: int = 0
    seconds: float = 0.0

    def plus(self, more: "Usage") -> "Usage":
        """Return the sum of two."""
        return Usage(**{name: value + getattr(more, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Answer:
    """What `ask` returns."""

    question: str
    text: str
    status: Status
    citations: tuple[Citation, ...] = ()
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()
    trajectory: str = ""
    """Path of the run's event record; empty when it was not recorded."""
    error: str = ""
    """Why the run failed; empty otherwise."""
    data: Mapping[str, Any] | None = field(default=None, hash=False)
    """The answer in the form that `schema=` asked for; None without one, or without an answer."""

    def __post_init__(self) -> None:
        """Restore what msgpack turns into lists when a checkpoint is read."""
        as_tuples(self, "citations", "warnings")

    @classmethod
    def from_json(
        cls, record: Mapping[str, Any], *, pictures: "PageSource | None" = None
    ) -> "Answer":
        """Rebuild an answer from `to_json`, e.g. from an `episode.end` event.

        Args:
            record: What `to_json` gave.
            pictures: The view to render crops from; without it citations have none.
        """
        keys = ("document", "name", "page", "box", "quote", "verified")
        return cls(
            question=record["question"],
            text=record["answer"],
            status=record["status"],
            citations=tuple(
                Citation(
                    **{key: citation[key] for key in keys},
                    source=citation.get("source", "text"),  # absent in records before OCR
                    pictures=pictures,
                )
                for citation in record["citations"]
            ),
            usage=Usage(**record["usage"]),
            warnings=tuple(record["warnings"]),
            trajectory=record["trajectory"],
            error=record.get("error", ""),
            data=record.get("data"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the form that `pagehop ask --json` prints."""
        return {
            "question": self.question,
            "answer": self.text,
            "status": self.status,
            "citations": [
                {
                    "document": c.document,
                    "name": c.name,
                    "page": c.page,
                    "box": [round(v, 5) for v in c.box],
                    "quote": c.quote,
                    "verified": c.verified,
                    "source": c.source,
                }
                for c in self.citations
            ],
            "usage": dict(vars(self.usage)),
            "warnings": list(self.warnings),
            "trajectory": self.trajectory,
            **({"error": self.error} if self.error else {}),
            **({} if self.data is None else {"data": dict(self.data)}),
        }

    def _repr_html_(self) -> str:
        from pagehop.show import answer_html  # noqa: PLC0415 - only notebooks need it

        return answer_html(self)
