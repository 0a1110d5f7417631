"""What a document calls itself and its pages: title, and page numbers as printed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pagehop.layout.page_lines import Line

TITLE_WORDS = 25

_PLACEHOLDER = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel|office)\b.*|untitled.*|no title|title"
    r"|(?:new )?document\s*\d*|(?:powerpoint |microsoft )?presentation\s*\d*|slide\s*\d*"
    r"|page\s*\d*|book\s*\d*|print|scan.*"
    r"|blank|default|template|layout\s*\d*|full page.*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_KIND_WORDS = frozenset(
    """form 10 q k 20 f 8 annual quarterly interim report reports filing document data file
    submission united states securities and exchange commission washington d c 20549 mark one the of
    for on to a""".split()
)
_FILE_NAME = re.compile(r".*\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)
_PRINTED = re.compile(r"(?P<prefix>[A-Z]{1,2}-)?(?P<number>\d{1,4})")
_AROUND = " -|[]()\u2013\u2014\u2022\u00b7"
_OF = re.compile(r"(\d{1,4})(?:/|\s+of\s+)\d{1,4}")


def choose_title(metadata: str, lines: Sequence[Line]) -> str:
    """Take the file's title when a person wrote it, else the largest type on page 1.

    Args:
        metadata: Title as the file states it.
        lines: Of page 1, in reading order.

    Returns:
        One line, or nothing when neither is usable.
    """
    stated = " ".join(metadata.split())
    return stated if _is_written_by_a_person(stated) else _largest(lines)


def _is_written_by_a_person(title: str) -> bool:
    compact = title.replace(" ", "")
    letters = sum(char.isalpha() for char in title)
    if letters < 4 or letters < 0.5 * len(compact) or len(title) > 300:
        return False
    machine_made = compact == title and any(char in "_%0123456789" for char in title)
    path = "\\" in title or "://" in title or title.startswith("/")
    placeholder = _PLACEHOLDER.fullmatch(title) or _FILE_NAME.fullmatch(title)
    return not (machine_made or path or placeholder)


def _largest(lines: Sequence[Line]) -> str:
    """Join the lines, next to one another, that are set largest."""
    upright = [line for line in lines if line.height < 2.5 * (line.x1 - line.x0)]
    worded = [line for line in upright if sum(c.isalpha() for c in line.text) >= 4]
    if not worded:
        return ""
    first = max(worded, key=lambda line: round(line.size * 2))
    words: list[str] = []
    for line in upright[upright.index(first) :]:
        if abs(line.size - first.size) > 0.6 or len(words) + len(line.words) > TITLE_WORDS:
            break
        words += [word[4] for word in line.words]
    return " ".join(words)


def tells_more(title: str, name: str) -> bool:
    """Tell whether a title says more of a document than its name does.

    `FORM 10-Q` says what kind of paper it is, as hundreds are, and not which one.

    Args:
        title: As stored.
        name: By which the document is called.
    """
    known = _KIND_WORDS | set(_WORD.findall(name.casefold()))
    return not set(_WORD.findall(title.casefold())) <= known


def names_a_kind(word: str) -> bool:
    """Tell whether a word only says what kind of paper something is: `annual`, `report`, `form`."""
    return word.casefold() in _KIND_WORDS


def number_candidates(edge_lines: Sequence[str]) -> list[str]:
    """Pick what may be the page number from the lines at head and foot of a page."""
    found: list[str] = []
    for text in edge_lines:
        of = _OF.search(text)
        words = text.strip(_AROUND).split()
        tokens = [of[1]] if of else [word.strip(_AROUND) for word in words[:1] + words[-1:]]
        found += [token for token in tokens if _PRINTED.fullmatch(token)]
    return list(dict.fromkeys(found))


def printed_numbers(candidates: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """Tell page numbers from other numbers: they grow by one a page.

    Args:
        candidates: What stands at the edges of each page, by page.

    Returns:
        The printed number of each page that shows one.
    """
    votes: Counter[tuple[str, int]] = Counter()
    keyed: dict[int, dict[tuple[str, int], str]] = {}
    for page, texts in candidates.items():
        for text in texts:
            match = _PRINTED.fullmatch(text)
            if match:
                key = match["prefix"] or "", int(match["number"]) - page
                keyed.setdefault(page, {})[key] = text
        votes.update(keyed.get(page, {}).keys())
    needed = max(2, 0.05 * len(candidates))
    numbers: dict[int, str] = {}
    for page, options in keyed.items():
        best = max(options, key=lambda key: votes[key])
        if votes[best] >= needed:
            numbers[page] = options[best]
    return numbers
