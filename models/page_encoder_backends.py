"""Ways to run a page encoder: each turns pictures, and a query, into unit vectors of tokens.

Pages and queries come out as (tokens, dim) float32; what a model pads its batches with is left
out. CUDA where there is one, then bf16 where the processor multiplies it, fp32 otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pagehop.errors import ModelError
from pagehop.models.encoder_backends import has_bf16, quiet_transformers
from pagehop.models.page_encoder_files import PageEncoderFiles
from pagehop.models.picture_processing import load_processor

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Vectors = NDArray[np.float32]
_UNLOADABLE = (
    OSError, ValueError, KeyError, TypeError, ImportError, AttributeError, RuntimeError,
)  # fmt: skip
"""What transformers raises for files that are damaged, missing or of another form."""


class PageModel(Protocol):
    """A loaded page encoder."""

    def pages(self, pictures: "Sequence[Image]") -> list[Vectors]:
        """Return the vectors of each picture, (tokens, dim)."""
        ...

    def query(self, text: str) -> Vectors:
        """Return the vectors of a query, (tokens, dim)."""
        ...


def open_page_model(files: PageEncoderFiles) -> PageModel:
    """Load a page encoder's weights and processor.

    Raises:
        ModelError: They cannot be loaded.
    """
    load = {"late": _load_late, "single": _load_single, "engine": _load_engine}[files.family]
    with quiet_transformers():
        try:
            return load(files)
        except _UNLOADABLE as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"page encoder {files.name} cannot be loaded: {words}") from error


@dataclass(frozen=True)
class _LateInteraction:
    """A `...ForRetrieval` class of transformers, or its counterpart in colpali-engine."""

    model: Any
    processor: Any

    def pages(self, pictures: "Sequence[Image]") -> list[Vectors]:
        return self._run(self.processor.process_images(images=list(pictures)))

    def query(self, text: str) -> Vectors:
        return self._run(self.processor.process_queries([text]))[0]

    def _run(self, batch: Any) -> list[Vectors]:
        import torch  # noqa: PLC0415 - 1.5 s

        batch.pop("labels", None)
        batch = _on_device(batch, self.model)
        with torch.inference_mode():
            made = self.model(**batch)
        vectors = getattr(made, "embeddings", made)  # (n, tokens, dim), zero where padded
        kept = batch["attention_mask"].bool()
        return [_unit(rows[mask]) for rows, mask in zip(vectors, kept, strict=True)]


@dataclass(frozen=True)
class _SingleVector:
    """A CLIP-like class of transformers: one vector for a page, one for a query."""

    model: Any
    processor: Any

    def pages(self, pictures: "Sequence[Image]") -> list[Vectors]:
        import torch  # noqa: PLC0415 - 1.5 s

        batch = self.processor(images=list(pictures), return_tensors="pt")
        with torch.inference_mode():
            made = self.model.get_image_features(**_on_device(batch, self.model))
        return [_unit(row[None]) for row in _features(made)]

    def query(self, text: str) -> Vectors:
        import torch  # noqa: PLC0415 - 1.5 s

        # SigLIP was trained on texts padded to their full length, and reads no others well.
        padding = "max_length" if "siglip" in self.model.config.model_type else True
        batch = self.processor(text=[text], padding=padding, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            made = self.model.get_text_features(**_on_device(batch, self.model))
        return _unit(_features(made))


def _load_late(files: PageEncoderFiles) -> PageModel:
    import transformers  # noqa: PLC0415 - takes seconds to import

    found = getattr(transformers, files.class_name, None)
    if found is None:
        raise ValueError(f"transformers {transformers.__version__} has no {files.class_name}")
    return _LateInteraction(_load_model(found, files), _load_processor(files))


def _load_single(files: PageEncoderFiles) -> PageModel:
    from transformers import AutoModel  # noqa: PLC0415 - takes seconds to import

    return _SingleVector(_load_model(AutoModel, files), _load_processor(files))


def _load_engine(files: PageEncoderFiles) -> PageModel:
    import importlib  # noqa: PLC0415 - only here, for an optional package

    models = importlib.import_module("colpali_engine.models")
    model = _load_model(getattr(models, files.class_name), files)
    processor = getattr(models, f"{files.class_name}Processor", None) or getattr(
        models, f"{files.class_name.replace('_', '')}Processor"
    )
    return _LateInteraction(model, processor.from_pretrained(files.folder))


def _load_model(found: Any, files: PageEncoderFiles) -> Any:
    import torch  # noqa: PLC0415 - 1.5 s

    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu or has_bf16() else torch.float32
    model, info = found.from_pretrained(files.folder, dtype=dtype, output_loading_info=True)
    if files.family != "engine" and info["missing_keys"]:  # they would be random numbers
        raise ValueError(f"its weights lack {sorted(info['missing_keys'])[0]}")
    return model.eval().to("cuda" if gpu else "cpu")


def _load_processor(files: PageEncoderFiles) -> Any:
    """Load the processor; its pictures' half is Pillow's where torchvision is not installed."""
    return load_processor(str(files.folder), files.model_type)


def _on_device(batch: Any, model: Any) -> dict[str, Any]:
    """Move a batch to the model, its numbers into the model's type."""
    return {
        key: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for key, value in batch.items()
    }


def _features(made: Any) -> "torch.Tensor":
    """Return (n, dim): transformers 5 wraps it, 4 gives it as it is."""
    features: torch.Tensor = getattr(made, "pooler_output", made)
    return features


def _unit(vectors: "torch.Tensor") -> Vectors:
    """Return rows of unit length, float32; rows of zeros stay."""
    rows = vectors.float().cpu().numpy()
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), np.float32)
