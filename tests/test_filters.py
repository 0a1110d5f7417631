"""Predicates choose documents, and a wrong one points at the place."""

import pytest

from pagehop.errors import ToolError
from pagehop.finding.filters import filter_documents, years_of
from pagehop.types import Document, Scalar


def make_document(name: str, pages: int, title: str = "", **metadata: Scalar) -> Document:
    source = f"{name}.pdf"
    return Document(name, name, source, (source,), title, pages, frozenset(), metadata)


DOCUMENTS = [
    make_document("acme_2017", 80, company="Acme, Inc.", audited=True, staff=1200),
    make_document("acme_2018", 90, company="Acme, Inc.", audited=False, staff="1,300"),
    make_document("borealis", 40, title="Borealis report for 2017 and 2018", company="Borealis"),
    make_document("memo", 2),
]


def chosen(predicate: str) -> list[str]:
    return [document.name for document in filter_documents(DOCUMENTS, predicate).documents]


@pytest.mark.parametrize(
    ("predicate", "names"),
    [
        ("pages > 50", ["acme_2017", "acme_2018"]),
        ("pages >= 40 and pages < 90", ["acme_2017", "borealis"]),
        ("year = 2018", ["acme_2018", "borealis"]),
        ("year in (2017, 2019)", ["acme_2017", "borealis"]),
        ("not year = 2018", ["acme_2017", "memo"]),
        ("name ~ ACME and not year = 2017", ["acme_2018"]),
        ('company = "acme, inc."', ["acme_2017", "acme_2018"]),
        ("company != Borealis", ["acme_2017", "acme_2018"]),
        ("company in ('Acme, Inc.', Borealis)", ["acme_2017", "acme_2018", "borealis"]),
        ("audited = true", ["acme_2017"]),
        ("staff > 1,250", None),
        ("staff > 1250", ["acme_2018"]),
        ("pages = 2 or pages = 40 and company = Borealis", ["borealis", "memo"]),
        ("(pages = 2 or pages = 40) and company = Borealis", ["borealis"]),
        ("not not pages = 2", ["memo"]),
        ("NOT (pages > 2)", ["memo"]),
        ("PAGES == 2", ["memo"]),
        ('name = "and"', []),
        ("title ~ report", ["borealis"]),
        ("source ~ .pdf and name < b", ["acme_2017", "acme_2018"]),
    ],
)
def test_a_predicate_chooses(predicate: str, names: list[str] | None) -> None:
    if names is None:
        with pytest.raises(ToolError, match=r"needs `and`, `or` or the end"):
            chosen(predicate)
    else:
        assert chosen(predicate) == names


@pytest.mark.parametrize(
    ("predicate", "position", "says"),
    [
        ("", 1, "is empty"),
        ("pages", 6, "an operator after 'pages'"),
        ("pages >", 8, "a value, but it ends"),
        ("pages > 5 pages", 11, "`and`, `or` or the end, but found 'pages'"),
        ("(pages > 5", 11, "`)`"),
        ("pages in 5", 10, "`(` after `in`"),
        ("pages in (5 6)", 13, "`,` or `)`"),
        ("pags > 5", 1, "there is no field 'pags'; fields are name, source, title, pages, year"),
        ("> 5", 1, "a field name"),
        ('name = "open', 8, "unexpected '\"'"),
        ("labels = secret", 1, "there is no field 'labels'"),
    ],
)
def test_an_error_points_at_the_position(predicate: str, position: int, says: str) -> None:
    with pytest.raises(ToolError) as caught:
        chosen(predicate)
    message = str(caught.value)
    assert says in message
    assert f"at position {position}" in message
    if predicate:
        assert message.endswith(" " * (position - 1) + "^")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ToolError, match="nested too deeply"):
        chosen("(" * 100 + "pages > 1" + ")" * 100)


def test_years_come_from_file_name_and_title_and_not_from_longer_numbers() -> None:
    document = make_document("r_2018_120199_1909.12345", 1, "Outlook for 2021")
    assert years_of(document) == (2018, 2021)
