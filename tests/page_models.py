"""Tiny page encoders of the real classes, made here: random weights, processors without a hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from test_local_vision import byte_tokenizer

QWEN_MARKS = ("vision_start", "vision_end", "image_pad", "video_pad")


def write_colpali(folder: Path) -> None:
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.siglip.image_processing_pil_siglip import (  # noqa: PLC0415
        SiglipImageProcessorPil,
    )

    tokenizer = byte_tokenizer(
        ["<image>"], bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer.image_token = "<image>"
    tokenizer.image_token_id = tokenizer.convert_tokens_to_ids("<image>")
    pictures: Any = SiglipImageProcessorPil(size={"height": 56, "width": 56})
    pictures.image_seq_length = 16
    processor = hf.ColPaliProcessor(pictures, tokenizer)  # adds tokens: configure after it
    text = hf.GemmaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=16,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    vision = hf.SiglipVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=56, patch_size=14, vision_use_head=False,
    )  # fmt: skip
    vlm = hf.PaliGemmaConfig(
        image_token_index=tokenizer.image_token_id, projection_dim=32, hidden_size=32,
        text_config=text.to_dict(), vision_config=vision.to_dict(),
    )  # fmt: skip
    hf.ColPaliForRetrieval(hf.ColPaliConfig(vlm_config=vlm, embedding_dim=24)).save_pretrained(
        folder
    )
    processor.save_pretrained(folder)


def write_colqwen(folder: Path, family: str = "colqwen2") -> None:
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (  # noqa: PLC0415
        Qwen2VLImageProcessorPil,
    )

    marks = [f"<|{name}|>" for name in QWEN_MARKS]
    tokenizer = byte_tokenizer(
        ["<|im_start|>", *marks], pad_token="<|endoftext|>", eos_token="<|im_end|>"
    )
    ids = tokenizer.convert_tokens_to_ids
    pictures = Qwen2VLImageProcessorPil(min_pixels=28 * 28 * 4, max_pixels=28 * 28 * 64)
    text: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0
        },
        "pad_token_id": ids("<|endoftext|>"), "bos_token_id": None,
        "eos_token_id": ids("<|im_end|>"),
    }  # fmt: skip
    places = dict(zip(("vision_start_token_id", "vision_end_token_id", "image_token_id",
                       "video_token_id"), map(ids, marks), strict=True))  # fmt: skip
    vision: dict[str, Any] = {"depth": 2, "num_heads": 2, "patch_size": 14, "hidden_size": 32}
    if family == "colqwen2":
        vision |= {"embed_dim": 32, "mlp_ratio": 2}
        vlm: Any = hf.Qwen2VLConfig(text_config=text, vision_config=vision, **places)
    else:
        vision |= {"intermediate_size": 64, "out_hidden_size": 32, "window_size": 56}
        vision |= {"fullatt_block_indexes": [1]}
        vlm = hf.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **places)
    config = hf.ColQwen2Config(vlm_config=vlm, embedding_dim=24)
    hf.ColQwen2ForRetrieval(config).save_pretrained(folder)
    hf.ColQwen2Processor(pictures, tokenizer).save_pretrained(folder)


def write_colmodernvbert(folder: Path) -> None:
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.idefics3.image_processing_pil_idefics3 import (  # noqa: PLC0415
        Idefics3ImageProcessorPil,
    )

    tiles = [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
    names = ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    tokenizer = byte_tokenizer(
        [*names, "<|begin_of_text|>", *tiles], pad_token="<pad>", unk_token="<unk>",
        cls_token="<cls>", sep_token="<sep>",
    )  # fmt: skip
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
    )
    processor = hf.ColModernVBertProcessor(pictures, tokenizer, image_seq_len=4)
    text = hf.ModernBertConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
        eos_token_id=None, cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
    )  # fmt: skip
    vision = hf.SiglipVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=64, patch_size=16, vision_use_head=False,
    )  # fmt: skip
    vlm = hf.ModernVBertConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), pixel_shuffle_factor=2,
        text_config=text.to_dict(), vision_config=vision.to_dict(),
    )  # fmt: skip
    config = hf.ColModernVBertConfig(vlm_config=vlm, embedding_dim=24)
    hf.ColModernVBertForRetrieval(config).save_pretrained(folder)
    processor.save_pretrained(folder)


def write_clip(folder: Path) -> None:
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.clip.image_processing_pil_clip import (  # noqa: PLC0415
        CLIPImageProcessorPil,
    )

    tokenizer = byte_tokenizer([], bos_token="<bos>", eos_token="<eos>", pad_token="<eos>")
    text = hf.CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    vision = hf.CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=56, patch_size=14,
    )  # fmt: skip
    config = hf.CLIPConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=24
    )
    hf.CLIPModel(config).save_pretrained(folder)
    tokenizer.model_max_length = 77
    pictures = CLIPImageProcessorPil(
        size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}
    )
    hf.CLIPProcessor(pictures, tokenizer).save_pretrained(folder)


def write_siglip(folder: Path) -> None:
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.siglip.image_processing_pil_siglip import (  # noqa: PLC0415
        SiglipImageProcessorPil,
    )

    tokenizer = byte_tokenizer([], eos_token="</s>", pad_token="</s>", unk_token="<unk>")
    tokenizer.model_max_length = 64
    shape = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 2}  # fmt: skip
    config = hf.SiglipConfig(
        text_config={**shape, "vocab_size": len(tokenizer), "projection_size": 24},
        vision_config={**shape, "image_size": 56, "patch_size": 14},
    )
    hf.SiglipModel(config).save_pretrained(folder)
    pictures = SiglipImageProcessorPil(size={"height": 56, "width": 56})
    hf.SiglipProcessor(pictures, tokenizer).save_pretrained(folder)


def write_page_model(folder: Path, family: str = "colpali") -> Path:
    """Write a checkpoint with random weights, always the same; returns its folder."""
    import torch  # noqa: PLC0415 - takes seconds to import

    writers: dict[str, Callable[[Path], None]] = {
        "colpali": write_colpali,
        "colqwen2": write_colqwen,
        "colqwen2_5": lambda folder: write_colqwen(folder, "colqwen2_5"),
        "colmodernvbert": write_colmodernvbert,
        "clip": write_clip,
        "siglip": write_siglip,
    }
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    writers[family](folder)
    return folder
