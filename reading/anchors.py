"""Anchors of a document: where numbered things are defined, and where they are referred to.

1. A definition is the start of a region: a caption (`Table 3: ...`), a heading (`Note 8 - Debt`,
   `Item 7.`, `4.2 Results`), or a page number printed on the page.
2. A reference is found in the running text of a page: `see Note 8`, `Tables 3 and 4`,
   `Part II, Item 1A`, `pages 12 to 14` (`referrals.py`); `[12]` and the rows of an exhibit index
   (`entries.py`); lines of a table of contents are references too.
3. Both get a key (`note:8`, `table:3`, `part:ii/item:1a`, `page:41`, `entry:12`); an internal link
   gets `link:<page of the file>`. Joining the two is left to the page graph, when it is walked.
4. A link that ends below the last words of a page means the next one.

Not covered: languages other than English; names without a number (`see "Liquidity" below`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pagehop.reading.entries import find_citations, find_entries, find_exhibit_rows
from pagehop.reading.fields import find_fields
from pagehop.reading.mentions import page_names
from pagehop.reading.parsed import DocumentReading, Link, PageText
from pagehop.reading.referrals import (
    NUMBER,
    SPACE,
    WORDS,
    find_referrals,
    kind_of,
    plain_number,
    running_lines,
)
from pagehop.reading.signatures import signature
from pagehop.types import FULL_PAGE, Box, OutlineEntry, Region

ANCHORS_VERSION = 4
"""Raise it when the same document would get other anchors."""
_DEFINITION = re.compile(
    rf"\W{{0,2}}(?i:{WORDS}){SPACE}(?P<number>{NUMBER})"
    r"(?P<mark>\s*[.:|\u2013\u2014-]|\s*\n|\s*$|\s+(?=[A-Z(]))"
)
_NUMBERED_HEADING = re.compile(
    r"\s*(?P<number>\d+(?:\.\d+)*|[A-Z](?:\.\d+)+|[A-Z](?=\.))[.)]?\s+(?=[^\W\d])"
)
_PART_HEADING = re.compile(r"\W{0,2}(?i:part)\s+(?P<number>[IVX]+|\d+)\b")
_CONTENTS_LINE = re.compile(
    r"^(?=(?:.*\.{3,}|\s*(?i:item|note|section|chapter|part|appendix|table|figure)\b))"
    r"(?=\W*\w+\W+.*[^\W\d_]{3}).*\D\s*\d{1,4}\s*$",
    re.MULTILINE,
)
"""`Item 6` alone has a number, but leads to no page 6."""
_CONTENTS_LINKS = 6
"""Pages that the links of a table of contents lead to, at least, in their order."""
_SLACK = 0.005
"""Of a page's height: where a link ends and where words end are not measured alike."""
_ASIDE = ("passage", "header", "footer", "page")
_IDENTIFIER = re.compile(
    r"(?P<doi>\b10\.\d{4,9}/[^\s\"<>]+)|\barxiv[:\s]\s*(?P<arxiv>\d{4}\.\d{4,5})", re.IGNORECASE
)
_BIBLIOGRAPHY_ENTRY = re.compile(r"\s*(?:\[\d+\]|\d+\.\s)")


@dataclass(frozen=True)
class Anchor:
    """One end of a possible edge: something is defined, referred to, or breaks off here."""

    document: str
    """Document id."""
    page: int
    role: Literal["defines", "refers", "continues", "mentions", "resembles", "states"]
    """`continues`: what ends the page goes on at the page in its key; `mentions` and `resembles`:
    the names on the page, a line each, and its signature; `states`: a field of the document, its
    key `field:<extractor>:<name>`, its words the value and, on a second line, those of the page."""
    key: str
    """Kind and number, lower case, e.g. `table:3`, `part:ii/item:1a`, `page:41`, `link:12`,
    `doi:10.1000/182`, `arxiv:1706.03762`; empty where the words say it."""
    words: str
    """The page's words that say so."""
    box: Box


