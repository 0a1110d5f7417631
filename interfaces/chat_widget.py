"""The widget behind `pagehop.chat` (anywidget: Jupyter, VS Code, Colab, marimo).

1. A question runs on a thread with an event loop of its own; events are folded into `current`.
2. `turns` and `current` are synced values, so that a second view of the widget shows the same.
3. Crops are rendered when the browser asks for them, one after the other, and sent as bytes.
"""

import asyncio
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import anywidget
import traitlets

from pagehop.answers import Answer, Citation
from pagehop.arguments import misfit
from pagehop.errors import ConfigError, PagehopError
from pagehop.events import Event
from pagehop.interfaces.api import astream
from pagehop.interfaces.narration import Narrator
from pagehop.interfaces.running import open_view
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.show import jpeg

_HERE = Path(__file__).parent


class ChatWidget(anywidget.AnyWidget):  # type: ignore[misc]  # untyped
    """Question box, steps as they stream, cited answers with crops, a stop button."""

    _esm = _HERE / "chat.js"
    _css = _HERE / "chat.css"

    turns: Any = traitlets.List().tag(sync=True)
    """Finished questions: `{id, question, state, lines, answer, notice}`."""
    current: Any = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    """The question that runs, in the same shape."""
    notice: Any = traitlets.Unicode("").tag(sync=True)
    """What the person should know now; empty when nothing."""

    def __init__(
        self, library: Library | View | str | Path, *, model: Any = None, **ask_kwargs: Any
    ) -> None:
        """Open the library and wait for questions."""
        warnings: list[str] = []
        if isinstance(library, str | Path):  # before there is a widget that an error would leave
            library, warnings = open_view(library)
        elif not isinstance(library, Library | View):
            raise misfit("library", library, "a Library, a View or a path")
        super().__init__(notice=" ".join(warnings))
        self.history: list[Answer] = []
        """Answers so far, oldest first; a stopped question leaves none."""
        self._source = library
        # A thread of its own: a follow-up is understood from what was asked in this chat.
        thread = f"chat-{uuid.uuid4().hex[:12]}"
        self._ask_kwargs = {"model": model, "thread": thread, **ask_kwargs}
        self._cited: dict[str, Citation] = {}
        self._crops = ThreadPoolExecutor(1, thread_name_prefix="pagehop-crops")
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._stopped = False
        self._asked = 0
        self.on_msg(self._receive)

    def ask(self, question: str) -> None:
        """Start a question, as the box in the notebook does; `wait` waits for its answer.

        Raises:
            ConfigError: The question is empty, or another one is running.
        """
        question = question.strip()
        if not question:
            raise ConfigError("the question is empty")
        with self._lock:
            if self._thread is not None:
                raise ConfigError("a question is running; wait for its answer or stop it")
            self._asked += 1
            self._stopped = False
            turn = {"id": self._asked, "question": question, "state": "running", "lines": []}
            self._thread = threading.Thread(
                target=self._run, args=(turn,), name="pagehop-chat", daemon=True
            )
        self.notice = ""
        self.current = dict(turn)  # a copy: a change in place would not be seen as one
        self._thread.start()

    def stop(self) -> None:
        """Stop the running question, if there is one; its lines stay on the page."""
        with self._lock:
            self._stopped = True
            if self._task is not None:
                loop, task = self._task
                loop.call_soon_threadsafe(task.cancel)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the running question; say whether none is running any more."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return self._thread is None

    def close(self) -> None:
        """Stop what runs and take the widget off the page."""
        self.stop()
        self._crops.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _receive(self, _widget: object, message: Any, _buffers: object) -> None:
        """Take one message of the browser; what it asks wrongly is answered in `notice`."""
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "ask":
            try:
                self.ask(str(message.get("question", "")))
            except ConfigError as error:
                self.notice = str(error)
        elif kind == "stop":
            self.stop()
        elif kind == "crop":
            self._crops.submit(self._send_crop, message.get("turn"), message.get("citation"))

    def _send_crop(self, turn: Any, number: Any) -> None:
        reply = {"type": "crop", "turn": turn, "citation": number, "error": ""}
        citation = self._cited.get(f"{turn}/{number}")
        if citation is None:
            self.send({**reply, "error": "there is no such citation"})
            return
        try:
            picture = jpeg(citation, marked=True)
        except (PagehopError, OSError, ValueError) as error:
            self.send({**reply, "error": str(error)})
        else:
            self.send(reply, buffers=[picture])

    def _run(self, turn: dict[str, Any]) -> None:
        try:
            asyncio.run(self._follow(turn))
        except asyncio.CancelledError:
            if turn["state"] == "running":  # else the answer came first
                turn = {**turn, "state": "stopped", "notice": "Stopped."}
        except PagehopError as error:
            turn = {**turn, "state": "failed", "notice": str(error)}
        except Exception as error:
            turn = {**turn, "state": "failed", "notice": f"{type(error).__name__}: {error}"}
            raise
        finally:
            self._finish(turn)

    async def _follow(self, turn: dict[str, Any]) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        with self._lock:
            self._task = asyncio.get_running_loop(), task
        try:
            if self._stopped:
                raise asyncio.CancelledError
            await self._fold(turn)
        finally:
            with self._lock:
                self._task = None

    async def _fold(self, turn: dict[str, Any]) -> None:
        view = self._source.view() if isinstance(self._source, Library) else self._source
        narrator, end = Narrator(), None
        events = astream(turn["question"], view, **self._ask_kwargs)
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                line = narrator.add(event)
                if line is not None:
                    turn["lines"] = [*turn["lines"], line.to_json()]
                    self.current = dict(turn)
                elif event.type == "episode.end":
                    end = event  # with samples each has one; the last is that of the question
        if end is not None:
            self._keep(turn, end, view)

    def _keep(self, turn: dict[str, Any], event: Event, view: View) -> None:
        data = event.body["answer"]
        answer = Answer.from_json(data, pictures=view)
        self.history.append(answer)
        for number, citation in enumerate(answer.citations, start=1):
            self._cited[f"{turn['id']}/{number}"] = citation
        turn.update(state="done", answer=data)

    def _finish(self, turn: dict[str, Any]) -> None:
        if turn["state"] == "running":
            turn = {**turn, "state": "failed", "notice": "The run ended without an answer."}
        with self._lock:  # a question sent on seeing this waits until the thread is free
            with self.hold_sync():
                self.turns = [*self.turns, turn]
                self.current = None
            self._thread = None
