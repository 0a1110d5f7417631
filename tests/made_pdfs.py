"""PDF files that are broken, empty, hostile or odd, each made by hand for the tests."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

WORDS = "The harbour office counted forty barges in spring and sixty in autumn."


def draw(path: Path, *pages: str, **options: object) -> Path:
    """Write one line of text a page; an empty line makes a blank page."""
    canvas = Canvas(str(path), pagesize=A4, pageCompression=1, invariant=True, **options)
    for text in pages:
        if text:
            canvas.drawString(72, 720, text)
        canvas.showPage()
    canvas.save()
    return path


def raw_pdf(path: Path, *objects: bytes) -> Path:
    """Write numbered objects with a cross-reference table; object 1 is the catalogue."""
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    )
    path.write_bytes(out.getvalue())
    return path


def stream(body: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(body), extra, body)


def nested_forms(path: Path, *, good_pages: int = 0, bad_pages: int = 1) -> Path:
    """A file of about 2 KB whose forms call one another ten times each, twelve levels deep."""
    depth = 12
    text = b"BT /F 12 Tf 72 700 Td (" + WORDS.encode() + b") Tj ET"
    kids = b" ".join(b"%d 0 R" % (4 + min(i, good_pages)) for i in range(good_pages + bad_pages))
    forms_at = 4 + good_pages + 2
    font = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    good = [
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources %b /Contents 3 0 R >>"
        % font
        for _ in range(good_pages)
    ]
    bad = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
        b" /Resources << /XObject << /X %d 0 R >> >> >>" % (forms_at - 1, forms_at)
    )
    form = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>"
    )
    forms = [stream(b"/X Do " * 10, form % (forms_at + i + 1)) for i in range(depth)]
    last = stream(b"0 0 m 9 9 l S", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, good_pages + bad_pages)
    return raw_pdf(
        path, catalogue, tree, stream(text), *good, bad, stream(b"/X Do " * 10), *forms, last
    )


def overwrite_streams(source: Path, path: Path, *, only: int | None = None) -> Path:
    """Destroy the bytes of all streams, or of one, as a transport that recodes text does."""
    data = bytearray(source.read_bytes())
    at = number = 0
    while (start := data.find(b"stream\n", at)) >= 0 and data[start - 3 : start] != b"end":
        end = data.index(b"endstream", start)
        if only is None or number == only:
            data[start + 7 : end] = b"\xef\xbf\xbd" * ((end - start - 7) // 3) + b"?" * (
                (end - start - 7) % 3
            )
        at, number = end + 9, number + 1
    path.write_bytes(data)
    return path


def picture_page(path: Path) -> Path:
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    noise = np.random.default_rng(0).integers(0, 255, (60, 40, 3), dtype=np.uint8)
    canvas.drawImage(ImageReader(Image.fromarray(noise)), 72, 300, 300, 400)
    canvas.save()
    return path


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_zeros(path: Path) -> None:
    path.write_bytes(b"\0" * 5000)


def make_letter(path: Path) -> None:
    path.write_text("Dear Sir or Madam, this is a letter and no portable document.\n" * 50)


def make_photo(path: Path) -> None:
    Image.new("RGB", (30, 30), "red").save(path, "PNG")


def make_truncated(path: Path) -> None:
    whole = draw(path.with_name("whole.pdf"), *[WORDS] * 5).read_bytes()
    path.write_bytes(whole[: len(whole) // 3])


def make_encrypted(path: Path) -> None:
    draw(path, WORDS, encrypt=StandardEncryption("user", "owner", strength=128))


def make_no_pages(path: Path) -> None:
    raw_pdf(path, b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")


def make_blank(path: Path) -> None:
    draw(path, "", "", "")


def make_damaged(path: Path) -> None:
    overwrite_streams(draw(path.with_name("whole.pdf"), *[WORDS] * 3), path)


def make_damaged_picture(path: Path) -> None:
    """The page's own stream is whole, the picture it shows is not."""
    picture_page(path)
    data = path.read_bytes()
    assert data.count(b"endstream") >= 2
    overwrite_streams(path, path, only=0)


def make_folder(path: Path) -> None:
    path.mkdir()
