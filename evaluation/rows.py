"""Rows of the files that question sets come in: JSON lines, JSON lists, CSV and Parquet.

A row knows where it stands, so that what is wrong with it is said with file, line and field; a row
that cannot be read is a fault, and the others are read all the same.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagehop.errors import ConfigError
from pagehop.evaluation.questions import Fault
from pagehop.scoring.items import literal_list


class RowError(Exception):
    """One row is no question; caught where rows are read, and kept as a fault."""


@dataclass(frozen=True)
class Row:
    """One record of a file."""

    where: str
    record: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a field as text.

        Raises:
            RowError: It is missing, empty, or no text or number.
        """
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise RowError(f"{name}: {value!r} is no text")
        if not str(value).strip():
            raise RowError(f"{name}: it is empty")
        return str(value).strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a field that is a list, or a list written as text, as texts without empty ones.

        Raises:
            RowError: It is missing or no list.
        """
        return tuple(text for item in self.items(name) if (text := str(item).strip()))

    def pages(self, name: str, *, first: int) -> tuple[int, ...]:
        """Return page numbers from 1.

        Args:
            name: Of a field that is a number, a list of numbers or such a list written as text.
            first: What the first page is called in this file: 0 or 1.

        Raises:
            RowError: It is missing, or one of them is no page.
        """
        value = self._value(name)
        items = [value] if isinstance(value, int) else self.items(name)
        pages = []
        for item in items:
            try:
                page = int(item) - first + 1
            except (TypeError, ValueError) as error:
                raise RowError(f"{name}: {item!r} is no page number") from error
            if page < 1:
                raise RowError(f"{name}: {item!r} is no page number, the first page is {first}")
            pages.append(page)
        return tuple(dict.fromkeys(pages))

    def items(self, name: str) -> Sequence[Any]:
        """Return a field that is a list, or a list written as text.

        Raises:
            RowError: It is missing or no list.
        """
        value = self._value(name)
        if isinstance(value, str):
            value = literal_list(value)
        if not isinstance(value, list | tuple):
            raise RowError(f"{name}: {self.record[name]!r} is no list")
        return value

    def maybe(self, name: str) -> str:
        """Return a field as text, empty when it is missing or null."""
        value = self.record.get(name)
        return "" if value is None else str(value).strip()

    def _value(self, name: str) -> Any:
        if name not in self.record or self.record[name] is None:
            raise RowError(f"{name}: the field is missing")
        return self.record[name]


def json_lines(path: Path) -> Iterator[Row | Fault]:
    """Read a file of one JSON object a line; blank lines are skipped."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            yield Fault(where, f"invalid JSON: {error}")
            continue
        yield Row(where, record) if isinstance(record, dict) else Fault(where, "no JSON object")


def json_list(path: Path, key: str = "") -> Iterator[Row | Fault]:
    """Read a file that is one JSON list of objects, or an object with that list under a key.

    Raises:
        ConfigError: The file is no such list.
    """
    try:
        value = json.loads(_text(path))
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error
    if key and isinstance(value, dict):
        value = value.get(key)
    if not isinstance(value, list):
        raise ConfigError(f"{path} holds no list{f' under {key!r}' if key else ''}")
    for number, record in enumerate(value, 1):
        where = f"{path}, item {number}"
        yield Row(where, record) if isinstance(record, dict) else Fault(where, "no JSON object")


def csv_rows(path: Path, *, delimiter: str) -> Iterator[Row | Fault]:
    """Read a CSV file with a head; a row with too few or too many cells is a fault."""
    reader = csv.DictReader(_text(path).splitlines(keepends=True), delimiter=delimiter)
    for record in reader:
        where = f"{path}, line {reader.line_num}"
        if None in record or None in record.values():
            yield Fault(where, f"it has not {len(reader.fieldnames or ())} cells as the head has")
        else:
            yield Row(where, record)


def parquet_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[Row | Fault]:
    """Read a Parquet file, a batch at a time.

    Raises:
        ConfigError: It is none.
    """
    import pyarrow.parquet  # noqa: PLC0415 - only such sets need it

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            known = [name for name in columns or () if name in file.schema_arrow.names]
            number = 0
            for batch in file.iter_batches(batch_size=64, columns=known or None):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}, row {number}", record)
    except (OSError, pyarrow.ArrowException) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def as_rows(where: str, records: Iterable[Mapping[str, Any]]) -> Iterator[Row | Fault]:
    """Number records that are in memory."""
    for number, record in enumerate(records, 1):
        yield Row(f"{where}, row {number}", record)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
