"""Libraries that are newer, damaged, read-only or on a full disk, and files that cannot be read."""

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import lancedb
import pytest

from pagehop.errors import LibraryError
from pagehop.library.library import Library
from pagehop.library.manifest import FORMAT_VERSION
from pagehop.library.tables import INDEXES, SCHEMAS, vector_schema
from pagehop.types import PageRef

WritePage = Callable[..., None]


def _found(library: Library) -> set[str]:
    return {hit.name for hit in library.search("engine", mode="keyword")}


def test_a_folder_without_a_library_is_an_error_unless_it_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there is no library in"):
        Library(tmp_path, create=False)
    assert not list(tmp_path.iterdir())
    with Library(tmp_path) as library:
        assert library.documents() == () and not library.search("anything", mode="keyword")
        assert (tmp_path / ".pagehop" / "library.json").exists()
    with Library(tmp_path / ".pagehop", create=False) as library:
        assert library.path == tmp_path / ".pagehop"


@pytest.mark.parametrize("file", ["library.json", "manifest.json"])
def test_a_library_of_a_newer_format_says_upgrade(engines: Path, file: str) -> None:
    path = engines / ".pagehop" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT_VERSION + 1}))
    with pytest.raises(LibraryError, match=r"newer pagehop.*upgrade"):
        Library(engines)


def _age(library: Path, table: str, column: str, **record: object) -> None:
    """Write one table and the commit record as an older release would have."""
    folder = library / ".pagehop"
    manifest = json.loads((folder / "manifest.json").read_text()) | record
    tables = manifest["partitions"]["public"]["tables"]
    opened = lancedb.connect(folder / "tables" / "public").open_table(table)
    opened.drop_columns([column])
    tables[table] = opened.version
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("table", "column", "record"),
    [
        ("documents", "scanned_pages", {}),
        ("pages", "skip", {}),
        ("regions", "section", {}),
        ("terms", "total_length", {"format": 0}),
        ("anchors", "words", {"parser": 0}),
    ],
)
def test_a_library_of_an_older_release_is_read_again(
    engines: Path, table: str, column: str, record: dict[str, object]
) -> None:
    """A KeyError or an error of Lance came out of search."""
    (engines / "in").rename(engines / "moved")  # its own copies of the files are enough
    _age(engines, table, column, **record)
    with Library(engines) as library:
        before = library.version
        try:
            assert library.search("engine") and library.status().documents == 2
        except LibraryError as error:
            assert "older pagehop" in str(error)
        with pytest.raises(LibraryError, match=r"written by an older pagehop.*run: pagehop add"):
            library.check()
        assert library.version == before
        report = library.add(engines / "moved")
        assert (
            "older pagehop wrote this library; its 2 documents were read again"
            in (report.warnings[0])
        )
        assert library.status().complete and library.check().ok
        assert {d.sources[0] for d in library.documents()} == {"alpha.pdf", "beta.pdf"}
        hits = library.search("engine on ammonia", k=2)
        assert hits[0].name == "beta" and hits.embedded == 1
        assert not library.add(engines / "moved").warnings


def test_an_older_library_keeps_names_labels_metadata_and_removals(
    tmp_path: Path, write_page: WritePage
) -> None:
    folder = tmp_path / "in"
    for name in ("alpha", "beta", "gamma", "delta"):
        write_page(folder / f"{name}.pdf", f"The {name} engine runs.")
    with Library(tmp_path) as library:
        library.add(folder, metadata={"year": 2020})
        library.add(folder / "beta.pdf", labels={"board"})
        library.remove("gamma")
        gone = library.view().document("delta")
        before = {d.source: d for d in library.documents()}
    _age(tmp_path, "pages", "skip", format=0)
    (tmp_path / ".pagehop" / "sources" / f"{gone.id}.pdf").unlink()
    (folder / "delta.pdf").unlink()
    with Library(tmp_path) as library:
        report = library.add(folder)
        assert report.left_out == ["gamma.pdf"]
        assert "delta.pdf left the library, as it cannot be read again" in report.warnings[1]
        after = {d.source: d for d in library.documents()}
        assert after == {name: d for name, d in before.items() if name != "delta.pdf"}
        assert {d.name for d in library.view(labels=()).documents()} == {"alpha"}


