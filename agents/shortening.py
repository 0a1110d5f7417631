"""Make a prompt shorter: what tools returned first, the oldest most, instructions never."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, SystemMessage

FIRST_CHARACTERS = 6_000
"""Most characters of one message after the first shortening; half as many each time after."""
_LEAST = 60
_LETTERS = 5
"""Of a token."""
_PIECE = re.compile(r"[A-Za-z]+|[^\W\d_]|\d|[^\w\s]+|_|\n+")


@dataclass(frozen=True)
class Fitted:
    """A prompt, and how often it was shortened."""

    messages: list[BaseMessage]
    times: int


def shortened(messages: Sequence[BaseMessage], times: int) -> list[BaseMessage]:
    """Return messages cut to a length; the newer half of them may be twice as long as the older.

    Args:
        messages: A prompt.
        times: How often it was too long.
    """
    room = max(2 * _LEAST, FIRST_CHARACTERS >> (times - 1))
    last = len(messages) - 1
    return [
        message
        if isinstance(message, SystemMessage) or i in (1, last)
        else _cut(message, room if i >= len(messages) // 2 else max(_LEAST, room // 2))
        for i, message in enumerate(messages)
    ]


def tokens_of(messages: Sequence[BaseMessage]) -> int:
    """Return about how many tokens a prompt has, a little more rather than less.

    Tables and JSON have far more tokens than their characters tell: each digit is one in most
    vocabularies, and so is a run of signs; a word is one for about six letters. Over the prompts
    and the documents of `examples/` that gave .93 to 1.2 of SmolLM2's tokens, characters / 4 .71
    to 1.1.
    """
    return sum(map(_tokens_of, messages)) + 4 * len(messages)


def _tokens_of(message: BaseMessage) -> int:
    pieces = _PIECE.findall(str(message.content))
    return sum(-(-len(piece) // _LETTERS) if piece[0].isalpha() else 1 for piece in pieces)


def _cut(message: BaseMessage, characters: int) -> BaseMessage:
    content = message.content
    if not isinstance(content, str):
        texts = [b for b in content if not (isinstance(b, dict) and "base64" in b)]
        return message.model_copy(update={"content": texts or "(a picture was left out)"})
    if len(content) <= characters:
        return message
    left_out = len(content) - characters
    cut = f"{content[:characters]}\n... ({left_out} characters left out)"
    return message.model_copy(update={"content": cut})
