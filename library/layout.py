"""Lines to blocks: headings, text, lists, tables, captions, footnotes, running heads and feet.

1. Lines near the page's edge that come back on other pages are headers and footers.
2. Runs of aligned rows are tables (`table_runs`).
3. The other lines are gathered into paragraphs by gap, type, indent and list markers.
4. Type size and weight against the body text tell headings; a stack of them, corrected by the
   file's outline, gives each block its section.

Pages come in chunks, so that memory stays bounded; the state carries over. Plain geometry only.
Not covered: figures and formulas; headings set like the text.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pagehop.library.page_lines import Line, PageLines, is_caption, list_marker
from pagehop.library.table_runs import TableRun, find_tables
from pagehop.library.titles import number_candidates, printed_numbers
from pagehop.types import Kind, OutlineEntry

_EDGE = 0.12
"""Share of the page's height in which running heads and feet stand."""
_NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+\S|(?:[A-Z]|[IVX]{1,4})\.\s+\S")
_LABELLED = re.compile(
    r"(?P<label>[A-Za-z]{3,})\s(?:\d{1,3}[A-Z]?|[IVX]{1,5}|[A-Z](?!\.))(?![\w,])"
)
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014|\s]*(?:[A-Z]-)?[\divxlc]+[-\u2013\u2014|\s]*(?:(?:of|/)\s*\d+)?",
    re.I,
)
_SECTION_CHARS = 160
_SIZE_STEP = 1.12
"""A heading is set this much larger than the text; smaller steps are scaling noise."""


@dataclass
class Block:
    """Lines that belong together."""

    kind: Kind
    lines: list[Line]
    section: str = ""
    heads: int = 0
    """Number of leading lines that are a table's head."""

    @property
    def text(self) -> str:
        """Table rows and list items on lines of their own, other text on one line."""
        if self.kind == "table":
            return "\n".join(line.text for line in self.lines)
        text = self.lines[0].text
        for line in self.lines[1:]:
            item = self.kind == "list" and list_marker(line.text)
            text += ("\n" if item else " ") + line.text
        return text


@dataclass
class _Heading:
    text: str
    rank: tuple[float, ...]
    """The smaller, the higher the heading stands."""
    depth: int = 0
    """Of its number, 2 for `4.2`; 0 without one."""
    label: str = ""
    """What is counted, `note` for `Note 8`."""


@dataclass
class LayoutState:
    """What carries over from one chunk of pages to the next."""

    outline: Sequence[OutlineEntry] = ()
    edges: Counter[str] = field(default_factory=Counter)
    """How often each line was seen at a page's edge, digits made equal."""
    candidates: dict[int, list[str]] = field(default_factory=dict)
    """What may be the printed number of each page."""
    numbers: dict[int, str] = field(default_factory=dict)
    """Printed numbers, told by all pages so far."""
    sizes: Counter[float] = field(default_factory=Counter)
    """Letters by type size."""
    bold: Counter[bool] = field(default_factory=Counter)
    ranks: Counter[tuple[float, ...]] = field(default_factory=Counter)
    """On how many pages headings of each rank stand."""
    labels: Counter[str] = field(default_factory=Counter)
    """How often headings count things, such as `note` in `Note 8`."""
    path: list[_Heading] = field(default_factory=list)
    pages: int = 0
    titled: bool = False

    @property
    def body_size(self) -> float:
        """The type size of most letters, in points."""
        return max(self.sizes, key=self.sizes.__getitem__) if self.sizes else 0.0


