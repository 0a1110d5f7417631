"""How well search finds the pages that hold the answers.

    python benchmarks/retrieval.py --data FOLDER [--library FOLDER] [--save]

FOLDER holds `documents/` and `questions.jsonl`. Questions without gold pages are left out, and so
are those whose pages no person chose (`tags.pages` is `silver`). Pooled: all documents are
searched; given: only those a user would name. Every mode is compared with hybrid by a paired
bootstrap over the questions.
"""

import argparse
import sys
import tempfile
from datetime import date
from functools import partial
from pathlib import Path

import pagehop
from pagehop.evaluation.questions import Question, load_questions
from pagehop.evaluation.retrieval import (
    Ranking,
    paired_bootstrap,
    rank_pages,
    recall_at,
    summarise,
)
from pagehop.finding.search import search

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "retrieval.md"
WAYS = {
    "keyword": ("keyword", "weighted"),
    "semantic": ("semantic", "weighted"),
    "hybrid, reciprocal ranks": ("hybrid", "rrf"),
    "hybrid (default)": ("hybrid", "weighted"),
}
DEFAULT = "hybrid (default)"


class Fused:
    """A view searched with one fusion strategy."""

    def __init__(self, view: pagehop.View, fusion: str) -> None:
        self.search = partial(search, view, fusion=fusion)


def main() -> None:
    """Index the documents unless a library is given, then rank pages for every question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="documents/, questions.jsonl")
    parser.add_argument("--library", type=Path, help="library to reuse; a temporary one otherwise")
    parser.add_argument("--silver", action="store_true", help="also questions with silver pages")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    args = parser.parse_args()
    questions = [q for q in load_questions(args.data) if q.gold]
    chosen = [q for q in questions if q.tags.get("pages") != "silver"]
    if not chosen:
        sys.exit(f"no question in {args.data} has gold pages")
    with tempfile.TemporaryDirectory() as folder:
        library = pagehop.Library(args.library or folder)
        library.add(args.data / "documents")
        view = library.view()
        text = report(view, chosen, "a person chose the gold pages")
        if args.silver:
            silver = [q for q in questions if q not in chosen]
            text += "\n\n" + report(view, silver, "silver pages: numbers of the answer occur there")
        library.close()
    print(text)
    if args.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        command = f"python benchmarks/retrieval.py --data {args.data}"
        command += (" --silver" if args.silver else "") + " --save"
        TABLE.write_text(f"# Finding the right page\n\n{date.today()}: `{command}`\n\n{text}\n")


def report(view: pagehop.View, questions: list[Question], kind: str) -> str:
    """Return the Markdown tables of both settings."""
    documents = view.documents()
    pages = sum(document.pages for document in documents)
    parts = [f"{len(questions)} questions ({kind}), {len(documents)} documents, {pages} pages."]
    for title, given in (("All documents searched", False), ("Document given", True)):
        rankings = {
            name: rank_pages(Fused(view, fusion), questions, mode=mode, given=given)
            for name, (mode, fusion) in WAYS.items()
        }
        parts.append(table(title, rankings))
    return "\n\n".join(parts)


def table(title: str, rankings: dict[str, list[Ranking]]) -> str:
    """Return one table: a line a way, the default's lead over it at 5 with its 95 % interval."""
    best = recall_at(rankings[DEFAULT], 5)
    lines = []
    for name, ranked in rankings.items():
        means = summarise(ranked)
        if not lines:
            lines.append(f"| {title} | {' | '.join(means)} | default's lead in R@5 |")
            lines.append("|---" * (len(means) + 2) + "|")
        lead = paired_bootstrap(best, recall_at(ranked, 5))
        span = f"{lead.mean:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]" if name != DEFAULT else ""
        lines.append(f"| {name} | {' | '.join(f'{m:.3f}' for m in means.values())} | {span} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
