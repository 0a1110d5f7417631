"""TRL trains a vision model a step on pictures that pagehop's tools give back to it.

    python contracts/check_trl_vision.py

The policy is a random Qwen3-VL of two layers whose words are forced: it looks at the upper part of
a page and answers. The picture reaches the messages, the placeholders in the prompt and the pixels
of the loss, and no word of a tool is trained.
"""

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import torch
from check_trl_live import COMMON, EXAMPLES, Watched
from datasets import Dataset
from forced_policy import PAGE, QUESTION
from toy_model import changed
from toy_vision import processor, vision_model
from trl import GRPOConfig

from pagehop.interfaces.training.trl_environment import document_environment
from pagehop.library.library import Library
from pagehop.trajectories.reading import read_run


class LookingTrainer(Watched):
    """Samples a look at a page, then an answer; keeps what it was shown."""

    def _generate_single_turn(self, prompt_ids: Any, images: Any, *rest: Any, **more: Any) -> Any:
        words, said = self.processing_class.tokenizer, []
        self.shown = images or []
        for i, ids in enumerate(prompt_ids):
            told = words.decode(ids)
            if "is recorded. Stop" in told:
                text = "Done."
            elif "<|image_pad|>" in told:
                answer = QUESTION["answers"][0] if i == 0 else "Ann Smith"
                text = _call("submit_answer", {"answer": f"{answer}.", "pages": PAGE})
            else:
                text = "I look." + _call("look", {"ref": PAGE, "y1": 0.25})
            said.append(words.encode(text + words.eos_token, add_special_tokens=False))
        return said, None


def main(scratch: Path) -> None:
    """Run the step."""
    logging.disable(logging.WARNING)
    library = Library(scratch / "library")
    library.add(EXAMPLES / "documents")
    made = document_environment(
        library, [QUESTION], reward="answer_sub_em", out=scratch / "run", pictures=True,
        tools=("look", "read_page"),
    )  # fmt: skip
    ready = processor()
    settings = GRPOConfig(str(scratch), max_completion_length=6000, **COMMON)
    trainer = LookingTrainer(
        vision_model(ready.tokenizer), [], args=settings, environment_factory=made,
        train_dataset=Dataset.from_list(made.rows()), processing_class=ready,
    )  # fmt: skip
    changed(trainer)
    made._ground.close()
    batch = trainer.batch
    assert [len(pictures) for pictures in trainer.shown] == [1, 1], trainer.shown
    merged = ready.image_processor.merge_size**2
    for i in range(2):
        ids, mask = batch["completion_ids"][i], batch["completion_mask"][i]
        kept = (mask * batch["tool_mask"][i]).bool()
        trained = ready.tokenizer.decode(ids[kept])
        assert "I look." in trained and "submit_answer" in trained, trained
        assert "<|image_pad|>" not in trained and "picture" not in trained, trained
        held = int((ids == ready.image_token_id).sum())
        assert held == int(batch["image_grid_thw"][i].prod()) // merged, held
    patches = int(batch["image_grid_thw"].prod(dim=-1).sum())
    assert batch["pixel_values"].shape[0] == patches
    episodes = read_run(scratch / "run").episodes
    crops = [[call.crop for call in episode.tool_calls] for episode in episodes]
    assert all(len(one) == 1 and one[0] is not None for one in crops), crops
    print(
        f"environment_factory, pictures: one GRPO step of a vision model; two episodes looked at a "
        f"crop of {held} tokens each; {patches} patches of pixels reached the loss"
    )


def _call(name: str, arguments: Any) -> str:
    written = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{written}\n</tool_call>"


if __name__ == "__main__":
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
