"""Which text encoder a library's passages go through, and which one its queries."""

import threading
from typing import TYPE_CHECKING

from pagehop.errors import ModelError
from pagehop.library.manifest import Manifest
from pagehop.settings import EncoderSettings

if TYPE_CHECKING:
    from pagehop.models.text_encoder import TextEncoder


class TextEncoders:
    """The text encoders of one open library, each loaded once."""

    def __init__(self, settings: EncoderSettings, given: str | None) -> None:
        """Load nothing yet.

        Args:
            settings: What a new library takes.
            given: Hub id or folder that the caller named; goes before all else.
        """
        self._settings = settings
        self._given = given
        self._lock = threading.Lock()
        self._loaded: dict[str, TextEncoder | None] = {}

    def wanted_model(self, manifest: Manifest) -> str:
        """Return the name of the encoder to embed with."""
        if self._given is not None:
            return self._given
        if self._settings.model or not manifest.serving:
            return self._settings.model
        return manifest.encoders[manifest.serving].model

    def serving(self, manifest: Manifest) -> "TextEncoder | None":
        """Return the encoder whose vectors a version holds; None when it cannot be loaded."""
        from pagehop.models.text_encoder import load_text_encoder  # noqa: PLC0415 - on first use

        entry = manifest.encoders.get(manifest.serving)
        with self._lock:
            if manifest.serving not in self._loaded:
                model = entry.model if entry else self.wanted_model(manifest)
                try:
                    found = load_text_encoder(model, settings=self._settings)
                except ModelError:
                    found = None
                changed = found is not None and entry and found.id != manifest.serving
                self._loaded[manifest.serving] = None if changed else found
            return self._loaded[manifest.serving]
