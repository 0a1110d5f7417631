"""The one model of every number in the example documents.

Everything is fictional. Amounts are millions of pounds with one decimal unless a name says
otherwise. Totals, growth rates, the cash flow and the balance sheet are computed here, so that
all documents agree with each other; the asserts at the end hold the accounts together.
"""

from collections.abc import Mapping
from types import SimpleNamespace

YEARS = (2021, 2022, 2023)


class Line(dict[int, float]):
    """One line of the accounts: year to amount, costs negative."""

    @property
    def growth(self) -> dict[int, float]:
        """Change on the year before, per cent."""
        return {y: round(100 * (self[y] / self[y - 1] - 1), 1) for y in self if y - 1 in self}

    @property
    def change(self) -> dict[int, float]:
        """Difference to the year before."""
        return {y: round(self[y] - self[y - 1], 1) for y in self if y - 1 in self}

    @property
    def plain(self) -> dict[int, float]:
        """Amounts without their sign, for running text."""
        return {y: abs(v) for y, v in self.items()}


def line(*amounts: float, first: int = 2021) -> Line:
    """Return a line whose amounts begin in the year `first`."""
    return Line({first + i: float(v) for i, v in enumerate(amounts)})


def total(*lines: Mapping[int, float]) -> Line:
    """Add lines year by year, over the years all of them have."""
    years = [y for y in lines[0] if all(y in other for other in lines)]
    return Line({y: round(sum(item[y] for item in lines), 1) for y in years})


def share(part: Mapping[int, float], whole: Mapping[int, float]) -> Line:
    """Return one line as a percentage of another, without signs."""
    return Line({y: round(100 * abs(part[y] / whole[y]), 1) for y in part if y in whole})


def tarnwick() -> SimpleNamespace:
    """Tarnwick Instruments plc, years ended 31 December."""
    t = SimpleNamespace()
    t.water, t.industrial = line(168.4, 187.9, 231.6), line(121.7, 126.2, 119.8)
    t.laboratory = line(58.3, 56.1, 61.4)
    t.revenue = total(t.water, t.industrial, t.laboratory)
    t.cost_of_sales = line(-198.6, -213.9, -232.3)
    t.gross_profit = total(t.revenue, t.cost_of_sales)
    t.gross_margin = share(t.gross_profit, t.revenue)
    t.research = line(-24.7, -28.4, -35.2)
    t.research_share = share(t.research, t.revenue)
    t.selling, t.administrative = line(-41.3, -43.6, -47.9), line(-36.5, -38.8, -44.1)
    t.exceptional = line(0, -3.1, -7.6)
    t.operating_profit = total(
        t.gross_profit, t.research, t.selling, t.administrative, t.exceptional
    )
    t.adjusted_profit = Line({y: round(t.operating_profit[y] - t.exceptional[y], 1) for y in YEARS})
    t.adjusted_margin = share(t.adjusted_profit, t.revenue)
    t.water_profit, t.industrial_profit = line(33.9, 33.2, 44.6), line(18.8, 19.5, 13.1)
    t.laboratory_profit = line(7.4, 6.3, 8.9)
    t.central = Line(
        {
            y: round(
                t.adjusted_profit[y]
                - t.water_profit[y]
                - t.industrial_profit[y]
                - t.laboratory_profit[y],
                1,
            )
            for y in YEARS
        }
    )
    t.water_margin = share(t.water_profit, t.water)
    t.industrial_margin = share(t.industrial_profit, t.industrial)
    t.laboratory_margin = share(t.laboratory_profit, t.laboratory)
    t.finance_income, t.finance_costs = line(0.6, 0.8, 1.3), line(-4.2, -5.1, -9.8)
    t.pretax = total(t.operating_profit, t.finance_income, t.finance_costs)
    t.tax = line(-9.6, -8.7, -9.1)
    t.tax_rate = share(t.tax, t.pretax)
    t.profit = total(t.pretax, t.tax)
    t.shares = line(98.2, 98.6, 99.1)
    t.eps = Line({y: round(100 * t.profit[y] / t.shares[y], 1) for y in YEARS})
    t.dividend = line(12.0, 12.5, 12.8)
    t.order_book = line(141.2, 158.7, 203.5)
    _regions(t)
    _people(t)
    _balance(t)
    _borrowing(t)
    _notes(t)
    return t


