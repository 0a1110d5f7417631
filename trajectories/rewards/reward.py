"""What a reward is: a pure function of an episode with a name, a range, a version, a reason.

It reads the record, never the text of a log. A rule that breaks or gives no finite number leaves
its value None and says why: it is never taken for 0.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pagehop.trajectories.episode import Episode, RewardRecord, RewardScope

Setting = float | int | str | bool


@dataclass(frozen=True)
class Scored:
    """What a rule says of an episode, or of one of its calls."""

    value: float | None
    """None: it cannot be judged here, e.g. no gold page is known."""
    reason: str
    parts: Mapping[str, float | None] = field(default_factory=dict)
    scope: RewardScope = "episode"
    target: str = ""
    """Id of the call for a scope that is smaller than the episode."""
    judge: Mapping[str, object] | None = None


Rule = Callable[[Episode], Scored | Sequence[Scored]]


@dataclass(frozen=True)
class Reward:
    """A rule with its name, range, version and settings."""

    name: str
    """As it is asked for, settings included: `retrieval_ndcg@10`, `tool_budget(8)`."""
    rule: Rule
    low: float = 0.0
    high: float = 1.0
    version: str = "1"
    """Raised when the same episode would be scored otherwise."""
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """sha256 of name, version and settings, hex: scores of two digests do not compare."""
        kept = json.dumps([self.name, self.version, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(kept.encode()).hexdigest()

    def score(self, episode: Episode) -> tuple[RewardRecord, ...]:
        """Return one record for the episode, or one for each call that the rule looks at."""
        try:
            scored = self.rule(episode)
        except Exception as error:
            scored = Scored(None, f"broke with {type(error).__name__}: {error}")
        found = (scored,) if isinstance(scored, Scored) else tuple(scored)
        return tuple(self._record(one) for one in found)

    def value(self, episode: Episode) -> float | None:
        """Return the value for the whole episode; of a rule that looks at calls, their sum."""
        values = [record.value for record in self.score(episode) if record.value is not None]
        return sum(values) if values else None

    def score_all(self, episodes: Iterable[Episode]) -> dict[str, tuple[RewardRecord, ...]]:
        """Return the records of many episodes by their ids."""
        return {episode.episode_id: self.score(episode) for episode in episodes}

    def _record(self, scored: Scored) -> RewardRecord:
        value, reason = scored.value, scored.reason
        if value is not None and not math.isfinite(value):
            value, reason = None, f"gave {value}, which is no number to train on; {reason}"
        return RewardRecord(
            name=self.name,
            value=value,
            scope=scored.scope,
            target=scored.target,
            scorer=self.name,
            version=self.version,
            sha256=self.digest,
            reason=reason,
            parts=scored.parts,
            judge=dict(scored.judge) if scored.judge else None,
        )


def broke(record: RewardRecord) -> bool:
    """Say whether a record has no value because its rule failed, not because nothing is known."""
    return record.value is None and record.reason.startswith(("broke with", "gave "))
