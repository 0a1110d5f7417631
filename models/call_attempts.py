"""What one call of a chat model may still try, and what its attempts have spent.

Waits between attempts are exponential and jittered, or as long as the endpoint asks for. What an
endpoint read for an attempt that failed is not known and not guessed.
"""

import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from pagehop.answers import Usage
from pagehop.errors import CallFailed, FaultKind
from pagehop.models.chat_errors import Fault, model_name
from pagehop.models.prices import Prices
from pagehop.models.scripted import count_tokens

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
EMPTY_RETRIES = 2

Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Tally:
    """What the attempts of one call have spent so far."""

    model: BaseChatModel
    prices: Prices
    on_spend: Callable[[Usage], None] | None
    usage: Usage = field(default_factory=Usage)
    estimated: bool = False

    def begin(self) -> None:
        """Count an attempt."""
        self._add(Usage(model_calls=1))

    def add(self, message: AIMessage, messages: Sequence[BaseMessage]) -> None:
        """Count the tokens of a reply and their price."""
        self.estimated = self.estimated or message.usage_metadata is None
        self._add(usage_of(self.model, messages, message, self.prices))

    def _add(self, more: Usage) -> None:
        self.usage = self.usage.plus(more)
        if self.on_spend is not None:
            self.on_spend(more)


def usage_of(
    model: BaseChatModel, messages: Sequence[BaseMessage], reply: AIMessage, prices: Prices
) -> Usage:
    """Return the tokens of a call and their price; guessed where the endpoint reports none."""
    reported = reply.usage_metadata
    if reported is None:
        used = Usage(count_tokens(messages), count_tokens([reply]))
    else:
        cached = reported.get("input_token_details", {}).get("cache_read") or 0
        used = Usage(reported["input_tokens"], reported["output_tokens"], cached)
    served = str(reply.response_metadata.get("model_name", ""))
    return replace(used, money=prices.cost(model_name(model), used, served=served))


@dataclass
class Patience:
    """Decides whether another attempt is made, and waits for it."""

    retries: int
    end: float | None
    """On the monotonic clock."""
    first_wait_s: float
    sleep: Sleep
    on_retry: Callable[[str], None] | None
    retried: list[FaultKind] = field(default_factory=list)

    def may_ask_again(self) -> bool:
        """Tell whether an empty reply is asked for once more."""
        return (
            self.retried.count("empty") < EMPTY_RETRIES
            and len(self.retried) < self.retries
            and self.left_s() > 2 * self.first_wait_s
        )

    def left_s(self) -> float:
        """Return the seconds left, infinite without a limit."""
        return math.inf if self.end is None else max(self.end - time.monotonic(), 0.0)

    async def wait(self, fault: Fault) -> None:
        """Wait before the next attempt.

        Raises:
            ModelError: There is to be no other one.
        """
        tried = len(self.retried)
        if isinstance(fault.final, CallFailed):
            fault.final.attempts, fault.final.retried = tried + 1, tuple(self.retried)
        if fault.final is not None:
            raise fault.final
        wait_s = min(self.first_wait_s * 2**tried, LONGEST_WAIT_S) * random.uniform(0.5, 1.0)
        if fault.wait_s is not None:
            wait_s = fault.wait_s
        reason = ""
        if tried >= self.retries:
            reason = f"given up after {tried + 1} attempts"
        elif wait_s >= self.left_s():
            reason = f"the next attempt is due in {wait_s:.1f} s, {self.left_s():.1f} s are left"
        if reason:
            words, retried = f"{fault.words} ({reason})", tuple(self.retried)
            raise CallFailed(words, kind=fault.kind, attempts=tried + 1, retried=retried)
        self.retried.append(fault.kind)
        if self.on_retry is not None:
            self.on_retry(fault.words)
        await self.sleep(wait_s)
