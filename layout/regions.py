"""Lines and drawings of pages to blocks, in reading order.

1. Lines near the page's edge that come back on other pages are headers and footers.
2. Rules that cross, or part rows of cells, frame tables (`grids`); images and drawn shapes with
   the labels in them are figures (`figures`). Their lines leave the text.
3. Runs of aligned rows are tables too (`table_runs`); the other lines are gathered into paragraphs
   by gap, type, indent and list markers (`paragraphs`).
4. Captions are tied to their table or figure; headings give each block its section.

Pages come in chunks, so that memory stays bounded; the state carries over. Plain geometry only.
Lines may come from any source that gives words with boxes. Not covered: headings set like
the text, unless a paragraph under them tells (`headings`).
"""

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pagehop.layout.blocks import Block
from pagehop.layout.captions import place_drawn, tie_captions
from pagehop.layout.figures import find_figures
from pagehop.layout.footnotes import find_footnotes
from pagehop.layout.formulas import is_formula, join_formulas
from pagehop.layout.grids import Grid, find_grids
from pagehop.layout.heading_paths import NUMBERED, HeadingPath, set_sections
from pagehop.layout.headings import TextType, heads_next, is_heading
from pagehop.layout.page_lines import Line, PageLines, is_caption, item_marker
from pagehop.layout.paragraphs import split_paragraphs, usual_leading
from pagehop.layout.reference_lists import find_references
from pagehop.layout.running_lines import RunningLines, find_running, join_running
from pagehop.layout.table_cells import cut_cells
from pagehop.layout.table_runs import TableRun, count_heads, find_tables
from pagehop.types import Box, Kind, OutlineEntry


@dataclass
class LayoutState:
    """What carries over from one chunk of pages to the next."""

    outline: Sequence[OutlineEntry] = ()
    running: RunningLines = field(default_factory=RunningLines)
    sizes: Counter[float] = field(default_factory=Counter)
    """Letters by type size."""
    bold: Counter[bool] = field(default_factory=Counter)
    leadings: Counter[float] = field(default_factory=Counter)
    """How often each gap between lines of text was seen, in line heights."""
    headings: HeadingPath = field(init=False)
    titled: bool = False
    in_references: bool = False
    """The pages so far end within a list of references."""

    def __post_init__(self) -> None:
        self.headings = HeadingPath(self.outline)

    @property
    def body_size(self) -> float:
        """The type size of most letters, in points."""
        return max(self.sizes, key=self.sizes.__getitem__) if self.sizes else 0.0

    @property
    def text_type(self) -> TextType:
        """The type of most letters."""
        return TextType(self.body_size, self.bold[True] >= self.bold[False])

    @property
    def leading(self) -> float | None:
        """The gap between most lines of text, in line heights; None before it was seen often."""
        if self.leadings.total() < 20:
            return None
        return max(self.leadings, key=self.leadings.__getitem__)


def read_chunk(
    pages: Sequence[PageLines], state: LayoutState
) -> list[tuple[PageLines, list[Block]]]:
    """Cut consecutive pages into blocks in reading order.

    Args:
        pages: All that follow the previous chunk.
        state: Changed: what was learnt of the document.
    """
    for page in pages:
        state.running.learn(page)
        for line in page.lines:
            state.sizes[round(line.size * 2) / 2] += len(line.text)
            state.bold[line.bold] += len(line.text)
        gaps = (usual_leading(a, b) for a, b in pairwise(page.lines))
        state.leadings.update(gap for gap in gaps if gap is not None)
    state.running.number_pages()
    chunk = [(page, _blocks(page, state)) for page in pages]
    state.headings.learn(blocks for _, blocks in chunk)
    for page, blocks in chunk:
        set_sections(blocks, page.number, state.headings)
    return chunk


