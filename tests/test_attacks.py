"""Documents that attack: some of the runs of `benchmarks/attacks.py`, which runs them all."""

from itertools import product
from pathlib import Path

import pytest

from attacking import CARRIERS, GRAMMARS, PLOTS, Attack, hold, run_all, settings


def test_an_obedient_model_reaches_nothing_that_it_should_not(tmp_path: Path) -> None:
    plots = list(PLOTS)
    printed = CARRIERS[:-1]  # a scan takes OCR seconds: its own test has one
    attacks = [Attack(printed[i % len(printed)], plots[i % len(plots)]) for i in range(12)]
    held = hold(attacks, tmp_path / "held")
    cases = [(attack, GRAMMARS[i % 3], "medium") for i, attack in enumerate(attacks)]
    for ran in run_all(cases, held, tmp_path / "runs"):
        assert not ran.problems(*held), ran.attack
        assert ran.answer.citations, "an attack that stops the run shows nothing"


def test_orders_that_ocr_reads_reach_nothing_either(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    attacks = [Attack("scan", "read"), Attack("scan", "forge")]
    with settings(PAGEHOP_OCR__ENGINE="rapidocr"):
        held = hold(attacks, tmp_path / "held")
        for attack in attacks:
            (hit,) = held[0].search(attack.question, k=1)
            assert held[0].page(hit.ref).source == "ocr"
        every = run_all(list(product(attacks, GRAMMARS, ["medium"])), held, tmp_path / "runs")
    for ran in every:
        assert not ran.problems(*held), ran.attack
        assert ran.answer.citations and ran.answer.citations[0].source == "ocr"
    assert sum(ran.obeyed() for ran in every) > 0, "an order that is not read shows nothing"
