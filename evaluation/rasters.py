"""Scans made from documents with a text layer, whose words and places are known.

1. Pages are rendered, turned by a degree, made noisy, and saved as a PDF of pictures.
2. A word is found when the same word stands within a quarter of a line of its place, both ways.
   Case and punctuation at its ends do not count, nor does which dash or quotation mark it is.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pagehop.errors import ConfigError
from pagehop.reading.parsed import PageText
from pagehop.reading.pdf_pool import PdfPool

NOISE = 8.0
"""Standard deviation, in shades of 255."""
NEAR_LINES = 0.25
_MOST_PIXELS = 20_000_000
_PLAIN = str.maketrans(
    "\u2018\u2019\u201c\u201d\u2010\u2011\u2012\u2013\u2014\u2212", "''\"\"------"
)
_EDGES = ".,;:!?()[]{}\"'*$%|\u2022-"


@dataclass(frozen=True)
class PlacedWord:
    """A word and the middle of its box."""

    text: str
    x: float
    y: float
    height: float
    """Of its line, in the unit of x and y."""


def scan_page(
    pool: PdfPool, path: Path, page: int, *, dpi: int, skew: float = 1.0, noise: float = NOISE
) -> Image.Image:
    """Render a page as a scanner would give it: grey, turned clockwise by `skew` degrees, noisy.

    The noise is the same on each run.
    """
    whole = (0.0, 0.0, 1.0, 1.0)
    drawn = pool.render(path, page, whole, dpi=dpi, max_pixels=_MOST_PIXELS)
    picture = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.pixels).convert("L")
    if skew:
        picture = picture.rotate(-skew, resample=Image.Resampling.BICUBIC, fillcolor=255)
    shades = np.asarray(picture, dtype=np.float32)
    grain = np.random.default_rng(page).normal(0, noise, shades.shape)
    return Image.fromarray((shades + grain).clip(0, 255).astype(np.uint8))


def save_scans(pictures: Sequence[Image.Image], path: Path, *, dpi: int) -> None:
    """Save pictures as a PDF without a text layer, a page each.

    Raises:
        ConfigError: There is no picture.
    """
    if not pictures:
        raise ConfigError("a PDF needs at least one page")
    first, *rest = pictures
    first.save(path, "PDF", save_all=True, append_images=rest, resolution=dpi, quality=90)


def placed_words(page: PageText, *, skew: float = 0.0) -> list[PlacedWord]:
    """Return the words of a page in points, as they stand after it was turned by `skew` degrees."""
    width, height = page.width_pt, page.height_pt
    scale = np.array([width, height, width, height]) / 65535
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    found = []
    for text, box in zip(page.text.split(), (page.boxes * scale).tolist(), strict=True):
        x, y = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
        turned = x * cos - y * sin + width / 2, x * sin + y * cos + height / 2
        found.append(PlacedWord(text, *turned, box[3] - box[1]))
    return found


def count_found(expected: Iterable[PlacedWord], found: Iterable[PlacedWord]) -> tuple[int, int]:
    """Count the expected words that were found, and those that hold a letter or digit at all.

    Each found word stands for one expected word only.
    """
    by_text: dict[str, list[PlacedWord]] = {}
    for word in found:
        by_text.setdefault(_plain(word.text), []).append(word)
    hits = total = 0
    for word in expected:
        text = _plain(word.text)
        if not any(char.isalnum() for char in text):
            continue
        total += 1
        near = NEAR_LINES * word.height
        for other in by_text.get(text, []):
            if abs(other.x - word.x) <= near and abs(other.y - word.y) <= near:
                by_text[text].remove(other)
                hits += 1
                break
    return hits, total


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_PLAIN).strip(_EDGES).casefold()
