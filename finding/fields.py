"""The fields of a view's documents: what each says of itself, with the place that says so.

A table of document, field, value, unit, page, box and extractor, filled when documents are read
(`reading/fields.py`); `filters.py` compares its values, tools cite its places.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pagehop.finding.corpus import CorpusView
from pagehop.reading.anchors import Anchor
from pagehop.types import Box, PageRef

_NUMBER = re.compile(
    r"(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: (?P<unit>%|[A-Z]{3}|[a-z]{1,12}))?"
)
_YEAR = re.compile(r"((?:19|20)\d\d)-\d\d-\d\d")
DATES = ("period end", "date")
"""Fields whose year is the document's, where its name and title have none."""


@dataclass(frozen=True)
class Field:
    """A value that a document gives for a field."""

    document: str
    """Document id."""
    field: str
    value: str | float
    unit: str
    """Empty when there is none."""
    ref: PageRef
    box: Box
    words: str
    """The page's words."""
    extractor: str

    @property
    def shown(self) -> str:
        """The value with its unit."""
        value = f"{self.value:,.10g}" if isinstance(self.value, float) else self.value
        return f"{value} {self.unit}".strip()


class FieldTable:
    """The fields of one view, by document and name."""

    def __init__(self, view: CorpusView, hidden: Collection[PageRef] = ()) -> None:
        """Read them; those of documents outside the view, and of hidden pages, are left out."""
        self._values: dict[tuple[str, str], list[Field]] = {}
        names = view.names
        for anchor in view.snapshot.stated():
            if anchor.document in names:
                field = _read(anchor, names)
                if field.ref in hidden:
                    continue
                self._values.setdefault((field.document, field.field), []).append(field)
        holders = Counter(field for _, field in self._values)
        self.names: tuple[str, ...] = tuple(
            name for name, _ in sorted(holders.items(), key=lambda item: (-item[1], item[0]))
        )
        """All names, those of most documents first."""

    def of(self, document_id: str, field: str) -> tuple[Field, ...]:
        """Return the values that a document gives for a field, in page order."""
        return tuple(self._values.get((document_id, field), ()))

    def years(self, document_id: str) -> Mapping[int, Field]:
        """Return the years of a document's period, or of its date."""
        for name in DATES:
            found = {
                int(match[1]): field
                for field in self.of(document_id, name)
                if (match := _YEAR.fullmatch(str(field.value)))
            }
            if found:
                return found
        return {}


def places(fields: Iterable[Field]) -> list[dict[str, object]]:
    """Return where fields stand, as references for an artifact."""
    return [
        {
            "ref": str(field.ref),
            "box": [round(edge, 5) for edge in field.box],
            "field": field.field,
            "value": field.shown,
            "words": field.words,
        }
        for field in fields
    ]


def _read(anchor: Anchor, names: Mapping[str, str]) -> Field:
    extractor, _, name = anchor.key.removeprefix("field:").partition(":")
    text, _, words = anchor.words.partition("\n")
    match = _NUMBER.fullmatch(text)
    value: str | float = float(match["number"]) if match else text
    unit = (match["unit"] or "") if match else ""
    ref = PageRef(names[anchor.document], anchor.page)
    return Field(anchor.document, name, value, unit, ref, anchor.box, words, extractor)