def read_chunk(
    pages: Sequence[PageLines], state: LayoutState
) -> list[tuple[PageLines, list[Block]]]:
    """Cut consecutive pages into blocks in reading order.

    Args:
        pages: All that follow the previous chunk.
        state: Changed: what was learnt of the document.
    """
    for page in pages:
        state.pages += 1
        state.edges.update({_edge_key(line) for edge in _edge_lines(page) for line in edge})
        outermost = [edge[0].text for edge in _edge_lines(page) if edge]
        state.candidates[page.number] = number_candidates(outermost)
        for line in page.lines:
            state.sizes[round(line.size * 2) / 2] += len(line.text)
            state.bold[line.bold] += len(line.text)
    state.numbers = printed_numbers(state.candidates)
    chunk = [(page, _blocks(page, state)) for page in pages]
    for _, blocks in chunk:
        headings = [block for block in blocks if block.kind == "heading"]
        state.labels.update(label for block in headings if (label := _label(block)))
        state.ranks.update({_rank(block, state) for block in headings})
    for page, blocks in chunk:
        _set_sections(blocks, page, state)
    return chunk


def _edge_lines(page: PageLines) -> tuple[list[Line], list[Line]]:
    """Give the outermost line, and two more near the edge, from the head and from the foot."""
    rows = sorted(page.lines, key=lambda line: line.y0)
    heads = rows[:1] + [line for line in rows[1:3] if line.y1 < _EDGE * page.height]
    feet = [line for line in rows[-3:-1] if line.y0 > (1 - _EDGE) * page.height] + rows[1:][-1:]
    return heads, feet[::-1]


def _edge_key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+$", "#", line.text.casefold())


def _running(page: PageLines, state: LayoutState) -> dict[int, Kind]:
    """Tell which lines, by `id`, are running heads and feet."""
    found: dict[int, Kind] = {}
    kinds: tuple[Kind, Kind] = ("header", "footer")
    for kind, edge in zip(kinds, _edge_lines(page), strict=True):
        for line in edge:
            # Where the text begins, no line farther in is a running one.
            if not _is_running(line, line is edge[0], page, state):
                break
            found.setdefault(id(line), kind)
    return found


def _is_running(line: Line, outermost: bool, page: PageLines, state: LayoutState) -> bool:
    needed = 2 if state.pages < 4 else 3
    in_zone = line.y1 < _EDGE * page.height or line.y0 > (1 - _EDGE) * page.height
    if in_zone and outermost and _PAGE_NUMBER.fullmatch(line.text):
        return True
    numbers = number_candidates([line.text]) if outermost and len(line.words) <= 14 else []
    if state.numbers.get(page.number) in numbers:
        return True
    seen = state.edges[_edge_key(line)] if state.pages > 1 else 0
    return seen >= (needed if in_zone else max(needed, 0.3 * state.pages))


def _blocks(page: PageLines, state: LayoutState) -> list[Block]:
    running = _running(page, state)
    edges = [Block(running[id(line)], [line]) for line in page.lines if id(line) in running]
    blocks: list[Block] = []
    column: list[Line] = []
    for line in page.lines:
        if column and column[-1].column != line.column:
            blocks += _column_blocks(column, state)
            column = []
        if id(line) not in running:
            column.append(line)
    blocks += _column_blocks(column, state) if column else []
    blocks = _join_lists(blocks)
    _find_title(blocks, page, state)
    _find_footnotes(blocks, page, state)
    heads = [edge for edge in edges if edge.kind == "header"]
    return heads + blocks + [edge for edge in edges if edge.kind == "footer"]


def _column_blocks(lines: list[Line], state: LayoutState) -> list[Block]:
    """Cut the lines of one column into tables and, between them, paragraphs."""
    blocks: list[Block] = []
    at = 0
    for run in [*find_tables(lines), TableRun(len(lines), len(lines), 0)]:
        for paragraph in _paragraphs(lines[at : run.start]):
            blocks.append(Block(_kind(paragraph, state), paragraph))
        if run.end > run.start:
            blocks.append(Block("table", lines[run.start : run.end], heads=run.heads))
        at = run.end
    return blocks


