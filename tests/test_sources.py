"""Files that are no PDFs: pictures, e-books, text, Markdown, web pages."""

import base64
import codecs
import os
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import made_sources as made
from pagehop.errors import LibraryError
from pagehop.interfaces.api import ask
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import FULL_PAGE, PageRef

WORDS = made.WORDS


added = made.added


def failure(path: Path) -> str:
    """Add a file that cannot be read, and return the reason."""
    with Library(path.parent) as library:
        report = library.add(path)
        assert not report.added
        ((failed, reason),) = report.failed
        assert failed == str(path)
        assert not [f for f in (library.path / "sources").iterdir() if f.is_file()]
        return reason


def text(view: View, page: int = 1) -> str:
    return view.page(PageRef(view.documents()[0].name, page)).text


def outline(view: View) -> list[tuple[int, str, int]]:
    (document,) = view.documents()
    return [(e.level, e.title, e.page) for e in document.outline]


def tile(mode: str, size: tuple[int, int], colour: object) -> Image.Image:
    """Return a picture of a colour with a dark corner: one without it is a blank page."""
    picture = Image.new("RGB", size, colour)  # type: ignore[arg-type]
    picture.paste((20, 20, 20), (0, 0, size[0] // 3, size[1] // 3))
    return picture.convert(mode)


def colour(view: View, page: int = 1) -> tuple[int, ...]:
    """Return the mean colour of the lower right part of a page."""
    ref = PageRef(view.documents()[0].name, page)
    picture = view.crop(ref, (0.5, 0.5, 1.0, 1.0), max_pixels=10_000)
    return tuple(int(v) for v in np.asarray(picture).reshape(-1, 3).mean(axis=0))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.tif", "a.bmp", "a.gif"])
def test_a_picture_is_a_page_that_waits_for_ocr(tmp_path: Path, name: str) -> None:
    tile("RGB", (800, 600), (200, 30, 20)).save(tmp_path / name, dpi=(100, 100))
    view = added(tmp_path / name)
    (document,) = view.documents()
    assert (document.pages, document.scanned_pages) == (1, (1,))
    page = view.page(PageRef(document.name, 1))
    assert page.width_pt / page.height_pt == pytest.approx(4 / 3, abs=0.01)
    assert colour(view) == pytest.approx((200, 30, 20), abs=16)


@pytest.mark.parametrize(
    ("size", "dpi", "longer_pt"),
    [((800, 600), 100, 576), ((300, 150), 300, 792), ((9_000, 300), 72, 792), ((8, 8), 72, 792)],
)
def test_the_size_of_a_picture_goes_by_its_resolution_where_that_is_usual(
    tmp_path: Path, size: tuple[int, int], dpi: int, longer_pt: float
) -> None:
    tile("L", size, (90, 90, 90)).save(tmp_path / "a.png", dpi=(dpi, dpi))
    page = added(tmp_path / "a.png").page(PageRef("a", 1))
    assert max(page.width_pt, page.height_pt) == pytest.approx(longer_pt, rel=0.01)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4"])
def test_each_picture_of_a_tiff_is_a_page(tmp_path: Path, compression: str | None) -> None:
    mode = "1" if compression == "group4" else "RGB"
    shades = [tile(mode, (300, 400), (v, v, v)) for v in (255, 120, 60)]
    shades[0].save(
        tmp_path / "a.tif", save_all=True, append_images=shades[1:], compression=compression
    )
    view = added(tmp_path / "a.tif")
    assert view.documents()[0].scanned_pages == (1, 2, 3)
    means = [colour(view, page)[0] for page in (1, 2, 3)]
    assert means == pytest.approx([255, 120, 60], abs=8)


def test_a_photo_stands_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    picture = Image.new("RGB", (600, 400), "white")
    picture.paste((0, 0, 0), (0, 0, 100, 400))
    picture.save(tmp_path / "a.jpg", exif=exif, dpi=(100, 100))
    view = added(tmp_path / "a.jpg")
    shown = np.asarray(view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=60_000).convert("L"))
    assert shown.shape[0] > shown.shape[1]
    assert shown[: shown.shape[0] // 8].mean() < 60, "what was left is the top"


def test_what_is_clear_in_a_picture_is_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 225, 300))
    picture.save(tmp_path / "a.png")
    assert colour(added(tmp_path / "a.png")) == pytest.approx((255, 127, 127), abs=4)


def test_an_e_book_has_its_title_chapters_and_words(tmp_path: Path) -> None:
    chapters = {"Locks": f"<p>{WORDS}</p>", "Cranes": "<p>Cranes lift timber.</p>" * 90}
    view = added(made.write_epub(tmp_path / "book.epub", chapters))
    (document,) = view.documents()
    assert document.title == "Barges"
    assert outline(view)[:2] == [(1, "Locks", 1), (1, "Cranes", 2)]
    assert WORDS in text(view) and document.pages > 2
    (hit,) = view.search("four hundred barges", mode="keyword", k=1)
    assert hit.ref.page == 1


