"""Put an answer's claims into the form that a program asked for, by one model call.

1. The form is a pydantic model or a JSON schema of an object; a reply is checked against it.
2. Every number in the reply is one of the claims' (or the question's), with or without its scale
   word; every text uses their words, unless the schema names that text itself (`enum`, `const`).
3. A reply that fails is answered with what is wrong, like that of any role.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ValidationError

from pagehop.agents.moves import Context, Draft, Form
from pagehop.agents.reasoner import Reasoner, Unusable, read_object
from pagehop.agents.replies import read_json
from pagehop.errors import ConfigError
from pagehop.rules.numbers import find_numbers

_WORD = re.compile(r"[^\W_]+")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True)
class AnswerForm:
    """The form that `schema=` asks for."""

    schema: Mapping[str, Any]
    """JSON schema of an object."""
    model: type[BaseModel] | None = None
    """The pydantic model it was made from."""

    @property
    def own_texts(self) -> frozenset[str]:
        """Texts that the schema itself names."""
        return frozenset(
            value
            for part in _parts(self.schema)
            if isinstance(part, Mapping)
            for value in (*(part.get("enum") or ()), part.get("const"))
            if isinstance(value, str)
        )

    def check(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return a value as the form has it.

        Raises:
            Unusable: It does not follow the form.
        """
        if self.model is None:
            problems = list(jsonschema.Draft202012Validator(self.schema).iter_errors(value))
            if problems:
                raise Unusable("; ".join(f"{p.json_path}: {p.message}" for p in problems[:3]))
            return dict(value)
        try:
            return self.model.model_validate(value).model_dump(mode="json")
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3]]
            raise Unusable("; ".join(problems)) from error


def answer_form(schema: object) -> AnswerForm:
    """Read what was given as `schema=`.

    Raises:
        ConfigError: It is neither a pydantic model nor a JSON schema of an object.
    """
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return AnswerForm(schema.model_json_schema(), schema)
    if not isinstance(schema, Mapping):
        raise ConfigError(f"schema={schema!r}: give a pydantic model class or a JSON schema")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ConfigError(f"schema= is no JSON schema: {error.message}") from error
    if schema.get("type") != "object":
        raise ConfigError('schema= is not of an object; give {"type": "object", "properties": ...}')
    return AnswerForm(dict(schema))


class ModelFormer:
    """Fills the form."""

    def __init__(self, reasoner: Reasoner, form: AnswerForm) -> None:
        """Share the run's model."""
        self._reasoner = reasoner
        self._form = form

    async def step(self, context: Context) -> Form:
        """Return the answer's claims, which the context holds as its draft, in the form."""
        claims = [claim.text for claim in (context.draft or Draft()).claims]
        said = "\n".join((context.question, *claims))

        def make(*, level: int) -> list[BaseMessage]:
            listed = "\n".join(f"- {claim}" for claim in claims)
            schema = json.dumps(self._form.schema, ensure_ascii=False)
            asked = f"Question: {context.question}\n\nClaims:\n{listed}\n\nForm:\n{schema}"
            return [SystemMessage(self._reasoner.prompts["former"]), HumanMessage(asked)]

        def read(message: AIMessage) -> dict[str, Any]:
            value = read_object(message, read_json)
            data = self._form.check(value)
            if foreign := _foreign(value, said, self._form.own_texts):
                raise Unusable(f"{foreign} is not in the claims; use only what they say.")
            return data

        example = "{...} (one JSON object that follows the form)"
        return Form(await self._reasoner.ask("former", context, make, read, example))


def _foreign(value: object, said: str, own: frozenset[str]) -> str:
    """Name the first number or text that neither claims nor question hold; empty if none."""
    numbers = {
        round(abs(form), 6)
        for number in find_numbers(said)
        for form in (number.value, number.value / number.scale)
    }
    numbers |= {round(float(digits), 6) for digits in re.findall(r"\d+(?:\.\d+)?", said)}
    words = Counter(_plain(word) for word in _WORD.findall(said))
    words.update(str(i) for i, month in enumerate(_MONTHS, 1) if month in words)
    for leaf in _leaves(value):
        if isinstance(leaf, str):
            if leaf not in own and not _uses(leaf, words):
                return repr(leaf)
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            if round(abs(leaf), 6) not in numbers:
                return repr(leaf)
    return ""


def _uses(text: str, words: Counter[str]) -> bool:
    """Tell whether a text is of these words, each number in it as often as it stands there."""
    used = Counter(_plain(word) for word in _WORD.findall(text))
    return all(words[word] >= (n if word.isdigit() else 1) for word, n in used.items())


def _plain(word: str) -> str:
    return word.casefold().lstrip("0") or "0"


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _parts(schema: object) -> Iterator[object]:
    yield schema
    for item in schema.values() if isinstance(schema, Mapping) else ():
        yield from _parts(item)
    for item in schema if isinstance(schema, list) else ():
        yield from _parts(item)
