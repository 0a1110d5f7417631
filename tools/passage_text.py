"""What tools show of a page's text: whole rows and sentences, words mended, the unit of a table.

1. A passage that is too long is cut between its rows or sentences, around those that share most
   words with the query; the head of its table goes before it.
2. A word that was cut at the end of a line is joined, where the page or the query has it whole; a
   quote of it is found either way.
3. The scale of a table (`in millions`) may stand above it, or on a page before it: it is named with
   its page. Which table it belongs to is left to the reader.
4. The periods over the columns may have been read as a table of their own: they are named as head.
"""

import re
from collections.abc import Sequence

from pagehop.errors import LibraryError
from pagehop.finding.cut_words import mended
from pagehop.finding.sections import is_label
from pagehop.finding.terms import tokens
from pagehop.library.view import View
from pagehop.types import Page, PageRef, Region

_ASIDE = 40
"""Characters of what may stand between the head of a table and its rows (`Net sales:`)."""
PAGES_BACK = 2
"""How far before a page its scale is looked for."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"\u201c(])|\n")
_WORD = r"(?:thousands|millions|billions)\b"
_IN_BRACKETS = re.compile(
    rf"\((?:[^()\n;]{{0,60}}\W)?(?:in (?:\w+ |[$\u00a3\u20ac] ?|US\$ ?)?)?{_WORD}[^()\n]{{0,80}}"
    r"|\([$\u00a3\u20ac] ?(?:million|billion|thousand|bn|m|k|'?000s?)\b[^()\n]{0,30}",
    re.IGNORECASE,
)
_IN_LINE = re.compile(
    rf"\b(?:[^.;()\n]{{0,40}}\W)?in (?:\w+ |[$\u00a3\u20ac] ?|US\$ ?)?{_WORD}[^.;()\n\d$]{{0,60}}"
    rf"|[$\u00a3\u20ac] ?(?:in )?{_WORD}[^.;()\n\d$]{{0,30}}"
    r"|[$\u00a3\u20ac] ?(?:million|billion|thousand|bn|m|k|'?000s?)\b[^.;()\n\d]{0,30}",
    re.IGNORECASE,
)
_SCALE_LINE = 100
"""Characters of a line that may state a scale without brackets: longer ones are sentences."""
_OPEN_BRACKET = re.compile(r"(\([^()\n]{0,80})\n([^()\n]{0,80}\))")
_NUMBER = re.compile(r"\d")


def scale_in(text: str) -> str:
    """Return the first scale that a text states; empty when it states none.

    It stands in brackets, which may run over a line's end, or in a short line.
    """
    for line in _OPEN_BRACKET.sub(r"\1 \2", text).split("\n"):
        found = _IN_BRACKETS.search(line)
        if found is None and len(line) <= _SCALE_LINE:
            found = _IN_LINE.search(line)
        if found:
            return " ".join(found[0].strip(" ,()").split())
    return ""


def scale_before(view: View, ref: PageRef) -> tuple[str, PageRef] | None:
    """Return the scale that the nearest of the pages before a page states, and that page."""
    for number in range(ref.page - 1, max(0, ref.page - 1 - PAGES_BACK), -1):
        before = PageRef(ref.name, number)
        try:
            stated = scale_in(view.page(before).text)
        except LibraryError:
            continue
        if stated:
            return stated, before
    return None


def unit_line(view: View, page: Page, shown: str) -> str:
    """Return a line on the scale of a table that what is shown of it does not state."""
    if scale_in(shown):
        return ""
    if stated := scale_in(page.text):
        return f'(the page says "{stated}")'
    if (before := scale_before(view, page.ref)) is not None:
        return f'(no unit on this page; [{before[1]}] says "{before[0]}")'
    return ""


def head_above(view: View, ref: PageRef, region: Region) -> str:
    """Return the periods over a table's columns where they were read as a table of their own.

    Args:
        view: Where the page is.
        ref: The page.
        region: The table, or a passage of it.
    """
    regions = [r for r in view.regions(ref) if r.kind not in ("passage", "page")]
    ids = [r.id for r in regions]
    table = region.parent or region.id
    at = ids.index(table) if table in ids else 0
    for before in reversed(regions[max(0, at - 2) : at]):
        text = " ".join(before.text.split())
        if before.kind == "table" and not is_label(text):
            return text
        if len(text) > _ASIDE:
            break
    return ""


def window(text: str, query: str, most: int, *, rows: bool) -> str:
    """Return a passage, or what of it fits and shares most words with the query.

    Args:
        text: Of the passage; rows of a table are lines.
        query: What was searched for.
        most: Characters.
        rows: It is a table or a list: lines stay lines.
    """
    between = "\n" if rows else " "
    pieces = text.split("\n") if rows else _SENTENCE.split(mended(text))
    parts = [" ".join(piece.split()) for piece in pieces]
    whole = between.join(parts)
    if len(whole) <= most:
        return whole
    first, last = _best(parts, set(tokens(query)), most)
    shown = between.join(parts[first:last])
    if len(shown) > most:  # one sentence that is longer
        shown = shown[:most].rsplit(" ", 1)[0]
        last = -1
    return ("... " if first else "") + shown + (" ..." if last != len(parts) else "")


def _best(parts: Sequence[str], wanted: set[str], most: int) -> tuple[int, int]:
    """Return the run of parts that holds most of the words, the earlier of two alike."""
    found = [set(tokens(part)) & wanted for part in parts]
    best, chosen = -1.0, (0, 1)
    for first in range(len(parts)):
        held: set[str] = set()
        room = most
        last = first
        hits = 0.0
        while last < len(parts) and (room := room - len(parts[last]) - 1) >= 0:
            held |= found[last]
            hits += 0.1 * len(found[last]) * bool(_NUMBER.search(parts[last]))
            last += 1
        score = len(held) + hits
        if score > best:
            best, chosen = score, (first, max(last, first + 1))
    return chosen
