"""One run's scores: each metric as a numerator and a denominator, so that sets of runs add up.

1. A mean has the denominator 1; precision and recall over a set of questions have their own. Over
   any set a metric is the sum of numerators over the sum of denominators.
2. A metric that does not apply to a question (no gold answer, no gold pages, no person chose the
   pages) is absent, and is never counted as zero.
3. A run that failed, or was spent before it found anything, gave no answer and earns 0 where the
   question has gold; `failed` and `exhausted` say how many did. A run that was cut off (`aborted`)
   is not scored at all.
4. Everything here is by rules. What a model judges is in `judged.py`, in columns of its own.
"""

from collections.abc import Sequence
from typing import Literal

from pagehop.evaluation.observed import Observed
from pagehop.evaluation.questions import Question
from pagehop.scoring.boxes import Place, best_iou
from pagehop.scoring.items import list_f1, literal_list, read_list
from pagehop.scoring.mmlongbench import NOT_ANSWERABLE, Format, answer_score
from pagehop.scoring.numeric import is_amount, numeric_match
from pagehop.scoring.ranking import (
    distinct,
    hit_at,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
    set_fbeta,
    set_precision,
)
from pagehop.scoring.words import (
    anls,
    cover_match,
    exact_match,
    normalise,
    sub_match,
    token_f1,
)

Parts = dict[str, tuple[float, float]]
"""Numerator and denominator by metric."""
AnswerKind = Literal["number", "list", "short", "long"]
CUTS = (1, 3, 5, 10)
SHORT_WORDS = 10
"""Gold answers of more words cannot be told right or wrong by rules."""
_FORMATS: tuple[Format, ...] = ("Str", "Int", "Float", "List", "None")


def answer_kind(question: Question) -> AnswerKind | None:
    """Return how the gold answer can be compared; None without one."""
    if not question.answers:
        return None
    if question.tags.get("format") == "List" or any(map(_gold_list, question.answers)):
        return "list"
    if any(map(is_amount, question.answers)):
        return "number"
    words = min(len(normalise(answer).split()) for answer in question.answers)
    return "short" if words <= SHORT_WORDS else "long"


def is_right(question: Question, text: str) -> float | None:
    """Return whether an answer is right by rules, 0 or 1; None when rules cannot tell.

    A number is right when the first number stated is the gold one within 1 % (units and percent by
    value); a list when its items are the gold ones; a short text when all words of the gold stand
    in the answer. For longer golds it takes a judge.
    """
    match answer_kind(question):
        case "number":
            golds = [answer for answer in question.answers if is_amount(answer)]
            return numeric_match(text, golds, signed=False)
        case "list":
            found = list_f1(read_list(text), _gold_lists(question))
            return None if found is None else float(found == 1)
        case "short":
            return cover_match(text, question.answers)
        case _:
            return None


def score_answer(question: Question, run: Observed) -> Parts:
    """Score the words of an answer against the gold ones, and the refusal to answer."""
    parts: Parts = {
        "answered": (float(run.status == "answered"), 1.0),
        "failed": (float(run.status == "failed"), 1.0),
        "exhausted": (float(run.status == "exhausted"), 1.0),
    }
    refused = run.status == "unanswerable"
    if question.answerable is not None:
        right = refused and not question.answerable
        if refused:
            parts["refusal_precision"] = (float(right), 1.0)
        if not question.answerable:
            parts["refusal_recall"] = (float(right), 1.0)
    text = run.said
    _generalised(question, text, refused, parts)
    if question.answerable is False or not question.answers:
        return parts
    golds = question.answers
    values = {
        "accuracy": is_right(question, text),
        "exact_match": exact_match(text, golds),
        "sub_match": sub_match(text, golds),
        "cover_match": cover_match(text, golds),
        "token_f1": token_f1(text, golds),
        "anls": anls(text, golds),
    }
    kind = answer_kind(question)
    if kind == "number":
        values["numeric"] = numeric_match(text, [gold for gold in golds if is_amount(gold)])
    if kind == "list":
        values["list_f1"] = list_f1(read_list(text), _gold_lists(question))
    return parts | _means(values)


