"""How well `builtin` answers question files.

    python benchmarks/answers.py --data FOLDER [--questions FILE] [--library FOLDER]
        [--set NAME ...] [--half dev|confirm] [--limit N] [--concurrency 2] [--show] [--save]

FOLDER holds the PDFs (`documents/` in it, or itself) and `questions.jsonl`. A question's `scope`
restricts the view. Measured:

- first / any citation on a gold page, of the questions with gold pages;
- refused (`unanswerable`) of the unanswerable ones, and of the answerable ones (wrongly);
- numeric answers: the first numbers that the answer states against the numbers of the gold answer.
  Right when each is within 1 % (or half of gold's last digit); percent signs, currency, scale words
  and the sign of a difference asked without direction do not count; .25 and 25 % are the same.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pagehop
from pagehop.rules.numbers import find_numbers

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "answers.md"
_TOLERANCE = 0.01
ASKED: ContextVar[str] = ContextVar("asked", default="")
"""Id of the question that a task is at."""


@dataclass(frozen=True)
class Outcome:
    """One question and how its answer fared; None where it does not apply."""

    id: str
    set: str
    half: str
    human_pages: bool
    answerable: bool | None
    status: str
    first: bool | None
    """The first citation is on a gold page."""
    any: bool | None
    numeric: bool | None
    seconds: float
    question: str
    gold: str
    answer: str
    cited: str


def main() -> None:
    """Index the documents unless a library is given, ask every question, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of PDFs and questions")
    parser.add_argument("--questions", type=Path, help="default: questions.jsonl in the folder")
    parser.add_argument("--library", type=Path, help="library to use or make; else a temporary one")
    parser.add_argument("--set", action="append", default=[], help="only questions of these sets")
    parser.add_argument("--half", choices=("dev", "confirm"), help="only one half, by id")
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--effort", choices=("low", "medium", "high"))
    parser.add_argument(
        "--human", action="store_true", help="only with human pages or none to find"
    )
    parser.add_argument("--show", action="store_true", help="print each answer")
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    args = parser.parse_args()
    questions = chosen(args)
    with tempfile.TemporaryDirectory() as folder:
        library = pagehop.Library(args.library or folder)
        library.add(pdf_folder(args.data))
        outcomes = asyncio.run(ask_all(library, questions, args.concurrency, args.effort))
        library.close()
    if args.show:
        for outcome in outcomes:
            print(json.dumps(vars(outcome), ensure_ascii=False))
    table = report(outcomes)
    print(table)
    if args.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        command = "python benchmarks/answers.py " + " ".join(sys.argv[1:])
        notes = (__doc__ or "").split("Measured:")[1].strip()
        TABLE.write_text(
            f"# Answers of the built-in reasoner\n\n{date.today()}: `{command}`\n\n{notes}\n\n"
            f"{table}\n"
        )


