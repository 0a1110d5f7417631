"""MaxSim: how well a page fits a query, from the vectors of both.

A page's score is the mean, over the query's vectors, of the best cosine to any vector of the page:
1 when each is there, about the encoder's noise when none is. Two forms:

1. `to_codes` and `scan`: bytes instead of numbers, products of bytes, all pages. Errors are about
   .002, so `scan` chooses candidates.
2. `exact`: float32, for the candidates.

Each thread works by itself: torch's own threads wait for each other after every product, which on a
busy machine takes a hundred times as long as the products do. The long axis must be the last one
where the maximum runs over it: the usual form, pages times query, takes twice as long. Rates are in
docs/benchmarks/visual.md.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.models.encoder_backends import keep_to_one_core

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]

CHUNK = 16_384
"""Vectors compared at a time, so that their products stay in the processor's cache."""
MAX_WORKERS = 8


@dataclass(frozen=True)
class Codes:
    """Vectors of some pages, as bytes."""

    pages: NDArray[np.int32]
    """(pages,) their numbers."""
    counts: NDArray[np.int32]
    """(pages,) vectors of each; 0 for a page that has none."""
    values: NDArray[np.int8]
    """(vectors, dim), page after page; may be mapped from a file."""
    scale: float
    """What one step of a byte is worth."""


def to_codes(
    pages: NDArray[np.int32], counts: NDArray[np.int32], vectors: NDArray[np.floating]
) -> Codes:
    """Make bytes of the vectors of pages.

    Args:
        pages: (pages,) their numbers.
        counts: (pages,) vectors of each.
        vectors: (vectors, dim) of 16 or 32 bits, page after page.
    """
    scale = float(max(vectors.max(initial=0.0), -vectors.min(initial=0.0))) / 127 or 1.0
    values = np.empty(vectors.shape, np.int8)
    for first in range(0, len(vectors), CHUNK):
        part = vectors[first : first + CHUNK].astype(np.float32)
        values[first : first + CHUNK] = np.rint(part / scale)
    return Codes(pages.astype(np.int32), counts.astype(np.int32), values, scale)


def scan(query: Vectors, documents: Sequence[Codes]) -> list[Vectors]:
    """Return the scores of each document's pages, (pages,) float32; -inf for one without vectors.

    Args:
        query: (tokens, dim) float32 of unit length.
        documents: Codes of the same dim.
    """
    return list(_workers().map(partial(_scan_one, query), documents))


def _scan_one(query: Vectors, codes: Codes) -> Vectors:
    import torch  # noqa: PLC0415 - 1.5 s

    scores = np.full(len(codes.pages), -np.inf, np.float32)
    steps = np.maximum(np.abs(query).max(axis=1), 1e-6) / 127  # (tokens,)
    asked = torch.from_numpy(np.rint(query / steps[:, None]).astype(np.int8))
    worth = torch.from_numpy((steps * codes.scale / len(query)).astype(np.float32))
    values = torch.from_numpy(codes.values)
    page = start = 0
    for count, run in groupby(codes.counts.tolist()):
        left = len(list(run))
        at_once = max(1, CHUNK // max(1, count))
        while left:
            n = min(left, at_once)
            if count:
                part = values[start : start + n * count]
                products = _products(asked, part).view(len(query), n, count)
                scores[page : page + n] = (worth @ products.amax(-1).float()).numpy()
            page, start, left = page + n, start + n * count, left - n
    return scores


def exact(query: Vectors, pages: Sequence[Vectors]) -> list[float]:
    """Return the score of each page from its vectors, (n, dim) float32; -inf without any."""
    scores = np.full(len(pages), -np.inf)
    held = np.array([i for i, rows in enumerate(pages) if len(rows)], np.int64)
    if len(held):
        products = _workers().submit(_multiply, query, np.concatenate(pages)).result()
        starts = np.cumsum([0, *(len(pages[i]) for i in held[:-1])])
        scores[held] = np.maximum.reduceat(products, starts, axis=1).mean(axis=0)
    return [float(score) for score in scores]


def _multiply(query: Vectors, vectors: Vectors) -> Vectors:
    """Return (tokens, vectors)."""
    import torch  # noqa: PLC0415 - 1.5 s

    made: Vectors = (torch.from_numpy(query.copy()) @ torch.from_numpy(vectors).T).numpy()
    return made


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    """Return the threads that compare, for all searches of this process."""
    return ThreadPoolExecutor(
        min(os.cpu_count() or 1, MAX_WORKERS),
        thread_name_prefix="pagehop-maxsim",
        initializer=keep_to_one_core,
    )


def _products(asked: "torch.Tensor", part: "torch.Tensor") -> "torch.Tensor":
    """Return (tokens, vectors) of products of bytes."""
    import torch  # noqa: PLC0415 - 1.5 s

    product = getattr(torch, "_int_mm", None)  # private, so it may be gone
    if product is None:
        return asked.float() @ part.float().T
    made: torch.Tensor = product(asked, part.T)
    return made
