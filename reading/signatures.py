"""Signatures of pages: what finds near-identical pages among many without comparing all.

MinHash over word triples, in bands (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, 3.3 and 3.4): two pages share a band with probability 1 - (1 - s^r)^b for similarity s.
With r = 4 rows and b = 16 bands that is .99 at s = .7, .65 at .5, .12 at .3. A page that shares a
band is only a candidate; the share of equal rows estimates s with a deviation of .06 at most.
"""

import re
import zlib

import numpy as np
from numpy.typing import NDArray

BANDS = 16
ROWS = 4
_SHORTEST = 30
"""Words; shorter pages (`This page is intentionally left blank`) are alike for no reason."""
_WIDTH = 4
"""Hex digits of a row."""
_WORD = re.compile(r"\w+")
_PRIME = np.uint64((1 << 31) - 1)
_RANDOM = np.random.default_rng(20_251)
_FACTORS = _RANDOM.integers(1, int(_PRIME), size=(BANDS * ROWS, 1), dtype=np.uint64)
_SHIFTS = _RANDOM.integers(0, int(_PRIME), size=(BANDS * ROWS, 1), dtype=np.uint64)
_PLACES = _RANDOM.integers(1, int(_PRIME), size=3, dtype=np.uint64)


def signature(text: str) -> str:
    """Return the rows of a page's text, four hex digits each; empty for a page of few words.

    Numbers count as words; case and marks do not.
    """
    words = _WORD.findall(text.casefold())
    if len(words) < _SHORTEST:
        return ""
    coded = np.array([zlib.crc32(word.encode()) >> 1 for word in words], dtype=np.uint64)
    triples = sum(
        (coded[i : len(coded) - 2 + i] * place) % _PRIME for i, place in enumerate(_PLACES)
    )
    hashes = np.unique(triples % _PRIME)
    # Factors and hashes are below 2^31, so the products fit into 64 bits.
    least: NDArray[np.uint64] = ((_FACTORS * hashes + _SHIFTS) % _PRIME).min(axis=1)
    return least.astype(">u2").tobytes().hex()


def bands(signed: str) -> list[str]:
    """Return the bands of a signature, each with its place, so that only like bands are equal."""
    width = ROWS * _WIDTH
    return [f"{i}:{signed[i : i + width]}" for i in range(0, len(signed), width)]


def likeness(one: str, other: str) -> float:
    """Return the share of equal rows of two signatures: about their texts' Jaccard, 0 to 1."""
    if not one or len(one) != len(other):
        return 0.0
    rows = [np.frombuffer(bytes.fromhex(signed), dtype=np.uint16) for signed in (one, other)]
    return float((rows[0] == rows[1]).mean())
