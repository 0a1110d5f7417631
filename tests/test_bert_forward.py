"""The packed forward of BERT models against AutoModel, and each model that must not get it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import (
    BertConfig,
    BertModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from pagehop.models import bert_forward
from pagehop.models.bert_forward import pack_bert
from pagehop.models.encoder_files import find_encoder
from pagehop.models.text_encoder import TextEncoder

SIZES: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": 128,
}
Ids = NDArray[np.int64]
MAKERS: dict[str, Callable[[], PreTrainedModel]] = {
    "bert": lambda: BertModel(BertConfig(**SIZES)),
    "roberta": lambda: RobertaModel(RobertaConfig(**SIZES, pad_token_id=1)),
    "xlm-roberta": lambda: XLMRobertaModel(XLMRobertaConfig(**SIZES, pad_token_id=1)),
    "mpnet": lambda: MPNetModel(MPNetConfig(**SIZES)),
    "modernbert": lambda: ModernBertModel(
        ModernBertConfig(**SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1)
    ),
}
needs_bf16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="a processor without bf16"
)


def made(name: str) -> PreTrainedModel:
    """A model with random weights, biases and norms too, so that each of them matters."""
    torch.manual_seed(0)
    model = MAKERS[name]()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return model.to(torch.bfloat16).eval()  # type: ignore[no-any-return, arg-type]


def texts(*lengths: int, width: int = 0) -> tuple[Ids, Ids]:
    """Random token ids (n, width) and their mask, the same for the same call."""
    width = width or max(lengths)
    mask = np.array([[i < n for i in range(width)] for n in lengths], np.int64)
    return np.random.default_rng(0).integers(3, 200, mask.shape) * mask, mask


def means(states: torch.Tensor, mask: Ids) -> torch.Tensor:
    return (states.float() * torch.from_numpy(mask).unsqueeze(-1)).sum(1)


@needs_bf16
@pytest.mark.parametrize("name", ["bert", "roberta", "xlm-roberta"])
def test_hidden_states_are_those_of_automodel(name: str) -> None:
    model = made(name)
    packed = pack_bert(model)
    assert packed is not None
    ids, mask = texts(120, 5, 64, 5, 17, 1, width=120)
    ids[2, 10] = model.config.pad_token_id  # a text may hold it; RoBERTa's positions skip it
    with torch.inference_mode():
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        expected, got = model(**given).last_hidden_state, packed(ids, mask)
        exact = model.float()(**given).last_hidden_state
    assert got.shape == expected.shape
    assert not got[torch.from_numpy(mask == 0)].any(), "zero where masked"
    worst = torch.cosine_similarity(means(got, mask), means(expected, mask)).min()
    assert worst >= 0.9999
    ours, theirs = (
        torch.cosine_similarity(means(states, mask), means(exact, mask)).min()
        for states in (got, expected)
    )
    assert ours >= theirs - 1e-4, "as near to fp32 as AutoModel in bf16"


@needs_bf16
def test_a_text_gives_the_same_states_in_any_batch() -> None:
    packed = pack_bert(made("bert"))
    assert packed is not None
    ids, mask = texts(40, 7, 40, 23, 7, 100)
    with torch.inference_mode():
        together = packed(ids, mask)
        backwards = packed(ids[::-1].copy(), mask[::-1].copy()).flip(0)
        assert torch.equal(backwards, together)
        for i, n in enumerate(mask.sum(1)):
            alone = packed(ids[i : i + 1, :n], mask[i : i + 1, :n])[0]
            assert torch.equal(alone, together[i, :n])


@needs_bf16
def test_texts_without_tokens_give_zeros() -> None:
    packed = pack_bert(made("bert"))
    assert packed is not None
    ids, mask = texts(0, 9, 0)
    with torch.inference_mode():
        states = packed(ids, mask)
        assert states[1].any() and not states[0].any() and not states[2].any()
        assert not packed(*texts(0, 0, width=8)).any()


@needs_bf16
@pytest.mark.parametrize("name", ["mpnet", "modernbert"])
def test_other_architectures_run_through_automodel(name: str) -> None:
    assert pack_bert(made(name)) is None


@needs_bf16
@pytest.mark.parametrize("change", ["activation", "decoder", "weights", "kernels", "arguments"])
def test_what_would_differ_runs_through_automodel(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made("bert")
    shift = torch.linspace(-1, 1, 64, dtype=torch.bfloat16)
    if change == "activation":
        model.config.hidden_act = "gelu_new"
    elif change == "decoder":
        model.config.is_decoder = True
    elif change == "weights":  # AutoModel adds what the packed forward does not know of
        last = [part for part in model.modules() if type(part).__name__ == "BertOutput"][-1]
        last.register_forward_hook(lambda _part, _given, states: states + shift)
    elif change == "kernels":
        monkeypatch.setattr(bert_forward, "KERNELS", ("_gone",))
    else:

        def refuse(*_: object) -> None:
            raise RuntimeError("no such kernel")

        monkeypatch.setattr(bert_forward, "_product", refuse)
    assert pack_bert(model) is None


@needs_bf16
def test_the_packaged_model_is_packed_and_agrees_with_automodel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both round to bf16, each in its own places: the shortest texts differ by .0001."""
    files = find_encoder()
    passages = ["net debt fell " * n for n in (1, 3, 3, 9, 60, 200)] + ["", "Revenue rose."]
    ours = TextEncoder(files, backend="bf16").encode(passages)
    exact = TextEncoder(files, backend="fp32").encode(passages)
    monkeypatch.setattr("pagehop.models.encoder_backends.pack_bert", lambda _: None)
    theirs = TextEncoder(files, backend="bf16").encode(passages)
    assert not np.array_equal(ours, theirs), "the packed forward was not in use"
    assert (ours * theirs).sum(1).min() >= 0.9995
    assert (ours * exact).sum(1).min() >= (theirs * exact).sum(1).min() - 1e-4
