"""The text encoder against plain transformers, and each way in which a model can be wrong."""

import json
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from pagehop.errors import ConfigError, ModelError
from pagehop.models import encoder_files
from pagehop.models.encoder_files import DEFAULT_SHA256, find_encoder
from pagehop.models.text_encoder import TextEncoder, load_text_encoder
from pagehop.settings import EncoderSettings

TEXTS = [
    "Capital expenditure was 1,577 million crowns in 2018.",
    "x",
    "the ship left the harbour " * 60,
    "Revenue rose.",
    "",
    "Net debt fell because the sale of the yard was closed in the second quarter.",
]
WORDS = "capital expenditure was crowns in the ship left harbour revenue rose net debt fell".split()


@pytest.fixture(scope="module", autouse=True)
def quiet() -> None:
    logging.disable_progress_bar()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with random weights, 32 numbers a vector, 64 tokens long, that says nothing more."""
    folder = tmp_path_factory.mktemp("models") / "Tiny BERT"
    vocab = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def copy_with(source: Path, target: Path, **files: object) -> Path:
    """Copy a model folder and write JSON files into it; `__` in a name stands for a folder."""
    shutil.copytree(source, target)
    for name, value in files.items():
        path = target / (name.replace("__", "/") + ".json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))
    return target


def plain(folder: Path, texts: list[str], *, pooling: str, max_tokens: int) -> NDArray[np.float32]:
    """The reference: one text at a time in fp32, nothing shared with the code under test."""
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    vectors = []
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt").input_ids
        with torch.inference_mode():
            states = model.eval()(input_ids=ids).last_hidden_state[0]
        vector = states[0] if pooling == "cls" else states.mean(0)
        vectors.append((vector / vector.norm()).numpy())
    return np.array(vectors, np.float32)


def encoder_of(folder: Path, backend: str = "fp32", batch_tokens: int = 8192) -> TextEncoder:
    return TextEncoder(find_encoder(str(folder)), backend=backend, batch_tokens=batch_tokens)


def worst_cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float((a * b).sum(1).min())


def test_vectors_equal_plain_transformers_with_mean_pooling_by_default(tiny: Path) -> None:
    encoder = encoder_of(tiny)
    vectors = encoder.encode(TEXTS)
    assert (encoder.dim, encoder.max_tokens) == (32, 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        vectors, plain(tiny, TEXTS, pooling="mean", max_tokens=64), atol=1e-5
    )


@pytest.mark.parametrize(
    "config",
    [{"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, {"pooling_mode": "cls"}],
)
def test_pooling_and_length_are_what_the_folder_says(
    tiny: Path, tmp_path: Path, config: dict[str, object]
) -> None:
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    folder = copy_with(
        tiny,
        tmp_path / "m",
        modules=modules,
        sentence_bert_config={"max_seq_length": 16},
        **{"1_Pooling__config": {"word_embedding_dimension": 32, **config}},
    )
    encoder = encoder_of(folder)
    expected = plain(folder, TEXTS, pooling="cls", max_tokens=16)
    assert encoder.max_tokens == 16
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, atol=1e-5)
    assert encoder.id != encoder_of(tiny).id
    assert encoder.digest == encoder_of(tiny).digest


def test_prompts_of_the_model_go_before_queries_and_passages(tiny: Path, tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "net debt ", "document": "the ship "}}
    prompted = encoder_of(copy_with(tiny, tmp_path / "m", config_sentence_transformers=prompts))
    bare = encoder_of(tiny)
    np.testing.assert_allclose(
        prompted.encode_query("rose"), bare.encode(["net debt rose"])[0], atol=1e-5
    )
    np.testing.assert_allclose(prompted.encode(["rose"]), bare.encode(["the ship rose"]), atol=1e-5)


def test_order_and_batches_do_not_change_vectors(tiny: Path) -> None:
    texts = [" ".join(WORDS[: 1 + i % len(WORDS)]) for i in range(100)]
    whole = encoder_of(tiny).encode(texts)
    small = encoder_of(tiny, batch_tokens=256).encode(texts[::-1])[::-1]
    np.testing.assert_allclose(small, whole, atol=1e-5)


def test_a_vector_does_not_depend_on_what_else_is_embedded() -> None:
    """Padding changes bf16 vectors: what a view does not show would change scores in it."""
    texts = [" ".join(["net debt fell again"] * n) for n in (1, 2, 3, 5, 8, 20, 2, 1)]
    backend = "auto"
    together = TextEncoder(find_encoder(), backend=backend).encode(texts * 4)[: len(texts)]
    encoder = TextEncoder(find_encoder(), backend=backend, batch_tokens=256)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(encoder.encode_query(texts[3]), together[3])


def test_the_floor_is_what_unrelated_sentences_score(tiny: Path) -> None:
    assert abs(load_text_encoder().floor) < 0.15
    assert 0.15 < encoder_of(tiny).floor < 1, "random weights tell nothing apart"


def test_many_threads_get_their_own_vectors(tiny: Path) -> None:
    encoder = encoder_of(tiny)
    texts = [f"{a} {b}" for a in WORDS for b in WORDS][:96]
    expected = encoder_of(tiny).encode(texts)
    got = np.zeros_like(expected)

    def work(first: int) -> None:
        for i in range(first, len(texts), 8):
            got[i] = encoder.encode_query(texts[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    bulk = threading.Thread(target=lambda: encoder.encode(texts * 20))
    for thread in (bulk, *threads):
        thread.start()
    for thread in (bulk, *threads):
        thread.join(60)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_no_texts_give_no_vectors_without_loading_the_model(tiny: Path) -> None:
    encoder = encoder_of(tiny)
    assert encoder.encode([]).shape == (0, 32)
    assert encoder.backend == ""


def test_a_closed_encoder_starts_again(tiny: Path) -> None:
    encoder = encoder_of(tiny)
    first = encoder.encode(["net debt"])
    encoder.close()
    np.testing.assert_array_equal(encoder.encode(["net debt"]), first)


def test_the_same_model_is_loaded_once(tiny: Path) -> None:
    assert load_text_encoder(str(tiny)) is load_text_encoder(str(tiny))


@pytest.mark.parametrize("backend", ["bf16", "fp32"])
def test_the_packaged_model_agrees_with_plain_fp32(backend: str) -> None:
    encoder = load_text_encoder(settings=EncoderSettings(backend=backend))
    expected = plain(encoder.tokenizer_path.parent, TEXTS, pooling="mean", max_tokens=256)
    assert (encoder.dim, encoder.max_tokens, encoder.digest) == (384, 256, DEFAULT_SHA256)
    assert worst_cosine(encoder.encode(TEXTS), expected) >= 0.999
    assert encoder.backend == backend


def test_loading_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    logging.enable_progress_bar()
    try:
        encoder = TextEncoder(find_encoder(), backend="fp32")
        encoder.encode(["net debt"])
        assert logging.is_progress_bar_enabled(), "what the user set is restored"
    finally:
        logging.disable_progress_bar()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_onnx_export_agrees_on_padded_batches_and_is_made_once(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = copy_with(tiny, tmp_path / "m", **{"1_Pooling__config": {"pooling_mode": pooling}})
    encoder = encoder_of(folder, "onnx")
    expected = plain(folder, TEXTS, pooling=pooling, max_tokens=64)
    (tokens,), (same,) = (e.tokens.of(TEXTS[:1]) for e in (encoder, encoder_of(folder)))
    assert worst_cosine(tokens.astype(np.float32), same.astype(np.float32)) >= 0.999
    assert worst_cosine(encoder.encode(TEXTS), expected) >= 0.999
    assert encoder.backend == "onnx"
    (file,) = (tmp_path / "cache").rglob("*.onnx")
    made = file.stat().st_mtime_ns
    assert worst_cosine(encoder_of(folder, "onnx").encode(TEXTS), expected) >= 0.999
    assert file.stat().st_mtime_ns == made


@pytest.mark.parametrize("backend", ["fp32", "bf16"])
def test_token_vectors_come_from_the_weights_that_are_loaded(
    tiny: Path, tmp_path: Path, backend: str
) -> None:
    """They were read a second time, by a model of their own."""
    folder = copy_with(tiny, tmp_path / "m")
    encoder = encoder_of(folder, backend)
    encoder.encode(TEXTS)
    (folder / "model.safetensors").unlink()
    texts = [text for text in TEXTS if text]
    assert [len(vectors) for vectors in encoder.tokens.of([""])] == [0]
    made = encoder.tokens.of(texts)
    model, tokenizer = AutoModel.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    for text, vectors in zip(texts, made, strict=True):
        given = tokenizer(text, truncation=True, max_length=64, return_tensors="pt")
        with torch.no_grad():
            states = model(**given).last_hidden_state[0, 1:-1].numpy()
        expected = states / np.linalg.norm(states, axis=1, keepdims=True)
        assert worst_cosine(vectors.astype(np.float32), expected) >= 0.99


def test_changed_weights_of_the_default_model_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = find_encoder().folder
    package = tmp_path / encoder_files.PACKAGE
    shutil.copytree(source, package / "model")
    (package / "__init__.py").touch()
    weights = package / "model" / "model.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(bytes(damaged))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match=f"not {DEFAULT_SHA256}: the file is damaged"):
        find_encoder()


def test_each_core_has_a_thread_and_torch_elsewhere_keeps_its_own(tiny: Path) -> None:
    def cores_of_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    def running() -> set[threading.Thread]:
        return set(threading.enumerate()) - others

    others = set(threading.enumerate())
    texts = [f"net debt fell {'in the second quarter ' * (i % 9)}" for i in range(60)]
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        encoder = encoder_of(tiny, batch_tokens=256)
        first = encoder.encode(texts)
        assert len(running()) == 3
        assert (torch.get_num_threads(), cores_of_a_new_thread()) == (3, 3)
        encoder.close()
        assert not running()
        assert np.array_equal(encoder.encode(texts), first), "begins again, to the same vectors"
        assert len(running()) == 3
        encoder.close()
    finally:
        torch.set_num_threads(before)


def test_a_model_that_is_nowhere_names_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"pip install 'pagehop\[local\]'.*ENCODER__MODEL"):
        find_encoder("nobody/no-such-model")
    monkeypatch.setattr(encoder_files, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"pip install 'pagehop\[local\]'.*ENCODER__MODEL"):
        find_encoder("")
    with pytest.raises(ModelError, match="neither a folder nor a hub id"):
        find_encoder("/no/such/folder")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("modules", [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}], "Dense"),
        ("1_Pooling__config", {"pooling_mode_max_tokens": True}, "only mean and cls"),
        ("1_Pooling__config", {"pooling_mode": ["mean", "cls"]}, "only mean and cls"),
        ("modules", {"no": "list"}, "does not hold a JSON list"),
        ("config", {"model_type": "bert"}, "names none of hidden_size"),
    ],
)
def test_a_model_that_needs_more_is_refused(
    tiny: Path, tmp_path: Path, name: str, value: object, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        find_encoder(str(copy_with(tiny, tmp_path / "m", **{name: value})))


def test_a_folder_without_a_model_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        find_encoder(str(tmp_path))
    folder = copy_with(tiny, tmp_path / "m")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \*\.safetensors"):
        find_encoder(str(folder))


def test_weights_that_cannot_be_loaded_fail_every_caller(tiny: Path, tmp_path: Path) -> None:
    folder = copy_with(tiny, tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"not a model")
    encoder = encoder_of(folder)
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be loaded"):
            encoder.encode(["net debt"])


def test_onnx_without_its_runtime_says_what_to_install(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"pip install 'pagehop\[local\]'"):
        encoder_of(tiny, "onnx").encode(["net debt"])
