"""What is loaded when: the heavy packages wait for the command that needs them."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch", "transformers", "lancedb", "pyarrow", "pymupdf", "langgraph", "langchain_core",
    "numpy", "PIL", "anywidget", "onnxruntime", "tokenizers",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return which heavy packages it loaded."""
    probe = (
        f"import json, sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
        f"print(); print(json.dumps(sorted(set({HEAVY}) & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_pagehop_loads_nothing_heavy() -> None:
    assert loaded_after("import pagehop") == set()


@pytest.mark.parametrize("command", ["", "ask", "add", "search", "page", "walk", "demo"])
def test_help_loads_nothing_heavy(command: str) -> None:
    arguments = [*([command] if command else []), "--help"]
    run = f"import pagehop.interfaces.cli as cli; cli.app({arguments!r})"
    assert loaded_after(run) == set()


def test_a_wrong_command_loads_nothing_heavy() -> None:
    assert loaded_after("import pagehop.interfaces.cli as cli; cli.app(['nonsense'])") == set()


def test_the_probe_sees_what_is_loaded() -> None:
    assert "numpy" in loaded_after("import pagehop.reading.parsed")