def test_an_older_library_stays_as_it_was_when_it_cannot_be_read_again(engines: Path) -> None:
    """Killed, stopped or on a full disk: the commit that holds is the old one."""
    _age(engines, "pages", "skip")
    record = (engines / ".pagehop" / "manifest.json").read_bytes()
    script = """
        import resource, signal, sys
        from pagehop import Library, LibraryError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        library = Library(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
        try:
            library.add(sys.argv[2])
        except LibraryError as error:
            print(error)
        library.close()
    """
    assert "Nothing that was committed is lost" in _run(script, engines, engines / "in")
    assert (engines / ".pagehop" / "manifest.json").read_bytes() == record
    with Library(engines) as library:
        assert "read again" in library.add(engines / "in").warnings[0]
        assert _found(library) == {"alpha", "beta"} and library.check().ok


def test_columns_and_indexes_change_with_the_format() -> None:
    """Raise FORMAT_VERSION when this fails, and then the digest: older libraries depend on it."""
    columns = {name: [(f.name, str(f.type)) for f in schema] for name, schema in SCHEMAS.items()}
    words = json.dumps([columns, [f.name for f in vector_schema(1)], dict(INDEXES)])
    assert (FORMAT_VERSION, sha256(words.encode()).hexdigest()[:12]) == (3, "21527faaa05a")


def test_half_written_records_fall_back_to_the_last_commit(engines: Path) -> None:
    for name in ("manifest.json", "library.json"):
        path = engines / ".pagehop" / name
        path.write_bytes(path.read_bytes()[:40])
    with Library(engines) as library:
        assert _found(library) == {"alpha", "beta"}
        report = library.check()
        assert not report.ok and "manifest.json is damaged" in report.problems[0]
        assert library.check().ok


