"""Follow-up questions written to stand alone by rules, and asked on a thread."""

import pytest

import pagehop
from pagehop.library.view import View
from pagehop.rules.follow_up import stand_alone

STAFF = "How many people did Orrin employ at Mykle in 2023?"
SALES = "What was Orrin's revenue in Q2 2023?"


@pytest.mark.parametrize(
    ("asked", "before", "alone"),
    [
        ("And in 2022?", STAFF, "How many people did Orrin employ at Mykle in 2022?"),
        ("In the previous year?", STAFF, "How many people did Orrin employ at Mykle in 2022?"),
        ("What was it a year later?", STAFF, "How many people did Orrin employ at Mykle in 2024?"),
        ("What was it the year after?", SALES, "What was Orrin's revenue in 2024?"),
        ("And in Q3?", SALES, "What was Orrin's revenue in Q3 2023?"),
        ("What about Ardel?", STAFF, "How many people did Ardel employ at Mykle in 2023?"),
        ("And at Ardel?", STAFF, "How many people did Orrin employ at Ardel in 2023?"),
        ("How about Ardel in 2021?", SALES, "What was Ardel's revenue in 2021?"),
        ("And for Ardel?", SALES, "What was Orrin's revenue in Q2 2023 for Ardel?"),
        ("And 2021?", "What did Orrin spend?", "What did Orrin spend in 2021?"),
        ("And the dividend?", STAFF, "What about the dividend of Orrin in 2023?"),
        ("What did it spend on research?", SALES, "What did Orrin spend on research?"),
        ("And who are its directors?", SALES, "Who are Orrin's directors?"),
        ("What was the dividend in that year?", STAFF, "What was the dividend in 2023?"),
        ("What did it spend the year before?", STAFF, "What did Orrin spend in 2022?"),
    ],
)
def test_a_follow_up_takes_from_the_question_before_what_it_leaves_out(
    asked: str, before: str, alone: str
) -> None:
    assert stand_alone(asked, before) == alone


@pytest.mark.parametrize(
    "asked",
    [
        "Who leads Ardel?",
        "Why?",
        "Who is Ada Moor?",
        "What did Ardel spend in 2020, and was it more than planned?",
        "When was the mill built and who owned it?",
        "",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(asked: str) -> None:
    assert stand_alone(asked, STAFF) == asked


def test_a_thread_of_the_built_in_reasoner_understands_a_follow_up(view: View) -> None:
    first = "How many people did Orrin Textiles employ at the end of 2022?"
    pagehop.ask(first, view, thread="staff")
    events = list(pagehop.stream("And at the end of 2021?", view, thread="staff"))
    alone = "How many people did Orrin Textiles employ at the end of 2021?"
    assert any(alone in str(event.body) for event in events)