def _blocks(page: PageLines, state: LayoutState) -> list[Block]:
    grids = find_grids(page.marks, page.lines)
    running = find_running(page, state.running, state.body_size, grids)
    edges = join_running(page, running)
    body = [line for line in page.lines if id(line) not in running]
    drawn = _drawn(page, body, grids)
    ruled = [grid for grid in grids if not grid.xs]
    named = {id(line) for block in drawn for line in body if _is_named_by(block, line)}
    taken = {id(line) for block in drawn for line in block.lines}
    blocks: list[Block] = []
    column: list[Line] = []
    for line in body:
        if id(line) in taken:
            continue
        if column and column[-1].column != line.column:
            blocks += _column_blocks(column, page, ruled, named, state)
            column = []
        column.append(line)
    blocks += _column_blocks(column, page, ruled, named, state) if column else []
    blocks = join_formulas(_join_lists(_join_around(blocks)))
    blocks = place_drawn(blocks, drawn)
    _find_title(blocks, page, state)
    blocks = find_footnotes(blocks, page, state.body_size)
    blocks, state.in_references = find_references(blocks, state.in_references)
    heads = [edge for edge in edges if edge.kind == "header"]
    blocks = heads + blocks + [edge for edge in edges if edge.kind == "footer"]
    tie_captions(blocks, page.height)
    return blocks


def _drawn(page: PageLines, lines: list[Line], grids: Sequence[Grid]) -> list[Block]:
    """Find the tables and figures that crossing rules, shapes and images tell."""
    found: list[Block] = []
    for grid in grids:
        if not grid.xs:
            continue  # its head and foot may stand outside: found with the rows
        inside = [line for line in lines if _is_in(line, grid.box)]
        if inside:
            across = [r for r in page.marks.across if grid.box[1] - 4 <= r[1] <= grid.box[3] + 4]
            heads = count_heads(inside)
            cells = cut_cells(inside, heads, grid, across)
            found.append(Block("table", inside, heads=heads, drawn=grid.box, cells=cells))
    taken = {id(line) for block in found for line in block.lines}
    free = [line for line in lines if id(line) not in taken]
    for figure in find_figures(page, free, grids):
        found.append(Block("figure", figure.lines, drawn=figure.box))
    return found


def _is_in(line: Line, box: Box) -> bool:
    x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _is_named_by(block: Block, line: Line) -> bool:
    """Tell a caption from a table's head: it stands right below a picture, in its middle."""
    if block.kind != "figure":
        return False
    x0, _, x1, y1 = block.box
    below = -2 <= line.y0 - y1 < 1.2 * line.height
    centred = abs(line.x0 + line.x1 - x0 - x1) < 2 * line.height
    return below and centred and line.x0 > x0 - line.height and line.x1 < x1 + line.height


def _column_blocks(
    lines: list[Line],
    page: PageLines,
    ruled: Sequence[Grid],
    named: Container[int],
    state: LayoutState,
) -> list[Block]:
    """Cut the lines of one column into tables and, between them, paragraphs."""
    blocks: list[Block] = []
    edges = min(line.x0 for line in lines), max(line.x1 for line in lines)
    between = {id(line) for grid in ruled for line in lines if _is_in(line, grid.box)}
    at = 0
    for run in [*find_tables(lines, between, named), TableRun(len(lines), len(lines), 0)]:
        paragraphs = split_paragraphs(lines[at : run.start], state.leading)
        for i, paragraph in enumerate(paragraphs):
            kind = _kind(paragraph, edges, state.text_type)
            if kind in ("list", "text") and heads_next(paragraphs, i, page.marks.across):
                kind = "heading"
            blocks.append(Block(kind, paragraph))
        if run.end > run.start:
            blocks.append(_table(lines[run.start : run.end], run.heads, page, ruled))
        at = run.end
    return blocks


def _table(lines: list[Line], heads: int, page: PageLines, ruled: Sequence[Grid]) -> Block:
    """Make a table of its lines and the rules between them."""
    top, foot = lines[0].y0 - 8, lines[-1].y1 + 8
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    across = [r for r in page.marks.across if top <= r[1] <= foot and r[0] < right and r[2] > left]
    grid = max(ruled, key=lambda g: sum(_is_in(line, g.box) for line in lines), default=None)
    if grid and sum(_is_in(line, grid.box) for line in lines) < 0.5 * len(lines):
        grid = None
    drawn = None
    width = right - left
    wide = [r for r in across if 0.6 * width < r[2] - r[0] < 1.6 * width]
    if wide:
        x0, y0, x1, y1 = zip(*wide, strict=True)
        drawn = min(x0), min(y0), max(x1), max(y1)
    cells = cut_cells(lines, heads, grid, across)
    return Block("table", lines, heads=heads, drawn=drawn, cells=cells)


