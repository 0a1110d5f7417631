"""Where the built-in roles read: pages cut into units, rankings and solutions, each computed once.

A desk belongs to one run's roles. It holds nothing that is not a function of the view, the question
and what the tools found, so a run that is resumed with a fresh desk goes on the same way.
"""

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import LibraryError
from pagehop.finding.periods import find_years
from pagehop.rules.extract import ReadPage, Scored, rank_units, read_units
from pagehop.rules.figures import Figures, dated, row_figures, sentence_figures
from pagehop.rules.question import Question, read_question
from pagehop.rules.scope import Scope, read_profiles, read_scope
from pagehop.types import Mode, Page, PageRef

if TYPE_CHECKING:
    from PIL.Image import Image

    from pagehop.agents.moves import Context
    from pagehop.library.view import View

LOCAL_DOCUMENTS = 8
"""Most documents within which rarity is counted of their own."""
_RANKED = 50
SCANNED_PAGES = 60
"""Longest document, in pages, that is looked through for pages without text."""
_THUMBNAIL = 20_000
_CONTRAST = 64
"""Least difference of grey on a page with something on it."""
MAX_PAGES = 10
"""Candidate pages of one sub-question that are cut into units."""


class Desk:
    """What the roles of one run have read so far."""

    def __init__(self) -> None:
        """Start empty; the first context brings the view and the question."""
        self._lock = threading.RLock()
        self._view: View | None = None
        self._question: Question | None = None
        self._scope: Scope | None = None
        self._pages: dict[PageRef, Page] = {}
        self._read: dict[PageRef, ReadPage] = {}
        self._lines: dict[PageRef, list[Figures]] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._rankings: dict[object, list[Scored]] = {}
        self._weights: dict[tuple[str, ...], Callable[[str], float]] = {}

    def open(self, context: "Context") -> Question:
        """Take up the question of a context; forget everything when it is another one."""
        with self._lock:
            question = read_question(context.question)
            if context.view is not self._view or question != self._question:
                self.__init__()  # type: ignore[misc]
                self._view, self._question = context.view, question
            return question

    @property
    def view(self) -> "View":
        """The view of the run."""
        assert self._view is not None
        return self._view

    @property
    def scope(self) -> Scope:
        """The documents that the run's question is about."""
        with self._lock:
            if self._scope is None:
                assert self._question is not None
                profiles = read_profiles(self.view, self._question)
                self._scope = read_scope(self.view, self._question, profiles)
            return self._scope

    def weights(self, documents: Sequence[str] = ()) -> Callable[[str], float]:
        """Rarity of stems, above 0: within the documents when they are few, else in the view.

        Within one document its own subject is on every page and says nothing.
        """
        visible = [document.name for document in self.view.documents()]
        names = tuple(documents) or tuple(visible)
        counted = names if len(names) <= LOCAL_DOCUMENTS else ()
        with self._lock:
            if counted not in self._weights:
                self._weights[counted] = self.view.rarity(counted or None)
            return self._weights[counted]

    def page(self, ref: PageRef) -> Page:
        """Return a page, read once."""
        with self._lock:
            if ref not in self._pages:
                self._pages[ref] = self.view.page(ref)
            return self._pages[ref]

    def read(self, ref: PageRef) -> ReadPage:
        """Return a page cut into sentences and rows."""
        with self._lock:
            if ref not in self._read:
                self._read[ref] = read_units(self.page(ref), self.view.regions(ref))
            return self._read[ref]

    def lines(self, ref: PageRef) -> list[Figures]:
        """Return a page's rows and number-bearing sentences, prepared for matching."""
        with self._lock:
            if ref not in self._lines:
                read = self.read(ref)
                figures = row_figures(read.rows) + sentence_figures(read.sentences)
                own = find_years(f"{ref.name} {self.view.document(ref.name).title}")
                self._lines[ref] = [dated(item, own) for item in figures]
            return self._lines[ref]

    def stems(self, ref: PageRef) -> frozenset[str]:
        """Return the stems of a page."""
        return self.read(ref).stems

    def has_scan(self, name: str) -> bool:
        """Whether a short document has a page without text that is not blank either."""
        if self.view.document(name).pages > SCANNED_PAGES:
            return False
        empty = [page.ref for page in self.view.pages(name) if not page.words]
        try:
            return any(_is_printed(self.view.crop(ref, max_pixels=_THUMBNAIL)) for ref in empty)
        except LibraryError:
            return False  # the file is gone: whether its empty pages show anything is unknown

    def rank(self, text: str, found: Collection[PageRef], scope: Sequence[str]) -> list[Scored]:
        """Rank sentences and rows of the pages found, best page first.

        Args:
            text: The sub-question.
            found: Pages that searches or walks named, best first; the first `MAX_PAGES` are read.
            scope: Documents of the sub-question; empty for all.
        """
        refs = tuple(found)[:MAX_PAGES]
        key = (text, refs)
        with self._lock:
            if key not in self._rankings:
                self._rankings[key] = self._rank(text, refs, scope)
            return self._rankings[key]

    def _rank(self, text: str, refs: Sequence[PageRef], scope: Sequence[str]) -> list[Scored]:
        encoder = self.view.encoder
        question = read_question(text)
        # What a bridge brought says where to look; the answer is about the rest of the question.
        assert self._question is not None
        brought = question.name_stems - self._question.name_stems
        asked = re.sub(r"\([^()]*\)", "", text) if brought else text
        vector = None if encoder is None else encoder.encode_query(asked)
        return rank_units(
            question,
            {ref: self.read(ref) for ref in refs},
            self._search_scores(text, refs, scope),
            self.weights(scope),
            None if encoder is None else self.encode,
            vector,
            self.scope.settled(question) | brought,
        )

    def _search_scores(
        self, text: str, refs: Sequence[PageRef], scope: Sequence[str]
    ) -> Mapping[PageRef, float]:
        """Fused score plus cosine of each page's best passage; the lowest seen where unknown."""
        if not refs:
            return {}
        names = list(scope) or list(dict.fromkeys(ref.name for ref in refs))
        scores = dict.fromkeys(refs, 0.0)
        modes: tuple[Mode, ...] = (
            ("hybrid",) if self.view.encoder is None else ("hybrid", "semantic")
        )
        for mode in modes:
            hits = self.view.search(text, k=_RANKED, mode=mode, documents=names)
            found = {hit.ref: hit.score for hit in hits}
            lowest = min(found.values(), default=0.0)
            for ref in refs:
                scores[ref] += found.get(ref, lowest)
        return scores

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, dim) float32 unit vectors, each text encoded once."""
        encoder = self.view.encoder
        assert encoder is not None
        missing = [t for t in dict.fromkeys(texts) if t not in self._vectors]
        if missing:
            for text, vector in zip(missing, encoder.encode(missing), strict=True):
                self._vectors[text] = vector
        return (
            np.stack([self._vectors[t] for t in texts]) if texts else np.zeros((0, 1), np.float32)
        )


def _is_printed(picture: "Image") -> bool:
    """Whether a page shows more than one even colour."""
    greys = [grey for grey, count in enumerate(picture.convert("L").histogram()) if count]
    return greys[-1] - greys[0] > _CONTRAST
