"""An agent loop for verl: the explore machine under PPO or GRPO. Experimental: verl 0.9.1.

    # agents.yaml, named by actor_rollout_ref.rollout.agent.agent_loop_config_path
    - name: pagehop
      _target_: pagehop.interfaces.training.verl_loop.DocumentLoop
      library: reports/
      questions: questions.jsonl
      reward: documents

and `agent_name: pagehop` in the rows, or as `default_agent_loop`.

1. An episode gives one output a segment, in the order of the run. Only verl's V1 trainer takes
   several outputs (its worker with TransferQueue); the reward stands on each of them.
2. Ids, masks and logprobs are those that verl's servers gave.
3. An episode that could not be judged, or in which nothing was sampled, is masked out: verl has no
   word for a reward that is not known.

Its class contract is tested with verl's own classes and a stand-in for its servers; no training
step was run: verl needs a GPU. Not covered: pictures.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import (
    AgentLoopBase,
    AgentLoopMetrics,
    AgentLoopOutput,
)

from pagehop.graphs.budget import Budget
from pagehop.interfaces.options import Effort, EpisodeOptions
from pagehop.interfaces.training.episodes import Rolled, TrainingGround
from pagehop.models.token_chat import Sampled, TokenChat
from pagehop.trajectories.segments import Segment

_STEPS = ("min_global_steps", "max_global_steps")
"""Versions of the weights, as verl's servers tell them."""


class DocumentLoop(AgentLoopBase):  # type: ignore[misc]  # verl is untyped here
    """Answers a row's question from documents."""

    def __init__(
        self,
        *args: Any,
        library: str,
        questions: str,
        reward: str = "documents",
        max_steps: int = 12,
        effort: Effort = "medium",
        reply_tokens: int = 1024,
        out: str = "",
        **kwargs: Any,
    ) -> None:
        """Take what the configuration file says, beside what verl gives.

        Args:
            args: Verl's own.
            library: A pagehop library, or a folder of documents.
            questions: A question file that has the rows' questions.
            reward: As `pagehop score` takes it.
            max_steps: Of an episode.
            effort: As `ask` takes it.
            reply_tokens: Longest reply of the policy.
            out: Folder of the record; empty for none.
            kwargs: Verl's own.
        """
        super().__init__(*args, **kwargs)
        self._ground = _ground(library, questions, reward, max_steps, effort, out)
        self._reply_tokens = reply_tokens
        self._longest = int(self.rollout_config.response_length)

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> list[AgentLoopOutput]:
        """Run one episode and return its segments."""
        servers = Servers(
            self.server_manager, {**sampling_params, "max_tokens": self._reply_tokens}
        )
        model = TokenChat(
            model_name="policy", tokenizer=self.tokenizer, engine=servers,
            template_options=dict(self.apply_chat_template_kwargs or {}),
        )  # fmt: skip
        asked = self._ground.question(_words(kwargs["raw_prompt"]))
        rolled = await self._ground.run(asked, model, index=kwargs.get("session_id"))
        outputs = [
            self._output(segment, rolled, servers)
            for segment in rolled.segments
            if any(segment.response_mask[: self._longest])
        ]
        return outputs or [self._nothing(asked.question, rolled, servers)]

    def _output(self, segment: Segment, rolled: Rolled, servers: "Servers") -> AgentLoopOutput:
        cut = self._longest
        judged = rolled.reward is not None
        mask = [int(kept and judged) for kept in segment.response_mask[:cut]]
        return AgentLoopOutput(
            prompt_ids=list(segment.prompt_ids),
            response_ids=list(segment.response_ids[:cut]),
            response_mask=mask,
            response_logprobs=list(segment.aligned_logprobs[:cut]) or None,
            **self._about(rolled, servers, turns=len(segment.messages)),
        )

    def _nothing(self, question: str, rolled: Rolled, servers: "Servers") -> AgentLoopOutput:
        """Return an output in which nothing is trained."""
        end = self.tokenizer.eos_token_id
        prompt = self.tokenizer.encode(question, add_special_tokens=False)
        return AgentLoopOutput(
            prompt_ids=prompt, response_ids=[end], response_mask=[0], response_logprobs=[0.0],
            **self._about(rolled, servers, turns=1),
        )  # fmt: skip

    def _about(self, rolled: Rolled, servers: "Servers", *, turns: int) -> dict[str, Any]:
        episode = rolled.episode
        told = {
            "scored": float(rolled.reward is not None),
            "answered": float(episode.status == "answered"),
            "segments": float(len(rolled.segments)),
        }
        return {
            "reward_score": rolled.reward or 0.0,
            "num_turns": turns,
            "metrics": AgentLoopMetrics(
                generate_sequences=sum(call.seconds for call in episode.calls),
                tool_calls=sum(call.seconds for call in episode.tool_calls),
            ),
            "extra_fields": {
                **servers.steps, "reward_extra_info": told, "episode_id": episode.episode_id,
                "turn_scores": [], "tool_rewards": [],
            },
        }  # fmt: skip


class Servers:
    """A `TokenEngine` over verl's servers; all calls of an episode go to the same one."""

    def __init__(self, manager: Any, params: Mapping[str, Any]) -> None:
        """Take verl's client and how to sample."""
        self._manager, self._params = manager, dict(params)
        self._request = uuid4().hex
        self.steps: dict[str, Any] = dict.fromkeys(_STEPS)

    async def sample(
        self, prompt: Sequence[int], *, stop: Sequence[str], seed: int | None
    ) -> Sampled:
        """Return what follows on the ids of a prompt; seeds are verl's own."""
        params = {**self._params, "stop": list(stop)} if stop else dict(self._params)
        said = await self._manager.generate(
            request_id=self._request, prompt_ids=list(prompt), sampling_params=params
        )
        for name, choose in zip(_STEPS, (min, max), strict=True):
            told = said.extra_fields.get(name)
            if told is not None:
                known = self.steps[name]
                self.steps[name] = told if known is None else choose(known, told)
        logprobs = tuple(said.log_probs or ())
        return Sampled(tuple(said.token_ids), logprobs, finish_reason=said.stop_reason or "")


def _words(prompt: Any) -> str:
    return str(list(prompt)[-1]["content"])


@lru_cache(maxsize=4)
def _ground(
    library: str, questions: str, reward: str, max_steps: int, effort: Effort, out: str
) -> TrainingGround:
    """Return where episodes run: verl makes a loop for each, and all of a worker share this."""
    options = EpisodeOptions(budget=Budget(steps=max_steps), effort=effort)
    return TrainingGround(library, questions, reward=reward, out=out or None, options=options)
