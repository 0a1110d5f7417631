"""Titles: which ones say more of a document than its name does."""

import pytest

from pagehop.layout.titles import tells_more


@pytest.mark.parametrize(
    ("title", "name", "more"),
    [
        ("FORM 10-Q", "2023_Q1_ORR", False),
        ("UNITED STATES SECURITIES AND EXCHANGE COMMISSION Washington, D.C. 20549", "orr", False),
        ("2021 Annual Report", "orrin_2021", False),
        ("Halden Marine", "halden-marine_2021", False),
        ("Form 10-Q of Orrin Textiles", "2023_Q1_ORR", True),
        ("Orrin Textiles, Inc.", "2023_Q1_ORR", True),
        ("", "orr", False),
    ],
)
def test_a_title_tells_more_when_it_is_not_the_name_or_the_kind_of_paper(
    title: str, name: str, more: bool
) -> None:
    assert tells_more(title, name) is more
