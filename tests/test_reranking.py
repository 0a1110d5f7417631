"""Second orders of hits: late interaction, cross-encoders, judges."""

from pathlib import Path

import numpy as np
import pytest
import torch
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from pagehop.errors import ConfigError, ModelError
from pagehop.finding.judging import ChatJudge
from pagehop.library.view import View
from pagehop.models.cross_encoder import load_cross_encoder
from pagehop.models.token_vectors import max_similarity

QUERY = "capital expenditure of Halden Marine in 2021"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence classifier of one label, tiny and with random weights."""
    folder = tmp_path_factory.mktemp("classifier")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "capital", "expenditure", "halden", "revenue"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    config.num_labels = 1
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_late_interaction_is_the_mean_of_best_cosines() -> None:
    rng = np.random.default_rng(0)
    query, text = (rng.normal(size=(n, 6)).astype(np.float16) for n in (3, 5))
    slow = [max(float(np.dot(q, t)) for t in text.astype(float)) for q in query.astype(float)]
    assert max_similarity(query, text) == pytest.approx(np.mean(slow), abs=1e-2)
    assert max_similarity(query[:0], text) == 0.0


def test_late_re_ranks_without_losing_hits_and_says_its_scores(view: View) -> None:
    plain = view.search(QUERY, k=8)
    late = view.search(QUERY, k=8, rerank="late")
    assert len(late) == len(plain) and late[0].name.startswith("Halden")
    assert all(0 < hit.scores["late"] <= 1.01 for hit in late)
    assert [h.score for h in late] == sorted((h.score for h in late), reverse=True)
    again = view.search(QUERY, k=8, rerank="late")
    assert [(h.ref, h.score) for h in again] == [(h.ref, h.score) for h in late]


def test_a_cross_encoder_from_a_folder_orders_hits_by_its_own_scores(
    view: View, classifier: Path
) -> None:
    hits = view.search(QUERY, k=6, rerank=f"cross-encoder:{classifier}")
    assert [hit.score for hit in hits] == [hit.scores["cross-encoder"] for hit in hits]
    model = load_cross_encoder(str(classifier))
    texts = [view.region(hit.region).search_text for hit in hits]
    assert model.scores(QUERY, texts) == pytest.approx([hit.score for hit in hits], abs=1e-2)
    assert len(model.scores(QUERY, [])) == 0


def test_a_cross_encoder_that_is_not_there_says_what_to_give(view: View, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        view.search(QUERY, rerank=f"cross-encoder:{tmp_path / 'gone'}")


def test_a_judge_orders_the_first_hits(view: View) -> None:
    plain = view.search(QUERY, k=5)
    wanted = plain[3].ref

    def judge(question: str, texts: list[str]) -> list[float]:
        assert question == QUERY
        return [float(text.startswith(str(wanted))) for text in texts]

    hits = view.search(QUERY, k=5, rerank="judge", judge=judge)
    assert hits[0].ref == wanted
    assert [h.ref for h in hits[1:4]] == [h.ref for h in plain[:3]]


def test_a_judge_whose_reply_cannot_be_read_changes_nothing_and_that_is_said(view: View) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("I like them all.")]))
    hits = view.search(QUERY, k=5, rerank="judge", judge=ChatJudge(model))
    assert [h.ref for h in hits] == [h.ref for h in view.search(QUERY, k=5)]
    assert "judge" in hits.note


def test_a_judge_that_fails_changes_nothing_and_that_is_said(view: View) -> None:
    model = GenericFakeChatModel(messages=iter([]))
    hits = view.search(QUERY, k=5, rerank="judge", judge=ChatJudge(model))
    assert [h.ref for h in hits] == [h.ref for h in view.search(QUERY, k=5)]
    assert "no answer" in hits.note


@pytest.mark.parametrize("rerank", ["early", "cross-encoder:", "chat:", "judge"])
def test_a_re_ranker_that_cannot_be_had_is_refused(view: View, rerank: str) -> None:
    with pytest.raises(ConfigError, match="rerank"):
        view.search(QUERY, rerank=rerank)
    with pytest.raises(ConfigError, match="rerank"):
        view.search(QUERY, rerank="late", mode="visual")
