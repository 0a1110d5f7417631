"""The tables of the annual reports of Tarnwick Instruments plc: statements and notes."""

from types import SimpleNamespace

from making.figures import Line, total
from making.markup import Part
from making.tables import Row, accounts


def statements(t: SimpleNamespace, both: tuple[int, int]) -> dict[str, Part]:
    """Return the three statements for two years, newest first."""
    nine = "9" if both[0] == 2022 else "10"
    income = [
        Row("Revenue", t.revenue, "2", total=True),
        Row("Cost of sales", t.cost_of_sales, "3"),
        Row("Gross profit", t.gross_profit, total=True),
        Row("Research and development", t.research, "3"),
        Row("Selling and distribution", t.selling, "3"),
        Row("Administrative expenses", t.administrative, "3"),
        Row("Exceptional items", t.exceptional, "4"),
        Row("Operating profit", t.operating_profit, total=True),
        Row("Finance income", t.finance_income, "5"),
        Row("Finance costs", t.finance_costs, "5"),
        Row("Profit before tax", t.pretax, total=True),
        Row("Taxation", t.tax, "6"),
        Row("Profit for the year", t.profit, total=True),
        Row("Basic earnings per share (pence)", t.eps),
        Row("Dividend per share (pence)", t.dividend),
    ]
    balance = [
        Row("Non-current assets"),
        Row("Goodwill", t.goodwill, "7"),
        Row("Other intangible assets", t.intangibles, "7"),
        Row("Property, plant and equipment", t.property),
        Row("Current assets"),
        Row("Inventories", t.inventories),
        Row("Trade and other receivables", t.receivables),
        Row("Cash and cash equivalents", t.cash),
        Row("Total assets", t.assets, total=True),
        Row("Current liabilities"),
        Row("Trade and other payables", t.payables),
        Row("Current tax", t.tax_payable, "6"),
        Row("Non-current liabilities"),
        Row("Borrowings", t.borrowings, "8"),
        Row("Retirement benefit obligation", t.pension),
        Row("Deferred tax", t.deferred_tax, "6"),
        Row("Provisions", t.provisions, nine),
        Row("Total liabilities", t.liabilities, total=True),
        Row("Net assets", t.net_assets, total=True),
        Row("Share capital", t.share_capital),
        Row("Share premium", t.share_premium),
        Row("Retained earnings", t.retained),
        Row("Total equity", t.net_assets, total=True),
    ]
    return {
        "income": accounts(
            "income", "Consolidated income statement, £ million", both, income, notes=True
        ),
        "balance": accounts(
            "balance", "Consolidated balance sheet, £ million", both, balance, notes=True
        ),
        "cashflow": accounts(
            "cashflow",
            "Consolidated cash flow statement, £ million",
            tuple(y for y in both if y in t.cash_change),
            _cash_rows(t, both[0]),
            notes=True,
        ),
    }


def _cash_rows(t: SimpleNamespace, year: int) -> list[Row]:
    bought = [Row("Acquisition of subsidiaries", t.acquisition, "9")] if year == 2023 else []
    return [
        Row("Operating profit", t.operating_profit),
        Row(
            "Depreciation and amortisation",
            total(t.ebitda, Line({y: -v for y, v in t.operating_profit.items()})),
        ),
        Row("Share-based payments", t.share_credit, "3"),
        Row("Change in working capital", t.working_capital),
        Row("Change in provisions", t.provision_change, "10" if year == 2023 else "9"),
        Row("Contributions to the retirement plan", t.pension_paid),
        Row("Tax paid", t.tax_paid, "6"),
        Row("Net cash from operating activities", t.operating_cash, total=True),
        Row("Purchase of property, plant and equipment", t.capex),
        Row("Development expenditure capitalised", t.capitalised, "7"),
        Row("Sale of equipment", t.disposals),
        *bought,
        Row("Net cash used in investing activities", t.investing, total=True),
        Row("Net change in borrowings", t.borrowed, "8"),
        Row("Net interest paid", t.interest, "5"),
        Row("Dividends paid", t.dividends_paid),
        Row("Net cash from financing activities", t.financing, total=True),
        Row("Change in cash and cash equivalents", t.cash_change, total=True),
        Row("Cash and cash equivalents at the end of the year", t.cash, total=True),
    ]


