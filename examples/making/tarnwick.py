"""The annual reports of Tarnwick Instruments plc for 2022 and 2023: tables, charts and covers."""

from types import SimpleNamespace
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, NextPageTemplate, Paragraph, Spacer, Table

from making.charts import bars, lines
from making.figures import Line
from making.markup import Part, Setter
from making.pages import Look, Painter, Places, Report, build
from making.tables import grid
from making.tarnwick_tables import notes, statements

LOOK = Look(size=10.8, margin=60)
PALE = HexColor("#dfeaec")


def annual_report(t: SimpleNamespace, year: int) -> bytes:
    """Write the annual report of one year."""
    values = {
        "t": t,
        "industrial_fall": -t.industrial.growth.get(2023, 0.0),
        "acquired_growth": round(100 * t.corvane_revenue / t.revenue[2022], 1),
        "rd_more": -t.research.change[year],
        "pages": "",
    }

    def story(places: Places) -> list[Flowable]:
        first = places.spots.get("notes", ("", "0"))[1]
        last = places.spots.get("summary" if year == 2023 else "note-provisions", ("", "0"))[1]
        values["pages"] = f"{first} to {int(last) - (year == 2023)}"
        return Setter(LOOK, places, values, _parts(t, year)).read(f"tarnwick_{year}.md")

    return build(
        story,
        LOOK,
        {"cover": _cover(year), "body": _page(year), "front": _front},
        title=f"Tarnwick Instruments plc Annual Report {year}",
        author="Tarnwick Instruments plc",
        subject=f"Annual report and accounts for the year ended 31 December {year}",
    )


def _cover(year: int) -> Painter:
    def paint(canvas: Any, report: Report, _number: str) -> None:
        width, height = LOOK.page
        canvas.setFillColor(LOOK.accent)
        canvas.rect(0, 0, width, height, stroke=0, fill=1)
        for i in range(26):
            y = 90 + i * 13
            canvas.setStrokeColor(PALE, alpha=0.12 + 0.02 * i)
            canvas.setLineWidth(0.5 + 0.12 * i)
            path = canvas.beginPath()
            path.moveTo(0, y)
            bend = 70 if year == 2023 else -55
            path.curveTo(width * 0.3, y + bend + 3 * i, width * 0.6, y - bend, width, y + 30)
            canvas.drawPath(path)
        canvas.setFillColor(HexColor("#ffffff"))
        canvas.setFont("Helvetica-Bold", 40)
        canvas.drawString(LOOK.margin, height - 190, "Annual Report")
        canvas.setFillColor(LOOK.second)
        canvas.drawString(LOOK.margin, height - 236, str(year))
        canvas.setFillColor(HexColor("#ffffff"))
        canvas.setFont("Helvetica", 15)
        canvas.drawString(LOOK.margin, height - 92, "Tarnwick Instruments plc")
        subtitle = "From the sensor to the signal" if year == 2023 else "Above the waterline"
        canvas.drawString(LOOK.margin, height - 268, subtitle)

    return paint


def _front(canvas: Any, _report: Report, number: str) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(HexColor("#555555"))
    canvas.drawCentredString(LOOK.page[0] / 2, 30, number)


def _page(year: int) -> Painter:
    def paint(canvas: Any, _report: Report, number: str) -> None:
        width, height = LOOK.page
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(HexColor("#555555"))
        canvas.drawString(
            LOOK.margin, height - 34, f"Tarnwick Instruments plc  |  Annual Report {year}"
        )
        canvas.setStrokeColor(LOOK.second)
        canvas.line(LOOK.margin, height - 40, width - LOOK.margin, height - 40)
        canvas.drawRightString(width - LOOK.margin, 30, number)

    return paint


