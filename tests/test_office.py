"""Office files, read through LibreOffice where it is installed."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import made_sources as made
from pagehop.library.library import Library
from pagehop.reading.office import convert_office, find_soffice
from pagehop.types import FULL_PAGE, PageRef

WORDS = made.WORDS
added = made.added
needs_libreoffice = pytest.mark.skipif(
    find_soffice() is None, reason="LibreOffice is not installed (soffice is not on the PATH)"
)


def reason(path: Path) -> str:
    with Library(path.parent) as library:
        report = library.add(path)
        assert not report.added
        return report.failed[0][1]


@needs_libreoffice
def test_a_word_file_is_read(tmp_path: Path) -> None:
    view = added(made.write_docx(tmp_path / "a.docx", "Harbour", WORDS))
    (document,) = view.documents()
    assert [(e.title, e.page) for e in document.outline] == [("Harbour", 1)]
    assert WORDS in view.page(PageRef("a", 1)).text
    assert view.search("four hundred barges", mode="keyword")
    assert view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=9_000).width > 50


@needs_libreoffice
def test_a_sheet_and_slides_are_read(tmp_path: Path) -> None:
    made.write_ods(tmp_path / "a.ods", [["Lock", "2022"], ["North", "1,204"], ["South", "(88)"]])
    made.write_odp(tmp_path / "b.odp", "First slide", WORDS)
    with Library(tmp_path) as library:
        report = library.add(tmp_path)
        assert sorted(report.added) == ["a.ods", "b.odp"], report
        view = library.view()
        assert "North 1,204" in view.page(PageRef("a", 1)).text.split("\n")
        assert view.document("b").pages == 2
        assert WORDS in view.page(PageRef("b", 2)).text


@needs_libreoffice
def test_a_word_file_shows_no_picture_of_the_disk(tmp_path: Path) -> None:
    """A linked picture is fetched by LibreOffice unless it is told not to trust the file."""
    Image.new("RGB", (200, 200), (200, 30, 20)).save(tmp_path / "pic.png")
    link = (
        '<Relationship Id="rId9" TargetMode="External" Type="http://schemas.openxmlformats.org/'
        f'officeDocument/2006/relationships/image" Target="{(tmp_path / "pic.png").as_uri()}"/>'
    )
    drawing = (
        '<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" '
        'style="width:200pt;height:200pt"><v:imagedata r:id="rId9"/></v:shape></w:pict></w:r></w:p>'
    )
    view = added(made.write_docx(tmp_path / "a.docx", WORDS, links=link, drawing=drawing))
    shown = np.asarray(view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=90_000)).astype(int)
    assert (shown[..., 0] - shown[..., 1]).max() < 60, "something red is on the page"


@needs_libreoffice
@pytest.mark.parametrize("hidden", [False, True])
def test_slides_show_no_picture_of_the_disk(tmp_path: Path, hidden: bool) -> None:
    """LibreOffice's profile does not keep slides from it; links are cut out before."""
    Image.new("RGB", (200, 200), (200, 30, 20)).save(tmp_path / "pic.png")
    address = (tmp_path / "pic.png").as_uri()
    address = address.replace("file", "&#102;ile") if hidden else address
    view = added(made.write_linked_odp(tmp_path / "a.odp", address))
    assert WORDS in view.page(PageRef("a", 1)).text
    shown = np.asarray(view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=90_000)).astype(int)
    assert (shown[..., 0] - shown[..., 1]).max() < 60, "something red is on the page"


@needs_libreoffice
def test_a_damaged_word_file_is_reported(tmp_path: Path) -> None:
    made.write_zip(tmp_path / "a.docx", {"hello.txt": "hello"})
    assert reason(tmp_path / "a.docx").startswith("damaged: LibreOffice cannot read it")


@needs_libreoffice
def test_locked_cut_and_swollen_files_are_refused_before_libreoffice_starts(
    tmp_path: Path,
) -> None:
    made.write_compound(tmp_path / "a.docx", {"EncryptedPackage": b"", "EncryptionInfo": b""})
    assert reason(tmp_path / "a.docx") == "encrypted: it needs a password; save it without one"
    whole = made.write_docx(tmp_path / "b.docx", WORDS).read_bytes()
    (tmp_path / "b.docx").write_bytes(whole[: len(whole) // 2])
    assert reason(tmp_path / "b.docx").startswith("damaged: its parts cannot be listed")
    made.write_zip(tmp_path / "c.xlsx", {f"{i}.xml": bytes(2**20) for i in range(1_100)})
    assert reason(tmp_path / "c.xlsx").startswith("too large: it unpacks to 1,100 MB")


def test_without_libreoffice_the_reason_names_what_to_install_and_a_later_add_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write_docx(tmp_path / "a.docx", WORDS)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with Library(tmp_path) as library:
        ((_, why),) = library.add(tmp_path).failed
        assert why.startswith("no converter: .docx files are read through LibreOffice")
        assert "apt-get install libreoffice-writer-nogui" in why
        assert library.add(tmp_path).failed == [(str(tmp_path / "a.docx"), why)]
        write_program(tmp_path / "soffice", "import sys; sys.exit('Error: beyond me')")
        monkeypatch.setenv("PATH", f"{tmp_path}:{path}")
        ((_, why),) = library.add(tmp_path).failed
        assert why == "damaged: LibreOffice cannot read it: Error: beyond me"


def write_program(path: Path, source: str) -> None:
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(source)}")
    path.chmod(0o755)


def test_a_program_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(
        tmp_path / "soffice",
        f"""
        import pathlib, subprocess, time
        child = subprocess.Popen(["sleep", "600"])
        pathlib.Path({str(tmp_path / "child")!r}).write_text(str(child.pid))
        time.sleep(600)
        """,
    )
    made.write_docx(tmp_path / "a.docx", WORDS)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PAGEHOP_INGEST__PAGE_TIMEOUT_S", "1")
    from pagehop.settings import load_settings  # noqa: PLC0415 - read once a process

    load_settings.cache_clear()
    try:
        assert reason(tmp_path / "a.docx") == "timeout: LibreOffice was not done in 10 s"
    finally:
        monkeypatch.undo()
        load_settings.cache_clear()
    assert is_gone(int((tmp_path / "child").read_text()))


def is_gone(pid: int) -> bool:
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_what_a_check_raises_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / "soffice", "import time; time.sleep(600)")
    made.write_docx(tmp_path / "a.docx", WORDS)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        convert_office(tmp_path / "a.docx", ".docx", tmp_path / "a.pdf", check=stop)
    assert not (tmp_path / "a.pdf").exists()


def test_the_process_gives_up_the_network_where_it_can() -> None:
    code = """
    import socket
    from pagehop.reading.office_process import leave_network
    if leave_network():
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except OSError as error:
            print(error.errno)
    else:
        print("kept")
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if said == "kept":
        pytest.skip("this system lets no process give up its network")
    assert said == "101", "the network is unreachable, not only the port closed"
