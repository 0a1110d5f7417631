"""Numbers in running text and table cells: value, sign, unit and scale."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pagehop.rules.vocabulary import SCALES

_MINUS = "-−–—"  # noqa: RUF001 - PDF files write minus signs as dashes
_NUMBER = re.compile(
    rf"""(?P<open>\()?\s*(?P<sign>(?<![\w%)])[{_MINUS}](?=[$€£¥]?[\d.]))?\s?
    (?P<money>[$€£¥])?\s?(?P<paren>\()?(?P<sign2>(?<![\w%)])[{_MINUS}](?=[\d.]))?
    (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)
    (?P<close>\s?\))?\s?(?P<unit>%|percent\b|per\scent\b|percentage\spoints?\b|bps\b|basis\spoints?\b)?
    (?P<close2>\))?""",
    re.VERBOSE | re.IGNORECASE,
)
_SCALE = re.compile(r"\s?(thousands?|millions?|mn|billions?|bn|trillions?|k|m|b)\b", re.IGNORECASE)
_MONEY = r"(?:[$€£¥]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|SEK|NOK|DKK|CAD|AUD|INR)\b)"
_TABLE_SCALE = re.compile(
    r"\b(?:in|of|[$€£¥]|us\$|amounts|dollars|expressed in)\s+\(?[$€£¥]?\s?"
    r"(?P<word>thousands|millions|billions|trillions)\b"
    rf"|{_MONEY}\s?(?P<short>thousands?|millions?|billions?|trillions?|mn|bn|m|k)\b"
    r"|[$€£¥]?\s?(?:000s?)\b(?=['’]?s?\)|,|\s*$)",  # noqa: RUF001
    re.IGNORECASE,
)
_SHORT = {"m": "million", "k": "thousand"}
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_NIL = re.compile(rf"^[$€£¥]?\s?[{_MINUS}]+$")


@dataclass(frozen=True)
class Number:
    """A number as a text states it."""

    value: float
    """With its sign and the scale word after it; percentages stay percentages (12.5 for 12.5 %)."""
    text: str
    start: int
    end: int
    unit: str = ""
    """`%`, a currency sign, or empty."""
    scale: float = 1.0
    """What the scale word after it multiplied by; 1 when there was none."""

    @property
    def is_year(self) -> bool:
        """Whether it reads as a calendar year."""
        return not self.unit and bool(_YEAR.fullmatch(self.text.strip("()")))


def find_numbers(text: str) -> list[Number]:
    """Return the numbers of a text in order; parentheses around a number mean minus."""
    found = []
    for match in _NUMBER.finditer(text):
        start, end = match.span("digits")
        if _inside_word(text, match, start, end):
            continue
        closed = match["close"] or match["close2"]
        if closed and _YEAR.fullmatch(match["digits"]):
            # (2021) tells when; only amounts are negative in parentheses.
            found.append(Number(float(match["digits"]), match["digits"], start, end))
            continue
        negative = bool(match["sign"] or match["sign2"]) or bool(
            closed and (match["open"] or match["paren"])
        )
        value = float(match["digits"].replace(",", ""))
        scale, tail = _scale_after(text, match.end(), bool(match["money"]))
        unit = match["money"] or ("%" if match["unit"] else "")
        whole = text[match.start() : tail].strip()
        if not closed:
            whole = whole.lstrip("( ")
        found.append(
            Number((-value if negative else value) * scale, whole, start, tail, unit, scale)
        )
    return found


def parse_cell(text: str) -> Number | None:
    """Read one table cell; a dash alone is nil, anything with other words is no number."""
    text = text.strip()
    if _NIL.match(text):
        return Number(0.0, text, 0, len(text))
    numbers = find_numbers(text)
    if len(numbers) != 1 or re.sub(r"[\d.,()%$€£¥\s*\-−–—]|US|bps|percent", "", text):  # noqa: RUF001
        return None
    return numbers[0]


def table_scale(text: str) -> float | None:
    """Return what numbers under a heading such as `(in thousands)` or `£m` are multiplied by."""
    return next(_scales(text), None)


def table_scales(text: str) -> set[float]:
    """Return every multiplier that a text states for the numbers of its tables."""
    return set(_scales(text))


def _scales(text: str) -> Iterator[float]:
    for match in _TABLE_SCALE.finditer(text):
        word = (match["word"] or match["short"] or "thousands").lower()
        yield SCALES.get(word) or SCALES[_SHORT[word]]


def format_number(value: float, *, decimals: int | None = None) -> str:
    """Write a result for a reader: thousands separators, at most `decimals` digits after the point.

    Without `decimals`, small numbers keep four significant digits and whole numbers none.
    """
    if decimals is None:
        if abs(value - round(value)) < 1e-9 * max(1.0, abs(value)):
            decimals = 0
        elif abs(value) >= 1:
            decimals = 2
        else:
            return f"{value:.4g}"
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _inside_word(text: str, match: "re.Match[str]", start: int, end: int) -> bool:
    """Numbers glued to letters (Q3, 10-K, 2x4) or marking a source ([12]) measure nothing."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before == "[" and after == "]":
        return True
    if before.isalpha() and not match["money"]:
        return True
    if after.isalpha() and not match["unit"]:
        return _SCALE.match(text, end) is None
    return after == "-" and text[end + 1 : end + 2].isalpha() and not match["money"]


def _scale_after(text: str, at: int, money: bool) -> tuple[float, int]:
    match = _SCALE.match(text, at)
    if match is None:
        return 1.0, at
    word = match[1].lower()
    short = {"k": 1e3, "m": 1e6, "b": 1e9}
    if word in short:
        return (short[word], match.end()) if money else (1.0, at)
    return SCALES[word], match.end()
