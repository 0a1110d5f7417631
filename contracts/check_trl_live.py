"""TRL trains steps on pagehop's machine and on its tools, over the example documents.

    python contracts/check_trl_live.py

The policy is a random model. Once it says what it says, which is noise; then its words are forced,
so that episodes have tool calls and answers. Ids, masks and logprobs that reach the loss are those
that were sampled, and no word of a tool is trained.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import trl
from datasets import Dataset
from forced_policy import ON_PAGE, PAGE, QUESTION, SAID, Forced, logprobs_of
from toy_model import changed, model, tokenizer
from trl import GRPOConfig, GRPOTrainer

import pagehop
from pagehop.interfaces.training.trl_environment import document_environment
from pagehop.interfaces.training.trl_rollouts import TrlRollouts
from pagehop.library.library import Library
from pagehop.models.weights_engine import WeightsEngine
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.rewards.reward import Reward, Scored

EXAMPLES = Path(__file__).parent.parent / "examples"
COMMON: dict[str, Any] = {
    "max_steps": 1, "per_device_train_batch_size": 2, "num_generations": 2, "report_to": "none",
    "use_cpu": True, "save_strategy": "no", "bf16": False, "logging_steps": 1,
    "learning_rate": 1e-3, "disable_tqdm": True,
}  # fmt: skip


class Watched(GRPOTrainer):
    """Keeps what the loss is computed on."""

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        self.batch = super()._generate_and_score_completions(inputs)
        return self.batch


class ForcedTrainer(Watched):
    """Samples what a script says, turn by turn."""

    def _generate_single_turn(self, prompt_ids: Any, *rest: Any, **more: Any) -> Any:
        words, said = self.processing_class, []
        for i, ids in enumerate(prompt_ids):
            told = words.decode(ids)
            if "is recorded. Stop" in told:
                text = "Done."
            elif ON_PAGE in told:
                answer = QUESTION["answers"][0] if i == 0 else "Ann Smith"
                text = _call("submit_answer", {"answer": f"{answer}.", "pages": PAGE})
            else:
                text = SAID[0] + _call("read_page", {"ref": PAGE})
            said.append(words.encode(text + words.eos_token, add_special_tokens=False))
        return said, None


def main(scratch: Path) -> None:
    """Run the steps."""
    logging.disable(logging.WARNING)
    library = Library(scratch / "library")
    library.add(EXAMPLES / "documents")
    told = Reward("parity", _parity, low=0.0)
    rollouts(library, scratch, WeightsEngine, told)
    rollouts(library, scratch, Forced, "answer_sub_em")
    environment(library, scratch)


def _parity(episode: Any) -> Scored:
    """Noise is worth nothing; numbers that differ give its tokens advantages all the same."""
    return Scored(float(episode.rollout_index), "the number of the sample")


def rollouts(library: Library, scratch: Path, engine: Any, reward: Any) -> None:
    """Train on segments of the explore machine."""
    untrained, policy = model(positions=16384), model(positions=16384)
    policy.load_state_dict(untrained.state_dict())
    out = scratch / engine.__name__
    live = TrlRollouts(
        library, [QUESTION], reward=reward, out=out, segment="longest", engine=engine,
        budget=pagehop.Budget(steps=3), concurrency=1,
    )  # fmt: skip
    settings = GRPOConfig(str(scratch), max_completion_length=12, temperature=0.8, **COMMON)
    trainer = Watched(
        policy, [live.reward], args=settings, rollout_func=live,
        train_dataset=Dataset.from_list(live.dataset_rows()), processing_class=tokenizer(),
    )  # fmt: skip
    changed(trainer)
    live.ground.close()
    forced = engine is Forced
    for i, rolled in enumerate(live.rolled):
        longest = max(rolled.segments, key=lambda one: sum(one.response_mask))
        trained = trained_text(trainer.batch, i)
        sampled = [i for call in longest.calls for i in call.completion_ids]
        assert trained == tokenizer().decode(sampled), trained
        check_logprobs(untrained, longest)
        if forced:
            assert all(said in trained for said in SAID) and ON_PAGE not in trained, trained
            assert ON_PAGE in tokenizer().decode(longest.response_ids)
    rewards = [rolled.reward for rolled in live.rolled]
    assert sorted(rewards) == [0.0, 1.0], rewards
    statuses = [episode.status for episode in read_run(out).episodes]
    assert statuses == (["answered"] * 2 if forced else ["failed"] * 2), statuses
    segments = [len(rolled.segments) for rolled in live.rolled]
    print(
        f"rollout_func, {engine.__name__}: one GRPO step; episodes {statuses} of {segments} "
        "segments; trained text is what was sampled, logprobs those of one pass over the row"
    )


def check_logprobs(weights: Any, segment: Any) -> None:
    """Compare the logprobs of sampling with one pass of the same weights over the whole row."""
    found = logprobs_of(weights, segment.prompt_ids, segment.response_ids, 0.8)
    for mine, theirs, kept in zip(
        segment.aligned_logprobs, found, segment.response_mask, strict=True
    ):
        assert not kept or abs(mine - theirs) < 1e-3, (mine, theirs)


def environment(library: Library, scratch: Path) -> None:
    """Train on a conversation with the tools as TRL's environment."""
    out = scratch / "environment"
    made = document_environment(library, [QUESTION], reward="answer_sub_em", out=out)
    words = tokenizer()
    words.chat_template = (Path(trl.__file__).parent / "chat_templates/qwen3.jinja").read_text()
    settings = GRPOConfig(str(scratch), max_completion_length=6000, **COMMON)
    trainer = ForcedTrainer(
        model(positions=32768), [], args=settings, environment_factory=made,
        train_dataset=Dataset.from_list(made.rows()), processing_class=words,
    )  # fmt: skip
    changed(trainer)
    for i in range(2):
        trained = trained_text(trainer.batch, i)
        assert SAID[0] in trained and "submit_answer" in trained, trained
        assert ON_PAGE not in trained, trained
    made._ground.close()
    episodes = read_run(out).episodes
    tools = [[call.tool for call in episode.tool_calls] for episode in episodes]
    assert tools == [["read_page"]] * 2 and all(e.status == "answered" for e in episodes)
    assert [shown.page for shown in episodes[0].shown] == [PAGE] and episodes[0].shown[0].cited
    rewards = trainer.state.log_history[0]["rewards/DocumentEnvironment/mean"]
    assert rewards == 0.5, rewards
    print("environment_factory: one GRPO step; two episodes read a page and answered; reward 0.5")


def trained_text(batch: Any, i: int) -> str:
    """Return the words on which the loss of a row falls."""
    kept = (batch["completion_mask"][i] * batch["tool_mask"][i]).bool()
    text: str = tokenizer().decode(batch["completion_ids"][i][kept])
    return text


def _call(name: str, arguments: Any) -> str:
    written = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{written}\n</tool_call>"


if __name__ == "__main__":
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
