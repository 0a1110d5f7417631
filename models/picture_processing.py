"""The processor of a local vision-language model: pictures and text in, tensors out.

1. `AutoProcessor` makes it where torchvision is installed.
2. Without torchvision transformers cannot make the half of a processor that reads videos, and so
   none at all. The parts are then loaded one by one and put together without that half: pagehop
   shows pictures, never videos.
"""

import importlib.util
import inspect
from types import SimpleNamespace
from typing import Any

_VIDEO_DEFAULTS = {"num_frames": 1, "fps": 1, "video_sampling": {}, "size": {"longest_edge": 64}}
"""What some processors read of their video half even when there is no video."""


def reads_pictures(config: Any) -> bool:
    """Tell from its configuration whether a model reads pictures and writes text."""
    from transformers.models.auto.modeling_auto import (  # noqa: PLC0415 - takes seconds to import
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    known = config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    return known and getattr(config, "vision_config", None) is not None


def load_processor(name: str, model_type: str) -> Any:
    """Load the processor of a checkpoint.

    Args:
        name: Hub id or folder.
        model_type: As its configuration says.

    Raises:
        OSError, ValueError: The checkpoint has no processor, or lacks a part of it.
        ImportError: It needs a package; the message names it.
    """
    from transformers import AutoProcessor  # noqa: PLC0415 - takes seconds to import

    if importlib.util.find_spec("torchvision"):
        processor = AutoProcessor.from_pretrained(name)
        if hasattr(processor, "image_processor"):  # else it found but a tokenizer
            return processor
    return _without_videos(name, model_type)


def _without_videos(name: str, model_type: str) -> Any:
    import transformers  # noqa: PLC0415 - takes seconds to import
    from transformers.models.auto import processing_auto  # noqa: PLC0415 - likewise

    wanted = vars(processing_auto)["PROCESSOR_MAPPING_NAMES"].get(model_type)
    if wanted is None:
        raise ValueError(f"transformers has no processor for models of type {model_type}")
    processor_class: Any = getattr(transformers, wanted)

    class PicturesOnly(processor_class):  # type: ignore[misc]  # its type is known when it runs
        """The processor, content with no video half."""

        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument_name == "video_processor":
                return type(argument)
            return super().check_argument_for_proper_class(argument_name, argument)

    own = _stated(processor_class, name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    parts: dict[str, Any] = {
        "image_processor": transformers.AutoImageProcessor.from_pretrained(name),
        "tokenizer": tokenizer,
        "video_processor": SimpleNamespace(**_VIDEO_DEFAULTS),
        "chat_template": own.get("chat_template") or tokenizer.chat_template,
    }
    takes = inspect.signature(processor_class.__init__).parameters
    given = {key: value for key, value in own.items() if key in takes and key not in parts}
    return PicturesOnly(**{key: part for key, part in parts.items() if key in takes}, **given)


def _stated(processor_class: Any, name: str) -> dict[str, Any]:
    """Return what a checkpoint states of its processor; nothing when it has no file for that."""
    try:
        stated: dict[str, Any] = processor_class.get_processor_dict(name)[0]
    except OSError:
        return {}
    return stated
