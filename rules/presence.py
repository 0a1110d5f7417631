"""Where a name of the question stands in the text of the documents.

A name that stands nowhere is absent. One that is also written without a capital is a common noun
that the question happened to write with one (`Accumulated amortization`), and is no name here.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pagehop.library.view import View
from pagehop.rules.question import Name
from pagehop.rules.words import stems, tokens

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
    """It is also written without a capital, or is a long name with a letter wrong."""


def find_presence(view: View, name: Name) -> Presence:
    """Look a name up in the text of the documents."""
    vocabulary = view.vocabulary()
    wanted = {s for s in name.stems if s in vocabulary}
    counts: dict[str, int] = {}
    common = False
    if 2 * len(wanted) <= len(set(name.stems)):
        rest = [s for s in name.stems if s not in wanted]
        return Presence(counts, all(len(s) > 6 and is_misspelt(s, vocabulary) for s in rest))
    lowered = [t.text.lower() for t in tokens(name.text) if t.stem in wanted]
    words = "|".join(map(re.escape, lowered))
    pattern = re.compile(rf"(?<![\w’'./@-])(?:{words})(?![\w@/-]|\.\w)")  # noqa: RUF001
    for hit in view.search(name.text, k=MANY_PAGES, mode="keyword"):
        if wanted <= set(stems(hit.text)):
            counts[hit.name] = counts.get(hit.name, 0) + 1
            common = common or len(set(pattern.findall(hit.text))) == len(set(lowered))
    return Presence(counts, common)


def topical(view: View, presence: Presence) -> tuple[str, ...]:
    """Documents that speak of a name on more than a page in passing."""
    return tuple(
        name
        for name, count in presence.pages.items()
        if count >= 2 and count >= _TOPIC_SHARE * view.document(name).pages
    )


def is_everywhere(view: View, name: Name, documents: Sequence[str]) -> bool:
    """Tell the company of reports, on page after page, from a person on their first pages."""
    wanted = set(name.stems)
    held = pages = 0
    for document in documents:
        hits = view.search(name.text, k=MANY_PAGES, mode="keyword", documents=[document])
        held += sum(1 for hit in hits if wanted <= set(stems(hit.text)))
        pages += min(MANY_PAGES, view.document(document).pages)
    return held >= _OWN_SHARE * pages


def is_misspelt(stem: str, vocabulary: Collection[str]) -> bool:
    """Whether a word of the documents differs from a stem by a letter or two."""
    if len(stem) < 4:
        return False
    near = (
        word
        for word in vocabulary
        if abs(len(word) - len(stem)) <= 2 and word[0] == stem[0] and not word[0].isdigit()
    )
    least = 0.8 if len(stem) < 7 else 0.84
    return any(
        (matcher := SequenceMatcher(None, stem, word)).quick_ratio() >= least
        and matcher.ratio() >= least
        for word in near
    )


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
