"""Where documents say what they are counted for: a place each, found when a question is asked.

`filter_documents` knows what documents say of themselves in labelled values. Three questions need
less than that: all documents, which are cited by their first line; those of a year, which a file
name, a title or the front pages tell; those that mention something, by the line that does. Things
that one document numbers, and which of two documents appeared first, are found in the same way.

Not covered: a year that only the running text tells, and a mention that runs over a line's end.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pagehop.finding.filters import years_of
from pagehop.finding.periods import find_years
from pagehop.rules.dating import publication_year
from pagehop.rules.tally import ALL, Tally
from pagehop.rules.vocabulary import DOCUMENT_WORDS, FUNCTION_WORDS
from pagehop.rules.words import stem, stems
from pagehop.types import Document, PageRef

if TYPE_CHECKING:
    from pagehop.library.view import View

MOST_READ = 300
"""Documents of which pages are read for one question."""
_FRONT = 2
"""Pages that may say when a document appeared."""
_FIRST = 5
"""Pages among which the first one with words is looked for."""
_KINDS = frozenset(map(stem, DOCUMENT_WORDS | FUNCTION_WORDS))
_LONGEST = 20
"""Words of a first line that are quoted."""


@dataclass(frozen=True)
class Place:
    """Words of a document on one of its pages."""

    ref: PageRef
    words: str


def find_places(view: "View", tally: Tally) -> dict[str, Place | None] | None:
    """Return the documents that a tally holds for, each with its place; None where it is no such.

    A document without any words has no place.
    """
    documents = view.documents()
    if len(documents) > MOST_READ:
        return None
    if tally.mention:
        return _mentioning(view, documents, tally.mention)
    if tally.year:
        return _of_year(view, documents, tally.year)
    if tally.predicate == ALL:
        return {document.name: first_line(view, document) for document in documents}
    return None


def in_order(view: "View", sides: Sequence[str], *, later: bool) -> dict[str, Place | None] | None:
    """Return two documents by when they appeared, the one asked for first, each with its place.

    None where a side is no single document by its name or title, or its year is not told.
    """
    found: list[tuple[int, str, Place]] = []
    for side in sides:
        names = called(view, stems(side))
        dated = _dated(view, view.document(names[0])) if len(names) == 1 else None
        if dated is None:
            return None
        found.append((dated[0], names[0], dated[1]))
    if len({name for _, name, _ in found}) < len(found):
        return None
    found.sort(key=lambda item: -item[0] if later else item[0])
    return {name: place for _, name, place in found}


def called(view: "View", asked: Iterable[str]) -> tuple[str, ...]:
    """Documents whose name or title says most of some stems, and at least one that tells."""
    wanted = set(asked) - _KINDS
    shared = {d.name: len(wanted & set(stems(f"{d.name} {d.title}"))) for d in view.documents()}
    most = max(shared.values(), default=0)
    return tuple(name for name, count in shared.items() if most and count == most)


def _dated(view: "View", document: Document) -> tuple[int, Place] | None:
    """The year of a document, and the words of one of its pages that give it."""
    refs = [PageRef(document.name, n) for n in range(1, min(_FRONT, document.pages) + 1)]
    told = publication_year((ref.page, view.page(ref).text) for ref in refs)
    if told is not None:
        return told.year, Place(PageRef(document.name, told.page), told.words)
    for year, field in view.fields.years(document.id).items():
        return year, Place(field.ref, field.words)
    for ref in refs:
        for line in _lines(view, ref):
            if len(line.split()) <= _LONGEST and (years := find_years(line)):
                return years[0], Place(ref, line)
    return None


def numbered_things(view: "View", name: str, thing: str) -> dict[str, Place | None]:
    """Return the things of a document that it numbers from 1 on, each by the line that begins so.

    Empty where its numbers do not run from 1 without a gap, or there is only one.
    """
    begins = re.compile(
        rf"^\W*(?:\d+(?:\.\d+)*\.?\s+)?{re.escape(thing)}\s+(?P<number>\d{{1,3}})(?![\w.,]*\d)",
        re.IGNORECASE,
    )
    found: dict[int, Place] = {}
    for number in range(1, min(view.document(name).pages, MOST_READ) + 1):
        ref = PageRef(name, number)
        for line in _lines(view, ref):
            match = begins.match(line)
            if match is not None:
                found.setdefault(int(match["number"]), Place(ref, line))
    whole = len(found) > 1 and sorted(found) == [*range(1, len(found) + 1)]
    return {str(n): found[n] for n in sorted(found)} if whole else {}


def first_line(view: "View", document: Document) -> Place | None:
    """The first line with words of a document, by which it is cited."""
    for number in range(1, min(_FIRST, document.pages) + 1):
        ref = PageRef(document.name, number)
        for line in view.page(ref).text.split("\n"):
            words = line.split()
            if sum(c.isalpha() for c in line) > 3:
                return Place(ref, " ".join(words[:_LONGEST]))
    return None


def _of_year(view: "View", documents: Sequence[Document], year: int) -> dict[str, Place | None]:
    found: dict[str, Place | None] = {}
    for document in documents:
        name = document.name
        refs = [PageRef(name, n) for n in range(1, min(_FRONT, document.pages) + 1)]
        named = years_of(document)
        if named:
            if year in named:
                lines = (Place(ref, line) for ref in refs for line in _lines(view, ref))
                said = next((place for place in lines if str(year) in place.words), None)
                found[name] = said or first_line(view, document)
            continue
        dated = publication_year((ref.page, view.page(ref).text) for ref in refs)
        if dated is not None:
            if dated.year == year:
                found[name] = Place(PageRef(name, dated.page), dated.words)
            continue
        stated = view.fields.years(document.id).get(year)
        if stated is not None:
            found[name] = Place(stated.ref, stated.words)
    return found


def _mentioning(
    view: "View", documents: Sequence[Document], what: str
) -> dict[str, Place | None] | None:
    """Documents with a line that holds the words, in the singular or the plural."""
    words = re.findall(r"\w+", what)
    if not words:
        return None
    joined = r"[\s\W]+".join(map(re.escape, words))
    pattern = re.compile(rf"\b{joined}(?:e?s|['\u2019]s)?\b", re.IGNORECASE)
    found: dict[str, Place | None] = {}
    for document in documents:
        hits = view.search(what, k=_FIRST, mode="keyword", documents=[document.name])
        for ref in sorted({hit.ref for hit in hits}, key=lambda ref: ref.page):
            line = _line_with(pattern, _lines(view, ref))
            if line:
                found[document.name] = Place(ref, line)
                break
    return found


def _line_with(pattern: re.Pattern[str], lines: Sequence[str]) -> str:
    for line in lines:
        if pattern.search(line):
            return line
    return next((f"{a} {b}" for a, b in pairwise(lines) if pattern.search(f"{a} {b}")), "")


def _lines(view: "View", ref: PageRef) -> list[str]:
    return [" ".join(line.split()) for line in view.page(ref).text.split("\n") if line.strip()]
