"""Visual search: pages encoded by a tiny model with random weights, and ranking by planted vectors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from page_models import write_page_model
from pagehop.library.library import Library
from pagehop.types import FULL_PAGE

WritePage = Callable[..., None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ColPali."""
    return write_page_model(tmp_path_factory.mktemp("models") / "Tiny ColPali")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP."""
    return write_page_model(tmp_path_factory.mktemp("models") / "clip", "clip")


@pytest.fixture
def folder(tmp_path: Path, write_page: WritePage) -> Path:
    """Three documents of a page each."""
    for name, words in (("alpha", "hydrogen " * 40), ("beta", "Ammonia."), ("gamma", "x " * 900)):
        write_page(tmp_path / "in" / f"{name}.pdf", words)
    return tmp_path / "in"


def best(library: Library, query: str = "an engine", **options: object) -> list[str]:
    hits = library.view().search(query, mode="visual", **options)  # type: ignore[arg-type]
    assert all(hit.found_by == ("visual",) and hit.box == FULL_PAGE for hit in hits)
    return [hit.name for hit in hits]


def test_pages_are_found_by_their_pictures(folder: Path, model: Path) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        report = library.add(folder)
        assert not report.warnings
        status = library.status()
        assert status.pages_seen == status.pages == 3 and status.complete
        assert status.page_encoder.startswith("tiny_colpali_")
        view = library.view()
        hits = view.search("an engine", mode="visual")
        assert {hit.name for hit in hits} == {"alpha", "beta", "gamma"}
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert (
            hits.embedded == 1.0
            and not hits.note
            and "Ammonia" in view.search("x", mode="visual", documents=["beta"])[0].text
        )
        query = view.page_encoder.encode_query("an engine")
        for hit in hits:
            page = view.page_encoder.encode_pages(
                [view.crop(hit.ref, max_pixels=view.page_encoder.pixels)]
            )[0]
            assert hit.score == pytest.approx((query @ page.T).max(axis=1).mean(), abs=2e-3)
        assert best(library, k=1) == [hits[0].name]
        assert best(library, pages=[2]) == []
