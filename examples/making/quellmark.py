"""The annual report of Quellmark Holdings plc, the rival: two columns, serifs, burgundy."""

from types import SimpleNamespace
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, NextPageTemplate, Spacer

from making.charts import bars
from making.markup import Part, Setter
from making.pages import Look, Places, Report, build
from making.tables import Row, accounts
from making.tarnwick import contents

LOOK = Look(
    accent=HexColor("#6b1f33"),
    second=HexColor("#b08d57"),
    serif=True,
    size=11.2,
    columns=2,
    chapter_breaks=False,
    margin=58,
    justify=True,
)


def annual_report(q: SimpleNamespace) -> bytes:
    """Write the annual report 2023."""
    values = {
        "q": q,
        "orders_fall": -q.order_book.growth[2023],
        "payout": 100 * q.dividend[2023] / q.eps[2023],
        "qtax": 100 * -q.tax[2023] / q.pretax[2023],
    }

    def story(places: Places) -> list[Flowable]:
        return Setter(LOOK, places, values, _parts(q)).read("quellmark_2023.md")

    return build(
        story,
        LOOK,
        {"cover": _cover, "body": _page, "front": _page},
        title="Quellmark Holdings plc Annual Report and Accounts 2023",
        author="Quellmark Holdings plc",
        subject="Year ended 30 September 2023",
    )


def _cover(canvas: Any, _report: Report, _number: str) -> None:
    width, height = LOOK.page
    canvas.setFillColor(HexColor("#f6f1e7"))
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    canvas.setFillColor(LOOK.accent)
    canvas.rect(0, 0, 120, height, stroke=0, fill=1)
    canvas.setStrokeColor(LOOK.second)
    for i in range(7):
        canvas.setLineWidth(3 - i * 0.35)
        canvas.circle(120, 300, 60 + i * 32, stroke=1, fill=0)
    canvas.setFillColor(LOOK.accent)
    canvas.setFont("Times-Bold", 34)
    canvas.drawString(160, height - 170, "Quellmark Holdings plc")
    canvas.setFont("Times-Roman", 20)
    canvas.drawString(160, height - 206, "Annual Report and Accounts 2023")
    canvas.setFont("Times-Italic", 13)
    canvas.drawString(160, height - 236, "for the year ended 30 September 2023")


def _page(canvas: Any, _report: Report, number: str) -> None:
    width, height = LOOK.page
    canvas.setFont("Times-Italic", 9)
    canvas.setFillColor(LOOK.accent)
    canvas.drawString(LOOK.margin, height - 38, "Quellmark Holdings plc")
    canvas.drawRightString(width - LOOK.margin, height - 38, "Annual Report and Accounts 2023")
    canvas.drawCentredString(width / 2, 32, f"– {number} –")  # noqa: RUF001 - as printed


def _cover_part(_setter: Setter) -> list[Flowable]:
    return [NextPageTemplate("front"), Spacer(0, 1)]


def _parts(q: SimpleNamespace) -> dict[str, Part]:
    both = (2023, 2022)
    return {
        "cover": _cover_part,
        "contents": contents,
        "q_segments": accounts(
            "q-segments",
            "Revenue by division, £ million",
            both,
            [
                Row("Flow", q.flow),
                Row("Level and Pressure", q.level),
                Row("Services", q.services),
                Row("Revenue", q.revenue, total=True),
            ],
        ),
        "q_chart": bars(
            "q-orders",
            "Order book and net debt at 30 September",
            ["2022", "2023"],
            [[q.order_book[2022], q.order_book[2023]], [q.net_debt[2022], q.net_debt[2023]]],
            ["Order book", "Net debt"],
            unit="£m",
            top=250,
            step=50,
            height=170,
        ),
        "q_income": accounts(
            "q-income-table",
            "Group income statement, £ million",
            both,
            [
                Row("Revenue", q.revenue, "2", total=True),
                Row("Cost of sales", q.cost_of_sales),
                Row("Gross profit", q.gross_profit, total=True),
                Row("Research and development", q.research),
                Row("Selling and distribution", q.selling),
                Row("Administrative expenses", q.administrative, "3"),
                Row("Impairment of software", q.impairment, "6"),
                Row("Operating profit", q.operating_profit, total=True),
                Row("Net finance costs", q.finance_costs, "5"),
                Row("Profit before tax", q.pretax, total=True),
                Row("Taxation", q.tax, "4"),
                Row("Profit for the year", q.profit, total=True),
                Row("Earnings per share (pence)", q.eps),
                Row("Dividend per share (pence)", q.dividend),
            ],
            notes=True,
            width=2.08,
        ),
        "q_balance": accounts(
            "q-balance-table",
            "Group balance sheet, £ million",
            both,
            [
                Row("Goodwill", q.goodwill),
                Row("Software and development", q.software, "6"),
                Row("Property, plant and equipment", q.property),
                Row("Inventories", q.inventories),
                Row("Trade and other receivables", q.receivables),
                Row("Cash", q.cash),
                Row("Total assets", q.assets, total=True),
                Row("Trade and other payables", q.payables),
                Row("Borrowings", q.borrowings, "5"),
                Row("Retirement benefits", q.pension),
                Row("Provisions and tax", q.other),
                Row("Total liabilities", q.liabilities, total=True),
                Row("Net assets", q.net_assets, total=True),
            ],
            notes=True,
            width=2.08,
        ),
    }
