"""Quotes are found where they stand, and what is not on the page does not verify."""

import pytest

from pagehop.finding.alignment import THRESHOLD
from pagehop.finding.quotes import locate
from pagehop.types import Page, PageRef, Word


def make_page(*lines: str, left: float = 0.1, width: float = 0.8) -> Page:
    """Lay lines out one below the other, words evenly wide by their letters."""
    words = []
    for number, line in enumerate(lines):
        x, y = left, 0.05 + 0.03 * number
        step = width / max(len(line), 1)
        for word in line.split():
            end = x + step * len(word)
            words.append(Word(word, (x, y, end, y + 0.02), number))
            x = end + step
    text = "\n".join(lines)
    return Page("d" * 64, PageRef("report", 1), "", text, tuple(words), 612.0, 792.0)


PAGE = make_page(
    "Capital expenditures were $1,482 million in 2018, an in-",
    "crease of 14.8% over the prior year, driven by long-",
    "term projects in the \u201cSafety\u201d business \u2013 mostly plants.",
    "Net sales $ 41,208 $ 39,512 $ 37,020",
    "Change in inventories (509) (387) 57",
    "Operating income did not decline in the third quarter of 2018.",
)


def test_an_exact_quote_scores_one_and_returns_the_pages_own_words() -> None:
    found = locate(PAGE, "capital expenditures were $1,482 million")
    assert found is not None
    assert found.score == 1.0
    assert found.text == "Capital expenditures were $1,482 million"


def test_the_box_is_the_union_of_the_words_and_there_is_one_box_a_line() -> None:
    found = locate(PAGE, "over the prior year, driven by long-term projects")
    assert found is not None
    assert len(found.boxes) == 2
    first, last = PAGE.words[13].box, PAGE.words[20].box
    assert found.box[1] == min(first[1], last[1])
    assert found.box[3] == max(first[3], last[3])
    assert found.boxes[0][1] < found.boxes[1][1]


@pytest.mark.parametrize(
    "quote",
    [
        "an increase of 14.8% over the prior year",
        "an in-\ncrease of 14.8% over",
        "long-term projects in the 'Safety' business - mostly plants",
        'long\u2013term projects in the "Safety" business \u2014 mostly plants.',
        "CAPITAL  EXPENDITURES\twere $1482 million",
        "Net sales $41,208 $39,512",
        "Net sales | $ 41,208 | $ 39,512",
        "Change in inventories (509)",
    ],
)
def test_line_breaks_typography_and_spacing_do_not_matter(quote: str) -> None:
    found = locate(PAGE, quote)
    assert found is not None
    assert found.score == 1.0


def test_a_word_that_a_line_cut_is_whole_in_the_quote() -> None:
    """Evidence read `joint goal ac- curacy`; a hyphen that the page has elsewhere is kept."""
    page = make_page(
        "We measure joint goal ac-", "curacy of long-", "term plans.", "A long-term one"
    )
    found = locate(page, "joint goal accuracy of long-term plans")
    assert found is not None
    assert found.text == "joint goal accuracy of long-term plans."
    assert locate(page, found.text) is not None


def test_ligatures_and_soft_hyphens_are_unfolded() -> None:
    page = make_page("The \ufb01nancial o\ufb03ce re\u00adported e\ufb00ects")
    assert locate(page, "financial office reported effects") is not None


def test_a_quote_without_the_currency_sign_is_found_with_a_lower_score() -> None:
    found = locate(PAGE, "Net sales 41,208 39,512")
    assert found is not None
    assert THRESHOLD <= found.score < 1.0
    assert "41,208" in found.text


@pytest.mark.parametrize(
    "quote",
    [
        "Capital expenditures were $1,582 million in 2018",
        "Capital expenditures were $1,482 million in 2019",
        "Capital expenditures were $482 million in 2018",
        "Capital expenditures were $1,482,000 million in 2018",
        "Capital expenditures were $1,482 billion in 2018",
        "an increase of 4.8% over the prior year",
        "an increase of 14.9% over the prior year, driven by long-term projects in the business",
        "an increase of -14.8% over the prior year",
        "482",
        "14",
        "8%",
        "208",
    ],
)
def test_a_wrong_number_never_verifies(quote: str) -> None:
    assert locate(PAGE, quote) is None


def test_a_leading_decimal_point_is_part_of_the_number() -> None:
    page = make_page("Dividends rose by .5% in the whole of the year")
    assert locate(page, "Dividends rose by 5% in the whole of the year") is None
    assert locate(page, "5%") is None
    assert locate(page, ".5% in the whole") is not None


def test_numbers_of_neighbouring_words_are_not_read_as_one() -> None:
    page = make_page("Rooms 12 3 and 45")
    assert locate(page, "Rooms 123") is None
    assert locate(page, "12 3") is not None


