"""What is asked: a text, or content blocks with pictures as LangChain has them.

    [{"type": "text", "text": "Which report has this?"}, {"type": "image", "path": "chart.png"}]

1. A picture comes as `base64`, `path`, or `url` (also OpenAI's `image_url`). It is decoded here,
   made no larger than the tools' own pictures, and sent as PNG; a web address is passed on.
2. A model that takes pictures sees it in every prompt. For one that reads text only, `vision_model`
   reads it once; without one the question is refused.
"""

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.errors import ConfigError
from pagehop.surrogates import whole_text

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

SHOWN = "The question comes with this:"
"""Stands before its pictures in a prompt."""
MAX_PIXELS = 1_000_000
"""Of one picture."""
Block = Mapping[str, Any]
Question = str | Sequence[Block]
"""A text, or blocks `{"type": "text", ...}` and `{"type": "image", ...}`."""


@dataclass(frozen=True)
class Asked:
    """A question, checked."""

    text: str
    pictures: tuple[Block, ...] = ()
    """LangChain image blocks with `base64` or a web `url`."""
    reading: str = ""
    """What prompts say in their place, where another model has read them already."""


def checked_question(question: object) -> Asked:
    """Read a question.

    Raises:
        ConfigError: There is none, or a block of it cannot be read.
    """
    if isinstance(question, str):
        question = [{"type": "text", "text": question}]
    if not isinstance(question, Sequence) or not all(isinstance(b, Mapping) for b in question):
        raise ConfigError(
            f"the question is a {type(question).__name__}; give its text, or a list of content "
            'blocks such as {"type": "image", "path": "chart.png"}'
        )
    texts = [str(block.get("text") or "") for block in question if block.get("type") == "text"]
    text = whole_text("\n".join(texts).strip())
    if not text:
        raise ConfigError("the question is empty" if not question else "the question has no text")
    return Asked(text, tuple(_picture(block) for block in question if block.get("type") != "text"))


def check_pictures(asked: Asked, *, rules: bool, sees: bool, has_vision: bool) -> None:
    """Refuse pictures that nobody could look at.

    Args:
        asked: The question.
        rules: The built-in reasoner answers.
        sees: The model takes pictures.
        has_vision: There is a `vision_model`.

    Raises:
        ConfigError: It has pictures and nobody sees them.
    """
    if not asked.pictures or (not rules and (sees or has_vision)):
        return
    if rules:
        raise ConfigError("the question has a picture: give a model=, the built-in reads text only")
    raise ConfigError(
        "the question has a picture and the model is not known to take pictures: give a "
        "vision_model=, or set PAGEHOP_RUN__PICTURES=yes if it does"
    )


def shown(asked: Asked) -> "list[BaseMessage]":
    """Return what prompts show beside the question: its pictures, or what was read in them."""
    from langchain_core.messages import HumanMessage  # noqa: PLC0415 - only with pictures

    if asked.reading:
        return [HumanMessage(asked.reading)]
    if not asked.pictures:
        return []
    blocks: list[str | dict[str, Any]] = [dict(block) for block in asked.pictures]
    return [HumanMessage([{"type": "text", "text": SHOWN}, *blocks])]


def _picture(block: Block) -> Block:
    kind = block.get("type")
    if kind not in ("image", "image_url"):
        raise ConfigError(f"a block of the question is {kind!r}; use text or image")
    url = block.get("image_url", block.get("url"))
    url = url.get("url") if isinstance(url, Mapping) else url
    if path := block.get("path"):
        return _png(_read(Path(str(path)).expanduser()), str(path))
    data = block.get("base64")
    if isinstance(url, str) and url.startswith("data:"):
        data = url.partition("base64,")[2]
    elif isinstance(url, str) and url.startswith(("http://", "https://")):
        return {"type": "image", "url": url}
    if not isinstance(data, str) or not data:
        raise ConfigError("an image block of the question needs base64, path, or a web or data url")
    try:
        return _png(base64.b64decode(data, validate=True), "an image block")
    except binascii.Error as error:
        raise ConfigError(f"an image block of the question is no base64: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the question's picture {str(path)!r} cannot be read: {error}") from None


def _png(data: bytes, name: str) -> Block:
    """Return a picture as a block, scaled down to the tools' size."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - only with pictures

    from pagehop.agents.prompting import picture_block  # noqa: PLC0415 - as above

    try:
        with Image.open(io.BytesIO(data)) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{name} is no picture that can be read: {error}") from error
    scale = (MAX_PIXELS / (picture.width * picture.height)) ** 0.5
    if scale < 1:
        size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
        picture = picture.resize(size)
    return picture_block(picture)
