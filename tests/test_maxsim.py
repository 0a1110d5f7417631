"""Page vectors compared: against a slow form, with planted needles and near-duplicates."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pagehop.finding import visual_search
from pagehop.finding.candidates import Scope
from pagehop.finding.visual_search import rank_pages
from pagehop.library import picture_vectors
from pagehop.library.manifest import Manifest
from pagehop.library.page_codes import codes_path, read_codes, write_codes
from pagehop.library.picture_vectors import PictureVectors, make_codes, page_vector_rows
from pagehop.library.store import Commit, Store
from pagehop.library.tables import PAGE_VECTORS
from pagehop.models.lead_vectors import ALIKE, choose_leads
from pagehop.models.maxsim import Vectors, compare, exact, scan, to_codes
from pagehop.models.vector_pruning import prune

DIM, PAGES, COUNT, NEEDLES = 64, 20, 48, 2
EVERYTHING = Scope(None, None, None)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def slow_maxsim(query: Vectors, page: Vectors) -> float:
    return float(np.mean([max(float(token @ row) for row in page) for token in query]))


class Planted:
    """Six documents of 20 pages: shared looks, needles of each page's own, near-duplicates."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        looks = unit(rng.normal(size=(12, DIM)))
        self.pages: dict[tuple[str, int], Vectors] = {}
        for i in range(6):
            for page in range(1, PAGES + 1):
                made = looks[rng.integers(0, 12, COUNT)] + 0.06 * rng.normal(size=(COUNT, DIM))
                made[:NEEDLES] = rng.normal(size=(NEEDLES, DIM)) / DIM**0.5
                if page in (5, 6):  # a revised page 4
                    made = self.pages[f"d{i}", 4] + 0.03 * rng.normal(size=(COUNT, DIM))
                self.pages[f"d{i}", page] = unit(made).astype(np.float16).astype(np.float32)
        self.queries = {}
        for place in [(f"d{i}", page) for i in range(6) for page in (1, 4, 17)]:
            asked = np.concatenate([self.pages[place][:NEEDLES], looks[:6]])
            self.queries[place] = unit(asked + 0.05 * rng.normal(size=asked.shape))

    def best(self, query: Vectors, n: int) -> list[tuple[str, int]]:
        scores = {place: slow_maxsim(query, rows) for place, rows in self.pages.items()}
        return sorted(scores, key=lambda place: (-scores[place], place))[:n]

    def write(self, folder: Path, *, codes: bool = True) -> PictureVectors:
        """Put them into a library's table."""
        store, name = Store(folder), PAGE_VECTORS + "planted"
        commit = Commit(store, Manifest())
        documents = {f"d{i}": ("public", PAGES) for i in range(6)}
        for document in documents:
            pages = range(1, PAGES + 1)
            vectors = [self.pages[document, page] for page in pages]
            rows = page_vector_rows(document, pages, vectors, DIM)
            commit.append((), name, rows)
            if codes:
                write_codes(codes_path(folder, "planted", document), make_codes(rows))
        commit.tidy([name])
        manifest = commit.finish()
        versions = {"public": manifest.partitions["public"].tables[name]}
        return PictureVectors(store, "planted", versions, documents)


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


def test_scan_and_exact_agree_with_the_slow_form() -> None:
    rng = np.random.default_rng(0)
    counts = [7, 7, 0, 3, 3, 3, 40, 1]
    pages = [unit(rng.normal(size=(n, 24))) if n else np.zeros((0, 24), np.float32) for n in counts]
    query = unit(rng.normal(size=(5, 24)))
    true = [slow_maxsim(query, page) if len(page) else -np.inf for page in pages]
    assert exact(query, pages) == pytest.approx(true, abs=1e-6)
    codes = to_codes(
        np.arange(1, 9, dtype=np.int32), np.array(counts, np.int32), np.concatenate(pages)
    )
    wanted = np.array(true)[codes.pages - 1]
    (found,) = scan(query, [codes])
    np.testing.assert_allclose(found, wanted, atol=0.01)
    (led,) = scan(query, [codes], leads=True)
    assert (led <= found + 1e-6).all() and (
        led[codes.leads == codes.counts] == found[codes.leads == codes.counts]
    ).all()
    some = np.flatnonzero(codes.counts)[[5, 0, 6]]
    (roughly,) = compare(query, [codes], [some])
    np.testing.assert_allclose(roughly, found[some], atol=1e-6)
    (finely,) = compare(query, [codes], [some], fine=True)
    np.testing.assert_allclose(finely, wanted[some], atol=2e-5)
    assert exact(query, []) == []


def test_leads_hold_what_stands_alone_and_all_of_a_page_on_which_nothing_repeats() -> None:
    rng = np.random.default_rng(2)
    alone = unit(rng.normal(size=(3, 32)))
    looks = unit(rng.normal(size=(6, 32)))[rng.integers(0, 6, 157)]
    page = unit(np.concatenate([looks + 0.03 * rng.normal(size=looks.shape), alone]))
    leads = choose_leads(page)
    assert len(leads) == len(set(leads.tolist())) == len(page) // 8
    assert {157, 158, 159} < set(leads.tolist())
    assert (page @ page[leads].T).max(axis=1).min() >= ALIKE
    nothing_repeats = unit(rng.normal(size=(160, 128)))
    assert sorted(choose_leads(nothing_repeats).tolist()) == list(range(160))
    same = np.repeat(alone[:1], 64, axis=0)
    assert len(set(choose_leads(same).tolist())) == 8
    assert len(choose_leads(page[:5])) == 5 and len(choose_leads(page[:0])) == 0


