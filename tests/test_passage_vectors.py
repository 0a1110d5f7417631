"""Vectors of passages: own words, and those with what stands above them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pagehop.finding.passage_vectors import HEAD, PassageEmbedder
from pagehop.library.library import Library
from pagehop.models.text_encoder import load_text_encoder

WritePage = Callable[..., None]
TEXT = "Revenue rose to 4.2 million."
HEADED = "Annual Report 2023\nFinancial Review\n" + TEXT


def test_whole_is_the_weighted_mean_of_words_and_head() -> None:
    encoder = load_text_encoder()
    vectors = PassageEmbedder(encoder).embed([TEXT], [HEADED])
    own, head = encoder.encode([TEXT, "Annual Report 2023\nFinancial Review"])
    whole = (1 - HEAD) * own + HEAD * head
    assert vectors.whole[0] == pytest.approx(whole / np.linalg.norm(whole), abs=1e-5)
    assert vectors.own[0] == pytest.approx(own, abs=5e-4)
    assert np.linalg.norm(vectors.whole, axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("search_text", [TEXT, "other words that do not end so"])
def test_a_passage_without_a_head_of_its_own(search_text: str) -> None:
    vectors = PassageEmbedder(load_text_encoder()).embed([TEXT], [search_text])
    if search_text == TEXT:
        assert vectors.whole[0] == pytest.approx(vectors.own[0], abs=5e-4)
    assert np.isfinite(vectors.whole).all()


def test_no_passages_have_no_vectors() -> None:
    encoder = load_text_encoder()
    vectors = PassageEmbedder(encoder).embed([], [])
    assert vectors.whole.shape == vectors.own.shape == (0, encoder.dim)


def test_a_head_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, asked = load_text_encoder(), []
    encode = encoder.encode

    def listen(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return encode(texts)

    monkeypatch.setattr(encoder, "encode", listen)
    embedder = PassageEmbedder(encoder)
    for words in ("One.", "Two.", "Three."):
        embedder.embed([words], ["Title\nSection\n" + words])
    assert sorted(asked) == ["One.", "Three.", "Title\nSection", "Two."]


def test_heads_that_were_forgotten_are_embedded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagehop.finding.passage_vectors.KEPT_HEADS", 1)
    embedder = PassageEmbedder(load_text_encoder())
    texts, search_texts = ["a", "b", "c"], ["X\na", "Y\nb", "Z\nc"]
    first = embedder.embed(texts, search_texts)
    again = embedder.embed(texts, search_texts)
    assert (first.whole == again.whole).all()


def test_own_words_are_found_whatever_stands_above_them(
    tmp_path: Path, write_page: WritePage
) -> None:
    words = "The pump in building seven was replaced in March."
    write_page(tmp_path / "in" / "Minutes of the Harbour Committee 2021.pdf", words)
    write_page(tmp_path / "in" / "other.pdf", "The committee met in April and approved the budget.")
    with Library(tmp_path / "in") as library:
        library.add(tmp_path / "in")
        (hit, *_) = library.search(words, mode="semantic")
    assert hit.page == 1 and hit.scores["semantic"] == pytest.approx(1.0, abs=2e-3)
