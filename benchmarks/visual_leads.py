"""What is lost when leads choose the pages that are compared, on pages that differ in kind.

    python benchmarks/visual_leads.py [--pages 6000] [--vectors 256] [--save]

A library of one kind of page says little here: what is chosen by a part of its vectors is scored
too low, and all pages alike would be so. Four kinds take turns: pages of 3, 12 and 40 looks, ever
less alike, with three needles each, and pages on which nothing repeats. Questions ask for a page
of each kind by 1, 3 and 8 of its vectors among general words.

Rows: a fixed share of each page's vectors, taken as leads are, and the leads (`choose_leads`).
Recall is that of the ten pages that all vectors rank first.
"""

import argparse
import statistics
import sys
from datetime import date

import numpy as np
from visual import DIM, LOOKS, NEEDLES, TABLE, TOKENS, K, Vectors, noise, unit

from pagehop.models.lead_vectors import choose_leads

KINDS = ("3 looks", "12 looks", "40 looks", "nothing repeats")
FIXED = (8, 4, 2)
ASKED = (1, 3, 8)
CHOSEN = (30, 100, 400)


class MixedPages:
    """Pages of four kinds in turn; the same for the same number and size."""

    def __init__(self, vectors: int) -> None:
        self.vectors = vectors
        self._looks = unit(np.random.default_rng(0).standard_normal((LOOKS, DIM)))

    def page(self, i: int) -> Vectors:
        """Return the vectors of a page, (vectors, dim)."""
        rng = np.random.default_rng([7, i])
        looks = rng.integers(0, LOOKS, (3, 12, 40, LOOKS)[i % 4])
        shown = self._looks[looks[rng.integers(0, len(looks), self.vectors)]]
        if i % 4 == 3:
            return unit(0.3 * shown + noise(rng, (self.vectors,)))
        own = unit(rng.standard_normal((1, DIM)))
        noisy = (0.3, 0.7, 1.0)[i % 4] * noise(rng, (self.vectors,))
        made = unit(shown + 0.5 * own + noisy)
        made[:NEEDLES] = unit(rng.standard_normal((NEEDLES, DIM)))
        return made

    def query(self, i: int, own: int) -> Vectors:
        """Return a query for a page by so many of its vectors, (tokens, dim)."""
        rng = np.random.default_rng([9, i, own])
        at = np.concatenate([np.arange(NEEDLES), rng.integers(NEEDLES, self.vectors, own)])[:own]
        general = self._looks[rng.integers(0, LOOKS, TOKENS - own)]
        return unit(np.concatenate([self.page(i)[at], general]) + 0.6 * noise(rng, (TOKENS,)))


def main() -> None:
    """Score all pages by all vectors and by each choice; print what the choices lose."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=6000)
    parser.add_argument("--vectors", type=int, default=256)
    parser.add_argument("--save", action="store_true", help=f"add to {TABLE.name} in docs/")
    args = parser.parse_args()
    text = measure(MixedPages(args.vectors), args.pages)
    print(text)
    if args.save:
        command = "python benchmarks/visual_leads.py " + " ".join(sys.argv[1:])
        with TABLE.open("a") as file:
            file.write(f"\n{date.today()}: `{command.strip()}`\n{text}\n")


def measure(mixed: MixedPages, pages: int) -> str:
    """Return the Markdown table."""
    wanted = [int(i) // 4 * 4 + n % 4 for n, i in enumerate(np.linspace(0, pages - 4, 24))]
    queries = [mixed.query(i, own) for i in wanted for own in ASKED]
    tokens = np.concatenate(queries)
    scores: dict[str, list[Vectors]] = {"all": []}
    shares: dict[str, list[float]] = {}
    for i in range(pages):
        page = mixed.page(i)
        products = (tokens @ page.T).reshape(len(queries), TOKENS, -1)
        scores["all"].append(products.max(axis=2).mean(axis=1))
        for name, leads in choices(page).items():
            shares.setdefault(name, []).append(len(leads) / len(page))
            scores.setdefault(name, []).append(products[:, :, leads].max(axis=2).mean(axis=1))
    best = np.argsort(-np.array(scores.pop("all")).T, axis=1)[:, :K]
    lines = [
        f"\n## Leads: {pages:,} pages x {mixed.vectors} of four kinds, {len(queries)} queries\n",
        "| vectors compared | of all | "
        + " | ".join(f"recall among {n} chosen" for n in CHOSEN)
        + " | last of the ten best came |",
        "|---|---|" + "---|" * len(CHOSEN) + "---|",
    ]
    for name, scored in scores.items():
        ranks = np.argsort(np.argsort(-np.array(scored).T, axis=1), axis=1)
        late = np.take_along_axis(ranks, best, axis=1)
        recalls = " | ".join(f"{(late < n).mean():.3f}" for n in CHOSEN)
        share = statistics.mean(shares[name])
        lines.append(f"| {name} | {share:.0%} | {recalls} | {late.max() + 1} |")
    kinds = [f"{np.mean(shares['leads'][n::4]):.0%} ({KINDS[n]})" for n in range(len(KINDS))]
    return "\n".join([*lines, "", f"Leads of all vectors, by kind: {', '.join(kinds)}."])


def choices(page: Vectors) -> dict[str, np.ndarray]:
    """Return positions of the vectors that each choice takes."""
    found = {f"one in {n}": choose_leads(page, alike=-1.0, shares=(n,)) for n in FIXED}
    return found | {"leads": choose_leads(page)}


if __name__ == "__main__":
    main()
