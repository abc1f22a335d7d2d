"""Pictures of maps made on the server: text that is text, nothing hidden, hostile names harmless, the same bytes."""

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread
from number_maps import HOSTILES, city, three_by_three, values_of

from layers.choropleth import AreaValue
from layers.classes import Classes, classify
from layers.drawing import PNG_DPI, cleaned_text, drawing, text_width, wrapped
from layers.flow_picture import flow_picture
from layers.flows import flows_of
from layers.legend import class_entries
from layers.picture import choropleth_picture
from layers.reach_layer import COLOURS, ReachBand, Reached
from layers.sheet import Caption, frame_of, scale_metres

SVG = "{http://www.w3.org/2000/svg}"
CAPTION = Caption(
    "Unterbringungen außerhalb Hamburgs",
    "Anteil in %",
    "Veröffentlichungsfassung",
    ["Statistikamt Nord; Stand: 31.12.2023; Lizenz: dl-de/by-2-0", "Jugendamt"],
    subtitle="Stadtteile, 2. Quartal 2024",
    notice="Beispieldaten – keine amtlichen Angaben",
    notes=["Methode: Anteil der Fälle außerhalb."],
)


def classed(areas: list[AreaValue]) -> Classes:
    return classify([area.value for area in areas], [area.suppressed for area in areas])


def picture(caption: Caption = CAPTION, **given: Any) -> bytes:
    shapes, areas = three_by_three()
    return choropleth_picture(areas, classed(areas), shapes, caption, **given)


def texts(svg: bytes) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def test_svg_holds_its_texts_as_text() -> None:
    said = texts(picture())
    for text in (
        CAPTION.title, "Stadtteile, 2. Quartal 2024 · Veröffentlichungsfassung", CAPTION.notice, "Anteil in %",
        "keine Angabe", "unterdrückt", "0", "über 0 bis unter 15", "2 Gebiete", "N", "5 km", CAPTION.notes[0],
        "Quelle: Statistikamt Nord; Stand: 31.12.2023; Lizenz: dl-de/by-2-0", "Quelle: Jugendamt", "Eimsbüttel",
    ):  # fmt: skip
        assert text in said, text
    assert "5 Klassen: gleich viele Gebiete" in " ".join(said)


def test_svg_tells_what_it_shows_and_asks_nobody() -> None:
    svg = picture()
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == CAPTION.title
    assert "unterdrückt: 1 Gebiet" in str(root[1].text)
    assert b"<!DOCTYPE" not in svg
    assert b"<script" not in svg
    links = re.findall(rb'(?:href|src)="([^"]*)"|url\(([^)]*)\)', svg)
    assert all((one or other).startswith(b"#") for one, other in links)
    assert b"<metadata" not in svg


def test_the_same_bytes_each_time_and_from_several_threads() -> None:
    for image in ("svg", "png"):
        with ThreadPoolExecutor(3) as pool:
            made = list(pool.map(lambda kind: picture(image=kind), [image] * 3))
        assert len(set(made)) == 1


def test_fills_of_the_picture_are_those_of_the_legend() -> None:
    shapes, areas = three_by_three()
    pixels = imread(io.BytesIO(picture(image="png")))
    seen = {tuple(np.rint(pixel * 255).astype(int)) for pixel in pixels[::2, ::2, :3].reshape(-1, 3)}
    for entry in class_entries(classed(areas)):
        colour = tuple(int(entry.colour[at : at + 2], 16) for at in (1, 3, 5))
        assert colour in seen, entry
    assert pixels.shape[1] == round(760 / 72 * PNG_DPI)
    assert shapes["features"]


def test_three_nothings_look_different() -> None:
    """Cut the same patch out of three areas: white, hatched and dotted."""
    pixels = imread(io.BytesIO(picture(image="png")))[:, :, :3]
    shades = {}
    for name in ("Groß Borstel", "Hamm", "Iserbrook"):
        x, y = _centre(name)
        top, left = round((y + 22) * PNG_DPI / 72), round((x - 20) * PNG_DPI / 72)
        patch = pixels[top : top + 60, left : left + 80].mean(axis=2)
        shades[name] = patch
    assert shades["Iserbrook"].std() == 0
    assert shades["Groß Borstel"].std() > 0.03
    assert shades["Hamm"].std() > 0.03
    # A hatch is a line in every row; dots leave rows and columns free.
    rows = {name: patch.min(axis=1) < 0.8 for name, patch in shades.items()}
    assert rows["Groß Borstel"].all()
    assert not rows["Hamm"].all()
    assert rows["Hamm"].any()


