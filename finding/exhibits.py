"""Exhibits that are files of their own: what `Exhibit 10.1` means where the document has none.

A file is an exhibit when its name or title says so (`acme_ex-10.1.pdf`, `Exhibit 10.1 Lease`), or
when its first page begins with it. Every filing has an Exhibit 31.1: of several files the one is
meant whose path and title share most words with the document that refers to it. Up to three that
share equally many are led to, each the less sure; more are a guess and none is.

Not covered: numbers written together (`ex101.htm` may be 10.1 or 101).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pagehop.types import Document

_EXHIBIT = re.compile(
    r"(?<![a-z])(?:exhibit|exh|ex)(?:[\s._-]*(?:no[\s._]*)?(?P<number>\d{1,3}(?:[._-]\d{1,3})?[a-z]?)"
    r"|[\s._-]+(?P<letter>[a-z]))(?![a-z\d])"
)
"""A letter stands apart: `exhibits` and `ext` name none."""
_WORD = re.compile(r"\d+|[^\W\d_]+")
_MOST_ALIKE = 3
"""Files that fit equally well, from which on none is led to when there are more."""


@dataclass(frozen=True)
class Exhibit:
    """A document that an exhibit's number means."""

    document: str
    """Document id."""
    certainty: float
    """0 to 1: one over the number of documents that fit as well."""


class Exhibits:
    """The exhibits among some documents."""

    def __init__(self, documents: Iterable[Document]) -> None:
        """Read names and titles."""
        self._words: dict[str, frozenset[str]] = {}
        self._named: dict[str, list[str]] = {}
        for document in documents:
            said = f"{document.source} {document.title}".casefold()
            self._words[document.id] = frozenset(_WORD.findall(said))
            for match in _EXHIBIT.finditer(said):
                ids = self._named.setdefault(
                    f"exhibit:{_number(match['number'] or match['letter'])}", []
                )
                if document.id not in ids:
                    ids.append(document.id)

    def find(self, key: str, referring: str, headed: Iterable[str]) -> list[Exhibit]:
        """Return the documents that a reference means.

        Args:
            key: `exhibit:10.1`.
            referring: Id of the document in which it stands.
            headed: Ids of documents whose first page bears the number.
        """
        likely = dict.fromkeys((*self._named.get(key.casefold(), ()), *headed))
        shared = {
            id: len(self._words[id] & self._words[referring])
            for id in likely
            if id != referring and id in self._words
        }
        best = _best(shared)
        return [Exhibit(id, 1 / len(best)) for id in best] if len(best) <= _MOST_ALIKE else []


def _best(shared: Mapping[str, int]) -> list[str]:
    most = max(shared.values(), default=0)
    return [id for id, count in shared.items() if count == most]


def _number(written: str) -> str:
    return re.sub(r"[_-]", ".", written)
