"""Leases of our own making, and questions that count or list them, with the answers known.

    python benchmarks/made_counts.py [--documents 40] [--questions 120]

Each lease states law, party, term, fee and date in sentences or labels, in wordings that differ
from document to document; a fifth of the files are letters that state none. Measured over
`builtin`: answers with exactly the right documents, each cited to a page of its own.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

import pagehop

LAWS = ("Norway", "Peru", "Wales", "Japan")
TERMS = (12, 24, 36, 60)
_PLACES = "Alder Birch Cedar Dorn Elm Fir Gorse Hazel Iris Juniper Kelp Larch".split()
_LAW = (
    "This lease is governed by the laws of {x}.",
    "It shall be governed by and construed in accordance with the laws of {x}.",
    "Governing law: {x}",
)
_FEE = (
    "The annual fee is EUR {x:,}.",
    "The annual fee amounts to EUR {x:,}.",
    "Annual fee: EUR {x:,}",
)
_TERM = ("It stays in force for {x} months.", "The lease has a term of {x} months from that day.")
_DATED = ("This lease is made on 4 May {x} in the town hall.", "Dated May 4, {x}")


@dataclass(frozen=True)
class Lease:
    """What a made lease says."""

    source: str
    law: str
    fee: int
    term: int
    year: int


def main() -> None:
    """Make documents and questions, ask them, print how many are right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--questions", type=int, default=120)
    args = parser.parse_args()
    chance = random.Random(17)
    with tempfile.TemporaryDirectory() as folder:
        leases = write_leases(Path(folder), args.documents, chance)
        with pagehop.Library(Path(folder) / ".pagehop") as library:
            library.add(folder)
            view = library.view()
            right: dict[str, list[bool]] = {}
            for kind, question, gold in list(ask(leases, chance, args.questions)):
                answer = pagehop.ask(question, view, record=False)
                cited = {citation.document for citation in answer.citations}
                good = cited == gold and (f"{len(gold)} " in answer.text or kind != "count")
                if not gold:
                    good = answer.status != "answered"
                right.setdefault(kind, []).append(good)
                if not good:
                    print(f"  wrong: {question} | {len(gold)} | {answer.text[:90]!r}")
    print("| questions | n | right, each item cited |")
    print("|---|---|---|")
    for kind, each in right.items():
        print(f"| {kind} | {len(each)} | {sum(each) / len(each):.3f} |")


def write_leases(folder: Path, count: int, chance: random.Random) -> list[Lease]:
    """Write leases and letters into a folder; returns the leases."""
    leases = []
    for i in range(count):
        source = f"{chance.choice(_PLACES)} {i + 1}.pdf"
        canvas = Canvas(str(folder / source), pagesize=A4, invariant=1)
        lease = Lease(
            source, chance.choice(LAWS), 50 * chance.randrange(4, 60), chance.choice(TERMS),
            chance.randrange(2018, 2024),
        )  # fmt: skip
        lines = ["The keys of the hall hang behind the door.", "Dogs are kept outside."]
        if i % 5:
            leases.append(lease)
            said = ((_LAW, lease.law), (_FEE, lease.fee), (_TERM, lease.term), (_DATED, lease.year))
            lines += [chance.choice(forms).format(x=value) for forms, value in said]
        chance.shuffle(lines)
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(72, 780, "Lease Agreement" if i % 5 else "A letter to the keeper")
        canvas.setFont("Helvetica", 11)
        for j, line in enumerate(lines):
            canvas.drawString(72, 740 - 30 * j, line)
        canvas.showPage()
        canvas.save()
    return leases


def ask(
    leases: list[Lease], chance: random.Random, count: int
) -> Iterator[tuple[str, str, set[str]]]:
    """Yield questions with what they ask for and the sources of the leases that answer them."""
    for i in range(count):
        law, term = chance.choice(LAWS), chance.choice(TERMS)
        fee, year = 50 * chance.randrange(10, 50), chance.randrange(2018, 2024)
        conditions = (
            (f"are governed by the laws of {law}", [x for x in leases if x.law == law]),
            (f"have an annual fee above EUR {fee:,}", [x for x in leases if x.fee > fee]),
            (f"have a term of {term} months", [x for x in leases if x.term == term]),
            (f"were made in {year}", [x for x in leases if x.year == year]),
            (
                f"of {year} are governed by the laws of {law}",
                [x for x in leases if x.year == year and x.law == law],
            ),
            (
                f"have an annual fee below EUR {fee:,} and a term of {term} months",
                [x for x in leases if x.fee < fee and x.term == term],
            ),
        )
        said, gold = conditions[i % len(conditions)]
        counts = (i // len(conditions)) % 2 == 0
        words = f"How many agreements {said}?" if counts else f"Which agreements {said}?"
        yield ("count" if counts else "list"), words, {lease.source for lease in gold}


if __name__ == "__main__":
    main()
