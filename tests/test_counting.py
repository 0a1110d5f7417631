"""The built-in reasoner counts and lists documents, each with a citation."""

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
        ("How many documents are there?", None),
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


def test_other_questions_go_the_usual_way(leases: View) -> None:
    answer = pagehop.ask("What is the annual fee of Alder Hall?", leases)
    assert "1,200" in answer.text
    narrow = leases.within(["Alder"])
    assert pagehop.ask("Which agreements have an annual fee above EUR 1,000?", narrow).citations
