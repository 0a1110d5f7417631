"""Layout and table cells: how right and how fast, next to PyMuPDF's own model layout.

    python benchmarks/layout.py [--data FOLDER] [--labels] [--keep FOLDER] [--save]

1. Pages whose labels are known by construction (`layout_pages`): F1 of regions by kind, a region
   being found when one of its kind overlaps it by half (intersection over union); of table cells,
   by neighbours (each cell with the next one to its right and below it).
2. With `--data`, hand-checked pages of real documents (`layout_labels.json`: boxes, kinds and cells
   as hashes), and the rate over all of them; PyMuPDF's rate over every 20th page, in the same run.
   With `--labels`, only the hand-checked pages.

List items of PyMuPDF are joined to lists, as ours are; its boxes of turned sheets are tried in both
frames and the better one counts. Its cells are those of `Page.find_tables`.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from layout_scores import KINDS, Box, cell_score, matched, region_scores

HERE = Path(__file__).parent
TABLE = HERE.parent / "docs" / "benchmarks" / "layout.md"
LABELS = HERE / "layout_labels.json"
LABELLED = "Hand-checked pages of real documents"
THEIRS = {
    "section-header": "heading", "list-item": "list", "picture": "figure",
    "page-header": "header", "page-footer": "footer",
}  # fmt: skip
EVERY = 20
Found = dict[str, Any]
"""`regions`: kind and box; `tables`: rows of texts."""


def main() -> None:
    """Read the pages with both, and print how well each did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="holds documents/")
    parser.add_argument("--labels", action="store_true", help="of --data, the labelled pages only")
    parser.add_argument("--documents", type=int, default=60, help="made documents, 6 pages each")
    parser.add_argument("--keep", type=Path, help="folder of pages and findings, used again")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--cells", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        jobs = json.load(sys.stdin)
        found = ours(jobs) if args.side == "ours" else theirs(jobs, cells=args.cells)
        args.out.write_text(json.dumps(found))
        return
    if args.labels and not args.data:
        parser.error("--labels needs --data")
    with tempfile.TemporaryDirectory() as folder:
        keep = args.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        if args.labels:
            parts = {LABELLED: labelled(args.data / "documents", keep)}
        else:
            parts = report(keep, args.data, args.documents)
    command = f"python {Path(__file__).parent.name}/{Path(__file__).name}"
    command += (f" --data {args.data}" if args.data else "") + " --labels" * args.labels
    for title, text in parts.items():
        print(f"## {title}\n\n{text}\n")
        if args.save:
            write_part(title, f"{date.today()}: `{command} --save`\n\n{text}")


def write_part(title: str, text: str) -> None:
    """Put one part of the table into its file, in place of what stood under that title."""
    old = TABLE.read_text() if TABLE.exists() else "# Layout and tables\n"
    head, *parts = re.split(r"^## ", old, flags=re.M)
    kept = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}
    kept[title] = text
    body = "\n\n".join(f"## {name}\n\n{part}" for name, part in kept.items())
    TABLE.write_text(f"{head.strip()}\n\n{body}\n")


def report(folder: Path, data: Path | None, documents: int) -> dict[str, str]:
    """Return the Markdown of all parts by title."""
    from layout_pages import make_pages  # noqa: PLC0415 - reportlab is not needed for --labels

    made = [asdict(page) for page in make_pages(folder, documents, seed=7)]
    gold = {f"{folder / p['file']}:{p['page']}": p["labels"] for p in made}
    parts = {"Made pages": _compared(gold, folder)}
    if data:
        parts[LABELLED] = labelled(data / "documents", folder)
        parts["Rate over real documents"] = _rates(data / "documents", folder)
    return parts


def labelled(documents: Path, folder: Path) -> str:
    """Return the table of the pages that were labelled by hand."""
    pages = json.loads(LABELS.read_text())
    return _compared({f"{documents / place}": regions for place, regions in pages.items()}, folder)


def _jobs(gold: dict[str, Any]) -> dict[str, list[int]]:
    jobs: dict[str, list[int]] = defaultdict(list)
    for place in gold:
        path, _, page = place.rpartition(":")
        jobs[path].append(int(page))
    return jobs


def _run(side: str, jobs: dict[str, list[int]], folder: Path, *more: str) -> Found:
    asked = json.dumps([side, jobs, more], sort_keys=True)
    out = folder / f"{side}_{hashlib.sha256(asked.encode()).hexdigest()[:12]}.json"
    if side == "theirs" and out.exists():  # half a second a page
        kept: Found = json.loads(out.read_text())
        return kept
    command = [sys.executable, __file__, "--side", side, "--out", str(out), *more]
    subprocess.run(command, input=json.dumps(jobs), text=True, check=True)
    found: Found = json.loads(out.read_text())
    return found


