"""`pagehop.chat`: ask a library from a notebook and watch how the answer is found."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.errors import ConfigError

if TYPE_CHECKING:
    from pagehop.interfaces.chat_widget import ChatWidget
    from pagehop.library.library import Library
    from pagehop.library.view import View


def chat(
    library: "Library | View | str | Path", model: Any = None, **ask_kwargs: Any
) -> "ChatWidget":
    """Show a chat over a library; the notebook stays usable while it works.

    Each question is a run of its own: it does not see the questions before it. The answers are
    kept in `history` of the widget returned.

    Args:
        library: What to ask; a view limits it to what that view sees.
        model: As `pagehop.ask`.
        ask_kwargs: Further arguments of `pagehop.ask`, e.g. `effort="high"`.

    Raises:
        ConfigError: anywidget is not installed.
        LibraryError: There is no library at that path.
    """
    try:
        from pagehop.interfaces.chat_widget import ChatWidget  # noqa: PLC0415 - optional package
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "traitlets", "ipywidgets"):
            raise
        raise ConfigError(
            'the chat needs the package anywidget: pip install "pagehop[notebook]"'
        ) from error
    return ChatWidget(library, model=model, **ask_kwargs)
