"""Questions about many documents at once, such as how many leases are governed by which law.

A question is read as a predicate of `filter_documents` over what documents say of themselves, and
only when every word of it that means something is used: a kind of document, a form, a year, a
field with a value it has somewhere, a field above or below a number. Of plain documents also all of
them may be asked for, those of a year, and those that mention something. Anything else is not read,
and the question goes the usual way.
"""

import re
from collections import Counter
from collections.abc import Sequence, Set
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
_MENTION = re.compile(
    r"^(?:of (?:the|these|all) )?(?:documents|files|papers|pdfs)\s+(?:(?:that|which|here)\s+)?"
    r"(?:mention|contain|name|discuss|speak of|speak about|talk about|refer to|include|cite)s?\s+"
    r"(?:the (?:words?|terms?|name) )?[\"\u201c]?(?P<what>[^\"\u201d]+?)[\"\u201d]?$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\b(?:and|or|but|not|both|any|no|more|less|than|a|an)\b|,", re.IGNORECASE)
_LONGEST_MENTION = 5
"""Words of what may be mentioned; more are a question of their own."""
_NUMBERED = re.compile(
    r"how many (?P<things>(?:[a-z]+ )?[a-z]{3,}s) (?:does|do|are (?:there )?in|has|have|is)\b.+$",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"(?:which|what)\b[^,:]*?\b(?:appeared|published|issued|written|released|adopted|ratified|"
    r"came out)\s+(?:(?:earlier|first|older)|(?P<later>later|last|newer|more recent(?:ly)?))\b"
    r"[^,:]*[,:]\s*(?:the\s+)?(?P<a>[^,]+?),?\s+or\s+(?:the\s+)?(?P<b>[^,]+?)\s*\??$",
    re.IGNORECASE,
)
ALL = "pages > 0"
"""The predicate that holds for every document."""
_FRAME = frozenset(
    map(
        stem,
        """all these those every each have has with whose that which were was are is been there set
        made signed dated filed run last states say says give gives form year law laws governed
        concluded named called used available library than more collection folder here published
        issued released written""".split(),
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
    year: int = 0
    """Only plain documents of a year are asked for, which their front pages may tell, too."""
    mention: str = ""
    """Only documents that mention this are asked for, wherever they do."""
    numbered: str = ""
    """Not documents are asked for, but things that one document numbers: `annex`."""
    sides: tuple[str, ...] = ()
    """Two documents, as the question calls them, of which the earlier is asked for."""
    later: bool = False
    """Of two documents the later one."""


def read_tally(text: str, documents: Sequence[Document], table: FieldTable) -> Tally | None:
    """Read a question as a predicate over a view's documents; None when it is none or unclear."""
    asked = _ASKED.match(text)
    noun = _PLURAL.search(asked["rest"]) if asked else None
    if asked is None or noun is None:
        return None
    count: Literal["count", "list"] = "count" if asked["count"] else "list"
    mention = _MENTION.match(asked["rest"])
    if mention is not None and _is_one_thing(mention["what"]):
        return Tally(count, "", "documents", mention=mention["what"])
    kinds = {str(f.value).casefold() for d in documents for f in table.of(d.id, "kind")}
    singular = noun["noun"].casefold()
    parts = [f'kind = "{singular}"'] if singular in kinds else []
    if not parts and singular not in _DOCUMENTS:
        return None
    rest = asked["rest"].replace(noun.group(), " ", 1)
    if not parts:
        rest, parts = _read_kind(rest, kinds)
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
    if left - _FRAME or (not parts and singular == "one"):
        return None
    years = [int(part.removeprefix("year = ")) for part in parts if part.startswith("year = ")]
    named = f"{sort} {noun.group()}".strip()
    year = years[0] if len(parts) == len(years) == 1 else 0
    return Tally(count, " and ".join(parts) or ALL, named, year=year)


def read_numbered(text: str) -> Tally | None:
    """Read a question for how many parts or things a document has, which it may number."""
    asked = _NUMBERED.match(" ".join(text.split()))
    if asked is None or _YEAR.search(text):
        return None
    return Tally("count", "", asked["things"], numbered=_singular(asked["things"]))


def read_order(text: str) -> Tally | None:
    """Read a question for which of two documents appeared first."""
    asked = _ORDER.match(" ".join(text.split()))
    if asked is None:
        return None
    return Tally("list", "", "", sides=(asked["a"], asked["b"]), later=bool(asked["later"]))


def _singular(things: str) -> str:
    for ending, single in (("ies", "y"), ("ices", "ix"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if things.endswith(ending):
            return things.removesuffix(ending) + single
    return things


def _is_one_thing(what: str) -> bool:
    words = what.split()
    return len(words) <= _LONGEST_MENTION and not _SEVERAL.search(what) and "?" not in what


def _read_kind(rest: str, kinds: Set[str]) -> tuple[str, list[str]]:
    """Read the kind of `documents that are licenses`; returns what is left of the text, and it."""
    named = re.search(r"\b(?:are|were)\s+(?:an?\s+)?(?P<kind>[a-z]{3,}?)s\s*$", rest, re.IGNORECASE)
    if named is None or named["kind"].casefold() not in kinds:
        return rest, []
    return rest[: named.start()], [f'kind = "{named["kind"].casefold()}"']


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
