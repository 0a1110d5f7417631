"""Pages whose layout is known by construction: every region and table cell is noted as it is set.

Documents differ in paper, type, columns, running heads, captions and the look of their tables; all
is drawn from a seed. Boxes are tight around what is drawn, in fractions of the page. Type is set by
`layout_setting`, tables and figures are drawn by `layout_drawings`.

    python benchmarks/layout_pages.py FOLDER [--documents 60] [--seed 7]
"""

import argparse
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from layout_drawings import figure, table
from layout_setting import WORDS, Label, Setter, Style, bullets, formula, heading, paragraph
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

PAGES = 6
PAPERS = ((595.0, 842.0), (612.0, 792.0), (842.0, 595.0), (612.0, 1008.0))
FONTS = {
    "serif": ("Times-Roman", "Times-Bold", "Times-Italic"),
    "sans": ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
}


@dataclass
class LabelledPage:
    """One page of the set."""

    file: str
    page: int
    labels: list[Label]


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
