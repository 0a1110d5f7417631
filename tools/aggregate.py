"""The tool `aggregate`."""

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.finding.fields import Field as Stated
from pagehop.finding.fields import places
from pagehop.finding.filters import check_field, values_of
from pagehop.library.view import View
from pagehop.tools.arguments import read_documents, snippet
from pagehop.tools.calculate import format_number
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import Document, Scalar

_MOST = 60
_SHOWN_PLACES = 6
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class AggregateArguments(Arguments):
    """Arguments of `aggregate`."""

    field: str = Field(
        description="name, source, title, pages, year, a key of the metadata, or a field; fields: "
        "the names of all"
    )
    op: Literal["count", "sum", "min", "max", "mean", "list"] = Field(description="how")
    documents: str = Field(default="", description="names, comma-separated; empty: all")


def aggregate(view: View) -> BaseTool:
    """Make the tool."""

    def aggregate(field: str, op: str, documents: str = "") -> Result:
        """Count, add up or list what is known of the documents, or what they say of themselves.

        Fields are metadata, pages, years, and labelled values that documents state: type, kind,
        date, party, term, "governing law", "annual fee"; field "fields" with op list names all.
        For numbers in tables read those and use calculate. op: count (documents that have the
        field), list (its values, how often each), sum, mean, min, max (numbers of one unit; min
        and max also of dates, naming the documents). Each value comes with the page that says
        so: cite it. Limit it with `documents`, e.g. the names of filter_documents. Examples:
        aggregate("pages", "max"), aggregate("governing law", "list").
        """
        names = read_documents(view, documents)
        chosen = [d for d in view.documents() if names is None or d.name in names]
        if field.strip().casefold() == "fields":
            return _fields(view, chosen)
        known = check_field(view.documents(), field, view.fields)
        pairs = [
            Known(document, value, place)
            for document in chosen
            for value, place in values_of(document, known, view.fields)
        ]
        holders = list(dict.fromkeys(pair.document.name for pair in pairs))
        value, text = _OPERATIONS[op](known, pairs)
        lacking = len(chosen) - len(holders)
        if lacking:
            text += f"\n({lacking} of {len(chosen)} documents have no {known})"
        cited = places(pair.place for pair in pairs if pair.place)
        artifact = {"field": known, "op": op, "value": value, "documents": holders, "places": cited}
        return Result(text, artifact)

    return make_tool(aggregate, AggregateArguments)


@dataclass(frozen=True)
class Known:
    """A value of a document."""

    document: Document
    value: Scalar
    place: Stated | None
    """Where the document says so; None for what is known of the file."""

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return self.place.shown if self.place else str(self.value)


Pairs = Sequence[Known]
_Outcome = tuple[object, str]


def _fields(view: View, chosen: Sequence[Document]) -> Result:
    """List the fields that documents state, those of most documents first."""
    counts = Counter(
        name for name in view.fields.names for d in chosen if view.fields.of(d.id, name)
    )
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    lines = [f"{len(ordered)} fields are stated by documents:"]
    lines += [f"- {name} ({_documents(counts[name])})" for name in ordered[:_MOST]]
    if len(ordered) > _MOST:
        lines.append(f"... and {len(ordered) - _MOST} more, of few documents each")
    names = list(dict.fromkeys(d.name for d in chosen))
    artifact = {"field": "fields", "op": "list", "value": ordered, "documents": names}
    return Result("\n".join(lines), artifact | {"places": []})


def _documents(n: int) -> str:
    return f"{n} document{'s' if n != 1 else ''}"


def _count(field: str, pairs: Pairs) -> _Outcome:
    documents = len({pair.document.id for pair in pairs})
    text = f"{_documents(documents)} {'has' if documents == 1 else 'have'} {field}"
    stated = {pair.document.id: pair for pair in reversed(pairs) if pair.place}
    return documents, text + (":\n" + _cited(list(stated.values())[::-1]) if stated else "")


