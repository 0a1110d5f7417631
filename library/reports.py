"""What adding, checking and asking for the state of a library return."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pagehop.types import Document


@dataclass
class IngestReport:
    """What one call of `Library.add` did; lists hold source names."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    """Changed files, now in their new version, and documents whose labels changed."""
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Documents whose files are gone from a folder that was scanned again."""
    left_out: list[str] = field(default_factory=list)
    """Files of a folder that `Library.remove` took out: they stay out until they are added by
    name, or their bytes change."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of each file that could not be read."""
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Return the form that `pagehop add --json` prints."""
        listed = ("added", "updated", "unchanged", "removed", "left_out")
        return {
            **{name: getattr(self, name) for name in listed},
            "failed": [{"path": path, "reason": reason} for path, reason in self.failed],
            "warnings": self.warnings,
        }


@dataclass(frozen=True)
class LibraryStatus:
    """How far a library is."""

    path: str
    version: int
    documents: int
    pages: int
    pages_read: int
    """Pages cut into regions and passages."""
    passages: int
    scanned: int
    """Pages that are pictures of text, in whole or part."""
    scanned_read: int
    """Those of them that OCR has been at."""
    embedded: float
    """Share of the passages that have a vector, 0 to 1."""
    text_complete: bool
    """Every page added so far can be found by keywords; no file waits to be read."""
    failed: int
    """Files that could not be read."""
    stage: str = "idle"
    """text, reading, vectors, looks, ocr or idle."""
    waiting: int = 0
    """Files not yet read."""
    seconds_left: float | None = None
    """Estimate until regions, vectors and OCR are done; None when idle or unknown."""
    encoder: str = ""
    """Id of the encoder whose vectors answer searches."""
    page_encoder: str = ""
    """Id of the page encoder whose vectors answer visual searches; empty when there is none."""
    pages_seen: int = 0
    """Pages that have been at that encoder."""

    @property
    def complete(self) -> bool:
        """Everything that was added is read, by OCR too, cut, embedded and looked at."""
        read = self.pages_read == self.pages and self.scanned_read == self.scanned
        seen = not self.page_encoder or self.pages_seen >= self.pages
        return self.text_complete and read and seen and self.embedded >= 1.0


@dataclass(frozen=True)
class CheckReport:
    """What `Library.check` found."""

    problems: tuple[str, ...]
    """Damage, in words; empty when all is well."""
    repaired: tuple[str, ...]
    """What was mended."""
    lost: tuple[str, ...] = ()
    """Source names that must be added again."""

    @property
    def ok(self) -> bool:
        """No damage was found."""
        return not self.problems


def scanned_pages(document: Document) -> str:
    """Say how many pages are pictures of text, and how many of them OCR has read."""
    count, read = len(document.scanned_pages), len(document.ocr_pages)
    pages = "1 scanned page" if count == 1 else f"{count} scanned pages"
    return f"{pages} read by OCR" if read == count else f"{pages}, {read} read by OCR so far"


def none_readable(failed: Sequence[tuple[str, str]]) -> str:
    """Say that a folder holds files and none can be read, with the first reasons."""
    shown = "; ".join(f"{path}: {reason}" for path, reason in failed[:3])
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    count = "the only file cannot" if len(failed) == 1 else f"none of the {len(failed)} files can"
    return f"{count} be read, so there is nothing to search ({shown}{more})"
