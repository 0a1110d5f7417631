"""TRL's `environment_factory`: pagehop's tools as an environment. Experimental: run on TRL 1.16.

    Environment = document_environment("reports/", "questions.jsonl", reward="documents")
    GRPOTrainer(model, environment_factory=Environment,
                train_dataset=Dataset.from_list(Environment.rows()), ...)

The model calls tools in one conversation that only grows; TRL parses the calls and masks results.
`submit_answer` ends an episode, and `get_reward` scores what the environment saw: calls, pages, the
answer and the pages it names. One that submits nothing is `exhausted`, without an answer.

Each tool has one method, with the names, types and descriptions of its own schema, from which TRL
makes the same schema. With `pictures=True`, for vision models, `look`, `overview` and `read_page`
give what they show as a picture behind its words, in the content blocks that TRL takes. Not
covered: the words of the model, which TRL keeps: the record has calls and answers only.
"""

import inspect
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pagehop.answers import Answer, Citation, Status, Usage
from pagehop.evaluation.questions import Question
from pagehop.events import Event, EventType
from pagehop.interfaces.api import run_sync
from pagehop.interfaces.rollouts import Questions, task_told
from pagehop.interfaces.running import Source
from pagehop.interfaces.training.episodes import Rolled, TrainingGround
from pagehop.settings import load_settings
from pagehop.trajectories.recorder import Recorder
from pagehop.trajectories.rewards.reward import Reward
from pagehop.trajectories.rollout import group_name
from pagehop.types import FULL_PAGE, PageRef

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from pagehop.agents.moves import Observation
    from pagehop.graphs.calls import ToolRunner

SYSTEM = (
    "Answer the question from the documents. Look things up with the tools; only what stands on a "
    "page that a tool showed counts. When you know the answer, or know that the documents do not "
    "hold it, call submit_answer once and stop."
)


class DocumentEnvironment:
    """One episode at a time: its question, what tools were asked and gave, its answer."""

    _ground: ClassVar[TrainingGround]
    _runner: ClassVar["ToolRunner"]
    _recorder: ClassVar[Recorder]
    _pictures: ClassVar[bool]

    def __init__(self) -> None:
        """Begin without a question."""
        self._events: list[Event] = []
        self._question = Question(id="none", question="-")
        self._episode = ""
        self._calls = 0
        self._seen: set[str] = set()
        self._began = 0.0
        self._answer: Answer | None = None
        self._rolled: Rolled | None = None

    @classmethod
    def rows(cls) -> list[dict[str, Any]]:
        """Return the rows of a dataset of the questions."""
        return [
            {
                "prompt": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": question.question},
                ],
                "question": question.question,
            }
            for question in cls._ground.questions
        ]

    def reset(self, question: str, **row: Any) -> None:
        """Begin an episode.

        Args:
            question: Its words.
            row: What else the row of the dataset holds; not used.
        """
        self.__init__()  # type: ignore[misc]  # TRL uses an instance again
        self._question = self._ground.question(question)
        group = group_name(self._question.id)
        self._episode = f"{group}.{secrets.token_hex(6)}"
        self._began = time.monotonic()
        start = {
            "question": question, "graph": "trl_environment", "model": "policy",
            "task": task_told(self._question, self._ground.view), "group_id": group,
            "library_version": self._ground.view.version,
        }  # fmt: skip
        self._tell("episode.start", "start", start)

    def submit_answer(self, answer: str, pages: str) -> str:
        """Give the final answer; call it once, when nothing is left to look up.

        Args:
            answer: the answer in one sentence; empty when the documents do not hold it
            pages: references of the pages it stands on, comma-separated; empty for none
        """
        found = [_cited(name) for name in pages.split(",")]
        cited = tuple(one for one in found if one is not None)
        status: Status = "answered" if answer.strip() else "unanswerable"
        self._answer = Answer(self._question.question, answer, status, cited)
        return "The answer is recorded. Stop here."

    def get_reward(self) -> float | None:
        """End the episode and return its reward; None when it cannot be judged."""
        return self._end().reward

    def _end(self) -> Rolled:
        if self._rolled is None:
            answer = self._answer or Answer(self._question.question, "", "exhausted")
            seconds = time.monotonic() - self._began
            usage = Usage(tool_calls=self._calls, steps=self._calls, seconds=round(seconds, 4))
            answer = replace(answer, usage=usage)
            body = {"status": answer.status, "answer": answer.to_json()}
            self._tell("episode.end", "end", {**body, "question": self._question.question})
            self._rolled = self._ground.scored(self._events)
        return self._rolled

    def _call(self, tool: str, arguments: Mapping[str, Any]) -> str | list[dict[str, Any]]:
        """Run one tool and return what the model reads."""
        from pagehop.agents.moves import Call  # noqa: PLC0415 - agents load late

        self._calls += 1
        call = Call(tool, dict(arguments), id=f"s{self._calls}c1")
        body = {"call": call.id, "tool": tool, "arguments": dict(arguments), "step": self._calls}
        self._tell("tool.start", f"{call.id}.start", body)
        seen = frozenset(self._seen)
        (done,) = run_sync(lambda: self._runner.run([call], seen=seen, seconds_left=None))
        self._seen.add(self._runner.key(call))
        item = done.observation
        if done.error:
            wrong = {"where": tool, "call": call.id, "error": done.error}
            self._tell("error", f"{call.id}.error", wrong)
        end = {"call": call.id, "tool": tool, "ok": item.ok, "text": item.text}
        end |= {"artifact": dict(item.artifact), "cached": item.cached, "seconds": item.seconds}
        self._tell("tool.end", f"{call.id}.end", end)
        return self._shown(item)

    def _shown(self, item: "Observation") -> str | list[dict[str, Any]]:
        """Return a result as TRL puts it into the conversation: words, and a picture behind."""
        from pagehop.tools.pictures import draw  # noqa: PLC0415 - loads late

        picture = draw(self._ground.view, item.artifact) if self._pictures and item.ok else None
        if picture is None:
            return item.text
        return [
            {"type": "text", "text": item.text},
            {"type": "image", "image": picture.convert("RGB")},
        ]

    def _tell(self, kind: EventType, what: str, body: Mapping[str, Any]) -> None:
        event = Event(
            f"{self._episode}/{self._calls}/{what}", kind, body, self._recorder.run_id,
            self._episode, ts=time.time(), mono=time.monotonic(),
        )  # fmt: skip
        self._events.append(event)
        self._recorder(event)


