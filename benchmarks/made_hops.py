"""Questions whose second page shares no word with them, over documents of our own making.

Each question names what stands on a first page; that page leads on to a second one, which holds
the answer in other words. It leads there by a rare name on both (`mentions`), by the title of the
other document and a note in it (`cites`), or by a note in the same document (`refers_to`). Names
are made of syllables, topics are drawn from lists, so that no page is like the question by chance
alone. Pages that answer nothing stand around them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

KINDS = ("mentions", "cites", "refers_to")
_SYLLABLES = (
    "bar cor dal fen gor hul jan kel lom mur nor pel quin ros sul tor ven wex yar zim".split()
)
_ASKED = {
    "licence fee": "the licence fee of the {x} ferry is set by the body that now runs {link}",
    "roof repair": "the roof repair of the {x} library was carried out under the terms of {link}",
    "harbour lamp": "the harbour lamp at {x} is kept alight by the keepers of {link}",
    "grain quota": "the grain quota of the {x} mill follows what was settled for {link}",
    "choir tour": "the choir tour of {x} was paid for by the founders of {link}",
    "bridge toll": "the bridge toll at {x} passes each year to the owners of {link}",
}
_ANSWERS = (
    "A sum of {n} crowns falls due every Michaelmas; it has not moved since the war ended.",
    "Its directors agreed on {n} crowns, half in coin and half in timber, for nine summers.",
    "No more than {n} tonnes may be carried down before frost closes the upper track.",
    "They meet on the {n}th evening after midsummer and elect three wardens by ballot.",
)
_FILLER = (
    "Rain held off for most of the spring, and the lower meadows were mown twice.",
    "Visitors came by coach from the valley; most of them stayed for a single night.",
    "A new stove was put into the hall, and the old one was sold for scrap.",
    "The clerk bound the minutes of earlier years and had two windows reglazed.",
    "Sheep were moved to the eastern slopes, where the grass had come back well.",
    "The school took in eleven children and lent its largest room to the band.",
    "Two wells were cleaned, and a third was filled in after it had run dry.",
    "Wages were paid in the first week, as in every year before this one.",
)
_PAGES = 8


@dataclass(frozen=True)
class Hop:
    """A question, the page it is about and the page that answers it."""

    question: str
    kind: str
    first: tuple[str, int]
    """File name and page."""
    second: tuple[str, int]


def write_hops(folder: Path, count: int, seed: int = 5) -> list[Hop]:
    """Write documents into a folder and return the questions over them.

    Args:
        folder: Exists; gets one PDF for every two questions.
        count: Questions, the kinds in equal shares.
        seed: The same seed writes the same texts.
    """
    chance = random.Random(seed)
    names = _names(chance)
    titles = [f"Chronicle of {next(names)}" for _ in range(max(count // 2, 4))]
    pages: dict[str, list[list[str]]] = {
        title: [chance.sample(_FILLER, 4) for _ in range(_PAGES)] for title in titles
    }
    free = [(title, page) for title in titles for page in range(2, _PAGES + 1)]
    chance.shuffle(free)
    hops = []
    notes = dict.fromkeys(titles, 10)
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        first = free.pop()
        second = next(p for p in free if (p[0] == first[0]) == (kind == "refers_to"))
        free.remove(second)
        asked, about = chance.choice(list(_ASKED.items()))
        town, number = next(names), chance.randrange(12, 990)
        link, heading = _link(kind, second[0], notes, names)
        answer = chance.choice(_ANSWERS).format(n=number)
        _insert(pages, first, _sentence(about.format(x=town, link=link)), chance)
        _insert(pages, second, f"{heading} {answer}", chance)
        question = f"What is known about the {asked} of {town}?"
        hops.append(Hop(question, kind, _place(first), _place(second)))
    for title in titles:
        _write(folder / f"{title}.pdf", title, pages[title])
    return hops


def _link(kind: str, title: str, notes: dict[str, int], names: Iterator[str]) -> tuple[str, str]:
    """Return the words that lead on, and those at the head of where they lead."""
    if kind == "mentions":
        name = f"{next(names)} {next(names)}"
        return name, f"{name}."
    notes[title] += 1
    note = f"Note {notes[title]}"
    return (
        f"what {note} of the {title} tells" if kind == "cites" else f"what {note} tells"
    ), f"{note}."


def _names(chance: random.Random) -> Iterator[str]:
    """Yield names that were not yielded before."""
    seen: set[str] = set()
    while True:
        name = "".join(chance.sample(_SYLLABLES, 3)).capitalize()
        if name not in seen:
            seen.add(name)
            yield name


def _insert(
    pages: dict[str, list[list[str]]], at: tuple[str, int], words: str, chance: random.Random
) -> None:
    lines = pages[at[0]][at[1] - 1]
    lines.insert(chance.randrange(len(lines) + 1), words)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _place(at: tuple[str, int]) -> tuple[str, int]:
    return f"{at[0]}.pdf", at[1]


def _write(path: Path, title: str, pages: list[list[str]]) -> None:
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setTitle(title)
    for lines in pages:
        top = 780.0
        for paragraph in lines:
            bold = paragraph.startswith("Note ")
            head, _, rest = paragraph.partition(". ") if bold else ("", "", paragraph)
            if bold:
                canvas.setFont("Helvetica-Bold", 13)
                canvas.drawString(72, top, f"{head}.")
                top -= 20
            canvas.setFont("Helvetica", 11)
            for line in simpleSplit(rest, "Helvetica", 11, 450):
                canvas.drawString(72, top, line)
                top -= 14
            top -= 12
        canvas.showPage()
    canvas.save()
