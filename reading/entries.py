"""Numbered lists of works that a document cites, and where its text cites them.

1. Entries are lines that begin with `[n]` or `n.`, counted up from one over the pages; the longest
   such count is the list of references.
2. `[12]`, `[3, 7]`, `[4-6]` elsewhere refer to its entries, when the list is that long.
3. Rows of an exhibit index (`10.1 Form of ...`) refer to the exhibits.

Not covered: lists without numbers; citations by author and year (their links are followed).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ENTRY = re.compile(r"^[ \t]*(?:\[(?P<boxed>\d{1,3})\]|(?P<plain>\d{1,3})\.)\s+(?=\S)", re.M)
_CITED = re.compile(r"\[(?P<numbers>\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*)\]")
_FEWEST = 4
_LONGEST_RANGE = 8
_SHOWN = 120
_MOST_SKIPPED = 3
"""Numbers that a count may lack: entries whose line was cut otherwise."""
_INDEX = re.compile(r"\bexhibit(?:s\b|\s+(?:index|no|number|description)\b)", re.I)
_EXHIBIT_ROW = re.compile(r"^[ \t*\u2020+#]*(?P<number>\d{1,3}\.\d{1,3}[a-z]?)[*\u2020+#()\d]*\s+"
                          r"(?P<title>[A-Z][^\n]{8,})", re.M)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """An entry of a list, or a place that cites one."""

    page: int
    key: str
    words: str
    start: int
    end: int
    """Characters of the page's text."""


def find_entries(texts: Sequence[tuple[int, str]]) -> list[Entry]:
    """Return the entries of a document's list of references.

    Args:
        texts: Page number and text of all pages, in order.
    """
    counts: list[list[tuple[int, int, str, re.Match[str]]]] = []
    open_counts: dict[str, int] = {}
    for page, text in texts:
        for match in _ENTRY.finditer(text):
            style = "boxed" if match["boxed"] else "plain"
            number = int(match[style])
            at = open_counts.get(style)
            last = counts[at][-1][0] if at is not None else 0
            if at is not None and last < number <= last + 1 + _MOST_SKIPPED:
                counts[at].append((number, page, text, match))
            elif number == 1:
                open_counts[style] = len(counts)
                counts.append([(number, page, text, match)])
    best = max(counts, key=len, default=[])
    if len(best) < _FEWEST:
        return []
    return [
        Entry(page, f"entry:{number}", _line(text, match), match.start(), match.end())
        for number, page, text, match in best
    ]


def find_citations(page: int, text: str, entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield where a page cites entries of the list, each entry once."""
    known = {entry.key for entry in entries}
    own = {entry.start for entry in entries if entry.page == page}
    cited: set[str] = set()
    for match in _CITED.finditer(text):
        if match.start() in own or text[: match.start()].rpartition("\n")[2].strip() == "":
            continue
        for number in _numbers(match["numbers"]):
            key = f"entry:{number}"
            if key in known and key not in cited:
                cited.add(key)
                yield Entry(page, key, f"[{number}]", match.start(), match.end())


def find_exhibit_rows(page: int, text: str) -> Iterator[Entry]:
    """Yield the exhibits that a page lists by number and title."""
    if not _INDEX.search(text):
        return
    rows = list(_EXHIBIT_ROW.finditer(text))
    for match in rows if len(rows) > 1 else ():
        words = " ".join(match.group().split())[:160]
        yield Entry(page, f"exhibit:{match['number']}", words, match.start(), match.end("number"))


def _numbers(listed: str) -> Iterator[int]:
    for part in re.split(r"\s*[,;]\s*", listed):
        ends = [int(end) for end in re.split(r"\s*[\u2013-]\s*", part)]
        yield from range(ends[0], min(ends[-1], ends[0] + _LONGEST_RANGE) + 1)


def _line(text: str, match: re.Match[str]) -> str:
    return " ".join(text[match.start() : match.start() + 2 * _SHOWN].split())[:_SHOWN]
