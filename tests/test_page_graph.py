"""Walks over the pages of real small reports."""

import sys
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from pagehop.errors import ConfigError, LibraryError
from pagehop.finding.page_graph import MAX_HOPS, walk
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import Edge, PageRef

HALDEN = "Halden_2021_annual_report"


def edges(view: View, page: int, relation: str) -> list[Edge]:
    paths = walk(view, PageRef(HALDEN, page), relations=[relation])  # type: ignore[list-item]
    return [path.edges[0] for path in paths]


def test_next_and_previous_stop_at_the_ends(view: View) -> None:
    assert [e.target.page for e in edges(view, 1, "next")] == [2]
    assert edges(view, 4, "next") == []
    assert [e.target.page for e in edges(view, 4, "previous")] == [3]
    assert edges(view, 1, "previous") == []


def test_a_reference_leads_to_where_the_thing_is_defined(view: View) -> None:
    first = {edge.target.page: edge.words for edge in edges(view, 1, "refers_to")}
    assert set(first) == {2, 3}
    assert "Table 1" in first[2]
    assert "Note 3" in first[3]
    assert "Capital expenditure" in first[3]
    last = {edge.target.page: edge.words for edge in edges(view, 4, "refers_to")}
    assert set(last) == {1, 2}
    assert "Section 1" in last[1]


def test_edges_carry_weights_and_words(view: View) -> None:
    for path in walk(view, PageRef(HALDEN, 1), hops=2, width=8):
        for edge in path.edges:
            assert 0 < edge.weight <= 1
            assert edge.words


def test_pages_of_one_section_are_joined_by_its_outline_or_headings(tmp_path: Path) -> None:
    for outlined in (True, False):
        name = "outlined" if outlined else "headed"
        write_sections(tmp_path / f"{name}.pdf", outlined=outlined)
    with Library(tmp_path / "library") as library:
        library.add([tmp_path / "outlined.pdf", tmp_path / "headed.pdf"])
        seen = library.view()
        for name in ("outlined", "headed"):
            paths = walk(seen, PageRef(name, 2), relations=["section"])
            found = {path.end.page: path.edges[0].words for path in paths}
            assert "Fishing grounds" in found[3]
            # By its outline a section may end on the page that the next one starts on.
            assert set(found) <= ({1, 3, 4} if name == "outlined" else {3})


def write_sections(path: Path, *, outlined: bool) -> None:
    """Write four pages: a summary, a section that fills two, and another section."""
    sheet = Canvas(str(path))
    titles = {1: "Summary", 2: "Fishing grounds of the north", 4: "Harbours of the south"}
    for page in range(1, 5):
        if page in titles:
            sheet.setFont("Helvetica-Bold", 20)
            sheet.drawString(72, 760, titles[page])
            if outlined:
                sheet.bookmarkPage(titles[page])
                sheet.addOutlineEntry(titles[page], titles[page])
        sheet.setFont("Helvetica", 11)
        for line in range(30):
            words = f"On page {page} the report speaks of boats, nets and crews, line {line}."
            sheet.drawString(72, 720 - 16 * line, words)
        sheet.showPage()
    sheet.save()


def test_similar_pages_are_other_pages_of_the_view_by_cosine(view: View) -> None:
    found = edges(view, 3, "similar")
    assert found
    assert found[0].target == PageRef("Halden_2022_annual_report", 3)
    weights = [edge.weight for edge in found]
    assert weights == sorted(weights, reverse=True)
    assert PageRef(HALDEN, 3) not in [edge.target for edge in found]
    assert " ~ " in found[0].words


def test_a_walk_of_two_hops_avoids_cycles_and_multiplies_weights(view: View) -> None:
    paths = walk(view, PageRef(HALDEN, 1), relations=["refers_to", "next"], hops=2, width=10)
    ends = [path.end for path in paths]
    assert len(ends) == len(set(ends))
    assert PageRef(HALDEN, 1) not in ends
    for path in paths:
        product = 1.0
        for edge in path.edges:
            product *= edge.weight
        assert path.score == pytest.approx(product, abs=1e-6)
        for earlier, later in zip(path.edges, path.edges[1:], strict=False):
            assert earlier.target == later.source
    assert [path.score for path in paths] == sorted((p.score for p in paths), reverse=True)