def test_a_comic_has_a_page_for_each_picture_in_the_order_of_names(tmp_path: Path) -> None:
    pages = {f"{n}.png": tile("L", (200, 300), (20 * n,) * 3) for n in (10, 3, 2)}
    view = added(made.write_cbz(tmp_path / "a.cbz", pages))
    assert [colour(view, n)[0] for n in (1, 2, 3)] == pytest.approx([40, 60, 200], abs=3)


def test_an_xps_file_is_drawn(tmp_path: Path) -> None:
    view = added(made.write_xps(tmp_path / "a.xps"))
    page = view.page(PageRef("a", 1))
    assert (page.width_pt, page.height_pt) == pytest.approx((450, 300))
    picture = view.crop(PageRef("a", 1), (0.2, 0.3, 0.4, 0.4), max_pixels=1_000)
    assert picture.getpixel((5, 5)) == (200, 30, 20)


def test_plain_text_keeps_its_lines_and_columns(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"TOLLS\n\n{WORDS}\nnorth   1,204\nsouth      88\n\fnext page")
    view = added(tmp_path / "a.txt")
    assert text(view).split("\n")[:3] == ["TOLLS", WORDS, "north 1,204"]
    assert text(view, 2) == "next page"
    words = {word.text: word.box for word in view.page(PageRef("a", 1)).words}
    assert words["1,204"][2] == pytest.approx(words["88"][2], abs=0.01)


@pytest.mark.parametrize(
    "content",
    [
        "Größe Ж €".encode(),
        codecs.BOM_UTF8 + "Größe Ж €".encode(),
        "Größe Ж €".encode("utf-16"),
        codecs.BOM_UTF16_BE + "Größe Ж €".encode("utf-16-be"),
    ],
)
def test_text_is_read_in_the_encodings_it_comes_in(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert text(added(tmp_path / "a.txt")) == "Größe Ж €"


def test_text_of_western_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Größe: 5 €".encode("cp1252"))
    assert text(added(tmp_path / "a.txt")) == "Größe: 5 €"


def test_a_word_wider_than_the_page_is_not_lost(tmp_path: Path) -> None:
    long = "".join(f"harbour{n}" for n in range(40))
    (tmp_path / "a.txt").write_text(long + "\n")
    assert text(added(tmp_path / "a.txt")).replace("\n", "") == long


def test_markdown_has_headings_tables_lists_and_code(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        f"---\nauthor: nobody\n---\n# Harbour\n\n{WORDS}\n\n## Tolls\n\n"
        "| Lock | 2022 |\n|---|---|\n"
        "| North | 1,204 |\n| South | (88) |\n\n- barges\n- *cranes*\n\n```\nlet x  = 1\n```\n"
        "\n<script>alert('script')</script>\n"
    )
    view = added(tmp_path / "a.md")
    assert outline(view) == [(1, "Harbour", 1), (2, "Tolls", 1)]
    lines = text(view).split("\n")
    assert WORDS in lines and "North 1,204" in lines and "let x = 1" in lines
    assert not {"nobody", "alert", "script", "**", "|"} & set(text(view).split())
    assert view.documents()[0].title == "Harbour"
    kinds = {region.kind for region in view.regions(PageRef("a", 1))}
    assert "heading" in kinds or "title" in kinds


def test_a_web_page_has_its_title_outline_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(
        "<html><head><meta charset='iso-8859-1'><title>Hafengröße</title>"
        "<style>.gone{display:none}</style></head>"
        f"<body><h1>Größe</h1><p>{WORDS}</p><p class=gone>Hidden words</p>"
        "<script>document.write('written')</script></body></html>".encode("latin-1")
    )
    view = added(tmp_path / "a.html")
    assert view.documents()[0].title == "Hafengröße"
    assert outline(view) == [(1, "Größe", 1)]
    assert WORDS in text(view)
    assert "written" not in text(view) and "Hidden" not in text(view)


TAGS = (
    '<img src="{}" alt="the picture" width="200" height="200">',
    "<IMG\nwidth=200 height=200 src={}>",
    '<svg width="200" height="200"><image href="{}" width="200" height="200"/></svg>',
    '<svg width="200" height="200" xmlns:xlink="http://www.w3.org/1999/xlink">'
    '<image xlink:href="{}" width="200" height="200"/></svg>',
    '<object data="{}" width="200" height="200"></object>',
    '<embed src="{}">',
    '<link rel="stylesheet" href="{}">',
    '<style>@import url("{}");</style><p style="background-image: url({})">aside</p>',
    '<iframe src="{}"></iframe>',
)


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_page_shows_nothing_from_beside_it(tmp_path: Path, suffix: str) -> None:
    """A web page that did could show any picture of the disk to whoever asks."""
    Image.new("RGB", (200, 200), (200, 30, 20)).save(tmp_path / "pic.png")
    os.mkfifo(tmp_path / "pipe")  # whoever opens it hangs
    picture = tmp_path / "pic.png"
    places = ("pic.png", str(picture), picture.as_uri(), "pipe", "http://127.0.0.1:9/pic.png")
    tags = [tag.replace("{}", where) for tag in TAGS for where in places]
    (tmp_path / f"a{suffix}").write_text(f"<p>{WORDS}</p>\n\n" + "\n\n".join(tags))
    view = added(tmp_path / f"a{suffix}")
    assert WORDS in text(view) and "the picture" in text(view)
    for page in range(1, view.documents()[0].pages + 1):
        shown = np.asarray(view.crop(PageRef("a", page), FULL_PAGE, max_pixels=90_000)).astype(int)
        assert (shown[..., 0] - shown[..., 1]).max() < 60, "something red is on the page"


def test_a_picture_inside_a_web_page_is_shown(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("RGB", (200, 200), (200, 30, 20)).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    (tmp_path / "a.html").write_text(f'<p>{WORDS}</p><img src="data:image/png;base64,{data}">')
    view = added(tmp_path / "a.html")
    picture = np.asarray(view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=60_000))
    assert (abs(picture.astype(int) - (200, 30, 20)).sum(axis=2) < 20).mean() > 0.01


def test_an_e_book_shows_nothing_from_outside_it(tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), (200, 30, 20)).save(tmp_path / "pic.png")
    inside = "".join(
        f'<p>{WORDS}</p><img src="{at}"/>'
        for at in (
            "../pic.png",
            "../../pic.png",
            f"{tmp_path}/pic.png",
            f"file://{tmp_path}/pic.png",
        )
    )
    view = added(made.write_epub(tmp_path / "b.epub", {"One": inside}))
    picture = np.asarray(view.crop(PageRef("b", 1), FULL_PAGE, max_pixels=100_000)).astype(int)
    assert (picture[..., 0] - picture[..., 1]).max() < 60


