"""What a call costs, by the user's own price table; none is shipped, for prices change.

In pagehop.toml, per million tokens, in any one currency:

    [prices."gpt-5-mini*"]
    input = 0.25
    cached = 0.025
    output = 2.0

or `PAGEHOP_PRICES='{"gpt-5-mini*": {"input": 0.25, "output": 2.0}}'`. A name may hold `*` and `?`;
the most specific one that matches (the most characters besides them) counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Self

from pagehop.answers import Usage
from pagehop.settings import Price, load_settings


@dataclass(frozen=True)
class Prices:
    """A table from model name patterns to prices."""

    table: Mapping[str, Price] = field(default_factory=dict)

    @classmethod
    def from_settings(cls) -> Self:
        """Read the table of `PAGEHOP_PRICES` and pagehop.toml."""
        return cls(load_settings().prices)

    def find(self, *names: str) -> Price | None:
        """Return the price of the first name that has one.

        Args:
            names: Names of one model, e.g. as requested and as served, with or without provider.
        """
        for name in names:
            matches = [p for p in self.table if fnmatchcase(name.lower(), p.lower())]
            if matches:
                return self.table[max(matches, key=_specific)]
        return None

    def cost(self, name: str, usage: Usage, *, served: str = "") -> float:
        """Return what these tokens cost; 0 without an entry for the model.

        Args:
            name: The model as requested.
            usage: Its input tokens include the cached ones.
            served: The model as the endpoint names it, asked when `name` has no entry.
        """
        price = self.find(name, served)
        if price is None:
            return 0.0
        cached = min(usage.cached_tokens, usage.input_tokens)
        cached_price = price.input if price.cached is None else price.cached
        fresh = (usage.input_tokens - cached) * price.input
        return (fresh + cached * cached_price + usage.output_tokens * price.output) / 1e6


def _specific(pattern: str) -> int:
    return sum(character not in "*?" for character in pattern)
