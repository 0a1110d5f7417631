"""TRL's `rollout_func`: the explore machine under GRPO. Experimental: made for and run on TRL 1.16.

    rollouts = TrlRollouts("reports/", "questions.jsonl", reward="documents")
    GRPOTrainer(model, reward_funcs=[rollouts.reward], rollout_func=rollouts,
                train_dataset=rollouts.dataset_rows(), ...)

1. TRL takes one row a prompt, and an episode has several segments (planner, rounds, answerer). One
   is drawn by chance, in proportion to what was sampled in it (`segment="any"`), so that over many
   steps each sampled token is trained equally often; or the longest one is taken. The reward is the
   episode's.
2. Ids, masks and logprobs are those of sampling: nothing is tokenised anew.
3. The policy samples through the trainer's own model, or with `use_vllm=True` and
   `vllm_mode="server"` through that server's completions.

An episode without a sampled token becomes a row with an empty mask and no reward, which TRL leaves
out. Not covered: pictures (TRL has no way back for them), vLLM beside the trainer in one process,
weights sharded over devices. The path through a vLLM server was not tried: none is here.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack

from pagehop.errors import ConfigError
from pagehop.interfaces.api import run_sync
from pagehop.interfaces.options import EpisodeOptions
from pagehop.interfaces.rollouts import Questions
from pagehop.interfaces.running import Source
from pagehop.interfaces.training.episodes import Rolled, TrainingGround
from pagehop.models.token_chat import TokenChat, TokenEngine
from pagehop.models.weights_engine import WeightsEngine
from pagehop.trajectories.rewards.reward import Reward
from pagehop.trajectories.segments import Segment

Pick = Literal["any", "longest"]
Every = Callable[[TokenChat], Awaitable[list[Rolled]]]


class TrlRollouts:
    """A `rollout_func` for `trl.GRPOTrainer`."""

    def __init__(
        self,
        source: Source,
        questions: Questions,
        *,
        reward: str | Reward = "documents",
        segment: Pick = "any",
        concurrency: int = 8,
        seed: int = 0,
        out: str | Path | None = None,
        engine: Callable[[Any, Any], TokenEngine] = WeightsEngine,
        **options: Unpack[EpisodeOptions],
    ) -> None:
        """Open the documents and read the questions.

        Args:
            source: As `ask` takes it.
            questions: As `rollout` takes them.
            reward: By name, or one of your own.
            segment: Which segment of an episode is its row.
            concurrency: Most episodes at once.
            seed: Of the draw of segments.
            out: Folder of the record.
            engine: Makes what samples of the trainer's weights and its `GenerationConfig`.
            options: As for `ask`, without a model.
        """
        if segment not in ("any", "longest"):
            raise ConfigError(f"segment={segment!r}: use any or longest")
        self.ground = TrainingGround(source, questions, reward=reward, out=out, options=options)
        self._segment = segment
        self._engine = engine
        self._concurrency = concurrency
        self._random = random.Random(seed)
        self.rolled: list[Rolled] = []
        """What the last call came to, in the order of its prompts."""

    def dataset_rows(self) -> list[dict[str, Any]]:
        """Return the rows of a dataset of these questions: `Dataset.from_list(...)`."""
        return [
            {"prompt": [{"role": "user", "content": question.question}]}
            for question in self.ground.questions
        ]

    def reward(
        self, completions: Sequence[Any], episode_reward: Sequence[float | None], **columns: Any
    ) -> list[float | None]:
        """Return the rewards that `__call__` computed: a reward function for the trainer."""
        return list(episode_reward)

    def __call__(self, prompts: Sequence[Any], trainer: Any) -> dict[str, Any]:
        """Run an episode for each prompt; what TRL calls."""
        asked = [self.ground.question(_words(prompt)) for prompt in prompts]

        async def every(model: TokenChat) -> list[Rolled]:
            places = asyncio.Semaphore(self._concurrency)  # of this call's loop

            async def one(i: int) -> Rolled:
                async with places:
                    return await self.ground.run(asked[i], model, index=i)

            return await asyncio.gather(*(one(i) for i in range(len(asked))))

        tokenizer = getattr(trainer.processing_class, "tokenizer", trainer.processing_class)
        if trainer.use_vllm:
            model = _server(trainer, tokenizer)
            self.rolled = run_sync(lambda: every(model))
        else:
            self.rolled = self._with_weights(trainer, tokenizer, every)
        rows = [self._row(rolled, tokenizer) for rolled in self.rolled]
        told = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
        return {
            **told,
            "episode_reward": [
                rolled.reward if rolled.segments else None for rolled in self.rolled
            ],
            "episode_id": [rolled.episode.episode_id for rolled in self.rolled],
        }

    def _row(self, rolled: Rolled, tokenizer: Any) -> dict[str, Any]:
        if not rolled.segments:
            end = tokenizer.eos_token_id
            return {
                "prompt_ids": [end], "completion_ids": [end], "logprobs": [0.0], "env_mask": [0]
            }  # fmt: skip
        segment = self._picked(rolled.segments)
        ids = list(segment.response_ids)
        return {
            "prompt_ids": list(segment.prompt_ids),
            "completion_ids": ids,
            "logprobs": list(segment.aligned_logprobs) or [0.0] * len(ids),
            "env_mask": [int(kept) for kept in segment.response_mask],
        }

    def _picked(self, found: Sequence[Segment]) -> Segment:
        sampled = [sum(one.response_mask) for one in found]
        if self._segment == "longest":
            return found[sampled.index(max(sampled))]
        return self._random.choices(found, sampled)[0]

    def _with_weights(self, trainer: Any, tokenizer: Any, every: Every) -> list[Rolled]:
        """Sample with the trainer's own model."""
        from trl.models import unwrap_model_for_generation  # noqa: PLC0415 - only with TRL

        with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as weights:
            engine = self._engine(weights, trainer.generation_config)
            model = TokenChat(
                model_name="policy", tokenizer=tokenizer, engine=engine,
                template_options=dict(trainer.chat_template_kwargs or {}),
            )  # fmt: skip
            return run_sync(lambda: every(model))


def _server(trainer: Any, tokenizer: Any) -> TokenChat:
    """Sample through the trainer's vLLM server.

    Raises:
        ConfigError: vLLM runs inside the trainer's process.
    """
    client = getattr(trainer.vllm_generation, "vllm_client", None)
    if client is None:
        raise ConfigError('use vllm_mode="server": vLLM inside the trainer has no endpoint to ask')
    return TokenChat(
        base_url=f"{client.base_url.rstrip('/')}/v1", model_name=trainer.model.name_or_path,
        tokenizer=tokenizer, temperature=trainer.temperature, top_p=trainer.top_p,
        max_tokens=trainer.max_completion_length,
        template_options=dict(trainer.chat_template_kwargs or {}),
    )  # fmt: skip


def _words(prompt: Any) -> str:
    """Return a prompt's question: the last thing that the user says."""
    if isinstance(prompt, str):
        return prompt
    content = prompt[-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")