def document_environment(
    source: Source,
    questions: Questions,
    *,
    reward: str | Reward = "documents",
    out: str | Path | None = None,
    tools: "tuple[str, ...]" = (),
    pictures: bool = False,
) -> type[DocumentEnvironment]:
    """Make the class of environments over documents and questions.

    Args:
        source: As `ask` takes it.
        questions: As `rollout` takes them.
        reward: By name, or one of your own.
        out: Folder of the record.
        tools: Names of the tools to offer; none is all.
        pictures: The model is a vision model and is shown what tools show; else they give words.

    Raises:
        ConfigError: A question or the reward is wrong.
        LibraryError: There are no documents.
    """
    from pagehop.graphs.calls import ToolRunner  # noqa: PLC0415 - graphs load late
    from pagehop.tools.toolset import toolset  # noqa: PLC0415 - loads langchain

    ground = TrainingGround(source, questions, reward=reward, out=out)
    offered = {
        tool.name: tool
        for tool in toolset(ground.view, "reference" if pictures else "text")
        if not tools or tool.name in tools
    }
    runner = ToolRunner(offered, load_settings().run.tool_timeout_s, ground.view.version)
    members: dict[str, Any] = {name: _method(tool) for name, tool in offered.items()}
    members |= {"_ground": ground, "_runner": runner, "_recorder": ground.recorder(None)}
    members["_pictures"] = pictures
    return type("DocumentEnvironment", (DocumentEnvironment,), members)


def _method(tool: "BaseTool") -> Callable[..., str | list[dict[str, Any]]]:
    """Return a tool as a method whose signature and docstring TRL reads."""

    def method(self: DocumentEnvironment, **arguments: Any) -> str | list[dict[str, Any]]:
        return self._call(tool.name, arguments)

    fields = tool.args_schema.model_fields  # type: ignore[union-attr]  # ours are pydantic
    parameter = partial(inspect.Parameter, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [
        parameter(
            name,
            annotation=field.annotation,
            default=inspect.Parameter.empty if field.is_required() else field.default,
        )
        for name, field in fields.items()
    ]
    signature = inspect.Signature([parameter("self"), *parameters], return_annotation=str)
    method.__signature__ = signature  # type: ignore[attr-defined]  # inspect reads it
    method.__annotations__ = {name: field.annotation for name, field in fields.items()}
    method.__annotations__["return"] = str
    lines = [f"    {name}: {field.description or name}" for name, field in fields.items()]
    method.__doc__ = "\n".join([tool.description.strip(), "", "Args:", *lines])
    method.__name__ = method.__qualname__ = tool.name
    return method


def _cited(name: str) -> Citation | None:
    """Read a reference to a page; None when it is none."""
    try:
        ref = PageRef.parse(name)
    except ValueError:
        return None
    return Citation(ref.name, ref.name, ref.page, FULL_PAGE, "", verified=False)
