"""`pagehop evaluate` on four small reports: rows, reports, what is left out, going on again."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from pagehop.agents.prompting import shipped
from pagehop.answers import Answer
from pagehop.errors import ModelError
from pagehop.evaluation.comparison import Results, System, compare
from pagehop.evaluation.question_checks import check_questions
from pagehop.evaluation.questions import GoldPage, Question, read_questions
from pagehop.evaluation.stand_in import content_of, stand_in
from pagehop.evaluation.strategies import list_strategies, score_search
from pagehop.finding.fusion import STRATEGIES
from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.models.stub_endpoint import StubEndpoint
from pagehop.models.stub_personalities import StubReply, StubRequest
from pagehop.trajectories.reading import read_run

HALDEN, ORRIN = "Halden 2021 annual report.pdf", "Orrin 2022 annual report.pdf"
CAPEX = {
    "id": "capex",
    "question": "What was the capital expenditure of Halden Marine in 2021?",
    "answers": ["57.3 million crowns"],
    "documents": [HALDEN],
    "evidence": [{"document": HALDEN, "page": 2}, {"document": HALDEN, "page": 3}],
    "answerable": True,
    "tags": {"type": "number"},
}
SEAT = {
    "id": "seat",
    "question": "Where does Orrin Textiles have its seat?",
    "answers": ["Porto"],
    "documents": [f"reports/{ORRIN}"],
    "evidence": [{"document": ORRIN, "page": 1, "boxes": [[0, 0, 1, 1]]}],
    "answerable": True,
    "scope": [ORRIN],
    "tags": {"type": "words"},
}
ASTEROIDS = {
    "id": "asteroids",
    "question": "How many asteroids did Orrin Textiles mine in 2022?",
    "answerable": False,
    "scope": [ORRIN],
    "tags": {"type": "words"},
}


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    return write(tmp_path / "questions.jsonl", CAPEX, SEAT, ASTEROIDS)


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def evaluate(library: Library, *arguments: str | Path) -> Result:
    command = ["evaluate", str(library.path.parent), *map(str, arguments)]
    return CliRunner().invoke(app, command)


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_rows_are_one_a_graph_and_model(library: Library, asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = evaluate(library, asked, "--out", out, "--graphs", "explore:low,explore", "--json")
    low, medium = rows(result)
    assert list(low) == ["graph", "model", "n", "metrics", "cost"]
    assert (low["graph"], low["model"], low["n"]) == ("explore:low", "builtin", 3)
    assert medium["graph"] == "explore"
    for metric in medium["metrics"].values():
        assert list(metric) == ["value", "low", "high"]
        assert metric["low"] <= metric["value"] <= metric["high"]
    metrics = {name: metric["value"] for name, metric in medium["metrics"].items()}
    assert metrics["accuracy"] == 1 and metrics["refusal_recall"] == 1
    assert metrics["citation_quote_found"] == 1 and metrics["page_hit@5"] == 1
    assert medium["cost"]["tool_calls"] > 0 and medium["cost"]["pages_read"] > 0
    assert medium["cost"]["input_tokens"] == 0, "rules use no tokens"


def test_reports_are_written_beside_the_trajectories(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = evaluate(library, asked, "--out", out)
    assert result.exit_code == 0, result.output
    assert "Answers, scored by rules" in result.stdout and "Where runs fail" in result.stdout
    text = (out / "report.md").read_text()
    assert "| explore, builtin | 3 |" in text and "| right (n 2) |" in text
    assert "## By kind of question: right" in text
    page = (out / "report.html").read_text()
    assert page.count("<svg") >= 3 and str(CAPEX["question"]) in page
    for part in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + part.partition("</svg>")[0] + "</svg>")
    record = json.loads((out / "report.json").read_text())
    assert record["rows"][0]["n"] == 3 and record["left_out"] == []
    (run,) = (out / "runs").iterdir()
    assert f"href='runs/{run.name}/show.html'" in page and (run / "show.html").exists()
    assert {episode.task.task_id for episode in read_run(run).episodes} == {
        "capex", "seat", "asteroids",
    }  # fmt: skip


def test_started_again_it_asks_only_what_is_missing(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = rows(evaluate(library, asked, "--out", out, "--json", "--limit", "2"))
    (run,) = (out / "runs").iterdir()
    done = {episode.episode_id: episode.started for episode in read_run(run).episodes}
    second = evaluate(library, asked, "--out", out, "--json")
    (row,) = rows(second)
    assert "explore, builtin: 2 of 3" in second.stderr and "3 of 3" in second.stderr
    again = {episode.episode_id: episode.started for episode in read_run(run).episodes}
    assert len(done) == 2 and len(again) == 3 and again.items() >= done.items()
    assert row["n"] == 3 and first[0]["n"] == 2
    assert rows(evaluate(library, asked, "--out", out, "--json")) == [row]


def test_ctrl_c_says_that_runs_are_kept(
    library: Library, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It spoke of the library and the next `add`."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pagehop.interfaces.evaluating.evaluate", stopped)
    result = evaluate(library, asked, "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "The runs that ended are kept; the same command goes on." in result.stderr


def test_a_question_that_was_run_with_other_words_is_named(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rows(evaluate(library, asked, "--out", out, "--json"))
    write(asked, CAPEX, SEAT, {**ASTEROIDS, "question": "How many comets did Orrin mine?"})
    result = evaluate(library, asked, "--out", out, "--json")
    assert rows(result)[0]["n"] == 2
    assert "question 'asteroids': it was run with other words" in result.stderr


async def test_what_has_no_record_is_kept_a_line_a_run(view: View, tmp_path: Path) -> None:
    """A line cut off in a crash counts as missing; so does one of other question words."""
    said: list[str] = []
    system = System("closed_book", "m", seeds=2)

    async def ask(system: System, question: Question, seen: View, seed: int) -> Answer:
        said.append(question.id)
        if question.id == "bad":
            raise ModelError("down")
        return Answer(question.question, "Porto", "answered")

    questions = [Question(id="a", question="Where?"), Question(id="bad", question="Why?")]
    first = (await compare([system], questions, view, ask, tmp_path))[system]
    assert [(run.question, run.seed, run.status) for run in first] == [
        ("a", 0, "answered"), ("a", 1, "answered"), ("bad", 0, "failed"), ("bad", 1, "failed"),
    ]  # fmt: skip
    assert first[2].error == "ModelError: down"
    assert (await compare([system], questions, view, ask, tmp_path))[system] == first
    assert len(said) == 4
    (file,) = (tmp_path / "results").iterdir()
    file.write_text("\n".join([*file.read_text().splitlines()[:3], '{"key": "cut o']))
    assert Results.open(file).unreadable == 1
    assert (await compare([system], questions, view, ask, tmp_path))[system] == first
    assert len(said) == 5 and len(Results.open(file).by_key) == 4
    other = [Question(id="a", question="When?")]
    await compare([system], other, view, ask, tmp_path)
    assert len(said) == 7


def test_wrong_questions_are_named_and_the_rest_is_scored(library: Library, tmp_path: Path) -> None:
    asked = write(
        tmp_path / "q.jsonl",
        SEAT,
        '{"id": "broken"',
        {"id": "no text"},
        {**SEAT, "question": "again?"},
        {**SEAT, "id": "elsewhere", "documents": ["Nowhere.pdf"]},
        {**SEAT, "id": "far", "evidence": [{"document": ORRIN, "page": 99}]},
    )
    result = evaluate(library, asked, "--out", tmp_path / "out", "--json")
    (row,) = rows(result)
    assert row["n"] == 1
    assert f"{asked}, line 2: Invalid JSON" in result.stderr
    assert f"{asked}, line 3: question: Field required" in result.stderr
    assert f"{asked}, line 4: the id 'seat' was there before" in result.stderr
    assert "question 'elsewhere': document 'Nowhere.pdf': the library has none" in result.stderr
    assert "question 'far': page 99 of" in result.stderr and "has 4 pages" in result.stderr
    record = json.loads((tmp_path / "out" / "report.json").read_text())
    assert len(record["left_out"]) == 5
    assert "Left out: question 'far'" in (tmp_path / "out" / "report.md").read_text()


def test_a_failed_run_is_kept_with_its_reason(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    model = ("--models", "openai:none", "--base-url", "http://127.0.0.1:9")
    given = (*model, "--max-seconds", "2", "--limit", "1")
    closed, opened = rows(evaluate(library, asked, "--out", out, "--json", *given))
    assert (closed["graph"], opened["graph"]) == ("closed_book", "explore")
    assert closed["metrics"]["failed"]["value"] == opened["metrics"]["failed"]["value"] == 1
    assert opened["metrics"]["accuracy"]["value"] == 0
    (file,) = (out / "results").iterdir()
    assert all("ModelError" in run.error for run in Results.open(file).by_key.values())
    places = json.loads((out / "report.json").read_text())["places"]
    assert places["explore, openai:none"] == {"failed": 1}


def test_seeds_of_rules_are_run_once_and_that_is_said(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    result = evaluate(
        library, asked, "--out", tmp_path / "o", "--json", "--seeds", "3", "--limit", "1"
    )
    assert rows(result)[0]["n"] == 1 and "builtin answers the same each time" in result.stderr
    (run,) = (tmp_path / "o" / "runs").iterdir()
    assert len(read_run(run).episodes) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--graphs", "nothing"), "graph='nothing'"),
        (("--graphs", "one_shot:low"), "one_shot has no efforts; only explore has"),
        (("--graphs", "one_shot,vidorag"), "graph='vidorag' needs a model"),
        (("--graphs", "explore:lazy"), "after the colon stands low, medium, high"),
        (("--models", "openai:x,,openai: "), "model"),
    ],
)
def test_a_system_that_cannot_run_is_refused_before_anything_is_asked(
    library: Library, asked: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = evaluate(library, asked, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2 and said in result.stderr
    assert not (tmp_path / "out" / "runs").exists()


def test_a_file_of_no_usable_question_is_wrong_input(library: Library, tmp_path: Path) -> None:
    asked = write(tmp_path / "q.jsonl", {**SEAT, "documents": ["gone.pdf"]})
    result = evaluate(library, asked, "--out", tmp_path / "out")
    assert (
        result.exit_code == 2 and "no question of" in result.stderr and "gone.pdf" in result.stderr
    )
    result = evaluate(library, tmp_path / "nowhere.jsonl", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "cannot be read" in result.stderr


def test_search_strategies_are_scored_without_a_model(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found = rows(evaluate(library, asked, "--out", out, "--json", "--retrieval-only"))
    names = [row["graph"] for row in found]
    assert names[:3] == ["search:keyword", "search:semantic", "search:hybrid:weighted"]
    assert set(names[2:]) == {f"search:hybrid:{name}" for name in STRATEGIES}
    assert all(row["model"] == "" and row["n"] == 2 for row in found)
    assert found[0]["metrics"]["page_hit@10"]["value"] == 1
    assert found[0]["metrics"]["region_recall@10"]["value"] > 0
    assert not (out / "runs").exists()


def test_strategies_score_only_questions_with_something_to_find(view: View) -> None:
    silver = Question(
        id="s",
        question="capital expenditure",
        evidence=(GoldPage(document=HALDEN, page=2),),
        tags={"pages": "silver"},
    )
    assert score_search("search:keyword", [silver], view)[0] == {}
    assert "search:keyword" in list_strategies(view)


def test_documents_are_found_by_the_end_of_their_path(view: View, tmp_path: Path) -> None:
    questions, _ = read_questions(write(tmp_path / "q.jsonl", SEAT))
    (question,), faults = check_questions(questions, view.documents())
    assert question.documents == (ORRIN,) and question.scope == (ORRIN,) and not faults


def judging(request: StubRequest) -> Any:
    """A model that also answers without documents and judges all that it is asked as right."""
    system = content_of(request.messages[0])
    if system == shipped("closed_book"):
        return StubReply("Lisbon")
    if system.startswith("You judge"):
        return StubReply('{"reason": "So.", "score": 1}')
    return stand_in()(request)


def test_a_model_is_judged_and_asked_without_documents(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    labelled = write(
        tmp_path / "labelled.jsonl",
        {"question": "Where?", "answers": ["Porto"], "answer": "Porto", "label": 1},
        {"question": "Where?", "answers": ["Porto"], "answer": "Lisbon", "label": 0},
    )
    out = tmp_path / "out"
    with StubEndpoint(judging) as stub:
        result = evaluate(
            library, asked, "--out", out, "--models", "openai:stub", "--judge", "openai:stub",
            "--base-url", stub.base_url, "--judge-labelled", labelled, "--seeds", "2", "--json",
        )  # fmt: skip
    closed, opened = rows(result)
    assert closed["graph"] == "closed_book" and closed["metrics"]["accuracy"]["value"] == 0
    assert closed["metrics"]["judged_correct"]["value"] == 1
    assert not any(name.startswith(("page_", "citation_")) for name in closed["metrics"])
    assert opened["n"] == 3 and opened["metrics"]["judged_citation_supports"]["value"] == 1
    assert opened["cost"]["model_calls"] > 1 and opened["cost"]["input_tokens"] > 0
    assert "agrees with people on 50% of 2 labelled answers" in result.stderr
    text = (out / "report.md").read_text()
    rules, _, judged = text.partition("## Answers, judged by a model")
    assert "correct" in judged and "| correct" not in rules, "never in one table"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--judge", "builtin"), "builtin cannot judge"),
        (("--judge-labelled", "gone.jsonl"), "name one"),
        (("--judge", "openai:x", "--judge-labelled", "gone.jsonl"), "cannot be read"),
    ],
)
def test_a_judge_that_cannot_judge_is_refused(
    library: Library, asked: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    base = ("--base-url", "http://127.0.0.1:9")
    result = evaluate(library, asked, "--out", tmp_path / "out", *arguments, *base)
    assert result.exit_code == 2 and said in result.stderr


async def test_an_answer_with_any_character_is_not_asked_for_again(
    view: View, tmp_path: Path
) -> None:
    said: list[str] = []

    async def ask(system: System, question: Question, seen: View, seed: int) -> Answer:
        said.append(question.id)
        return Answer(question.question, "Porto\u2028Lisbon\x85", "answered")

    for _ in range(2):
        question = Question(id="a", question="Where?")
        await compare([System("closed_book", "m")], [question], view, ask, tmp_path)
    assert said == ["a"]


def test_the_report_holds_no_password_of_the_command(
    library: Library, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "http://me:pass@localhost/v1"
    monkeypatch.setattr("sys.argv", ["pagehop", "evaluate", "my reports", "--base-url", address])
    result = evaluate(library, asked, "--out", tmp_path, "--limit", "1", "--base-url", address)
    assert result.exit_code == 0, result.output
    for name in ("report.md", "report.html", "report.json"):
        text = (tmp_path / name).read_text()
        assert "pass@" not in text and "***@localhost" in text


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_asked(
    library: Library, asked: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = evaluate(library, asked, "--out", tmp_path / "file", "--retrieval-only")
    assert result.exit_code == 2 and "cannot be written" in result.stderr
    assert "search:keyword" not in result.stderr


def test_what_the_first_search_loads_is_not_counted(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, real = [0.0], View.search

    def search(self: View, *arguments: Any, **more: Any) -> Any:
        now[0] += 1.0 if now[0] else 100.0
        return real(self, *arguments, **more)

    monkeypatch.setattr(View, "search", search)
    monkeypatch.setattr("pagehop.evaluation.strategies.time.perf_counter", lambda: now[0])
    evidence = (GoldPage(document=HALDEN, page=2),)
    question = Question(id="a", question="capital expenditure", evidence=evidence)
    assert score_search("search:keyword", [question], view)[1] == 1.0
