"""How long a warm search and a crop take over a folder of PDFs.

    python benchmarks/search.py --data FOLDER [--library FOLDER] [--rounds N] [--save]

Queries are made from the library itself: headings and short sentences of pages spread over all
documents. Each mode runs every query once unmeasured (warm), then `rounds` times; crops are of the
hits' own boxes and of whole pages, 1 megapixel each, a different one each time.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pagehop

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "search.md"


def main() -> None:
    """Index the folder unless a library is given, then time each mode and the crops."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of PDFs")
    parser.add_argument("--library", type=Path, help="library to reuse; a temporary one otherwise")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = pagehop.Library(args.library or folder)
        library.add(args.data)
        table = measure(library.view(), args.rounds)
        library.close()
    print(table)
    if args.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        command = "python benchmarks/search.py " + " ".join(sys.argv[1:])
        TABLE.write_text(f"# Search and crops\n\n{date.today()}: `{command}`\n\n{table}\n")


def measure(view: pagehop.View, rounds: int) -> str:
    """Return the Markdown table of latencies."""
    documents = view.documents()
    queries = sample_queries(view)
    lines = [
        f"{len(documents)} documents, {sum(d.pages for d in documents)} pages, "
        f"{len(queries)} queries x {rounds}.",
        "",
        "| what | p50, ms | p95, ms |",
        "|---|---|---|",
    ]
    boxes = []
    for mode in ("keyword", "semantic", "hybrid"):
        for query in queries:
            boxes += view.search(query, mode=mode)
        times = time_each(lambda q, m=mode: view.search(q, mode=m), queries * rounds)
        lines.append(row(f"{mode} search, k=10", times))
    view.crop(boxes[0].ref)
    times = time_each(lambda hit: hit.crop(max_pixels=1_000_000), boxes[:60])
    lines.append(row("crop of a hit's box, 1 Mpx", times))
    pages = [pagehop.PageRef(d.name, 1 + d.pages // 2) for d in documents][:40]
    lines.append(row("whole page, 1 Mpx", time_each(lambda ref: view.crop(ref), pages)))
    return "\n".join(lines)


def sample_queries(view: pagehop.View, per_document: int = 2) -> list[str]:
    """Take the first words of passages spread over each document."""
    queries = []
    for document in view.documents():
        for i in range(per_document):
            page = 1 + (document.pages * (2 * i + 1)) // (2 * per_document)
            ref = pagehop.PageRef(document.name, min(page, document.pages))
            words = view.page(ref).text.split()
            if len(words) >= 8:
                queries.append(" ".join(words[:8]))
    return queries


def time_each(call: Callable[[Any], object], items: list[Any]) -> list[float]:
    """Return the milliseconds of each call."""
    times = []
    for item in items:
        start = time.perf_counter()
        call(item)
        times.append(1000 * (time.perf_counter() - start))
    return times


def row(name: str, times: list[float]) -> str:
    """Return one line of the table."""
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"| {name} | {statistics.median(times):.1f} | {p95:.1f} |"


if __name__ == "__main__":
    main()
