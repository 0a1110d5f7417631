"""What search by meaning compares of a passage: its own words, and those with what stands above.

1. A passage's title, section and, of a table, column headings (its head) say what it is about, but
   are the same for many passages of a document, and read together they outweigh the passage's own
   words. So head and words are embedded by themselves: `own` is the vector of the words, `whole`
   the weighted mean of both. Search takes the better of the two cosines.
2. A head is embedded once for all passages that share it, so there is less to embed than when each
   passage repeats it: 15 % of the characters of 41 filings and articles.

Measured beside one vector of everything read together: docs/benchmarks/retrieval.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pagehop.models.text_encoder import TextEncoder

HEAD = 0.35
"""Weight of the head in `whole`. .25 to .5 find about as much in benchmarks/retrieval.py: less is
better for articles, more for filings of one company that differ in their quarter."""
KEPT_HEADS = 20_000
"""Heads whose vectors an embedder remembers: 1.5 kB each of 384 numbers."""


@dataclass(frozen=True)
class PassageVectors:
    """Vectors of some passages, in the order they were given."""

    whole: NDArray[np.float32]
    """(n, dim) of unit length: head and own words."""
    own: NDArray[np.float32]
    """(n, dim) of unit length, to 16 bits, as they are stored: own words alone."""


class PassageEmbedder:
    """A text encoder for passages; remembers heads, so use one for many passages. One thread."""

    def __init__(self, encoder: "TextEncoder") -> None:
        """Embed nothing yet."""
        self._encoder = encoder
        self._heads: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str], search_texts: Sequence[str]) -> PassageVectors:
        """Return the vectors of passages.

        Args:
            texts: Their own words.
            search_texts: The same with the head before them.

        Raises:
            ModelError: The encoder cannot be loaded.
        """
        heads = [
            whole.removesuffix(own).strip() for own, whole in zip(texts, search_texts, strict=True)
        ]
        known = self._embed_heads(heads)
        own = self._encoder.encode([*texts])
        above = np.array([known[head] for head in heads], np.float32).reshape(own.shape)
        headed = np.array([bool(head) for head in heads])[:, None]
        return PassageVectors(
            whole=np.where(headed, _unit((1 - HEAD) * own + HEAD * above), own),
            own=own.astype(np.float16).astype(np.float32),
        )

    def _embed_heads(self, heads: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        if len(self._heads) > KEPT_HEADS:
            self._heads.clear()
        new = [head for head in dict.fromkeys(heads) if head and head not in self._heads]
        self._heads |= zip(new, self._encoder.encode(new), strict=True)
        return {"": np.zeros(self._encoder.dim, np.float32), **self._heads}


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
