"""What holds of every record, over made-up runs: ids, masks, pictures, folds, breaks, blobs.

The numbers are those of the record's nine invariants (docs/TRAJECTORIES.md).
"""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from made_episodes import Tale
from pagehop.errors import LibraryError
from pagehop.events import Event
from pagehop.trajectories.blobs import blob_path, digest_of, read_blob
from pagehop.trajectories.episode import RewardRecord
from pagehop.trajectories.fold import fold
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.recorder import open_record
from pagehop.trajectories.scores import write_scores
from pagehop.trajectories.segments import segments
from pagehop.trajectories.tokens import packed_bits, packed_floats, packed_ids, unpacked

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def told_runs(draw: st.DrawFn) -> tuple[Event, ...]:
    """A run of calls whose prompts go on, begin anew with a reason, or drift."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    tale = Tale("?")
    messages: list[dict[str, Any]] = []
    ids: list[int] = []
    last = ""
    for number in range(draw(st.integers(1, 7))):
        how = rng.choice(["on", "on", "on", "anew", "drift"]) if number else "anew"
        same, known = len(messages), len(ids)
        if how == "anew":
            same = rng.randint(0, min(1, len(messages)))
            known = 0
            ids = []
        elif how == "drift" and ids:
            known = rng.randrange(len(ids))
            ids = ids[:known]
        new: list[dict[str, Any]] = []
        if how != "anew":
            new.append({"role": "ai", "content": f"reply {number - 1}"})
        new += [{"role": "human", "content": f"{number}.{i}"} for i in range(rng.randint(1, 3))]
        prompt = [*ids, *(rng.randrange(50_000) for _ in range(rng.randint(1, 9)))]
        said = [rng.randrange(50_000) for _ in range(rng.randint(1, 9))]
        tale.step = number
        last = tale.say(
            new, f"reply {number}", same=same,
            tokens={
                "after": last, "same": known, "delta_ids": packed_ids(prompt[known:]),
                "completion_ids": packed_ids(said), "logprobs": packed_floats([-0.5] * len(said)),
            },
        )  # fmt: skip
        if how == "anew" and number:
            body = {"call": last, "after": "", "kind": "summarise", "reason": "the round is closed"}
            tale.tell("context.edit", f"{last.partition('/')[2]}.edit", body)
        messages = [*messages[:same], *new]
        ids = [*prompt, *said]
    if rng.random() < 0.7:
        tale.end("answered", "x")
    return tuple(tale.events)


@quick
@given(told_runs())
def test_1_ids_along_a_path_are_those_of_its_call(events: tuple[Event, ...]) -> None:
    episode = fold(events)
    assert episode.calls
    for call in episode.calls:
        path = episode.path(call.message)
        ids = tuple(i for message in path for i in (message.tokens.ids if message.tokens else ()))
        assert ids == call.prompt_ids + call.completion_ids


@quick
@given(told_runs())
def test_2_masks_follow_from_who_wrote_a_message(events: tuple[Event, ...]) -> None:
    for message in fold(events).messages:
        assert message.tokens is not None
        assert len(message.tokens.loss_mask) == len(message.tokens.ids)
        assert sum(message.tokens.loss_mask) == len(message.tokens.logprobs)
        assert any(message.tokens.loss_mask) == (message.origin == "sampled")
        if message.copied_from:
            assert not any(message.tokens.loss_mask)


@quick
@given(told_runs())
def test_3_each_sampled_token_is_trained_once(events: tuple[Event, ...]) -> None:
    episode = fold(events)
    found = segments(episode)
    trained = [name for one in found for name in one.new]
    assert sorted(trained) == sorted(call.message for call in episode.calls)
    sampled = sum(len(call.completion_ids) for call in episode.calls)
    assert sum(sum(one.response_mask) for one in found) == sampled
    assert sum(len(one.response_logprobs) for one in found) == sampled
    for one in found:
        assert len(one.response_mask) == len(one.response_ids)
        last = one.calls[-1]
        assert one.prompt_ids + one.response_ids == last.prompt_ids + last.completion_ids


def test_4_pictures_stand_in_the_order_in_which_they_were_sent() -> None:
    tale = Tale("?")
    pictures = [{"type": "image", "blob": f"{i}" * 64, "page": f"a:{i}"} for i in range(1, 4)]
    first: list[dict[str, Any]] = [
        {"role": "human", "content": ["one", pictures[0], "two", pictures[1]]}
    ]
    tale.say(first, "seen")
    more: list[dict[str, Any]] = [{"role": "ai", "content": "seen"}]
    more.append({"role": "human", "content": [pictures[2]]})
    tale.say(more, "done", same=1)
    (segment,) = segments(tale.episode())
    assert [picture.page for picture in segment.pictures] == ["a:1", "a:2", "a:3"]


@quick
@given(told_runs(), st.randoms())
def test_5_any_beginning_folds_and_always_the_same(
    events: tuple[Event, ...], rng: random.Random
) -> None:
    cut = rng.randrange(len(events) + 1)
    part = fold(events[:cut])
    assert part == fold(events[:cut]) and len(part.messages) <= len(fold(events).messages)
    assert part.status == ("answered" if events[:cut] and _ended(events[:cut]) else "aborted")
    # Events that come again, as after a crash, change nothing.
    again = fold([*events[:cut], *events])
    assert (again.messages, again.calls) == (fold(events).messages, fold(events).calls)


def test_5_scores_change_no_byte_of_the_log(tmp_path: Path) -> None:
    folder = _written(tmp_path)
    before = {path: path.read_bytes() for path in (folder / "events").iterdir()}
    (episode,) = read_run(folder).episodes
    write_scores(folder, "x", "ab", {episode.episode_id: [RewardRecord("x", 0.5, ts=1.0)]})
    write_scores(folder, "x", "ab", {episode.episode_id: [RewardRecord("x", 0.7, ts=2.0)]})
    (scored,) = read_run(folder).episodes
    assert [reward.value for reward in scored.rewards] == [0.7]
    assert before == {path: path.read_bytes() for path in (folder / "events").iterdir()}


@quick
@given(told_runs())
def test_6_every_break_is_declared_or_told_as_drift(events: tuple[Event, ...]) -> None:
    for one in segments(fold(events)):
        assert one.begins.partition(":")[0] in ("start", "declared", "drift")


def test_6_a_break_that_nothing_declares_is_told_as_such() -> None:
    tale = Tale("?")
    tale.say([{"role": "human", "content": "a"}], "x")
    tale.say([{"role": "human", "content": "b"}], "y")
    assert [one.begins for one in segments(tale.episode())] == ["start", "undeclared"]


def test_7_a_blob_that_is_missing_or_changed_is_said_and_all_else_reads(tmp_path: Path) -> None:
    folder = _written(tmp_path)
    digest = digest_of(b"picture")
    assert read_blob(folder, digest) == b"picture"
    blob_path(folder, digest).write_bytes(b"other")
    with pytest.raises(LibraryError, match="damaged"):
        read_blob(folder, digest)
    blob_path(folder, digest).unlink()
    with pytest.raises(LibraryError, match="missing"):
        read_blob(folder, digest)
    assert read_run(folder).episodes[0].status == "answered"


@quick
@given(
    st.lists(st.integers(0, 2**32 - 1)), st.lists(st.floats(width=32, allow_nan=False)),
    st.lists(st.booleans()),
)  # fmt: skip
def test_arrays_come_back_as_they_were(
    ids: list[int], floats: list[float], bits: list[bool]
) -> None:
    assert unpacked(packed_ids(ids)) == tuple(ids) == unpacked(ids)
    assert unpacked(packed_floats(floats)) == tuple(floats)
    assert unpacked(packed_bits(bits)) == tuple(bits)
    with pytest.raises(LibraryError, match="no array"):
        unpacked("f64:AAAA")


def test_two_writers_in_one_folder_lose_nothing(tmp_path: Path) -> None:
    def write(name: str) -> None:
        with open_record(tmp_path, {}) as recorder:
            for i in range(50):
                body = {"text": f"{name} {i}"}
                recorder(Event(f"{name}/{i}/n", "note", body, "run", name, ts=float(i)))

    open_record(tmp_path, {}).close()
    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run = read_run(tmp_path)
    assert len(list((tmp_path / "events").iterdir())) == 3 and run.damaged_lines == 0
    assert {e.episode_id: len(e.notes) for e in run.episodes} == {"a": 50, "b": 50, "c": 50}


def test_a_log_cut_anywhere_reads_up_to_its_last_whole_line(tmp_path: Path) -> None:
    folder = _written(tmp_path)
    (log,) = (folder / "events").iterdir()
    whole = log.read_bytes()
    for cut in range(0, len(whole), max(1, len(whole) // 97)):
        log.write_bytes(whole[:cut])
        run = read_run(folder)
        lines = whole[:cut].count(b"\n")
        assert sum(len(e.events) for e in run.episodes) in (lines, lines + 1)
        assert run.damaged_lines == 0


KILLS = 12
"""In the suite; `python tests/test_record_invariants.py 200` is the long form."""


@pytest.mark.parametrize("inside", ["no loop", "a loop"])
def test_a_writer_killed_at_random_moments_loses_the_event_in_flight_at_most(
    tmp_path: Path, inside: str
) -> None:
    kill_writers(tmp_path, KILLS, in_loop=inside == "a loop")


def kill_writers(folder: Path, kills: int, *, in_loop: bool = False) -> None:
    """Kill a process that writes events, at random moments, and read what it left.

    Args:
        folder: Of the records.
        kills: How many.
        in_loop: The writer is a task of an event loop, suspended after each event.
    """
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from pagehop.events import Event
from pagehop.trajectories.recorder import open_record
name = sys.argv[1]
def told(recorder):
    for i in range(1_000_000):
        kind = "episode.end" if i % 40 == 39 else "note"
        answer = {{"question": "", "answer": "", "status": "answered", "citations": [],
                  "usage": {{}}, "warnings": [], "trajectory": ""}}
        body = {{"text": "x" * (i % 700)}} if kind == "note" else {{
            "status": "answered", "answer": answer}}
        episode = f"{{name}}.{{i // 40}}"
        recorder(Event(f"{{episode}}/{{i}}/n", kind, body, "run", episode, ts=i * 1.0))
        yield i
async def task(recorder):
    for i in told(recorder):
        await asyncio.sleep(0)
        print(i, flush=True)
with open_record(Path({str(folder)!r}) / name, {{}}) as recorder:
    if {in_loop}:
        asyncio.run(task(recorder))
    for i in told(recorder):
        print(i, flush=True)
"""
    rng = random.Random(7)
    for kill in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", program, f"w{kill}"], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.random() * 0.05)
        child.send_signal(signal.SIGKILL)
        told = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        last = int(told[-1]) if told else 0
        run = read_run(folder / f"w{kill}")
        mine = run.episodes
        assert run.damaged_lines == 0
        # What was said to be written is there; at most the event after it was in flight.
        assert last + 1 <= sum(len(e.events) for e in mine) <= last + 3
        assert all(e.status == "answered" for e in mine[:-1])


def _ended(events: tuple[Event, ...]) -> bool:
    return any(event.type == "episode.end" for event in events)


def _written(folder: Path) -> Path:
    """Write a small episode with a picture; return the folder of its run."""
    tale = Tale("How much?")
    tale.search("much", ["a:1"])
    tale.end("answered", "7", cited=["a:1"])
    with open_record(folder / "run", {}) as recorder:
        for i, event in enumerate(tale.events):
            blobs = {digest_of(b"picture"): b"picture"} if i == 0 else {}
            recorder(Event(**{**vars(event), "blobs": blobs}))
    return folder / "run"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        for in_loop in (False, True):
            kill_writers(Path(name) / f"run{in_loop}", int(sys.argv[1]), in_loop=in_loop)
        print(f"{sys.argv[1]} kills: no reader error, nothing lost but the event in flight")
