"""How well search finds pages in scans of documents, against the documents themselves.

    python benchmarks/scans.py --data FOLDER --work FOLDER [--pages N]

FOLDER holds `documents/` and `questions.jsonl`. Of the documents for which a person chose gold
pages, those with the fewest pages are taken until there are N. Each is made a scan: 150 dpi,
turned by a degree, noisy, no text layer. Both libraries are kept in `--work`, so that a stopped
run goes on.
"""

import argparse
import sys
import time
from pathlib import Path

import pagehop
from pagehop.evaluation.questions import Question, load_questions
from pagehop.evaluation.rasters import placed_words, save_scans, scan_page
from pagehop.evaluation.retrieval import rank_pages, recall_at
from pagehop.library.view import View
from pagehop.reading.parsed import PdfJob
from pagehop.reading.pdf_pool import PdfPool

DPI = 150
SKEW = 1.0
MODES = ("keyword", "semantic", "hybrid")
NEAR = 0.25
"""Lines by which a quote's box may be off."""


def main() -> None:
    """Make the scans, index both, and rank pages for every question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="documents/, questions.jsonl")
    parser.add_argument("--work", type=Path, required=True, help="scans and libraries go here")
    parser.add_argument("--pages", type=int, default=210, help="most pages")
    args = parser.parse_args()
    questions = [q for q in load_questions(args.data) if q.gold and q.tags.get("pages") == "human"]
    pool = PdfPool()
    names = choose(pool, args.data / "documents", questions, args.pages)
    chosen = [q for q in questions if {name for name, _ in q.gold} <= set(names)]
    if not chosen:
        sys.exit(f"no question in {args.data} has gold pages in {args.pages} pages")
    make_scans(pool, args.data / "documents", args.work / "scans", names)
    pool.close()
    views = {}
    for what, folder in (("text", args.data / "documents"), ("scans", args.work / "scans")):
        library = pagehop.Library(args.work / f"{what} library")
        start = time.monotonic()
        report = library.add([folder / name for name in names], progress=True)
        print(f"{what}: {library.status()} in {time.monotonic() - start:.0f} s", file=sys.stderr)
        assert not report.failed, report.failed
        views[what] = library.view().within(names)
    pages = sum(document.pages for document in views["scans"].documents())
    print(f"{len(chosen)} questions, {len(names)} documents, {pages} pages: {', '.join(names)}\n")
    print(table(views, chosen))
    print(f"\nQuotes: {quotes(views, chosen)}")


def choose(pool: PdfPool, folder: Path, questions: list[Question], most: int) -> list[str]:
    """Return the documents with gold pages that have the fewest pages."""
    sources = sorted({name for q in questions for name, _ in q.gold})
    jobs = [PdfJob(folder / name) for name in sources]
    counts = {str(job.path.name): len(text.pages) for job, text in pool.texts(jobs)}  # type: ignore[union-attr]
    chosen: list[str] = []
    for name in sorted(sources, key=lambda name: (counts[Path(name).name], name)):
        if sum(counts[Path(n).name] for n in (*chosen, name)) > most:
            break
        chosen.append(name)
    return chosen


def make_scans(pool: PdfPool, folder: Path, out: Path, names: list[str]) -> None:
    """Make the scans that are not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (out / name).exists():
            ((_, text),) = pool.texts([PdfJob(folder / name)])
            pictures = [
                scan_page(pool, folder / name, page.page, dpi=DPI, skew=SKEW)
                for page in text.pages  # type: ignore[union-attr]
            ]
            save_scans(pictures, out / name, dpi=DPI)


def table(views: dict[str, View], questions: list[Question]) -> str:
    """Return page recall of both libraries, in Markdown."""
    lines = ["| R@5 | text layer | scans | ratio |", "|---|---|---|---|"]
    for given in (False, True):
        for mode in MODES:
            text, scans = (
                recall_at(rank_pages(view, questions, mode=mode, given=given), 5)
                for view in views.values()
            )
            a, b = (sum(values) / len(values) for values in (list(text), list(scans)))
            where = "document given" if given else "all documents"
            lines.append(f"| {mode}, {where} | {a:.3f} | {b:.3f} | {b / a:.2f} |")
    return "\n".join(lines)


def quotes(views: dict[str, View], questions: list[Question]) -> str:
    """Say how many lines of the gold pages are found on the scans, and stand where they should.

    A quote is a line of the text layer of at least six words that is there once.
    """
    tried = found = right = 0
    names = {view_: {d.source: d.name for d in view.documents()} for view_, view in views.items()}
    for source, number in sorted({gold for q in questions for gold in q.gold}):
        page = views["text"].page(pagehop.PageRef(names["text"][source], number))
        where = pagehop.PageRef(names["scans"][source], number)
        (text,) = views["text"].snapshot.page_texts(page.document, (number,))
        turned = placed_words(text, skew=SKEW)
        for line in range(1 + max((word.line for word in page.words), default=-1)):
            words = [i for i, word in enumerate(page.words) if word.line == line]
            quote = " ".join(page.words[i].text for i in words)
            if len(words) < 6 or page.text.count(quote) != 1:
                continue
            tried += 1
            located = views["scans"].locate(where, quote)
            if located is None:
                continue
            found += 1
            xs = [turned[i].x / page.width_pt for i in words]
            ys = [turned[i].y / page.height_pt for i in words]
            slack = NEAR * turned[words[0]].height / page.height_pt
            box = located.box
            inside = box[0] <= min(xs) and max(xs) <= box[2]
            middle = abs((box[1] + box[3]) / 2 - (min(ys) + max(ys)) / 2) <= slack
            right += inside and middle
    return (
        f"{tried} lines of the gold pages, {found} found on the scans, {right} in the right place"
    )


if __name__ == "__main__":
    main()
