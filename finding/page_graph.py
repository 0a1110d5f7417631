"""Walks over the page graph of a view: which pages a page leads to, and why.

The edges are in `page_edges`. `walk` is a beam search: the score of a path is the product of its
weights, times the similarity of its end to the query when one is given.
"""

from collections.abc import Collection

from pagehop.errors import ConfigError
from pagehop.finding.corpus import CorpusView
from pagehop.finding.page_edges import RELATIONS
from pagehop.types import PageRef, Path, Relation

MAX_HOPS = 3


def walk(
    view: CorpusView,
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
        ConfigError: An unknown relation; hops or width too large.
    """
    chosen = checked_relations(relations)
    if not 1 <= hops <= MAX_HOPS:
        raise ConfigError(f"hops is {hops}; allowed are 1 to {MAX_HOPS}")
    if not 1 <= width <= 50:
        raise ConfigError(f"width is {width}; allowed are 1 to 50")
    view.checked(ref)
    start = PageRef(view.document(ref.name).name, ref.page)
    graph = view.edges
    relevance = graph.relevance(query) if query else None
    best: dict[PageRef, Path] = {}
    # The weights alone go on to the next hop: the query judges where a path ends, not its stations.
    frontier: list[tuple[Path, float]] = [(Path((), 1.0), 1.0)]
    for _ in range(hops):
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
        frontier = sorted(reached.values(), key=lambda item: _rank(item[0]))[:width]
        best.update({path.end: path for path, _ in frontier})
    return graph.explained(sorted(best.values(), key=_rank))


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
