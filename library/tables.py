"""The columns of the library's tables, and values to rows and back.

One full set of tables per distinct set of labels: `documents`, `pages`, `regions`, `terms`,
`anchors`, `text_vectors_<encoder>` and `page_vectors_<encoder>`. Boxes are four plain float
columns: Lance takes a fixed-size list of floats for a vector.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pagehop.finding.passage_vectors import PassageVectors
from pagehop.finding.terms import TERMS_VERSION
from pagehop.reading.anchors import ANCHORS_VERSION, Anchor
from pagehop.reading.parsed import PARSER_VERSION, DocumentText, PageText
from pagehop.types import Box, Document, Kind, OutlineEntry, Page, PageRef, Region, Scalar, Word

DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("added", pa.int64()),
        ("title", pa.string()),
        ("pages", pa.int32()),
        ("passages", pa.int32()),
        ("read_by", pa.int32()),
        ("decrypted", pa.bool_()),
        ("sources", pa.string()),
        ("metadata", pa.string()),
        ("outline", pa.string()),
        ("damaged_pages", pa.list_(pa.int32())),
        ("scanned_pages", pa.list_(pa.int32())),
        ("ocr_pages", pa.list_(pa.int32())),
        ("ocr_by", pa.string()),
    ]
)
PAGES = pa.schema(
    [
        ("document", pa.string()),
        ("page", pa.int32()),
        ("label", pa.string()),
        ("search_text", pa.string()),
        ("skip", pa.int32()),
        ("boxes", pa.binary()),
        ("width_pt", pa.float32()),
        ("height_pt", pa.float32()),
        ("damaged", pa.bool_()),
        ("areas", pa.binary()),
        ("ocr", pa.binary()),
    ]
)
REGIONS = pa.schema(
    [
        ("id", pa.string()),
        ("parent", pa.string()),
        ("parent_kind", pa.string()),
        ("document", pa.string()),
        ("page", pa.int32()),
        ("order", pa.int32()),
        ("kind", pa.string()),
        ("x0", pa.float32()),
        ("y0", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("text", pa.string()),
        ("search_text", pa.string()),
        ("terms", pa.string()),
        ("section", pa.string()),
        ("source", pa.string()),
        ("cells", pa.string()),
    ]
)
TERMS = pa.schema(
    [
        ("document", pa.string()),
        ("passages", pa.int32()),
        ("total_length", pa.int64()),
        ("words", pa.list_(pa.string())),
        ("counts", pa.list_(pa.int32())),
    ]
)
ANCHORS = pa.schema(
    [
        ("document", pa.string()),
        ("page", pa.int32()),
        ("role", pa.string()),
        ("key", pa.string()),
        ("words", pa.string()),
        ("x0", pa.float32()),
        ("y0", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
    ]
)
VECTORS = "text_vectors_"
PAGE_VECTORS = "page_vectors_"
READ_BY = PARSER_VERSION * 1000 + ANCHORS_VERSION * 100 + TERMS_VERSION
"""What cut and counted a document's passages; another number makes the reading stage run again."""
SCHEMAS: Mapping[str, pa.Schema] = {
    "documents": DOCUMENTS,
    "pages": PAGES,
    "regions": REGIONS,
    "terms": TERMS,
    "anchors": ANCHORS,
}
INDEXES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "pages": (("search_text", "words"), ("document", "btree")),
    "regions": (("terms", "terms"), ("document", "btree"), ("id", "btree")),
    "anchors": (("document", "btree"), ("key", "btree")),
}


def vector_schema(dim: int) -> pa.Schema:
    """Return the columns of a table of text vectors (finding/passage_vectors.py)."""
    return pa.schema(
        [
            ("id", pa.string()),
            ("document", pa.string()),
            ("page", pa.int32()),
            ("kind", pa.string()),
            ("vector", pa.list_(pa.float32(), dim)),
            ("own", pa.list_(pa.float16(), dim)),
        ]
    )


def page_vector_schema(dim: int) -> pa.Schema:
    """Return the columns of a table of page vectors (picture_vectors.py)."""
    return pa.schema(
        [
            ("document", pa.string()),
            ("page", pa.int32()),
            ("count", pa.int32()),
            ("vectors", pa.list_(pa.list_(pa.float16(), dim))),
        ]
    )


def has_columns(table: str, schema: pa.Schema) -> bool:
    """Say whether a schema is what this release gives to a table."""
    if table in SCHEMAS:
        wanted = SCHEMAS[table]
        return {(f.name, f.type) for f in schema} == {(f.name, f.type) for f in wanted}
    wanted = page_vector_schema(1) if table.startswith(PAGE_VECTORS) else vector_schema(1)
    return set(schema.names) == set(wanted.names)


