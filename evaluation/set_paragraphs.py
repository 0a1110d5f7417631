"""How the rows of sets of paragraphs become questions; each paragraph is a document of one page."""

from collections.abc import Iterator, Mapping
from typing import Any

from pagehop.evaluation.questions import GoldPage, Question
from pagehop.evaluation.rows import Row, RowError
from pagehop.evaluation.set_files import Texts
from pagehop.evaluation.set_forms import make_question


def hotpotqa(row: Row, texts: Texts) -> Iterator[Question]:
    """An item of HotpotQA (arXiv 1809.09600) or 2WikiMultihopQA (2011.01060): ten paragraphs."""
    scope: dict[str, list[str]] = {}
    for title, sentences in _pairs(row, "context"):
        name = texts.add(str(title), " ".join(str(part).strip() for part in sentences))
        scope.setdefault(str(title), []).append(name)
    facts = row.record.get("supporting_facts") or ()
    titles = facts["title"] if isinstance(facts, Mapping) else [fact[0] for fact in facts]
    if unknown := [title for title in titles if title not in scope]:
        raise RowError(f"supporting_facts: {unknown[0]!r} is not among the paragraphs")
    gold = tuple(dict.fromkeys(name for title in titles for name in scope[title]))
    yield make_question(
        row,
        row.text("question"),
        answers=(row.text("answer"),),
        documents=gold,
        golds=[GoldPage(document=name, page=1) for name in gold],
        scope=tuple(name for names in scope.values() for name in names),
        id=row.maybe("_id") or row.text("id"),
        tags={"type": row.maybe("type"), "level": row.maybe("level")},
    )


def musique(row: Row, texts: Texts) -> Iterator[Question]:
    """A line of MuSiQue (arXiv 2108.00573): twenty paragraphs, some of them supporting."""
    scope, gold = [], []
    for item in row.items("paragraphs"):
        part = Row(row.where, item)
        name = texts.add(part.text("title"), part.text("paragraph_text"))
        scope.append(name)
        if item.get("is_supporting"):
            gold.append(name)
    aliases = row.texts("answer_aliases") if row.record.get("answer_aliases") else ()
    answerable = bool(row.record.get("answerable", True))
    hops = len(row.record.get("question_decomposition") or ())
    yield make_question(
        row,
        row.text("question"),
        answers=tuple(dict.fromkeys((row.text("answer"), *aliases))),
        answerable=answerable,
        documents=tuple(dict.fromkeys(gold)) if answerable else (),
        golds=[GoldPage(document=name, page=1) for name in gold],
        scope=tuple(dict.fromkeys(scope)),
        id=row.text("id"),
        tags={"type": f"{hops} hops" if hops else ""},
    )  # fmt: skip


def _pairs(row: Row, name: str) -> Iterator[tuple[Any, Any]]:
    """Yield (title, sentences): a list of pairs as in the files, or two lists as on the hub."""
    value = row.record.get(name)
    try:
        if isinstance(value, Mapping):
            yield from zip(value["title"], value["sentences"], strict=True)
        else:
            yield from ((title, sentences) for title, sentences in value or ())
    except (KeyError, TypeError, ValueError) as error:
        raise RowError(f"{name}: no pairs of title and sentences") from error
