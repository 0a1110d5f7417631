"""Retrieval metrics against numbers worked out by hand, and searches over a real library."""

import math

import numpy as np
import pytest

from pagehop.evaluation.questions import GoldPage, Question
from pagehop.evaluation.retrieval import (
    Ranking,
    coverage_at,
    paired_bootstrap,
    rank_pages,
    recall_at,
    reciprocal_rank_at,
    summarise,
)
from pagehop.library.view import View

A, B, C, D = (("a", 1), ("a", 2), ("b", 1), ("b", 2))
RANKINGS = [
    Ranking("first", frozenset({A}), (A, B, C)),
    Ranking("third", frozenset({C, D}), (A, B, C, D)),
    Ranking("never", frozenset({D}), (A, B, C)),
    Ranking("nothing", frozenset({D}), ()),
]


def test_metrics_count_the_first_gold_page() -> None:
    assert [r.rank for r in RANKINGS] == [1, 3, None, None]
    assert recall_at(RANKINGS, 1).tolist() == [1, 0, 0, 0]
    assert recall_at(RANKINGS, 3).tolist() == [1, 1, 0, 0]
    assert coverage_at(RANKINGS, 3).tolist() == [1, 0.5, 0, 0]
    assert reciprocal_rank_at(RANKINGS, 10) == pytest.approx([1, 1 / 3, 0, 0])
    assert reciprocal_rank_at(RANKINGS, 2).tolist() == [1, 0, 0, 0]
    assert summarise(RANKINGS, (1, 3)) == pytest.approx({"R@1": 0.25, "R@3": 0.5, "MRR@3": 1 / 3})


def test_a_bootstrap_interval_is_that_of_the_mean_difference() -> None:
    random = np.random.default_rng(1)
    first, second = random.normal(0.3, 1, 400), random.normal(0, 1, 400)
    interval = paired_bootstrap(first, second)
    differences = first - second
    error = 1.96 * differences.std() / math.sqrt(400)
    assert interval.mean == pytest.approx(differences.mean())
    assert interval.low == pytest.approx(differences.mean() - error, abs=0.02)
    assert interval.high == pytest.approx(differences.mean() + error, abs=0.02)
    assert paired_bootstrap(first, second) == interval, "the same numbers, the same interval"


def test_pairs_that_are_equal_differ_by_nothing() -> None:
    values = np.array([0.0, 1.0, 1.0])
    interval = paired_bootstrap(values, values)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)


def test_questions_are_searched_in_all_or_in_given_documents(view: View) -> None:
    sources = [document.source for document in view.documents()]
    source = next(s for s in sources if s.startswith("Orrin 2022"))
    question = Question(
        id="q",
        question="What did the new plant cost?",
        documents=(source,),
        evidence=(GoldPage(document=source, page=3),),
    )
    blind = Question(id="none", question="What did the new plant cost?")
    (pooled,) = rank_pages(view, [question, blind])
    (given,) = rank_pages(view, [question, blind], given=True, mode="keyword")
    assert {document for document, _ in pooled.found} == set(sources)
    assert {document for document, _ in given.found} == {source}
    assert given.rank is not None