@dataclass(frozen=True)
class Source:
    """A file on disk that a document was read from."""

    path: str
    """Absolute."""
    name: str
    """Relative to the folder it was added from."""
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class StoredDocument:
    """A row of `documents`."""

    id: str
    added: int
    """Running number in the library: the order in which views list documents."""
    title: str
    pages: int
    sources: tuple[Source, ...]
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    outline: tuple[OutlineEntry, ...] = ()
    damaged_pages: tuple[int, ...] = ()
    scanned_pages: tuple[int, ...] = ()
    ocr_pages: tuple[int, ...] = ()
    """Scanned pages that OCR has been at."""
    ocr_by: str = ""
    """What read all of them: `ocr_engine.reader_id`; empty before."""
    passages: int = 0
    read_by: int = 0
    """`READ_BY` of what cut its regions; 0 before the reading stage, -1 to be cut again."""
    decrypted: bool = False
    """The library's copy was made, from another format or with a password: it has other bytes."""

    def show(self, name: str, labels: Iterable[str]) -> Document:
        """Return it as a view shows it."""
        return Document(
            id=self.id,
            name=name,
            source=self.sources[0].name,
            sources=tuple(dict.fromkeys(source.name for source in self.sources)),
            title=self.title,
            pages=self.pages,
            labels=frozenset(labels),
            metadata=dict(self.metadata),
            outline=self.outline,
            damaged_pages=self.damaged_pages,
            scanned_pages=self.scanned_pages,
            ocr_pages=self.ocr_pages,
        )


def document_rows(documents: Iterable[StoredDocument]) -> pa.Table:
    """Return rows of `documents`."""
    rows = [
        {
            "id": d.id,
            "added": d.added,
            "title": d.title,
            "pages": d.pages,
            "passages": d.passages,
            "read_by": d.read_by,
            "decrypted": d.decrypted,
            "sources": json.dumps([[s.path, s.name, s.size, s.mtime_ns] for s in d.sources]),
            "metadata": json.dumps(dict(d.metadata)),
            "outline": json.dumps([[e.level, e.title, e.page] for e in d.outline]),
            "damaged_pages": list(d.damaged_pages),
            "scanned_pages": list(d.scanned_pages),
            "ocr_pages": list(d.ocr_pages),
            "ocr_by": d.ocr_by,
        }
        for d in documents
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENTS)


def to_documents(rows: pa.Table) -> list[StoredDocument]:
    """Read rows of `documents`."""
    return [
        StoredDocument(
            id=row["id"],
            added=row["added"],
            title=row["title"],
            pages=row["pages"],
            sources=tuple(Source(*source) for source in json.loads(row["sources"])),
            metadata=json.loads(row["metadata"]),
            outline=tuple(OutlineEntry(*entry) for entry in json.loads(row["outline"])),
            damaged_pages=tuple(row["damaged_pages"]),
            scanned_pages=tuple(row["scanned_pages"]),
            ocr_pages=tuple(row["ocr_pages"]),
            ocr_by=row["ocr_by"],
            passages=row["passages"],
            read_by=row["read_by"],
            decrypted=row["decrypted"],
        )
        for row in rows.to_pylist()
    ]


def page_rows(document: str, title: str, text: DocumentText) -> pa.Table:
    """Return rows of `pages`; the title before each text lets a page be found by its document."""
    pages = text.pages
    prefix = f"{title}\n" if title else ""
    columns = {
        "document": [document] * len(pages),
        "page": [page.page for page in pages],
        "label": [page.label for page in pages],
        "search_text": [prefix + page.text if page.text else None for page in pages],
        "skip": [len(prefix)] * len(pages),
        "boxes": [np.ascontiguousarray(page.boxes, dtype=np.uint16).tobytes() for page in pages],
        "width_pt": [page.width_pt for page in pages],
        "height_pt": [page.height_pt for page in pages],
        "damaged": [page.damaged for page in pages],
        "areas": [_pack(np.array(page.areas) * 65535).tobytes() for page in pages],
        "ocr": [None if page.ocr is None else page.ocr.tobytes() for page in pages],
    }
    return pa.table(columns, schema=PAGES)


def to_page_texts(rows: pa.Table) -> list[PageText]:
    """Read rows of `pages`, in the order given."""
    return [
        PageText(
            page=row["page"],
            label=row["label"],
            width_pt=row["width_pt"],
            height_pt=row["height_pt"],
            text=(row["search_text"] or "")[row["skip"] :],
            boxes=np.frombuffer(row["boxes"], dtype=np.uint16).reshape(-1, 4),
            damaged=row["damaged"],
            areas=_to_boxes(row["areas"]),
            ocr=None if row["ocr"] is None else np.frombuffer(row["ocr"], dtype=np.bool_),
        )
        for row in rows.to_pylist()
    ]


