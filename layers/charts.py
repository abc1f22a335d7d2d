"""Charts as SVG made on the server, from plain data: series over periods, and bars by category.

Every chart can be read without colour: lines have marks, dashes and a label of their own. What is not known looks like
what it is: a missing value is a gap (of bars: a dashed stub), a suppressed one the sign "•" below the axis, and nought
is drawn at nought. The same input gives the same bytes. The table behind a chart is the page's matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from geodata.words import telling_decimals
from layers import chart_parts as parts
from layers.chart_parts import (
    BARS,
    CITY_LOOK,
    GERMAN,
    GRID,
    LOOKS,
    SMALL,
    SUPPRESSED,
    TARGET,
    TEXT,
    Look,
    Scale,
    Value,
    Wording,
    width_of,
)
from layers.drawing import drawing, wrapped
from layers.palette import INK, SOFT, WHITE

__all__ = [
    "SUPPRESSED",
    "Bar",
    "BarChart",
    "Kind",
    "Series",
    "SeriesChart",
    "Value",
    "bar_chart",
    "chart_svg",
    "phone_svg",
    "series_chart",
]

Kind: TypeAlias = Literal["line", "bar", "target"]

PHONE = 340.0  # px: the narrowest screens less their margins
_ROW = 14.0  # the line of signs of suppressed values
_STUB = 12.0
_TARGET_LOOK = Look(TARGET, "cross", "5 4")


@dataclass(frozen=True, slots=True)
class Series:
    """One series: a value for each tick. ``target``: a threshold, drawn dashed and without marks.

    ``city``: what the other lines are compared with; it looks the same in every chart.
    """

    title: str
    values: Sequence[Value]
    kind: Kind = "line"
    city: bool = False


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """Series over periods (``ticks``); bars stand behind lines.

    ``description`` says in words what is to be seen, ``unit`` what the axis counts. ``times``: when each period is, in
    years and rising, so that periods lie apart as they do in time; without it they stand at equal steps. ``width`` and
    ``height`` in px of the drawing, which scales with its place.
    """

    title: str
    description: str
    unit: str
    ticks: Sequence[str]
    series: Sequence[Series]
    width: float = 560.0
    height: float = 290.0
    wording: Wording = GERMAN
    times: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One category with a value for each of the chart's series."""

    title: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class BarChart:
    """Horizontal bars by category, with the figure at each.

    ``series``: what the values of a bar are called (one name: no legend). ``target``: a threshold with its title.
    ``decimals`` of the figures, ``suffix`` behind each ("\N{NO-BREAK SPACE}%").
    """

    title: str
    description: str
    unit: str
    series: Sequence[str]
    bars: Sequence[Bar]
    target: tuple[str, float] | None = None
    decimals: int = 0
    suffix: str = ""
    width: float = 560.0
    wording: Wording = GERMAN


def chart_svg(chart: SeriesChart | BarChart) -> str:
    """Return a chart as SVG."""
    return series_chart(chart) if isinstance(chart, SeriesChart) else bar_chart(chart)


def phone_svg(chart: SeriesChart | BarChart) -> str:
    """Return a chart as SVG for a phone: its texts keep their size, so it is drawn as narrow as the screen."""
    return chart_svg(replace(chart, width=PHONE))


def series_chart(chart: SeriesChart) -> str:
    """Return series over periods as SVG.

    Raises ``ValueError`` where a series has not one value, or a time, for each tick, or times do not rise.
    """
    if any(len(one.values) != len(chart.ticks) for one in chart.series):
        raise ValueError("a series has one value for each tick")
    times = chart.times
    if times is not None and (len(times) != len(chart.ticks) or any(a >= b for a, b in pairwise(times))):
        raise ValueError("there is one time for each tick, each later than the one before")
    with drawing():
        pieces = list(_SeriesDrawing(chart).pieces())
    return parts.document(chart.title, chart.description, chart.width, chart.height, pieces)


