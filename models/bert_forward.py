"""BERT's forward pass over packed texts: no padding, no mask, fused kernels.

For encoders of the BERT family in bf16 on a processor; all others run through AutoModel. What it
saves against AutoModel:

1. Texts lie end to end in one (n_tokens, dim) array, so nothing is padded but for attention, which
   takes texts of about one length together (`packed_attention`).
2. Query, key and value are one product. Bias, GELU and residual are added inside oneDNN's
   products, and weights are laid out for them once, not at each call.

The arithmetic is AutoModel's but for where bf16 rounds. `pack_bert` compares the two when a model
is loaded, and gives None when they differ or when this torch lacks the kernels, which are private.

Source: the architecture of transformers (models/bert, models/roberta); differs: as said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Ids = NDArray[np.int64]
States = Callable[[Ids, Ids], "torch.Tensor"]
"""Token ids and mask, both (n, length), to hidden states (n, length, dim); zero where masked."""

POSITIONS_AFTER_PADDING = {"BertModel": False, "RobertaModel": True, "XLMRobertaModel": True}
"""The models with this forward, and whether their positions count from the padding id on."""
KERNELS = ("_linear_pointwise", "_reorder_linear_weight")
"""Of torch.ops.mkldnn."""
ROW_STEP = 16
"""Packed rows are rounded up to so many: oneDNN makes a kernel for each number of rows."""
SMALL_STEP = 8
"""The same up to SMALL_ROWS, for queries."""
SMALL_ROWS = 64
WIDE_ROWS = 1024
"""Rows that pass the wide layers together: what lies between these is four times as wide, and an
array of that size for all rows would be mapped and zeroed by the system each time."""
MIN_COSINE = 0.999
"""Least agreement of a text's mean hidden state with AutoModel's; on the packaged model two right
forwards in bf16 are .0001 apart, because they round in different places."""
PROBED = (3, 8, 17, 17, 32)
"""Lengths of the texts that are compared, in tokens."""


@dataclass(frozen=True)
class _Affine:
    """Weight and bias of a product, the weight laid out for oneDNN; or of a layer norm."""

    weight: "torch.Tensor"
    bias: "torch.Tensor"


@dataclass(frozen=True)
class _Layer:
    """One layer in the order in which it is used."""

    qkv: _Affine
    mixed: _Affine
    mixed_norm: _Affine
    wide: _Affine
    narrow: _Affine
    narrow_norm: _Affine


def pack_bert(model: "PreTrainedModel") -> States | None:
    """Return the packed forward of a loaded model, None where it has none or disagrees.

    Args:
        model: In bf16, on the processor, in evaluation mode.
    """
    import torch  # noqa: PLC0415 - 1.5 s

    config = model.config
    if (
        type(model).__name__ not in POSITIONS_AFTER_PADDING
        or config.hidden_act != "gelu"
        or config.is_decoder
        or getattr(config, "position_embedding_type", None) not in (None, "absolute")
        or not all(hasattr(torch.ops.mkldnn, kernel) for kernel in KERNELS)
    ):
        return None
    try:
        with torch.inference_mode():
            packed = _Packed(model)
            return packed.states if _agrees(model, packed) else None
    except (RuntimeError, TypeError, KeyError, IndexError):  # other kernels, names or lengths
        return None


class _Packed:
    """The weights of a BERT and its forward pass."""

    def __init__(self, model: "PreTrainedModel") -> None:
        weights = model.state_dict()
        self._words = weights["embeddings.word_embeddings.weight"]
        self._types = weights["embeddings.token_type_embeddings.weight"]
        self._places = weights["embeddings.position_embeddings.weight"]
        self._norm = _affine(weights, "embeddings.LayerNorm")
        self._eps = float(model.config.layer_norm_eps)
        self._heads = int(model.config.num_attention_heads)
        after = POSITIONS_AFTER_PADDING[type(model).__name__]
        self._padding = int(model.config.pad_token_id) if after else None
        layers = range(int(model.config.num_hidden_layers))
        self._layers = [_pack_layer(weights, f"encoder.layer.{i}.") for i in layers]

    def states(self, ids: Ids, mask: Ids) -> "torch.Tensor":
        """Return hidden states (n, length, dim), zero where masked; masks end in zeros."""
        import torch  # noqa: PLC0415 - see above

        from pagehop.models.packed_attention import PackedAttention  # noqa: PLC0415 - with torch

        lengths = mask.sum(1)
        order = np.argsort(lengths, kind="stable")
        at, column = np.nonzero(mask[order])
        row = order[at]  # row and column of each packed token
        x = self._embed(ids[row, column], self._positions(ids, mask)[row, column])
        attention = PackedAttention(lengths[order], self._heads, x)
        for layer in self._layers:
            context = attention.context(_product(x, layer.qkv))
            x = self._normed(_sum(context, layer.mixed, x), layer.mixed_norm)
            for rows in torch.split(x, WIDE_ROWS):
                wide = _product(rows, layer.wide, "gelu")
                rows.copy_(self._normed(_sum(wide, layer.narrow, rows), layer.narrow_norm))
        states = x.new_zeros((*mask.shape, x.shape[1]))
        states[torch.from_numpy(row), torch.from_numpy(column)] = x[: len(row)]
        return states

    def _positions(self, ids: Ids, mask: Ids) -> Ids:
        if self._padding is None:
            return np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        real = (ids != self._padding) & (mask > 0)
        return np.asarray(np.cumsum(real, axis=1) * real + self._padding, np.int64)

    def _embed(self, ids: Ids, positions: Ids) -> "torch.Tensor":
        """Return the first layer's input (n_rows, dim): tokens, then rows that mean nothing."""
        import torch  # noqa: PLC0415 - see above

        step = SMALL_STEP if len(ids) <= SMALL_ROWS else ROW_STEP
        room = (0, step - len(ids) % step)  # one at least: texts may be empty
        at = [torch.from_numpy(np.pad(values, room)) for values in (ids, positions)]
        x = torch.nn.functional.embedding(at[0], self._words)
        x += self._types[0]
        x += torch.nn.functional.embedding(at[1], self._places)
        return self._normed(x, self._norm)

    def _normed(self, x: "torch.Tensor", norm: _Affine) -> "torch.Tensor":
        import torch  # noqa: PLC0415 - see above

        return torch.nn.functional.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, self._eps)


