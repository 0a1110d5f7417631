"""Local vision-language models: tiny checkpoints of the real classes, made here, random weights.

`silent` ones have a head of zeros, so that they write "!" over and over.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from PIL import Image, ImageDraw

import pagehop
from pagehop.agents.moves import Call, Context, Observation
from pagehop.agents.perceiver import Perceiver
from pagehop.agents.prompting import picture_block, round_messages
from pagehop.errors import CallFailed, ConfigError, ContextOverflow, ToolsUnsupported
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model, takes_pictures
from pagehop.models.transformers_chat import TransformersChat
from pagehop.tools.pictures import Pictures
from pagehop.tools.toolset import toolset
from pagehop.trajectories.reading import read_run
from pagehop.types import PageRef

QWEN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% for c in m.content %}{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOL = (
    "<|im_start|>{% for m in messages %}{{ m.role | capitalize }}:{% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
FAMILIES = ("qwen2_5_vl", "qwen3_vl", "smolvlm")
REF = PageRef("Halden_2022_annual_report", 2)


@tool
def keyword_search(query: str) -> str:
    """Find words."""
    return query


def byte_tokenizer(special: list[str], **names: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415 - slow
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - slow

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=plain, **names)
    made.add_special_tokens({"additional_special_tokens": special})
    return made


def write_qwen(folder: Path, family: str) -> Any:
    """Write tokenizer and picture processor; return a model of random weights."""
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (  # noqa: PLC0415
        Qwen2VLImageProcessorPil,
    )

    marks = [f"<|{name}|>" for name in ("vision_start", "vision_end", "image_pad", "video_pad")]
    tokenizer = byte_tokenizer(
        ["<|im_start|>", *marks], pad_token="<|endoftext|>", eos_token="<|im_end|>"
    )
    tokenizer.chat_template = QWEN
    ids = tokenizer.convert_tokens_to_ids
    text: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0
        },
        "pad_token_id": ids("<|endoftext|>"), "bos_token_id": None,
        "eos_token_id": ids("<|im_end|>"), "max_position_embeddings": 32768,
    }  # fmt: skip
    vision: dict[str, Any] = {
        "depth": 2, "num_heads": 2, "hidden_size": 32, "intermediate_size": 64,
        "out_hidden_size": 32,
    }  # fmt: skip
    places = dict(zip(("vision_start_token_id", "vision_end_token_id", "image_token_id",
                       "video_token_id"), map(ids, marks), strict=True))  # fmt: skip
    if family == "qwen2_5_vl":
        patch = 14
        vision |= {"patch_size": patch, "window_size": 56, "fullatt_block_indexes": [1]}
        config: Any = hf.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **places)
        model: Any = hf.Qwen2_5_VLForConditionalGeneration(config)
    else:
        patch = 16
        text["head_dim"] = 8
        vision |= {"patch_size": patch, "deepstack_visual_indexes": [0]}
        vision["num_position_embeddings"] = 64
        config = hf.Qwen3VLConfig(text_config=text, vision_config=vision, **places)
        model = hf.Qwen3VLForConditionalGeneration(config)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(patch_size=patch).save_pretrained(folder)
    return model


def write_smolvlm(folder: Path) -> Any:
    """Write tokenizer and picture processor; return a model of random weights."""
    import transformers as hf  # noqa: PLC0415 - takes seconds to import
    from transformers.models.smolvlm.image_processing_pil_smolvlm import (  # noqa: PLC0415
        SmolVLMImageProcessorPil,
    )

    tiles = [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
    names = ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    tokenizer = byte_tokenizer(
        [*names, "<|im_start|>", *tiles], pad_token="<pad>", bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
    )  # fmt: skip
    text = hf.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        max_position_embeddings=32768,
    ).to_dict()  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 64, "patch_size": 16,
    }  # fmt: skip
    config = hf.SmolVLMConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), scale_factor=2,
        text_config=text, vision_config=vision,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    SmolVLMImageProcessorPil(
        size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
    ).save_pretrained(folder)
    stated = {"processor_class": "SmolVLMProcessor", "image_seq_len": 4}
    (folder / "processor_config.json").write_text(json.dumps(stated))
    # Where the hub's checkpoints of the family have it: beside the processor.
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": SMOL}))
    return hf.SmolVLMForConditionalGeneration(config)


Make = Callable[..., TransformersChat]


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a chat model of a family: `vision("qwen3_vl", silent=True, max_tokens=6)`."""

    def make(family: str, *, silent: bool = False, **options: Any) -> TransformersChat:
        import torch  # noqa: PLC0415 - takes seconds to import

        if family == "smolvlm":
            pytest.importorskip("num2words")
        folder = tmp_path_factory.mktemp(family)
        torch.manual_seed(0)
        model = write_smolvlm(folder) if family == "smolvlm" else write_qwen(folder, family)
        if silent:
            with torch.no_grad():
                model.lm_head.weight.zero_()
        model.save_pretrained(folder)
        chat = load_chat_model(f"transformers:{folder}", temperature=0, **options)
        assert isinstance(chat, TransformersChat)
        return chat

    return make


