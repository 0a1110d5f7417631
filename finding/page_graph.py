"""Walks over the page graph of a view: which pages a page leads to, and why.

The edges are in `page_edges`. `walk` is a beam search: the score of a path is the product of its
weights, times the similarity of its end to the query when one is given.

With a judge, a model says of the best pages of each hop how much they help with the question; the
mean of that and of the similarity takes the similarity's place. What is judged goes best first and
is bounded, by a number and by a third of the view's pages.
Source: MoLoRAG (arXiv 2509.07666), judged traversal; differs: typed edges over documents instead of
similar pages in one, one list-wise call a hop, a bound (it judges 46 to 94 % of a document).
"""

import math
from collections.abc import Callable, Collection

from pagehop.errors import ConfigError, ModelError
from pagehop.finding.corpus import CorpusView
from pagehop.finding.page_edges import RELATIONS, PageEdges
from pagehop.types import Judge, PageRef, Path, Relation

MAX_HOPS = 3
MOST_JUDGED = 12
"""Pages that a judge is shown in one walk, if the caller names no other number."""
_JUDGED_SHARE = 3
"""One page of so many in the view may be judged: more would be reading all of them."""
_JUDGED_CHARACTERS = 1500
"""Of a page's text."""


def walk(
    view: CorpusView,
    ref: PageRef,
    *,
    relations: Collection[Relation] | None = None,
    query: str | None = None,
    hops: int = 1,
    width: int = 5,
    judge: Judge | None = None,
    judged: int = MOST_JUDGED,
) -> list[Path]:
    """Follow the page graph from a page, best paths first, one path a page reached.

    Args:
        view: The pages that exist.
        ref: Start page.
        relations: Edge types to follow; None follows all that have edges.
        query: Paths that end on pages near it come first.
        hops: Most edges of a path, 1 to 3.
        width: Paths kept after each hop.
        judge: Scores the texts of the best pages of each hop for the query.
        judged: Most pages that it is shown.

    Raises:
        LibraryError: There is no such document or page in this view.
        ConfigError: An unknown relation; hops or width too large; a judge without a query.
        ModelError: The judge gave other than one score a page.
    """
    chosen = checked_relations(relations)
    if not 1 <= hops <= MAX_HOPS:
        raise ConfigError(f"hops is {hops}; allowed are 1 to {MAX_HOPS}")
    if not 1 <= width <= 50:
        raise ConfigError(f"width is {width}; allowed are 1 to 50")
    if judge is not None and (not query or judged < 1):
        raise ConfigError("a judge needs a query, and at least one page that it may judge")
    view.checked(ref)
    start = PageRef(view.document(ref.name).name, ref.page)
    graph = view.edges
    relevance = graph.relevance(query) if query else None
    jury = _Jury(view, judge, query, judged) if judge is not None and query else None
    best: dict[PageRef, Path] = {}
    # The weights alone go on to the next hop: the query judges where a path ends, not its stations.
    frontier: list[tuple[Path, float]] = [(Path((), 1.0), 1.0)]
    for hop in range(hops):
        found = _reached(graph, start, frontier, best, chosen, width, relevance)
        if jury is not None:
            found = jury.weigh(found, hops_left=hops - hop)
        frontier = found[:width]
        best.update({path.end: path for path, _ in frontier})
    return graph.explained(sorted(best.values(), key=_rank))


def _reached(
    graph: PageEdges,
    start: PageRef,
    frontier: list[tuple[Path, float]],
    best: Collection[PageRef],
    chosen: tuple[Relation, ...],
    width: int,
    relevance: Callable[[PageRef], float] | None,
) -> list[tuple[Path, float]]:
    """Return one edge more of each path of a frontier, with the products of weights, best first."""
    reached: dict[PageRef, tuple[Path, float]] = {}
    graph.prepare([path.end if path.edges else start for path, _ in frontier], chosen)
    for path, product in frontier:
        here = path.end if path.edges else start
        seen = {start, *(edge.target for edge in path.edges)}
        for edge in graph.edges(here, chosen, width):
            if edge.target in seen or edge.target in best:
                continue
            weight = product * edge.weight
            score = weight * (relevance(edge.target) if relevance else 1.0)
            longer = Path((*path.edges, edge), round(score, 6))
            if edge.target not in reached or _rank(longer) < _rank(reached[edge.target][0]):
                reached[edge.target] = (longer, weight)
    return sorted(reached.values(), key=lambda item: _rank(item[0]))


class _Jury:
    """A judge with a bound on what it is shown."""

    def __init__(self, view: CorpusView, judge: Judge, question: str, most: int) -> None:
        self._view = view
        self._judge = judge
        self._question = question
        pages = sum(document.pages for document in view.documents())
        self._left = min(most, max(pages // _JUDGED_SHARE, 1))

    def weigh(self, found: list[tuple[Path, float]], hops_left: int) -> list[tuple[Path, float]]:
        """Judge the best of some paths by where they end, and sort them anew.

        Raises:
            ModelError: The judge gave other than one score a page.
        """
        shown = found[: math.ceil(self._left / hops_left)]
        if not shown:
            return found
        texts = [self._view.page(path.end).text[:_JUDGED_CHARACTERS] for path, _ in shown]
        scores = self._judge(self._question, texts)
        self._left -= len(shown)
        if not scores:  # a reply that could not be read: the walk goes on without it
            return found
        if len(scores) != len(texts):
            raise ModelError(f"the judge gave {len(scores)} scores for {len(texts)} pages")
        weighed = []
        for (path, weight), score in zip(shown, scores, strict=True):
            said = min(max(score, 0.0), 1.0) if math.isfinite(score) else 0.5
            mean = (path.score + weight * said) / 2
            weighed.append((Path(path.edges, round(mean, 6)), weight))
        return sorted([*weighed, *found[len(shown) :]], key=lambda item: _rank(item[0]))


def degradations(view: CorpusView, relations: Collection[Relation] | None, query: str) -> str:
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


def checked_relations(relations: Collection[Relation] | None) -> tuple[Relation, ...]:
    """Return the relations that are asked for, in the order of `RELATIONS`; None asks for all.

    Raises:
        ConfigError: One of them is unknown.
    """
    for relation in relations or ():
        if relation not in RELATIONS:
            raise ConfigError(f"unknown relation {relation!r}; use {', '.join(RELATIONS)}")
    return tuple(r for r in RELATIONS if r in relations) if relations else RELATIONS


def _rank(path: Path) -> tuple[float, int, tuple[tuple[PageRef, int], ...]]:
    steps = tuple((edge.target, RELATIONS.index(edge.relation)) for edge in path.edges)
    return (-path.score, len(steps), steps)
