"""Make a prompt shorter: what tools returned first, the oldest most, instructions never."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, SystemMessage

FIRST_CHARACTERS = 6_000
"""Most characters of one message after the first shortening; half as many each time after."""
_LEAST = 200


def shortened(messages: Sequence[BaseMessage], times: int) -> list[BaseMessage]:
    """Return messages cut to a length; the newer half of them may be twice as long as the older.

    Args:
        messages: A prompt.
        times: How often it was too long.
    """
    room = max(_LEAST, FIRST_CHARACTERS >> (times - 1))
    last = len(messages) - 1
    return [
        message
        if isinstance(message, SystemMessage) or i in (1, last)
        else _cut(message, room if i >= len(messages) // 2 else max(_LEAST, room // 2))
        for i, message in enumerate(messages)
    ]


def tokens_of(messages: Sequence[BaseMessage]) -> int:
    """Return about how many tokens a prompt has, at 4 characters each."""
    return sum(len(str(message.content)) for message in messages) // 4 + 4 * len(messages)


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
