"""Queries and libraries that nobody hopes for: each gives a clear answer, and breaks nothing."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from pagehop.errors import ConfigError, LibraryError, ModelError, ToolError
from pagehop.finding.patterns import find_words
from pagehop.finding.words import MOST_TERMS
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.models.text_encoder import load_text_encoder
from pagehop.types import Mode

WritePage = Callable[..., None]
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")
QUOTING = ["'", '"', "''", "x' OR '1'='1", "'; DROP TABLE pages; --", "%", "\\", "\x00", "a\nb"]


@pytest.mark.parametrize("k", ["a", 2.5, None, True, 0, -1])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_number_of_hits_that_is_none_is_refused_in_words(
    view: View, k: Any, hidden: bool
) -> None:
    searched = view.without([f"{view.documents()[0].name}:1"]) if hidden else view
    with pytest.raises(ConfigError, match=r"k ?= ?\S+: (give )?a whole number"):
        searched.search("revenue", k=k)


@pytest.mark.parametrize("mode", MODES)
def test_ten_thousand_words_are_searched_by_the_rarest(view: View, mode: Mode) -> None:
    words = " ".join(f"filler{i}" for i in range(9_990))
    common = " ".join(sorted(view.vocabulary())[:200])
    hits = view.search(f"{words} {common} Halden Marine", mode=mode, k=3)
    assert len(hits) == 3
    assert f"the {MOST_TERMS} rarest" in hits.note


@pytest.mark.parametrize("mode", MODES)
def test_another_language_or_script_is_a_query_like_any_other(view: View, mode: Mode) -> None:
    for query in (
        "Wie hoch waren die Investitionen von Halden?",
        "資本的支出はいくらですか",
        "🚢🚢",
    ):
        assert len(view.search(query, mode=mode, k=2)) <= 2


def test_stop_words_alone_find_nothing_by_words_and_something_by_meaning(view: View) -> None:
    assert view.search("what is the of and", mode="keyword") == []
    assert view.search("what is the of and", mode="semantic")


@pytest.mark.parametrize(
    "query", ['"open phrase', "regex:(", "regex:[a", "regex:*", '""', "-", " "]
)
def test_quotes_and_patterns_that_do_not_parse_are_explained(view: View, query: str) -> None:
    try:
        assert find_words(view, query, k=3) == []
    except (ToolError, ConfigError) as error:
        assert str(error)


@pytest.mark.parametrize("value", QUOTING)
@pytest.mark.parametrize("mode", MODES)
def test_filter_values_with_quotes_and_sql_are_values(view: View, value: str, mode: Mode) -> None:
    assert view.search("revenue", mode=mode, metadata={"year": value}) == []
    assert view.search("revenue", mode=mode, metadata={value: "x"}) == []
    with pytest.raises(ConfigError, match="unknown kinds"):
        view.search("revenue", mode=mode, kinds=[value])
    with pytest.raises(LibraryError, match="there is no document"):
        view.search("revenue", mode=mode, documents=[value])
    assert len(view.search(f"revenue {value}", mode=mode)) > 0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=60), words=st.lists(st.sampled_from(QUOTING), max_size=3))
def test_any_text_is_a_query_and_any_name_a_name(
    view: View, text: str, words: Sequence[str]
) -> None:
    query = text + " ".join(words)
    if query.strip():
        assert len(view.search(query, mode="keyword", k=2)) <= 2
    with pytest.raises(LibraryError):
        view.search("revenue", documents=[f"?{query}"], mode="keyword")


def test_a_document_that_is_not_there_is_answered_with_the_nearest_names(view: View) -> None:
    with pytest.raises(LibraryError, match=r"nearest names: .*Halden_2021_annual_report"):
        view.search("revenue", documents=["Halden_2021_anual_report"])


def test_a_library_of_one_page_answers_in_every_mode(tmp_path: Path, write_page: WritePage) -> None:
    write_page(tmp_path / "in" / "only.pdf", "The harbour was dredged in spring.")
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "in")
        for mode in MODES:
            assert [hit.name for hit in library.search("harbour", mode=mode)] == ["only"]
        assert library.search("harbour in only.pdf", rerank="late")[0].why == ""


def test_pages_with_the_same_text_are_all_found_in_one_order(
    tmp_path: Path, write_page: WritePage
) -> None:
    for i in range(6):
        write_page(tmp_path / "in" / f"copy{i}.pdf", "The harbour was dredged.", f"Copy {i}.")
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "in")
        for mode in MODES:
            found = [hit.ref for hit in library.search("harbour dredged", mode=mode)]
            assert len(found) == 6
            assert found == [hit.ref for hit in library.search("harbour dredged", mode=mode)]


def test_an_encoder_of_another_dimension_is_not_used_on_what_is_stored(
    tmp_path: Path, write_page: WritePage
) -> None:
    model = tmp_path / "model"
    shutil.copytree(load_text_encoder().tokenizer_path.parent, model)
    write_page(tmp_path / "in" / "only.pdf", "The harbour was dredged in spring.")
    with Library(tmp_path / "library", encoder=str(model)) as library:
        library.add(tmp_path / "in")
    torch.manual_seed(1)
    BertModel(
        BertConfig(
            vocab_size=30522,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        )
    ).save_pretrained(model)
    load_text_encoder.__globals__["_open"].cache_clear()
    with Library(tmp_path / "library") as library:
        hits = library.search("harbour")
        assert hits[0].name == "only" and "keyword search only" in hits.note
        with pytest.raises(ModelError, match="semantic search needs the library's encoder"):
            library.search("harbour", mode="semantic")
