"""Live training: episodes for a trainer, rows that TRL takes, tools as its environment."""

import contextlib
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from transformers.utils.chat_template_utils import get_json_schema

import pagehop
from pagehop.errors import ConfigError
from pagehop.evaluation.stand_in import stand_in
from pagehop.interfaces.training.episodes import TrainingGround
from pagehop.interfaces.training.trl_environment import document_environment
from pagehop.interfaces.training.trl_rollouts import TrlRollouts
from pagehop.library.view import View
from pagehop.models.stub_endpoint import StubEndpoint
from pagehop.models.token_chat import Sampled, TokenChat
from pagehop.models.verbatim_chat import VerbatimChat
from pagehop.trajectories.reading import read_run
from test_rollout import QUESTIONS, REPORT, answering
from test_token_chat import END, Toy, _read

PAGE = f"{REPORT}:1"


class Engine:
    """Says what `answering` says, in ids; gives logprobs unless told otherwise."""

    def __init__(self, weights: Any = None, config: Any = None) -> None:
        self.mute = bool(config)

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        said = answering(_read(Toy().decode(prompt)), [])
        if isinstance(said, dict):
            call = json.dumps({"name": "read_page", "arguments": {"ref": PAGE}})
            said = f"{said['content']}<tool_call>\n{call}\n</tool_call>"
        ids = tuple(Toy().encode("" if self.mute else said + END))
        return Sampled(ids, (-0.5,) * len(ids))


def policy(engine: Engine) -> TokenChat:
    return TokenChat(model_name="policy", tokenizer=Toy(), engine=engine)


async def test_an_episode_with_the_policy_given_is_recorded_and_scored(
    view: View, tmp_path: Path
) -> None:
    ground = TrainingGround(view, QUESTIONS, reward="answer_sub_em", out=tmp_path / "x")
    question = ground.question(" What was the revenue of Halden Marine in 2022?\n")
    rolled = await ground.run(question, policy(Engine()), index=1)
    ground.close()
    assert rolled.reward == 1.0 and rolled.reason and len(rolled.segments) == 3
    (episode,) = read_run(tmp_path / "x").episodes
    assert episode.status == "answered" and episode.task.gold_answers == ("455.9",)
    assert episode.group_id == "rev" and episode.rollout_index == 1
    segment = rolled.segments[1]
    assert len(segment.aligned_logprobs) == len(segment.response_ids)
    known = [p for p, k in zip(segment.aligned_logprobs, segment.response_mask, strict=True) if k]
    assert tuple(known) == segment.response_logprobs and set(known) == {-0.5}


def test_wrong_grounds_are_refused(view: View) -> None:
    with pytest.raises(ConfigError, match="there is no reward 'nice'"):
        TrainingGround(view, QUESTIONS, reward="nice")
    with pytest.raises(ConfigError, match="the same words: 'a'"):
        TrainingGround(view, ["a", "a"])
    with pytest.raises(ConfigError, match="'b' is none of the 1 questions"):
        TrainingGround(view, ["a"]).question("b")
    with pytest.raises(ConfigError, match="segment='first'"):
        TrlRollouts(view, ["a"], segment="first")  # type: ignore[arg-type]  # on purpose


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return what a rollout function reads of TRL's trainer; TRL is not installed here."""
    lent = contextlib.nullcontext
    module = SimpleNamespace(unwrap_model_for_generation=lambda model, accelerator: lent(model))
    monkeypatch.setitem(sys.modules, "trl", SimpleNamespace(models=module))
    monkeypatch.setitem(sys.modules, "trl.models", module)
    return SimpleNamespace(
        use_vllm=False, processing_class=Toy(), model_wrapped=None, accelerator=None,
        generation_config=None, chat_template_kwargs=None,
    )  # fmt: skip


def test_trl_gets_a_row_a_prompt_with_the_episodes_reward(
    view: View, trainer: SimpleNamespace
) -> None:
    live = TrlRollouts(view, QUESTIONS, reward="answer_sub_em", segment="longest", engine=Engine)
    prompts = [row["prompt"] for row in live.dataset_rows() for _ in range(2)]
    rows = live(prompts, trainer)
    assert live.reward([None] * 4, **rows) == [1.0, 1.0, None, None]  # the second has no gold
    ids, masks = rows["completion_ids"], rows["env_mask"]
    for said, mask, logprobs in zip(ids, masks, rows["logprobs"], strict=True):
        assert len(said) == len(mask) == len(logprobs)
        text = Toy().decode([i for i, kept in zip(said, mask, strict=True) if kept])
        assert "<tool_call>" in text and "455.9 million crowns" in text and "<|tool|>" not in text
        assert "<|tool|>" in Toy().decode(said)


def test_a_drawn_segment_is_one_of_the_episodes(view: View, trainer: SimpleNamespace) -> None:
    live = TrlRollouts(view, [QUESTIONS[0]], engine=Engine, concurrency=2)
    live([live.dataset_rows()[0]["prompt"]] * 4, trainer)  # a step before: loops end with a call
    rows = live([live.dataset_rows()[0]["prompt"]] * 8, trainer)
    found = {tuple(s.response_ids) for rolled in live.rolled for s in rolled.segments}
    assert {tuple(ids) for ids in rows["completion_ids"]} <= found
    assert len({tuple(ids) for ids in rows["completion_ids"]}) > 1


