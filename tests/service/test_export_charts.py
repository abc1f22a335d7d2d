"""The charts of the report: every area in one of them, the city alike in all, periods as far apart as they are."""

from layers.chart_parts import CITY_LOOK
from service.exports.charts import drawing_of, of_areas, style_of
from service.exports.parts import Cell, Chart, Group, Line, Look, Table

PERIODS = ("2014-H1", "2014-H2", "2016-H1")
CITY = ("cases", "stadt:S")


def charts(areas: int) -> list[Chart]:
    keys = [CITY, *(("cases", f"bezirk:{number}") for number in range(areas))]
    cells = tuple(Cell(float(number)) for number in range(len(PERIODS)))
    lines = tuple(Line(key, key[1], Look(), cells) for key in keys)
    table = Table("Vergleich", "Stadt (Stichtag)", PERIODS, (Group("Fälle", lines),))
    return list(of_areas(table, "cases", "Fälle", "Fälle", CITY))


def test_the_city_looks_alike_in_every_chart() -> None:
    made = charts(8)
    assert [len(one.lines) for one in made] == [7, 3]  # six areas and two, each with the city
    for one in made:
        drawn = drawing_of(one, 500, 300)
        assert [series.title for series in drawn.series if series.city] == ["stadt:S"]
        styles = [style_of(one, number) for number in range(len(one.lines))]
        assert styles[-1] == (CITY_LOOK.colour, CITY_LOOK.mark, "solid")
        assert len(set(styles)) == len(styles)


def test_periods_lie_apart_as_in_time_and_are_written_short() -> None:
    (one,) = charts(2)
    drawn = drawing_of(one, 500, 300)
    assert drawn.ticks == ["H1/2014", "H2/2014", "H1/2016"]
    assert drawn.times is not None
    first, second, third = drawn.times
    assert third - second > 2.9 * (second - first)
    assert "(1. Halbjahr 2014) bis 2 (1. Halbjahr 2016)" in one.alt
