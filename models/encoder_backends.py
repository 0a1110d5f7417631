"""Ways to run a text encoder: torch in bf16 or fp32, CUDA, ONNX Runtime.

Each gives a function from token ids and mask, both (n, length) int64, to unit vectors (n, dim)
float32. torch's dynamic int8 is not offered: its vectors agree with fp32 by cosine .93 only.
The ONNX file is exported once into the user's cache folder and checked against torch then.
"""

import contextlib
import ctypes
import logging
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ConfigError, ModelError
from pagehop.models.bert_forward import States, pack_bert
from pagehop.models.encoder_files import EncoderFiles

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
Forward = Callable[[Ids, Ids], Vectors]
Backend = Literal["auto", "bf16", "onnx", "fp32"]

KEPT_KERNELS = "128"
"""Kernels that oneDNN keeps, several for each shape of a batch; making one anew takes milliseconds.
With its own limit, 1024, adding 4,500 passages peaked at 1.14 GB of memory, with this at 1.02."""
MIN_COSINE = 0.999
"""Least agreement with torch fp32 that an exported file must show."""


@dataclass(frozen=True)
class OpenBackend:
    """A loaded model."""

    name: str
    """bf16, onnx, fp32 or cuda."""
    forward: Forward
    threads: int
    """How many threads should call `forward` at once."""
    states: States | None = None
    """Hidden states of the same weights; None where they come out pooled."""


def open_backend(files: EncoderFiles, backend: str = "auto") -> OpenBackend:
    """Load the model.

    Args:
        files: The model.
        backend: `auto` takes CUDA where there is one, then bf16 where the processor multiplies
            it, then ONNX Runtime where it is installed, then fp32.

    Raises:
        ConfigError: `onnx` is asked for and not installed.
        ModelError: The weights cannot be loaded, or the exported file disagrees with torch.
    """
    if backend == "onnx":
        return OpenBackend("onnx", _onnx_forward(files), threads=1)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT_KERNELS)
    import torch  # noqa: PLC0415 - 1.5 s

    if backend == "auto" and torch.cuda.is_available():
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return _open_torch("cuda", files, dtype, "cuda")
    if backend == "bf16" or (backend == "auto" and has_bf16()):
        return _open_torch("bf16", files, torch.bfloat16)
    if backend == "auto":
        with contextlib.suppress(ConfigError):
            return OpenBackend("onnx", _onnx_forward(files), threads=1)
    return _open_torch("fp32", files, torch.float32)


def open_states(files: EncoderFiles) -> States:
    """Load the model for its hidden states alone, on the processor.

    Raises:
        ModelError: The weights cannot be loaded.
    """
    import torch  # noqa: PLC0415 - see above

    return _automodel_states(_load_model(files, torch.float32), "cpu")


def return_freed_memory() -> None:
    """Have glibc give back what batches of many lengths have left in pieces; a few milliseconds.

    Keeping it from hoarding at all (a fixed threshold for memory-mapped blocks) costs a fifth of
    the speed: every tensor is then mapped and zeroed anew.
    """
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def has_bf16() -> bool:
    """Say whether oneDNN multiplies bf16 in hardware or AVX-512; private, so it may be gone."""
    import torch  # noqa: PLC0415 - see above

    test = getattr(getattr(torch.ops, "mkldnn", None), "_is_mkldnn_bf16_supported", None)
    return bool(test()) if test is not None else False


def _open_torch(
    name: str, files: EncoderFiles, dtype: "torch.dtype", device: str = "cpu"
) -> OpenBackend:
    import torch  # noqa: PLC0415 - see above

    model = _load_model(files, dtype)
    torch.nn.Module.to(model, device)
    packed = pack_bert(model) if (device, dtype) == ("cpu", torch.bfloat16) else None
    states_of = packed or _automodel_states(model, device)

    def forward(ids: Ids, mask: Ids) -> Vectors:
        if device == "cpu":
            keep_to_one_core()
        with torch.inference_mode():
            states = states_of(ids, mask)
            pooled = _pool(states, torch.from_numpy(mask).to(device), files.pooling)
            return np.asarray(pooled.cpu().numpy(), np.float32)

    threads = torch.get_num_threads() if device == "cpu" else 1
    return OpenBackend(name, forward, threads, states_of)


