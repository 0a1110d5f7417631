"""Records: what is written, that writing never breaks a run, and that reading survives damage."""

import asyncio
import errno
import json
import math
import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagehop.answers import Answer
from pagehop.errors import LibraryError
from pagehop.events import Event, EventType
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.recorder import Recorder, record_run
from pagehop.trajectories.secrets import HIDDEN, struck_out

MANIFEST = {"purpose": "interactive", "limits": {"steps": 3}, "labels": ["finance"]}


def event(what: str, kind: EventType, body: dict[str, Any], episode: str = "e1") -> Event:
    return Event(f"{episode}/1/{what}", kind, body, "run", episode, ts=1.5, mono=0.25)


def start(episode: str = "e1") -> Event:
    return event("start", "episode.start", {"question": f"Why {episode}?"}, episode)


def end(episode: str = "e1") -> Event:
    answer = Answer(f"Why {episode}?", "Because.", "answered")
    body = {"status": "answered", "answer": answer.to_json()}
    return event("end", "episode.end", body, episode)


def recorder(tmp_path: Path, runs: Path | None = None) -> Recorder:
    return record_run(runs or tmp_path / "runs", fallback=tmp_path / "home", manifest=MANIFEST)


def folder_of(made: Recorder) -> Path:
    assert made.path is not None
    return made.path


def log_of(made: Recorder) -> Path:
    (log,) = (folder_of(made) / "events").iterdir()
    return log


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    events = [start(), event("n", "note", {"text": 'ünï ✓ "x" ,"body":{} \n'}), end()]
    with recorder(tmp_path) as made:
        for one in events:
            made(one)
    run = read_run(folder_of(made))
    (episode,) = run.episodes
    assert episode.events == tuple(events)
    assert (episode.question, episode.status) == ("Why e1?", "answered")
    assert episode.answer == Answer("Why e1?", "Because.", "answered")
    assert run.damaged_lines == 0


