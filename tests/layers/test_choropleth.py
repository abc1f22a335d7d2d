"""What a page gets of a map of numbers: nothing hidden, nothing unescaped, a legend that stands without scripts."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from number_maps import HAMBURG, HOSTILES, URLS, three_by_three

from layers.canvas import MapParts, canvas, parts
from layers.choropleth import AreaValue, add_choropleth, value_text
from layers.classes import classify
from layers.extent import body_bounds
from layers.legend import class_entries, class_legend_html
from layers.palette import PATTERNS, ZERO
from layers.reach_layer import ReachBand, add_reach


def rendered(areas: list[AreaValue], shapes: Any = "/flaechen", **given: Any) -> MapParts:
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="")
    classes = classify([area.value for area in areas], [area.suppressed for area in areas])
    add_choropleth(target, areas, classes, shapes, **{"title": "Titel", "unit": "%", "urls": URLS, **given})
    return parts(target)


def data_of(script: str, function: str = "choropleth") -> Any:
    found = re.search(rf'srkMap\.{function}\("map_sozialraumkarte", (.*)\);', script)
    assert found
    return json.loads(found[1])


def test_a_suppressed_value_never_leaves() -> None:
    areas = [AreaValue("a", "A", 4711.25, True, "4711 von 4712", "4.711,25"), AreaValue("b", "B", 2.0)]
    script = rendered(areas).script
    assert "4711" not in script
    assert "4.711" not in script
    assert data_of(script)["areas"][0] == ["a", "A", 3, "unterdrückt", ""]


def test_each_area_points_to_its_line_of_the_legend() -> None:
    shapes, areas = three_by_three()
    data = data_of(rendered(areas, shapes).script)
    by_name = {name: data["classes"][at] for _, name, at, _, _ in data["areas"]}
    assert by_name["Groß Borstel"]["kind"] == "missing"
    assert by_name["Hamm"]["kind"] == "suppressed"
    assert by_name["Iserbrook"]["kind"] == "zero"
    assert by_name["Altona"]["title"] == "über 0 bis unter 15"
    assert by_name["Altona"]["colour"] != by_name["Eimsbüttel"]["colour"]
    assert data["shapes"]["features"][0]["properties"]["area_key"] == "0"
    assert sum(entry["count"] for entry in data["classes"]) == len(areas)


def test_the_legend_names_all_three_nothings_even_where_there_is_none() -> None:
    entries = class_entries(classify([1, 2, 3]))
    assert [(e.kind, e.title) for e in entries if e.kind != "class"] == [
        ("zero", "0"), ("missing", "keine Angabe"), ("suppressed", "unterdrückt"),
    ]  # fmt: skip
    looks = [(e.colour, e.pattern) for e in entries]
    assert len(set(looks)) == len(looks)
    assert entries[0].colour == ZERO


def test_zeros_stand_in_the_middle_of_a_diverging_legend() -> None:
    entries = class_entries(classify([-8, -5, -2, -1, 0, 1, 3, 4, 9], count=4, diverging_at=0))
    assert [entry.kind for entry in entries] == ["class", "class", "zero", "class", "class", "missing", "suppressed"]


def test_values_are_written_in_german() -> None:
    classes = classify([1234.5, 2.0], decimals=1)
    texts = [
        value_text(area, classes, "%")
        for area in (
            AreaValue("a", "A", 1234.5), AreaValue("a", "A", -0.04), AreaValue("a", "A", None),
            AreaValue("a", "A", float("nan")), AreaValue("a", "A", 3.0, True), AreaValue("a", "A", 3.0, text="3 von 4"),
        )
    ]  # fmt: skip
    assert texts == ["1.234,5\xa0%", "−0,04\xa0%", "keine Angabe", "keine Angabe", "unterdrückt", "3 von 4"]
    assert value_text(AreaValue("a", "A", 2.0), classes, "") == "2,0"


@pytest.mark.parametrize("text", HOSTILES)
def test_hostile_texts_stay_data(text: str) -> None:
    if "\ud800" in text:  # no JSON of ours carries half a sign
        text = text.encode("utf-8", "replace").decode()
    areas = [AreaValue("1", text, 3.0, note=text), AreaValue(text, "B", 4.0)]
    made = rendered(areas, page_url="/gebiete/{level}/{key}", level=text)
    assert "<" not in made.script.replace("=>", "")
    data = data_of(made.script)
    assert data["areas"][0][1] == data["areas"][0][4] == data["level"] == text
    assert data["areas"][1][0] == text


def test_a_template_in_a_name_is_not_run() -> None:
    names = ["{{ 7*7 }}", "{{ cycler.__init__.__globals__ }}", "{% for x in [1] %}", "{# weg #}", "{{{{", "{"]
    script = rendered([AreaValue(str(at), name, float(at)) for at, name in enumerate(names)], title="{{ 6*7 }}").script
    data = data_of(script)
    assert [name for _, name, *_ in data["areas"]] == names
    assert data["title"] == "{{ 6*7 }}"


class Legend(HTMLParser):
    """Collects the tags and the text of a legend."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.mark.parametrize("text", [text for text in HOSTILES if "\ud800" not in text])