def test_an_episode_without_a_sampled_token_is_left_out(
    view: View, trainer: SimpleNamespace
) -> None:
    trainer.generation_config = "mute"
    trainer.processing_class.eos_token_id = 1
    live = TrlRollouts(view, [QUESTIONS[0]], reward="answer_sub_em", engine=Engine)
    rows = live([QUESTIONS[0]["question"]], trainer)
    assert rows["env_mask"] == [[0]] and rows["episode_reward"] == [None]
    assert rows["completion_ids"] == [[1]]


def test_vllm_inside_the_trainer_is_refused(view: View, trainer: SimpleNamespace) -> None:
    trainer.use_vllm, trainer.vllm_generation = True, SimpleNamespace()
    with pytest.raises(ConfigError, match='vllm_mode="server"'):
        TrlRollouts(view, [QUESTIONS[0]])([QUESTIONS[0]["question"]], trainer)


def test_tools_as_methods_have_the_schemas_of_the_tools(view: View) -> None:
    made = document_environment(view, QUESTIONS)
    for tool in pagehop.toolset(view, "text"):
        schema = get_json_schema(getattr(made(), tool.name))["function"]
        assert schema["name"] == tool.name
        mine, theirs = tool.args, schema["parameters"]["properties"]
        assert list(mine) == list(theirs)
        for name, told in mine.items():
            assert theirs[name]["type"] == told["type"], (tool.name, name)
            assert theirs[name].get("enum") == told.get("enum")
            assert theirs[name]["description"] == told["description"]
        needed = schema["parameters"].get("required", [])
        assert needed == [name for name, told in mine.items() if "default" not in told]


def test_an_environment_records_and_scores_what_was_done(view: View, tmp_path: Path) -> None:
    made = document_environment(view, QUESTIONS, reward="citation_f1", out=tmp_path / "x")
    (first, second), one, other = made.rows(), made(), made()
    one.reset(**first)
    other.reset(**second)
    assert "455.9" in one.read_page(ref=PAGE)  # type: ignore[attr-defined]  # made of a tool
    assert "wrong arguments" in one.read_page(ref=3)  # type: ignore[attr-defined]  # as above
    assert "recorded" in one.submit_answer("It was 455.9 million.", f"{PAGE}, nowhere")
    assert one.get_reward() == one.get_reward() == 1.0
    assert other.get_reward() is None
    one.reset(**first)
    assert one.get_reward() == 0.0
    done, broken, again = read_run(tmp_path / "x").episodes
    assert [call.ok for call in done.tool_calls] == [True, False]
    assert done.shown[0].page == PAGE and done.shown[0].cited and done.status == "answered"
    assert broken.status == again.status == "exhausted" and not again.tool_calls


def test_an_environment_for_vision_models_gives_pictures_behind_their_words(view: View) -> None:
    """The forms that TRL takes: text, or content blocks with pictures of PIL."""
    made = document_environment(view, QUESTIONS, pictures=True)
    one = made()
    one.reset(**made.rows()[0])
    said, shown = one.look(ref=PAGE, y1=0.5)  # type: ignore[attr-defined]  # made of a tool
    assert said["type"] == "text" and PAGE in said["text"]
    assert shown["type"] == "image" and shown["image"].mode == "RGB"
    assert shown["image"].width > shown["image"].height
    assert "455.9" in one.read_page(ref=PAGE)  # type: ignore[attr-defined]  # as above
    assert isinstance(one.look(ref=f"{PAGE}9"), str)  # type: ignore[attr-defined]  # as above
    words = document_environment(view, QUESTIONS)()
    words.reset(**made.rows()[0])
    assert isinstance(words.look(ref=PAGE), str)  # type: ignore[attr-defined]  # as above


def test_only_the_tools_named_are_offered(view: View) -> None:
    made = document_environment(view, QUESTIONS, tools=("read_page",))
    assert hasattr(made, "read_page") and not hasattr(made, "walk")


def test_a_verbatim_chat_repeats_replies_as_they_came(view: View) -> None:
    """Each request goes on from the one before, for whoever watches the endpoint."""
    with StubEndpoint(stand_in()) as stub:
        model = VerbatimChat(model="stub", base_url=stub.base_url, api_key=SecretStr("none"))
        answer = pagehop.ask(str(QUESTIONS[0]["question"]), view, model=model, record=False)
    assert answer.status == "answered", answer.error
    rounds = [body["messages"] for body in stub.requests if body.get("tools")]
    assert len(rounds) > 2 and not stub.errors
    told = 0
    for before, after in itertools.pairwise(rounds):
        assert after[: len(before)] == before
        reply, next_one = after[len(before) : len(before) + 2]
        assert reply["role"] == "assistant"
        if calls := reply.get("tool_calls"):
            assert calls[0]["id"] == next_one["tool_call_id"] and calls[0]["id"][:5] == "call_"
            told += 1
    assert told
