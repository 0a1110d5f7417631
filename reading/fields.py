"""What a document says of itself in labelled values: type, date, period, parties, terms, amounts.

1. The first page gives its type (`SUPPLY AGREEMENT`), date, period and parties; the first page with
   the name of a form on it (`FORM 10-Q`) that form and its period.
2. `Label: value` lines, `the rent is EUR 1,200`, `for a term of 24 months`, `governed by the laws
   of Norway` give a value for a label, on the first pages of a document.
3. Dates are written as 2022-03-01, amounts as `1200000 EUR`, so that they compare.

These are cheap and miss much; what they give stands on the page, which each value names.

Not covered: values in tables of several columns (`find_tables`), languages other than English.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pagehop.reading.parsed import PageText

_FIRST_PAGES = 12
_MOST = 60
"""Values of one document."""
_TITLE = 12
"""Words of a title."""
_TOP = 40
"""Lines of the first page in which its type stands."""
_MONTHS = "january february march april may june july august september october november december"
_MONTH = "|".join(_MONTHS.split())
_DATE = (
    rf"(?:(?:{_MONTH})\s+\d{{1,2}}\s*,?\s+(?:19|20)\d\d|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?"
    rf"(?:{_MONTH}),?\s+(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_AMOUNT = (
    rf"(?:(?:[$\u20ac\u00a3\u00a5]|[A-Z]{{3}})\s?(?:{_NUMBER})(?:\s+(?:thousand|million|billion)\b)?"
    rf"|(?:{_NUMBER})(?:\s+(?:thousand|million|billion))?\s*(?:%|per\s+cent|[A-Z]{{3}}\b|[a-z]{{3,12}}\b))"
)
_VALUE = rf"(?:{_DATE}|{_AMOUNT})"
_WORDS = rf"(?i:{_DATE})"
_FORM = re.compile(r"^\s*FORM\s+(?P<value>\d{1,2}-?[A-Z]{1,2})\b", re.MULTILINE)
_KIND = re.compile(
    r"\b(?:agreement|contract|lease|licen[cs]e|deed|memorandum|amendment|addendum|order|invoice|"
    r"report|statement|policy|minutes|notice|certificate|proposal|tender|protocol|charter|letter|"
    r"prospectus|resolution|specification|manual|review|survey|assessment|permit|release|code|"
    r"guide|handbook|transcript|bylaws|regulations?|directive|judgment|opinion|receipt|quotation)\b",
    re.IGNORECASE,
)
_SMALL = frozenset("a an and at between by for from in of on or the to with".split())
_OF = re.compile(r"\s(?:of|to|for|on|between|from|by|about|regarding)\s", re.IGNORECASE)
"""What comes behind tells of a kind, and is none."""
_PART = re.compile(r"\s*(?:item|section|part|chapter|article|page|\d)", re.IGNORECASE)
"""How the line of a part of a document begins."""
_PERIOD = re.compile(
    rf"\b(?:year|quarter|period|months|weeks)\s+(?:ended|ending)\s+(?P<value>{_DATE})", re.I
)
_DATED = re.compile(
    rf"\b(?:dated|effective|made|entered\s+into|signed|issued)\s+(?:as\s+of\s+|on\s+|this\s+)?"
    rf"(?P<value>{_DATE})",
    re.I,
)
_ANY_DATE = re.compile(_DATE, re.IGNORECASE)
_PARTIES = re.compile(
    r"\b(?:between|among)\s*:?\s+(?:\(1\)\s*)?(?P<one>[A-Z][^;:()\n]{2,70}?(?:\n[^;:()\n]{2,40}?)?)"
    r"(?:\s*\([^)]*\))?,?\s+and\s+(?:\(2\)\s*)?(?P<two>[A-Z][^;:(),\n]{2,70})"
)
_LAW = re.compile(
    r"\bgoverned\s+by\s+(?:and\s+construed\s+(?:in\s+accordance\s+with|under)\s+)?the\s+laws?\s+of\s+"
    r"(?:the\s+)?(?P<value>[A-Z]\w+(?:\s+(?:of\s+)?[A-Z]\w+){0,3})"
)
_TERM = re.compile(
    r"\b(?:term|period)\s+of\s+(?P<value>\d{1,3}\s+(?:days|weeks|months|years))\b|"
    r"\bin\s+force\s+for\s+(?P<other>\d{1,3}\s+(?:days|weeks|months|years))\b"
)
_LABELLED = re.compile(
    r"^[ \t]*(?P<label>[A-Z][\w/&'\u2019-]*(?: [\w/&'\u2019()-]+){0,4}):[ \t]+"
    r"(?P<value>[A-Z\d$\u20ac\u00a3\u00a5\u201c\"][^\n]{0,90})$",
    re.MULTILINE,
)
_SAID = re.compile(
    rf"\b[Tt]he\s+(?P<label>[a-z][\w-]*(?:\s+[a-z][\w-]*){{0,3}})\s+(?:is|are|shall\s+be|will\s+be|"
    rf"was|amounts?\s+to|equals)\s+(?:set\s+at\s+|fixed\s+at\s+)?(?P<value>{_VALUE})"
)
_NO_LABEL = re.compile(
    r"\b(?:table|figure|note|chart|item|section|source|page|exhibit|https?|tel|fax|e-?mail|"
    r"www|doi|vol|isbn)\b",
    re.IGNORECASE,
)
_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_SIGNS = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY", "per cent": "%"}


@dataclass(frozen=True)
class Stated:
    """A labelled value on a page."""

    page: int
    field: str
    """Small letters, e.g. `type`, `period end`, `governing law`."""
    value: str
    """As it compares: a date as 2022-03-01, an amount as `1200000 EUR`, else its words."""
    extractor: str
    start: int
    end: int
    """Characters of the page's text."""


