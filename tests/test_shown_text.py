"""What tools show of a passage that is too long, and the scale of a table that stands elsewhere."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.passage_text import PAGES_BACK, scale_before, unit_line, window
from pagehop.types import PageRef

ROWS = "\n".join(f"Plant {i} output {i * 37}" for i in range(1, 30)) + "\nHarbour fees 4,112"
PROSE = (
    "The board met four times. It spoke of the har-\nbour fees, which rose to 4,112 crowns. "
    "Nothing else was decided. The next meeting is in May."
)
_WORD = st.text("abcdefghij", min_size=1, max_size=12)
_LINES = st.lists(st.lists(_WORD, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=12)


def test_what_fits_is_shown_whole() -> None:
    assert window("one  two\nthree", "two", 100, rows=False) == "one two three"
    assert window("one  two\nthree", "two", 100, rows=True) == "one two\nthree"


def test_of_a_long_table_whole_rows_around_the_words_asked_for_are_shown() -> None:
    shown = window(ROWS, "harbour fees", 80, rows=True)
    assert shown.startswith("... ") and not shown.endswith(" ...")
    rows = shown.removeprefix("... ").split("\n")
    assert rows[-1] == "Harbour fees 4,112"
    assert set(rows) <= set(ROWS.split("\n"))


def test_of_long_prose_whole_sentences_are_shown_and_cut_words_are_joined() -> None:
    shown = window(PROSE, "harbour fees", 60, rows=False)
    assert shown == "... It spoke of the harbour fees, which rose to 4,112 crowns. ..."


def test_of_two_places_alike_the_earlier_one_is_shown() -> None:
    text = "Debt was low. Filler one. Filler two. Debt was low."
    assert window(text, "debt", 15, rows=False) == "Debt was low. ..."


def test_without_a_word_of_the_query_the_beginning_is_shown() -> None:
    assert window(ROWS, "zebra", 60, rows=True).startswith("Plant 1 output 37\nPlant 2")


def test_one_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = " ".join(["revenue"] * 50)
    shown = window(text, "revenue", 30, rows=False)
    assert shown == "revenue revenue revenue ..."


@given(_LINES, _WORD, st.integers(20, 120))
def test_no_more_is_shown_than_fits_and_nothing_that_is_not_there(
    lines: list[str], query: str, most: int
) -> None:
    shown = window("\n".join(lines), query, most, rows=True)
    inside = shown.removeprefix("... ").removesuffix(" ...")
    assert len(inside) <= most
    assert inside in "\n".join(lines)
    if any(len(line) <= most for line in lines):
        assert inside


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """Pages: the scale, a table without one, then pages up to one too far from it, then another."""
    folder = tmp_path_factory.mktemp("scaled")
    canvas = Canvas(str(folder / "accounts.pdf"), pagesize=A4)
    texts = ["Amounts are in thousands of crowns", "Revenue 455"]
    texts += [f"Costs of part {i} 12" for i in range(PAGES_BACK)] + ["(in millions) Assets 7"]
    for text in texts:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    with Library(tmp_path_factory.mktemp("library")) as made:
        made.add(folder)
        yield made.view()


def test_the_scale_of_a_table_is_named_with_the_page_that_states_it(scaled: View) -> None:
    page = scaled.page(PageRef("accounts", 2))
    line = unit_line(scaled, page, "Revenue 455")
    assert line == (
        '(no unit on this page; [accounts:1] says "Amounts are in thousands of crowns")'
    )
    assert unit_line(scaled, page, "(in millions)\nRevenue 455") == ""  # shown already


def test_the_scale_on_the_page_itself_comes_before_that_of_another(scaled: View) -> None:
    last = PageRef("accounts", 3 + PAGES_BACK)
    assert unit_line(scaled, scaled.page(last), "Assets 7") == '(the page says "in millions")'


def test_a_scale_is_looked_for_only_so_far_before_a_page(scaled: View) -> None:
    assert scale_before(scaled, PageRef("accounts", 1)) is None
    near, far = PageRef("accounts", 1 + PAGES_BACK), PageRef("accounts", 2 + PAGES_BACK)
    assert scale_before(scaled, near) is not None
    assert scale_before(scaled, far) is None
    assert unit_line(scaled, scaled.page(far), "Costs 12") == ""
