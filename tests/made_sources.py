"""Small files of each format, made by hand for the tests."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw

from pagehop.library.library import Library
from pagehop.library.view import View

WORDS = "The harbour office counted four hundred barges."


def write_zip(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """Write a ZIP file; the first part is not compressed, as e-books and ODF want it."""
    with zipfile.ZipFile(path, "w") as archive:
        for i, (name, content) in enumerate(parts.items()):
            kind = zipfile.ZIP_DEFLATED if i else zipfile.ZIP_STORED
            archive.writestr(name, content, kind)
    return path


def draw(words: str, size: tuple[int, int] = (800, 400)) -> Image.Image:
    """Draw words as a scan shows them."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((40, 60), words, fill="black", font_size=30)
    return picture


def write_epub(path: Path, chapters: Mapping[str, str], extra: Mapping[str, str] = {}) -> Path:
    """Write a book with a table of contents."""
    names = [f"c{i}.xhtml" for i in range(len(chapters))]
    items = "".join(
        f'<item id="{n[:-6]}" href="{n}" media-type="application/xhtml+xml"/>' for n in names
    )
    spine = "".join(f'<itemref idref="{n[:-6]}"/>' for n in names)
    points = "".join(
        f'<navPoint id="p{i}" playOrder="{i + 1}"><navLabel><text>{title}</text></navLabel>'
        f'<content src="{names[i]}"/></navPoint>'
        for i, title in enumerate(chapters)
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="2.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Barges</dc:title>'
        '<dc:identifier id="id">x</dc:identifier></metadata><manifest>'
        f'<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>{items}</manifest>'
        f'<spine toc="ncx">{spine}</spine></package>'
    )
    container = (
        '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{}</h1>{}</body></html>'
    return write_zip(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": package,
            "toc.ncx": '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
            f"<navMap>{points}</navMap></ncx>",
            **{n: page.format(t, b) for n, (t, b) in zip(names, chapters.items(), strict=True)},
            **extra,
        },
    )


def write_cbz(path: Path, pictures: Mapping[str, Image.Image]) -> Path:
    """Write a comic of PNG pictures."""
    parts = {}
    for name, picture in pictures.items():
        file = path.with_name(name)
        picture.save(file)
        parts[name] = file.read_bytes()
        file.unlink()
    return write_zip(path, parts)


def write_xps(path: Path) -> Path:
    """Write a page that is a coloured rectangle."""
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    xps = "http://schemas.microsoft.com/xps/2005/06"
    return write_zip(
        path,
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="R" '
            f'Type="{xps}/fixedrepresentation" Target="/all.fdseq"/></Relationships>',
            "all.fdseq": f'<FixedDocumentSequence xmlns="{xps}">'
            '<DocumentReference Source="/one.fdoc"/></FixedDocumentSequence>',
            "one.fdoc": f'<FixedDocument xmlns="{xps}"><PageContent Source="/one.fpage"/>'
            "</FixedDocument>",
            "one.fpage": f'<FixedPage xmlns="{xps}" Width="600" Height="400">'
            '<Path Data="M 60,60 L 300,60 300,200 60,200 Z" Fill="#FFC81E14"/></FixedPage>',
        },
    )


def write_docx(path: Path, *paragraphs: str, links: str = "", drawing: str = "") -> Path:
    """Write a Word file; the first paragraph is a heading."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    body = "".join(
        f'<w:p><w:pPr><w:outlineLvl w:val="{0 if i == 0 else 9}"/></w:pPr>'
        f"<w:r><w:t>{words}</w:t></w:r></w:p>"
        for i, words in enumerate(paragraphs)
    )
    return write_zip(
        path,
        {
            "[Content_Types].xml": f'<Types xmlns="{kinds}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{word}" xmlns:r="{office}"><w:body>'
            f"{body}{drawing}</w:body></w:document>",
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{rels}">{links}'
            "</Relationships>",
        },
    )


def write_ods(path: Path, rows: list[list[str]]) -> Path:
    """Write an ODF sheet."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    return _write_odf(
        path,
        "spreadsheet",
        f'<office:spreadsheet><table:table table:name="Tolls">{cells}</table:table>'
        "</office:spreadsheet>",
    )


