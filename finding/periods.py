"""Years, quarters, months and dates that a text names."""

import re
from dataclasses import dataclass

MONTHS = {
    name: i
    for i, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sep sept", "october oct", "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
"""Month names and their short forms to 1 to 12."""

ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
"""Ordinals that name quarters."""

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?:1[5-9]\d\d|20\d\d)"
_DATES = re.compile(
    rf"""\b(?P<m1>{_MONTH})\b\.?\s*(?P<d1>\d{{1,2}})?(?:st|nd|rd|th)?\s*,?\s*(?:of\s+)?(?P<y1>{_YEAR})\b
    |\b(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m2>{_MONTH})\b\.?,?\s*(?P<y2>{_YEAR})\b
    |\b(?P<y3>{_YEAR})[\s_-]*q(?P<q3>[1-4])\b
    |\bq(?P<q4>[1-4])[\s_-]*(?:of\s+)?(?:fiscal\s+(?:year\s+)?|fy\s?)?(?P<y4>{_YEAR})\b
    |\b(?P<o5>first|second|third|fourth)\s+(?:fiscal\s+)?quarters?(?:\s+(?:of|in))?,?\s*(?:fiscal\s+)?(?:year\s+)?(?P<y5>{_YEAR})\b
    |\b(?P<m6>{_MONTH})\b\.?\s+(?P<d6>\d{{1,2}})\b(?!\s*,?\s*\d)
    |\bfy\s?'?(?P<y7>{_YEAR}|\d\d)\b
    |(?<![\d,.$€£¥-])(?P<y8>{_YEAR})(?![\d%]|,\d{{3}}|\.\d)
    |\bq(?P<q9>[1-4])\b
    |\b(?P<o10>first|second|third|fourth)\s+(?:fiscal\s+)?quarter\b""",
    re.VERBOSE | re.IGNORECASE,
)
RANGE = re.compile(
    rf"\b(?:from\s+|between\s+|years?\s+)?({_YEAR})\s*(?:to|through|until|[-–—])\s*({_YEAR})\b",  # noqa: RUF001
    re.IGNORECASE,
)


_TELLING = re.compile(r"\d|quarter", re.IGNORECASE)
"""What every period but a bare month name has."""


@dataclass(frozen=True)
class Period:
    """A stretch or point of time; None where the text does not say."""

    year: int | None = None
    quarter: int | None = None
    month: int | None = None
    day: int | None = None
    text: str = ""
    start: int = 0
    end: int = 0

    def matches(self, other: "Period") -> bool:
        """Whether nothing that both say differs, and they share at least one part."""
        pairs = [
            (self.year, other.year),
            (self.quarter, other.quarter),
            (self.month, other.month),
            (self.day, other.day),
        ]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        return bool(both) and all(a == b for a, b in both)

    @property
    def label(self) -> str:
        """How an answer names it."""
        return " ".join(self.text.split()) or str(self.year)


def find_periods(text: str) -> list[Period]:
    """Return the periods of a text in order, each distinct one once."""
    found: list[Period] = []
    if not _TELLING.search(text):
        return found
    for match in _DATES.finditer(text):
        period = _period(match)
        if period is not None and not any(_same(period, seen) for seen in found):
            found.append(period)
    return found


def leading_period(text: str) -> Period | None:
    """Return the period with which a text begins."""
    match = _DATES.match(text) if _TELLING.search(text) else None
    return _period(match) if match else None


def find_years(text: str) -> list[int]:
    """Return the distinct years of a text in order; a range gives every year in it."""
    years: list[int] = []
    if not any(c.isdigit() for c in text):
        return years
    for period in find_periods(text):
        if period.year is not None:
            years.append(period.year)
    for match in RANGE.finditer(text):
        first, last = int(match[1]), int(match[2])
        if first < last <= first + 15:
            at = years.index(first) if first in years else len(years)
            years[at:at] = list(range(first, last + 1))
    return list(dict.fromkeys(years))


def _period(match: "re.Match[str]") -> Period | None:
    groups = {key: value for key, value in match.groupdict().items() if value}
    year = next((int(v) for k, v in groups.items() if k[0] == "y"), None)
    if year is not None and year < 100:
        year += 2000
    quarter = next((int(v) for k, v in groups.items() if k[0] == "q"), None)
    quarter = quarter or next((ORDINALS[v.lower()] for k, v in groups.items() if k[0] == "o"), None)
    month = next((MONTHS[v.lower()] for k, v in groups.items() if k[0] == "m"), None)
    day = next((int(v) for k, v in groups.items() if k[0] == "d"), None)
    if day is not None and not 1 <= day <= 31:
        return None
    return Period(year, quarter, month, day, match.group(), *match.span())


def _same(a: Period, b: Period) -> bool:
    return (a.year, a.quarter, a.month, a.day) == (b.year, b.quarter, b.month, b.day)