def chosen(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Read the question file and keep what the options ask for."""
    path = args.questions or next(
        p
        for p in (args.data / "questions.jsonl", args.data.parent / "questions.jsonl")
        if p.exists()
    )
    questions = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    if args.set:
        questions = [q for q in questions if tags(q).get("set") in args.set]
    if args.half:
        questions = [q for q in questions if half(q) == args.half]
    if args.human:
        questions = [
            q for q in questions if tags(q).get("pages") == "human" or q.get("answerable") is False
        ]
    return questions[: args.limit]


def pdf_folder(data: Path) -> Path:
    """Return the folder of PDFs."""
    return data / "documents" if (data / "documents").is_dir() else data


def tags(question: dict[str, Any]) -> dict[str, Any]:
    """Return the tags of a question, empty when it has none."""
    return question.get("tags") or {}


def half(question: dict[str, Any]) -> str:
    """Part the questions in two by their ids: one to develop with, one to confirm."""
    return "dev" if zlib.crc32(str(question["id"]).encode()) % 2 == 0 else "confirm"


async def ask_all(
    library: pagehop.Library,
    questions: Sequence[dict[str, Any]],
    concurrency: int,
    effort: Any = None,
) -> list[Outcome]:
    """Ask every question, some at once."""
    view = library.view()
    gate = asyncio.Semaphore(concurrency)

    async def one(question: dict[str, Any]) -> Outcome:
        async with gate:
            ASKED.set(str(question["id"]))
            scope = question.get("scope")
            source = view.within(scope) if scope else view
            started = time.perf_counter()
            answer = await pagehop.aask(question["question"], source, record=False, effort=effort)
            return judge(question, answer, time.perf_counter() - started)

    return list(await asyncio.gather(*(one(q) for q in questions)))


def judge(question: dict[str, Any], answer: pagehop.Answer, seconds: float) -> Outcome:
    """Compare an answer with its question's gold."""
    gold = {(e["document"], e["page"]) for e in question.get("evidence") or ()}
    cited = [(c.document, c.page) for c in answer.citations]
    numbers = gold_numbers(question)
    return Outcome(
        id=str(question["id"]),
        set=str(tags(question).get("set", "all")),
        half=half(question),
        human_pages=tags(question).get("pages") not in ("none", "silver") and bool(gold),
        answerable=question.get("answerable"),
        status=answer.status,
        first=(cited[:1] != [] and cited[0] in gold) if gold else None,
        any=bool(gold & set(cited)) if gold else None,
        numeric=numbers_match(answer, numbers, question) if numbers else None,
        seconds=seconds,
        question=question["question"],
        gold=f"{question.get('answers')} {sorted(gold)}"[:300],
        answer=(answer.text or answer.error)[:500],
        cited=" ".join(f"{name}:{page}" for name, page in cited),
    )


def gold_numbers(question: dict[str, Any]) -> list[list[float]]:
    """Return alternatives of the numbers that answer a question; empty when words do."""
    options: list[list[float]] = []
    for text in question.get("answers") or ():
        if re.search(r"[a-z]{4}", re.sub(r"\b(thousand|million|billion|percent)\b", "", str(text))):
            continue
        parts = re.findall(r"'([^']*)'", str(text)) or [str(text)]
        numbers = [n.value / n.scale for part in parts for n in find_numbers(part)]
        if numbers:
            options.append(numbers)
    return options


def numbers_match(
    answer: pagehop.Answer, options: Sequence[Sequence[float]], question: dict[str, Any]
) -> bool:
    """Whether the answer's first numbers are those of one gold alternative, in any order."""
    if answer.status == "unanswerable":
        return False
    text = re.sub(r"\[\d+\]", "", answer.text)
    stated = [n.value / n.scale for n in find_numbers(text)]
    directed = re.search(
        r"\b(from|change|growth|increase|decrease)\b", question["question"].lower()
    )
    for numbers in options:
        head = stated[: len(numbers)]
        if len(head) == len(numbers) and all(
            any(_close(s, n, signed=bool(directed)) for s in head) for n in numbers
        ):
            return True
    return False


def _close(stated: float, gold: float, *, signed: bool) -> bool:
    if not signed:
        stated, gold = abs(stated), abs(gold)
    digits = len(str(gold).partition(".")[2].rstrip("0"))
    slack = max(abs(gold) * _TOLERANCE, 0.5 * 10**-digits if digits else 0.0)
    return any(abs(stated * factor - gold) <= slack for factor in (1, 0.01))


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the Markdown table, one row a set and half, and the totals."""
    lines = [
        "| questions | n | first citation on a gold page | any citation | refused, unanswerable "
        "| refused, answerable | numbers right | median s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: list[tuple[str, list[Outcome]]] = [("all", list(outcomes))]
    human = [o for o in outcomes if o.human_pages]
    groups += [("pages by hand", human)]
    for name in ("dev", "confirm"):
        groups.append((f"{name} half", [o for o in outcomes if o.half == name]))
        groups.append((f"{name} half, pages by hand", [o for o in human if o.half == name]))
    for name in dict.fromkeys(o.set for o in outcomes):
        groups.append((name, [o for o in outcomes if o.set == name]))
    for name, group in groups:
        if group:
            lines.append(_row(name, group))
    return "\n".join(lines)


def _row(name: str, group: Sequence[Outcome]) -> str:
    refused = [(o.answerable, o.status == "unanswerable") for o in group]
    seconds = sorted(o.seconds for o in group)
    cells = [
        share(o.first for o in group if o.human_pages),
        share(o.any for o in group if o.human_pages),
        share(r for answerable, r in refused if answerable is False),
        share(r for answerable, r in refused if answerable),
        share(o.numeric for o in group),
    ]
    return f"| {name} | {len(group)} | {' | '.join(cells)} | {seconds[len(seconds) // 2]:.2f} |"


def share(flags: Iterable[bool | None]) -> str:
    """Write the share of flags that are set, of those that apply."""
    known = [bool(flag) for flag in flags if flag is not None]
    return f"{sum(known) / len(known):.3f} ({sum(known)}/{len(known)})" if known else ""


if __name__ == "__main__":
    main()
