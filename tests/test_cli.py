"""The command line on real small folders: output, JSON, exit codes, wrong input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pymupdf
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import Relation

PAGEHOP = (sys.executable, "-m", "pagehop.interfaces.cli")
HALDEN = "Halden_2021_annual_report"
QUESTION = "What was the capital expenditure of Halden Marine in 2021?"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def read_json(*arguments: str | Path, code: int = 0) -> Any:
    """Run a command with --json and return what standard output holds, all of it."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def folder(library: Library) -> Path:
    """A library of the four reports, for commands that only read."""
    return library.path.parent


@pytest.fixture
def reports(pdf_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A plain folder of two reports, not yet indexed."""
    made = tmp_path / "reports"
    made.mkdir()
    for name in ("Halden 2021 annual report.pdf", "Orrin 2021 annual report.pdf"):
        shutil.copy(pdf_folder / name, made)
    yield made


@pytest.fixture
def own(library: Library, tmp_path: Path) -> Path:
    """A copy of the library of the four reports, for commands that write."""
    made = tmp_path / "own"
    shutil.copytree(library.path.parent, made)
    return made


def test_ask_indexes_a_plain_folder_and_prints_a_cited_answer(reports: Path) -> None:
    result = run("ask", reports, QUESTION)
    assert result.exit_code == 0, result.output
    assert "57.3" in result.stdout
    assert f"{HALDEN}:" in result.stdout and "Halden 2021 annual report.pdf, page" in result.stdout
    assert "indexed 2 new" in result.stderr
    assert "search" in result.stderr, "the calls of the run are told"
    assert "search(" not in result.stdout


def test_ask_json_is_one_document_with_citations(reports: Path) -> None:
    found = read_json("ask", reports, QUESTION)
    assert {"answer", "status", "citations", "usage", "warnings", "trajectory"} <= set(found)
    assert found["status"] == "answered" and "57.3" in found["answer"]
    citation = found["citations"][0]
    assert set(citation) == {"document", "name", "page", "box", "quote", "verified", "source"}
    assert citation["name"] == HALDEN and citation["verified"] is True
    assert Path(found["trajectory"]).exists()


def test_ask_says_what_was_deleted_and_what_is_damaged(reports: Path) -> None:
    read_json("add", reports, reports)
    (reports / "Orrin 2021 annual report.pdf").unlink()
    (reports / "broken.pdf").write_bytes(b"%PDF-1.7\nnot much else")
    found = read_json("ask", reports, QUESTION)
    assert any("Orrin 2021" in w and "gone" in w for w in found["warnings"])
    assert any("broken.pdf" in w for w in found["warnings"])
    assert found["status"] == "answered"
    assert [d["source"] for d in read_json("documents", reports)] == [
        "Halden 2021 annual report.pdf"
    ]


def test_ask_saves_the_cited_crops(folder: Path, tmp_path: Path) -> None:
    found = read_json("ask", folder, QUESTION, "--crops", tmp_path / "crops")
    assert found["crops"] and len(found["crops"]) == len(found["citations"])
    for file in found["crops"]:
        with Image.open(file) as image:
            assert image.format == "PNG" and image.width > 600


def test_what_is_not_in_the_documents_ends_with_0(folder: Path) -> None:
    found = read_json("ask", folder, "How many satellites did Zephyr Orbital launch in 2031?")
    assert found["status"] == "unanswerable" and not found["citations"]


def test_a_run_that_cannot_finish_ends_with_1(folder: Path) -> None:
    result = run("ask", folder, QUESTION, "--max-seconds", "0.001", "--json")
    found = json.loads(result.stdout)
    assert found["status"] in ("exhausted", "failed") and result.exit_code == 1
    assert not found["citations"]


def test_ask_sees_only_what_the_labels_allow(reports: Path) -> None:
    halden = reports / "Halden 2021 annual report.pdf"
    read_json("add", reports, halden, "--labels", "board,finance")
    assert len(read_json("documents", reports)) == 1
    assert read_json("documents", reports, "--labels", "board") == []
    assert len(read_json("documents", reports, "--labels", "board,finance,other")) == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--model", "nobody:model"), "nobody"),
        (("--graph", "nonsense"), "explore"),
        (("--effort", "huge"), "medium"),
        (("--max-steps", "0"), "steps"),
        (("--max-steps", "many"), "integer"),
    ],
)
def test_ask_refuses_wrong_options(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("ask", folder, QUESTION, *arguments)
    assert result.exit_code == 2 and said in result.stderr
    assert "Traceback" not in result.output and not result.stdout


@pytest.mark.parametrize("command", [("ask", "question"), ("search", "words"), ("documents",)])
def test_a_folder_that_does_not_exist_is_wrong_input(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    gone = tmp_path / "gone"
    result = run(command[0], gone, *command[1:])
    assert result.exit_code == 2 and "gone" in result.stderr
    assert not gone.exists(), "a wrong path is not made"


def test_a_folder_without_pdfs_is_wrong_input_and_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.dat").write_text("no document")
    result = run("ask", tmp_path, "question")
    assert result.exit_code == 2 and "no PDF" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["notes.dat"]


def test_a_file_in_place_of_a_folder_is_wrong_input(pdf_folder: Path) -> None:
    result = run("ask", next(pdf_folder.iterdir()), "question")
    assert result.exit_code == 2 and "give the folder it is in" in result.stderr


def test_add_neither_takes_a_file_for_a_library_nor_makes_a_mistyped_folder(
    pdf_folder: Path, tmp_path: Path
) -> None:
    result = run("add", next(pdf_folder.iterdir()))
    assert result.exit_code == 2 and "give the folder it is in" in result.stderr
    gone = tmp_path / "gone"
    result = run("add", gone)
    assert result.exit_code == 2 and "there is no folder" in result.stderr
    assert not gone.exists()


def test_a_page_without_words_says_so(tmp_path: Path) -> None:
    with pymupdf.open() as blank:
        blank.new_page()
        blank.new_page().insert_text((72, 72), "The mill closed in 1987.")
        blank.save(tmp_path / "blank.pdf")
    assert run("add", tmp_path).exit_code == 0
    result = run("page", tmp_path, "blank:1")
    assert result.exit_code == 0 and result.stdout == "" and "no text here" in result.stderr
    assert "1 document, 2 of 2 pages read" in run("status", tmp_path).stdout


def test_an_empty_question_is_wrong_input(folder: Path) -> None:
    result = run("ask", folder, "  ")
    assert result.exit_code == 2 and "no text" in result.stderr


def test_add_reports_each_file_and_fails_when_one_failed(reports: Path) -> None:
    (reports / "cut.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<<")
    (reports / "note.pdf").write_text("only called a PDF")
    report = read_json("add", reports, reports, code=1)
    assert len(report["added"]) == 2
    failed = {Path(item["path"]).name: item["reason"] for item in report["failed"]}
    assert set(failed) == {"cut.pdf", "note.pdf"} and failed["note.pdf"].startswith("not a PDF")
    assert {Path(f["path"]).name for f in read_json("status", reports)["failed"]} == set(failed)


def test_add_of_unchanged_files_is_done(own: Path, pdf_folder: Path) -> None:
    report = read_json("add", own, pdf_folder)
    assert len(report["unchanged"]) == 4 and not report["added"]


def test_add_keeps_metadata(own: Path, pdf_folder: Path) -> None:
    read_json("add", own, pdf_folder, "--metadata", "year=2021", "--metadata", "kind=annual")
    document = read_json("documents", own)[0]
    assert document["metadata"] == {"year": 2021, "kind": "annual"}


def test_add_refuses_a_source_that_does_not_exist(folder: Path) -> None:
    result = run("add", folder, folder / "gone.pdf")
    assert result.exit_code == 2 and "gone.pdf" in result.stderr


def test_add_refuses_metadata_without_a_value(folder: Path, pdf_folder: Path) -> None:
    result = run("add", folder, pdf_folder, "--metadata", "year")
    assert result.exit_code == 2 and "KEY=VALUE" in result.stderr


def test_a_password_is_never_printed(
    own: Path, pdf_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_PDF_PASSWORD", "hunter2-secret")
    for result in (run("add", "--help"), run("add", own, pdf_folder), run("add", own, "gone")):
        assert "hunter2" not in result.output


def test_search_lists_pages_with_their_boxes(folder: Path) -> None:
    hits = read_json("search", folder, "capital expenditure Halden 2021", "-k", "3")
    assert 1 <= len(hits) <= 3
    assert set(hits[0]) == {
        "document", "name", "page", "score", "box", "kind", "text", "found_by", "ranks", "source",
        "why",
    }  # fmt: skip
    assert hits[0]["name"] == HALDEN
    assert [h["score"] for h in hits] == sorted((h["score"] for h in hits), reverse=True)
    result = run("search", folder, "capital expenditure Halden 2021")
    assert f"{HALDEN}:" in result.stdout


def test_search_keeps_to_named_documents(folder: Path) -> None:
    hits = read_json("search", folder, "capital expenditure", "--documents", HALDEN)
    assert {hit["name"] for hit in hits} == {HALDEN}


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--documents", "Haldn_2021_annual_report"), HALDEN),
        (("--kinds", "poem"), "poem"),
        (("--mode", "magic"), "hybrid"),
        (("-k", "0"), "greater than"),
    ],
)
def test_search_refuses_wrong_options(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("search", folder, "revenue", *arguments)
    assert result.exit_code == 2 and said in result.stderr and "Traceback" not in result.output


def test_page_prints_text_and_the_words_in_a_box(folder: Path) -> None:
    whole = run("page", folder, f"{HALDEN}:2")
    assert "Capital expenditure 57.3 49.8" in whole.stdout
    part = run("page", folder, f"{HALDEN}:2", "--box", "0,0,1,0.15")
    assert "2. Results" in part.stdout and "57.3" not in part.stdout


def test_page_saves_a_crop(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "crop.png"
    saved = read_json("page", folder, f"{HALDEN}:2", "--box", "0.1,0.1,0.9,0.3", "--out", out)
    with Image.open(out) as image:
        assert image.size == (saved["width_px"], saved["height_px"])
        assert abs(image.width / image.height - 0.8 * 595 / (0.2 * 842)) < 0.1


def test_page_outlines_regions(folder: Path, tmp_path: Path) -> None:
    plain, outlined = tmp_path / "plain.png", tmp_path / "outlined.png"
    run("page", folder, f"{HALDEN}:2", "--out", plain)
    found = read_json("page", folder, f"{HALDEN}:2", "--regions", "--out", outlined)
    assert found["regions"] and {"kind", "box", "text"} <= set(found["regions"][0])
    assert outlined.read_bytes() != plain.read_bytes()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("nonsense",), "name:page"),
        ((f"{HALDEN}:0",), "page 0 does not exist"),
        ((f"{HALDEN}:p41",), "no page of"),
        ((f"{HALDEN}:41",), "4 pages"),
        (("nobody:1",), "nobody"),
        ((f"{HALDEN}:1", "--box", "1,2,3"), "x0,y0,x1,y1"),
        ((f"{HALDEN}:1", "--box", "0.5,0.1,0.2,0.4"), "fractions"),
        ((f"{HALDEN}:1", "--box", "nan,0,1,1"), "fractions"),
        ((f"{HALDEN}:1", "--out", "picture.poem"), ".png"),
        ((f"{HALDEN}:1", "--out", "/dev/null/x.png"), "cannot save"),
    ],
)
def test_page_refuses_wrong_input(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("page", folder, *arguments)
    assert result.exit_code == 2 and said in result.stderr and "Traceback" not in result.output


def test_walk_shows_the_words_that_justify_an_edge(folder: Path) -> None:
    paths = read_json("walk", folder, f"{HALDEN}:1", "--relations", "refers_to")
    ends = {path["end"]: path["edges"][0]["words"] for path in paths}
    assert "Table 1" in ends[f"{HALDEN}:2"]
    result = run("walk", folder, f"{HALDEN}:1", "--relations", "refers_to")
    assert "refers_to" in result.stdout and "Table 1" in result.stdout


@pytest.mark.parametrize("relation", get_args(Relation))
def test_walk_follows_each_relation_alone(folder: Path, relation: str) -> None:
    arguments = ("walk", folder, f"{HALDEN}:2", "--relations", relation)
    edges = [edge for path in read_json(*arguments) for edge in path["edges"]]
    assert {edge["relation"] for edge in edges} <= {relation}
    shown = run(*arguments).stdout
    assert all(edge["target"] in shown and edge["words"] for edge in edges)
    if relation in ("next", "previous", "refers_to", "similar"):
        assert edges


def test_walk_says_what_it_cannot_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(View, "encoder", None)
    result = run("walk", folder, f"{HALDEN}:1", "--query", "debt")
    assert result.exit_code == 0 and "no encoder" in result.stderr


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((f"{HALDEN}:1", "--relations", "likes"), "refers_to"),
        ((f"{HALDEN}:9",), "4 pages"),
        ((f"{HALDEN}:1", "--hops", "0"), "greater than"),
    ],
)
def test_walk_refuses_wrong_input(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("walk", folder, *arguments)
    assert result.exit_code == 2 and said in result.stderr and "Traceback" not in result.output


def test_remove_takes_a_document_out(own: Path) -> None:
    removed = read_json("remove", own, HALDEN)
    assert removed["name"] == HALDEN
    names = [document["name"] for document in read_json("documents", own)]
    assert len(names) == 3 and HALDEN not in names


def test_what_was_removed_is_not_asked_again(reports: Path) -> None:
    assert run("ask", reports, QUESTION).exit_code == 0
    result = run("remove", reports, "Halden 2021 annual report.pdf")
    assert "removed Halden 2021 annual report.pdf" in result.stdout
    assert "stays out" in result.stderr
    asked = read_json("ask", reports, QUESTION)
    assert not any("Halden" in citation["document"] for citation in asked["citations"])
    assert len(read_json("documents", reports)) == 1
    added = run("add", reports, reports)
    assert "left out Halden 2021 annual report.pdf, as it was removed" in added.stdout
    assert run("add", reports, reports / "Halden 2021 annual report.pdf").exit_code == 0
    assert len(read_json("documents", reports)) == 2


def test_remove_of_an_unknown_document_names_the_nearest(folder: Path) -> None:
    result = run("remove", folder, "Halden_2021_anual_report")
    assert result.exit_code == 2 and HALDEN in result.stderr


def test_check_finds_nothing_in_a_sound_library(folder: Path) -> None:
    assert read_json("check", folder)["ok"] is True


def test_check_of_a_damaged_library_ends_with_1(own: Path) -> None:
    source = next((own / ".pagehop" / "sources").glob("*.pdf"))
    source.chmod(0o600)
    source.write_bytes(b"%PDF-1.7 not what it was")
    found = read_json("check", own, "--no-repair", code=1)
    assert found["ok"] is False and found["problems"]


def test_documents_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    with pymupdf.open() as file:
        file.new_page().insert_text((72, 72), "Plain words.")
        file.set_metadata({"title": "Title \x1b]0;owned\x07 \x1b[2J end"})
        file.save(tmp_path / "a.pdf")
    assert run("add", tmp_path, tmp_path).exit_code == 0
    result = run("documents", tmp_path)
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout


def test_nothing_but_the_result_reaches_a_pipe(folder: Path) -> None:
    done = subprocess.run(
        [*PAGEHOP, "search", str(folder), "revenue", "--json"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)
    assert done.stderr == ""


def test_ctrl_c_leaves_a_usable_library(pdf_folder: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for i in range(40):
        for source in sorted(pdf_folder.glob("*.pdf")):
            copy = many / f"{i} {source.name}"
            copy.write_bytes(source.read_bytes() + f"\n% copy {i}".encode())
    process = subprocess.Popen(
        [*PAGEHOP, "add", str(many), str(many)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    manifest = many / ".pagehop" / "manifest.json"
    wait_until = time.monotonic() + 60
    while not manifest.exists() and process.poll() is None and time.monotonic() < wait_until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Stopped" in stderr and "Traceback" not in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert read_json("check", many)["ok"] is True


def test_add_without_sources_indexes_the_folder_itself(reports: Path) -> None:
    assert len(read_json("add", reports)["added"]) == 2


def test_a_folder_of_which_no_file_can_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "note.pdf").write_text("only called a PDF")
    result = run("ask", tmp_path, QUESTION)
    assert result.exit_code == 2
    assert "the only file cannot be read" in result.stderr and "note.pdf" in result.stderr
    found = run("search", tmp_path, "revenue")
    assert found.exit_code == 0 and "no document can be seen" in found.stderr


def test_an_empty_search_is_wrong_input(folder: Path) -> None:
    result = run("search", folder, " ")
    assert result.exit_code == 2 and "query is empty" in result.stderr
