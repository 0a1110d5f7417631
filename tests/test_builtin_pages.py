"""What papers, manuals and lists of sources say in their own way, by `pagehop.ask`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.answers import Answer
from pagehop.interfaces.api import ask
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.rules.byline import asks_author
from pagehop.rules.extract import coverage, is_entry, read_units
from pagehop.rules.rows import read_rows
from pagehop.rules.task import read_task
from pagehop.types import PageRef

Line = tuple[object, ...]
PAPER: tuple[Line, ...] = (
    (60, "Alarm levels of tide gauges on a rocky coast"),
    (60, "Maren Osk a,b and Tove Lind a"),
    (60, "1 March 2020"),
    (60, "Accepted 3 May 2021"),
    (0, ""),
    (60, "We moored gauges off a rocky coast and counted the alarms that they raised in a year."),
    (60, "The gauges were bolted to the rock and read by radio on every morning of the year."),
    (60, "A chain held each gauge of the coast to its rock in the storms of the winter."),
    (60, "It was two metres long, of galvanised steel."),
    (0, ""),
    (60, "Table 1: Number of alarms of the gauges by alarm level"),
    (60, "Level", 300, "1", 350, "2", 400, "3", 450, "4"),
    (60, "no. of alarms", 300, "31", 350, "17", 400, "9", 450, "5"),
    (0, ""),
    (60, "The gauges differed in what they weigh and in how high they stand above the sea."),
    (0, ""),
    (60, "Table 2: Weight and height of the gauges"),
    (230, "Mean", 310, "Minimum", 400, "Maximum"),
    (60, "Weight (kg)", 230, "41.2", 310, "38.5", 400, "44.9"),
    (60, "Height (cm)", 230, "80.1", 310, "71.0", 400, "92.3"),
    (60, "DR", 230, "1.10", 310, "0.90", 400, "1.30"),
    (0, ""),
    (60, "DR\u2014drift rate in a year."),
    (0, ""),
    (60, "Table 3: Salt on the gauges, grams"),
    (230, "Mean", 310, "Deviation"),
    (60, "Salt before the storm", 230, "2.5", 310, "0.4"),
    (60, "Salt after the storm", 230, "7.1", 310, "0.9"),
)
SOURCES: tuple[Line, ...] = (
    (60, "References"),
    (60, "[1] Holm B. Alarm levels of gauges on sandy coasts, Tide Letters"),
    (60, "14 (2009) 231, reprinted in the yearbook of the harbour club."),
    (60, "[2] Ferrow K. Gauges of the north and their levels, Tide Letters 15 (2010) 417."),
)
PARTS: tuple[Line, ...] = (
    (60, "Annex 1: how a cable is laid"),
    (60, "A cable is laid at low water, and the keeper watches it until the tide has come back."),
    (60, "Annex 2: how a cable is cleaned"),
    (60, "It is wiped with fresh water; see Annex 1 for where it lies. Nobody may pull at it."),
    (60, "Annex 3: who keeps the key"),
    (60, "The harbour club employs two keepers. Its employees share one key to the box."),
)
USES: tuple[Line, ...] = (
    (60, "Possible uses of a winch"),
    (0, ""),
    (70, "\u2022 lifting a mooring"),
    (70, "\u2022 hauling a net"),
    (70, "\u2022 raising a sail"),
    (0, ""),
    (60, "A keeper may lend it to a member, who brings it back on the same day, cleaned and dry."),
    (60, "It is kept under the stairs of the harbour house, and no one may take it out at night."),
)
MANUAL: tuple[Line, ...] = (
    (60, "Cables of the tide gauge"),
    (0, ""),
    (60, "A straight cable with nine pins works with these models of the gauge:"),
    (0, ""),
    (70, "\u2022 TG-110 of the first series"),
    (70, "\u2022 TG-230 of the second series"),
    (70, "\u2022 TG-320 of the third series"),
    (0, ""),
    (60, "Every other model of the gauge needs the crossed cable that comes with it in the box."),
)


def _write(path: Path, *pages: Sequence[Line]) -> None:
    canvas = Canvas(str(path), pagesize=A4)
    for page in pages:
        for i, line in enumerate(page):
            for x, words in zip(line[::2], line[1::2], strict=True):
                canvas.drawString(float(str(x)), 780 - 16 * i, str(words))
        canvas.showPage()
    canvas.save()


@pytest.fixture(scope="module")
def gauges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """A paper with its sources, and a manual."""
    folder = tmp_path_factory.mktemp("gauges")
    _write(folder / "alarm_levels.pdf", PAPER, SOURCES)
    _write(folder / "gauge_manual.pdf", MANUAL, PARTS, USES)
    with Library(tmp_path_factory.mktemp("library")) as library:
        library.add(folder)
        yield library.view()


def asked(question: str, view: View) -> Answer:
    return ask(question, view)


def test_a_date_of_the_front_matter_is_quoted(gauges: View) -> None:
    answer = asked("When was the paper accepted?", gauges)
    assert answer.citations[0].quote == "Accepted 3 May 2021"


def test_numbers_that_count_up_head_the_columns_below_them(gauges: View) -> None:
    assert asked("What is the number of alarms at level 3?", gauges).text.startswith("9:")


def test_a_first_column_that_counts_up_names_its_rows(
    gauges: View, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    weeks = [(60, "year", 160, "week", 260, "North", 360, "South")]
    rows = [(60, "2013", 160, str(n), 260, str(n % 7), 360, str(n % 5)) for n in range(48, 52)]
    _write(tmp_path / "weeks.pdf", [*weeks, *rows])
    with Library(tmp_path_factory.mktemp("weeks")) as library:
        library.add(tmp_path / "weeks.pdf")
        found = read_rows(library.view().page(PageRef("weeks", 1)))
    assert [row.label for row in found] == [f"2013 week {n}" for n in range(48, 52)]
    assert found[3].columns == ("North", "South")


def test_a_unit_behind_a_label_is_nothing_a_question_must_say(gauges: View) -> None:
    answer = asked("What was the minimum weight of the gauges?", gauges)
    assert answer.text.startswith("38.5: Weight (kg), Minimum.")


def test_a_row_is_given_whole_where_no_word_tells_its_columns_apart(gauges: View) -> None:
    answer = asked("How much is the weight of the gauges, in kg?", gauges)
    assert answer.text.startswith("41.2 (Mean), 38.5 (Minimum), 44.9 (Maximum): Weight (kg).")


def test_cells_of_one_row_are_told_apart_by_their_columns(gauges: View) -> None:
    question = "What is the difference between the maximum weight and the minimum weight?"
    answer = asked(question, gauges)
    assert answer.text.startswith("6.4: difference between Weight (kg) 44.9 (Maximum)")


def test_a_note_that_spells_a_label_out_stands_for_its_row(gauges: View) -> None:
    answer = asked("What is the drift rate of the gauges in a year?", gauges)
    assert "1.10 0.90 1.30" in answer.citations[0].quote


def test_a_note_with_one_endless_word_is_read_at_once(tmp_path: Path) -> None:
    """All ways of parting the word were tried, which took minutes."""
    word = "il" * 50
    line = f"Key: {word} opens the harbour lock (at night)."
    _write(tmp_path / "locks.pdf", [(60, line), (60, "The harbour has a gate and a bridge.")])
    with Library(tmp_path) as library:
        library.add(tmp_path / "locks.pdf")
        answer = asked("What opens the harbour lock at night?", library.view())
    assert answer.citations[0].quote == line


def test_the_names_under_a_title_say_who_wrote_a_paper(gauges: View) -> None:
    answer = asked("Who wrote the paper on alarm levels of tide gauges?", gauges)
    assert "Maren Osk a,b and Tove Lind a" in answer.text
    # A date stands alone between the names and the text; the quote ends before it.
    assert "1 March 2020" not in answer.text
    assert asks_author("At which university do the authors of the paper work?")
    assert not asks_author("What do the authors conclude?")
    assert not asks_author("Who wrote the book that the paper cites?")


def test_numbered_parts_of_a_document_are_counted(gauges: View) -> None:
    answer = asked("How many annexes does the gauge manual have?", gauges)
    assert answer.text.startswith("3 annexes: annex 1, annex 2, annex 3.")
    assert {citation.page for citation in answer.citations} == {2}
    assert "counted by" in " ".join(answer.warnings)


def test_employees_are_those_whom_somebody_employs(gauges: View) -> None:
    ref = PageRef("gauge_manual", 2)
    units = read_units(gauges.page(ref), gauges.regions(ref)).units
    telling = [u for u in units if coverage([("employ", 1.0)], u, frozenset()) == 1.0]
    assert len(telling) == 2
    assert all(coverage([("employe", 1.0)], u, frozenset()) == 1.0 for u in telling)


def test_what_two_documents_say_in_the_same_words_is_said_once_and_cited_twice(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rule = (60, "A keeper is elected by a majority of three to one of all members of the club.")
    other = (60, "The fee of a boat is 40 crowns in a year.")
    more = (60, "The fee of a boat is 55 crowns in a year.")
    _write(tmp_path / "Statute_1.pdf", [(60, "Statute 1 of the Harbour Club."), rule, other])
    _write(tmp_path / "Statute_2.pdf", [(60, "Statute 2 of the Harbour Club."), rule, more])
    with Library(tmp_path_factory.mktemp("statutes")) as library:
        library.add(tmp_path)
        view = library.view()
        same = asked(
            "Is the majority that elects a keeper the same in Statute 1 and in Statute 2?", view
        )
        differs = asked("Is the fee of a boat the same in Statute 1 and in Statute 2?", view)
    assert same.text.startswith("The same words in both:")
    assert {c.document for c in same.citations} == {"Statute_1.pdf", "Statute_2.pdf"}
    assert "40" in differs.text and "55" in differs.text and "The same" not in differs.text


def test_a_line_that_announces_a_list_is_quoted_with_it(gauges: View) -> None:
    answer = asked("Which models of the gauge work with a straight cable?", gauges)
    assert all(model in answer.text for model in ("TG-110", "TG-230", "TG-320"))
    assert "crossed" not in answer.citations[0].quote


def test_a_list_is_quoted_whole_under_the_heading_that_was_asked_about(gauges: View) -> None:
    answer = asked("What are the possible uses of a winch?", gauges)
    assert all(use in answer.text for use in ("a mooring", "a net", "a sail"))


def test_entries_of_a_list_of_sources_are_known_by_their_heading(gauges: View) -> None:
    ref = PageRef("alarm_levels", 2)
    units = read_units(gauges.page(ref), gauges.regions(ref)).units
    assert units and all(is_entry(u) for u in units if u.text != "References")
    answer = asked("By how much did the level of the gauges change?", gauges)
    assert "calculated" not in answer.text and "2,009" not in answer.text


@pytest.mark.parametrize(
    ("question", "operands"),
    [
        (
            "What is the difference between the price of the oak door and that of the pine door?",
            ("price of the oak door", "price of the pine door"),
        ),
        (
            "What is the ratio of the weight of a crab to that of a prawn?",
            ("weight of a crab", "weight of a prawn"),
        ),
        (
            "By how many percentage points is the yield of the north field higher than that of the "
            "south field?",
            ("yield of the north field", "yield of the south field"),
        ),
    ],
)
def test_that_of_takes_over_what_it_stands_for(question: str, operands: tuple[str, str]) -> None:
    assert read_task(question).operands == operands


def test_a_side_that_is_not_said_in_words_is_not_calculated() -> None:
    task = read_task("By how much is the yield of the cell with a lid higher than without?")
    assert task.operation == "value" or len(task.operands) == 1


def test_a_change_by_an_event_is_taken_from_the_rows_before_and_after_it(gauges: View) -> None:
    answer = asked("By how much did the mean salt rise after the storm?", gauges)
    assert answer.text.startswith(("4.6", "-4.6"))
    assert "0.4" not in answer.text and "0.9" not in answer.text


def test_how_long_is_told_by_a_line_behind_the_one_about_the_thing(gauges: View) -> None:
    answer = asked("How long was the chain that held each gauge of the coast?", gauges)
    assert "two metres long" in answer.text


def test_which_of_two_documents_appeared_first_is_told_by_their_front_pages(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _write(tmp_path / "tides.pdf", [(60, "On Tides"), (60, "Published in May 2019")])
    _write(tmp_path / "winds.pdf", [(60, "On Winds"), (60, "Copyright 2012 the Weather Club")])
    _write(tmp_path / "moss.pdf", [(60, "On Moss")])
    with Library(tmp_path_factory.mktemp("order")) as library:
        library.add(tmp_path)
        view = library.view()
        first = asked("Which appeared earlier, the tides paper or the winds paper?", view)
        last = asked("Which was published later: the tides paper or the winds paper?", view)
        unknown = asked("Which appeared earlier, the tides paper or the moss paper?", view)
    assert first.text.startswith("winds: 2012 against 2019 (tides).")
    assert last.text.startswith("tides: 2019 against 2012 (winds).")
    assert {c.document for c in first.citations} == {"tides.pdf", "winds.pdf"}
    assert "against" not in unknown.text


@pytest.mark.parametrize(
    "question",
    [
        "What dose of aspirin is advised for the gauges?",
        "How many alarms were raised for earthquakes in 2009?",
        "How many alarms did the gauges raise at a level of 9?",
        "What is the heart rate of the gauges?",
        "Who counted the alarms of the gauges in 2014?",
        "What does the paper say about the alarms of bakers?",
    ],
)
def test_a_thing_that_nothing_is_told_of_is_refused(question: str, gauges: View) -> None:
    assert asked(question, gauges).status == "unanswerable"