def fill(folder: Path) -> Path:
    """Write a folder of six formats."""
    folder.mkdir()
    made.draw(WORDS).save(folder / "scan.png")
    (folder / "notes.txt").write_text(WORDS)
    (folder / "plan.md").write_text("# Plan\n\nThe dredger rests on Sundays.\n")
    (folder / "page.html").write_text("<h1>Page</h1><p>Cranes lift timber.</p>")
    made.write_epub(folder / "book.epub", {"One": "<p>Ferries cross at noon.</p>"})
    (folder / "~$open.docx").write_bytes(b"left by an open program")
    (folder / "data.bin").write_bytes(b"\0\1\2")
    return folder


def test_a_folder_of_many_formats_is_kept_up_to_date(tmp_path: Path) -> None:
    folder = fill(tmp_path / "papers")
    with Library(folder) as library:
        report = library.add(folder)
        assert sorted(report.added) == [
            "book.epub",
            "notes.txt",
            "page.html",
            "plan.md",
            "scan.png",
        ]
        assert not report.failed
        version = library.version
        assert len(library.add(folder).unchanged) == 5
        assert library.version == version
        (folder / "plan.md").write_text("# Plan\n\nThe dredger rests on Mondays.\n")
        shutil.copy(folder / "notes.txt", folder / "copy of notes.txt")
        (folder / "page.html").unlink()
        report = library.add(folder)
        assert (report.updated, report.removed) == (["plan.md"], ["page.html"])
        assert report.added == ["copy of notes.txt"]
        assert library.view().document("notes").sources == ("notes.txt", "copy of notes.txt")
        assert library.search("Mondays", mode="keyword")
        assert not library.search("Sundays", mode="keyword")
        library.remove("book")
        assert library.add(folder).left_out == ["book.epub"]


def test_a_question_about_a_text_is_answered_with_a_crop(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "harbour.md").write_text(
        "# Harbour\n\nThe seat of the harbour office is Bergen.\n\nCranes lift timber.\n"
    )
    with Library(tmp_path / "papers") as library:
        library.add(tmp_path / "papers")
        answer = ask("Where is the seat of the harbour office?", library)
        assert answer.status == "answered" and "Bergen" in answer.text
        citation = answer.citations[0]
        assert citation.verified and citation.crop().size > (10, 10)


