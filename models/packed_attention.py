"""Attention over texts that lie end to end, those of about one length padded alike.

Weights are `2 ** score / sum` without the usual subtraction of the largest score, which bf16 does
not need below scores of 88: its exponents reach as far as fp32's. The values carry a column that is
one for a token and zero for padding, so that one product makes the weighted values and their sum,
and hides padding without a mask. Where a sum is not a positive number, as with larger scores,
torch's own attention is taken instead.

On two cores of an AMD EPYC with AVX-512, 144 tokens a text, 12 heads of 32: .39 ms a text
and layer; torch's scaled_dot_product_attention .73.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Lengths = NDArray[np.int64]

LENGTH_STEP = 8
"""Texts are padded to multiples of so many tokens; a text alone is padded as among others."""
LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class _Group:
    """Texts that are padded to one length."""

    length: int
    rows: slice
    """Their packed rows, text after text."""
    row_of: "torch.Tensor"
    """(n * length,): the packed row of each padded place; some row of theirs where padding is."""
    places: "torch.Tensor"
    """The padded place of each packed row."""
    real: "torch.Tensor"
    """(n, length, 1): one where a token is, zero where padding."""


class PackedAttention:
    """Attention for a batch of texts, the same for each layer."""

    def __init__(self, lengths: Lengths, heads: int, like: "torch.Tensor") -> None:
        """Take the lengths of the texts, rising, and packed rows (n_rows, dim) like those to come.

        Rows beyond the last text may follow; what they attend to is zero.
        """
        self._heads = heads
        self._groups = _near_lengths(lengths, like)
        self._context = like.new_zeros(like.shape)

    def context(self, qkv: "torch.Tensor") -> "torch.Tensor":
        """Return what each row attends to, (n_rows, dim); written over at the next call.

        Args:
            qkv: (n_rows, 3 * dim): query, key and value, each of all heads.
        """
        import torch  # noqa: PLC0415 - 1.5 s

        for group in self._groups:
            parts = qkv.index_select(0, group.row_of)
            parts = parts.view(-1, group.length, 3, self._heads, parts.shape[1] // 3 // self._heads)
            query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, length, dim / heads)
            mixed = _attend(query, key, value, group.real.unsqueeze(1))
            padded = mixed.transpose(1, 2).reshape(len(group.row_of), -1)
            torch.index_select(padded, 0, group.places, out=self._context[group.rows])
        return self._context


def _attend(
    query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", real: "torch.Tensor"
) -> "torch.Tensor":
    """Return weighted values (n, heads, length, dim); `real` (n, 1, length, 1) hides padding."""
    import torch  # noqa: PLC0415 - see above

    n, heads, length, dim = query.shape
    queries, keys, values = (x.reshape(n * heads, length, dim) for x in (query, key, value))
    ones = real.expand(n, heads, length, 1).reshape(n * heads, length, 1)
    scaled, turned = queries * (LOG2_E * dim**-0.5), keys.transpose(1, 2)
    summed = torch.cat([values * ones, ones], -1)
    made = summed.new_empty((n * heads, length, dim + 1))
    for i in range(0, n * heads, heads):  # a text at a time: all at once takes 150 MB more
        weights = torch.bmm(scaled[i : i + heads], turned[i : i + heads]).exp2_()
        torch.bmm(weights, summed[i : i + heads], out=made[i : i + heads])
    sums = made[..., dim:]
    if bool(((sums > 0) & (sums < torch.inf)).all()):
        return (made[..., :dim] / sums).view(query.shape)
    return torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=(real > 0).transpose(2, 3)
    )


def _near_lengths(lengths: Lengths, like: "torch.Tensor") -> list[_Group]:
    """Group texts by padded length; lengths rise, and those of empty texts are left out."""
    import torch  # noqa: PLC0415 - see above

    groups, start = [], 0
    padded = -(-lengths // LENGTH_STEP) * LENGTH_STEP
    for length in np.unique(padded[padded > 0]):
        own = lengths[padded == length]
        inside = np.arange(length) < own[:, None]  # (n, length)
        rows = slice(start, start + int(own.sum()))
        row_of = start + np.cumsum(inside) - 1
        groups.append(
            _Group(
                int(length),
                rows,
                row_of=torch.from_numpy(row_of),
                places=torch.from_numpy(np.flatnonzero(inside)),
                real=torch.from_numpy(inside[..., None]).to(like.dtype),
            )
        )
        start = rows.stop
    return groups
