"""Pages whose layout is known by construction: every region and table cell is noted as it is set.

Documents differ in paper, type, columns, running heads, captions and the look of their tables; all
is drawn from a seed. Boxes are tight around what is drawn, in fractions of the page.

    python benchmarks/layout_pages.py FOLDER [--documents 60] [--seed 7]
"""

import argparse
import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path

from reportlab.lib.colors import Color, black, white
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

Box = tuple[float, float, float, float]
PAGES = 6
PAPERS = ((595.0, 842.0), (612.0, 792.0), (842.0, 595.0), (612.0, 1008.0))
FONTS = {
    "serif": ("Times-Roman", "Times-Bold", "Times-Italic"),
    "sans": ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
}
WORDS = (
    "the of and a in to for by with from harbour river barge lock toll grain timber keeper office "
    "season water level bridge dredger pilot cargo ledger winter summer count rise fall share rate "
    "plan measure survey report depth channel basin crane warehouse freight passage boat crew wage "
    "average number result method increase decline between during after before about these those "
    "northern southern upper lower annual monthly steady rapid small large further several most"
).split()
NAMES = (
    "Grain tolls", "Timber tolls", "Pilot fees", "Lock repairs", "Dredging", "Crew wages",
    "Warehouse rent", "Crane hire", "Other income", "Interest paid", "Bridge upkeep", "Insurance",
    "Harbour dues", "Coal", "Depreciation of barges", "Share of joint ventures", "Income taxes",
)  # fmt: skip


@dataclass
class Label:
    """One region as it was set."""

    kind: str
    box: Box
    cells: list[list[str]] = field(default_factory=list)
    """Of a table: its rows; a place covered by a cell that spans it is empty."""
    parent: int = -1


@dataclass
class LabelledPage:
    """One page of the set."""

    file: str
    page: int
    labels: list[Label]


@dataclass
class Style:
    """What the pages of one document share."""

    paper: tuple[float, float]
    fonts: tuple[str, str, str]
    size: float
    columns: int
    margin: float
    header: str
    footer: str
    justified: bool
    table: str
    rotation: int
    """Degrees by which viewers turn the sheet."""
    upright: bool
    """What is set on a turned sheet is upright once it is turned; else it runs up or down."""
    caption_above: bool
    sidebar: bool


