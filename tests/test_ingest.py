"""Adding a folder again: what is new, changed, gone, renamed or labelled otherwise."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pagehop.errors import ConfigError, LibraryError
from pagehop.library.library import Library, LibraryStatus
from pagehop.types import PageRef

WritePage = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, write_page: WritePage) -> Path:
    """Two documents of a page each."""
    made = tmp_path / "papers"
    made.mkdir()
    write_page(made / "alpha.pdf", "The alpha engine runs on hydrogen.")
    write_page(made / "beta.pdf", "The beta engine runs on ammonia.")
    return made


def _names(library: Library) -> list[str]:
    return [document.name for document in library.documents()]


def _text(library: Library, name: str) -> str:
    return library.view().page(PageRef(name, 1)).text


def test_a_second_add_finds_everything_unchanged_and_commits_nothing(folder: Path) -> None:
    with Library(folder) as library:
        assert library.add(folder).added == ["alpha.pdf", "beta.pdf"]
        version = library.version
        report = library.add(folder)
        assert sorted(report.unchanged) == ["alpha.pdf", "beta.pdf"]
        assert not (report.added or report.updated or report.removed or report.failed)
        assert library.version == version


def test_a_changed_file_replaces_its_document_and_keeps_its_place(
    folder: Path, write_page: WritePage
) -> None:
    with Library(folder) as library:
        library.add(folder)
        before = library.documents()[0]
        write_page(folder / "alpha.pdf", "The alpha engine now runs on methane.")
        report = library.add(folder)
        assert (report.updated, report.unchanged) == (["alpha.pdf"], ["beta.pdf"])
        assert _names(library) == ["alpha", "beta"]
        assert library.documents()[0].id != before.id
        assert "methane" in _text(library, "alpha")
        assert not library.search("hydrogen", mode="keyword")
        assert library.status().complete


def test_a_touched_file_with_the_same_bytes_is_unchanged(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        os.utime(folder / "alpha.pdf", ns=(1, 1))
        assert sorted(library.add(folder).unchanged) == ["alpha.pdf", "beta.pdf"]
        assert library.add(folder).unchanged, "the new time is remembered"


def test_deleted_files_leave_the_library_when_their_folder_is_scanned_again(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        (folder / "beta.pdf").unlink()
        assert library.add(folder).removed == ["beta.pdf"]
        assert _names(library) == ["alpha"]
        assert not library.search("ammonia", mode="keyword")
        (folder / "alpha.pdf").unlink()
        assert library.add(folder).removed == ["alpha.pdf"]
        assert _names(library) == []


def test_a_file_added_alone_stays_when_its_folder_is_scanned(folder: Path) -> None:
    """Only what is gone from disk is removed."""
    with Library(folder) as library:
        library.add(folder / "alpha.pdf")
        assert library.add(folder).added == ["beta.pdf"]
        assert _names(library) == ["alpha", "beta"]


def test_the_same_bytes_under_two_names_are_one_document(folder: Path) -> None:
    shutil.copy(folder / "alpha.pdf", folder / "copy of alpha.pdf")
    with Library(folder) as library:
        report = library.add(folder)
        assert sorted(report.added) == ["alpha.pdf", "beta.pdf", "copy of alpha.pdf"]
        assert _names(library) == ["alpha", "beta"]
        assert library.documents()[0].sources == ("alpha.pdf", "copy of alpha.pdf")
        assert len(library.search("hydrogen", mode="keyword")) == 1
        (folder / "alpha.pdf").unlink()
        assert library.add(folder).removed == ["alpha.pdf"]
        assert library.documents()[0].sources == ("copy of alpha.pdf",)


def test_two_files_that_swap_their_contents_both_stay_readable(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        (folder / "alpha.pdf").rename(folder / "x")
        (folder / "beta.pdf").rename(folder / "alpha.pdf")
        (folder / "x").rename(folder / "beta.pdf")
        for name in ("alpha.pdf", "beta.pdf"):
            os.utime(folder / name)
        library.add(folder)
        found = {d.source: _text(library, d.name) for d in library.documents()}
        assert "ammonia" in found["alpha.pdf"] and "hydrogen" in found["beta.pdf"]
        assert len(library.search("engine", mode="keyword")) == 2


def test_subfolders_name_their_documents_and_clashing_names_get_digits(
    tmp_path: Path, write_page: WritePage
) -> None:
    for year in ("2020", "2021"):
        (tmp_path / "in" / year).mkdir(parents=True)
        write_page(tmp_path / "in" / year / "report.pdf", f"Report of {year}.")
    with Library(tmp_path / "lib") as library:
        library.add(tmp_path / "in")
        first, second = library.documents()
        assert (first.source, first.name) == ("2020/report.pdf", "report")
        assert second.name == f"report_{second.id[:4]}"
        assert library.view().document("2021/report.pdf") == second


def test_what_is_removed_stays_out_until_it_is_added_by_name(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        assert library.remove("beta.pdf").name == "beta"
        assert _names(library) == ["alpha"]
        with pytest.raises(LibraryError, match="there is no document 'beta'"):
            library.remove("beta")
        os.utime(folder / "beta.pdf")
        for _ in range(2):  # by its bytes, then by its size and time
            report = library.add(folder)
            assert (report.added, report.left_out) == ([], ["beta.pdf"])
            assert _names(library) == ["alpha"]
        version = library.version
        library.add(folder)
        assert library.version == version
        assert library.add(folder / "beta.pdf").added == ["beta.pdf"]
        report = library.add(folder)
        assert (report.unchanged, report.left_out) == (["alpha.pdf", "beta.pdf"], [])
        assert library.status().complete


def test_what_is_removed_comes_back_when_it_changes(folder: Path, write_page: WritePage) -> None:
    with Library(folder) as library:
        library.add(folder)
        library.remove("beta")
        write_page(folder / "beta.pdf", "The beta engine now runs on methane.")
        report = library.add(folder)
        assert (report.added, report.left_out) == (["beta.pdf"], [])
        library.remove("beta")
        (folder / "beta.pdf").unlink()
        assert library.add(folder).left_out == []


def test_remove_takes_out_the_one_name_that_was_given(folder: Path) -> None:
    shutil.copy(folder / "alpha.pdf", folder / "copy of alpha.pdf")
    shutil.copy(folder / "alpha.pdf", folder / "third.pdf")
    with Library(folder) as library:
        library.add(folder)
        id = library.documents()[0].id
        assert library.remove("third").sources == ("third.pdf",)
        assert library.documents()[0].sources == ("alpha.pdf", "copy of alpha.pdf")
        assert library.remove("alpha").sources == ("alpha.pdf",)
        assert _names(library) == ["copy_of_alpha", "beta"]
        assert library.add(folder).left_out == ["alpha.pdf", "third.pdf"]
        assert library.search("hydrogen", mode="keyword")[0].document == "copy of alpha.pdf"
        library.add(folder / "alpha.pdf")
        assert set(library.remove(id).sources) == {"alpha.pdf", "copy of alpha.pdf"}
        assert _names(library) == ["beta"]


def test_an_older_version_stays_as_it_was(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        old = library.version
        library.remove("beta")
        view = library.at(old)
        assert [document.name for document in view.documents()] == ["alpha", "beta"]
        assert "ammonia" in view.page(PageRef("beta", 1)).text
        assert view.crop(PageRef("beta", 1), max_pixels=10_000).width > 10
        with pytest.raises(LibraryError, match="has no version 999; kept are"):
            library.at(999)


def test_copies_of_removed_files_go_after_seven_days(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        library.remove("beta")
        copies = library.path / "sources"
        (left,) = copies.glob("*.left")
        assert len(list(copies.glob("*.pdf"))) == 2
        os.utime(left, (0, 0))
        library.add(folder / "alpha.pdf", metadata={"seen": True})
        assert [path.name for path in copies.iterdir()] == [f"{library.documents()[0].id}.pdf"]


def test_labels_move_documents_and_none_keeps_them(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        report = library.add(folder / "beta.pdf", labels={"secret"})
        assert report.updated == ["beta.pdf"]
        assert [d.name for d in library.view(labels=()).documents()] == ["alpha"]
        assert [d.name for d in library.view(labels={"secret"}).documents()] == ["alpha", "beta"]
        hits = library.view(labels={"secret"}).search("ammonia", mode="semantic")
        assert hits[0].name == "beta", "its vectors moved along"
        report = library.add(folder)
        assert sorted(report.unchanged) == ["alpha.pdf", "beta.pdf"]
        assert [d.name for d in library.view(labels=()).documents()] == ["alpha"]
        library.add(folder, labels=())
        assert len(library.view(labels=()).documents()) == 2


def test_labels_of_a_folder_hold_for_a_file_that_was_added_by_its_path_before(
    folder: Path,
) -> None:
    """The next plain add, as `ask` makes it, gave the file its old labels back: none."""
    with Library(folder) as library:
        library.add(folder / "beta.pdf", metadata={"kind": "memo"})
        library.add(folder, labels={"secret"})
        assert not library.view(labels=()).documents()
        report = library.add(folder)
        assert sorted(report.unchanged) == ["alpha.pdf", "beta.pdf"]
        assert not library.view(labels=()).documents()
        kept = {d.name: d.metadata for d in library.documents()}
        assert kept == {"alpha": {}, "beta": {"kind": "memo"}}
        library.remove("beta")
        library.add(folder, labels={"other"})
        assert [d.name for d in library.documents()] == ["alpha"], "not named, so it stays out"


def test_an_add_that_waits_behind_another_keeps_the_labels_that_one_gives(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "beta.pdf").rename(folder / "inner" / "beta.pdf")
    with Library(folder) as library:
        library.add(folder / "inner", labels={"secret"}, wait=False)
        library.add(folder, wait=False)
        assert library.wait(60)
        assert [d.name for d in library.view(labels=()).documents()] == ["alpha"]
        assert [d.name for d in library.documents()] == ["beta", "alpha"]
        assert sorted(library.add(folder).unchanged) == ["alpha.pdf", "inner/beta.pdf"]


def test_the_same_bytes_with_two_sets_of_labels_are_shown_once(
    tmp_path: Path, write_page: WritePage
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_page(tmp_path / "text.pdf", "Granite quarries of the north.")
        shutil.copy(tmp_path / "text.pdf", tmp_path / name / f"{name}.pdf")
    with Library(tmp_path / "lib") as library:
        library.add(tmp_path / "a" / "a.pdf", labels={"a"})
        shutil.copy(tmp_path / "a" / "a.pdf", tmp_path / "b" / "b.pdf")
        library.add(tmp_path / "b", labels={"b"})
        assert [d.source for d in library.view(labels={"a"}).documents()] == ["a.pdf"]
        assert [d.source for d in library.view(labels={"b"}).documents()] == ["b.pdf"]
        both = library.view(labels={"a", "b"})
        assert [d.sources for d in both.documents()] == [("a.pdf", "b.pdf")]
        assert len(both.search("granite", mode="keyword")) == 1
        assert both.snapshot.statistics().passages == both.snapshot.passages()


def test_metadata_is_kept_and_replaced_on_request(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder, metadata={"year": 2021})
        assert library.documents()[0].metadata == {"year": 2021}
        library.add(folder)
        assert library.documents()[0].metadata == {"year": 2021}
        library.add(folder, metadata={"year": 2022, "draft": True})
        assert library.documents()[0].metadata == {"year": 2022, "draft": True}
        with pytest.raises(ConfigError, match="metadata 'tags'"):
            library.add(folder, metadata={"tags": ["x"]})  # type: ignore[dict-item]


def test_without_waiting_text_can_be_searched_before_everything_is_done(folder: Path) -> None:
    with Library(folder) as library:
        report = library.add(folder, wait=False)
        assert not library.status().text_complete
        assert library.wait(60)
        assert library.status().complete and len(report.added) == 2


def test_nothing_counts_as_embedded_before_there_are_passages(folder: Path) -> None:
    seen: list[LibraryStatus] = []
    with Library(folder) as library:
        library.add(folder, wait=False)
        while not (seen and seen[-1].complete):
            seen.append(library.status())
    early = [status for status in seen if not status.passages]
    assert early and all(status.embedded == 0 for status in early if status.pages)


def test_closing_early_leaves_the_rest_to_the_next_add(folder: Path) -> None:
    library = Library(folder)
    library.add(folder, wait=False)
    library.close()
    with Library(folder) as library:
        library.add(folder)
        assert library.status().complete
        assert len(library.documents()) == 2


def test_progress_reports_every_stage_to_a_function(folder: Path) -> None:
    seen: list[LibraryStatus] = []
    with Library(folder) as library:
        library.add(folder, progress=seen.append)
    assert seen[-1].stage == "idle" and seen[-1].complete
    assert [s.pages for s in seen] == sorted(s.pages for s in seen)


def test_a_library_inside_the_added_folder_is_not_read(folder: Path) -> None:
    with Library(folder) as library:
        library.add(folder)
        assert list((folder / ".pagehop" / "sources").glob("*.pdf"))
        assert len(library.add(folder).unchanged) == 2
    with Library(folder / "visible") as inside, Library(folder) as library:
        inside.add(folder / "alpha.pdf")
        (folder / "visible" / ".pagehop").rename(folder / "open")
        assert len(library.add(folder).unchanged) == 2


def test_names_with_odd_characters_work(tmp_path: Path, write_page: WritePage) -> None:
    names = ["Überblick (2020) + Q1.pdf", 'a\'b "c".pdf', "..dots..pdf", "x:y 100%.PDF"]
    (tmp_path / "in").mkdir()
    for i, name in enumerate(names):
        write_page(tmp_path / "in" / name, f"Page number {i}.")
    os.rename(tmp_path / "in" / names[3], os.fsencode(tmp_path / "in") + b"/bad\xff.pdf")
    with Library(tmp_path / "lib") as library:
        report = library.add(tmp_path / "in")
        assert not report.failed and len(report.added) == 3, report
        for document in library.documents():
            assert library.view().document(document.source) == document
            assert PageRef.parse(f"{document.name}:1").name == document.name
