"""Scores of single runs, where they failed, and intervals: against cases worked out by hand."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pagehop.answers import Usage
from pagehop.evaluation.failures import place
from pagehop.evaluation.intervals import Estimate, estimates
from pagehop.evaluation.observed import Cited, Observed
from pagehop.evaluation.plots import Dot, bars_plot, pareto_front, pareto_plot, stacked_plot
from pagehop.evaluation.questions import GoldPage, Question
from pagehop.evaluation.scores import Parts, answer_kind, cost_of, is_right, score_run

GOLD = Question(
    id="q",
    question="How much?",
    answers=("5.2 %",),
    documents=("a.pdf",),
    evidence=(GoldPage(document="a.pdf", page=2, boxes=((0.0, 0.0, 0.5, 1.0),)),),
    answerable=True,
)
UNANSWERABLE = Question(id="u", question="How many?", answerable=False, scope=("a.pdf",))


def cited(page: int, quote: str = "It was 5.2 %.", verified: bool = True) -> Cited:
    return Cited("a.pdf", page, (0.25, 0.0, 0.75, 1.0), quote, verified)


def run(text: str = "5.2 %", status: str = "answered", **more: object) -> Observed:
    given = {"shown": (("b.pdf", 1), ("a.pdf", 2)), "cited": (cited(2),), "trajectory": "runs/x"}
    return Observed("q", 0, status, text, **{**given, **more})  # type: ignore[arg-type]


def values(parts: Parts) -> dict[str, float]:
    return {name: top / bottom for name, (top, bottom) in parts.items()}


def test_a_right_run_by_hand() -> None:
    scores = values(score_run(GOLD, run("“5.2 %” [1]")))
    assert scores["accuracy"] == scores["numeric"] == scores["exact_match"] == 1
    assert scores["page_recall@1"] == 0 and scores["page_recall@3"] == 1
    assert scores["page_mrr@10"] == 0.5
    assert scores["page_ndcg@3"] == pytest.approx(1 / math.log2(3))
    assert scores["document_recall@1"] == 0 and scores["document_recall@3"] == 1
    assert scores["citation_page_f1"] == 1 and scores["citation_quote_found"] == 1
    assert scores["citation_box_iou"] == pytest.approx(0.25 / 0.75)
    assert "refusal_precision" not in scores and "refusal_recall" not in scores


def test_what_does_not_apply_is_absent_and_not_zero() -> None:
    silver = GOLD.model_copy(update={"tags": {"pages": "silver"}})
    assert not any(name.startswith("page_") for name in score_run(silver, run()))
    bare = Question(id="b", question="Why?")
    assert set(score_run(bare, run(cited=()))) == {"answered", "failed", "exhausted"}
    given = GOLD.model_copy(update={"scope": ("a.pdf",)})
    assert "document_recall@1" not in score_run(given, run()), "there is one document only"
    assert score_run(GOLD, run(status="aborted")) == {}
    unrecorded = score_run(GOLD, run(trajectory=""))
    assert "accuracy" in unrecorded and "page_recall" not in unrecorded


def test_refusals_are_counted_where_they_are_due() -> None:
    refused = values(score_run(UNANSWERABLE, run("", "unanswerable", cited=())))
    assert refused["refusal_precision"] == refused["refusal_recall"] == 1
    answered = values(score_run(UNANSWERABLE, run("7")))
    assert answered["refusal_recall"] == 0 and "refusal_precision" not in answered
    wrongly = values(score_run(GOLD, run("not there", "unanswerable", cited=())))
    assert wrongly["refusal_precision"] == 0 and wrongly["accuracy"] == 0
    failed = values(score_run(GOLD, run("", "failed", cited=())))
    assert failed["failed"] == 1 and failed["accuracy"] == 0


def test_what_a_spent_run_says_without_a_claim_is_no_answer() -> None:
    """It names what was searched for, and its first number was scored as the answer."""
    words = 'No answer was found before the budget was spent. Searched 2 documents for "5.2 %".'
    spent = values(score_run(GOLD, run(words, "exhausted", cited=())))
    assert spent["exhausted"] == 1
    assert spent["accuracy"] == spent["cover_match"] == spent["token_f1"] == 0
    best = values(score_run(GOLD, run("5.2 %", "exhausted")))
    assert best["exhausted"] == 1 and best["accuracy"] == 1


def test_labels_of_systems_that_have_nothing_right_stand_above_the_axis() -> None:
    colours = {"a": "#000", "b": "#111"}
    svg = pareto_plot([dot("a", 1, 0.1), dot("b", 1.1, 0.0)], x="s", y="q", colours=colours)
    heights = [
        float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)" text-anchor="\w+">b<', svg)
    ]
    (axis,) = {float(y) for y in re.findall(r'y1="([\d.]+)" y2="\1" class="axis"', svg)}
    assert heights and max(heights) < axis - 4
    bars = bars_plot({"k": {"b": Estimate(0.0, 0.0, 0.0, 3)}}, colours)
    assert 'height="0.0"' not in bars, "nothing right is drawn"


def test_mmlongbench_means_come_out_of_the_parts() -> None:
    """Three questions: one right, one refused wrongly, one refused rightly.

    Accuracy 2/3; recall 1/2, precision 1/1, F1 2/3.
    """
    tags = {"format": "Float"}
    right = GOLD.model_copy(update={"tags": tags})
    refused = run("", "unanswerable", cited=())
    unanswerable = UNANSWERABLE.model_copy(update={"tags": {"format": "None"}})
    parts = {
        "1": [score_run(right, run("5.2%"))],
        "2": [score_run(right, refused)],
        "3": [score_run(unanswerable, refused)],
    }
    found = estimates(parts)
    assert found["generalised_accuracy"].value == pytest.approx(2 / 3)
    assert found["generalised_f1"].value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("answers", "text", "kind", "right"),
    [
        (("5.2 %",), "It fell by 5.2 percent", "number", 1),
        (("-5.2 %",), "It fell by 5.2 percent", "number", 1),
        (("['red', 'blue']",), "blue and red", "list", 1),
        (("['red', 'blue']",), "red", "list", 0),
        (("Porto",), "It has its seat in Porto.", "short", 1),
        (("Porto",), "Lisbon", "short", 0),
        ((" ".join(["word"] * 11),), "word", "long", None),
        ((), "word", None, None),
    ],
)
def test_rules_tell_right_from_wrong_where_they_can(
    answers: tuple[str, ...], text: str, kind: str | None, right: float | None
) -> None:
    question = GOLD.model_copy(update={"answers": answers})
    assert answer_kind(question) == kind
    assert is_right(question, text) == right


@pytest.mark.parametrize(
    ("question", "found", "where"),
    [
        (GOLD, run(), "right"),
        (GOLD, run("4 %", shown=(("a.pdf", 1),)), "retrieval missed"),
        (GOLD, run("4 %", cited=(cited(1),)), "read but not used"),
        (GOLD, run("4 %", cited=()), "unsupported"),
        (GOLD, run("4 %", cited=(cited(2, verified=False),)), "unsupported"),
        (GOLD, run("4 %", cited=(cited(2, "It was 4 %."),)), "wrong reading"),
        (GOLD, run("4 %"), "wrong reasoning"),
        (GOLD, run("", "unanswerable"), "refused"),
        (GOLD, run("", "unanswerable", shown=()), "retrieval missed"),
        (GOLD, run("", "failed"), "failed"),
        (GOLD, run("", "aborted"), "aborted"),
        (GOLD.model_copy(update={"evidence": ()}), run("4 %"), "not placed"),
        (UNANSWERABLE, run("7"), "answered unanswerable"),
        (UNANSWERABLE, run("", "unanswerable"), "right"),
    ],
)
def test_runs_are_placed_where_they_went_wrong(
    question: Question, found: Observed, where: str
) -> None:
    right = is_right(question, found.text)
    assert place(question, found, right, lambda document, page: "Rates: 5.2 % and 4 %") == where


def test_an_answer_that_stands_on_no_gold_page_was_to_be_worked_out() -> None:
    found = run("4 %", cited=(cited(2, "Sales 10 and 12"),))
    assert place(GOLD, found, 0.0, lambda document, page: "Sales 10 and 12") == "wrong reasoning"
    assert place(GOLD, found, None, lambda document, page: "") is None, "nobody can tell"
    assert place(GOLD, found, 0.5, lambda document, page: "") == "wrong reasoning"


def test_costs_are_those_of_the_run() -> None:
    found = run(read=(("a.pdf", 2),), images=3, usage=Usage(input_tokens=7, seconds=2.5))
    cost = cost_of(found)
    assert (cost["pages_read"], cost["images"], cost["input_tokens"]) == (1, 3, 7)
    assert cost["seconds"] == 2.5 and cost["pages_shown"] == 2
    assert Observed.from_json(found.to_json()) == found


def test_intervals_are_those_of_the_mean_over_questions() -> None:
    random = np.random.default_rng(3)
    scores = random.random(200)
    found = estimates({str(i): [{"m": (float(s), 1.0)}] for i, s in enumerate(scores)})["m"]
    error = 1.96 * scores.std() / math.sqrt(200)
    assert found.value == pytest.approx(scores.mean()) and found.questions == 200
    assert found.low == pytest.approx(scores.mean() - error, abs=0.01)
    assert found.high == pytest.approx(scores.mean() + error, abs=0.01)


def test_seeds_are_resampled_too() -> None:
    """One question whose two seeds are 0 and 1: its mean is .5, and both extremes may be drawn."""
    found = estimates({"q": [{"m": (0.0, 1.0)}, {"m": (1.0, 1.0)}]})["m"]
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    same = estimates({"q": [{"m": (1.0, 1.0)}, {"m": (1.0, 1.0)}, {}]})["m"]
    assert (same.value, same.low, same.high) == (1, 1, 1)
    # Of two questions one has a seed more; both weigh by the runs that there are.
    uneven = estimates({"p": [{"m": (0.0, 1.0)}], "q": [{"m": (1.0, 1.0)}] * 2})["m"]
    assert uneven.value == pytest.approx(2 / 3) and uneven.questions == 2
    assert (uneven.low, uneven.high) == (0.0, 1.0)


def test_ratios_add_up_over_questions() -> None:
    parts: dict[str, list[Parts]] = {"a": [{"m": (1.0, 4.0)}], "b": [{"m": (2.0, 2.0)}], "c": [{}]}
    found = estimates(parts)["m"]
    assert found.value == pytest.approx(3 / 6) and found.questions == 2
    assert estimates({"a": [{"m": (0.0, 0.0)}]}) == {}


def dot(name: str, cost: float, value: float) -> Dot:
    return Dot(name, cost, Estimate(value, value - 0.1, value + 0.1, 9))


def test_the_front_leaves_out_what_another_beats() -> None:
    dots = [dot("dear", 9, 0.7), dot("cheap", 1, 0.4), dot("beaten", 5, 0.4), dot("good", 3, 0.6)]
    assert [one.name for one in pareto_front(dots)] == ["cheap", "good", "dear"]


def test_plots_are_well_formed_and_escape_names() -> None:
    name = 'a <b> & "c"'
    colours = {name: "#000", "x": "#111"}
    spread = pareto_plot([dot(name, 0.01, 0.5), dot("x", 3000, 0.2)], x="s", y="q", colours=colours)
    flat = pareto_plot([dot("x", 0.0, 0.2)], x="s", y="q", colours=colours)
    bars = bars_plot({name: {"x": Estimate(0.5, 0.4, 0.6, 3)}}, colours)
    stacked = stacked_plot({name: {"x": 3, name: 1}}, colours)
    for svg in (spread, flat, bars, stacked, stacked_plot({}, {})):
        ElementTree.fromstring(svg)
        assert "<b>" not in svg