def _list(field: str, pairs: Pairs) -> _Outcome:
    held: dict[Scalar, list[Known]] = {}
    for pair in pairs:
        held.setdefault(pair.value if not pair.place else pair.shown, []).append(pair)
    ordered = sorted(held, key=lambda value: (isinstance(value, str), value))
    lines = [f"{len(ordered)} values of {field}:"]
    for value in ordered[:_MOST]:
        pages = [f"[{pair.place.ref}]" for pair in held[value] if pair.place]
        said = f" {' '.join(pages[:_SHOWN_PLACES])}" if pages else ""
        said += f" and {len(pages) - _SHOWN_PLACES} more" if len(pages) > _SHOWN_PLACES else ""
        count = len({pair.document.id for pair in held[value]})
        lines.append(f"- {value}" + (f" ({count} documents)" if count > 1 else "") + said)
    if len(ordered) > _MOST:
        lines.append(f"... and {len(ordered) - _MOST} more; limit the documents")
    return ordered, "\n".join(lines)


def _total(field: str, pairs: Pairs) -> _Outcome:
    value = math.fsum(_numbers(field, pairs))
    text = f"sum of {field} over {len(pairs)} values = {format_number(value)}"
    return value, _with_unit(text, pairs)


def _mean(field: str, pairs: Pairs) -> _Outcome:
    value = statistics.fmean(_numbers(field, pairs))
    text = f"mean of {field} over {len(pairs)} values = {format_number(value)}"
    return value, _with_unit(text, pairs)


def _least(field: str, pairs: Pairs) -> _Outcome:
    if dates := _dates(pairs):
        return _extreme("min", min(dates), field, pairs)
    return _extreme("min", min(_numbers(field, pairs)), field, pairs)


def _most(field: str, pairs: Pairs) -> _Outcome:
    if dates := _dates(pairs):
        return _extreme("max", max(dates), field, pairs)
    return _extreme("max", max(_numbers(field, pairs)), field, pairs)


def _extreme(op: str, value: float | str, field: str, pairs: Pairs) -> _Outcome:
    if isinstance(value, str):
        holding = [pair for pair in pairs if pair.value == value]
    else:
        holding = [pair for pair in pairs if float(pair.value) == value]
    named = [
        pair.document.name + (f" [{pair.place.ref}]" if pair.place else "") for pair in holding
    ]
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    unit = _unit(pairs)
    number = value if isinstance(value, str) else format_number(value)
    shown = f"{number} {unit}".strip()
    return value, f"{op} of {field} = {shown}: {', '.join(named[:5])}{more}"


def _dates(pairs: Pairs) -> list[str]:
    """Return the values where all are whole dates, which compare as they are written; else none."""
    dates = [pair.value for pair in pairs if isinstance(pair.value, str)]
    return dates if len(dates) == len(pairs) and all(map(_DATE.fullmatch, dates)) else []


def _numbers(field: str, pairs: Pairs) -> list[float]:
    if not pairs:
        raise ToolError(f"none of these documents has a {field}; use other documents or fields")
    units = sorted({pair.place.unit for pair in pairs if pair.place})
    if len(units) > 1:
        raise ToolError(
            f"{field} is given in several units ({', '.join(repr(unit) for unit in units[:6])}); "
            "limit the documents, or list the values and calculate"
        )
    try:
        return [float(pair.value) for pair in pairs]
    except ValueError:
        text = next(pair.value for pair in pairs if isinstance(pair.value, str))
        raise ToolError(f"{field} is no number (e.g. {text!r}); use op list or count") from None


def _unit(pairs: Pairs) -> str:
    return next((pair.place.unit for pair in pairs if pair.place), "")


def _with_unit(text: str, pairs: Pairs) -> str:
    stated = [pair for pair in pairs if pair.place]
    return f"{text} {_unit(pairs)}".strip() + (":\n" + _cited(stated) if stated else "")


def _cited(pairs: Pairs) -> str:
    lines = [
        f"- {pair.document.name}: {snippet(pair.shown, 80)} [{pair.place.ref}]"
        for pair in pairs[:_MOST]
        if pair.place
    ]
    more = len(pairs) - _MOST
    return "\n".join([*lines, *([f"... and {more} more; limit the documents"] if more > 0 else [])])


_OPERATIONS = {
    "count": _count,
    "list": _list,
    "sum": _total,
    "mean": _mean,
    "min": _least,
    "max": _most,
}
