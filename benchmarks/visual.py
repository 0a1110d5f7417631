"""How exactly, how fast and how cheaply pages are found by their vectors, on planted ones.

    python benchmarks/visual.py [--sizes 1200x256,5000x256] [--short] [--folder F] [--save]

No page encoder could be had here, so the vectors are made (`PlantedPages`): patches of looks that
many pages share, a direction of the page's own, and three needles, each in one vector of one page.
A query asks for one page: its needles, some of its patches and general words, all with noise; six
pages beside it are near-duplicates of it. The truth is float32 MaxSim over all pages.

Rows: pagehop's search as it runs in a library, and in the same run numpy over all vectors in
memory, LanceDB without an index, and LanceDB's IVF_RQ as it is, refined, and as pagehop uses it
for larger libraries (over-fetched, ranked again exactly); for a size at which pagehop compares
leads first, the same without. Then what pruning loses.

With `--folder` what was built is kept and used again, so that a large size can be built before.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pagehop.finding import visual_search
from pagehop.finding.candidates import Scope
from pagehop.finding.visual_search import OVERFETCH, rank_pages
from pagehop.library.manifest import Manifest, read_manifest
from pagehop.library.page_codes import codes_path, write_codes
from pagehop.library.picture_vectors import (
    PictureVectors,
    make_codes,
    page_vector_rows,
    to_page_vectors,
)
from pagehop.library.store import Commit, Store
from pagehop.library.tables import PAGE_VECTORS
from pagehop.models.maxsim import exact
from pagehop.models.vector_pruning import prune

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "visual.md"
DIM, TOKENS, NEEDLES, LOOKS, DUPLICATES = 128, 20, 3, 64, 6
PAGES = 40
"""Pages of a document."""
K = 10
ENCODER = "planted"
Vectors = NDArray[np.float32]
Place = tuple[str, int]


class PlantedPages:
    """Documents of 40 pages whose vectors are known; the same for the same size and seed."""

    def __init__(self, pages: int, vectors: int, seed: int = 0) -> None:
        self.pages, self.vectors, self._seed = pages, vectors, seed
        self.documents = [f"d{i:05d}" for i in range(-(-pages // PAGES))]
        self._looks = unit(np.random.default_rng(seed).standard_normal((LOOKS, DIM)))

    def document(self, i: int) -> Vectors:
        """Return the vectors of document i, (pages, vectors, dim)."""
        rng = np.random.default_rng([self._seed, i])
        n = min(PAGES, self.pages - i * PAGES)
        shown = rng.integers(0, LOOKS, (n, 12))
        which = np.take_along_axis(shown, rng.integers(0, 12, (n, self.vectors)), axis=1)
        own = unit(rng.standard_normal((n, 1, DIM), np.float32))
        made = unit(self._looks[which] + 0.5 * own + 0.7 * noise(rng, (n, self.vectors)))
        made[:, :NEEDLES] = unit(rng.standard_normal((n, NEEDLES, DIM), np.float32))
        for copy in range(4, min(n, 4 + DUPLICATES)):  # pages 5 to 10 are page 4, revised
            made[copy] = unit(made[3] + 0.3 * noise(rng, (self.vectors,)))
        return made

    def query(self, i: int, number: int) -> Vectors:
        """Return a query for page 4 of document i, (tokens, dim)."""
        rng = np.random.default_rng([self._seed, i, number])
        page = self.document(i)[3]
        patches = page[rng.integers(NEEDLES, self.vectors, 5)]
        general = self._looks[rng.integers(0, LOOKS, TOKENS - NEEDLES - 5)]
        asked = np.concatenate([page[:NEEDLES], patches, general])
        return unit(asked + 0.6 * noise(rng, (TOKENS,)))

    def asked(self, n: int) -> tuple[list[Vectors], list[Place]]:
        """Return n queries, spread over the documents, and the page that each asks for."""
        at = np.linspace(0, len(self.documents) - 1, n).astype(int)
        queries = [self.query(int(i), number) for number, i in enumerate(at)]
        return queries, [(self.documents[i], 4) for i in at]


def unit(vectors: NDArray[Any]) -> Vectors:
    """Return them at unit length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Vectors:
    """Return vectors of about unit length in no direction."""
    return rng.standard_normal((*shape, DIM), np.float32) / np.float32(DIM**0.5)