def test_a_query_puts_pages_near_it_first(view: View) -> None:
    start = PageRef(HALDEN, 1)
    paths = walk(view, start, relations=["refers_to"], query="cost of the new plant, note 3")
    assert paths[0].end.page == 3
    paths = walk(view, start, relations=["refers_to"], query="table of key figures and revenue")
    assert paths[0].end.page == 2


def test_walks_are_deterministic(view: View) -> None:
    start = PageRef(HALDEN, 2)
    first = walk(view, start, hops=3, width=4, query="debt")
    assert first == walk(view, start, hops=3, width=4, query="debt")


def test_width_bounds_the_paths_of_a_hop(view: View) -> None:
    paths = walk(view, PageRef(HALDEN, 1), hops=2, width=2)
    assert len([path for path in paths if len(path.edges) == 1]) <= 2
    assert len(paths) <= 4


def test_wrong_arguments_are_refused(view: View) -> None:
    with pytest.raises(ConfigError, match="unknown relation 'sideways'"):
        edges(view, 1, "sideways")
    with pytest.raises(ConfigError, match=f"allowed are 1 to {MAX_HOPS}"):
        walk(view, PageRef(HALDEN, 1), hops=4)
    with pytest.raises(LibraryError, match="page 9 does not exist"):
        walk(view, PageRef(HALDEN, 9))


def test_documents_outside_the_view_change_no_walk(pdf_folder: Path, tmp_path: Path) -> None:
    files = sorted(pdf_folder.glob("*.pdf"))
    with Library(tmp_path / "library") as library:
        library.add(files[:2], labels={"open"})
        before = walk(library.view(labels={"open"}), PageRef(HALDEN, 1), hops=3, query="debt")
        library.add(files[2:], labels={"secret"})
        after = walk(library.view(labels={"open"}), PageRef(HALDEN, 1), hops=3, query="debt")
        everything = walk(library.view(), PageRef(HALDEN, 1), hops=3, query="debt", width=20)
    assert before == after
    assert any(path.end.name.startswith("Orrin") for path in everything)


def test_a_removed_document_is_reached_no_more(pdf_folder: Path, tmp_path: Path) -> None:
    files = sorted(pdf_folder.glob("Halden*.pdf"))
    with Library(tmp_path / "library") as library:
        library.add(files)
        start = PageRef(HALDEN, 3)
        assert {p.end.name for p in walk(library.view(), start, relations=["similar"])} != {HALDEN}
        library.remove(files[1].name)
        left = walk(library.view(), start, relations=["similar"])
        assert {path.end.name for path in left} == {HALDEN}


def test_the_page_graph_is_given_to_networkx(view: View) -> None:
    network = view.page_graph()
    pages = {f"{d.name}:{page}" for d in view.documents() for page in range(1, d.pages + 1)}
    assert set(network) == pages
    assert network.nodes[f"{HALDEN}:3"]["page"] == 3
    assert network.nodes[f"{HALDEN}:3"]["source"] == view.document(HALDEN).source
    referred = network.get_edge_data(f"{HALDEN}:1", f"{HALDEN}:3", "refers_to")
    assert referred["relation"] == "refers_to"
    assert "Note 3" in referred["words"]
    assert 0 < referred["weight"] <= 1
    assert {key for _, _, key in network.edges(keys=True)} >= {"next", "similar", "refers_to"}
    assert all(words for _, _, words in network.edges(data="words"))


def test_a_part_of_the_page_graph_is_given_to_networkx(view: View) -> None:
    network = view.page_graph(["similar"], most=1)
    assert {key for _, _, key in network.edges(keys=True)} == {"similar"}
    assert max(degree for _, degree in network.out_degree()) == 1
    narrow = view.without([f"{HALDEN}:3"]).page_graph()
    assert f"{HALDEN}:3" not in narrow
    assert f"{HALDEN}:2" in narrow


def test_a_library_gives_its_page_graph(library: Library) -> None:
    assert set(library.page_graph(["next"])) == set(library.view().page_graph(["previous"]))


def test_wrong_arguments_of_the_page_graph_are_refused(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="unknown relation 'sideways'"):
        view.page_graph(["sideways"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="most is 0"):
        view.page_graph(most=0)
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ConfigError, match="pip install networkx"):
        view.page_graph()
