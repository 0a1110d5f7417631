"""The tool `read_page`."""

from typing import Literal

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.finding.cut_words import mended
from pagehop.layout.titles import tells_more
from pagehop.library.view import View
from pagehop.tools.arguments import read_ref
from pagehop.tools.hits import printed
from pagehop.tools.passage_text import scale_in, unit_line
from pagehop.tools.pictures import Pictures
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import FULL_PAGE, Document, Page

_MOST_CHARS = 12_000


class ReadPageArguments(Arguments):
    """Arguments of `read_page`."""

    ref: str = Field(description="name:page, e.g. report_2018:12")
    form: Literal["text", "image"] = Field(default="text", description="text, or the picture")


def read_page(view: View, pictures: Pictures) -> BaseTool:
    """Make the tool."""

    def read_page(ref: str, form: str = "text") -> Result:
        """Read one whole page: its text in reading order, or its picture.

        Use it on pages a search found, before you quote them: only words of a page you have read
        make good quotes. A row of a table is one line. Pages are counted from the start of the
        file; where that differs, name:p38 is the page that prints 38. Next: walk from the page
        to follow "see Note 8" or to go on to the next page; look to zoom into a chart or table.
        """
        where = read_ref(view, ref)
        document = view.document(where.name)
        page = view.page(where)
        head = _head(page, document)
        regions = [r for r in view.regions(where) if r.kind not in ("passage", "page")]
        artifact = {"ref": str(where), "regions": [region.id for region in regions]}
        if form == "image":
            result = pictures.show(where, FULL_PAGE, head)
            return Result(result.text, {**result.artifact, **artifact}, result.picture)
        if where.page in document.damaged_pages:
            raise ToolError(f"{where} is damaged and holds no text; use the pages around it")
        if not page.text.strip():
            reason = _why_empty(where.page, document)
            advice = f"look({where}, 0, 0, 1, 1) shows it" if pictures.seen else "use other pages"
            return Result(f"{head}\nThe page has no text: it is {reason}; {advice}.", artifact)
        text = mended(page.text)
        if any(region.kind == "table" for region in regions) and not scale_in(text):
            head = "\n".join(filter(None, (head, unit_line(view, page, text))))
        if len(text) > _MOST_CHARS:
            cut = text[:_MOST_CHARS].rpartition("\n")[0]
            text = (
                f"{cut}\n... ({len(text) - len(cut)} more characters; "
                f"look({where}, 0, 0.5, 1, 1) reads the lower half)"
            )
        return Result(f"{head}\n{text}", artifact)

    return make_tool(read_page, ReadPageArguments)


def _why_empty(page: int, document: Document) -> str:
    if page not in document.scanned_pages:
        return "blank, or a picture only"
    read = page in document.ocr_pages
    return "a scan in which OCR found no words" if read else "a scan that OCR has not read yet"


def _head(page: Page, document: Document) -> str:
    title = f" {document.title}" if tells_more(document.title, document.name) else ""
    ocr = " | read by OCR: letters and digits may be wrong" if page.source == "ocr" else ""
    return f"[{page.ref}] of {document.pages}{printed(page)} |{title} ({document.source}){ocr}"
