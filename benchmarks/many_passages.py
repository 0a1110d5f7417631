"""How long a search takes over a hundred thousand passages.

    python benchmarks/many_passages.py --library FOLDER [--passages N] [--data FOLDER]
        [--folder F] [--save]

The library is multiplied until it holds so many passages: each copy of a document has another id
and name, and vectors moved at random, so that no two passages are equally near to a query. The
tables are written as ingestion writes them; nothing is read or embedded again. Queries are made
from the library (benchmarks/search.py), or are the questions of `--data`. With `--folder` what was
multiplied is kept and used again.

Each mode runs all queries twice: first most passages that a query finds are read from disk, then
they are in memory. Processor time is that of all threads of the process.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from search import sample_queries

import pagehop
from pagehop.evaluation.questions import load_questions
from pagehop.library.manifest import Manifest, partition_key, read_manifest
from pagehop.library.snapshot import Snapshot
from pagehop.library.store import Commit, Store
from pagehop.library.tables import VECTORS, StoredDocument, document_rows
from pagehop.types import Mode

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "many_passages.md"
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")
MOVED = 0.3
"""Length of what is added to a copy's unit vectors."""


def main() -> None:
    """Multiply the library, then time every mode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, required=True, help="library to multiply")
    parser.add_argument("--data", type=Path, help="its questions.jsonl gives the queries")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the large library, or use it again")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, pagehop.Library(args.library) as library:
        view = library.view()
        queries = [q.question for q in load_questions(args.data)][::5] if args.data else []
        queries = queries or sample_queries(view)
        target = args.folder or Path(folder)
        if not (target / ".pagehop").exists():
            multiply(library.path, view.snapshot, target, args.passages)
        with pagehop.Library(target) as large:
            text = measure(large.view(), queries)
    print(text)
    if args.save:
        command = "python benchmarks/many_passages.py " + " ".join(sys.argv[1:])
        TABLE.write_text(f"# Search in many passages\n\n{date.today()}: `{command}`\n\n{text}\n")


def multiply(source: Path, snapshot: Snapshot, target: Path, passages: int) -> None:
    """Write copies of a library's documents into a new library until it holds so many passages."""
    pagehop.Library(target).close()
    store = Store(target / ".pagehop")
    manifest = read_manifest(source)
    name = VECTORS + manifest.serving
    wanted = (*("documents", "pages", "regions", "terms"), name)
    tables = {
        table: pa.concat_tables(
            store_rows
            for key, partition in manifest.partitions.items()
            if (store_rows := Store(source).rows(key, table, partition.tables[table])).num_rows
        )
        for table in wanted
        if table != "documents"
    }
    records = [record for record, _ in snapshot.records.values()]
    copies = -(-passages // snapshot.passages())
    commit = Commit(store, Manifest())
    random = np.random.default_rng(0)
    for copy in range(copies):
        ids = {r.id: hashlib.sha256(f"{copy} {r.id}".encode()).hexdigest() for r in records}
        renamed = [
            _copied(r, ids[r.id], copy, copy * len(records) + i) for i, r in enumerate(records)
        ]
        commit.append((), "documents", document_rows(renamed))
        for table, rows in tables.items():
            commit.append((), table, _copied_rows(rows, ids, name == table, random))
    commit.tidy()
    commit.finish(
        serving=manifest.serving, encoders=manifest.encoders, next_added=copies * len(records)
    )
    assert partition_key(frozenset()) in read_manifest(target / ".pagehop").partitions
    store.close()


def _copied(record: StoredDocument, id: str, copy: int, added: int) -> StoredDocument:
    sources = tuple(replace(s, name=f"copy{copy}/{s.name}") for s in record.sources)
    return replace(record, id=id, added=added, sources=sources)


def _copied_rows(
    rows: pa.Table, ids: dict[str, str], has_vectors: bool, random: np.random.Generator
) -> pa.Table:
    """Return rows under the ids of a copy; vectors are moved and of unit length again."""
    short = {id[:16]: new[:16] for id, new in ids.items()}
    for column in set(rows.schema.names) & {"document", "id", "parent"}:
        values = rows[column].to_pylist()
        new = [ids[v] if v in ids else short.get(v[:16], "") + v[16:] if v else v for v in values]
        rows = rows.set_column(rows.schema.get_field_index(column), column, pa.array(new))
    if has_vectors:
        at = rows.schema.get_field_index("vector")
        kind = rows.schema.field(at).type
        flat = rows["vector"].combine_chunks().flatten().to_numpy()
        matrix = flat.reshape(-1, kind.list_size).copy()
        moves = random.normal(size=matrix.shape).astype(np.float32)
        matrix += MOVED * moves / np.linalg.norm(moves, axis=1, keepdims=True)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        made = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), kind.list_size)
        rows = rows.set_column(at, "vector", made)
    return rows


def measure(view: pagehop.View, queries: list[str]) -> str:
    """Return the Markdown table: the first search, then each mode when it is warm."""
    lines = [
        f"{view.snapshot.passages()} passages, {len(view.documents())} documents, "
        f"{len(queries)} queries.",
        "",
        "| what | first pass: p50, ms | of processor time | second pass: p50, ms | p95 | "
        "of processor time |",
        "|---|---|---|---|---|---|",
    ]
    start = time.perf_counter()
    view.search(queries[0])
    first = time.perf_counter() - start
    for mode in MODES:
        cold = np.array([time_search(view, query, mode) for query in queries])
        warm = np.array([time_search(view, query, mode) for query in queries])
        cells = [*np.median(cold, axis=0), *np.percentile(warm[:, 0], (50, 95))]
        cells.append(np.median(warm[:, 1]))
        lines.append(f"| {mode} search, k=10 | {' | '.join(f'{ms:.1f}' for ms in cells)} |")
    return "\n".join([*lines, "", f"The first search of a process took {first:.1f} s."])


def time_search(view: pagehop.View, query: str, mode: Mode) -> tuple[float, float]:
    """Return the milliseconds of a search, waited for and worked."""
    start, worked = time.perf_counter(), time.process_time()
    view.search(query, mode=mode)
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - worked)


if __name__ == "__main__":
    main()
