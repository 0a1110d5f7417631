"""Random transient faults of the endpoint: how many runs end as they do without any.

    python benchmarks/faults.py [--data examples] [--library FOLDER] [--runs 200] [--save]

A stand-in model answers behind a real local endpoint and a real client (evaluation/stand_in.py);
of its replies 5 % are a timeout, 429, 500, a cut or broken body, a lost connection or nothing at
all. A run ends as without faults when status, text and citations are the same.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pagehop
from pagehop.answers import Answer
from pagehop.evaluation.stand_in import stand_in
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model
from pagehop.models.stub_endpoint import StubEndpoint

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "faults.md"
TARGET = 0.99
AT_ONCE = 4


@dataclass(frozen=True)
class Batch:
    """Some runs at one rate of faults."""

    rate: float
    answers: tuple[Answer, ...]
    retried: Counter[str]
    """Attempts that failed, by kind."""
    seconds: float


def main() -> None:
    """Ask with and without faults, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parent.parent / "examples")
    parser.add_argument("--library", type=Path, help="library to use or make; else a temporary one")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    args = parser.parse_args()
    os.environ["PAGEHOP_RUN__RETRY_WAIT_S"] = "0.001"
    os.environ["PAGEHOP_RUN__MODEL_TIMEOUT_S"] = "2"
    lines = (args.data / "questions.jsonl").read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with pagehop.Library(args.library or Path(tempfile.mkdtemp())) as library:
        if not library.documents():
            library.add(args.data / "documents")
        view = library.view()
        honest = asyncio.run(ask_all(view, questions, 0.0, min(args.runs, len(questions))))
        if failed := [answer.error for answer in honest.answers if answer.status == "failed"]:
            raise SystemExit(f"{len(failed)} runs failed without a fault, the first: {failed[0]}")
        batches = [asyncio.run(ask_all(view, questions, rate, args.runs)) for rate in (0.05,)]
    table = report(honest, batches)
    print(table)
    if args.save:
        about = (__doc__ or "").partition("\n\n")[2]
        TABLE.write_text(f"# Faults of the endpoint\n\n{date.today()}\n\n{about}\n{table}\n")
    if min(same(honest, batch) / len(batch.answers) for batch in batches) < TARGET:
        raise SystemExit(1)


async def ask_all(view: View, questions: Sequence[str], rate: float, runs: int) -> Batch:
    """Ask questions in turn, a few at once."""
    retried: Counter[str] = Counter()
    start = time.perf_counter()
    with StubEndpoint(stand_in(), faults=rate, seed=1) as stub:
        model = load_chat_model("stub", base_url=stub.base_url)
        room = asyncio.Semaphore(AT_ONCE)

        async def one(question: str) -> Answer:
            options: dict[str, Any] = {"model": model, "record": False}
            async with room:
                async for event in pagehop.astream(question, view, **options):
                    if event.type == "llm.end":
                        retried.update(event.body["retried"])
            return Answer.from_json(event.body["answer"])

        jobs = [one(questions[i % len(questions)]) for i in range(runs)]
        answers = await asyncio.gather(*jobs)
    return Batch(rate, tuple(answers), retried, time.perf_counter() - start)


def same(honest: Batch, batch: Batch) -> int:
    """Count the runs that ended as without faults."""
    ends = {answer.question: _end(answer) for answer in honest.answers}
    return sum(_end(answer) == ends.get(answer.question) for answer in batch.answers)


def _end(answer: Answer) -> tuple[Any, ...]:
    return answer.status, answer.text, answer.citations


def report(honest: Batch, batches: Sequence[Batch]) -> str:
    """Return the table."""
    rows = ["| faults | runs | ended as without | statuses | attempts made again | seconds |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for batch in (honest, *batches):
        count = len(batch.answers)
        statuses = Counter(answer.status for answer in batch.answers).most_common()
        kinds = ", ".join(f"{kind} {n}" for kind, n in batch.retried.most_common()) or "none"
        equal = same(honest, batch)
        rows.append(
            f"| {batch.rate:.0%} | {count} | {equal} ({equal / count:.1%}) "
            f"| {', '.join(f'{name} {n}' for name, n in statuses)} | {kinds} "
            f"| {batch.seconds:.0f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
