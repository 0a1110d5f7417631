"""The short documents: the auditor's letter with a scanned page, board minutes, press release."""

from types import SimpleNamespace
from typing import Any

from reportlab.lib.colors import HexColor, black
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from making.markup import Part, Setter
from making.pages import Look, Mark, Painter, Report, build
from making.scan import scanned_schedule
from making.tables import grid

LETTER = Look(
    accent=HexColor("#27324a"), serif=True, size=11, margin=74, chapter_breaks=False, top_level=2
)
MINUTES = Look(accent=black, size=10, margin=68, chapter_breaks=False, top_level=2)
PRESS = Look(accent=HexColor("#0b5563"), size=10.5, margin=74, chapter_breaks=False, top_level=2)


def audit_letter(t: SimpleNamespace) -> bytes:
    """Write the auditor's report to the Audit Committee, its last page a picture without text."""
    parts: dict[str, Part] = {
        "letterhead": _letterhead,
        "l_matters": grid(
            "l-matters-table",
            "Key audit matters and our conclusions",
            ["Matter", "What we did", "Conclusion"],
            [
                (
                    "Purchase of Corvane Sensing",
                    "Valued technology and customer relationships with our own "
                    "specialists; traced the price of £64.0 million to the bank.",
                    "The values lie within our range of £19 million to £23 million for "
                    "intangible assets.",
                ),
                (
                    "Revenue of the Port Ellery framework",
                    "Read the contract; compared 40 deliveries in December with receipts.",
                    "Revenue of £0.3 million belongs to January 2024; see the appendix.",
                ),
                (
                    "Closure of the foundry line",
                    "Agreed redundancy terms for 30 people; inspected the site.",
                    "Provision is adequate.",
                ),
            ],
            [0.25, 0.4, 0.35],
        ),
        "l_signature": lambda setter: [
            Spacer(0, 26),
            setter.paragraph("*Gideon Marchetti*<br/>Partner, Pembury Lisle LLP"),
        ],
        "scan": lambda _setter: [Mark("appendix", "Appendix (signed copy)", outline=0)],
    }
    return build(
        lambda places: Setter(LETTER, places, {"t": t}, parts).read("audit_letter.md"),
        LETTER,
        {"body": _letter_page, "wide": _scan},
        start="body",
        title="Report to the Audit Committee 2023",
        author="Pembury Lisle LLP",
        subject="Audit of Tarnwick Instruments plc for the year ended 31 December 2023",
    )


def _letterhead(setter: Setter) -> list[Flowable]:
    name = setter.styles["h1"].clone("firm", fontSize=20, leading=24, spaceAfter=2)
    return [
        Paragraph("Pembury Lisle LLP", name),
        setter.paragraph("Chartered accountants · 31 Assay Row, Eskmouth ES1 2PB", "small"),
        Spacer(0, 18),
        setter.paragraph(
            "The Chair of the Audit Committee<br/>Tarnwick Instruments plc<br/>"
            "7 Gauge Lane, Eskmouth ES2 4TR"
        ),
        setter.paragraph("7 March 2024"),
        Spacer(0, 6),
    ]


def _letter_page(canvas: Any, report: Report, number: str) -> None:
    width, _ = LETTER.page
    canvas.setFont("Times-Roman", 8.5)
    canvas.setFillColor(HexColor("#555555"))
    canvas.drawCentredString(width / 2, 34, f"Confidential. Page {number}")


def _scan(canvas: Any, _report: Report, _number: str) -> None:
    width, height = LETTER.page
    canvas.drawImage(ImageReader(scanned_schedule()), 0, 0, width, height)


def board_minutes(t: SimpleNamespace) -> bytes:
    """Write the minutes of the board meeting of 21 September 2023."""
    parts: dict[str, Part] = {
        "minuteshead": _minutes_head,
        "minutesfoot": lambda setter: [
            Spacer(0, 24),
            setter.paragraph(
                "Signed as a true record: ______________________  (Chair)   Date: ____________"
            ),
        ],
    }
    return build(
        lambda places: Setter(MINUTES, places, {"t": t}, parts).read("board_minutes.md"),
        MINUTES,
        {"body": _footer("Tarnwick Instruments plc: Board minutes, 21 September 2023", MINUTES)},
        start="body",
        title="Minutes of the Board of Directors, 21 September 2023",
        author="Company Secretary, Tarnwick Instruments plc",
        subject="Board minutes",
    )


def _minutes_head(setter: Setter) -> list[Flowable]:
    title = setter.styles["h1"].clone("title", fontSize=15, leading=20, spaceAfter=4)
    rows = [
        ("Place", "Council Room, 7 Gauge Lane, Eskmouth"),
        ("Date", "Thursday, 21 September 2023, 09.30 to 14.10"),
        (
            "Present",
            "R. Achterberg (Chair), D. Oyelaran-Pike, H. Struve, C. Ferreira-Dunn, P. Wolstenholme",
        ),
        (
            "Attending",
            "Dr M. Okafor-Lund (item 3), Dr I. Varkonyi (item 2), W. Zielonka (Company Secretary)",
        ),
        ("Apologies", "L. Abernethy-Roux"),
    ]
    cells = [[setter.paragraph(f"*{a}*"), setter.paragraph(b)] for a, b in rows]
    table = Table(
        cells,
        [80, MINUTES.width - 80],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ("BOX", (0, 0), (-1, -1), 0.7, black),
        ],
    )
    return [
        Paragraph("Tarnwick Instruments plc", title),
        Paragraph("Minutes of a meeting of the Board of Directors", title),
        Spacer(0, 6),
        table,
        Spacer(0, 8),
    ]


def press_release(t: SimpleNamespace) -> bytes:
    """Write the press release on the purchase of Corvane Sensing."""
    parts: dict[str, Part] = {
        "presshead": _press_head,
        "pressfoot": lambda setter: [
            Spacer(0, 10),
            *setter.set(
                "## About Tarnwick\n\nTarnwick Instruments plc makes instruments that "
                "measure the flow, level "
                "and quality of liquids. In 2022 it had revenue of "
                "£{t.revenue[2022]:.1f} million and employed "
                "{t.staff[2022]:,.0f} people.\n\n## Contact\n\nWanda Zielonka, Company Secretary, "
                "press@tarnwick.example, Eskmouth 5550 142"
            ),
        ],
    }
    values = {"t": t, "multiple": round(t.bought.price / 33.8, 1)}
    return build(
        lambda places: Setter(PRESS, places, values, parts).read("press_release.md"),
        PRESS,
        {"body": _footer("tarnwick.example/news", PRESS)},
        start="body",
        title="Tarnwick to buy Corvane Sensing",
        author="Tarnwick Instruments plc",
        subject="Press release, 14 June 2023",
    )


def _press_head(setter: Setter) -> list[Flowable]:
    style = setter.styles["h1"]
    over = setter.styles["small"].clone("over", fontName=PRESS.bold, fontSize=9, spaceAfter=16)
    under = setter.styles["quote"].clone("under", fontSize=12, leading=16, leftIndent=0)
    return [
        Paragraph("PRESS RELEASE · FOR IMMEDIATE RELEASE", over),
        Paragraph("Tarnwick to buy Corvane Sensing and hear what its meters see", style),
        Paragraph("Acoustic leak detection joins flow measurement in one head", under),
    ]


def _footer(words: str, look: Look) -> Painter:
    def paint(canvas: Any, _report: Report, number: str) -> None:
        width, _ = look.page
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor(HexColor("#555555"))
        canvas.drawString(look.margin, 34, words)
        canvas.drawRightString(width - look.margin, 34, number)

    return paint
