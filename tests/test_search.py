"""Search over a view: what is found, in which order, and what is said when something is missing."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pagehop.errors import ConfigError, LibraryError
from pagehop.finding import meaning
from pagehop.finding import search as search_module
from pagehop.finding.bm25 import K1, B
from pagehop.finding.candidates import Found
from pagehop.finding.meaning import FRESH_AT_ONCE
from pagehop.finding.search_memo import NEIGHBOURS, SearchMemo
from pagehop.finding.terms import tokens
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import Mode, Region

WritePage = Callable[..., None]
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")


def passages_of(view: View) -> list[Region]:
    return [p for d in view.documents() for p in view.snapshot.regions(d.id, kinds=["passage"])]


def slow_bm25(query: str, passage: Region, corpus: list[Region]) -> float:
    """BM25 straight from its formula."""
    texts = [tokens(p.search_text) for p in corpus]
    mean = sum(map(len, texts)) / len(texts)
    own = tokens(passage.search_text)
    score = 0.0
    for term in set(tokens(query)):
        df = sum(term in text for text in texts)
        idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        tf = own.count(term)
        score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(own) / mean))
    return score


@pytest.fixture(scope="module")
def growing(library: Library) -> tuple[View, View]:
    """The first version whose documents are not read yet, and the last without any vector."""
    views = [library.at(version) for version in range(1, library.version + 1)]
    unread = next(v for v in views if v.documents() and v.snapshot.unread())
    bare = [v for v in views if v.snapshot.passages() and v.snapshot.embedded() == 0]
    return unread, bare[-1]


@pytest.mark.parametrize("mode", MODES)
def test_the_filing_and_page_that_a_question_names_come_first(view: View, mode: Mode) -> None:
    hit = view.search("Orrin Textiles 2022 capital expenditure new plant", mode=mode)[0]
    assert hit.name.startswith("Orrin_2022")


def test_meaning_finds_what_words_do_not(view: View) -> None:
    question = "how many workers were on the payroll of the clothing maker"
    assert view.search(question, mode="semantic")[0].name.startswith("Orrin")
    assert view.search(question)[0].name.startswith("Orrin")


@pytest.mark.parametrize("mode", MODES)
def test_each_page_is_hit_once_and_scores_fall(view: View, mode: Mode) -> None:
    hits = view.search("revenue and capital expenditure of the year", mode=mode, k=12)
    assert len(hits) > 4
    assert len({hit.ref for hit in hits}) == len(hits)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert hits.embedded == 1.0 and hits.note == ""


def test_a_hit_is_a_passage_of_its_page_and_says_who_found_it(view: View) -> None:
    for hit in view.search("capital expenditure Note 3"):
        region = view.region(hit.region)
        assert (region.text, region.box, region.page) == (hit.text, hit.box, hit.page)
        assert hit.kind == region.parent_kind
        assert hit.found_by and set(hit.found_by) <= set(hit.scores) == {"keyword", "semantic"}
        assert view.document(hit.document).name == hit.name
        assert tuple(hit.ranks) == hit.found_by and min(hit.ranks.values()) >= 1


def test_the_rank_of_a_page_is_its_place_among_the_pages_of_each_retriever(view: View) -> None:
    query = "capital expenditure of Halden Marine"
    keyword = [hit.ref for hit in view.search(query, mode="keyword", k=16)]
    for hit in view.search(query, k=16):
        if "keyword" in hit.ranks:
            assert keyword[hit.ranks["keyword"] - 1] == hit.ref


def test_keyword_scores_are_bm25_over_the_visible_passages(view: View) -> None:
    query = "capital expenditure of Halden Marine in 2021"
    corpus = passages_of(view)
    for hit in view.search(query, mode="keyword", k=20):
        same_page = [p for p in corpus if (p.document, p.page) == _page_of(view, hit.region)]
        best = max(slow_bm25(query, passage, corpus) for passage in same_page)
        assert hit.score == pytest.approx(best)


def test_within_one_document_scores_are_those_among_all(view: View) -> None:
    """Counts of the document alone made a word that is rare in it by chance all that counted."""
    query = "revenue crowns capital expenditure"
    name = view.documents()[0].name
    corpus = passages_of(view)
    hits = view.search(query, mode="keyword", documents=[name], k=20)
    expected: dict[int, float] = {}
    for passage in corpus:
        score = slow_bm25(query, passage, corpus)
        if score > 0 and passage.document == view.document(name).id:
            expected[passage.page] = max(score, expected.get(passage.page, 0.0))
    assert {hit.page: hit.score for hit in hits} == pytest.approx(expected)


def test_within_one_document_the_best_by_both_signals_is_found_at_any_depth(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was among the first hundred of neither signal in a report of 1,800 passages."""
    queries = ["debt of the year", "revenue crowns", "new plant capital", "risk of the market"]
    names = [[document.name] for document in view.documents()]
    asked = [(query, name) for query in queries for name in names]
    deep = [view.search(query, documents=name, k=8)[0].ref for query, name in asked]
    monkeypatch.setattr(search_module, "DEPTH", 1)
    assert [view.search(query, documents=name, k=1)[0].ref for query, name in asked] == deep


