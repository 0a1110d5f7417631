"""Plots of a comparison as SVG: accuracy against cost, recall by kind of question, failures.

Drawn here, not by a plotting library, so that the report is one file and needs nothing. Text is in
the page's own font and colour; all words from outside are escaped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from pagehop.evaluation.intervals import Estimate

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#666666")
"""Told apart by colour-blind readers. Source: Okabe and Ito 2008; yellow darkened for white."""
_WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 18, 46
_LABEL_PX = 6.4
"""Mean width of a letter at 12 px."""
_LEAST_BAR = 2.0
"""Height of a bar of 0."""


@dataclass(frozen=True)
class Dot:
    """One system in the plane of cost and quality."""

    name: str
    cost: float
    quality: Estimate


def pareto_front(dots: Sequence[Dot]) -> list[Dot]:
    """Return the dots that no other beats in quality at the same cost or less, cheapest first."""
    front: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: (dot.cost, -dot.quality.value)):
        if not front or dot.quality.value > front[-1].quality.value:
            front.append(dot)
    return front


def pareto_plot(dots: Sequence[Dot], *, x: str, y: str, colours: Mapping[str, str]) -> str:
    """Draw quality against cost; the front is stepped, intervals are upright lines.

    The cost axis is logarithmic when the costs lie more than tenfold apart and none is nothing.
    """
    width, height = _WIDTH - _LEFT - _RIGHT, 300
    most = max((dot.cost for dot in dots), default=1) or 1
    least = min((dot.cost for dot in dots), default=most)
    log = least > 0 and most / least > 10
    ticks = _log_ticks(least, most) if log else _ticks(most)
    top = ticks[-1]
    bottom = ticks[0]

    def across(cost: float) -> float:
        if log:
            return _LEFT + width * math.log(cost / bottom) / math.log(top / bottom)
        return _LEFT + width * cost / top

    def up(value: float) -> float:
        return _TOP + height * (1 - value)

    parts = _axes(height, [(across(t), _tick(t)) for t in ticks], x, y)
    front = pareto_front(dots)
    steps = [f"{across(front[0].cost):.1f},{up(front[0].quality.value):.1f}"] if front else []
    for before, dot in pairwise(front):
        steps += [f"{across(dot.cost):.1f},{up(before.quality.value):.1f}",
                  f"{across(dot.cost):.1f},{up(dot.quality.value):.1f}"]  # fmt: skip
    if len(steps) > 1:
        parts.append(f'<polyline points="{" ".join(steps)}" class="front"/>')
    for dot in dots:
        at, colour = across(dot.cost), colours[dot.name]
        parts.append(
            f'<g stroke="{colour}" fill="{colour}"><line x1="{at:.1f}" x2="{at:.1f}" '
            f'y1="{up(dot.quality.low):.1f}" y2="{up(dot.quality.high):.1f}"/>'
            f'<circle cx="{at:.1f}" cy="{up(dot.quality.value):.1f}" r="5"><title>'
            f"{escape(dot.name)}: {dot.quality.value:.3f} "
            f"[{dot.quality.low:.3f}, {dot.quality.high:.3f}] at {dot.cost:.4g}</title>"
            "</circle></g>"
        )
    placed = _apart([(across(d.cost), up(d.quality.value), d.name) for d in dots], _TOP + height)
    parts += [f'<text x="{at:.1f}" y="{y0:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
              for at, y0, anchor, name in placed]  # fmt: skip
    return _svg(height + _TOP + _BOTTOM, parts)


def bars_plot(groups: Mapping[str, Mapping[str, Estimate]], colours: Mapping[str, str]) -> str:
    """Draw one group of upright bars a kind of question, one bar a system, 0 to 1."""
    width, height = _WIDTH - _LEFT - _RIGHT, 240
    parts = _axes(height, [], "", "")
    room = width / max(1, len(groups))
    for i, (kind, values) in enumerate(groups.items()):
        bar = min(36.0, room * 0.8 / max(1, len(values)))
        left = _LEFT + room * (i + 0.5) - bar * len(values) / 2
        count = max((estimate.questions for estimate in values.values()), default=0)
        parts += _wrapped(_LEFT + room * (i + 0.5), _TOP + height + 16, f"{kind} (n {count})", room)
        for j, (name, estimate) in enumerate(values.items()):
            high = max(_LEAST_BAR, height * estimate.value)  # 0 is not the same as not asked
            x0, y0 = left + bar * j, _TOP + height - high
            middle = x0 + bar / 2
            parts.append(
                f'<rect x="{x0 + 1:.1f}" y="{y0:.1f}" width="{bar - 2:.1f}" '
                f'height="{high:.1f}" fill="{colours[name]}"><title>'
                f"{escape(name)}, {escape(kind)}: {estimate.value:.3f}</title></rect>"
                f'<line x1="{middle:.1f}" x2="{middle:.1f}" class="whisker" '
                f'y1="{_TOP + height * (1 - estimate.low):.1f}" '
                f'y2="{_TOP + height * (1 - estimate.high):.1f}"/>'
            )
    return _svg(height + _TOP + _BOTTOM + 12, parts)


def stacked_plot(rows: Mapping[str, Mapping[str, int]], colours: Mapping[str, str]) -> str:
    """Draw one lying bar a system, its parts the shares of its runs."""
    label = min(260.0, max((len(name) for name in rows), default=0) * _LABEL_PX + 16)
    width = _WIDTH - label - _RIGHT
    parts = []
    for i, (name, counts) in enumerate(rows.items()):
        y0, x0 = 6 + i * 34, label
        total = sum(counts.values()) or 1
        parts.append(
            f'<text x="{label - 8:.1f}" y="{y0 + 17}" text-anchor="end">{escape(name)}</text>'
        )
        for kind, count in counts.items():
            wide = width * count / total
            parts.append(
                f'<rect x="{x0:.1f}" y="{y0}" width="{wide:.1f}" height="24" '
                f'fill="{colours[kind]}"><title>{escape(name)}: {escape(kind)} {count}</title>'
                "</rect>"
            )
            if wide > 10 + _LABEL_PX * len(str(count)):
                parts.append(
                    f'<text x="{x0 + wide / 2:.1f}" y="{y0 + 17}" text-anchor="middle" '
                    f'class="inside">{count}</text>'
                )
            x0 += wide
    return _svg(12 + 34 * len(rows), parts)


def legend(colours: Mapping[str, str]) -> str:
    """Return the key of a plot's colours as HTML."""
    items = (
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in colours.items()
    )
    return f'<p class="legend">{"".join(items)}</p>'


