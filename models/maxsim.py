"""MaxSim: how well a page fits a query, from the vectors of both.

A page's score is the mean, over the query's vectors, of the best cosine to any vector of the page:
1 when each is there, about the encoder's noise when none is. Three forms, each for fewer pages:

1. `scan`: a byte a number, products of bytes, all pages. Errors are about .002, so it chooses
   candidates. With `leads` it compares only those vectors of a page that stand for all of it
   (`lead_vectors.py`), which chooses candidates more roughly, from very many pages.
2. `compare` does the same for some pages, or
3. with `fine` by two bytes a number: errors are about .00001, less than the encoders' own 16 bits.

`exact` is for vectors that are no codes.

Each thread works by itself: torch's own threads wait for each other after every product, which on a
busy machine takes a hundred times as long as the products do. The long axis must be the last one
where the maximum runs over it: the usual form, pages times query, takes twice as long. Rates are in
docs/benchmarks/visual.md.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pagehop.models.encoder_backends import keep_to_one_core
from pagehop.models.lead_vectors import choose_leads

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]

CHUNK = 16_384
"""Vectors compared at a time, so that their products stay in the processor's cache."""
MAX_WORKERS = 8
FINE = 254
"""Steps of a second byte that make one step of the first."""


@dataclass(frozen=True)
class Codes:
    """Vectors of some pages, as bytes."""

    pages: NDArray[np.int32]
    """(pages,) their numbers."""
    counts: NDArray[np.int32]
    """(pages,) vectors of each; 0 for a page that has none."""
    leads: NDArray[np.int32]
    """(pages,) how many of these stand for all of them."""
    scales: NDArray[np.float32]
    """(pages,) what one step of a byte is worth."""
    values: NDArray[np.int8]
    """(vectors, dim), page after page: first the leads of all pages, then all other vectors. May be
    mapped from a file, as `fine`."""
    fine: NDArray[np.int8]
    """(vectors, dim) what `values` leave, in steps of 1 / `FINE`."""

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(pages, 2) where the leads and the other vectors of each page begin."""
        leads, others = self.leads.astype(np.int64), (self.counts - self.leads).astype(np.int64)
        first = np.cumsum(leads) - leads
        return np.stack([first, leads.sum() + np.cumsum(others) - others], axis=1)

    def rows(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the vectors of some pages are, page after page."""
        starts = self.starts[chosen].reshape(-1)
        lengths = np.stack([self.leads, self.counts - self.leads], axis=1)[chosen].reshape(-1)
        ends = np.cumsum(lengths)
        return np.repeat(starts - (ends - lengths), lengths) + np.arange(lengths.sum())


def to_codes(
    pages: NDArray[np.int32],
    counts: NDArray[np.int32],
    vectors: NDArray[np.floating],
    *,
    leads: bool = True,
) -> Codes:
    """Make bytes of the vectors of pages.

    Args:
        pages: (pages,) their numbers.
        counts: (pages,) vectors of each.
        vectors: (vectors, dim) of 16 or 32 bits, page after page.
        leads: Choose those that stand for all of a page: 2 to 5 ms for hundreds of them.
    """
    bounds = np.cumsum(counts)[:-1]
    each = np.split(vectors, bounds) if len(counts) else []
    chosen = [choose_leads(rows) if leads else np.arange(len(rows)) for rows in each]
    numbers = np.array([len(rows) for rows in chosen], np.int32)
    # pages that have as many vectors come together, so that they are compared together
    order = np.lexsort((pages, numbers, counts))
    values = np.empty(vectors.shape, np.int8)
    codes = Codes(
        pages[order].astype(np.int32),
        counts[order].astype(np.int32),
        numbers[order],
        np.ones(len(pages), np.float32),
        values,
        np.empty_like(values),
    )
    for at, page in enumerate(order.tolist()):
        rows = each[page].astype(np.float32)
        scale = np.float32(np.abs(rows).max(initial=0.0) / 127 or 1.0)
        others = np.setdiff1d(np.arange(len(rows)), chosen[page])
        steps = rows[np.concatenate([chosen[page], others])] / scale
        place = codes.rows(np.array([at]))
        codes.scales[at], values[place] = scale, np.rint(steps)
        codes.fine[place] = np.rint((steps - np.rint(steps)) * FINE)
    return codes


