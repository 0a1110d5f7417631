"""Rewards of episodes made by hand; the values are worked out from the formulas, in comments."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_episodes import Tale
from pagehop.answers import Usage
from pagehop.errors import ConfigError
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.catalog import REWARDS, describe, find_reward
from pagehop.trajectories.rewards.composite import Term, composite, explain
from pagehop.trajectories.rewards.judged import group_rank, judged
from pagehop.trajectories.rewards.reward import Reward, Scored, broke


def walk(**more: Any) -> Tale:
    """Two searches, a page read; gold are a:2 and b:5, which comes at rank 4 of what was shown."""
    more = {"gold_answers": ["455.9 million"], "gold_pages": ["a:2", "b:5"], **more}
    tale = Tale("What was revenue?", **more)
    tale.search("acme revenue 2023", ["a:1", "a:2", "c:9"])
    tale.search("acme revenue 2023 total", ["a:2", "b:5"])
    tale.read("a:2")
    return tale


def value(name: str, episode: Episode) -> float:
    found = find_reward(name).value(episode)
    assert found is not None
    return found


def right() -> Episode:
    return walk().end("answered", "It was 455.9 million.", cited=["a:2"])


# a:1 a:2 c:9 b:5 were shown: gold at ranks 2 and 4.
GAIN = 1 / math.log2(3) + 1 / math.log2(5)
NDCG = GAIN / (1 + 1 / math.log2(3))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("answer_em", 0.0),
        ("answer_sub_em", 1.0),
        ("answer_cover_em", 1.0),
        ("answer_f1", 2 * 2 / (4 + 2)),  # it was 4559 million / 4559 million
        ("answer_numeric", 1.0),
        ("answer_numeric(0.5)", 1.0),
        ("answer_right", 1.0),
        ("retrieval_ndcg", NDCG),
        ("retrieval_ndcg@2", (1 / math.log2(3)) / (1 + 1 / math.log2(3))),
        ("page_recall", 1.0),
        ("page_fbeta", 2 * 2 / (2 + 4)),
        ("page_fbeta(2)", 5 * 2 / (4 * 2 + 4)),
        ("doc_coverage", 2 * 2 / (2 + 3)),  # a, c, b of a, b
        ("coverage_delta", 1.0),
        ("fetch_proximity", 1.0),
        ("citation_f1", 2 * 1 / (1 + 2)),
        ("citation_grounded", 1.0),
        ("citation_support", 1.0),
        ("format", 1.0),
        ("format_share", 1.0),
        ("tool_budget(2)", 1 - 1 / 2),
        # The second query has two triples, one of them the first query's: mean of 0 and 1/2.
        ("repeat_penalty", -0.3 * 0.25),
        ("invalid_call", 0.0),
        ("abstention", 0.0),
        # .6 * 1 + .15 * 1 + .15 * 2/3 + .1 * 1, no costs
        ("documents", 0.95),
        ("vrag_rl", 0.7 + 0.1 + 0.2 * NDCG),
        ("search_r1", 0.0),
        ("search_r1_v03", 0.2),
        ("r1_searcher_1", 2.0),
        ("r1_searcher_2", 2 / 3),
        ("r1_searcher_zero", 2 / 3),
        ("research", 2 / 3),
        ("deepresearcher", 2 / 3),
        # search a:1 0; search a:2, shown before, -1; fetch a:2, shown before, 1 - 1; answer 5 * 2/3
        ("alden", -1.0 + 5 * 2 / 3),
        ("marag_r1", 0.6 * 2 / 3 + 0.25 * 0.8 + 0.15),
    ],
)
def test_a_reward_of_a_run_worked_out_by_hand(name: str, wanted: float) -> None:
    assert value(name, right()) == pytest.approx(wanted, abs=1e-9)


def test_an_answer_that_is_right_to_the_letter() -> None:
    episode = walk().end("answered", "455.9 million", cited=["a:2", "b:5"])
    assert value("search_r1", episode) == 1.0
    assert value("search_r1_v03", episode) == 1.0
    assert value("documents", episode) == pytest.approx(1.0)


def malformed(text: str = "455.9 million") -> Episode:
    tale = walk()
    tale.call("no_such_tool", {}, {}, ok=False, valid=False)
    return tale.end("answered", text, cited=["a:2", "b:5"])


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("format", "455.9 million", 0.0),
        ("format_share", "455.9 million", 3 / 4),
        ("invalid_call(0.2)", "455.9 million", -0.2),
        ("search_r1_v03", "455.9 million", 0.8),
        ("search_r1_v03", "no idea", 0.1),
        ("r1_searcher_1", "no idea", -1 + 0.5),
        ("r1_searcher_2", "455.9 million", 0.0),
        ("r1_searcher_zero", "455.9 million", -1.0),
        ("research", "455.9 million", 0.0),
        ("deepresearcher", "455.9 million", -1.0),
        ("vrag_rl", "455.9 million", 0.7 + 0.1 + 0.2 * NDCG),
    ],
)
def test_a_malformed_call_costs_what_the_recipe_says(name: str, text: str, wanted: float) -> None:
    assert value(name, malformed(text)) == pytest.approx(wanted)


def test_a_house_reward_closes_at_a_malformed_call_and_still_takes_its_costs() -> None:
    # gate 0; n = 4 looks of 8 free; 1 of 4 malformed: - .05 / 4
    assert value("documents", malformed()) == pytest.approx(-0.05 / 4)


def test_calls_beyond_the_budget_cost() -> None:
    tale = Tale("Q?", gold_answers=["yes"], gold_pages=["a:2"])
    for number in range(1, 13):
        tale.read(f"a:{number}")
    episode = tale.end("answered", "yes", cited=["a:2"])
    assert value("tool_budget(8)", episode) == pytest.approx(0.5)
    assert value("documents", episode) == pytest.approx(1.0 - 0.05 * 4 / 8)


def abstaining(answerable: bool | None) -> Episode:
    tale = Tale("Q?", gold_answers=["x"] if answerable else [], answerable=answerable)
    tale.search("one two three", ["a:1"])
    return tale.end("unanswerable", "Not in the documents.")


@pytest.mark.parametrize(
    ("name", "answerable", "wanted"),
    [
        ("abstention", True, -5.0),
        ("abstention", False, 5.0),
        ("abstention(1, 2, 3)", False, 2.0),
        ("abstention", None, None),
        ("alden", True, -5.0),
        ("alden", False, 5.0),
        ("answer_right", True, 0.0),
        ("answer_right", False, 1.0),
        ("documents", False, 0.6 / 0.6),
        ("citation_grounded", False, None),
    ],
)
def test_abstaining_is_paid_only_where_nothing_answers(
    name: str, answerable: bool | None, wanted: float | None
) -> None:
    assert find_reward(name).value(abstaining(answerable)) == (
        None if wanted is None else pytest.approx(wanted)
    )


def test_answering_what_nothing_answers_is_not_paid() -> None:
    tale = Tale("Q?", answerable=False)
    tale.search("one two three", ["a:1"])
    episode = tale.end("answered", "42", cited=["a:1"])
    assert value("abstention", episode) == -2.0
    assert value("alden", episode) == -2.0
    assert value("answer_right", episode) == 0.0
    assert value("documents", episode) == pytest.approx(0.0)


def test_pages_near_gold_are_worth_less_the_farther_they_are() -> None:
    tale = Tale("Q?", gold_answers=["x"], gold_pages=["a:4", "a:6"])
    tale.read("a:8")  # mean distance 3
    tale.read("b:4")  # no gold in that document
    records = find_reward("fetch_proximity").score(tale.end("answered", "x"))
    assert [r.value for r in records] == [pytest.approx(0.3 * math.exp(-1.5)), 0.0]
    assert [(r.scope, r.target) for r in records] == [("tool_call", "s1c1"), ("tool_call", "s2c1")]


def test_each_call_is_paid_for_the_gold_it_showed_first() -> None:
    records = find_reward("coverage_delta").score(right())
    assert [r.value for r in records] == [0.5, 0.5, 0.0]


def looked(box: tuple[float, float, float, float]) -> Episode:
    tale = Tale(
        "Q?", gold_answers=["x"], gold_pages=["a:1"], gold_boxes={"a:1": [(0.2, 0.2, 0.4, 0.4)]}
    )
    tale.look("a:1", box)
    return tale.end("answered", "x", cited=[("a:1", (0.2, 0.2, 0.4, 0.3))])


@pytest.mark.parametrize(
    ("name", "box", "wanted"),
    [
        ("crop_iou", (0.2, 0.2, 0.6, 0.4), 0.5),
        ("crop_hit", (0.3, 0.2, 0.6, 0.4), 1.0),  # exactly half of it
        ("crop_hit", (0.31, 0.2, 0.6, 0.4), 0.0),
        ("zoom_gain", (0.2, 0.2, 0.7, 0.7), 1.0),  # 4 times
        ("zoom_gain", (0.0, 0.0, 1.0, 0.5), 1 / 3),  # 2 times: (2 - 1) / (4 - 1)
        ("zoom_gain", (0.0, 0.0, 1.0, 1.0), 0.0),
        ("citation_iou", (0.0, 0.0, 1.0, 1.0), 0.5),
    ],
)
def test_crops_and_cited_boxes(
    name: str, box: tuple[float, float, float, float], wanted: float
) -> None:
    assert value(name, looked(box)) == pytest.approx(wanted)


def test_a_round_that_loses_what_it_saw_says_what() -> None:
    tale = walk()
    tale.keep("a:2", "Revenue was 455.9 million.", call="s3c1")
    (record,) = find_reward("summary_fidelity").score(tale.end("answered", "x", cited=["a:2"]))
    assert record.value == pytest.approx(0.5)
    assert "b:5" in record.reason


def test_progress_is_paid_to_the_call_whose_evidence_was_kept() -> None:
    tale = walk()
    tale.keep("a:2", "Revenue was 455.9 million.", call="s1c1")
    tale.keep("b:5", "And it grew.", call="s2c1")
    episode = tale.end("answered", "455.9 million", cited=["a:2"])
    assert [r.value for r in find_reward("progress").score(episode)] == [0.5, 0.5, 0.0]
    assert value("im_rag", episode) == pytest.approx(1.0 + 1.0)


@pytest.mark.parametrize(
    ("written", "wanted"), [(100, 0.0), (6144, 0.0), (7168, -0.5), (9000, -1.0)]
)
def test_a_long_run_is_fined_gently(written: int, wanted: float) -> None:
    tale = walk()
    message = {"role": "user", "parts": [{"type": "text", "text": "Q"}]}
    tale.say([message], "answer", usage=vars(Usage(output_tokens=written, model_calls=1)))
    assert value("overlong_soft", tale.end("answered", "x")) == pytest.approx(wanted)


def test_a_composite_keeps_its_parts_and_explains_itself() -> None:
    (record,) = find_reward("documents").score(right())
    assert record.parts["citation_f1"] == pytest.approx(2 / 3)
    assert "page_recall" in explain(record)
    assert record.version == "1"


def test_parts_that_cannot_be_judged_leave_their_weight_to_the_others() -> None:
    tale = Tale("Q?", gold_answers=["yes"])  # no gold page is known
    tale.read("a:1")
    episode = tale.end("answered", "yes", cited=["a:1"])
    (record,) = find_reward("documents").score(episode)
    assert record.value == pytest.approx(1.0)
    assert "page_recall, citation_f1" in record.reason


def test_paying_more_for_the_way_than_for_the_answer_is_refused() -> None:
    way, goal = find_reward("page_recall"), find_reward("answer_f1")
    terms = (Term(goal, 0.3, answer=True), Term(way, 0.5))
    with pytest.raises(ConfigError, match="learn to call tools"):
        composite("greedy", terms)
    assert composite("greedy", terms, guard=False).high == pytest.approx(0.8)


def judge_of(*said: float | None) -> Callable[[str, str, Sequence[str]], float | None]:
    votes = iter(said)
    return lambda question, answer, golds: next(votes)


def test_a_judge_is_asked_once_for_an_answer_and_its_median_counts() -> None:
    reward = judged(judge_of(1.0, 0.0, 1.0), votes=3)
    assert reward.value(right()) == 1.0
    assert reward.value(right()) == 1.0, "from what it said before"


def test_a_judge_that_answers_nonsense_gives_none() -> None:
    def raises(question: str, answer: str, golds: Sequence[str]) -> float:
        raise TimeoutError

    assert judged(judge_of(7.0)).value(right()) is None
    assert judged(raises).value(right()) is None
    assert find_reward("vrag_rl").rule is not None


def test_a_group_is_ranked_and_equal_answers_share_a_place() -> None:
    group = [
        Tale("Q?", episode_id=f"e{i}").end("answered", text)
        for i, text in enumerate(["good", "bad", "good", "fair"])
    ]
    records = group_rank(lambda question, answers: [0, 2, 1], group)
    assert {name: r.value for name, r in records.items()} == {
        "e0": 1.0, "e1": 0.0, "e2": 1.0, "e3": 0.5,
    }  # fmt: skip
    nonsense = group_rank(lambda question, answers: [0, 0, 1], group)
    assert all(record.value is None for record in nonsense.values())


@pytest.mark.parametrize(
    ("said", "reason"), [(math.nan, "gave nan"), (math.inf, "gave inf"), (None, "it gave none")]
)
def test_a_value_that_is_no_number_is_none(said: float | None, reason: str) -> None:
    reward = Reward("mine", lambda episode: Scored(said, "it gave none"))
    (record,) = reward.score(right())
    assert record.value is None
    assert reason in record.reason
    assert broke(record) is (said is not None)


def test_a_rule_that_raises_is_none_and_says_so() -> None:
    def rule(episode: Episode) -> Scored:
        raise ZeroDivisionError("by nothing")

    (record,) = Reward("mine", rule).score(right())
    assert record.value is None
    assert "ZeroDivisionError: by nothing" in record.reason


@pytest.mark.parametrize(
    "name",
    ["nothing", "answer_f1(3)", "tool_budget(", "page_fbeta([1])", "no.such.module:rule", ""],
)
def test_a_reward_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=r"reward"):
        find_reward(name)


def test_a_rule_of_ones_own_is_found_by_module_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_rules.py").write_text("def short(episode):\n    return 1 / 4\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_reward("my_rules:short").value(right()) == 0.25


@pytest.mark.parametrize("name", REWARDS)
def test_every_reward_says_what_it_is_and_takes_any_episode(name: str) -> None:
    assert describe(name)
    empty = Tale("Q?", answerable=None).episode()
    reward = find_reward(name)
    assert not any(broke(record) for record in reward.score(empty))
    for record in reward.score(right()):
        assert record.value is None or reward.low <= record.value <= reward.high
        assert record.reason


PAGES = st.sampled_from(["a:1", "a:2", "b:1", "b:5", "c:3"])


@given(
    shown=st.lists(PAGES, max_size=8),
    gold=st.lists(PAGES, max_size=3, unique=True),
    cited=st.lists(PAGES, max_size=3, unique=True),
    text=st.sampled_from(["455.9", "", "It was 455.9 million", "yes"]),
    answerable=st.sampled_from([True, False, None]),
)
def test_every_reward_stays_in_its_range(
    shown: list[str], gold: list[str], cited: list[str], text: str, answerable: bool | None
) -> None:
    tale = Tale("Q?", gold_answers=["455.9"], gold_pages=gold, answerable=answerable)
    for page in shown:
        tale.read(page)
    episode = tale.end("answered", text, cited=cited)
    for name in REWARDS:
        reward = find_reward(name)
        for record in reward.score(episode):
            assert not broke(record), record.reason
            assert record.value is None or reward.low - 1e-9 <= record.value <= reward.high + 1e-9
        assert reward.score(episode) == reward.score(episode), "the same every time"


def test_searching_for_guesses_until_the_budget_is_spent_is_no_answer() -> None:
    """The machine's own words name what was searched for, and were paid as an answer."""
    text = (
        'No answer was found before the budget was spent. Searched 9 documents for "455.9 million".'
    )
    spent = walk().end("exhausted", text)
    for name in ("answer_sub_em", "answer_cover_em", "answer_f1", "answer_right", "search_r1"):
        assert value(name, spent) == 0, name
    assert (
        value("answer_right", walk().end("exhausted", "It was 455.9 million.", cited=["a:2"])) == 1
    )


def test_marks_of_citations_and_quotes_are_no_words_of_an_answer() -> None:
    quoted = walk().end("answered", "“455.9 million” [1]", cited=["a:2"])
    assert value("answer_em", quoted) == 1.0 and value("answer_f1", quoted) == 1.0
    marked = walk(gold_answers=["1"]).end("answered", "It was 455.9 million. [1]", cited=["a:2"])
    assert value("answer_numeric", marked) == 0.0 and value("answer_sub_em", marked) == 0.0
