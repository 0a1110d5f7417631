"""Setting type on a made page: lines, paragraphs, headings, lists and formulas, each noted."""

import random
from dataclasses import dataclass, field

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

Box = tuple[float, float, float, float]
WORDS = (
    "the of and a in to for by with from harbour river barge lock toll grain timber keeper office "
    "season water level bridge dredger pilot cargo ledger winter summer count rise fall share rate "
    "plan measure survey report depth channel basin crane warehouse freight passage boat crew wage "
    "average number result method increase decline between during after before about these those "
    "northern southern upper lower annual monthly steady rapid small large further several most"
).split()


@dataclass
class Label:
    """One region as it was set."""

    kind: str
    box: Box
    cells: list[list[str]] = field(default_factory=list)
    """Of a table: its rows; a place covered by a cell that spans it is empty."""
    parent: int = -1


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