class _SeriesDrawing:
    """One chart of series while it is drawn: the frame is laid out first, then everything is put into it."""

    def __init__(self, chart: SeriesChart) -> None:
        self.chart = chart
        self.bars = [one for one in chart.series if one.kind == "bar"]
        lines = [one for one in chart.series if one.kind == "line"]
        targets = [one for one in chart.series if one.kind == "target"]
        others = iter(LOOKS[at % len(LOOKS)] for at in range(len(lines)))
        looks = [CITY_LOOK if one.city else next(others) for one in lines]
        self.lines = [*zip(lines, looks, strict=True), *((one, _TARGET_LOOK) for one in targets)]
        self.hidden = [one for one in chart.series if SUPPRESSED in one.values]
        room = min(0.34 * chart.width, max((width_of(one.title, SMALL) for one, _look in self.lines), default=0) + 6)
        self.room = room if self.lines else 0.0
        self.notes = parts.note_lines(self._notes(), chart.width - 8)
        self.legend = self._legend_rows()
        self.top = 26.0 + 18.0 * len(self.legend)
        below = 24.0 + _ROW * len(self.hidden) + 1.3 * SMALL * len(self.notes) + 4
        values = [value for one in chart.series for value in parts.known(one.values)]
        bottom = max(self.top + 40, chart.height - below)
        scale = parts.scale_of(values, bottom, self.top)
        self.decimals = scale.decimals()
        widest = max(width_of(self._number(tick), SMALL) for tick in scale.ticks)
        self.left, self.right = widest + 12.0, chart.width - (self.room + 18 if self.room else 8.0)
        self.y: Scale = scale
        self.slot = (self.right - self.left) / max(1, len(chart.ticks))
        self.middles = self._middles()

    def _number(self, value: float) -> str:
        return self.chart.wording.write(value, self.decimals)

    def x(self, at: int) -> float:
        """Return the middle of a tick's slot."""
        return self.middles[at]

    def _middles(self) -> list[float]:
        """Return where the periods stand: as far apart as they are in time, the two nearest a slot wide."""
        count, times = len(self.chart.ticks), self.chart.times
        if times is None or count < 2:
            return [self.left + (at + 0.5) * self.slot for at in range(count)]
        least = min(later - earlier for earlier, later in pairwise(times))
        a_year = (self.right - self.left) / (times[-1] - times[0] + least)
        self.slot = a_year * least
        return [self.left + self.slot / 2 + a_year * (time - times[0]) for time in times]

    def _notes(self) -> Iterator[str]:
        said = self.chart.wording
        if self.hidden:
            yield said.suppressed
        if any(parts.is_missing(value) for one, _look in self.lines for value in one.values):
            yield said.gap
        if any(parts.is_missing(value) for one in self.bars for value in one.values):
            yield said.dashed

    def _legend_rows(self) -> list[list[tuple[float, int]]]:
        """Return the entries of the bars (x, number) in rows that fit."""
        rows: list[list[tuple[float, int]]] = []
        x = self.chart.width
        for number, one in enumerate(self.bars):
            wide = 24 + width_of(one.title, SMALL) + 16
            if x + wide > self.chart.width:
                rows.append([])
                x = 4.0
            rows[-1].append((x, number))
            x += wide
        return rows

    def pieces(self) -> Iterator[str]:
        """Yield the drawing from back to front."""
        yield parts.text(4, 14, self.chart.unit, size=SMALL, colour=SOFT)
        for row, entries in enumerate(self.legend):
            for x, number in entries:
                y = 22 + 18.0 * row
                yield parts.rect(x, y, 18, 11, BARS[number % len(BARS)])
                (said, *_rest) = wrapped(self.bars[number].title, self.chart.width - 30, SMALL, most_lines=1) or [""]
                yield parts.text(x + 24, y + 10, said, size=SMALL)
        for tick in self.y.ticks:
            y = self.y.at(tick)
            yield parts.line(self.left, y, self.right, y, INK if tick == 0 else GRID, 1.0)
            yield parts.text(self.left - 6, y + 4, self._number(tick), size=SMALL, anchor="end", colour=SOFT)
        yield from self._ticks()
        for number, one in enumerate(self.bars):
            yield from self._bars(number, one)
        for one, look in self.lines:
            yield from self._line(one, look)
        yield from self._labels()
        yield from self._suppressed()
        y = self.chart.height - 1.3 * SMALL * len(self.notes) + 6
        yield from parts.notes_at(self.notes, 4, y)

    def _ticks(self) -> Iterator[str]:
        """Yield the periods below the axis, so many that none touches another, the last among them."""
        written, free = set(), self.chart.width
        for at in range(len(self.chart.ticks) - 1, -1, -1):
            x, half = self.x(at), width_of(self.chart.ticks[at], SMALL) / 2
            if x + half <= free and x - half >= 0:
                written.add(at)
                free = x - half - 8
        for at, tick in enumerate(self.chart.ticks):
            x, y = self.x(at), self.y.start
            yield parts.line(x, y, x, y + 4, SOFT)
            if at in written:
                yield parts.text(x, y + 16, tick, size=SMALL, anchor="middle", colour=SOFT)

    def _bars(self, number: int, one: Series) -> Iterator[str]:
        wide = min(48.0, 0.72 * self.slot / len(self.bars))
        zero = self.y.at(0)
        for at, value in enumerate(one.values):
            x = self.x(at) + (number - len(self.bars) / 2) * wide
            if parts.is_missing(value):
                yield parts.rect(x, zero - _STUB, wide, _STUB, "none", SOFT, "3 2")
            elif (there := parts.number_of(value)) is not None:
                y = self.y.at(there)
                yield parts.rect(x, min(y, zero), wide, abs(zero - y), BARS[number % len(BARS)])
                if there == 0:
                    yield parts.text(x + wide / 2, zero - 3, "0", size=SMALL, anchor="middle")

    def _line(self, one: Series, look: Look) -> Iterator[str]:
        """Yield a line piece by piece: where a value is lacking it is broken."""
        runs: list[list[tuple[float, float]]] = [[]]
        for at, value in enumerate(one.values):
            there = parts.number_of(value)
            if there is not None:
                runs[-1].append((self.x(at), self.y.at(there)))
            elif runs[-1]:
                runs.append([])
        target = one.kind == "target"
        for run in filter(None, runs):
            if len(run) > 1:
                yield parts.polyline(run, look)
            elif target:
                yield parts.line(run[0][0] - 8, run[0][1], run[0][0] + 8, run[0][1], look.colour, 2, look.dashes)
        if not target:
            for x, y in (point for run in runs for point in run):
                yield parts.mark(x, y, look)

    def _labels(self) -> Iterator[str]:
        """Yield each line's name beside its last value, joined to it where they had to be moved apart."""
        x = self.right + 14
        labels = []
        for one, look in self.lines:
            last = max((at for at, v in enumerate(one.values) if parts.number_of(v) is not None), default=None)
            title, point, wanted = one.title, None, self.y.start
            if last is None:
                title = f"{title} ({self.chart.wording.nothing})"
            else:
                wanted = self.y.at(parts.number_of(one.values[last]) or 0.0)
                point = (self.x(last), wanted)
            labels.append(parts.label_of(title, self.room, wanted, look, point))
        parts.spread(labels, self.top - 8, self.y.start + 16)
        for (one, _look), label in zip(self.lines, labels, strict=True):
            if label.point is not None:
                yield parts.line(label.point[0] + 5, label.point[1], x - 7, label.y, label.look.colour, 0.8, "1 2")
            if one.kind == "target":
                yield parts.line(x - 8, label.y, x - 1, label.y, label.look.colour, 2, "3 2")
            else:
                yield parts.mark(x - 5, label.y, label.look, 3.4)
            first = label.y - label.height / 2 + SMALL
            for at, said in enumerate(label.lines):
                yield parts.text(x + 3, first + 1.2 * SMALL * at, said, size=SMALL)

    def _suppressed(self) -> Iterator[str]:
        """Yield a line of signs below the axis for each series with suppressed values, its own mark before it."""
        looks = {id(one): look for one, look in self.lines}
        several = len(self.chart.series) > 1
        for row, one in enumerate(self.hidden):
            y = self.y.start + 24 + _ROW * (row + 0.5)
            if several and (look := looks.get(id(one))) is not None:
                yield parts.mark(8, y, look, 3.4)
            elif several:
                yield parts.rect(2, y - 5, 12, 10, BARS[self.bars.index(one) % len(BARS)])
            for at, value in enumerate(one.values):
                if value is SUPPRESSED:
                    yield parts.text(self.x(at), y + 5, SUPPRESSED.value, size=15, anchor="middle", bold=True)


