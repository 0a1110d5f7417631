"""Words of a line that OCR read: at the white gaps, with the blanks that the engine left out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pagehop.reading.ocr_lines import even_letters, line_words
from pagehop.reading.ocr_picture import dark_spots

HEIGHT = 24


def drawn(*runs: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw letters as blocks from one column to another."""
    picture = np.full((40, 400, 3), 250, np.uint8)
    for x0, x1 in runs:
        picture[12:30, x0:x1] = 20
    return dark_spots(picture)


def told(*words: tuple[float, float, str]) -> list[tuple[float, float, float, float, str]]:
    """Give letters as an engine does, each word's evenly from one column to another."""
    return [x for x0, x1, text in words for x in even_letters((x0, 8.0, x1, 8.0 + HEIGHT, text))]


def sides(text: str, letters: list[tuple[float, float, float, float, str]], ink: NDArray[np.bool_]):  # type: ignore[no-untyped-def]
    return [(x0, x1, word) for x0, _, x1, _, word in line_words(text, letters, ink)]


def test_words_end_at_the_gaps_between_them() -> None:
    """The engine tells them up to half a letter beside: quotes had boxes that cut letters."""
    ink = drawn((20, 38), (41, 60), (90, 120), (124, 150), (200, 240))
    letters = told((20, 70, "ab"), (72, 160, "cd"), (165, 240, "e"))
    assert sides("ab cd e", letters, ink) == [(20, 60, "ab"), (90, 150, "cd"), (200, 240, "e")]


def test_without_gaps_words_stay_where_the_engine_has_them() -> None:
    letters = told((20, 70, "ab"), (72, 160, "cd"), (150, 240, "e"))
    found = sides("ab cd e", letters, drawn())
    assert found == [(20, 70, "ab"), (72, 155, "cd"), (155, 240, "e")]
    assert line_words("", [], drawn()) == []


def test_each_blank_takes_a_gap_of_its_own_in_their_order() -> None:
    """A wide gap drew the ends of two words to it."""
    ink = drawn((20, 40), (48, 60), (100, 140))
    letters = told((20, 44, "ab"), (52, 75, "c"), (95, 140, "de"))
    assert sides("ab c de", letters, ink) == [(20, 40, "ab"), (48, 60, "c"), (100, 140, "de")]


def test_a_blank_that_the_engine_left_out_is_put_in() -> None:
    """Behind a raised number it reads `treated.12Agents`."""
    runs = [(20 + 12 * i, 30 + 12 * i) for i in range(4)]  # abcd
    runs += [(80 + 12 * i, 90 + 12 * i) for i in range(5)]  # 12Agent, a blank behind 12
    runs[6:] = [(x0 + 12, x1 + 12) for x0, x1 in runs[6:]]
    runs += [(170, 180), (182, 192)]
    letters = told((20, 66, "abcd"), (80, 104, "12"), (116, 152, "Age"), (170, 192, "so"))
    found = sides("abcd 12Age so", letters, drawn(*runs))
    assert [word for *_, word in found] == ["abcd", "12", "Age", "so"]
    assert found[1][:2] == (80, 102) and found[2][:2] == (116, 150)


@pytest.mark.parametrize(
    ("text", "step"),
    [("SPACED", 24), ("a......7", 20)],
    ids=["letters set apart", "leaders"],
)
def test_gaps_between_letters_set_apart_and_leaders_are_no_blanks(text: str, step: int) -> None:
    ink = drawn(*[(20 + step * i, 30 + step * i) for i in range(len(text))])
    letters = told((20, 20 + step * len(text), text))
    assert [word for *_, word in sides(text, letters, ink)] == [text]


def test_a_script_without_blanks_is_parted_from_others() -> None:
    letters = told((20, 80, "\u6771\u4eac\u90fd"), (84, 120, "abc"))
    found = sides("\u6771\u4eac\u90fdabc", letters, drawn((20, 80), (84, 120)))
    assert [word for *_, word in found] == ["\u6771\u4eac\u90fd", "abc"]
