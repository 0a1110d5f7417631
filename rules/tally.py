"""Questions about many documents at once, such as how many leases are governed by which law.

A question is read as a predicate of `filter_documents` over what documents say of themselves, and
only when every word of it that means something is used: a kind of document, a form, a year, a
field with a value it has somewhere, a field above or below a number. Anything else is not read,
and the question goes the usual way.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pagehop.finding.fields import FieldTable
from pagehop.rules.vocabulary import FUNCTION_WORDS
from pagehop.rules.words import stem, tokens
from pagehop.types import Document

_ASKED = re.compile(
    r"^\s*(?:(?P<count>how\s+many)|(?P<list>list|name|show(?:\s+me)?|which|what))\s+"
    r"(?P<rest>.*?)[?.\s]*$",
    re.IGNORECASE | re.DOTALL,
)
_PLURAL = re.compile(r"(?P<noun>[a-z]{3,})s\b", re.IGNORECASE)
_FORM = re.compile(r"\b(?P<form>\d{1,2}-[A-Z]{1,2})s?\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<![\d,.])(?:19|20)\d\d(?![\d,.]\d|\d|-)")
_BOUND = re.compile(
    r"\b(?:(?P<least>at\s+least|no\s+less\s+than)|(?P<most>at\s+most|no\s+more\s+than)|"
    r"(?P<above>above|over|more\s+than|exceed(?:s|ing)?|higher\s+than|greater\s+than)|"
    r"(?P<below>below|under|less\s+than|lower\s+than|fewer\s+than))\s+"
    r"(?:(?:[A-Z]{3}|[$\u20ac\u00a3])\s?)?(?P<number>\d[\d,]*(?:\.\d+)?)(?:\s*(?P<unit>%|[A-Z]{3}\b))?"
)
_SIGNS = {"least": ">=", "most": "<=", "above": ">", "below": "<"}
_DOCUMENTS = frozenset({"document", "file", "filing", "paper", "pdf", "one"})
_FRAME = frozenset(
    map(
        stem,
        """all these those every each have has with whose that which were was are is been there set
        made signed dated filed run last states say says give gives form year law laws governed
        concluded named called used available library than more""".split(),
    )
)


@dataclass(frozen=True)
class Tally:
    """What such a question asks for."""

    kind: Literal["count", "list"]
    predicate: str
    """Of `filter_documents`."""
    noun: str
    """What is counted, as the question calls it."""


def read_tally(text: str, documents: Sequence[Document], table: FieldTable) -> Tally | None:
    """Read a question as a predicate over a view's documents; None when it is none or unclear."""
    asked = _ASKED.match(text)
    noun = _PLURAL.search(asked["rest"]) if asked else None
    if asked is None or noun is None:
        return None
    kinds = {str(f.value).casefold() for d in documents for f in table.of(d.id, "kind")}
    singular = noun["noun"].casefold()
    parts = [f'kind = "{singular}"'] if singular in kinds else []
    if not parts and singular not in _DOCUMENTS:
        return None
    rest = asked["rest"].replace(noun.group(), " ", 1)
    sort = ""
    if parts and (sort := _sort(asked["rest"][: noun.start()], singular, documents, table)):
        parts.append(f'type ~ "{sort} {singular}"')
        rest = _without(sort, rest)
    for form in _FORM.finditer(rest):
        parts.append(f'type = "{form["form"].upper()}"')
    for read in (_read_bound, _read_values):
        rest, found = read(_FORM.sub(" ", rest), documents, table)
        parts += found
    parts += [f"year = {year}" for year in dict.fromkeys(_YEAR.findall(rest))]
    rest = _YEAR.sub(" ", rest)
    left = {token.stem for token in tokens(rest) if token.text.lower() not in FUNCTION_WORDS}
    if not parts or left - _FRAME:
        return None
    return Tally(
        "count" if asked["count"] else "list", " and ".join(parts), f"{sort} {noun.group()}".strip()
    )


def _sort(before: str, singular: str, documents: Sequence[Document], table: FieldTable) -> str:
    """Return the words before a kind that make a sort of it (`annual` report) in some title."""
    titles = [f.shown.casefold() for d in documents for f in table.of(d.id, "type")]
    words = before.casefold().split()
    for i in range(len(words)):
        sort = " ".join(words[i:])
        if any(_found(f"{sort} {singular}", title) for title in titles):
            return sort
    return ""


def _read_bound(
    rest: str, documents: Sequence[Document], table: FieldTable
) -> tuple[str, list[str]]:
    """Read `annual fee above EUR 1,000`; returns what is left of the text, and conditions."""
    bound = _BOUND.search(rest)
    before = rest[: bound.start()] if bound else ""
    held = [name for name in table.names if _found(name, before)]
    if bound is None or not held:
        return rest, []
    name = max(held, key=len)
    sign = next(sign for key, sign in _SIGNS.items() if bound[key])
    number = bound["number"].replace(",", "")
    return _without(name, before) + rest[bound.end() :], [f'"{name}" {sign} {number}']


def _read_values(
    rest: str, documents: Sequence[Document], table: FieldTable
) -> tuple[str, list[str]]:
    """Read values that documents have for some field, the longest first."""
    holders: Counter[tuple[str, str]] = Counter()
    for name in table.names:
        for document in documents:
            shown = {field.shown for field in table.of(document.id, name)}
            holders.update((name, value) for value in shown if _found(value, rest))
    parts = []
    order = sorted(
        holders, key=lambda item: (-len(item[1]), not _found(item[0], rest), -holders[item], item)
    )
    for name, value in order:
        if name != "kind" and len(value) > 2 and '"' not in value and _found(value, rest):
            parts.append(f'"{name}" = "{value}"')
            rest = _without(name, _without(value, rest))
    return rest, parts


def _found(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


def _without(words: str, text: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", " ", text, flags=re.IGNORECASE)