_BAR_HEIGHT, _BAR_GAP, _GROUP_GAP = 16.0, 2.0, 9.0


def bar_chart(chart: BarChart) -> str:
    """Return horizontal bars as SVG. Raises ``ValueError`` where a bar has not one value for each series."""
    if any(len(bar.values) != len(chart.series) for bar in chart.bars):
        raise ValueError("a bar has one value for each series")
    with drawing():
        pieces, height = _bar_pieces(chart)
    return parts.document(chart.title, chart.description, chart.width, height, pieces)


def _bar_pieces(chart: BarChart) -> tuple[list[str], float]:
    """Return the drawing and its height."""
    names = max((width_of(bar.title, TEXT) for bar in chart.bars), default=0.0)
    left = min(0.42 * chart.width, names + 10)
    figures = [_figure(chart, value) for bar in chart.bars for value in bar.values]
    right = chart.width - 10 - max((width_of(said, TEXT) for said in figures), default=0.0)
    values = [value for bar in chart.bars for value in parts.known(bar.values)]
    scale = parts.scale_of([*values, *([chart.target[1]] if chart.target else [])], left, max(left + 20, right))
    top = 26.0 + (20.0 if len(chart.series) > 1 else 0.0) + (18.0 if chart.target else 0.0)
    pieces = list(_bar_head(chart))
    y = top
    for bar in chart.bars:
        group = len(bar.values) * (_BAR_HEIGHT + _BAR_GAP)
        said = wrapped(bar.title, left - 8, TEXT, most_lines=2)
        first = y + group / 2 + TEXT * (0.36 - 0.6 * (len(said) - 1))
        pieces += [parts.text(left - 8, first + 1.2 * TEXT * at, part, anchor="end") for at, part in enumerate(said)]
        for number, value in enumerate(bar.values):
            pieces += _bar(chart, scale, y + number * (_BAR_HEIGHT + _BAR_GAP), number, value)
        y += max(group, 1.25 * TEXT * len(said)) + _GROUP_GAP
    pieces.append(parts.line(scale.at(0), top - 4, scale.at(0), y - 4, INK))
    if chart.target is not None:
        x = scale.at(chart.target[1])
        pieces.append(parts.line(x, top - 8, x, y - 4, TARGET, 2, "5 4"))
        anchor: parts.Anchor = "end" if x > chart.width / 2 else "start"
        said_target = f"{chart.target[0]}: {chart.wording.write(chart.target[1], chart.decimals)}{chart.suffix}"
        room = x - 4 if anchor == "end" else chart.width - x - 4
        (said_target, *_rest) = wrapped(said_target, room, SMALL, most_lines=1) or [""]
        pieces.append(parts.text(x, top - 12, said_target, size=SMALL, anchor=anchor, colour=TARGET))
    every = [value for bar in chart.bars for value in bar.values]
    notes = parts.note_lines([chart.wording.suppressed] if SUPPRESSED in every else [], chart.width - 8)
    pieces += parts.notes_at(notes, 4, y + SMALL)
    return pieces, y + 1.3 * SMALL * len(notes) + 2


