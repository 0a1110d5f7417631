"""The built-in reasoner counts and lists documents, each with a citation."""

from collections.abc import Callable
from pathlib import Path

import pytest

import pagehop
from pagehop.library.view import View
from pagehop.rules.tally import read_tally


@pytest.mark.parametrize(
    ("question", "predicate"),
    [
        (
            "How many agreements are governed by the laws of Norway?",
            'kind = "agreement" and "governing law" = "Norway"',
        ),
        (
            "Which agreements have an annual fee above EUR 1,000?",
            'kind = "agreement" and "annual fee" > 1000',
        ),
        ("How many lease agreements are there?", 'kind = "agreement" and type ~ "lease agreement"'),
        ("List all agreements of 2022.", 'kind = "agreement" and year = 2022'),
        ("How many documents are there?", "pages > 0"),
        ("List all documents in this library.", "pages > 0"),
        ("Which documents are from 2022?", "year = 2022"),
        ("Which documents are leases?", None),
        ("Which documents are agreements?", 'kind = "agreement"'),
        ("How many documents are missing?", None),
        ("How many agreements mention arbitration in 2022?", None),
        ("How many sheep are kept in Norway?", None),
        ("What is the annual fee of Alder Hall?", None),
    ],
)
def test_a_question_is_read_whole_or_not_at_all(
    leases: View, question: str, predicate: str | None
) -> None:
    tally = read_tally(question, leases.documents(), leases.fields)
    assert (tally.predicate if tally else None) == predicate


def test_documents_are_counted_with_a_citation_each(leases: View) -> None:
    answer = pagehop.ask("How many agreements are governed by the laws of Norway?", leases)
    assert answer.status == "answered"
    assert answer.text.startswith("2 agreements: Alder, Birch.")
    assert {citation.document for citation in answer.citations} == {"Alder.pdf", "Birch.pdf"}
    assert all("Norway" in citation.quote for citation in answer.citations)


def test_documents_are_listed_by_a_number(leases: View) -> None:
    answer = pagehop.ask("Which agreements have an annual fee below EUR 1,000?", leases)
    assert {citation.document for citation in answer.citations} == {"Birch.pdf", "Cedar.pdf"}
    assert "Alder" not in answer.text


def test_one_is_said_in_the_singular_and_how_it_was_counted_is_a_warning(leases: View) -> None:
    answer = pagehop.ask("How many lease agreements are governed by the laws of Peru?", leases)
    assert answer.text.startswith("1 lease agreement: Cedar. [1]")
    assert "Not found" not in answer.text
    assert any("counted by" in warning for warning in answer.warnings)


def test_that_none_holds_is_said_and_not_searched(leases: View) -> None:
    answer = pagehop.ask("How many agreements of 2021 are governed by the laws of Peru?", leases)
    assert answer.status == "unanswerable"
    assert "No document says so" in answer.text


def test_all_documents_are_counted_each_cited_by_its_first_line(leases: View) -> None:
    answer = pagehop.ask("How many documents are there?", leases)
    assert answer.text.startswith("4 documents: Alder, Birch, Cedar, Letter.")
    assert len({citation.document for citation in answer.citations}) == 4
    assert "Dale" not in answer.text
    low = pagehop.ask("How many documents are there?", leases, effort="low")
    assert low.text == answer.text and low.usage.steps == 1


def test_documents_of_a_year_are_told_by_their_front_pages(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_page(folder / "tide-1.4.pdf", "On Tides", "Published by the Harbour Board, May 2019.")
    write_page(folder / "wind.pdf", "On Wind", "Copyright 2019 by the Weather Club")
    write_page(folder / "Log_2019.pdf", "The log of a ferry")
    write_page(folder / "moss.pdf", "On Moss", "It was first drawn in 2019.", "Accepted 3 May 2021")
    with pagehop.Library(tmp_path / "library") as library:
        library.add(folder)
        answer = pagehop.ask("Which documents are from 2019?", library)
        none = pagehop.ask("Which documents are from 2012?", library)
    assert answer.text.startswith("3 documents: Log_2019, tide-1.4, wind.")
    assert {c.quote for c in answer.citations} == {
        "The log of a ferry",
        "Published by the Harbour Board, May 2019.",
        "Copyright 2019 by the Weather Club",
    }
    assert none.status == "unanswerable"


def test_documents_that_mention_a_thing_are_counted_by_the_line_that_does(leases: View) -> None:
    answer = pagehop.ask("How many documents mention Peru?", leases)
    assert answer.text.startswith("1 document: Cedar. [1]")
    assert "Peru" in answer.citations[0].quote
    assert pagehop.ask("How many documents mention Ghana?", leases).status == "unanswerable"


def test_other_questions_go_the_usual_way(leases: View) -> None:
    answer = pagehop.ask("What is the annual fee of Alder Hall?", leases)
    assert "1,200" in answer.text
    narrow = leases.within(["Alder"])
    assert pagehop.ask("Which agreements have an annual fee above EUR 1,000?", narrow).citations
