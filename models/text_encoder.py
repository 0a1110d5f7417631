"""Texts to unit vectors: any sentence-transformers style model, by hub id or folder.

1. `load_text_encoder` reads configuration only; weights load at the first text.
2. Pooling is mean or CLS as the folder's modules.json and pooling config say, mean when they do
   not; vectors are always of unit length. Lengths come from sentence_bert_config.json.
3. On a processor as many threads as it has cores run the model, each a batch of its own on one
   core: they wait for nobody, where cores that share a batch wait for each other at every layer.
   Callers tokenize in their own threads and queue: small requests of all callers share batches and
   go before large ones. A batch holds texts of one padded length only, at most
   `settings.encoder.batch_tokens` tokens.
4. So a text's vector does not depend on what else is embedded: padding changes bf16 vectors by
   up to .002 a number, the number of texts in a batch does not change them at all.
5. The last few hundred queries are remembered.

Source: pooling, prompts and lengths as in sentence-transformers (UKPLab/sentence-transformers,
models/Pooling.py); differs: batches by tokens instead of a fixed number of texts.
"""

import atexit
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.models.bert_forward import States
from pagehop.models.encoder_backends import (
    OpenBackend,
    open_backend,
    open_states,
    quiet_transformers,
    return_freed_memory,
)
from pagehop.models.encoder_files import EncoderFiles, find_encoder
from pagehop.models.encoder_queue import Item, Queue, Request, batch_by_length, pad
from pagehop.models.token_vectors import TokenVectors
from pagehop.settings import EncoderSettings, load_settings

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

SMALL = 16
"""Requests of at most this many texts share batches and go first."""
REMEMBERED = 512
"""Queries whose vectors are kept."""

_UNRELATED = (
    "The recipe calls for two eggs and a cup of flour.",
    "Net income fell because interest rates went up.",
    "The goalkeeper saved the penalty in extra time.",
    "Install the driver before you connect the printer.",
    "Glaciers carved the valley during the last ice age.",
    "The court dismissed the appeal on procedural grounds.",
    "She learned to play the cello at the age of five.",
    "Proteins fold into shapes that decide what they do.",
)


def load_text_encoder(model: str = "", *, settings: EncoderSettings | None = None) -> "TextEncoder":
    """Return the encoder of this process for a model; the same object for the same arguments.

    Args:
        model: Folder or hub id; empty takes the settings' model, by default all-MiniLM-L6-v2
            from its package, else from the hub.
        settings: Backend and batch size; the process's settings when None.

    Raises:
        ModelError: The model is not on this machine and cannot be fetched (says both ways out),
            its digest is wrong, or it needs what is not supported.
    """
    settings = settings or load_settings().encoder
    return _open(model or settings.model, settings.backend, settings.batch_tokens)


@lru_cache(maxsize=8)
def _open(model: str, backend: str, batch_tokens: int) -> "TextEncoder":
    return TextEncoder(find_encoder(model), backend=backend, batch_tokens=batch_tokens)


