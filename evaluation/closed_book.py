"""What a model answers without any documents: how much of a score is memory and not reading.

A public set may be in a model's training data. The rules of `builtin` know nothing by heart, so
that its closed-book score is blank.
"""

import time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from pagehop.agents.prompting import shipped
from pagehop.agents.replies import text_of
from pagehop.answers import Answer, Usage
from pagehop.errors import ModelError

GRAPH = "closed_book"
_UNKNOWN = "i do not know"


async def ask_closed_book(model: BaseChatModel, question: str) -> Answer:
    """Ask a model a question alone, in one call.

    Raises:
        ModelError: The endpoint failed.
    """
    started = time.perf_counter()
    try:
        reply: Any = await model.ainvoke([SystemMessage(shipped(GRAPH)), HumanMessage(question)])
    except Exception as error:
        # The boundary to the provider's client: whatever it raises, there is no answer.
        raise ModelError(f"the model gave no answer ({type(error).__name__}: {error})") from error
    text = text_of(reply).strip() if isinstance(reply, AIMessage) else ""
    if not text:
        raise ModelError("the model gave an empty answer")
    counted = getattr(reply, "usage_metadata", None) or {}
    unknown = _UNKNOWN in text.lower().replace("\u2019", "'").replace("don't", "do not")
    return Answer(
        question=question,
        text=text,
        status="unanswerable" if unknown else "answered",
        usage=Usage(
            input_tokens=counted.get("input_tokens", 0),
            output_tokens=counted.get("output_tokens", 0),
            model_calls=1,
            seconds=time.perf_counter() - started,
        ),
    )