def contents(setter: Setter) -> list[Flowable]:
    """Set the table of contents from the pass before."""
    rows = [
        [
            Paragraph(f'<a href="#{key}">{"&nbsp;" * 5 * level}{title}</a>', setter.styles["text"]),
            page,
        ]
        for level, title, page, key in setter.places.contents
        if level <= 1 and page.isdigit()
    ]
    look = setter.look
    size = look.size * (0.95 if len(rows) < 34 else 0.85)
    style = [
        ("FONT", (1, 0), (1, -1), look.font, size),
        ("ALIGN", (1, 0), (1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, HexColor("#c5ced1")),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    for row in rows:
        row[0].style = setter.styles["text"].clone(
            "toc", alignment=0, fontSize=size, leading=size * 1.4, spaceAfter=0
        )
    empty: list[Flowable] = [Spacer(0, 10)]
    return (
        [Table(rows, [look.column - 40, 40], style=style, hAlign="LEFT"), *empty] if rows else empty
    )


def _cover_part(_setter: Setter) -> list[Flowable]:
    return [NextPageTemplate("front"), Spacer(0, 1)]


def _highlights(t: SimpleNamespace, year: int) -> Part:
    def part(setter: Setter) -> list[Flowable]:
        look = setter.look
        big = setter.styles["text"].clone(
            "big", fontName=look.bold, fontSize=19, leading=24, textColor=look.accent, spaceAfter=0
        )
        small = setter.styles["small"]

        def cell(value: str, words: str, before: str) -> list[Flowable]:
            return [Paragraph(value, big), Paragraph(f"{words}<br/>{year - 1}: {before}", small)]

        def pair(item: Line, form: str) -> tuple[str, str]:
            return form.format(item[year]), form.format(item[year - 1])

        money = "£{:.1f}m"
        entries = [
            ("Revenue", *pair(t.revenue, money)),
            ("Operating profit", *pair(t.operating_profit, money)),
            ("Basic earnings per share", *pair(t.eps, "{:.1f}p")),
            ("Research and development", *pair(t.research.plain, money)),
            ("Net debt", *pair(t.net_debt, money)),
            ("Dividend per share", *pair(t.dividend, "{:.1f}p")),
        ]
        cells = [cell(now, words, before) for words, now, before in entries]
        table = Table(
            [cells[:3], cells[3:]],
            [look.column / 3] * 3,
            style=[
                ("BACKGROUND", (0, 0), (-1, -1), HexColor("#eef4f5")),
                ("LEFTPADDING", (0, 0), (-1, -1), 12),
                ("TOPPADDING", (0, 0), (-1, -1), 9),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 9),
                ("INNERGRID", (0, 0), (-1, -1), 3, HexColor("#ffffff")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ],
        )
        return [table, Spacer(0, 18)]

    return part


def _parts(t: SimpleNamespace, year: int) -> dict[str, Part]:
    both = (year, year - 1)
    years = list(range(2021, year + 1))
    names = [str(y) for y in years]
    return {
        "cover": _cover_part,
        "contents": contents,
        "highlights": _highlights(t, year),
        "revenuechart": bars(
            "revenuechart",
            "Revenue by segment, £ million",
            names,
            [[item[y] for y in years] for item in (t.water, t.industrial, t.laboratory)],
            ["Water Networks", "Industrial Process", "Laboratory"],
            unit="£m",
            top=450,
            step=100,
            stacked=True,
            height=250,
        ),
        "researchchart": bars(
            "researchchart",
            "Research and development expense as a share of revenue",
            names,
            [[t.research_share[y] for y in years]],
            unit="% of revenue",
            top=10,
            step=2,
            height=190,
        ),
        "segmentchart": lines(
            "segmentchart",
            "Segment margins before central costs",
            [
                [(y, item[y]) for y in years]
                for item in (t.water_margin, t.industrial_margin, t.laboratory_margin)
            ],
            ["Water Networks", "Industrial Process", "Laboratory"],
            unit="% of segment revenue",
            across="Year",
            xs=years,
            top=25,
            step=5,
            height=190,
        ),
        "debtchart": bars(
            "debtchart",
            "Net debt at 31 December",
            names,
            [[t.net_debt[y] for y in years]],
            unit="£m",
            top=80,
            step=20,
            flat=True,
            height=140,
        ),
        **statements(t, both),
        **notes(t, both),
        "risktable": _risks(year),
        "directors": _directors(),
    }


def _risks(year: int) -> Part:
    rows = (
        [
            (
                "Supply of components",
                "Circuit boards and castings come from few sources; one supplier failed its audit.",
                "Second sources for 70% of parts by value; tests on receipt.",
                "Higher",
            ),
            (
                "Integration of Corvane",
                "Skilled people leave or products are joined later than planned.",
                "Founder retained to 2026; joint roadmap reviewed each month.",
                "New",
            ),
            (
                "Demand of process industries",
                "Chemical customers delay maintenance and new plants.",
                "Shorter weeks, lower stocks, more food and dairy.",
                "Higher",
            ),
            (
                "Information security",
                "A break-in stops production or changes measured data.",
                "Signed firmware; networks of office and factory separated in 2023.",
                "Same",
            ),
            (
                "Interest rates",
                "More than half of the debt was at floating rates until June 2023.",
                "Fixed notes now make up 53% of borrowings.",
                "Lower",
            ),
        ]
        if year == 2023
        else [
            (
                "Flooding at Brackwater",
                "The site lies below the mill race and was flooded in February.",
                "Wall under construction; moulds stored on the upper floor.",
                "New",
            ),
            (
                "Supply of components",
                "Chips bought on the open market cost up to nine times list price.",
                "Redesign of three boards; stock raised to fourteen weeks.",
                "Higher",
            ),
            (
                "Tenders",
                "A few frameworks decide about a large part of the order book.",
                "Earlier trials with customers; bids reviewed by people outside the segment.",
                "Same",
            ),
            (
                "Information security",
                "A break-in stops production or changes measured data.",
                "Firmware is signed; staff are tested with false mails.",
                "Same",
            ),
        ]
    )
    return grid(
        "risktable",
        "Principal risks",
        ["Risk", "What could happen", "What we do", "Change"],
        rows,
        [0.2, 0.35, 0.34, 0.11],
    )


def _directors() -> Part:
    return grid(
        "directors",
        "Directors in 2023 and their attendance",
        ["Director", "Role", "Joined", "Meetings"],
        [
            ("Rosalind Achterberg", "Chair", "2017", "9 of 9"),
            ("Desmond Oyelaran-Pike", "Chief Executive", "2019", "9 of 9"),
            ("Hanneke Struve", "Chief Financial Officer", "2022", "9 of 9"),
            ("Dr Ilse Varkonyi", "Chief Technology Officer", "2023", "2 of 2"),
            ("Lionel Abernethy-Roux", "Senior independent director", "2015", "8 of 9"),
            ("Callum Ferreira-Dunn", "Chair of the Audit Committee", "2018", "9 of 9"),
            ("Priya Wolstenholme", "Independent director", "2022", "9 of 9"),
        ],
        [0.33, 0.4, 0.12, 0.15],
        right=(2, 3),
    )