def notes(t: SimpleNamespace, both: tuple[int, int]) -> dict[str, Part]:
    """Return the tables of the notes for two years, newest first."""
    return {
        "segmenttable": accounts(
            "segments",
            "Revenue and profit by segment, £ million",
            both,
            [
                Row("Revenue"),
                Row("Water Networks", t.water),
                Row("Industrial Process", t.industrial),
                Row("Laboratory", t.laboratory),
                Row("Group revenue", t.revenue, total=True),
                Row("Segment profit"),
                Row("Water Networks", t.water_profit),
                Row("Industrial Process", t.industrial_profit),
                Row("Laboratory", t.laboratory_profit),
                Row("Central costs", t.central),
                Row("Operating profit before exceptional items", t.adjusted_profit, total=True),
            ],
        ),
        "regions": accounts(
            "regions",
            "Revenue by destination, £ million",
            both,
            [
                Row("United Kingdom", t.uk),
                Row("Rest of Europe", t.europe),
                Row("Americas", t.americas),
                Row("Asia Pacific and Africa", t.asia),
                Row("Group revenue", t.revenue, total=True),
            ],
        ),
        "staffcosts": accounts(
            "staffcosts",
            "Cost of employees, £ million",
            both,
            [
                Row("Wages and salaries", t.wages),
                Row("Social security", t.social),
                Row("Pensions", t.pension_cost),
                Row("Share-based payments", t.share_payments),
                Row("Total", t.staff_costs, total=True),
            ],
        ),
        "staffsites": accounts(
            "staffsites",
            "Average number of employees by site",
            both,
            [
                Row("Eskmouth", t.staff_eskmouth, decimals=0),
                Row("Brackwater", t.staff_brackwater, decimals=0),
                Row("Pellworth", t.staff_pellworth, decimals=0),
                *([Row("Dunmere", t.staff_dunmere, decimals=0)] if both[0] == 2023 else []),
                Row("Outside the United Kingdom", t.staff_overseas, decimals=0),
                Row("Total", t.staff, total=True, decimals=0),
            ],
            unit="",
        ),
        "exceptional": accounts(
            "exceptional",
            "Exceptional items, £ million",
            both,
            [
                Row("Closure of the foundry line at Brackwater", t.closure),
                Row("Acquisition of Corvane Sensing", t.deal),
                Row("Flood at Brackwater", t.flood),
                Row("Total", t.exceptional, total=True),
            ],
        ),
        "interest": accounts(
            "interest",
            "Finance income and costs, £ million",
            both,
            [
                Row("Interest on deposits", t.finance_income),
                Row("Interest on borrowings and leases", _less(t.finance_costs, 0.6)),
                Row(
                    "Interest on the retirement benefit obligation",
                    Line(dict.fromkeys(t.tax, -0.6)),
                ),
                Row("Net finance costs", t.interest, total=True),
            ],
        ),
        "taxtable": accounts(
            "taxtable",
            "Taxation, £ million",
            both,
            [
                Row("Tax at the rate of the United Kingdom", _statutory(t)),
                Row("Costs that are not deductible and other differences", _rest(t)),
                Row("Charge for the year", t.tax, total=True),
            ],
        ),
        "goodwill": _goodwill(t, both),
        "borrowings": accounts(
            "borrowings",
            "Borrowings, £ million",
            both,
            [
                Row("Term loan, due March 2026", t.term_loan),
                Row("Revolving facility, due October 2027", t.facility),
                *([Row("Senior notes 5.85%, due June 2030", t.notes)] if both[0] == 2023 else []),
                Row("Total borrowings", t.debt, total=True),
                Row("Cash and cash equivalents", Line({y: -v for y, v in t.cash.items()})),
                Row("Net debt", t.net_debt, total=True),
            ],
        ),
        "fairvalues": _fair_values(t),
        "provisions": accounts(
            "provisions",
            "Provisions, £ million",
            both,
            [
                Row("Warranties", t.warranty),
                *([Row("Restructuring", t.restructuring)] if both[0] == 2023 else []),
                Row("Dilapidations and other", t.dilapidations),
                Row("Total", Line({y: -v for y, v in t.provisions.items()}), total=True),
            ],
        ),
        "summary": accounts(
            "summarytable",
            "Three-year summary, £ million unless stated",
            (2023, 2022, 2021),
            [
                Row("Revenue", t.revenue),
                Row("Gross profit", t.gross_profit),
                Row("Research and development", t.research),
                Row("Operating profit", t.operating_profit),
                Row("Profit for the year", t.profit),
                Row("Capital expenditure", t.capex),
                Row("Net debt", t.net_debt),
                Row("Order book", t.order_book),
                Row("Average number of employees", t.staff, decimals=0),
                Row("Basic earnings per share (pence)", t.eps),
                Row("Dividend per share (pence)", t.dividend),
            ],
            unit="",
        ),
    }


