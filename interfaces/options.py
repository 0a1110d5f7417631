"""What may be asked of a run: the options of `ask`, `stream` and `graph`, checked once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from pagehop.errors import ConfigError
from pagehop.settings import load_settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.tools import BaseTool
    from pydantic import BaseModel

    from pagehop.agents.former import AnswerForm
    from pagehop.graphs.budget import Budget
    from pagehop.graphs.graph import Graph

Effort = Literal["low", "medium", "high"]
Record = bool | str | Path
BUILTIN = "builtin"
MOST_SAMPLES = 64


class EpisodeOptions(TypedDict, total=False):
    """Keyword arguments of one run; each may be left out or None."""

    model: "str | BaseChatModel | None"
    """Who reasons: `builtin` (rules), a name as in LangChain's `init_chat_model`
    (`openai:gpt-5-mini`), `transformers:ID_OR_PATH`, or a chat model."""
    base_url: str | None
    """Address of an OpenAI-compatible server."""
    vision_model: "str | BaseChatModel | None"
    """Who reads pictures for a reasoner that takes only text."""
    graph: "str | Graph"
    """The machine: a name of `list_graphs()`, or a `Graph` of one's own."""
    effort: Effort | None
    """low (one retrieval and an answer), medium or high (judges more often)."""
    budget: "Budget | None"
    """Limits of the run; None takes those of the settings."""
    record: Record | None
    """Whether to write the run's events into the library's `runs/`, or the folder for them."""
    thread: str | None
    """Name of a conversation: a follow-up is understood from what was asked before on it."""
    tools: "Sequence[BaseTool]"
    """Tools of the user's own, beside the library's."""
    prompts: Mapping[str, str] | None
    """Texts in place of shipped prompts, by the name of their file."""
    schema: "type[BaseModel] | Mapping[str, Any] | None"
    """Form of `answer.data`: a pydantic model class or a JSON schema of an object."""


class RunOptions(EpisodeOptions, total=False):
    """Keyword arguments of `ask`, `aask`, `stream` and `astream`; each may be left out or None."""

    samples: int | None
    """Runs of the question at once, which share the budget and of which one answer is chosen."""


@dataclass(frozen=True)
class Options:
    """How to answer; checked."""

    model: "BaseChatModel | None"
    """None is the built-in reasoner."""
    model_name: str
    """What the record calls it."""
    vision_model: "BaseChatModel | None"
    machine: "Graph"
    effort: Effort
    budget: "Budget"
    samples: int
    record: Record
    thread: str
    tools: "tuple[BaseTool, ...]"
    prompts: Mapping[str, str]
    form: "AnswerForm | None"
    """What `schema=` asks for."""
    deltas: bool = False
    """Tell a model's text as it arrives."""

    @property
    def graph(self) -> str:
        """Name of the machine."""
        return self.machine.name


def name_of(model: "BaseChatModel") -> str:
    """Return what a chat model is called."""
    for field in ("model_name", "model", "model_id"):
        if isinstance(value := getattr(model, field, None), str) and value:
            return value
    return type(model).__name__


def checked_options(given: Mapping[str, Any]) -> Options:
    """Check options and fill in the settings.

    Raises:
        ConfigError: One is wrong, or not in this release.
        TypeError: There is no such option.
    """
    from pagehop.graphs.budget import Budget  # noqa: PLC0415 - only runs need it
    from pagehop.graphs.registry import EXPLORE, find_graph  # noqa: PLC0415 - as above

    for key in given:
        if key not in RunOptions.__annotations__:
            raise TypeError(f"unexpected argument {key!r}")
    run = load_settings().run
    budget = given.get("budget")
    if budget is None:
        budget = Budget(steps=run.max_steps, tool_calls=run.max_tool_calls, seconds=run.max_seconds)
    if not isinstance(budget, Budget):
        raise ConfigError(f"budget={budget!r}: give a pagehop.Budget, e.g. Budget(steps=12)")
    record = run.record if given.get("record") is None else given["record"]
    if not isinstance(record, bool | str | Path) or record == "":
        raise ConfigError(f"record={record!r}: give True, False or a folder")
    machine = find_graph(given.get("graph") or EXPLORE)
    name = _model("model", given.get("model")) or run.model
    vision = _model("vision_model", given.get("vision_model")) or run.vision_model
    base_url = _text("base_url", given.get("base_url"))
    if base_url and name == BUILTIN:
        raise ConfigError(f"base_url={base_url!r} needs model=, the name it serves")
    base_url = base_url or run.base_url
    if name == BUILTIN:  # refused before anything is opened
        machine.missing(rules=True, eyes="pictures", page_vectors=True)
    return Options(
        model=None if name == BUILTIN else _loaded(name, base_url),
        model_name=name if isinstance(name, str) else name_of(name),
        vision_model=_loaded(vision, base_url) if vision else None,
        machine=machine,
        effort=_effort(given.get("effort") or run.effort),
        budget=budget,
        samples=_samples(given.get("samples"), budget),
        record=record,
        thread=_text("thread", given.get("thread")),
        tools=_tools(given.get("tools") or ()),
        prompts=_prompts(given.get("prompts") or {}),
        form=_form(given.get("schema"), rules=name == BUILTIN),
    )


def _model(name: str, value: object) -> "str | BaseChatModel | None":
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    if callable(getattr(value, "bind_tools", None)) and hasattr(value, "ainvoke"):
        return value  # type: ignore[return-value]  # a chat model
    raise ConfigError(
        f"{name}={value!r}: give 'builtin', a name such as 'openai:gpt-5-mini', "
        "'transformers:ID_OR_PATH', or a LangChain chat model"
    )


def _loaded(model: "str | BaseChatModel", base_url: str) -> "BaseChatModel":
    return _by_name(model, base_url) if isinstance(model, str) else model


@lru_cache(maxsize=4)
def _by_name(model: str, base_url: str) -> "BaseChatModel":
    # Once a process: options are checked more than once a run, and local weights are large.
    from pagehop.models.chat_models import load_chat_model  # noqa: PLC0415 - only with a model

    limit = load_settings().run.model_timeout_s
    return load_chat_model(model, base_url=base_url, timeout_s=limit)


def _effort(value: object) -> Effort:
    efforts: tuple[Effort, ...] = get_args(Effort)
    for effort in efforts:
        if effort == value:
            return effort
    raise ConfigError(f"effort={value!r}: use {', '.join(efforts)}")


def _samples(value: object, budget: "Budget") -> int:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_SAMPLES:
        raise ConfigError(f"samples={value!r}: give a number from 1 to {MOST_SAMPLES}")
    budget.shares(value)
    return value


def _text(name: str, value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise ConfigError(f"{name}={value!r}: give a text")


def _tools(value: object) -> "tuple[BaseTool, ...]":
    from langchain_core.tools import BaseTool  # noqa: PLC0415 - only runs need it

    given = tuple(value) if isinstance(value, Sequence) else (value,)
    for tool in given:
        if not isinstance(tool, BaseTool):
            raise ConfigError(f"tools has {tool!r}; make it with langchain_core.tools.tool")
    return given


def _prompts(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigError("prompts is not a mapping of prompt names to texts")
    from pagehop.agents.prompting import Prompts  # noqa: PLC0415 - only runs need it

    Prompts(value)
    return dict(value)


def _form(value: object, *, rules: bool) -> "AnswerForm | None":
    if value is None:
        return None
    if rules:
        raise ConfigError("schema= needs a model=: the built-in reasoner only quotes")
    from pagehop.agents.former import answer_form  # noqa: PLC0415 - only with a schema

    return answer_form(value)
