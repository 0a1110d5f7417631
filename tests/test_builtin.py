"""The built-in reasoner over the four annual reports of conftest.py, through `pagehop.ask`."""

from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.agents.answerer import SCAN
from pagehop.agents.builtin import builtin_roles
from pagehop.answers import Answer
from pagehop.graphs.budget import Budget
from pagehop.interfaces.api import ask
from pagehop.library.library import Library
from pagehop.library.view import View


def ask_view(question: str, view: View) -> Answer:
    answer = ask(question, view, model="builtin", record=False)
    assert answer.error == ""
    return answer


def places(answer: Answer) -> list[str]:
    return [f"{c.document}:{c.page}" for c in answer.citations]


def test_a_table_value_is_read_from_the_row_and_the_column_of_the_year(view: View) -> None:
    answer = ask_view("What was Halden Marine's capital expenditure in 2022?", view)
    assert answer.status == "answered"
    assert answer.text.startswith("61.4")
    assert places(answer)[0] == "Halden 2022 annual report.pdf:2"


def test_the_column_of_the_year_before_is_read_when_it_is_asked_for(view: View) -> None:
    report = view.within(["Orrin 2022 annual report.pdf"])
    answer = ask_view("What was the operating income in 2021?", report)
    assert answer.text.startswith("22.4")
    assert places(answer) == ["Orrin 2022 annual report.pdf:2"]


def test_a_change_between_years_is_calculated_from_two_located_numbers(view: View) -> None:
    answer = ask_view("By how much did Halden Marine's revenue change from 2021 to 2022?", view)
    assert answer.text.startswith("43.3")
    assert "412.6" in answer.text and "455.9" in answer.text
    assert all(c.verified for c in answer.citations)


def test_a_round_that_closes_early_ends_with_the_calculation(view: View) -> None:
    """Low effort has rounds of one step, high of two: both ended without having calculated."""
    question = "By how much did Halden Marine's revenue change from 2021 to 2022?"
    low, medium, high = (
        ask(question, view, model="builtin", effort=effort, record=False)
        for effort in ("low", "medium", "high")
    )
    assert low.text == medium.text == high.text and low.text.startswith("43.3")
    assert (low.usage.steps, low.usage.rounds) == (1, 1)
    spent = ask(
        question,
        view,
        model="builtin",
        effort="low",
        budget=Budget(tool_calls=low.usage.tool_calls - 1),
        record=False,
    )
    assert spent.usage.tool_calls == low.usage.tool_calls - 1
    assert spent.status == "answered" and "43.3" not in spent.text


def test_a_share_is_given_in_percent(view: View) -> None:
    question = "What percentage of revenue was capital expenditure at Halden Marine in 2022?"
    answer = ask_view(question, view)
    assert answer.text.startswith("13.47%")


def test_two_companies_are_compared_out_of_their_own_reports(view: View) -> None:
    question = (
        "What is the difference between Halden Marine's and Orrin Textiles's revenue in 2022?"
    )
    answer = ask_view(question, view)
    assert answer.text.startswith("224.1")
    assert places(answer) == ["Halden 2022 annual report.pdf:2", "Orrin 2022 annual report.pdf:2"]


def test_the_document_with_the_highest_value_is_named_first(view: View) -> None:
    question = (
        "Which company had the lower capital expenditure in 2022, Halden Marine or Orrin Textiles?"
    )
    answer = ask_view(question, view)
    assert answer.text.startswith("Orrin Textiles: 25.9 against 61.4 (Halden Marine), 35.5 less")
    assert "25.9" in answer.text and "61.4" in answer.text


def test_whether_one_company_exceeds_the_other_is_said_with_both_numbers(view: View) -> None:
    answer = ask_view(
        "Was Orrin Textiles's revenue in 2022 higher than Halden Marine's, and by how much?", view
    )
    assert answer.text.startswith("No: ")
    assert "231.8 (Orrin Textiles) against 455.9 (Halden Marine), 224.1 less" in answer.text


def test_the_year_with_the_highest_value_is_named(view: View) -> None:
    report = view.within(["Orrin 2021 annual report.pdf"])
    answer = ask_view("Which year had the higher revenue?", report)
    assert answer.text.startswith("2020")


def test_a_bridge_is_crossed_from_the_plant_to_its_company(view: View) -> None:
    question = "Where is the seat of the company that built the plant at Aveiro?"
    answer = ask_view(question, view)
    assert "Porto" in answer.text.split("[1]")[0]
    assert answer.usage.rounds >= 2


def test_a_question_over_time_gives_one_value_for_each_report(view: View) -> None:
    answer = ask_view("How has Orrin Textiles's revenue changed over time?", view)
    assert {c.document for c in answer.citations} == {
        "Orrin 2021 annual report.pdf",
        "Orrin 2022 annual report.pdf",
    }
    assert "203.4" in answer.text and "231.8" in answer.text


@pytest.mark.parametrize(
    "question",
    ["What was Volvo's revenue in 2021?", "How many people did Volvo employ in 2022?"],
)
def test_a_company_of_no_document_is_refused(question: str, view: View) -> None:
    answer = ask_view(question, view)
    assert answer.status == "unanswerable"
    assert "Volvo" in answer.text
    assert answer.citations == ()


def test_a_company_outside_the_view_is_refused_within_it(view: View) -> None:
    other = view.within(["Orrin 2021 annual report.pdf", "Orrin 2022 annual report.pdf"])
    question = "What was Halden Marine's capital expenditure in 2022?"
    assert ask_view(question, other).status == "unanswerable"
    assert ask_view(question, view).status == "answered"


def test_a_sentence_answers_what_no_table_holds(view: View) -> None:
    answer = ask_view("When did the plant at Tungenes open?", view)
    assert "October 2022" in answer.text
    assert places(answer)[0] == "Halden 2022 annual report.pdf:3"


def test_a_page_that_is_only_a_picture_is_told_when_a_number_is_not_found(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    canvas = Canvas(str(folder / "letter.pdf"), pagesize=A4)
    canvas.drawString(60, 700, "The schedule of all defects is appended to this letter.")
    canvas.showPage()
    canvas.rect(100, 100, 300, 500, fill=1)
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    question = "What is the total number of defects in the schedule that is appended?"
    with Library(tmp_path / "library") as library:
        library.add(folder)
        assert f"[1] {SCAN}." in ask_view(question, library.view()).warnings
        for copy in [folder / "letter.pdf", *(tmp_path / "library").rglob("*.pdf")]:
            copy.unlink()
        answer = ask_view(question, library.view())
        assert answer.status == "answered" and not any(SCAN in text for text in answer.warnings)


def test_the_same_question_gives_the_same_run(view: View) -> None:
    question = "How many people did Orrin Textiles employ at the end of 2022?"
    first, second = ask_view(question, view), ask_view(question, view)
    assert first.text == second.text
    assert places(first) == places(second)
    assert "1012" in first.text


def test_each_run_has_roles_of_its_own() -> None:
    first, second = builtin_roles(), builtin_roles()
    assert first.explorer is not second.explorer