def _figure(chart: BarChart, value: Value) -> str:
    there = parts.number_of(value)
    if there is not None:
        return f"{chart.wording.write(there, telling_decimals(there, chart.decimals))}{chart.suffix}"
    return SUPPRESSED.value if value is SUPPRESSED else chart.wording.missing


def _bar_head(chart: BarChart) -> Iterator[str]:
    yield parts.text(4, 14, chart.unit, size=SMALL, colour=SOFT)
    if len(chart.series) > 1:
        x = 4.0
        for number, name in enumerate(chart.series):
            yield parts.rect(x, 22, 18, 11, BARS[number % len(BARS)])
            (said, *_rest) = wrapped(name, chart.width / len(chart.series) - 34, SMALL, most_lines=1) or [""]
            yield parts.text(x + 24, 32, said, size=SMALL)
            x += 24 + width_of(said, SMALL) + 16


def _bar(chart: BarChart, scale: Scale, y: float, number: int, value: Value) -> Iterator[str]:
    zero, said = scale.at(0), _figure(chart, value)
    there = parts.number_of(value)
    middle = y + _BAR_HEIGHT / 2 + TEXT * 0.36
    if there is None:
        lacking = value is not SUPPRESSED
        if lacking:
            yield parts.rect(zero, y, _STUB, _BAR_HEIGHT, WHITE, SOFT, "3 2")
        x = zero + (_STUB if lacking else 0.0) + 5
        yield parts.text(x, middle, said, colour=SOFT if lacking else INK, italic=lacking, bold=not lacking)
        return
    x = scale.at(there)
    yield parts.rect(min(zero, x), y, abs(x - zero), _BAR_HEIGHT, BARS[number % len(BARS)])
    yield parts.text(max(x, zero) + 5, middle, said)
