"""Search candidates from documents that are not read into passages yet: the best lines of a page.

The text stage makes pages searchable at once; passages follow. Until then a page that holds the
query's words stands in a search as if the lines that hold most of them were a passage.
"""

from collections.abc import Collection

from pagehop.finding.corpus import Corpus
from pagehop.finding.terms import tokens
from pagehop.types import Box, Page, Region, Word

WINDOW_WORDS = 120


def find_unread(
    snapshot: Corpus,
    terms: Collection[str],
    documents: Collection[str],
    *,
    pages: Collection[int] | None,
    limit: int,
) -> list[Region]:
    """Return the best lines of the pages that hold any of the terms, by document.

    Args:
        snapshot: What is searched.
        terms: As `terms.tokens` gives them.
        documents: Ids of documents without passages.
        pages: Page numbers; None for all.
        limit: Most pages of each partition.
    """
    matches = snapshot.match_pages(terms, limit=limit, documents=documents, pages=pages)
    numbers: dict[str, list[int]] = {}
    for match in matches:
        numbers.setdefault(match.document, []).append(match.page)
    found = [page for id, wanted in numbers.items() for page in snapshot.pages(id, wanted)]
    return [_best_lines(page, set(terms)) for page in found if page.words]


def _best_lines(page: Page, terms: set[str]) -> Region:
    """Return the lines, together at most `WINDOW_WORDS` words, that hold most of the terms."""
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        lines.setdefault(word.line, []).append(word)
    rows = list(lines.values())
    held = [terms.intersection(tokens(" ".join(word.text for word in row))) for row in rows]
    best, chosen = -1, rows[:1]
    first = n_words = 0
    for last, row in enumerate(rows):
        n_words += len(row)
        while n_words > WINDOW_WORDS and first < last:
            n_words -= len(rows[first])
            first += 1
        score = len(set().union(*held[first : last + 1]))
        if score > best:
            best, chosen = score, rows[first : last + 1]
    text = "\n".join(" ".join(word.text for word in row) for row in chosen)
    return Region(
        id=f"{page.document[:16]}-{page.ref.page}-page",
        parent="",
        document=page.document,
        page=page.ref.page,
        order=0,
        kind="page",
        box=_union([word.box for row in chosen for word in row]),
        text=text,
        search_text=text,
        source=page.source,
    )


def _union(boxes: list[Box]) -> Box:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
