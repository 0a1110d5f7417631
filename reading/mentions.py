"""Names that a page mentions: people, places, products, projects, codes.

Two pages that share a rare name belong together, even across documents. What is rare is known only
inside a view, so a page keeps all its names and the page graph weighs them when it is walked.

1. A name is a run of capitalised words (`Port of Varn`), a code of letters and digits
   (`SC-2023-04`), or a single capitalised word (`Tarnwick`) that its document never writes small,
   and writes alone within a sentence at least once: other words have their capital from the start
   of a sentence, a heading or a label, or are half a name (`La Jolla`).
2. Months, days of the week and the page's own number are no names.
3. A name on more than a third of a document's pages is what the document is about, and tells no
   page from another: it is left out.

Not covered: scripts without capitals; languages that capitalise every noun bring many names, which
the view's limits on frequency then drop.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from pagehop.reading.parsed import PageText

MOST_NAMES = 32
"""Names kept of one page: runs and codes first, then those on the fewest pages."""
_FEW_PAGES = 6
"""A name on so many pages is kept however short the document."""
_WORD = r"\p{Lu}[\p{L}\p{M}'\u2019]*\p{L}|\p{Lu}"
_CODE = r"(?=[\w./-]*\d)(?=[\w./-]*\p{Lu})[\p{Lu}\d][\w]*(?:[./-]\w+)*"
_RUN = regex.compile(
    rf"(?:{_CODE}|{_WORD})(?:[ \n-](?:(?:of|de|del|von|van|der|la|&)[ \n])?(?:{_CODE}|{_WORD}))*"
)
_SMALL = regex.compile(r"(?<![\p{L}\p{N}])\p{Ll}[\p{L}\p{M}]+")
_WITHIN = regex.compile(r"[\p{Ll},;(] ?|.\(")
"""What stands before a word within a sentence, on its line."""
_CONTRACTED = regex.compile(r"\p{Lu}\p{L}*['\u2019](?:ve|ll|re|m|d|t)", regex.IGNORECASE)
"""`I've` and `We'll`."""
_DIGIT = regex.compile(r"\d")
_LONGEST = 5
"""Words of a name; longer runs are headings in capitals."""
_CALENDAR = frozenset(
    """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday""".split()
)
_SHORTEST = 4
"""Characters of a single word."""


def page_names(pages: Sequence[PageText]) -> Iterator[tuple[int, list[str]]]:
    """Yield the names on each page of a document that has any, in the words of the page.

    Args:
        pages: The text layers of all its pages, in order.
    """
    small: set[str] = set()
    for page in pages:
        small.update(_SMALL.findall(page.text))
    runs = {page.page: list(_runs(page.text)) for page in pages}
    alone = {
        name_key(run)
        for listed in runs.values()
        for run, before in listed
        if " " not in run and _WITHIN.fullmatch(before) and not _is_common(run, small)
    }
    found = {number: _names(listed, small, alone) for number, listed in runs.items()}
    for page in pages:
        for key in _page_marks(page):
            found[page.page].pop(key, None)
    frequency = Counter(key for names in found.values() for key in names)
    most = max(_FEW_PAGES, len(pages) // 3)
    for number, names in found.items():
        kept = [key for key in names if frequency[key] <= most]
        kept.sort(key=lambda key: (" " not in key and not _has_digit(key), frequency[key]))
        if kept:
            yield number, [names[key] for key in kept[:MOST_NAMES]]


@lru_cache(maxsize=50_000)
def name_key(name: str) -> str:
    """Return what two spellings of a name share: small letters, one space, no possessive."""
    folded = " ".join(name.replace("\u2019", "'").casefold().replace("-", " ").split())
    return folded.removesuffix("'s").removesuffix("'")


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Yield runs of capitalised words and codes, each with the two characters before it."""
    for match in _RUN.finditer(text):
        yield match.group().replace("\n", " "), text[max(match.start() - 2, 0) : match.start()]


def _page_marks(page: PageText) -> set[str]:
    """Return the keys of what may be the page's number: its label, its first and last line."""
    lines = page.text.strip().split("\n")
    return {name_key(mark) for mark in (page.label, lines[0], lines[-1])}


def _names(runs: Sequence[tuple[str, str]], small: set[str], alone: set[str]) -> dict[str, str]:
    """Return the names in the runs of a text by their keys."""
    names: dict[str, str] = {}
    for run, _ in runs:
        words = run.split(" ")
        while words and _is_common(words[0], small):
            words.pop(0)
        while words and _is_common(words[-1], small):
            words.pop()
        if not words or len(words) > _LONGEST:
            continue
        if len(words) > 1:
            _keep(" ".join(words), names)
        for word in words:
            known = name_key(word) in alone or _has_digit(word)
            if known and len(word) >= _SHORTEST and not _is_common(word, small):
                _keep(word, names)
    return names


def _keep(name: str, names: dict[str, str]) -> None:
    names.setdefault(name_key(name), name)


def _is_common(word: str, small: set[str]) -> bool:
    """Tell whether a capital says nothing: the document writes the word small too, or a month."""
    key = name_key(word)
    if _has_digit(word):
        return False
    contracted = _CONTRACTED.fullmatch(word) is not None
    return len(word) < 2 or contracted or key in small or key in _CALENDAR


def _has_digit(text: str) -> bool:
    return _DIGIT.search(text) is not None
