"""Halves of surrogate pairs: weak models escape such halves in their JSON, and no UTF-8 holds one.

A stream may also part a pair, each half in a piece of its own; put together they are whole again.
"""

from typing import Any


def whole_text(text: str) -> str:
    """Return a text with its pairs joined, and U+FFFD for a half without the other."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def whole(value: Any) -> Any:
    """Return a JSON-able value with all its texts whole."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {whole(name): whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [whole(part) for part in value]
    return value
