"""Visual search: pages encoded by tiny models with random weights, and what can go wrong."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL.Image import Image
from reportlab.pdfgen import canvas

from page_models import write_page_model
from pagehop.errors import ConfigError, ModelError
from pagehop.library.library import Library
from pagehop.models import page_encoder
from pagehop.models.maxsim import Vectors
from pagehop.models.page_encoder import PageEncoder
from pagehop.tools.toolset import toolset
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


@pytest.fixture
def picture_page(folder: Path) -> Path:
    """A page that is a drawing, without a word."""
    drawing = canvas.Canvas(str(folder / "drawn.pdf"), pagesize=(400, 500))
    for i in range(12):
        drawing.circle(40 + 25 * i, 60 + 30 * i, 20 + i, fill=i % 2)
    drawing.save()
    return folder / "drawn.pdf"


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pages each call of an encoder was given."""
    calls: list[int] = []
    encode = PageEncoder.encode_pages

    def counting(self: PageEncoder, pictures: Sequence[Image]) -> list[Vectors]:
        calls.append(len(pictures))
        return encode(self, pictures)

    monkeypatch.setattr(PageEncoder, "encode_pages", counting)
    return calls


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


def test_without_page_vectors_visual_search_says_how_to_get_them(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        assert library.status().page_encoder == "" and library.status().complete
        with pytest.raises(ConfigError, match="PAGEHOP_PAGE_ENCODER__MODEL"):
            best(library)


def test_kinds_of_regions_mean_nothing_to_pictures(folder: Path, model: Path) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        with pytest.raises(ConfigError, match="whole pages"):
            best(library, kinds=["table"])


def test_only_new_pages_are_encoded_and_the_library_keeps_its_encoder(
    folder: Path, model: Path, write_page: WritePage, encoded: list[int]
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
    assert sum(encoded) == 3
    write_page(folder / "delta.pdf", "Delta.")
    (folder / "alpha.pdf").unlink()
    with Library(folder) as library:
        library.add(folder)
        assert sum(encoded) == 4
        assert set(best(library)) == {"beta", "gamma", "delta"}
        assert library.status().pages_seen == 3


def test_a_document_outside_the_view_changes_nothing(
    folder: Path, model: Path, write_page: WritePage, tmp_path: Path
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        before = library.view(labels=set()).search("an engine", mode="visual")
        for i in range(3):
            write_page(tmp_path / "secret" / f"s{i}.pdf", "An engine. " * (30 * i + 1))
        library.add(tmp_path / "secret", labels={"board"})
        after = library.view(labels=set()).search("an engine", mode="visual")
        assert repr(list(before)) == repr(list(after)) and after.embedded == before.embedded
        assert len(best(library)) == 6
        narrowed = library.view().within(["s1"]).search("an engine", mode="visual")
        assert [hit.name for hit in narrowed] == ["s1"]


def test_the_same_file_under_two_labels_is_encoded_once(
    folder: Path, model: Path, tmp_path: Path, encoded: list[int]
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".pagehop"))
        library.add(tmp_path / "copy", labels={"board"})
        assert sum(encoded) == 3
        assert len(best(library)) == 3
        assert library.status().pages_seen == 3
        assert len(library.view(labels=set()).search("x", mode="visual")) == 3


def test_another_encoder_takes_over_when_all_its_vectors_are_there(
    folder: Path, model: Path, other: Path
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        first, old = library.status().page_encoder, library.view()
        expected = [hit.score for hit in old.search("an engine", mode="visual")]
    with Library(folder, page_encoder=str(other)) as library:
        assert library.status().page_encoder == first, "until the new vectors are there"
        assert [h.score for h in library.search("an engine", mode="visual")] == expected
        library.add(folder)
        assert library.status().page_encoder.startswith("clip_")
        assert len(best(library)) == 3
        before = library.at(old.version).search("an engine", mode="visual")
        assert [hit.score for hit in before] == expected, "both are kept"
    with Library(folder) as library:
        library.add(folder)
        assert library.status().page_encoder.startswith("clip_"), "the library keeps its encoder"


def test_encoding_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, model: Path, write_page: WritePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tmp_path / "in" / "many.pdf"
    write_page(many, *[f"Page {i}. " + "words " * 700 for i in range(6)])
    library = Library(tmp_path, page_encoder=str(model))
    encode, calls = PageEncoder.encode_pages, list[int]()

    def stopping(self: PageEncoder, pictures: Sequence[Image]) -> list[Vectors]:
        calls.append(len(pictures))
        if len(calls) == 2:
            library._writer.stop(timeout_s=0)
        return encode(self, pictures)

    monkeypatch.setattr(PageEncoder, "encode_pages", stopping)
    library.add(many)
    status = library.status()
    assert 0 < status.pages_seen == sum(calls) < status.pages and not status.complete
    hits = library.search("words", mode="visual")
    assert len(hits) == status.pages_seen and "not been looked at" in hits.note
    library.close()
    with Library(tmp_path) as library:
        library.add(many)
        done = library.status()
        assert done.pages_seen == done.pages == sum(calls)
        assert len(best(library)) == status.pages


def test_codes_that_are_lost_or_cut_are_made_again(folder: Path, model: Path) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        expected = repr(list(library.search("an engine", mode="visual")))
        (first, second, _) = sorted((library.path / "page_codes").rglob("*.codes"))
        whole = first.read_bytes()
    first.unlink()
    second.write_bytes(second.read_bytes()[:-7])
    with Library(folder) as library:
        assert repr(list(library.search("an engine", mode="visual"))) == expected
        library.add(folder)
        assert first.read_bytes() == whole and len(second.read_bytes()) > 100
        assert repr(list(library.search("an engine", mode="visual"))) == expected


def test_a_damaged_table_is_made_again(folder: Path, model: Path, encoded: list[int]) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        (table,) = (library.path / "tables" / "public").glob("page_vectors_*")
        for file in (table / "data").iterdir():
            file.write_bytes(b"nothing")
    with Library(folder) as library:
        found = library.check()
        assert any("page_vectors_" in problem for problem in found.problems)
        library.add(folder)
        assert sum(encoded) == 6 and len(best(library)) == 3


def test_a_page_that_renders_to_nothing_is_said_and_not_tried_again(
    folder: Path, model: Path, encoded: list[int]
) -> None:
    with Library(folder) as library:
        library.add(folder)
        gone = library.view().document("beta").id
        copy = library.path / "sources" / f"{gone}.pdf"
        content = copy.read_bytes()
        copy.write_bytes(b"no longer a PDF")
    with Library(folder, page_encoder=str(model)) as library:
        report = library.add(folder)
        (warning,) = report.warnings
        assert warning.startswith("beta.pdf: page 1 cannot be found by sight")
        assert set(best(library)) == {"alpha", "gamma"} and library.status().complete
        copy.write_bytes(content)
        assert not library.add(folder).warnings and sum(encoded) == 2


def test_an_encoder_that_is_not_there_is_said_and_all_else_works(
    folder: Path, tmp_path: Path
) -> None:
    with Library(folder, page_encoder=str(tmp_path / "nowhere")) as library:
        report = library.add(folder)
        (warning,) = report.warnings
        assert "no visual search" in warning and "neither a folder nor a hub id" in warning
        assert library.search("Ammonia")[0].name == "beta"


def test_an_encoder_that_has_changed_is_refused(folder: Path, model: Path, tmp_path: Path) -> None:
    changed = tmp_path / "model"
    shutil.copytree(model, changed)
    with Library(folder, page_encoder=str(changed)) as library:
        library.add(folder)
    write_page_model(tmp_path / "new", "clip")
    shutil.rmtree(changed)
    shutil.move(tmp_path / "new", changed)
    page_encoder._open.cache_clear()
    with Library(folder) as library:
        with pytest.raises(ModelError, match="has changed since"):
            best(library)
        library.add(folder)
        assert len(best(library)) == 3, "made anew"


def test_no_more_vectors_are_made_when_told_so(
    folder: Path, model: Path, write_page: WritePage, encoded: list[int]
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
    write_page(folder / "delta.pdf", "Delta.")
    with Library(folder, page_encoder="none") as library:
        library.add(folder)
        assert sum(encoded) == 3
        hits = library.search("an engine", mode="visual")
        assert len(hits) == 3 and "25% of the pages" in hits.note


def test_a_library_read_again_keeps_its_page_vectors(
    folder: Path, model: Path, encoded: list[int]
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
    manifest = library.path / "manifest.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"parser": said["parser"] - 1}))
    with Library(folder) as library:
        assert any("read again" in words for words in library.add(folder).warnings)
        assert sum(encoded) == 3 and len(best(library)) == 3 and library.status().complete


def test_hybrid_search_finds_pages_without_words_by_their_pictures(
    folder: Path, model: Path, picture_page: Path
) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        view = library.view()
        hits = view.search("hydrogen")
        assert hits[0].name == "alpha" and set(hits[0].found_by) == {
            "keyword", "semantic", "visual",
        }  # fmt: skip
        drawn = next(hit for hit in hits if hit.name == "drawn")
        assert drawn.found_by == ("visual",) and drawn.kind == "page" and drawn.box == FULL_PAGE
        assert drawn.crop(max_pixels=10_000).size[0] > 1
        plain = view.search("hydrogen", pictures=False)
        assert "drawn" not in [hit.name for hit in plain]
        assert not any("visual" in hit.found_by for hit in plain)
        assert not any("visual" in hit.found_by for hit in view.search("x", kinds=["text"]))


def test_an_encoder_that_cannot_be_loaded_leaves_hybrid_search_with_a_note(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "model"
    shutil.copytree(model, moved)
    with Library(folder, page_encoder=str(moved)) as library:
        library.add(folder)
    page_encoder._open.cache_clear()
    shutil.rmtree(moved)
    with Library(folder) as library:
        hits = library.search("hydrogen")
        assert hits[0].name == "alpha" and "not found by their pictures" in hits.note
        with pytest.raises(ModelError, match="neither a folder nor a hub id"):
            best(library)


def test_the_tool_names_page_and_box(folder: Path, model: Path, picture_page: Path) -> None:
    with Library(folder, page_encoder=str(model)) as library:
        library.add(folder)
        tool = next(t for t in toolset(library.view()) if t.name == "semantic_search")
        said = tool.invoke({"query": "hydrogen", "by": "image"})
        assert "[drawn:1] page | found by its picture" in said
        assert "(look(drawn:1, 0, 0, 1, 1) shows the page)" in said
        assert "found by its picture" in tool.invoke({"query": "hydrogen", "by": "both"})
        assert "found by its picture" not in tool.invoke({"query": "hydrogen"})
        refused = tool.invoke({"query": "hydrogen", "by": "image", "kinds": "table"})
        assert 'drop kinds, or use by="both"' in refused