def find_anchors(reading: DocumentReading, pages: Sequence[PageText]) -> list[Anchor]:
    """Find what a document defines and refers to, in page order.

    Args:
        reading: Its regions and internal links.
        pages: The text layers of all its pages, in order.
    """
    if not reading.regions:
        return []
    document = reading.regions[0].document
    contents = _contents_pages(reading.links, pages)
    running = running_lines([page.text for page in pages])
    anchors = [
        *_region_definitions(reading.regions, contents),
        *_page_numbers(document, pages),
        *(a for p in pages for a in _references(document, p, running, p.page in contents)),
        *(a for page in pages if page.page in contents for a in _contents_lines(document, page)),
        *(anchor for page in pages for anchor in _identifiers(document, page)),
        *_entries(document, pages),
        *_links(document, reading),
        *_page_keys(document, pages),
        *_fields(document, pages),
    ]
    unique = {(a.page, a.role, a.key, a.words): a for a in anchors}
    return sorted(unique.values(), key=lambda a: (a.page, a.role, a.key, a.box))


def outline_definitions(document: str, outline: Sequence[OutlineEntry]) -> list[Anchor]:
    """Read definitions from a table of contents: `Note 8 - Debt` on page 60 defines note:8."""
    anchors = []
    part = ""
    for entry in outline:
        part = _part_of(entry.title) or part
        for key in _keys_defined(entry.title, part=part, heading=True, in_notes=False):
            anchors.append(Anchor(document, entry.page, "defines", key, entry.title, FULL_PAGE))
    return anchors


def _contents_pages(links: Sequence[Link], pages: Sequence[PageText]) -> set[int]:
    """Return the pages that are tables of contents, by their lines or by their links."""
    contents = {page.page for page in pages if len(_CONTENTS_LINE.findall(page.text)) >= 3}
    targets: dict[int, list[int]] = {}
    for link in sorted(links, key=lambda link: (link.page, link.box[1], link.box[0])):
        targets.setdefault(link.page, []).append(link.target_page)
    for page, listed in targets.items():
        rising = sum(one <= other for one, other in pairwise(listed))
        ahead = all(target >= page for target in listed)
        if len(set(listed)) >= _CONTENTS_LINKS and ahead and rising >= 0.9 * (len(listed) - 1):
            contents.add(page)
    return contents


def _links(document: str, reading: DocumentReading) -> Iterator[Anchor]:
    """Yield the links to other pages."""
    last: dict[int, float] = {}
    for region in reading.regions if reading.links else ():
        if region.kind not in _ASIDE:
            last[region.page] = max(last.get(region.page, 0.0), region.box[3])
    for link in reading.links:
        target = link.target_page
        if target in last and link.target_top >= last[target] - _SLACK and target + 1 in last:
            target += 1
        if target != link.page:
            words = " ".join(link.words.split())[:160]
            yield Anchor(document, link.page, "refers", f"link:{target}", words, link.box)


def _region_definitions(regions: Sequence[Region], contents: set[int]) -> Iterator[Anchor]:
    part = ""
    for region in regions:
        if region.kind in _ASIDE or region.page in contents:
            continue
        heading = region.kind in ("heading", "title")
        short = heading or len(region.text) < 400
        if heading or len(region.text) < 60:
            part = _part_of(region.text) or part
        in_notes = "notes to" in region.section.casefold()
        lines = region.text.splitlines() if region.kind in ("table", "figure") else [region.text]
        for line in lines:
            for key in _keys_defined(line, part=part, heading=heading, in_notes=in_notes):
                if short or not key.startswith(("part:", "page:")):
                    words = " ".join(line.split())[:160]
                    yield Anchor(region.document, region.page, "defines", key, words, region.box)


def _keys_defined(text: str, *, part: str, heading: bool, in_notes: bool) -> list[str]:
    match = _DEFINITION.match(text)
    if match and (heading or not _runs_on(text, match)):
        # A heading of several lines may name a part and its first item.
        matches = [m for m in _DEFINITION.finditer(text) if m["mark"].strip()] if heading else []
        keys = []
        for found in matches if match in matches else [match, *matches]:
            kind, number = kind_of(found), plain_number(found["number"])
            keys += [f"{kind}:{number}"] if kind != "page" else []
            keys += [f"part:{part}/item:{number}"] if kind == "item" and part else []
        return list(dict.fromkeys(keys))
    numbered = _NUMBERED_HEADING.match(text) if heading else None
    if numbered:
        number = plain_number(numbered["number"])
        return [f"section:{number}", *([f"note:{number}"] if in_notes else [])]
    return []


def _runs_on(text: str, match: re.Match[str]) -> bool:
    """Tell a sentence (`Table 3 Shows ...`, `Note 8, ...`) from a caption or heading."""
    if match["mark"].strip():
        return False
    first_line = text[match.end() :].split("\n", 1)[0]
    return len(first_line.split()) > 25 or first_line.rstrip().endswith(",")