def _pack(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    return values.round().clip(0, 65535).astype(np.uint16)


def _to_boxes(packed: bytes) -> tuple[Box, ...]:
    boxes = np.frombuffer(packed, dtype=np.uint16).reshape(-1, 4) / 65535.0
    return tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in boxes.tolist())


def to_page(document: str, name: str, text: PageText) -> Page:
    """Return the page with its words."""
    boxes: NDArray[np.float64] = text.boxes / 65535.0  # (n_words, 4)
    lines = [line.split(" ") for line in text.text.split("\n")] if text.text else []
    flat = [(word, i) for i, line in enumerate(lines) for word in line if word]
    read = [False] * len(flat) if text.ocr is None else text.ocr.tolist()
    words = tuple(
        Word(word, (box[0], box[1], box[2], box[3]), line, ocr)
        for (word, line), box, ocr in zip(flat, boxes.tolist(), read, strict=True)
    )
    return Page(
        document=document,
        ref=PageRef(name, text.page),
        label=text.label,
        text=text.text,
        words=words,
        width_pt=text.width_pt,
        height_pt=text.height_pt,
    )


def region_rows(regions: Sequence[Region], terms: Mapping[str, Sequence[str]]) -> pa.Table:
    """Return rows of `regions`.

    Args:
        regions: Of one document.
        terms: What `terms.tokens` says of each passage, by region id. Only passages have them, so
            only passages are indexed.
    """
    plain = ("id", "parent", "parent_kind", "document", "page", "order", "kind", "text", "section")
    columns: dict[str, list[Any]] = {name: [getattr(r, name) for r in regions] for name in plain}
    for i, name in enumerate(("x0", "y0", "x1", "y1")):
        columns[name] = [region.box[i] for region in regions]
    columns["search_text"] = [r.search_text if r.id in terms else None for r in regions]
    columns["terms"] = [" ".join(terms[r.id]) if r.id in terms else None for r in regions]
    columns["source"] = [region.source for region in regions]
    columns["cells"] = [region.cells or None for region in regions]
    return pa.table({name: columns[name] for name in REGIONS.names}, schema=REGIONS)


def to_regions(rows: pa.Table) -> list[Region]:
    """Read rows of `regions`, in the order given."""
    return [
        Region(
            id=row["id"],
            parent=row["parent"],
            document=row["document"],
            page=row["page"],
            order=row["order"],
            kind=cast(Kind, row["kind"]),  # written from a Region
            box=(row["x0"], row["y0"], row["x1"], row["y1"]),
            text=row["text"],
            search_text=row["search_text"] or row["text"],
            parent_kind=cast(Kind, row["parent_kind"]),
            section=row["section"],
            source=row["source"],
            cells=row["cells"] or "",
        )
        for row in rows.to_pylist()
    ]


def anchor_rows(anchors: Sequence[Anchor]) -> pa.Table:
    """Return rows of `anchors`."""
    columns: dict[str, list[Any]] = {
        name: [getattr(anchor, name) for anchor in anchors]
        for name in ("document", "page", "role", "key", "words")
    }
    for i, name in enumerate(("x0", "y0", "x1", "y1")):
        columns[name] = [anchor.box[i] for anchor in anchors]
    return pa.table(columns, schema=ANCHORS)


def to_anchors(rows: pa.Table) -> list[Anchor]:
    """Read rows of `anchors`, in the order given."""
    plain = [name for name in ANCHORS.names if name not in ("x0", "y0", "x1", "y1")]
    return [
        Anchor(**{n: row[n] for n in plain}, box=(row["x0"], row["y0"], row["x1"], row["y1"]))
        for row in rows.to_pylist()
    ]


def term_rows(document: str, terms: Collection[Sequence[str]]) -> pa.Table:
    """Return the row of `terms` of one document: in how many passages each word occurs."""
    counts = Counter(word for passage in terms for word in set(passage))
    row = {
        "document": document,
        "passages": len(terms),
        "total_length": sum(map(len, terms)),
        "words": list(counts),
        "counts": list(counts.values()),
    }
    return pa.Table.from_pylist([row], schema=TERMS)


def vector_rows(regions: pa.Table, vectors: PassageVectors) -> pa.Table:
    """Return rows of a vector table for passages given with their ids.

    Args:
        regions: Columns id, document, page, parent_kind.
        vectors: Of the same passages.
    """
    dim = vectors.whole.shape[1]
    whole = pa.array(np.ascontiguousarray(vectors.whole, dtype=np.float32).reshape(-1))
    own = pa.array(vectors.own.astype(np.float16).reshape(-1))
    columns = [
        regions["id"],
        regions["document"],
        regions["page"],
        regions["parent_kind"],
        pa.FixedSizeListArray.from_arrays(whole, dim),
        pa.FixedSizeListArray.from_arrays(own, dim),
    ]
    return pa.table(columns, schema=vector_schema(dim))
