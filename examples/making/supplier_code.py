"""The Supplier Code, document SC-2023-04, with its annexes: a controlled document."""

from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from making.markup import Part, Setter
from making.pages import Look, Mark, Places, Report, build
from making.tables import grid

LOOK = Look(
    accent=HexColor("#1d3557"),
    second=HexColor("#8d99ae"),
    serif=True,
    size=11.6,
    margin=72,
    chapter_breaks=False,
)
LIMITS = [
    ("Lead", "7439-92-1", "1,000", "40,000", "EN 15309"),
    ("Cadmium", "7440-43-9", "20", "100", "EN 15309"),
    ("Mercury", "7439-97-6", "not detectable", "100", "EN 1122"),
    ("Hexavalent chromium", "18540-29-9", "not detectable", "1,000", "IEC 62321-7"),
    ("Nickel, released from plating", "7440-02-0", "500", "5,000", "EN 1811"),
    ("Bisphenol A", "80-05-7", "50", "1,000", "EN 14372"),
    ("Diethylhexyl phthalate", "117-81-7", "100", "1,000", "EN 14372"),
    ("Perfluorooctanoic acid", "335-67-1", "not detectable", "25", "CEN/TS 15968"),
]
"""Substance, registry number, limit of wetted parts, limit of other parts, method."""


def code() -> bytes:
    """Write the Supplier Code."""

    def story(places: Places) -> list[Flowable]:
        return Setter(LOOK, places, {}, _parts()).read("supplier_code.md")

    return build(
        story,
        LOOK,
        {"body": _page},
        start="body",
        title="Supplier Code SC-2023-04",
        author="Tarnwick Instruments plc",
        subject="Document SC-2023-04, revision 2",
    )


def _page(canvas: Any, report: Report, _number: str) -> None:
    width, height = LOOK.page
    canvas.setFont("Courier", 8)
    canvas.setFillColor(HexColor("#333333"))
    canvas.drawString(LOOK.margin, height - 44, "TARNWICK INSTRUMENTS PLC")
    canvas.drawRightString(width - LOOK.margin, height - 44, "SC-2023-04  Rev. 2  CONTROLLED COPY")
    canvas.setStrokeColor(LOOK.accent)
    canvas.line(LOOK.margin, height - 50, width - LOOK.margin, height - 50)
    canvas.drawString(LOOK.margin, 40, "Valid from 1 April 2023")
    canvas.drawRightString(width - LOOK.margin, 40, f"Page {report.page}")


def _head(setter: Setter) -> list[Flowable]:
    big = setter.styles["h1"].clone("title", fontSize=24, leading=30, spaceBefore=6)
    control = Table(
        [
            ["Document", "SC-2023-04", "Revision", "2"],
            ["Owner", "Purchasing Department", "Valid from", "1 April 2023"],
            ["Replaces", "SC-2018-02", "Approved", "8 March 2023"],
        ],
        [70, 150, 80, LOOK.width - 300],
        style=[
            ("FONT", (0, 0), (-1, -1), "Times-Roman", 10),
            ("GRID", (0, 0), (-1, -1), 0.5, LOOK.second),
            ("FONT", (0, 0), (0, -1), "Times-Bold", 10),
            ("FONT", (2, 0), (2, -1), "Times-Bold", 10),
        ],
    )
    return [
        Mark("title", "Supplier Code", outline=0),
        Paragraph("Supplier Code", big),
        control,
        Spacer(0, 20),
    ]


def _parts() -> dict[str, Part]:
    return {
        "codehead": _head,
        "sc_definitions": grid(
            "",
            "",
            ["Term", "Meaning"],
            [
                (
                    "Tier 1 supplier",
                    "A supplier as described in clause 2.1, named as such on the order.",
                ),
                ("Tier 2 supplier", "A supplier as described in clause 2.2."),
                (
                    "Tier 3 supplier",
                    "A supplier of goods and services that do not become part of a product.",
                ),
                (
                    "Wetted part",
                    "A part with a surface that touches the measured medium in normal use, its "
                    "seals included.",
                ),
                (
                    "Critical finding",
                    "A breach that endangers life, health or drinking water, or a false "
                    "test report.",
                ),
                (
                    "Major finding",
                    "A breach of the law, or of this Code in more than a single case.",
                ),
                ("Minor finding", "Any other breach."),
                (
                    "Homogeneous material",
                    "A material that cannot be taken apart by unscrewing, cutting or grinding.",
                ),
            ],
            [0.28, 0.72],
        ),
        "sc_limits": grid(
            "limits",
            "Restricted substances and their limits, mg/kg",
            ["Substance", "CAS number", "Wetted parts", "Other parts", "Method"],
            LIMITS,
            [0.3, 0.17, 0.18, 0.15, 0.2],
            right=(2, 3),
        ),
        "sc_schedule": grid(
            "schedule",
            "Intervals between visits",
            ["Tier", "First visit", "Then every", "Length of a visit"],
            [
                ("Tier 1", "before the first order", "12 months", "2 days"),
                ("Tier 2", "within 6 months", "24 months", "1 day"),
                ("Tier 3", "on suspicion only", "36 months", "by questionnaire"),
            ],
            [0.16, 0.32, 0.24, 0.28],
        ),
        "sc_history": grid(
            "",
            "",
            ["Revision", "Date", "Change"],
            [
                (
                    "1",
                    "11 January 2023",
                    "First draft of the new Code, circulated to twelve suppliers",
                ),
                (
                    "2",
                    "8 March 2023",
                    "Limit of nickel lowered from 750 to 500 mg/kg; clause 6.4 added",
                ),
            ],
            [0.15, 0.25, 0.6],
        ),
    }
