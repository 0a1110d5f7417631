"""Keyword search with phrases, exclusions and regular expressions.

1. Plain words alone are ranked by the view's keyword search.
2. A phrase, an exclusion or a pattern is a condition on the text of whole pages: all pages in
   scope are scanned, and those that meet it are ranked by keyword search, then by how often they
   match.

Not covered: a phrase or pattern that runs over a page end.
"""

import re
import time
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pagehop.errors import ToolError
from pagehop.finding.corpus import CorpusView
from pagehop.finding.quotes import locate
from pagehop.types import FULL_PAGE, Box, Hit, Hits, Page, PageRef, Region

if TYPE_CHECKING:
    import regex

_TIMEOUT_S = 2.0
"""For one pattern over all pages: patterns come from a model and may backtrack without end."""
_CONTEXT_CHARS = 120
_RANKED = 200


@dataclass(frozen=True)
class Query:
    """What a keyword query asks for."""

    words: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is words alone."""
        return not (self.phrases or self.excluded or self.pattern)


def read_query(text: str) -> Query:
    """Split a query into words, "phrases", -exclusions and regex:pattern, which comes last.

    Raises:
        ToolError: A phrase is not closed, or nothing is asked for.
    """
    text, _, pattern = text.partition("regex:")
    if re.sub(r"\u201c|\u201d", '"', text).count('"') % 2:
        raise ToolError(f'a phrase is not closed: write "..." around it in {text.strip()!r}')
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    for match in re.finditer(r'(-?)["\u201c\u201d]([^"\u201c\u201d]*)["\u201c\u201d]|(\S+)', text):
        minus, phrase, word = match.groups()
        if phrase is not None and any(char.isalnum() for char in phrase):
            (excluded if minus else phrases).append(phrase)
        elif word and word.startswith("-") and word[1:2].isalpha():
            excluded.append(word[1:])
        elif word:
            words.append(word)
    query = Query(" ".join(words), tuple(phrases), tuple(excluded), pattern.strip())
    if not (query.words or query.phrases or query.pattern):
        raise ToolError("the query asks for nothing; give at least one word, phrase or regex:")
    return query


def find_words(
    view: CorpusView,
    text: str,
    *,
    k: int,
    documents: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
) -> Hits:
    """Find the pages that a keyword query asks for, best first.

    Raises:
        ToolError: The query or its pattern cannot be read, or takes too long.
        LibraryError: A named document is not visible.
    """
    query = read_query(text)
    ranking = " ".join((query.words, *query.phrases)).strip()
    if query.plain:
        return view.search(ranking, k=k, mode="keyword", documents=documents, kinds=kinds)
    ranked = Hits()
    if ranking:
        ranked = view.search(ranking, k=_RANKED, mode="keyword", documents=documents, kinds=kinds)
    by_page = {hit.ref: hit for hit in ranked}
    order = {ref: i for i, ref in enumerate(by_page)}
    # Words must be there, so a page that only a scan knows is none of theirs.
    only = set(by_page) if query.words and not query.phrases else None
    matches = _scan(view, query, documents, only)
    best = sorted(matches, key=lambda ref: (order.get(ref, len(order)), -matches[ref], ref))
    hits: list[Hit] = []
    for ref in best:
        hit = _hit(view, ref, query, by_page.get(ref), kinds, matches[ref])
        if hit is not None:
            hits.append(hit)
        if len(hits) == k:
            break
    return Hits(hits, embedded=ranked.embedded, note=ranked.note)


def _scan(
    view: CorpusView, query: Query, documents: Collection[str] | None, only: set[PageRef] | None
) -> dict[PageRef, int]:
    """Return the pages that meet the conditions, with how often they match."""
    pattern = _compiled(query.pattern) if query.pattern else None
    phrases = [_roughly(phrase) for phrase in query.phrases]
    found: dict[PageRef, int] = {}
    pattern_s = 0.0
    for ref, text in _texts(view, documents, only):
        count = 0
        if pattern is not None:
            started = time.perf_counter()
            count = _count(pattern, text, _TIMEOUT_S - pattern_s)
            pattern_s += time.perf_counter() - started
            if not count:
                continue
        if phrases:
            rough = _unbroken(text)
            counts = [sum(1 for _ in phrase.finditer(rough)) for phrase in phrases]
            if not all(counts):
                continue
            count += sum(counts)
        if not any(_holds(text, phrase) for phrase in query.excluded):
            found[ref] = count
    return found


def _texts(
    view: CorpusView, documents: Collection[str] | None, only: set[PageRef] | None
) -> Iterator[tuple[PageRef, str]]:
    chosen = view.documents() if documents is None else [view.document(n) for n in documents]
    for document in chosen:
        pages = None if only is None else [ref.page for ref in only if ref.name == document.name]
        if pages is None or pages:
            for page in view.snapshot.page_texts(document.id, pages):
                yield PageRef(document.name, page.page), page.text


def _unbroken(text: str) -> str:
    whole = text.replace("-\n", "").replace("\u00ad", "")
    return unicodedata.normalize("NFKC", whole).casefold()


def _roughly(phrase: str) -> re.Pattern[str]:
    """Match a phrase whatever stands between its words; `locate` judges the pages shown."""
    words = re.findall(r"[^\W_]+", _unbroken(phrase))
    return re.compile(r"(?<!\w)" + r"[\W_]{0,4}".join(map(re.escape, words)) + r"(?!\w)")


def _holds(text: str, phrase: str) -> bool:
    """Tell whether a page holds an excluded phrase as whole words."""
    spaced = r"\s+".join(map(re.escape, phrase.split()))
    return bool(re.search(rf"(?<!\w){spaced}(?!\w)", text, re.IGNORECASE))


def _compiled(pattern: str) -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415 - only patterns need it: it has a time limit, `re` has none

    try:
        return regex.compile(pattern, regex.IGNORECASE | regex.MULTILINE)
    except regex.error as error:
        raise ToolError(f"the pattern {pattern!r} cannot be read: {error}; mend it") from error


def _count(pattern: "regex.Pattern[str]", text: str, seconds_left: float) -> int:
    try:
        matches = pattern.finditer(text, timeout=max(seconds_left, 0.001))
        return sum(1 for match in matches if match.group())
    except TimeoutError as error:
        raise ToolError(
            f"the pattern {pattern.pattern!r} takes too long; write it without nested repeats"
        ) from error


def _hit(
    view: CorpusView,
    ref: PageRef,
    query: Query,
    ranked: Hit | None,
    kinds: Collection[str] | None,
    count: int,
) -> Hit | None:
    """Make a hit that shows the place of the first phrase or match; None when it cuts a word."""
    page = view.page(ref)
    place = _place(page, query)
    if place is None:
        return None
    text, box = place
    regions = [r for r in view.regions(ref) if r.kind not in ("passage", "page")]
    region = max(regions, key=lambda r: _overlap(r.box, box), default=None)
    if kinds is not None and (region is None or region.kind not in kinds):
        return None
    if ranked is not None and not (query.phrases or query.pattern):
        return ranked
    passage = _passage(view, ref, region.id, query) if region else None
    hit = Hit(
        document=view.document(ref.name).source,
        name=ref.name,
        page=ref.page,
        box=box,
        kind=region.kind if region else "page",
        text=passage.text if passage else text,
        score=ranked.score if ranked else 0.0,
        found_by=("keyword",),
        scores={"matches": float(count)},
        region=passage.id if passage else region.id if region else "",
        section=region.section if region else "",
        source=region.source if region else "text",
        pictures=view,
    )
    return hit if ranked is None else replace(hit, scores={**ranked.scores, **hit.scores})


def _passage(view: CorpusView, ref: PageRef, region: str, query: Query) -> Region | None:
    """Return the passage of a region that holds the first phrase whole; None when none does."""
    if not query.phrases:
        return None
    phrase = _roughly(query.phrases[0])
    passages = (r for r in view.regions(ref, kinds=("passage",)) if r.parent == region)
    return next((one for one in passages if phrase.search(_unbroken(one.text))), None)


def _place(page: Page, query: Query) -> tuple[str, Box] | None:
    for phrase in query.phrases:
        located = locate(page, phrase)
        if located is None or located.score < 1:
            return None
    if query.phrases:
        located = locate(page, query.phrases[0])
        assert located is not None
        return _around(page.text, located.text), located.box
    if query.pattern:
        match = next(m for m in _compiled(query.pattern).finditer(page.text) if m.group())
        words = page.text[: match.start()].split()
        first = len(words) - (1 if page.text[: match.start()][-1:].strip() else 0)
        last = len(page.text[: match.end()].split())
        boxes = [word.box for word in page.words[first:last]]
        box = (
            min(b[0] for b in boxes), min(b[1] for b in boxes),
            max(b[2] for b in boxes), max(b[3] for b in boxes),
        )  # fmt: skip
        return _around(page.text, match.group(), match.start()), box
    return _around(page.text, "", 0), FULL_PAGE


def _around(text: str, match: str, at: int = -1) -> str:
    """Return a match with some words before and after it."""
    at = text.find(match) if at < 0 else at
    if at < 0:
        return match
    start, end = max(at - _CONTEXT_CHARS, 0), min(at + len(match) + _CONTEXT_CHARS, len(text))
    piece = text[start:end]
    if start:
        piece = piece.partition(" ")[2] if " " in piece[: at - start] else piece
    if end < len(text) and " " in text[at + len(match) : end]:
        piece = piece.rpartition(" ")[0]
    return piece


def _overlap(outer: Box, inner: Box) -> float:
    width = min(outer[2], inner[2]) - max(outer[0], inner[0])
    height = min(outer[3], inner[3]) - max(outer[1], inner[1])
    return max(width, 0.0) * max(height, 0.0)
