"""Where a page encoder's files are and what they say: family, dimension, digest.

Three families, told apart by the checkpoint's configuration:

1. `late`: late interaction through transformers, any class of it named `...ForRetrieval` (ColPali,
   ColQwen2 and 2.5, ColModernVBert): many vectors a page.
2. `single`: one vector a page and query through transformers (CLIP, SigLIP and their kin).
3. `engine`: late interaction that only the package colpali-engine loads: adapters of the vidore
   checkpoints without `-hf` in their name, and models that transformers has not.

Reads JSON only; neither torch nor transformers is imported.

Not covered: models that need remote code; single vectors of generative models (VLM2Vec, GME).
"""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pagehop.errors import ModelError
from pagehop.models.encoder_files import hub_folder, read_json, weights_digest

Family = Literal["late", "single", "engine"]

NAME_ONE = (
    "name a page encoder by hub id or folder (PAGEHOP_PAGE_ENCODER__MODEL=vidore/colqwen2-v1.0-hf; "
    "docs/VISUAL.md lists more)"
)
WAYS_OUT = f"{NAME_ONE}; all other search works without"
_HUB_FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")
_SINGLE = frozenset({"clip", "siglip", "siglip2", "metaclip_2", "altclip", "chinese_clip"})
_ENGINE_CLASSES = (
    ("colqwen3_5", "ColQwen3_5"), ("colqwen3", "ColQwen3"), ("colqwen2.5", "ColQwen2_5"),
    ("colqwen2_5", "ColQwen2_5"), ("colqwen2", "ColQwen2"), ("colpali", "ColPali"),
    ("colsmol", "ColIdefics3"), ("colidefics3", "ColIdefics3"), ("colgemma3", "ColGemma3"),
    ("colmodernvbert", "ColModernVBert"),
)  # fmt: skip
"""Parts of names, and the class of colpali-engine that loads what is so named; longest first."""
_READS = ("processor_config.json", "preprocessor_config.json", "config.json", "tokenizer.json")
"""Files that change vectors beside the weights."""


@dataclass(frozen=True)
class PageEncoderFiles:
    """A page encoder's folder and what its configuration says."""

    folder: Path
    name: str
    """Hub id or folder name, for messages."""
    family: Family
    class_name: str
    """Of transformers, or of colpali-engine."""
    model_type: str
    """As transformers calls it; empty for an adapter."""
    dim: int
    digest: str
    """sha256, hex, over the weights and what else changes vectors."""

    @property
    def slug(self) -> str:
        """The name as a part of table names."""
        slug = re.sub(r"[^a-z0-9]+", "_", self.name.rsplit("/", 1)[-1].lower()).strip("_")
        return slug[:40] or "model"


def find_page_encoder(model: str) -> PageEncoderFiles:
    """Find a page encoder's folder and read its configuration.

    Args:
        model: Folder or hub id.

    Raises:
        ModelError: It is not there and cannot be fetched, is no page encoder, or needs a package
            that is not installed.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return _read_folder(path.resolve(), path.resolve().name)
    if path.is_absolute() or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise ModelError(f"page encoder {model!r} is neither a folder nor a hub id; {WAYS_OUT}")
    return _read_folder(hub_folder(model, files=_HUB_FILES, ways_out=WAYS_OUT), model)


def _read_folder(folder: Path, name: str) -> PageEncoderFiles:
    adapter = (folder / "adapter_config.json").exists()
    config = read_json(
        folder / ("adapter_config.json" if adapter else "config.json"),
        required=True,
        ways_out=WAYS_OUT,
    )
    family, class_name = _family(config)
    if family == "engine":
        base = str(config.get("base_model_name_or_path") or "")
        class_name = _engine_class(name, class_name, base)
    return PageEncoderFiles(
        folder=folder,
        name=name,
        family=family,
        class_name=class_name,
        model_type=str(config.get("model_type") or ""),
        dim=_dimension(config, family, name),
        digest=_digest(folder),
    )


def _family(config: dict[str, Any]) -> tuple[Family, str]:
    """Return family and class; a class that transformers may not have is colpali-engine's."""
    class_name = str((config.get("architectures") or [""])[0])  # none in an adapter's
    if class_name.endswith("ForRetrieval"):
        return "late", class_name
    if config.get("model_type") in _SINGLE:
        return "single", class_name
    return "engine", class_name


def _engine_class(name: str, class_name: str, base: str) -> str:
    """Return the class of colpali-engine for a checkpoint, named by it, its name or its base.

    Raises:
        ModelError: None is known, or the package is not installed.
    """
    named = [found for _, found in _ENGINE_CLASSES if found == class_name]
    for text in (name, base):
        named += [found for part, found in _ENGINE_CLASSES if part in text.lower()]
    if not named:
        raise ModelError(
            f"{name} is no page encoder: its configuration names "
            f"{class_name or 'no class'!r}, not one that ends in ForRetrieval; {WAYS_OUT}"
        )
    if importlib.util.find_spec("colpali_engine") is None:
        raise ModelError(
            f"page encoder {name} is loaded by the package colpali-engine, which is not "
            "installed: pip install colpali-engine, or take a checkpoint in the form of "
            "transformers, e.g. vidore/colqwen2-v1.0-hf"
        )
    return named[0]


def _dimension(config: dict[str, Any], family: Family, name: str) -> int:
    """Return the length of a vector; colpali-engine's models have 128 unless they say otherwise."""
    parts = [config, *(config.get(key) or {} for key in ("text_config", "vision_config"))]
    keys = {
        "late": ("embedding_dim",),
        "single": ("projection_dim", "projection_size", "hidden_size"),
        "engine": ("embedding_dim", "dim"),
    }
    for key in keys[family]:
        for part in parts:
            if isinstance(part, dict) and isinstance(part.get(key), int):
                return int(part[key])
    if family == "single":
        return {"clip": 512}.get(str(config.get("model_type")), 768)  # transformers' own defaults
    if family == "late":
        raise ModelError(f"the config.json of page encoder {name} names no embedding_dim")
    return 128


def _digest(folder: Path) -> str:
    said = [weights_digest(folder, trusted=True, ways_out=WAYS_OUT)]
    said += [
        hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in _READS
        if (folder / name).is_file()
    ]
    return hashlib.sha256("".join(said).encode()).hexdigest()
