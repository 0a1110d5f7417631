"""Every error pagehop raises on purpose.

    PagehopError
    ├── ConfigError      a setting, argument or missing package: says what to set or install
    ├── LibraryError     the library on disk or a document: says which, and the remedy
    │   └── PdfError     one file cannot be read: `reason` is one of `PdfReason`
    ├── ModelError       an encoder or chat model cannot be loaded or called
    └── ToolError        for the reasoning model: says what to do next

Two readers: `ToolError` is read by a model, the rest by a person.
"""

from typing import Literal

PdfReason = Literal[
    "damaged", "encrypted", "empty", "truncated", "no pages", "not a PDF", "unreadable", "timeout",
    "memory", "blank", "crashed",
]  # fmt: skip


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


class ToolError(PagehopError):
    """A tool call failed; the message tells the model what to do next."""
