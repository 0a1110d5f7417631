"""Tables and figures of made pages, drawn with their captions and noted with their cells."""

import random
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from layout_setting import Box, Label, Setter, around
from PIL import Image
from reportlab.lib.colors import Color, black, white
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth

NAMES = (
    "Grain tolls", "Timber tolls", "Pilot fees", "Lock repairs", "Dredging", "Crew wages",
    "Warehouse rent", "Crane hire", "Other income", "Interest paid", "Bridge upkeep", "Insurance",
    "Harbour dues", "Coal", "Depreciation of barges", "Share of joint ventures", "Income taxes",
)  # fmt: skip


class Drawing(Protocol):
    """What stands under or over a caption."""

    def height(self, s: Setter) -> float:
        """Return the room that it takes."""
        ...

    def draw(self, s: Setter) -> Label:
        """Draw it where the page stands, and go on below it."""
        ...


def captioned(s: Setter, kind: str, draw: Drawing, *, above: bool) -> bool:
    """Set a table or figure with its caption above or below."""
    word = "Table" if kind == "table" else s.rng.choice(("Figure", "Fig."))
    text = f"{word} {s.rng.randint(1, 12)}{s.rng.choice((':', '.'))} {s.sentence(5, 14)}"
    size = 0.92 * s.style.size
    high = draw.height(s) + 5 * size
    if not s.room(high):
        return False
    if above:
        s.block("caption", text, s.style.fonts[0], size)
        at = len(s.labels) - 1
        s.y += 0.5 * size
    s.labels.append(draw.draw(s))
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
