"""Files that cannot be read in whole: what is said of them, and what is read all the same."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

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
    raw_pdf,
    stream,
)
from pagehop.errors import PdfError
from pagehop.reading.parsed import DocumentReading, DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.reading.reading_task import TextTask
from pagehop.settings import IngestSettings
from read_pdfs import cut, read

TIMEOUT_S = 4.0


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool(IngestSettings(workers=2, page_timeout_s=TIMEOUT_S)) as pool:
        yield pool


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


def test_nothing_is_printed(
    pool: PdfPool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_damaged(tmp_path / "bad.pdf")
    with pytest.raises(PdfError):
        read(pool, tmp_path / "bad.pdf")
    assert capfd.readouterr() == ("", "")