def write_linked_odp(path: Path, address: str) -> Path:
    """Write a slide that shows a picture from elsewhere."""
    return _write_odf(
        path,
        "presentation",
        '<office:presentation><draw:page draw:name="s" draw:master-page-name="m"><draw:frame '
        'svg:width="8cm" svg:height="8cm" svg:x="2cm" svg:y="2cm"><draw:image '
        f'xlink:href="{address}" xlink:type="simple"/></draw:frame><draw:frame svg:width="20cm" '
        f'svg:height="3cm" svg:x="2cm" svg:y="11cm"><draw:text-box><text:p>{WORDS}</text:p>'
        "</draw:text-box></draw:frame></draw:page></office:presentation>",
    )


def write_odp(path: Path, *slides: str) -> Path:
    """Write ODF slides, a text box each."""
    pages = "".join(
        f'<draw:page draw:name="s{i}" draw:master-page-name="m"><draw:frame svg:width="20cm" '
        'svg:height="3cm" svg:x="2cm" svg:y="2cm"><draw:text-box>'
        f"<text:p>{words}</text:p></draw:text-box></draw:frame></draw:page>"
        for i, words in enumerate(slides)
    )
    return _write_odf(path, "presentation", f"<office:presentation>{pages}</office:presentation>")


def _write_odf(path: Path, kind: str, body: str) -> Path:
    base = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = " ".join(
        f'xmlns:{n}="{base}{v}:1.0"'
        for n, v in {
            "office": "office", "table": "table", "text": "text", "draw": "drawing",
            "svg": "svg-compatible", "manifest": "manifest",
        }.items()
    )  # fmt: skip
    spaces += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
    media = f"application/vnd.oasis.opendocument.{kind}"
    return write_zip(
        path,
        {
            "mimetype": media,
            "content.xml": f'<office:document-content {spaces} office:version="1.2"><office:body>'
            f"{body}</office:body></office:document-content>",
            "META-INF/manifest.xml": f"<manifest:manifest {spaces}>"
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" '
            'manifest:media-type="text/xml"/></manifest:manifest>',
        },
    )


def write_compound(path: Path, streams: Mapping[str, bytes]) -> Path:
    """Write an old Office file: a head, the streams in sectors of 512 bytes, directory, table."""
    table: list[int] = []
    body = b""
    entries = [_compound_entry("Root Entry", 5, 0xFFFFFFFE, 0)]
    for name, content in streams.items():
        padded = content.ljust(4096, b"\0")
        padded += bytes(-len(padded) % 512)
        entries.append(_compound_entry(name, 2, len(table), len(padded)))
        table += _compound_chain(len(table), len(padded) // 512)
        body += padded
    entries += [bytes(128)] * (-len(entries) % 4)
    directory = len(table)
    table += _compound_chain(directory, len(entries) // 4)
    listed = len(table)
    table += [0xFFFFFFFD]
    assert len(table) <= 128, "one sector of the table is enough for a test"
    table += [0xFFFFFFFF] * (128 - len(table))
    head = struct.pack("<8s16xHHHHH6xIII4xIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        0x3E, 3, 0xFFFE, 9, 6, 0, 1, directory, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)  # fmt: skip
    head += struct.pack("<109I", listed, *[0xFFFFFFFF] * 108)
    path.write_bytes(head + body + b"".join(entries) + struct.pack("<128I", *table))
    return path


def _compound_entry(name: str, kind: int, start: int, size: int) -> bytes:
    spelled = name.encode("utf-16-le")
    fields = struct.pack("<HBBIII36xIQ", len(spelled) + 2, kind, 1, *[0xFFFFFFFF] * 3, start, size)
    return spelled.ljust(64, b"\0") + fields


def _compound_chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), 0xFFFFFFFE]


def added(path: Path) -> View:
    """Add one file to a library beside it, and return the view."""
    with Library(path.parent) as library:
        report = library.add(path)
        assert report.added == [path.name], report
        return library.view()
