"""The sustainability report of Tarnwick: landscape, two columns, green."""

from types import SimpleNamespace
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.platypus import Flowable, NextPageTemplate, Spacer

from making.charts import bars
from making.figures import intensity
from making.markup import Part, Setter
from making.pages import Look, Places, Report, build
from making.tables import Row, accounts, grid

LOOK = Look(
    accent=HexColor("#2c6e49"),
    second=HexColor("#d68c45"),
    page=landscape(A4),
    size=11.6,
    columns=2,
    gap=34,
    margin=60,
)
WATER = {"Brackwater": 90, "Eskmouth": 60, "Pellworth": 45, "Dunmere": 15}
"""Thousand cubic metres drawn in 2023, shown only as bars."""
INJURIES_BY_SITE = {"Eskmouth": 1.5, "Brackwater": 2.0, "Pellworth": 2.5, "Dunmere": 4.0}
"""Lost time injuries per million hours in 2023, shown only as bars."""


def report(s: SimpleNamespace, t: SimpleNamespace) -> bytes:
    """Write the sustainability report 2023."""
    values = {
        "s": s,
        "t": t,
        "intensity": intensity(s.direct, t.revenue),
        "direct_fall": -s.direct.growth[2023],
    }

    def story(places: Places) -> list[Flowable]:
        return Setter(LOOK, places, values, _parts(s, t)).read("sustainability_2023.md")

    return build(
        story,
        LOOK,
        {"cover": _cover, "body": _page},
        title="Tarnwick Instruments plc Sustainability Report 2023",
        author="Tarnwick Instruments plc",
        subject="Environment, people and suppliers in 2023",
    )


def _cover(canvas: Any, _report: Report, _number: str) -> None:
    width, height = LOOK.page
    canvas.setFillColor(HexColor("#eef3ea"))
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    for i, shade in enumerate(("#cfe0c8", "#9fc29a", "#5f9a6d", "#2c6e49")):
        canvas.setFillColor(HexColor(shade))
        path = canvas.beginPath()
        top = 250 - i * 58
        path.moveTo(0, 0)
        path.lineTo(0, top)
        path.curveTo(width * 0.3, top + 90 - 20 * i, width * 0.55, top - 80, width, top + 20)
        path.lineTo(width, 0)
        canvas.drawPath(path, stroke=0, fill=1)
    canvas.setFillColor(LOOK.accent)
    canvas.setFont("Helvetica-Bold", 36)
    canvas.drawString(LOOK.margin, height - 150, "Sustainability Report 2023")
    canvas.setFont("Helvetica", 16)
    canvas.drawString(LOOK.margin, height - 182, "Tarnwick Instruments plc")


def _page(canvas: Any, _report: Report, number: str) -> None:
    width, height = LOOK.page
    canvas.setFillColor(LOOK.accent)
    canvas.rect(0, height - 16, width, 16, stroke=0, fill=1)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(LOOK.margin, 30, "Tarnwick Sustainability Report 2023")
    canvas.drawRightString(width - LOOK.margin, 30, number)


def _parts(s: SimpleNamespace, t: SimpleNamespace) -> dict[str, Part]:
    three = (2023, 2022, 2021)
    whole = [f"{n}" for n in (2021, 2022, 2023)]
    return {
        "cover": lambda _setter: [NextPageTemplate("body"), Spacer(0, 1)],
        "s_targets": grid(
            "s-targets",
            "Targets and progress",
            ["Target", "By", "2022", "2023"],
            [
                (
                    "Direct emissions, tonnes CO2e: 6,950",
                    "2027",
                    f"{s.direct[2022]:,.0f}",
                    f"{s.direct[2023]:,.0f}",
                ),
                (
                    "Renewable electricity: 100%",
                    "2026",
                    f"{s.renewable[2022]:.0f}%",
                    f"{s.renewable[2023]:.0f}%",
                ),
                (
                    "Lost time injuries per million hours: below 2.0",
                    "2025",
                    f"{s.injuries[2022]:.1f}",
                    f"{s.injuries[2023]:.1f}",
                ),
                ("Tier 1 suppliers audited: all", "2024", "52%", f"{s.audited_share:.1f}%"),
            ],
            [0.52, 0.12, 0.18, 0.18],
            right=(1, 2, 3),
        ),
        "s_emissions": accounts(
            "s-emissions",
            "Emissions in tonnes of CO2 equivalent",
            three,
            [
                Row("Scope 1: fuels and processes", s.scope1, decimals=0),
                Row("Scope 2: purchased energy", s.scope2, decimals=0),
                Row("Direct emissions (1 and 2)", s.direct, total=True, decimals=0),
                Row("Purchased goods", s.goods, decimals=0),
                Row("Freight", s.freight, decimals=0),
                Row("Use of products", s.use, decimals=0),
                Row("Scope 3", s.scope3, total=True, decimals=0),
            ],
            unit="t",
        ),
        "s_chart": bars(
            "s-direct",
            "Direct emissions by scope",
            whole,
            [[s.scope1[y] for y in (2021, 2022, 2023)], [s.scope2[y] for y in (2021, 2022, 2023)]],
            ["Scope 1", "Scope 2"],
            unit="t CO2e",
            top=12000,
            step=3000,
            stacked=True,
            printed="",
            height=175,
        ),
        "s_water": bars(
            "s-water",
            "Water withdrawal by site in 2023",
            list(WATER),
            [list(WATER.values())],
            unit="thousand cubic metres",
            top=105,
            step=15,
            printed="",
            height=300,
            note=(
                "Dunmere: July to December only. Sites abroad use less than a thousand "
                "cubic metres each."
            ),
        ),
        "s_safety": bars(
            "s-safety",
            "Lost time injury frequency by site in 2023",
            list(INJURIES_BY_SITE),
            [list(INJURIES_BY_SITE.values())],
            unit="injuries per million hours worked",
            top=5,
            step=0.5,
            printed="",
            height=250,
        ),
        "s_audits": grid(
            "s-audits",
            "Audits of Tier 1 suppliers",
            ["", "2022", "2023"],
            [
                ("Tier 1 suppliers at the year end", "91", f"{s.suppliers}"),
                ("Audited at least once", "47", f"{s.audited}"),
                ("Failed on the first visit", "6", f"{s.failed}"),
                ("Critical findings", "0", "1"),
                ("Major findings", "14", "23"),
            ],
            [0.6, 0.2, 0.2],
            right=(1, 2),
        ),
    }
