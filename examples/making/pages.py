"""Page templates of the example reports: covers, headers, page labels, bookmarks, references.

1. A document is built repeatedly until the places of its tables, figures and notes stand still;
   the text "Table 3 on page 12" is taken from the pass before.
2. Printed page numbers are roman in the front matter and begin again at 1 with the body, as page
   labels too, so that a printed number differs from the page's position in the file.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

POINTS_PER_MM = 72 / 25.4


@dataclass(frozen=True)
class Look:
    """How one document is set."""

    accent: Color = field(default_factory=lambda: HexColor("#0b5563"))
    second: Color = field(default_factory=lambda: HexColor("#c98b2b"))
    serif: bool = False
    size: float = 9.4
    """Body text, points."""
    page: tuple[float, float] = A4
    margin: float = 56.0
    columns: int = 1
    """Columns of the page template "body"; "wide" always has one."""
    gap: float = 20.0
    chapter_breaks: bool = True
    """A chapter begins on a new page."""
    justify: bool = False
    opening: float = 200.0
    """Height of the full-width part above the columns of the page template "first", points."""
    top_level: int = 1
    """Level of heading that becomes the highest bookmark."""

    @property
    def font(self) -> str:
        """Base name of the body font."""
        return "Times-Roman" if self.serif else "Helvetica"

    @property
    def bold(self) -> str:
        """Its bold cut."""
        return "Times-Bold" if self.serif else "Helvetica-Bold"

    @property
    def italic(self) -> str:
        """Its italic cut."""
        return "Times-Italic" if self.serif else "Helvetica-Oblique"

    @property
    def width(self) -> float:
        """Of the text area, points."""
        return self.page[0] - 2 * self.margin

    @property
    def column(self) -> float:
        """Width of one column of the body, points."""
        return (self.width - self.gap * (self.columns - 1)) / self.columns

    def styles(self) -> dict[str, ParagraphStyle]:
        """Paragraph styles by name."""
        s = self.size
        text = ParagraphStyle(
            "text",
            fontName=self.font,
            fontSize=s,
            leading=s * 1.42,
            spaceAfter=s * 0.7,
            alignment=4 if self.justify else 0,
            allowWidows=0,
            allowOrphans=0,
        )

        big = 2.1 if self.chapter_breaks else 1.5

        def more(name: str, **changes: Any) -> ParagraphStyle:
            return ParagraphStyle(name, parent=text, **changes)

        head = {"fontName": self.bold, "textColor": self.accent, "alignment": 0, "keepWithNext": 1}
        return {
            "text": text,
            "h1": more(
                "h1", **head, fontSize=s * big, leading=s * big * 1.2, spaceAfter=s * (big - 0.9)
            ),
            "h2": more(
                "h2", **head, fontSize=s * 1.35, leading=s * 1.7, spaceBefore=s, spaceAfter=s * 0.5
            ),
            "h3": more("h3", fontName=self.bold, alignment=0, keepWithNext=1, spaceAfter=s * 0.3),
            "list": more("list", leftIndent=s * 1.4, bulletIndent=s * 0.3, spaceAfter=s * 0.35),
            "quote": more(
                "quote",
                fontName=self.italic,
                fontSize=s * 1.25,
                leading=s * 1.75,
                textColor=self.accent,
                leftIndent=s * 1.5,
                rightIndent=s * 1.5,
                spaceBefore=s * 0.6,
                spaceAfter=s * 1.2,
                alignment=0,
            ),
            "caption": more(
                "caption",
                fontName=self.bold,
                fontSize=s * 0.94,
                alignment=0,
                keepWithNext=1,
                spaceBefore=s * 0.7,
                spaceAfter=s * 0.4,
                textColor=self.accent,
            ),
            "small": more(
                "small", fontSize=s * 0.84, leading=s * 1.15, textColor=HexColor("#444444")
            ),
            "centre": more("centre", alignment=1),
        }


@dataclass
class Places:
    """Where things came to stand in a pass over a document."""

    spots: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Key to (label, printed page), e.g. `segments` to (`Table 3`, `12`)."""
    contents: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(level, title, printed page, key) of the headings."""


class Mark(Flowable):  # type: ignore[misc]
    """A point without size that records where it stands and may be a bookmark."""

    def __init__(self, key: str, label: str, outline: int = -1) -> None:
        super().__init__()
        self.key, self.label, self.outline = key, label, outline
        self.keepWithNext = True

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Take no room."""
        return 0, 0

    def draw(self) -> None:
        """Leave the bookmark in the file."""
        self.canv.bookmarkHorizontal(self.key, 0, 14)
        if self.outline >= 0:
            self.canv.addOutlineEntry(self.label, self.key, level=self.outline, closed=False)