def _automodel_states(model: "PreTrainedModel", device: str) -> States:
    import torch  # noqa: PLC0415 - see above

    def states(ids: Ids, mask: Ids) -> torch.Tensor:
        given, attention = (torch.from_numpy(values).to(device) for values in (ids, mask))
        made = model(input_ids=given, attention_mask=attention).last_hidden_state
        return cast("torch.Tensor", made)

    return states


def keep_to_one_core() -> None:
    """Have torch use no other core for what this thread computes.

    Cores that share a batch wait for each other at each of a hundred small kernels: a query gains
    2 ms from two of them, and loses 500 on a busy machine.
    """
    import torch  # noqa: PLC0415 - see above

    before = torch.get_num_threads()
    if before > 1:
        torch.set_num_threads(1)
        # that is also where threads of others would begin from now on; a thread gives it back
        other = threading.Thread(target=torch.set_num_threads, args=(before,))
        other.start()
        other.join()


def _pool(states: "torch.Tensor", mask: "torch.Tensor", pooling: str) -> "torch.Tensor":
    """Return unit vectors (n, dim) float32 of hidden states (n, length, dim)."""
    import torch  # noqa: PLC0415 - see above

    if pooling == "cls":
        pooled = states[:, 0].float()
    else:
        weights = mask.unsqueeze(-1).float()  # (n, length, 1)
        pooled = (states.float() * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(pooled, dim=-1)


def _load_model(files: EncoderFiles, dtype: "torch.dtype") -> "PreTrainedModel":
    with quiet_transformers():
        from safetensors import SafetensorError  # noqa: PLC0415 - with transformers
        from transformers import AutoModel  # noqa: PLC0415 - 1 s

        try:
            model: PreTrainedModel = AutoModel.from_pretrained(
                files.folder,
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
            )
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(f"encoder {files.name} cannot be loaded: {error}") from error
    model.eval()
    return model


def _onnx_forward(files: EncoderFiles) -> Forward:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
        import onnxscript  # noqa: F401, PLC0415 - what torch exports with; an extra
    except ImportError as error:
        raise ConfigError(
            "the onnx backend needs ONNX Runtime and onnxscript: pip install 'pagehop[local]'"
        ) from error
    path = _onnx_file(files)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def forward(ids: Ids, mask: Ids) -> Vectors:
        (vectors,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)

    return forward


def _onnx_file(files: EncoderFiles) -> Path:
    """Return the exported model, made once a user."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - only this backend

    folder = user_cache_path("pagehop") / "onnx" / files.id
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
        try:
            _export(files, made / "model.onnx")
            with contextlib.suppress(FileExistsError):
                made.rename(folder)  # whole or not at all, whoever else exports at this moment
        except OSError:
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder / "model.onnx"


def _export(files: EncoderFiles, path: Path) -> None:
    """Write an ONNX file and compare it with torch on texts of unequal length.

    The example is padded: with an all-ones mask the exporter folds the mask away and the file
    gives wrong vectors for padded batches, without an error. The older exporter (dynamo=False)
    gives wrong vectors for BERT either way (torch 2.13).
    """
    import onnxruntime  # noqa: PLC0415 - an extra
    import torch  # noqa: PLC0415 - see above

    model = _load_model(files, torch.float32)

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask)
            return _pool(states.last_hidden_state, attention_mask, files.pooling)

    ids = torch.randint(0, model.config.vocab_size, (3, 12), generator=torch.manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    mask[2, 3:] = 0
    axes = {0: torch.export.Dim("n", min=1, max=65536), 1: torch.export.Dim("length", min=2)}
    with _quiet_export(), torch.no_grad():
        torch.onnx.export(
            Pooled().eval(),
            (ids[:, :10], mask[:, :10]),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            dynamo=True,
            verbose=False,
        )
        expected = Pooled().eval()(ids, mask).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    worst = float((got * expected).sum(1).min())
    if not worst >= MIN_COSINE:
        raise ModelError(
            f"the ONNX export of {files.name} disagrees with torch (cosine {worst:.3f}); "
            "set PAGEHOP_ENCODER__BACKEND=fp32"
        )


@contextlib.contextmanager
def _quiet_export() -> Iterator[None]:
    """Silence the exporter's notes about packages it does not need here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Load without progress bars and notes, then restore what the user had set."""
    from transformers.utils import logging as hub_logging  # noqa: PLC0415 - 1 s

    level, bars = hub_logging.get_verbosity(), hub_logging.is_progress_bar_enabled()
    hub_logging.set_verbosity_error()
    hub_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hub_logging.set_verbosity(level)
        if bars:
            hub_logging.enable_progress_bar()
