"""A chat model as `Judge`: one call that scores a list of pages for a question."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from pagehop.errors import ModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_SCORE = re.compile(r"^\W*(\d+)\W*[:=)\]|\s]\s*(\d*\.?\d+)\s*$", re.MULTILINE)
TEXT_CHARACTERS = 1200
"""Of each page's text that the model reads."""


class ChatJudge:
    """Scores texts list-wise by a chat model's reply."""

    def __init__(self, model: "BaseChatModel") -> None:
        self._model = model

    def __call__(self, question: str, texts: list[str]) -> list[float]:
        """Return one score a text, 0 to 1; none at all when the reply cannot be read.

        Raises:
            ModelError: The model does not answer.
        """
        from langchain_core.messages import HumanMessage, SystemMessage  # noqa: PLC0415 - heavy

        prompt = files("pagehop.prompts").joinpath("judge.md").read_text(encoding="utf-8")
        pages = "\n\n".join(f"[{i}]\n{t[:TEXT_CHARACTERS]}" for i, t in enumerate(texts, 1))
        asked = HumanMessage(f"Question: {question}\n\nPages:\n\n{pages}")
        try:
            reply = self._model.invoke([SystemMessage(prompt), asked])
        except Exception as error:  # clients of many kinds raise what they like
            raise ModelError(f"the judge did not answer: {error}") from error
        return read_scores(str(reply.text), len(texts))


def read_scores(reply: str, n: int) -> list[float]:
    """Return the scores of pages 1 to n that a reply gives; none when it leaves out a half."""
    found = {int(number): float(score) for number, score in _SCORE.findall(reply)}
    scores = [min(1.0, found[i]) if i in found else 0.0 for i in range(1, n + 1)]
    return scores if 2 * sum(i in found for i in range(1, n + 1)) > n else []