def _kind(lines: list[Line], edges: tuple[float, float], body: TextType) -> Kind:
    text = " ".join(line.text for line in lines)
    if is_caption(text, alone=len(lines) == 1):
        return "caption"
    if is_formula(lines, text, edges):
        return "formula"
    mark = item_marker(lines[0])
    bullet = bool(mark) and not any(char.isalnum() for char in mark)
    if not bullet and is_heading(lines, text, body):
        return "heading"
    # A clause that opens with a number and runs back to the margin is a paragraph.
    hangs = len(lines) == 1 or lines[1].x0 > lines[0].x0 - 0.5 * lines[0].height
    return "list" if mark and hangs else "text"


def _join_around(blocks: list[Block]) -> list[Block]:
    """Join a paragraph that runs on below, or past the caption of, a picture beside it."""
    joined: list[Block] = []
    for block in blocks:
        beside = joined[-4:][::-1] if block.kind in ("text", "heading") else []
        for i, other in enumerate(beside):
            apart = i > 0 or other.column != block.lines[0].column
            if apart and other.kind == "text" and _runs_on(other.lines[-1], block.lines[0]):
                other.lines += block.lines
                break
        else:
            joined.append(block)
    return joined


def _runs_on(above: Line, line: Line) -> bool:
    if above.text[-1] in ".:;?!":
        return False
    near = -0.5 * above.height < line.y0 - above.y1 < 0.6 * above.height
    flush = abs(line.x0 - above.x0) < 0.3 * line.height
    alike = abs(line.size - above.size) < 0.08 * above.size and line.bold == above.bold
    return near and flush and alike


def _join_lists(blocks: list[Block]) -> list[Block]:
    """Put list items that follow one another in a column into one block."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        alike = last is not None and last.kind == block.kind == "list"
        if last and alike and last.column == block.column and not _starts_anew(last, block):
            last.lines += block.lines
        else:
            joined.append(block)
    return joined


def _starts_anew(last: Block, block: Block) -> bool:
    """Tell a second list, with marks of another sort that begin again, from the first one's end."""
    first, mark = item_marker(last.lines[0]), item_marker(block.lines[0])
    flush = abs(last.lines[0].x0 - block.lines[0].x0) < block.lines[0].height
    begins = mark.strip("().") in ("1", "a", "A", "i", "I") or not mark.strip("().").isalnum()
    return flush and begins and _sort_of(first) != _sort_of(mark)


def _sort_of(mark: str) -> str:
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "1", mark))


def _find_title(blocks: list[Block], page: PageLines, state: LayoutState) -> None:
    """Make the largest heading high on the first page the document's title."""
    if state.titled or page.number > 1:
        return
    state.titled = True
    headings = [b for b in blocks if b.kind == "heading" and b.lines[0].y0 < 0.6 * page.height]
    if headings:
        top = max(headings, key=lambda b: b.lines[0].size)
        if top.lines[0].size > 1.2 * state.body_size:
            top.kind = "title"
            _join_title(blocks, top)


def _join_title(blocks: list[Block], top: Block) -> None:
    """Take in the lines right below a title that are set like it."""
    at = next(i for i, block in enumerate(blocks) if block is top) + 1
    while at < len(blocks) and blocks[at].kind == "heading":
        line, last = blocks[at].lines[0], top.lines[-1]
        alike = abs(line.size - last.size) < 0.06 * last.size and line.bold == last.bold
        centres = abs(line.x0 + line.x1 - last.x0 - last.x1) / 2
        aligned = min(abs(line.x0 - last.x0), centres) < last.height
        if not aligned or NUMBERED.match(line.text):
            break
        if not alike or line.y0 - last.y1 > 0.8 * last.height or line.column != last.column:
            break
        top.lines += blocks.pop(at).lines
