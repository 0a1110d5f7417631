"""The record read back: messages, calls, evidence and segments of real runs and of made ones."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

import pagehop
import pagehop.trajectories
from made_episodes import Tale
from pagehop.agents.told_prompts import PromptsTold
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.fold import fold
from pagehop.trajectories.reading import Run, read_run
from pagehop.trajectories.segments import segments, undeclared

QUESTION = "What was the revenue of Halden Marine in 2022?"
PAGE = "Halden_2022_annual_report:2"


def recorded(view: View, folder: Path, **options: Any) -> Run:
    answer = pagehop.ask(QUESTION, view, record=folder, **options)
    return read_run(answer.trajectory)


def the_episode(run: Run) -> Episode:
    (episode,) = run.episodes
    return episode


def scripted() -> ScriptedModel:
    return ScriptedModel(
        replies=[
            '{"thought": "one part", "parts": [{"id": "Q1", "text": "Revenue in 2022?"}]}',
            {"content": "I read the results.", "tool_calls": [
                {"name": "read_page", "args": {"ref": PAGE}}]},
            "That is all.",
            '{"evidence": [{"ref": "' + PAGE + '", "quote": "Revenue 455.9 412.6", "part": "Q1"}],'
            ' "notes": [], "parts": [{"id": "Q1", "state": "answered"}], "missing": "",'
            ' "sufficient": true}',
            '{"claims": [{"text": "Revenue was 455.9.", "evidence": ["E1"]}]}',
        ]
    )  # fmt: skip


def test_a_run_by_rules_reads_back_as_messages_calls_and_evidence(
    view: View, tmp_path: Path
) -> None:
    episode = the_episode(recorded(view, tmp_path))
    assert episode.status == "answered" and episode.model == "builtin"
    assert episode.messages[0].kind == "question" and episode.messages[0].text == QUESTION
    assert {message.origin for message in episode.messages} == {"human", "harness"}
    assert not episode.calls
    search = episode.tool_calls[0]
    assert search.retrieval is not None and search.retrieval.hits and search.valid
    assert episode.message(search.result_message).text == search.result
    assert episode.shown[0].page == search.pages[0] and any(one.cited for one in episode.shown)
    assert episode.evidence and episode.evidence[0].call in {c.id for c in episode.tool_calls}
    assert [edit.kind for edit in episode.edits] == ["summarise"]
    assert [one.begins for one in segments(episode)] == ["start", f"declared:{episode.edits[0].id}"]
    assert episode.usage.tool_calls == len(episode.tool_calls)


def test_a_run_by_a_model_reads_back_with_prompts_and_replies(view: View, tmp_path: Path) -> None:
    model = scripted()
    episode = the_episode(recorded(view, tmp_path, model=model))
    assert episode.status == "answered"
    assert [call.role for call in episode.calls] == [
        "planner", "explorer", "explorer", "condenser", "answerer"
    ]  # fmt: skip
    for call, asked in zip(episode.calls, model.calls, strict=True):
        told = [message.text for message in episode.path(call.leaf)]
        assert told == [message.text for message in asked.messages]
    reply = episode.message(episode.calls[1].message)
    assert reply.origin == "sampled" and reply.calls[0].name == "read_page"
    (read,) = episode.tool_calls
    assert (
        read.llm_call == episode.calls[1].id and read.arguments_raw == reply.calls[0].arguments_raw
    )
    assert episode.message(read.result_message).kind == "observation"
    assert [(one.begins.partition(":")[0], len(one.calls)) for one in segments(episode)] == [
        ("start", 1), ("declared", 3), ("declared", 1)
    ]  # fmt: skip
    assert not undeclared(episode)


def test_any_beginning_of_a_log_folds_and_always_the_same(view: View, tmp_path: Path) -> None:
    episode = the_episode(recorded(view, tmp_path, model=scripted()))
    assert fold(episode.events) == episode
    for end in range(len(episode.events)):
        part = fold(episode.events[:end])
        assert part.status == "aborted" and part.events == episode.events[:end]
        assert segments(part) == segments(fold(episode.events[:end]))


def test_a_tale_by_hand_is_an_episode() -> None:
    tale = Tale("How much?", gold_answers=["7"], gold_pages=["a:1", "b:2"], group_id="g")
    tale.search("much", ["a:3", "a:1"])
    tale.read("a:1")
    tale.look("b:2", (0.0, 0.0, 0.5, 0.5))
    tale.keep("a:1", "7 things", "s2c1")
    episode = tale.end("answered", "It is 7.", cited=["a:1"])
    assert [one.page for one in episode.shown] == ["a:3", "a:1", "b:2"]
    assert [one.cited for one in episode.shown] == [False, True, False]
    assert episode.task.gold_answers == ("7",) and episode.group_id == "g"
    crop = episode.tool_calls[2].crop
    assert crop is not None and crop.box == (0.0, 0.0, 0.5, 0.5)


def test_ids_of_an_engine_stand_along_the_path_of_each_call() -> None:
    tale = Tale("?")
    first = tale.say(
        [{"role": "system", "content": "s"}, {"role": "human", "content": "q"}], "a",
        tokens={"delta_ids": [1, 2, 3], "completion_ids": [4, 5], "logprobs": [-0.1, -0.2]},
    )  # fmt: skip
    tale.say(
        [{"role": "ai", "content": "a"}, {"role": "human", "content": "r"}], "b", same=2,
        tokens={"after": first, "same": 3, "delta_ids": [4, 5, 6], "completion_ids": [7],
                "logprobs": [-0.3]},
    )  # fmt: skip
    episode = tale.episode()
    for call in episode.calls:
        path = [i for m in episode.path(call.message) for i in (m.tokens.ids if m.tokens else ())]
        assert tuple(path) == call.prompt_ids + call.completion_ids
    (segment,) = segments(episode)
    assert segment.prompt_ids == (1, 2, 3) and segment.response_ids == (4, 5, 6, 7)
    assert segment.response_mask == (True, True, False, True)
    assert segment.response_logprobs == (-0.1, -0.2, -0.3)


def test_the_same_words_in_other_tokens_are_drift() -> None:
    tale = Tale("?")
    first = tale.say(
        [{"role": "human", "content": "q"}], "a",
        tokens={"delta_ids": [1, 2], "completion_ids": [4, 5], "logprobs": [-0.1, -0.2]},
    )  # fmt: skip
    tale.say(
        [{"role": "ai", "content": "a"}, {"role": "human", "content": "r"}], "b", same=1,
        tokens={"after": first, "same": 2, "delta_ids": [45, 6], "completion_ids": [7],
                "logprobs": [-0.3]},
    )  # fmt: skip
    one, two = segments(tale.episode())
    assert (one.begins, two.begins) == ("start", "drift:2")
    assert one.response_mask == (True, True) and two.prompt_ids == (1, 2, 45, 6)
    assert two.response_mask == (True,) and len(two.messages) == 4


def test_the_map_of_the_layer_names_every_module() -> None:
    folder = Path(str(pagehop.trajectories.__file__)).parent
    modules = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    modules |= {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    named = {line.split()[0] for line in (pagehop.trajectories.__doc__ or "").splitlines() if line}
    assert modules <= named


def test_the_causes_of_a_new_context_are_told_and_nothing_else_is_excused() -> None:
    def edits(*asked: tuple[str, int, int, int, list[str]], begun: bool = False) -> list[str]:
        told, found = PromptsTold(), []
        for i, (role, round_, shrink, repairs, texts) in enumerate(asked):
            told.told(f"{i}/call", [HumanMessage(text) for text in texts])
            edit = told.edit(
                role, round_, shrink=shrink, repairs=repairs, form="native", begun=begun
            )
            found.append(edit[0] if edit is not None else "")
        return found

    explorer = ("explorer", 0, 0, 0, ["a", "b"])
    assert edits(explorer, ("explorer", 0, 0, 0, ["a", "b", "c"])) == ["", ""]
    assert edits(explorer, ("answerer", 0, 0, 0, ["x"])) == ["", "role"]
    assert edits(explorer, ("explorer", 1, 0, 0, ["a"])) == ["", "summarise"]
    assert edits(explorer, ("explorer", 0, 1, 0, ["a"])) == ["", "truncate"]
    assert edits(("explorer", 0, 0, 2, ["a", "b"]), ("explorer", 0, 0, 0, ["a"])) == ["", "repair"]
    assert edits(explorer, ("explorer", 0, 0, 0, ["z"])) == ["", ""]
    assert edits(explorer, begun=True) == ["resume"]


@pytest.mark.parametrize("replied", [True, False])
def test_the_same_prompt_again_leaves_out_the_reply_it_had(replied: bool) -> None:
    told = PromptsTold()
    for i in range(2):
        told.told(f"{i}/call", [HumanMessage("a")])
        edit = told.edit("condenser", 0, shrink=1, repairs=2, form="json")
        if replied:
            told.told_tokens(f"{i}/call", None)
    assert told.goes_on is not replied
    assert edit == (("truncate", "the prompt was too long and was shortened") if replied else None)
