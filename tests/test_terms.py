"""How texts become terms, and that counts of disjoint sets add up."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from pagehop.finding.terms import TermCounts, TermStatistics, count, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Capital expenditures rose", ["capit", "expenditur", "rose"]),
        ("what was the revenue of the company", ["revenu", "compani"]),
        ("$1,577.5 million in 2018", ["1577.5", "million", "2018"]),
        ("Form 10-K, the 3rd quarter", ["form", "10", "k", "3rd", "quarter", "10k"]),
        ("long-term debt", ["long", "term", "debt"]),
        ("the company's \u2019tis café \ufb01nance", ["compani", "tis", "cafe", "financ"]),
        ("資本支出", ["資本", "本支", "支出"]),
        ("the of and", []),
        ("", []),
        ("... -- !?", []),
    ],
)
def test_texts_become_terms(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_inflections_and_spellings_meet() -> None:
    assert tokens("Acquisitions") == tokens("ACQUISITION")
    assert tokens("R\u00e9sum\u00e9") == tokens("resume")
    assert tokens("1,234") == tokens("1234")


def test_counts_are_of_passages_not_of_occurrences() -> None:
    counts = count(["debt debt rose", "debt fell"])
    assert counts == TermCounts(2, 5, {"debt": 2, "rose": 1, "fell": 1})


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    texts = [f"passage {i} about debt and item {i % 3}" for i in range(20)]
    whole, parts = count(texts), [count(texts[:7]), count(texts[7:])]
    assert parts[0] + parts[1] == whole
    statistics = TermStatistics.of(parts)
    assert (statistics.passages, statistics.df) == (20, whole.df)
    assert statistics.mean_length == pytest.approx(whole.total_length / 20)
    assert TermStatistics.of([parts[0]]).plus(parts[1]).df == whole.df


def test_no_passages_have_no_mean_length() -> None:
    assert TermStatistics.of([]).mean_length == 0


def test_threads_do_not_spoil_each_others_stems() -> None:
    """A stemmer shared by threads raised IndexError now and then, and gave wrong stems."""
    words = [f"{stem}{i}{end}" for i in range(400) for stem in "ab" for end in ("ations", "ingly")]
    texts = [" ".join(f"x{n}{word}" for word in words) for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(tokens, texts))
    stemmer = snowballstemmer.stemmer("english")
    assert together == [stemmer.stemWords(text.split()) for text in texts]
