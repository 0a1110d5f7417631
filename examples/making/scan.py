"""A page that exists only as a picture: typed, signed, stamped and scanned a little askew."""

import io
import random
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = Path(reportlab.__file__).parent / "fonts"
DPI = 130
MISSTATEMENTS = (
    ("1", "Revenue of Port Ellery, December cut-off", "(0.3)"),
    ("2", "Stock in Brackwater, count difference", "(0.2)"),
    ("3", "Accrual for bonuses in Canada", "0.1"),
    ("4", "Discount on dilapidations", "0.1"),
)
"""Number, what, effect on profit before tax in millions of pounds."""
TOTAL = "(0.3)"
TYPED = """APPENDIX

SCHEDULE OF UNCORRECTED MISSTATEMENTS
Tarnwick Instruments plc, year ended 31 December 2023

Effect on profit before tax, GBP million

{rows}
                                                ------
     Total                                       {total}

The directors consider these misstatements immaterial,
one by one and together, and have not corrected them.

The difference in stock was found by counting
1,140 valve bodies in store 7 on 3 January 2024.


For the company:                 Date: 5 March 2024



Hanneke Struve
Chief Financial Officer
"""


def scanned_text() -> str:
    """Return what is typed on the page: the gold for reading it."""
    rows = "\n".join(f"{n:>3}  {what:<42} {effect:>7}" for n, what, effect in MISSTATEMENTS)
    return TYPED.format(rows=rows, total=TOTAL)


def scanned_schedule() -> io.BytesIO:
    """Draw the page as a scanner gives it back: grey, tilted, specked; a PNG of sixteen greys."""
    width, height = int(8.27 * DPI), int(11.69 * DPI)
    page = Image.new("L", (width, height), 246)
    draw = ImageDraw.Draw(page)
    typed = ImageFont.truetype(str(FONTS / "com_____.pfb"), int(DPI * 0.155))
    y = int(DPI * 1.1)
    for line in scanned_text().splitlines():
        draw.text((int(DPI * 1.0), y), line, fill=38, font=typed)
        y += int(DPI * 0.22)
    hand = ImageFont.truetype(str(FONTS / "callig15.pfb"), int(DPI * 0.34))
    draw.text((int(DPI * 1.05), y - int(DPI * 1.05)), "H. Struve", fill=70, font=hand)
    stamp = Image.new("L", (int(DPI * 2.1), int(DPI * 0.7)), 0)
    pen = ImageDraw.Draw(stamp)
    pen.rectangle((4, 4, stamp.width - 5, stamp.height - 5), outline=150, width=3)
    bold = ImageFont.truetype(str(FONTS / "VeraBd.ttf"), int(DPI * 0.16))
    pen.text((18, 14), "RECEIVED", fill=150, font=bold)
    pen.text((18, 14 + int(DPI * 0.25)), "7 MAR 2024", fill=150, font=bold)
    tilted = stamp.rotate(9, expand=True, resample=Image.Resampling.BICUBIC)
    page.paste(90, (int(DPI * 5.2), int(DPI * 0.7)), tilted)
    page = page.rotate(0.7, resample=Image.Resampling.BICUBIC, fillcolor=246)
    page = page.filter(ImageFilter.GaussianBlur(0.6))
    _dirty(page)
    scan = io.BytesIO()
    page.quantize(16, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        scan, "PNG", optimize=False
    )
    scan.seek(0)
    return scan


def _dirty(page: Image.Image) -> None:
    """Add the specks of the glass and the shadow of the binding, the same ones each time."""
    dice = random.Random(20240307)
    draw = ImageDraw.Draw(page)
    for _ in range(240):
        x, y = dice.randrange(page.width), dice.randrange(page.height)
        r = dice.choice((0, 0, 0, 1))
        draw.ellipse((x, y, x + r, y + r), fill=dice.randrange(120, 220))
    for x in range(26):
        draw.line((x, 0, x, page.height), fill=150 + x * 3)
