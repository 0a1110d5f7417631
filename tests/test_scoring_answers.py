"""Metrics of answers against numbers worked out by hand."""

import pytest

from pagehop.scoring.items import list_f1, literal_list, read_list
from pagehop.scoring.mmlongbench import Format, Scored, answer_score, generalised
from pagehop.scoring.numeric import is_amount, numeric_match
from pagehop.scoring.refusal import count_refusals
from pagehop.scoring.words import (
    anls,
    cover_match,
    edit_distance,
    exact_match,
    normalise,
    plain_answer,
    sub_match,
    token_f1,
)


def test_normalisation_is_that_of_squad() -> None:
    assert normalise("  The U.S.   Senate, an upper house! ") == "us senate upper house"
    assert normalise("theatre") == "theatre", "an article is a whole word"


@pytest.mark.parametrize(
    ("prediction", "golds", "exact", "sub", "cover"),
    [
        ("The Braga LLP.", ["braga llp"], 1, 1, 1),
        ("It is audited by Braga LLP since 2020", ["Braga LLP"], 0, 1, 1),
        ("LLP of the name Braga", ["Braga LLP"], 0, 0, 1),
        ("Braga", ["Braga LLP"], 0, 0, 0),
        ("2010", ["10"], 0, 0, 0),
        ("new york", ["New York, New York"], 0, 0, 0),
        ("no idea", ["Paris", "no"], 0, 1, 1),
        ("", ["Paris"], 0, 0, 0),
    ],
)
def test_matches_by_hand(
    prediction: str, golds: list[str], exact: float, sub: float, cover: float
) -> None:
    assert exact_match(prediction, golds) == exact
    assert sub_match(prediction, golds) == sub
    assert cover_match(prediction, golds) == cover


def test_token_f1_by_hand() -> None:
    # 2 shared of 3 and 4 words: P 2/3, R 2/4, F1 4/7.
    assert token_f1("red green blue", ["green blue cyan black"]) == pytest.approx(4 / 7)
    # A word counts as often as it stands there: 1 shared of 3 and 1.
    assert token_f1("no2 no2 no2", ["no2"]) == pytest.approx(2 / 4)
    assert token_f1("x", ["a b", "x y"]) == pytest.approx(2 / 3), "the best gold counts"
    assert token_f1("yes it is", ["yes"]) == 0
    assert token_f1("Yes.", ["yes"]) == 1
    assert token_f1("", ["the"]) == 1, "both are empty once normalised"
    assert token_f1("", ["word"]) == 0


def test_anls_by_hand() -> None:
    assert edit_distance("kitten", "sitting") == 3
    assert anls("kitten", ["sitting"]) == pytest.approx(1 - 3 / 7)
    assert anls("Kitten ", ["kitten"]) == 1
    assert anls("ab", ["ax"]) == 0, "half of it differs, and 1/2 is not below 1/2"
    assert anls("ab", ["ax"], threshold=0.6) == pytest.approx(0.5)
    assert anls("abc", ["xyz", "abd"]) == pytest.approx(2 / 3)
    assert anls("", ["a"]) == 0
    assert anls("", [""]) == 1


def test_without_gold_nothing_is_scored() -> None:
    for metric in (exact_match, sub_match, cover_match, token_f1, anls, numeric_match):
        assert metric("word", []) is None
    assert numeric_match("12", ["twelve of them"]) is None, "gold states no number"
    assert numeric_match("12", ["12 or 13"]) is None, "gold states two"
    assert numeric_match("12", ["12 or 13", "12"]) == 1
    assert list_f1(["a"], []) is None


@pytest.mark.parametrize(
    ("prediction", "gold", "right"),
    [
        ("It was 101", "100", 1),
        ("It was 101.1", "100", 0),
        ("(5.2)", "-5.2", 1),
        ("$1,577 million", "1577", 1),
        ("$1,577 million", "1.577 billion", 1),
        ("1577", "$1,577 million", 1),
        ("$1,577 thousand", "$1,577 million", 0),
        ("12.5 %", "12.5", 1),
        ("0.125", "12.5%", 1),
        ("12.5", "0.125 %", 0),
        ("12.5%", "0.125", 1),
        ("1250 %", "12.5%", 0),
        ("50 bps", "0.5%", 1),
        ("50 basis points", "50%", 0),
        ("$5", "€5", 0),
        ("0", "0", 1),
        ("0.001", "0", 0),
        ("In 2018 it spent 41", "41", 1),
        ("in 2019", "2018", 0),
        ("1,590 million", "1577", 1),
        ("founded in 2018", "2018", 1),
        ("41, up from 38", "38", 0),
        ("nothing", "38", 0),
    ],
)
def test_numbers_match_by_value_unit_and_scale(prediction: str, gold: str, right: float) -> None:
    assert numeric_match(prediction, [gold]) == right


def test_which_number_and_its_sign_can_be_left_open() -> None:
    assert numeric_match("41, up from 38", ["38"], which="any") == 1
    assert numeric_match("down 5 %", ["-5%"]) == 0
    assert numeric_match("down 5 %", ["-5%"], signed=False) == 1
    assert numeric_match("102", ["100"], tolerance=0.02) == 1


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$ 1,577 million", True),
        ("about 57.3 million crowns", True),
        ("30 days", True),
        ("(12.5%)", True),
        ("Note 4", False),
        ("5 of 7", False),
        ("57.3 million crowns were spent", False),
        ("Porto", False),
    ],
)
def test_amounts_are_told_from_sentences(text: str, amount: bool) -> None:
    assert is_amount(text) is amount


