"""What waits to be embedded: texts as token ids, the callers they belong to, batches.

Small requests of all callers share batches and go before large ones; large ones take turns, a
batch each. Several threads may take batches at once.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

LENGTH_STEP = 8
"""Texts are padded to multiples of so many tokens."""


class Request:
    """One caller's texts, filled in as batches come back."""

    def __init__(self, n: int, dim: int) -> None:
        self._vectors = np.empty((n, dim), np.float32)
        self._missing = n
        self._lock = threading.Lock()  # batches of one request come back in several threads
        self.done: Future[NDArray[np.float32]] = Future()

    def fill(self, i: int, vector: NDArray[np.float32]) -> None:
        """Take the vector of text i; the last one completes the request."""
        with self._lock:
            self._vectors[i] = vector
            self._missing -= 1
            if not self._missing and not self.done.done():
                self.done.set_result(self._vectors)

    def fail(self, error: BaseException) -> None:
        """Hand an error to the caller who waits."""
        with self._lock:
            if not self.done.done():
                self.done.set_exception(error)


class Item:
    """One text of a request, as token ids."""

    __slots__ = ("i", "ids", "length", "request")

    def __init__(self, request: Request, i: int, ids: list[int]) -> None:
        self.request, self.i, self.ids = request, i, ids
        self.length = padded_length(len(ids))

    def minus_length(self) -> int:
        """Key that puts long texts first."""
        return -self.length


class Queue:
    """Small requests, taken together; batches of large ones, taken one by one, in turn."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._small: deque[Item | None] = deque()
        self._large: deque[deque[list[Item]]] = deque()

    def put(self, items: Sequence[Item | None]) -> None:
        """Queue texts of small requests; a None ends one thread."""
        with self._ready:
            self._small.extend(items)
            self._ready.notify_all()

    def put_batches(self, batches: list[list[Item]]) -> None:
        """Queue a large request."""
        with self._ready:
            self._large.append(deque(batches))
            self._ready.notify_all()

    def get(self, batch_tokens: int) -> list[Item] | None:
        """Wait for the next batch; None ends the thread that gets it."""
        with self._ready:
            while not self._small and not self._large:
                self._ready.wait()
            if self._small:
                return self._take_small(batch_tokens)
            batches = self._large.popleft()
            batch = batches.popleft()
            if batches:
                self._large.append(batches)
            return batch

    def _take_small(self, batch_tokens: int) -> list[Item] | None:
        """Take the first item and all others of its padded length that fit."""
        first = self._small.popleft()
        if first is None:
            return None
        room = batch_tokens // first.length - 1
        batch, rest = [first], deque[Item | None]()
        for item in self._small:
            if item is not None and item.length == first.length and room > 0:
                batch.append(item)
                room -= 1
            else:
                rest.append(item)
        self._small = rest
        return batch


def batch_by_length(items: list[Item], batch_tokens: int) -> list[list[Item]]:
    """Cut items into batches of one padded length, longest first, each within the budget."""
    batches: list[list[Item]] = []
    for length, group in groupby(sorted(items, key=Item.minus_length), key=Item.minus_length):
        same = list(group)
        size = max(1, batch_tokens // -length)
        batches += [same[i : i + size] for i in range(0, len(same), size)]
    return batches


def pad(rows: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and mask, both (n, length) int64; the mask hides what is padded with id 0."""
    length = max(padded_length(len(row)) for row in rows)
    ids = np.zeros((len(rows), length), np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def padded_length(n_tokens: int) -> int:
    """Return the length that a text of so many tokens is padded to."""
    return max(1, -(-n_tokens // LENGTH_STEP)) * LENGTH_STEP
