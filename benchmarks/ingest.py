"""How fast a folder becomes searchable: pagehop, a bare PyMuPDF loop, and the usual default stack.

    python benchmarks/ingest.py --data FOLDER [--peers] [--limit N] [--save]

Each system runs in a process of its own over the same files, one after the other, in one call:

- `bare loop`: PyMuPDF `page.get_text()` over every page, one process, nothing kept.
- `pagehop`: `Library.add`, from the call to the first keyword search over all pages, then until
  every passage has a vector. Start of the worker processes included.
- `default stack` (`--peers`): PyPDFLoader, RecursiveCharacterTextSplitter (1000 / 200),
  the same encoder through sentence-transformers, FAISS.

Memory is the peak of the process and, for pagehop, of its workers added, sampled every 50 ms.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

os.environ.setdefault("PAGEHOP_OCR__ENGINE", "none")  # the peers read no pictures of text
QUERY = "total revenue compared with the previous year"
TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "ingest.md"


def main() -> None:
    """Run each system in its own process and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of PDFs")
    parser.add_argument("--peers", action="store_true", help="also run the default stack (slow)")
    parser.add_argument("--limit", type=int, default=0, help="first N files only; 0 means all")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    parser.add_argument("--system", choices=sorted(SYSTEMS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    files = sorted(args.data.rglob("*.pdf"))[: args.limit or None]
    if not files:
        parser.error(f"{args.data} holds no PDF")
    if args.system:
        print(json.dumps(SYSTEMS[args.system](files)))
        return
    names = ["bare loop", "pagehop", *(["default stack"] if args.peers else [])]
    table = render({name: run_alone(name) for name in names}, len(files))
    print(table)
    if args.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        command = "python benchmarks/ingest.py " + " ".join(sys.argv[1:])
        TABLE.write_text(f"# Ingestion\n\n{date.today()}: `{command}`\n\n{table}\n")


def run_alone(name: str) -> dict[str, float]:
    """Run one system in a fresh process; its last line is its result."""
    done = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--system", name],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    last = done.stdout.splitlines()[-1]
    print(f"{name}: {last}", file=sys.stderr, flush=True)
    return dict(json.loads(last))


def bare_loop(files: list[Path]) -> dict[str, float]:
    """Read the plain text of every page and keep nothing."""
    import pymupdf  # noqa: PLC0415 - each process loads only what it measures

    memory, start, pages = PeakMemory(), time.perf_counter(), 0
    for file in files:
        with pymupdf.open(file) as document:
            for page in document:
                page.get_text()
                pages += 1
    return {"pages": pages, "first_s": time.perf_counter() - start, "mb": memory.stop()}


def pagehop_library(files: list[Path]) -> dict[str, float]:
    """Add the files to a new library; time the first full keyword search and the last vector."""
    import pagehop  # noqa: PLC0415 - each process loads only what it measures

    with tempfile.TemporaryDirectory() as folder:
        memory, start = PeakMemory(), time.perf_counter()
        library = pagehop.Library(folder)
        library.add(files, wait=False)
        while not library.status().text_complete:
            time.sleep(0.01)
        hits = library.search(QUERY, mode="keyword")
        first = time.perf_counter() - start
        library.wait()
        embedded = time.perf_counter() - start
        status = library.status()
        assert hits and status.pages, "nothing was indexed"
        result = {"pages": status.pages, "first_s": first, "embedded_s": embedded}
        result["passages"] = status.passages
        library.close()
        return result | {"mb": memory.stop()}


def default_stack(files: list[Path]) -> dict[str, float]:
    """Do what most tutorials do, with the same encoder."""
    import warnings  # noqa: PLC0415 - each process loads only what it measures

    warnings.simplefilter("ignore")
    import faiss  # noqa: PLC0415
    from langchain_community.document_loaders import PyPDFLoader  # noqa: PLC0415
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    from pagehop.models.text_encoder import load_text_encoder  # noqa: PLC0415

    folder = load_text_encoder().tokenizer_path.parent
    encoder = SentenceTransformer(str(folder), device="cpu")
    memory, start = PeakMemory(), time.perf_counter()
    pages, unread = [], 0
    for file in files:
        try:
            pages += PyPDFLoader(str(file)).load()
        except Exception as error:
            print(f"default stack: {file.name}: {error}", file=sys.stderr)
            unread += 1
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    chunks = splitter.split_documents(pages)
    vectors = encoder.encode([chunk.page_content for chunk in chunks], normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    index.search(encoder.encode([QUERY], normalize_embeddings=True), 10)
    seconds = time.perf_counter() - start
    result = {"pages": len(pages), "first_s": seconds, "embedded_s": seconds}
    return result | {"passages": len(chunks), "unread": unread, "mb": memory.stop()}


class PeakMemory:
    """Samples the resident memory of this process and its children."""

    def __init__(self) -> None:
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        import psutil  # noqa: PLC0415 - each process loads only what it measures

        me = psutil.Process()
        while not self._done.wait(0.05):
            total = me.memory_info().rss
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._peak = max(self._peak, total)

    def stop(self) -> float:
        """Return the peak in MB."""
        self._done.set()
        self._thread.join()
        return self._peak / 1e6


def render(results: dict[str, dict[str, float]], files: int) -> str:
    """Return the Markdown table, with ratios to the bare loop and to the default stack."""
    bare = results["bare loop"]["pages"] / results["bare loop"]["first_s"]
    head = "| system | pages | to first search, pages/s | ratio to bare loop |"
    lines = [
        f"{files} files, {results['bare loop']['pages']:.0f} pages.",
        "",
        head + " to everything embedded, pages/s | passages | peak memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        first = row["pages"] / row["first_s"]
        whole = f"{row['pages'] / row['embedded_s']:.1f}" if "embedded_s" in row else ""
        lines.append(
            f"| {name} | {row['pages']:.0f} | {first:.1f} | {first / bare:.2f} | {whole} "
            f"| {row.get('passages', 0):.0f} | {row['mb']:.0f} |"
        )
    if "default stack" in results:
        first, whole = (
            rate(results["pagehop"], until) / rate(results["default stack"], until)
            for until in ("first_s", "embedded_s")
        )
        lines += [
            "",
            f"pagehop over the default stack, in pages/s: {first:.1f}x to first search, "
            f"{whole:.1f}x to everything embedded.",
        ]
        if unread := results["default stack"]["unread"]:
            lines += ["", f"The default stack failed on {unread:.0f} of the files; its rate is "
                      "over the pages that it read."]  # fmt: skip
    return "\n".join(lines)


def rate(row: dict[str, float], until: str) -> float:
    """Return pages a second."""
    return row["pages"] / row[until]


SYSTEMS = {"bare loop": bare_loop, "pagehop": pagehop_library, "default stack": default_stack}

if __name__ == "__main__":
    main()
