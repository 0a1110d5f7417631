"""Cross-encoders by hub id or folder: how well a text answers a query, both read at once."""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.models.encoder_backends import has_bf16, quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BATCH = 8
LONGEST = 512
"""Tokens of query and text together, unless the model takes fewer."""


@lru_cache(maxsize=2)
def load_cross_encoder(model: str) -> "CrossEncoder":
    """Return a cross-encoder of this process; the same object for the same name.

    Raises:
        ModelError: It cannot be loaded, or is no model of one or two labels.
    """
    return CrossEncoder(model)


class CrossEncoder:
    """A sequence classifier over pairs of query and text."""

    def __init__(self, model: str) -> None:
        self.name = model
        self._lock = Lock()
        self._model, self._tokenizer = _load(model)
        self._labels = self._model.config.num_labels or 0
        if not 1 <= self._labels <= 2:
            raise ModelError(
                f"{model} has {self._labels} labels; a cross-encoder that ranks has one or two"
            )

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return how well each text answers the query, (n,) between 0 and 1."""
        import torch  # noqa: PLC0415 - 1.5 s

        limit = getattr(self._model.config, "max_position_embeddings", LONGEST)
        made = []
        with self._lock, torch.inference_mode():
            for start in range(0, len(texts), BATCH):
                batch = list(texts[start : start + BATCH])
                given = self._tokenizer(
                    [query] * len(batch),
                    batch,
                    padding=True,
                    truncation=True,
                    max_length=min(LONGEST, limit - 2),
                    return_tensors="pt",
                )
                logits = self._model(**given).logits.float()
                one = logits[:, 0].sigmoid() if self._labels == 1 else logits.softmax(-1)[:, 1]
                made.append(one.double().numpy())
        return np.concatenate(made) if made else np.zeros(0)


def _load(model: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    import torch  # noqa: PLC0415 - see above
    from transformers import (  # noqa: PLC0415 - 1 s
        AutoModelForSequenceClassification,
        AutoTokenizer,
    )

    dtype = torch.bfloat16 if has_bf16() else torch.float32
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(model)
            loaded = AutoModelForSequenceClassification.from_pretrained(
                model, dtype=dtype, use_safetensors=True
            )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"the cross-encoder {model!r} cannot be loaded: {error}; give a folder, or a hub id "
            "where the hub can be reached"
        ) from error
    return loaded.eval(), tokenizer
