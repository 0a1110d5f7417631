"""Blocks to regions and passages: what the encoder and the full-text index see.

1. A block is cut into sentences, list items or table rows; units are packed up to 180 tokens of the
   library's encoder. Neighbouring short paragraphs of one column and section share a passage.
2. What says what a table or list is goes with it: its caption, a line or two before it, a sentence
   that ends in a colon.
3. A table's note and head go before the rows of each of its passages, in `search_text` only.
4. Headings that no text follows on their page become a passage of their own; one that the section
   of the text below does not name stands before that text.
5. `search_text` is the document's title, the section and the text, at most 250 tokens.
"""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import PageLines, around, item_marker, join_hyphens
from pagehop.layout.page_tables import pack_cells
from pagehop.layout.rows import RawWord
from pagehop.layout.token_counter import TokenCounter, shorten
from pagehop.types import Kind

PASSAGE_TOKENS = 180
SEARCH_TOKENS = 250
"""The default encoder reads 256, of which two are its own marks; a few are left in reserve."""
TITLE_TOKENS = 36
SECTION_TOKENS = 34
HEAD_TOKENS = 60
NOTE_TOKENS = 24
SHARED_TOKENS = 90
"""A passage shorter than this takes in the next paragraph."""
SHORT_TOKENS = 40
"""A paragraph this short joins any passage that has room for it, or the table it stands before."""
LEAD_TOKENS = 60
"""Captions and sentences longer than this stay apart from what they introduce."""

_SENTENCE_END = re.compile(r"[.!?][\"'\u201d\u2019)\]]*$")
_ABBREVIATION = re.compile(
    r"(?:[A-Z]|[A-Za-z]\.[A-Za-z]|Inc|Corp|Co|Ltd|No|Nos|vs|cf|al|Mr|Mrs|Ms|Dr|St|Fig|Figs|Eq|Sec|approx"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|e\.g|i\.e|U\.S|Jr|Sr|Prof|ca)\.$"
)
_BLOCK_KINDS: frozenset[Kind] = frozenset(
    {"text", "list", "table", "figure", "caption", "formula", "footnote"}
)
_SHARING: frozenset[Kind] = frozenset({"text", "list", "formula"})
_LED: frozenset[Kind] = frozenset({"table", "figure"})


@dataclass
class Passage:
    """A piece of the page for the index."""

    block: int
    """Index of the block that most of its words come from."""
    words: list[RawWord]
    text: str
    search_text: str


@dataclass
class _Unit:
    """A sentence, list line or table row; never cut unless longer than a passage."""

    words: list[RawWord]
    tokens: int
    block: int
    breaks: bool
    """A new line starts with it."""
    leads: bool = False
    """It says what follows; what it leads to is what the passage is of."""


@dataclass
class _Packed:
    units: list[_Unit] = field(default_factory=list)
    tokens: int = 0


def cut_passages(
    blocks: Sequence[Block], title: str, counter: TokenCounter, vocabulary: Container[str] = ()
) -> list[Passage]:
    """Cut the blocks of one page into passages, in reading order.

    Args:
        blocks: In reading order.
        title: Words put before each search text.
        counter: Of the library's encoder.
        vocabulary: Words of the document in lower case, to mend words cut at line ends.
    """
    cutter = _Cutter(blocks, shorten(title, TITLE_TOKENS, counter), counter, vocabulary)
    captions = _captions(blocks, counter)
    for i, block in enumerate(blocks):
        if i in captions.values():
            continue
        if block.kind in ("heading", "title"):
            cutter.wait(i)
        elif block.kind in _BLOCK_KINDS and block.lines:
            cutter.add(i, captions.get(i))
    cutter.flush()
    return cutter.passages


def _captions(blocks: Sequence[Block], counter: TokenCounter) -> dict[int, int]:
    """The short caption of each table and figure that has words; the first of several."""
    captions: dict[int, int] = {}
    for i, block in enumerate(blocks):
        named = blocks[block.parent] if block.kind == "caption" and block.parent >= 0 else None
        if named is None or named.kind not in _LED or not (named.lines and block.lines):
            continue
        if counter.total(block.text) <= LEAD_TOKENS:
            captions.setdefault(block.parent, i)
    return captions


