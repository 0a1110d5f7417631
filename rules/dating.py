"""The year a document is from, by what its front pages say of their publication.

1. A line that says published, issued, accepted, ratified or the like, or version, volume, edition,
   gives its latest year; one of a copyright only where no such line stands.
2. Long lines, and lines whose word stands far from their beginning, are running text, which tells
   of other things; a line's own years count only when they stand near its word.

Not covered: a date without any such word, which may be of anything that the document tells.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_YEAR = r"(?<![\d.,/-])(?:19|20)\d\d(?!\d|[.,/]\d)"
_PUBLISHED = re.compile(
    r"\b(?:publi(?:shed|cation)|issued?|accepted|released?|ratified|adopted|approved|revised|"
    r"revision|edition|version|volume|vol\.|proceedings|press release)(?!\w)",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(r"(?:\bcopyright\b|\u00a9|\(c\)(?=\s*(?:19|20)\d\d))", re.IGNORECASE)
_LONGEST, _FIRST = 12, 5
"""Words of a line that may say when a document appeared, and among which its word stands."""
_NEAR = 60
"""Characters between the word and its year."""


@dataclass(frozen=True)
class Dated:
    """A year, and the words that give it."""

    year: int
    words: str
    """A line of the page."""
    page: int


def publication_year(pages: Iterable[tuple[int, str]]) -> Dated | None:
    """Return when a document appeared, by its front pages; None where they do not say.

    Args:
        pages: Page numbers and texts of the first pages, in order.
    """
    found: list[tuple[int, Dated]] = []
    for page, text in pages:
        for line in text.split("\n"):
            if len(line.split()) > _LONGEST:
                continue
            for rank, pattern in enumerate((_PUBLISHED, _COPYRIGHT)):
                years = _years_near(line, pattern)
                if years:
                    found.append((rank, Dated(max(years), " ".join(line.split()), page)))
                    break
    if not found:
        return None
    strongest = min(rank for rank, _ in found)
    same = [dated for rank, dated in found if rank == strongest]
    first = [dated for dated in same if dated.page == same[0].page]
    return max(first, key=lambda dated: dated.year)


def _years_near(line: str, word: re.Pattern[str]) -> list[int]:
    """Years of a line that stand near such a word."""
    places = [
        match.span() for match in word.finditer(line) if len(line[: match.start()].split()) < _FIRST
    ]
    return [
        int(year.group())
        for year in re.finditer(_YEAR, line)
        if any(a - _NEAR <= year.start() <= b + _NEAR for a, b in places)
    ]
