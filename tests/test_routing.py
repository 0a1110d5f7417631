"""Which documents a question names, and that this moves hits without hiding any."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pagehop.finding.profiles import read_profile
from pagehop.finding.routing import Route, Routing
from pagehop.finding.terms import tokens
from pagehop.library.library import Library
from pagehop.types import Document, Scalar

WritePage = Callable[..., None]

COMPANIES = ("Halden Marine", "Orrin Textiles", "Varn Logistics", "Kelso Instruments")


def make_document(id: str, source: str, title: str = "", **metadata: Scalar) -> Document:
    return Document(
        id=id,
        name=id,
        source=source,
        sources=(source,),
        title=title,
        pages=9,
        labels=frozenset(),
        metadata=metadata,
    )


def make_routing(*documents: tuple[Document, str]) -> Callable[[str], Route]:
    """Route over documents given with their first pages, which are all of their text."""
    routing = Routing({d.id: read_profile(d, front) for d, front in documents})
    held = Counter(
        term
        for d, front in documents
        for term in set(tokens(f"{d.source} {d.title} {front} revenue of the year and the report"))
    )
    return lambda question: routing.route(question, held)


def filings(name: str = "filing_{i}.pdf") -> list[tuple[Document, str]]:
    """Annual and quarterly filings whose file names say nothing, of several companies and years."""
    made: list[tuple[Document, str]] = []
    for company in COMPANIES:
        for year in (2018, 2019, 2020):
            for form in ("10-K", "10-Q"):
                what = "fiscal year ended" if form == "10-K" else "quarterly period ended"
                month = "December 31" if form == "10-K" else "June 30"
                front = (
                    f"UNITED STATES SECURITIES COMMISSION FORM {form} "
                    f"For the {what} {month}, {year} {company.upper()} INC. of Delaware"
                )
                id = f"{company.split()[0]}-{year}-{form}"
                made.append((make_document(id, name.format(i=len(made))), front))
    return made


def best(route: Route) -> set[str]:
    most = max(route.preferred.values(), default=0.0)
    return {id for id, share in route.preferred.items() if share == most}


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Halden Marine revenue in FY2018?", {"Halden-2018-10-K", "Halden-2018-10-Q"}),
        ("revenue in the 10-K of orrin textiles for 2020", {"Orrin-2020-10-K"}),
        ("Kelso's revenue, quarter ended June 30, 2019", {"Kelso-2019-10-Q"}),
    ],
)  # fmt: skip
def test_a_question_names_filings_by_company_form_and_period(
    question: str, named: set[str]
) -> None:
    assert best(make_routing(*filings())(question)) == named


def test_nothing_is_preferred_for_words_that_all_documents_hold() -> None:
    assert make_routing(*filings())("revenue of the year in the report").preferred == {}
    assert make_routing(filings()[0])("revenue of Halden Marine").preferred == {}, "only one"


def test_quarters_and_years_in_file_names_are_told_apart() -> None:
    route = make_routing(
        *(
            (make_document(f"{y}{q}", f"{y} Q{q} HLDN.pdf"), "HALDEN MARINE")
            for y in (2021, 2022)
            for q in (1, 2, 3, 4)
        )
    )
    assert best(route("Revenue in Q3 2022?")) == {"20223"}
    assert best(route("revenue in the third quarter of 2022")) == {"20223"}
    assert best(route("How did revenue change in Q3, from FY2022?")) == {"20223"}
    assert best(route("revenue in 2021")) == {"20211", "20212", "20213", "20214"}


def test_authors_metadata_folders_and_initials_name_documents() -> None:
    route = make_routing(
        (make_document("a", "varkonyi_2022.pdf", "Sediment transport in estuaries"), ""),
        (make_document("b", "contracts/Orrin/lease.pdf"), ""),
        (make_document("c", "scan1.pdf", author="Tarnwick"), ""),
        (make_document("d", "x.pdf"), "INTERNATIONAL HARBOUR OF VARN a terminal"),
        (make_document("e", "y.pdf"), "Minutes"),
    )
    for question, named in (
        ("what did Varkonyi find?", "a"),
        ("the paper on sediment in estuaries", "a"),
        ("rent in the Orrin lease", "b"),
        ("what does Tarnwick say", "c"),
        ("IHV terminals", "d"),
    ):
        assert best(route(question)) == {named}, question


def test_a_preference_says_why() -> None:
    route = make_routing(*filings())("revenue of Varn in 2019")
    (first, *_) = best(route)
    assert route.reason(first) == "Varn (first page), 2019"
    assert route.reason("Halden-2018-10-K") == ""


def test_a_word_that_many_documents_share_says_less_than_a_rare_one() -> None:
    documents = [(make_document(f"h{i}", f"h{i}.pdf"), "HALDEN") for i in range(6)]
    documents += [(make_document("k", "k.pdf"), "KELSO"), (make_document("z", "z.pdf"), "")]
    preferred = make_routing(*documents)("Halden and Kelso").preferred
    assert preferred["k"] > 2 * preferred["h0"]


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory, write_page: WritePage) -> Path:
    """Twelve filings alike but for company and year, which only their first pages say."""
    folder = tmp_path_factory.mktemp("filings")
    for i, company in enumerate(COMPANIES):
        for year in (2018, 2019, 2020):
            write_page(
                folder / f"f{i}{year - 2018}.pdf",
                f"FORM 10-K For the fiscal year ended December 31, {year} {company} Inc.",
                f"Total revenue was {i}{year} million. Revenue grew because prices rose.",
            )
    return folder


def test_the_filing_that_is_named_comes_first_and_hides_no_other(
    filed: Path, tmp_path: Path
) -> None:
    with Library(tmp_path / "library") as library:
        library.add(filed)
        hits = library.search("total revenue of Orrin Textiles in fiscal year 2019", k=30)
        assert hits[0].name == "f11"
        assert hits[0].why == "Orrin, Textiles, 2019"
        assert hits[-1].why == "" and len({h.name for h in hits}) > 6, "the others stay"
        plain = library.search("total revenue of Orrin Textiles in fiscal year 2019", fusion="rrf")
        assert not any(hit.why for hit in plain)
        wrong = library.search("Orrin Textiles: 02019 million total revenue", k=24)
        assert "f01" in [hit.name for hit in wrong], "a wrong name hides nothing"


def test_documents_outside_the_view_change_no_preference(filed: Path, tmp_path: Path) -> None:
    query = "revenue of Orrin Textiles in 2019"
    inside = sorted(filed.glob("f1*.pdf"))
    with Library(tmp_path / "few") as few, Library(tmp_path / "all") as every:
        few.add(inside)
        every.add(inside)
        every.add(sorted(filed.glob("f[023]*.pdf")), labels={"board"})
        alone, seen = few.search(query), every.view(labels=set()).search(query)
        assert [(h.ref, h.score, h.why) for h in alone] == [(h.ref, h.score, h.why) for h in seen]
        assert any(h.why for h in alone)
