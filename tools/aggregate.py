"""The tool `aggregate`."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.finding.filters import check_field, values_of
from pagehop.library.view import View
from pagehop.tools.arguments import read_documents
from pagehop.tools.calculate import format_number
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import Document, Scalar

_MOST = 60


class AggregateArguments(Arguments):
    """Arguments of `aggregate`."""

    field: str = Field(description="name, source, title, pages, year, or a key of the metadata")
    op: Literal["count", "sum", "min", "max", "mean", "list"] = Field(description="how")
    documents: str = Field(default="", description="names, comma-separated; empty: all")


def aggregate(view: View) -> BaseTool:
    """Make the tool."""

    def aggregate(field: str, op: str, documents: str = "") -> Result:
        """Count, add up or list what is known OF the documents: pages, years, metadata.

        Not for numbers inside the documents: read those and use calculate. op: count (documents
        that have the field), list (its values, how often each), sum, mean, min, max (numbers;
        min and max also name the documents). Limit it with `documents`, e.g. the names that
        filter_documents returned. Example: aggregate("pages", "max").
        """
        known = check_field(view.documents(), field)
        names = read_documents(view, documents)
        chosen = [d for d in view.documents() if names is None or d.name in names]
        pairs = [(document, value) for document in chosen for value in values_of(document, known)]
        holders = list(dict.fromkeys(document.name for document, _ in pairs))
        value, text = _OPERATIONS[op](known, pairs)
        lacking = len(chosen) - len(holders)
        if lacking:
            text += f"\n({lacking} of {len(chosen)} documents have no {known})"
        artifact = {"field": known, "op": op, "value": value, "documents": holders}
        return Result(text, artifact)

    return make_tool(aggregate, AggregateArguments)


Pairs = Sequence[tuple[Document, Scalar]]
_Outcome = tuple[object, str]


def _count(field: str, pairs: Pairs) -> _Outcome:
    documents = len({document.id for document, _ in pairs})
    return documents, f"{documents} documents have {field}"


def _list(field: str, pairs: Pairs) -> _Outcome:
    counts = Counter(value for _, value in pairs)
    ordered = sorted(counts, key=lambda value: (isinstance(value, str), value))
    lines = [f"{len(ordered)} values of {field}:"]
    lines += [
        f"- {value}" + (f" ({n} documents)" if (n := counts[value]) > 1 else "")
        for value in ordered[:_MOST]
    ]
    if len(ordered) > _MOST:
        lines.append(f"... and {len(ordered) - _MOST} more; limit the documents")
    return ordered, "\n".join(lines)


def _total(field: str, pairs: Pairs) -> _Outcome:
    value = math.fsum(_numbers(field, pairs))
    return value, f"sum of {field} over {len(pairs)} values = {format_number(value)}"


def _mean(field: str, pairs: Pairs) -> _Outcome:
    value = statistics.fmean(_numbers(field, pairs))
    return value, f"mean of {field} over {len(pairs)} values = {format_number(value)}"


def _least(field: str, pairs: Pairs) -> _Outcome:
    return _extreme("min", min(_numbers(field, pairs)), field, pairs)


def _most(field: str, pairs: Pairs) -> _Outcome:
    return _extreme("max", max(_numbers(field, pairs)), field, pairs)


def _extreme(op: str, value: float, field: str, pairs: Pairs) -> _Outcome:
    names = [document.name for document, own in pairs if float(own) == value]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return value, f"{op} of {field} = {format_number(value)}: {', '.join(names[:5])}{more}"


def _numbers(field: str, pairs: Pairs) -> list[float]:
    if not pairs:
        raise ToolError(f"none of these documents has a {field}; use other documents or fields")
    try:
        return [float(value) for _, value in pairs]
    except ValueError:
        text = next(value for _, value in pairs if isinstance(value, str))
        raise ToolError(f"{field} is no number (e.g. {text!r}); use op list or count") from None


_OPERATIONS = {
    "count": _count,
    "list": _list,
    "sum": _total,
    "mean": _mean,
    "min": _least,
    "max": _most,
}
