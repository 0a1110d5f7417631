"""The question of a recorded episode, with the pictures that it came with.

A model that takes pictures was shown them in its prompts. For one that reads text only, calls of
the perceiver read them; samples of one question share these calls, so that only the episode of the
first one has them: the others have what was read, in the same place.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pagehop.agents.perceiver import READ, ROLE
from pagehop.interfaces.asked import SHOWN, Asked
from pagehop.trajectories.blobs import read_blob
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.messages import JsonPart, Message, PicturePart


def recorded_question(folder: Path, episode: Episode) -> Asked:
    """Return what was asked.

    Args:
        folder: Of the run.
        episode: Of the run.

    Raises:
        LibraryError: A picture is missing in the record, or damaged.
    """
    asked = f"llm.{ROLE}.question."
    prompts = [episode.path(call.leaf) for call in episode.calls if f"/{asked}" in call.id]
    read = [block for path in prompts for block in _blocks(folder, path[-1])]
    if read:
        return Asked(episode.question, tuple(read))
    first = next((call for call in episode.calls if call.trainable), None)
    for message in episode.path(first.leaf) if first is not None else ():
        if message.role == "user" and message.text == SHOWN:
            return Asked(episode.question, tuple(_blocks(folder, message)))
        if message.role == "user" and message.text.startswith(READ):
            return Asked(episode.question, reading=message.text)
    return Asked(episode.question)


def _blocks(folder: Path, message: Message) -> list[Mapping[str, Any]]:
    """Return the pictures of a message as they were sent."""
    blocks: list[Mapping[str, Any]] = []
    for part in message.parts:
        if isinstance(part, PicturePart):
            data = base64.b64encode(read_blob(folder, part.blob)).decode()
            blocks.append({"type": "image", "base64": data, "mime_type": part.mime})
        elif isinstance(part, JsonPart) and isinstance(part.value, Mapping):
            blocks.append(part.value)  # of the web, by its address
    return blocks
