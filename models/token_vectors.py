"""A text encoder's own token vectors, for late interaction: the same weights, not pooled."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.models.bert_forward import States
from pagehop.models.encoder_queue import pad

if TYPE_CHECKING:
    from tokenizers import Encoding

BATCH = 16
"""Texts of a batch, sorted by length before."""


class TokenVectors:
    """The last hidden states of a text encoder, one unit vector a token."""

    def __init__(
        self,
        rows: "Callable[[Sequence[str]], list[Encoding]]",
        states: Callable[[], States],
    ) -> None:
        """Keep where tokens and hidden states come from; they are asked for with the first text.

        Args:
            rows: Gives the tokens of each text.
            states: Gives the model's forward pass.
        """
        self._rows = rows
        self._states = states
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> list[NDArray[np.float16]]:
        """Return the vectors (n_tokens, dim) of each text, without special tokens.

        Raises:
            ModelError: The weights cannot be loaded.
        """
        made: dict[int, NDArray[np.float16]] = {}
        rows = self._rows(texts)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
        with self._lock:
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                vectors = self._encode([rows[i] for i in batch])
                made |= dict(zip(batch, vectors, strict=True))
        return [made[i] for i in range(len(texts))]

    def _encode(self, rows: "list[Encoding]") -> list[NDArray[np.float16]]:
        import torch  # noqa: PLC0415 - 1.5 s

        ids, mask = pad([row.ids for row in rows])
        with torch.inference_mode():
            states = self._states()(ids, mask).float()  # (n, length, dim)
            unit = torch.nn.functional.normalize(states, dim=-1).half().cpu().numpy()
        return [
            unit[i, : len(row.ids)][np.array(row.special_tokens_mask) == 0]
            for i, row in enumerate(rows)
        ]


def max_similarity(query: NDArray[np.float16], text: NDArray[np.float16]) -> float:
    """Return the mean over query tokens (m, dim) of the cosine of the nearest text token (n, dim).

    Source: ColBERT (arXiv 2004.12832), MaxSim; differs: the mean, so that queries of any length
    score between -1 and 1.
    """
    if not len(query) or not len(text):
        return 0.0
    return float((query.astype(np.float32) @ text.astype(np.float32).T).max(axis=1).mean())
