"""What a run may spend and what it has spent.

1. `Budget` holds the limits and never changes; `Spent` holds the counters and is replaced.
2. The exploring part of a run ends before a limit, so that answer and verify can still run: two
   model calls are kept for them, what two calls cost so far in tokens and money, and at least
   `RESERVE` of the tokens, the money and the seconds.
3. The seconds are those inside the machine's nodes: the clock stands still while a run waits for a
   person or lies in a checkpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pagehop.answers import Usage
from pagehop.errors import ConfigError

RESERVE = 0.1
"""Share of tokens, money and seconds that only answer and verify may spend."""
RESERVED_CALLS = 2
"""Model calls kept for answer and verify."""
COSTS = ("model_calls", "tokens", "money", "seconds")
"""Limits that a role itself spends from."""
TELL_AT = 0.8
"""The reasoner is told when this share of a limit is spent."""

_LEAST = {"steps": 1, "tool_calls": 1, "model_calls": RESERVED_CALLS + 1, "images": 0, "pixels": 0}


@dataclass(frozen=True)
class Spent:
    """The counters of one run."""

    steps: int = 0
    rounds: int = 0
    tool_calls: int = 0
    """Calls that ran; repeated ones are counted apart."""
    repeated_calls: int = 0
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0
    images: int = 0
    """Pictures that tools rendered for the reasoner."""
    pixels: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def plus(self, **more: float) -> "Spent":
        """Return the counters with some of them raised."""
        return replace(self, **{name: getattr(self, name) + n for name, n in more.items()})

    def plus_usage(self, usage: Usage) -> "Spent":
        """Return the counters with what a role's model spent on one move."""
        return self.plus(
            model_calls=usage.model_calls,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            money=usage.money,
        )

    def usage(self) -> Usage:
        """Return the counters as an answer reports them."""
        shared = {field.name for field in fields(Usage)}
        return Usage(**{name: value for name, value in vars(self).items() if name in shared})


@dataclass(frozen=True)
class Budget:
    """The limits of one run; None is no limit.

    Raises:
        ConfigError: A limit is not a number or too small to run at all.
    """

    steps: int | None = 24
    """Passes through explore and act."""
    tool_calls: int | None = 120
    model_calls: int | None = None
    """The answer and its verification keep two of them."""
    tokens: int | None = None
    """Input and output together."""
    money: float | None = None
    """In the currency of the price table."""
    seconds: float | None = 300.0
    images: int | None = None
    """Pictures rendered for the reasoner."""
    pixels: int | None = None

    def __post_init__(self) -> None:
        """Refuse limits that no run could keep."""
        for name, limit in vars(self).items():
            if limit is None:
                continue
            allowed = (int, float) if name in ("money", "seconds") else (int,)
            if isinstance(limit, bool) or not isinstance(limit, allowed):
                raise ConfigError(f"Budget({name}={limit!r}): give a number, or None for no limit")
            least = _LEAST.get(name)
            if limit != limit or limit < 0 or (least is None and limit == 0):
                raise ConfigError(f"Budget({name}={limit!r}): it must be above 0")
            if least is not None and limit < least:
                raise ConfigError(f"Budget({name}={limit!r}): it must be at least {least}")

    def left(self, spent: Spent) -> dict[str, float]:
        """Return what the exploring part may still spend of each limit, by its name."""
        return {
            name: max(0, self._for_exploring(name, limit, spent) - getattr(spent, name))
            for name, limit in self._limits().items()
        }

    def used_up(self, spent: Spent, *, only: tuple[str, ...] = ()) -> str:
        """Name the limit at which exploring has to end, e.g. `steps (12 of 12)`; empty if none.

        Args:
            spent: The counters.
            only: Names of the limits to look at; empty means all of them.
        """
        for name, limit in self._limits().items():
            # No picture is needed to go on: a spent picture limit refuses the next picture only.
            if name in ("images", "pixels") or (only and name not in only):
                continue
            if getattr(spent, name) >= self._for_exploring(name, limit, spent):
                return f"{name} ({_shown(getattr(spent, name))} of {_shown(limit)})"
        return ""

    def nearly_used_up(self, spent: Spent) -> str:
        """Say what is left of the limits of which four fifths are spent; empty if none."""
        near = [
            f"{_shown(limit - getattr(spent, name))} of {_shown(limit)} {name.replace('_', ' ')}"
            for name, limit in self._limits().items()
            if TELL_AT * self._for_exploring(name, limit, spent) <= getattr(spent, name)
        ]
        return f"Budget nearly spent: {', '.join(near)} left." if near else ""

    def seconds_for_role(self, spent: Spent, *, reserve: float) -> float | None:
        """Return how long a role or tool may take now; None without a limit.

        Args:
            spent: The counters.
            reserve: Share of what is kept for answer and verify that it may use: 0 for
                exploring, 1 for answer and verify themselves.
        """
        if self.seconds is None:
            return None
        left = self._for_exploring("seconds", self.seconds, spent) - spent.seconds
        kept = reserve * RESERVE * self.seconds
        return max(left + kept, kept)

    def shares(self, samples: int) -> tuple["Budget", ...]:
        """Return the limits of each of several runs at once, which together keep these.

        The seconds are not parted: the runs take them at the same time.

        Raises:
            ConfigError: A limit is too small for so many.
        """
        for name, limit in self._limits().items():
            if limit < samples * _LEAST.get(name, 0):
                raise ConfigError(
                    f"Budget({name}={limit!r}) is too small for samples={samples}: "
                    f"each needs at least {_LEAST[name]}"
                )
        return tuple(
            Budget(**{name: _share(name, limit, samples, i) for name, limit in vars(self).items()})
            for i in range(samples)
        )

    def to_json(self) -> dict[str, float | None]:
        """Return the limits by name."""
        return dict(vars(self))

    def _limits(self) -> Mapping[str, float]:
        return {name: limit for name, limit in vars(self).items() if limit is not None}

    def _for_exploring(self, name: str, limit: float, spent: Spent) -> float:
        if name == "model_calls":
            return limit - RESERVED_CALLS
        if name not in COSTS:
            return limit
        reserve = RESERVE * limit
        if name != "seconds" and spent.model_calls:
            reserve = max(reserve, RESERVED_CALLS * getattr(spent, name) / spent.model_calls)
        return limit - reserve


def _share(name: str, limit: float | None, samples: int, i: int) -> Any:
    if limit is None or name == "seconds":
        return limit
    if name == "money":
        return limit / samples
    return int(limit) // samples + (i < limit % samples)


def _shown(number: float) -> str:
    return f"{number:,.1f}".rstrip("0").rstrip(".") if isinstance(number, float) else f"{number:,}"