def _regions(t: SimpleNamespace) -> None:
    t.uk, t.europe = line(131.0, 136.4, 149.7), line(97.2, 101.3, 104.9)
    t.americas = line(72.6, 81.0, 103.2)
    t.asia = Line(
        {y: round(t.revenue[y] - t.uk[y] - t.europe[y] - t.americas[y], 1) for y in YEARS}
    )


def _people(t: SimpleNamespace) -> None:
    t.staff_eskmouth, t.staff_brackwater = line(771, 796, 841), line(479, 468, 352)
    t.staff_pellworth, t.staff_dunmere = line(362, 391, 436), line(0, 0, 138)
    t.staff_overseas = line(234, 257, 391)
    t.staff = total(
        t.staff_eskmouth, t.staff_brackwater, t.staff_pellworth, t.staff_dunmere, t.staff_overseas
    )
    t.wages, t.social, t.pension_cost = (
        line(-78.9, -84.6, -98.1),
        line(-8.3, -9.1, -10.4),
        line(-5.2, -5.6, -6.7),
    )
    t.share_payments = line(-1.4, -1.7, -2.1)
    t.staff_costs = total(t.wages, t.social, t.pension_cost, t.share_payments)
    t.audit_fee = line(0.6, 0.7, 0.9)


def _balance(t: SimpleNamespace) -> None:
    """Roll the balance sheet forward, so that the cash flow explains it by construction."""
    zero = line(0, 0, 0)
    bought = {  # fair values of Corvane Sensing Ltd on 1 July 2023
        "intangibles": 21.6,
        "property": 4.3,
        "inventories": 5.1,
        "receivables": 6.2,
        "cash": 3.4,
        "payables": -5.9,
        "deferred_tax": -2.4,
    }
    t.bought = SimpleNamespace(**bought, price=64.0)
    t.bought.net = round(sum(bought.values()), 1)
    t.bought.goodwill = round(t.bought.price - t.bought.net, 1)
    t.bought.outflow = round(t.bought.price - bought["cash"], 1)
    t.amortisation, t.depreciation = line(-6.1, -6.8, -10.9), line(-13.7, -14.4, -16.6)
    t.capitalised, t.capex = line(-5.4, -7.2, -9.3), line(-17.9, -21.6, -26.4)
    t.disposals = line(0.4, 0.3, 1.8)
    t.goodwill = line(58.4, 58.4, round(58.4 + t.bought.goodwill, 1))
    t.intangibles = _roll(24.3, t.capitalised, t.amortisation, bought["intangibles"])
    t.property = _roll(112.6, t.capex, t.depreciation, bought["property"], t.disposals)
    t.inventories, t.receivables = line(61.2, 68.9, 79.4), line(70.8, 74.6, 88.3)
    t.payables, t.tax_payable = line(-57.7, -59.9, -72.6), line(-3.9, -3.2, -3.6)
    t.deferred_tax, t.provisions = line(-6.2, -6.2, -8.6), line(-5.8, -7.1, -11.3)
    t.pension = line(-18.6, -14.2, -12.5)
    t.remeasurement = line(1.9, 2.8, 0.2)
    t.term_loan, t.facility, t.notes = (
        line(40.0, 40.0, 35.0),
        line(12.0, 21.5, 18.0),
        line(0, 0, 60.0),
    )
    t.borrowings = Line({y: -round(t.term_loan[y] + t.facility[y] + t.notes[y], 1) for y in YEARS})
    t.dividends_paid = line(-11.4, -11.9, -12.5)
    t.working_capital = zero.__class__(zero)
    cash = line(31.4)
    for y in (2022, 2023):
        add = bought if y == 2023 else dict.fromkeys(bought, 0.0)
        t.working_capital[y] = -round(
            t.inventories.change[y]
            - add["inventories"]
            + t.receivables.change[y]
            - add["receivables"]
            + t.payables.change[y]
            - add["payables"],
            1,
        )
    t.provision_change = Line({y: -round(t.provisions.change[y], 1) for y in (2022, 2023)})
    t.pension_paid = Line(
        {y: -round(t.pension.change[y] - t.remeasurement[y], 1) for y in (2022, 2023)}
    )
    t.tax_paid = Line({y: round(t.tax[y] - t.tax_payable.change[y], 1) for y in (2022, 2023)})
    t.interest = total(t.finance_income, t.finance_costs)
    t.ebitda = Line(
        {y: round(t.operating_profit[y] - t.amortisation[y] - t.depreciation[y], 1) for y in YEARS}
    )
    t.adjusted_ebitda = Line({y: round(t.ebitda[y] - t.exceptional[y], 1) for y in YEARS})
    t.share_credit = Line({y: -t.share_payments[y] for y in YEARS})
    t.operating_cash = total(
        t.ebitda, t.share_credit, t.working_capital, t.provision_change, t.pension_paid, t.tax_paid
    )
    t.acquisition = line(0, 0, -t.bought.outflow)
    t.investing = total(t.capex, t.capitalised, t.disposals, t.acquisition)
    t.borrowed = Line({y: -t.borrowings.change[y] for y in (2022, 2023)})
    t.financing = total(t.borrowed, t.interest, t.dividends_paid)
    t.cash_change = total(t.operating_cash, t.investing, t.financing)
    for y in (2022, 2023):
        cash[y] = round(cash[y - 1] + t.cash_change[y], 1)
    t.cash = cash
    _equity(t)


