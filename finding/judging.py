"""A chat model as `Judge`, of hits and of walks: how much pages help to answer a question.

Source: MoLoRAG (WxxShirley), relevance of 1 to 5; differs: several pages in one call, so that
they are judged side by side; a page without a readable number counts as the middle, as there, but
a reply without any is an error and not the lowest number for all.
"""

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from pagehop.errors import ModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_AT_ONCE = 8
_LINE = re.compile(
    r"^\W*(?:page\s*)?(?P<page>\d{1,3})\W*[:=.)\s-]\W*(?P<score>[1-5])(?:\s*/\s*5)?\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_MIDDLE = 0.5
_MARK = re.compile(r"<(?=\s*/?\s*page\b)", re.IGNORECASE)
TEXT_CHARACTERS = 1200
"""Of each page's text that the model reads."""


class ChatJudge:
    """Fills the `Judge` protocol: `view.walk(ref, query=..., judge=ChatJudge(model))`."""

    def __init__(self, model: "BaseChatModel") -> None:
        """Keep the model; nothing is called yet."""
        self._model = model

    def __call__(self, question: str, texts: list[str]) -> list[float]:
        """Return how much each text helps to answer a question, 0 to 1.

        Raises:
            ModelError: The model failed, or gave no numbers.
        """
        scores: list[float] = []
        for start in range(0, len(texts), _AT_ONCE):
            scores += self._scores(question, texts[start : start + _AT_ONCE])
        return scores

    def _scores(self, question: str, texts: list[str]) -> list[float]:
        from langchain_core.messages import HumanMessage, SystemMessage  # noqa: PLC0415 - heavy

        prompt = files("pagehop.prompts").joinpath("judge.md").read_text(encoding="utf-8")
        shown = [
            f'<page number="{i}">\n{_MARK.sub("< ", text[:TEXT_CHARACTERS])}\n</page>'
            for i, text in enumerate(texts, 1)
        ]
        asked = "\n".join([f"Question: {question}", *shown])
        try:
            reply = self._model.invoke([SystemMessage(prompt), HumanMessage(asked)])
        except Exception as error:
            # The boundary to the provider's client: whatever it raises, nothing was judged.
            raise ModelError(f"the judge gave no answer ({type(error).__name__})") from error
        said = str(reply.text)
        scores = read_scores(said, len(texts))
        if not scores:
            raise ModelError(f"the judge gave no numbers from 1 to 5, but {said[:80]!r}")
        return scores


def read_scores(said: str, pages: int) -> list[float]:
    """Return a score of 0 to 1 for each page that a judge was shown; empty if it gave none."""
    numbers = {int(m["page"]): (int(m["score"]) - 1) / 4 for m in _LINE.finditer(said)}
    wanted = range(1, pages + 1)
    return [numbers.get(i, _MIDDLE) for i in wanted] if numbers.keys() & set(wanted) else []
