"""Anchors of a document: where numbered things are defined, and where they are referred to.

1. A definition is the start of a region: a caption (`Table 3: ...`), a heading (`Note 8 - Debt`,
   `Item 7.`, `4.2 Results`), or a page number printed on the page.
2. A reference is found in the running text of a page: `see Note 8`, `Tables 3 and 4`,
   `Part II, Item 1A`, `pages 12 to 14`; lines of a table of contents are references too.
3. Both get a key (`note:8`, `table:3`, `part:ii/item:1a`, `page:41`); an internal link gets
   `link:<page of the file>`. Joining the two is left to the page graph, when it is walked.

Not covered: languages other than English; names without a number (`see "Liquidity" below`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pagehop.reading.mentions import page_names
from pagehop.reading.parsed import DocumentReading, PageText
from pagehop.reading.signatures import signature
from pagehop.types import FULL_PAGE, Box, OutlineEntry, Region

ANCHORS_VERSION = 2
"""Raise it when the same document would get other anchors."""
_KINDS = {
    "table": "tables?|tab\\.",
    "figure": "figures?|figs?\\.?",
    "chart": "charts?",
    "box": "box(?:es)?",
    "note": "notes?",
    "section": "sections?|secs?\\.|§{1,2}",
    "item": "items?",
    "page": "pages?|pp?\\.",
    "appendix": "appendix|appendices|annex(?:es)?",
    "exhibit": "exhibits?",
    "schedule": "schedules?",
    "chapter": "chapters?",
    "part": "parts?",
}
_ALSO_VERBS = ("note", "item", "box", "part", "schedule", "exhibit")
"""Common words: `we note 8 cases` refers to nothing, `Note 8` and `see note 8` do."""
_WORDS = "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items())
_NUMBER = r"(?:\d+(?:[.\-\u2013]\d+)*[A-Za-z]?|[IVXL]+|[A-Z](?:[.\-]?\d+)*)(?![\w%])"
_SPACE = r"(?:\s+|(?=\d)|(?<=[.\u00a7])\s*)"
"""Between kind and number; without it the S of `NOTES` would be the number of a note."""
_JOIN = r"\s*(?:,\s*and|,|and|or|&|to|through|[-\u2013])\s*"
_REFERENCE = re.compile(
    rf"(?:\b|(?=§))(?i:{_WORDS}){_SPACE}(?P<numbers>{_NUMBER}(?:{_JOIN}{_NUMBER})*)"
    r"(?P<tail>\s+of\s+\S+(?:\s+\S+){0,2})?"
)
_BEFORE = re.compile(
    r"(?P<verb>\b(?i:see(?:\s+also)?|refer(?:s|red)?\s+to|(?:shown|described|discussed|presented|"
    r"included|reported|listed|set\s+forth)\s+(?:in|on)|in|on|under|per|cf\.)\s+)?"
    r"(?:\b(?i:part)\s+(?P<of_part>[IVX]+|\d+)\s*[,.\-\u2013\u2014]?\s*)?$"
)
"""What stands before a reference; looked for behind it, as few places in a text have one."""
_LONGEST_BEFORE = 50
_DEFINITION = re.compile(
    rf"\W{{0,2}}(?i:{_WORDS}){_SPACE}(?P<number>{_NUMBER})"
    r"(?P<mark>\s*[.:|\u2013\u2014-]|\s*\n|\s*$|\s+(?=[A-Z(]))"
)
_NUMBERED_HEADING = re.compile(
    r"\s*(?P<number>\d+(?:\.\d+)*|[A-Z](?:\.\d+)+|[A-Z](?=\.))[.)]?\s+(?=[^\W\d])"
)
_PART_HEADING = re.compile(r"\W{0,2}(?i:part)\s+(?P<number>[IVX]+|\d+)\b")
_CONTENTS_LINE = re.compile(
    r"^(?=(?:.*\.{3,}|\s*(?i:item|note|section|chapter|part|appendix|table|figure)\b))"
    r".*\D\s*\d{1,4}\s*$",
    re.MULTILINE,
)
_LONGEST_RANGE = 6
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
    role: Literal["defines", "refers", "continues", "mentions", "resembles"]
    """`continues`: what ends the page goes on at the page in its key; `mentions` and `resembles`:
    the names on the page, a line each, and its signature."""
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
    contents = {page.page for page in pages if len(_CONTENTS_LINE.findall(page.text)) >= 3}
    anchors = [
        *_region_definitions(reading.regions, contents),
        *_page_numbers(document, pages),
        *(anchor for page in pages for anchor in _references(document, page)),
        *(a for page in pages if page.page in contents for a in _contents_lines(document, page)),
        *(anchor for page in pages for anchor in _identifiers(document, page)),
        *_page_keys(document, pages),
    ]
    for link in reading.links:
        if link.target_page != link.page:
            words = " ".join(link.words.split())[:160]
            key = f"link:{link.target_page}"
            anchors.append(Anchor(document, link.page, "refers", key, words, link.box))
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


def _region_definitions(regions: Sequence[Region], contents: set[int]) -> Iterator[Anchor]:
    part = ""
    for region in regions:
        if region.kind in ("passage", "header", "footer", "page") or region.page in contents:
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
            kind, number = _kind(found), _plain_number(found["number"])
            keys += [f"{kind}:{number}"] if kind != "page" else []
            keys += [f"part:{part}/item:{number}"] if kind == "item" and part else []
        return list(dict.fromkeys(keys))
    numbered = _NUMBERED_HEADING.match(text) if heading else None
    if numbered:
        number = _plain_number(numbered["number"])
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
    return _plain_number(match["number"]) if match else ""


def _kind(match: re.Match[str]) -> str:
    return next(kind for kind in _KINDS if match[kind])


def _plain_number(number: str) -> str:
    return number.replace("\u2013", "-").casefold().strip(".-")


def _references(document: str, page: PageText) -> Iterator[Anchor]:
    """Yield what the running text of a page refers to, with the box of the words."""
    text = page.text
    for match in _REFERENCE.finditer(text):
        kind = _kind(match)
        before = _BEFORE.search(text[max(match.start() - _LONGEST_BEFORE, 0) : match.start()])
        verb, of_part = (before["verb"], before["of_part"]) if before else (None, None)
        if kind in _ALSO_VERBS and match[kind][0].islower() and not verb:
            continue
        if kind == "page" and (_is_page_count(match) or _is_alone(text, match)):
            continue
        if kind == "part" and re.match(r"\W{0,3}item\b", text[match.end() :][:10], re.I):
            continue
        start = match.start() - (len(before.group()) if before else 0)
        words = " ".join(text[start : match.end()].split()).strip(" ,")
        box = _union(page, start, match.end("numbers"))
        for number in _expand(kind, match[kind], match["numbers"]):
            part = f"part:{_plain_number(of_part)}/" if kind == "item" and of_part else ""
            key = f"{part}{kind}:{number}"
            yield Anchor(document, page.page, "refers", key, words[:160], box)


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


def _is_page_count(match: re.Match[str]) -> bool:
    """Tell `page 3 of 38`, which every page may carry, from a reference."""
    return bool(re.match(r"\s+of\s+\d", match["tail"] or ""))


def _is_alone(text: str, match: re.Match[str]) -> bool:
    """Tell a page number printed as `Page 3` on a line of its own from a reference."""
    before, after = text[: match.start()], text[match.end() :]
    return before[-1:] in ("", "\n") and after[:1] in ("", "\n")


def _expand(kind: str, word: str, numbers: str) -> list[str]:
    """Return each number of `3`, `3 and 4`, `2-4`, `12 to 15`."""
    plural = word.casefold().rstrip(".").endswith(("s", "ces", "pp", "§§"))
    parts = [part for part in re.split(r"\s*(?:,\s*and|,|and|or|&)\s*", numbers) if part]
    if not plural:
        parts = parts[:1]
    expanded: list[str] = []
    for part in parts:
        ends = re.split(r"\s*(?:to|through)\s*" + (r"|\s*[-\u2013]\s*" if plural else ""), part)
        if len(ends) == 2 and all(end.isdigit() for end in ends):
            low, high = int(ends[0]), int(ends[1])
            expanded += [str(n) for n in range(low, min(high, low + _LONGEST_RANGE - 1) + 1)]
        else:
            expanded.append(_plain_number(ends[0]))
    return expanded


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
