"""Each public form in a small folder of our own, and what is said of rows that are wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pagehop.errors import ConfigError
from pagehop.evaluation.overlap import duplicates, overlap
from pagehop.evaluation.public_sets import QuestionSet, read_hub, read_set
from pagehop.evaluation.questions import Question


def lines(path: Path, *records: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records))


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-1.4")


def pages(question: Question) -> list[tuple[str, int]]:
    return [(gold.document, gold.page) for gold in question.evidence]


MMLONG = {
    "doc_id": "a.pdf",
    "doc_type": "Brochure",
    "question": "Which two?",
    "answer": "['x', 'y']",
    "evidence_pages": "[3, 5]",
    "evidence_sources": "['Chart', 'Table']",
    "answer_format": "List",
}


def mmlongbench(root: Path) -> None:
    touch(root / "data" / "documents" / "a.pdf")
    refused = {
        **MMLONG,
        "answer": "Not answerable",
        "evidence_pages": "[]",
        "answer_format": "None",
    }
    (root / "data" / "samples.json").write_text(json.dumps([MMLONG, refused]))


def mmdocir(root: Path) -> None:
    touch(root / "documents" / "a.pdf")
    box = {"page": 4, "page_size": [600.0, 800.0], "bbox": [60, 200, 300, 900]}
    asked = {
        "Q": "How many?",
        "A": "8",
        "page_id": [4, 6],
        "type": "['Chart']",
        "layout_mapping": [box],
    }
    lines(
        root / "dataset" / "MMDocIR_annotations.jsonl",
        {"doc_name": "a.pdf", "domain": "News", "questions": [asked, {**asked, "Q": "Why?"}]},
    )


def financebench(root: Path) -> None:
    touch(root / "pdfs" / "ACME_2018_10K.pdf")
    row = {
        "financebench_id": "fb_1",
        "doc_name": "ACME_2018_10K",
        "question": "Capex?",
        "answer": "$1.5",
        "question_type": "metrics-generated",
        "question_reasoning": None,
        "evidence": [{"doc_name": "ACME_2018_10K", "evidence_page_num": 59}],
    }
    lines(root / "data" / "financebench_open_source.jsonl", row)


def m3docvqa(root: Path) -> None:
    touch(root / "splits" / "pdfs_dev" / "d1.pdf", root / "splits" / "pdfs_dev" / "d2.pdf")
    row = {
        "qid": "m1",
        "question": "Which?",
        "answers": [{"answer": "red"}, {"answer": 7}],
        "metadata": {"type": "Compose(TextQ,ImageQ)", "modalities": ["text", "image"]},
        "supporting_context": [{"doc_id": "d1"}, {"doc_id": "d2"}, {"doc_id": "d1"}],
    }
    lines(root / "multimodalqa" / "MMQA_dev.jsonl", row)


def vidoseek(root: Path) -> None:
    touch(root / "vidoseek_pdf_document" / "deck.pdf")
    row = {
        "uid": "u1",
        "query": "When?",
        "reference_answer": "2017",
        "meta_info": {
            "file_name": "deck.pdf",
            "reference_page": [10],
            "source_type": "Text",
            "query_type": "Multi-Hop",
        },
    }
    (root / "vidoseek.json").write_text(json.dumps({"examples": [row]}))


def longdocurl(root: Path) -> None:
    touch(root / "pdfs" / "4000-4999" / "4055.pdf")
    row = {
        "question_id": "free_1",
        "doc_no": "4055",
        "question": "How many?",
        "answer": 5,
        "evidence_pages": [54],
        "evidence_sources": ["Table"],
        "answer_format": "Integer",
        "task_tag": "Reasoning",
    }
    several = {**row, "question_id": "free_2", "answer": ["a", "b"], "answer_format": "List"}
    lines(root / "data" / "LongDocURL.jsonl", row, several)


def m3sciqa(root: Path) -> None:
    touch(root / "papers" / "2310.1.pdf", root / "papers" / "2309.2.pdf")
    row = {
        "question": "Consider the paper that scores 2. Why?",
        "answer": "So.",
        "figure": "f.png",
        "anchor_arxiv_id": "2310.1",
        "reference_arxiv_id": "2309.2",
        "anchor_reasoning_type": "Location",
        "reference_reasoning_type": "Analysis",
    }
    lines(root / "data" / "combined_val.jsonl", row)


def slidevqa(root: Path) -> None:
    deck = root / "images" / "dev" / "my-deck_95"
    touch(*(deck / f"slide_{n}_1024.jpg" for n in (1, 2, 10)))
    row = {
        "deck_name": "my-deck_95",
        "qa_id": 7,
        "question": "Total?",
        "answer": "7",
        "evidence_pages": [2, 10],
        "reasoning_type": "Multi-Hop",
        "answer_type": "Numeric",
    }
    lines(root / "annotations" / "qa" / "dev.jsonl", row)


def mp_docvqa(root: Path) -> None:
    touch(root / "images" / "doc_p4.jpg", root / "images" / "doc_p5.jpg")
    row = {
        "questionId": 49,
        "question": "Date?",
        "doc_id": "doc",
        "page_ids": ["doc_p4", "doc_p5"],
        "answers": ["May 1", "1 May"],
        "answer_page_idx": 1,
        "data_split": "val",
    }
    (root / "val.json").write_text(json.dumps({"dataset_name": "MP-DocVQA", "data": [row]}))


def docbench(root: Path) -> None:
    touch(root / "data" / "0" / "paper.pdf")
    row = {"question": "Which?", "answer": "This", "type": "text-only", "evidence": "..."}
    unanswerable = {**row, "question": "Who?", "answer": "Not mentioned", "type": "una-web"}
    lines(root / "data" / "0" / "0_qa.jsonl", row, unanswerable)


def uda(root: Path) -> None:
    docs = root / "dataset" / "src_doc_files"
    touch(docs / "tat_docs" / "b_2019.pdf", docs / "paper_docs" / "1912.01214.pdf")
    qa = root / "dataset" / "qa"
    lines(
        qa / "tat_qa.csv",
        "doc_name|q_uid|question|answer|answer_type|answer_scale",
        "b_2019|t1|Which low?|\"['5.99', '4.79']\"|multi-span|",
        "b_2019|t2|Net?|['12']|span|million",
    )
    lines(
        qa / "paper_tab_qa.csv",
        "doc_name|q_uid|question|answer_1|answer_2|answer_3",
        '1912.01214|p1|Which?|"De\nEn"|En| ',
    )


def hotpotqa(root: Path) -> None:
    row = {
        "_id": "h1",
        "question": "Who?",
        "answer": "Ann",
        "type": "bridge",
        "level": "hard",
        "supporting_facts": [["Ann B.", 0], ["Film", 1]],
        "context": [["Film", ["A film.", "By Ann."]], ["Ann B.", ["She."]], ["Other", ["No."]]],
    }
    (root / "hotpot_dev_distractor_v1.json").write_text(json.dumps([row]))


def musique(root: Path) -> None:
    parts = [
        {"idx": 0, "title": "Lyon", "paragraph_text": "A city.", "is_supporting": True},
        {"idx": 1, "title": "Lyon", "paragraph_text": "A river.", "is_supporting": False},
    ]
    row = {
        "id": "2hop__1",
        "paragraphs": parts,
        "question": "Where?",
        "answer": "France",
        "answer_aliases": ["FR"],
        "answerable": True,
        "question_decomposition": [{}, {}],
    }
    unanswerable = {**row, "id": "2hop__2", "answerable": False}
    lines(root / "data" / "musique_full_v1.0_dev.jsonl", row, unanswerable)


def real_mm_rag(root: Path) -> None:
    touch(root / "images" / "r_page_3.png", root / "images" / "r_page_4.png")
    rows = [
        {
            "id": 1,
            "query": "Revenue?",
            "answer": "5",
            "image_filename": "r_page_3.png",
            "rephrase_level_1": "Sales?",
            "rephrase_level_2": None,
            "rephrase_level_3": "Income?",
        },
        {
            "id": 2,
            "query": None,
            "answer": None,
            "image_filename": "r_page_4.png",
            "rephrase_level_1": None,
            "rephrase_level_2": None,
            "rephrase_level_3": None,
        },
    ]
    (root / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), root / "data" / "test-00000-of-00001.parquet")


def made(root: Path, make: Callable[[Path], None]) -> QuestionSet:
    make(root)
    found = read_set(root)
    assert found.faults == ()
    return found


def test_mmlongbench_doc(tmp_path: Path) -> None:
    found = made(tmp_path, mmlongbench)
    first, refused = found.questions
    assert (found.name, found.documents) == ("mmlongbench-doc", tmp_path / "data" / "documents")
    assert (first.id, first.answers, pages(first)) == (
        "q1",
        ("['x', 'y']",),
        [("a.pdf", 3), ("a.pdf", 5)],
    )
    assert first.tags == {"format": "List", "type": "Chart, Table", "domain": "Brochure"}
    assert first.scope == ("a.pdf",)
    assert refused.answerable is False and refused.answers == () and refused.evidence == ()


def test_mmdocir_counts_pages_from_0_and_gives_boxes_as_fractions(tmp_path: Path) -> None:
    first, second = made(tmp_path, mmdocir).questions
    assert pages(first) == [("a.pdf", 5), ("a.pdf", 7)]
    assert first.evidence[0].boxes == ((0.1, 0.25, 0.5, 1.0),)
    assert first.evidence[1].boxes == ()
    assert (first.id, second.id) == ("a.pdf-0", "a.pdf-1")


def test_financebench_counts_pages_from_0(tmp_path: Path) -> None:
    (question,) = made(tmp_path, financebench).questions
    assert pages(question) == [("ACME_2018_10K.pdf", 60)]
    assert question.tags == {"type": "metrics-generated"}


def test_m3docvqa_knows_documents_only(tmp_path: Path) -> None:
    (question,) = made(tmp_path, m3docvqa).questions
    assert question.documents == ("d1.pdf", "d2.pdf") and question.evidence == ()
    assert question.answers == ("['red', '7']",) and question.scope is None


def test_vidoseek_searches_all_documents(tmp_path: Path) -> None:
    (question,) = made(tmp_path, vidoseek).questions
    assert pages(question) == [("deck.pdf", 10)] and question.scope is None


def test_longdocurl(tmp_path: Path) -> None:
    single, several = made(tmp_path, longdocurl).questions
    assert pages(single) == [("4000-4999/4055.pdf", 54)]
    assert (single.answers, single.tags["format"]) == (("5",), "Int")
    assert several.answers == ("['a', 'b']",)


def test_m3sciqa_asks_for_two_papers(tmp_path: Path) -> None:
    (question,) = made(tmp_path, m3sciqa).questions
    assert question.documents == ("2310.1.pdf", "2309.2.pdf")


def test_slidevqa_slides_are_documents(tmp_path: Path) -> None:
    (question,) = made(tmp_path, slidevqa).questions
    assert pages(question) == [
        ("dev/my-deck_95/slide_2_1024.jpg", 1),
        ("dev/my-deck_95/slide_10_1024.jpg", 1),
    ]
    assert question.scope is not None and len(question.scope) == 3


def test_mp_docvqa_pages_are_documents(tmp_path: Path) -> None:
    (question,) = made(tmp_path, mp_docvqa).questions
    assert pages(question) == [("doc_p5.jpg", 1)]
    assert question.scope == ("doc_p4.jpg", "doc_p5.jpg") and question.id == "49"


def test_docbench(tmp_path: Path) -> None:
    first, second = made(tmp_path, docbench).questions
    assert (first.id, first.documents) == ("0-1", ("0/paper.pdf",))
    assert second.answerable is False and second.answers == ()


def test_uda_reads_all_its_parts(tmp_path: Path) -> None:
    paper, several, single = made(tmp_path, uda).questions
    assert paper.answers == ("De\nEn", "En") and paper.documents == ("paper_docs/1912.01214.pdf",)
    assert several.answers == ("['5.99', '4.79']",) and several.tags["format"] == "List"
    assert single.answers == ("12 million",)


def test_hotpotqa_makes_documents_of_paragraphs(tmp_path: Path) -> None:
    found = made(tmp_path, hotpotqa)
    (question,) = found.questions
    assert found.documents is None and found.texts.write(tmp_path / "texts") == 3
    assert question.scope is not None and len(question.scope) == 3
    assert {name.partition("-")[0] for name in question.documents} == {"Film", "Ann_B"}
    film = next(name for name in question.documents if name.startswith("Film"))
    assert (tmp_path / "texts" / film).read_text() == "Film\n\nA film. By Ann.\n"


def test_2wiki_and_mp_docvqa_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    hotpotqa(tmp_path)
    (tmp_path / "hotpot_dev_distractor_v1.json").rename(tmp_path / "dev.json")
    assert read_set(tmp_path).name == "hotpotqa"


def test_musique_paragraphs_of_one_title_stay_apart(tmp_path: Path) -> None:
    found = made(tmp_path, musique)
    first, second = found.questions
    assert first.scope is not None and len(first.scope) == 2 == len(found.texts.by_name)
    assert len(first.documents) == 1 and first.answers == ("France", "FR")
    assert second.answerable is False and second.documents == ()


def test_real_mm_rag_asks_in_several_phrasings(tmp_path: Path) -> None:
    found = made(tmp_path, real_mm_rag)
    assert [q.tags["type"] for q in found.questions] == ["rephrase 0", "rephrase 1", "rephrase 3"]
    assert pages(found.questions[0]) == [("r_page_3.png", 1)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"question": None}, "item 1: question: the field is missing"),
        ({"question": " "}, "item 1: question: it is empty"),
        ({"question": {}}, "item 1: question: {} is no text"),
        ({"doc_id": "b.pdf"}, "item 1: the file 'b.pdf' is not in"),
        ({"evidence_pages": "[0]"}, "item 1: evidence_pages: '0' is no page number"),
        ({"evidence_pages": "os.getcwd()"}, "item 1: evidence_pages: 'os.getcwd()' is no list"),
        ({"evidence_pages": ["x"]}, "item 1: evidence_pages: 'x' is no page number"),
    ],
)
def test_a_wrong_row_is_named_and_the_rest_is_read(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    touch(tmp_path / "documents" / "a.pdf")
    samples = tmp_path / "samples.json"
    samples.write_text(json.dumps([{**MMLONG, **change}, MMLONG, ["no"]]))
    found = read_set(tmp_path)
    assert [q.id for q in found.questions] == ["q2"]
    assert reason in str(found.faults[0]) and str(samples) in str(found.faults[0])
    assert str(found.faults[1]).endswith("item 3: no JSON object")


def test_broken_lines_short_rows_and_repeated_ids_are_faults(tmp_path: Path) -> None:
    uda(tmp_path)
    path = tmp_path / "dataset" / "qa" / "tat_qa.csv"
    path.write_text(path.read_text() + "\nb_2019|t1|Again?|['1']|span|million\nb_2019|short\n")
    faults = read_set(tmp_path).faults
    assert [f.where.rpartition("/")[2] for f in faults] == [
        "tat_qa.csv, line 4",
        "tat_qa.csv, line 5",
    ]
    assert "the id 'tat-t1' was there before" in faults[0].reason
    assert "it has not 6 cells" in faults[1].reason
    financebench(tmp_path / "fb")
    lines(tmp_path / "fb" / "data" / "financebench_open_source.jsonl", "{", json.dumps({"a": 1}))
    with pytest.raises(ConfigError, match=r"gives no question.*line 1: invalid JSON"):
        read_set(tmp_path / "fb")


def test_folders_that_are_no_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder of a known question set; known are mmlong"):
        read_set(tmp_path)
    with pytest.raises(ConfigError, match=r"it should hold data/samples\.json"):
        read_set(tmp_path, "mmlongbench-doc")
    with pytest.raises(ConfigError, match="is no folder"):
        read_set(tmp_path / "nowhere")
    (tmp_path / "samples.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds no list"):
        read_set(tmp_path)
    (tmp_path / "h").mkdir()
    hotpotqa(tmp_path / "h")
    with pytest.raises(ConfigError, match=r"\(split 'train'\)"):
        read_set(tmp_path / "h", split="train")


def test_the_hub_gives_the_same_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`datasets` is stood in for: there is no network in tests."""
    mmlongbench(tmp_path)
    from_folder = read_set(tmp_path).questions
    rows = json.loads((tmp_path / "data" / "samples.json").read_text())
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match="pip install datasets"):
        read_hub("yubo2333/MMLongBench-Doc", tmp_path)
    stand_in = ModuleType("datasets")
    stand_in.load_dataset = lambda name, split: rows  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", stand_in)
    found = read_hub("yubo2333/MMLongBench-Doc", tmp_path, split="train")
    assert found.questions == from_folder
    with pytest.raises(ConfigError, match="no form is known for 'some/other'"):
        read_hub("some/other", tmp_path)


