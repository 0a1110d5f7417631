"""Frozen values of documents, pages and hits, and protocols, that cross layers.

What runs make of them is in `answers.py`, what they report in `events.py`.

Boxes are `(x0, y0, x1, y1)` as fractions of the page, origin top left. Pages are 1-based.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]
FULL_PAGE: Box = (0.0, 0.0, 1.0, 1.0)

Kind = Literal[
    "title", "heading", "text", "list", "table", "figure", "caption", "formula", "header",
    "footer", "footnote", "passage", "page",
]  # fmt: skip
Relation = Literal[
    "next", "previous", "section", "refers_to", "continues", "similar", "cites", "mentions",
    "duplicate",
]  # fmt: skip
Mode = Literal["keyword", "semantic", "visual", "hybrid"]
TextSource = Literal["text", "ocr"]
Scalar = str | int | float | bool


@dataclass(frozen=True, order=True)
class PageRef:
    """A page of a document, written `name:page`, e.g. `3M_2018_10K:60`."""

    name: str
    """Slug of the document, unique in the view."""
    page: int

    def __str__(self) -> str:
        return f"{self.name}:{self.page}"

    @classmethod
    def parse(cls, text: str) -> "PageRef":
        """Read `name:page`.

        Raises:
            ValueError: The text has no `:page` at its end.
        """
        name, colon, page = text.strip().strip("[]").rpartition(":")
        if not colon or not name or not page.strip().isdigit() or int(page) < 1:
            raise ValueError(f"{text!r} is no page reference; write name:page, e.g. report:12")
        return cls(name.strip(), int(page))


@dataclass(frozen=True)
class OutlineEntry:
    """One line of a document's table of contents."""

    level: int
    """1 for a chapter."""
    title: str
    page: int


@dataclass(frozen=True)
class Document:
    """One source file as a view shows it."""

    id: str
    """sha256 of the file's bytes, hex."""
    name: str
    """Slug, unique in the view; the first half of a page reference."""
    source: str
    """Path relative to the folder it was added from; the first one when it has several."""
    sources: tuple[str, ...]
    """All paths under which these bytes were added."""
    title: str
    pages: int
    labels: frozenset[str]
    metadata: Mapping[str, Scalar]
    outline: tuple[OutlineEntry, ...] = ()
    damaged_pages: tuple[int, ...] = ()
    """Pages that could not be read; they are in the library without text."""
    scanned_pages: tuple[int, ...] = ()
    """Pages that are pictures of text, in whole or part."""
    ocr_pages: tuple[int, ...] = ()
    """Those of them that OCR has been at."""


@dataclass(frozen=True)
class Word:
    """One word of a page's text layer."""

    text: str
    box: Box
    line: int
    """Running number of its line on the page, in reading order."""
    ocr: bool = False
    """It was read by OCR, and its letters may be wrong."""


@dataclass(frozen=True)
class Page:
    """The text of one page: its text layer, and what OCR read in its pictures."""

    document: str
    """Document id."""
    ref: PageRef
    label: str
    """Page number as printed or as the file labels it; empty when there is none."""
    text: str
    """Words joined by spaces, lines by newlines: exactly `words` in order."""
    words: tuple[Word, ...]
    width_pt: float
    height_pt: float

    @property
    def source(self) -> TextSource:
        """Whether most of its words come from the text layer, or from OCR."""
        read = sum(word.ocr for word in self.words)
        return "ocr" if 2 * read > len(self.words) else "text"


@dataclass(frozen=True)
class Region:
    """A layout element of a page, or a passage cut from one."""

    id: str
    """`<first 16 hex of the document id>-<page>-<order>`; a function of document and parser."""
    parent: str
    """Id of the region a passage was cut from, of the table or figure that a caption names; else
    empty."""
    document: str
    """Document id."""
    page: int
    order: int
    """Reading order on the page, from 0; passages count on after the regions."""
    kind: Kind
    box: Box
    text: str
    """What may be quoted."""
    search_text: str
    """Text with document title and section heading before it, for indexing only."""
    parent_kind: Kind | Literal[""] = ""
    """Kind of the parent; for a passage, what a `kinds` filter matches."""
    section: str = ""
    """Path of headings above it, joined by ` > `."""
    source: TextSource = "text"
    cells: str = field(default="", repr=False)
    """Of a table, its cells as they are stored; `View.tables` reads them."""


