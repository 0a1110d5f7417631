"""Segments: the stretches of an episode in which each prompt extends the one before it.

A segment is one training sample. It is derived from messages and calls, never stored. Over all
segments of an episode each sampled message, and each sampled token, is trained exactly once: where
a segment states again what an earlier one sampled, that is context.
"""

from dataclasses import dataclass, field, replace

from pagehop.trajectories.calls import LLMCall
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.messages import Message, PicturePart


@dataclass(frozen=True)
class Segment:
    """A stretch of model calls whose prompts extend one another."""

    id: str
    """`<episode>/<number>`, from 0."""
    calls: tuple[LLMCall, ...]
    """Empty in a run by rules."""
    messages: tuple[Message, ...]
    """From the root to the last reply."""
    begins: str
    """Why it is not part of the one before: `start`, `declared:<edit id>`, `tools_changed`,
    `undeclared` (the prompts differ and no edit says why), `drift:<tokens>` (the same messages in
    other tokens)."""
    new: frozenset[str] = frozenset()
    """Ids of the sampled messages that are trained here and in no segment before."""
    prompt_ids: tuple[int, ...] = ()
    """Of its first call; empty when the engine gave none."""
    response_ids: tuple[int, ...] = ()
    """Everything behind it: what was sampled, and what tools and harness put between."""
    response_mask: tuple[bool, ...] = ()
    """True for sampled ids of this segment."""
    response_logprobs: tuple[float, ...] = ()
    """One for each true bit; empty when any of its calls has none."""
    pictures: tuple[PicturePart, ...] = field(default=())
    """In the order in which they stand."""

    @property
    def has_tokens(self) -> bool:
        """Whether the engine gave the ids of every call."""
        return bool(self.prompt_ids)

    @property
    def aligned_logprobs(self) -> tuple[float, ...]:
        """One for each response id, 0 where nothing was sampled; empty when they are not known."""
        if not self.response_logprobs:
            return ()
        rest = iter(self.response_logprobs)
        return tuple(next(rest) if kept else 0.0 for kept in self.response_mask)


def segments(episode: Episode) -> tuple[Segment, ...]:
    """Return the segments of an episode, in the order in which they began."""
    if not episode.calls:
        return _by_rules(episode)
    stretches: list[list[LLMCall]] = []
    begins: list[str] = []
    for call in episode.calls:
        if not call.message:
            continue  # it failed: nothing was sampled
        prompt = {message.id for message in episode.path(call.leaf)}
        goes_on = [
            stretch
            for stretch in stretches
            if stretch[-1].message in prompt and stretch[-1].tools_sha256 == call.tools_sha256
        ]
        if goes_on:
            goes_on[-1].append(call)
        else:
            # A call of another model, such as one that reads a picture, is no break of the policy.
            before = next(
                (s[-1] for s in reversed(stretches) if s[-1].trainable == call.trainable), None
            )
            begins.append(_begins(episode, before, call, prompt))
            stretches.append([call])
    return tuple(
        _segment(episode, i, stretch, begin)
        for i, (stretch, begin) in enumerate(zip(stretches, begins, strict=True))
    )


def undeclared(episode: Episode) -> tuple[Segment, ...]:
    """Return the segments that begin for no reason that the log gives."""
    return tuple(one for one in segments(episode) if one.begins.startswith(("undeclared", "drift")))


def _begins(episode: Episode, before: LLMCall | None, call: LLMCall, prompt: set[str]) -> str:
    if before is None:
        return "start"
    for edit in episode.edits:
        if edit.id == f"{call.id}.edit":
            return f"declared:{edit.id}"
    if before.message in prompt:
        return "tools_changed"
    copied = {episode.message(name).copied_from for name in prompt}
    if before.message in copied and before.prompt_ids and call.prompt_ids:
        old = before.prompt_ids + before.completion_ids
        same = next(
            (i for i, (a, b) in enumerate(zip(old, call.prompt_ids, strict=False)) if a != b),
            min(len(old), len(call.prompt_ids)),
        )
        return f"drift:{len(old) - same}"
    return "undeclared"


def _segment(episode: Episode, number: int, calls: list[LLMCall], begins: str) -> Segment:
    path = episode.path(calls[-1].message)
    made = Segment(
        id=f"{episode.episode_id}/{number}",
        calls=tuple(calls),
        messages=path,
        begins=begins,
        new=frozenset(call.message for call in calls),
        pictures=tuple(picture for message in path for picture in message.pictures),
    )
    if not all(call.prompt_ids and call.completion_ids for call in calls):
        return made
    first = calls[0].prompt_ids
    ids: list[int] = []
    mask: list[bool] = []
    for message in path:
        assert message.tokens is not None
        ids += message.tokens.ids
        mask += [message.id in made.new] * len(message.tokens.ids)
    logprobs = [p for call in calls for p in call.completion_logprobs]
    start = len(first)
    return replace(
        made,
        prompt_ids=first,
        response_ids=tuple(ids[start:]),
        response_mask=tuple(mask[start:]),
        response_logprobs=tuple(logprobs) if len(logprobs) == sum(mask[start:]) else (),
    )


def _by_rules(episode: Episode) -> tuple[Segment, ...]:
    """Return a path for each round of a run by rules; nothing in it was sampled."""
    parents = {message.parent for message in episode.messages}
    leaves = [message.id for message in episode.messages if message.id not in parents]
    made = []
    for i, leaf in enumerate(leaves):
        begins = "start" if i == 0 else f"declared:{episode.edits[i - 1].id}"
        made.append(Segment(f"{episode.episode_id}/{i}", (), episode.path(leaf), begins))
    return tuple(made)
