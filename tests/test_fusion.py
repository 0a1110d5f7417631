"""Fusion strategies: what each makes of the same candidates."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from pagehop.finding.cuts import TILES, gmm_cut, tile_size
from pagehop.finding.fusion import STRATEGIES, checked_fusion
from pagehop.finding.pool import Pool, Scores, Signal
from pagehop.finding.refinement import refine
from pagehop.finding.weighing import WEIGHTS, weighted
from pagehop.library.view import View
from pagehop.types import Judge

NAN = float("nan")


def make_pool(
    signals: Mapping[str, Sequence[float]],
    *,
    pages: Sequence[int] | None = None,
    k: int = 10,
    judge: Judge | None = None,
    vectors: Sequence[Sequence[float]] | None = None,
    query: Sequence[float] | None = None,
) -> Pool:
    """Candidates whose scores are shares already, one a page unless pages are given."""
    scores = {name: np.array(values, float) for name, values in signals.items()}
    matrix = None if vectors is None else np.array(vectors, np.float32)
    n = len(next(iter(scores.values())))
    return Pool(
        pages=np.array(range(n) if pages is None else pages, np.int64),
        signals={name: Signal(values, values) for name, values in scores.items()},
        k=k,
        question="which?",
        texts=lambda i: f"text {i}",
        vectors=None if matrix is None else lambda chosen: matrix[list(chosen)],
        query=None if query is None else np.array(query, np.float32),
        judge=judge,
    )


def order(scores: Scores) -> list[int]:
    known = [i for i in range(len(scores)) if not np.isnan(scores[i])]
    return sorted(known, key=lambda i: (-scores[i], i))


def test_weighted_leans_on_meaning_when_words_are_not_there() -> None:
    pool = make_pool({"semantic": [0.2, 0.6, NAN], "keyword": [0.1, NAN, 0.9]})
    w = WEIGHTS["semantic"]
    lowest = 0.2
    expected = [w * s + (1 - w) * k for k, s in ((0.1, 0.2), (0.0, 0.6), (0.9, lowest))]
    assert weighted(pool) == pytest.approx(expected)


def test_weighted_takes_a_third_retriever() -> None:
    pool = make_pool({"semantic": [0.5, 0.5], "keyword": [0.5, 0.5], "visual": [0.1, 0.9]})
    assert order(weighted(pool)) == [1, 0]


def test_rrf_ignores_scores_but_not_their_order() -> None:
    pool = make_pool({"keyword": [9.0, NAN, 1.0], "semantic": [0.1, 0.9, NAN]})
    assert STRATEGIES["rrf"](pool) == pytest.approx([1 / 61 + 1 / 62, 1 / 61, 1 / 62])


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_takes_any_number_of_lists_and_keeps_a_page_once(name: str) -> None:
    rng = np.random.default_rng(5)
    lists = {n: rng.random(30).tolist() for n in ("semantic", "keyword", "visual")}
    pool = make_pool(
        lists,
        pages=[i // 3 for i in range(30)],
        k=6,
        vectors=rng.normal(size=(30, 4)).tolist(),
        query=[1.0, 0.0, 0.0, 0.0],
    )
    scores = STRATEGIES[name](pool)
    assert scores.shape == (30,)
    ranked = pool.ranked(scores)
    assert ranked and len({int(pool.pages[i]) for i in ranked}) == len(ranked)


def test_an_unknown_strategy_is_refused_with_the_names_of_all() -> None:
    for name in STRATEGIES:
        assert checked_fusion(name) is STRATEGIES[name]
    with pytest.raises(Exception, match="weighted, rrf, gmm, gqr, vote, mmr, adaptive, tiles"):
        checked_fusion("borda")


def test_gmm_cuts_where_the_scores_fall_into_two_groups() -> None:
    scores = np.array([0.9, 0.89, 0.88, 0.87, 0.86, 0.85, 0.84, *np.linspace(0.3, 0.2, 13)])
    assert gmm_cut(scores, most=10) == 7
    assert gmm_cut(scores, most=6) == 6
    assert gmm_cut(scores[[0, 7, 8, 9, 10, 11, 12]], most=10) == 5, "at least five"
    assert gmm_cut(np.ones(20), most=10) == 10, "one group only"
    assert gmm_cut(np.ones(1), most=10) == 1


def test_gmm_returns_as_many_pages_as_tile() -> None:
    semantic = [0.9 - 0.001 * i if i < 7 else 0.2 - 0.001 * i for i in range(25)]
    keyword = semantic[::-1]
    scores = STRATEGIES["gmm"](make_pool({"semantic": semantic, "keyword": keyword}, k=20))
    kept = order(scores)
    assert len(kept) in TILES and len(kept) >= 14
    assert set(range(7)) | set(range(18, 25)) <= set(kept)


@pytest.mark.parametrize(
    ("pages", "most", "size"), [(1, 10, 1), (3, 10, 4), (7, 10, 9), (10, 10, 9), (7, 8, 6)]
)
def test_tile_size_is_the_next_grid_within_the_limit(pages: int, most: int, size: int) -> None:
    assert tile_size(pages, most) == size


def test_vote_deals_the_lists_in_turns_when_nobody_judges() -> None:
    pool = make_pool({"semantic": [0.9, 0.8, 0.1, NAN], "keyword": [NAN, 0.1, 0.8, 0.9]})
    assert order(STRATEGIES["vote"](pool)) == [0, 3, 1, 2]


def test_vote_asks_the_judge_once_and_shows_it_who_found_what() -> None:
    asked: list[list[str]] = []

    def judge(question: str, texts: list[str]) -> list[float]:
        asked.append(texts)
        return [0.0, 1.0, 0.5]

    pool = make_pool({"semantic": [0.9, 0.8, 0.7], "keyword": [NAN, NAN, 0.9]}, judge=judge)
    assert order(STRATEGIES["vote"](pool)) == [2, 1, 0]
    assert len(asked) == 1
    assert asked[0][1] == "semantic search: rank 3; keyword search: rank 1\ntext 2"


def test_vote_keeps_the_order_of_the_bag_when_the_judge_fails() -> None:
    pool = make_pool({"semantic": [0.9, 0.8], "keyword": [0.1, 0.9]}, judge=lambda q, texts: [])
    assert order(STRATEGIES["vote"](pool)) == [0, 1]


def test_gqr_moves_the_query_towards_what_the_other_list_says() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(12, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = vectors[0] + 0.9 * vectors[1]
    query /= np.linalg.norm(query)
    guide = np.full(12, 0.001)
    guide[1] = 1 - guide[1:].sum()
    moved = refine(query.astype(np.float32), vectors.astype(np.float32), guide)
    before, after = vectors @ query, vectors @ moved
    assert np.argmax(before) == 0
    assert after[1] - after[0] > before[1] - before[0]


def test_gqr_keeps_the_first_lists_order_below_what_it_ranks_anew() -> None:
    semantic = np.linspace(0.9, 0.1, 40).tolist()
    keyword = [NAN] * 39 + [5.0]
    vectors = [[s, float(np.sqrt(1 - s * s))] for s in semantic]
    pool = make_pool(
        {"semantic": semantic, "keyword": keyword}, vectors=vectors, query=[1.0, 0.0], k=40
    )
    ranked = order(STRATEGIES["gqr"](pool))
    assert sorted(ranked[:11]) == [*range(10), 39]
    assert ranked[11:] == list(range(10, 39))


def test_mmr_puts_something_else_before_a_copy_of_the_best() -> None:
    vectors = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    pool = make_pool(
        {"semantic": [0.9, 0.89, 0.7], "keyword": [0.9, 0.89, 0.7]},
        vectors=vectors,
        query=[1.0, 0.0],
    )
    assert order(STRATEGIES["mmr"](pool)) == [0, 2, 1]


def test_adaptive_returns_only_what_is_relevant() -> None:
    lists = {"semantic": [0.9, 0.8, 0.2, 0.1], "keyword": [0.9, 0.8, 0.2, 0.1]}
    assert order(STRATEGIES["adaptive"](make_pool(lists))) == [0, 1]
    judged = make_pool(lists, judge=lambda q, texts: [0.9, 0.1, 0.6, 0.0])
    assert order(STRATEGIES["adaptive"](judged)) == [0, 2]
    assert order(STRATEGIES["tiles"](make_pool(lists, k=3))) == [0, 1]


@pytest.mark.parametrize("name", STRATEGIES)
def test_search_takes_every_strategy_by_name(view: View, name: str) -> None:
    hits = view.search("capital expenditure of Halden Marine", fusion=name, k=6)
    assert 1 <= len(hits) <= 6 and hits[0].name.startswith("Halden")
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
