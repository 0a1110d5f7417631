"""Who fills the roles of a run, and with which tools: the rules, or a model and what it asks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pagehop.interfaces.asked import Asked, shown
from pagehop.interfaces.eyes import reader_of, sees
from pagehop.interfaces.options import Options
from pagehop.library.view import View
from pagehop.settings import load_settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.tools import BaseTool

    from pagehop.agents.moves import Roles
    from pagehop.agents.perceiver import Perceiver, QuestionPictures
    from pagehop.tools.pictures import Images

Staff = tuple["Callable[[View], list[BaseTool]]", "Callable[[], Roles]"]
"""What makes the tools for a view, and what makes the roles of a run."""


def staff_of(view: View, options: Options, asked: Asked | None) -> Staff:
    """Return what makes the tools for a view, and who fills the roles."""
    if options.model is None:
        from pagehop.agents.builtin import builtin_roles  # noqa: PLC0415 - loads the rules

        return _tool_maker(options, "text"), builtin_roles
    return _model_staff(view, options, options.model, asked)


def _model_staff(
    view: View, options: Options, model: "BaseChatModel", asked: Asked | None
) -> Staff:
    from pagehop.agents.model_roles import model_roles  # noqa: PLC0415 - only with a model
    from pagehop.agents.prompting import Prompts  # noqa: PLC0415 - as above
    from pagehop.agents.reasoner import Reasoner  # noqa: PLC0415 - as above
    from pagehop.models.seeding import seeded  # noqa: PLC0415 - as above

    run = load_settings().run
    pictures = sees(options)
    perceive, reads = (None, None) if pictures else _readers(options, asked)
    make_tools = _tool_maker(options, "reference" if pictures else "text", perceive)
    prompts = Prompts(options.prompts)
    beside = shown(asked) if asked is not None and reads is None else []

    def make_reasoner() -> Reasoner:
        return Reasoner(
            model=seeded(model),
            tools=_offered(make_tools(view), options),
            prompts=prompts,
            grammar=options.machine.grammar or run.grammar,
            pictures=pictures,
            shown=beside,
            reads=reads,
            deltas=options.deltas,
            tokens=run.tokens,
            raw=run.raw,
            timeout_s=run.model_timeout_s,
            max_prompt_tokens=run.max_prompt_tokens,
            retry_wait_s=run.retry_wait_s,
        )

    form = options.form
    if form is None:
        return make_tools, model_roles(make_reasoner)
    from pagehop.agents.former import ModelFormer  # noqa: PLC0415 - only with a schema

    def make_roles() -> "Roles":
        reasoner = make_reasoner()
        return replace(model_roles(lambda: reasoner)(), former=ModelFormer(reasoner, form))

    return make_tools, make_roles


def _offered(tools: "Sequence[BaseTool]", options: Options) -> "list[BaseTool]":
    """Return what the model is offered: the machine's tools, and the user's own."""
    named = options.machine.tools
    own = {tool.name for tool in options.tools}
    return [tool for tool in tools if not named or tool.name in named or tool.name in own]


def _tool_maker(
    options: Options, images: "Images", perceive: "Perceiver | None" = None
) -> "Callable[[View], list[BaseTool]]":
    """Return what makes the tools for a view, once each: tools hold no state of a run."""
    from pagehop.tools.toolset import toolset  # noqa: PLC0415 - loads langchain

    most = options.machine.max_pixels

    @lru_cache(maxsize=2)
    def make_tools(view: View) -> "list[BaseTool]":
        made = toolset(view, images, perceive=perceive, max_pixels=most, inside=True)
        return [*made, *options.tools]

    return make_tools


def _readers(
    options: Options, asked: Asked | None
) -> "tuple[Perceiver | None, QuestionPictures | None]":
    """Return who reads the tools' and the question's pictures to a model that takes only text."""
    reader = reader_of(options)
    if reader is None:
        return None, None
    from pagehop.agents.perceiver import Perceiver, QuestionPictures  # noqa: PLC0415 - with one

    wait = load_settings().run.retry_wait_s
    asks = asked is not None and asked.pictures
    reads = QuestionPictures(reader, asked.text, asked.pictures, wait) if asked and asks else None
    return Perceiver(reader, wait), reads
