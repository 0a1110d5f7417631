"""What walking the page graph finds that search alone does not, how fast, and at what cost.

    python benchmarks/walks.py [--questions 240] [--library FOLDER] [--save]

1. Made questions (`made_hops.py`) whose second page shares no word with them: recall of that page
   among ten pages, by search alone and by five pages of search plus the best walks from them.
2. With a library given, of real documents: the time of a walk of two hops from random pages, the
   edges of each kind, and what the page graph adds to the library's size.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from made_hops import KINDS, Hop, write_hops

import pagehop
from pagehop.finding.page_edges import RELATIONS
from pagehop.reading.anchors import find_anchors
from pagehop.reading.parsed import DocumentReading
from pagehop.types import PageRef, Relation

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "walks.md"
ACROSS: tuple[Relation, ...] = ("refers_to", "cites", "mentions")
PAGES = 10
WALKED_FROM = 5
SEED = 11


def main() -> None:
    """Measure, print, and write the table if told to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=240)
    parser.add_argument("--library", type=Path, help="a library of real documents, for the times")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hops = write_hops(Path(folder), args.questions)
        with pagehop.Library(Path(folder) / ".pagehop") as library:
            library.add(folder)
            lines = recall_table(library.view(), hops)
    if args.library:
        with pagehop.Library(args.library) as library:
            lines += ["", *real_table(library)]
    table = "\n".join(lines)
    print(table)
    if args.save:
        command = "python benchmarks/" + " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        TABLE.write_text(f"# Walks\n\n`{command}`, {date.today()}\n\n{table}\n")


def recall_table(view: pagehop.View, hops: Sequence[Hop]) -> list[str]:
    """Return the recall of the second page by search alone and with walks, by kind of link."""
    names = {document.source: document.name for document in view.documents()}
    alone: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    walked: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    first: list[bool] = []
    for hop in hops:
        gold = PageRef(names[hop.second[0]], hop.second[1])
        found = pages_found(view, hop.question)
        first.append(PageRef(names[hop.first[0]], hop.first[1]) in found)
        alone[hop.kind].append(gold in found)
        walked[hop.kind].append(gold in with_walks(view, hop.question, found))
    rows = [
        f"Made questions: {len(hops)}; their first page is found by search in "
        f"{statistics.mean(first):.3f} of them. R@{PAGES} of the second page:",
        "",
        "| link | n | search alone | search and walk |",
        "|---|---|---|---|",
    ]
    for kind in KINDS:
        one, two = statistics.mean(alone[kind]), statistics.mean(walked[kind])
        rows.append(f"| {kind} | {len(alone[kind])} | {one:.3f} | {two:.3f} |")
    everything = [[hit for hits in d.values() for hit in hits] for d in (alone, walked)]
    one, two = (statistics.mean(hits) for hits in everything)
    return [*rows, f"| all | {len(hops)} | {one:.3f} | {two:.3f} |"]


def pages_found(view: pagehop.View, question: str) -> list[PageRef]:
    """Return the first pages of a search, each once."""
    hits = view.search(question, k=4 * PAGES)
    return list(dict.fromkeys(PageRef(hit.name, hit.page) for hit in hits))[:PAGES]


def with_walks(view: pagehop.View, question: str, found: Sequence[PageRef]) -> list[PageRef]:
    """Return the first pages of a search, then the ends of the best walks from them."""
    kept = list(found[:WALKED_FROM])
    walks = [(i, path) for i, ref in enumerate(kept) for path in view.walk(ref, relations=ACROSS)]
    # A walk from a better page counts more, as its end has no words of the question to show.
    walks.sort(key=lambda item: -item[1].score / (1 + item[0]))
    kept += [path.end for _, path in walks if path.end not in kept]
    return list(dict.fromkeys(kept))[:PAGES]


def real_table(library: pagehop.Library) -> list[str]:
    """Return times of walks, edges by kind and size, over real documents."""
    view = library.view()
    refs = [PageRef(d.name, page) for d in view.documents() for page in range(1, d.pages + 1)]
    chosen = random.Random(SEED).sample(refs, min(300, len(refs)))
    for ref in chosen[:20]:
        view.walk(ref, hops=2)
    times, edges = [], Counter[Relation]()
    for ref in chosen:
        start = time.perf_counter()
        view.walk(ref, hops=2, query="capital expenditure of the year")
        times.append(time.perf_counter() - start)
        edges.update(e.relation for e in view.edges.edges(ref, RELATIONS, 20))
    rows = [
        f"Real documents: {len(view.documents())}, {len(refs)} pages. A walk of two hops over all "
        f"relations with a query, {len(chosen)} random pages, warm: p50 "
        f"{1e3 * statistics.median(times):.1f} ms, p95 "
        f"{1e3 * statistics.quantiles(times, n=20)[-1]:.1f} ms. {build_line(library, view)}",
        "",
        "| relation | edges a page (at most 10) |",
        "|---|---|",
    ]
    return rows + [f"| {r} | {edges[r] / len(chosen):.2f} |" for r in RELATIONS]


def build_line(library: pagehop.Library, view: pagehop.View) -> str:
    """Say at what rate anchors are found, and what they take on disk."""
    pages, spent, start = 0, 0.0, 0.0
    for document in view.documents():
        texts = view.snapshot.page_texts(document.id)
        reading = DocumentReading(tuple(view.snapshot.regions(document.id)))
        start = time.perf_counter()
        find_anchors(reading, texts)
        spent += time.perf_counter() - start
        pages += len(texts)
    start = time.perf_counter()
    fresh = library.view()
    fresh.walk(PageRef(fresh.documents()[0].name, 1))
    opened = time.perf_counter() - start
    tables = Path(library.path).rglob("anchors.lance/data/*.lance")
    size = sum(path.stat().st_size for path in tables)
    return (
        f"Built at {pages / spent:.0f} pages a second of one core, {size / pages / 1024:.1f} KB a "
        f"page; the first walk of a new view takes {opened:.2f} s more."
    )


if __name__ == "__main__":
    main()
