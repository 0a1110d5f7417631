"""Rewards by name, as `pagehop score --reward` takes them.

    answer_f1   retrieval_ndcg@10   tool_budget(8)   search_r1_v03(retrieval=0.1)
    my_package.my_module:my_reward

The last is a user's own: a `Reward`, or a function of an episode that returns a number, None or a
`Scored`.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Callable

from pagehop.errors import ConfigError
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards import (
    answers,
    behaviour,
    citations,
    crops,
    pages,
    presets,
    process,
)
from pagehop.trajectories.rewards.reward import Reward, Scored, Setting

REWARDS: dict[str, Callable[..., Reward]] = {
    "documents": presets.documents_default,
    "answer_right": answers.answer_right,
    "answer_em": answers.answer_em,
    "answer_sub_em": answers.answer_sub_em,
    "answer_cover_em": answers.answer_cover_em,
    "answer_f1": answers.answer_f1,
    "answer_anls": answers.answer_anls,
    "answer_numeric": answers.answer_numeric,
    "answer_list": answers.answer_list,
    "retrieval_ndcg": pages.retrieval_ndcg,
    "page_recall": pages.page_recall,
    "page_fbeta": pages.page_fbeta,
    "doc_coverage": pages.doc_coverage,
    "coverage_delta": pages.coverage_delta,
    "fetch_proximity": pages.fetch_proximity,
    "citation_f1": citations.citation_f1,
    "citation_grounded": citations.citation_grounded,
    "citation_support": citations.citation_support,
    "citation_iou": citations.citation_iou,
    "crop_iou": crops.crop_iou,
    "crop_hit": crops.crop_hit,
    "zoom_gain": crops.zoom_gain,
    "format": behaviour.format_kept,
    "format_share": behaviour.format_share,
    "tool_budget": behaviour.tool_budget,
    "repeat_penalty": behaviour.repeat_penalty,
    "invalid_call": behaviour.invalid_call,
    "abstention": behaviour.abstention,
    "overlong_soft": behaviour.overlong_soft,
    "summary_fidelity": process.summary_fidelity,
    "progress": process.progress,
    "vrag_rl": presets.vrag_rl,
    "search_r1": presets.search_r1,
    "search_r1_v03": presets.search_r1_v03,
    "r1_searcher_1": presets.r1_searcher_1,
    "r1_searcher_2": presets.r1_searcher_2,
    "r1_searcher_zero": presets.r1_searcher_zero,
    "research": presets.research,
    "deepresearcher": presets.deepresearcher,
    "alden": presets.alden,
    "marag_r1": presets.marag_r1,
    "im_rag": presets.im_rag,
}
_NAME = re.compile(r"^(?P<name>\w+)(?:@(?P<k>\d+)|\((?P<settings>.*)\))?$")


def find_reward(name: str) -> Reward:
    """Return a reward by its name, with settings in brackets or `@k`.

    Raises:
        ConfigError: There is none, or its settings are not as it takes them; says what there is.
    """
    if ":" in name:
        return _imported(name)
    match = _NAME.match(name.strip())
    make = REWARDS.get(match["name"]) if match else None
    if match is None or make is None:
        raise ConfigError(
            f"there is no reward {name!r}; there are {', '.join(REWARDS)}, and your own as "
            "package.module:name"
        )
    given, named = _settings(name, match)
    try:
        inspect.signature(make).bind(*given, **named)
        return make(*given, **named)
    except (TypeError, ValueError) as error:
        takes = inspect.signature(make)
        raise ConfigError(f"reward {name!r}: {error}; it takes {takes}") from error


def describe(name: str) -> str:
    """Return the first line of what a reward's docstring says."""
    return (inspect.getdoc(REWARDS[name]) or "").partition("\n")[0]


def _settings(name: str, match: re.Match[str]) -> tuple[list[Setting], dict[str, Setting]]:
    """Read what stands in the brackets; numbers, texts, yes and no only."""
    if match["k"]:
        return [int(match["k"])], {}
    try:
        call = ast.parse(f"f({match['settings'] or ''})", mode="eval").body
        assert isinstance(call, ast.Call)
        given = [ast.literal_eval(argument) for argument in call.args]
        named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"the settings of reward {name!r} cannot be read: {error}") from error
    if not all(isinstance(v, float | int | str) for v in (*given, *named.values())):
        raise ConfigError(f"the settings of reward {name!r} must be numbers or texts")
    return given, named


def _imported(name: str) -> Reward:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"reward {name!r} cannot be imported: {error}") from error
    if isinstance(found, Reward):
        return found
    if not callable(found):
        raise ConfigError(f"reward {name!r} is neither a Reward nor a function of an episode")

    def rule(episode: Episode) -> Scored:
        said = found(episode)
        if said is None or isinstance(said, Scored):
            return said or Scored(None, "it gave none")
        return Scored(float(said), "a rule of your own")

    return Reward(name, rule, low=float("-inf"), high=float("inf"))
