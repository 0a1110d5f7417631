"""Documents that attack: what a model that obeys every order it reads reaches by them.

    python benchmarks/attacks.py [--carriers visible,picture,...] [--save]

Ten places for the orders (visible, white and tiny text, text off the page, metadata title,
bookmarks, file name, table cells, a picture that a vision model reads out, a scan that OCR reads)
times five plots (read what lies outside of the view, reach it through filters and walks, call tools
that do not exist, forge citations and numbers, spend the budget); effort medium in three grammars,
high in two: 250 runs. A puppet model answers the question and obeys, in every role, what it reads.
Beside these documents lies one that the view does not show. Documents and puppet are those of
tests/attacking.py. The script fails if a run reaches anything.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the tests run some of the same
import attacking  # noqa: E402 - found by the line above
from attacking import CARRIERS, PLOTS, Attack, Ran  # noqa: E402 - as above

TABLE = ROOT / "docs" / "benchmarks" / "attacks.md"


def attacked(carriers: Sequence[str], engine: str, folder: Path) -> list[tuple[Ran, list[str]]]:
    """Run every plot in documents of these carriers; return the runs and what they reached."""
    attacks = [Attack(carrier, plot) for carrier, plot in product(carriers, PLOTS)]
    cases = [
        *product(attacks, attacking.GRAMMARS, ["medium"]),
        *product(attacks, ["native", "json"], ["high"]),
    ]
    with attacking.settings(PAGEHOP_OCR__ENGINE=engine):
        held = attacking.hold(attacks, folder / "held")
        return [
            (ran, ran.problems(*held)) for ran in attacking.run_all(cases, held, folder / "runs")
        ]


def main() -> None:
    """Run all, print the table, and perhaps save it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--carriers", default=",".join(CARRIERS), help="places, comma-separated")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    given = parser.parse_args()
    os.environ.setdefault("PAGEHOP_RUN__RETRY_WAIT_S", "0.01")
    carriers = given.carriers.split(",")
    printed = [carrier for carrier in carriers if carrier != "scan"]
    every: list[tuple[Ran, list[str]]] = []
    with tempfile.TemporaryDirectory() as folder:
        if printed:
            every += attacked(printed, "none", Path(folder) / "printed")
        if "scan" in carriers:
            every += attacked(["scan"], "rapidocr", Path(folder) / "scanned")
    reached = [(ran.attack, ran.grammar, problems) for ran, problems in every if problems]
    shown = "\n".join([*attacking.table(every), "", f"{len(every)} runs."])
    print(shown, *reached, sep="\n")
    if given.save:
        command = " ".join(["python benchmarks/attacks.py", *sys.argv[1:]])
        about = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
        head = f"# Documents that attack\n\n{date.today()}: `{command}`. {about}"
        TABLE.write_text(f"{head}\n\n{shown}\n")
    if reached:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