def _axes(height: int, across: Sequence[tuple[float, str]], x: str, y: str) -> list[str]:
    right = _WIDTH - _RIGHT
    parts = []
    for i in range(6):
        y0 = _TOP + height * (1 - i / 5)
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y0:.1f}" y2="{y0:.1f}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y0 + 4:.1f}" text-anchor="end">{i / 5:.1f}</text>')
    for at, label in across:
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP + height}" y2="{_TOP + height + 5}" '
            f'class="axis"/><text x="{at:.1f}" y="{_TOP + height + 18}" '
            f'text-anchor="middle">{label}</text>'
        )
    parts.append(
        f'<line x1="{_LEFT}" x2="{right}" y1="{_TOP + height}" y2="{_TOP + height}" class="axis"/>'
    )
    if x:
        parts.append(
            f'<text x="{(_LEFT + right) / 2}" y="{_TOP + height + 38}" text-anchor="middle">'
            f"{escape(x)}</text>"
        )
    if y:
        parts.append(
            f'<text transform="translate(16 {_TOP + height / 2}) rotate(-90)" '
            f'text-anchor="middle">{escape(y)}</text>'
        )
    return parts


def _apart(
    dots: Sequence[tuple[float, float, str]], axis: float
) -> list[tuple[float, float, str, str]]:
    """Place labels beside dots, moved where they would lie on one another or on the axis."""
    placed: list[tuple[float, float, str, str]] = []
    for x0, y0, name in sorted(dots, key=lambda dot: (dot[1], dot[0])):
        long = len(name) * _LABEL_PX
        right = x0 + 10 + long < _WIDTH - 4
        at, anchor = (x0 + 10, "start") if right else (x0 - 10, "end")
        left = at if right else at - long
        low = y0 + 8 > axis
        y1, away = (axis - 8, -2) if low else (y0 + 4, 2)
        while any(
            abs(y1 - other) < 14
            and left < (a if side == "start" else a - len(text) * _LABEL_PX) + len(text) * _LABEL_PX
            and (a if side == "start" else a - len(text) * _LABEL_PX) < left + long
            for a, other, side, text in placed
        ):
            y1 += away
        placed.append((at, y1, anchor, name))
    return placed


def _wrapped(x0: float, y0: float, text: str, room: float) -> list[str]:
    """Write a label on up to three lines of a width."""
    lines: list[str] = [""]
    for word in text.split():
        if lines[-1] and (len(lines[-1]) + len(word) + 1) * _LABEL_PX > room - 8:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 3:
        lines = [*lines[:2], f"{lines[2]} ..."]
    return [f'<text x="{x0:.1f}" y="{y0 + 14 * i:.1f}" text-anchor="middle">{escape(line)}</text>'
            for i, line in enumerate(lines)]  # fmt: skip


def _ticks(most: float) -> list[float]:
    step = 10 ** math.floor(math.log10(most))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if most / s <= 6)
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def _log_ticks(least: float, most: float) -> list[float]:
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**i for i in range(low, max(high, low + 1) + 1)]


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" xmlns="http://www.w3.org/2000/svg" '
        f'role="img">{"".join(parts)}</svg>'
    )