def _centre(name: str) -> tuple[float, float]:
    for node in ET.fromstring(picture()).iter(f"{SVG}text"):  # noqa: S314 - our own
        if node.text == name:
            found = re.search(
                r"translate\(([\d.]+) ([\d.]+)\)|rotate\(\S+ ([\d.]+) ([\d.]+)\)", node.get("transform", "")
            )
            assert found
            x, y = (float(value) for value in found.groups() if value)
            return x, y
    raise AssertionError(name)


def test_a_suppressed_value_never_leaves() -> None:
    shapes, areas = three_by_three()
    one, other = (
        [replace(area, value=value, note=str(value), text=str(value)) if area.suppressed else area for area in areas]
        for value in (1.0, 4711.0)
    )
    for image in ("svg", "png"):
        made = [choropleth_picture(given, classed(given), shapes, CAPTION, image=image) for given in (one, other)]
        assert made[0] == made[1]


@pytest.mark.parametrize("text", HOSTILES)
def test_hostile_texts_are_texts(text: str) -> None:
    shapes, areas = three_by_three()
    named = [replace(area, key=area.key, name=text) for area in areas] + [AreaValue("ohne", text, 3.0)]
    caption = Caption(text, text, text, [text, text], subtitle=text, notice=text, notes=[text])
    svg = choropleth_picture(named, classed(named), shapes, caption)
    root = ET.fromstring(svg)  # noqa: S314 - our own
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags <= {"svg", "title", "desc", "defs", "style", "g", "path", "text", "use", "clipPath", "rect", "pattern"}
    assert not any(
        name.startswith("on") or name.endswith("href")
        for node in root.iter()
        for name in node.attrib
        if node.tag != f"{SVG}use"
    )
    beginning = cleaned_text(text)[:12]
    assert any(said.startswith(beginning) for said in texts(svg))
    assert root[0].text == cleaned_text(text)
    png = choropleth_picture(named, classed(named), shapes, caption, image="png")
    assert imread(io.BytesIO(png)).shape[1] == round(760 / 72 * PNG_DPI)
    assert flow_picture(flows_of({"Bayern": 2}), caption, home_state="Hamburg", origin=text)


def test_formula_signs_are_shown_as_they_are() -> None:
    text = "$\\frac{1}{2}$"
    assert text in texts(picture(replace(CAPTION, title=text)))


def test_areas_without_a_shape_are_named() -> None:
    shapes, areas = three_by_three()
    more = [*areas, AreaValue("x", "Neuwerk", 3.0), AreaValue("y", "Insel", None)]
    said = " ".join(texts(choropleth_picture(more, classed(more), shapes, CAPTION)))
    assert "Ohne Fläche auf der Karte: Neuwerk und Insel." in said


