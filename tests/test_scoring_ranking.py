"""Metrics of rankings and boxes: hand-worked cases, and the same numbers as trec_eval."""

import math
import random

import pytest

from pagehop.scoring.boxes import Place, best_iou, iou, region_hit_at, region_recall_at
from pagehop.scoring.ranking import (
    hit_at,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
    set_fbeta,
    set_precision,
)

FOUND = ("a", "b", "a", "c", "d")
GOLD = {"b", "d", "z"}


def test_rankings_by_hand() -> None:
    """The second `a` takes no rank: distinct ranks are a 1, b 2, c 3, d 4."""
    assert recall_at(FOUND, GOLD, 2) == pytest.approx(1 / 3)
    assert recall_at(FOUND, GOLD, None) == pytest.approx(2 / 3)
    assert hit_at(FOUND, GOLD, 1) == 0
    assert hit_at(FOUND, GOLD, 2) == 1
    assert precision_at(FOUND, GOLD, 4) == pytest.approx(2 / 4)
    assert precision_at(FOUND, GOLD, 10) == pytest.approx(2 / 10)
    assert reciprocal_rank(FOUND, GOLD) == pytest.approx(1 / 2)
    assert reciprocal_rank(FOUND, GOLD, 1) == 0
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at(FOUND, GOLD, 4) == pytest.approx(gain / ideal)
    assert ndcg_at(FOUND, GOLD, 2) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert ndcg_at(["b"], GOLD) == pytest.approx(1 / ideal), "a short ranking is not its own ideal"


def test_sets_by_hand() -> None:
    # 2 of 4 found, 2 of 3 wanted.
    assert set_precision(FOUND, GOLD) == pytest.approx(2 / 4)
    assert set_fbeta(FOUND, GOLD) == pytest.approx(2 * 2 / (4 + 3))
    assert set_fbeta(FOUND, GOLD, beta=2) == pytest.approx(5 * (1 / 2) * (2 / 3) / (4 / 2 + 2 / 3))
    assert set_precision([], GOLD) == 0
    assert set_fbeta([], GOLD) == 0


def test_where_nothing_is_gold_nothing_is_scored() -> None:
    for metric in (recall_at, hit_at, precision_at, ndcg_at, reciprocal_rank):
        assert metric(FOUND, set(), 3) is None
    assert set_precision(FOUND, set()) is None
    assert set_fbeta(FOUND, set()) is None
    assert best_iou([Place("p", (0, 0, 1, 1))], []) is None
    assert region_recall_at([], [], 5) is None
    assert region_hit_at([], [], 5) is None


def test_rankings_agree_with_trec_eval() -> None:
    """Sixty random rankings, some empty, some without any gold found."""
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pip install pytrec-eval-terrier")
    rng = random.Random(7)
    pages = [f"p{i}" for i in range(40)]
    runs = {f"q{i}": rng.sample(pages, rng.randint(1, 25)) for i in range(60)}
    golds = {name: set(rng.sample(pages, rng.randint(1, 12))) for name in runs}
    cuts = (1, 3, 5, 10)
    names = ("recall", "success", "P", "ndcg_cut")
    measures = {f"{name}.{','.join(map(str, cuts))}" for name in names} | {"recip_rank", "ndcg"}
    judged = pytrec_eval.RelevanceEvaluator(
        {name: dict.fromkeys(gold, 1) for name, gold in golds.items()}, measures
    ).evaluate({n: {p: float(-i) for i, p in enumerate(run)} for n, run in runs.items()})
    assert len(judged) == 60
    for name, theirs in judged.items():
        found, gold = runs[name], golds[name]
        ours = {"recip_rank": reciprocal_rank(found, gold), "ndcg": ndcg_at(found, gold)}
        for k in cuts:
            ours[f"recall_{k}"] = recall_at(found, gold, k)
            ours[f"success_{k}"] = hit_at(found, gold, k)
            ours[f"P_{k}"] = precision_at(found, gold, k)
            ours[f"ndcg_cut_{k}"] = ndcg_at(found, gold, k)
        assert ours == pytest.approx({key: theirs[key] for key in ours}, abs=1e-9)


def test_boxes_by_hand() -> None:
    left, right = (0.0, 0.0, 0.5, 1.0), (0.25, 0.0, 0.75, 1.0)
    assert iou(left, right) == pytest.approx(0.25 / 0.75)
    assert iou(left, (0.6, 0, 1, 1)) == 0
    assert iou((0.1, 0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.1)) == 0, "empty boxes meet nothing"
    gold = [Place(("a", 1), left), Place(("a", 2), left)]
    assert best_iou([Place(("a", 1), right)], gold) == pytest.approx((1 / 3 + 0) / 2)


def test_what_several_boxes_cover_together_counts_once() -> None:
    gold = [Place("p", (0.0, 0.0, 1.0, 1.0))]
    found = [
        Place("p", (0.0, 0.0, 0.5, 0.5)),
        Place("other", (0.0, 0.0, 1.0, 1.0)),
        Place("p", (0.25, 0.0, 0.75, 0.5)),
        Place("p", (0.5, 0.5, 2.0, 2.0)),
    ]
    assert region_recall_at(found, gold, 1) == pytest.approx(0.25)
    assert region_recall_at(found, gold, 2) == pytest.approx(0.25)
    assert region_recall_at(found, gold, 3) == pytest.approx(0.375)
    assert region_recall_at(found, gold, None) == pytest.approx(0.375 + 0.25)
    assert region_hit_at(found, gold, 3) == 0
    assert region_hit_at(found, gold, 3, threshold=0.25) == 1
    assert region_hit_at([Place("p", (0, 0, 1, 0.5))], gold, 1) == 1
