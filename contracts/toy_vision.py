"""A random vision model of two layers and its processor, made here: nothing is fetched."""

from pathlib import Path
from typing import Any

import trl
from toy_model import tokenizer
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

PATCH = 16
MARKS = ("vision_start", "vision_end", "image_pad", "video_pad")


class Processor(Qwen3VLProcessor):
    """That of the family, but for videos, which need a package that is not wanted here."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **more: Any) -> None:
        """Take both."""
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self.chat_template = tokenizer.chat_template
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        ids = tokenizer.convert_tokens_to_ids
        self.image_token_id, self.video_token_id = ids(self.image_token), ids(self.video_token)
        self.vision_start_token, self.vision_end_token = "<|vision_start|>", "<|vision_end|>"
        self.vision_start_token_id = ids(self.vision_start_token)
        self.vision_end_token_id = ids(self.vision_end_token)


def processor() -> Processor:
    """Return the processor, with the template under which TRL reads tool calls."""
    words = tokenizer()
    words.add_special_tokens({"additional_special_tokens": [f"<|{name}|>" for name in MARKS]})
    folder = Path(trl.__file__).parent / "chat_templates"
    words.chat_template = (folder / "qwen3_vl.jinja").read_text()
    return Processor(Qwen2VLImageProcessorPil(patch_size=PATCH), words)


def vision_model(words: Any) -> Qwen3VLForConditionalGeneration:
    """Return the model for a tokenizer."""
    ids = words.convert_tokens_to_ids
    text = {
        "vocab_size": len(words), "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
        "rope_parameters": {
            "rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0
        },
        "pad_token_id": words.pad_token_id, "bos_token_id": None,
        "eos_token_id": words.eos_token_id, "max_position_embeddings": 32768,
    }  # fmt: skip
    vision = {
        "depth": 2, "num_heads": 2, "hidden_size": 32, "intermediate_size": 64,
        "out_hidden_size": 32, "patch_size": PATCH, "deepstack_visual_indexes": [0],
        "num_position_embeddings": 64,
    }  # fmt: skip
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    places = dict(zip(names, (ids(f"<|{name}|>") for name in MARKS), strict=True))
    return Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(text_config=text, vision_config=vision, **places)
    )
