"""Read what went wrong in a call of a chat model from whatever its client raised.

1. Clients of different providers share no error classes, so that status code, headers, the names
   of the error's classes and the endpoint's own words are read; no provider package is imported.
2. A `Fault` either may pass (it is tried again) or has `final`, the error to raise at once.
3. No text made here holds a key: values of the model's secrets and what looks like one are cut out.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from pagehop.errors import (
    CallFailed,
    ContextOverflow,
    FaultKind,
    ModelError,
    PicturesUnsupported,
    ToolsUnsupported,
)

OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|maximum model length"
    r"|exceeds? the (available )?context (size|window|length)|exceed_context_size"
    r"|prompt is too long|input is too long|too many (input )?tokens|request too large"
    r"|request_too_large|exceed(s|ed) the maximum number of (input )?tokens|ContextWindowExceeded"
    r"|exceeds? (the )?context limit|context (window|length) (was |is )?exceeded"
    r"|input tokens exceed|reduce the length of (the|your) (messages|prompt|input)",
    re.IGNORECASE,
)
"""OpenAI, vLLM, llama.cpp, Anthropic, Bedrock, Cohere, Groq, Google, LiteLLM in their words."""
NO_TOOLS = re.compile(
    r"(does|do)(es)? not support (tool|function)|(tools?|tool us(e|age)|tool call(s|ing)?"
    r"|function call(s|ing)?|tool choice|tools param)[^.]{0,40}"
    r"(not supported|unsupported|not available|requires? --)|support tool use",
    re.IGNORECASE,
)
NO_PICTURES = re.compile(
    r"image_url is only supported|(does|do) not support (image|vision|multimodal)"
    r"|(image|vision|multimodal)[^.]{0,40}(not supported|unsupported|not enabled)"
    r"|not a (multimodal|vision) model|support image input|unknown variant .?image_url"
    r"|image URLs are only allowed|images? (are|is) only (allowed|supported)"
    r"|only .{0,20}text.{0,20} content|content. must be (a )?string",
    re.IGNORECASE,
)
QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing|credit balance", re.I)
BAD_KEY = re.compile(
    r"api.key (is )?(not valid|invalid)|(invalid|incorrect) api.key", re.IGNORECASE
)
NO_KEY = re.compile(r"no API key|resolve authentication|authentication failed", re.IGNORECASE)
"""What a client says that asked nobody, for want of a key."""
WAIT = re.compile(r"(?:try again|retry) in ([\d.]+) ?(ms|s)|retryDelay\W+([\d.]+)s", re.IGNORECASE)
SECRET = re.compile(
    r"\b(sk|pk|rk|gsk|xai|hf|AIza|key)[-_]?[\w*-]{12,}|\bsk-[\w*-]+|(?<=Bearer )\S+"
    r"|(?<=://)[^/\s@]+@|(?<=key=)[^&\s]+"
)
TIMEOUTS = {"TimeoutError", "TimeoutException", "APITimeoutError", "ModelTimeoutError"}
CONNECTIONS = {
    "ConnectionError", "APIConnectionError", "ModelConnectionError", "TransportError",
    "ClientConnectionError", "ClientPayloadError", "IncompleteRead", "gaierror", "HTTPException",
}  # fmt: skip
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What clients raise on a reply of another shape than they expect."""


@dataclass(frozen=True)
class Fault:
    """What went wrong in one attempt."""

    kind: FaultKind
    words: str
    """For a person, without a key."""
    wait_s: float | None = None
    """How long the endpoint asks to wait; None when it does not say."""
    final: ModelError | None = None
    """The error to raise at once; None when another attempt may succeed."""


def read_fault(
    error: Exception, model: BaseChatModel, *, tools: bool = False, pictures: bool = False
) -> Fault:
    """Classify what a client raised.

    Args:
        error: What the client raised.
        model: The model called; its secrets are cut out of the words.
        tools: Tools were sent.
        pictures: Pictures were sent.
    """
    status, text = _status(error), redact(_text(error), model)
    name, words = model_name(model), _short(redact(_message(error), model))
    said = f"the endpoint said: {words}"
    if special := _capability(error, status, text, words, name, tools=tools, pictures=pictures):
        return Fault("request", str(special), final=special)
    wait_s = _wait_s(error, text)
    variables = ", ".join(model.lc_secrets.values()) or "the provider's key variable"
    if status is None and isinstance(error, TypeError) and NO_KEY.search(text):
        return _final("key", f"{name} needs a key: set {variables}; {words}")
    if status in (401, 403) or (status == 400 and BAD_KEY.search(text)):
        return _final("key", f"the key for {name} was refused ({status}): set {variables}; {said}")
    # Google says "quota" for its limits a minute too, and then when to come back.
    if status == 402 or (QUOTA.search(text) and wait_s is None):
        return _final("quota", f"the account of {name} has no quota left: see its billing; {said}")
    if status == 404:
        return _final(
            "not_found", f"no model {name} at this endpoint: check its name and base_url; {said}"
        )
    if status == 429:
        return Fault("rate_limit", f"{name} is rate-limited; {said}", wait_s)
    if status is not None and ((status >= 500 and status != 501) or status in (408, 409, 425)):
        return Fault("server", f"{name} failed with {status}; {said}", wait_s)
    if status is not None and status >= 400:
        return _final("request", f"{name} refused the request ({status}); {said}")
    return _without_status(error, name, words)