def find_fields(pages: Sequence[PageText]) -> Iterator[Stated]:
    """Yield what a document says of itself, the first value of each kind on each page.

    Args:
        pages: The text layers of all its pages, in order.
    """
    found = 0
    # An annual report may have a cover and a letter before the form that it is filed with.
    form = next((page for page in pages[:_FIRST_PAGES] if _FORM.search(page.text)), None)
    for page in pages[:_FIRST_PAGES]:
        seen: set[tuple[str, str]] = set()
        heads = [*(_first_page(page) if page is pages[0] else ())]
        heads += _filed(page) if page is form else ()
        for stated in (*heads, *_labelled(page)):
            key = (stated.field, stated.value)
            if key not in seen and found < _MOST:
                seen.add(key)
                found += 1
                yield stated


def plain_value(text: str) -> str:
    """Return a value as it compares: dates as 2022-03-01, amounts as `1200000 EUR`."""
    flat = " ".join(text.split()).strip(" .;,")
    if re.fullmatch(_WORDS, flat):
        return _iso(flat)
    if not re.fullmatch(_AMOUNT, flat):
        return flat
    match = re.search(_NUMBER, flat)
    assert match is not None
    number = float(match.group().replace(",", ""))
    rest = f"{flat[: match.start()]} {flat[match.end() :]}".strip()
    for word, factor in _SCALES.items():
        if re.search(rf"\b{word}\b", rest):
            number, rest = number * factor, re.sub(rf"\b{word}\b", "", rest).strip()
    unit = _SIGNS.get(" ".join(rest.split()), " ".join(rest.split()))
    return f"{number:.10g} {unit}".strip() if number < 1e10 else f"{number:.0f} {unit}".strip()


def _first_page(page: PageText) -> Iterator[Stated]:
    text = page.text
    start = 0
    for line in text.split("\n")[:_TOP]:
        end = start + len(line)
        if kind := _titled(line):
            yield Stated(page.page, "type", " ".join(line.split()), "title", start, end)
            yield Stated(page.page, "kind", kind, "title", start, end)
            break
        start = end + 1
    if period := _PERIOD.search(text):
        yield _stated(page, "period end", period, "period")
    dated = _DATED.search(text)
    if dated:
        yield _stated(page, "date", dated, "dated")
    elif any_date := _ANY_DATE.search(text):
        value = plain_value(any_date.group())
        yield Stated(page.page, "date", value, "first date", any_date.start(), any_date.end())
    if parties := _PARTIES.search(text):
        for group in ("one", "two"):
            name = " ".join(parties[group].split()).strip(" ,.")
            yield Stated(page.page, "party", name, "parties", *parties.span(group))


def _titled(line: str) -> str:
    """Return the kind of document that a line is the title of; empty when it is none's."""
    words = [word for word in line.split() if word[0].isalpha() and word.lower() not in _SMALL]
    capital = sum(word[0].isupper() for word in words)
    kinds = _KIND.findall(_OF.split(line)[0]) or _KIND.findall(line)
    if not kinds or _PART.match(line) or line.rstrip().endswith((".", ",", ";", ":")):
        return ""
    if not 2 * capital > len(words) or len(line.split()) > _TITLE:
        return ""
    alone = len(words) == 1 and words[0].casefold() != kinds[-1].casefold()
    return "" if alone else str(kinds[-1]).casefold()


def _filed(page: PageText) -> Iterator[Stated]:
    """Yield the form that a filing is made on, and its period."""
    if form := _FORM.search(page.text):
        yield _stated(page, "type", form, "form")
    if period := _PERIOD.search(page.text):
        yield _stated(page, "period end", period, "period")


def _labelled(page: PageText) -> Iterator[Stated]:
    for match in _LABELLED.finditer(page.text):
        label, value = match["label"], match["value"]
        if not _NO_LABEL.search(label) and len(value.split()) <= 12:
            yield _stated(page, label, match, "label")
    for match in _SAID.finditer(page.text):
        yield _stated(page, match["label"], match, "sentence")
    if law := _LAW.search(page.text):
        yield _stated(page, "governing law", law, "clause")
    if term := _TERM.search(page.text):
        group = "value" if term["value"] else "other"
        yield _stated(page, "term", term, "clause", group)


def _stated(
    page: PageText, field: str, match: re.Match[str], extractor: str, group: str = "value"
) -> Stated:
    name = " ".join(field.casefold().split())
    return Stated(
        page.page, name, plain_value(match[group]), extractor, match.start(), match.end(group)
    )


def _iso(text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    year, day = max(numbers), min(numbers)
    word = re.search(_MONTH, text.casefold())
    assert word is not None
    return f"{year:04d}-{_MONTHS.split().index(word.group()) + 1:02d}-{day:02d}"
