"""PDF workers: what they read, and what they say of files that cannot be read."""

import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from made_pdfs import (
    WORDS,
    draw,
    make_blank,
    make_damaged,
    make_damaged_picture,
    make_empty,
    make_encrypted,
    make_folder,
    make_letter,
    make_no_pages,
    make_photo,
    make_truncated,
    make_zeros,
    nested_forms,
    overwrite_streams,
    picture_page,
    raw_pdf,
    stream,
)
from pagehop.errors import PdfError
from pagehop.reading.parsed import DocumentReading, DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.reading.reading_task import TextTask
from pagehop.settings import IngestSettings

TIMEOUT_S = 4.0
MARK = "PAGEHOP_TEST_RUN"
"""Environment variable by which a test knows the processes it started."""


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool(IngestSettings(workers=2, page_timeout_s=TIMEOUT_S)) as pool:
        yield pool


def read(pool: PdfPool, path: Path, password: str | None = None) -> DocumentText:
    ((_, result),) = pool.texts([PdfJob(path, "ab" * 32, "Title", password)])
    if isinstance(result, PdfError):
        raise result
    return result


def cut(pool: PdfPool, path: Path) -> DocumentReading:
    ((_, result),) = pool.readings([PdfJob(path, "ab" * 32, "Title")])
    if isinstance(result, PdfError):
        raise result
    return result


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_empty, "empty"),
        (make_zeros, "empty"),
        (make_letter, "not a PDF"),
        (make_photo, "not a PDF"),
        (make_truncated, "truncated"),
        (make_encrypted, "encrypted"),
        (make_no_pages, "no pages"),
        (make_blank, "blank"),
        (make_damaged, "damaged"),
        (make_damaged_picture, "damaged"),
        (make_folder, "unreadable"),
        (lambda path: None, "unreadable"),
    ],
)
def test_a_bad_file_is_named_with_its_reason_and_the_others_are_read(
    pool: PdfPool, tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    make(tmp_path / "bad.pdf")
    good = draw(tmp_path / "good.pdf", WORDS)
    results = dict(pool.texts([PdfJob(tmp_path / "bad.pdf"), PdfJob(good)]))
    bad, fine = results[PdfJob(tmp_path / "bad.pdf")], results[PdfJob(good)]
    assert isinstance(bad, PdfError)
    assert bad.reason == reason
    assert isinstance(fine, DocumentText)
    assert fine.pages[0].text == WORDS


def test_an_encrypted_file_says_whether_the_password_is_missing_or_wrong(
    pool: PdfPool, tmp_path: Path
) -> None:
    make_encrypted(tmp_path / "locked.pdf")
    with pytest.raises(PdfError, match="needs a password"):
        read(pool, tmp_path / "locked.pdf")
    with pytest.raises(PdfError, match="password is wrong"):
        read(pool, tmp_path / "locked.pdf", "guess")
    assert read(pool, tmp_path / "locked.pdf", "user").pages[0].text == WORDS


def test_decrypt_writes_a_copy_that_needs_no_password(pool: PdfPool, tmp_path: Path) -> None:
    make_encrypted(tmp_path / "locked.pdf")
    with pytest.raises(PdfError, match="password is wrong"):
        pool.decrypt(tmp_path / "locked.pdf", "guess", tmp_path / "open.pdf")
    pool.decrypt(tmp_path / "locked.pdf", "user", tmp_path / "open.pdf")
    assert read(pool, tmp_path / "open.pdf").pages[0].text == WORDS


def test_a_file_that_hangs_the_engine_is_given_up_and_the_others_are_read(
    pool: PdfPool, tmp_path: Path
) -> None:
    bomb = nested_forms(tmp_path / "bomb.pdf")
    assert bomb.stat().st_size < 5000
    good = [draw(tmp_path / f"{i}.pdf", WORDS) for i in range(4)]
    results = dict(pool.texts([PdfJob(bomb), *map(PdfJob, good)]))
    bad = results[PdfJob(bomb)]
    assert isinstance(bad, PdfError)
    assert bad.reason == "timeout"
    assert all(isinstance(results[PdfJob(path)], DocumentText) for path in good)


def test_a_flate_bomb_is_given_up(tmp_path: Path) -> None:
    packed = zlib.compress(zlib.compress(b"0 0 m 1 1 l S\n" * 12_000_000, 9), 9)
    bomb = raw_pdf(
        tmp_path / "bomb.pdf",
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        stream(packed, b"/Filter [/FlateDecode /FlateDecode]"),
    )
    with (
        PdfPool(IngestSettings(workers=1, page_timeout_s=2, memory_mb=128)) as pool,
        pytest.raises(PdfError) as caught,
    ):
        read(pool, bomb)
    assert caught.value.reason in ("timeout", "memory")


def test_a_page_that_hangs_costs_only_itself(pool: PdfPool, tmp_path: Path) -> None:
    path = nested_forms(tmp_path / "mixed.pdf", good_pages=3)
    document = read(pool, path)
    assert [bool(page.text) for page in document.pages] == [True, True, True, False]
    assert [page.damaged for page in document.pages] == [False, False, False, True]
    assert "page 4 could not be read" in document.warnings[0]
    job = PdfJob(path, "ab" * 32, skip_pages=frozenset({4}))
    ((_, reading),) = pool.readings([job])
    assert isinstance(reading, DocumentReading)
    assert {region.page for region in reading.regions} == {1, 2, 3}


def test_a_reading_goes_on_without_the_page_that_hangs(pool: PdfPool, tmp_path: Path) -> None:
    reading = cut(pool, nested_forms(tmp_path / "mixed.pdf", good_pages=2))
    assert {region.page for region in reading.regions} == {1, 2}
    assert reading.warnings == ("page 3 is not cut into passages: no page in 4 s",)


def test_pages_that_hang_again_and_again_are_named_and_the_others_kept() -> None:
    """The fourth ends the reading; pages read, but not sent before it hung, are asked for again."""
    task = TextTask(PdfJob(Path("a.pdf")))
    task.take({"kind": "open", "pages": 9, "outline": []})

    def take(*pages: int) -> None:
        rows: list[Any] = [
            (n, "", 500, 700, WORDS, bytes(8 * len(WORDS.split())), [], None, "", []) for n in pages
        ]
        task.take({"kind": "pages", "pages": rows})

    take(1)
    for bad in (2, 3, 5, 7):
        task.fail("timeout", bad, "no page in 4 s")
    assert task.request()["skip"] == [2, 3, 5, 7, 8, 9] and task.result is None
    take(4, 6)
    task.take({"kind": "done", "title": "", "cut_short": False})
    assert isinstance(task.result, DocumentText)
    assert [page.page for page in task.result.pages if page.text] == [1, 4, 6]
    assert task.result.warnings == (
        "page 2 could not be read: no page in 4 s",
        "page 3 could not be read: no page in 4 s",
        "page 5 could not be read: no page in 4 s",
        "page 7 could not be read: no page in 4 s",
        "page 8 could not be read: it was not tried, as too many pages before it stopped the "
        "engine",
        "page 9 could not be read: it was not tried, as too many pages before it stopped the "
        "engine",
    )


@pytest.mark.slow
def test_a_file_of_many_hanging_pages_keeps_what_came_before_the_fourth(tmp_path: Path) -> None:
    path = nested_forms(tmp_path / "mixed.pdf", good_pages=30, bad_pages=6)
    with PdfPool(IngestSettings(workers=1, page_timeout_s=2)) as pool:
        document = read(pool, path)
    assert [page.page for page in document.pages if page.text] == list(range(1, 31))
    assert len(document.warnings) == 6 and "not tried" in document.warnings[4]


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    path = nested_forms(tmp_path / "mixed.pdf", good_pages=2)
    before = set(psutil.Process().children())

    def kill_the_worker() -> None:
        while not (workers := set(psutil.Process().children()) - before):
            time.sleep(0.05)
        (worker,) = workers
        while worker.cpu_times().user < 2:
            time.sleep(0.05)
        worker.kill()

    with PdfPool(IngestSettings(workers=1, page_timeout_s=60)) as pool:
        killer = threading.Thread(target=kill_the_worker)
        killer.start()
        document = read(pool, path)
        killer.join()
    assert [bool(page.text) for page in document.pages] == [True, True, False]
    assert "SIGKILL" in document.warnings[0]


def test_an_idle_worker_that_died_is_replaced(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.pdf", *[f"{WORDS} {i}" for i in range(3)])
    before = set(psutil.Process().children())
    with PdfPool(IngestSettings(workers=1)) as pool:
        document = read(pool, path)
        pool.crop(path, 1, (0, 0, 1, 1), max_pixels=1000)
        dead = set(psutil.Process().children()) - before
        for worker in dead:
            worker.kill()
        psutil.wait_procs(dead, timeout=5)
        assert [p.text for p in read(pool, path).pages] == [p.text for p in document.pages]
        assert pool.crop(path, 2, (0, 0, 1, 1), max_pixels=1000).width > 10


def test_broken_pages_among_good_ones_are_flagged(pool: PdfPool, tmp_path: Path) -> None:
    whole = draw(tmp_path / "whole.pdf", *[f"{WORDS} {i}" for i in range(4)])
    document = read(pool, overwrite_streams(whole, tmp_path / "part.pdf", only=2))
    flags = [page.damaged for page in document.pages]
    assert sorted(flags) == [False, False, False, True]
    assert document.warnings == (
        f"page {flags.index(True) + 1} could not be read: its streams are broken",
    )


def test_a_page_that_cannot_be_opened_is_flagged(pool: PdfPool, tmp_path: Path) -> None:
    text = b"BT /F 12 Tf 72 700 Td (" + WORDS.encode() + b") Tj ET"
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources"
        b" << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
    )
    path = raw_pdf(
        tmp_path / "a.pdf",
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 3 >>",
        page,
        page,
        stream(text),
    )
    document = read(pool, path)
    assert [page.text for page in document.pages] == [WORDS, WORDS, ""]
    assert [page.damaged for page in document.pages] == [False, False, True]
    assert document.warnings == ("page 3 could not be read: the engine cannot open it",)
    assert {region.page for region in cut(pool, path).regions} == {1, 2}


def test_blank_pages_do_not_fail_a_document(pool: PdfPool, tmp_path: Path) -> None:
    document = read(pool, draw(tmp_path / "some.pdf", "", WORDS, ""))
    assert [page.text for page in document.pages] == ["", WORDS, ""]
    assert not any(page.damaged or page.scanned for page in document.pages)
    assert document.warnings == ()


def test_a_page_that_is_a_picture_is_flagged_as_scanned(pool: PdfPool, tmp_path: Path) -> None:
    document = read(pool, picture_page(tmp_path / "scan.pdf"))
    assert document.pages[0].scanned
    assert not document.pages[0].damaged


def test_every_word_has_a_box_and_unusual_spaces_part_words(pool: PdfPool, tmp_path: Path) -> None:
    text = "profit\u00a0of 5\u202f%, a\u2003b, c\u00adc"
    page = read(pool, draw(tmp_path / "a.pdf", text, WORDS)).pages[0]
    assert page.text.split() == page.text.split(" ")
    assert page.boxes.shape == (len(page.text.split()), 4)
    assert page.boxes.dtype == np.uint16


def test_outline_links_and_printed_numbers(pool: PdfPool, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4, invariant=True)
    for number in range(1, 7):
        canvas.drawString(72, 760, "Annual statement of the harbour office")
        canvas.bookmarkPage(f"p{number}")
        canvas.addOutlineEntry(f"Chapter {number}", f"p{number}")
        canvas.drawString(72, 600, f"see chapter {number % 6 + 1} for more")
        canvas.linkRect("", f"p{number % 6 + 1}", (70, 596, 160, 614), relative=0)
        canvas.drawString(290, 40, f"- {number + 10} -")
        canvas.showPage()
    canvas.save()
    document = read(pool, tmp_path / "a.pdf")
    assert [(e.level, e.title, e.page) for e in document.outline][:2] == [
        (1, "Chapter 1", 1),
        (1, "Chapter 2", 2),
    ]
    assert [page.label for page in document.pages] == ["11", "12", "13", "14", "15", "16"]
    reading = cut(pool, tmp_path / "a.pdf")
    assert [(link.page, link.target_page) for link in reading.links] == [
        (n, n % 6 + 1) for n in range(1, 7)
    ]
    assert reading.links[0].words.startswith("see chapter 2")
    kinds = {(region.kind, region.text) for region in reading.regions if region.page == 3}
    assert ("header", "Annual statement of the harbour office") in kinds
    assert ("footer", "- 13 -") in kinds


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_links_of_a_turned_page_have_the_words_under_them(
    pool: PdfPool, tmp_path: Path, rotation: int
) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(500, 500), invariant=True)
    canvas.bookmarkPage("here")
    canvas.drawString(60, 400, "nothing to see")
    canvas.drawString(60, 200, "chapter")
    canvas.linkRect("", "here", (58, 196, 110, 214), relative=0)
    canvas.setPageRotation(rotation)
    canvas.save()
    (link,) = cut(pool, tmp_path / "a.pdf").links
    assert link.words == "chapter"


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("Harbour Statistics 2021", "Harbour Statistics 2021"),
        ("Microsoft Word - harbour_v3.doc", "Barges in Spring"),
        ("untitled", "Barges in Spring"),
        ("0000320193-22-000070", "Barges in Spring"),
        ("C:\\Users\\me\\harbour", "Barges in Spring"),
        ("report.indd", "Barges in Spring"),
        ("", "Barges in Spring"),
    ],
)
def test_the_title_is_the_one_a_person_wrote(
    pool: PdfPool, tmp_path: Path, stated: str, title: str
) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4, invariant=True)
    canvas.setTitle(stated)
    canvas.setFont("Helvetica", 24)
    canvas.drawString(72, 700, "Barges in Spring")
    canvas.setFont("Helvetica", 10)
    canvas.drawString(72, 650, WORDS)
    canvas.save()
    assert read(pool, tmp_path / "a.pdf").title == title


