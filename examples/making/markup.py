"""The little markup in which the texts of the example documents are written.

A text is paragraphs between blank lines. A paragraph that begins with

- `# `, `## `, `### ` is a heading; `{#key}` at its end names it; `#` and `##` become bookmarks;
- `- ` on each line is a list; `> ` a pull quote; `^ ` small print;
- `@name` puts in the table, chart or other part of that name; `@page`, `@wide`, `@body`, `@front`
  go to a new page (of that template; the first `body` page is page 1), `@column` to a new column.

`{revenue[2023]:.1f}` takes a number from the model. `[[segments]]` becomes "Table 3 on page 12",
`[[segments|short]]` "Table 3", both links; `*words*` are bold, `_words_` italic.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    FrameBreak,
    NextPageTemplate,
    PageBreak,
    Paragraph,
)

from making.pages import Look, Mark, Places

TEXTS = Path(__file__).parent / "text"
_HEADING = re.compile(r"(#{1,3}) (.*?)(?:\s*\{#([\w:-]+)\})?$")
_REFERENCE = re.compile(r"\[\[([\w:-]+)(\|short)?\]\]")
Part = Callable[["Setter"], list[Flowable]]


class Setter:
    """Turns a text into flowables."""

    def __init__(
        self, look: Look, places: Places, values: Mapping[str, Any], parts: Mapping[str, Part]
    ) -> None:
        self.look, self.places, self.values, self.parts = look, places, values, parts
        self.styles = look.styles()
        self.counts = {"Table": 0, "Figure": 0}

    def read(self, name: str) -> list[Flowable]:
        """Set the text file `name`."""
        return self.set((TEXTS / name).read_text(encoding="utf-8"))

    def set(self, text: str) -> list[Flowable]:
        """Set a text."""
        flowables: list[Flowable] = []
        blocks = [block.strip() for block in re.split(r"\n\s*\n", text.strip())]
        for block, after in zip(blocks, [*blocks[1:], ""], strict=True):
            if block[0] != "@" and after.startswith("@") and after[1:] in self.parts:
                flowables.append(CondPageBreak(self.look.size * 19))
            flowables += self._block(block)
        return flowables

    def paragraph(self, text: str, style: str = "text", **more: Any) -> Paragraph:
        """Set one paragraph with its values, references and emphasis filled in."""
        return Paragraph(self.inline(text), self.styles[style], **more)

    def inline(self, text: str) -> str:
        """Fill in values, references and emphasis."""
        text = " ".join(text.split()).format_map(self.values).replace("& ", "&amp; ")
        text = re.sub(r"(?<!\w)\*(\S.*?)\*(?!\w)", r"<b>\1</b>", text)
        text = re.sub(r"(?<!\w)_(\S.*?)_(?!\w)", r"<i>\1</i>", text)
        return _REFERENCE.sub(self._reference, text)

    def caption(self, sort: str, key: str, title: str) -> list[Flowable]:
        """Number a table or figure and set its caption; `sort` is Table or Figure."""
        self.counts[sort] += 1
        label = f"{sort} {self.counts[sort]}"
        return [
            Mark(key, label),
            self.paragraph(f"{label}: {title}", "caption"),
        ]

    def _reference(self, match: re.Match[str]) -> str:
        label, page = self.places.spots.get(match[1], ("Table 0", "0"))
        numbered = re.match(r"(?:Note|Table|Figure|Annex|Section|Item) [\w.]+", label)
        label = numbered[0].rstrip(".") if numbered else label
        words = label if match[2] else f"{label} on page {page}"
        color = self.look.accent.hexval().replace("0x", "#")
        return f'<a href="#{match[1]}" color="{color}">{words}</a>'

    def _block(self, block: str) -> list[Flowable]:
        if match := _HEADING.match(" ".join(block.split())):
            return self._heading(len(match[1]), match[2], match[3] or "")
        if block.startswith("@"):
            return self._command(block[1:])
        if block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            return [self.paragraph(item, "list", bulletText="•") for item in items]
        if block.startswith("> "):
            return [self.paragraph(block[2:], "quote")]
        if block.startswith("^ "):
            return [self.paragraph(block[2:], "small")]
        return [self.paragraph(block)]

    def _heading(self, level: int, title: str, key: str) -> list[Flowable]:
        title = title.format_map(self.values)
        key = key or re.sub(r"\W+", "-", title.lower())
        flowables: list[Flowable] = []
        if level == 1 and self.look.chapter_breaks:
            flowables.append(CondPageBreak(self.look.page[1] - 2 * self.look.margin - 1))
        else:
            flowables.append(CondPageBreak(self.look.size * (14 if level == 1 else 9)))
        depth = level - self.look.top_level
        mark = Mark(key, title, outline=depth if 0 <= depth < 2 else -1)
        return [*flowables, mark, self.paragraph(title, f"h{level}")]

    def _command(self, name: str) -> list[Flowable]:
        if name in ("wide", "body", "front"):
            return [NextPageTemplate(name), PageBreak()]
        if name == "page":
            return [PageBreak()]
        if name == "column":
            return [FrameBreak()]
        return self.parts[name](self)
