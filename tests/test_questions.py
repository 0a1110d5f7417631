"""Question files: what is read, and that each fault names file, line and field."""

import json
from pathlib import Path

import pytest

from pagehop.errors import ConfigError
from pagehop.evaluation.questions import load_questions, tagged

FULL = {
    "id": "q1",
    "question": "Who audits Orrin?",
    "answers": ["Braga LLP"],
    "documents": ["Orrin 2022.pdf"],
    "evidence": [{"document": "Orrin 2022.pdf", "page": 3, "boxes": [[0.1, 0.2, 0.5, 0.3]]}],
    "answerable": True,
    "scope": None,
    "tags": {"set": "own", "hops": 1, "note": None},
}


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_a_file_or_its_folder_is_read(tmp_path: Path) -> None:
    bare = {"id": "q2", "question": "Why?", "answerable": None, "scope": ["a.pdf", "b.pdf"]}
    path = write(tmp_path / "questions.jsonl", FULL, "", bare)
    first, second = load_questions(path)
    assert load_questions(tmp_path) == [first, second]
    assert first.gold == {("Orrin 2022.pdf", 3)}
    assert first.evidence[0].boxes == ((0.1, 0.2, 0.5, 0.3),)
    assert first.given == ("Orrin 2022.pdf",), "without a scope, the gold documents are given"
    assert second.given == ("a.pdf", "b.pdf") and second.gold == frozenset()
    assert tagged([first, second], set="own", hops=1) == [first]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: Invalid JSON"),
        ([1], "line 2: Input should be an object"),
        ({"id": "q2"}, "line 2: question: Field required"),
        ({**FULL, "id": ""}, "line 2: id: String should have at least 1"),
        ({**FULL, "id": "q2", "answer": "x"}, "line 2: answer: Extra inputs"),
        ({**FULL, "id": "q2", "evidence": [{"document": "a", "page": 0}]}, "evidence.0.page"),
        ({**FULL, "id": "q2", "answerable": "perhaps"}, "line 2: answerable"),
        (FULL, "line 2: the id 'q1' was there before"),
    ],
)
def test_a_fault_names_its_line(tmp_path: Path, line: object, message: str) -> None:
    path = write(tmp_path / "questions.jsonl", FULL, line)
    with pytest.raises(ConfigError, match=message) as caught:
        load_questions(path)
    assert str(path) in str(caught.value)


def test_files_that_are_missing_empty_or_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_questions(tmp_path / "nowhere.jsonl")
    with pytest.raises(ConfigError, match="holds no question"):
        load_questions(write(tmp_path / "empty.jsonl", "", "  "))
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_questions(tmp_path / "binary.jsonl")


def test_a_byte_order_mark_and_line_separators_inside_a_text_do_no_harm(tmp_path: Path) -> None:
    line = json.dumps({"id": "q1", "question": "Why\u2028so\x85late?"}, ensure_ascii=False)
    path = tmp_path / "questions.jsonl"
    path.write_text(f"\ufeff{line}\r\n", encoding="utf-8", newline="")
    (question,) = load_questions(path)
    assert question.question == "Why\u2028so\x85late?"