@dataclass
class _Cutter:
    """The passages of a page so far, and what waits to become one."""

    blocks: Sequence[Block]
    title: str
    counter: TokenCounter
    vocabulary: Container[str]
    passages: list[Passage] = field(default_factory=list)
    packed: _Packed = field(default_factory=_Packed)
    headings: list[int] = field(default_factory=list)
    """Indexes of headings that no text has followed yet."""
    last: Block | None = None

    def wait(self, index: int) -> None:
        """Keep a heading back: text below it carries it as its section."""
        if not self.headings:
            self._close()
        self.headings.append(index)
        self.last = None

    def add(self, index: int, caption: int | None = None) -> None:
        """Pack a block's units into passages of even length, after what leads to it."""
        block = self.blocks[index]
        if len(self.headings) > 2 or any(self.blocks[i].kind == "title" for i in self.headings):
            self.flush()
        room = _room(block, self.title, self.counter)
        units = _units(block, index, self.counter, room)
        self._begin(block, sum(unit.tokens for unit in units), room)
        leads = [i for i in self.headings if not _tells(block, self.blocks[i], self.counter)]
        for i in (*leads, *([] if caption is None else [caption])):
            self._pack_leads(_units(self.blocks[i], i, self.counter, room))
        self.headings = []
        total = self.packed.tokens + sum(unit.tokens for unit in units)
        goal = total / len(_pack([*self.packed.units, *units], room))
        for unit in units:
            tokens = self.packed.tokens
            led = all(unit.leads for unit in self.packed.units)
            over = tokens + unit.tokens > room or (not led and tokens + unit.tokens / 2 > goal)
            if tokens and over:
                self._close()
            self.packed.units.append(unit)
            self.packed.tokens += unit.tokens
        self.last = block

    def _begin(self, block: Block, tokens: int, room: int) -> None:
        """Close the passage so far unless the block may share it; what leads to it goes over."""
        fits = tokens <= SHORT_TOKENS and self.packed.tokens + tokens <= room
        shares = self.last is not None and _may_share(self.last, block)
        if shares and (self.packed.tokens < SHARED_TOKENS or fits):
            return
        leads: list[_Unit] = []
        if self.last is not None and _may_lead(self.last, block):
            leads = _leads(self.packed.units, self.last, block)
        kept = len(self.packed.units) - len(leads)
        self.packed.units = self.packed.units[:kept]
        self._close()
        self._pack_leads(leads)

    def _pack_leads(self, units: Iterable[_Unit]) -> None:
        for unit in units:
            self.packed.units.append(replace(unit, leads=True))
            self.packed.tokens += unit.tokens

    def flush(self) -> None:
        """Make passages of all that waits, headings without text included."""
        self._close()
        for i in self.headings:
            self.packed.units += _units(self.blocks[i], i, self.counter, PASSAGE_TOKENS)
        for group in _pack(self.packed.units, PASSAGE_TOKENS):
            self.packed = group
            self._close()
        self.headings = []

    def _close(self) -> None:
        if self.packed.units:
            passage = _passage(self.packed, self.blocks, self.title, self.counter, self.vocabulary)
            self.passages.append(passage)
        self.packed = _Packed()


def _may_share(above: Block, block: Block) -> bool:
    same_column = above.column == block.lines[0].column
    kinds = above.kind in _SHARING and block.kind in _SHARING
    return kinds and same_column and above.section == block.section


def _may_lead(above: Block, block: Block) -> bool:
    leads = above.kind == "text" and block.kind in (*_LED, "list")
    return leads and above.column == block.lines[0].column and above.section == block.section


def _leads(units: Sequence[_Unit], above: Block, block: Block) -> list[_Unit]:
    """The last units so far that say what a table, figure or list is; empty when none do."""
    last = [unit for unit in units if unit.block == units[-1].block]
    if block.kind == "table" and sum(unit.tokens for unit in last) <= SHORT_TOKENS:
        return last
    ends = last[-1].words[-1][4].endswith(":") if last else False
    return last[-1:] if ends and last[-1].tokens <= LEAD_TOKENS else []


def _tells(block: Block, heading: Block, counter: TokenCounter) -> bool:
    """Say whether what is searched of a block names all words of a heading above it."""
    told = set(_section(block, counter).casefold().split())
    return told.issuperset(heading.text.casefold().split())


def _room(block: Block, title: str, counter: TokenCounter) -> int:
    used = counter.total(title) + counter.total(_section(block, counter))
    used += counter.total(_head(block, counter))
    return max(60, min(PASSAGE_TOKENS, SEARCH_TOKENS - used))


