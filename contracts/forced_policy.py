"""A policy that says what a script gives it, with the logprobs that its weights give those words.

A random model says noise, which ends every episode at its first role. Forced, it plans, reads a
page, keeps a quote and answers, so that whole episodes reach a trainer. Every second episode
answers wrongly, so that a group has something to learn from.
"""

import json
from collections.abc import Sequence
from typing import Any

import torch
from toy_model import tokenizer

from pagehop.models.token_chat import Sampled

QUESTION = {
    "id": "partner", "question": "Who is the audit partner of Tarnwick Instruments?",
    "answers": ["Gideon Marchetti"], "documents": ["Tarnwick_Annual_Report_2023.pdf"],
    "evidence": [{"document": "Tarnwick_Annual_Report_2023.pdf", "page": 11}],
}  # fmt: skip
PAGE = "Tarnwick_Annual_Report_2023:11"
QUOTE = "Gideon Marchetti"
SAID = ("I read the page.", "I have seen enough.")
"""What is sampled around the tool call."""
ON_PAGE = "Audit Committee"
"""Words of the page, which no role says."""


def say(prompt: str, *, right: bool) -> str:
    """Return what a role says, from its prompt alone."""
    system = prompt.partition("<|im_end|>")[0]
    last = prompt.rpartition("<|im_start|>user")[2].lstrip()
    if "You plan" in system:
        return json.dumps({"parts": [{"id": "Q1", "text": "the audit partner"}]})
    if "You write the answer" in system:
        text = f"The audit partner is {QUOTE}." if right else "The partner is not Ann Smith."
        return json.dumps({"claims": [{"text": text, "evidence": ["E1"]}]})
    if "The round ends here" in last:
        kept = [{"ref": PAGE, "quote": QUOTE, "part": "Q1"}]
        parts = [{"id": "Q1", "state": "answered"}]
        return json.dumps({"evidence": kept, "parts": parts, "sufficient": True})
    if last.startswith("Step 1."):
        call = {"name": "read_page", "arguments": {"ref": PAGE}}
        return f"{SAID[0]}<tool_call>\n{json.dumps(call)}\n</tool_call>"
    return SAID[1]


class Forced:
    """A `TokenEngine` over weights whose words are forced."""

    def __init__(self, weights: Any, config: Any) -> None:
        """Take the trainer's weights and generation config."""
        self.weights, self.config, self.words = weights, config, tokenizer()
        self.seeds: list[int | None] = []
        """Of the episodes, each with one of its own, in the order in which they began."""

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        """Return the script's words as ids, with their logprobs."""
        if seed not in self.seeds:
            self.seeds.append(seed)
        said = say(self.words.decode(prompt), right=self.seeds.index(seed) % 2 == 0)
        ids = self.words.encode(said + self.words.eos_token, add_special_tokens=False)
        logprobs = logprobs_of(self.weights, prompt, ids, self.config.temperature)
        return Sampled(tuple(ids), tuple(logprobs), said, "stop", "forced")


def logprobs_of(
    weights: Any, prompt: Sequence[int], ids: Sequence[int], temperature: float
) -> list[float]:
    """Return what weights give each id behind a prompt, by one pass over all of it."""
    whole = torch.tensor([[*prompt, *ids]])
    with torch.no_grad():
        logits = weights(whole, logits_to_keep=len(ids) + 1).logits[0, :-1].float()
    logprobs = torch.log_softmax(logits / temperature, dim=-1)
    chosen: list[float] = logprobs.gather(1, torch.tensor(list(ids))[:, None])[:, 0].tolist()
    return chosen
