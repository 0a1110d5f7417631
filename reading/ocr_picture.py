"""The geometry of pictures of text: which way they lie, how far askew, what in them is type.

1. A page lies on its side when its columns of ink stand out more than its rows.
2. It is askew by the small angle at which its rows of ink stand out most.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagehop.reading.ocr_lines import Line

Picture = NDArray[np.uint8]
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
    rows, columns = (_ink(side, dpi) for side in (picture, np.rot90(picture)))
    return _contrast(columns) > SIDEWAYS * _contrast(rows)


def find_skew(picture: Picture, dpi: float) -> float:
    """Return by how many degrees the lines of a picture are turned clockwise; 0 if it is level."""
    ink = _ink(picture, dpi)
    if ink.sum() < 200:
        return 0.0
    ys, xs = np.nonzero(ink)
    coarse = _sharpest(xs, ys, np.arange(-MOST_SKEW, MOST_SKEW + 0.01, 0.5))
    angle = _sharpest(xs, ys, coarse + np.arange(-0.4, 0.41, 0.05))
    return angle if LEAST_SKEW <= abs(angle) <= MOST_SKEW else 0.0


def paper_shade(picture: Picture) -> tuple[int, int, int]:
    """Return the colour of what a picture shows most."""
    red, green, blue = (int(value) for value in np.median(picture[::8, ::8], axis=(0, 1)))
    return red, green, blue


def turned_back(line: Line, quarters: int, size: tuple[int, ...]) -> Line:
    """Give a line of a picture turned counter-clockwise where it stands before the turn."""
    height, width = size
    for _ in range(quarters):
        line = [(height - y1, x0, height - y0, x1, text) for x0, y0, x1, y1, text in line]
        height, width = width, height
    return line


def dark_spots(picture: Picture) -> NDArray[np.bool_]:
    """Mark what is much darker than the paper, or on dark paper much lighter."""
    shades = np.asarray(Image.fromarray(picture).convert("L")).astype(np.int16)
    dark: NDArray[np.bool_] = np.abs(shades - int(np.median(shades))) > _INK
    return dark


def _contrast(ink: NDArray[np.bool_]) -> float:
    """Return how unlike the rows of ink are, at the slight angle where they are least alike."""
    ys, xs = np.nonzero(ink)
    if len(xs) < 200:
        return 0.0
    angle = _sharpest(xs, ys, np.arange(-MOST_SKEW, MOST_SKEW + 0.01, 0.5))
    rows = np.round(ys - xs * math.tan(math.radians(angle))).astype(np.int64)
    counts = np.bincount(rows - rows.min()).astype(np.float64)
    return float(counts.std() / counts.mean())


def _ink(picture: Picture, dpi: float) -> NDArray[np.bool_]:
    """Mark the feet of dark spots at about 150 dpi: a pixel that is dark above a light one."""
    step = max(1, round(dpi / 150))
    grey = Image.fromarray(picture).convert("L").reduce(step)
    shades = np.asarray(grey).astype(np.int16)
    if min(shades.shape) < 16:
        return np.zeros(shades.shape, dtype=bool)
    dark = shades < int(np.median(shades)) - 40
    feet = np.zeros(shades.shape, dtype=bool)
    feet[:-1] = dark[:-1] & ~dark[1:]
    return feet


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