def _roll(start: float, spent: Line, charge: Line, bought: float, sold: Line | None = None) -> Line:
    amounts = line(start)
    for y in (2022, 2023):
        gone = sold[y] if sold else 0.0
        new = bought if y == 2023 else 0.0
        amounts[y] = round(amounts[y - 1] - spent[y] + charge[y] + new - gone, 1)
    return amounts


def _equity(t: SimpleNamespace) -> None:
    t.noncurrent_assets = total(t.goodwill, t.intangibles, t.property)
    t.current_assets = total(t.inventories, t.receivables, t.cash)
    t.assets = total(t.noncurrent_assets, t.current_assets)
    t.current_liabilities = total(t.payables, t.tax_payable)
    t.noncurrent_liabilities = total(t.borrowings, t.pension, t.deferred_tax, t.provisions)
    t.liabilities = total(t.current_liabilities, t.noncurrent_liabilities)
    t.net_assets = total(t.assets, t.liabilities)
    t.share_capital, t.share_premium = line(9.9, 9.9, 9.9), line(41.7, 41.7, 41.7)
    t.retained = Line(
        {y: round(t.net_assets[y] - t.share_capital[y] - t.share_premium[y], 1) for y in YEARS}
    )
    for y in (2022, 2023):
        moved = t.profit[y] + t.remeasurement[y] + t.share_credit[y] + t.dividends_paid[y]
        assert abs(t.retained.change[y] - moved) < 0.05, (y, t.retained.change[y], moved)
    t.net_debt = Line({y: round(-t.borrowings[y] - t.cash[y], 1) for y in YEARS})
    t.leverage = Line({y: round(t.net_debt[y] / t.adjusted_ebitda[y], 2) for y in YEARS})
    t.cover = Line({y: round(t.adjusted_ebitda[y] / -t.interest[y], 1) for y in YEARS})


def _borrowing(t: SimpleNamespace) -> None:
    t.debt = Line({y: -v for y, v in t.borrowings.items()})


def _notes(t: SimpleNamespace) -> None:
    t.flood, t.closure, t.deal = line(0, -3.1, 0), line(0, 0, -5.2), line(0, 0, -2.4)
    assert total(t.flood, t.closure, t.deal) == t.exceptional
    t.meridian = line(0, 0, 22.7)
    t.corvane_revenue, t.corvane_profit, t.pro_forma = 18.3, 3.6, 429.5
    t.water_like = round(t.water[2023] - t.corvane_revenue, 1)
    t.water_like_growth = round(100 * (t.water_like / t.water[2022] - 1), 1)
    t.warranty, t.restructuring, t.dilapidations = (
        line(3.9, 5.0, 5.6),
        line(0, 0, 3.4),
        line(1.9, 2.1, 2.3),
    )
    whole = total(t.warranty, t.restructuring, t.dilapidations)
    assert all(abs(whole[y] + t.provisions[y]) < 0.05 for y in YEARS)


