"""Names on pages, and signatures of pages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagehop.reading.mentions import MOST_NAMES, name_key, page_names
from pagehop.reading.parsed import PageText
from pagehop.reading.signatures import bands, likeness, signature


def names_of(*texts: str) -> dict[int, list[str]]:
    boxes = np.zeros((0, 4), dtype=np.uint16)
    pages = [PageText(i, "", 595, 842, text, boxes) for i, text in enumerate(texts, 1)]
    return dict(page_names(pages))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("coal came by the Port of Varn in May", "Port of Varn"),
        ("we met Tarnwick there", "Tarnwick"),
        ("under code SC-2023-04 it", "SC-2023-04"),
        ("sent by the Belmar\nIncline to", "Belmar Incline"),
        ("the Okafor-Lund report", "Okafor-Lund"),
    ],
)
def test_names_are_found_in_the_words_of_the_page(text: str, name: str) -> None:
    assert name in names_of(text)[1]


def test_a_word_that_the_document_writes_small_is_no_name() -> None:
    assert names_of("Revenue rose.", "The revenue of Varnholm rose.") == {2: ["Varnholm"]}


def test_months_and_days_are_no_names() -> None:
    assert names_of("On Friday, 3 July, the crew met Varnholm.") == {1: ["Varnholm"]}


def test_a_name_on_most_pages_tells_none_apart() -> None:
    texts = [f"Tarnwick met Friend{'abcdefghij'[i]} there." for i in range(10)]
    assert all("Tarnwick" not in names for names in names_of(*texts).values())


def test_a_page_keeps_a_bounded_number_of_names() -> None:
    words = " and ".join(f"Q{chr(97 + i % 26)}{chr(97 + i // 26)}rvane" for i in range(200))
    assert len(names_of(words)[1]) == MOST_NAMES


def test_spellings_of_a_name_share_their_key() -> None:
    assert name_key("Tarnwick\u2019s") == name_key("TARNWICK") == "tarnwick"
    assert name_key("Okafor-Lund") == name_key("Okafor Lund")


def test_a_page_of_few_words_has_no_signature() -> None:
    assert signature("This page is intentionally left blank") == ""
    assert signature("") == ""


@given(st.lists(st.sampled_from("slate drain frost works crew stone mill".split()), min_size=40))
def test_the_same_words_have_the_same_signature(words: list[str]) -> None:
    text = " ".join(words)
    assert signature(text) == signature(text.upper().replace(" ", "\n"))
    assert likeness(signature(text), signature(text)) == 1.0


def test_near_pages_share_a_band_and_far_ones_do_not() -> None:
    words = [f"word{i}" for i in range(300)]
    near = [*words[:290], *(f"new{i}" for i in range(10))]
    far = [f"other{i}" for i in range(300)]
    signed, close, apart = (signature(" ".join(each)) for each in (words, near, far))
    assert set(bands(signed)) & set(bands(close))
    assert not set(bands(signed)) & set(bands(apart))
    assert likeness(signed, close) > 0.8 > likeness(signed, apart)
