"""What documents say of themselves is found, compared, counted and cited."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage

import pagehop
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.reading.fields import find_fields, plain_value
from pagehop.reading.parsed import PageText
from pagehop.types import PageRef

FILLER = "The parties keep the premises in good order and tell each other of any damage at once."


def stated(text: str) -> dict[str, str]:
    boxes = np.zeros((len(text.split()), 4), dtype=np.uint16)
    return {f.field: f.value for f in find_fields([PageText(1, "", 612.0, 792.0, text, boxes)])}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("March 3, 2022", "2022-03-03"),
        ("3rd of March 2022", "2022-03-03"),
        ("2022-03-03", "2022-03-03"),
        ("EUR 1,200,000", "1200000 EUR"),
        ("$ 4.5 million", "4500000 USD"),
        ("24 months", "24 months"),
        ("7.5 per cent", "7.5 %"),
        ("Norway", "Norway"),
    ],
)
def test_values_are_written_so_that_they_compare(text: str, value: str) -> None:
    assert plain_value(text) == value


def test_a_first_page_says_what_a_document_is() -> None:
    found = stated(
        "LEASE AGREEMENT\nThis Lease is made on 3 March 2022 between\n"
        "Tarnwick Estates Ltd and Orrin Boats AS, of Varn.\n"
        "It is governed by the laws of Norway. It stays in force for 24 months."
    )
    assert found["type"] == "LEASE AGREEMENT"
    assert found["kind"] == "agreement"
    assert found["date"] == "2022-03-03"
    assert found["party"] == "Orrin Boats AS"
    assert found["governing law"] == "Norway"
    assert found["term"] == "24 months"


def test_a_filing_says_its_form_and_period() -> None:
    found = stated("FORM 10-Q\nFor the quarterly period ended June 25, 2022\nOrrin Boats AS")
    assert (found["type"], found["period end"]) == ("10-Q", "2022-06-25")


def test_labels_and_sentences_give_fields() -> None:
    found = stated("Tenant: Orrin Boats AS\nThe annual fee is EUR 1,250 and falls due in May.")
    assert found == {"tenant": "Orrin Boats AS", "annual fee": "1250 EUR"}


@pytest.mark.parametrize(
    "text", ["Table 3: Sales by region", "Source: the annual report", "It was late: all slept", ""]
)
def test_captions_sources_and_sentences_are_no_labels(text: str) -> None:
    assert stated(text) == {}


def call(view: View, tool: str, **arguments: Any) -> ToolMessage:
    tools = {t.name: t for t in pagehop.toolset(view)}
    message = tools[tool].invoke({"type": "tool_call", "id": "1", "name": tool, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message


@pytest.mark.parametrize(
    ("predicate", "names"),
    [
        ('"governing law" = Norway', ["Alder", "Birch"]),
        ("governing_law = norway and year = 2022", ["Birch"]),
        ('"annual fee" > 800', ["Alder", "Birch"]),
        ('"annual fee" = "700 EUR"', ["Cedar"]),
        ("date >= 2022-01-01", ["Birch", "Cedar"]),
        ('kind = agreement and not "governing law" ~ nor', ["Cedar"]),
        ('"governing law" != Norway', ["Cedar"]),
    ],
)
def test_documents_are_chosen_by_what_they_say(
    leases: View, predicate: str, names: list[str]
) -> None:
    message = call(leases, "filter_documents", predicate=predicate)
    assert message.artifact["documents"] == names
    assert {place["ref"] for place in message.artifact["places"]} == {f"{n}:1" for n in names}
    for place in message.artifact["places"]:
        name, page = place["ref"].split(":")
        words = place["words"]
        assert leases.locate(PageRef(name, int(page)), words) is not None


def test_each_counted_document_is_cited(leases: View) -> None:
    message = call(leases, "aggregate", field="governing law", op="count")
    assert message.artifact["value"] == 3
    text = str(message.content)
    assert all(f"[{name}:1]" in text for name in ("Alder", "Birch", "Cedar"))
    assert "1 of 4 documents have no governing law" in text
    listed = str(call(leases, "aggregate", field="governing law", op="list").content)
    assert "Norway (2 documents) [Alder:1] [Birch:1]" in listed


def test_amounts_are_added_up_in_one_unit(leases: View) -> None:
    total = call(leases, "aggregate", field="annual fee", op="sum")
    assert total.artifact["value"] == 2800
    assert "= 2800 EUR" in str(total.content) and "[Cedar:1]" in str(total.content)
    least = call(leases, "aggregate", field="annual fee", op="min")
    assert "700 EUR: Cedar [Cedar:1]" in str(least.content)


def test_the_first_and_the_last_date_name_their_documents(leases: View) -> None:
    first = call(leases, "aggregate", field="date", op="min")
    assert first.artifact["value"] == "2021-05-03"
    assert str(first.content).startswith("min of date = 2021-05-03: Alder [Alder:1]")
    last = call(leases, "aggregate", field="date", op="max")
    assert "= 2022-05-03: Birch [Birch:1], Cedar [Cedar:1]" in str(last.content)
    added = call(leases, "aggregate", field="date", op="sum")
    assert added.status == "error" and "is no number" in str(added.content)


def test_what_stands_outside_the_view_is_not_counted(leases: View) -> None:
    narrow = leases.within(["Alder", "Letter"])
    assert call(narrow, "aggregate", field="governing law", op="count").artifact["value"] == 1
    hidden = leases.without(["Alder:1"])
    assert call(hidden, "aggregate", field="governing law", op="count").artifact["value"] == 2


def test_fields_are_named_and_unknown_ones_refused(leases: View) -> None:
    message = call(leases, "aggregate", field="fields", op="list")
    assert "annual fee" in message.artifact["value"]
    wrong = call(leases, "filter_documents", predicate="fee > 3")
    assert wrong.status == "error" and "annual fee" in str(wrong.content)
    words = call(leases, "aggregate", field="governing law", op="sum")
    assert words.status == "error" and "is no number" in str(words.content)


def test_several_units_are_not_added_up(tmp_path: Path, write_page: Callable[..., None]) -> None:
    for name, fee in (("a", "EUR 10"), ("b", "NOK 20")):
        write_page(tmp_path / f"{name}.pdf", f"The annual fee is {fee} in all.", FILLER)
    with Library(tmp_path / "library") as library:
        library.add(tmp_path)
        message = call(library.view(), "aggregate", field="annual fee", op="sum")
    assert message.status == "error" and "several units" in str(message.content)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Minutes of the Board of Directors, 21 September 2023", "minutes"),
        ("Report to the Audit Committee 2023", "report"),
        ("Notice of termination of the Supply Agreement", "notice"),
        ("INVOICE", "invoice"),
        ("Press Release", "release"),
    ],
)
def test_the_kind_of_a_document_is_the_head_of_its_title(title: str, kind: str) -> None:
    found = stated(f"{title}\nHarbour works at Varn go on.")
    assert (found["type"], found["kind"]) == (title, kind)


@pytest.mark.parametrize(
    "line",
    [
        "Item 2. Report of the Chief Executive",
        "The report tells of harbour works at Varn",
        "This Agreement is made between us,",
        "Signed",
    ],
)
def test_a_line_that_is_no_title_says_no_kind(line: str) -> None:
    assert "kind" not in stated(f"{line}\nHarbour works at Varn go on.")