def test_within_one_document_a_page_that_no_signal_brought_says_how_it_is_ranked(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the first hundred passages of both signals a page said that nothing had found it."""
    monkeypatch.setattr(search_module, "Found", lambda depth: Found(depth=1))
    hits = view.search("capital expenditure", documents=[view.documents()[0].name], k=20)
    assert len(hits) > 2
    assert all(hit.found_by and hit.found_by == tuple(hit.ranks) for hit in hits)


def test_a_word_that_asks_for_an_amount_is_not_looked_for(
    tmp_path: Path, write_page: WritePage
) -> None:
    write_page(tmp_path / "a.pdf", "The fleet of the harbour has nine tugs.")
    write_page(tmp_path / "b.pdf", "For many years the pilots waited long hours; many left.")
    with Library(tmp_path / "library") as library:
        library.add([tmp_path / "a.pdf", tmp_path / "b.pdf"])
        found = {
            query: [hit.name for hit in library.search(query, mode="keyword")]
            for query in (
                "How many tugs are there?",
                "many tugs",
                "how many",
                "how long hours",
                "how long-winded",
            )
        }
    assert found["How many tugs are there?"] == ["a"]
    assert set(found["many tugs"]) == {"a", "b"}
    assert found["how many"] == ["b"], "nothing else is asked for"
    assert found["how long hours"] == ["b"]
    assert found["how long-winded"] == ["b"], "here it does not ask"


def test_scores_do_not_depend_on_partitions(pdf_folder: Path, tmp_path: Path) -> None:
    paths = sorted(pdf_folder.glob("*.pdf"))[:2]
    with Library(tmp_path / "one") as one, Library(tmp_path / "two") as two:
        one.add(paths)
        two.add(paths[0], labels={"finance"})
        two.add(paths[1], labels={"board"})
        for mode in MODES:
            whole, parts = (
                [(h.name, h.page, h.score) for h in made.search("capital expenditure", mode=mode)]
                for made in (one, two)
            )
            assert whole == parts


def test_filters_hold(view: View) -> None:
    query = "revenue and expenditure"
    chosen = view.documents()[1]
    for mode in MODES:
        for name in (chosen.name, chosen.source):
            hits = view.search(query, mode=mode, documents=[name])
            assert hits and {hit.name for hit in hits} == {chosen.name}
        assert {h.page for h in view.search(query, mode=mode, pages=range(2, 4))} == {2, 3}
        assert {h.kind for h in view.search(query, mode=mode, kinds=["table"])} == {"table"}
        assert view.search(query, mode=mode, documents=[]) == []


def test_metadata_filters_by_equality(tmp_path: Path, write_page: WritePage) -> None:
    write_page(tmp_path / "a.pdf", "The harbour was dredged in spring.")
    write_page(tmp_path / "b.pdf", "The harbour was closed in autumn.")
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "a.pdf", metadata={"year": 2021})
        library.add(tmp_path / "b.pdf", metadata={"year": 2022})
        for mode in MODES:
            hits = library.search("harbour", mode=mode, metadata={"year": 2022})
            assert [hit.name for hit in hits] == ["b"]
        assert library.search("harbour", metadata={"year": 2022, "seat": "Porto"}) == []


def test_a_narrowed_view_finds_only_its_own(view: View) -> None:
    name = view.documents()[2].name
    for mode in MODES:
        assert {h.name for h in view.within([name]).search("revenue", mode=mode)} == {name}


@pytest.mark.parametrize("query", ["of the and", "zyzzyva quetzalcoatl"])
def test_words_that_are_nowhere_find_nothing(view: View, query: str) -> None:
    assert view.search(query, mode="keyword") == []


@pytest.mark.parametrize("query", ["", "   "])
@pytest.mark.parametrize("mode", MODES)
def test_an_empty_query_is_refused(view: View, query: str, mode: Mode) -> None:
    with pytest.raises(ConfigError, match="give some words"):
        view.search(query, mode=mode)


def test_wrong_arguments_say_what_is_allowed(view: View) -> None:
    with pytest.raises(ConfigError, match="keyword, semantic, visual, hybrid"):
        view.search("revenue", mode="acoustic")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"unknown kinds \['graph'\]"):
        view.search("revenue", kinds=["graph", "table"])
    with pytest.raises(ConfigError, match="at least 1"):
        view.search("revenue", k=0)
    with pytest.raises(LibraryError, match="Halden"):
        view.search("revenue", documents=["Haldn_2021_annual_report"])
    with pytest.raises(ConfigError, match="weighted, rrf"):
        view.search("revenue", fusion="votes")


def test_equal_scores_are_in_order_of_document_id(tmp_path: Path, write_page: WritePage) -> None:
    for name in ("north", "south", "west", "east"):
        write_page(tmp_path / f"{name}.pdf", "The harbour was dredged.", title="Harbour")
    with Library(tmp_path / "library") as library:
        library.add(sorted(tmp_path.glob("*.pdf")))
        hits = library.search("harbour dredged", mode="keyword")
        ids = [library.view().document(hit.name).id for hit in hits]
    assert len({hit.score for hit in hits}) == 1
    assert len(ids) == 4 and ids == sorted(ids)


def test_a_search_is_the_same_again_and_writes_nothing(library: Library) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in sorted(library.path.rglob("*"))}

    before = files()
    for mode in MODES:
        first = library.search("new plant cost", mode=mode)
        assert list(library.search("new plant cost", mode=mode)) == list(first)
    assert files() == before


def test_pages_are_found_before_they_are_read_into_passages(growing: tuple[View, View]) -> None:
    unread, _ = growing
    for mode in ("keyword", "hybrid"):
        hits = unread.search("Halden Marine capital expenditure 2022", mode=mode)
        assert hits[0].name.startswith("Halden")
        assert hits[0].kind == "page" and hits[0].region == ""
        assert all(word in unread.page(hits[0].ref).text for word in hits[0].text.split())
    assert hits.embedded == 0.0 or unread.snapshot.passages() == 0


def test_passages_without_a_vector_are_embedded_in_memory(
    library: Library, growing: tuple[View, View]
) -> None:
    _, bare = growing
    query = "capital expenditure of Halden Marine"
    version = library.version
    for mode in ("semantic", "hybrid"):
        hits = bare.search(query, mode=mode)
        assert hits.embedded == 0.0 and "no vector yet" in hits.note
        assert hits[0].name.startswith("Halden") and "semantic" in hits[0].scores
    known = {h.region: h.scores["semantic"] for h in library.search(query, k=50)}
    for hit in bare.search(query, k=50):
        if hit.region in known and "semantic" in hit.scores:
            assert hit.scores["semantic"] == pytest.approx(known[hit.region], abs=1e-4)
    assert library.version == version


def test_a_search_embeds_the_best_few_when_time_is_up(
    growing: tuple[View, View], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen took 10 s behind the batches of a writer."""
    _, bare = growing
    monkeypatch.setattr(bare.snapshot, "memo", SearchMemo())
    monkeypatch.setattr("pagehop.finding.meaning.FRESH_S", 0.0)
    hits = bare.search("capital expenditure of the plant", k=50)
    embedded = [hit for hit in hits if "semantic" in hit.scores]
    assert 0 < len(embedded) <= FRESH_AT_ONCE < len(hits)
    assert "found by their words" in hits.note
    again = bare.search("capital expenditure of the plant", k=50)
    assert len([hit for hit in again if "semantic" in hit.scores]) > len(embedded)


def test_context_is_the_vector_of_a_passage_and_its_neighbours(view: View) -> None:
    block = view.snapshot.vectors()
    rows = view.snapshot.memo.rows(block)
    query = block.matrix[3]
    got = rows.in_context(block.matrix @ query)
    regions = view.snapshot.regions_by_id(block.ids)
    for i, id in enumerate(block.ids):
        own = regions[id]
        page = sorted(
            (r for r in regions.values() if (r.document, r.page) == (own.document, own.page)),
            key=lambda region: region.order,
        )
        at = page.index(own)
        near = page[max(at - 1, 0) : at] + page[at + 1 : at + 2]
        vector = block.matrix[i] + NEIGHBOURS * sum(
            (block.matrix[block.ids.index(r.id)] for r in near), np.zeros_like(query)
        )
        assert got[i] == pytest.approx(vector @ query / np.linalg.norm(vector), abs=1e-5)


def _page_of(view: View, region: str) -> tuple[str, int]:
    found = view.region(region)
    return found.document, found.page


def test_beyond_what_is_scanned_the_index_finds_the_same(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, names = "cost of the new plant", [view.documents()[0].name]
    scanned = [
        view.search(query, mode="semantic", k=5, documents=documents) for documents in (None, names)
    ]
    monkeypatch.setattr(meaning, "SCANNED", 0)
    for hits, documents in zip(scanned, (None, names), strict=True):
        found = view.search(query, mode="semantic", k=5, documents=documents)
        assert [hit.ref for hit in found] == [hit.ref for hit in hits]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in hits], abs=1e-4)
    assert view.search(query)[0].found_by


