"""Edges between documents: names, citations, duplicates, each inside a view."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import Edge, PageRef, Relation

FILLER = "The works ran without a stop and the crews were paid each week for what they had laid."
LONG = (
    "The survey of the northern quarry found four seams of grey slate below the upper bench, each "
    "between two and three metres thick, and judged that the third could be worked for twenty "
    "years if the drains were kept open and the old incline was rebuilt before the winter."
)


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory, write_page: Callable[..., None]) -> View:
    """A view over letters and reports that name each other, one of them secret."""
    folder = tmp_path_factory.mktemp("across")
    write_page(
        folder / "Quarry letter.pdf",
        "The slate goes to Ostrava by the Belmar Incline, as the harbour is closed in winter.",
        "See Note 2 of the Slate Survey 1911, and the paper by Horvath (1909) on drains.",
        FILLER,
        title="Quarry letter",
    )
    write_page(
        folder / "Slate Survey 1911.pdf", "Note 2. Drains", LONG, FILLER, title="Slate Survey 1911"
    )
    write_page(folder / "Horvath_1909_drains.pdf", "How old drains fail in frost.", FILLER)
    write_page(folder / "Copy.pdf", "Note 2. Drains", LONG, FILLER, "Stamped in May.")
    write_page(
        folder / "Wagons.pdf", "Six wagons a day came down the Belmar Incline to the mill.", FILLER
    )
    secret = tmp_path_factory.mktemp("secret")
    write_page(secret / "Ledger.pdf", "The Belmar Incline was sold twice.", LONG, FILLER)
    library = Library(tmp_path_factory.mktemp("library"))
    assert not library.add(folder).failed
    assert not library.add(secret, labels={"secret"}).failed
    return library.view(labels=())


def edges(view: View, name: str, relation: Relation) -> dict[str, Edge]:
    paths = view.walk(PageRef(name, 1), relations=[relation], width=9)
    return {path.end.name: path.edges[0] for path in paths}


def test_a_rare_name_joins_pages_of_several_documents(across: View) -> None:
    found = edges(across, "Quarry_letter", "mentions")
    assert found["Wagons"].words == "Belmar Incline"
    assert "Ledger" not in found


def test_a_name_that_every_page_bears_joins_nothing(across: View) -> None:
    named = edges(across, "Wagons", "mentions")
    assert set(named) == {"Quarry_letter"}


def test_a_document_is_cited_by_its_title_at_the_place_that_is_named(across: View) -> None:
    cited = edges(across, "Quarry_letter", "cites")
    assert "Note 2. Drains" in cited["Slate_Survey_1911"].words
    assert cited["Slate_Survey_1911"].weight > 0.7
    said = cited["Slate_Survey_1911"].words.split('"')[1]
    assert set(said.removesuffix(" ...").split()) <= set(
        across.page(PageRef("Quarry_letter", 1)).text.split()
    )


def test_a_document_is_cited_by_author_and_year(across: View) -> None:
    assert "Horvath (1909)" in edges(across, "Quarry_letter", "cites")["Horvath_1909_drains"].words


def test_a_title_that_only_names_a_kind_of_paper_is_cited_by_nothing(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    write_page(tmp_path / "a.pdf", "The accounts.", FILLER, title="Annual Report 1911")
    write_page(tmp_path / "b.pdf", "See the Annual Report 1911 of the mill.", FILLER)
    with Library(tmp_path / "library") as library:
        library.add(tmp_path)
        assert edges(library.view(), "b", "cites") == {}


def test_nearly_the_same_page_is_a_duplicate(across: View) -> None:
    found = edges(across, "Copy", "duplicate")
    assert set(found) == {"Slate_Survey_1911"}
    assert 0.7 <= found["Slate_Survey_1911"].weight < 1


def test_what_is_outside_the_view_changes_no_edge(
    tmp_path: Path, across: View, write_page: Callable[..., None]
) -> None:
    alone = Library(tmp_path / "alone")
    folder = tmp_path / "same"
    folder.mkdir()
    for document in across.documents():
        path = across.snapshot.source_path(document.id)
        (folder / document.source).write_bytes(path.read_bytes())
    alone.add(folder)
    for document in across.documents():
        ref = PageRef(document.name, 1)
        here, there = (v.walk(ref, hops=2, width=9) for v in (across, alone.view()))
        assert here == there


def test_a_narrowed_view_leads_to_no_page_outside_it(across: View) -> None:
    narrow = across.within(["Quarry_letter", "Horvath_1909_drains"])
    ends = {path.end.name for path in narrow.walk(PageRef("Quarry_letter", 1), hops=3, width=9)}
    assert ends <= {"Horvath_1909_drains"}
    assert edges(narrow, "Quarry_letter", "mentions") == {}


@pytest.fixture
def papers(tmp_path: Path, write_page: Callable[..., None]) -> Iterator[View]:
    write_page(tmp_path / "first.pdf", "doi:10.5555/slate.17", "On slate and frost.", FILLER)
    write_page(tmp_path / "second.pdf", FILLER, "[3] On frost. https://doi.org/10.5555/slate.17.")
    with Library(tmp_path / "library") as library:
        library.add(tmp_path)
        yield library.view()


def test_a_paper_is_cited_by_its_doi(papers: View) -> None:
    assert edges(papers, "second", "cites")["first"].words == "10.5555/slate.17"
    assert edges(papers, "first", "cites") == {}


@pytest.fixture(scope="module")
def filings(tmp_path_factory: pytest.TempPathFactory, write_page: Callable[..., None]) -> View:
    """A view over two filings whose exhibits are files of their own, one of them secret."""
    folder = tmp_path_factory.mktemp("filings")
    for mill in ("Alder", "Birch"):
        (folder / mill).mkdir()
        write_page(
            folder / mill / f"{mill} report.pdf",
            "The lease is filed as Exhibit 10.1, the deed as Exhibit 10.2.",
            "The map is Exhibit 99.3. Exhibit 4.1 lists the bonds. See Exhibit B for the wages.",
            "Exhibit S was lost.",
            FILLER,
            title=f"{mill} Mill Report",
        )
        write_page(folder / mill / f"{mill.lower()}_ex-10_1.pdf", f"Lease of {mill} Mill.", FILLER)
    write_page(folder / "Alder" / "deed.pdf", "Exhibit 10.2", "Deed of sale.", FILLER)
    for part in "abcd":
        write_page(folder / f"exhibit 99.3 {part}.pdf", f"Sheet {part} of the map.", FILLER)
    write_page(folder / "exhibits and ext.pdf", "A list of what was shown.", FILLER)
    write_page(folder / "Wages 1911.pdf", "Six a week.", FILLER, title="Exhibit B: Wages")
    secret = tmp_path_factory.mktemp("secret")
    write_page(secret / "Exhibit 4.1.pdf", "Bonds of the mill.", FILLER)
    library = Library(tmp_path_factory.mktemp("library"))
    assert not library.add(folder).failed
    assert not library.add(secret, labels={"secret"}).failed
    return library.view(labels=())


def test_an_exhibit_that_is_a_file_of_its_own_is_referred_to(filings: View) -> None:
    found = edges(filings, "Alder_report", "refers_to")
    assert set(found) == {"alder_ex-10_1", "deed", "Wages_1911"}
    assert "Exhibit 10.1" in found["alder_ex-10_1"].words


def test_of_exhibits_with_one_number_the_filing_s_own_is_meant(filings: View) -> None:
    assert "birch_ex-10_1" in edges(filings, "Birch_report", "refers_to")
    assert "alder_ex-10_1" not in edges(filings, "Birch_report", "refers_to")


def test_an_exhibit_that_fits_too_many_files_or_is_not_visible_leads_nowhere(filings: View) -> None:
    found = edges(filings, "Birch_report", "refers_to")
    assert not [name for name in found if "99.3" in name or "4.1" in name]
