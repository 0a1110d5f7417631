"""How well search finds the pages that hold the answers.

    python benchmarks/retrieval.py --data FOLDER [--library FOLDER] [--save]

FOLDER holds `documents/` and `questions.jsonl`. Questions without gold pages are left out, and so
are those whose pages no person chose (`tags.pages` is `silver`). Pooled: all documents are
searched; given: only those a user would name. Every way to rank is compared with the default by a
paired bootstrap over the questions. Questions about several documents have a table of their own:
the share of their documents among the first ten pages.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
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
from pagehop.finding.fusion import STRATEGIES
from pagehop.types import Hits, Mode

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "retrieval.md"
SEVERAL = 4
"""Gold documents of a question in the table of documents."""


@dataclass(frozen=True)
class Way:
    """One way to search."""

    mode: Mode = "hybrid"
    fusion: str = "weighted"
    rerank: str = ""


DEFAULT = "hybrid: weighted (default)"
WAYS = {
    "keyword": Way("keyword"),
    "semantic": Way("semantic"),
    DEFAULT: Way(),
    **{f"hybrid: {name}": Way(fusion=name) for name in STRATEGIES if name != "weighted"},
    "default, then late": Way(rerank="late"),
}
"""`vote` has no judge here: its round-robin order. Cross-encoders need weights that are not
shipped."""


class Timed:
    """A view searched in one way; each search is timed."""

    def __init__(self, view: pagehop.View, way: Way) -> None:
        self._view = view
        self._way = way
        self.seconds: list[float] = []

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        documents: Collection[str] | None = None,
    ) -> Hits:
        """Find pages; the way's mode counts."""
        way = self._way
        start = time.perf_counter()
        hits = self._view.search(
            query, k=k, mode=way.mode, documents=documents, fusion=way.fusion, rerank=way.rerank
        )
        self.seconds.append(time.perf_counter() - start)
        return hits

    @property
    def p50_ms(self) -> float:
        """Median time of a search."""
        return 1000 * statistics.median(self.seconds)


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
        several = [q for q in load_questions(args.data) if len(set(q.documents)) == SEVERAL]
        if several:
            text += "\n\n" + documents_table(view, several)
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
        timed = {name: Timed(view, way) for name, way in WAYS.items()}
        rankings = {name: rank_pages(t, questions, given=given) for name, t in timed.items()}
        parts.append(table(title, rankings, {name: t.p50_ms for name, t in timed.items()}))
    return "\n\n".join(parts)


def table(title: str, rankings: dict[str, list[Ranking]], p50_ms: dict[str, float]) -> str:
    """Return one table: a line a way, the default's lead over it at 5 with its 95 % interval."""
    best = recall_at(rankings[DEFAULT], 5)
    lines = []
    for name, ranked in rankings.items():
        means = summarise(ranked)
        if not lines:
            lines.append(f"| {title} | {' | '.join(means)} | default's lead in R@5 | p50, ms |")
            lines.append("|---" * (len(means) + 3) + "|")
        lead = paired_bootstrap(best, recall_at(ranked, 5))
        span = f"{lead.mean:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]" if name != DEFAULT else ""
        numbers = " | ".join(f"{m:.3f}" for m in means.values())
        lines.append(f"| {name} | {numbers} | {span} | {p50_ms[name]:.0f} |")
    return "\n".join(lines)


def documents_table(view: pagehop.View, questions: Sequence[Question]) -> str:
    """Return the share of gold documents among the first ten pages, a line a way."""
    lines = [
        f"{len(questions)} questions about {SEVERAL} documents.",
        "",
        "| All documents searched | gold documents in the first 10 pages |",
        "|---|---|",
    ]
    for name, way in WAYS.items():
        timed = Timed(view, way)
        shares = [
            len({hit.document for hit in timed.search(q.question)} & set(q.documents)) / SEVERAL
            for q in questions
        ]
        lines.append(f"| {name} | {statistics.mean(shares):.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