def test_lists_are_read_in_several_forms_and_never_run() -> None:
    assert read_list("['$ 5.99', '$ 4.79']") == ["$ 5.99", "$ 4.79"]
    assert read_list('["a, b", "c"]') == ["a, b", "c"]
    assert read_list("1,577, 2 and three; four") == ["1,577", "2", "three", "four"]
    assert read_list("- red\n- green\n3) blue") == ["red", "green", "blue"]
    assert read_list("[1] said so") == ["[1] said so"]
    assert literal_list("[__import__('os').getcwd()]") is None
    assert literal_list("[" * 5000) is None
    assert literal_list("'word'") is None


def test_list_f1_by_hand() -> None:
    # 2 of 3 given and 2 of 4 wanted: 4/7.
    assert list_f1(["The Red", "blue", "x"], [["red", "Blue", "c", "d"]]) == pytest.approx(4 / 7)
    assert list_f1(["a", "a"], [["a", "b"]]) == pytest.approx(2 / 4), "an item is found once"
    assert list_f1(["$5.99"], [["5.99", "4.79"]]) == pytest.approx(2 / 3), "numbers by value"
    assert list_f1([], [["a"]]) == 0
    assert list_f1([], [[]]) == 1
    assert list_f1(["b"], [["a"], ["b"]]) == 1


@pytest.mark.parametrize(
    ("prediction", "gold", "form", "score"),
    [
        ("15", "15", "Int", 1),
        ("15.0", "15", "Int", 1),
        ("about 15", "15", "Int", 0),
        ("$12.5", "12.5", "Float", 1),
        ("0.125", "12.5%", "Float", 1),
        ("12.6", "12.5", "Float", 1),
        ("12.7", "12.5", "Float", 0),
        ("abc", "12.5", "Float", 0),
        ("Kitten", "sitten (noun)", "Str", 1 - 1 / 6),
        ("2020-05", "2020-06", "Str", 0),
        ("page 12", "page 13", "Str", 0),
        ("a@b.org", "a@c.org", "Str", 0),
        ("5", "5 million", "Str", 1),
        ("Not answerable", "Not answerable", "None", 1),
        ("Paris", "Not answerable", "None", 0),
        ("['b', 'a']", "['a', 'b']", "List", 1),
        ("['kitten', 'dog']", "['dog', 'sitten']", "List", 1 - 1 / 6),
        ("['kitten', 'dog']", "['dog', 'ant']", "List", 0),
        ("['a']", "['a', 'b']", "List", 0),
        ("['10', '12']", "['10', '13']", "List", 0),
        ("['kitten", "kitten", "List", 1 - 2 / 8),
        ("[]", "[]", "List", 1),
    ],
)
def test_mmlongbench_scores_by_form(prediction: str, gold: str, form: Format, score: float) -> None:
    assert answer_score(prediction, gold, form) == pytest.approx(score)


def test_mmlongbench_means_by_hand() -> None:
    scored = [
        Scored(1.0, answerable=True, answered=True),
        Scored(0.5, answerable=True, answered=True),
        Scored(0.0, answerable=True, answered=False),
        Scored(1.0, answerable=False, answered=False),
        Scored(0.0, answerable=False, answered=True),
    ]
    means = generalised(scored)
    assert means is not None
    assert means.accuracy == pytest.approx(2.5 / 5)
    # Recall 1.5 / 3, precision 1.5 / 3.
    assert means.f1 == pytest.approx(0.5)
    nothing = generalised([Scored(0.0, answerable=True, answered=False)])
    assert nothing is not None and (nothing.accuracy, nothing.f1) == (0, 0)
    assert generalised([]) is None


def test_refusals_by_hand() -> None:
    outcomes = [(True, False), (True, False), (True, True), (False, False), (False, True)]
    counted = count_refusals(outcomes)
    assert counted.precision == counted.recall == pytest.approx(2 / 3)
    assert counted.f1 == pytest.approx(2 / 3)
    bold = count_refusals([(False, False), (False, True)])
    assert bold.precision is None and bold.recall == 0 and bold.f1 == 0
    assert count_refusals([(False, True)]).recall is None
    assert count_refusals([(False, True)]).f1 is None


def test_marks_of_citations_and_quotes_are_no_words_of_an_answer() -> None:
    plain = plain_answer(
        "“Its partner is Gideon Marchetti.” (weakly supported) [1] “It is 7.” [12]"
    )
    assert plain == "Its partner is Gideon Marchetti. (weakly supported) It is 7."
    assert sub_match(plain, ["Gideon Marchetti"]) == cover_match(plain, ["Gideon Marchetti"]) == 1
    assert exact_match(plain_answer("“455.9 million” [1]"), ["455.9 million"]) == 1


def test_a_curly_apostrophe_is_punctuation_as_a_straight_one_is() -> None:
    assert exact_match("3M\u2019s plant", ["3M's plant"]) == 1
