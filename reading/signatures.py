"""Signatures of pages: what finds near-identical pages among many without comparing all.

MinHash over word triples, in bands (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, 3.3 and 3.4): two pages share a band with probability 1 - (1 - s^r)^b for similarity s.
With r = 4 rows and b = 8 bands that is .98 at s = .8, .87 at .7, .15 at .4. A page that shares a
band is only a candidate; the page graph compares the two texts.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

BANDS = 8
ROWS = 4
_SHORTEST = 30
"""Words; shorter pages (`This page is intentionally left blank`) are alike for no reason."""
_PRIME = np.uint64((1 << 31) - 1)
_RANDOM = np.random.default_rng(20_251)
_FACTORS = _RANDOM.integers(1, int(_PRIME), size=(BANDS * ROWS, 1), dtype=np.uint64)
_SHIFTS = _RANDOM.integers(0, int(_PRIME), size=(BANDS * ROWS, 1), dtype=np.uint64)


def shingles(text: str) -> frozenset[int]:
    """Return 31-bit hashes of the word triples of a text, numbers included, case and marks not."""
    words = ["".join(filter(str.isalnum, word)) for word in text.casefold().split()]
    words = [word for word in words if word]
    triples = (" ".join(words[i : i + 3]) for i in range(len(words) - 2))
    return frozenset(zlib.crc32(triple.encode()) & 0x7FFFFFFF for triple in triples)


def signature(text: str) -> str:
    """Return the bands of a page's text, eight hex digits each; empty for a page of few words."""
    if len(text.split()) < _SHORTEST:
        return ""
    hashes = np.fromiter(shingles(text), dtype=np.uint64)
    if not len(hashes):
        return ""
    # Factors and hashes are below 2^31, so the products fit into 64 bits.
    least: NDArray[np.uint64] = ((_FACTORS * hashes + _SHIFTS) % _PRIME).min(axis=1)
    bands = least.reshape(BANDS, ROWS)
    return "".join(f"{zlib.crc32(band.tobytes()):08x}" for band in bands)


def bands(signed: str) -> list[str]:
    """Return the bands of a signature, each with its place, so that only like bands are equal."""
    return [f"{i}:{signed[8 * i : 8 * i + 8]}" for i in range(len(signed) // 8)]


def likeness(one: str, other: str) -> float:
    """Return the share of word triples two texts have in common (Jaccard), 0 to 1."""
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b) if a or b else 0.0
