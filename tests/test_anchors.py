"""Numbered things are found where they are defined and where they are referred to."""

import numpy as np
import pytest

from pagehop.reading.anchors import Anchor, find_anchors, outline_definitions
from pagehop.reading.parsed import DocumentReading, Link, PageText
from pagehop.types import Kind, OutlineEntry, Region

DOCUMENT = "a" * 64


def make_text(page: int, text: str, label: str = "") -> PageText:
    words = len(text.split())
    low = np.arange(words, dtype=np.uint16) * 10
    boxes = np.stack([low, low, low + 9, low + 9], axis=1).astype(np.uint16)
    return PageText(page, label, 612.0, 792.0, text, boxes)


def make_region(page: int, text: str, kind: Kind = "text", section: str = "") -> Region:
    box = (0.1, 0.1, 0.9, 0.2)
    return Region(f"{page}", "", DOCUMENT, page, 0, kind, box, text, text, section=section)


def anchors_of(*regions: Region, texts: tuple[str, ...] = ()) -> list[Anchor]:
    pages = [make_text(i, text) for i, text in enumerate(texts, 1)]
    return find_anchors(DocumentReading(regions or (make_region(1, "-"),)), pages)


def defined(*regions: Region) -> list[str]:
    return [anchor.key for anchor in anchors_of(*regions) if anchor.role == "defines"]


def referred(text: str) -> list[str]:
    found = anchors_of(texts=(text,))
    return [anchor.key for anchor in found if anchor.role == "refers"]


@pytest.mark.parametrize(
    ("text", "kind", "keys"),
    [
        ("Table 3: Sales by segment", "caption", ["table:3"]),
        ("Table 3. Sales by segment", "text", ["table:3"]),
        ("TABLE IV\nRESULTS", "caption", ["table:iv"]),
        ("Fig. 2 Overview of the method", "caption", ["figure:2"]),
        ("Figure 2-1 \u2014 Overview", "caption", ["figure:2-1"]),
        ("NOTE 8 - DEBT", "heading", ["note:8"]),
        ("Appendix B", "heading", ["appendix:b"]),
        ("Item 1A. Risk Factors", "text", ["item:1a"]),
        ("4.2 Experimental results", "heading", ["section:4.2"]),
        ("Table 3 shows that sales grew.", "text", []),
        ("Note 8 describes the debt, which fell.", "text", []),
        ("4.2 million dollars were spent", "text", []),
        ("2018 was a good year", "text", []),
    ],
)
def test_a_caption_or_heading_defines_and_a_sentence_does_not(
    text: str, kind: Kind, keys: list[str]
) -> None:
    assert defined(make_region(1, text, kind)) == keys


def test_a_numbered_heading_among_the_notes_defines_a_note() -> None:
    section = "Notes to Consolidated Financial Statements"
    assert defined(make_region(1, "8. Debt", "heading", section)) == ["note:8", "section:8"]


def test_a_heading_of_two_lines_defines_both() -> None:
    text = "PART I \u2014 FINANCIAL INFORMATION\nItem 1. Financial Statements"
    keys = defined(make_region(1, text, "heading"))
    assert set(keys) == {"part:i", "item:1", "part:i/item:1"}


def test_an_item_is_also_known_under_its_part() -> None:
    regions = [
        make_region(1, "PART I", "heading"),
        make_region(2, "Item 2. Properties", "heading"),
        make_region(3, "PART II", "heading"),
        make_region(4, "Item 2. Unregistered Sales", "heading"),
    ]
    keys = [(a.page, a.key) for a in anchors_of(*regions) if a.key.endswith("item:2")]
    assert keys == [(2, "item:2"), (2, "part:i/item:2"), (4, "item:2"), (4, "part:ii/item:2")]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("as shown in Table 3, sales grew", ["table:3"]),
        ("see\nNote 8 for details", ["note:8"]),
        ("Tables 3 and 4 show this", ["table:3", "table:4"]),
        ("see Figures 2\u20134 for more", ["figure:2", "figure:3", "figure:4"]),
        ("see pages 12 to 14 for more", ["page:12", "page:13", "page:14"]),
        ("in Part II, Item 1A of this report", ["part:ii/item:1a"]),
        ("described in Section 4.2.", ["section:4.2"]),
        ("(see p. 41)", ["page:41"]),
        ("see Appendix B for proofs", ["appendix:b"]),
        ("we note 8 cases of it", []),
        ("Page 3 of 38", []),
        ("41", []),
        ("a notable 3 percent", []),
        ("the footnote", []),
        ("NOTES TO THE ACCOUNTS", []),
        ("see Fig.2 and Table3", ["figure:2", "table:3"]),
    ],
)
def test_running_text_refers(text: str, keys: list[str]) -> None:
    assert referred(text) == keys


def test_a_reference_keeps_its_words_and_their_box() -> None:
    found = anchors_of(texts=("The debt fell, see Note 8 of the statements.",))
    (anchor,) = (anchor for anchor in found if anchor.role == "refers")
    assert anchor.words == "see Note 8 of the statements."
    assert anchor.box == pytest.approx((30 / 65535, 30 / 65535, 59 / 65535, 59 / 65535))


def test_lines_of_a_table_of_contents_refer_and_do_not_define() -> None:
    contents = "Item 1. Business 4\nItem 2. Properties 9\nItem 3. Legal Proceedings 12"
    region = make_region(1, "Item 2. Properties 9", "heading")
    found = anchors_of(region, texts=(contents,))
    assert not [a for a in found if a.role == "defines" and a.key.startswith("item")]
    assert {"item:2", "page:9"} <= {a.key for a in found if a.role == "refers"}


def test_page_labels_are_defined_and_fill_the_gaps_between_them() -> None:
    labels = ["iv", "", "1", "2", "", "4", "", "9"]
    pages = [make_text(i, "text", label) for i, label in enumerate(labels, 1)]
    found = find_anchors(DocumentReading((make_region(1, "-"),)), pages)
    printed = {a.page: a.key for a in found if a.role == "defines"}
    assert printed == {
        1: "page:iv", 3: "page:1", 4: "page:2", 5: "page:3", 6: "page:4", 8: "page:9"
    }  # fmt: skip


def test_links_become_references_to_file_pages() -> None:
    link = Link(1, (0.1, 0.1, 0.2, 0.2), 12, "the  methods")
    found = find_anchors(DocumentReading((make_region(1, "-"),), (link,)), [make_text(1, "x")])
    assert [(a.key, a.words) for a in found] == [("link:12", "the methods")]


def test_an_outline_defines_too() -> None:
    outline = [OutlineEntry(1, "PART II", 30), OutlineEntry(2, "Item 7. Discussion", 31)]
    keys = [(a.key, a.page) for a in outline_definitions(DOCUMENT, outline)]
    assert keys == [("part:ii", 30), ("item:7", 31), ("part:ii/item:7", 31)]


def test_a_document_without_regions_has_no_anchors() -> None:
    assert find_anchors(DocumentReading(()), [make_text(1, "see Note 8")]) == []
