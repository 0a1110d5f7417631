"""The perceiver: a vision model reads a picture for a reasoner that takes only text."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from pagehop.agents.moves import Meter
from pagehop.agents.prompting import picture_block, shipped
from pagehop.agents.replies import text_of
from pagehop.answers import Usage
from pagehop.errors import ToolError
from pagehop.models.chat_calls import usage_of
from pagehop.models.prices import Prices

if TYPE_CHECKING:
    from PIL.Image import Image

_KEPT = 256
"""Readings kept; the oldest goes first."""


@dataclass
class Allowance:
    """What reading pictures may spend in one step of a run, and has spent."""

    left: Mapping[str, float]
    """Of each limit, by its name."""
    meter: Meter = field(default_factory=Meter)
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> None:
        """Count a call that begins.

        Raises:
            ToolError: The budget does not allow it.
        """
        with self._lock:
            over = self.meter.over(self.left)
            if over:
                raise ToolError(
                    f"the picture was not read, the budget of {over} is spent; "
                    "use the text of the page"
                )
            self.meter.add(Usage(model_calls=1))

    def add(self, usage: Usage) -> None:
        """Count what a reply cost."""
        with self._lock:
            self.meter.add(usage)


ALLOWANCE: ContextVar[Allowance | None] = ContextVar("pagehop_allowance", default=None)
"""Of the step that is running; None outside of a machine, where nobody counts."""


class Perceiver:
    """Fills the `Perceive` protocol; the same picture and question are read once, at once too."""

    def __init__(self, model: BaseChatModel) -> None:
        """Keep the model; nothing is called yet."""
        self._model = model
        self._readings: dict[str, Future[str]] = {}
        self._lock = Lock()

    def __call__(self, picture: "Image", question: str) -> str:
        """Answer a self-contained question about the picture.

        Raises:
            ToolError: The vision model gave nothing; says what to do instead.
        """
        key = hashlib.sha256(picture.tobytes() + repr((picture.size, question)).encode())
        name = key.hexdigest()
        with self._lock:
            asked = self._readings.get(name)
            if mine := asked is None:
                while len(self._readings) >= _KEPT:
                    self._readings.pop(next(iter(self._readings)))
                asked = self._readings[name] = Future()
        assert asked is not None
        if mine:
            try:
                asked.set_result(self.read(picture_block(picture), question))
            except BaseException as error:
                with self._lock:
                    self._readings.pop(name, None)  # asked again, it is tried again
                asked.set_exception(error)
        return asked.result()

    def read(self, block: dict[str, Any], question: str) -> str:
        """Answer a question about a picture that is given as a content block.

        Raises:
            ToolError: The vision model gave nothing; says what to do instead.
        """
        blocks = [{"type": "text", "text": question}, block]
        messages = [SystemMessage(shipped("perceiver")), HumanMessage(blocks)]  # type: ignore[arg-type]
        allowance = ALLOWANCE.get()
        if allowance is not None:
            allowance.begin()
        try:
            reply = self._model.invoke(messages)
        except Exception as error:
            # The boundary to the provider's client: whatever it raises, no picture was read.
            raise ToolError(
                f"the vision model gave no reading ({type(error).__name__}); use the text of the "
                "page, or another page"
            ) from error
        if allowance is not None and isinstance(reply, AIMessage):
            allowance.add(usage_of(self._model, messages, reply, Prices.from_settings()))
        said = text_of(reply).strip() if isinstance(reply, AIMessage) else ""
        if not said:
            raise ToolError("the vision model gave an empty reading; ask in other words")
        return said
