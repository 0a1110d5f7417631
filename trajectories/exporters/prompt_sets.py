"""Questions to sample from: TRL's GRPOTrainer (`trl-grpo`) and verl's RL parquet (`verl-rl`).

These hold no replies. One row a question of the run, with what rewards need; `trl-grpo` also
writes a module of reward functions beside the rows.

Source: TRL 1.16 `GRPOTrainer`, verl 0.9.1 `RLHFDataset`, read and run.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pagehop.trajectories.episode import Episode
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row
from pagehop.trajectories.rewards.advantage import group_of

DATA_SOURCE = "pagehop"
FUNCTIONS = '''"""Reward functions for TRL's GRPOTrainer over the rows beside this file.

    GRPOTrainer(..., reward_funcs=[answer_f1, answer_numeric])

Each is given the columns of the rows by name; None where nothing is known to judge by.
"""

import json

from pagehop.scoring import numeric, words


def said(completion):
    """Return the last words of a completion, a text or a conversation."""
    if isinstance(completion, str):
        return completion
    texts = [m.get("content") or "" for m in completion if m["role"] == "assistant"]
    return texts[-1] if texts else ""


def answer_f1(completions, gold_answers, **columns):
    """F1 of words with the best gold answer, 0 to 1."""
    return [words.token_f1(said(c), json.loads(g)) for c, g in zip(completions, gold_answers)]


def answer_numeric(completions, gold_answers, **columns):
    """1 where the gold number is stated, else 0."""
    return [
        numeric.numeric_match(said(c), json.loads(g), which="any")
        for c, g in zip(completions, gold_answers)
    ]
'''


def _grpo(job: Job) -> Iterator[Row | Refused]:
    for episodes in _questions(job):
        episode = episodes[0]
        prompt = _prompt(episode)
        task = episode.task
        yield (
            prompt
            if isinstance(prompt, Refused)
            else {
                "prompt": prompt,
                "question": episode.question,
                "task_id": task.task_id,
                # Strings: rows with other numbers of answers or pages would be padded.
                "gold_answers": json.dumps(task.gold_answers, ensure_ascii=False),
                "gold_pages": json.dumps([page.page for page in task.gold_pages]),
                "answerable": task.answerable,
                "mean_reward": _mean(job, episodes),
            }
        )


def _verl(job: Job) -> Iterator[Row | Refused]:
    for i, episodes in enumerate(_questions(job)):
        episode = episodes[0]
        prompt = _prompt(episode)
        task = episode.task
        yield (
            prompt
            if isinstance(prompt, Refused)
            else {
                "data_source": task.dataset or DATA_SOURCE,
                "prompt": prompt,
                "ability": "document-qa",
                "reward_model": {
                    "style": "rule",
                    "ground_truth": {
                        "answers": list(task.gold_answers) or [""],
                        "pages": [page.page for page in task.gold_pages] or [""],
                        "answerable": {True: "yes", False: "no", None: "unknown"}[task.answerable],
                    },
                },
                "extra_info": {
                    "index": i,
                    "split": task.split or "train",
                    "task_id": task.task_id,
                    "question": episode.question,
                },
            }
        )


def _questions(job: Job) -> Iterator[list[Episode]]:
    groups: dict[str, list[Episode]] = {}
    for sample in job.samples:
        groups.setdefault(group_of(sample.episode), []).append(sample.episode)
    yield from groups.values()


def _prompt(episode: Episode) -> list[dict[str, Any]] | Refused:
    """Return the question as a conversation; the system text is the trainer's to choose."""
    if not episode.question.strip():
        return Refused(episode.episode_id, "its question has no words")
    return [{"role": "user", "content": episode.question}]


def _mean(job: Job, episodes: list[Episode]) -> float | None:
    names = {episode.episode_id for episode in episodes}
    values = [
        sample.reward
        for sample in job.samples
        if sample.episode.episode_id in names and sample.reward is not None
    ]
    return sum(values) / len(values) if values else None


def _functions(job: Job, rows: Sequence[Row]) -> None:
    job.out.with_name(f"{job.out.stem}_rewards.py").write_text(FUNCTIONS, encoding="utf-8")


TRL_GRPO = Exporter(
    "trl-grpo",
    _grpo,
    loses=("everything that was sampled: rows are questions to sample from",),
    finish=_functions,
)
VERL_RL = Exporter(
    "verl-rl",
    _verl,
    loses=(
        "everything that was sampled: rows are questions to sample from",
        "what was unknown: no answers or pages are a list of one empty text",
    ),
    suffixes=(".parquet",),
)
