"""The seed of the run that is under way, for models that take one."""

from contextvars import ContextVar

from langchain_core.language_models import BaseChatModel

SEED: ContextVar[int | None] = ContextVar("seed", default=None)
"""Of the current run; the tasks that it starts see the same."""


def seeded(model: BaseChatModel) -> BaseChatModel:
    """Return the model with the run's seed; as it is when there is none, or it takes none."""
    seed = SEED.get()
    if seed is None or "seed" not in type(model).model_fields:
        return model
    return model.model_copy(update={"seed": seed})
