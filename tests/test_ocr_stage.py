"""The OCR stage under interruptions, faults and changed settings.

The engine here is a program named tesseract that this file writes: it gives two words a page,
notes each call, and can be slow, hang or fail, so that what the library makes of it is seen.
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from pagehop.evaluation.rasters import save_scans
from pagehop.library.library import Library
from pagehop.settings import load_settings
from pagehop.types import PageRef

WritePage = Callable[..., None]
PROGRAM = """\
    #!{python}
    import os, pathlib, sys, time
    home = pathlib.Path({home!r})
    if "--list-langs" in sys.argv:
        print("List of available languages (2):\\neng\\ndeu")
        sys.exit()
    picture = sys.stdin.buffer.read()
    calls = home / "calls"
    with calls.open("a") as log:
        log.write(f"{{picture.count(0)}}\\n")
    number = len(calls.read_text().splitlines())
    said = lambda name: (home / name).read_text() if (home / name).exists() else ""
    if said("fail") == str(number):
        sys.exit("the picture is beyond me")
    if said("hang") == str(number):
        time.sleep(60)
    time.sleep(float(said("seconds") or 0))
    language = sys.argv[sys.argv.index("-l") + 1]
    print("level\\tpage\\tblock\\tparagraph\\tline\\tword\\tleft\\ttop\\twidth\\theight\\tconf\\ttext")
    for i, word in enumerate((f"barge{{language}}", "harbour")):
        print("\\t".join(map(str, (5, 1, 1, 1, 1, i + 1, 40 + 90 * i, 50, 80, 20, 95, word))))
"""


class FakeEngine:
    """The program, what it was asked, and how it shall behave."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = home / "bin" / "tesseract"
        program.parent.mkdir(parents=True)
        text = textwrap.dedent(PROGRAM).format(python=sys.executable, home=str(home))
        program.write_text(text)
        program.chmod(0o755)

    @property
    def calls(self) -> int:
        """Pages it was asked to read."""
        log = self.home / "calls"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def shall(self, what: str, value: object) -> None:
        """Set `seconds` a page takes, or the number of the call at which to `fail` or `hang`."""
        (self.home / what).write_text(str(value))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    made = FakeEngine(tmp_path / "engine")
    monkeypatch.setenv("PATH", f"{made.home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    choose(monkeypatch, ENGINE="tesseract")
    yield made
    load_settings.cache_clear()


def choose(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    """Set settings of OCR."""
    for name, value in settings.items():
        monkeypatch.setenv(f"PAGEHOP_OCR__{name}", str(value))
    load_settings.cache_clear()


def write_scan(path: Path, pages: int) -> None:
    """Write pages that are pictures, each with another number of black pixels."""
    path.parent.mkdir(exist_ok=True)
    pictures = []
    for page in range(1, pages + 1):
        picture = Image.new("L", (300, 400), 255)
        picture.paste(0, (30, 30, 40 + 10 * page, 60))
        pictures.append(picture)
    save_scans(pictures, path, dpi=100)


def test_each_page_is_read_once_though_the_writer_was_stopped(
    tmp_path: Path, engine: FakeEngine
) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 6)
    engine.shall("seconds", 0.3)
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in", wait=False)
        while engine.calls < 2:
            time.sleep(0.05)
    stopped_after = engine.calls
    assert stopped_after < 6
    with Library(tmp_path / "in") as library:
        assert library.status().scanned_read >= 1, "closing commits what was read"
        assert library.search("harbour"), "and its words are found before the rest is read"
        library.add(tmp_path / "in")
        assert library.status().complete and library.status().scanned_read == 6
        assert engine.calls == 6
        assert {hit.page for hit in library.search("harbour", k=10)} == set(range(1, 7))
        library.add(tmp_path / "in")
        assert engine.calls == 6


def test_a_killed_writer_loses_at_most_the_page_it_was_at(
    tmp_path: Path, engine: FakeEngine
) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 5)
    engine.shall("seconds", 0.3)
    script = "import sys; from pagehop import Library; Library(sys.argv[1]).add(sys.argv[1])"
    writer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "in")])
    try:
        while engine.calls < 3:
            assert writer.poll() is None
            time.sleep(0.05)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    with Library(tmp_path / "in") as library:
        assert library.status().text_complete
        library.add(tmp_path / "in")
        assert library.status().complete
        assert engine.calls <= 6
        assert len(library.search("harbour", k=10)) == 5


def test_results_with_a_torn_line_are_read_up_to_it(tmp_path: Path, engine: FakeEngine) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 3)
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        document = library.documents()[0]
        results = library.path / "sources" / f"{document.id}.ocr"
        library.remove(document.name)
        results.write_bytes(results.read_bytes()[:-30])
        library.add(tmp_path / "in" / "log.pdf")
        assert engine.calls == 4
        assert len(results.read_text().splitlines()) == 4
        assert library.status().scanned_read == 3


def test_a_page_at_which_the_engine_fails_is_named_and_the_others_read(
    tmp_path: Path, engine: FakeEngine
) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 3)
    engine.shall("fail", 2)
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
        assert report.added == ["log.pdf"] and len(report.warnings) == 1
        assert "log.pdf: page 2 could not be read by OCR" in report.warnings[0]
        assert "the picture is beyond me" in report.warnings[0]
        assert sorted(hit.page for hit in library.search("harbour", k=10)) == [1, 3]
        assert library.status().complete


