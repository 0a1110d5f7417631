"""Every error pagehop raises on purpose.

    PagehopError
    ├── ConfigError      a setting, argument or missing package: says what to set or install
    ├── LibraryError     the library on disk or a document: says which, and the remedy
    │   └── PdfError     one file cannot be read: `reason` is one of `PdfReason`
    ├── ModelError       an encoder or chat model cannot be loaded or called
    │   ├── ContextOverflow      the prompt is longer than the model's context
    │   ├── ToolsUnsupported     the model or its server takes no native tools
    │   ├── PicturesUnsupported  the model or its server takes no pictures (here)
    │   └── CallFailed           refused, unreachable or failing: `kind` is one of `FaultKind`
    └── ToolError        for the reasoning model: says what to do next

Two readers: `ToolError` is read by a model, the rest by a person.
"""

from typing import Literal

PdfReason = Literal[
    "damaged", "encrypted", "empty", "truncated", "no pages", "not a PDF", "unreadable", "timeout",
    "memory", "blank", "crashed", "unknown format", "renamed", "too large", "no converter",
]  # fmt: skip

FaultKind = Literal[
    "timeout", "rate_limit", "server", "connection", "cut", "empty", "malformed",
    "key", "quota", "not_found", "request",
]  # fmt: skip
"""What went wrong with a model call; the first line may pass when the call is made again."""


class PagehopError(Exception):
    """Base of all errors that pagehop raises on purpose."""


class ConfigError(PagehopError):
    """A setting or argument is wrong, or an optional package is missing."""


class LibraryError(PagehopError):
    """The library on disk, or a document in it, cannot be used as asked."""


class PdfError(LibraryError):
    """One file cannot be read; the other files are not affected."""

    def __init__(self, reason: PdfReason, detail: str) -> None:
        """Keep the machine-readable reason beside the words for a person."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: PdfReason = reason
        self.detail = detail


class ModelError(PagehopError):
    """An encoder or chat model cannot be loaded or called."""


class ContextOverflow(ModelError):
    """The endpoint says that the prompt is longer than the model's context; send less."""


class ToolsUnsupported(ModelError):
    """The model or its server takes no native tool calls; use JSON or tagged actions."""


class PicturesUnsupported(ModelError):
    """The model or its server takes no pictures."""

    def __init__(self, message: str, *, in_tool_message: bool = False) -> None:
        """Keep whether only pictures in tool messages are refused."""
        super().__init__(message)
        self.in_tool_message = in_tool_message


class CallFailed(ModelError):
    """A chat model's endpoint refused the call, is unreachable, or kept failing."""

    def __init__(
        self,
        message: str,
        *,
        kind: FaultKind,
        attempts: int = 1,
        retried: tuple[FaultKind, ...] = (),
    ) -> None:
        """Keep what happened beside the words for a person."""
        super().__init__(message)
        self.kind: FaultKind = kind
        self.attempts = attempts
        self.retried = retried


class ToolError(PagehopError):
    """A tool call failed; the message tells the model what to do next."""