def _part_of(text: str) -> str:
    match = _PART_HEADING.match(text)
    return plain_number(match["number"]) if match else ""


def _references(
    document: str, page: PageText, running: frozenset[str], contents: bool
) -> Iterator[Anchor]:
    """Yield what the running text of a page refers to, with the box of the words."""
    for found in find_referrals(page.text, running, contents=contents):
        box = _union(page, found.start, found.end)
        yield Anchor(document, page.page, "refers", found.key, found.words, box)


def _entries(document: str, pages: Sequence[PageText]) -> Iterator[Anchor]:
    """Yield the entries of the list of references, what cites them, and rows of exhibits."""
    entries = find_entries([(page.page, page.text) for page in pages])
    by_page = {page.page: page for page in pages}
    for entry in entries:
        box = _union(by_page[entry.page], entry.start, entry.end)
        yield Anchor(document, entry.page, "defines", entry.key, entry.words, box)
    for page in pages:
        cited = find_citations(page.page, page.text, entries) if entries else ()
        for found in (*cited, *find_exhibit_rows(page.page, page.text)):
            box = _union(page, found.start, found.end)
            yield Anchor(document, page.page, "refers", found.key, found.words, box)


def _contents_lines(document: str, page: PageText) -> Iterator[Anchor]:
    """Yield the page that each line of a table of contents points to."""
    for match in _CONTENTS_LINE.finditer(page.text):
        words = " ".join(match.group().split())
        number = words.split()[-1].lstrip(".")
        if number.isdigit():
            box = _union(page, match.start(), match.end())
            yield Anchor(document, page.page, "refers", f"page:{int(number)}", words[:160], box)


def _identifiers(document: str, page: PageText) -> Iterator[Anchor]:
    """Yield the DOIs and arXiv numbers on a page; the first page bears the document's own."""
    for match in _IDENTIFIER.finditer(page.text):
        kind = "doi" if match["doi"] else "arxiv"
        number = (match["doi"] or match["arxiv"]).rstrip(".,;)]").casefold()
        words, box = match.group().strip(), _union(page, match.start(), match.end())
        line = page.text[page.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        own = page.page == 1 and not _BIBLIOGRAPHY_ENTRY.match(line)
        role: Literal["defines", "refers"] = "defines" if own else "refers"
        yield Anchor(document, page.page, role, f"{kind}:{number}", words, box)


def _page_keys(document: str, pages: Sequence[PageText]) -> Iterator[Anchor]:
    """Yield the names on each page, and its signature."""
    for number, names in page_names(pages):
        yield Anchor(document, number, "mentions", "", "\n".join(names), FULL_PAGE)
    for page in pages:
        if signed := signature(page.text):
            yield Anchor(document, page.page, "resembles", "", signed, FULL_PAGE)


def _fields(document: str, pages: Sequence[PageText]) -> Iterator[Anchor]:
    """Yield what the document says of itself in labelled values."""
    by_page = {page.page: page for page in pages}
    for found in find_fields(pages):
        page = by_page[found.page]
        said = " ".join(page.text[found.start : found.end].split())[:160]
        box = _union(page, found.start, found.end)
        key = f"field:{found.extractor}:{found.field}"
        yield Anchor(document, found.page, "states", key, f"{found.value}\n{said}", box)


def _union(page: PageText, start: int, end: int) -> Box:
    """Return the box of the words from character `start` up to `end`."""
    first, last = _word_at(page.text, start), _word_at(page.text, max(end - 1, start))
    boxes = page.boxes[first : last + 1] / 65535  # (n_words, 4)
    if not len(boxes):
        return FULL_PAGE
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _word_at(text: str, at: int) -> int:
    """Return the index of the word at a character: words are parted by one space or newline."""
    return text.count(" ", 0, at) + text.count("\n", 0, at)


def _page_numbers(document: str, pages: Sequence[PageText]) -> Iterator[Anchor]:
    """Yield the page's number or label; a page between two numbered ones is numbered too."""
    numbered = {page.page: int(page.label) - page.page for page in pages if page.label.isdigit()}
    for page in pages:
        label = page.label
        before = max((p for p in numbered if p < page.page), default=0)
        after = min((p for p in numbered if p > page.page), default=0)
        if not label and before and after and numbered[before] == numbered[after]:
            label = str(page.page + numbered[before])
        if label:
            key = f"page:{label.casefold()}"
            yield Anchor(document, page.page, "defines", key, label, FULL_PAGE)
