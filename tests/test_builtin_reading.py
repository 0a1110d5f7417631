"""Numbers, periods, tasks, table rows and sentences, as the rules read them."""

from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.agents.comparison import read_comparison, side_texts
from pagehop.agents.decompose import decompose
from pagehop.finding.periods import find_periods, find_years
from pagehop.library.library import Library
from pagehop.rules.extract import ReadPage, is_heading, read_units
from pagehop.rules.numbers import find_numbers, format_number, parse_cell, table_scale
from pagehop.rules.question import read_question
from pagehop.rules.rows import Row, read_rows
from pagehop.rules.scope import Scope
from pagehop.rules.sentences import read_sentences
from pagehop.rules.solve import Comparison
from pagehop.rules.task import read_task
from pagehop.types import Page, PageRef

LINES = [
    (60, "The committee met nine times. Revenue rose in every region, and the board"),
    (60, "approved the plan on 3 May 2021."),
    (0, ""),
    (300, "Year Ended December 31,"),
    (60, "(in thousands)"),
    (320, "2021", 420, "2020"),
    (60, "Net sales:"),
    (60, "Products", 320, "$ 1,204", 420, "$ 1,310"),
    (60, "Services (1)", 320, "88", 420, "(12)"),
    (60, "Total net sales", 320, "$ 1,292", 420, "$ 1,298"),
    (60, "Gross margin", 320, "41.5 %", 420, "—"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page with a paragraph and a table under headings that span its columns."""
    folder: Path = tmp_path_factory.mktemp("table")
    canvas = Canvas(str(folder / "table.pdf"), pagesize=A4)
    for i, line in enumerate(LINES):
        for x, words in zip(line[::2], line[1::2], strict=True):
            canvas.drawString(float(x), 780 - 16 * i, str(words))
    canvas.save()
    with Library(tmp_path_factory.mktemp("tables")) as library:
        library.add(folder)
        return library.view().page(PageRef("table", 1))


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> ReadPage:
    """A page with a running head, a sentence over a line that ends in a number, and a table."""
    folder: Path = tmp_path_factory.mktemp("laid")
    canvas = Canvas(str(folder / "laid.pdf"), pagesize=A4)
    table = [
        (60, "Metal", 180, "Number", 280, "Pipes", 360, "Tanks", 440, "Method"),
        (60, "Zinc", 180, "7-66-1", 280, "1,200", 360, "30,000", 440, "by weight"),
        (60, "Tin", 180, "7-31-5", 280, "40", 360, "200", 440, "by weight"),
        (60, "Silver", 180, "7-22-4", 280, "55", 360, "310", 440, "by weight"),
    ]
    for number in (1, 2, 3, 4):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 815, "Harbour Office Yearbook")
        canvas.drawString(290, 25, f"{number}")
        canvas.setFont("Helvetica", 10)
        for i, text in enumerate(
            (
                f"Report {number} tells how quays were kept. Revenue of the office fell to 56.3",
                "million crowns from 65.3 million crowns, after the cranes had been written off in",
                "the spring of that year, and the office closed two of its nine quays in the end.",
            )
        ):
            canvas.drawString(60, 690 - 13 * i, text)
        canvas.drawString(60, 630, "Table 1: Metals and their limits, grams")
        for i, line in enumerate(table):
            for x, words in zip(line[::2], line[1::2], strict=True):
                canvas.drawString(float(x), 610 - 14 * i, str(words))
        canvas.showPage()
    canvas.save()
    with Library(tmp_path_factory.mktemp("laid-out")) as library:
        library.add(folder)
        view, ref = library.view(), PageRef("laid", 2)
        return read_units(view.page(ref), view.regions(ref))


def test_running_heads_are_no_units(laid_out: ReadPage) -> None:
    assert not [unit for unit in laid_out.units if "Yearbook" in unit.text]


def test_a_sentence_goes_on_behind_a_number_at_the_end_of_its_line(laid_out: ReadPage) -> None:
    whole = [unit.text for unit in laid_out.units if "fell to 56.3" in unit.text]
    assert len(whole) == 1 and whole[0].startswith("Revenue") and whole[0].endswith("in the end.")


def test_captions_are_headings_and_numbers_between_words_are_cells(laid_out: ReadPage) -> None:
    caption = next(unit for unit in laid_out.units if unit.text.startswith("Table 1"))
    assert is_heading(caption)
    zinc = next(row for row in laid_out.rows if row.label.startswith("Zinc"))
    assert zinc.values == (1200.0, 30000.0)
    assert zinc.columns == ("Pipes", "Tanks")


def row(page: Page, label: str) -> Row:
    return next(r for r in read_rows(page) if r.label.startswith(label))


def test_each_cell_stands_under_its_year(page: Page) -> None:
    products = row(page, "Products")
    assert products.values == (1204, 1310)
    assert [find_years(column) for column in products.columns] == [[2021], [2020]]
    assert products.section == "Net sales:"
    assert products.scale == 1000


def test_a_footnote_mark_is_no_cell_and_brackets_mean_minus(page: Page) -> None:
    assert row(page, "Services").values == (88, -12)


def test_a_dash_is_nil_and_a_percent_sign_a_unit(page: Page) -> None:
    margin = row(page, "Gross margin")
    assert margin.values == (41.5, 0)
    assert margin.cells[0].number.unit == "%"


def test_sentences_run_over_line_ends_and_stop_at_the_table(page: Page) -> None:
    texts = [s.text for s in read_sentences(page)]
    assert texts[0] == "The committee met nine times."
    assert texts[1].endswith("the board approved the plan on 3 May 2021.")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$1.7 billion and (1,517)", [1.7e9, -1517]),
        ("12.5 percent, 2014-2016", [12.5, 2014, 2016]),
        ("revenue (2021) of -5", [2021, -5]),
        ("Q3 of 10-K, 64,350 units", [64350]),
    ],
)
def test_numbers_are_read_with_sign_and_scale(text: str, values: list[float]) -> None:
    assert [n.value for n in find_numbers(text)] == values


def test_cells_with_other_words_are_no_numbers() -> None:
    assert parse_cell("12 months") is None
    assert parse_cell("$ 2,954") is not None


def test_the_scale_of_a_table_is_read_from_its_heading() -> None:
    assert table_scale("(In millions, except per share data)") == 1e6
    assert table_scale("(in $000s)") == 1e3
    assert table_scale("in the period") is None


def test_results_are_written_for_a_reader() -> None:
    assert format_number(1234567.0) == "1,234,567"
    assert format_number(-20.4301, decimals=2) == "-20.43"
    assert format_number(0.025198) == "0.0252"


def test_periods_know_quarters_months_and_ranges() -> None:
    assert [(p.year, p.quarter) for p in find_periods("Q3 2023 and 2022 Q1")] == [
        (2023, 3),
        (2022, 1),
    ]
    assert [(p.year, p.month, p.day) for p in find_periods("as of 31 October 2009")] == [
        (2009, 10, 31)
    ]
    assert find_years("fiscal years 2010 to 2012") == [2010, 2011, 2012]
    assert find_years("2,019 units for $2019") == []


@pytest.mark.parametrize(
    ("question", "operation", "operands", "years"),
    [
        ("What was the change in inventory between 2018 and 2019?", "difference", ("inventory",),
         (2018, 2019)),
        ("What is the growth rate in rent in 2009?", "growth", ("rent",), (2008, 2009)),
        ("What percentage of total assets are loans in 2015?", "share", ("loans", "total assets"),
         (2015,)),
        ("What is the debt-to-equity ratio in 2016?", "ratio", ("debt", "equity"), (2016,)),
        ("What is the average rent for 2018 and 2019?", "average", ("rent",), (2018, 2019)),
        ("What is the total of audit fees and tax fees in 2019?", "sum",
         ("audit fees", "tax fees"), (2019,)),
        ("How much do the top 3 salaries add up to?", "top_sum", ("salaries",), ()),
        ("What were the rents in 2018 and 2019 respectively?", "values", ("rents",),
         (2018, 2019)),
        ("What was the rent in 2018?", "value", ("rent",), (2018,)),
    ],
)  # fmt: skip
def test_the_task_of_a_question_is_read(
    question: str, operation: str, operands: tuple[str, ...], years: tuple[int, ...]
) -> None:
    task = read_task(question)
    assert (task.operation, task.operands, task.years) == (operation, operands, years)


def test_things_compared_keep_what_they_are_compared_by() -> None:
    task = read_task("What is the difference in base salary between Ann Gray and Bo Lind in 2018?")
    assert task.operands == ("ann gray", "bo lind")
    assert task.measure == "base salary"


def test_names_are_capitals_that_do_not_begin_a_question() -> None:
    names = read_question("Has Halden Marine's debt grown since the Tungenes plant opened?").names
    assert [(n.text, n.possessive) for n in names] == [("Halden Marine", True), ("Tungenes", False)]
    assert read_question("how many judges sit on the court").names == ()


@pytest.mark.parametrize(
    ("text", "form", "up", "sides"),
    [
        ("Which firm spent more on ships, Halden or Orrin?", "which", True, None),
        ("Whose debt was lower, Halden's or Orrin's?", "which", False, None),
        ("Was Orrin's debt in 2022 higher than Halden's?", "whether", True, None),
        (
            "By how much did the noise at Braga exceed the limit of the Harbour Rules?",
            "by",
            True,
            ("the noise at Braga", "the limit of the Harbour Rules"),
        ),
        (
            "Is the noise at Braga below the limit of the Harbour Rules?",
            "whether",
            False,
            ("the noise at Braga", "the limit of the Harbour Rules"),
        ),
    ],
)
def test_a_comparison_is_read(
    text: str, form: str, up: bool, sides: tuple[str, str] | None
) -> None:
    assert read_comparison(text) == Comparison(form, up, sides)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["What was the revenue in 2022?", "Did more than 5 million visit?"]
)
def test_a_question_without_two_things_has_no_sides(text: str) -> None:
    comparison = read_comparison(text)
    assert comparison is None or comparison.sides is None


def test_the_second_side_takes_over_what_the_first_is_about() -> None:
    comparison = read_comparison("Did the noise at Braga exceed the limit of the Harbour Rules?")
    assert comparison is not None
    assert side_texts(comparison)[1] == "the limit of the Harbour Rules (noise)"


def test_that_person_waits_for_the_part_before() -> None:
    question = read_question("Who founded Halden Marine, and which site does that person lead now?")
    first, second = decompose(question, Scope())
    assert second.after == (first.id,) and "that person ([...])" in second.text


def test_a_relative_clause_is_asked_first() -> None:
    question = read_question("Who leads the board of the company that bought Meridian Optics?")
    first, second = decompose(question, Scope())
    assert first.text == "Which company bought Meridian Optics?"
    assert second.after == (first.id,)
    assert "Meridian" not in second.text


def test_two_questions_in_one_are_two_parts_with_the_same_names() -> None:
    parts = decompose(
        read_question("What was Orrin's revenue in 2021, and who audited the accounts?"), Scope()
    )
    assert len(parts) == 2
    assert "Orrin" in parts[1].text


@pytest.mark.parametrize(
    ("heading", "scale"),
    [
        ("Note 2023 2022 £m £m", 1e6), ("£ million", 1e6), ("($bn)", 1e9), ("EUR million", 1e6),
        ("€k", 1e3), ("$ 5m was paid", None), ("5 m of cable", None), ("Pay in £", None),
    ],
)  # fmt: skip
def test_the_scale_of_a_table_is_read_from_currency_heads(
    heading: str, scale: float | None
) -> None:
    """A head of £m was no scale, so that 531.9 lost against 412.8 million."""
    assert table_scale(heading) == scale
