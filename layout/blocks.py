"""A block: lines of one page that belong together, or a picture; what becomes a region."""

from dataclasses import dataclass

from pagehop.layout.cells import TableCells
from pagehop.layout.page_lines import Line, item_marker
from pagehop.types import Box, Kind


@dataclass
class Block:
    """Lines that belong together; a figure may have none."""

    kind: Kind
    lines: list[Line]
    section: str = ""
    heads: int = 0
    """Number of leading lines that are a table's head."""
    drawn: Box | None = None
    """What is drawn of it, in points: a picture, a table's frame."""
    parent: int = -1
    """Of a caption: index on the page of the table or figure it names; -1 without one."""
    cells: TableCells | None = None
    """Of a table."""
    note: str = ""
    """Of a table: its caption and unit, when they stand outside it."""

    @property
    def text(self) -> str:
        """Table rows, labels and list items on lines of their own, other text on one line."""
        if self.kind in ("table", "figure"):
            return "\n".join(line.text for line in self.lines)
        text = self.lines[0].text
        for line in self.lines[1:]:
            item = self.kind == "list" and item_marker(line)
            text += ("\n" if item else " ") + line.text
        return text

    @property
    def box(self) -> Box:
        """Around its lines and what is drawn of it, in points."""
        boxes = [(line.x0, line.y0, line.x1, line.y1) for line in self.lines]
        x0, y0, x1, y1 = zip(*boxes, *([self.drawn] if self.drawn else []), strict=True)
        return min(x0), min(y0), max(x1), max(y1)

    @property
    def column(self) -> int:
        """Number of the column that its last line stands in; -1 without lines."""
        return self.lines[-1].column if self.lines else -1