class TextEncoder:
    """A text encoder with threads of its own; safe to call from many."""

    def __init__(
        self, files: EncoderFiles, *, backend: str = "auto", batch_tokens: int = 2048
    ) -> None:
        """Keep what the files say; nothing is loaded yet."""
        self._files = files
        self._wanted = backend
        self._batch_tokens = batch_tokens
        self._queue = Queue()
        self._lock = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._threads: list[threading.Thread] = []
        self._open: OpenBackend | None = None
        self._opening = threading.Lock()
        self._queries: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self.backend = ""
        """What runs the model: bf16, onnx, fp32 or cuda; empty until the first text."""

    @property
    def id(self) -> str:
        """Stable name for tables: model, and digits over all that changes its vectors."""
        return self._files.id

    @property
    def name(self) -> str:
        """Hub id or folder name."""
        return self._files.name

    @property
    def digest(self) -> str:
        """sha256 of the weights, hex."""
        return self._files.digest

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._files.dim

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, special ones included."""
        return self._files.max_tokens

    @cached_property
    def tokens(self) -> TokenVectors:
        """The same model's token vectors, for late interaction; from the same weights."""
        return TokenVectors(self._token_rows, self._states)

    @property
    def tokenizer_path(self) -> Path:
        """The `tokenizer.json`; it may ask for padding and truncation: switch both off."""
        return self._files.tokenizer_path

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors (n, dim) float32 in the order of the texts.

        Raises:
            ModelError: The weights cannot be loaded.
        """
        return self._encode([self._files.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector (dim,) float32 of a query.

        Raises:
            ModelError: The weights cannot be loaded.
        """
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
        vector: NDArray[np.float32] = self._encode([self._files.query_prompt + text])[0]
        vector.flags.writeable = False  # shared by all who ask again
        with self._lock:
            self._queries[text] = vector
            while len(self._queries) > REMEMBERED:
                self._queries.popitem(last=False)
        return vector

    @cached_property
    def floor(self) -> float:
        """Mean cosine of sentences that have nothing to do with each other, -1 to 1.

        About 0 for most models, .7 and above for some: what a cosine says begins there.
        """
        vectors = self.encode(_UNRELATED)
        n = len(vectors)
        return round(float(((vectors @ vectors.T).sum() - n) / (n * (n - 1))), 3)

    def close(self) -> None:
        """End the threads and forget the weights; later texts start again."""
        with self._opening, self._lock:
            threads, self._threads, self._open = self._threads, [], None
        if threads:
            self._queue.put([None] * len(threads))
            for thread in threads:
                thread.join(timeout=10)
            atexit.unregister(self.close)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        request = Request(len(texts), self.dim)
        rows = [encoding.ids for encoding in self._token_rows(texts)]
        items = [Item(request, i, ids) for i, ids in enumerate(rows)]
        if len(items) <= SMALL:
            self._queue.put(list(items))
        else:
            self._queue.put_batches(batch_by_length(items, self._batch_tokens))
        vectors = request.done.result()
        if len(items) > SMALL:
            return_freed_memory()
        return vectors

    def _token_rows(self, texts: Sequence[str]) -> "list[Encoding]":
        tokenizer = self._start()
        given = [text.lower() for text in texts] if self._files.lower else list(texts)
        return list(tokenizer.encode_batch_fast(given))

    def _states(self) -> States:
        """Return what gives hidden states: of the weights at hand, unless they pool them."""
        return self._backend().states or self._own_states

    @cached_property
    def _own_states(self) -> States:
        return open_states(self._files)

    def _start(self) -> "Tokenizer":
        """Load the tokenizer and start the first thread, once."""
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = _load_tokenizer(self._files)
            if not any(thread.is_alive() for thread in self._threads):
                self._threads = []
                self._add_thread()
                # torch must not be inside a kernel when the interpreter goes down
                atexit.register(self.close)
            return self._tokenizer

    def _add_thread(self) -> None:
        name = f"pagehop-encoder-{self.id}-{len(self._threads)}"
        self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
        self._threads[-1].start()

    def _run(self) -> None:
        while (batch := self._queue.get(self._batch_tokens)) is not None:
            try:
                vectors = self._backend().forward(*pad([item.ids for item in batch]))
            except BaseException as error:  # handed to the callers that wait
                for item in batch:
                    item.request.fail(error)
                continue
            for item, vector in zip(batch, vectors, strict=True):
                item.request.fill(item.i, vector)

    def _backend(self) -> OpenBackend:
        """Load the weights and start the other threads, once."""
        with self._opening:
            if self._open is None:
                self._open = open_backend(self._files, self._wanted)
                self.backend = self._open.name
                with self._lock:
                    while self._threads and len(self._threads) < self._open.threads:
                        self._add_thread()
            return self._open


def _load_tokenizer(files: EncoderFiles) -> "Tokenizer":
    """Return the fast tokenizer, cut at the model's length and without padding of its own."""
    with quiet_transformers():
        from tokenizers import Tokenizer  # noqa: PLC0415 - with transformers below
        from transformers import AutoTokenizer  # noqa: PLC0415 - 1 s

        try:
            loaded = AutoTokenizer.from_pretrained(files.folder, local_files_only=True)
            tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise ModelError(f"the tokenizer of {files.name} cannot be loaded: {error}") from error
    tokenizer.enable_truncation(files.max_tokens)
    tokenizer.no_padding()
    return tokenizer