def a_picture(width: int = 280, height: int = 140) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(picture).rectangle((20, 20, width // 2, height // 2), fill=(200, 30, 30))
    return picture


def asked(*pictures: Image.Image) -> list[Any]:
    blocks: list[Any] = [{"type": "text", "text": "What is in it?"}]
    return [SystemMessage("Look."), HumanMessage(blocks + [picture_block(p) for p in pictures])]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_goes_through_the_template_and_the_reply_ends(vision: Make, family: str) -> None:
    chat = vision(family, max_tokens=6)
    assert takes_pictures(chat) is True
    reply = chat.invoke(asked(a_picture()))
    metadata = reply.response_metadata
    assert 1 <= len(metadata["completion_token_ids"]) <= 6
    assert metadata["finish_reason"] in ("stop", "length")
    prompt = chat._weights.tokenizer.decode(metadata["prompt_token_ids"])
    assert "Look." in prompt and "What is in it?" in prompt
    blind = chat.invoke([HumanMessage("What is in it?")]).response_metadata["prompt_token_ids"]
    assert len(metadata["prompt_token_ids"]) > len(blind) + 10


def pads(chat: TransformersChat, *pictures: Image.Image) -> int:
    ids = chat.invoke(asked(*pictures)).response_metadata["prompt_token_ids"]
    return int(ids.count(chat._weights.config.image_token_id))


@pytest.mark.parametrize(("family", "patch"), [("qwen2_5_vl", 28), ("qwen3_vl", 32)])
def test_a_picture_takes_as_many_tokens_as_its_pixels_allow(
    vision: Make, family: str, patch: int
) -> None:
    chat = vision(family, max_tokens=1)
    exact = a_picture(10 * patch, 5 * patch)
    assert pads(chat, exact) == 50
    assert pads(chat, exact, exact) == 100
    chat.max_pixels = 8 * patch * patch
    assert 4 <= pads(chat, exact) <= 8


def test_a_large_picture_for_smolvlm_is_scaled_down_first(vision: Make) -> None:
    chat = vision("smolvlm", max_tokens=1)
    assert pads(chat, a_picture(128, 128)) == 5 * 4  # four tiles and the whole
    chat.max_pixels = 60 * 60
    assert pads(chat, a_picture(900, 900)) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_it_reads_pictures_for_a_model_of_text(view: View, vision: Make, family: str) -> None:
    chat = vision(family, silent=True, max_tokens=5)
    tools = toolset(view, "text", perceive=Perceiver(chat), max_pixels=40_000)
    (look,) = (t for t in tools if t.name == "look")
    said = look.invoke({"ref": str(REF), "y1": 0.5, "question": "What is the revenue?"})
    assert "A reader of the picture says: !!!!!" in said


@pytest.mark.parametrize("family", FAMILIES)
def test_it_sees_what_the_tools_of_its_round_showed(view: View, vision: Make, family: str) -> None:
    seen = Pictures(view, "reference", max_pixels=40_000).show(REF, (0, 0, 1, 0.5), "look")
    call = Call("look", {"ref": str(REF), "y1": 0.5}, "s1c1")
    observation = Observation(call, True, seen.text, seen.artifact)
    context = Context("?", view, observations=(observation,))
    messages = round_messages(context, "json", pictures=True)
    chat = vision(family, silent=True, max_tokens=3)
    start = [SystemMessage("You explore."), HumanMessage("Question: ?")]
    reply = chat.invoke([*start, *messages])
    assert reply.text == "!!!"
    ids = reply.response_metadata["prompt_token_ids"]
    assert chat._weights.config.image_token_id in ids
    assert "Picture of" in chat._weights.tokenizer.decode(ids)


async def test_a_run_over_pictures_with_a_model_that_rambles_ends(view: View, vision: Make) -> None:
    chat = vision("qwen2_5_vl", silent=True, max_tokens=4)
    question = [{"type": "text", "text": "Which company is this?"}, picture_block(a_picture())]
    budget = pagehop.Budget(steps=1, model_calls=4, seconds=None)
    answer = await pagehop.aask(
        question, view, model=chat, record=False, effort="low", budget=budget
    )
    assert answer.status in ("failed", "exhausted", "unanswerable")
    assert not answer.citations


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_record_has_the_tokens_of_each_picture(
    view: View, vision: Make, family: str, pages: int, tmp_path: Path
) -> None:
    """Invariant 4: they sum to the placeholders in the prompt's ids."""
    chat = vision(family, silent=True, max_tokens=2)
    question: list[Any] = [{"type": "text", "text": "Which company is this?"}]
    question += [picture_block(a_picture())] * pages
    budget = pagehop.Budget(steps=1, model_calls=3, seconds=None)
    answer = pagehop.ask(question, view, model=chat, record=tmp_path, effort="low", budget=budget)
    (episode,) = read_run(answer.trajectory).episodes
    mark, told = chat._weights.config.image_token_id, 0
    for call in episode.calls:
        if not call.message:
            continue  # its template has no place for tools: JSON is tried next
        pictures = [one for m in episode.path(call.leaf) for one in m.pictures]
        assert call.prompt_ids and call.completion_ids and len(pictures) == pages
        counts = [one.n_tokens for one in pictures]
        if None not in counts:
            assert sum(n or 0 for n in counts) == call.prompt_ids.count(mark) > 0
            told += 1
    # SmolVLM cuts a picture into several runs: of two it cannot be told which is whose.
    assert told or (family, pages) == ("smolvlm", 2)


def test_tools_without_a_place_in_the_template_are_said_so(vision: Make) -> None:
    chat = vision("qwen3_vl", max_tokens=2)
    with pytest.raises(ToolsUnsupported, match="no place for tools"):
        chat.bind_tools([keyword_search]).invoke([HumanMessage("hi")])
    call = AIMessage("", tool_calls=[{"name": "keyword_search", "args": {}, "id": "1"}])
    assert chat.invoke([HumanMessage("hi"), call, HumanMessage("go on")])


def test_pictures_that_cannot_be_read_are_told(vision: Make) -> None:
    chat = vision("qwen2_5_vl", max_tokens=2)

    def send(block: dict[str, Any]) -> None:
        chat.invoke([HumanMessage([block])])

    with pytest.raises(CallFailed, match="at a web address"):
        send({"type": "image_url", "image_url": {"url": "https://example.com/x.png"}})
    with pytest.raises(CallFailed, match="cannot be read"):
        send({"type": "image", "base64": "bm90IGEgcGljdHVyZQ==", "mime_type": "image/png"})


def test_pictures_count_in_the_length_of_the_prompt(vision: Make) -> None:
    chat = vision("qwen2_5_vl", max_tokens=2)
    chat._weights.config.text_config.max_position_embeddings = 1000
    with pytest.raises(ContextOverflow, match=r"prompt has \d+ tokens"):
        chat.invoke(asked(a_picture(1000, 1000)))


def test_a_checkpoint_without_the_picture_half_is_told(vision: Make, tmp_path: Path) -> None:
    model = write_qwen(tmp_path, "qwen2_5_vl")
    model.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ConfigError, match="cannot be loaded"):
        load_chat_model(f"transformers:{tmp_path}")
