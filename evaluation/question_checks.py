"""Questions against the library they are asked of: are their documents there, and their pages.

A document may be named as the library names it (source or slug), or by a path that ends so; names
are made those of the library. A question that names what is not there is left out with the reason.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pagehop.evaluation.public_sets import read_set
from pagehop.evaluation.questions import Fault, GoldPage, Question, read_questions
from pagehop.types import Document


def open_questions(path: str | Path) -> tuple[list[Question], list[Fault]]:
    """Read a question file, a folder with `questions.jsonl`, or the folder of a public set.

    Raises:
        ConfigError: It is none of these, or holds no question.
    """
    path = Path(path)
    if path.is_dir() and not (path / "questions.jsonl").exists():
        found = read_set(path)
        return list(found.questions), list(found.faults)
    return read_questions(path)


def check_questions(
    questions: Iterable[Question], documents: Sequence[Document]
) -> tuple[list[Question], list[Fault]]:
    """Return the questions that can be asked, their documents named as the library names them."""
    by_name: dict[str, Document] = {}
    by_end: dict[str, set[str]] = {}
    for document in documents:
        for name in (document.name, *document.sources):
            by_name[name] = document
            parts = name.split("/")
            for i in range(len(parts)):
                by_end.setdefault("/".join(parts[i:]), set()).add(document.id)
    by_id = {document.id: document for document in documents}

    def find(name: str) -> Document:
        if name in by_name:
            return by_name[name]
        found = by_end.get(name) or by_end.get(name.rpartition("/")[2]) or set()
        if len(found) == 1:
            return by_id[next(iter(found))]
        many = f"{len(found)} documents of the library are" if found else "the library has none"
        raise LookupError(f"document {name!r}: {many} of that name")

    kept, faults = [], []
    for question in questions:
        try:
            kept.append(_renamed(question, find))
        except LookupError as error:
            faults.append(Fault(f"question {question.id!r}", str(error)))
    return kept, faults


def _renamed(question: Question, find: Callable[[str], Document]) -> Question:
    evidence = []
    for gold in question.evidence:
        document = find(gold.document)
        if gold.page > document.pages:
            raise LookupError(
                f"page {gold.page} of {gold.document!r}: the document has {document.pages} pages"
            )
        evidence.append(GoldPage(document=document.source, page=gold.page, boxes=gold.boxes))
    scope = question.scope
    return question.model_copy(
        update={
            "documents": tuple(find(name).source for name in question.documents),
            "evidence": tuple(evidence),
            "scope": None if scope is None else tuple(find(name).source for name in scope),
        }
    )
