"""What a document says of itself: the words and dates by which a question may name it.

1. Own: the words of its path, title and metadata, and the periods there.
2. Front: names on its first page (words with a capital that the page never writes small, codes as
   `10-K`), initials of runs of capitalised words, and dates that the page calls its own (`for the
   fiscal year ended December 31, 2018`).

All of it is derived when a document is first seen; nothing lists companies or kinds of documents.
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from pagehop.finding.periods import Period, find_periods, leading_period
from pagehop.finding.terms import tokens
from pagehop.types import Document

FRONT_WORDS = 300
"""Words of the first page that may name the document: a cover says it at its top."""
_CAPITALISED = re.compile(r"(?<![\w&])[^\W\d_][\w&'\u2019-]*|(?<!\w)\d+[-/]?[A-Za-z]\w*")
_SMALL = re.compile(r"(?<![^\W_])[^\W\d_]+")
_RUN = re.compile(r"(?:[A-Z][\w&-]*[ \n](?:(?:of|and|the|for|&|de|der|la)[ \n])?){2,7}[A-Z][\w-]*")
_LINKING = frozenset("of and the for & de der la".split())
_ITS_OWN = re.compile(r"\b(?:end(?:ed|ing)|dated|period|year|quarter|for|as of)\b\W{0,3}", re.I)
_WORD = re.compile(r"\S+")
_DATE = 32
"""Characters after such a word in which the date stands."""
_TITLE_WORDS = 12
"""Words at the top of a page whose dates are its own whatever stands before them."""


@dataclass(frozen=True)
class Profile:
    """The words and periods by which a document may be meant."""

    own: frozenset[str]
    """Terms of path, title and metadata."""
    front: frozenset[str]
    """Terms of names on its first page, without those of `own`."""
    own_periods: tuple[Period, ...]
    front_periods: tuple[Period, ...]


def read_profiles(
    documents: Iterable[Document],
    known: dict[Hashable, Profile],
    fronts: Callable[[Collection[str]], Mapping[str, str]],
) -> dict[str, Profile]:
    """Return the profiles of documents by id, and keep those that are new.

    Args:
        documents: Those that are seen.
        known: Profiles by all that each depends on.
        fronts: Gives the texts of first pages, for ids of documents.
    """
    keys = {document.id: (document, _key(document)) for document in documents}
    texts = fronts([id for id, (_, key) in keys.items() if key not in known])
    for id, (document, key) in keys.items():
        if key not in known:
            known[key] = read_profile(document, texts.get(id, ""))
    return {id: known[key] for id, (_, key) in keys.items()}


def _key(document: Document) -> Hashable:
    """Return what a profile depends on: OCR may read the first page later."""
    metadata = tuple(sorted((name, str(value)) for name, value in document.metadata.items()))
    return (document.id, document.title, document.sources, metadata, 1 in document.ocr_pages)


def read_profile(document: Document, front: str) -> Profile:
    """Derive the profile of a document.

    Args:
        document: With its sources, title and metadata.
        front: The text of its first page; empty when it has none.
    """
    named = " \n".join(
        (
            *(re.sub(r"\.\w{1,5}$", "", source) for source in document.sources),
            document.title,
            *(f"{value}" for value in document.metadata.values()),
        )
    )
    spaced = re.sub(r"[_/\\\s-]+", " ", named)
    own = frozenset(_telling(f"{named} {spaced}"))
    words = list(islice(_WORD.finditer(front), FRONT_WORDS))
    front = front[: words[-1].end()] if words else ""
    return Profile(
        own,
        frozenset(_telling(" ".join(_names(front)))) - own,
        tuple(find_periods(spaced)),
        tuple(_own_dates(front)),
    )


def _telling(text: str) -> Iterator[str]:
    """Yield the terms of a text that may name something: no bare numbers, no single letters."""
    return (term for term in tokens(text) if len(term) > 1 and not term.replace(".", "").isdigit())


def _names(front: str) -> Iterator[str]:
    small = set(filter(str.islower, _SMALL.findall(front)))
    for word in dict.fromkeys(_CAPITALISED.findall(front)):
        if (word[0].isupper() or word[0].isdigit()) and word.lower() not in small:
            yield word
    for match in _RUN.finditer(front):
        parts = re.split(r"[ \n]", match.group())
        initials = [part[0] for part in parts if part.lower() not in _LINKING]
        if len(initials) > 2:
            yield "".join(initials)


def _own_dates(front: str) -> Iterator[Period]:
    """Yield the dates at the top of a page, and those that it calls its own."""
    yield from find_periods(" ".join(front.split(maxsplit=_TITLE_WORDS)[:_TITLE_WORDS]))
    for match in _ITS_OWN.finditer(front):
        period = leading_period(front[match.end() : match.end() + _DATE])
        if period is not None and period.year is not None:
            yield period
