"""`pagehop.ask` and its kin, end to end over real documents with the built-in reasoner."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

import pagehop
from pagehop import Budget, ConfigError, Library, LibraryError, View
from pagehop.answers import Answer
from pagehop.trajectories.reading import read_run

QUESTION = "What was the revenue of Halden Marine in 2022?"
PAGES = {("Halden_2022_annual_report", 1), ("Halden_2022_annual_report", 2)}


@pytest.fixture
def folder(tmp_path: Path, write_page: Callable[..., None]) -> Path:
    made = tmp_path / "reports"
    made.mkdir()
    write_page(made / "alpha.pdf", "The alpha engine runs on hydrogen. It weighs 310 tonnes.")
    write_page(made / "beta.pdf", "The beta engine runs on ammonia. It weighs 295 tonnes.")
    return made


def check(answer: Answer) -> None:
    assert answer.status == "answered", answer
    assert "455.9" in answer.text and "[1]" in answer.text
    assert (answer.citations[0].name, answer.citations[0].page) in PAGES
    assert "455.9" in answer.citations[0].quote


def test_ask_answers_with_citations_that_show_themselves(view: View) -> None:
    answer = pagehop.ask(QUESTION, view)
    check(answer)
    picture = answer.citations[0].crop(max_pixels=40_000)
    assert picture.width * picture.height == pytest.approx(40_000, rel=0.1)
    assert answer.usage.steps > 0 and answer.usage.tool_calls > 0 and answer.usage.seconds > 0


def test_a_run_is_recorded_in_the_library_and_reads_back(library: Library) -> None:
    answer = pagehop.ask(QUESTION, library)
    folder = Path(answer.trajectory)
    assert folder.parent == library.path / "runs"
    run = read_run(folder)
    (episode,) = run.episodes
    assert episode.question == QUESTION and episode.status == answer.status
    assert episode.answer is not None
    assert episode.answer.to_json() == answer.to_json()
    assert run.manifest.limits["steps"] == 24
    told = run.manifest.library
    assert (told["path"], told["version"]) == (str(library.path), library.version)
    assert len(told["corpus_sha256"]) == 64 and run.manifest.tools[0]["parameters_json"]


def test_the_same_question_gives_the_same_run(view: View) -> None:
    def told() -> list[Any]:
        events = list(pagehop.stream(QUESTION, view, record=False))
        return [
            (e.type, e.id.split("/", 1)[1], _without_time(e.body))
            for e in sorted(events, key=lambda e: e.id)
        ]

    assert told() == told()


def _without_time(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_time(v) for k, v in value.items() if k not in ("seconds", "trajectory")}
    return [_without_time(v) for v in value] if isinstance(value, list) else value


def test_the_record_can_be_left_out_or_put_elsewhere(view: View, tmp_path: Path) -> None:
    assert pagehop.ask(QUESTION, view, record=False).trajectory == ""
    answer = pagehop.ask(QUESTION, view, record=tmp_path / "mine")
    assert Path(answer.trajectory).parent == tmp_path / "mine"


def test_a_library_that_takes_no_records_sends_them_to_the_user(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Library(tmp_path / "library") as library:
        library.add(folder)
        (library.path / "runs").write_text("in the way")
        answer = pagehop.ask("What does the alpha engine run on?", library)
    assert Path(answer.trajectory).is_relative_to(tmp_path / "state")
    assert not answer.warnings


def test_a_run_that_cannot_be_recorded_is_answered_and_says_so(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked / "state"))
    answer = pagehop.ask(QUESTION, view, record=blocked / "runs")
    check(answer)
    assert answer.trajectory == "" and "This run is not recorded" in answer.warnings[0]
    *_, end = pagehop.stream(QUESTION, view, record=blocked / "runs")
    assert "This run is not recorded" in end.body["answer"]["warnings"][0]


def test_a_plain_folder_is_indexed_first_and_kept_up_to_date(
    folder: Path, write_page: Callable[..., None]
) -> None:
    answer = pagehop.ask("What does the alpha engine run on?", folder)
    assert answer.status == "answered" and "hydrogen" in answer.text
    write_page(folder / "gamma.pdf", "The gamma engine runs on methanol.")
    (folder / "alpha.pdf").unlink()
    (folder / "broken.pdf").write_bytes(b"no PDF at all")
    answer = pagehop.ask("What does the gamma engine run on?", str(folder))
    assert "methanol" in answer.text
    assert any("alpha.pdf" in warning and "hidden" in warning for warning in answer.warnings)
    assert any("broken.pdf" in warning for warning in answer.warnings)
    assert all("alpha" not in citation.document for citation in answer.citations)


def test_what_cannot_be_asked_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no PDF"):
        pagehop.ask("What?", tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="is no folder"):
        pagehop.ask("What?", tmp_path / "nothing")
    with pytest.raises(ConfigError, match="cannot ask a list"):
        pagehop.ask("What?", [tmp_path])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "openai:gpt-5-mini"}, "OPENAI_API_KEY"),
        ({"model": "nobody:gpt"}, "nobody"),
        ({"model": object()}, "LangChain chat model"),
        ({"model": "builtin", "base_url": "http://127.0.0.1:1/v1"}, "needs model="),
        ({"graph": "molorog"}, "did you mean molorag"),
        ({"graph": 3}, "a name such as 'explore'"),
        ({"effort": "extreme"}, "low, medium, high"),
        ({"budget": 12}, "Budget"),
        ({"record": 3}, "record"),
        ({"record": ""}, "record"),
        ({"thread": 3}, "thread"),
        ({"schema": {"type": "object"}}, "schema= needs a model="),
        ({"tools": (len,)}, "tools has"),
        ({"prompts": {"plan": "x"}}, "prompts has 'plan'; the names are planner"),
        ({"vision_model": "x:y"}, "x"),
    ],
)
def test_arguments_that_are_wrong_are_refused(
    view: View, given: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=words):
        pagehop.ask(QUESTION, view, **given)
    with pytest.raises(ConfigError, match=words):
        pagehop.stream(QUESTION, view, **given)


def test_an_unknown_argument_is_a_type_error(view: View) -> None:
    with pytest.raises(TypeError, match="unexpected argument 'efort'"):
        pagehop.ask(QUESTION, view, efort="low")  # type: ignore[call-arg]  # what is tested


@pytest.mark.parametrize("question", ["", "  \n", 3, ["What?"]])
def test_what_is_no_question_is_refused(view: View, question: Any) -> None:
    with pytest.raises(ConfigError, match="question"):
        pagehop.ask(question, view)


def test_arguments_may_be_left_at_their_defaults(view: View) -> None:
    check(pagehop.ask(QUESTION, view, thread=None, schema=None, tools=(), prompts=None))


def test_a_budget_is_kept_and_low_effort_takes_one_step(view: View) -> None:
    assert pagehop.ask(QUESTION, view, budget=Budget(steps=1)).usage.steps == 1
    low = pagehop.ask(QUESTION, view, effort="low")
    assert low.usage.steps == 1 and low.status in ("answered", "unanswerable")


def test_stream_gives_the_events_as_they_come_and_the_answer_last(view: View) -> None:
    events = list(pagehop.stream(QUESTION, view))
    assert (events[0].type, events[-1].type) == ("episode.start", "episode.end")
    answer = Answer.from_json(events[-1].body["answer"], pictures=view)
    check(answer)
    assert answer.citations[0].crop(max_pixels=10_000).width
    (episode,) = read_run(Path(answer.trajectory)).episodes
    assert [e.id for e in episode.events] == [e.id for e in events]


def test_closing_a_stream_ends_its_run(view: View, tmp_path: Path) -> None:
    events = pagehop.stream(QUESTION, view, record=tmp_path)
    assert next(events).type == "episode.start"
    events.close()  # type: ignore[attr-defined]  # a generator
    assert not [t for t in threading.enumerate() if "portal" in t.name]
    (folder,) = tmp_path.iterdir()
    assert read_run(folder).episodes[0].status in ("aborted", "answered")


def test_many_threads_may_ask_at_once(view: View) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: pagehop.ask(QUESTION, view, record=False), range(4)))
    assert len({answer.text for answer in answers}) == 1
    check(answers[0])


async def test_ask_works_inside_a_running_event_loop(view: View) -> None:
    check(pagehop.ask(QUESTION, view, record=False))


async def test_the_async_forms_give_the_same(view: View) -> None:
    first, second = await asyncio.gather(
        pagehop.aask(QUESTION, view, record=False), pagehop.aask(QUESTION, view, record=False)
    )
    check(first)
    assert first.text == second.text and first.citations == second.citations
    types = [event.type async for event in pagehop.astream(QUESTION, view, record=False)]
    assert types[-1] == "episode.end"


async def test_a_cancelled_run_is_recorded_as_aborted(view: View, tmp_path: Path) -> None:
    task = asyncio.create_task(pagehop.aask(QUESTION, view, record=tmp_path))
    while not list(tmp_path.glob("*/events/*.jsonl")):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (folder,) = tmp_path.iterdir()
    assert read_run(folder).episodes[0].status == "aborted"


async def test_leaving_an_async_stream_closes_its_record(view: View, tmp_path: Path) -> None:
    async with aclosing(pagehop.astream(QUESTION, view, record=tmp_path)) as events:  # type: ignore[type-var]
        async for event in events:
            if event.type == "tool.start":
                break
    (folder,) = tmp_path.iterdir()
    assert read_run(folder).episodes[0].status == "aborted"


def test_ctrl_c_stops_ask_and_keeps_the_record(library: Library, tmp_path: Path) -> None:
    program = f"""
