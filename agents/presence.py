"""Where a name of the question stands in the text of the documents.

A name that stands nowhere is absent. One that is also written without a capital is a common noun
that the question happened to write with one (`Accumulated amortization`), and is no name here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pagehop.agents.question import Name
from pagehop.agents.words import stems, tokens
from pagehop.library.view import View

MANY_PAGES = 50
"""Pages that are looked at for a name."""
_OWN_SHARE = 0.4
_TOPIC_SHARE = 0.1


@dataclass(frozen=True)
class Presence:
    """What the text says of a name."""

    pages: Mapping[str, int]
    """Pages that hold it, by document; at most `MANY_PAGES` in all."""
    common: bool
    """It is also written without a capital."""


def find_presence(view: View, name: Name) -> Presence:
    """Look a name up in the text of the documents."""
    wanted = _known(view, name)
    counts: dict[str, int] = {}
    common = False
    if not wanted:
        return Presence(counts, common)
    lowered = [t.text.lower() for t in tokens(name.text) if t.stem in wanted]
    pattern = re.compile(rf"(?<![\w’'-])(?:{'|'.join(map(re.escape, lowered))})\b")  # noqa: RUF001
    for hit in view.search(name.text, k=MANY_PAGES, mode="keyword"):
        text = view.page(hit.ref).text
        if wanted <= set(stems(text)):
            counts[hit.name] = counts.get(hit.name, 0) + 1
            common = common or len(set(pattern.findall(text))) == len(set(lowered))
    return Presence(counts, common)


def _known(view: View, name: Name) -> set[str]:
    """Stems of a name that any passage holds, if they are the greater part of it."""
    rarity = view.rarity()
    unseen = rarity("")
    known = {s for s in name.stems if rarity(s) < unseen}
    return known if 2 * len(known) > len(set(name.stems)) else set()


def topical(view: View, presence: Presence) -> tuple[str, ...]:
    """Documents that speak of a name on more than a page in passing."""
    return tuple(
        name
        for name, count in presence.pages.items()
        if count >= 2 and count >= _TOPIC_SHARE * view.document(name).pages
    )


def is_everywhere(view: View, name: Name, document: str) -> bool:
    """Tell the company of a report, on page after page, from a person on its first page."""
    hits = view.search(name.text, k=MANY_PAGES, mode="keyword", documents=[document])
    wanted = set(name.stems)
    held = sum(1 for hit in hits if wanted <= set(stems(hit.text)))
    return held >= _OWN_SHARE * min(MANY_PAGES, view.document(document).pages)


def has_initials(view: View, name: Name) -> bool:
    """Whether an abbreviation's letters are the initials of words that stand together."""
    letters = re.sub(r"[^A-Za-z]", "", name.text)
    if not 2 <= len(letters) <= 6 or letters[1:] != letters[1:].upper():
        return False
    pattern = r"\W+(?:and\W+|of\W+|the\W+|for\W+)?".join(rf"{c}\w+" for c in letters)
    for document in view.documents()[:8]:
        for hit in view.search(name.text, k=3, mode="semantic", documents=[document.name]):
            if re.search(rf"\b{pattern}", view.page(hit.ref).text, re.IGNORECASE):
                return True
    return False


def is_mentioned(name: str, text: str) -> bool:
    """Whether all words of a name stand in a text."""
    return {t.stem for t in tokens(name)} <= set(stems(text))
