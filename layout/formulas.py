"""Displayed formulas: few lines of signs and single letters, set apart from the text."""

import re
from collections.abc import Sequence

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import Line

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
    numbered = any(_NUMBER.search(line.text) for line in lines)
    left, right = column_pt
    indented = min(line.x0 for line in lines) > left + 0.06 * (right - left)
    return (numbered or indented) and letters >= 2 and signs >= 0.02 * len(text)


def join_formulas(blocks: list[Block]) -> list[Block]:
    """Take limits, fractions and other pieces of a formula into it."""
    joined = list(blocks)
    for formula in [block for block in blocks if block.kind == "formula"]:
        if not any(block is formula for block in joined):
            continue
        grown = True
        while grown:
            grown = False
            for block in list(joined):
                if block is not formula and _is_piece(block, formula):
                    formula.lines += block.lines
                    joined = [b for b in joined if b is not block]
                    grown = True
        formula.lines.sort(key=lambda line: (round((line.y0 + line.y1) / 8), line.x0))
    return joined


def _is_piece(block: Block, formula: Block) -> bool:
    if block.kind not in ("text", "list", "formula", "heading"):
        return False
    words = sum(len(line.words) for line in block.lines)
    a, b = block.box, formula.box
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    across = min(a[2], b[2]) - max(a[0], b[0])
    height = formula.lines[0].height
    if across < -2 * height:
        return False
    if block.kind == "formula":
        return overlap > -0.6 * height
    long_words = sum(bool(_WORD.fullmatch(w[4])) for line in block.lines for w in line.words)
    return words <= 8 and long_words <= 1 and overlap > -0.35 * height
