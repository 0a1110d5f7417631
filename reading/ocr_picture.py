"""The geometry of pictures of text: which way they lie, how far askew, what in them is type.

1. A page lies on its side when its columns of ink stand out more than its rows.
2. It is askew by the small angle at which its rows of ink stand out most.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagehop.reading.ocr_lines import Line, ReadLine

Picture = NDArray[np.uint8]
Engine = Callable[[Picture, float], list[ReadLine]]
"""Takes a picture, (height, width, 3) RGB, and its dots per inch."""
MOST_SKEW = 5.0
"""Degrees; a page that is turned further is left as it is."""
LEAST_SKEW = 0.12
"""Degrees below which straightening blurs more than it mends."""
SIDEWAYS = 1.5
"""How much more its columns of ink must differ than its rows for a page to lie on its side."""
_INK = 70
"""Shades of 255 between paper and type; noise of a scan is a tenth of it."""


def lies_sideways(picture: Picture, dpi: float) -> bool:
    """Whether the lines of a picture run up or down: then its columns of ink stand out."""
    shades = _coarse(picture, dpi)
    return _contrast(_feet(np.rot90(shades))) > SIDEWAYS * _contrast(_feet(shades))


def find_skew(picture: Picture, dpi: float) -> float:
    """Return by how many degrees the lines of a picture are turned clockwise; 0 if it is level."""
    ink = _feet(_coarse(picture, dpi))
    if ink.sum() < 200:
        return 0.0
    ys, xs = np.nonzero(ink)
    coarse = _sharpest(xs, ys, np.arange(-MOST_SKEW, MOST_SKEW + 0.01, 0.5))
    angle = _sharpest(xs, ys, coarse + np.arange(-0.4, 0.41, 0.05))
    return angle if LEAST_SKEW <= abs(angle) <= MOST_SKEW else 0.0


def straightened(picture: Picture, angle: float) -> Picture:
    """Turn a picture counter-clockwise by some degrees; paper fills the corners."""
    first, *others = (picture[:, :, i] for i in range(picture.shape[2]))
    if all(np.array_equal(first, other) for other in others):  # most scans; a third of the time
        return np.repeat(_turned(first, angle)[:, :, None], picture.shape[2], axis=2)
    return np.stack([_turned(shades, angle) for shades in (first, *others)], axis=2)


def _turned(shades: Picture, angle: float) -> Picture:
    paper = int(np.median(shades[::8, ::8]))
    turned = Image.fromarray(shades).rotate(
        angle, resample=Image.Resampling.BICUBIC, fillcolor=paper
    )
    return np.asarray(turned)


def turned_back(line: Line, quarters: int, size: tuple[int, ...]) -> Line:
    """Give a line of a picture turned counter-clockwise where it stands before the turn."""
    height, width = size
    for _ in range(quarters):
        line = [(height - y1, x0, height - y0, x1, text) for x0, y0, x1, y1, text in line]
        height, width = width, height
    return line


def dark_spots(picture: Picture) -> NDArray[np.bool_]:
    """Mark what is much darker than the paper, or on dark paper much lighter."""
    shades = np.asarray(Image.fromarray(picture).convert("L"))
    paper = _median(shades)
    return np.asarray((shades < paper - _INK) | (shades > paper + _INK))


def _contrast(ink: NDArray[np.bool_]) -> float:
    """Return how unlike the rows of ink are, at the slight angle where they are least alike."""
    ys, xs = np.nonzero(ink)
    if len(xs) < 200:
        return 0.0
    angle = _sharpest(xs, ys, np.arange(-MOST_SKEW, MOST_SKEW + 0.01, 0.5))
    rows = np.round(ys - xs * math.tan(math.radians(angle))).astype(np.int64)
    counts = np.bincount(rows - rows.min()).astype(np.float64)
    return float(counts.std() / counts.mean())


def _coarse(picture: Picture, dpi: float) -> Picture:
    """Return the shades of a picture at about 150 dpi: (height, width)."""
    grey = Image.fromarray(picture).convert("L")
    return np.asarray(grey.reduce(max(1, round(dpi / 150))))


def _feet(shades: Picture) -> NDArray[np.bool_]:
    """Mark the feet of dark spots: a pixel that is dark above a light one."""
    feet = np.zeros(shades.shape, dtype=bool)
    if min(shades.shape) >= 16:
        dark = shades < _median(shades) - 40
        feet[:-1] = dark[:-1] & ~dark[1:]
    return feet


def _median(shades: Picture) -> int:
    """Return the median of shades of 0 to 255, a tenth of the time of sorting them."""
    below = np.cumsum(np.bincount(shades.ravel(), minlength=256))
    low, high = np.searchsorted(below, [(shades.size - 1) // 2, shades.size // 2], side="right")
    return int(low + high) // 2


def _sharpest(xs: NDArray[np.int64], ys: NDArray[np.int64], angles: NDArray[np.float64]) -> float:
    """Return the angle whose rows of ink differ most."""
    if len(xs) > 20_000:
        some = np.linspace(0, len(xs) - 1, 20_000).astype(np.int64)
        xs, ys = xs[some], ys[some]
    scores = []
    for angle in angles:
        rows = np.round(ys - xs * math.tan(math.radians(angle))).astype(np.int64)
        counts = np.bincount(rows - rows.min())
        scores.append(float((counts.astype(np.float64) ** 2).sum()))
    return round(float(angles[int(np.argmax(scores))]), 2)