def test_a_page_on_which_nothing_repeats_is_found_among_many_that_repeat_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed share of each page's vectors loses it: then this fails."""
    monkeypatch.setattr(visual_search, "LED", 0)
    monkeypatch.setattr(visual_search, "ROUGHLY", 3)
    monkeypatch.setattr(visual_search, "RANKED", 1)
    monkeypatch.setattr(visual_search, "RANKED_VECTORS", 1)
    rng = np.random.default_rng(4)
    planted = Planted()
    looks = unit(rng.normal(size=(12, DIM)))
    for place in planted.pages:
        planted.pages[place] = unit(
            looks[rng.integers(0, 12, COUNT)] + 0.06 * rng.normal(size=(COUNT, DIM))
        )
    dense = ("d3", 9)
    planted.pages[dense] = unit(rng.normal(size=(COUNT, DIM)))
    known = planted.write(tmp_path)
    for at in range(0, COUNT, 6):
        asked = np.concatenate([planted.pages[dense][at : at + 6], looks[:4]])
        (best,) = rank_pages(known, asked, EVERYTHING, 1)
        assert (best.document, best.page) == dense


def test_many_vectors_are_shared_by_threads() -> None:
    rng = np.random.default_rng(1)
    query = unit(rng.normal(size=(4, 16)))
    flat = unit(rng.normal(size=(300 * 200, 16)))
    codes = to_codes(np.arange(300, dtype=np.int32), np.full(300, 200, np.int32), flat)
    (alone,) = scan(query, [codes])
    together = scan(query, [codes] * 5)
    assert len(together) == 5 and all((scores == alone).all() for scores in together)


def test_needles_are_found_and_near_duplicates_come_in_their_order(
    planted: Planted, tmp_path: Path
) -> None:
    known = planted.write(tmp_path)
    for place, query in planted.queries.items():
        found = rank_pages(known, query, EVERYTHING, 5)
        places = [(seen.document, seen.page) for seen in found]
        assert places[0] == place and places == planted.best(query, 5)
        assert found[0].score == pytest.approx(slow_maxsim(query, planted.pages[place]), abs=1e-4)


def test_scopes_and_missing_codes(planted: Planted, tmp_path: Path) -> None:
    known = planted.write(tmp_path, codes=False)
    query = planted.queries["d2", 4]
    some = rank_pages(known, query, Scope(frozenset({"d1", "d3"}), None, None), 99)
    assert {seen.document for seen in some} == {"d1", "d3"} and len(some) == 2 * PAGES
    pages = rank_pages(known, query, Scope(None, None, frozenset({4, 5})), 99)
    assert {seen.page for seen in pages} == {4, 5} and pages[0].document == "d2"


def test_beyond_what_is_scanned_the_index_brings_candidates(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_vectors, "SCANNED", 1_000)
    known = planted.write(tmp_path, codes=False)
    assert known.in_scope(None) == ([], ["public"])
    assert known.in_scope({"d2"}) == (["d2"], [])
    for place, query in planted.queries.items():
        found = rank_pages(known, query, EVERYTHING, 3)
        assert (found[0].document, found[0].page) == place
    several = Scope(frozenset({"d1", "d2"}), None, frozenset({4, 17}))
    found = rank_pages(known, planted.queries["d2", 17], several, 9)
    assert (found[0].document, found[0].page) == ("d2", 17)
    assert {(seen.document, seen.page) for seen in found} <= {
        (id, page) for id in ("d1", "d2") for page in (4, 17)
    }


def test_averages_of_neighbours_lose_needles_that_all_vectors_find(planted: Planted) -> None:
    """Pooling is what makes visual search small and fast elsewhere: it must not be the default."""

    def firsts(of_page: dict[tuple[str, int], Vectors]) -> int:
        count = 0
        for place, query in planted.queries.items():
            scores = exact(query, list(of_page.values()))
            count += list(of_page)[int(np.argmax(scores))] == place
        return count

    pooled = {
        place: unit(rows.reshape(-1, 8, DIM).mean(axis=1)) for place, rows in planted.pages.items()
    }
    kept = {place: prune(rows, 20, "drop") for place, rows in planted.pages.items()}
    assert firsts(planted.pages) == len(planted.queries) == 18
    assert firsts(kept) == 18, "what stands alone on a page is dropped last"
    assert firsts(pooled) < 9


def test_codes_come_back_from_their_file_or_not_at_all(tmp_path: Path) -> None:
    vectors = unit(np.random.default_rng(5).normal(size=(55, 8)))
    codes = to_codes(np.array([1, 2, 3], np.int32), np.array([5, 0, 50], np.int32), vectors)
    path = tmp_path / "some" / "d.codes"
    write_codes(path, codes)
    found = read_codes(path)
    assert found is not None
    for name in ("pages", "counts", "leads", "scales", "values", "fine"):
        assert (getattr(found, name) == getattr(codes, name)).all()
    content = path.read_bytes()
    no_leads = content[:40] + bytes([60]) + content[41:]  # more than vectors
    for broken in (no_leads, b"", content[:20], content[:-1], b"X" + content[1:], content + b"x"):
        path.write_bytes(broken)
        assert read_codes(path) is None
    assert read_codes(tmp_path / "nowhere") is None
    write_codes(path, to_codes(codes.pages, np.zeros(3, np.int32), vectors[:0]))
    empty = read_codes(path)
    assert empty is not None and len(empty.values) == 0