class Setter:
    """Sets one page, top to bottom, column by column, and notes what it sets."""

    def __init__(self, canvas: Canvas, style: Style, rng: random.Random) -> None:
        self.canvas, self.style, self.rng = canvas, style, rng
        self.labels: list[Label] = []
        width, height = style.paper
        self.width, self.height = width, height
        self.left, self.right = style.margin, width - style.margin
        if style.sidebar:
            self.right -= 0.26 * width
        self.top, self.foot = style.margin + 24, height - style.margin - 30
        gap = 18.0
        each = (self.right - self.left - gap * (style.columns - 1)) / style.columns
        self.slots = [(self.left + i * (each + gap), each) for i in range(style.columns)]
        self.column = 0
        self.y = self.top

    @property
    def x(self) -> float:
        """Left edge of the column."""
        return self.slots[self.column][0]

    @property
    def measure(self) -> float:
        """Width of the column."""
        return self.slots[self.column][1]

    def note(self, kind: str, box: Box, **more: object) -> None:
        """Keep a label; boxes come in points, origin top left."""
        x0, y0, x1, y1 = box
        part = (x0 / self.width, y0 / self.height, x1 / self.width, y1 / self.height)
        self.labels.append(Label(kind, part, **more))  # type: ignore[arg-type]

    def line(self, x: float, y: float, text: str, font: str, size: float, space: float = 0) -> Box:
        """Set one line, its top at y; returns its box."""
        base = y + 0.78 * size
        text_object = self.canvas.beginText(x, self.height - base)
        text_object.setFont(font, size)
        text_object.setWordSpace(space)
        text_object.textOut(text)
        self.canvas.drawText(text_object)
        end = x + stringWidth(text, font, size) + space * text.count(" ")
        return x, y + 0.05 * size, end, base + 0.21 * size

    def room(self, needed: float) -> bool:
        """Go to the next column when this one is too short; False when the page is full."""
        if self.y + needed <= self.foot:
            return True
        if self.column + 1 >= len(self.slots):
            return False
        self.column += 1
        self.y = self.top_of_columns
        return self.y + needed <= self.foot

    top_of_columns = 0.0

    def wrap(self, text: str, font: str, size: float, width: float) -> list[str]:
        """Break a text into lines."""
        lines, line = [], ""
        for word in text.split():
            longer = f"{line} {word}" if line else word
            if line and stringWidth(longer, font, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        return [*lines, line] if line else lines

    def block(
        self, kind: str, text: str, font: str, size: float, *, indent: float = 0.0,
        x: float | None = None, width: float | None = None, centred: bool = False,
        marker: str = "",
    ) -> bool:  # fmt: skip
        """Set a paragraph as one region; False when there is no room."""
        measure = (width or self.measure) - indent
        lines = self.wrap(text, font, size, measure)
        leading = 1.22 * size
        if not self.room(len(lines) * leading):
            return False
        left = (self.x if x is None else x) + indent
        boxes = []
        for i, line in enumerate(lines):
            spare = measure - stringWidth(line, font, size)
            at = left + spare / 2 if centred else left
            last = i == len(lines) - 1
            spread = self.style.justified and kind == "text" and not last and " " in line
            space = spare / line.count(" ") if spread and not centred else 0.0
            if marker and i == 0:
                boxes.append(self.line(left - 20, self.y, marker, font, size))
            boxes.append(self.line(at, self.y, line, font, size, space))
            self.y += leading
        self.note(kind, around(boxes))
        return True

    def sentence(self, least: int = 8, most: int = 22) -> str:
        """Make a sentence of so many words."""
        words = self.rng.choices(WORDS, k=self.rng.randint(least, most))
        return " ".join(words).capitalize() + "."

    def title_words(self, least: int = 2, most: int = 5) -> str:
        """Make a heading of so many words."""
        plain = [word for word in WORDS if len(word) > 4]
        return " ".join(self.rng.sample(plain, self.rng.randint(least, most))).capitalize()


def around(boxes: list[Box]) -> Box:
    """Give the box around boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def paragraph(s: Setter) -> bool:
    """Set a paragraph of three to seven sentences."""
    text = " ".join(s.sentence() for _ in range(s.rng.randint(3, 7)))
    done = s.block("text", text, s.style.fonts[0], s.style.size)
    s.y += 0.7 * s.style.size
    return done


def heading(s: Setter) -> bool:
    """Set a heading, with room for text below it."""
    level = s.rng.choice((1, 2))
    size = s.style.size * (1.35 if level == 1 else 1.0)
    number = s.rng.choice(("", f"{s.rng.randint(1, 9)}. ", f"{s.rng.randint(1, 9)}.{level} "))
    if s.y > s.top_of_columns + 1:
        s.y += 0.6 * size
    if not s.room(6 * s.style.size):
        return False
    done = s.block("heading", number + s.title_words(), s.style.fonts[1], size)
    s.y += 0.5 * size
    return done


def bullets(s: Setter) -> bool:
    """Set a list; its items are one region."""
    count = s.rng.randint(3, 6)
    size = s.style.size
    if not s.room(count * 3 * size):
        return False
    marks = s.rng.choice((["\u2022"] * count, [f"{i}." for i in range(1, count + 1)],
                          [f"({c})" for c in "abcdefgh"][:count]))  # fmt: skip
    before = len(s.labels)
    for mark in marks:
        if not s.block("list", s.sentence(5, 16), s.style.fonts[0], size, indent=26, marker=mark):
            break
        s.y += 0.25 * size
    items = s.labels[before:]
    if items:
        s.labels[before:] = [Label("list", around([item.box for item in items]))]
    s.y += 0.7 * size
    return bool(items)


def formula(s: Setter) -> bool:
    """Set a displayed formula with its number."""
    size = s.style.size
    if not s.room(3 * size):
        return False
    a, b, c = s.rng.sample("xyzuvwpqrst", 3)
    text = f"{a}({b}) = {s.rng.randint(2, 9)} {b} + {c} / ({s.rng.randint(2, 9)} - {a}) >= {b}"
    s.y += 0.4 * size
    left = s.x + 0.25 * s.measure
    one = s.line(left, s.y, text, s.style.fonts[2], size)
    number = f"({s.rng.randint(1, 20)})"
    x = s.x + s.measure - stringWidth(number, s.style.fonts[0], size)
    two = s.line(x, s.y, number, s.style.fonts[0], size)
    s.note("formula", around([one, two]))
    s.y += 2.1 * size
    return True


def captioned(s: Setter, kind: str, draw: "object", *, above: bool) -> bool:
    """Set a table or figure with its caption above or below."""
    word = "Table" if kind == "table" else s.rng.choice(("Figure", "Fig."))
    text = f"{word} {s.rng.randint(1, 12)}{s.rng.choice((':', '.'))} {s.sentence(5, 14)}"
    size = 0.92 * s.style.size
    high = draw.height(s) + 5 * size  # type: ignore[attr-defined]
    if not s.room(high):
        return False
    if above:
        s.block("caption", text, s.style.fonts[0], size)
        at = len(s.labels) - 1
        s.y += 0.5 * size
    s.labels.append(draw.draw(s))  # type: ignore[attr-defined]
    own = len(s.labels) - 1
    s.y += 0.8 * size
    if not above:
        s.block("caption", text, s.style.fonts[0], size)
        at = len(s.labels) - 1
    s.labels[at].parent = own
    s.y += 1.6 * size
    return True


@dataclass
class TableDrawing:
    """A table of random amounts."""

    rows: list[list[str]]
    heads: int
    spans: list[tuple[int, int, str]]
    """First value column, number of columns, text: a head line above the head."""
    look: str
    wrapped: frozenset[int] = frozenset()

    def height(self, s: Setter) -> float:
        """Return the room that it takes."""
        lines = len(self.rows) + len(self.wrapped) + (1 if self.spans else 0)
        return lines * self.step(s) + 6

    def step(self, s: Setter) -> float:
        """Return the distance of two rows."""
        return s.style.size * (1.75 if self.look == "grid" else 1.4)

    def draw(self, s: Setter) -> Label:
        """Draw it where the page stands, and go on below it."""
        size, step = 0.95 * s.style.size, self.step(s)
        regular, bold, _ = s.style.fonts
        count = len(self.rows[0])
        first = 0.42 if count < 5 else 0.32
        edges = [s.x, s.x + first * s.measure]
        each = (s.measure - first * s.measure) / (count - 1)
        edges += [edges[1] + each * (i + 1) for i in range(count - 1)]
        boxes: list[Box] = []
        top = s.y
        levels = [top]
        canvas = s.canvas
        canvas.setLineWidth(0.6)
        if self.spans:
            for start, wide, text in self.spans:
                a, b = edges[start], edges[start + wide]
                x = (a + b) / 2 - stringWidth(text, bold, size) / 2
                boxes.append(s.line(x, s.y + 2, text, bold, size))
                if self.look in ("booktabs", "plain"):
                    canvas.line(a + 6, s.height - s.y - step, b - 2, s.height - s.y - step)
            s.y += step
            levels.append(s.y)
        for i, row in enumerate(self.rows):
            font = bold if i < self.heads else regular
            lines = 2 if i in self.wrapped else 1
            if self.look == "shaded" and i % 2 and i >= self.heads:
                canvas.setFillColor(Color(0.9, 0.94, 0.98))
                canvas.rect(s.x, s.height - s.y - lines * step, s.measure, lines * step, 0, 1)
                canvas.setFillColor(black)
            for j, text in enumerate(row):
                if not text:
                    continue
                if j == 0:
                    words = text.split()
                    half = (len(words) + 1) // 2
                    parts = (
                        [" ".join(words[:half]), " ".join(words[half:])] if lines == 2 else [text]
                    )
                    for k, part in enumerate(parts):
                        x = s.x + 4 + (8 if k else 0)
                        boxes.append(s.line(x, s.y + 2 + k * step * 0.8, part, font, size))
                else:
                    x = edges[j + 1] - 4 - stringWidth(text, font, size)
                    boxes.append(s.line(x, s.y + 2 + (lines - 1) * step * 0.8, text, font, size))
            s.y += step * (1.8 if lines == 2 else 1)
            levels.append(s.y)
        boxes += self._rules(s, edges, levels)
        return _label(s, "table", around(boxes), cells=self.cells())

    def _rules(self, s: Setter, edges: list[float], levels: list[float]) -> list[Box]:
        canvas, high = s.canvas, s.height
        left, right = edges[0], edges[-1]
        body = self.heads + (1 if self.spans else 0)
        if self.look == "grid":
            for y in levels:
                canvas.line(left, high - y, right, high - y)
            for j, x in enumerate(edges):
                spanned = any(start < j < start + wide for start, wide, _ in self.spans)
                canvas.line(x, high - (levels[1] if spanned else levels[0]), x, high - levels[-1])
        elif self.look == "booktabs":
            for y in (levels[0], levels[body], levels[-1]):
                canvas.line(left, high - y, right, high - y)
        elif self.look == "shaded":
            canvas.line(left, high - levels[body], right, high - levels[body])
            return [(left, levels[0] + 2, right, levels[-1] - 1)]
        if self.look in ("grid", "booktabs"):
            return [(left, levels[0], right, levels[-1])]
        return []

    def cells(self) -> list[list[str]]:
        """Return its rows, the line of spanning heads first."""
        spans = [""] * len(self.rows[0])
        for start, _, text in self.spans:
            spans[start] = text
        return ([spans] if self.spans else []) + self.rows


def _label(s: Setter, kind: str, box: Box, **more: object) -> Label:
    s.note(kind, box, **more)
    return s.labels.pop()


def make_table(s: Setter) -> TableDrawing:
    """Make a table of amounts, with years or months as columns."""
    rng = s.rng
    values = rng.choice((2, 3, 3, 4) if s.measure > 280 else (2, 2, 3))
    years = [str(2024 - i) for i in range(values)]
    spans: list[tuple[int, int, str]] = []
    if values == 4 and rng.random() < 0.7:
        years = ["2024", "2023"] * 2
        spans = [(1, 2, "Three months"), (3, 2, "Nine months")]
    elif values > 1 and rng.random() < 0.25:
        spans = [(1, values, "Year ended March 31")]
    unit = rng.choice(("", "", "(in millions)", "(in thousands)"))
    rows = [[unit, *years]]
    names = rng.sample(NAMES, rng.randint(4, 9))
    wrapped = set()
    for i, name in enumerate(names, 1):
        if rng.random() < 0.12:
            name = f"{name} and other items of the upper river, net"
            wrapped.add(i)
        rows.append([name, *(_amount(rng) for _ in range(values))])
    rows.append(["Total", *(_amount(rng) for _ in range(values))])
    return TableDrawing(rows, 1, spans, s.style.table, frozenset(wrapped))


def _amount(rng: random.Random) -> str:
    value = rng.randint(3, 99_999)
    return rng.choice((f"{value:,}", f"{value:,}", f"({value:,})", "-", f"{value / 1000:.1f}%"))


@dataclass
class FigureDrawing:
    """A chart or a picture."""

    sort: str
    high: float

    def height(self, s: Setter) -> float:
        """Return the room that it takes."""
        return self.high

    def draw(self, s: Setter) -> Label:
        """Draw it where the page stands, and go on below it."""
        x, y, wide, high = s.x + 6, s.y, s.measure - 12, self.high - 16
        canvas, page = s.canvas, s.height
        boxes: list[Box] = [(x, y, x + wide, y + high)]
        colour = Color(*(s.rng.uniform(0.1, 0.6) for _ in range(3)))
        canvas.setFillColor(colour)
        canvas.setStrokeColor(colour)
        if self.sort == "picture":
            rows = bytes(s.rng.randrange(256) for _ in range(16 * 12 * 3))
            from io import BytesIO  # noqa: PLC0415 - the only picture

            from PIL import Image  # noqa: PLC0415
            from reportlab.lib.utils import ImageReader  # noqa: PLC0415

            picture = BytesIO()
            Image.frombytes("RGB", (16, 12), rows).resize((320, 240)).save(picture, "PNG")
            canvas.drawImage(ImageReader(picture), x, page - y - high, wide, high)
        elif self.sort == "pie":
            radius = min(wide, high) / 2
            middle = x + wide / 2
            canvas.circle(middle, page - y - high / 2, radius, 1, 1)
            canvas.setFillColor(white)
            canvas.wedge(middle - radius, page - y - high / 2 - radius, middle + radius,
                         page - y - high / 2 + radius, 20, 80, 1, 1)  # fmt: skip
            boxes = [
                (middle - radius, y + high / 2 - radius, middle + radius, y + high / 2 + radius)
            ]
        else:
            boxes = self._plot(s, (x, y, wide, high))
        canvas.setFillColor(black)
        canvas.setStrokeColor(black)
        s.y += self.high
        return _label(s, "figure", around(boxes))

    def _plot(self, s: Setter, place: Box) -> list[Box]:
        x, y, wide, high = place
        canvas, page = s.canvas, s.height
        count, size = s.rng.randint(4, 8), 7.0
        left, foot = x + 24, y + high - 12
        step = (wide - 24) / count
        heights = [s.rng.uniform(0.2, 0.95) * (high - 16) for _ in range(count)]
        boxes = [(left, y, x + wide, foot)]
        if self.sort == "bars":
            for i, tall in enumerate(heights):
                canvas.rect(left + i * step + 4, page - foot, step - 8, tall, 0, 1)
        else:
            path = canvas.beginPath()
            path.moveTo(left + step / 2, page - foot + heights[0])
            for i, tall in enumerate(heights[1:], 1):
                path.lineTo(left + (i + 0.5) * step, page - foot + tall)
            canvas.drawPath(path)
        canvas.setFillColor(black)
        canvas.setStrokeColor(black)
        canvas.setLineWidth(0.5)
        canvas.line(left, page - foot, x + wide, page - foot)
        canvas.line(left, page - foot, left, page - y)
        for i in range(count):
            boxes.append(s.line(left + (i + 0.5) * step - 8, foot + 3, str(2010 + i),
                                s.style.fonts[0], size))  # fmt: skip
        for i in range(4):
            at = foot - i * (high - 16) / 4 - 4
            boxes.append(s.line(x, at, f"{i * 25}", s.style.fonts[0], size))
        return boxes


def table(s: Setter) -> bool:
    """Set a table, with a caption or a line that leads to it."""
    if s.rng.random() < 0.6:
        return captioned(s, "table", make_table(s), above=s.style.caption_above)
    drawing = make_table(s)
    if not s.room(drawing.height(s) + 3 * s.style.size):
        return False
    s.labels.append(drawing.draw(s))
    s.y += 1.8 * s.style.size
    return True


def figure(s: Setter) -> bool:
    """Set a chart or a picture with its caption below."""
    sort = s.rng.choice(("bars", "lines", "pie", "picture"))
    return captioned(s, "figure", FigureDrawing(sort, s.rng.uniform(110, 170)), above=False)


PARTS = (
    (paragraph, 9), (heading, 3), (bullets, 2), (table, 3), (figure, 2), (formula, 1),
)  # fmt: skip


def set_page(s: Setter, number: int) -> None:
    """Fill one page."""
    style, fonts = s.style, s.style.fonts
    if style.header:
        s.note("header", s.line(s.left, style.margin * 0.6, style.header, fonts[0], 8))
    text = style.footer.replace("#", str(number))
    x = (s.width - stringWidth(text, fonts[0], 8)) / 2
    s.note("footer", s.line(x, s.height - style.margin * 0.7, text, fonts[0], 8))
    if number == 1:
        first = s.slots
        s.slots = [(s.left, s.right - s.left)]
        s.block("title", s.title_words(4, 8), fonts[1], 2 * style.size, centred=True)
        s.y += 2 * style.size
        s.slots = first
    s.top_of_columns = s.y
    note = s.rng.random() < 0.35
    if note:
        s.foot -= 30
    if style.sidebar:
        _sidebar(s)
    choices = [part for part, weight in PARTS for _ in range(weight)]
    misses = 0
    last = None
    while misses < 3:
        part = s.rng.choice(choices)
        if last is heading and part is heading:
            continue
        if not part(s):
            misses += 1
            continue
        last = part
    if note:
        s.column = 0
        s.foot += 34
        s.y = s.foot - 26
        mark = s.rng.choice(("1 ", "* ", "2 "))
        s.canvas.setLineWidth(0.4)
        s.canvas.line(s.x, s.height - s.y + 3, s.x + 90, s.height - s.y + 3)
        s.block("footnote", mark + s.sentence(8, 12), fonts[0], 0.78 * style.size)


def _sidebar(s: Setter) -> None:
    """Set a box of text beside the columns."""
    keep = s.slots, s.column, s.y, s.style.justified
    x = s.right + 20
    s.slots, s.column, s.y = [(x, s.width - s.style.margin - x)], 0, s.top_of_columns + 30
    s.style.justified = False
    s.block("heading", s.title_words(2, 3), s.style.fonts[1], s.style.size)
    s.y += 4
    for _ in range(3):
        s.block("text", s.sentence(10, 18) + " " + s.sentence(8, 14), s.style.fonts[0],
                0.92 * s.style.size)  # fmt: skip
        s.y += 6
    s.slots, s.column, s.y, s.style.justified = keep


def choose_style(rng: random.Random) -> Style:
    """Draw what the pages of a document share."""
    paper = rng.choice((PAPERS[0], PAPERS[1], PAPERS[1], PAPERS[0], PAPERS[2], PAPERS[3]))
    wide = paper[0] > paper[1]
    columns = rng.choice((1, 1, 2, 2)) if not wide else rng.choice((1, 2))
    name = " ".join(rng.sample(WORDS[8:40], 2)).title()
    return Style(
        paper, FONTS[rng.choice(("serif", "sans"))], rng.uniform(8.6, 11), columns,
        rng.uniform(44, 70), rng.choice(("", f"{name} Report", f"The {name} Company")),
        rng.choice(("#", "Page #", f"{name} | #", "- # -")), rng.random() < 0.5,
        rng.choice(("grid", "booktabs", "plain", "plain", "shaded")),
        rng.choice((0, 0, 0, 0, 90, 270)),
        rng.random() < 0.6,
        rng.random() < 0.7, columns == 1 and rng.random() < 0.3,
    )  # fmt: skip


def make_pages(folder: Path, documents: int, seed: int) -> list[LabelledPage]:
    """Write the documents and return the labels of their pages."""
    folder.mkdir(parents=True, exist_ok=True)
    pages: list[LabelledPage] = []
    for number in range(documents):
        rng = random.Random(f"{seed}-{number}")
        style = choose_style(rng)
        path = folder / f"made_{number:03}.pdf"
        # The canvas swaps the sides of a turned sheet by itself.
        sheet = style.paper[::-1] if style.rotation and not style.upright else style.paper
        canvas = Canvas(str(path), pagesize=sheet, invariant=1)
        for page in range(1, PAGES + 1):
            if style.rotation and style.upright:
                width, height = style.paper
                clockwise = style.rotation == 90
                canvas.transform(
                    *((0, 1, -1, 0, height, 0) if clockwise else (0, -1, 1, 0, 0, width))
                )
            setter = Setter(canvas, style, rng)
            set_page(setter, page)
            if style.rotation:
                canvas.setPageRotation(style.rotation)
            canvas.showPage()
            turn = 0 if style.upright else style.rotation
            labels = [_turned(label, turn) for label in setter.labels]
            pages.append(LabelledPage(path.name, page, labels))
        canvas.save()
    return pages


def _turned(label: Label, rotation: int) -> Label:
    """Turn a box with its page."""
    x0, y0, x1, y1 = label.box
    if rotation == 90:
        label.box = (1 - y1, x0, 1 - y0, x1)
    elif rotation == 270:
        label.box = (y0, 1 - x1, y1, 1 - x0)
    return label


def main() -> None:
    """Write documents and their labels into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    pages = make_pages(args.folder, args.documents, args.seed)
    with (args.folder / "labels.jsonl").open("w") as file:
        for page in pages:
            file.write(json.dumps(asdict(page)) + "\n")
    print(f"{len(pages)} pages in {args.folder}")


if __name__ == "__main__":
    main()
