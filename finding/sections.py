"""Sections of a document: its outline, or the headings that were read on its pages."""

import re
from collections.abc import Callable, Iterator

from pagehop.finding.corpus import CorpusView
from pagehop.types import Document, OutlineEntry

_LARGEST = 40
"""Pages; a larger section (`Part II`) says little of how its pages belong together."""


_FILE = re.compile(
    r"\S\.(?:pdf|docx?|xlsx?|html?|txt|csv|jpe?g|png|eps)\b|[\\/]\S+[\\/]", re.IGNORECASE
)
_PERIOD = frozenset(
    """three six nine twelve year years quarter quarters month months week weeks fiscal ended ending
    as of at the for and in january february march april may june july august september october
    november december thousands millions billions unaudited""".split()
)


def is_label(text: str) -> bool:
    """Tell whether a heading names a section: no formula, file name, period or row of numbers."""
    solid = re.sub(r"\s", "", text)
    letters = sum(char.isalpha() for char in solid)
    if letters < 3 or letters < 0.6 * len(solid) or _FILE.search(text):
        return False
    return bool(re.search(r"[^\W\d_]{3}", text)) and not (
        set(re.findall(r"[^\W\d_]+", text.casefold())) <= _PERIOD
    )


def headings(view: CorpusView, name: str) -> list[OutlineEntry]:
    """Return the headings of a document as an outline, each once, where it first stands.

    Raises:
        LibraryError: No visible document has that name.
    """
    document = view.document(name)
    entries: dict[str, OutlineEntry] = {}
    for region in view.snapshot.regions(document.id, kinds=("title", "heading")):
        level = region.section.count(" > ") + 1
        title = " ".join(region.text.split())
        if not is_label(title):
            continue
        entries.setdefault(title.casefold(), OutlineEntry(level, title, region.page))
    return list(entries.values())


def read_sections(view: CorpusView, document: Document) -> dict[int, dict[str, list[int]]]:
    """Return, for each page, the pages of each innermost section on it, by the section's path."""
    spans: dict[str, set[int]] = {}
    innermost: dict[int, set[str]] = {}
    placed = _outlined(document) if document.outline else _headed(view, document)
    for page, section in placed:
        innermost.setdefault(page, set()).add(section)
        path = section
        while path:
            spans.setdefault(path, set()).add(page)
            path = path.rpartition(" > ")[0]
    widen = _widened(spans)
    return {
        page: {path: sorted(spans[path]) for path in sorted(set(map(widen, sections))) if path}
        for page, sections in innermost.items()
    }


def _outlined(document: Document) -> Iterator[tuple[int, str]]:
    """Yield each page with the path of an innermost section of the outline."""
    entries = sorted(document.outline, key=lambda entry: entry.page)
    above: list[tuple[int, str]] = []
    for i, entry in enumerate(entries):
        after = entries[i + 1].page if i + 1 < len(entries) else document.pages
        above = [(level, title) for level, title in above if level < entry.level]
        above.append((entry.level, entry.title.replace(" > ", " / ")))
        path = " > ".join(title for _, title in above)
        # The next section may start in the middle of a page that this one ends on.
        for page in range(entry.page, after + 1):
            yield page, path


def _headed(view: CorpusView, document: Document) -> Iterator[tuple[int, str]]:
    """Yield each page with the section of its regions, as the headings above them say."""
    for region in view.snapshot.regions(document.id):
        if region.kind not in ("passage", "heading", "title", "header", "footer"):
            yield region.page, region.section


def _widened(spans: dict[str, set[int]]) -> Callable[[str], str]:
    """Return the innermost section above a path, itself included, that has several pages."""

    def widen(path: str) -> str:
        while path and len(spans[path]) < 2:
            path = path.rpartition(" > ")[0]
        return path if path and len(spans[path]) <= _LARGEST else ""

    return widen
