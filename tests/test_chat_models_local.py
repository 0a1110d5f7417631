"""TransformersChat on tiny checkpoints made here, and LangChain's own tests of a chat model.

`fluent` is a real Qwen2 checkpoint whose attention and MLP add nothing and whose head is a table
of which token follows which: it writes exactly the text it was made with.
"""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from langchain_tests.unit_tests import ChatModelUnitTests
from PIL import Image

from pagehop.errors import (
    CallFailed,
    ConfigError,
    ContextOverflow,
    PicturesUnsupported,
    ToolsUnsupported,
)
from pagehop.models.chat_calls import call_chat
from pagehop.models.chat_models import context_tokens, load_chat_model, takes_pictures
from pagehop.models.tool_call_text import find_calls
from pagehop.models.transformers_chat import TransformersChat

TEMPLATE = (
    "{% if tools %}<|im_start|>system\nTools:{% for t in tools %} {{ t | tojson }}{% endfor %}"
    "<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}"
    "{% endif %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
)
CALL = '{"name": "keyword_search", "arguments": {"query": "seat"}}'
HI = [HumanMessage("hi")]


@tool
def keyword_search(query: str) -> str:
    """Find words."""
    return query


def write_checkpoint(folder: Path, says: Sequence[str], template: str = TEMPLATE) -> Path:
    """Write a checkpoint that says these pieces one after the other, over and over."""
    import torch  # noqa: PLC0415 - takes seconds to import, and not all runs need it
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        PreTrainedTokenizerFast,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<|im_end|>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.add_tokens([piece for piece in says if piece != "<|im_end|>"])
    tokenizer.chat_template = template
    size = -(-len(tokenizer) // 4) * 4
    ids = tokenizer.convert_tokens_to_ids
    config = Qwen2Config(
        vocab_size=size, hidden_size=size, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=False,
        max_position_embeddings=2048, eos_token_id=ids("<|im_end|>"), bos_token_id=None,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"][0]
    chain = [newline, *(ids(piece) for piece in says)]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.lm_head.weight.zero_()
        for now, then in zip(chain, [*chain[1:], chain[1]], strict=True):
            model.lm_head.weight[then, now] = 10.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def fluent(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TransformersChat]:
    """Make a model that says the given pieces."""

    def make(*says: str, template: str = TEMPLATE, **options: Any) -> TransformersChat:
        folder = write_checkpoint(tmp_path_factory.mktemp("model"), says, template)
        model = load_chat_model(f"transformers:{folder}", **{"temperature": 0, **options})
        assert isinstance(model, TransformersChat)
        return model

    return make


Make = Callable[..., TransformersChat]


class TestLangChainContract(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return TransformersChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "never/loaded"}


def test_it_says_what_its_weights_say_and_keeps_every_token(fluent: Make) -> None:
    model = fluent("In ", "Bergen", ".", "<|im_end|>")
    reply = model.invoke([SystemMessage("Be short."), HumanMessage("Where?")])
    assert reply.text == "In Bergen."
    assert reply.additional_kwargs["text_raw"] == "In Bergen.<|im_end|>"
    metadata = reply.response_metadata
    assert metadata["finish_reason"] == "stop"
    tokenizer = model._weights.tokenizer
    assert tokenizer.decode(metadata["prompt_token_ids"]) == (
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nWhere?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert tokenizer.decode(metadata["completion_token_ids"]) == "In Bergen.<|im_end|>"
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == len(metadata["prompt_token_ids"])
    assert reply.usage_metadata["output_tokens"] == 4


def test_what_it_can_take_is_known_before_the_weights_are_loaded(fluent: Make) -> None:
    model = fluent("x", "<|im_end|>")
    assert context_tokens(model) == 2048
    assert takes_pictures(model) is False
    assert "weights" not in vars(model._weights)


def test_tools_go_through_the_template_and_calls_come_back(fluent: Make) -> None:
    model = fluent("I look.", "<tool_call>", CALL, "</tool_call>", "<|im_end|>")
    reply = model.bind_tools([keyword_search]).invoke(HI)
    assert reply.text == "I look."
    assert reply.tool_calls[0]["name"] == "keyword_search"
    assert reply.tool_calls[0]["args"] == {"query": "seat"}
    assert reply.response_metadata["finish_reason"] == "tool_calls"
    prompt = model._weights.tokenizer.decode(reply.response_metadata["prompt_token_ids"])
    assert '"description": "Find words."' in prompt


def test_calls_and_results_are_rendered_back_into_the_prompt(fluent: Make) -> None:
    model = fluent("x", "<|im_end|>")
    call = AIMessage("", tool_calls=[{"name": "keyword_search", "args": {"query": "a"}, "id": "1"}])
    reply = model.invoke([*HI, call, ToolMessage("Bergen", tool_call_id="1")])
    prompt = model._weights.tokenizer.decode(reply.response_metadata["prompt_token_ids"])
    assert (
        '<tool_call>{"name": "keyword_search", "arguments": {"query": "a"}}</tool_call>' in prompt
    )
    assert "<|im_start|>tool\nBergen<|im_end|>" in prompt


@pytest.mark.parametrize("offered", [True, False])
async def test_streaming_gives_the_same_message_and_shows_no_call(
    fluent: Make, offered: bool
) -> None:
    model = fluent("I ", "look.", " So: ", "<tool_call>", CALL, "</tool_call>", "<|im_end|>")
    runnable = model.bind_tools([keyword_search]) if offered else model
    whole = runnable.invoke(HI)
    chunks: list[Any] = list(runnable.stream(HI))
    later: list[Any] = [chunk async for chunk in runnable.astream(HI)]
    for pieces in (chunks, later):
        merged = pieces[0]
        for piece in pieces[1:]:
            merged = merged + piece
        assert isinstance(merged, AIMessageChunk)
        assert merged.text == whole.text
        assert merged.tool_calls == whole.tool_calls
        assert merged.response_metadata == whole.response_metadata
        assert merged.usage_metadata == whole.usage_metadata
        assert len([piece for piece in pieces if piece.text]) >= 2
    assert ("tool_call" in whole.text) is not offered


def test_stop_words_end_the_text_but_the_tokens_are_kept(fluent: Make) -> None:
    model = fluent("one ", "two ", "three ", "<|im_end|>")
    reply = model.invoke(HI, stop=["two"])
    assert reply.text == "one"
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.additional_kwargs["text_raw"] == "one two "
    assert "".join(chunk.text for chunk in model.stream(HI, stop=["two"])) == "one"


def test_a_limit_of_tokens_is_kept_and_said(fluent: Make) -> None:
    reply = fluent("la ", max_tokens=5).invoke(HI)
    assert len(reply.response_metadata["completion_token_ids"]) == 5
    assert reply.response_metadata["finish_reason"] == "length"


def test_a_seed_makes_sampling_repeatable(fluent: Make) -> None:
    model = fluent("x", temperature=30.0, max_tokens=20)
    first, second = model.invoke(HI, seed=7), model.invoke(HI, seed=7)
    assert first.additional_kwargs["text_raw"] == second.additional_kwargs["text_raw"]
    assert model.invoke(HI, seed=8).additional_kwargs != first.additional_kwargs


async def test_a_call_given_up_stops_and_the_next_one_runs(fluent: Make) -> None:
    model = fluent("la ", max_tokens=2000)
    heard: list[str] = []
    stream = model.astream(HI)
    async for chunk in stream:
        heard.append(chunk.text)
        if len(heard) == 2:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    task = asyncio.create_task(model.ainvoke(HI))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    reply = await call_chat(model, HI, max_tokens=3)
    assert len(reply.message.response_metadata["completion_token_ids"]) == 3


async def test_concurrent_calls_queue_on_one_model(fluent: Make) -> None:
    model = fluent("In ", "Bergen.", "<|im_end|>")
    replies = await asyncio.gather(*(model.ainvoke([HumanMessage(str(i))]) for i in range(12)))
    assert {reply.text for reply in replies} == {"In Bergen."}


async def test_a_prompt_that_is_too_long_is_an_overflow(fluent: Make) -> None:
    model = fluent("x", "<|im_end|>")
    with pytest.raises(ContextOverflow, match=r"prompt has \d+ tokens and .* takes 2048"):
        await call_chat(model, [HumanMessage("word " * 500)])


def test_pictures_and_response_formats_are_refused_in_words(fluent: Make) -> None:
    model = fluent("x", "<|im_end|>")
    dot = io.BytesIO()
    Image.new("RGB", (1, 1)).save(dot, format="PNG")
    data = base64.b64encode(dot.getvalue()).decode()
    with pytest.raises(PicturesUnsupported, match="vision_model"):
        model.invoke([HumanMessage([{"type": "image", "base64": data, "mime_type": "image/png"}])])
    with pytest.raises(CallFailed, match="ask for JSON in the prompt"):
        model.invoke(HI, response_format={"type": "json_object"})


def test_a_template_without_system_role_or_tools(fluent: Make) -> None:
    model = fluent("x", "<|im_end|>", template=STRICT)
    reply = model.invoke([SystemMessage("Be short."), *HI])
    prompt = model._weights.tokenizer.decode(reply.response_metadata["prompt_token_ids"])
    assert prompt == "user: Be short.\n\nhi\n"
    with pytest.raises(ToolsUnsupported, match="no place for tools"):
        model.bind_tools([keyword_search]).invoke(HI)


def test_a_template_that_refuses_everything_is_a_failed_call(fluent: Make) -> None:
    model = fluent("x", template="{{ raise_exception('never') }}")
    with pytest.raises(CallFailed, match="never"):
        model.invoke(HI)


def test_a_model_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="give a hub id or the folder"):
        load_chat_model(f"transformers:{tmp_path / 'nothing'}")
    with pytest.raises(ConfigError, match="has no name"):
        load_chat_model("transformers:")


def test_a_checkpoint_without_chat_template_says_so(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, ["x"])
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ConfigError, match="instruct or chat version"):
        load_chat_model(f"transformers:{tmp_path}")


QUERY = ("keyword_search", {"query": "seat"})


@pytest.mark.parametrize(
    ("text", "left", "calls"),
    [
        (f"I look.<tool_call>\n{CALL}\n</tool_call>", "I look.", [QUERY]),
        (f"<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call>", "", [QUERY, QUERY]),
        (f"<tool_call>{CALL}", "", [QUERY]),
        (f"[TOOL_CALLS] [{CALL}]", "", [QUERY]),
        ('[TOOL_CALLS]keyword_search[ARGS]{"query": "seat"}', "", [QUERY]),
        ('[TOOL_CALLS]keyword_search{"query": "seat"}[TOOL_CALLS]x{}', "", [QUERY, ("x", {})]),
        (f"<|python_tag|>{CALL.replace('arguments', 'parameters')}", "", [QUERY]),
        (f"{CALL}; {CALL}", "", [QUERY, QUERY]),
        (f"```json\n{CALL}\n```", "", [QUERY]),
        (f"<think>{CALL}</think>{CALL}", "<think>" + CALL + "</think>", [QUERY]),
        ('{"answer": "Bergen"}', '{"answer": "Bergen"}', []),
        ("In Bergen.", "In Bergen.", []),
        ('{"name": "x", "arguments": ', '{"name": "x", "arguments": ', []),
    ],
)
def test_calls_are_found_in_text(text: str, left: str, calls: list[Any]) -> None:
    found = find_calls(text)
    assert found.text == left
    assert [(call["name"], call["args"]) for call in found.calls] == calls
    assert found.invalid == []


@pytest.mark.parametrize(
    "written", ["{query: seat}", "[]", '{"name": 3}', '{"name": "x", "arguments": [1]}', ""]
)
def test_marked_calls_that_cannot_be_read_are_kept_as_invalid(written: str) -> None:
    found = find_calls(f"<tool_call>{written}</tool_call>")
    assert found.calls == []
    assert found.invalid[0]["args"] == written
    assert found.invalid[0]["error"]
    assert json.dumps(found.invalid)
