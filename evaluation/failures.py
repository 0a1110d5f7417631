"""Where a run went wrong, told from its pages, citations and the gold ones.

    refused               it said that the documents do not tell, and they do
    answered unanswerable it answered what the documents do not tell
    retrieval missed      no gold page was put before it
    read but not used     a gold page was, and the answer cites none
    unsupported           it cites nothing, or a quote that is not on its page
    wrong reading         it cites a gold page, but not the words on it that hold the answer
    wrong reasoning       it cites the words that hold the answer, or the answer stands on no gold
                          page and has to be worked out, and is wrong all the same
    failed, aborted       it ended in an error, or was cut off
    not placed            wrong, but the gold pages are not known

A question that rules cannot judge (long gold answers) is placed only with a judge.
"""

from collections.abc import Callable
from typing import Literal, get_args

from pagehop.evaluation.observed import Observed
from pagehop.evaluation.questions import Question
from pagehop.evaluation.scores import answer_kind
from pagehop.scoring.items import read_list
from pagehop.scoring.numeric import is_amount, numeric_match
from pagehop.scoring.words import sub_match

Place = Literal[
    "right", "refused", "answered unanswerable", "retrieval missed", "read but not used",
    "unsupported", "wrong reading", "wrong reasoning", "failed", "aborted", "not placed",
]  # fmt: skip
PLACES: tuple[Place, ...] = get_args(Place)
PageText = Callable[[str, int], str]
"""Gives the words of a page, by source name and number."""


def place(
    question: Question, run: Observed, right: float | None, text_of: PageText
) -> Place | None:
    """Return where a run went wrong, or that it did not; None when nobody can tell.

    Args:
        question: What was asked.
        run: What was done.
        right: Whether the answer is right, by rules or a judge; half right is wrong. None: unknown.
        text_of: Words of a page.
    """
    if run.status in ("failed", "aborted"):
        return "failed" if run.status == "failed" else "aborted"
    refused = run.status == "unanswerable"
    if question.answerable is False:
        return "right" if refused else "answered unanswerable"
    if refused and question.answerable:
        return _without_gold(question, run) or "refused"
    if right is None:
        return None
    if right == 1:
        return "right"
    cited = {(one.document, one.page) for one in run.cited}
    if (missed := _without_gold(question, run)) is not None:
        return missed
    if not cited or not all(one.verified for one in run.cited):
        return "unsupported"
    gold = question.sure_gold
    if not gold:
        return "not placed"
    if not cited & gold:
        return "read but not used"
    if _stands_in(question, " ".join(one.quote for one in run.cited)):
        return "wrong reasoning"
    on_page = any(_stands_in(question, text_of(document, page)) for document, page in cited & gold)
    return "wrong reading" if on_page else "wrong reasoning"


def _without_gold(question: Question, run: Observed) -> Place | None:
    gold = question.sure_gold
    return "retrieval missed" if gold and not gold & set(run.shown) else None


def _stands_in(question: Question, text: str) -> bool:
    """Whether a gold answer stands in a text: its number anywhere, its words in order."""
    match answer_kind(question):
        case "number":
            golds = [answer for answer in question.answers if is_amount(answer)]
            return numeric_match(text, golds, which="any", signed=False) == 1
        case "list":
            return all(sub_match(text, [item]) for item in read_list(question.answers[0]))
        case _:
            return sub_match(text, question.answers) == 1