def _paragraphs(lines: list[Line]) -> list[list[Line]]:
    if not lines:
        return []
    right = max(line.x1 for line in lines)
    gaps = sorted(b.y0 - a.y1 for a, b in pairwise(lines))
    usual = max(gaps[len(gaps) // 4], -2.0) if gaps else 0.0
    paragraphs = [[lines[0]]]
    for above, line in pairwise(lines):
        if _breaks(above, line, usual, right, paragraphs[-1]):
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
    return paragraphs


def _breaks(above: Line, line: Line, usual: float, right: float, paragraph: list[Line]) -> bool:
    """Tell whether a paragraph ends between two lines."""
    small = max(1.0, min(above.height, line.height))
    gap = line.y0 - above.y1
    if gap > usual + 0.45 * small or gap < -0.9 * small:
        return True
    runs_on = above.x1 > right - 2 * small and above.text[-1] not in ".:;?!"
    resized = abs(line.size - above.size) > 0.08 * max(line.size, above.size)
    if not runs_on and (resized or line.bold != above.bold):
        return True
    if not runs_on and line.italic != above.italic and len(paragraph) == 1:
        return True
    if list_marker(line.text) and line.x0 <= paragraph[0].x0 + small:
        return True
    centres = abs(line.x0 + line.x1 - above.x0 - above.x1) / 2
    short = above.x1 < right - 0.2 * (right - paragraph[0].x0)
    if line.bold and short and min(centres, abs(line.x0 - above.x0)) > 2 * small:
        return True
    in_item = bool(list_marker(paragraph[0].text))
    if in_item and len(paragraph) > 1 and line.x0 < paragraph[1].x0 - 0.5 * small:
        return True
    ended = above.text[-1] in ".:;?!" and above.x1 < right - 3 * small
    indented = line.x0 - above.x0 > 0.7 * small and len(paragraph) > 1 and not in_item
    return (ended and not in_item) or (indented and above.text[-1] in ".:;?!")


def _kind(lines: list[Line], state: LayoutState) -> Kind:
    text = " ".join(line.text for line in lines)
    if is_caption(text, alone=len(lines) == 1):
        return "caption"
    if _is_heading(lines, text, state):
        return "heading"
    return "list" if list_marker(text) else "text"


def _is_heading(lines: list[Line], text: str, state: LayoutState) -> bool:
    """Ask for few words set larger, bolder or in capitals, which do not end like a sentence."""
    words = text.split()
    vertical = lines[0].height > 2.5 * (lines[0].x1 - lines[0].x0)
    if len(lines) > 6 or len(words) > 30 or vertical:
        return False
    letters = sum(char.isalpha() for char in text)
    if "=" in text or letters < 3 or letters < 0.4 * len(text.replace(" ", "")):
        return False
    if text[-1] in ";,":
        return False
    larger = lines[0].size > _SIZE_STEP * state.body_size
    if larger:
        return not (text[-1] == "." and len(words) > 14)
    short = len(words) <= 8 or bool(_NUMBERED.match(text))
    if lines[0].size < 0.85 * state.body_size or (text[-1] == "." and not short):
        return False
    bold = all(line.bold for line in lines) and state.bold[True] < state.bold[False]
    italic = all(line.italic for line in lines) and len(words) <= 12 and words[0][0].isupper()
    capitals = text == text.upper() and 2 <= len(words) <= 15 and letters >= 5
    italic, capitals = italic and text[-1] != ".", capitals and text[-1] != "."
    return bold or (len(lines) <= 2 and (italic or capitals))


def _join_lists(blocks: list[Block]) -> list[Block]:
    """Put list items that follow one another in a column into one block."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if (
            last
            and last.kind == block.kind == "list"
            and last.lines[-1].column == block.lines[0].column
        ):
            last.lines += block.lines
        else:
            joined.append(block)
    return joined


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


def _find_footnotes(blocks: list[Block], page: PageLines, state: LayoutState) -> None:
    """Take small marked text at the foot of each column for footnotes."""
    column = -1
    for block in reversed(blocks):
        if block.kind not in ("text", "list"):
            column = block.lines[-1].column if block.kind not in ("header", "footer") else column
            continue
        line = block.lines[0]
        if line.column == column or line.y0 < 0.55 * page.height:
            continue
        small = line.size < 0.93 * state.body_size
        if small and re.match(r"[*†‡§\u2217]|[\[(]?\d{1,2}[\])]?\D", line.text):
            block.kind = "footnote"
        elif not small:
            column = line.column


def _set_sections(blocks: list[Block], page: PageLines, state: LayoutState) -> None:
    """Give each block the path of headings above it."""
    entries = [entry for entry in state.outline if entry.page == page.number]
    # Type that only one page is set in belongs to a cover or a slogan, not to a chapter.
    state.path = [h for h in state.path if state.ranks[h.rank] != 1 or h.depth or h.label]
    after_heading = False
    for block in blocks:
        if block.kind == "heading":
            _push(block, state, entries, nested=after_heading)
            block.section = _path(state.path[:-1])
            after_heading = True
        elif block.kind not in ("header", "footer", "title"):
            block.section = _path(state.path)
            after_heading = False


def _push(
    block: Block, state: LayoutState, entries: Iterable[OutlineEntry], *, nested: bool
) -> None:
    """Put a heading on the path; one right below another is its continuation or its child."""
    text = " ".join(line.text for line in block.lines)
    rank = _rank(block, state)
    entry = next((e for e in entries if _same_title(e.title, text)), None)
    if entry is not None:
        state.path = _ancestors(entry, state.outline)
    number, label = _NUMBERED.match(text), _label(block)
    depth = number["number"].count(".") + 1 if number and number["number"] else 0
    heading = _Heading(text, rank, depth, label if state.labels[label] > 1 else "")
    _pop(state.path, heading, nested=nested)
    state.path.append(heading)


def _pop(path: list[_Heading], heading: _Heading, *, nested: bool) -> None:
    """Take off the path what a heading ends: `Note 8` ends `Note 7`, `4.2` ends `4.1.3`."""
    if heading.depth and any(h.depth for h in path):
        while any(h.depth >= heading.depth for h in path):
            path.pop()
    elif heading.label and any(h.label == heading.label for h in path):
        while any(h.label == heading.label for h in path):
            path.pop()
    elif not (nested and path and path[-1].rank == heading.rank):
        while path and _ends(path[-1], heading):
            path.pop()


def _ends(above: _Heading, heading: _Heading) -> bool:
    """Tell whether a heading is no part of the one before it; set alike, the counted is above."""
    return above.rank > heading.rank or (above.rank == heading.rank and not above.label)


def _label(block: Block) -> str:
    match = _LABELLED.match(block.lines[0].text)
    return match["label"].casefold() if match else ""


def _rank(block: Block, state: LayoutState) -> tuple[float, ...]:
    """Order headings: larger type first, then counted ones, capitals, bold, upright."""
    line = block.lines[0]
    counted = state.labels[_label(block)] > 1
    lower = line.text != line.text.upper()
    return -round(line.size * 2), not counted, lower, not line.bold, line.italic


def _same_title(title: str, text: str) -> bool:
    a, b = (re.sub(r"\W+", "", t).casefold() for t in (title, text))
    return bool(a) and (a == b or (len(b) >= 8 and (b in a or a in b)))


def _ancestors(entry: OutlineEntry, outline: Sequence[OutlineEntry]) -> list[_Heading]:
    """Return the chapters above an entry of the outline."""
    path: list[_Heading] = []
    level = entry.level
    for other in reversed(outline[: list(outline).index(entry)]):
        if other.level < level:
            path.insert(0, _Heading(other.title, (-1000.0 + other.level,)))
            level = other.level
    return path


def _path(headings: Iterable[_Heading]) -> str:
    """Join headings, the nearest last; long paths lose their beginning."""
    parts = [heading.text[:80] for heading in headings]
    while len(parts) > 1 and len(" > ".join(parts)) > _SECTION_CHARS:
        parts.pop(0)
    return " > ".join(parts)