import asyncio, os, signal, threading, time
from pathlib import Path
import pagehop
from pagehop.models.scripted import ScriptedModel
async def hang(messages, tools):
    await asyncio.sleep(90)
runs = Path({str(tmp_path / "runs")!r})
def interrupt():
    while not list(runs.glob("*/events/*.jsonl")):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    model = ScriptedModel(replies=[hang])
    pagehop.ask({QUESTION!r}, {str(library.path)!r}, model=model, record=runs)
except KeyboardInterrupt:
    print("stopped")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100
    )
    assert done.stdout == "stopped\n", done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert read_run(folder).episodes[0].status == "aborted"


async def test_the_machine_is_a_compiled_langgraph_graph(view: View, tmp_path: Path) -> None:
    assert pagehop.list_graphs()[0].name == "explore"
    machine = pagehop.graph("explore", view, record=tmp_path, budget=Budget(steps=6))
    states = [await machine.ainvoke({"question": QUESTION}) for _ in range(2)]
    check(states[0]["answer"])
    assert states[0]["answer"].text == states[1]["answer"].text
    (folder,) = tmp_path.iterdir()
    assert len(read_run(folder).episodes) == 2
    assert states[0]["answer"].trajectory == str(folder)
    with pytest.raises(ConfigError, match="there are explore"):
        pagehop.graph("nothing", view)


def test_a_record_names_the_labels_of_its_view(library: Library, tmp_path: Path) -> None:
    answer = pagehop.ask(QUESTION, library.view(labels={"x", "finance"}), record=tmp_path)
    manifest = json.loads((Path(answer.trajectory) / "run.json").read_text())
    assert manifest["labels"] == ["finance", "x"]
