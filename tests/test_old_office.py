"""Old Office files: .doc, .xls, .ppt and RTF, as LibreOffice writes them and as they break."""

import os
import random
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import made_sources as made
from pagehop.errors import PdfError
from pagehop.library.library import Library
from pagehop.reading.compound import check_compound
from pagehop.reading.office import find_soffice
from pagehop.types import FULL_PAGE, PageRef

WORDS = made.WORDS
SHEET = struct.pack("<HH16x", 0x809, 16)
"""The record that a sheet begins with."""
LINKED = """<?xml version="1.0"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:p>{words}</text:p><text:p><draw:frame svg:width="5cm" svg:height="5cm"
 text:anchor-type="as-char"><draw:image xlink:href="{address}" xlink:type="simple"/></draw:frame>
</text:p></office:text></office:body></office:document>"""
needs_libreoffice = pytest.mark.skipif(
    find_soffice() is None, reason="LibreOffice is not installed (soffice is not on the PATH)"
)


def resaved(folder: Path, kind: str, *sources: Path) -> None:
    """Let LibreOffice, without any of our limits, save files as an older kind."""
    program = find_soffice()
    assert program is not None
    subprocess.run(
        [program, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}",
         "--convert-to", kind, "--outdir", str(folder), *map(str, sources)],
        check=True, capture_output=True, timeout=120, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip


@needs_libreoffice
def test_old_office_files_are_read(tmp_path: Path) -> None:
    made_of, old = tmp_path / "made", tmp_path / "old"
    made_of.mkdir()
    made.write_docx(made_of / "letter.docx", "Harbour", WORDS)
    made.write_ods(made_of / "tolls.ods", [["Lock", "2022"], ["North", "1,204"], ["South", "(88)"]])
    made.write_odp(made_of / "talk.odp", "First slide", WORDS)
    for kind, name in (("doc", "letter.docx"), ("xls", "tolls.ods"), ("ppt", "talk.odp")):
        resaved(old, kind, made_of / name)
    with Library(tmp_path / "library") as library:
        report = library.add([old / name for name in ("letter.doc", "tolls.xls", "talk.ppt")])
        assert not report.failed and not report.warnings, report
        view = library.view()
        (letter,) = [d for d in view.documents() if d.name == "letter"]
        assert [(e.title, e.page) for e in letter.outline] == [("Harbour", 1)]
        assert WORDS in view.page(PageRef("letter", 1)).text
        assert "North 1,204" in view.page(PageRef("tolls", 1)).text.split("\n")
        assert WORDS in view.page(PageRef("talk", 2)).text
    whole = (old / "tolls.xls").read_bytes()
    (old / "cut.xls").write_bytes(whole[: len(whole) // 2])
    with Library(tmp_path / "library") as library:
        ((_, why),) = library.add(old / "cut.xls").failed
    assert why == "damaged: its parts cannot be listed; it may be cut short"


@needs_libreoffice
def test_an_old_word_file_shows_no_picture_of_the_disk(tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), (200, 30, 20)).save(tmp_path / "pic.png")
    address = (tmp_path / "pic.png").as_uri()
    (tmp_path / "a.fodt").write_text(LINKED.format(words=WORDS, address=address))
    resaved(tmp_path, "doc", tmp_path / "a.fodt")
    assert address.encode() in (tmp_path / "a.doc").read_bytes()
    view = made.added(tmp_path / "a.doc")
    assert WORDS in view.page(PageRef("a", 1)).text
    assert redness(np.asarray(view.crop(PageRef("a", 1), FULL_PAGE, max_pixels=90_000))) < 60


def redness(shown: np.ndarray) -> int:
    return int((shown[..., 0].astype(int) - shown[..., 1]).max())


@needs_libreoffice
def test_rich_text_is_read_with_its_letters_and_its_table(tmp_path: Path) -> None:
    table = r"\trowd\cellx2000\cellx4000\intbl %s\cell %s\cell\row"
    rows = table % ("Lock", "2022") + table % ("North", "1,204")
    (tmp_path / "a.rtf").write_text(
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0\fs24 Gr\'fc\'dfe, \u8364? 5\par"
        rf"{rows}\pard {WORDS}\par}}"
    )
    view = made.added(tmp_path / "a.rtf")
    lines = view.page(PageRef("a", 1)).text.split("\n")
    assert lines == ["Gr\u00fc\u00dfe, \u20ac 5", "Lock 2022", "North 1,204", WORDS]


@pytest.mark.parametrize(
    ("streams", "why"),
    [
        ({"WordDocument": bytes(11) + b"\x01"}, "encrypted: it needs a password"),
        ({"Workbook": SHEET + struct.pack("<HH", 0x2F, 54)}, "encrypted: it needs a password"),
        (
            {"PowerPoint Document": b"", "Current User": struct.pack("<12xI", 0xF3D1C4DF)},
            "encrypted: it needs a password",
        ),
        ({"EncryptedPackage": b"", "EncryptionInfo": b""}, "encrypted: it needs a password"),
        ({"Contents": b"a drawing"}, "damaged: it holds no text, sheet or slides"),
    ],
)
def test_locked_and_foreign_files_are_refused_before_libreoffice_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streams: Mapping[str, bytes], why: str
) -> None:
    (tmp_path / "soffice").write_text(f"#!{sys.executable}\nimport sys; sys.exit('it started')")
    (tmp_path / "soffice").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made.write_compound(tmp_path / "a.doc", streams)
    made.write_compound(tmp_path / "b.doc", {"WordDocument": b"\xec\xa5", "Data": bytes(9_000)})
    with Library(tmp_path) as library:
        found = {Path(path).name: said for path, said in library.add(tmp_path).failed}
    assert found["a.doc"].startswith(why)
    assert found["b.doc"] == "damaged: LibreOffice cannot read it: it started"


def test_no_damage_of_a_file_is_more_than_a_damaged_file(tmp_path: Path) -> None:
    path = made.write_compound(tmp_path / "a.xls", {"Workbook": SHEET, "Other": bytes(6_000)})
    check_compound(path)
    whole = path.read_bytes()
    for size in (0, 8, 40, 512, *range(700, len(whole) - 511, 512)):
        path.write_bytes(whole[:size])
        with pytest.raises(PdfError, match="cut short"):
            check_compound(path)
    dice = random.Random(1)
    told = 0
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(4):
            broken[dice.choice((dice.randrange(512), dice.randrange(len(whole))))] ^= 1 << 7
        path.write_bytes(broken)
        try:
            check_compound(path)
        except PdfError as error:
            assert error.reason in ("damaged", "encrypted")
            told += 1
    assert told > 20
