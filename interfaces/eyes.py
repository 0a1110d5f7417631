"""Who sees the pictures of a run: the model, a vision model that reads them for it, or nobody."""

from typing import TYPE_CHECKING

from pagehop.interfaces.options import Options
from pagehop.settings import load_settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagehop.graphs.graph import Eyes


def eyes_of(options: Options) -> "Eyes":
    """Return how pages are seen; rules see none."""
    if options.model is None:
        return "text"
    return "pictures" if sees(options) else "reader" if reader_of(options) else "text"


def reader_of(options: Options) -> "BaseChatModel | None":
    """Return who reads pictures for the model."""
    if options.vision_model is None and options.machine.blind and options.model is not None:
        from pagehop.models.chat_models import takes_pictures  # noqa: PLC0415 - only with a model

        # A reasoner that is to see none may well read them when it is asked on its own.
        return options.model if takes_pictures(options.model) else None
    return options.vision_model


def sees(options: Options) -> bool:
    """Tell whether the model is shown pictures."""
    if options.machine.blind:
        return False
    from pagehop.models.chat_models import takes_pictures  # noqa: PLC0415 - only with a model

    wanted = load_settings().run.pictures
    if wanted != "auto" or options.model is None:
        return wanted == "yes" and options.model is not None
    known = takes_pictures(options.model)
    # Of a model that nothing is known of it is found out, unless another one reads pictures.
    return known is True or (known is None and options.vision_model is None)