def test_regions_are_a_function_of_the_file(pool: PdfPool, tmp_path: Path) -> None:
    path = draw(tmp_path / "a.pdf", WORDS, f"{WORDS} Again.")
    first, second = cut(pool, path), cut(pool, path)
    assert first == second
    ids = [region.id for region in first.regions]
    assert ids[:2] == ["abababababababab-1-0", "abababababababab-1-1"]
    passages = [region for region in first.regions if region.kind == "passage"]
    assert passages[0].parent == "abababababababab-1-0"
    assert passages[0].search_text.startswith("Title\n")


def test_an_unguarded_script_may_stop_in_the_middle(tmp_path: Path) -> None:
    """Spawned processes die in such a script; an abandoned worker must not hold its exit."""
    for i in range(6):
        draw(tmp_path / f"{i}.pdf", *[WORDS] * 20)
    nested_forms(tmp_path / "bomb.pdf")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from pagehop.reading.pdf_pool import PdfPool\n"
        "from pagehop.reading.parsed import PdfJob\n"
        "pool = PdfPool()\n"
        "jobs = [PdfJob(p) for p in sorted(Path(sys.argv[1]).glob('*.pdf'))]\n"
        "results = pool.texts(jobs)\n"
        "print(type(next(results)[1]).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, MARK: str(tmp_path)},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("DocumentText\n", "", 0)
    time.sleep(0.2)
    assert not _processes_with(tmp_path)