def redact(text: str, model: BaseChatModel) -> str:
    """Cut the model's secrets, and what looks like a key, out of a text."""
    for field in type(model).model_fields:
        value = getattr(model, field, None)
        if isinstance(value, SecretStr) and len(value.get_secret_value()) >= 4:
            text = text.replace(value.get_secret_value(), "***")
    return SECRET.sub("***", text)


def model_name(model: BaseChatModel) -> str:
    """Return the name under which a model is served, or its class when it has none."""
    for field in ("model_name", "model", "model_id", "deployment_name"):
        value = getattr(model, field, None)
        if isinstance(value, str) and value:
            return value
    return type(model).__name__


def _capability(
    error: Exception,
    status: int | None,
    text: str,
    words: str,
    name: str,
    *,
    tools: bool,
    pictures: bool,
) -> ModelError | None:
    """Recognise what no repetition cures, from the text: servers differ in the status code."""
    if status == 429 and "request too large" not in text.lower():
        return None
    if status == 413 or OVERFLOW.search(text) or "ContextOverflowError" in _classes(error):
        return ContextOverflow(f"the prompt is too long for {name}: send less; {words}")
    if pictures and NO_PICTURES.search(text):
        return PicturesUnsupported(
            f"{name} takes no pictures here: set vision_model to one that does; {words}",
            in_tool_message=bool(re.search(r"role.{0,4}'?\"?(user|tool)", text)),
        )
    if tools and (NO_TOOLS.search(text) or isinstance(error, NotImplementedError)):
        return ToolsUnsupported(
            f"{name} takes no native tools here: use another model, start its server with tool "
            f"calls enabled, or use JSON actions; {words}"
        )
    return None


def _without_status(error: Exception, name: str, words: str) -> Fault:
    classes = _classes(error)
    detail = f"{type(error).__name__}: {words}"
    if classes & TIMEOUTS:
        return Fault("timeout", f"{name} gave no reply in time")
    if classes & CONNECTIONS or (isinstance(error, RuntimeError) and "event loop" in words.lower()):
        where = "check base_url and that the server runs"
        return Fault("connection", f"the connection to {name} failed: {where}; {detail}")
    if "APIError" in classes:  # an error event inside a stream carries no status
        return Fault("server", f"{name} failed while streaming; {detail}")
    if isinstance(error, MALFORMED):
        return Fault("malformed", f"{name} sent a reply that its client cannot read; {detail}")
    return _final("request", f"calling {name} failed; {detail}")


def _final(kind: FaultKind, words: str) -> Fault:
    return Fault(kind, words, final=CallFailed(words, kind=kind))


def _classes(error: BaseException) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__}


def _status(error: Exception) -> int | None:
    """Return the HTTP status, from the error, its response, or the body of an error event."""
    response = getattr(error, "response", None)
    for holder in (error, response):
        for field in ("status_code", "http_status", "status", "code"):
            value = getattr(holder, field, None)
            value = getattr(value, "value", value)
            if str(value).isdigit() and 400 <= int(str(value)) < 600:
                return int(str(value))
    return None


def _text(error: Exception) -> str:
    body = getattr(error, "body", None)
    return f"{error} {body}" if body and str(body) not in str(error) else str(error)


def _message(error: Exception) -> str:
    """Return the endpoint's own sentence where the client keeps it, else the client's."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping):
        inner = body.get("error")
        message = (inner if isinstance(inner, Mapping) else body).get("message")
        if isinstance(message, str) and message:
            return message
    return str(error)


def _wait_s(error: Exception, text: str) -> float | None:
    """Return how long the endpoint asks to wait, in seconds."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    if isinstance(headers, Mapping):
        if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
            return milliseconds / 1000
        after = headers.get("retry-after")
        if (seconds := _number(after)) is not None:
            return seconds
        if after:
            try:
                return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
            except ValueError:
                return None
    if found := WAIT.search(text):
        value = _number(found[1] or found[3]) or 0.0
        return value / 1000 if found[2] == "ms" else value
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 1e6 else None


def _short(text: str, limit: int = 300) -> str:
    words = " ".join(text.split())
    return words if len(words) <= limit else words[:limit] + " ..."
