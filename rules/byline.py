"""Who wrote a document, and where they work, by the lines that stand under its title.

1. The first page is read from its top to the abstract, the first heading of the text or the first
   long sentence.
2. A line of names is made of capitalised words alone, two or more, with commas, `and` and marks
   between them; behind `by` or `Authors:` it needs no more. The title itself is none.
3. Lines that follow it (where the authors work, a date) go with it, as far as they are short.

Not covered: names behind the text, on a later page, or in capitals only.
"""

import re
from collections.abc import Sequence

from pagehop.rules.extract import Unit
from pagehop.rules.words import stems

_ASKED = re.compile(
    r"^\s*(?:who\s+(?:wrote|authored)|by\s+whom\s+(?:is|was|were|are)\b.*\bwritten|"
    r"(?:who|which|what)\b[\w\s]*?\b(?:is|are|was|were)\s+the\s+(?:(?:main|first|lead)\s+)?authors?|"
    r"(?:name|list)\s+(?:all\s+)?(?:the\s+)?authors|where\s+do(?:es)?\s+the\s+authors?\s+work|"
    r"(?:at\s+|in\s+)?(?:which|what)\s+(?:universit(?:y|ies)|institut\w+)\b[\w\s]*"
    r"\b(?:is|are|do|does)\s+the\s+authors?)\b",
    re.IGNORECASE,
)
_CITED = re.compile(r"\b(?:cit(?:e[sd]?|ing)|quote[sd]?|references?|refer)\b", re.IGNORECASE)
_END = re.compile(
    r"(?:\d[\d.]*\s+)?(?:(?:abstract|summary|introduction|overview)\b|(?:table of )?contents\s*$)",
    re.IGNORECASE,
)
_LED = re.compile(r"^(?:(?:written|prepared|edited)\s+)?by\s+|^authors?\s*:\s*", re.IGNORECASE)
_PARTICLES = frozenset("and & de da di del der den van von la le el al bin ibn y e".split())
_FIRMS = frozenset("inc ltd llc plc corp corporation company co ag gmbh group".split())
_WORD = re.compile(r"[^\W\d_][\w\u00a8\u00b4'\u2019.-]*")
_TOP = 10
"""Lines of the page among which the names stand."""
_LONG = 16
_MOST = 60
"""Words that are quoted together."""


def asks_author(text: str) -> bool:
    """Whether a question asks who wrote a document, and not something that it cites."""
    return _ASKED.search(text) is not None and _CITED.search(text) is None


def find_byline(units: Sequence[Unit], title: str) -> tuple[Unit, ...]:
    """Return the lines that name the authors, in order; none where no line does.

    Args:
        units: Of the first page.
        title: Of the document.
    """
    called = set(stems(title))
    sentences = [unit for unit in units if unit.kind == "sentence"][:_TOP]
    for i, unit in enumerate(sentences):
        if _ends_front(unit.text):
            return ()
        if _names_people(unit.text) and not set(stems(unit.text)) <= called:
            return _with_following(sentences[i:])
    return ()


def _with_following(units: Sequence[Unit]) -> tuple[Unit, ...]:
    kept = [units[0]]
    words = len(units[0].text.split())
    for unit in units[1:]:
        words += len(unit.text.split())
        if words > _MOST or _ends_front(unit.text) or unit.text.rstrip().endswith("."):
            break
        kept.append(unit)
    return tuple(kept)


def _ends_front(text: str) -> bool:
    lower = sum(1 for word in text.split() if word[:1].islower())
    return bool(_END.match(text)) or (len(text.split()) >= _LONG and 2 * lower > len(text.split()))


def _names_people(text: str) -> bool:
    """Whether a line is of names, alone or before an address."""
    led = _LED.match(text)
    words = (text[led.end() :] if led else text).split()
    names: list[str] = []
    for word in words:
        bare = _WORD.match(word)
        if "@" in word:
            break
        if all(len(mark) < 2 for mark in word.split(",")):
            continue  # `a,b` behind a name says where its bearer works
        if bare is None:
            if any(c.isdigit() for c in word):
                return False
        elif bare.group()[0].isupper():
            names.append(bare.group())
        elif word.lower() not in _PARTICLES:
            return led is not None and len(names) > 1
    mixed = any(name[1:2].islower() for name in names)
    firm = any(name.rstrip(".").lower() in _FIRMS for name in names)
    return len(names) > 1 and mixed and not firm and (led is not None or ":" not in text)
