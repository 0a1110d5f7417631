"""Episodes for a trainer: run a question with its policy, record it, score it.

    ground = TrainingGround("reports/", "questions.jsonl", reward="documents")
    rolled = await ground.run(ground.question("What was revenue?"), TokenChat(...))
    rolled.reward, rolled.segments

Every episode goes through the explore machine, as `pagehop rollout` has it, with a model of its own
and a name of its own: a question is sampled again and again while the policy changes.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.errors import ConfigError
from pagehop.evaluation.questions import Question
from pagehop.events import Event
from pagehop.interfaces.options import EpisodeOptions, checked_options
from pagehop.interfaces.recording import run_manifest
from pagehop.interfaces.rollouts import Questions, read_questions, task_told
from pagehop.interfaces.running import Source, machine_for, open_view, tools_for
from pagehop.models.seeding import SEED
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.fold import fold
from pagehop.trajectories.recorder import Recorder, new_run_id, open_record
from pagehop.trajectories.rewards.catalog import find_reward
from pagehop.trajectories.rewards.reward import Reward
from pagehop.trajectories.rollout import group_name
from pagehop.trajectories.segments import Segment, segments

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Rolled:
    """One episode and what it was worth."""

    episode: Episode
    reward: float | None
    """None: it could not be judged."""
    reason: str
    parts: Mapping[str, float | None]
    """Of a composite reward, the value of each part."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Its segments with exact token ids, of calls by the policy."""
        return tuple(
            one
            for one in segments(self.episode)
            if one.has_tokens and any(one.response_mask) and all(c.trainable for c in one.calls)
        )


class TrainingGround:
    """Documents and questions, with a reward: where episodes are run."""

    def __init__(
        self,
        source: Source,
        questions: Questions | None,
        *,
        reward: str | Reward = "documents",
        out: str | Path | None = None,
        options: EpisodeOptions | None = None,
    ) -> None:
        """Open the documents and read the questions.

        Args:
            source: As `ask` takes it.
            questions: As `rollout` takes them; None when each episode brings its own.
            reward: By name, as `pagehop score` takes it, or one of your own.
            out: Folder of the record; without one episodes are kept by nobody.
            options: As for `ask`; the model is given with each episode.

        Raises:
            ConfigError: A question, the reward or an option is wrong, or two questions are alike.
            LibraryError: There are no documents.
        """
        self.view = open_view(source)[0]
        self.questions = [] if questions is None else read_questions(questions)
        self.reward = reward if isinstance(reward, Reward) else find_reward(reward)
        self._options: EpisodeOptions = options or {}
        checked_options({**self._options, "model": "builtin"})
        self._out = None if out is None else Path(out).expanduser()
        self._recorder: Recorder | None = None
        self._by_words: dict[str, Question] = {}
        for question in self.questions:
            if question.question.strip() in self._by_words:
                raise ConfigError(f"two questions have the same words: {question.question!r}")
            self._by_words[question.question.strip()] = question

    def question(self, words: str) -> Question:
        """Return a question by its words: trainers hand on prompts, not ids.

        Raises:
            ConfigError: There is none.
        """
        found = self._by_words.get(words.strip())
        if found is None:
            raise ConfigError(
                f"{words[:80]!r} is none of the {len(self.questions)} questions given; the "
                "trainer's rows and these questions must be the same"
            )
        return found

    async def run(
        self, question: Question, model: "BaseChatModel", *, index: int | None = None
    ) -> Rolled:
        """Run one episode with a policy and score it; one that fails is scored as it ended.

        Args:
            question: One of the ground's, or another one.
            model: The policy.
            index: Which sample of its group it is.
        """
        options = checked_options({**self._options, "model": model})
        view = self.view if question.scope is None else self.view.within(question.scope)
        recorder = self.recorder(model)
        group, name = group_name(question.id), secrets.token_hex(6)
        about = {
            "task": task_told(question, self.view), "group_id": group, "rollout_index": index,
        }  # fmt: skip
        happened: list[Event] = []

        def take(event: Event) -> None:
            if event.type == "episode.start":
                event = replace(event, body={**event.body, **about})
            happened.append(event)
            recorder(event)

        machine = machine_for(view, options, recorder, take)
        token = SEED.set(int(name, 16) & 0x7FFF_FFFF)
        try:
            start: Any = {"question": question.question, "episode_id": f"{group}.{name}"}
            await machine.ainvoke(start)
        finally:
            SEED.reset(token)
        return self.scored(happened)

    def scored(self, events: Sequence[Event]) -> Rolled:
        """Fold and score what happened."""
        episode = fold(events)
        records = self.reward.score(episode)
        reason = "; ".join(dict.fromkeys(record.reason for record in records))
        parts = {name: value for record in records for name, value in record.parts.items()}
        return Rolled(episode, self.reward.value(episode), reason, parts)

    def recorder(self, model: "BaseChatModel | None") -> Recorder:
        """Return the record that all episodes share; begun with the first one.

        Args:
            model: The policy; None when the trainer keeps it to itself.

        Raises:
            LibraryError: The folder cannot be written.
        """
        if self._recorder is None:
            self._recorder = Recorder(new_run_id(), None)
            if self._out is not None:
                options = checked_options({**self._options, "model": model or "builtin"})
                told, blobs = run_manifest(self.view, options, tools_for(self.view, options))
                told |= {"purpose": "train", "reward": self.reward.name}
                if model is None:
                    told["models"] = {"policy": {"model_id": "policy", "api_kind": "trainer"}}
                self._recorder = open_record(self._out, told, blobs)
        return self._recorder

    def close(self) -> None:
        """Sync and close the record."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