def _section(block: Block, counter: TokenCounter) -> str:
    """The nearest headings that fit, and at least the nearest one."""
    parts = block.section.split(" > ")
    while len(parts) > 1 and counter.total(" > ".join(parts)) > SECTION_TOKENS:
        parts.pop(0)
    return shorten(" > ".join(parts), SECTION_TOKENS, counter)


def _head(block: Block, counter: TokenCounter) -> str:
    """The note and the head of a table that go before rows; empty for other blocks."""
    if block.kind != "table":
        return ""
    head = " ".join(line.text for line in block.lines[: block.heads])
    parts = shorten(block.note, NOTE_TOKENS, counter), shorten(head, HEAD_TOKENS, counter)
    return "\n".join(part for part in parts if part)


def _pack(units: Iterable[_Unit], room: int) -> list[_Packed]:
    groups = [_Packed()]
    for unit in units:
        if groups[-1].units and groups[-1].tokens + unit.tokens > room:
            groups.append(_Packed())
        groups[-1].units.append(unit)
        groups[-1].tokens += unit.tokens
    return groups


def _units(block: Block, index: int, counter: TokenCounter, room: int) -> list[_Unit]:
    units: list[_Unit] = []
    if block.kind in ("table", "figure", "list", "heading", "title"):
        items = block.kind == "list"
        pieces = [(line.words, not items or bool(item_marker(line))) for line in block.lines]
    else:
        words = [word for line in block.lines for word in line.words]
        pieces = [(piece, i == 0) for i, piece in enumerate(_sentences(words))]
    for words, breaks in pieces:
        counts = counter.counts([w[4] for w in words])
        start = total = 0
        for i, count in enumerate(counts):
            if total + count > room and i > start:
                units.append(_Unit(words[start:i], total, index, breaks))
                start, total, breaks = i, 0, False
            total += count
        units.append(_Unit(words[start:], total, index, breaks))
    return units


def _sentences(words: list[RawWord]) -> list[list[RawWord]]:
    sentences: list[list[RawWord]] = []
    start = 0
    for i in range(1, len(words)):
        text = words[i - 1][4]
        if text[-1] not in ".!?\"'\u201d\u2019)]":
            continue
        follows = words[i][4][0]
        starts_new = follows.isupper() or follows.isdigit() or not follows.isalnum()
        if (
            starts_new
            and _SENTENCE_END.search(text)
            and not _ABBREVIATION.match(text.lstrip("(\"'\u201c"))
        ):
            sentences.append(words[start:i])
            start = i
    sentences.append(words[start:])
    return sentences


def _passage(
    packed: _Packed,
    blocks: Sequence[Block],
    title: str,
    counter: TokenCounter,
    vocabulary: Container[str],
) -> Passage:
    weight: dict[int, int] = {}
    text = ""
    for unit in packed.units:
        counts = 0 if unit.leads else len(unit.words)
        weight[unit.block] = weight.get(unit.block, 0) + counts
        piece = " ".join(w[4] for w in unit.words)
        text += ("\n" if unit.breaks else " ") + piece if text else piece
    main = max(weight, key=weight.__getitem__)
    block = blocks[main]
    words = [word for unit in packed.units for word in unit.words]
    head = _head(block, counter)
    if head and any(unit.words is block.lines[0].words for unit in packed.units):
        head = ""
    section = _section(block, counter)
    text = join_hyphens(text, vocabulary)
    search_text = "\n".join(part for part in (title, section, head, text) if part)
    return Passage(main, words, text, search_text)


def region_fields(
    page: PageLines, blocks: list[Block], passages: list[Passage], vocabulary: set[str]
) -> list[Any]:
    """Give the fields of each region in the order of `reading_task`, its box last."""
    fields: list[Any] = []
    for order, block in enumerate(blocks):
        text = (
            block.text
            if block.kind in ("table", "figure")
            else join_hyphens(block.text, vocabulary)
        )
        box = page.placed(block.box)
        parent = blocks[block.parent].kind if block.parent >= 0 else ""
        named = block.parent, parent, block.section
        cells = pack_cells(block.cells, block.note, page.placed) if block.cells else ""
        fields.append((page.number, order, block.kind, text, "", *named, cells, box))
    for i, passage in enumerate(passages):
        block = blocks[passage.block]
        box = page.placed(around(passage.words))
        rest = passage.text, passage.search_text, passage.block, block.kind, block.section, "", box
        fields.append((page.number, len(blocks) + i, "passage", *rest))
    return fields
