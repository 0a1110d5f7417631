"""Blocks to passages: nothing lost, nothing too long, tables with their heads."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import Cell, Line, PageLines
from pagehop.layout.passages import (
    PASSAGE_TOKENS,
    SEARCH_TOKENS,
    Passage,
    cut_passages,
    region_fields,
)
from pagehop.layout.token_counter import TokenCounter, shorten
from pagehop.types import Kind

SENTENCE = "The office counted forty barges in spring and sixty barges in autumn of the year."


def block(kind: Kind, *texts: str, section: str = "", heads: int = 0, y: float = 100.0) -> Block:
    """Make a block of lines, one below the other, each word ten points wide."""
    lines = []
    for i, text in enumerate(texts):
        top = y + 12 * i
        words = [
            (60 + 11.0 * j, top, 70 + 11.0 * j, top + 10, word, 0, i, j)
            for j, word in enumerate(text.split())
        ]
        right = words[-1][2]
        cells = [Cell(60, right, text, len(words))]
        lines.append(Line(words, 0, 60, top, right, top + 10, 10, False, False, text, cells))
    return Block(kind, lines, section, heads)


def cut(*blocks: Block, title: str = "Harbour 2021") -> list[Passage]:
    return cut_passages(blocks, title, TokenCounter())


def test_short_paragraphs_of_a_section_share_a_passage() -> None:
    passages = cut(
        block("text", "We counted twice.", section="Counting"),
        block("list", "• barges", "• boats", section="Counting", y=120),
        block("text", "Nobody else did.", section="Tolls", y=160),
    )
    assert [p.text for p in passages] == [
        "We counted twice.\n• barges\n• boats",
        "Nobody else did.",
    ]
    assert passages[0].search_text == "Harbour 2021\nCounting\nWe counted twice.\n• barges\n• boats"


def test_long_text_is_cut_at_sentence_ends_into_even_pieces() -> None:
    passages = cut(block("text", *[SENTENCE] * 20))
    assert len(passages) > 2
    assert all(p.text.endswith("year.") for p in passages)
    lengths = [len(p.text) for p in passages]
    assert min(lengths) > 0.5 * max(lengths)


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = "Sales of Harbour Inc. Ltd. rose, see No. 4 and the U.S. Treasury of J. Smith. " * 12
    assert all(p.text.endswith("Smith.") for p in cut(block("text", text)))


def test_the_head_of_a_table_goes_before_each_of_its_passages_for_search_only() -> None:
    rows = [f"Row {i} of the barges counted 1,204 987 {i}" for i in range(40)]
    passages = cut(block("table", "Barges by season 2021 2020", *rows, heads=1))
    assert len(passages) > 2
    assert passages[0].text.startswith("Barges by season 2021 2020\nRow 0")
    for passage in passages[1:]:
        assert passage.text.startswith("Row")
        assert passage.search_text.startswith("Harbour 2021\nBarges by season 2021 2020\nRow")
    assert [line for p in passages for line in p.text.split("\n")][1:] == rows


def test_headings_without_text_become_a_passage() -> None:
    passages = cut(block("title", "Barges of the North"), block("heading", "Annual report", y=140))
    assert [p.text for p in passages] == ["Barges of the North\nAnnual report"]


def test_a_heading_over_text_is_in_its_search_text_only() -> None:
    passages = cut(block("heading", "Tolls"), block("text", SENTENCE, section="Tolls", y=140))
    assert [p.text for p in passages] == [SENTENCE]
    assert passages[0].search_text == f"Harbour 2021\nTolls\n{SENTENCE}"


def test_a_heading_that_the_section_does_not_name_stands_before_the_text() -> None:
    passages = cut(
        block("heading", "Officers of the harbour"),
        block("heading", "Ada Quay, 61", y=120),
        block("text", SENTENCE, section="Ada Quay, 61", y=140),
    )
    assert [p.text for p in passages] == [f"Officers of the harbour\n{SENTENCE}"]
    assert passages[0].block == 2
    assert passages[0].search_text.startswith("Harbour 2021\nAda Quay, 61\nOfficers")


def test_a_line_before_a_table_goes_with_it() -> None:
    passages = cut(
        block("text", *[SENTENCE] * 5),
        block("text", "The next table counts barges by season.", y=200),
        block("table", "Spring 1,204 987", "Autumn 1,310 1,002", y=240),
    )
    assert [p.text.split("\n")[0] for p in passages[-1:]] == [
        "The next table counts barges by season."
    ]
    assert passages[-1].text.endswith("Spring 1,204 987\nAutumn 1,310 1,002")
    assert passages[-1].block == 2
    assert passages[0].text.endswith("year.")


def test_a_sentence_with_a_colon_goes_with_the_list_it_leads_to() -> None:
    passages = cut(
        block("text", *[SENTENCE] * 6, "These were counted twice:"),
        block("list", *[f"• barge number {i} of the {i} barges" for i in range(12)], y=300),
    )
    led = next(p for p in passages if "These were counted twice:" in p.text)
    assert led.text.startswith("These were counted twice:\n• barge number 0")


def test_a_caption_goes_with_its_table_and_its_note_before_later_rows() -> None:
    rows = [f"Row {i} of the barges counted 1,204 987 {i}" for i in range(40)]
    table = block("table", *rows, y=120)
    table.note = "Table 4: Barges by row (in dozens)"
    caption = block("caption", "Table 4: Barges by row", y=700)
    caption.parent = 0
    passages = cut(table, caption)
    assert passages[0].text.startswith("Table 4: Barges by row\nRow 0 of")
    assert all("Table 4" not in p.text for p in passages[1:])
    assert all("Table 4: Barges by row (in dozens)\nRow" in p.search_text for p in passages[1:])


def test_a_short_paragraph_joins_a_passage_with_room() -> None:
    passages = cut(block("text", *[SENTENCE] * 4), block("text", "Nobody else did.", y=300))
    assert len(passages) == 1
    assert passages[0].text.endswith("Nobody else did.")


def test_running_heads_are_in_no_passage() -> None:
    assert cut(block("header", "Harbour office"), block("footer", "Page 4", y=780)) == []


def test_the_nearest_heading_is_kept_when_the_path_is_too_long() -> None:
    section = " > ".join(f"Chapter {i} of the very long names of things" for i in range(9))
    (passage,) = cut(block("text", SENTENCE, section=section))
    assert "Chapter 8 of" in passage.search_text
    assert "Chapter 2 of" not in passage.search_text


def test_a_passage_lies_around_its_words() -> None:
    blocks = [block("text", "We counted twice.", y=100), block("text", "And again.", y=200)]
    page = PageLines(3, 600, 800, [line for b in blocks for line in b.lines])
    fields = region_fields(page, blocks, cut(*blocks), set())
    assert [f[:3] for f in fields] == [(3, 0, "text"), (3, 1, "text"), (3, 2, "passage")]
    assert fields[2][5:7] == (0, "text")
    assert fields[2][-1] == (0.1, 0.125, round(92 / 600, 5), round(210 / 800, 5))


LINES = st.lists(
    st.text(st.sampled_from("ab1 ,.$()%-"), min_size=1, max_size=400).filter(
        lambda text: bool(text.split())
    ),
    min_size=1,
    max_size=6,
)
KINDS = st.sampled_from(
    ["text", "list", "table", "heading", "title", "caption", "footnote", "header"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KINDS, LINES, st.integers(0, 2)), max_size=6), st.text(max_size=300))
def test_every_word_is_in_one_passage_and_none_is_too_long(
    parts: list[tuple[Kind, list[str], int]], title: str
) -> None:
    counter = TokenCounter()
    blocks = [
        block(kind, *(" ".join(text.split()) for text in texts), section=f"Part {section}")
        for kind, texts, section in parts
    ]
    passages = cut_passages(blocks, title, counter)
    seen = Counter(id(word) for passage in passages for word in passage.words)
    assert max(seen.values(), default=0) <= 1
    for b in blocks:
        words = [word for line in b.lines for word in line.words]
        if b.kind in ("text", "list", "table", "caption", "footnote"):
            assert all(seen[id(word)] for word in words)
        if b.kind == "header":
            assert not any(seen[id(word)] for word in words)
    for passage in passages:
        longest_word = max(counter.counts(passage.text.split()))
        assert counter.total(passage.text) <= max(PASSAGE_TOKENS, longest_word)
        assert counter.total(passage.search_text) <= max(SEARCH_TOKENS, longest_word + 75)
    assert passages == cut_passages(blocks, title, counter)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of single letters that cuts and pads, as those of encoders do."""
    letters = {c: i for i, c in enumerate("[UNK] abcdefghijklmnopqrstuvwxyz".split(" ")[0:1])}
    letters |= {c: i + 1 for i, c in enumerate("abcdefghijklmnopqrstuvwxyz")}
    pieces = letters | {f"##{c}": i + 30 for i, c in enumerate("abcdefghijklmnopqrstuvwxyz")}
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.enable_truncation(4)
    made.enable_padding(length=32, pad_token="[UNK]")
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_tokens_are_those_of_the_encoder_without_its_limits(tokenizer: Path) -> None:
    assert json.loads(tokenizer.read_text())["truncation"]
    counter = TokenCounter(tokenizer)
    assert counter.counts(["barges", "in", "Spring", "barges"]) == [6, 2, 6, 6]
    assert shorten("barges in spring", 9, counter) == "barges in"


def test_the_estimate_is_on_the_long_side() -> None:
    counter = TokenCounter()
    for word, tokens in (("harbour", 2), ("1,577", 4), ("(12.5%)", 5), ("漢字", 2), ("a", 1)):
        assert counter.counts([word])[0] >= tokens
