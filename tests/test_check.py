"""What `check` finds in a library on disk and mends, and what reading says of damage before."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pagehop.errors import LibraryError
from pagehop.library.library import Library
from pagehop.library.tables import INDEXES
from pagehop.types import PageRef

WritePage = Callable[..., None]


def _found(library: Library) -> set[str]:
    return {hit.name for hit in library.search("engine", mode="keyword")}


def test_rows_that_were_never_committed_are_undone_before_the_next_write(engines: Path) -> None:
    """What a writer killed between its tables and the manifest leaves behind."""
    with Library(engines) as library:
        kept = library._store.latest("public", "pages")
        kept.add(kept.search().to_arrow())
        extra = engines / ".pagehop" / "tables" / "phalf" / "pages.lance"
        extra.mkdir(parents=True)
    with Library(engines) as library:
        assert len(library.view().pages("alpha")) == 1
        library.add(engines / "in", metadata={"year": 2020})
        assert not extra.exists()
        assert library._store.latest("public", "pages").count_rows() == 2


@pytest.mark.parametrize("table", ["regions", "anchors", "text_vectors"])
def test_check_makes_damaged_regions_and_vectors_again(engines: Path, table: str) -> None:
    for path in (engines / ".pagehop" / "tables" / "public").glob(f"{table}*.lance/data/*"):
        path.write_bytes(b"rubbish")
    with Library(engines) as library:
        found = library.check(repair=False)
        assert not found.ok and f"public/{table}" in found.problems[0] and not found.repaired
        report = library.check()
        assert report.repaired and not report.lost
        assert library.check().ok and library.status().complete
        assert _found(library) == {"alpha", "beta"}
        assert library.search("ammonia", mode="semantic")[0].name == "beta"


def _spoil(engines: Path, pattern: str, how: str) -> None:
    """Break the files that match, below the tables of unlabelled documents."""
    for path in (engines / ".pagehop" / "tables" / "public").glob(pattern):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if how == "cut" else b"")


@pytest.mark.parametrize("how", ["emptied", "cut"])
@pytest.mark.parametrize("table", ["pages", "regions", "anchors"])
def test_check_makes_damaged_indexes_again(engines: Path, table: str, how: str) -> None:
    """Only rows were read by `check` once: a search then ended in an error of Lance."""
    _spoil(engines, f"{table}.lance/_indices/*/*", how)
    with Library(engines) as library:
        found = library.check(repair=False)
        assert len(found.problems) == len(INDEXES[table]) and not found.repaired
        for column, _ in INDEXES[table]:
            what = f"the index of {column} in public/{table} is damaged: "
            assert any(problem.startswith(what) for problem in found.problems)
        report = library.check()
        assert set(report.repaired) == set(found.problems) and not report.lost
        assert library.check().ok and library.status().complete
        assert _found(library) == {"alpha", "beta"}
        assert library.view().page(PageRef("alpha", 1)).words
        assert library.walk(PageRef("alpha", 1))
    with Library(engines) as library:
        assert library.check().ok and _found(library) == {"alpha", "beta"}


READS: tuple[Callable[[Library], object], ...] = (
    lambda library: library.documents(),
    lambda library: library.status(),
    lambda library: library.search("engine", mode="keyword"),
    lambda library: library.search("engine", mode="semantic"),
    lambda library: library.search("engine"),
    lambda library: library.view().page(PageRef("alpha", 1)),
    lambda library: library.view().regions(PageRef("alpha", 1)),
    lambda library: library.walk(PageRef("alpha", 1)),
)


@pytest.mark.parametrize(
    "table", ["documents", "pages", "regions", "terms", "anchors", "text_vectors*"]
)
@pytest.mark.parametrize(
    ("part", "how"),
    [("data", "emptied"), ("data", "cut"), ("_indices/*", "cut"), ("_versions", "")],
)
def test_a_read_of_damaged_files_names_check(
    engines: Path, table: str, part: str, how: str
) -> None:
    """Every one of them ended in a traceback of Lance once, that said nothing of `check`."""
    _spoil(engines, f"{table}.lance/{part}/*", how)
    if part == "_indices/*" and table not in INDEXES:
        return
    refused = 0
    with Library(engines) as library:
        for read in READS:
            try:
                read(library)
            except LibraryError as error:
                refused += 1
                told = str(error)
                assert told.endswith(f"run: pagehop check {library.path}") and "\n" not in told
                assert f"table public/{table.rstrip('*')}" in told and ".rs:" not in told
    assert refused


def test_an_add_over_damaged_files_names_check(engines: Path, write_page: WritePage) -> None:
    _spoil(engines, "pages.lance/_indices/*/*", "emptied")
    write_page(engines / "in" / "alpha.pdf", "The alpha engine runs on coal now.")
    with Library(engines) as library:
        with pytest.raises(LibraryError, match=r"run: pagehop check .*\.pagehop"):
            library.add(engines / "in")
        assert library.check().repaired
        library.add(engines / "in")
        assert library.status().complete
        assert "coal" in library.search("coal", mode="keyword")[0].text


def test_rows_that_make_no_sense_are_damage(engines: Path) -> None:
    """Lance keeps no digests, so a changed file may be read without an error."""
    with Library(engines) as library:
        documents = library._store.latest("public", "documents")
        documents.update(values={"sources": "[[["})
        path = engines / ".pagehop" / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["partitions"]["public"]["tables"]["documents"] = documents.version
        path.write_text(json.dumps(manifest))
    with Library(engines) as library:
        with pytest.raises(LibraryError, match=r"table public/documents cannot be read .*check"):
            library.documents()
        assert "table public/documents is damaged" in library.check(repair=False).problems[0]


def test_check_names_what_must_be_added_again(engines: Path, write_page: WritePage) -> None:
    tables = engines / ".pagehop" / "tables" / "public"
    before = set(tables.rglob("pages.lance/data/*"))
    with Library(engines) as library:
        write_page(engines / "in" / "gamma.pdf", "The gamma engine runs on wood.")
        library.add(engines / "in")
        library.close()
    for path in set(tables.rglob("pages.lance/data/*")) - before:
        path.write_bytes(b"rubbish")
    with Library(engines) as library:
        report = library.check()
        assert not report.ok and [Path(path).name for path in report.lost] == ["gamma.pdf"]
        assert _found(library) == {"alpha", "beta"}
        assert "gamma.pdf" in library.add(engines / "in").added
        assert library.check().ok and _found(library) == {"alpha", "beta", "gamma"}


def test_check_restores_a_missing_copy_from_the_file(engines: Path) -> None:
    with Library(engines) as library:
        document = library.view().document("alpha")
        path = library.view().snapshot.source_path(document.id)
        path.unlink()
        with pytest.raises(LibraryError, match=r"is missing, so pages of alpha.pdf cannot"):
            library.crop(PageRef("alpha", 1))
        report = library.check()
        assert report.repaired == ("the copy of alpha.pdf is missing or changed",)
        assert library.crop(PageRef("alpha", 1), max_pixels=10_000).height > 10