@dataclass(frozen=True)
class Built:
    """Planted pages in a library's tables."""

    store: Store
    known: PictureVectors
    seconds: float
    """To write table and codes; 0 when they were there."""

    @property
    def table(self) -> Any:
        """The Lance table of vectors."""
        return self.store.latest("public", PAGE_VECTORS + ENCODER)


def build(planted: PlantedPages, folder: Path) -> Built:
    """Write table and codes, as the page vector stage does, unless they are there."""
    store, start, seconds = Store(folder), time.perf_counter(), 0.0
    manifest = read_manifest(folder)
    if not manifest.version:
        commit, rows = Commit(store, Manifest()), []
        for i, name in enumerate(planted.documents):
            vectors = planted.document(i)
            rows.append(page_vector_rows(name, range(1, len(vectors) + 1), list(vectors), DIM))
            write_codes(codes_path(folder, ENCODER, name), make_codes(rows[-1]))
            if len(rows) == 16 or name == planted.documents[-1]:
                for made in rows:
                    commit.append((), PAGE_VECTORS + ENCODER, made)
                rows = []
        manifest = commit.finish()
        seconds = time.perf_counter() - start
    return Built(store, open_vectors(store, planted, manifest), seconds)


def open_vectors(store: Store, planted: PlantedPages, manifest: Manifest) -> PictureVectors:
    """Return them as a snapshot of the library would."""
    tables = {"public": manifest.partitions["public"].tables[PAGE_VECTORS + ENCODER]}
    left = planted.pages
    documents = {}
    for name in planted.documents:
        documents[name] = ("public", min(PAGES, left))
        left -= PAGES
    return PictureVectors(store, ENCODER, tables, documents)


def true_best(
    built: Built, planted: PlantedPages, queries: list[Vectors], kept: Path
) -> list[list[Place]]:
    """Return the K best pages of each query by float32 MaxSim over the table, kept in a file."""
    file = kept / f"truth_{len(queries)}.json"
    if not file.exists():
        documents = (read_vectors(built, f"document = '{name}'") for name in planted.documents)
        file.write_text(json.dumps(best_of(documents, queries)))
    return [[(id, page) for id, page in best] for best in json.loads(file.read_text())]


def read_vectors(built: Built, where: str) -> dict[Place, Vectors]:
    """Return the vectors of some rows of the table, float32."""
    columns = ["document", "page", "count", "vectors"]
    rows = built.table.search().where(where).select(columns).to_arrow().sort_by("page")
    return to_page_vectors(rows)


def every_document(planted: PlantedPages) -> range:
    """Return the numbers of all documents."""
    return range(len(planted.documents))


def pages_of(planted: PlantedPages, i: int) -> list[Place]:
    """Return the pages of document i."""
    n = min(PAGES, planted.pages - i * PAGES)
    return [(planted.documents[i], page) for page in range(1, n + 1)]


def best_of(
    documents: Iterable[Mapping[Place, Vectors]], queries: list[Vectors]
) -> list[list[Place]]:
    """Return the K best pages of each query, from documents given one after another."""
    tokens, places, scores = np.concatenate(queries), list[Place](), list[Vectors]()
    for document in documents:
        part = np.stack(list(document.values()))  # (pages, vectors, dim)
        products = tokens @ part.reshape(-1, DIM).T  # (queries * tokens, pages * vectors)
        best = products.reshape(len(tokens), len(part), -1).max(axis=2)
        scores.append(best.reshape(len(queries), TOKENS, -1).sum(axis=1))
        places += document
    ranked = np.argsort(-np.concatenate(scores, axis=1), axis=1, kind="stable")[:, :K]
    return [[places[page] for page in row] for row in ranked]


Search = Callable[[Vectors], list[Place]]


def row(
    name: str, search: Search, queries: list[Vectors], best: list[list[Place]], wanted: list[Place]
) -> str:
    """Return one line: latency, work, recall of the true ten, pages asked for that came first."""
    search(queries[0])
    times, work, recalls, firsts = [], [], [], 0
    for query, true, page in zip(queries, best, wanted, strict=True):
        start, worked = time.perf_counter(), time.process_time()
        found = search(query)
        times.append(1000 * (time.perf_counter() - start))
        work.append(1000 * (time.process_time() - worked))
        recalls.append(len(set(found[:K]) & set(true)) / K)
        firsts += found[:1] == [page]
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    ms = f"{statistics.median(times):.1f} | {p95:.1f} | {statistics.median(work):.1f}"
    return f"| {name} | {ms} | {statistics.mean(recalls):.3f} | {firsts} of {len(queries)} |"


