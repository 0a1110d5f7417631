"""Question files: JSON lines, one question each, checked as they are read.

    {"id", "question", "answers": [...], "documents": [gold], "evidence": [{"document", "page",
    "boxes"?}], "answerable": true | false | null, "scope": [documents to search] or null,
    "tags": {...}}

Documents are named by source; `evidence` and the lists may be left out, unknown fields may not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pagehop.errors import ConfigError
from pagehop.types import Box, Scalar


class GoldPage(BaseModel):
    """A page that holds what the answer needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    page: int = Field(ge=1)
    boxes: tuple[Box, ...] = ()


class Question(BaseModel):
    """One question and what is known of its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    question: str = Field(min_length=1)
    answers: tuple[str, ...] = ()
    """Any of them is right."""
    documents: tuple[str, ...] = ()
    """Documents that hold the answer."""
    evidence: tuple[GoldPage, ...] = ()
    answerable: bool | None = None
    """None: nobody knows."""
    scope: tuple[str, ...] | None = None
    """Documents to search; None for all."""
    tags: dict[str, Scalar | None] = Field(default_factory=dict)

    @property
    def given(self) -> tuple[str, ...]:
        """The documents a user would name: the scope, or the gold ones when there is none."""
        return self.documents if self.scope is None else self.scope

    @property
    def sure_gold(self) -> frozenset[tuple[str, int]]:
        """As `gold`; empty where the pages are `silver`, a hint that no person chose."""
        return frozenset() if self.tags.get("pages") == "silver" else self.gold

    @property
    def gold(self) -> frozenset[tuple[str, int]]:
        """(document, page) of the evidence."""
        return frozenset((gold.document, gold.page) for gold in self.evidence)


@dataclass(frozen=True)
class Fault:
    """Something of a question set that was left out, and why."""

    where: str
    """File and line, or question id."""
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def load_questions(path: str | Path) -> list[Question]:
    """Read a question file, or `questions.jsonl` of a folder; blank lines are skipped.

    Raises:
        ConfigError: It cannot be read, holds no question, an id twice or a line that is no
            question; names file, line and field.
    """
    questions, faults = read_questions(path)
    if faults:
        raise ConfigError(str(faults[0]))
    return questions


def read_questions(path: str | Path) -> tuple[list[Question], list[Fault]]:
    """Read a question file as `load_questions` does, but keep what is right of it.

    Returns:
        The questions, and a fault for each line that is none or repeats an id.

    Raises:
        ConfigError: The file cannot be read, or holds no question.
    """
    path = Path(path)
    path = path / "questions.jsonl" if path.is_dir() else path
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # JSON has U+2028 within lines
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"question file {path} cannot be read: {error}") from error
    questions: dict[str, Question] = {}
    faults = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            faults.append(Fault(where, f"{field + ': ' if field else ''}{first['msg']}"))
            continue
        if question.id in questions:
            faults.append(Fault(where, f"the id {question.id!r} was there before"))
        else:
            questions[question.id] = question
    if not questions:
        why = f"; first: {faults[0]}" if faults else ""
        raise ConfigError(f"question file {path} holds no question{why}")
    return list(questions.values()), faults


def tagged(questions: Iterable[Question], **tags: Scalar) -> list[Question]:
    """Return the questions that have all these tags."""
    return [q for q in questions if all(q.tags.get(key) == value for key, value in tags.items())]
