"""The page graph of a view: typed edges between pages, found when they are walked.

1. `next`, `previous`: the neighbours in the file.
2. `section`: pages of the same innermost section, by the outline, else by headings.
3. `refers_to`: internal links, and references (`see Note 8`) joined to where the thing is
   defined; both are stored as anchors of one document and joined here, inside the view.
4. `continues`: the page on which a paragraph or table that breaks off goes on, and back.
5. `similar`: the pages of the view whose passages are nearest to the page's own.

`walk` is a beam search: the score of a path is the product of its weights, times the similarity
of its end to the query when one is given. Nothing is stored as an edge, so what is outside the
view cannot matter.

Not covered: `cites`, `mentions` and `duplicate` have no edges yet.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ConfigError
from pagehop.library.references import References
from pagehop.library.sections import read_sections
from pagehop.library.terms import tokens
from pagehop.types import Document, Edge, PageRef, Path, Relation

if TYPE_CHECKING:
    from pagehop.library.view import View
    from pagehop.reading.anchors import Anchor

RELATIONS: tuple[Relation, ...] = (
    "refers_to", "continues", "next", "previous", "section", "similar",
)  # fmt: skip
"""Relations that have edges, in the order that breaks ties."""
MAX_HOPS = 3
_LATER: tuple[Relation, ...] = ("cites", "mentions", "duplicate")
_NEIGHBOUR_WEIGHT = 0.7
_CONTINUES_WEIGHT = 0.95
_SECTION_WEIGHT = 0.6
_SCAN_LIMIT = 200_000
"""Passages up to which similar pages are found by an exact scan in memory."""
_SNIPPET = 90


def walk(
    view: "View",
    ref: PageRef,
    *,
    relations: Collection[Relation] | None = None,
    query: str | None = None,
    hops: int = 1,
    width: int = 5,
) -> list[Path]:
    """Follow the page graph from a page, best paths first, one path a page reached.

    Args:
        view: The pages that exist.
        ref: Start page.
        relations: Edge types to follow; None follows all that have edges.
        query: Paths that end on pages near it come first.
        hops: Most edges of a path, 1 to 3.
        width: Paths kept after each hop.

    Raises:
        LibraryError: There is no such document or page in this view.
        ConfigError: An unknown relation, or one that has no edges yet; hops or width too large.
    """
    chosen = _checked_relations(relations)
    if not 1 <= hops <= MAX_HOPS:
        raise ConfigError(f"hops is {hops}; allowed are 1 to {MAX_HOPS}")
    if not 1 <= width <= 50:
        raise ConfigError(f"width is {width}; allowed are 1 to 50")
    view.page(ref)
    start = PageRef(view.document(ref.name).name, ref.page)
    graph = PageGraph(view, width)
    relevance = graph.relevance(query) if query else None
    best: dict[PageRef, Path] = {}
    # The weights alone go on to the next hop: the query judges where a path ends, not its stations.
    frontier: list[tuple[Path, float]] = [(Path((), 1.0), 1.0)]
    for _ in range(hops):
        reached: dict[PageRef, tuple[Path, float]] = {}
        for path, product in frontier:
            here = path.end if path.edges else start
            seen = {start, *(edge.target for edge in path.edges)}
            for edge in graph.edges(here, chosen):
                if edge.target in seen or edge.target in best:
                    continue
                weight = product * edge.weight
                score = weight * (relevance(edge.target) if relevance else 1.0)
                longer = Path((*path.edges, edge), round(score, 6))
                if edge.target not in reached or _rank(longer) < _rank(reached[edge.target][0]):
                    reached[edge.target] = (longer, weight)
        frontier = sorted(reached.values(), key=lambda item: _rank(item[0]))[:width]
        best.update({path.end: path for path, _ in frontier})
    return sorted(best.values(), key=_rank)


def degradations(view: "View", relations: Collection[Relation] | None, query: str) -> str:
    """Say what a walk cannot do in this view as it is; empty when nothing."""
    notes = []
    missing = 1 - view.snapshot.embedded()
    if missing > 0 and (not relations or "similar" in relations):
        notes.append(f"{missing:.0%} of the passages have no vector yet, so similar lacks pages")
    if query and missing > 0:
        notes.append("pages without a vector were compared with the query by their words")
    if query and view.encoder is None:
        notes.append("no encoder is there, so the query was compared by its words only")
    return "; ".join(notes)


def _checked_relations(relations: Collection[Relation] | None) -> tuple[Relation, ...]:
    for relation in relations or ():
        if relation in _LATER:
            raise ConfigError(
                f"relation {relation!r} has no edges in this version; use {', '.join(RELATIONS)}"
            )
        if relation not in RELATIONS:
            raise ConfigError(f"unknown relation {relation!r}; use {', '.join(RELATIONS)}")
    return tuple(r for r in RELATIONS if r in relations) if relations else RELATIONS


def _rank(path: Path) -> tuple[float, int, tuple[tuple[PageRef, int], ...]]:
    steps = tuple((edge.target, RELATIONS.index(edge.relation)) for edge in path.edges)
    return (-path.score, len(steps), steps)


class PageGraph:
    """The edges of one view; keeps what it read for the length of one walk."""

    def __init__(self, view: "View", width: int) -> None:
        """Keep at most `width` edges of one relation from one page."""
        self._view = view
        self._width = width
        self._anchors: dict[str, list[Anchor]] = {}
        self._references: dict[str, References] = {}
        self._sections: dict[str, dict[int, dict[str, list[int]]]] = {}
        self._finders: dict[Relation, Callable[[PageRef, Document], Iterable[Edge]]] = {
            "refers_to": self._refers_to,
            "continues": self._continues,
            "next": self._next,
            "previous": self._previous,
            "section": self._section,
            "similar": self._similar,
        }

    def edges(self, ref: PageRef, relations: Iterable[Relation]) -> list[Edge]:
        """Return the edges that leave a page, the best of each relation."""
        document = self._view.document(ref.name)
        chosen = tuple(relations)
        # Several relations share the beam, so that none of them fills it alone.
        most = self._width if len(chosen) == 1 else (self._width + 1) // 2
        found: list[Edge] = []
        for relation in chosen:
            edges: dict[PageRef, Edge] = {}
            for edge in self._finders[relation](ref, document):
                known = edges.get(edge.target)
                # Of several reasons for one edge, the wordier tells more.
                if edge.target != ref and (known is None or _reason(known) < _reason(edge)):
                    edges[edge.target] = edge
            found += sorted(edges.values(), key=lambda e: (-e.weight, e.target))[:most]
        return found

    def relevance(self, query: str) -> Callable[[PageRef], float]:
        """Return how near a page is to a query, 0 to 1.

        The cosine of the page's nearest passage; the share of the query's words on the page where
        there is no encoder or no vector yet.
        """
        encoder = self._view.encoder
        vector = encoder.encode_query(query) if encoder else None
        wanted = set(tokens(query))

        def near(ref: PageRef) -> float:
            rows = self._vectors(self._view.document(ref.name).id, ref.page)
            if vector is not None and len(rows):
                return float(np.clip((rows @ vector).max(), 0.0, 1.0))
            there = set(tokens(self._view.page(ref).text))
            return len(wanted & there) / max(len(wanted), 1)

        kept: dict[PageRef, float] = {}
        return lambda ref: kept[ref] if ref in kept else kept.setdefault(ref, near(ref))

    def _next(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        if ref.page < document.pages:
            yield self._edge(ref, ref.page + 1, "next", _NEIGHBOUR_WEIGHT, "the page after it")

    def _previous(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        if ref.page > 1:
            yield self._edge(ref, ref.page - 1, "previous", _NEIGHBOUR_WEIGHT, "the page before it")

    def _section(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        if document.id not in self._sections:
            self._sections[document.id] = read_sections(self._view, document)
        for title, pages in self._sections[document.id].get(ref.page, {}).items():
            for page in pages:
                distance = abs(page - ref.page)
                weight = _SECTION_WEIGHT / (1 + 0.1 * max(distance - 1, 0))
                yield self._edge(ref, page, "section", weight, title)

    def _refers_to(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        if document.id not in self._references:
            self._references[document.id] = References(document, self._anchors_of(document))
        for lead in self._references[document.id].leads(ref.page):
            yield self._edge(ref, lead.page, "refers_to", lead.weight, lead.words)

    def _continues(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        for anchor in self._anchors_of(document):
            if anchor.role != "continues":
                continue
            after = int(anchor.key.partition(":")[2])
            if anchor.page == ref.page:
                yield self._edge(ref, after, "continues", _CONTINUES_WEIGHT, anchor.words)
            elif after == ref.page:
                words = f"continued from: {anchor.words}"
                yield self._edge(ref, anchor.page, "continues", _CONTINUES_WEIGHT, words)

    def _anchors_of(self, document: Document) -> "list[Anchor]":
        if document.id not in self._anchors:
            self._anchors[document.id] = self._view.snapshot.anchors((document.id,))
        return self._anchors[document.id]

    def _similar(self, ref: PageRef, document: Document) -> Iterable[Edge]:
        own = self._vectors(document.id, ref.page)
        if not len(own):
            return
        snapshot = self._view.snapshot
        best: dict[tuple[str, int], tuple[float, int, str]] = {}
        for row, target_document, page, region, cosine in self._nearest(own):
            if target_document not in self._view.names:
                continue
            key = (target_document, page)
            if key != (document.id, ref.page) and (key not in best or cosine > best[key][0]):
                best[key] = (cosine, row, region)
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[: self._width]
        own_ids = self._vector_ids(document.id, ref.page)
        texts = snapshot.regions_by_id([*own_ids, *(region for _, (_, _, region) in ranked)])
        for (target_document, page), (cosine, row, region) in ranked:
            words = f'"{_snippet(texts[own_ids[row]].text)}" ~ "{_snippet(texts[region].text)}"'
            target = PageRef(self._view.names[target_document], page)
            weight = round(min(max(cosine, 0.0), 1.0), 4)
            yield Edge(ref, target, "similar", weight, words)

    def _nearest(self, own: NDArray[np.float32]) -> Iterable[tuple[int, str, int, str, float]]:
        """Yield (own row, document, page, region, cosine) of candidates, at least `width` pages."""
        snapshot = self._view.snapshot
        limit = 20 * (self._width + 1)
        if snapshot.passages() > _SCAN_LIMIT:
            for row, vector in enumerate(own):
                for match in snapshot.nearest(vector, limit=limit):
                    yield row, match.document, match.page, match.region_id, match.score
            return
        block = snapshot.vectors()
        cosines = own @ block.matrix.T  # (n_own, n_passages)
        rows = cosines.argmax(axis=0)
        best = cosines.max(axis=0)
        limit = min(len(best), limit + len(own) * (self._width + 1))
        for i in np.argsort(-best, kind="stable")[:limit]:
            yield (
                int(rows[i]), str(block.documents[i]), int(block.pages[i]), block.ids[i],
                float(best[i]),
            )  # fmt: skip

    def _rows(self, document_id: str, page: int) -> NDArray[np.intp]:
        block = self._view.snapshot.vectors()
        on_page = np.flatnonzero(block.pages == page)
        own: NDArray[np.bool_] = block.documents[on_page] == document_id
        rows: NDArray[np.intp] = on_page[own]
        return rows

    def _vectors(self, document_id: str, page: int) -> NDArray[np.float32]:
        """Return the vectors of a page's passages; (n, dim) float32."""
        return self._view.snapshot.vectors().matrix[self._rows(document_id, page)]

    def _vector_ids(self, document_id: str, page: int) -> list[str]:
        ids = self._view.snapshot.vectors().ids
        return [ids[i] for i in self._rows(document_id, page)]

    def _edge(self, ref: PageRef, page: int, relation: Relation, weight: float, words: str) -> Edge:
        return Edge(ref, replace(ref, page=page), relation, round(weight, 4), words)


def _reason(edge: Edge) -> tuple[float, int]:
    return edge.weight, len(edge.words)


def _snippet(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SNIPPET else flat[:_SNIPPET].rsplit(" ", 1)[0] + " ..."
