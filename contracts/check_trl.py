"""TRL trains a step on each export; the loss falls on what was sampled, and on no tool text.

python contracts/check_trl.py OUT
"""

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from toy_model import changed, model, tokenizer
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

SAID = "I search."
RESULT = "Revenue was"
COMMON: dict[str, Any] = {
    "max_steps": 1, "per_device_train_batch_size": 2, "report_to": "none", "use_cpu": True,
    "save_strategy": "no", "bf16": False, "logging_steps": 1, "learning_rate": 1e-2,
}  # fmt: skip


def main(out: Path) -> None:
    """Run each step."""
    with tempfile.TemporaryDirectory() as scratch:
        sft(out, scratch)
        tokens(out, scratch)
        dpo(out, scratch)
        grpo(out, scratch)


def sft(out: Path, scratch: str) -> None:
    """Train on conversations with loss on the assistant's messages only."""
    rows = load_dataset("json", data_files=str(out / "sft.jsonl"), split="train")
    settings = SFTConfig(scratch, max_length=1024, assistant_only_loss=True, **COMMON)
    words = tokenizer()
    trainer = SFTTrainer(model(), settings, train_dataset=rows, processing_class=words)
    batch = next(iter(trainer.get_train_dataloader()))
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        trained = words.decode(labels[labels != -100])
        assert SAID in trained and "million" in trained, trained
        assert RESULT not in trained and "What was" not in trained, trained
        assert RESULT in words.decode(ids)
    changed(trainer)
    print("trl-sft: one step; loss on the assistant's messages, none on the tool's")


def tokens(out: Path, scratch: str) -> None:
    """Train on the sampled ids."""
    rows = load_dataset("parquet", data_files=str(out / "tokens.parquet"), split="train")
    kept = rows.select_columns(["input_ids", "labels"])
    settings = SFTConfig(scratch, max_length=1024, **COMMON)
    trainer = SFTTrainer(model(), settings, train_dataset=kept, processing_class=tokenizer())
    batch = next(iter(trainer.get_train_dataloader()))
    for labels in batch["labels"]:
        text = bytes(labels[labels != -100].tolist()).decode()
        assert text in (f"{SAID}455.9 million", f"{SAID}412.6 million"), text
    changed(trainer)
    print("trl-tokens: one step; labels are the sampled ids, verbatim")


def dpo(out: Path, scratch: str) -> None:
    """Train on step pairs."""
    rows = load_dataset("json", data_files=str(out / "dpo.jsonl"), split="train")
    settings = DPOConfig(scratch, max_length=1024, **COMMON)
    words = tokenizer()
    kept = rows.select_columns(["prompt", "chosen", "rejected"])
    trainer = DPOTrainer(
        model(), model(), args=settings, train_dataset=kept, processing_class=words
    )
    batch = next(iter(trainer.get_train_dataloader()))
    masked = batch["input_ids"][batch["completion_mask"].bool()]
    text = words.decode(masked)
    assert "million" in text and RESULT not in text, text
    changed(trainer)
    print("trl-dpo: one step; chosen and rejected are single replies, no tool text")


def grpo(out: Path, scratch: str) -> None:
    """Sample and train with the reward functions that were written beside the questions."""
    rows = load_dataset("json", data_files=str(out / "grpo.jsonl"), split="train")
    spec = importlib.util.spec_from_file_location("rewards", out / "grpo_rewards.py")
    assert spec is not None and spec.loader is not None
    rewards = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rewards)
    settings = GRPOConfig(
        scratch, num_generations=2, max_completion_length=8, **COMMON | {"learning_rate": 1e-3}
    )
    trainer = GRPOTrainer(
        model(),
        [rewards.answer_f1, rewards.answer_numeric],
        args=settings,
        train_dataset=rows,
        processing_class=tokenizer(),
    )
    trainer.train()
    assert any("rewards/answer_f1/mean" in line for line in trainer.state.log_history)
    print("trl-grpo: one step with the exported reward functions")


if __name__ == "__main__":
    torch.manual_seed(0)
    main(Path(sys.argv[1]))
