"""Keep a run in SQLite with one transaction a node, where LangGraph takes two.

LangGraph saves what a node wrote, then the checkpoint that follows from it, and waits for the disk
each time. The machine runs one node at a time, so both belong together: writes are held until
their checkpoint comes, a moment later, and are committed with it. Killed in between, the node runs
again from the checkpoint before, as if it had been killed in its last moment.

1. What interrupts, errors and resumes write is saved at once: no checkpoint follows it.
2. Readers see a checkpoint only together with the writes that made it.

Not covered: other savers, which are used as they are.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

_WRITES = (
    "INSERT OR IGNORE INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, "
    "idx, channel, type, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
Row = tuple[Any, ...]


def in_one_transaction(saver: BaseCheckpointSaver[Any]) -> BaseCheckpointSaver[Any]:
    """Return a saver over the same connection that commits writes with their checkpoint."""
    if type(saver) is not AsyncSqliteSaver:
        return saver
    made = _Transactions.__new__(_Transactions)
    made.__dict__.update(vars(saver))
    made.held = {}
    return made


class _Transactions(AsyncSqliteSaver):
    """LangGraph's saver, but for when it commits."""

    held: dict[tuple[str, str], dict[str, list[Row]]]
    """Rows of writes by (thread, namespace), then by task."""

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Hold what a node wrote until its checkpoint comes."""
        if any(channel in WRITES_IDX_MAP for channel, _ in writes):
            return await super().aput_writes(config, writes, task_id, task_path)
        given = config["configurable"]
        place = (str(given["thread_id"]), str(given["checkpoint_ns"]))
        key = (*place, str(given["checkpoint_id"]), task_id, task_path)
        self.held.setdefault(place, {})[task_id] = [
            (*key, i, channel, *self.serde.dumps_typed(value))
            for i, (channel, value) in enumerate(writes)
        ]

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint and the writes held for it."""
        await self.setup()
        given = config["configurable"]
        place = (str(given["thread_id"]), str(given["checkpoint_ns"]))
        rows = [row for task in self.held.pop(place, {}).values() for row in task]
        if not rows:
            return await super().aput(config, checkpoint, metadata, new_versions)
        async with self.lock:
            await self.conn.executemany(_WRITES, rows)
        try:
            return await super().aput(config, checkpoint, metadata, new_versions)
        except BaseException:
            await self.conn.commit()  # left open, the transaction would lock others out
            raise
