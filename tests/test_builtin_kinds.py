"""Papers of other kinds than reports: a contract, slides, letters, a study, by `pagehop.ask`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.agents.decompose import decompose
from pagehop.answers import Answer
from pagehop.interfaces.api import ask
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.rules.extract import read_units
from pagehop.rules.figures import sentence_figures
from pagehop.rules.question import read_question
from pagehop.rules.rows import read_rows
from pagehop.rules.scope import read_profiles, read_scope
from pagehop.rules.task import read_task
from pagehop.types import PageRef

Line = tuple[object, ...]
PAPERS: Mapping[str, Sequence[Sequence[Line]]] = {
    "charter.pdf": (
        (
            (60, "Charter of the ferry Orrholm, between Skarv Lines and the county of Lunde."),
            (60, "The ferry Orrholm was built in 2009 at Mykle and carries 84 cars."),
            (60, "The hire of the Orrholm fell to £38,400 a month, down from £44,000 before."),
            (60, "Our invoice 2023-117 and receipt D-0442 name the hire of the Orrholm."),
        ),
    ),
    "pump.pdf": (
        (
            (60, "Manual of the pump Zephyrine, by Lindvall Works."),
            (60, "The pump Zephyrine was built for the first time in 2016 and has three pistons."),
            (60, "The guarantee on the pump Zephyrine is five years from the day of sale."),
        ),
    ),
    "rollout.pdf": (
        (
            (60, "Harrier rollout, review for the board"),
            (60, "Table 1: Cost to date of the Harrier rollout, thousand crowns"),
            (220, "Budget", 320, "Actual", 420, "Forecast"),
            (60, "Hardware", 220, "1,850", 320, "1,912", 420, "2,040"),
            (60, "Licences", 220, "640", 320, "610", 420, "640"),
            (60, "Training", 220, "420", 320, "518", 420, "590"),
            (60, "Total", 220, "2,910", 320, "3,040", 420, "3,270"),
            (60, "Rework of barges", 220, "-", 320, "-", 420, "-"),
        ),
    ),
    "boxes.pdf": (
        (
            (60, "Broods in nest boxes of the swift, counted at three buildings."),
            (60, "Table 1: Broods by building"),
            (220, "Broods 2017", 320, "Broods 2018", 420, "Broods 2019"),
            (60, "Mill", 220, "15", 320, "17", 420, "18"),
            (60, "Seminary", 220, "8", 320, "6", 420, "9"),
            (60, "Depot", 220, "3", 320, "4", 420, "5"),
        ),
        (
            (60, "Taggers compared on swift songs."),
            (60, "Table 2: Quality of the taggers on the songs"),
            (260, "trial", 440, "test"),
            (200, "Precision", 260, "Recall", 320, "Score", 380, "Precision", 440, "Recall",
             500, "Score"),
            (60, "Corvid", 200, "76.86", 260, "70.62", 320, "73.61", 380, "78.46", 440, "46.52",
             500, "58.41"),
            (60, "Larus", 200, "68.19", 260, "71.86", 320, "69.98", 380, "64.83", 440, "55.77",
             500, "59.96"),
        ),
    ),
    "Lunde 2023 annual report.pdf": (
        (
            (60, "Lunde Water plc. Annual report 2023."),
            (60, "Lunde Water sold 310 million litres in 2023, the most since it was founded."),
            (60, "The crews of Lunde Water laid pipe as follows: 12.5 km, 2021; 14 km, 2023."),
        ),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """Five short papers in one library."""
    folder: Path = tmp_path_factory.mktemp("papers")
    for name, pages in PAPERS.items():
        canvas = Canvas(str(folder / name), pagesize=A4)
        for lines in pages:
            for i, line in enumerate(lines):
                for x, words in zip(line[::2], line[1::2], strict=True):
                    canvas.drawString(float(str(x)), 780 - 16 * i, str(words))
            canvas.showPage()
        canvas.save()
    with Library(tmp_path_factory.mktemp("papers-library")) as library:
        library.add(folder)
        yield library.view()


def asked(question: str, view: View) -> Answer:
    answer = ask(question, view, model="builtin", record=False)
    assert answer.error == ""
    return answer


def test_a_share_is_of_one_column(papers: View) -> None:
    """The budget of a part was divided by the actual total."""
    answer = asked(
        "What share of the total actual cost of the Harrier rollout was hardware?", papers
    )
    assert answer.text.startswith("62.89%") and "1,912" in answer.text and "3,040" in answer.text


def test_what_exceeds_its_own_budget_is_of_the_same_thing(papers: View) -> None:
    answer = asked(
        "By how much does the forecast for training exceed its budget in the Harrier rollout?",
        papers,
    )
    assert answer.text.startswith("170") and "590" in answer.text and "420" in answer.text


def test_what_two_years_exceed_each_other_by_is_a_change() -> None:
    task = read_task("By how much did revenue in 2023 exceed that of 2022?")
    assert (task.operation, task.operands, task.years) == ("difference", ("revenue",), (2022, 2023))


def test_a_change_told_in_one_sentence_is_calculated(papers: View) -> None:
    answer = asked("By how much did the county lower the hire of the Orrholm?", papers)
    assert answer.text.startswith("-5,600") and "44,000" in answer.text


@pytest.mark.parametrize(("word", "first"), [("earlier", "Orrholm"), ("later", "Zephyrine")])
def test_which_of_two_came_first_is_told_by_their_years(
    word: str, first: str, papers: View
) -> None:
    answer = asked(f"Which was built {word}, the ferry Orrholm or the pump Zephyrine?", papers)
    assert answer.text.startswith(f"{first}: 20") and "against" in answer.text
    assert {c.document for c in answer.citations} == {"charter.pdf", "pump.pdf"}


def test_a_part_that_is_not_found_is_named_beside_the_part_that_is(papers: View) -> None:
    answer = asked("When was the ferry Orrholm built, and what is the salary of its cook?", papers)
    assert "2009" in answer.text
    assert "Not found in the documents: what is the salary of its cook?" in answer.text


def test_a_year_beside_the_columns_of_a_table_is_missing(papers: View) -> None:
    answer = asked("How many broods were there at the seminary in 2015?", papers)
    assert answer.status == "unanswerable" and "2015" in answer.text
    assert asked("How many broods were there at the seminary in 2018?", papers).text.startswith("6")


@pytest.mark.parametrize(
    ("year", "status"), [(2021, "answered"), (2022, "unanswerable"), (2018, "unanswerable")]
)
def test_a_year_just_before_a_report_s_own_is_missing_when_no_page_names_it(
    year: int, status: str, papers: View
) -> None:
    """A line that shares few words with the question was taken to be about something else."""
    answer = asked(f"How much main did the workers of Lunde Water install in {year}?", papers)
    assert answer.status == status


def test_a_heading_over_the_middle_of_three_columns_is_of_all_three(papers: View) -> None:
    (row, _) = read_rows(papers.page(PageRef("boxes", 2)))
    assert row.columns == (
        "trial Precision", "trial Recall", "trial Score",
        "test Precision", "test Recall", "test Score",
    )  # fmt: skip


def test_the_heading_of_columns_is_no_line_to_quote(papers: View) -> None:
    ref = PageRef("boxes", 1)
    units = read_units(papers.page(ref), papers.regions(ref)).units
    assert "Mill 15 17 18" in [unit.text for unit in units]
    assert not any(unit.text.startswith("Broods 2017") for unit in units)


def test_codes_of_papers_are_no_amounts(papers: View) -> None:
    page = papers.page(PageRef("charter", 1))
    figures = sentence_figures(read_units(page).sentences)
    assert {n.text for f in figures for n in f.numbers} == {"£38,400", "£44,000"}


def test_a_name_goes_on_over_a_hyphen_and_may_have_its_capitals_inside() -> None:
    question = read_question("Where was Ada Moor-Kamen born, and what does pioNER tell of her?")
    assert [name.text for name in question.names] == ["Ada Moor-Kamen", "pioNER"]
    assert not read_question("How many kWh does the mill use?").names


def test_a_quote_that_is_little_like_the_question_says_so(papers: View) -> None:
    doubtful = asked("Why do people like the ferry Orrholm?", papers)
    assert [warning[:22] for warning in doubtful.warnings] == ["[1] weakly supported: "]
    assert "weakly supported" not in doubtful.text
    plain = asked("When was the ferry Orrholm built at Mykle?", papers)
    assert "2009" in plain.text and not plain.warnings


def test_a_line_that_two_parts_find_is_given_once(papers: View) -> None:
    answer = asked("Where was the ferry Orrholm built, and how many cars fit on it?", papers)
    assert answer.text.count("was built in 2009") == 1


def test_what_stands_for_a_word_before_is_no_clause_of_its_own(papers: View) -> None:
    """`the AIC of the one to that of the other` was searched as a bridge."""
    question = read_question("What is the ratio of the score of the Corvid to that of the Larus?")
    scope = read_scope(papers, question, read_profiles(papers, question))
    assert [part.after for part in decompose(question, scope)] == [()]


def test_a_dash_is_no_number_to_calculate_with(papers: View) -> None:
    """A ratio of nil was removed by the verifier, and the question refused."""
    answer = asked(
        "What is the ratio of rework of barges to licences in the Harrier rollout?", papers
    )
    assert answer.status == "answered" and not answer.text.startswith("0:")