def test_a_page_at_which_the_engine_hangs_is_left_after_its_time(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 3)
    engine.shall("hang", 1)
    choose(monkeypatch, PAGE_TIMEOUT_S=3)
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
        assert len(report.warnings) == 1 and "page 1 could not be read" in report.warnings[0]
        assert "in 3 s" in report.warnings[0]
        assert sorted(hit.page for hit in library.search("harbour", k=10)) == [2, 3]


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"ENGINE": "tesseract"}, "install it, e.g. apt-get install tesseract-ocr"),
        ({"ENGINE": "rapidocr", "LANGUAGE": "klingon"}, "no model for language 'klingon'"),
    ],
)
def test_without_the_engine_one_warning_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], remedy: str
) -> None:
    if settings["ENGINE"] == "rapidocr":
        pytest.importorskip("rapidocr")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    choose(monkeypatch, **settings)
    write_scan(tmp_path / "in" / "a.pdf", 2)
    write_scan(tmp_path / "in" / "b.pdf", 1)
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
        assert len(report.warnings) == 1 and remedy in report.warnings[0]
        assert "scanned pages are not read" in report.warnings[0]
        status = library.status()
        assert (status.scanned, status.scanned_read, status.complete) == (3, 0, False)
        note = library.search("harbour").note
        assert note == "3 scanned pages are not read by OCR yet, so words there are not found"
    load_settings.cache_clear()


def test_a_language_without_data_is_named(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, LANGUAGE="eng+nor")
    write_scan(tmp_path / "in" / "log.pdf", 1)
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
    assert len(report.warnings) == 1 and "no data for language 'nor'" in report.warnings[0]
    assert engine.calls == 0


def test_another_language_reads_scanned_pages_again(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(tmp_path / "in" / "log.pdf", 2)
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        assert library.search("bargeeng") and engine.calls == 2
    choose(monkeypatch, LANGUAGE="deu")
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        assert engine.calls == 4
        assert library.search("bargedeu", mode="keyword")
        assert not library.search("bargeeng", mode="keyword")
        ids = [region.id for region in library.view().regions(PageRef("log", 1))]
        assert len(ids) == len(set(ids))
    choose(monkeypatch, ENGINE="none")
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
        assert not report.warnings
        assert library.search("bargedeu", mode="keyword"), "what was read stays"


def test_a_document_somebody_wants_is_read_first(tmp_path: Path, engine: FakeEngine) -> None:
    write_scan(tmp_path / "in" / "first.pdf", 2)
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        engine.shall("seconds", 0.5)
        write_scan(tmp_path / "in" / "long.pdf", 4)
        write_scan(tmp_path / "in" / "short.pdf", 3)
        (tmp_path / "engine" / "calls").unlink()
        library.add(tmp_path / "in", wait=False)
        while library.status().waiting:
            time.sleep(0.02)
        library.view().page(PageRef("long", 1))
        while library.status().scanned_read < 6:
            time.sleep(0.05)
        read = {d.name for d in library.documents() if len(d.ocr_pages) == d.pages}
        assert read == {"first", "long"}
        assert library.wait()
        assert library.status().complete


def test_the_same_scan_under_two_labels_is_read_once_and_seen_by_its_own(
    tmp_path: Path, engine: FakeEngine
) -> None:
    write_scan(tmp_path / "open" / "log.pdf", 2)
    (tmp_path / "closed").mkdir()
    shutil.copy(tmp_path / "open" / "log.pdf", tmp_path / "closed" / "copy.pdf")
    (tmp_path / "made").mkdir()
    with Library(tmp_path / "made") as library:
        library.add(tmp_path / "open")
        library.add(tmp_path / "closed", labels={"board"})
        assert engine.calls == 2
        assert len(library.view(set()).search("harbour")) == 2
        assert len(library.view({"board"}).search("harbour")) == 2
        assert library.check().ok


def test_what_is_hidden_says_nothing_of_its_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_page: WritePage
) -> None:
    choose(monkeypatch, ENGINE="none")
    write_page(tmp_path / "open" / "note.pdf", "The barge is in the harbour.")
    write_scan(tmp_path / "closed" / "log.pdf", 2)
    (tmp_path / "made").mkdir()
    with Library(tmp_path / "made") as library:
        library.add(tmp_path / "open")
        library.add(tmp_path / "closed", labels={"board"})
        assert not library.view(set()).search("barge").note
        assert "2 scanned pages" in library.view().search("barge").note
        report = library.add(tmp_path / "closed")
        assert not report.warnings, "OCR was switched off on purpose"
    load_settings.cache_clear()


def test_a_copy_that_is_gone_is_told_and_the_rest_goes_on(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(tmp_path / "in" / "a.pdf", 1)
    write_scan(tmp_path / "in" / "b.pdf", 2)
    choose(monkeypatch, ENGINE="none")
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        gone = library.view().document("a").id
        (library.path / "sources" / f"{gone}.pdf").unlink()
    choose(monkeypatch, ENGINE="tesseract")
    with Library(tmp_path / "in") as library:
        report = library.add(tmp_path / "in")
        assert any("a.pdf: page 1 could not be read" in words for words in report.warnings)
        assert {hit.name for hit in library.search("harbour")} == {"b"}
    assert engine.calls == 2
