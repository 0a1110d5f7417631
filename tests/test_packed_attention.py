"""Attention over packed texts gives what torch's own gives, text by text."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pagehop.models.packed_attention import PackedAttention

Lengths = NDArray[np.int64]

HEADS = 3
DIM = 48
LENGTHS = np.array([0, 1, 5, 8, 8, 8, 17, 40], np.int64)
SPARE = 9
"""Rows after the last text."""


def packed(lengths: Lengths) -> torch.Tensor:
    rows = int(lengths.sum()) + SPARE
    qkv = torch.randn(rows, 3 * DIM, generator=torch.manual_seed(3))
    return qkv.to(torch.bfloat16)


def attended(lengths: Lengths, qkv: torch.Tensor) -> torch.Tensor:
    return PackedAttention(lengths, HEADS, qkv[:, :DIM]).context(qkv)


def text_by_text(lengths: Lengths, qkv: torch.Tensor) -> torch.Tensor:
    """Attention of each text alone, in fp32."""
    made, start = torch.zeros(len(qkv), DIM), 0
    for n in lengths[lengths > 0].tolist():
        parts = qkv[start : start + n].float().view(n, 3, HEADS, DIM // HEADS).permute(1, 2, 0, 3)
        mixed = torch.nn.functional.scaled_dot_product_attention(*parts)
        made[start : start + n] = mixed.transpose(0, 1).reshape(n, DIM)
        start += n
    return made


def test_each_text_attends_to_itself_only() -> None:
    qkv = packed(LENGTHS)
    assert torch.allclose(attended(LENGTHS, qkv).float(), text_by_text(LENGTHS, qkv), atol=0.03)
    assert not attended(LENGTHS, qkv)[-SPARE:].any()


def test_a_text_alone_is_exactly_as_among_others() -> None:
    qkv = packed(LENGTHS)
    together, start = attended(LENGTHS, qkv), 0
    for n in LENGTHS.tolist():
        alone = attended(np.array([n], np.int64), qkv[start : start + n + 1].clone())
        assert torch.equal(alone[:n], together[start : start + n])
        start += n


def test_scores_too_large_in_one_text_change_no_other() -> None:
    qkv = packed(LENGTHS)
    before = attended(LENGTHS, qkv)
    large = slice(6, 14)  # the first of three texts of eight tokens
    qkv[large, : 2 * DIM] = 40
    after = attended(LENGTHS, qkv)
    assert torch.isfinite(after).all()
    assert torch.equal(after[:6], before[:6])
    assert torch.equal(after[14:], before[14:])
    exact = text_by_text(LENGTHS, qkv)[large]
    assert torch.allclose(after[large].float(), exact, atol=0.01)


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_too_large_for_plain_powers_are_still_right(sign: int) -> None:
    qkv = packed(LENGTHS)
    qkv[:, :DIM] = 40 * sign  # with these keys all scores are beyond 500 on one side
    qkv[:, DIM : 2 * DIM] = 4 + qkv[:, DIM : 2 * DIM].abs()
    made = attended(LENGTHS, qkv)
    assert torch.isfinite(made).all()
    assert torch.allclose(made.float(), text_by_text(LENGTHS, qkv), atol=0.05)


def test_what_lies_in_spare_rows_reaches_no_text() -> None:
    qkv, spoilt = packed(LENGTHS), packed(LENGTHS)
    spoilt[-SPARE:] = torch.nan
    assert torch.equal(attended(LENGTHS, qkv), attended(LENGTHS, spoilt))
