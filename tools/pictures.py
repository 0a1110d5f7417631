"""Pictures of page boxes, in the form that the reader of the tools can take.

`inline`: the picture itself; `reference`: only the reference in the artifact, for a client that
renders it when it sends the message (`draw`); `text`: what a perceiver reads in it, else the words
inside and, where figures have none, what OCR reads in them.

Three measures are kept apart: a box is in fractions of the page; `width_px` and `height_px` are of
the picture as sent, and what a model points at in it is turned back into a box (`agents/replies`);
how finely the page was drawn follows from both and is never written down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pagehop.errors import LibraryError, ToolError
from pagehop.library.view import View
from pagehop.tools.contact_sheet import draw_sheet, plan_sheet, read_sheet
from pagehop.tools.surroundings import area, describe_inside, overlap, written
from pagehop.tools.tool import Result
from pagehop.types import Box, Page, PageRef, Perceive, Region, TextSource

if TYPE_CHECKING:
    from PIL.Image import Image

Images = Literal["inline", "reference", "text"]

NO_PICTURE = (
    "No picture can be shown to you; only the words inside the box follow. Values drawn as bars or "
    "lines are not in them."
)
NO_SHEET = "No picture can be shown to you; the pages in words:"
READ_BY_OCR = "These words were read by OCR from a scan; letters and digits may be wrong."
OCR_IN_PICTURE = "Read by OCR in the picture (letters and digits may be wrong):"
BLIND = (
    "No model looked at pictures: charts were known by their words only. Give a vision_model "
    "(PAGEHOP_RUN__VISION_MODEL), or a model that takes pictures."
)
"""Said once a run to the person."""
_READABLE = 0.01
"""Share of the page from which on a figure is read by OCR."""
_MOST_READ = 4
_QUESTION = "What does this part of the page show? Give all values."


@dataclass(frozen=True)
class Pictures:
    """How pictures are shown to the reader of one toolset."""

    view: View
    images: Images
    perceive: Perceive | None = None
    max_pixels: int = 1_000_000

    @property
    def seen(self) -> bool:
        """Whether the reader sees pictures, or has someone who does."""
        return self.images != "text" or self.perceive is not None

    def show(self, ref: PageRef, box: Box, head: str, question: str = "") -> Result:
        """Show a box of a page.

        Args:
            ref: The page.
            box: In fractions of the page.
            head: First line of the text.
            question: For the perceiver.

        Raises:
            ToolError: It cannot be rendered, or the reader cannot take any of it.
        """
        page, regions = self.view.page(ref), self._regions(ref)
        head = "\n".join(filter(None, (head, describe_inside(regions, box))))
        words, source = words_inside(page, box)
        if not self.seen:
            return self._in_words(page, box, head, regions)
        try:
            picture = self.view.crop(ref, box, max_pixels=self.max_pixels)
        except LibraryError as error:
            raise ToolError(f"{error}; read the page as text instead") from error
        artifact: dict[str, Any] = {
            "ref": str(ref), "box": [round(v, 6) for v in box], "source": source,
            "width_px": picture.width, "height_px": picture.height,
            "max_pixels": self.max_pixels, "text": words,
        }  # fmt: skip
        if self.images == "reference":
            return Result(f"{head}\n(picture {ref} ({written(box)}))", artifact)
        if self.images == "text" and self.perceive is not None:
            reading = self.perceive(picture, question or _QUESTION)
            said = f"{words}\n({READ_BY_OCR})" if source == "ocr" else words
            text = f"{head}\nA reader of the picture says: {reading}\nWords inside the box:\n{said}"
            return Result(text, {**artifact, "reading": reading})
        return Result(head, artifact, picture)

    def show_sheet(self, refs: Sequence[PageRef], head: str, text: str) -> Result:
        """Show thumbnails of pages; a reader of text gets them in words.

        Args:
            refs: At least one.
            head: First lines of the text.
            text: The pages in words.
        """
        listed = [str(ref) for ref in refs]
        if self.images == "text":
            return Result(f"{head}\n{text}", {"refs": listed})
        sheet = plan_sheet(self.view, refs, self.max_pixels)
        artifact: dict[str, Any] = {
            "refs": listed, "sheet": sheet.to_json(), "text": text,
            "width_px": sheet.width_px, "height_px": sheet.height_px,
        }  # fmt: skip
        if self.images == "reference":
            return Result(f"{head}\n(picture of {len(refs)} thumbnails)", artifact)
        return Result(head, artifact, draw_sheet(self.view, sheet))

    def _regions(self, ref: PageRef) -> list[Region]:
        return [r for r in self.view.regions(ref) if r.kind not in ("passage", "page")]

    def _in_words(self, page: Page, box: Box, head: str, regions: Sequence[Region]) -> Result:
        """Give what can be had of a box without looking at it.

        Raises:
            ToolError: Nothing.
        """
        words, source = words_inside(page, box)
        said = f"{words}\n({READ_BY_OCR})" if source == "ocr" else words
        parts = [said] if words else []
        read: list[str] = []
        for part in _wordless(page, box, regions):
            found = self.view.read_picture(page.ref, part)
            read += found.lines
            if found.problem:
                parts.append(f"({found.problem})")
        if read:
            parts.append("\n".join([OCR_IN_PICTURE, *read]))
        if not words and not read:
            why = f" {parts[0]}" if parts else ""
            raise ToolError(
                f"there are no words in this box of {page.ref}, and pictures cannot be seen here; "
                f"take a larger box, or find the value in the text of another page{why}"
            )
        artifact = {
            "ref": str(page.ref), "box": [round(v, 6) for v in box],
            "source": source if words else "ocr",
            "text": "\n".join([*([words] if words else []), *read]),
            "note": BLIND,
        }  # fmt: skip
        return Result("\n".join([head, NO_PICTURE, *parts]), artifact)


def draw(view: View, artifact: Mapping[str, Any]) -> "Image | None":
    """Draw the picture that a tool showed by reference, pixel for pixel; None when it showed none.

    Raises:
        LibraryError: It cannot be rendered any more.
    """
    if not artifact.get("width_px"):
        return None
    if artifact.get("sheet"):
        return draw_sheet(view, read_sheet(artifact))
    x0, y0, x1, y1 = (float(value) for value in artifact["box"])
    pixels = int(artifact["max_pixels"])  # of its own size, rounding could make it another one
    return view.crop(PageRef.parse(artifact["ref"]), (x0, y0, x1, y1), max_pixels=pixels)


def words_inside(page: Page, box: Box) -> tuple[str, TextSource]:
    """Return the words whose middle lies in the box, line by line, and where most come from."""
    lines: dict[int, list[str]] = {}
    read = []
    for word in page.words:
        x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
            lines.setdefault(word.line, []).append(word.text)
            read.append(word.ocr)
    source: TextSource = "ocr" if 2 * sum(read) > len(read) else "text"
    return "\n".join(" ".join(words) for words in lines.values()), source


def _wordless(page: Page, box: Box, regions: Sequence[Region]) -> list[Box]:
    """Return what of the box is a picture without words: figures, or all of it."""
    parts = [overlap(r.box, box) for r in regions if r.kind == "figure"]
    found = [p for p in parts if area(p) >= _READABLE and not words_inside(page, p)[0]]
    if not found and not words_inside(page, box)[0]:
        return [box]
    return found[:_MOST_READ]