def test_a_far_island_is_drawn_beside_and_said_so() -> None:
    shapes, areas = three_by_three()
    ring = [[8.45, 53.9], [8.46, 53.9], [8.46, 53.91], [8.45, 53.9]]
    shapes["features"].append(
        {"type": "Feature", "properties": {"area_key": "n"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    )
    more = [*areas, AreaValue("n", "Neuwerk", 3.0)]
    said = texts(choropleth_picture(more, classed(more), shapes, CAPTION))
    assert "Neuwerk (nicht lagegetreu)" in said
    assert "5 km" in said  # the scale is that of the body


def test_nothing_to_draw_is_still_a_picture() -> None:
    empty = {"type": "FeatureCollection", "features": []}
    said = texts(choropleth_picture([], classify([]), empty, CAPTION))
    assert "keine Angabe" in said
    assert choropleth_picture([], classify([]), empty, CAPTION, image="png").startswith(b"\x89PNG")


def test_classes_of_other_areas_are_refused() -> None:
    shapes, areas = three_by_three()
    with pytest.raises(ValueError, match="same areas"):
        choropleth_picture(areas[1:], classed(areas), shapes, CAPTION)


def test_north_is_up_and_lengths_are_true() -> None:
    corners = np.array([(9.7, 53.4), (10.3, 53.7)])
    frame = frame_of([corners], 0, 0)
    west, north, east, south = frame.points(np.array([(9.9, 53.5), (9.9, 53.6), (10.1, 53.55), (9.9, 53.4)]))
    assert north[1] < west[1] < south[1]
    assert west[0] == north[0] == south[0] < east[0]
    from pyproj import Geod

    _, _, metres = Geod(ellps="WGS84").inv(9.7, 53.55, 10.3, 53.55)
    a, b = frame.points(np.array([(9.7, 53.55), (10.3, 53.55)]))
    assert (b[0] - a[0]) * frame.metres_per_point == pytest.approx(metres, rel=0.005)
    _, _, metres = Geod(ellps="WGS84").inv(10, 53.4, 10, 53.7)
    assert (south[1] - north[1]) * 1.5 * frame.metres_per_point == pytest.approx(metres, rel=0.005)


@pytest.mark.parametrize(("most", "found"), [(7300, 5000), (5000, 5000), (1999, 1000), (2, 2), (0.4, 1), (99, 50)])
def test_scales_are_round(most: float, found: int) -> None:
    assert scale_metres(most) == found


def test_lines_fit_and_lose_nothing_but_what_is_too_long() -> None:
    text = "Unterbringungen nach § 34 SGB VIII außerhalb Hamburgs und noch viel mehr Wörter hinterher"
    lines = wrapped(text, 120, 9)
    assert " ".join(lines) == text
    assert all(text_width(line, 9) <= 120 for line in lines)
    cut = wrapped("W" * 5000, 120, 9, most_lines=2)
    assert len(cut) == 2
    assert cut[1].endswith("…")
    assert all(text_width(line, 9) <= 120 for line in cut)
    assert wrapped("", 100, 9) == []


def test_flow_picture_names_lands_numbers_and_what_is_beside() -> None:
    flows = flows_of({"Hamburg": 412, "Bayern": 5, "Berlin": None, "Ausland": 4, "ohne Angabe": None})
    said = texts(flow_picture(flows, replace(CAPTION, unit="Hilfen"), home_state="Hamburg", origin="Hamburg-Mitte"))
    for text in (
        "Bayern 5", "Berlin •", "Saarland 0", "Hamburg 412", "Ausland: 4 Hilfen", "ohne Angabe: unterdrückt",
        "von Hamburg-Mitte", "• unterdrückt", "kein Bogen: 0", "k. A.: keine Angabe",
    ):  # fmt: skip
        assert text in said, text
    made = [flow_picture(flows, CAPTION, home_state="Hamburg", image="png") for _ in range(2)]
    assert made[0] == made[1]


def test_many_areas_are_drawn_quickly() -> None:
    shapes = city(941)
    areas = values_of(shapes)
    classes = classed(areas)
    for image in ("svg", "png"):
        spent = []  # of this process: what others do meanwhile does not count
        for _ in range(3):
            begun = time.process_time()
            made = choropleth_picture(areas, classes, shapes, CAPTION, image=image)
            spent.append(time.process_time() - begun)
        assert min(spent) < 1.5, f"{image}: {spent}"
        assert len(made) < 2_000_000


SQUARE = {"type": "Polygon", "coordinates": [[[9.9, 53.5], [10.0, 53.5], [10.0, 53.6], [9.9, 53.6], [9.9, 53.5]]]}


def test_what_is_reached_is_drawn_and_named() -> None:
    plain = picture()
    bands = [ReachBand("zu Fuß in 10 Minuten", SQUARE), ReachBand("zu Fuß in 20 Minuten <b>", SQUARE)]
    drawn = picture(reached=Reached("Erreichbar von einem Punkt", bands, (9.95, 53.55), HOSTILES[0]))
    said = texts(drawn)
    for text in ("Erreichbar von einem Punkt", "zu Fuß in 10 Minuten", "zu Fuß in 20 Minuten <b>"):
        assert text in said
        assert text not in texts(plain)
    for colour in COLOURS[:2]:
        # A line and a fill upon the map, and again in the legend.
        assert drawn.count(colour.encode()) >= 4
        assert colour.encode() not in plain
    assert COLOURS[2].encode() not in drawn
    assert drawn == picture(reached=Reached("Erreichbar von einem Punkt", bands, (9.95, 53.55), HOSTILES[0]))
    assert b"<script" not in drawn


def test_long_words_of_the_legend_leave_the_counts_their_room() -> None:
    values = [900_000.5, 3_000_000.0, 12_000_000.0, 31_000_000.0, 33_000_000.0, 45_000_000.0, -7_000_000.0]
    shapes, areas = three_by_three()
    areas = [replace(area, value=value, suppressed=False) for area, value in zip(areas, values * 2, strict=False)]
    made = ET.fromstring(choropleth_picture(areas, classed(areas), shapes, CAPTION))  # noqa: S314 - our own
    counts = [one for one in made.iter(f"{SVG}text") if "Gebiet" in "".join(one.itertext())]
    rows = [(round(_height(one)), "".join(one.itertext())) for one in made.iter(f"{SVG}text")]
    for count in counts:
        beside = [text for y, text in rows if abs(y - _height(count)) < 3 and "bis unter" in text]
        with drawing():
            wide = sum(text_width(text, 9.0) for text in beside)
        assert wide < 140


def _height(node: ET.Element) -> float:
    found = re.search(r"translate\(\S+ (\S+)\)", node.attrib.get("transform", ""))
    return float(found[1]) if found else float(node.attrib.get("y", 0))
