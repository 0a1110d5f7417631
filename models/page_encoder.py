"""Pictures of pages, and queries, to vectors that meet: any page encoder, by hub id or folder.

1. `load_page_encoder` reads configuration only; weights load at the first page or query.
2. A page has as many vectors as the model gives it, or `settings.page_encoder.vectors_per_page`; a
   query one a token; encoders with a single vector have one of each. All have unit length.
3. Pages of one call share batches, so calls should hold pages of one document: padding changes
   bf16 vectors a little, and no document may have a say in another's.
4. The model runs for one caller at a time. The last queries are remembered.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pagehop.errors import ModelError
from pagehop.models.page_encoder_backends import PageModel, Vectors, open_page_model
from pagehop.models.page_encoder_files import PageEncoderFiles, find_page_encoder
from pagehop.models.vector_pruning import prune
from pagehop.settings import PageEncoderSettings, load_settings

if TYPE_CHECKING:
    from PIL.Image import Image

REMEMBERED = 128
"""Queries whose vectors are kept."""


def load_page_encoder(model: str, *, settings: PageEncoderSettings | None = None) -> "PageEncoder":
    """Return the page encoder of this process for a model; the same object for the same arguments.

    Args:
        model: Folder or hub id.
        settings: Pixels, batches and number of vectors; the process's settings when None.

    Raises:
        ModelError: The model is not on this machine and cannot be fetched, is no page encoder, or
            needs a package that is not installed.
    """
    return _open(model, settings or load_settings().page_encoder)


@lru_cache(maxsize=4)
def _open(model: str, settings: PageEncoderSettings) -> "PageEncoder":
    return PageEncoder(find_page_encoder(model), settings)


class PageEncoder:
    """A page encoder; safe to call from many threads, which wait for one another."""

    def __init__(self, files: PageEncoderFiles, settings: PageEncoderSettings) -> None:
        """Keep what the files say; nothing is loaded yet."""
        self._files = files
        self._settings = settings
        self._model: PageModel | None = None
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, Vectors] = OrderedDict()

    @property
    def id(self) -> str:
        """Stable name for tables: model, and digits over all that changes the vectors of pages."""
        s = self._settings
        parts = (self.digest, s.pixels, s.vectors_per_page, s.vectors_per_page and s.pruning)
        return f"{self._files.slug}_{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"

    @property
    def name(self) -> str:
        """Hub id or folder name."""
        return self._files.name

    @property
    def digest(self) -> str:
        """sha256 over weights, processor and configuration, hex."""
        return self._files.digest

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._files.dim

    @property
    def pixels(self) -> int:
        """Most pixels of a page as it should be rendered."""
        return self._settings.pixels

    @property
    def batch_pages(self) -> int:
        """Pages that go through the model together."""
        return self._settings.batch_pages

    def encode_pages(self, pictures: "Sequence[Image]") -> list[Vectors]:
        """Return the vectors of each picture, (tokens, dim) float32 of unit length.

        Raises:
            ModelError: The weights cannot be loaded, or give vectors of another length than the
                configuration says.
        """
        made: list[Vectors] = []
        for first in range(0, len(pictures), self.batch_pages):
            with self._lock:
                made += self._loaded().pages(pictures[first : first + self.batch_pages])
        s = self._settings
        return [prune(self._checked(v), s.vectors_per_page, s.pruning) for v in made]

    def encode_query(self, text: str) -> Vectors:
        """Return the vectors of a query, (tokens, dim) float32 of unit length.

        Raises:
            ModelError: As of `encode_pages`.
        """
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
            vectors = self._checked(self._loaded().query(text))
            vectors.flags.writeable = False  # shared by all who ask again
            self._queries[text] = vectors
            while len(self._queries) > REMEMBERED:
                self._queries.popitem(last=False)
            return vectors

    @cached_property
    def blank(self) -> Vectors:
        """Vectors (tokens, dim) of an empty page: what a query scores there is no find."""
        from PIL import Image  # noqa: PLC0415 - only page encoders need it

        return self.encode_pages([Image.new("RGB", (850, 1100), "white")])[0]

    def _loaded(self) -> PageModel:
        if self._model is None:
            self._model = open_page_model(self._files)
        return self._model

    def _checked(self, vectors: Vectors) -> Vectors:
        if vectors.shape[1] != self.dim:
            raise ModelError(
                f"page encoder {self.name} gives vectors of {vectors.shape[1]} numbers, but its "
                f"configuration says {self.dim}: its files do not belong together"
            )
        return vectors
