"""Pictures of what an answer cites, as files."""

from pathlib import Path

from pagehop.answers import Answer
from pagehop.errors import ConfigError, PagehopError
from pagehop.interfaces.terminal import warn
from pagehop.show import picture

WIDTH_PX = 1400


def save_crops(answer: Answer, folder: Path, *, prefix: str = "") -> list[Path]:
    """Save the surroundings of each citation as PNG, its quote marked, and return the paths.

    A page that does not render is warned of and left out.

    Args:
        answer: Its citations are saved in order.
        folder: Where to; created.
        prefix: First part of each file name.

    Raises:
        ConfigError: The folder or a file cannot be written.
    """
    saved = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, citation in enumerate(answer.citations, start=1):
            file = folder / f"{prefix}{number}_{citation.name}_page_{citation.page}.png"
            try:
                image = picture(citation, marked=True, width_px=WIDTH_PX)
            except PagehopError as error:
                warn(f"no picture of citation [{number}]: {error}")
                continue
            image.save(file, optimize=True)
            saved.append(file)
    except OSError as error:
        raise ConfigError(
            f"cannot save crops in {str(folder)!r}: {error.strerror or error}"
        ) from error
    return saved