def asked(id: str, text: str, **more: Any) -> Question:
    return Question(id=id, question=text, **more)


def test_duplicates_are_found_within_the_same_documents() -> None:
    long = "What was the capital expenditure of the northern plant in the year 2021?"
    questions = [
        asked("a", long, answers=("5",)),
        asked(
            "b", "what was the CAPITAL expenditure of northern plant in year 2021", answers=("5",)
        ),
        asked("c", long, scope=("other.pdf",)),
        asked("d", "What was the capital expenditure of the southern plant in the year 2021?"),
        asked("e", "Revenue?"),
        asked("f", "revenue"),
    ]
    assert [(p.first, p.second, p.similarity, p.same_answer) for p in duplicates(questions)] == [
        ("a", "b", 1.0, True),
        ("e", "f", 1.0, False),
    ]


def test_overlap_names_test_questions_that_were_trained_on() -> None:
    train = [
        asked(
            "t1", "Which of the two companies was founded first in Lyon, Braga or Orrin Holdings?"
        ),
        asked("t2", "Who wrote it?"),
    ]
    test = [
        asked("x1", "Which of the two companies was founded first in Lyon, Braga or Orrin?"),
        asked("x2", "Which of the many rivers crosses the border first?"),
    ]
    (pair,) = overlap(test, train)
    assert (pair.first, pair.second) == ("x1", "t1") and 0.8 <= pair.similarity < 1
    assert overlap(test, train, near=0.95) == []
