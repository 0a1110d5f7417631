"""The tool `find_tables`: the tables of a page as cells."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.layout.page_tables import Table
from pagehop.library.view import View
from pagehop.tools.arguments import read_ref, snippet
from pagehop.tools.tool import Arguments, Result, make_tool

_MOST_CHARS = 12_000


class FindTablesArguments(Arguments):
    """Arguments of `find_tables`."""

    ref: str = Field(description="name:page, e.g. report_2018:12")


def find_tables(view: View) -> BaseTool:
    """Make the tool."""

    def find_tables(ref: str) -> Result:
        """Give the tables of one page cell by cell, each value under its column header.

        Use it when a number's row or column is in doubt: headers that span columns or run over
        several lines, many columns, brackets for negative amounts. Each table comes with its
        caption, its unit (multiply by it) and one line a row, `label | value | ...`, in the order
        of the columns named above the rows. A row may be quoted as it is shown, with its bars.
        Next, calculate with the values.
        """
        where = read_ref(view, ref)
        found = view.tables(where)
        tables = [table for table in found if not table.is_contents]
        artifact = {
            "ref": str(where),
            "tables": [{"region": t.region, "box": list(t.box)} for t in tables],
        }
        if found and not tables:
            contents = f"[{where}] lists what stands on which page, and has no other table"
            return Result(f"{contents}; outline({where.name}) or read_page({where}).", artifact)
        if not tables:
            advice = f"read_page({where}) gives its text, look({where}) shows charts"
            text = f"[{where}] has no table that could be read as cells; {advice}."
            return Result(text, artifact)
        parts = [f"[{where}] {len(tables)} table{'s' if len(tables) > 1 else ''}"]
        parts += [_described(table, i) for i, table in enumerate(tables, 1)]
        text = "\n\n".join(parts)
        if len(text) > _MOST_CHARS:
            cut = text[:_MOST_CHARS].rpartition("\n")[0]
            text = f"{cut}\n... ({len(text) - len(cut)} more characters; read_page({where}))"
        return Result(text, artifact)

    return make_tool(find_tables, FindTablesArguments)


def _described(table: Table, number: int) -> str:
    box = ", ".join(f"{side:.3g}" for side in table.box)
    lines = [f"Table {number}, box {box}"]
    named = {"caption": table.caption, "section": table.section, "unit": table.unit}
    lines += [f"{name}: {snippet(text, 240)}" for name, text in named.items() if text]
    headers = table.headers
    if any(headers):
        lines.append("columns: " + " | ".join(headers))
    lines += [_row(row) for row in table.rows[table.heads :]]
    return "\n".join(lines)


def _row(row: tuple[str, ...]) -> str:
    alone = not any(row[1:])
    return row[0] if alone else " | ".join(row)