def test_legend_for_the_page_is_bare_and_escaped(text: str) -> None:
    html = class_legend_html(classify([1, 2, None, 4], [False, False, False, True]), title=text, unit=text)
    legend = Legend()
    legend.feed(html)
    assert legend.said.count(unescape(text) if "&" not in text else text) >= 2
    assert {tag for tag, _ in legend.tags} <= {"div", "p", "span", "ul", "li", "svg", "defs", "pattern", "rect", "path"}
    assert not any(name == "style" or name.startswith("on") for _, attrs in legend.tags for name in attrs)
    assert legend.said.count("1 Gebiet") == 4


def test_two_legends_on_a_page_have_patterns_of_their_own() -> None:
    classes = classify([1, 2])
    one, other = (set(re.findall(r'id="([^"]+)"', class_legend_html(classes, title="", unit="", name=n))) for n in "ab")
    assert len(one) == len(other) == len(PATTERNS)
    assert not one & other


def test_classes_of_other_areas_are_refused() -> None:
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="")
    with pytest.raises(ValueError, match="same areas"):
        add_choropleth(target, [AreaValue("a", "A", 1.0)], classify([1, 2]), "/f", title="", unit="", urls=URLS)


def test_two_renderings_are_the_same_bytes() -> None:
    shapes, areas = three_by_three()
    assert rendered(areas, shapes) == rendered(areas, shapes)


def test_bounds_are_of_the_body_without_a_far_island() -> None:
    shapes, _ = three_by_three()
    west, south, east, north = 9.80, 53.42, 10.10, 53.72
    assert body_bounds(shapes) == pytest.approx((west, south, east, north))
    island = json.loads(json.dumps(shapes["features"][0]))
    ring = island["geometry"]["coordinates"][0]
    small = [[8.5 + (x - west) / 20, 53.9 + (y - south) / 20] for x, y in ring]
    shapes["features"].append({**island, "geometry": {"type": "Polygon", "coordinates": [small]}})
    assert body_bounds(shapes) == pytest.approx((west, south, east, north))
    # As large as the others it is no island but a part of the city.
    large = [[x - 3, y] for x, y in ring]
    shapes["features"][-1]["geometry"]["coordinates"] = [large]
    shapes["features"] = shapes["features"][-3:]
    found = body_bounds(shapes)
    assert found is not None
    assert found[0] == pytest.approx(6.8)
    assert body_bounds({"features": [{"geometry": None}]}) is None


def test_reach_is_of_one_to_three_bands() -> None:
    shapes, areas = three_by_three()
    band = ReachBand("zu Fuß in 15 Minuten", shapes["features"][0]["geometry"])
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="")
    add_reach(target, [band, replace(band, title=HOSTILES[1])], start=(9.85, 53.47), urls=URLS)
    data = data_of(parts(target).script, "reach")
    assert data["start"] == [53.47, 9.85]
    assert [one["title"] for one in data["bands"]] == ["zu Fuß in 15 Minuten", HOSTILES[1]]
    assert len({(one["colour"], one["dashes"]) for one in data["bands"]}) == 2
    for count in (0, 4):
        with pytest.raises(ValueError, match="bands"):
            add_reach(target, [band] * count, start=(9.85, 53.47), urls=URLS)
    assert areas
