"""Which page encoder a library's pages go through, and which one its queries."""

from pagehop.errors import ConfigError, ModelError
from pagehop.library.manifest import Manifest
from pagehop.models.page_encoder import PageEncoder, load_page_encoder
from pagehop.models.page_encoder_files import NAME_ONE
from pagehop.settings import PageEncoderSettings

OFF = "none"
"""The name of no encoder: the vectors there are serve, and no more are made."""


def wanted_model(manifest: Manifest, settings: PageEncoderSettings) -> str:
    """Return the name of the page encoder to encode with; empty for none."""
    if settings.model:
        return "" if settings.model == OFF else settings.model
    return manifest.page_encoders[manifest.seeing].model if manifest.seeing else ""


def load_seeing(manifest: Manifest, settings: PageEncoderSettings) -> PageEncoder:
    """Return the page encoder whose vectors a version holds.

    Raises:
        ConfigError: The version holds none.
        ModelError: The encoder cannot be loaded, or has changed.
    """
    entry = manifest.page_encoders.get(manifest.seeing)
    if entry is None:
        raise ConfigError(
            "visual search needs vectors of page pictures, which this library has not: "
            f"{NAME_ONE}, then add a source of it again, which makes them"
        )
    found = load_page_encoder(entry.model, settings=settings)
    if (found.digest, found.dim) != (entry.digest, entry.dim):
        raise ModelError(
            f"page encoder {entry.model} has changed since it made this library's page vectors "
            f"({entry.dim} numbers a vector, {found.dim} now): put its old files back, or add a "
            "source of the library again, which makes them anew"
        )
    return found
