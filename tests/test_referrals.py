"""What refers to something, and what only looks like it."""

import pytest

from pagehop.finding.references import References
from pagehop.reading.anchors import Anchor
from pagehop.reading.entries import find_citations, find_entries, find_exhibit_rows
from pagehop.reading.referrals import find_referrals, running_lines
from pagehop.types import FULL_PAGE, Document


def keys(text: str, *, contents: bool = False) -> list[str]:
    return [found.key for found in find_referrals(text, frozenset(), contents=contents)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("as told in Section 302 of the Sarbanes-Oxley Act of 2002", []),
        ("pursuant to 18 U.S.C. Section 1350, as adopted", []),
        ("under Item 407(d) of Regulation S-K", []),
        ("Green 2011, pp. 132-135.", []),
        ("see pp. 12 and 13", ["page:12", "page:13"]),
        ("Note 7 \u2014 Contingencies\u201d of our 2022 Annual Report on Form 10-K", []),
        ("See Note 7 for the report of our auditor", ["note:7"]),
        ("Note 16 - Common Stock (continued)\nOn May 3 the company", []),
        ("as is described in\nNote 16. It fell", ["note:16"]),
        ("see Item 1 of Part I of this report", ["part:i/item:1"]),
    ],
)
def test_numbers_of_other_texts_and_headings_are_no_references(text: str, found: list[str]) -> None:
    assert keys(text) == found


def test_a_heading_on_a_page_of_contents_leads_to_a_page() -> None:
    assert keys("Item 7A Market Risk 107") == []
    assert keys("Item 7A Market Risk 107", contents=True) == ["item:7a"]


def test_a_title_in_quotation_marks_goes_with_the_words() -> None:
    (found,) = find_referrals(
        "see Item 1, \u201cLegal Proceedings\u201d", frozenset(), contents=False
    )
    assert found.words == "see Item 1 \u201cLegal Proceedings\u201d"


def test_running_heads_refer_to_nothing() -> None:
    pages = [f"PART I\nItem 1\nText {i} of the page\nsee Note {i}\nend {i}" for i in range(1, 5)]
    running = running_lines(pages)
    assert running == {"PART I", "Item 1"}
    found = [r.key for r in find_referrals(pages[1], running, contents=False)]
    assert found == ["note:2"]


def test_citations_lead_to_entries_of_the_longest_count() -> None:
    works = "References\n[1] A. Ost, Drains.\n[2] B. Ny, Slate.\n[3] C. Ek, Frost.\n[4] D. Al, Ice."
    texts = [(1, "1. wash\n2. dry\nDrains fail [2, 4] in frost [9]."), (2, works)]
    entries = find_entries(texts)
    assert [entry.key for entry in entries] == [f"entry:{i}" for i in range(1, 5)]
    assert entries[1].words.startswith("[2] B. Ny, Slate.")
    cited = [found.key for found in find_citations(1, texts[0][1], entries)]
    assert cited == ["entry:2", "entry:4"]
    assert list(find_citations(2, works, entries)) == []
    assert find_entries([(1, "1. wash\n2. dry")]) == []


def test_rows_of_an_exhibit_index_refer_to_exhibits() -> None:
    text = "Exhibit Index\n10.1 Form of Lease Agreement\n31.1* Certification of the Officer"
    assert [row.key for row in find_exhibit_rows(3, text)] == ["exhibit:10.1", "exhibit:31.1"]
    assert list(find_exhibit_rows(3, "10.1 Form of Lease\n31.1 Certification of all")) == []


def make_references(*anchors: tuple[int, str, str, str]) -> References:
    document = Document("d", "d", "d.pdf", ("d.pdf",), "", 30, frozenset(), {})
    made = [Anchor("d", page, role, key, words, FULL_PAGE) for page, role, key, words in anchors]  # type: ignore[arg-type]
    return References(document, made)


def test_of_several_places_the_quoted_title_is_meant_else_the_nearest() -> None:
    defined = (
        (3, "defines", "item:1", "Item 1. Financial Statements"),
        (20, "defines", "item:1", "Item 1. Legal Proceedings"),
    )
    titled = make_references(
        *defined, (5, "refers", "item:1", "Item 1 \u201cLegal Proceedings\u201d")
    )
    assert [lead.page for lead in titled.leads(5)] == [20]
    plain = make_references(*defined, (5, "refers", "item:1", "see Item 1"))
    assert [lead.page for lead in plain.leads(5)] == [3]
    assert next(plain.leads(5)).weight < next(titled.leads(5)).weight


def test_navigation_and_pages_of_cited_works_lead_nowhere() -> None:
    links = [(page, "refers", "link:2", "Table of Contents") for page in range(3, 9)]
    found = make_references(*links, (3, "refers", "link:7", "the debt"))
    assert [lead.page for lead in found.leads(3)] == [7]
    pages = make_references(
        (4, "refers", "page:18", "pages 18-19"), (5, "refers", "page:18", "see page 18")
    )
    assert list(pages.leads(4)) == []
    assert [lead.page for lead in pages.leads(5)] == [18]


def test_a_table_is_no_part_of_another() -> None:
    found = make_references(
        (3, "defines", "table:2", "Table 2"),
        (3, "defines", "section:4", "4 Results"),
        (5, "refers", "table:2.1", "see Table 2.1"),
        (6, "refers", "section:4.2", "see Section 4.2"),
    )
    assert list(found.leads(5)) == []
    assert [lead.page for lead in found.leads(6)] == [3]