def quellmark() -> SimpleNamespace:
    """Quellmark Holdings plc, the rival, years ended 30 September."""
    q = SimpleNamespace()
    q.flow, q.level = line(246.1, 251.8, first=2022), line(158.3, 161.6, first=2022)
    q.services = line(104.2, 118.5, first=2022)
    q.revenue = total(q.flow, q.level, q.services)
    q.cost_of_sales = line(-291.4, -309.7, first=2022)
    q.gross_profit = total(q.revenue, q.cost_of_sales)
    q.gross_margin = share(q.gross_profit, q.revenue)
    q.research, q.selling = line(-34.9, -33.1, first=2022), line(-61.8, -64.4, first=2022)
    q.research_share = share(q.research, q.revenue)
    q.administrative, q.impairment = line(-55.2, -58.9, first=2022), line(0, -9.5, first=2022)
    q.operating_profit = total(
        q.gross_profit, q.research, q.selling, q.administrative, q.impairment
    )
    q.operating_margin = share(q.operating_profit, q.revenue)
    q.finance_costs = line(-7.4, -11.2, first=2022)
    q.pretax = total(q.operating_profit, q.finance_costs)
    q.tax = line(-13.1, -11.0, first=2022)
    q.profit = total(q.pretax, q.tax)
    q.shares = line(151.3, 150.8, first=2022)
    q.eps = Line({y: round(100 * q.profit[y] / q.shares[y], 1) for y in q.profit})
    q.dividend, q.staff = line(16.0, 16.4, first=2022), line(3412, 3287, first=2022)
    q.capex, q.net_debt = line(-29.8, -24.1, first=2022), line(121.4, 138.6, first=2022)
    q.order_book = line(212.6, 197.3, first=2022)
    q.operating_cash = line(78.8, 66.5, first=2022)
    q.goodwill, q.software = line(141.7, 141.7, first=2022), line(38.2, 24.9, first=2022)
    q.property, q.inventories = line(203.5, 204.8, first=2022), line(96.4, 103.3, first=2022)
    q.receivables, q.cash = line(111.6, 118.2, first=2022), line(18.1, 11.9, first=2022)
    q.assets = total(q.goodwill, q.software, q.property, q.inventories, q.receivables, q.cash)
    q.payables, q.borrowings = line(-98.3, -104.4, first=2022), line(-139.5, -150.5, first=2022)
    q.pension, q.other = line(-49.6, -31.2, first=2022), line(-31.8, -28.3, first=2022)
    q.liabilities = total(q.payables, q.borrowings, q.pension, q.other)
    q.net_assets = total(q.assets, q.liabilities)
    assert all(abs(q.borrowings[y] + q.cash[y] + q.net_debt[y]) < 0.05 for y in q.cash)
    return q


def sustainability() -> SimpleNamespace:
    """What the sustainability report of Tarnwick measures."""
    s = SimpleNamespace()
    s.scope1, s.scope2 = line(4310, 4120, 3870), line(6940, 6210, 4650)
    s.direct = total(s.scope1, s.scope2)
    s.goods, s.freight, s.use = (
        line(58400, 61200, 66900),
        line(9100, 9700, 10400),
        line(21300, 20800, 19600),
    )
    s.scope3 = total(s.goods, s.freight, s.use)
    s.renewable = line(38, 47, 64)
    s.injuries = line(3.1, 2.8, 2.2)
    s.suppliers, s.audited, s.failed = 86, 79, 11
    s.audited_share = round(100 * s.audited / s.suppliers, 1)
    s.waste, s.recycled = line(2140, 2060, 1980), line(61, 66, 73)
    s.lead_found = 1850
    return s


def intensity(direct: Line, revenue: Line) -> Line:
    """Tonnes of CO2e a million pounds of revenue."""
    return Line({y: round(direct[y] / revenue[y], 1) for y in direct})
