"""Charts of the example documents, drawn with reportlab.graphics."""

from collections.abc import Sequence

from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing, String
from reportlab.graphics.widgets.markers import makeMarker
from reportlab.lib.colors import Color, HexColor
from reportlab.platypus import Flowable, KeepTogether, Spacer

from making.markup import Part, Setter

GREY = HexColor("#555555")


def _legend(names: Sequence[str], colors: Sequence[Color], x: float, y: float) -> Legend:
    legend = Legend()
    legend.x, legend.y, legend.fontSize, legend.fontName = x, y, 7.5, "Helvetica"
    legend.alignment, legend.columnMaximum, legend.deltax = "right", 1, 95
    legend.dxTextSpace, legend.dx, legend.dy, legend.strokeColor = 5, 7, 7, None
    legend.colorNamePairs = list(zip(colors, names, strict=True))
    return legend


def _framed(setter: Setter, key: str, title: str, drawing: Drawing, note: str) -> list[Flowable]:
    under = [setter.paragraph(note, "small")] if note else []
    caption = setter.caption("Figure", key, title)
    return [KeepTogether([*caption, drawing, *under]), Spacer(0, setter.look.size)]


def bars(
    key: str,
    title: str,
    categories: Sequence[str],
    series: Sequence[Sequence[float]],
    names: Sequence[str] = (),
    *,
    unit: str,
    top: float,
    step: float,
    printed: str = "%0.1f",
    stacked: bool = False,
    flat: bool = False,
    height: float = 150,
    note: str = "",
) -> Part:
    """Return a part that sets a bar chart.

    Args:
        key: What references call it.
        title: Caption after the number.
        categories: Labels under the bars.
        series: One list of values a colour.
        names: Of the series, for the legend.
        unit: Written at the top of the value axis.
        top: End of the value axis.
        step: Between the grid lines.
        printed: Format of the values at the bars; empty: they must be read off the axis.
        stacked: Series on top of each other.
        flat: Bars go to the right.
        height: Of the drawing, points.
        note: Small print below.
    """

    def part(setter: Setter) -> list[Flowable]:
        look = setter.look
        drawing = Drawing(look.column, height)
        chart = HorizontalBarChart() if flat else VerticalBarChart()
        chart.x, chart.y = (110 if flat else 34), 22
        chart.width, chart.height = look.column - chart.x - 24, height - (58 if names else 44)
        chart.data = [tuple(values) for values in series]
        chart.categoryAxis.categoryNames = list(categories)
        chart.categoryAxis.labels.fontSize = chart.valueAxis.labels.fontSize = 7.5
        chart.categoryAxis.strokeColor = chart.valueAxis.strokeColor = GREY
        chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, top
        chart.valueAxis.valueStep, chart.valueAxis.visibleGrid = step, True
        chart.valueAxis.gridStrokeColor, chart.valueAxis.gridStrokeWidth = HexColor("#d5dadc"), 0.4
        chart.valueAxis.labelTextFormat = "%d" if step >= 1 else "%0.1f"
        chart.categoryAxis.style = "stacked" if stacked else "parallel"
        chart.groupSpacing, chart.barSpacing = 9, 1
        colors = [look.accent, look.second, HexColor("#8aa6a3"), HexColor("#5b6770")]
        for i in range(len(series)):
            chart.bars[i].fillColor, chart.bars[i].strokeColor = colors[i], None
        if printed:
            chart.barLabelFormat = printed
            chart.barLabels.fontSize, chart.barLabels.fontName = 7, "Helvetica"
            chart.barLabels.nudge = 10 if flat else 6
            if stacked:
                chart.barLabels.nudge, chart.barLabels.fillColor = -7, HexColor("#ffffff")
        drawing.add(chart)
        drawing.add(
            String(4, height - 12, unit, fontSize=7.5, fillColor=GREY, fontName="Helvetica")
        )
        if names:
            used = colors[: len(names)]
            drawing.add(_legend(names, used, look.column - 105 * len(names), height - 10))
        return _framed(setter, key, title, drawing, note)

    return part


def lines(
    key: str,
    title: str,
    series: Sequence[Sequence[tuple[float, float]]],
    names: Sequence[str],
    *,
    unit: str,
    across: str,
    xs: Sequence[float],
    top: float,
    step: float,
    height: float = 150,
    note: str = "",
) -> Part:
    """Return a part that sets a line chart without values at its points.

    Args:
        key: What references call it.
        title: Caption after the number.
        series: Points (x, y) of each line.
        names: Of the lines.
        unit: Of the value axis.
        across: Name of the horizontal axis.
        xs: Ticks of the horizontal axis.
        top: End of the value axis.
        step: Between the grid lines.
        height: Of the drawing, points.
        note: Small print below.
    """

    def part(setter: Setter) -> list[Flowable]:
        look = setter.look
        drawing = Drawing(look.column, height)
        plot = LinePlot()
        plot.x, plot.y, plot.width, plot.height = 30, 34, look.column - 44, height - 62
        plot.data = [list(points) for points in series]
        plot.xValueAxis.valueSteps, plot.yValueAxis.valueStep = list(xs), step
        plot.yValueAxis.valueMin, plot.yValueAxis.valueMax = 0, top
        plot.xValueAxis.valueMin, plot.xValueAxis.valueMax = min(xs), max(xs)
        plot.xValueAxis.labelTextFormat = "%d"
        plot.yValueAxis.labelTextFormat = "%d" if step >= 1 else "%0.1f"
        for axis in (plot.xValueAxis, plot.yValueAxis):
            axis.labels.fontSize, axis.strokeColor = 7, GREY
        plot.yValueAxis.visibleGrid = True
        plot.yValueAxis.gridStrokeColor, plot.yValueAxis.gridStrokeWidth = HexColor("#d5dadc"), 0.4
        colors = [look.accent, look.second, HexColor("#5b6770")][: len(series)]
        for i, color in enumerate(colors):
            plot.lines[i].strokeColor, plot.lines[i].strokeWidth = color, 1.4
            plot.lines[i].symbol = makeMarker(("FilledCircle", "FilledSquare", "FilledDiamond")[i])
            plot.lines[i].symbol.size, plot.lines[i].symbol.fillColor = 4, color
            plot.lines[i].symbol.strokeColor = color
        drawing.add(plot)
        words = {"fontSize": 7.5, "fillColor": GREY, "fontName": "Helvetica"}
        drawing.add(String(2, height - 12, unit, **words))
        drawing.add(String(look.column / 2, 8, across, textAnchor="middle", **words))
        width = min(118, look.column / (len(names) + 0.5))
        drawing.add(_legend(names, colors, look.column - width * len(names), height - 10))
        return _framed(setter, key, title, drawing, note)

    return part