@dataclass(frozen=True)
class Hit:
    """One page that a search found, with the region on it that matched best."""

    document: str
    """Source name, e.g. `2022 Q3 AAPL.pdf`."""
    name: str
    page: int
    box: Box
    kind: Kind
    text: str
    score: float
    """Fused score; higher is better; comparable within one search only."""
    found_by: tuple[str, ...]
    """The signals that found it: keyword, semantic, visual."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Score of each signal before fusion."""
    region: str = ""
    """Region id; empty for a page that is not yet read into regions."""
    section: str = ""
    pictures: "PageSource | None" = field(default=None, repr=False, compare=False)
    source: TextSource = "text"
    """`ocr` when the words were read by OCR, so that letters and digits may be wrong."""
    ranks: Mapping[str, int] = field(default_factory=dict)
    """For each signal that found the page, the page's rank in its own list, from 1."""
    why: str = ""
    """Why its document was preferred: the words of the question that name it; empty when it was
    not."""

    @property
    def ref(self) -> PageRef:
        """The page, as tools name it."""
        return PageRef(self.name, self.page)

    def crop(self, *, max_pixels: int = 1_000_000) -> "Image":
        """Render the region from its source file.

        Raises:
            LibraryError: This hit was read from a record and has no library to render from.
        """
        return crop_of(self.pictures, self.ref, self.box, max_pixels)

    def _repr_html_(self) -> str:
        from pagehop.show import hit_html  # noqa: PLC0415 - only notebooks need it

        return hit_html(self)


class Hits(list[Hit]):
    """Search results, best first."""

    def __init__(self, hits: Iterable[Hit] = (), *, embedded: float = 1.0, note: str = "") -> None:
        """Keep how complete the search was beside its results."""
        super().__init__(hits)
        self.embedded = embedded
        """Share of the visible passages that have a vector, 0 to 1."""
        self.note = note
        """What a user should know of a degraded search; empty when nothing."""

    def _repr_html_(self) -> str:
        from pagehop.show import hits_html  # noqa: PLC0415 - only notebooks need it

        return hits_html(self, self.note)


@dataclass(frozen=True)
class Edge:
    """A typed edge of the page graph, with what justifies it."""

    source: PageRef
    target: PageRef
    relation: Relation
    weight: float
    """0 to 1; 1 is certain."""
    words: str
    """The words on the source page that justify the edge, e.g. `see Note 8`."""


@dataclass(frozen=True)
class Path:
    """A walk over the page graph from a start page."""

    edges: tuple[Edge, ...]
    score: float
    """Product of weights, times similarity to the query when one was given."""

    @property
    def end(self) -> PageRef:
        """The page it leads to."""
        return self.edges[-1].target


@dataclass(frozen=True)
class Located:
    """Where a quote stands on a page."""

    text: str
    """The page's own words that match the quote."""
    box: Box
    """Union of the boxes of those words."""
    score: float
    """1 for an exact match, below for a fuzzy one."""
    boxes: tuple[Box, ...] = ()
    """One box a line of the page that the quote touches, in reading order."""
    source: TextSource = "text"
    """`ocr` when any of the words was read by OCR."""


class PageSource(Protocol):
    """Gives pictures of page boxes; what hits, citations and message adapters render from."""

    def crop(self, ref: PageRef, box: Box = FULL_PAGE, *, max_pixels: int = 1_000_000) -> "Image":
        """Render a box of a page so that it fills `max_pixels`, padding excluded."""
        ...


class Perceive(Protocol):
    """Reads a picture for a reasoner that sees only text."""

    def __call__(self, picture: "Image", question: str) -> str:
        """Answer a self-contained question about the picture."""
        ...


class Judge(Protocol):
    """Scores pages for a question, list-wise."""

    def __call__(self, question: str, texts: list[str]) -> list[float]:
        """Return one score a text, 0 to 1."""
        ...


def as_tuples(value: object, *names: str) -> None:
    """Make fields of a frozen value tuples again: msgpack gives lists back.

    For `__post_init__` of values that lie in a run's checkpoint.
    """
    for name in names:
        object.__setattr__(value, name, tuple(getattr(value, name)))


def crop_of(pictures: PageSource | None, ref: PageRef, box: Box, max_pixels: int) -> "Image":
    """Render what a value points at.

    Raises:
        LibraryError: The value was read from a record and has no library to render from.
    """
    from pagehop.errors import LibraryError  # noqa: PLC0415 - keeps types free of other modules

    if pictures is None:
        raise LibraryError(
            f"no picture of {ref}: this value was read from a record; "
            "open its library and call view.crop(ref, box)"
        )
    return pictures.crop(ref, box, max_pixels=max_pixels)
