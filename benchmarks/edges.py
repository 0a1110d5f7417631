"""How many edges of the page graph are right: read by hand, and on made documents.

    python benchmarks/edges.py --library FOLDER                  precision of what was read
    python benchmarks/edges.py --library FOLDER --show refers_to --count 100 --seed 7
                                                                 edges to read, with their words

`edge_labels.json` holds what was read: pages only, no words of the documents. An edge that is no
longer found is left out; edges of the sample that nobody has read are counted beside. `continues`
is read once a pair of pages, forward.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from made_hops import write_hops

import pagehop
from pagehop.types import Edge, PageRef, Relation

LABELS = Path(__file__).parent / "edge_labels.json"
MOST = 20
"""Edges of a relation that leave a page."""


def main() -> None:
    """Print edges to read, or the precision of those that were read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, required=True, help="of the real documents")
    parser.add_argument("--show", choices=("refers_to", "continues", "cites", "mentions"))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    with pagehop.Library(args.library) as library:
        view = library.view()
        if args.show:
            found = list(all_edges(view, args.show))
            print(f"{args.show}: {len(found)} edges")
            for edge in random.Random(args.seed).sample(found, min(args.count, len(found))):
                print(f"{edge.source} -> {edge.target}  {edge.weight}  {edge.words}")
            return
        print("| relation | edges | read | still there | right | precision |")
        print("|---|---|---|---|---|---|")
        for relation, read in json.loads(LABELS.read_text()).items():
            print(row(view, relation, read))
    print(made_row())


def all_edges(view: pagehop.View, relation: Relation) -> Iterator[Edge]:
    """Yield all edges of a relation; of those that go both ways, the forward ones."""
    for document in view.documents():
        for page in range(1, document.pages + 1):
            ref = PageRef(document.name, page)
            for edge in view.edges.edges(ref, (relation,), MOST):
                if relation != "continues" or edge.target.page > edge.source.page:
                    yield edge


def row(view: pagehop.View, relation: Relation, read: dict[str, list[str]]) -> str:
    """Return the precision of the edges of a relation that were read."""
    found = {f"{edge.source} {edge.target}" for edge in all_edges(view, relation)}
    right, wrong = (sum(pair in found for pair in read[key]) for key in ("right", "wrong"))
    total = len(read["right"]) + len(read["wrong"])
    precision = f"{right / (right + wrong):.3f}" if right + wrong else "-"
    return f"| {relation} | {len(found)} | {total} | {right + wrong} | {right} | {precision} |"


def made_row(count: int = 300) -> str:
    """Return the precision of `cites` on made documents, where it is known what is cited."""
    with tempfile.TemporaryDirectory() as folder:
        hops = write_hops(Path(folder), count)
        with pagehop.Library(Path(folder) / ".pagehop") as library:
            library.add(folder)
            view = library.view()
            source = {document.name: document.source for document in view.documents()}
            meant = {(*hop.first, hop.second[0]) for hop in hops if hop.kind == "cites"}
            found = list(all_edges(view, "cites"))
            cited = {(source[e.source.name], e.source.page, source[e.target.name]) for e in found}
    right = len(cited & meant)
    return (
        f"\n`cites` on made documents: {len(meant)} pages name another document, {len(cited)} "
        f"such pairs are found, {right} of them right: precision {right / max(len(cited), 1):.3f}, "
        f"recall {right / max(len(meant), 1):.3f}"
    )


if __name__ == "__main__":
    main()
