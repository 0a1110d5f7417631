"""Attention over texts that lie end to end, a few of one padded length at a time.

Weights are `2 ** score / sum` without the usual subtraction of the largest score, which bf16 does
not need below scores of 88: its exponents reach as far as fp32's. The values carry a column that is
one for a token and zero for padding, so that one product makes the weighted values and their sum,
and hides padding without a mask. For texts with a sum that is no positive number, as with larger
scores, torch's own attention is taken instead.

All is worked out in the same few arrays: a new one for each step would be mapped and zeroed by the
system each time.

Imports torch, which takes 1.5 s: imported where it is first used (`bert_forward`).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Lengths = NDArray[np.int64]

LENGTH_STEP = 8
"""Texts are padded to multiples of so many tokens; a text alone is padded as among others."""
AT_ONCE = 4
"""Texts of one padded length that are worked out together."""
LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class _Few:
    """Some texts that are padded to one length, and the arrays they are worked out in.

    n texts of `length` tokens and h heads of d numbers; the arrays share memory with those of
    other texts.
    """

    rows: slice
    """Their packed rows, text after text."""
    row_of: torch.Tensor
    """(n * length,): the packed row of each padded place; the last row of all where padding is."""
    places: torch.Tensor
    """The padded place of each packed row."""
    real: torch.Tensor
    """(n, 1, length, 1): one where a token is, zero where padding."""
    parts: torch.Tensor
    """(n * length, 3 * h * d): query, key and value of each padded place."""
    query: torch.Tensor
    """(n, h, length, d)."""
    key: torch.Tensor
    """The same."""
    value: torch.Tensor
    """(n, h, length, d + 1): with the column of ones."""
    weights: torch.Tensor
    """(n * h, length, length)."""
    summed: torch.Tensor
    """(n, h, length, d + 1): weighted values and sums of weights."""
    inverse: torch.Tensor
    """(n, h, length, 1): one by the sum of the weights; memory of its own."""
    mixed: torch.Tensor
    """(n, length, h, d)."""


class PackedAttention:
    """Attention for a batch of texts, the same for each layer."""

    def __init__(self, lengths: Lengths, heads: int, like: torch.Tensor) -> None:
        """Take the lengths of the texts, rising, and packed rows (n_rows, dim) like those to come.

        At least one row beyond the last text must follow; what those attend to is zero.
        """
        self._context = like.new_zeros(like.shape)
        self._scale = LOG2_E * (like.shape[1] // heads) ** -0.5
        texts = _near_lengths(lengths)
        room = _Room(texts, heads, like)
        self._inverse = room.inverse
        self._few = [room.lay_out(own) for own in texts]

    def context(self, qkv: torch.Tensor) -> torch.Tensor:
        """Return what each row attends to, (n_rows, dim); written over at the next call.

        Args:
            qkv: (n_rows, 3 * dim): query, key and value, each of all heads; the last row is
                overwritten.
        """
        qkv[-1] = 0  # what padding is taken from
        for few in self._few:
            self._gather(few, qkv, self._scale)
            self._attend(few)
            self._put(few)
        if self._few and not _are_right(self._inverse):
            self._mend(qkv)
        return self._context

    def _mend(self, qkv: torch.Tensor) -> None:
        """Work out again, by torch, the texts whose sums are no positive numbers."""
        for few in self._few:
            if _are_right(few.inverse):
                continue
            right = torch.tensor([_are_right(text) for text in few.inverse])
            self._gather(few, qkv, self._scale)
            self._attend(few)
            plain = few.mixed.clone()
            self._gather(few, qkv, 1.0)
            self._attend_safely(few)
            few.mixed.copy_(torch.where(right[:, None, None, None], plain, few.mixed))
            self._put(few)

    def _gather(self, few: _Few, qkv: torch.Tensor, scale: float) -> None:
        torch.index_select(qkv, 0, few.row_of, out=few.parts)
        n, heads, length, dim = few.query.shape
        query, key, value = few.parts.view(n, length, 3, heads, dim).permute(2, 0, 3, 1, 4)
        torch.mul(query, scale, out=few.query)
        few.key.copy_(key)
        few.value[..., :-1].copy_(value)
        few.value[..., -1:].copy_(few.real)

    def _attend(self, few: _Few) -> None:
        query, key, value = (x.flatten(0, 1) for x in (few.query, few.key, few.value))
        torch.bmm(query, key.transpose(1, 2), out=few.weights).exp2_()
        torch.bmm(few.weights, value, out=few.summed.flatten(0, 1))
        torch.reciprocal(few.summed[..., -1:], out=few.inverse)
        torch.mul(few.summed[..., :-1], few.inverse, out=few.mixed.transpose(1, 2))

    def _attend_safely(self, few: _Few) -> None:
        mixed = torch.nn.functional.scaled_dot_product_attention(
            few.query, few.key, few.value[..., :-1], attn_mask=(few.real > 0).transpose(2, 3)
        )
        few.mixed.copy_(mixed.transpose(1, 2))

    def _put(self, few: _Few) -> None:
        mixed = few.mixed.flatten(2).flatten(0, 1)
        torch.index_select(mixed, 0, few.places, out=self._context[few.rows])


def _are_right(inverse: torch.Tensor) -> bool:
    """Whether sums of weights are positive numbers, by the inverses of them."""
    low, high = torch.aminmax(inverse)
    return bool(low > 0 and high < torch.inf)


def _near_lengths(lengths: Lengths) -> list[Lengths]:
    """Part rising lengths into those of a few texts of one padded length; leaves out empty ones."""
    padded = _padded(lengths)
    same = [lengths[padded == length] for length in np.unique(padded[padded > 0])]
    return [own[i : i + AT_ONCE] for own in same for i in range(0, len(own), AT_ONCE)]


def _padded(lengths: Lengths) -> Lengths:
    return -(-lengths // LENGTH_STEP) * LENGTH_STEP


class _Room:
    """Memory for the arrays of a batch: the same for each few texts, but for the inverses."""

    def __init__(self, texts: list[Lengths], heads: int, like: torch.Tensor) -> None:
        self._heads, self._dim, self._like = heads, like.shape[1] // heads, like
        self._start = self._place = 0
        sizes = [(len(own), int(_padded(own)[0])) for own in texts]
        most = max((n * length for n, length in sizes), default=0)
        self._queries, self._keys, self._mixed = (
            like.new_empty(most * like.shape[1]) for _ in "qkm"
        )
        self._parts = like.new_empty(most * 3 * like.shape[1])
        self._values, self._summed = (like.new_empty(most * (like.shape[1] + heads)) for _ in "vs")
        self._weights = like.new_empty(
            heads * max((n * length**2 for n, length in sizes), default=0)
        )
        self.inverse = like.new_empty(heads * sum(n * length for n, length in sizes))

    def lay_out(self, own: Lengths) -> _Few:
        """Give the next texts their rows and arrays."""
        n, length, heads, dim = len(own), int(_padded(own)[0]), self._heads, self._dim
        inside = np.arange(length) < own[:, None]  # (n, length)
        row_of = np.where(inside.ravel(), self._start + np.cumsum(inside) - 1, len(self._like) - 1)
        rows = slice(self._start, self._start + int(own.sum()))
        inverse = self.inverse[self._place : self._place + heads * n * length]
        self._start, self._place = rows.stop, self._place + heads * n * length
        return _Few(
            rows,
            row_of=torch.from_numpy(row_of),
            places=torch.from_numpy(np.flatnonzero(inside)),
            real=torch.from_numpy(inside[:, None, :, None]).to(self._like.dtype),
            parts=_shaped(self._parts, n * length, 3 * heads * dim),
            query=_shaped(self._queries, n, heads, length, dim),
            key=_shaped(self._keys, n, heads, length, dim),
            value=_shaped(self._values, n, heads, length, dim + 1),
            weights=_shaped(self._weights, n * heads, length, length),
            summed=_shaped(self._summed, n, heads, length, dim + 1),
            inverse=_shaped(inverse, n, heads, length, 1),
            mixed=_shaped(self._mixed, n, length, heads, dim),
        )


def _shaped(memory: torch.Tensor, *shape: int) -> torch.Tensor:
    return memory[: math.prod(shape)].view(shape)
