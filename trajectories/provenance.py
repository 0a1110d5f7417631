"""What a run was made with: code, packages, platform."""

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "langchain-core", "langgraph", "lancedb", "numpy", "pymupdf", "tokenizers", "torch",
    "transformers",
)  # fmt: skip


@lru_cache(maxsize=1)
def provenance() -> dict[str, Any]:
    """Return the parts `code` and `environment` of a run's manifest; read once a process."""
    return {
        "code": {"package": "pagehop", "version": _version("pagehop"), "commit": _commit()},
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        },
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str | None:
    """Return the commit of a source checkout, read from its files; None for an installed package.

    No `git` is started: it costs more than a run by rules.
    """
    git = Path(__file__).resolve().parents[1] / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        ref = git / head.removeprefix("ref: ")
        if ref.exists():
            return ref.read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(ref.name)), None)
    except OSError:
        return None
