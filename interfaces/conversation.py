"""What was asked and answered before on a thread, kept beside the library's runs.

One JSON line an exchange, 0600, in `<runs>/threads/`. An exchange is given only to a view that may
see all of what it was answered from: its labels are part of the line.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from pagehop.agents.moves import Exchange
from pagehop.answers import Answer
from pagehop.library.view import View

KEPT = 8
"""Exchanges that a follow-up is understood from."""


@dataclass(frozen=True)
class Conversation:
    """One thread of questions on a library."""

    path: Path | None
    """None when nothing is kept: no thread was named."""
    labels: frozenset[str] | None
    """Of the view that asks; None sees everything."""

    def history(self) -> list[Exchange]:
        """Return the last exchanges that this view may know of, oldest first."""
        if self.path is None or not self.path.exists():
            return []
        found: list[Exchange] = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                record = json.loads(line)
                seen = None if record["labels"] is None else frozenset(record["labels"])
                exchange = Exchange(record["question"], record["answer"])
            except (ValueError, KeyError, TypeError):
                continue  # a line torn by a crash
            if self.labels is None or (seen is not None and seen <= self.labels):
                found.append(exchange)
        return found[-KEPT:]

    def add(self, understood: str, answer: Answer) -> None:
        """Append an exchange, unless the run failed."""
        if self.path is None or answer.status == "failed":
            return
        labels = None if self.labels is None else sorted(self.labels)
        record = {"question": understood, "answer": answer.text, "labels": labels}
        line = json.dumps(record, ensure_ascii=False) + "\n"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def open_conversation(view: View, thread: str, fallback: Path) -> Conversation:
    """Return the conversation of a thread's name; nothing is kept for an empty one.

    Args:
        view: Who asks.
        thread: Any name.
        fallback: Folder of the user, when the library's own cannot be written.
    """
    if not thread:
        return Conversation(None, view.labels)
    runs = view.runs_path
    if runs is None or not os.access(runs if runs.exists() else runs.parent, os.W_OK):
        runs = fallback
    name = hashlib.sha256(thread.encode()).hexdigest()[:16]
    return Conversation(runs / "threads" / f"{name}.jsonl", view.labels)
