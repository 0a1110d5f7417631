"""Rewards and annotations that are added to a run later, beside its log.

    <run>/scores/<scorer>@<hash>.jsonl    {"episode_id": ..., "name": ..., "value": ..., ...} a line

Events are never rewritten. A scorer that runs again replaces its own file, whole.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pagehop.errors import LibraryError
from pagehop.trajectories.episode import RewardRecord


def write_scores(
    folder: Path, scorer: str, digest: str, rewards: Mapping[str, Sequence[RewardRecord]]
) -> Path:
    """Write what a scorer says of a run's episodes; return the file.

    Args:
        folder: Of the run.
        scorer: Its name.
        digest: Of its settings; the same scorer with others has a file of its own.
        rewards: By episode id.

    Raises:
        LibraryError: A value is no number that JSON has.
    """
    lines = []
    for episode_id, given in rewards.items():
        for reward in given:
            if reward.value is not None and not math.isfinite(reward.value):
                raise LibraryError(
                    f"reward {reward.name!r} of episode {episode_id} is {reward.value}; "
                    "a reward is a finite number, or None when it could not be judged"
                )
            lines.append(json.dumps({"episode_id": episode_id, **vars(reward)}, allow_nan=False))
    name = re.sub(r"[^\w.-]", "_", scorer)
    target = folder / "scores" / f"{name}@{digest[:12]}.jsonl"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.tmp")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(target)
    return target


def read_scores(folder: Path) -> dict[str, list[RewardRecord]]:
    """Return the rewards of all scorers by episode id, oldest first; torn lines are passed over."""
    found: dict[str, list[RewardRecord]] = {}
    names = RewardRecord.__annotations__
    for path in sorted((folder / "scores").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                body: dict[str, Any] = json.loads(line)
                reward = RewardRecord(**{k: v for k, v in body.items() if k in names})
                found.setdefault(body["episode_id"], []).append(reward)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    for rewards in found.values():
        rewards.sort(key=lambda reward: reward.ts)
    return found
