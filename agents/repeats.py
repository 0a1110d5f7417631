"""What a round shows once: hits, remarks and results that stand above already are only named.

Two searches of one round often find the same page, and a page that was read is found again. The
second time a hit is one line; the text stays in sight above it, so nothing is lost. What is shown
of an observation depends only on those before it: prompts still extend one another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pagehop.agents.moves import Observation

_HIT = re.compile(r"^\d+\. \[([^\]\n]+:\d+)\]")
_ABOUT = ("head: ", "(the page says ", "(no unit on this page; ", "(drawn; ")
"""How the lines begin that a search adds to the words of a page."""
ABOVE = "| these words stand above"
SAME_CALL = "(the same call was made before; its result stands above)"


@dataclass
class _Shown:
    """What was shown so far."""

    pages: dict[str, str] = field(default_factory=dict)
    """Words by page reference, spaces evened."""
    remarks: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)


def without_repeats(observations: Sequence[Observation]) -> list[str]:
    """Return the text of each observation of a round, without what stands above it."""
    shown = _Shown()
    return [_text(item, shown) for item in observations]


def _text(item: Observation, shown: _Shown) -> str:
    if not item.ok:
        return item.text
    if item.cached and item.text in shown.results:
        return SAME_CALL
    shown.results.add(item.text)
    if "hits" in item.artifact:
        return "\n".join(_blocks(item.text, shown))
    if ref := str(item.artifact.get("ref") or ""):
        _remember(shown, ref, item.text)
    return item.text


def _blocks(text: str, shown: _Shown) -> list[str]:
    """Return the hits of a search, each whole or as its first line, and remarks not made before."""
    blocks: list[list[str]] = []
    kept: list[str] = []
    for line in text.split("\n"):
        if _HIT.match(line) or not line.startswith(" ") or not blocks:
            blocks.append([line])
        else:
            blocks[-1].append(line)
    for first, *rest in blocks:
        found = _HIT.match(first)
        if found is None:
            if first.startswith("(") and first in shown.remarks:
                continue
            shown.remarks.add(first)
            kept += [first, *rest]
            continue
        own = (line for line in rest if not line.strip().startswith(_ABOUT))
        body = _even("\n".join(own)).removeprefix("...").removesuffix("...").strip()
        if body and body in shown.pages.get(found[1], ""):
            kept.append(f"{first} {ABOVE}")
        else:
            _remember(shown, found[1], body)
            kept += [first, *rest]
    return kept


def _remember(shown: _Shown, ref: str, words: str) -> None:
    shown.pages[ref] = f"{shown.pages.get(ref, '')}\n{_even(words)}"


def _even(text: str) -> str:
    return " ".join(text.split())
