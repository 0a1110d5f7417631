"""How arrays of numbers are written into JSON: token ids, logprobs, flags.

An array is a string: `u32:`, `f32:` or `bits:` (eight a byte, lowest bit first, with the count
before it, e.g. `bits:13:...`), then base64 of the little-endian bytes. A reader takes plain lists,
too.
"""

import base64
import hashlib
import sys
from array import array
from collections.abc import Sequence
from typing import Any

from pagehop.errors import LibraryError


def packed_ids(ids: Sequence[int]) -> str:
    """Return token ids as a string for JSON."""
    return "u32:" + _base64(array("I", ids))


def packed_floats(values: Sequence[float]) -> str:
    """Return numbers as a string for JSON; they are kept to 32 bits."""
    return "f32:" + _base64(array("f", values))


def packed_bits(bits: Sequence[bool]) -> str:
    """Return flags as a string for JSON."""
    raw = bytearray((len(bits) + 7) // 8)
    for i, bit in enumerate(bits):
        raw[i // 8] |= bit << (i % 8)
    return f"bits:{len(bits)}:" + base64.b64encode(raw).decode("ascii")


def unpacked(value: str | Sequence[Any] | None) -> tuple[Any, ...]:
    """Return the numbers of an array as it stands in a record; None is an empty one.

    Raises:
        LibraryError: It is none of the three forms.
    """
    if value is None:
        return ()
    if not isinstance(value, str):
        return tuple(value)
    kind, _, rest = value.partition(":")
    if kind == "bits":
        count, _, rest = rest.partition(":")
        raw = base64.b64decode(rest)
        return tuple(bool(raw[i // 8] >> (i % 8) & 1) for i in range(int(count)))
    if kind not in ("u32", "f32"):
        raise LibraryError(f"{value[:40]!r} is no array of a record; they begin u32:, f32:, bits:")
    numbers = array("I" if kind == "u32" else "f")
    numbers.frombytes(base64.b64decode(rest))
    return tuple(_little(numbers))


def _base64(numbers: "array[Any]") -> str:
    return base64.b64encode(_little(numbers).tobytes()).decode("ascii")


def _little(numbers: "array[Any]") -> "array[Any]":
    assert numbers.itemsize == 4
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def text_sha256(text: str) -> str:
    """Return the name of a text among blobs."""
    return hashlib.sha256(text.encode()).hexdigest()