def lance(built: Built, *, limit: int = K, refine: int = 0) -> Search:
    """Return a search by LanceDB alone."""

    def search(query: Vectors) -> list[Place]:
        asked = built.table.search(query, vector_column_name="vectors").distance_type("cosine")
        asked = asked.limit(limit).refine_factor(refine) if refine else asked.limit(limit)
        rows = asked.select(["document", "page", "_distance"]).to_arrow().sort_by("_distance")
        return list(zip(rows["document"].to_pylist(), rows["page"].to_pylist(), strict=True))

    return search


def over_fetched(built: Built) -> Search:
    """Return a search by the index as pagehop uses it."""

    def search(query: Vectors) -> list[Place]:
        places = lance(built, limit=OVERFETCH * K)(query)
        wanted = [f"(document = '{name}' AND page = {page})" for name, page in places]
        vectors = read_vectors(built, " OR ".join(wanted))
        scores = exact(query, [vectors[place] for place in places])
        return [places[i] for i in np.argsort(-np.array(scores), kind="stable")[:K]]

    return search


def in_numpy(planted: PlantedPages) -> Search:
    """Return a scan of all vectors in memory, the way it is usually written."""
    n = range(len(planted.documents))
    pages = np.concatenate([planted.document(i) for i in n])  # (pages, vectors, dim)
    places = [(name, page + 1) for name in planted.documents for page in range(PAGES)]

    def search(query: Vectors) -> list[Place]:
        products = pages.reshape(-1, DIM) @ query.T
        scores = products.reshape(len(pages), -1, len(query)).max(axis=1).sum(axis=1)
        return [places[i] for i in np.argsort(-scores, kind="stable")[:K]]

    return search


def own(built: Built) -> Search:
    """Return pagehop's search over vectors of a query."""
    everything = Scope(None, None, None)
    return lambda query: [
        (seen.document, seen.page) for seen in rank_pages(built.known, query, everything, K)
    ]


def measure(planted: PlantedPages, folder: Path, n: int, *, index: bool) -> Iterator[str]:
    """Yield the Markdown lines of one size."""
    built = build(planted, folder)
    queries, wanted = planted.asked(n)
    best = true_best(built, planted, queries, folder)
    yield f"\n## {planted.pages:,} pages x {planted.vectors} vectors, {n} queries of {TOKENS}\n"
    yield "| search | p50, ms | p95, ms | of all cores, ms | recall@10 | page first |"
    yield "|---|---|---|---|---|---|"
    exact(queries[0], [queries[0]])  # loads torch
    before = memory()
    led = planted.pages * planted.vectors > visual_search.LED
    name = "leads, bytes of 400 pages" if led else "bytes of all"
    yield row(f"**pagehop**: {name}, the best again", own(built), queries, best, wanted)
    after = memory()
    if led:
        visual_search.LED = sys.maxsize
        yield row("bytes of all, the best again", own(built), queries, best, wanted)
    small = planted.pages * planted.vectors <= 2_000_000
    if small:
        yield row("numpy, float32 in memory", in_numpy(planted), queries, best, wanted)
        few = slice(0, 3)
        yield row("LanceDB, no index", lance(built), queries[few], best[few], wanted[few])
    size = sum(path.stat().st_size for path in (folder / "tables").rglob("*") if path.is_file())
    build_s = 0.0
    if index:
        present = built.table.list_indices()
        start = time.perf_counter()
        if not present:
            from lancedb.index import IvfRq  # noqa: PLC0415 - as library/store.py makes it

            built.table.create_index("vectors", config=IvfRq(distance_type="cosine"))
            build_s = time.perf_counter() - start
        for name, search in (
            ("LanceDB IVF_RQ", lance(built)),
            ("LanceDB IVF_RQ, refine 10", lance(built, refine=10)),
            (f"IVF_RQ, {OVERFETCH * K} fetched, again exactly", over_fetched(built)),
        ):
            yield row(name, search, queries, best, wanted)
    yield ""
    codes = sum(path.stat().st_size for path in (folder / "page_codes").rglob("*.codes"))
    total = sum(path.stat().st_size for path in (folder / "tables").rglob("*") if path.is_file())
    yield (
        f"Disk a page: {size / planted.pages / 1000:.0f} KB of 16-bit vectors, "
        f"{codes / planted.pages / 1000:.0f} KB of bytes"
        + (f", {(total - size) / planted.pages / 1000:.0f} KB of index. " if build_s else ". ")
        + f"Memory of the searches: {after[0] - before[0]:.0f} MB own, "
        f"{after[1] - before[1]:.0f} MB mapped from files. "
        + (f"Written in {built.seconds:.0f} s" if built.seconds else "Written before")
        + (f", index built in {build_s:.0f} s." if build_s else ".")
    )


