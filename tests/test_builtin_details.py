"""Which row is meant, and what documents about the right things do not give, by `pagehop.ask`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.agents.answerer import states_number
from pagehop.answers import Answer
from pagehop.interfaces.api import ask
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.rules.extract import read_units
from pagehop.rules.figures import row_figures
from pagehop.rules.question import read_question
from pagehop.rules.rows import read_rows
from pagehop.rules.scope import read_profiles, read_scope
from pagehop.types import PageRef

PAGES: tuple[tuple[tuple[object, ...], ...], ...] = (
    (
        (60, "Kestrel Ferries plc. Annual report 2023."),
        (60, "Kestrel Ferries carries freight and passengers between nine ports of the coast."),
        (
            60,
            "The ships of Kestrel Ferries sailed on 341 days, and none was lost to strikes.",
        ),
        (60, "Emissions of Scopes 1 and 2 of Kestrel Ferries were 2,140 tonnes of carbon dioxide."),
        (60, "Parts of Kestrel Ferries that touch water respect the limit of each substance."),
    ),
    (
        (60, "Kestrel Ferries plc. Annual report 2023. Divisions."),
        (60, "Table 1: Revenue by division, million crowns"),
        (320, "2023", 420, "2022"),
        (60, "Freight", 320, "51.2", 420, "40.0"),
        (60, "Passengers", 320, "30.1", 420, "28.4"),
        (60, "Charters", 320, "10.5", 420, "11.0"),
        (60, "Revenue", 320, "91.8", 420, "79.4"),
        (60, "The price of a ticket moved with the price of oil in the two years."),
        (60, "Table 3: Sale price of a ticket, crowns"),
        (320, "High", 420, "Low"),
        (60, "2023:"),
        (60, "First quarter", 320, "18.5", 420, "14.2"),
        (60, "Second quarter", 320, "19.1", 420, "15.3"),
        (60, "2022:"),
        (60, "First quarter", 320, "16.4", 420, "12.0"),
        (60, "Second quarter", 320, "17.7", 420, "13.8"),
    ),
    (
        (60, "Kestrel Ferries plc. Annual report 2023. Substances."),
        (60, "Table 2: Limit of each substance, milligrams"),
        (60, "Substance", 320, "Wetted parts", 420, "Other parts"),
        (60, "Zinc, from plating", 320, "50", 420, "5,000"),
        (60, "Tin", 320, "40", 420, "200"),
        (60, "Silver", 320, "55", 420, "310"),
    ),
)


@pytest.fixture(scope="module")
def kestrel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """One report with a table whose total is not called one."""
    folder: Path = tmp_path_factory.mktemp("kestrel")
    canvas = Canvas(str(folder / "Kestrel 2023 annual report.pdf"), pagesize=A4)
    for lines in PAGES:
        for i, line in enumerate(lines):
            for x, words in zip(line[::2], line[1::2], strict=True):
                canvas.drawString(float(str(x)), 780 - 16 * i, str(words))
        canvas.showPage()
    canvas.save()
    with Library(tmp_path_factory.mktemp("kestrel-library")) as library:
        library.add(folder)
        yield library.view()


def asked(question: str, view: View) -> Answer:
    answer = ask(question, view, model="builtin", record=False)
    assert answer.error == ""
    return answer


def test_a_row_whose_numbers_are_the_sums_of_those_above_is_the_total(kestrel: View) -> None:
    answer = asked("What was the total revenue of Kestrel Ferries in 2022?", kestrel)
    assert answer.text.startswith("79.4")
    page = kestrel.page(PageRef(kestrel.documents()[0].name, 2))
    assert [f.label for f in row_figures(read_rows(page)) if f.sums_up] == ["Revenue"]


def test_the_row_of_a_division_is_not_the_row_of_the_measure(kestrel: View) -> None:
    """`Revenue` won over `Freight` under a heading that says revenue."""
    answer = asked("By how many percent did Kestrel's Freight revenue grow in 2023?", kestrel)
    assert answer.text.startswith("28%") and "Freight" in answer.text


def test_the_highest_of_a_table_s_rows_is_named(kestrel: View) -> None:
    answer = asked("Which of Kestrel's divisions had the highest revenue in 2023?", kestrel)
    assert answer.text.startswith("Freight: highest, 51.2")
    assert "Revenue 91.8" not in answer.text


def test_one_column_is_collected_for_each_row_of_the_year(kestrel: View) -> None:
    answer = asked("What was the low sale price of a ticket for each quarter of 2022?", kestrel)
    assert answer.text.startswith("First quarter 12.0, Second quarter 13.8")
    answer = asked("What was the revenue of Kestrel Ferries in 2023 for each division?", kestrel)
    assert answer.text.startswith("Freight 51.2, Passengers 30.1, Charters 10.5")


def test_a_column_without_a_word_of_its_own_is_told_by_other(kestrel: View) -> None:
    answer = asked("What is the limit for zinc from plating in other parts?", kestrel)
    assert answer.text.startswith("5,000")


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What was the revenue of Kestrel Ferries in 2018?", "2018"),
        ("What are Kestrel's scope 3 emissions?", "scope 3"),
        ("How many patents does Kestrel Ferries hold?", "patents"),
        ("What is the limit of Kestrel Ferries for asbestos?", "asbestos"),
    ],
)
def test_a_detail_that_the_report_does_not_give_is_refused(
    question: str, missing: str, kestrel: View
) -> None:
    answer = asked(question, kestrel)
    assert answer.status == "unanswerable" and missing in answer.text


@pytest.mark.parametrize(
    ("question", "stated"),
    [
        ("What was the revenue of Kestrel Ferries in 2022?", "79.4"),
        ("What were the scope 2 emissions of Kestrel Ferries?", "2,140"),
        ("How many days did the ships of Kestrel Ferries sail?", "341"),
        ("What is the limit of Kestrel Ferries for tin?", "40"),
    ],
)
def test_a_detail_that_it_gives_is_not_refused(question: str, stated: str, kestrel: View) -> None:
    answer = asked(question, kestrel)
    assert answer.status == "answered" and stated in answer.text


def test_numbers_without_a_word_are_never_quoted(kestrel: View) -> None:
    """A tick of a chart's axis, `105`, was given as an answer."""
    for document in kestrel.documents():
        for page in kestrel.pages(document.name):
            units = read_units(page, kestrel.regions(page.ref)).units
            assert all(any(c.isalpha() for c in unit.text) for unit in units)


