"""Choose documents by a predicate: `pages > 50 and company = "Acme" and not year in (2018)`.

    predicate  = and-terms joined by `or`
    and-terms  = terms joined by `and`
    term       = `not` term | `(` predicate `)` | field operator value | field `in` `(` values `)`
    operator   = `=` `!=` `<` `>` `<=` `>=` `~`      (`~`: contains, whatever the case)
    value      = "quoted" | 'quoted' | number | word
    field      = name | source | title | pages | year | a key of the metadata

Text is compared whatever the case. `year` holds every year in the file name and title, and
matches when one of them does. A document without the key matches no comparison on it.

Not covered: labels, which decide what a view shows and are not shown themselves.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pagehop.errors import ToolError
from pagehop.types import Document, Scalar

FIELDS = ("name", "source", "title", "pages", "year")
_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<operator>!=|<=|>=|==|=|<|>|~)|(?P<mark>[(),])"
    r"|(?P<word>[^\s()=<>!~,\"']+))"
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_YEAR = re.compile(r"(?<!\d)(?<!\d\.)(?:19|20)\d\d(?!\d|\.\d)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_DEEPEST = 50

Predicate = Callable[[Document], bool]


@dataclass(frozen=True)
class _Token:
    text: str
    at: int
    """Position in the predicate, from 0."""
    quoted: bool = False


def filter_documents(documents: Sequence[Document], predicate: str) -> list[Document]:
    """Return the documents that a predicate holds for, in their order.

    Raises:
        ToolError: The predicate cannot be read; points at the place and says what is expected.
    """
    holds = _Parser(predicate, documents).parse()
    return [document for document in documents if holds(document)]


def values_of(document: Document, field: str) -> tuple[Scalar, ...]:
    """Return the values of a field: several years perhaps, none when it has no such key."""
    if field == "year":
        return years_of(document)
    if field in FIELDS:
        value: Scalar = getattr(document, field)
        return (value,)
    return (document.metadata[field],) if field in document.metadata else ()


def years_of(document: Document) -> tuple[int, ...]:
    """Return the years named in a document's file name and title, in order."""
    named = " ".join((*document.sources, document.title))
    return tuple(dict.fromkeys(int(year) for year in _YEAR.findall(named)))


def check_field(documents: Sequence[Document], field: str) -> str:
    """Return the field as it is spelt.

    Raises:
        ToolError: No document has it; lists the fields there are.
    """
    keys = sorted({key for document in documents for key in document.metadata})
    for known in (*FIELDS, *keys):
        if known.casefold() == field.strip().casefold():
            return known
    raise ToolError(
        f"there is no field {field.strip()!r}; fields are {', '.join((*FIELDS, *keys))}"
    )


class _Parser:
    """Recursive descent over the tokens; one method a rule of the grammar above."""

    def __init__(self, text: str, documents: Sequence[Document]) -> None:
        self._text = text
        self._documents = documents
        self._tokens = self._split()
        self._i = 0
        self._depth = 0

    def parse(self) -> Predicate:
        if not self._tokens:
            raise self._wrong("is empty; write e.g. pages > 50", 0)
        holds = self._either()
        if self._i < len(self._tokens):
            raise self._expected("`and`, `or` or the end")
        return holds

    def _split(self) -> list[_Token]:
        tokens = []
        at, end = 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.end() == at:
                start = at + len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._wrong(f"has an unexpected {self._text[start]!r}", start)
            quoted = match["quoted"]
            text = quoted[1:-1] if quoted else match.group().strip()
            tokens.append(_Token(text, match.end() - len(match.group().lstrip()), bool(quoted)))
            at = match.end()
        return tokens

    def _either(self) -> Predicate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ToolError("the predicate is nested too deeply; write it flatter")
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda d: any(part(d) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._term()]
        while self._take("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda d: all(part(d) for part in parts)

    def _term(self) -> Predicate:
        negations = 0
        while self._take("not"):
            negations += 1
        if self._take("("):
            holds = self._either()
            if not self._take(")"):
                raise self._expected("`)`")
        else:
            holds = self._comparison()
        return (lambda d: not holds(d)) if negations % 2 else holds

    def _comparison(self) -> Predicate:
        field = self._field()
        if self._take("in"):
            values = self._list()
            return lambda d: any(_holds("=", v, w) for v in values_of(d, field) for w in values)
        sign = self._peek()
        if sign is None or sign.quoted or sign.text not in (*_COMPARE, "==", "~"):
            raise self._expected(f"an operator after {field!r} (= != < > <= >= ~ in)")
        self._i += 1
        wanted = self._value()
        compare = "=" if sign.text == "==" else sign.text
        if compare == "!=":
            return lambda d: (
                bool(values_of(d, field))
                and not any(_holds("=", value, wanted) for value in values_of(d, field))
            )
        return lambda d: any(_holds(compare, value, wanted) for value in values_of(d, field))

    def _field(self) -> str:
        token = self._peek()
        if token is None or (not token.quoted and not re.match(r"[^\W\d]", token.text)):
            raise self._expected("a field name, `not` or `(`")
        self._i += 1
        try:
            return check_field(self._documents, token.text)
        except ToolError as error:
            raise self._wrong(f"names an unknown field: {error}", token.at) from None

    def _list(self) -> list[str]:
        if not self._take("("):
            raise self._expected("`(` after `in`")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        if not self._take(")"):
            raise self._expected("`,` or `)`")
        return values

    def _value(self) -> str:
        token = self._peek()
        if token is None or (not token.quoted and token.text in (*_COMPARE, "~", "(", ")", ",")):
            raise self._expected("a value")
        self._i += 1
        return token.text

    def _peek(self) -> _Token | None:
        return self._tokens[self._i] if self._i < len(self._tokens) else None

    def _take(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.quoted or token.text.casefold() != word:
            return False
        self._i += 1
        return True

    def _expected(self, what: str) -> ToolError:
        token = self._peek()
        found = f"found {token.text!r}" if token else "it ends"
        at = token.at if token else len(self._text.rstrip())
        return self._wrong(f"needs {what}, but {found}", at)

    def _wrong(self, what: str, at: int) -> ToolError:
        return ToolError(f"the predicate {what} at position {at + 1}:\n{self._text}\n{' ' * at}^")


def _holds(sign: str, value: Scalar, wanted: str) -> bool:
    if sign == "~":
        return wanted.casefold() in str(value).casefold()
    number = _number(wanted)
    if isinstance(value, bool) or number is None or _number(str(value)) is None:
        return _COMPARE[sign](str(value).casefold(), wanted.casefold())
    return _COMPARE[sign](_number(str(value)), number)


def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text.strip()) else None
