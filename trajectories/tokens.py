"""Exact token ids of messages."""

from dataclasses import dataclass
from typing import Literal

from pagehop.models.token_arrays import packed_bits as packed_bits
from pagehop.models.token_arrays import packed_floats as packed_floats
from pagehop.models.token_arrays import packed_ids as packed_ids
from pagehop.models.token_arrays import unpacked as unpacked

TokenSource = Literal["engine", "client_render", "none"]
"""Who made the ids: the engine that sampled them, a tokenizer of the client, nobody."""
TokenSpace = Literal["expanded", "compact_mm"]
"""Whether a picture is all its tokens or one placeholder."""


@dataclass(frozen=True)
class PictureSpan:
    """Where a picture stands among the tokens of a message."""

    offset: int
    length: int
    blob: str


@dataclass(frozen=True)
class TokenDelta:
    """The tokens that one message adds to the prompt before it."""

    ids: tuple[int, ...] = ()
    loss_mask: tuple[bool, ...] = ()
    """As long as `ids`; true only for ids that an engine sampled."""
    logprobs: tuple[float, ...] = ()
    """One for each true bit of the mask; empty when the engine gave none."""
    space: TokenSpace = "expanded"
    source: TokenSource = "none"
    pictures: tuple[PictureSpan, ...] = ()
