"""How many tokens of the library's encoder words have."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class TokenCounter:
    """Counts tokens of words; remembers each word, as a document's words come back.

    Args:
        tokenizer: `tokenizer.json`; None means an estimate that errs on the long side.
    """

    def __init__(self, tokenizer: Path | None = None) -> None:
        self._known: dict[str, int] = {}
        self._tokenizer: Any = None
        if tokenizer is not None:
            from tokenizers import Tokenizer  # noqa: PLC0415 - the text stage does not need it

            self._tokenizer = Tokenizer.from_file(str(tokenizer))
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()

    def counts(self, words: Sequence[str]) -> list[int]:
        """Return the number of tokens of each word."""
        known = self._known
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new and self._tokenizer is not None:
            encoded = self._tokenizer.encode_batch([f" {w}" for w in new], add_special_tokens=False)
            known.update({w: len(e.ids) for w, e in zip(new, encoded, strict=True)})
        elif new:
            known.update({word: _estimate(word) for word in new})
        result = [known[word] for word in words]
        if len(known) > 200_000:
            known.clear()
        return result

    def total(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return sum(self.counts(text.split()))


def _estimate(word: str) -> int:
    letters = sum(char.isascii() and char.isalpha() for char in word)
    return max(1, math.ceil(letters / 3) + len(word) - letters)


def shorten(text: str, tokens: int, counter: TokenCounter) -> str:
    """Keep the words at the beginning that fit."""
    words = text.split()
    total = 0
    for i, count in enumerate(counter.counts(words)):
        total += count
        if total > tokens:
            return " ".join(words[:i])
    return " ".join(words)
