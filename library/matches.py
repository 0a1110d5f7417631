"""Rows of tables as the snapshot reads them: vectors, sums of counts, conditions."""

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pagehop.finding.corpus import Matched, VectorBlock
from pagehop.library.tables import vector_schema


def to_vector_block(blocks: list[pa.Table]) -> VectorBlock:
    """Put rows of vector tables of one encoder into one block."""
    if not blocks:
        blocks = [vector_schema(1).empty_table()]
    rows = pa.concat_tables(blocks).combine_chunks()
    dim = rows.schema.field("vector").type.list_size
    whole, own = (pc.list_flatten(rows[name]).to_numpy() for name in ("vector", "own"))
    return VectorBlock(
        ids=rows["id"].to_pylist(),
        documents=np.array(rows["document"].to_pylist(), dtype=object),
        pages=rows["page"].to_numpy(),
        kinds=np.array(rows["kind"].to_pylist(), dtype=object),
        matrix=whole.reshape(-1, dim).astype(np.float32, copy=False),
        own=own.reshape(-1, dim).astype(np.float32),
    )


def to_matches(rows: pa.Table, vector: NDArray[np.float32]) -> list[Matched]:
    """Return what an index of vectors found for a unit vector (dim,), each with its cosine.

    Args:
        rows: Columns id, document, page, own and _distance, which is 1 less the cosine.
        vector: What was looked for.
    """
    own = pc.list_flatten(rows["own"]).to_numpy().reshape(-1, len(vector)).astype(np.float32)
    cosines = np.maximum(1.0 - rows["_distance"].to_numpy(), own @ vector)
    columns = (rows[name].to_pylist() for name in ("id", "document", "page"))
    return [Matched(*row) for row in zip(*columns, cosines.tolist(), strict=True)]


def sum_counts(tables: list[pa.Table]) -> pa.Table:
    """Add up tables of words, in how many passages they stand (`count`) and documents."""
    sums = [("count", "sum"), ("documents", "sum")]
    total = pa.concat_tables(tables).group_by("word", use_threads=False).aggregate(sums)
    return total.rename_columns({"count_sum": "count", "documents_sum": "documents"})


def where_clause(
    *,
    documents: Collection[str] | None = None,
    pages: Collection[int] | None = None,
    column: str = "",
    values: Collection[str] | None = None,
) -> str:
    """Return a condition on rows, in Lance's SQL; empty when nothing is asked for.

    Args:
        documents: Ids.
        pages: Page numbers.
        column: What `values` are about.
        values: Values of that column.
    """
    parts = []
    if documents is not None:
        parts.append(f"document IN ({quoted(documents)})" if documents else "false")
    if pages is not None:
        numbers = ", ".join(str(int(page)) for page in pages)
        parts.append(f"page IN ({numbers})" if numbers else "false")
    if values is not None:
        parts.append(f"{column} IN ({quoted(values)})" if values else "false")
    return " AND ".join(parts)


def quoted(values: Iterable[str]) -> str:
    """Return values as a list of SQL strings."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
