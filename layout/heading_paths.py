"""Headings to section paths: which headings stand above a block.

1. Type size and weight rank headings; numbers (`4.2`) and counted words (`Note 8`) overrule them.
2. An entry of the file's outline with the same words puts its chapters above the heading.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pagehop.layout.blocks import Block
from pagehop.types import OutlineEntry

NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+\S|(?:[A-Z]|[IVX]{1,4})\.\s+\S")
_LABELLED = re.compile(
    r"(?P<label>[A-Za-z]{3,})\s(?:\d{1,3}[A-Z]?|[IVX]{1,5}|[A-Z](?!\.))(?![\w,])"
)
_SECTION_CHARS = 160


@dataclass
class Heading:
    """One heading of the path."""

    text: str
    rank: tuple[float, ...]
    """The smaller, the higher the heading stands."""
    depth: int = 0
    """Of its number, 2 for `4.2`; 0 without one."""
    label: str = ""
    """What is counted, `note` for `Note 8`."""


@dataclass
class HeadingPath:
    """What is known of a document's headings, from one chunk of pages to the next."""

    outline: Sequence[OutlineEntry] = ()
    ranks: Counter[tuple[float, ...]] = field(default_factory=Counter)
    """On how many pages headings of each rank stand."""
    labels: Counter[str] = field(default_factory=Counter)
    """How often headings count things, such as `note` in `Note 8`."""
    path: list[Heading] = field(default_factory=list)

    def learn(self, pages: Iterable[Sequence[Block]]) -> None:
        """Take in the headings of a chunk of pages, before sections are set on it."""
        for blocks in pages:
            headings = [block for block in blocks if block.kind == "heading"]
            self.labels.update(label for block in headings if (label := _label(block)))
            self.ranks.update({_rank(block, self) for block in headings})


def set_sections(blocks: Sequence[Block], page: int, state: HeadingPath) -> None:
    """Give each block the path of headings above it."""
    entries = [entry for entry in state.outline if entry.page == page]
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
    block: Block, state: HeadingPath, entries: Iterable[OutlineEntry], *, nested: bool
) -> None:
    """Put a heading on the path; one right below another is its continuation or its child."""
    text = " ".join(line.text for line in block.lines)
    rank = _rank(block, state)
    entry = next((e for e in entries if _same_title(e.title, text)), None)
    if entry is not None:
        state.path = _ancestors(entry, state.outline)
    number, label = NUMBERED.match(text), _label(block)
    depth = number["number"].count(".") + 1 if number and number["number"] else 0
    heading = Heading(text, rank, depth, label if state.labels[label] > 1 else "")
    _pop(state.path, heading, nested=nested)
    state.path.append(heading)


def _pop(path: list[Heading], heading: Heading, *, nested: bool) -> None:
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


def _ends(above: Heading, heading: Heading) -> bool:
    """Tell whether a heading is no part of the one before it; set alike, the counted is above."""
    return above.rank > heading.rank or (above.rank == heading.rank and not above.label)


def _label(block: Block) -> str:
    match = _LABELLED.match(block.lines[0].text)
    return match["label"].casefold() if match else ""


def _rank(block: Block, state: HeadingPath) -> tuple[float, ...]:
    """Order headings: larger type first, then counted ones, capitals, bold, upright."""
    line = block.lines[0]
    counted = state.labels[_label(block)] > 1
    lower = line.text != line.text.upper()
    return -round(line.size * 2), not counted, lower, not line.bold, line.italic


def _same_title(title: str, text: str) -> bool:
    a, b = (re.sub(r"\W+", "", t).casefold() for t in (title, text))
    return bool(a) and (a == b or (len(b) >= 8 and (b in a or a in b)))


def _ancestors(entry: OutlineEntry, outline: Sequence[OutlineEntry]) -> list[Heading]:
    """Return the chapters above an entry of the outline."""
    path: list[Heading] = []
    level = entry.level
    for other in reversed(outline[: list(outline).index(entry)]):
        if other.level < level:
            path.insert(0, Heading(other.title, (-1000.0 + other.level,)))
            level = other.level
    return path


def _path(headings: Iterable[Heading]) -> str:
    """Join headings, the nearest last; long paths lose their beginning."""
    parts = [heading.text[:80] for heading in headings]
    while len(parts) > 1 and len(" > ".join(parts)) > _SECTION_CHARS:
        parts.pop(0)
    return " > ".join(parts)
