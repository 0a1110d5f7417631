"""The committed example documents and questions, and the generator that writes them."""

import hashlib
import json
import re
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import PIL
import pymupdf
import pytest
import reportlab

EXAMPLES = Path(__file__).parent.parent / "examples"
DOCUMENTS = EXAMPLES / "documents"
UNSEEN = {"figure", "scan"}
"""Types of question whose answers are not in the text layer."""
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (EXAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


def words_of(page: pymupdf.Page) -> str:
    return " ".join(page.get_text().split())


def facts_of(path: Path) -> list[tuple[object, ...]]:
    """Label, text, links and pictures of each page, and the outline: what any version must keep."""
    with pymupdf.open(path) as document:
        pages: list[tuple[object, ...]] = [
            (page.get_label(), words_of(page), len(page.get_links()), len(page.get_images()))
            for page in document
        ]
        return [*pages, tuple(map(tuple, document.get_toc()))]


def versions() -> dict[str, str]:
    return {
        "reportlab": reportlab.Version,
        "pillow": PIL.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, written anew by the generator."""
    out = tmp_path_factory.mktemp("examples")
    script = EXAMPLES / "make_documents.py"
    subprocess.run([sys.executable, str(script), "--out", str(out)], check=True, timeout=100)
    return out


def test_the_generator_writes_what_is_committed(regenerated: Path) -> None:
    names = sorted(path.name for path in DOCUMENTS.glob("*.pdf"))
    assert sorted(path.name for path in (regenerated / "documents").iterdir()) == names
    for name in names:
        assert facts_of(regenerated / "documents" / name) == facts_of(DOCUMENTS / name), name
    assert (regenerated / "questions.jsonl").read_text(encoding="utf-8") == (
        EXAMPLES / "questions.jsonl"
    ).read_text(encoding="utf-8")


def test_the_generator_writes_the_same_bytes_with_the_same_versions(regenerated: Path) -> None:
    made_with = json.loads((EXAMPLES / "made_with.json").read_text(encoding="utf-8"))
    if made_with != versions():
        pytest.skip(f"the committed files were made with {made_with}, here is {versions()}")
    for path in DOCUMENTS.glob("*.pdf"):
        assert digest(regenerated / "documents" / path.name) == digest(path), path.name


def test_the_documents_are_small_and_of_every_kind() -> None:
    paths = list(DOCUMENTS.glob("*.pdf"))
    assert 6 <= len(paths) <= 10
    assert sum(path.stat().st_size for path in paths) < 1_500_000
    labels, scans = set(), 0
    for path in paths:
        with pymupdf.open(path) as document:
            labels |= {page.get_label() for page in document}
            scans += sum(
                not page.get_text().strip() and bool(page.get_images()) for page in document
            )
            assert document.metadata["title"] and document.get_toc()
    assert {"i", "ii", "iii", "1", "16"} <= labels
    assert scans == 1


def test_the_questions_are_of_every_kind() -> None:
    types = Counter(question["tags"]["type"] for question in QUESTIONS)
    assert len(QUESTIONS) >= 30 and len({question["id"] for question in QUESTIONS}) == len(
        QUESTIONS
    )
    assert types["unanswerable"] >= 6 and types.keys() >= UNSEEN | {
        "single", "table", "bridge", "comparison", "arithmetic", "cross-document",
    }  # fmt: skip
    several = [question for question in QUESTIONS if len(question["documents"]) > 1]
    assert len(several) >= 8
    assert all(question["tags"]["hops"] > 1 for question in several)


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if q["answerable"]], ids=lambda question: question["id"]
)
def test_gold_pages_hold_what_the_answer_says(question: dict[str, Any]) -> None:
    assert question["answers"] and question["evidence"]
    text = ""
    for gold in question["evidence"]:
        assert gold["document"] in question["documents"]
        with pymupdf.open(DOCUMENTS / gold["document"]) as document:
            page = document[gold["page"] - 1]
            text += " " + words_of(page)
            if question["tags"]["type"] == "scan":
                assert page.get_images() and not words_of(page)
    if question["tags"]["type"] not in UNSEEN:
        text = text.replace(",", "")
        for number in stated_numbers(question):
            assert number.replace(",", "") in text


def stated_numbers(question: dict[str, Any]) -> list[str]:
    """Numbers that the gold pages must state: of the calculation, or else of the long answer."""
    words = question["tags"].get("calculation", "").removesuffix("* 100") or question["answers"][0]
    return re.findall(r"\d[\d,]*(?:\.\d+)?", words)


@pytest.mark.parametrize(
    "question",
    [q for q in QUESTIONS if "calculation" in q["tags"]],
    ids=lambda question: question["id"],
)
def test_calculations_give_the_answer(question: dict[str, Any]) -> None:
    expression = question["tags"]["calculation"]
    assert re.fullmatch(r"[\d. ()*/+-]+", expression)
    assert f"{eval(expression):.1f}".removesuffix(".0") in question["answers"][0]


def test_unanswerable_questions_have_no_gold() -> None:
    for question in QUESTIONS:
        if not question["answerable"]:
            assert not question["answers"] and not question["evidence"]


def test_printed_references_lead_to_the_page_they_name() -> None:
    """`see Table 6 on page 11` is a link to the page labelled 11, on which Table 6 stands."""
    checked = 0
    with pymupdf.open(DOCUMENTS / "Tarnwick_Annual_Report_2023.pdf") as document:
        for page in document:
            for link in page.get_links():
                words = " ".join(page.get_textbox(link["from"]).split())
                label, found, number = words.strip("(). ").partition(" on page ")
                if not found or not number.isdigit():
                    continue
                target = document[link["page"]]
                assert target.get_label() == number
                assert label in words_of(target)
                checked += 1
    assert checked >= 8