def test_an_exponent_is_no_further_digit() -> None:
    page = make_page("A dose of 10² units and Sales³ of 55")
    assert locate(page, "dose of 102 units") is None
    assert locate(page, "Sales of 55") is not None


def test_a_lost_minus_does_not_verify_but_brackets_and_minus_mean_the_same() -> None:
    page = make_page(
        "The margin changed by -5.2 points in the year", "Net loss (1,204) for the year"
    )
    assert locate(page, "The margin changed by 5.2 points in the year") is None
    assert locate(page, "margin changed by -5.2 points") is not None
    assert locate(page, "Net loss -1,204 for the year") is not None


def test_a_dropped_or_added_negation_does_not_verify() -> None:
    assert locate(PAGE, "Operating income did decline in the third quarter of 2018") is None
    page = make_page("Operating income did decline in the third quarter of 2018.")
    assert locate(page, "Operating income did not decline in the third quarter of 2018") is None


def test_one_other_word_in_a_long_quote_lowers_the_score_and_in_a_short_one_rejects_it() -> None:
    long = "Operating income did not decline in the final quarter of 2018"
    found = locate(PAGE, long)
    assert found is not None
    assert THRESHOLD <= found.score < 0.95
    assert locate(PAGE, "Operating profit did") is None


def test_a_misspelt_word_costs_less_than_another_word() -> None:
    misspelt = locate(PAGE, "Operatlng income did not decline in the third quarter of 2018")
    other = locate(PAGE, "Quarterly income did not decline in the third quarter of 2018")
    assert misspelt is not None
    assert other is not None
    assert other.score < misspelt.score < 1.0


def test_a_paraphrase_does_not_verify() -> None:
    assert locate(PAGE, "Earnings from operations stayed strong during Q3 of 2018") is None


def test_a_repeated_quote_is_found_first_or_nearest() -> None:
    page = make_page("Total 100", "filler words here", "Total 100", "more", "Total 100")
    first, near = locate(page, "Total 100"), locate(page, "Total 100", near=(0.1, 0.1, 0.9, 0.14))
    assert first is not None
    assert near is not None
    assert first.box[1] == pytest.approx(0.05)
    assert near.box[1] == pytest.approx(0.11)


def test_a_quote_runs_from_one_column_into_the_next_past_other_lines() -> None:
    page = make_page(
        "The board approved a share repurchase programme",
        "1 See the annual report for details of this.",
        "Page foot of the left hand column",
        "of up to forty thousand shares in the coming year.",
    )
    quote = (
        "The board approved a share repurchase programme "
        "of up to forty thousand shares in the coming year"
    )
    found = locate(page, quote)
    assert found is not None
    assert found.score > 0.9
    assert "annual" not in found.text
    assert len(found.boxes) == 2


def test_an_ellipsis_joins_pieces_in_order_only() -> None:
    found = locate(PAGE, "Capital expenditures … an increase of 14.8%")
    assert found is not None
    assert found.score < 1.0
    assert locate(PAGE, "an increase of 14.8% ... Capital expenditures") is None


@pytest.mark.parametrize("quote", ["", "   ", "…", '"—"'])
def test_a_quote_without_letters_or_digits_is_nowhere(quote: str) -> None:
    assert locate(PAGE, quote) is None


def test_an_empty_page_holds_no_quote() -> None:
    assert locate(make_page(), "anything at all") is None


def test_text_without_spaces_is_found() -> None:
    page = make_page("会社の売上高は1,234億円でした。")
    assert locate(page, "売上高は1,234億円") is not None
    assert locate(page, "売上高は1,235億円") is None


def test_a_number_is_not_taken_from_another_place_than_its_words() -> None:
    page = make_page(
        "The company leases its offices in the northern harbour until 2031",
        "and pays a yearly rent of 57 for all of its buildings there.",
        "The number of employees on the last day of the year was 1,204",
    )
    tail = "pays a yearly rent of 57 for all of its buildings there"
    assert locate(page, f"until 2031 and {tail}") is not None
    assert locate(page, f"until 2031 and {tail.replace('57', '1,204')}") is None
    first = "The company leases its offices in the northern harbour until"
    assert locate(page, f"{first} 2031") is not None
    assert locate(page, f"{first} 57") is None
    assert locate(page, f"{first} 1,204") is None
    assert locate(page, f"57 {first.removeprefix('The ')} 2031") is None


def test_a_number_after_an_ellipsis_must_stand_on_the_line_of_its_words() -> None:
    page = make_page("Net sales 412 388 365", "Cost of sales 201 197 190")
    assert locate(page, "Net sales ... 388") is not None
    assert locate(page, "Net sales ... 197") is None
