"""Choose documents by a predicate: `pages > 50 and company = "Acme" and not year in (2018)`.

    predicate  = and-terms joined by `or`
    and-terms  = terms joined by `and`
    term       = `not` term | `(` predicate `)` | field operator value | field `in` `(` values `)`
    operator   = `=` `!=` `<` `>` `<=` `>=` `~`      (`~`: contains, whatever the case)
    value      = "quoted" | 'quoted' | number | word
    field      = name | source | title | pages | year | a key of the metadata
               | what documents say of themselves (`type`, `party`, `"governing law"`)

Text is compared whatever the case. `year` holds every year in the file name and title, else that
of the period or date on the first page, and matches when one of them does. Metadata go before what
a document says. Values with a unit compare by number (`rent > 1000`), or with the unit as text
(`term = "24 months"`). A document without the field matches no comparison on it.

Not covered: labels, which decide what a view shows and are not shown themselves.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pagehop.errors import ToolError
from pagehop.finding.fields import Field, FieldTable
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
_SHOWN_FIELDS = 25
"""Fields of the most documents that an error names."""

Predicate = Callable[[Document], bool]


@dataclass(frozen=True)
class _Token:
    text: str
    at: int
    """Position in the predicate, from 0."""
    quoted: bool = False


@dataclass(frozen=True)
class Filtered:
    """The documents that a predicate holds for."""

    documents: tuple[Document, ...]
    places: Mapping[str, tuple[Field, ...]]
    """By document id, what it says for the fields that the predicate names, where it says so."""


def filter_documents(
    documents: Sequence[Document], predicate: str, table: FieldTable | None = None
) -> Filtered:
    """Return the documents that a predicate holds for, in their order.

    Args:
        documents: To choose from.
        predicate: In the grammar above.
        table: What the documents say of themselves; None compares what is known of them only.

    Raises:
        ToolError: The predicate cannot be read; points at the place and says what is expected.
    """
    parser = _Parser(predicate, documents, table)
    holds = parser.parse()
    found = tuple(document for document in documents if holds(document))
    places = {
        document.id: tuple(dict.fromkeys(place for _, place in parser.seen(document) if place))
        for document in found
    }
    return Filtered(found, places)


Value = tuple[Scalar, Field | None]
"""A value, and the place that says so; none for what is known of the file."""


def values_of(document: Document, field: str, table: FieldTable | None = None) -> list[Value]:
    """Return the values of a field: several years perhaps, none when it has no such field."""
    if field == "year":
        named = years_of(document)
        stated_years = table.years(document.id) if table else {}
        if named:
            return [(year, stated_years.get(year)) for year in named]
        return list(stated_years.items())
    if field in FIELDS:
        return [(getattr(document, field), None)]
    if field in document.metadata:
        return [(document.metadata[field], None)]
    stated = table.of(document.id, field) if table else ()
    return [(each.value, each) for each in stated]


def years_of(document: Document) -> tuple[int, ...]:
    """Return the years named in a document's file name and title, in order."""
    named = " ".join((*document.sources, document.title))
    return tuple(dict.fromkeys(int(year) for year in _YEAR.findall(named)))


def check_field(documents: Sequence[Document], field: str, table: FieldTable | None = None) -> str:
    """Return the field as it is spelt.

    Raises:
        ToolError: No document has it; lists the fields there are.
    """
    keys = sorted({key for document in documents for key in document.metadata})
    stated = [name for name in table.names if name not in keys] if table else []
    wanted = " ".join(field.casefold().replace("_", " ").split())
    for known in (*FIELDS, *keys, *stated):
        if " ".join(known.casefold().replace("_", " ").split()) == wanted:
            return known
    alike = [name for name in stated if wanted and (wanted in name or name in wanted)]
    shown = [*FIELDS, *keys, *dict.fromkeys((*alike[:5], *stated[:_SHOWN_FIELDS]))]
    raise ToolError(f"there is no field {field.strip()!r}; fields are {', '.join(shown)}")


class _Parser:
    """Recursive descent over the tokens; one method a rule of the grammar above."""

    def __init__(self, text: str, documents: Sequence[Document], table: FieldTable | None) -> None:
        self._text = text
        self._documents = documents
        self._table = table
        self._named: list[str] = []
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

    def seen(self, document: Document) -> list[Value]:
        """Return a document's values of the fields that the predicate names."""
        named = dict.fromkeys(self._named)
        return [value for field in named for value in values_of(document, field, self._table)]

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
            return lambda d: any(_holds("=", v, w) for v in self._values(d, field) for w in values)
        sign = self._peek()
        if sign is None or sign.quoted or sign.text not in (*_COMPARE, "==", "~"):
            raise self._expected(f"an operator after {field!r} (= != < > <= >= ~ in)")
        self._i += 1
        wanted = self._value()
        compare = "=" if sign.text == "==" else sign.text
        if compare == "!=":
            return lambda d: (
                bool(self._values(d, field))
                and not any(_holds("=", value, wanted) for value in self._values(d, field))
            )
        return lambda d: any(
            _holds(compare, value, wanted) for value in self._values(d, field, compare)
        )

    def _values(self, document: Document, field: str, compare: str = "=") -> list[Scalar]:
        """Return what may be compared: values; for likeness those with their unit as text, too."""
        values = values_of(document, field, self._table)
        known = [value for value, _ in values]
        if compare in ("=", "~"):
            known += [place.shown for _, place in values if place and place.unit]
        return known

    def _field(self) -> str:
        token = self._peek()
        if token is None or (not token.quoted and not re.match(r"[^\W\d]", token.text)):
            raise self._expected("a field name, `not` or `(`")
        self._i += 1
        try:
            field = check_field(self._documents, token.text, self._table)
        except ToolError as error:
            raise self._wrong(f"names an unknown field: {error}", token.at) from None
        self._named.append(field)
        return field

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
