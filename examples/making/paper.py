"""The technical paper on drift compensation: two columns, abstract, equation, references."""

from typing import Any

from reportlab.lib.colors import HexColor, black
from reportlab.platypus import Flowable, FrameBreak, NextPageTemplate, Paragraph, Spacer, Table

from making.charts import lines
from making.markup import Part, Setter
from making.pages import Look, Mark, Places, Report, build
from making.tables import grid

LOOK = Look(
    accent=black,
    second=HexColor("#888888"),
    serif=True,
    size=10.6,
    columns=2,
    gap=18,
    margin=52,
    opening=186,
    chapter_breaks=False,
    justify=True,
)
WITHOUT = (0.5, 1.1, 1.9, 2.6, 3.1, 3.5, 3.4, 2.9, 2.2, 1.5, 1.2, 1.5, 2.0, 2.6, 3.0, 3.3, 3.4, 3.3)
WITH = (1.4, 1.0, 0.7, 0.6, 0.6, 0.7, 0.6, 0.5, 0.5, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9)
"""Drift in per cent of reading at Lake Ansel, months 1 to 18."""
TITLE = "Compensating temperature drift in clamp-on ultrasonic meters"


def paper() -> bytes:
    """Write the paper."""

    def story(places: Places) -> list[Flowable]:
        return Setter(LOOK, places, {}, _parts()).read("paper.md")

    return build(
        story,
        LOOK,
        {"body": _page},
        start="first",
        title=TITLE,
        author="I. Varkonyi, T. Brandreth, N. Halabi",
        subject="Proceedings of Flow Metrology 18 (2022)",
    )


def _page(canvas: Any, report: Report, _number: str) -> None:
    width, height = LOOK.page
    canvas.setFont("Times-Italic", 8.5)
    canvas.drawString(LOOK.margin, height - 34, "Proceedings of Flow Metrology 18 (2022) 211–213")  # noqa: RUF001
    canvas.drawRightString(width - LOOK.margin, height - 34, "Varkonyi, Brandreth, Halabi")
    canvas.setFont("Times-Roman", 9)
    canvas.drawCentredString(width / 2, 30, str(210 + report.page))


def _abstract(setter: Setter) -> list[Flowable]:
    style = setter.styles
    title = style["h1"].clone("title", fontSize=17, leading=21, alignment=1, spaceAfter=8)
    small = style["small"].clone(
        "abstract", fontSize=9.6, leading=12.2, alignment=4, textColor=black
    )
    return [
        Mark("title", TITLE, outline=0),
        Paragraph(TITLE, title),
        setter.paragraph("*Ilse Varkonyi* ¹, *Tomas Brandreth* ² and *Noor Halabi* ²", "centre"),
        setter.paragraph(
            "_¹ Tarnwick Instruments plc, Eskmouth   ² University of Eskmouth, "
            "School of Engineering_",
            "centre",
        ),
        Paragraph(
            "<b>Abstract.</b> Clamp-on ultrasonic flow meters drift with the "
            "temperature of wall and "
            "liquid. We show that the echo inside the pipe wall carries enough information to "
            "remove most of this drift without a further sensor. In a field trial of eighteen "
            "months with twenty-four meters at two sites, the mean drift fell from 2.4% to 0.7% of "
            "reading at the colder and from 1.6% to 0.6% at the warmer site. The method runs on a "
            "small processor, costs 1.9 joules a day and needs no change of the transducers.",
            small,
        ),
        Spacer(0, 5),
        Paragraph(
            "<b>Keywords:</b> ultrasonic metering, transit time, temperature drift, water networks",
            small,
        ),
    ]


def _equation(setter: Setter) -> list[Flowable]:
    formula = Paragraph(
        "<i>v</i> = <i>k</i> · <i>D</i> · <greek>D</greek><i>t</i> / "
        "(2 <i>t</i><super>2</super> sin <greek>q</greek>)",
        setter.styles["centre"],
    )
    row = Table([[formula, "(1)"]], [LOOK.column - 30, 30])
    return [row, Spacer(0, 5)]


def _parts() -> dict[str, Part]:
    months = range(1, 19)
    return {
        "abstract": lambda setter: [
            NextPageTemplate("body"),
            *_abstract(setter),
            FrameBreak(),
        ],
        "equation": _equation,
        "p_sites": grid(
            "p-sites",
            "The two sites of the trial",
            ["", "Lake Ansel", "Port Ellery"],
            [
                ("Meters", "16", "8"),
                ("Pipe", "steel, DN 400", "ductile iron, DN 250"),
                ("Wall, mm", "9.5", "6.8"),
                ("Water, °C", "3 to 27", "8 to 21"),
                ("Velocity, m/s", "0.3 to 2.1", "0.1 to 1.4"),
            ],
            [0.34, 0.31, 0.35],
        ),
        "p_chart": lines(
            "p-drift",
            "Drift at Lake Ansel by month of the trial",
            [list(zip(months, WITHOUT, strict=True)), list(zip(months, WITH, strict=True))],
            ["without", "with compensation"],
            unit="% of reading",
            across="Month of the trial",
            xs=(1, 3, 6, 9, 12, 15, 18),
            top=4,
            step=0.5,
            height=215,
        ),
        "p_results": grid(
            "p-results",
            "Drift in per cent of reading",
            ["Site and meters", "Mean", "Largest"],
            [
                ("Lake Ansel, without", "2.4", "3.5"),
                ("Lake Ansel, with", "0.7", "1.4"),
                ("Port Ellery, without", "1.6", "2.2"),
                ("Port Ellery, with", "0.6", "1.1"),
            ],
            [0.56, 0.2, 0.24],
            right=(1, 2),
        ),
        "p_budget": grid(
            "p-budget",
            "Uncertainty of one comparison, per cent of reading",
            ["Source", "Lake Ansel", "Port Ellery"],
            [
                ("Reference meter", "0.20", "0.20"),
                ("Position of transducers", "0.11", "0.14"),
                ("Inner diameter", "0.31", "0.42"),
                ("Noise, mean of a month", "0.06", "0.09"),
                ("*Combined*", "0.39", "0.49"),
            ],
            [0.5, 0.25, 0.25],
            right=(1, 2),
        ),
    }
