"""Displayed formulas: few lines of signs and single letters, set apart from the text."""

import re
from collections.abc import Sequence

from pagehop.library.page_lines import Line

_SIGNS = frozenset("=≤≥≈≠∑∏∫∂∇√∞∈∉∀∃→←⇒∝±÷·∥⊙⊕⊗≡≜⟨⟩^|\u00d7\u2217\u223c")
"""And Greek letters."""
_WORD = re.compile(r"[A-Za-z]{4,}")
_NUMBER = re.compile(r"\(\d{1,3}(?:\.\d{1,2})?[a-z]?\)$")
_MOST_LINES = 8


def is_formula(lines: Sequence[Line], text: str, column_pt: tuple[float, float]) -> bool:
    """Tell a displayed formula from a line of text.

    Args:
        lines: A paragraph.
        text: Its words.
        column_pt: Left and right edge of its column.
    """
    if len(lines) > _MOST_LINES or len(text) > 400:
        return False
    signs = sum(char in _SIGNS or "\u0391" <= char <= "\u03c9" for char in text)
    if not signs or not any(char in text for char in "=≤≥≈∈∝\u223c→<>≜≡"):
        return False
    words = text.split()
    plain = sum(bool(_WORD.fullmatch(word.strip(".,;:()"))) for word in words)
    letters = sum(char.isalpha() for char in text)
    if plain > 0.3 * len(words) or text[0] in "$£€":
        return False
    numbered = bool(_NUMBER.search(text))
    left, right = column_pt
    indented = min(line.x0 for line in lines) > left + 0.06 * (right - left)
    return (numbered or indented) and letters >= 2 and signs >= 0.02 * len(text)
