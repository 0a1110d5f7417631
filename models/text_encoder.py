"""Texts to unit vectors: any sentence-transformers style model, by hub id or folder.

1. `load_text_encoder` reads configuration only; weights load at the first text.
2. Pooling is mean or CLS as the folder's modules.json and pooling config say, mean when they do
   not; vectors are always of unit length. Lengths come from sentence_bert_config.json.
3. One thread runs the model. Callers tokenize in their own threads and queue: small requests of
   all callers share batches and go before large ones. A batch holds texts of one padded length
   only, at most `settings.encoder.batch_tokens` tokens.
4. So a text's vector does not depend on what else is embedded: padding changes bf16 vectors by
   up to .002 a number, the number of texts in a batch does not change them at all.
5. The last few hundred queries are remembered.

Source: pooling, prompts and lengths as in sentence-transformers (UKPLab/sentence-transformers,
models/Pooling.py); differs: batches by tokens instead of a fixed number of texts.
"""

import atexit
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.models.encoder_backends import (
    Forward,
    open_backend,
    quiet_transformers,
    return_freed_memory,
)
from pagehop.models.encoder_files import EncoderFiles, find_encoder
from pagehop.models.token_vectors import TokenVectors
from pagehop.settings import EncoderSettings, load_settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SMALL = 16
"""Requests of at most this many texts share batches and go first."""
REMEMBERED = 512
"""Queries whose vectors are kept."""
LENGTH_STEP = 8
"""Texts are padded to multiples of so many tokens."""

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
    """A text encoder with one thread of its own; safe to call from many."""

    def __init__(
        self, files: EncoderFiles, *, backend: str = "auto", batch_tokens: int = 4096
    ) -> None:
        """Keep what the files say; nothing is loaded yet."""
        self._files = files
        self._wanted = backend
        self._batch_tokens = batch_tokens
        self._queue = _Queue()
        self._lock = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._thread: threading.Thread | None = None
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
        """The same model's token vectors, for late interaction."""
        return TokenVectors(self._files)

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
        """End the thread; later texts start a new one."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put([None])
            thread.join(timeout=10)
            atexit.unregister(self.close)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        tokenizer = self._start()
        if self._files.lower:
            texts = [text.lower() for text in texts]
        request = _Request(len(texts), self.dim)
        rows = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
        items = [_Item(request, i, ids) for i, ids in enumerate(rows)]
        if len(items) <= SMALL:
            self._queue.put(list(items))
        else:
            self._queue.put_batches(batch_by_length(items, self._batch_tokens))
        vectors = request.done.result()
        if len(items) > SMALL:
            return_freed_memory()
        return vectors

    def _start(self) -> "Tokenizer":
        """Load the tokenizer and start the thread, once."""
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = _load_tokenizer(self._files)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name=f"pagehop-encoder-{self.id}", daemon=True
                )
                self._thread.start()
                # torch must not be inside a kernel when the interpreter goes down
                atexit.register(self.close)
            return self._tokenizer

    def _run(self) -> None:
        forward: Forward | None = None
        while (batch := self._queue.get(self._batch_tokens)) is not None:
            try:
                if forward is None:
                    forward, self.backend = open_backend(self._files, self._wanted)
                vectors = forward(*pad([item.ids for item in batch]))
            except BaseException as error:  # handed to the callers that wait
                for item in batch:
                    item.request.fail(error)
                continue
            for item, vector in zip(batch, vectors, strict=True):
                item.request.fill(item.i, vector)


class _Request:
    """One caller's texts, filled in as batches come back."""

    def __init__(self, n: int, dim: int) -> None:
        self._vectors = np.empty((n, dim), np.float32)
        self._missing = n
        self.done: Future[NDArray[np.float32]] = Future()

    def fill(self, i: int, vector: NDArray[np.float32]) -> None:
        self._vectors[i] = vector
        self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result(self._vectors)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Item:
    """One text of a request, as token ids."""

    __slots__ = ("i", "ids", "length", "request")

    def __init__(self, request: _Request, i: int, ids: list[int]) -> None:
        self.request, self.i, self.ids = request, i, ids
        self.length = padded_length(len(ids))

    def minus_length(self) -> int:
        return -self.length


class _Queue:
    """Small requests, taken together; batches of large ones, taken one by one, in turn."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._small: deque[_Item | None] = deque()
        self._large: deque[deque[list[_Item]]] = deque()

    def put(self, items: Sequence[_Item | None]) -> None:
        with self._ready:
            self._small.extend(items)
            self._ready.notify()

    def put_batches(self, batches: list[list[_Item]]) -> None:
        with self._ready:
            self._large.append(deque(batches))
            self._ready.notify()

    def get(self, batch_tokens: int) -> list[_Item] | None:
        """Wait for the next batch; None ends the thread."""
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

    def _take_small(self, batch_tokens: int) -> list[_Item] | None:
        """Take the first item and all others of its padded length that fit."""
        first = self._small.popleft()
        if first is None:
            return None
        room = batch_tokens // first.length - 1
        batch, rest = [first], deque[_Item | None]()
        for item in self._small:
            if item is not None and item.length == first.length and room > 0:
                batch.append(item)
                room -= 1
            else:
                rest.append(item)
        self._small = rest
        return batch


def batch_by_length(items: list[_Item], batch_tokens: int) -> list[list[_Item]]:
    """Cut items into batches of one padded length, longest first, each within the budget."""
    batches: list[list[_Item]] = []
    for length, group in groupby(sorted(items, key=_Item.minus_length), key=_Item.minus_length):
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
