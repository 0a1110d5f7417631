"""`pagehop demo`: the examples indexed, asked and cited, with pictures to look at."""

from pathlib import Path
from shutil import copy

import pytest
from PIL import Image

from pagehop.interfaces.demo import QUESTIONS, find_examples, run_demo
from pagehop.interfaces.terminal import DONE, FAILED, WRONG_INPUT

DOCUMENTS = Path(__file__).parent.parent / "examples" / "documents"
SHORT = "Within how many days must a critical finding be corrected under the Supplier Code?"

NO_ANSWER = "How many dolphins live in the harbour of Valparaiso?"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two of the example documents."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("SC-2023-04_Supplier_Code.pdf", "Press_Release_2023-06-14_Corvane.pdf"):
        copy(DOCUMENTS / name, folder)
    return folder


def test_the_demo_answers_with_citations_saves_their_crops_and_can_be_repeated(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_demo(out, documents=few, questions=[SHORT]) == DONE
    printed = capsys.readouterr().out
    assert "Indexed 2 of 2 documents" in printed
    assert "30 days" in printed and "SC-2023-04_Supplier_Code.pdf, page 2" in printed
    assert "1 of 1 questions answered with verified citations" in printed
    pictures = sorted(out.glob("*.png"))
    assert pictures and str(out) in printed
    assert pictures[0].name == "1-1_SC-2023-04_Supplier_Code_page_2.png"
    with Image.open(pictures[0]) as picture:
        assert picture.width >= 600 and picture.height >= 80
        colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
    assert colours is not None and len(colours) > 2

    # A second demo finds its library; a question without an answer makes it fail.
    assert run_demo(out, documents=few, questions=[NO_ANSWER]) == FAILED
    assert "Indexed 0 of 2 documents" in capsys.readouterr().out
    assert sorted(out.glob("*.png")) == pictures


def test_without_examples_the_demo_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    installed = tmp_path / "site-packages" / "pagehop" / "interfaces" / "demo.py"
    assert run_demo(tmp_path / "out", home=installed) == WRONG_INPUT
    told = capsys.readouterr().err
    assert "clone" in told and "pagehop ask" in told
    assert not (tmp_path / "out").exists()


def test_the_examples_are_found_in_the_clone_and_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_examples() == DOCUMENTS.resolve()
    installed = tmp_path / "site-packages" / "pagehop" / "interfaces" / "demo.py"
    monkeypatch.chdir(DOCUMENTS.parent.parent)
    assert find_examples(installed) == Path.cwd() / "examples" / "documents"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_demo_answers_all_three_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo(tmp_path / "out") == DONE
    printed = capsys.readouterr().out
    assert all(question in printed for question in QUESTIONS)
    # Verdicts, not only quotes: who spent more, and by how much the limit was passed.
    assert "Tarnwick: 35.2 against 33.1 (Quellmark), 2.1 more" in printed
    assert "850 more: 1,850" in printed
    for number in range(1, len(QUESTIONS) + 1):
        assert list((tmp_path / "out").glob(f"{number}-*.png"))