def test_the_manifest_names_schema_code_environment_and_limits(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    manifest = json.loads((folder_of(made) / "run.json").read_text())
    assert manifest["schema_version"] == "pagehop-trajectory/1.0"
    assert manifest["run_id"] == made.run_id == folder_of(made).name
    assert manifest["code"]["package"] == "pagehop" and manifest["code"]["version"]
    assert manifest["environment"]["packages"]["langgraph"]
    assert manifest["limits"] == {"steps": 3} and manifest["labels"] == ["finance"]
    assert not list(folder_of(made).glob("*.tmp"))


def test_lines_have_the_envelope_in_order(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        made(start())
        made(end())
    lines = [json.loads(line) for line in log_of(made).read_text().splitlines()]
    assert list(lines[0]) == [
        "v", "seq", "id", "ts", "mono", "run_id", "episode_id", "attempt", "type", "body", "crc",
    ]  # fmt: skip
    assert [line["seq"] for line in lines] == [0, 1]


def test_only_the_user_may_read_a_record(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with recorder(tmp_path) as made:
            made(start())
    finally:
        os.umask(mask)
    folder = folder_of(made)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_an_episode_without_its_end_is_aborted(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        made(start())
        made(start("e2"))
        made(end("e2"))
    episodes = read_run(folder_of(made)).episodes
    assert [(e.episode_id, e.status) for e in episodes] == [("e1", "aborted"), ("e2", "answered")]
    assert episodes[0].answer is None


def test_an_event_that_comes_again_counts_once_as_it_came_last(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        for text in ("first", "second"):
            made(event("n", "note", {"text": text}))
    (episode,) = read_run(folder_of(made)).episodes
    assert [one.body["text"] for one in episode.events] == ["second"]


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_torn_last_line_is_passed_over(tmp_path: Path, cut: int) -> None:
    with recorder(tmp_path) as made:
        made(start())
        made(end())
    log = log_of(made)
    log.write_bytes(log.read_bytes()[:-cut])
    run = read_run(folder_of(made))
    # Without its newline alone the last line is still whole.
    assert run.episodes[0].status == ("answered" if cut == 1 else "aborted")
    assert run.damaged_lines == 0


def test_a_damaged_line_in_the_middle_is_counted(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        made(start())
        made(event("n", "note", {"text": "clear"}))
        made(end())
    log = log_of(made)
    log.write_bytes(log.read_bytes().replace(b"clear", b"smear"))
    run = read_run(folder_of(made))
    assert run.damaged_lines == 1
    assert [one.type for one in run.episodes[0].events] == ["episode.start", "episode.end"]


def test_what_json_has_no_word_for_is_written_as_what_it_is(tmp_path: Path) -> None:
    body = {"nan": math.nan, "inf": [math.inf], "score": np.float32(0.5), "where": Path("/x")}
    with recorder(tmp_path) as made:
        made(event("n", "note", body))
    assert not made.problem
    (episode,) = read_run(folder_of(made)).episodes
    assert episode.events[0].body == {"nan": None, "inf": [None], "score": 0.5, "where": "/x"}


def test_secrets_of_the_environment_are_struck_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", 'sk-12"34\\567')
    monkeypatch.setenv("OTHER_TOKEN", "question")
    with recorder(tmp_path) as made:
        made(start())
        made(event("x", "error", {"error": 'refused: sk-12"34\\567 is wrong'}))
    (episode,) = read_run(folder_of(made)).episodes
    assert episode.events[1].body == {"error": "refused: *** is wrong"}
    assert episode.question == "Why e1?"


def test_what_looks_like_a_key_is_struck_out_of_events_and_manifest(tmp_path: Path) -> None:
    key = "sk-" + "a1B2" * 8
    manifest = {"models": {"policy": {"model_id": "m", "base_url": "http://me:pass@host/v1"}}}
    made = record_run(tmp_path, fallback=tmp_path, manifest=manifest)
    with made:
        made(start())
        made(event("x", "error", {"error": f"401 for Bearer {key} ({key})"}))
    run = read_run(folder_of(made))
    assert run.episodes[0].events[1].body == {"error": "401 for Bearer *** (***)"}
    assert run.manifest.models["policy"].base_url == "http://***@host/v1"


def test_a_folder_that_cannot_be_written_falls_back_to_the_users(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with recorder(tmp_path, tmp_path / "file" / "runs") as made:
        made(start())
    assert folder_of(made).parent == tmp_path / "home"
    assert read_run(folder_of(made)).episodes and not made.problem


def test_no_folder_at_all_is_a_problem_told_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    made = record_run(blocked / "a", fallback=blocked / "b", manifest={})
    made(start())
    made.close()
    assert made.path is None
    assert "not recorded" in made.problem and "Not a directory" in made.problem
    assert made.problem in caplog.text


def test_a_full_disk_stops_the_record_and_not_the_run(tmp_path: Path) -> None:
    """Ran in a process of its own, where no file may grow beyond 4 KB."""
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_recorder import event, recorder, start
made = recorder(Path({str(tmp_path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
made(start())
for i in range(100):
    made(event(f"n{{i}}", "note", {{"text": "x" * 100}}))
made.close()
print(made.path)
print(made.problem)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    path, problem = done.stdout.splitlines()
    assert "not (fully) recorded" in problem and "File too large" in problem
    run = read_run(Path(path))
    assert len(run.episodes[0].events) > 5 and run.damaged_lines == 0


def test_a_killed_writer_leaves_all_whole_lines(tmp_path: Path) -> None:
    program = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_recorder import event, recorder, start
made = recorder(Path({str(tmp_path)!r}))
made(start())
for i in range(20):
    made(event(f"n{{i}}", "note", {{"i": i}}))
print(made.path, flush=True)
time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    path = child.stdout.readline().strip()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    (episode,) = read_run(Path(path)).episodes
    assert episode.status == "aborted" and len(episode.events) == 21


def test_what_a_loop_tells_is_written_before_its_tasks_go_on(tmp_path: Path) -> None:
    """Many runs share a loop: what each told is there whenever it runs again, in order."""

    async def run(made: Recorder, name: str) -> None:
        for i in range(5):
            made(event(f"a{i}", "note", {"i": i}, name))
            made(event(f"b{i}", "note", {"i": i}, name))
            await asyncio.sleep(0)
            whole = log_of(made).read_bytes()
            assert whole.endswith(b"\n") and whole.count(f'"{name}/1/b{i}"'.encode()) == 1

    async def all_runs(made: Recorder) -> None:
        await asyncio.gather(*(run(made, name) for name in ("x", "y", "z")))
        made(event("last", "note", {}, "x"))  # the loop ends before it writes this one

    with recorder(tmp_path) as made:
        asyncio.run(all_runs(made))
    lines = [json.loads(line) for line in log_of(made).read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(31))
    mine = [line["id"] for line in lines if line["episode_id"] == "x"]
    assert mine == [*(f"x/1/{a}{i}" for i in range(5) for a in "ab"), "x/1/last"]


def test_a_thread_that_tells_meanwhile_waits_for_no_loop(tmp_path: Path) -> None:
    """A loop that is held up must not hold up what other threads write."""

    async def held_up(made: Recorder) -> None:
        made(event("n1", "note", {}))
        thread = threading.Thread(target=made, args=(event("n2", "note", {}),))
        thread.start()
        thread.join()
        assert log_of(made).read_bytes().count(b"\n") == 2

    with recorder(tmp_path) as made:
        asyncio.run(held_up(made))
    assert len(read_run(folder_of(made)).episodes[0].events) == 2


def test_a_disk_that_fails_to_sync_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with recorder(tmp_path) as made:
        monkeypatch.setattr("pagehop.trajectories.recorder.os.fsync", fails)
        made(end())
    assert "not (fully) recorded" in made.problem and "Input/output error" in made.problem


def test_half_of_a_surrogate_pair_does_not_end_the_record(tmp_path: Path) -> None:
    """Such halves are no UTF-8; what reads the record could not write them on."""
    body = {"text": "half \ud83d of é", "big": 2**70, "nan": math.nan}
    with recorder(tmp_path) as made:
        made(event("n", "note", body))
        made(event("m", "note", {"text": "whole"}))
    assert not made.problem
    (episode,) = read_run(folder_of(made)).episodes
    read = {**body, "text": "half \ufffd of é", "nan": None}
    assert [one.body for one in episode.events] == [read, {"text": "whole"}]


@pytest.mark.parametrize("fault", ["body", "blob"])
def test_what_was_told_before_an_event_that_cannot_be_written_is_kept(
    tmp_path: Path, fault: str
) -> None:
    """Both are told in one stretch of a loop, and so written together."""
    endless: dict[str, Any] = {}
    endless["again"] = endless
    bad = event("n", "note", endless if fault == "body" else {})
    if fault == "blob":
        bad = replace(bad, blobs={"a" * 64: b"\x89PNG"})

    async def tell(made: Recorder) -> None:
        (folder_of(made) / "blobs").write_text("no folder")
        made(start())
        made(bad)
        made(end())

    with recorder(tmp_path) as made:
        asyncio.run(tell(made))
    assert "not (fully) recorded" in made.problem
    assert [e.question for e in read_run(folder_of(made)).episodes] == ["Why e1?"]


def test_a_body_without_end_stops_the_record_and_not_the_run(tmp_path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with recorder(tmp_path) as made:
        made(start())
        made(event("n", "note", endless))
        made(end())
    assert "not (fully) recorded" in made.problem
    assert [e.status for e in read_run(folder_of(made)).episodes] == ["aborted"]


def test_a_full_file_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagehop.trajectories.recorder.ROTATE_BYTES", 1000)
    with recorder(tmp_path) as made:
        for i in range(20):
            made(event(f"n{i}", "note", {"i": i}))
    logs = sorted((folder_of(made) / "events").iterdir())
    assert len(logs) > 1 and all(log.stat().st_size <= 1000 for log in logs)
    (episode,) = read_run(folder_of(made)).episodes
    assert [one.body["i"] for one in episode.events] == list(range(20))


def test_no_record_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no record of a run"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"schema_version": "pagehop-trajectory/2.0"}')
    with pytest.raises(LibraryError, match=r"pagehop-trajectory/2\.0"):
        read_run(tmp_path)


@pytest.mark.parametrize("wrong", [[], 7, {"models": {"policy": {}}}, {"models": 3}, {"labels": 1}])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, wrong: Any) -> None:
    schema = {"schema_version": "pagehop-trajectory/1.0"}
    record = {**schema, **wrong} if isinstance(wrong, dict) else wrong
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(LibraryError, match="no record of a run"):
        read_run(tmp_path)


_KEYS = st.one_of(
    *map(
        lambda shape: st.from_regex(shape, fullmatch=True),
        (
            r"(sk|rk|pk)-[A-Za-z0-9_-]{20,40}", r"gh[pousr]_[A-Za-z0-9]{30,40}",
            r"AKIA[A-Z0-9]{16}", r"AIza[A-Za-z0-9_-]{30,40}", r"xox[abprs]-[A-Za-z0-9-]{10,20}",
            r"hf_[A-Za-z0-9]{30,40}", r"Bearer [A-Za-z0-9._~+/-]{16,40}",
            r"https://[a-z]{1,9}:[a-z0-9]{1,9}@host",
        ),
    )
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("aéz :/-_k"), max_size=9)), _KEYS)
def test_a_key_is_found_in_any_text(around: list[str], key: str) -> None:
    key = key.strip()
    text = f"{' '.join(around)} ({key}) {' '.join(around)}"
    clean = struck_out(text.encode(), None)
    assert HIDDEN in clean and key.encode() not in clean


def test_a_secret_that_begins_with_another_is_struck_out_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "abcd1234")
    monkeypatch.setenv("B_TOKEN", "abcd1234-and-the-rest")
    with recorder(tmp_path) as made:
        made(event("x", "error", {"error": "abcd1234-and-the-rest, abcd1234"}))
    assert read_run(folder_of(made)).episodes[0].events[0].body == {"error": "***, ***"}


def test_damaged_scores_are_passed_over(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        made(start())
    scores = folder_of(made) / "scores"
    scores.mkdir()
    good = b'{"episode_id": "e1", "name": "house", "value": 1.0}\n'
    (scores / "house@ab.jsonl").write_bytes(b"[1]\n\xff\xfe\nnull\n" + good + b'{"episode')
    (episode,) = read_run(folder_of(made)).episodes
    assert [reward.name for reward in episode.rewards] == ["house"]