def _pack_layer(weights: dict[str, "torch.Tensor"], layer: str) -> _Layer:
    names = ("query", "key", "value")
    return _Layer(
        qkv=_packed(weights, *(f"{layer}attention.self.{name}" for name in names)),
        mixed=_packed(weights, layer + "attention.output.dense"),
        mixed_norm=_affine(weights, layer + "attention.output.LayerNorm"),
        wide=_packed(weights, layer + "intermediate.dense"),
        narrow=_packed(weights, layer + "output.dense"),
        narrow_norm=_affine(weights, layer + "output.LayerNorm"),
    )


def _packed(weights: dict[str, "torch.Tensor"], *names: str) -> _Affine:
    """Return one product of all the names', laid out once instead of at every call."""
    import torch  # noqa: PLC0415 - see above

    joined = torch.cat([weights[f"{name}.weight"] for name in names])
    bias = torch.cat([weights[f"{name}.bias"] for name in names])
    return _Affine(torch.ops.mkldnn._reorder_linear_weight(joined), bias)


def _affine(weights: dict[str, "torch.Tensor"], name: str) -> _Affine:
    return _Affine(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _product(x: "torch.Tensor", by: _Affine, after: str = "none") -> "torch.Tensor":
    import torch  # noqa: PLC0415 - see above

    exact = "none"  # GELU by the error function, not by tanh
    made = torch.ops.mkldnn._linear_pointwise(x, by.weight, by.bias, after, [], exact)
    return cast("torch.Tensor", made)


def _sum(x: "torch.Tensor", by: _Affine, residual: "torch.Tensor") -> "torch.Tensor":
    """Return a product plus the residual, which is added inside it."""
    import torch  # noqa: PLC0415 - see above

    made = torch.ops.mkldnn._linear_pointwise.binary(x, residual, by.weight, by.bias, "add")
    return cast("torch.Tensor", made)


def _agrees(model: "PreTrainedModel", packed: _Packed) -> bool:
    """Say whether both forwards give the same on made texts of several lengths."""
    import torch  # noqa: PLC0415 - see above

    mask = np.array([[i < n for i in range(max(PROBED))] for n in PROBED], np.int64)
    random = np.random.default_rng(0)
    ids = random.integers(0, model.config.vocab_size, mask.shape) * mask
    attention = torch.from_numpy(mask)
    states = model(input_ids=torch.from_numpy(ids), attention_mask=attention).last_hidden_state
    weights = attention.unsqueeze(-1)
    own, other = ((s.float() * weights).sum(1) for s in (packed.states(ids, mask), states))
    cosines = torch.nn.functional.cosine_similarity(own, other, dim=-1)
    return bool(cosines.min() >= MIN_COSINE)
