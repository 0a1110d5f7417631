"""Preferences for TRL: step pairs (`trl-dpo`) and single replies (`trl-kto`).

Two replies are a pair when both were sampled behind the same prompt, word for word, in episodes of
one group whose rewards differ. Each side is one assistant message, because DPOTrainer puts its loss
on all of a completion, tool results included.

Source: TRL 1.16, `DPOTrainer` and `KTOTrainer`, read and run.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pagehop.trajectories.exporters.chat_form import (
    WORDS,
    chat_message,
    dumps,
    tool_schemas,
    usable,
)
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row, Sample
from pagehop.trajectories.messages import Message
from pagehop.trajectories.rewards.advantage import group_of
from pagehop.trajectories.segments import Segment


@dataclass(frozen=True)
class _Reply:
    """A sampled message with its prompt and what its episode was worth."""

    sample: Sample
    segment: Segment
    prompt: tuple[Message, ...]
    said: Message

    @property
    def reward(self) -> float:
        assert self.sample.reward is not None
        return self.sample.reward


def _pairs(job: Job) -> Iterator[Row | Refused]:
    places: dict[tuple[str, ...], list[_Reply]] = defaultdict(list)
    for found in _replies(job):
        if isinstance(found, Refused):
            yield found
        else:
            group = group_of(found.sample.episode)
            places[(group, *(message.sha256 for message in found.prompt))].append(found)
    for replies in places.values():
        best = max(replies, key=lambda one: one.reward)
        worst = min(replies, key=lambda one: one.reward)
        what = f"{best.segment.id} behind {best.prompt[-1].id}"
        if len(replies) < 2:
            yield Refused(what, "no other episode of its group has the same prompt")
        elif best.reward == worst.reward:
            yield Refused(what, "all replies behind its prompt earned the same")
        elif best.said.sha256 == worst.said.sha256:
            yield Refused(what, "the best and the worst reply behind its prompt are the same")
        else:
            yield {
                "prompt": [chat_message(message) for message in best.prompt],
                "chosen": [chat_message(best.said)],
                "rejected": [chat_message(worst.said)],
                "tools": dumps(tool_schemas(job.run.manifest, best.segment)),
                "margin": best.reward - worst.reward,
                "chosen_episode": best.sample.episode.episode_id,
                "rejected_episode": worst.sample.episode.episode_id,
            }


def _labelled(job: Job) -> Iterator[Row | Refused]:
    """Yield a reply with whether its episode earned more than its group does on average."""
    for found in _replies(job):
        if isinstance(found, Refused):
            yield found
            continue
        advantage = found.sample.advantage
        if not advantage:
            reason = (
                "it is alone in its group" if advantage is None else "its group earned the same"
            )
            yield Refused(found.segment.id, reason)
            continue
        yield {
            "prompt": [chat_message(message) for message in found.prompt],
            "completion": [chat_message(found.said)],
            "label": advantage > 0,
            "tools": dumps(tool_schemas(job.run.manifest, found.segment)),
            "episode_id": found.sample.episode.episode_id,
        }


def _replies(job: Job) -> Iterator[_Reply | Refused]:
    for found in usable(job, *WORDS):
        if isinstance(found, Refused):
            yield found
            continue
        sample, segment = found
        if sample.reward is None:
            yield Refused(segment.id, _no_reward(sample))
            continue
        for i, message in enumerate(segment.messages):
            if message.id in segment.new:
                yield _Reply(sample, segment, segment.messages[:i], message)


def _no_reward(sample: Sample) -> str:
    names = sorted({reward.name for reward in sample.episode.rewards})
    if len(names) > 1:
        return f"it has several rewards, {', '.join(names)}: name one with --reward"
    if names:
        return f"its reward {names[0]} has no value"
    return "it has no reward: pagehop score DIR --reward NAME"


_LOST = ("all of an episode but single replies", "token ids and logprobs", "rewards by part")
TRL_DPO = Exporter("trl-dpo", _pairs, loses=_LOST)
TRL_KTO = Exporter("trl-kto", _labelled, loses=_LOST)
