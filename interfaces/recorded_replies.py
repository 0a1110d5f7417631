"""The model of a replay: it gives the recorded replies in order, failures and empty ones too.

The policy's calls are given by their order. Readings of pictures, which tools ask for at once, are
given by the question and the bytes of the picture; where one was asked for again, in order. A call
that took several attempts takes as many, so that it spends what it spent: those before the last
fail, or are empty, as they were, but nothing waits between them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.episode import Episode

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage


@dataclass
class RecordedReplies:
    """Answers the calls of a replay."""

    episode: Episode
    at: str
    reply: str
    live: "BaseChatModel | None"
    given: int = 0
    strayed: bool = False
    """A prompt was another than the recorded one."""
    warnings: list[str] = field(default_factory=list)
    readings: dict[Any, LLMCall] = field(default_factory=dict)
    """The last call that was given again, by the words and the pictures that were asked."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often a call was made."""

    async def say(self, messages: "list[BaseMessage]", tools: list[dict[str, Any]]) -> Any:
        """Answer one call."""
        calls = [call for call in self.episode.calls if call.trainable]
        last = calls[self.given - 1] if 0 < self.given <= len(calls) else None
        if last is not None and not self.strayed and self._is_under_way(last):
            return self._attempt(last)
        call = calls[self.given] if self.given < len(calls) else None
        self.given += 1
        if call is not None and not self.strayed:
            told = [message.text for message in self.episode.path(call.leaf)]
            self.strayed = told != [message.text for message in messages]
            if not self.strayed and call.id == self.at:
                self.strayed = True
                return self.reply
        if self.strayed and self.live is not None:
            bound = self.live.bind_tools(tools) if tools else self.live
            return await bound.ainvoke(messages)
        if call is None:
            raise RuntimeError(
                f"the record has {len(calls)} replies and the replay asks for more; "
                "give a model that goes on"
            )
        if self.strayed and not self.warnings:
            self.warnings.append(
                "A prompt is not the recorded one; the recorded replies were given all the same."
            )
        return self._attempt(call) if not self.strayed else _reply_of(self.episode, call.id)

    def read(self, messages: "list[BaseMessage]", tools: list[dict[str, Any]]) -> Any:
        """Answer a vision model's call: what was read then of the same picture."""
        asked = _seen(messages[-1].content)
        alike = []
        for call in self.episode.calls:
            if not call.trainable:
                sent = self.episode.message(call.leaf)
                if asked == (sent.text, tuple(picture.blob for picture in sent.pictures)):
                    alike.append(call)
        if not alike:
            raise RuntimeError("the record has no reading of this picture")
        last = self.readings.get(asked)
        if last is None:
            call = alike[0]
        elif self._is_under_way(last):
            call = last
        else:  # one that failed may have been asked for once more
            call = alike[min(alike.index(last) + 1, len(alike) - 1)]
        self.readings[asked] = call
        return self._attempt(call)

    def _is_under_way(self, call: LLMCall) -> bool:
        """Tell whether a call that was begun had another attempt."""
        return self.asked[call.id] < call.attempts

    def _attempt(self, call: LLMCall) -> Any:
        """Return what the next attempt of a call gave; the last one has the reply."""
        from langchain_core.messages import AIMessage  # noqa: PLC0415 - only with a model

        self.asked[call.id] += 1
        tried = self.asked[call.id]
        if tried >= call.attempts:
            return _reply_of(self.episode, call.id)
        is_empty = call.retried[tried - 1 : tried] == ("empty",)
        return AIMessage("") if is_empty else _Passing("The recorded attempt failed; retry in 0 s.")


class _Passing(Exception):
    """A fault after which a client tries again, at once."""

    status_code = 429


def _seen(content: Any) -> tuple[str, tuple[str, ...]]:
    """Return the words and the sha256 of the pictures of a prompt."""
    from langchain_core.messages import HumanMessage  # noqa: PLC0415 - only with a model

    from pagehop.agents.told_prompts import told_messages  # noqa: PLC0415 - as above

    told = told_messages([HumanMessage(content)])[0][0]["content"]
    words = [str(block.get("text", "")) for block in told if block.get("type") == "text"]
    blobs = [str(block["blob"]) for block in told if "blob" in block]
    return "\n".join(words), tuple(blobs)


def _reply_of(episode: Episode, name: str) -> Any:
    """Return what a model said, as its client gave it."""
    from langchain_core.messages import AIMessage  # noqa: PLC0415 - only with a model

    call = next(one for one in episode.calls if one.id == name)
    if not call.message:
        return _error_of(call.error)
    message = episode.message(call.message)
    calls: list[Any] = []
    broken: list[Any] = []
    for part in message.calls:
        about = {"name": part.name, "id": part.id}
        if part.arguments is not None:
            calls.append({**about, "args": dict(part.arguments), "type": "tool_call"})
        else:
            why = {"args": part.arguments_raw, "error": part.parse_error}
            broken.append({**about, **why, "type": "invalid_tool_call"})
    usage = call.usage
    spent = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    ended = {"finish_reason": call.finish_reason} if call.finish_reason else {}
    return AIMessage(
        message.text,
        tool_calls=calls,
        invalid_tool_calls=broken,
        usage_metadata={**spent, "total_tokens": sum(spent.values())},
        response_metadata=ended,
        additional_kwargs={"reasoning_content": message.reasoning} if message.reasoning else {},
    )


def _error_of(told: str) -> Exception:
    """Return the error with which a call failed then."""
    from pagehop import errors  # noqa: PLC0415 - looked up by name

    name, _, words = told.partition(": ")
    kinds = {
        "ContextOverflow", "ToolsUnsupported", "PicturesUnsupported", "ToolError", "ModelError"
    }  # fmt: skip
    if name in kinds:
        kind: type[Exception] = getattr(errors, name)
        return kind(words)
    return errors.CallFailed(words or "the call was cut off", kind="request")
