"""Strike secrets out of what is written: values of the environment, and what looks like a key."""

import json
import os
import re

HIDDEN = b"***"
_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8
"""Shorter values of such variables stand in ordinary text too often to be struck out."""
_SHAPES = re.compile(
    rb"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bAKIA[A-Z0-9]{16}\b"
    rb"|\bAIza[A-Za-z0-9_-]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{30,}"
    rb"|(?<=Bearer )[A-Za-z0-9._~+/-]{16,}|(?<=://)[^/\s:@\"]+:[^/\s:@\"]+(?=@)"
)
"""Keys of common services, bearer tokens, and names and passwords in addresses."""
_SIGNS = tuple(
    re.compile(sign).search
    for sign in (
        rb"k-[A-Za-z0-9_-]{20}", rb"_[A-Za-z0-9]{30}", rb"AKIA[A-Z0-9]{16}",
        rb"AIza[A-Za-z0-9_-]{30}", rb"xox[abprs]-[A-Za-z0-9-]{10}",
        rb"Bearer [A-Za-z0-9._~+/-]{16}", rb"://[^/\s:@\"]+:[^/\s:@\"]+@",
    )
)  # fmt: skip
"""One of them is in every text that has such a key. Each begins with a byte that is rare in texts,
which is looked for about a hundred times as fast as the shapes: all that is recorded goes by."""


def secret_values() -> re.Pattern[bytes] | None:
    """Match the values of environment variables that are named like secrets; None without any."""
    values = {
        json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "backslashreplace")
        for name, value in os.environ.items()
        if _NAME.search(name) and len(value) >= _SHORTEST and not _is_word(value)
    }
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    return re.compile(b"|".join(map(re.escape, longest_first))) if values else None


def struck_out(text: bytes, values: re.Pattern[bytes] | None) -> bytes:
    """Return JSON in UTF-8 without the values, and without what looks like a key."""
    if values is not None:
        text = values.sub(HIDDEN, text)
    for sign in _SIGNS:
        if sign(text):
            return _SHAPES.sub(HIDDEN, text)
    return text


def _is_word(value: str) -> bool:
    """Striking out a plain word would damage the record more than it hides."""
    return value.isalpha() and value.islower()
