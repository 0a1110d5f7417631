"""Neutral rows of tokens for SkyRL, OpenRLHF, slime, rLLM and trainers of one's own (`rows`).

One row a segment, in parquet. `response_mask` is 1 where a model sampled; reward and advantage are
the episode's on each of its segments.
"""

from collections.abc import Iterator

from pagehop.trajectories.exporters.chat_form import trained, usable
from pagehop.trajectories.exporters.exporter import Exporter, Job, Refused, Row
from pagehop.trajectories.exporters.trl_sft import with_tokens


def _rows(job: Job) -> Iterator[Row | Refused]:
    for found in usable(job, trained, with_tokens):
        if isinstance(found, Refused):
            yield found
            continue
        sample, segment = found
        episode = sample.episode
        kept = [one for one in sample.segments if not (trained(one) or with_tokens(one))]
        yield {
            "episode_id": episode.episode_id,
            "segment": int(segment.id.rpartition("/")[2]),
            "segments": len(kept),
            "is_last": segment is kept[-1],
            "begins": segment.begins,
            "group_id": episode.group_id,
            "rollout_index": episode.rollout_index,
            "task_id": episode.task.task_id,
            "question": episode.question,
            "prompt_ids": list(segment.prompt_ids),
            "response_ids": list(segment.response_ids),
            "response_mask": [int(one) for one in segment.response_mask],
            "response_logprobs": list(segment.response_logprobs) or None,
            "reward": sample.reward,
            "advantage": sample.advantage,
            "status": episode.status,
            "policy_version": segment.calls[-1].policy_version or episode.policy_end,
            "model": segment.calls[-1].model_served or segment.calls[-1].model,
            "images": [picture.blob for picture in segment.pictures],
        }


ROWS = Exporter(
    "rows",
    _rows,
    loses=("words and roles, evidence, rewards by part: only tokens and what they were worth",),
    suffixes=(".parquet", ".jsonl"),
)