def memory() -> tuple[float, float]:
    """Return this process's own and file-backed memory in MB."""
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own, mapped = (int(said[key].split()[0]) / 1000 for key in ("RssAnon", "RssFile"))
    return own, mapped


def pruning(pages: int, vectors: int, n: int) -> Iterator[str]:
    """Yield the table of what fewer vectors a page lose."""
    planted = PlantedPages(pages, vectors, seed=1)
    queries, wanted = planted.asked(n)
    every = {
        place: rows
        for i in every_document(planted)
        for place, rows in zip(pages_of(planted, i), planted.document(i), strict=True)
    }
    best = best_of([every], queries)
    yield f"\n## Fewer vectors a page: {pages} pages x {vectors}, {n} queries\n"
    yield (
        "| kept | `drop`: page first, recall@10 | `merge` | means of neighbours, for comparison |\n"
        "|---|---|---|---|"
    )
    for keep in (vectors // 2, vectors // 4, vectors // 8, vectors // 16, 1):
        cells = []
        for how in ("drop", "merge", "mean"):
            fewer = {place: fewer_of(rows, keep, how) for place, rows in every.items()}
            firsts, recalls = 0, []
            for query, true, page in zip(queries, best, wanted, strict=True):
                scores = np.array(exact(query, list(fewer.values())))
                found = [list(fewer)[i] for i in np.argsort(-scores, kind="stable")[:K]]
                firsts += found[0] == page
                recalls.append(len(set(found) & set(true)) / K)
            cells.append(f"{firsts / n:.0%}, {statistics.mean(recalls):.2f}")
        yield f"| {keep} of {vectors} | {' | '.join(cells)} |"


def fewer_of(rows: Vectors, keep: int, how: str) -> Vectors:
    """Return fewer vectors of a page; `mean` averages runs of neighbours."""
    if how == "mean":
        return unit(np.stack([part.mean(axis=0) for part in np.array_split(rows, keep)]))
    return prune(rows, keep, cast(Any, how))


def main() -> None:
    """Measure each size, then what pruning loses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1200x256,5000x256", help="pages x vectors, ...")
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="keep what is built, or use it again")
    parser.add_argument("--no-index", action="store_true", help="leave LanceDB's index out")
    parser.add_argument("--short", action="store_true", help="one small size, in seconds")
    parser.add_argument("--save", action="store_true", help=f"add to {TABLE.name} in docs/")
    args = parser.parse_args()
    sizes = "400x128" if args.short else args.sizes
    with tempfile.TemporaryDirectory() as temporary:
        lines = []
        for size in filter(None, sizes.split(",")):
            pages, vectors = map(int, size.split("x"))
            folder = (args.folder or Path(temporary)) / size
            folder.mkdir(parents=True, exist_ok=True)
            planted = PlantedPages(pages, vectors)
            for line in measure(planted, folder, args.queries, index=not args.no_index):
                lines.append(line)
                print(line, flush=True)
    if not args.no_index:
        small = (80, 64, 2) if args.short else (400, 256, args.queries)
        for line in pruning(*small):
            lines.append(line)
            print(line, flush=True)
    if args.save:
        command = "python benchmarks/visual.py " + " ".join(sys.argv[1:])
        with TABLE.open("a") as file:
            file.write(f"\n{date.today()}: `{command}`\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
