"""Pictures of page boxes, in the form that the reader of the tools can take.

`inline`: the picture itself; `reference`: only the reference in the artifact, for a client that
renders it when it sends the message; `text`: what a perceiver reads in it, else the words inside.
"""

from dataclasses import dataclass
from typing import Literal

from pagehop.errors import LibraryError, ToolError
from pagehop.library.view import View
from pagehop.tools.tool import Result
from pagehop.types import Box, Page, PageRef, Perceive, TextSource

Images = Literal["inline", "reference", "text"]


NO_PICTURE = (
    "No picture can be shown to you; only the words inside the box follow. Values drawn as bars or "
    "lines are not in them."
)
READ_BY_OCR = "These words were read by OCR from a scan; letters and digits may be wrong."


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

        Raises:
            ToolError: It cannot be rendered, or the reader cannot take any of it.
        """
        page = self.view.page(ref)
        words, source = words_inside(page, box)
        said = f"{words}\n({READ_BY_OCR})" if source == "ocr" else words
        where = [round(v, 5) for v in box]
        artifact: dict[str, object] = {"ref": str(ref), "box": where, "source": source}
        if self.images == "text" and self.perceive is None:
            if not words:
                raise ToolError(
                    f"there are no words in this box of {ref}, and pictures cannot be seen here; "
                    "take a larger box, or find the value in the text of another page"
                )
            return Result(f"{head}\n{NO_PICTURE}\n{said}", {**artifact, "text": words})
        try:
            picture = self.view.crop(ref, box, max_pixels=self.max_pixels)
        except LibraryError as error:
            raise ToolError(f"{error}; read the page as text instead") from error
        artifact |= {"width_px": picture.width, "height_px": picture.height, "text": words}
        if self.images == "reference":
            return Result(f"{head}\n(picture {ref} {_written(box)})", artifact)
        if self.images == "text" and self.perceive is not None:
            asked = question or "What does this part of the page show? Give all values."
            reading = self.perceive(picture, asked)
            text = f"{head}\nA reader of the picture says: {reading}\nWords inside the box:\n{said}"
            return Result(text, {**artifact, "reading": reading})
        return Result(head, artifact, picture)


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


def _written(box: Box) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in box) + ")"
