"""Lines of one column to paragraphs, by gap, type, indent and list markers."""

import re
from itertools import pairwise

from pagehop.layout.headings import ends_as_heading
from pagehop.layout.page_lines import Line, item_marker

_ENDS = frozenset(".:;?!\u2610\u2611\u2612")
"""Signs that end a paragraph's last line; boxes to tick are such in forms."""
_FEW = 5
_BULLETS = frozenset("\u2022\u25cf\u25aa\u25a0\u25e6\u25cb\u2013\u2014\uf0b7\uf0a7*-")
_EQUATION_NUMBER = re.compile(r"\(\d{1,3}[a-z]?\)$")
_RELATION = re.compile(r"[=\u2264\u2265\u2248\u2208\u2192<>\u2261]")


def split_paragraphs(lines: list[Line], leading: float | None = None) -> list[list[Line]]:
    """Cut lines, top to bottom, into paragraphs.

    Args:
        lines: Of one column.
        leading: Gap between the lines of the document's text, in line heights; tells the gaps
            within from those between paragraphs where there are few. None when it is unknown.
    """
    if not lines:
        return []
    right = max(line.x1 for line in lines)
    gaps = sorted(b.y0 - a.y1 for a, b in pairwise(lines))
    tall = sorted(line.height for line in lines)[len(lines) // 2]
    usual = min(max(gaps[len(gaps) // 4], -2.0), 1.1 * tall) if gaps else 0.0
    if leading is not None and len(gaps) < _FEW:
        usual = min(usual, (leading + 0.2) * tall)
    paragraphs = [[lines[0]]]
    above = lines[0]
    for line in lines[1:]:
        if _is_beside(above, line):
            paragraphs[-1].append(line)
            above = line if line.x1 > above.x1 else above
            continue
        if _breaks(above, line, usual, right, paragraphs[-1]):
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
        above = line
    return paragraphs


def usual_leading(above: Line, below: Line) -> float | None:
    """Return the gap between two lines of running text, in line heights; None between others."""
    words = min(len(above.words), len(below.words))
    alike = above.column == below.column and abs(above.size - below.size) < 0.2
    if words < 6 or not alike or above.height < 1 or len(above.cells) + len(below.cells) > 3:
        return None
    gap = (below.y0 - above.y1) / above.height
    return round(gap, 1) if -0.5 < gap < 1.5 else None


def _is_beside(above: Line, line: Line) -> bool:
    """Tell pieces of one row that overlap, as raised and lowered signs of a formula do."""
    shared = min(above.y1, line.y1) - max(above.y0, line.y0)
    small = max(1.0, min(above.height, line.height))
    apart = max(line.x0 - above.x1, above.x0 - line.x1)
    return shared > 0.55 * small and apart < small


def _breaks(above: Line, line: Line, usual: float, right: float, paragraph: list[Line]) -> bool:
    """Tell whether a paragraph ends between two lines."""
    small = max(1.0, min(above.height, line.height))
    gap = line.y0 - above.y1
    if gap > usual + 0.45 * small or gap < -0.9 * small:
        return True
    if _EQUATION_NUMBER.search(above.text) and _RELATION.search(above.text):
        return True
    if len(paragraph) == 1 and ends_as_heading(above, line, usual, right):
        return True
    runs_on = above.x1 > right - 2 * small and above.text[-1] not in _ENDS
    resized = abs(line.size - above.size) > 0.08 * max(line.size, above.size)
    if not runs_on and (resized or line.bold != above.bold):
        return True
    in_item = bool(item_marker(paragraph[0]))
    if not runs_on and line.italic != above.italic and len(paragraph) == 1 and not in_item:
        return True
    if _starts_item(line, paragraph, runs_on=runs_on) and line.x0 <= paragraph[0].x0 + small:
        return True
    centres = abs(line.x0 + line.x1 - above.x0 - above.x1) / 2
    short = above.x1 < right - 0.2 * (right - paragraph[0].x0)
    if line.bold and short and min(centres, abs(line.x0 - above.x0)) > 2 * small:
        return True
    if in_item and len(paragraph) > 1 and line.x0 < paragraph[1].x0 - 0.5 * small:
        return True
    ended = above.text[-1] in _ENDS and above.x1 < right - 3 * small
    indented = line.x0 - above.x0 > 0.7 * small and len(paragraph) > 1 and not in_item
    return (ended and not in_item) or (indented and above.text[-1] in _ENDS)


def _starts_item(line: Line, paragraph: list[Line], *, runs_on: bool) -> bool:
    """Tell an item of a list from a line of text that begins with a number or sign by chance."""
    mark = item_marker(line)
    return bool(mark) and (mark in _BULLETS or not runs_on or bool(item_marker(paragraph[0])))
