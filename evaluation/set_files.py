"""The document files of a question set: which there are, and what they are called."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pagehop.evaluation.rows import RowError

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class SetFiles:
    """Files under the folder that is to be indexed; names are relative to it, as a library's."""

    folder: Path

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[str]]:
        """Relative paths by file name, and by file name without its ending."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                relative = path.relative_to(self.folder).as_posix()
                for name in {path.name, path.stem}:
                    found.setdefault(name, []).append(relative)
        return found

    @cached_property
    def _by_folder(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                relative = path.relative_to(self.folder).as_posix()
                found.setdefault(path.parent.name, []).append(relative)
        return found

    def named(self, name: str) -> str:
        """Return the path of a document named with or without its ending.

        Raises:
            RowError: There is no such file, or several.
        """
        found = self.by_name.get(name) or self.by_name.get(f"{name}.pdf") or ()
        pdfs = [path for path in found if path.endswith(".pdf")] or found
        if len(pdfs) == 1:
            return pdfs[0]
        if pdfs:
            raise RowError(f"{name!r} is the name of {len(pdfs)} files: {', '.join(pdfs[:3])}")
        raise RowError(f"the file {name!r} is not in {self.folder}")

    def inside(self, folder: str) -> Sequence[str]:
        """Return the paths of the files in the folder of that name, in order."""
        return self._by_folder.get(folder, ())


@dataclass
class Texts:
    """Documents that a set holds as paragraphs; `write` makes files of them, to be indexed."""

    by_name: dict[str, str] = field(default_factory=dict)

    def add(self, title: str, text: str) -> str:
        """Keep a paragraph; return the name that its file gets: title and digest of the text."""
        digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:8]
        stem = _UNSAFE.sub("_", title).strip("._")[:60] or "text"
        name = f"{stem}-{digest}.txt"
        self.by_name[name] = f"{title}\n\n{text}\n"
        return name

    def write(self, folder: Path) -> int:
        """Write each paragraph into a file of its own; return how many."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.by_name.items():
            (folder / name).write_text(text, encoding="utf-8")
        return len(self.by_name)