@pytest.mark.parametrize("suffix", [".md", ".html", ".txt"])
def test_check_finds_and_mends_the_copy_that_was_made(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text(WORDS)
    with Library(tmp_path) as library:
        library.add(tmp_path / f"a{suffix}")
        assert library.check().problems == ()
        (copy,) = (library.path / "sources").glob("*.pdf")
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)
        problem = f"the copy of a{suffix} is missing or changed"
        assert library.check(repair=False).problems == (problem,)
        assert library.check().repaired == (problem,)
        copy.unlink()
        assert library.check().repaired == (problem,)
        assert library.check().problems == ()
        assert library.view().crop(PageRef("a", 1), FULL_PAGE, max_pixels=9_000).width > 50


def test_files_are_refused_that_are_not_what_their_names_say(tmp_path: Path) -> None:
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.txt")
    assert failure(tmp_path / "a.txt") == (
        "renamed: its name says .txt, but it looks like a PNG picture"
    )
    (tmp_path / "b.epub").write_text("hello")
    assert failure(tmp_path / "b.epub") == "renamed: its name says .epub, but it looks like text"
    (tmp_path / "c.dat").write_bytes(b"\0\1\2\3")
    assert failure(tmp_path / "c.dat").startswith("unknown format: it looks like binary data")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.png", "a.epub"])
def test_an_empty_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert failure(tmp_path / name) == "empty: the file has no content"
    (tmp_path / name).write_text(" \n ")
    os.utime(tmp_path / name, ns=(1, 1))
    assert failure(tmp_path / name).startswith("empty: it holds only blanks")


def test_a_page_without_words_is_blank(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html><body><p></p></body></html>")
    assert failure(tmp_path / "a.html").startswith("blank")


def write_whole(folder: Path, kind: str) -> Path:
    path = folder / f"whole.{kind}"
    match kind:
        case "epub":
            return made.write_epub(path, {"One": f"<p>{WORDS}</p>" * 50})
        case "cbz":
            return made.write_cbz(path, {"1.png": made.draw(WORDS)})
        case "xps":
            return made.write_xps(path)
    made.draw(WORDS).save(path)
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "gif", "bmp", "epub", "cbz", "xps"])
def test_a_file_that_is_cut_short_is_reported(tmp_path: Path, kind: str) -> None:
    whole = write_whole(tmp_path, kind).read_bytes()
    (tmp_path / f"whole.{kind}").unlink()
    cut = tmp_path / f"cut.{kind}"
    cut.write_bytes(whole[: len(whole) // 3 if kind != "jpg" else 200])
    assert failure(cut).startswith(("damaged: ", "no pages: ", "blank: "))


def test_an_archive_of_something_else_is_damaged(tmp_path: Path) -> None:
    made.write_zip(tmp_path / "a.epub", {"hello.txt": "hello"})
    assert failure(tmp_path / "a.epub").startswith("damaged: the engine cannot")


def test_a_locked_e_book_says_so(tmp_path: Path) -> None:
    made.write_epub(tmp_path / "a.epub", {"One": "x"}, {"META-INF/rights.xml": "<rights/>"})
    assert failure(tmp_path / "a.epub").startswith("encrypted: it is locked")


@pytest.mark.parametrize("kind", ["epub", "cbz"])
def test_an_archive_that_would_unpack_to_too_much_is_refused(tmp_path: Path, kind: str) -> None:
    """A megabyte of zeros a part costs a kilobyte; 1,100 parts are over the limit."""
    zeros = bytes(2**20)
    made.write_zip(tmp_path / f"a.{kind}", {f"{i}.png": zeros for i in range(1_100)})
    assert failure(tmp_path / f"a.{kind}") == (
        "too large: it unpacks to 1,100 MB, and 1,024 are most"
    )


def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 11_000)).save(tmp_path / "a.png")
    assert failure(tmp_path / "a.png") == (
        "too large: picture 1 has 20,000 x 11,000 pixels, and 200 million are the most"
    )


def test_text_of_too_many_megabytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.html").open("w") as file:
        file.write("<p>word</p>\n" * 600_000)
    assert failure(tmp_path / "a.html") == (
        "too large: it has 7 MB of text and 6 are the most; split it"
    )


def test_a_folder_without_anything_to_read_says_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with (
        Library(tmp_path) as library,
        pytest.raises(LibraryError, match=r"no PDF, .* file in"),
    ):
        library.add(tmp_path / "none")


def test_words_of_joined_scripts_on_web_pages_are_warned_of(tmp_path: Path) -> None:
    """Their glyphs are kept, not their letters; that was only said in the documentation."""
    (tmp_path / "a.html").write_text(
        f"<p>{WORDS} \u0647\u0630\u0627 \u0627\u0644\u0645\u064a\u0646\u0627\u0621</p>"
    )
    (tmp_path / "b.html").write_text(f"<p>{WORDS} \u05e9\u05dc\u05d5\u05dd \u4e2d\u6587</p>")
    with Library(tmp_path) as library:
        report = library.add(tmp_path)
    (warning,) = report.warnings
    assert warning.startswith("a.html: words of Arabic or Indian scripts are not read rightly")
