"""Page encoders: the real classes with tiny random weights, and each way one can be wrong."""

import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw

from page_models import write_page_model
from pagehop.errors import ModelError
from pagehop.models.page_encoder import PageEncoder, load_page_encoder
from pagehop.models.vector_pruning import prune
from pagehop.settings import PageEncoderSettings

LATE = ("colpali", "colqwen2", "colqwen2_5", "colmodernvbert")


def picture(words: str, size: tuple[int, int] = (220, 300)) -> Image.Image:
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).text((20, 40), words, fill="black", font_size=40)
    return made


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoints")


def encoder(checkpoints: Path, family: str, **settings: object) -> PageEncoder:
    folder = checkpoints / family
    if not folder.exists():
        write_page_model(folder, family)
    return load_page_encoder(
        str(folder), settings=PageEncoderSettings.model_validate({"batch_pages": 2, **settings})
    )


@pytest.mark.parametrize("family", LATE)
def test_late_interaction_gives_a_vector_a_token(checkpoints: Path, family: str) -> None:
    found = encoder(checkpoints, family)
    pages = found.encode_pages([picture("one"), picture("two", (320, 200)), picture("three")])
    query = found.encode_query("capital expenditure 2018")
    assert len(pages) == 3 and all(len(page) > 4 for page in pages) and len(query) > 4
    for vectors in (*pages, query):
        assert vectors.dtype == np.float32 and vectors.shape[1] == found.dim == 24
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    again = found.encode_pages([picture("one")])[0]
    assert again.shape == pages[0].shape
    assert float((again * pages[0]).sum(axis=1).min()) > 0.99, "batches change little"
    assert found.encode_query("capital expenditure 2018") is query


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_single_vectors_are_of_the_same_kind(checkpoints: Path, family: str) -> None:
    found = encoder(checkpoints, family)
    pages = found.encode_pages([picture("one"), picture("two")])
    assert [page.shape for page in pages] == [(1, 24), (1, 24)]
    assert found.encode_query("what is it?").shape == (1, 24) == (1, found.dim)
    np.testing.assert_allclose(np.linalg.norm(pages[0]), 1, atol=1e-3)


def test_the_id_names_all_that_changes_vectors(checkpoints: Path) -> None:
    plain = encoder(checkpoints, "colpali")
    assert plain.id.startswith("colpali_")
    assert encoder(checkpoints, "colpali", batch_pages=1).id == plain.id
    others: list[dict[str, object]] = [{"pixels": 250_000}, {"vectors_per_page": 8}]
    others.append({"vectors_per_page": 8, "pruning": "merge"})
    ids = {encoder(checkpoints, "colpali", **other).id for other in others}
    assert len(ids | {plain.id}) == 4


def test_fewer_vectors_a_page(checkpoints: Path) -> None:
    all_of_them = encoder(checkpoints, "colpali").encode_pages([picture("one")])[0]
    few = encoder(checkpoints, "colpali", vectors_per_page=8).encode_pages([picture("one")])[0]
    assert few.shape == (8, 24) and len(all_of_them) > 8
    assert all((all_of_them == row).all(axis=1).any() for row in few), "they are some of the page's"


def test_pruning_takes_what_is_alike_first() -> None:
    rng = np.random.default_rng(0)
    apart = np.linalg.qr(rng.normal(size=(16, 16)))[0][:6].astype(np.float32)
    near = apart[[0] * 30] + 0.02 * rng.normal(size=(30, 16)).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    vectors = np.concatenate([near[:15], apart[1:], near[15:]])
    hows: tuple[Literal["drop", "merge"], ...] = ("drop", "merge")
    for how in hows:
        kept = prune(vectors, 6, how)
        assert kept.shape == (6, 16)
        assert (kept @ apart.T).max(axis=0).min() > 0.99, "each direction is still there"
    assert prune(vectors, 0, "drop") is vectors and prune(vectors, 99, "drop") is vectors


def test_what_is_no_page_encoder_is_refused_in_words(checkpoints: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a folder nor a hub id"):
        load_page_encoder("/nowhere/at/all")
    with pytest.raises(ModelError, match="not on this machine"):
        load_page_encoder("vidore/colqwen2-v1.0-hf")
    encoder(checkpoints, "colpali")
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert"}')
    with pytest.raises(ModelError, match=r"no page encoder.*BertModel"):
        load_page_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text(
        '{"architectures": ["NewForRetrieval"], "embedding_dim": 8}'
    )
    with pytest.raises(ModelError, match=r"no \*\.safetensors"):
        load_page_encoder(str(tmp_path))
    shutil.copy(next((checkpoints / "colpali").glob("*.safetensors")), tmp_path)
    with pytest.raises(ModelError, match="has no NewForRetrieval"):
        load_page_encoder(str(tmp_path)).encode_query("x")


def test_adapters_say_which_package_loads_them(tmp_path: Path) -> None:
    base = {"base_model_name_or_path": "vidore/colqwen2.5-base", "peft_type": "LORA"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(base))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="pip install colpali-engine"):
        load_page_encoder(str(tmp_path))


def test_a_dimension_that_the_configuration_does_not_say(checkpoints: Path, tmp_path: Path) -> None:
    encoder(checkpoints, "clip")
    folder = tmp_path / "clip"
    shutil.copytree(checkpoints / "clip", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"projection_dim": 32}))
    with pytest.raises(ModelError, match=r"cannot be loaded|do not belong together"):
        load_page_encoder(str(folder)).encode_query("x")