@pytest.mark.parametrize(
    ("quote", "states"),
    [
        ("Figure 2: Water withdrawal by site in 2023", False),
        ("Withdrawal of 2023 by site", False),
        ("Withdrawal was 60 thousand cubic metres.", True),
        ("Nine of the ten sites withdrew none.", True),
    ],
)
def test_a_caption_states_no_number(quote: str, states: bool) -> None:
    assert states_number(quote) is states


def test_a_document_is_named_by_its_kind_and_year(view: View) -> None:
    question = read_question("Which note of the Annual Report 2021 explains the cost of the plant?")
    scope = read_scope(view, question, read_profiles(view, question))
    assert scope.documents and all("2021" in name for name in scope.documents)


def test_who_did_something_to_what_is_named_is_looked_for_everywhere(view: View) -> None:
    """The loser of a contract writes of it in its own report, not in the winner's."""
    question = read_question("Which competitor lost a contract to Halden Marine?")
    assert read_scope(view, question, read_profiles(view, question)).documents == ()
    subject = read_question("What did Halden Marine lose?")
    assert read_scope(view, subject, read_profiles(view, subject)).documents


@pytest.mark.parametrize(
    ("measure", "stated"), [("finance costs", "4.7"), ("operating margin in crowns", "-1.3")]
)
def test_bracketed_costs_that_rise_are_a_rise_and_bracketed_results_are_not(
    measure: str, stated: str, tmp_path: Path
) -> None:
    """`(5.1)` to `(9.8)` was a change of -4.7."""
    canvas = Canvas(str(tmp_path / "Plover 2023 annual report.pdf"), pagesize=A4)
    lines: tuple[tuple[object, ...], ...] = (
        (60, "Plover Mills plc. Annual report 2023."),
        (60, "Table 1: Accounts, million crowns"),
        (320, "2023", 420, "2022"),
        (60, "Revenue", 320, "91.8", 420, "79.4"),
        (60, "Finance costs", 320, "(9.8)", 420, "(5.1)"),
        (60, "Operating margin in crowns", 320, "(3.4)", 420, "(2.1)"),
    )
    for i, line in enumerate(lines):
        for x, words in zip(line[::2], line[1::2], strict=True):
            canvas.drawString(float(str(x)), 780 - 16 * i, str(words))
    canvas.save()
    with Library(tmp_path / "library") as library:
        library.add(tmp_path)
        question = f"How did the {measure} of Plover Mills change from 2022 to 2023?"
        answer = asked(question, library.view())
    assert answer.text.startswith(f"{stated}: change")