def test_another_writer_is_refused_with_a_clear_error(
    engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from filelock import FileLock
        with FileLock(sys.argv[1]):
            print("locked", flush=True)
            time.sleep(60)
        """
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(engines / ".pagehop" / ".lock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        monkeypatch.setenv("PAGEHOP_INGEST__LOCK_TIMEOUT_S", "0.1")
        from pagehop.settings import load_settings  # noqa: PLC0415 - after the setting is made

        load_settings.cache_clear()
        with Library(engines) as library:
            with pytest.raises(LibraryError, match="being written by another process"):
                library.add(engines / "in")
            assert _found(library) == {"alpha", "beta"}
    finally:
        other.kill()
        other.wait()
        if other.stdout:
            other.stdout.close()
        load_settings.cache_clear()


def _run(script: str, *arguments: object, **options: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_a_read_only_library_can_be_searched_but_not_written(engines: Path) -> None:
    for folder in (engines / ".pagehop", *(engines / ".pagehop").rglob("*")):
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    script = """
        import ctypes, os, sys
        if os.getuid() == 0:  # root may write everywhere: give that capability up
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)
            no_capabilities = (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None).capset(header, no_capabilities) == 0
        from pagehop import Library, LibraryError
        library = Library(sys.argv[1])
        print(sorted(hit.name for hit in library.search("engine", mode="keyword")))
        for act, given in ((library.add, sys.argv[2]), (library.remove, "beta")):
            try:
                act(given)
            except LibraryError as error:
                print(error)
    """
    try:
        lines = _run(script, engines, engines / "in").splitlines()
    finally:
        for folder in (engines / ".pagehop", *(engines / ".pagehop").rglob("*")):
            folder.chmod(0o755)
    assert lines[0] == "['alpha', 'beta']"
    assert len(lines) == 3 and all("read-only for this user" in line for line in lines[1:])


@pytest.mark.parametrize("limit", [300, pytest.param(4000, marks=pytest.mark.slow)])
def test_a_full_disk_is_a_clear_error_and_loses_nothing(
    limit: int, engines: Path, write_page: WritePage
) -> None:
    """Every file written from here on is limited to a few bytes, which fails like a full disk."""
    for i in range(3):
        write_page(engines / "more" / f"{i}.pdf", *[f"Engine number {i} " + "word " * 300] * 10)
    script = """
        import resource, signal, sys
        from pagehop import Library, LibraryError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        library = Library(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
        try:
            library.add(sys.argv[2])
        except LibraryError as error:
            print(error)
        library.close()
    """
    said = _run(script, engines, engines / "more", limit)
    assert "Nothing that was committed is lost" in said, said
    with Library(engines) as library:
        assert _found(library) >= {"alpha", "beta"}
    with Library(engines) as library:
        library.add(engines / "more")
        assert library.check().ok
        assert len(_found(library)) == 5


def test_bad_files_are_named_with_their_reason_and_the_rest_is_indexed(
    tmp_path: Path, write_page: WritePage, engines: Path
) -> None:
    folder = tmp_path / "bad"
    write_page(folder / "good.pdf", "A good page about engines.")
    good = (folder / "good.pdf").read_bytes()
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "renamed.pdf").write_bytes(b"PK\x03\x04" + bytes(500))
    (folder / "truncated.pdf").write_bytes(good[: len(good) // 3])
    (folder / "dangling.pdf").symlink_to(folder / "nowhere")
    with Library(tmp_path / "lib") as library:
        report = library.add([folder, engines / "in"])
        assert report.added == ["good.pdf", "alpha.pdf", "beta.pdf"]
        reasons = {Path(path).name: reason for path, reason in report.failed}
        assert reasons["empty.pdf"].startswith("empty: ")
        assert reasons["renamed.pdf"] == "not a PDF: it looks like a ZIP or Office file"
        assert reasons["truncated.pdf"].split(":")[0] in ("truncated", "damaged")
        assert reasons["dangling.pdf"] == "unreadable: its link leads nowhere"
        assert len(reasons) == 4 == library.status().failed
        again = library.add(folder)
        assert dict(again.failed) == {p: r for p, r in report.failed}
        assert again.unchanged == ["good.pdf"]
        shutil.copy(engines / "in" / "alpha.pdf", folder / "empty.pdf")
        (folder / "renamed.pdf").unlink()
        third = library.add(folder)
        assert third.added == ["empty.pdf"] and len(third.failed) == 2
        assert not list((library.path / "sources").glob(".*"))


def test_an_unreadable_new_version_keeps_the_old_one(engines: Path) -> None:
    (engines / "in" / "alpha.pdf").write_bytes(b"%PDF-1.7 torn")
    with Library(engines) as library:
        library.add(engines / "in")  # other paths than in the copied library: both are new here
        report = library.add(engines / "in")
        assert len(report.failed) == 1 and report.failed[0][0].endswith("alpha.pdf")


def test_an_encrypted_file_opens_with_its_password_and_can_be_rendered(
    tmp_path: Path, write_page: WritePage
) -> None:
    import pymupdf  # noqa: PLC0415 - only this test needs it

    write_page(tmp_path / "plain.pdf", "A secret about engines.")
    (tmp_path / "in").mkdir()
    with pymupdf.open(tmp_path / "plain.pdf") as plain:
        plain.save(
            tmp_path / "in" / "locked.pdf",
            encryption=pymupdf.PDF_ENCRYPT_AES_256,
            user_pw="tulip",
            owner_pw="rose",
        )
    with Library(tmp_path / "lib") as library:
        assert library.add(tmp_path / "in").failed[0][1] == "encrypted: it needs a password"
        wrong = library.add(tmp_path / "in", password="daisy").failed
        assert wrong[0][1] == "encrypted: the password is wrong"
        report = library.add(tmp_path / "in", password="tulip")
        assert report.added == ["locked.pdf"] and not report.failed
        assert "secret" in library.view().page(PageRef("locked", 1)).text
        assert library.status().complete and library.status().failed == 0
        assert library.crop(PageRef("locked", 1), max_pixels=10_000).width > 10
        assert library.check().ok
        assert library.add(tmp_path / "in").unchanged == ["locked.pdf"]


def test_an_add_that_finds_nothing_leaves_no_library_behind(
    tmp_path: Path, write_page: WritePage
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "notes.bin").write_bytes(b"x")
    with Library(folder) as library:
        for _ in range(2):
            with pytest.raises(LibraryError, match=r"no .* file in"):
                library.add(folder)
            assert [path.name for path in folder.iterdir()] == ["notes.bin"]
        assert library.documents() == ()
        write_page(folder / "alpha.pdf", "The alpha engine runs on hydrogen.")
        assert library.add(folder).added == ["alpha.pdf"]
        assert _found(library) == {"alpha"}
    (folder / "alpha.pdf").unlink()
    with Library(folder) as library:
        with pytest.raises(LibraryError, match="does not exist"):
            library.add(folder / "alpha.pdf")
        assert library.documents()


def test_folders_without_a_pdf_and_missing_paths_are_errors(tmp_path: Path, engines: Path) -> None:
    (tmp_path / "none").mkdir()
    with Library(tmp_path / "lib") as library:
        with pytest.raises(LibraryError, match=r"no PDF, .* in .*none"):
            library.add(tmp_path / "none")
        with pytest.raises(LibraryError, match=r"nowhere.pdf does not exist"):
            library.add([engines / "in", tmp_path / "nowhere.pdf"])
        assert library.version == 0
        report = library.add([tmp_path / "none", engines / "in"])
        assert len(report.added) == 2
        reason = "empty: nothing in this folder can be read"
        assert report.failed == [(str(tmp_path / "none"), reason)]
