"""A round shows a hit, a remark or a result once; what stands above it is only named."""

from pagehop.agents.moves import Call, Observation
from pagehop.agents.repeats import ABOVE, SAME_CALL, without_repeats

FIRST = (
    "1. [acme:4] table | Results\n   (the page says \"in millions\")\n   Revenue 12 11\n"
    "2. [acme:7] text\n   ... Costs rose by a tenth. ...\n(2 scanned pages are not read)"
)  # fmt: skip
SECOND = (
    "1. [acme:7] text | 3 matches\n   Costs rose by a tenth.\n"
    "2. [acme:4] table | Results\n   Profit 5 4\n(2 scanned pages are not read)"
)


def search(number: int, text: str, *, cached: bool = False) -> Observation:
    call = Call("semantic_search", {"query": "costs"}, f"s{number}c1")
    return Observation(call, True, text, {"hits": [], "note": ""}, cached)


def test_a_hit_whose_words_stand_above_is_one_line() -> None:
    first, second = without_repeats((search(1, FIRST), search(2, SECOND)))
    assert first == FIRST
    assert second.split("\n") == [
        f"1. [acme:7] text | 3 matches {ABOVE}",
        "2. [acme:4] table | Results",
        "   Profit 5 4",
    ]


def test_a_hit_on_a_page_that_was_read_is_one_line() -> None:
    page = Observation(
        Call("read_page", {"ref": "acme:7"}, "s1c1"),
        True,
        "[acme:7] of 9\nIn all,\ncosts rose. Costs rose\nby a tenth.",
        {"ref": "acme:7"},
    )
    _, found = without_repeats((page, search(2, SECOND)))
    assert found.startswith(f"1. [acme:7] text | 3 matches {ABOVE}\n2. [acme:4]")


def test_other_words_of_the_same_page_are_shown() -> None:
    other = FIRST.replace("Revenue 12 11", "Debt 3 2")
    assert "Debt 3 2" in without_repeats((search(1, FIRST), search(2, other)))[1]


def test_a_repeated_call_of_the_round_is_not_shown_twice() -> None:
    again = search(2, FIRST, cached=True)
    assert without_repeats((search(1, FIRST), again))[1] == SAME_CALL
    assert without_repeats((again,))[0] == FIRST, "in another round it stands nowhere above"


def test_what_is_shown_of_an_observation_depends_on_those_before_it_only() -> None:
    before = without_repeats((search(1, FIRST), search(2, SECOND)))
    after = without_repeats((search(1, FIRST), search(2, SECOND), search(3, FIRST)))
    assert after[:2] == before


def test_a_failed_call_keeps_its_text() -> None:
    failed = Observation(Call("read_page", {"ref": "acme:99"}, "s1c1"), False, "no such page")
    assert without_repeats((failed, failed)) == ["no such page", "no such page"]
