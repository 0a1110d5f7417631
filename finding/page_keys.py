"""Which pages share a key: the names they mention, the bands of their signatures.

Keys are kept as sorted 64-bit hashes, 20 bytes each, so that a hundred thousand pages fit into
memory; a hash belongs to one process and is never written.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pagehop.reading.mentions import name_key
from pagehop.reading.signatures import bands

PageKey = tuple[str, int]
"""Document id and page."""


@dataclass(frozen=True)
class PageKeys:
    """The keys of the pages of one partition."""

    hashes: NDArray[np.int64]
    """(n,) sorted."""
    rows: NDArray[np.int32]
    """(n,) index into `documents` and `pages`."""
    documents: Sequence[str]
    pages: NDArray[np.int32]

    @classmethod
    def of(cls, rows: pa.Table) -> "PageKeys":
        """Read rows of `anchors` with the roles `mentions` and `resembles`, one a page and role."""
        listed = zip(rows["role"].to_pylist(), rows["words"].to_pylist(), strict=True)
        keys = [list(page_keys(role, words)) for role, words in listed]
        hashes = np.fromiter((hash(key) for each in keys for key in each), dtype=np.int64)
        owners = np.repeat(np.arange(len(keys), dtype=np.int32), [len(each) for each in keys])
        order = np.argsort(hashes, kind="stable")
        pages = rows["page"].to_numpy().astype(np.int32)
        return cls(hashes[order], owners[order], rows["document"].to_pylist(), pages)

    def pages_with(self, key: str) -> Iterator[PageKey]:
        """Yield the pages that have a key."""
        wanted = hash(key)
        low, high = np.searchsorted(self.hashes, [wanted, wanted + 1])
        for row in self.rows[low:high].tolist():
            yield self.documents[row], int(self.pages[row])


class ViewKeys:
    """The keys of all visible pages."""

    def __init__(self, partitions: Sequence[PageKeys]) -> None:
        self._partitions = partitions

    def pages_with(self, key: str, most: int, documents: Container[str]) -> list[PageKey]:
        """Return the first `most` pages of these documents (ids) that have a key."""
        found = (page for keyed in self._partitions for page in keyed.pages_with(key))
        return list(islice((page for page in found if page[0] in documents), most))


def page_keys(role: str, words: str) -> Iterable[str]:
    """Return the keys of one stored row: what two rows that belong together have in common."""
    if role == "resembles":
        return bands(words)
    return dict.fromkeys(f"name:{name_key(name)}" for name in words.split("\n"))
