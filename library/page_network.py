"""The whole page graph of a view as a networkx graph: to count, draw and export it.

Walks need none of this: they ask for the edges of the few pages they pass.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from pagehop.errors import ConfigError
from pagehop.finding.page_graph import checked_relations
from pagehop.types import PageRef, Path, Relation

if TYPE_CHECKING:
    from networkx import MultiDiGraph

    from pagehop.library.view import View


def page_network(
    view: "View", relations: Collection[Relation] | None, most: int, hidden: Collection[PageRef]
) -> "MultiDiGraph":
    """Return all pages of a view and the edges between them.

    Args:
        view: The pages that exist.
        relations: Edges to put in; None puts in all.
        most: Edges of one relation that leave a page, the best ones.
        hidden: Pages to leave out.

    Raises:
        ConfigError: An unknown relation, `most` below 1, or networkx is not installed.
    """
    try:
        import networkx  # noqa: PLC0415 - a second of imports that only this needs
    except ImportError as error:
        raise ConfigError("page_graph needs networkx; run: pip install networkx") from error
    if most < 1:
        raise ConfigError(f"most is {most}; at least 1")
    chosen = checked_relations(relations)
    network = networkx.MultiDiGraph(library_version=view.version)
    refs = []
    for document in view.documents():
        for page in range(1, document.pages + 1):
            if (ref := PageRef(document.name, page)) not in hidden:
                refs.append(ref)
                network.add_node(
                    str(ref),
                    document=document.name,
                    page=page,
                    source=document.source,
                    title=document.title,
                )
    for ref in refs:
        found = [edge for r in chosen for edge in view.edges.edges(ref, (r,), most)]
        kept = [Path((edge,), edge.weight) for edge in found if edge.target not in hidden]
        for path in view.edges.explained(kept):
            (edge,) = path.edges
            network.add_edge(
                str(edge.source),
                str(edge.target),
                key=edge.relation,
                relation=edge.relation,
                weight=edge.weight,
                words=edge.words,
            )
    return network
