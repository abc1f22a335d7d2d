"""Charts: every figure where it belongs, three kinds of nothing that differ, names as text, the same bytes."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_maps import HOSTILES

from layers.chart_parts import LOOKS, decimals_of, scale_of
from layers.charts import (
    SUPPRESSED,
    Bar,
    BarChart,
    Series,
    SeriesChart,
    Value,
    bar_chart,
    chart_svg,
    phone_svg,
    series_chart,
)
from layers.palette import contrast

SVG = "{http://www.w3.org/2000/svg}"
YEARS = [str(year) for year in range(2015, 2025)]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - what we drew


def of_series(*series: Series, ticks: Sequence[str] = YEARS, unit: str = "Anteil in %") -> ET.Element:
    return parsed(series_chart(SeriesChart("Titel", "Beschreibung", unit, ticks, series)))


def of_bars(values: Sequence[Value], **more: object) -> ET.Element:
    bars = [Bar(f"Gruppe {number}", [value]) for number, value in enumerate(values)]
    return parsed(bar_chart(BarChart("T", "B", "Zahl", ["hier"], bars, **more)))  # type: ignore[arg-type]


def texts(chart: ET.Element) -> list[str]:
    return [one.text or "" for one in chart.iter(f"{SVG}text")]


def points(chart: ET.Element) -> list[list[tuple[float, float]]]:
    """Corners of every line in the drawing."""
    return [
        [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]  # type: ignore[misc]
        for line in chart.iter(f"{SVG}polyline")
    ]


def test_a_line_is_as_high_as_its_values() -> None:
    values = [10.0, 20.0, 40.0, 0.0]
    (line,) = points(of_series(Series("A", values), ticks=YEARS[:4]))
    heights = [y for _x, y in line]
    assert all(a < b for a, b in pairwise(x for x, _y in line))
    # Equal steps of value are equal steps on paper, downwards on the screen.
    assert (heights[0] - heights[1]) * 2 == pytest.approx(heights[1] - heights[2], abs=0.3)
    assert heights[3] == max(heights)


def test_a_missing_value_is_a_gap_and_a_suppressed_one_a_sign() -> None:
    whole = of_series(Series("A", [1.0, 2.0, 3.0, 4.0, 5.0]), ticks=YEARS[:5])
    assert [len(line) for line in points(whole)] == [5]
    assert "•" not in "".join(texts(whole))
    gap = of_series(Series("A", [1.0, 2.0, None, 4.0, 5.0]), ticks=YEARS[:5])
    assert [len(line) for line in points(gap)] == [2, 2]
    assert "•" not in texts(gap)
    assert "Lücke: keine Angabe" in texts(gap)
    hidden = of_series(Series("A", [1.0, 2.0, SUPPRESSED, 4.0, 5.0]), ticks=YEARS[:5])
    assert [len(line) for line in points(hidden)] == [2, 2]
    assert texts(hidden).count("•") == 1
    sign = next(one for one in hidden.iter(f"{SVG}text") if one.text == "•")
    axis = next(one for one in hidden.iter(f"{SVG}text") if one.text == YEARS[2])
    assert sign.attrib["x"] == axis.attrib["x"]
    assert float(sign.attrib["y"]) > float(axis.attrib["y"]), "outside of what has a height"
    zero = of_series(Series("A", [1.0, 2.0, 0.0, 4.0, 5.0]), ticks=YEARS[:5])
    assert [len(line) for line in points(zero)] == [5]


def test_a_lone_value_between_gaps_keeps_its_mark() -> None:
    chart = of_series(Series("A", [None, 3.0, None]), ticks=YEARS[:3])
    assert points(chart) == []
    assert len(list(chart.iter(f"{SVG}circle"))) == 2  # at its place and at its label


def test_suppressed_values_of_several_series_are_told_apart() -> None:
    chart = of_series(
        Series("A", [1.0, SUPPRESSED, 3.0]), Series("B", [SUPPRESSED, 2.0, 3.0]), Series("C", [1.0, 1.0, 1.0]),
        ticks=YEARS[:3],
    )  # fmt: skip
    signs = [one for one in chart.iter(f"{SVG}text") if one.text == "•"]
    assert len({one.attrib["y"] for one in signs}) == 2, "a line of its own for each"


def test_lines_are_told_apart_without_colour() -> None:
    assert len({look.mark for look in LOOKS}) == len(LOOKS)
    assert all(contrast(look.colour, "#ffffff") >= 3 for look in LOOKS)
    chart = of_series(*(Series(f"Gebiet {n}", [float(n), n + 1.0]) for n in range(7)), ticks=YEARS[:2])
    assert {f"Gebiet {n}" for n in range(7)} <= set(texts(chart)), "each is named beside its end"
    where = sorted(float(one.attrib["y"]) for one in chart.iter(f"{SVG}text") if (one.text or "").startswith("Gebiet"))
    assert all(b - a >= 11 for a, b in pairwise(where)), "no name covers another"


def test_a_target_is_dashed_and_has_no_marks() -> None:
    chart = of_series(Series("Ausgaben", [10.0, 11.0], "bar"), Series("Zielschwelle", [10.0, 10.4], "target"),
                      ticks=YEARS[:2])  # fmt: skip
    (line,) = chart.iter(f"{SVG}polyline")
    assert line.attrib["stroke-dasharray"]
    assert not list(chart.iter(f"{SVG}circle"))
    assert {"Ausgaben", "Zielschwelle"} <= set(texts(chart))


def test_bars_say_which_nothing_they_are() -> None:
    chart = of_bars([1234.0, 0.0, None, SUPPRESSED])
    assert [said for said in texts(chart) if said in {"1.234", "0", "fehlt", "•"}] == ["1.234", "0", "fehlt", "•"]
    rects = list(chart.iter(f"{SVG}rect"))
    assert float(rects[1].attrib["width"]) == 0
    assert "stroke-dasharray" in rects[2].attrib
    assert len(rects) == 3, "a suppressed value has no bar"
    over_periods = of_series(Series("A", [1.0, 0.0, None, SUPPRESSED], "bar"), ticks=YEARS[:4])
    assert any("gestrichelt: keine Angabe" in said for said in texts(over_periods))
    assert texts(over_periods).count("0") == 1, "at the bar; the axis has decimals"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.just(SUPPRESSED), st.integers(-(10**6), 10**9).map(float)), min_size=1, max_size=30
    )
)
def test_bars_are_as_long_as_their_values(values: list[Value]) -> None:
    chart = of_bars(values, decimals=2)
    drawn = [one for one in chart.iter(f"{SVG}rect") if "stroke-dasharray" not in one.attrib]
    known = [value for value in values if isinstance(value, float)]
    assert len(drawn) == len(known)
    widest = max((abs(value) for value in known), default=0.0)
    if widest:
        longest = max(float(one.attrib["width"]) for one in drawn)
        for one, value in zip(drawn, known, strict=True):
            assert float(one.attrib["width"]) == pytest.approx(longest * abs(value) / widest, abs=0.3)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_an_axis_holds_all_values_nought_and_round_ticks(values: list[float]) -> None:
    scale = scale_of(values, 300.0, 20.0)
    hair = 1e-6 * (scale.high - scale.low)
    assert scale.low - hair <= min(0.0, *values)
    assert scale.high + hair >= max(0.0, *values)
    assert len(scale.ticks) <= 7
    assert 0.0 in scale.ticks
    assert all(19.9 <= scale.at(value) <= 300.1 for value in values)


def test_an_axis_writes_as_many_decimals_as_it_needs() -> None:
    assert decimals_of([1, 2]) == 0
    assert decimals_of([0.5]) == 1
    assert decimals_of([0.25]) == 2
    assert {"0,0", "0,2", "1,0"} <= set(texts(of_series(Series("A", [0.3, 0.9]), ticks=YEARS[:2])))
    assert {"0", "20", "100"} <= set(texts(of_series(Series("A", [30.0, 90.0]), ticks=YEARS[:2])))


@pytest.mark.parametrize("count", [1, 3, 12, 60])
def test_periods_below_the_axis_do_not_touch(count: int) -> None:
    ticks = [f"{2000 + n // 4}-Q{n % 4 + 1}" for n in range(count)]
    chart = of_series(Series("A", [1.0] * count), ticks=ticks)
    at = [float(one.attrib["x"]) for one in chart.iter(f"{SVG}text") if one.text in ticks]
    assert all(b - a > 45 for a, b in pairwise(at))
    assert ticks[-1] in texts(chart)


@pytest.mark.parametrize("name", HOSTILES)
def test_names_are_text(name: str) -> None:
    series = SeriesChart(name, name, name, [name, "2"], [Series(name, [1.0, SUPPRESSED]), Series(name, [2.0, None])])
    bars = BarChart(name, name, name, [name, name], [Bar(name, [1.0, None])], target=(name, 2.0))
    for made in (series_chart(series), bar_chart(bars)):
        tree = parsed(made)
        kinds = {one.tag.removeprefix(SVG) for one in tree.iter()}
        assert kinds <= {"svg", "title", "desc", "text", "line", "rect", "polyline", "polygon", "circle", "path"}
        names = {attribute for one in tree.iter() for attribute in one.attrib}
        assert not {one for one in names if one.startswith("on") or one in {"style", "id", "href", "class"}}
        made.encode()
        assert len(made) < 60_000


def test_the_same_figures_give_the_same_bytes_and_the_box_holds_everything() -> None:
    chart = SeriesChart("T", "B", "Zahl", YEARS, [Series(f"Sehr langer Name Nummer {n} " * 3, [1.0 * n] * 10)
                                                  for n in range(7)])  # fmt: skip
    made = series_chart(chart)
    assert made == series_chart(chart)
    tree = parsed(made)
    assert tree.attrib["viewBox"] == "0 0 560 290"
    for one in tree.iter():
        assert all(float(one.attrib[name]) <= 560 for name in ("x", "x1", "x2") if name in one.attrib)
        assert all(-1 <= float(one.attrib[name]) <= 291 for name in ("y", "y1", "y2") if name in one.attrib)
    assert not re.search(r"style=|<style", made)


def test_series_must_fit_their_ticks() -> None:
    with pytest.raises(ValueError, match="each tick"):
        of_series(Series("A", [1.0]))
    with pytest.raises(ValueError, match="each series"):
        bar_chart(BarChart("T", "B", "U", ["a"], [Bar("x", [1.0, 2.0])]))


def test_periods_lie_apart_as_they_do_in_time() -> None:
    chart = SeriesChart(
        "T", "B", "Zahl", ["Q4/2023", "Q4/2024", "Q3/2025", "Q4/2025"], [Series("A", [1.0, 2.0, 3.0, 4.0])],
        times=[2024.0, 2025.0, 2025.75, 2026.0],
    )  # fmt: skip
    ((a, b, c, d),) = [[x for x, _y in line] for line in points(parsed(series_chart(chart)))]
    assert b - a == pytest.approx(4 * (d - c), abs=0.5)
    assert c - b == pytest.approx(3 * (d - c), abs=0.5)
    with pytest.raises(ValueError, match="later"):
        series_chart(replace(chart, times=[2024.0, 2025.0, 2025.0, 2026.0]))


def test_for_a_phone_texts_keep_their_size() -> None:
    chart = SeriesChart("T", "B", "Zahl", YEARS, [Series("A", [float(at) for at in range(10)])], width=520)
    wide, narrow = parsed(chart_svg(chart)), parsed(phone_svg(chart))
    assert float(narrow.attrib["width"]) <= 351
    assert {one.attrib["font-size"] for one in narrow.iter(f"{SVG}text")} == {
        one.attrib["font-size"] for one in wide.iter(f"{SVG}text")
    }
    for one in narrow.iter(f"{SVG}text"):
        assert 0 <= float(one.attrib["x"]) <= float(narrow.attrib["width"])


def test_the_city_looks_the_same_in_every_chart() -> None:
    looks = []
    for others in (1, 5):
        lines = [Series(f"Gebiet {at}", [1.0, 2.0]) for at in range(others)]
        chart = of_series(*lines, Series("Stadt", [1.0, 1.5], city=True), ticks=YEARS[:2])
        looks.append([one.attrib["stroke"] for one in chart.iter(f"{SVG}polyline")][-1])
    assert looks == ["#000000", "#000000"]


def test_a_bar_that_is_not_nought_is_not_written_as_nought() -> None:
    assert {"0", "0,3", "12"} <= set(texts(of_bars([0.0, 0.3, 12.0])))


def test_not_a_number_is_missing() -> None:
    chart = of_series(Series("A", [1.0, math.nan], "bar"), ticks=YEARS[:2])
    assert "gestrichelt: keine Angabe" in texts(chart)
