"""Words to rows to blocks, without the PDF engine: pages are set by a few lines of type."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import (
    PageLines,
    Style,
    is_caption,
    join_hyphens,
    list_marker,
    page_lines,
    whole_words,
)
from pagehop.layout.reading_order import read_rows
from pagehop.layout.regions import LayoutState, read_chunk
from pagehop.layout.rows import RawWord
from pagehop.layout.titles import printed_numbers
from pagehop.types import OutlineEntry

WIDTH, HEIGHT = 600.0, 800.0
PROSE = (
    "The harbour office counted the barges that came down",
    "the river in spring and found more of them than in any",
    "year before, which the masters of the northern lock had",
    "expected since the canal was dug out to its old depth",
    "and the tolls were lowered by a third for grain boats.",
)


@dataclass
class Sheet:
    """A page to set type on; a letter is half as wide as it is high."""

    words: list[RawWord] = field(default_factory=list)
    styles: dict[tuple[int, int], Style] = field(default_factory=dict)
    blocks: int = 0
    y: float = 60.0

    def put(
        self,
        x: float,
        y: float,
        *lines: str,
        size: float = 10.0,
        bold: bool = False,
        leading: float = 1.2,
    ) -> "Sheet":
        """Set lines of text as one block of the engine, its upper left corner at (x, y)."""
        for number, text in enumerate(lines):
            left, top = x, y + number * leading * size
            for i, word in enumerate(text.split()):
                right = left + len(word) * size / 2
                self.words.append((left, top, right, top + size, word, self.blocks, number, i))
                left = right + size / 3
            self.styles[self.blocks, number] = size, bold, False
        self.blocks += 1
        self.y = y + len(lines) * leading * size
        return self

    def down(self, *lines: str, size: float = 10.0, bold: bool = False) -> "Sheet":
        """Set lines below the last ones, after a gap."""
        return self.put(60, self.y + 8, *lines, size=size, bold=bold)

    def table(self, *rows: Sequence[str]) -> "Sheet":
        """Set a label, flush left, and amounts, flush right in columns of their own."""
        self.y += 8
        for row in rows:
            for column, text in enumerate(row):
                x = 60.0 if column == 0 else 330 + 90 * column - 5 * len(text)
                if text:
                    self.put(x, self.y, text)
                    self.y -= 12
            self.y += 12
        return self

    def text(self) -> list[str]:
        """Return the rows in reading order."""
        rows = read_rows(self.words, WIDTH)
        return [" ".join(word[4] for word in row.words) for row in rows]

    def page(self, number: int = 1) -> PageLines:
        return page_lines(number, (WIDTH, HEIGHT), read_rows(self.words, WIDTH), self.styles)


def blocks(*sheets: Sheet, outline: Sequence[OutlineEntry] = ()) -> list[list[Block]]:
    """Read the sheets as the pages of one document."""
    pages = [sheet.page(number) for number, sheet in enumerate(sheets, 1)]
    return [found for _, found in read_chunk(pages, LayoutState(outline=outline))]


def test_two_columns_are_read_one_after_the_other() -> None:
    right = [line.upper() for line in PROSE]
    sheet = Sheet().put(100, 40, "A title over the two columns of the whole page", size=16)
    sheet.put(40, 100, *PROSE, size=9).put(330, 104, *right, size=9)
    assert sheet.text() == ["A title over the two columns of the whole page", *PROSE, *right]


def test_columns_set_on_the_same_lines_are_still_two() -> None:
    sheet = Sheet().put(40, 100, *PROSE, size=9).put(330, 100, *PROSE[::-1], size=9)
    assert sheet.text() == [*PROSE, *PROSE[::-1]]


def test_a_table_row_is_one_row_however_wide_its_gaps() -> None:
    sheet = Sheet().table(
        ("Capital expenditures of the group", "1,577", "1,373"),
        ("Sales", "14,001", "12,903"),
        ("Depreciation and amortisation", "(312)", "(290)"),
        ("Net cash provided by operating activities", "6,439", "6,240"),
        ("Dividends", "88", "84"),
    )
    assert sheet.text()[0] == "Capital expenditures of the group 1,577 1,373"
    assert sheet.text()[2] == "Depreciation and amortisation (312) (290)"


def test_brackets_and_percent_signs_in_cells_of_their_own_join_their_number() -> None:
    sheet = Sheet().put(60, 100, "Loss").put(300, 100, "(").put(306, 100, "1,204")
    sheet.put(340, 100, ")").put(400, 100, "12.5").put(430, 100, "%").put(460, 100, "$")
    sheet.put(480, 100, "5,991")
    assert sheet.text() == ["Loss (1,204) 12.5% $ 5,991"]
    (row,) = read_rows(sheet.words, WIDTH)
    assert row.words[1][:4] == (300, 100, 345, 110)
    assert [row.words[start][4] for start in row.cells] == [
        "Loss",
        "(1,204)",
        "12.5%",
        "$",
        "5,991",
    ]


def test_a_caption_beside_text_is_not_mixed_into_it() -> None:
    caption = ("Barges at the lock", "on the first day of", "the season of 1907")
    sheet = Sheet().put(40, 100, *PROSE, size=11).put(440, 103, *caption, size=9)
    assert sheet.text() == [*PROSE, *caption]


def test_a_table_row_with_cells_of_several_lines_centred_is_one_row() -> None:
    sheet = Sheet().put(60, 100, "Northern lock of").put(60, 112, "the old canal")
    sheet.put(300, 106, "1907").put(400, 106, "40")
    sheet.words = [(*word[:5], 0, word[5], word[7]) for word in sheet.words]
    assert sheet.text() == ["Northern lock of the old canal 1907 40"]


def test_text_that_runs_up_the_page_comes_last() -> None:
    sheet = Sheet().put(60, 100, *PROSE)
    for i, word in enumerate(("arXiv:1801", "[cs.CL]", "2018")):
        top = 600 - 60.0 * i
        sheet.words.append((20, top - 50, 30, top, word, 99, 0, i))
    assert sheet.text() == [*PROSE, "arXiv:1801 [cs.CL] 2018"]


def test_an_empty_page_has_no_rows() -> None:
    assert read_rows([], WIDTH) == []


def test_headings_give_the_text_below_its_section() -> None:
    sheet = Sheet().down("Barges of the northern river", size=20, bold=True)
    sheet.down("1 Counting", size=14, bold=True).down(*PROSE)
    sheet.down("1.1 In spring", size=12, bold=True).down(*PROSE)
    sheet.down("1.2 In autumn", size=12, bold=True).down(*PROSE)
    sheet.down("2 Tolls", size=14, bold=True).down(*PROSE)
    found = [(b.kind, b.section) for b in blocks(sheet)[0]]
    assert found == [
        ("title", ""),
        ("heading", ""),
        ("text", "1 Counting"),
        ("heading", "1 Counting"),
        ("text", "1 Counting > 1.1 In spring"),
        ("heading", "1 Counting"),
        ("text", "1 Counting > 1.2 In autumn"),
        ("heading", ""),
        ("text", "2 Tolls"),
    ]


def test_counted_headings_end_one_another_over_what_is_between() -> None:
    sheet = Sheet()
    for number, name in ((1, "Policies"), (2, "Debt")):
        sheet.down(f"Note {number} - {name}", bold=True).down("Basis of the matter", bold=True)
        sheet.down(*PROSE).down("Use of estimates", bold=True).down(*PROSE)
    sections = [b.section for b in blocks(sheet)[0] if b.kind == "text"]
    assert sections == [
        "Note 1 - Policies > Basis of the matter",
        "Note 1 - Policies > Use of estimates",
        "Note 2 - Debt > Basis of the matter",
        "Note 2 - Debt > Use of estimates",
    ]


def test_the_outline_puts_its_chapters_above_the_headings() -> None:
    outline = (OutlineEntry(1, "Rivers", 1), OutlineEntry(2, "Locks and barges", 1))
    sheet = Sheet().down("Locks and barges", bold=True).down(*PROSE)
    found = blocks(sheet, outline=outline)[0]
    assert found[1].section == "Rivers > Locks and barges"


def test_running_heads_and_feet_are_told_from_the_text() -> None:
    sheets = []
    for number in range(1, 7):
        sheet = Sheet().put(60, 30, "Harbour office, annual statement").put(60, 120, *PROSE)
        sheet.put(60, 300, f"Chapter of the year {1900 + number} in the words of its master.")
        sheets.append(sheet.put(290, 770, f"Page {number} of 6"))
    for found in blocks(*sheets):
        assert [b.kind for b in found] == ["header", "text", "text", "footer"]


def test_a_foot_that_floats_with_the_text_is_found_by_its_return() -> None:
    sheets = [
        Sheet().put(60, 80, *PROSE[:n]).put(250, 200 + 60 * n, f"Harbour office | {n}")
        for n in range(1, 6)
    ]
    assert [found[-1].kind for found in blocks(*sheets)] == ["footer"] * 5


def test_a_first_line_seen_once_is_no_running_head() -> None:
    sheets = [
        Sheet().put(60, 30, f"{word} came first.").put(60, 80, *PROSE)
        for word in PROSE[0].split()[:6]
    ]
    assert all(found[0].kind == "text" for found in blocks(*sheets))


def test_a_table_is_found_with_its_head_and_its_section_labels() -> None:
    sheet = (
        Sheet()
        .down(*PROSE)
        .table(
            ("", "2021", "2020"),
            ("Current assets:",),
            ("Cash and cash equivalents", "$ 5,990", "$ 5,831"),
            ("Inventories", "11,142", "7,505"),
            ("Other", "-", "12"),
            ("Total assets", "$ 17,132", "$ 13,348"),
        )
    )
    sheet.down(*PROSE)
    found = blocks(sheet)[0]
    assert [b.kind for b in found] == ["text", "table", "text"]
    assert found[1].heads == 1
    assert found[1].text.split("\n")[2] == "Cash and cash equivalents $ 5,990 $ 5,831"


def test_justified_prose_with_wide_gaps_is_no_table() -> None:
    sheet = Sheet()
    for i, line in enumerate(PROSE * 2):
        words = line.split()
        sheet.put(60, 100 + 12 * i, " ".join(words[:4])).put(
            230 + i, 100 + 12 * i, " ".join(words[4:])
        )
    assert {b.kind for b in blocks(sheet)[0]} == {"text"}


def test_a_table_of_contents_is_a_table_without_its_dots() -> None:
    dots = " ".join("." * 30)
    sheet = Sheet().down(
        f"Item 1. Barges {dots} 3", f"Item 2. Tolls {dots} 14", f"Item 3. Locks {dots} 27"
    )
    (block,) = blocks(sheet)[0]
    assert block.kind == "table"
    assert block.text == "Item 1. Barges 3\nItem 2. Tolls 14\nItem 3. Locks 27"


def test_a_caption_parts_two_tables() -> None:
    rows = (("Barges", "40", "60"), ("Boats", "12", "14"), ("Rafts", "3", "1"))
    sheet = Sheet().table(*rows).down("Table 2: Barges by season.").table(*rows)
    assert [b.kind for b in blocks(sheet)[0]] == ["table", "caption", "table"]


def test_list_items_are_kept_apart_and_end_before_the_text() -> None:
    sheet = Sheet().down("The office counts:")
    for item in ("barges that carry grain or timber,", "boats with fewer than four oars,"):
        sheet.put(70, sheet.y + 2, f"• {item}")
        sheet.put(77, sheet.y, "on any day of the year but Sundays.")
    sheet.down(*PROSE)
    found = blocks(sheet)[0]
    assert [b.kind for b in found] == ["text", "list", "text"]
    assert found[1].text.split("\n") == [
        "• barges that carry grain or timber, on any day of the year but Sundays.",
        "• boats with fewer than four oars, on any day of the year but Sundays.",
    ]


def test_small_marked_text_at_the_foot_is_a_footnote() -> None:
    sheet = Sheet().down(*PROSE * 4).put(60, 720, "1 Counted by the northern lock only.", size=8)
    assert [b.kind for b in blocks(sheet)[0]] == ["text", "footnote"]


@pytest.mark.parametrize(
    ("text", "alone", "expected"),
    [
        ("Table 3: Barges by season", False, True),
        ("Figure 2. The northern lock", False, True),
        ("Table 4", True, True),
        ("Table 3 shows the barges that were counted", False, False),
        ("Tables are made of oak", True, False),
    ],
)
def test_captions_are_told_from_sentences(text: str, alone: bool, expected: bool) -> None:
    assert is_caption(text, alone=alone) is expected


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("• barges", "•"),
        ("(a) barges", "(a)"),
        ("12. barges", "12."),
        ("[4] Lee, J.", "[4]"),
        ("$ 400", ""),
        ("(1,204) barges", ""),
        ("A barge", ""),
        ("•", ""),
    ],
)
def test_list_markers(text: str, marker: str) -> None:
    assert list_marker(text) == marker


def test_words_cut_at_line_ends_are_joined_as_the_document_writes_them() -> None:
    lines = Sheet().down("long term plans of well-known masters", "in exam-", "ple").page().lines
    words = whole_words(lines)
    assert "ple" not in words
    assert join_hyphens("an exam- ple", words) == "an example"
    assert join_hyphens("a well- known plan", words) == "a well-known plan"
    assert join_hyphens("a long- term plan", words) == "a long-term plan"
    assert join_hyphens("short- and long- term", words) == "short- and long-term"
    assert join_hyphens("the LSTM- CRF of 2018- 2019", words) == "the LSTM-CRF of 2018-2019"


def test_chunks_give_the_same_blocks_as_the_whole() -> None:
    """Long documents are read in chunks; a section runs on from one to the next."""
    sheets = [
        Sheet()
        .put(60, 30, "Harbour office")
        .put(60, 110, f"Note {n} - Tolls", bold=True)
        .down(*PROSE)
        for n in range(1, 9)
    ]
    sheets.insert(5, Sheet().put(60, 30, "Harbour office").put(60, 110, *PROSE))
    pages = [sheet.page(number) for number, sheet in enumerate(sheets, 1)]
    whole = read_chunk(pages, LayoutState())
    state = LayoutState()
    parts = read_chunk(pages[:4], state) + read_chunk(pages[4:], state)
    kinds = [[(b.kind, b.section) for b in found] for _, found in parts]
    assert kinds == [[(b.kind, b.section) for b in found] for _, found in whole]
    assert kinds[5][1] == ("text", "Note 5 - Tolls")


def test_printed_numbers_are_those_that_grow_with_the_pages() -> None:
    pages = {n: [str(n + 6), "2016", str(70 - n)] for n in range(1, 9)}
    assert printed_numbers(pages) == {n: str(n + 6) for n in range(1, 9)}
    assert printed_numbers({1: ["2016"], 2: ["2016"], 3: ["2016"]}) == {}
    annex = {n: [f"F-{n - 3}"] for n in range(4, 9)}
    assert printed_numbers(annex) == {n: f"F-{n - 3}" for n in range(4, 9)}