def scan(query: Vectors, documents: Sequence[Codes], *, leads: bool = False) -> list[Vectors]:
    """Return the scores of each document's pages, (pages,) float32; -inf for one without vectors.

    Args:
        query: (tokens, dim) float32 of unit length.
        documents: Codes of the same dim.
        leads: Compare only the leads: scores are lower, by little where a page's vectors are alike.
    """
    return _spread(partial(_scan_one, _Asked(query), leads=leads), documents)


class _Asked:
    """A query as bytes."""

    def __init__(self, query: Vectors) -> None:
        import torch  # noqa: PLC0415 - 1.5 s

        steps = np.maximum(np.abs(query).max(axis=1), 1e-6) / 127  # (tokens,)
        self.values = torch.from_numpy(np.rint(query / steps[:, None]).astype(np.int8))
        self.worth = torch.from_numpy((steps / len(query)).astype(np.float32))
        self.exactly = torch.from_numpy(query.astype(np.float32))


def _scan_one(asked: _Asked, codes: Codes, *, leads: bool) -> Vectors:
    import torch  # noqa: PLC0415 - 1.5 s

    values, others = torch.from_numpy(codes.values), int(codes.leads.sum())
    best = _best(asked, values[:others], codes.leads)
    if not leads:
        best = torch.maximum(best, _best(asked, values[others:], codes.counts - codes.leads))
    scores = (asked.worth @ best.float()).numpy() * codes.scales
    scores[codes.counts == 0] = -np.inf
    return np.asarray(scores, np.float32)


def _best(asked: _Asked, part: "torch.Tensor", lengths: NDArray[np.int32]) -> "torch.Tensor":
    """Return the best product of each token with the rows of each page, (tokens, pages).

    Args:
        asked: The query.
        part: (rows, dim) page after page.
        lengths: (pages,) rows of each.
    """
    import torch  # noqa: PLC0415 - 1.5 s

    tokens = len(asked.values)
    best = torch.full((tokens, len(lengths)), torch.iinfo(torch.int32).min, dtype=torch.int32)
    page = start = 0
    for length, run in groupby(lengths.tolist()):
        end, at_once = page + len(list(run)), max(1, CHUNK // max(1, length))
        while page < end:
            n = min(end - page, at_once)
            if length:
                products = _products(asked.values, part[start : start + n * length])
                best[:, page : page + n] = products.view(tokens, n, length).amax(-1)
            page, start = page + n, start + n * length
    return best


def compare(
    query: Vectors,
    documents: Sequence[Codes],
    chosen: Sequence[NDArray[np.int64]],
    *,
    fine: bool = False,
) -> list[Vectors]:
    """Return the scores of some pages of each document, (chosen,) float32.

    Args:
        query: (tokens, dim) float32 of unit length.
        documents: Codes of the same dim.
        chosen: (n,) positions of the pages of each document, such as have vectors.
        fine: By two bytes a number.
    """
    return _spread(partial(_compare_one, _Asked(query), fine=fine), documents, chosen)


def _compare_one(asked: _Asked, codes: Codes, chosen: NDArray[np.int64], *, fine: bool) -> Vectors:
    import torch  # noqa: PLC0415 - 1.5 s

    rows, counts = codes.rows(chosen), codes.counts[chosen]
    starts = np.cumsum(counts) - counts
    values = torch.from_numpy(codes.values[rows])
    if fine:
        vectors = values.float().add_(torch.from_numpy(codes.fine[rows]), alpha=1 / FINE)
        best = np.maximum.reduceat((asked.exactly @ vectors.T).numpy(), starts, axis=1)
        return np.asarray(best.mean(axis=0) * codes.scales[chosen], np.float32)
    best = np.maximum.reduceat(_products(asked.values, values).numpy(), starts, axis=1)
    return np.asarray(asked.worth.numpy() @ best * codes.scales[chosen], np.float32)


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


def _spread(one: Callable[..., Vectors], *columns: Sequence[Any]) -> list[Vectors]:
    """Return what each row of arguments gives, in few jobs: handing one over takes long."""
    jobs = list(zip(*columns, strict=True))
    size = -(-len(jobs) // (4 * (os.cpu_count() or 1))) or 1
    parts = [jobs[i : i + size] for i in range(0, len(jobs), size)]
    made = _workers().map(lambda part: [one(*job) for job in part], parts)
    return [scores for part in made for scores in part]


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
