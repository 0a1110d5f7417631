"""Strike secrets out of what is written: values of the environment, and what looks like a key."""

import json
import os
import re

HIDDEN = "***"
_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8
"""Shorter values of such variables stand in ordinary text too often to be struck out."""
_SHAPES = re.compile(
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bAKIA[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{30,}"
    r"|(?<=Bearer )[A-Za-z0-9._~+/-]{16,}|(?<=://)[^/\s:@\"]+:[^/\s:@\"]+(?=@)"
)
"""Keys of common services, bearer tokens, and names and passwords in addresses."""
_BEGINNINGS = (
    "sk-", "rk-", "pk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "AKIA", "AIza", "xox", "hf_",
    "Bearer ", "://",
)  # fmt: skip
"""One of these stands in every such text: looking for them first is far cheaper."""


def secret_values() -> re.Pattern[str] | None:
    """Match the values of environment variables that are named like secrets; None without any."""
    values = {
        json.dumps(value, ensure_ascii=False)[1:-1]
        for name, value in os.environ.items()
        if _NAME.search(name) and len(value) >= _SHORTEST and not _is_word(value)
    }
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    return re.compile("|".join(map(re.escape, longest_first))) if values else None


def struck_out(text: str, values: re.Pattern[str] | None) -> str:
    """Return JSON text without the values, and without what looks like a key."""
    if values is not None:
        text = values.sub(HIDDEN, text)
    if any(beginning in text for beginning in _BEGINNINGS):
        text = _SHAPES.sub(HIDDEN, text)
    return text


def _is_word(value: str) -> bool:
    """Striking out a plain word would damage the record more than it hides."""
    return value.isalpha() and value.islower()
