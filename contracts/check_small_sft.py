"""TRL trains a step on the rollouts of a real model, as benchmarks/small_rollouts.py left them.

    python contracts/check_small_sft.py FOLDER

The loss falls on the words that the model sampled, and on none that a tool or the harness wrote.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from toy_model import model, tokenizer
from trl import SFTConfig, SFTTrainer

TOKENS = 8192


def main(folder: Path) -> None:
    """Train one step."""
    logging.disable(logging.WARNING)
    file = folder / "exports" / "trl-sft.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    rows = load_dataset("json", data_files=str(file), split="train")
    words = tokenizer()
    with tempfile.TemporaryDirectory() as scratch:
        settings = SFTConfig(
            scratch, max_length=TOKENS, assistant_only_loss=True, max_steps=1, use_cpu=True,
            per_device_train_batch_size=2, report_to="none", save_strategy="no", bf16=False,
            learning_rate=1e-2, disable_tqdm=True, shuffle_dataset=False,
        )  # fmt: skip
        trainer = SFTTrainer(
            model(positions=TOKENS), settings, train_dataset=rows, processing_class=words
        )
        for row, line in zip(trainer.train_dataset, lines, strict=True):
            check(row, line, words)
        before = {name: value.clone() for name, value in trainer.model.named_parameters()}
        trainer.train()
        after = dict(trainer.model.named_parameters())
        assert any(not torch.equal(after[name], value) for name, value in before.items())
        loss = trainer.state.log_history[-1]["train_loss"]
    print(f"trl-sft: one step on {len(lines)} segments of a real model's episodes, loss {loss:.2f}")


def check(row: Any, line: Any, words: Any) -> None:
    """Compare the text that is trained with what the assistant said."""
    trained = words.decode([label for label in row["labels"] if label != -100])
    said = [m["content"] or "" for m in line["completion"] if m["role"] == "assistant"]
    told = [m["content"] for m in line["completion"] if m["role"] != "assistant"]
    assert all(text in trained for text in said), (said, trained)
    assert not any(text in trained for text in told if len(text) > 40), trained


if __name__ == "__main__":
    main(Path(sys.argv[1]))
