"""What one search may find, what it has found so far, and what each signal says of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pagehop.finding.routing import Route
from pagehop.types import Region

DEPTH = 100
"""Candidates that each signal brings, or twice the hits asked for when that is more; full text
brings twice as many from each partition."""


@dataclass(frozen=True)
class Scope:
    """What may be found."""

    documents: frozenset[str] | None
    """Document ids; None for all of the snapshot."""
    kinds: frozenset[str] | None
    pages: frozenset[int] | None

    def holds(self, passage: Region) -> bool:
        """Say whether a passage may be found."""
        return (
            (self.documents is None or passage.document in self.documents)
            and (self.kinds is None or passage.parent_kind in self.kinds)
            and (self.pages is None or passage.page in self.pages)
        )


@dataclass
class Found:
    """Candidates of one search, by region id, and what each signal says of them."""

    depth: int = DEPTH
    """Candidates that each signal brings."""
    route: Route = field(default_factory=Route)
    """The documents that the question names."""
    passages: dict[str, Region] = field(default_factory=dict)
    keyword: dict[str, float] = field(default_factory=dict)
    """BM25 scores."""
    ceiling: float = 0.0
    """What no BM25 score of this query can exceed."""
    semantic: dict[str, float] = field(default_factory=dict)
    """Cosines."""
    context: dict[str, float] = field(default_factory=dict)
    """Cosines to passages read with their neighbours, where those have vectors."""
    floor: float = 0.0
    """The encoder's cosine of things that have nothing to do with each other."""
    query: NDArray[np.float32] | None = None
    """The query's vector (dim,), when there is an encoder."""
    others: dict[str, dict[str, float]] = field(default_factory=dict)
    """By the name of any further retriever: shares of what is best possible, 0 to 1."""
    by: dict[str, list[str]] = field(default_factory=dict)
    """The signals that brought each candidate."""

    def bring(self, signal: str, ids: Iterable[str]) -> None:
        """Note who brought candidates."""
        for id in ids:
            self.by.setdefault(id, []).append(signal)