def _less(costs: Line, amount: float) -> Line:
    return Line({y: round(v + amount, 1) for y, v in costs.items()})


def _statutory(t: SimpleNamespace) -> Line:
    rates = {2021: 0.19, 2022: 0.19, 2023: 0.235}
    return Line({y: round(-t.pretax[y] * rate, 1) for y, rate in rates.items()})


def _rest(t: SimpleNamespace) -> Line:
    at_rate = _statutory(t)
    return Line({y: round(t.tax[y] - at_rate[y], 1) for y in t.tax})


def _goodwill(t: SimpleNamespace, both: tuple[int, int]) -> Part:
    year = both[0]
    bought = t.bought if year == 2023 else SimpleNamespace(goodwill=0.0, intangibles=0.0)
    columns = (1, 2, 3)

    def row(label: str, goodwill: float, other: float, bold: bool = False) -> Row:
        whole = round(goodwill + other, 1)
        return Row(label, dict(zip(columns, (goodwill, other, whole), strict=True)), total=bold)

    acquired = [row("Acquisition of Corvane", bought.goodwill, bought.intangibles)]
    return accounts(
        "goodwilltable",
        f"Goodwill and other intangible assets in {year}, £ million",
        columns,
        [
            row("At 1 January", t.goodwill[year - 1], t.intangibles[year - 1]),
            *(acquired if year == 2023 else []),
            row("Development expenditure capitalised", 0.0, -t.capitalised[year]),
            row("Amortisation", 0.0, t.amortisation[year]),
            row("At 31 December", t.goodwill[year], t.intangibles[year], bold=True),
        ],
        heads=["Goodwill", "Other", "Total"],
    )


def _fair_values(t: SimpleNamespace) -> Part:
    b = t.bought

    def row(label: str, value: float, bold: bool = False) -> Row:
        return Row(label, {1: value}, total=bold)

    return accounts(
        "fairvalues",
        "Fair values of the assets and liabilities of Corvane, £ million",
        (1,),
        [
            row("Technology and customer relationships", b.intangibles),
            row("Property, plant and equipment", b.property),
            row("Inventories", b.inventories),
            row("Trade and other receivables", b.receivables),
            row("Cash", b.cash),
            row("Trade and other payables", b.payables),
            row("Deferred tax", b.deferred_tax),
            row("Net identifiable assets", b.net, bold=True),
            row("Goodwill", b.goodwill),
            row("Consideration, paid in cash", b.price, bold=True),
        ],
        heads=["1 July 2023"],
    )