def test_an_interrupt_ends_the_workers(tmp_path: Path) -> None:
    nested_forms(tmp_path / "bomb.pdf")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from pagehop.reading.pdf_pool import PdfPool\n"
        "from pagehop.reading.parsed import PdfJob\n"
        "from pagehop.settings import IngestSettings\n"
        "with PdfPool(IngestSettings(page_timeout_s=100)) as pool:\n"
        "    print('started', flush=True)\n"
        "    list(pool.texts([PdfJob(Path(sys.argv[1]))]))\n"
    )
    child = subprocess.Popen(
        [sys.executable, script, tmp_path / "bomb.pdf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        while not (workers := process.children()):
            time.sleep(0.05)
        time.sleep(1)
        os.kill(child.pid, signal.SIGINT)
        child.wait(20)
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive


def test_nothing_is_printed(
    pool: PdfPool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_damaged(tmp_path / "bad.pdf")
    with pytest.raises(PdfError):
        read(pool, tmp_path / "bad.pdf")
    assert capfd.readouterr() == ("", "")


def _processes_with(mark: Path) -> set[int]:
    """Return the processes that a script started, also those it has left behind.

    A worker inherits the environment of its parent; counting all workers of the machine would
    count those of other test runs.
    """
    found = set()
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(mark):
                found.add(process.pid)
        except psutil.Error:
            continue  # it ended, or is another user's
    return found