def score_pages(question: Question, found: Sequence[tuple[str, int]]) -> Parts:
    """Score a ranking of pages against the gold ones, which a person chose."""
    gold, documents = question.sure_gold, set(question.documents)
    values: dict[str, float | None] = {}
    for k in CUTS:
        values[f"page_recall@{k}"] = recall_at(found, gold, k)
        values[f"page_hit@{k}"] = hit_at(found, gold, k)
        values[f"page_ndcg@{k}"] = ndcg_at(found, gold, k)
        values[f"page_precision@{k}"] = precision_at(found, gold, k)
    values["page_mrr@10"] = reciprocal_rank(found, gold, 10)
    if question.scope is None or len(question.scope) > 1:  # else nothing is to be found
        ranked = distinct(document for document, _ in found)
        for k in CUTS:
            values[f"document_recall@{k}"] = recall_at(ranked, documents, k)
    return _means(values)


def score_run(question: Question, run: Observed) -> Parts:
    """Return all scores of one run; empty for one that was cut off.

    Of a run without a record it is not known what it read: only its answer is scored.
    """
    if run.status == "aborted":
        return {}
    if not run.trajectory:
        return score_answer(question, run)
    gold = question.sure_gold
    pages = [(cited.document, cited.page) for cited in run.cited]
    boxes = [
        Place((page.document, page.page), box) for page in question.evidence for box in page.boxes
    ]
    places = [Place((cited.document, cited.page), cited.box) for cited in run.cited]
    values: dict[str, float | None] = {
        "page_recall": recall_at(run.shown, gold, None),
        "citation_page_f1": set_fbeta(pages, gold),
        "citation_page_precision": set_precision(pages, gold) if pages else None,
        "citation_page_recall": recall_at(pages, gold, None),
        "citation_box_iou": best_iou(places, boxes) if gold else None,
        "document_recall": recall_at([document for document, _ in run.shown],
                                     question.documents, None),
    }  # fmt: skip
    parts = score_answer(question, run) | score_pages(question, run.shown) | _means(values)
    if run.cited:
        found = sum(cited.verified for cited in run.cited)
        parts["citation_quote_found"] = (float(found), float(len(run.cited)))
    return parts


def cost_of(run: Observed) -> dict[str, float]:
    """Return what a run cost, by unit."""
    usage = run.usage
    return {
        "pages_shown": float(len(run.shown)),
        "pages_read": float(len(run.read)),
        "images": float(run.images),
        "model_calls": float(usage.model_calls),
        "tool_calls": float(usage.tool_calls),
        "input_tokens": float(usage.input_tokens),
        "output_tokens": float(usage.output_tokens),
        "seconds": usage.seconds,
        "money": usage.money,
    }


def _generalised(question: Question, text: str, refused: bool, parts: Parts) -> None:
    """Add MMLongBench's two means, for questions that say in which format the answer is.

    F1 of its precision and recall is twice the score earned over answerable plus answered.
    """
    form = next((f for f in _FORMATS if f == question.tags.get("format")), None)
    if form is None or question.answerable is None:
        return
    gold = question.answers[0] if question.answerable and question.answers else NOT_ANSWERABLE
    score = answer_score(NOT_ANSWERABLE if refused else text, gold, form)
    parts["generalised_accuracy"] = (score, 1.0)
    answerable = float(question.answerable)
    parts["generalised_f1"] = (2 * score * answerable, answerable + float(not refused))


def _means(values: dict[str, float | None]) -> Parts:
    return {name: (value, 1.0) for name, value in values.items() if value is not None}


def _gold_list(text: str) -> bool:
    return text.startswith("[") and literal_list(text) is not None


def _gold_lists(question: Question) -> list[list[str]]:
    lists = [literal_list(answer) for answer in question.answers if answer.startswith("[")]
    found = [items for items in lists if items is not None]
    return found or [read_list(answer) for answer in question.answers]
