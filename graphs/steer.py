"""What a person tells a run that has paused."""

from dataclasses import dataclass

from pagehop.agents.moves import SubQuestion
from pagehop.errors import ConfigError
from pagehop.graphs.budget import Budget


@dataclass(frozen=True)
class Steer:
    """How a paused run goes on; `Command(resume=Steer())` goes on as it is.

    Raises:
        ConfigError: A name is no text, or the plan or the budget is none.
    """

    pin: tuple[str, ...] = ()
    """Pages (`name:page`) that are read next and documents (`name`) that are searched next."""
    ban: tuple[str, ...] = ()
    """Pages and documents that are not shown or cited any more."""
    sub_questions: tuple[str | SubQuestion, ...] = ()
    """In place of the plan's; empty keeps them."""
    budget: Budget | None = None
    """In place of the run's limits; what was spent still counts."""

    def __post_init__(self) -> None:
        """Take lists too: msgpack gives them back when a checkpoint is read."""
        for name in ("pin", "ban", "sub_questions"):
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(g, str | SubQuestion) for g in given):
                raise ConfigError(f"Steer({name}={given!r}): give a tuple of texts")
            object.__setattr__(self, name, tuple(given))
        if self.budget is not None and not isinstance(self.budget, Budget):
            raise ConfigError(f"Steer(budget={self.budget!r}): give a pagehop.Budget")

    @property
    def plan(self) -> tuple[SubQuestion, ...]:
        """The sub-questions with ids."""
        return tuple(
            sub if isinstance(sub, SubQuestion) else SubQuestion(f"Q{i}", sub)
            for i, sub in enumerate(self.sub_questions, 1)
        )
