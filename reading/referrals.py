"""What running text refers to by kind and number: `see Note 8`, `Part II, Item 1A`, `pages 12-14`.

1. Running heads (the same line at the top or foot of three pages) and headings that stand on a
   line of their own name the page they are on, and refer to nothing.
2. Numbers of laws and other texts (`Section 302 of the ... Act`, `Item 407(d) of Regulation S-K`)
   are none of this document's. Page numbers of cited works (`Green 2011, pp. 132-135`) neither:
   `p.` and `pp.` count after `see`, `on` and the like only.
3. A title in quotation marks behind a reference goes with its words: it tells which of several
   items of one number is meant.

Not covered: languages other than English; names without a number (`see "Liquidity" below`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KINDS = {
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
WORDS = "|".join(f"(?P<{kind}>{words})" for kind, words in KINDS.items())
NUMBER = r"(?:\d+(?:[.\-\u2013]\d+)*[A-Za-z]?|[IVXL]+|[A-Z](?:[.\-]?\d+)*)(?![\w%])"
SPACE = r"(?:\s+|(?=\d)|(?<=[.\u00a7])\s*)"
"""Between kind and number; without it the S of `NOTES` would be the number of a note."""
_ALSO_VERBS = ("note", "item", "box", "part", "schedule", "exhibit")
"""Common words: `we note 8 cases` refers to nothing, `Note 8` and `see note 8` do."""
_JOIN = r"\s*(?:,\s*and|,|and|or|&|to|through|[-\u2013])\s*"
_REFERENCE = re.compile(
    rf"(?:\b|(?=§))(?i:{WORDS}){SPACE}(?P<numbers>{NUMBER}(?:{_JOIN}{NUMBER})*)"
    r"(?P<tail>\s+of\s+\S+(?:\s+\S+){0,2})?"
)
_BEFORE = re.compile(
    r"(?P<verb>\b(?i:see(?:\s+also)?|refer(?:s|red)?\s+to|(?:shown|described|discussed|presented|"
    r"included|reported|listed|set\s+forth)\s+(?:in|on)|in|on|under|per|cf\.)\s+)?"
    r"(?:\b(?i:part)\s+(?P<of_part>[IVX]+|\d+)\s*[,.\-\u2013\u2014]?\s*)?$"
)
"""What stands before a reference; looked for behind it, as few places in a text have one."""
_LONGEST_BEFORE = 50
_OF_PART = re.compile(r"\s+(?:of|in)\s+part\s+(?P<of_part>[IVX]+|\d+)\b", re.IGNORECASE)
_TITLE = re.compile(r"[\s,:\u2013\u2014-]{1,4}[\u201c\"](?P<title>[^\u201d\"]{3,70})[\u201d\"]")
_LAW = re.compile(
    r"(?:\([\w]{1,4}\))*(?:\s*(?:,|and|or)\s*\d+[\w.]*(?:\([\w]{1,4}\))*)*\s*,?\s+"
    r"(?:of|to|under|in)\s+(?:(?:the|such|our|said)\s+)?(?:[\w\u2019'.,&-]+\s+){0,8}?"
    r"(?i:act|code|regulations?|rules?|law|laws|statutes?|directive|treaty|constitution|standards?|"
    r"u\.s\.c|c\.f\.r|cfr|usc)\b"
)
_LAW_BEFORE = re.compile(
    r"(?:U\.?S\.?C\.?|C\.?F\.?R\.?|(?i:code|act|regulation\s+[\w-]+|rule))\s*,?\s*$"
)
_OTHER_TEXT = re.compile(
    r"[^.;\n]{0,90}?(?:\n[^.;\n]{0,90}?)?\b(?:of|in|with|to)\s+(?:our|the|its|\w+[\u2019']s)\s+"
    r"(?:(?:19|20)\d\d\s+(?:annual|quarterly|proxy|form)\b|(?:annual|quarterly)\s+report\s+(?:on\s+"
    r"form\s+\S+\s+)?(?:for|filed|dated)\b)",
    re.IGNORECASE,
)
"""`... of our 2022 Annual Report`: a number of another paper, unless this one is called so."""
_PLAIN_TEXT = frozenset(("section", "item", "part", "chapter", "page", "schedule", "appendix"))
"""Kinds that laws have, too."""
_OTHER_PAGES = re.compile(r"\s*(?:,|of|in)\s+(?!this\b|these\b|the\b|that\b)[A-Z\u201c\"]")
_HEADING = re.compile(r"\s*(?:[.:|\u2013\u2014-]|\n|$|\s(?=[A-Z(]))")
_LEADS_ON = re.compile(r"(?:[,(\u2013\u2014-]|\b[a-z]+)\s*$")
"""How a line ends whose sentence goes on in the next one."""
_LONGEST_RANGE = 6
_RUNNING_PAGES = 3
_TOP_LINES, _FOOT_LINES = 3, 2


@dataclass(frozen=True)
class Referral:
    """A place in a text that refers to something."""

    key: str
    words: str
    start: int
    end: int
    """Characters of the text, from the words before to the last number."""


def find_referrals(text: str, running: frozenset[str], *, contents: bool) -> Iterator[Referral]:
    """Yield what the text of a page refers to, in its order.

    Args:
        text: Lines are parted by newlines.
        running: Of the document, as `running_lines` gives them.
        contents: The page is a table of contents, whose headings lead to pages.
    """
    masked = _without_lines(text, running) if running else text
    for match in _REFERENCE.finditer(masked):
        kind = kind_of(match)
        before = _BEFORE.search(masked[max(match.start() - _LONGEST_BEFORE, 0) : match.start()])
        verb, of_part = (before["verb"], before["of_part"]) if before else (None, None)
        start = match.start() - (len(before.group()) if before else 0)
        end = match.end("numbers")
        after = masked[end : end + 120]
        if not verb and (
            (kind in _ALSO_VERBS and match[kind][0].islower())
            or (not contents and _is_heading(masked, start, end))
        ):
            continue
        if kind in _PLAIN_TEXT and (_LAW.match(after) or _LAW_BEFORE.search(masked[:start][-30:])):
            continue
        if _OTHER_TEXT.match(masked[end : end + 200]):
            continue
        if kind == "page" and _is_no_page(match, masked, verb):
            continue
        if kind == "part" and re.match(r"\W{0,3}item\b", masked[match.end() :][:10], re.I):
            continue
        later = _OF_PART.match(after) if kind == "item" else None
        of_part = of_part or (later["of_part"] if later else None)
        words = " ".join(masked[start : match.end()].split()).strip(" ,")
        title = _TITLE.match(after[later.end() if later else 0 :])
        if title and not words.endswith(title["title"]):
            words = f"{words[:80]} \u201c{' '.join(title['title'].split())}\u201d"
        for number in _expand(kind, match[kind], match["numbers"]):
            part = f"part:{plain_number(of_part)}/" if kind == "item" and of_part else ""
            yield Referral(f"{part}{kind}:{number}", words[:160], start, end)


def running_lines(texts: Sequence[str]) -> frozenset[str]:
    """Return the lines that stand at the top or foot of several pages of a document."""
    seen: Counter[str] = Counter()
    for text in texts:
        lines = text.split("\n")
        ends = lines if len(lines) <= _TOP_LINES else lines[:_TOP_LINES] + lines[-_FOOT_LINES:]
        seen.update({line.strip() for line in ends})
    return frozenset(line for line, pages in seen.items() if pages >= _RUNNING_PAGES and line)


def kind_of(match: re.Match[str]) -> str:
    """Return the kind whose word a match of `WORDS` found."""
    return next(kind for kind in KINDS if match[kind])


def plain_number(number: str) -> str:
    """Return a number as keys have it."""
    return number.replace("\u2013", "-").casefold().strip(".-")


def _without_lines(text: str, running: frozenset[str]) -> str:
    """Return a text of the same length whose running heads are blank."""
    lines = text.split("\n")
    feet = len(lines) - _FOOT_LINES
    for i, line in enumerate(lines):
        if (i < _TOP_LINES or i >= feet) and line.strip() in running:
            lines[i] = " " * len(line)
    return "\n".join(lines)


def _is_heading(text: str, start: int, end: int) -> bool:
    """Tell `Note 8 - Debt` on a line of its own from `Note 8` in a sentence."""
    low = text.rfind("\n", 0, start) + 1
    if text[low:start].strip(" \u00b7*|"):
        return False
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if not _HEADING.match(rest) or rest.rstrip().endswith(","):
        return False
    return not _LEADS_ON.search(text[max(low - 40, 0) : max(low - 1, 0)])


def _is_no_page(match: re.Match[str], text: str, verb: str | None) -> bool:
    """Tell page counts, printed page numbers and pages of cited works from references."""
    before, after = text[: match.start()], text[match.end() :]
    counts = bool(re.match(r"\s+of\s+\d", match["tail"] or ""))
    alone = before[-1:] in ("", "\n") and after[:1] in ("", "\n")
    cited = match["page"].casefold() in ("p.", "pp.") and not verb
    other = bool(_OTHER_PAGES.match(text[match.end("numbers") :][:20]))
    return counts or alone or cited or other


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
            expanded.append(plain_number(ends[0]))
    return expanded