Painter = Callable[[Any, "Report", str], None]
"""Draws on a page's background: canvas, report, printed page number."""


class Report(BaseDocTemplate):  # type: ignore[misc]
    """One example document while it is built."""

    def __init__(
        self, target: io.BytesIO, look: Look, paint: dict[str, Painter], start: str, **meta: str
    ) -> None:
        super().__init__(
            target,
            pagesize=look.page,
            leftMargin=look.margin,
            rightMargin=look.margin,
            topMargin=look.margin,
            bottomMargin=look.margin,
            invariant=1,
            lang="en-GB",
            **meta,
        )
        self.look, self.places = look, Places()
        self.offset = None if start == "cover" else 0
        """Pages before the one printed 1; None while the front matter lasts."""
        height = look.page[1] - 2 * look.margin
        plain = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}

        def frames(columns: int, top: float = 0.0) -> list[Frame]:
            width = (look.width - look.gap * (columns - 1)) / columns
            return [
                Frame(
                    look.margin + i * (width + look.gap), look.margin, width, height - top, **plain
                )
                for i in range(columns)
            ]

        def template(name: str, columns: int, top: float = 0.0) -> PageTemplate:
            painter = paint.get(name, paint["body"])
            return PageTemplate(
                name,
                frames(columns, top),
                onPage=lambda canvas, doc: painter(canvas, doc, doc.printed()),
            )

        first = template("first", look.columns, top=look.opening)
        first.frames.insert(
            0,
            Frame(
                look.margin,
                look.page[1] - look.margin - look.opening,
                look.width,
                look.opening,
                **plain,
            ),
        )
        templates = {
            "cover": template("cover", 1),
            "front": template("front", 1),
            "wide": template("wide", 1),
            "body": template("body", look.columns),
            "first": first,
        }
        self.addPageTemplates([templates.pop(start), *templates.values()])

    def printed(self) -> str:
        """Return the number printed on the current page."""
        if self.offset is not None:
            return str(self.page - self.offset)
        return ("", "i", "ii", "iii", "iv", "v", "vi")[min(self.page, 6)]

    def handle_pageBegin(self) -> None:
        """Label the first page of the front matter and of the body, which begins at 1."""
        starts = self.offset is None and self.pageTemplate.id == "body"
        if starts:
            self.offset = self.page
        super().handle_pageBegin()
        if starts:
            self.canv.addPageLabel(self.page - 1, style="ARABIC", start=1)
        elif self.page == 1 and self.offset is None:
            self.canv.addPageLabel(0, style="ROMAN_LOWER", start=1)

    def afterFlowable(self, flowable: Flowable) -> None:
        """Note where marks stand."""
        if not isinstance(flowable, Mark):
            return
        self.places.spots[flowable.key] = (flowable.label, self.printed())
        if flowable.outline >= 0:
            entry = (flowable.outline, flowable.label, self.printed(), flowable.key)
            self.places.contents.append(entry)


def build(
    story: Callable[[Places], list[Flowable]],
    look: Look,
    paint: dict[str, Painter],
    *,
    start: str = "cover",
    **meta: str,
) -> bytes:
    """Build a document until its references stand still; return the PDF's bytes.

    Args:
        story: Makes the flowables from the places of the pass before.
        look: How it is set.
        paint: Background painters by template name; `body` serves all that are not named.
        start: Template of the first page.
        meta: title, author, subject, keywords.
    """
    places = Places()
    for _ in range(5):
        target = io.BytesIO()
        report = Report(target, look, paint, start, **meta)
        report.build(story(places))
        if report.places == places:
            return target.getvalue()
        places = report.places
    raise AssertionError("the references of the document do not stand still")
