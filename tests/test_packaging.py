"""The layers at the top of the repo are importable only as pagehop.*."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAYERS = (
    "interfaces",
    "evaluation",
    "trajectories",
    "graphs",
    "agents",
    "scoring",
    "tools",
    "rules",
    "prompts",
    "library",
    "finding",
    "reading",
    "layout",
    "models",
)
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_python_folder_is_mapped() -> None:
    mapped = {Path(path) for path in SETUPTOOLS["package-dir"].values()}
    found = {
        init.parent.relative_to(ROOT)
        for top in LAYERS
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert mapped == found | {Path("src/pagehop")}
    assert set(SETUPTOOLS["packages"]) == set(SETUPTOOLS["package-dir"])


def test_the_folders_do_not_leak_as_top_level_modules() -> None:
    names = LAYERS
    assert not [name for name in names if name in sys.modules]
    probe = (
        "import importlib.util as u; "
        f"print([n for n in {names} if (s := u.find_spec(n)) and {str(ROOT)!r} in str(s.origin)])"
    )
    out = subprocess.run(
        [sys.executable, "-c", probe], cwd="/", capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_import_is_cheap() -> None:
    heavy = {"torch", "transformers", "lancedb", "pymupdf", "langgraph"}
    probe = f"import sys, pagehop; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", probe], cwd="/", capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
