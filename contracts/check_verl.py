"""verl's own classes load the parquet and take what the agent loop gives.

    python contracts/check_verl.py OUT

`RLHFDataset` and `MultiTurnSFTDataset` read the exports of made_run.py. `DocumentLoop` is made as
verl's worker makes it (hydra, from a configuration) and runs an episode over the example documents
against a stand-in for verl's servers, whose policy is forced. verl's trainers need a GPU: none is
run.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import hydra
import torch
from forced_policy import ON_PAGE, QUESTION, SAID, say
from omegaconf import OmegaConf
from toy_model import tokenizer
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, DictConfigWrap
from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

from pagehop.library.library import Library

EXAMPLES = Path(__file__).parent.parent / "examples"


def main(out: Path) -> None:
    """Run each check."""
    rl(out)
    sft(out)
    with tempfile.TemporaryDirectory() as folder:
        loop(Path(folder))


def rl(out: Path) -> None:
    """Load the questions."""
    settings = OmegaConf.create(
        {"max_prompt_length": 512, "prompt_key": "prompt", "filter_overlong_prompts": False}
    )
    rows = RLHFDataset(str(out / "rl.parquet"), tokenizer(), settings)
    assert len(rows) == 2
    row = rows[0]
    assert row["raw_prompt"] == [{"role": "user", "content": "What was revenue in 2022?"}]
    truth = row["reward_model"]["ground_truth"]
    assert list(truth["answers"]) == ["455.9 million"] and truth["answerable"] == "yes"
    assert row["extra_info"]["index"] == 0 and row["data_source"] == "pagehop"
    print(f"RLHFDataset: {len(rows)} rows with prompt, ground truth and index")


def sft(out: Path) -> None:
    """Load the conversations; the loss falls on what was sampled, and on no tool text."""
    words = tokenizer()
    settings = {
        "max_length": 1024, "truncation": "error", "ignore_input_ids_mismatch": False,
        "pad_mode": "no_padding",
    }  # fmt: skip
    rows = MultiTurnSFTDataset(str(out / "verl_sft.parquet"), words, OmegaConf.create(settings))
    assert len(rows) == 4, len(rows)
    for i in range(len(rows)):
        row = rows[i]
        trained = words.decode(row["input_ids"][row["loss_mask"].bool()])
        assert "I search." in trained and "million" in trained, trained
        assert "Revenue was" not in trained and "What was" not in trained, trained
        assert "Revenue was" in words.decode(row["input_ids"])
    print(f"MultiTurnSFTDataset: {len(rows)} rows; loss on the assistant's turns only")


class StandIn:
    """What `DocumentLoop` asks of verl's `LLMServerClient`."""

    def __init__(self) -> None:
        self.requests: set[str] = set()

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: dict[str, Any]
    ) -> TokenOutput:
        """Say what the script says."""
        self.requests.add(request_id)
        assert sampling_params["logprobs"] and sampling_params["max_tokens"] == 1024
        words = tokenizer()
        said = say(words.decode(prompt_ids), right=True) + words.eos_token
        ids = words.encode(said, add_special_tokens=False)
        steps = {"global_steps": 3, "min_global_steps": 3, "max_global_steps": 3}
        return TokenOutput(
            token_ids=ids, log_probs=[-0.25] * len(ids), stop_reason="completed", extra_fields=steps
        )


def loop(scratch: Path) -> None:
    """Run an episode in verl's agent loop."""
    Library(scratch / "library").add(EXAMPLES / "documents")
    (scratch / "questions.jsonl").write_text(json.dumps(QUESTION) + "\n")
    told = {
        "_target_": "pagehop.interfaces.training.verl_loop.DocumentLoop",
        "library": str(scratch / "library"), "questions": str(scratch / "questions.jsonl"),
        "reward": "answer_sub_em", "max_steps": 3,
    }  # fmt: skip
    rollout = {"prompt_length": 8192, "response_length": 6000}
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}, "data": {}})
    servers, words = StandIn(), tokenizer()

    async def run() -> list[AgentLoopOutput]:
        made = hydra.utils.instantiate(
            config=OmegaConf.create(told), trainer_config=DictConfigWrap(config),
            server_manager=servers, tokenizer=words, processor=None, hf_model_type="qwen2",
            dataset_cls=RLHFDataset, data_config=DictConfigWrap(config.data),
        )  # fmt: skip
        sampling = {"temperature": 1.0, "top_p": 1.0, "top_k": -1, "logprobs": True}
        prompt = [{"role": "user", "content": QUESTION["question"]}]
        outputs: list[AgentLoopOutput] = await made.run(sampling, raw_prompt=prompt, index=0)
        return outputs

    outputs = asyncio.run(run())
    assert len(outputs) == 3 and len(servers.requests) == 1, len(outputs)
    for output in outputs:
        assert isinstance(output, AgentLoopOutput) and output.reward_score == 1.0
        row = output.as_dict()
        ids, mask = row["responses"], row["response_mask"].bool()
        assert ids.shape == mask.shape == row["rollout_log_probs"].shape == row["rm_scores"].shape
        assert torch.all(row["rollout_log_probs"][mask] == -0.25)
        assert ON_PAGE not in words.decode(ids[mask])
        assert row["extra_fields"]["reward_extra_info"]["answered"] == 1.0
        assert row["extra_fields"]["min_global_steps"] == 3
    trained = words.decode(
        [i for i, m in zip(outputs[1].response_ids, outputs[1].response_mask, strict=True) if m]
    )
    assert all(said in trained for said in SAID) and ON_PAGE in words.decode(
        outputs[1].response_ids
    )
    print(f"DocumentLoop: an episode of {len(outputs)} outputs; mask, logprobs and reward in place")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