def ours(jobs: dict[str, list[int]]) -> Found:
    """Read whole documents, as ingestion does, and keep the pages asked for."""
    sys.modules["pymupdf.layout"] = None  # type: ignore[assignment]
    sys.modules["pymupdf4llm"] = None  # type: ignore[assignment]
    import pymupdf  # noqa: PLC0415 - not beside the model layout

    # Ours is loaded in its own process only, so that neither side pays for the other.
    from pagehop.layout.page_tables import pack_cells, read_tables  # noqa: PLC0415
    from pagehop.layout.regions import LayoutState, read_chunk  # noqa: PLC0415
    from pagehop.reading.pdf_page import read_lines, read_outline  # noqa: PLC0415
    from pagehop.types import OutlineEntry, PageRef, Region  # noqa: PLC0415

    pymupdf.TOOLS.mupdf_display_errors(False)
    flags = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_WHITESPACE
    pages: dict[str, Found] = {}
    seconds = 0.0
    count = 0
    for path, numbers in jobs.items():
        start = time.process_time()
        document = pymupdf.open(path)
        state = LayoutState(outline=[OutlineEntry(*e) for e in read_outline(document)])
        read = []
        for first in range(0, len(document), 64):
            last = min(first + 64, len(document))
            lines = [read_lines(document[i], i + 1, flags)[1] for i in range(first, last)]
            read += read_chunk(lines, state)
        seconds += time.process_time() - start
        count += len(document)
        for page, blocks in read:
            if page.number not in numbers:
                continue
            tables = []
            for block in blocks:
                if block.cells:
                    cells = pack_cells(block.cells, block.note, page.placed)
                    region = Region("", "", "", 1, 0, "table", page.placed(block.box), "", "",
                                    cells=cells)  # fmt: skip
                    (table,) = read_tables(PageRef("x", page.number), [region])
                    tables.append(_grid(table))
            regions = [(block.kind, page.placed(block.box)) for block in blocks]
            pages[f"{path}:{page.number}"] = {"regions": regions, "tables": tables}
    return {"pages": pages, "seconds": seconds, "count": count}


def _grid(table: Any) -> list[list[str]]:
    rows = [[""] * table.width for _ in range(table.height)]
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


def theirs(jobs: dict[str, list[int]], *, cells: bool) -> Found:
    """Run PyMuPDF's model layout; the clock stops while tables are cut into cells."""
    import pymupdf  # noqa: PLC0415
    import pymupdf.layout  # noqa: PLC0415 - what makes `get_layout` work

    pymupdf.TOOLS.mupdf_display_errors(False)
    pages: dict[str, Found] = {}
    seconds = 0.0
    for path, numbers in jobs.items():
        document = pymupdf.open(path)
        for number in numbers:
            page = document[number - 1]
            start = time.process_time()
            page.get_layout()
            seconds += time.process_time() - start
            turned = page.rotation_matrix
            width, height = page.rect.width, page.rect.height
            frames = []
            for turn in (False, True):
                regions = []
                for *box, kind in page.layout_information or ():
                    rect = pymupdf.Rect(box) * turned if turn else pymupdf.Rect(box)
                    part = rect.x0 / width, rect.y0 / height, rect.x1 / width, rect.y1 / height
                    regions.append((THEIRS.get(kind, kind), part))
                frames.append(_joined_lists(regions))
            tables = [
                [[cell or "" for cell in row] for row in table.extract()]
                for table in (page.find_tables().tables if cells else ())
            ]  # fmt: skip
            pages[f"{path}:{number}"] = {"frames": frames, "tables": tables}
    return {"pages": pages, "seconds": seconds, "count": len(pages)}


def _joined_lists(regions: list[tuple[str, Box]]) -> list[tuple[str, Box]]:
    """Join items of a list that follow one another."""
    joined: list[tuple[str, Box]] = []
    for kind, box in regions:
        if joined and kind == "list" == joined[-1][0]:
            last = joined[-1][1]
            if box[0] < last[2] and last[0] < box[2] and -0.01 < box[1] - last[3] < 0.04:
                low, high = map(min, last[:2], box[:2]), map(max, last[2:], box[2:])
                joined[-1] = ("list", (*low, *high))
                continue
        joined.append((kind, box))
    return joined


def _compared(gold: dict[str, Any], folder: Path) -> str:
    jobs = _jobs(gold)
    us, them = _run("ours", jobs, folder), _run("theirs", jobs, folder, "--cells")
    found = {place: page["regions"] for place, page in us["pages"].items()}
    framed = {
        place: max(page["frames"], key=lambda frame, place=place: len(matched(gold[place], frame)))
        for place, page in them["pages"].items()
    }
    mine, other = region_scores(gold, found), region_scores(gold, framed)
    heads = f"| F1 of, on {len(gold)} pages | regions | pagehop | PyMuPDF layout |"
    lines = [heads, "|---" * 4 + "|"]
    for kind in (*KINDS, "all"):
        if mine[kind][1]:
            lines.append(
                f"| {kind} | {mine[kind][1]} | {mine[kind][0]:.3f} | {other[kind][0]:.3f} |"
            )
    if any(label.get("cells") for labels in gold.values() for label in labels):
        cells = [
            cell_score(gold, {place: page["tables"] for place, page in run["pages"].items()})
            for run in (us, them)
        ]
        lines.append(f"| table cells | {cells[0][1]} | {cells[0][0]:.3f} | {cells[1][0]:.3f} |")
    return "\n".join(lines)


def _rates(real: Path, folder: Path) -> str:
    """Return pages per second of processor time of both, in one run."""
    paths = sorted(real.glob("*.pdf"))
    us = _run("ours", {str(path): [] for path in paths}, folder)
    import pymupdf  # noqa: PLC0415 - counts pages only

    jobs: dict[str, Any] = {}
    at = 0
    for path in paths:
        with pymupdf.open(path) as document:
            chosen = [i + 1 for i in range(len(document)) if (at + i) % EVERY == 0]
            at += len(document)
        if chosen:
            jobs[str(path)] = chosen
    them = _run("theirs", jobs, folder)
    mine, other = us["count"] / us["seconds"], them["count"] / them["seconds"]
    return (
        "| | pages | pages per second of processor time |\n"
        f"|---|---|---|\n| pagehop, layout and cells | {us['count']} | {mine:.1f} |\n"
        f"| PyMuPDF `get_layout` | {them['count']} | {other:.2f} |\n"
        f"| ratio | | {mine / other:.0f} |"
    )


if __name__ == "__main__":
    main()