def test_searches_of_many_threads_are_those_of_one(view: View) -> None:
    queries = [
        f"{word} of {year}" for word in ("revenue", "plant", "debt") for year in (2021, 2022)
    ]
    expected = [list(view.search(query)) for query in queries]
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(lambda query: list(view.search(query)), queries * 4))
    assert got == expected * 4


def test_full_text_brings_each_passage_once_and_from_memory_as_from_disk(
    tmp_path: Path, write_page: WritePage
) -> None:
    write_page(tmp_path / "open" / "one.pdf", "Hydrogen in the harbour.")
    write_page(tmp_path / "secret" / "two.pdf", "Hydrogen in the harbour. Engine.")
    copied = (tmp_path / "open" / "one.pdf").read_bytes()
    (tmp_path / "secret" / "one.pdf").write_bytes(copied)  # stands in both partitions
    with Library(tmp_path / "lib") as library:
        library.add(tmp_path / "open")
        library.add(tmp_path / "secret", labels={"secret"})
        for labels, documents in (((), 1), ({"secret"}, 2)):
            snapshot = library.view(labels=labels).snapshot
            first = snapshot.match("hydrogen harbour", limit=10)
            again = snapshot.match("hydrogen harbour", limit=10)
            assert again == first
            assert len(first) == len({m.region_id for m in first}) == documents
            assert list(snapshot.regions_by_id(m.region_id for m in first)) == [
                m.region_id for m in first
            ]
            ranks = [(-m.score, m.document, m.page) for m in first]
            assert ranks == sorted(ranks)
