"""Tables of the example documents: accounts with bracketed negatives, and plain grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from making.markup import Part, Setter


def amount(value: float | None, decimals: int = 1) -> str:
    """Write an amount as accounts do: `(12.3)` for negatives, a dash for nothing."""
    if value is None:
        return ""
    if round(value, decimals) == 0:
        return "–"  # noqa: RUF001 - what accounts print
    text = f"{abs(value):,.{decimals}f}"
    return f"({text})" if value < 0 else text


@dataclass(frozen=True)
class Row:
    """One row of a table of accounts."""

    label: str
    amounts: Mapping[int, float] | None = None
    """None: a heading inside the table."""
    note: str = ""
    total: bool = False
    decimals: int = 1


def accounts(
    key: str,
    title: str,
    years: Sequence[int],
    rows: Sequence[Row],
    *,
    unit: str = "£m",
    heads: Sequence[str] = (),
    notes: bool = False,
    width: float = 1.0,
) -> Part:
    """Return a part that sets a table of accounts, newest year first.

    Args:
        key: What references call it.
        title: Caption after the number.
        years: Columns.
        rows: Lines, in order.
        unit: Written under each year; empty for none.
        heads: Column heads instead of the years.
        notes: Whether a column names the note of each line.
        width: Share of the column it fills, 0 to 1.
    """

    def part(setter: Setter) -> list[Flowable]:
        look = setter.look
        top = [f"{head}\n{unit}" if unit else head for head in (heads or [str(y) for y in years])]
        cells = [["", *(["Note"] if notes else []), *top]]
        style = [
            ("FONT", (0, 0), (-1, -1), look.font, look.size * 0.93),
            ("LEADING", (0, 0), (-1, -1), look.size * 1.15),
            ("FONT", (0, 0), (-1, 0), look.bold, look.size * 0.93),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
            ("TOPPADDING", (0, 0), (-1, -1), 2.1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.1),
            ("LINEBELOW", (0, 0), (-1, 0), 0.9, look.accent),
            ("LINEBELOW", (0, -1), (-1, -1), 0.9, look.accent),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
        ]
        for i, row in enumerate(rows, start=1):
            got = row.amounts or {}
            numbers = [amount(got[y], row.decimals) if y in got else "" for y in years]
            cells.append([row.label, *([row.note] if notes else []), *numbers])
            if row.total:
                style.append(("LINEABOVE", (0, i), (-1, i), 0.4, HexColor("#555555")))
            if row.total or row.amounts is None:
                style.append(("FONT", (0, i), (-1, i), look.bold, look.size * 0.93))
        whole = look.column * width
        number = 58 if look.column > 300 else 46
        fixed = [30.0] * notes + [float(number)] * len(years)
        table = Table(cells, [whole - sum(fixed), *fixed], repeatRows=1, style=style, hAlign="LEFT")
        return [KeepTogether([*setter.caption("Table", key, title), table]), Spacer(0, look.size)]

    return part


def grid(
    key: str,
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    right: Sequence[int] = (),
    whole: bool = True,
) -> Part:
    """Return a part that sets a table with text cells and shaded rows.

    Args:
        key: What references call it; empty for a table without caption.
        title: Caption after the number.
        head: Column heads.
        rows: Cells, which may hold the markup of a paragraph.
        widths: Shares of the column, adding up to 1.
        right: Columns set flush right.
        whole: Keep it on one page.
    """

    def part(setter: Setter) -> list[Flowable]:
        look = setter.look
        small = setter.styles["small"].clone("cell", textColor=HexColor("#000000"), spaceAfter=0)
        strong = small.clone("head", fontName=look.bold, textColor=HexColor("#ffffff"))
        right_small, right_strong = (
            s.clone(f"{s.name}-right", alignment=2) for s in (small, strong)
        )
        cells = [
            [
                Paragraph(setter.inline(c), right_strong if i in right else strong)
                for i, c in enumerate(head)
            ],
            *(
                [
                    Paragraph(setter.inline(c), right_small if i in right else small)
                    for i, c in enumerate(row)
                ]
                for row in rows
            ),
        ]
        table = Table(
            cells,
            [look.column * w for w in widths],
            repeatRows=1,
            hAlign="LEFT",
            style=[
                ("BACKGROUND", (0, 0), (-1, 0), look.accent),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [HexColor("#ffffff"), HexColor("#f1f4f5")]),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#b9c4c8")),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ],
        )
        caption = setter.caption("Table", key, title) if key else []
        parts = [*caption, table]
        return [
            KeepTogether(parts) if whole else parts[0],
            *([] if whole else parts[1:]),
            Spacer(0, look.size),
        ]

    return part
