"""A text encoder's own token vectors, for late interaction: the same weights, not pooled."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.models.encoder_backends import has_bf16, quiet_transformers
from pagehop.models.encoder_files import EncoderFiles

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BATCH = 16
"""Texts of a batch, sorted by length before."""


class TokenVectors:
    """The last hidden states of a text encoder, one unit vector a token; loads on first use."""

    def __init__(self, files: EncoderFiles) -> None:
        self._files = files
        self._lock = Lock()
        self._model: PreTrainedModel | None = None
        self._tokenizer: PreTrainedTokenizerBase | None = None

    def of(self, texts: Sequence[str]) -> list[NDArray[np.float16]]:
        """Return the vectors (n_tokens, dim) of each text, without special tokens.

        Raises:
            ModelError: The weights cannot be loaded.
        """
        made: dict[int, NDArray[np.float16]] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with self._lock:
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                vectors = self._encode([texts[i] for i in batch])
                made |= dict(zip(batch, vectors, strict=True))
        return [made[i] for i in range(len(texts))]

    def _encode(self, texts: list[str]) -> list[NDArray[np.float16]]:
        import torch  # noqa: PLC0415 - 1.5 s

        model, tokenizer = self._load()
        texts = [text.lower() for text in texts] if self._files.lower else texts
        given = tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._files.max_tokens,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        special = given.pop("special_tokens_mask").bool()
        with torch.inference_mode():
            states = model(**given).last_hidden_state.float()
        unit = torch.nn.functional.normalize(states, dim=-1).half().numpy()
        keep = (given["attention_mask"].bool() & ~special).numpy()
        return [unit[i][keep[i]] for i in range(len(texts))]

    def _load(self) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
        if self._model is None or self._tokenizer is None:
            import torch  # noqa: PLC0415 - see above
            from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - 1 s

            folder = self._files.folder
            dtype = torch.bfloat16 if has_bf16() else torch.float32
            try:
                with quiet_transformers():
                    self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                    model = AutoModel.from_pretrained(folder, dtype=dtype, local_files_only=True)
            except (OSError, ValueError, RuntimeError, KeyError) as error:
                raise ModelError(f"encoder {self._files.name} cannot be loaded: {error}") from error
            self._model = model.eval()
        assert self._model is not None and self._tokenizer is not None
        return self._model, self._tokenizer


def max_similarity(query: NDArray[np.float16], text: NDArray[np.float16]) -> float:
    """Return the mean over query tokens (m, dim) of the cosine of the nearest text token (n, dim).

    Source: ColBERT (arXiv 2004.12832), MaxSim; differs: the mean, so that queries of any length
    score between -1 and 1.
    """
    if not len(query) or not len(text):
        return 0.0
    return float((query.astype(np.float32) @ text.astype(np.float32).T).max(axis=1).mean())
