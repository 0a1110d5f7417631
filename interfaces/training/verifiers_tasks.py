"""A taskset and a harness for verifiers (prime-rl, hosted evaluations). Made for and run on 0.4.

verifiers imports plugins by the name of a top-level module, so yours is two lines:

    # my_documents.py
    from pagehop.interfaces.training.verifiers_tasks import DocumentHarness, DocumentTaskset
    __all__ = ["DocumentHarness", "DocumentTaskset"]

    eval my-documents --env.taskset.questions questions.jsonl --env.agent.harness.library reports/

1. The taskset gives one task a question of a pagehop question file.
2. The harness runs the explore machine in this process; each call of the model goes to the
   endpoint that verifiers intercepts, so that its trace has every prompt and reply. Each round and
   role is a branch of the trace, and a training sample.
3. The episode is scored by a reward of pagehop's from its own record (pages shown, citations), and
   the trace's `info["pagehop"]` keeps what it came to. One that could not be judged is an error.

Tested against a local endpoint with the client for evaluations, which gives no token ids; not
tried with prime-rl.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from pydantic import SecretStr

from pagehop.evaluation.questions import Question, load_questions
from pagehop.graphs.budget import Budget
from pagehop.interfaces.options import Effort, EpisodeOptions
from pagehop.interfaces.training.episodes import TrainingGround
from pagehop.models.openai_chat import client_per_loop
from pagehop.models.verbatim_chat import VerbatimChat

__all__ = ["DocumentHarness", "DocumentTaskset"]


class DocumentTasksetConfig(vf.TasksetConfig):  # type: ignore[misc]  # verifiers is untyped here
    """Which questions there are."""

    questions: Path = Path("questions.jsonl")
    """A pagehop question file."""


class DocumentData(vf.TaskData):  # type: ignore[misc]  # as above
    """A question and what is known of its answer."""

    question: dict[str, Any]
    """A line of the question file."""


class DocumentTask(vf.Task[DocumentData]):  # type: ignore[misc]  # as above
    """Answer a question from documents."""

    @property
    def key(self) -> str:
        """The question's id."""
        return str(self.data.question["id"])

    @vf.reward(weight=1.0)  # type: ignore[untyped-decorator]  # as above
    async def document_reward(self, trace: vf.Trace) -> float:
        """What pagehop's reward says of the episode."""
        told = trace.info["pagehop"]
        if told["reward"] is None:
            raise ValueError(f"the episode could not be judged: {told['reason']}")
        return float(told["reward"])

    @vf.metric  # type: ignore[untyped-decorator]  # as above
    async def document_parts(self, trace: vf.Trace) -> dict[str, float]:
        """The reward's parts, as far as they are known, and whether there is an answer."""
        told = trace.info["pagehop"]
        parts = {name: value for name, value in told["parts"].items() if value is not None}
        return {**parts, "answered": float(told["status"] == "answered")}


class DocumentTaskset(vf.Taskset[DocumentTask, DocumentTasksetConfig]):  # type: ignore[misc]  # as above
    """The questions of a file."""

    def load(self) -> list[DocumentTask]:
        """Return a task for each question."""
        return [
            DocumentTask(
                DocumentData(id=one.id, prompt=one.question, question=one.model_dump(mode="json")),
                self.config.task,
            )
            for one in load_questions(self.config.questions)
        ]


class DocumentHarnessConfig(vf.HarnessConfig):  # type: ignore[misc]  # as above
    """How the machine answers."""

    library: Path = Path()
    """A pagehop library, or a folder of documents."""
    reward: str = "documents"
    """As `pagehop score` takes it."""
    max_steps: int = 12
    effort: Effort = "medium"
    out: Path | None = None
    """Folder for pagehop's own record; none keeps only verifiers' traces."""


class DocumentHarness(vf.Harness[DocumentHarnessConfig]):  # type: ignore[misc]  # as above
    """The explore machine, in this process."""

    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """Run one episode against the intercepted endpoint."""
        config = self.config
        ground = _ground(config.library, config.reward, config.max_steps, config.effort, config.out)
        model = VerbatimChat(
            model=ctx.model, base_url=endpoint, api_key=SecretStr(secret), max_retries=0,
            http_async_client=client_per_loop(),
        )  # fmt: skip
        rolled = await ground.run(Question.model_validate(data.question), model)
        episode = rolled.episode
        answer = episode.answer
        trace.info["pagehop"] = {
            "episode_id": episode.episode_id,
            "status": episode.status,
            "answer": "" if answer is None else answer.text,
            "cited": [] if answer is None else [str(one.ref) for one in answer.citations],
            "shown": [one.page for one in episode.shown],
            "reward": rolled.reward,
            "reason": rolled.reason,
            "parts": dict(rolled.parts),
        }
        failed = answer is not None and answer.status == "failed"
        return vf.ProgramResult(
            exit_code=int(failed),
            stdout="" if answer is None else answer.text,
            stderr=answer.error if failed and answer is not None else "",
        )


@lru_cache(maxsize=4)
def _ground(
    library: Path, reward: str, max_steps: int, effort: Effort, out: Path | None
) -> TrainingGround:
    """Return where episodes run; all rollouts of a process share one."""
    options = EpisodeOptions(budget=Budget(steps=max_steps), effort=effort)
    return TrainingGround(library, None, reward=reward, out=out, options=options)
