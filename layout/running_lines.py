"""Running heads and feet, page numbers and stamps in the margin: what is not the text of a page.

1. Of the lines near the head and the foot of a page, those that come back on other pages run on;
   so does a page number.
2. A line of type that runs up or down beside all other lines is a stamp in the margin.
3. Not the head of a table that goes on from page to page: its cells stand over those below.

Not covered: running heads that change with each page.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pagehop.layout.blocks import Block
from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line, PageLines
from pagehop.layout.titles import number_candidates, printed_numbers
from pagehop.types import Kind

_EDGE = 0.12
"""Share of the page's height in which running heads and feet stand."""
_LOW = 0.78
"""A page number alone below the last line may stand this high."""
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014|\s]*(?:[A-Z]-)?[\divxlc]+[-\u2013\u2014|\s]*(?:(?:of|/)\s*\d+)?",
    re.I,
)
_TITLE_STEP = 1.25
_ALIGN_PT = 4.0


@dataclass
class RunningLines:
    """What the pages read so far have at their edges."""

    seen: Counter[str] = field(default_factory=Counter)
    """How often each line was seen at a page's edge, digits made equal."""
    candidates: dict[int, list[str]] = field(default_factory=dict)
    """What may be the printed number of each page."""
    numbers: dict[int, str] = field(default_factory=dict)
    """Printed numbers, told by all pages so far."""
    pages: int = 0

    def learn(self, page: PageLines) -> None:
        """Note the lines at the edges of a page."""
        edges = _edge_lines(page)
        self.pages += 1
        self.seen.update({_edge_key(line) for edge in edges for line in edge})
        outermost = [edge[0].text for edge in edges if edge]
        self.candidates[page.number] = number_candidates(outermost)

    def number_pages(self) -> None:
        """Tell the printed numbers from what was noted."""
        self.numbers = printed_numbers(self.candidates)


def find_running(
    page: PageLines, known: RunningLines, body_size: float, grids: Sequence[Grid]
) -> dict[int, Kind]:
    """Tell which lines of a page, by `id`, are running heads and feet.

    Args:
        page: One of those that `known` has learnt.
        known: The edges of all pages so far.
        body_size: Type size of the text, in points.
        grids: Its ruled tables, whose lines stay with them.
    """
    found: dict[int, Kind] = {}
    kinds: tuple[Kind, Kind] = ("header", "footer")
    tables = [_lines_in(grid, page) for grid in grids if grid.xs]
    for kind, edge in zip(kinds, _edge_lines(page), strict=True):
        for line in edge:
            large = page.number == 1 and line.size > _TITLE_STEP * body_size > 0
            # Where the text begins, no line farther in is a running one.
            if large or not _is_running(line, line is edge[0], page, known):
                break
            if kind == "header" and _is_table_head(line, page):
                break
            found.setdefault(id(line), kind)
    for table in tables:
        if not table <= found.keys():
            found = {line: kind for line, kind in found.items() if line not in table}
    for line in _in_margin(page):
        found[id(line)] = "header"
    return found


def join_running(page: PageLines, running: Mapping[int, Kind]) -> list[Block]:
    """Make blocks of running lines; those set right below one another are one."""
    blocks: list[Block] = []
    for line in page.lines:
        kind = running.get(id(line))
        if kind is None:
            continue
        last = blocks[-1] if blocks else None
        if last and last.kind == kind and _is_next(last.lines[-1], line):
            last.lines.append(line)
        else:
            blocks.append(Block(kind, [line]))
    return blocks


def _is_next(above: Line, line: Line) -> bool:
    gap = line.y0 - above.y1
    near = -0.5 * above.height < gap < 0.9 * max(above.height, line.height)
    return near and line.x0 < above.x1 and line.x1 > above.x0


def _edge_lines(page: PageLines) -> tuple[list[Line], list[Line]]:
    """Give the outermost line, and two more near the edge, from the head and from the foot."""
    rows = sorted((ln for ln in page.lines if not _is_upright(ln)), key=lambda line: line.y0)
    heads = rows[:1] + [line for line in rows[1:3] if line.y1 < _EDGE * page.height]
    feet = [line for line in rows[-3:-1] if line.y0 > (1 - _EDGE) * page.height] + rows[1:][-1:]
    return heads, feet[::-1]


def _is_upright(line: Line) -> bool:
    return line.height > 2.5 * (line.x1 - line.x0) and len(line.text) > 3


def _in_margin(page: PageLines) -> list[Line]:
    """Find type that runs up or down beside all that is level."""
    upright = [line for line in page.lines if _is_upright(line)]
    level = [line for line in page.lines if not _is_upright(line)]
    if not upright or not level:
        return []
    left, right = min(line.x0 for line in level), max(line.x1 for line in level)
    return [line for line in upright if line.x1 <= left or line.x0 >= right]


def _edge_key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+$", "#", line.text.casefold())


def _is_running(line: Line, outermost: bool, page: PageLines, known: RunningLines) -> bool:
    needed = 2 if known.pages < 4 else 3
    in_zone = line.y1 < _EDGE * page.height or line.y0 > (1 - _EDGE) * page.height
    low = line.y0 > _LOW * page.height
    if (in_zone or low) and outermost and _PAGE_NUMBER.fullmatch(line.text):
        return True
    numbers = number_candidates([line.text]) if outermost and len(line.words) <= 14 else []
    if known.numbers.get(page.number) in numbers:
        return True
    seen = known.seen[_edge_key(line)] if known.pages > 1 else 0
    return seen >= (needed if in_zone else max(needed, 0.3 * known.pages))


def _is_table_head(line: Line, page: PageLines) -> bool:
    """Tell a head whose cells stand over those of a row right below it."""
    if len(line.cells) < 2:
        return False
    below = [o for o in page.lines if 0 <= o.y0 - line.y1 < 1.2 * line.height and len(o.cells) > 1]
    return any(
        abs(head.x0 - cell.x0) < _ALIGN_PT
        or abs(head.x1 - cell.x1) < _ALIGN_PT
        or cell.x0 < (head.x0 + head.x1) / 2 < cell.x1
        for other in below
        for head, cell in zip(line.cells[1:], other.cells[1:], strict=False)
    )


def _lines_in(grid: Grid, page: PageLines) -> set[int]:
    x0, y0, x1, y1 = grid.box
    return {
        id(line)
        for line in page.lines
        if x0 <= (line.x0 + line.x1) / 2 <= x1 and y0 <= (line.y0 + line.y1) / 2 <= y1
    }
