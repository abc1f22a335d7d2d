"""What a page gets of a map: nothing of third parties, nothing inline, nothing unescaped, the same bytes each time."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import folium
import pytest

from layers.areas import AreaLayer, add_area_levels
from layers.browser_assets import ASSETS, media_type
from layers.canvas import MapParts, Tiles, canvas, parts
from layers.embed import call
from layers.facilities import FacilityLayer, Walking, add_facilities
from layers.legend import add_legend
from layers.palette import STYLES
from layers.public_map import Addresses, public_map

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&"
HAMBURG = (9.73, 53.39, 10.33, 53.74)
URLS = {name: f"/static/abc/{name}" for name in ASSETS}


def build(text: str = "Stadtteile", tiles: Tiles | None = None) -> folium.Map:
    return public_map(
        HAMBURG,
        [AreaLayer("stadtteil", text, "/flaechen?level=stadtteil", shown=True), AreaLayer("bezirk", "Bezirke", "/b")],
        [FacilityLayer(category, text, 3) for category in STYLES],
        addresses=Addresses("/orte", "/orte/{dataset}/{facility_id}", None, "/liste", "/suche?q="),
        urls=URLS,
        tiles=tiles,
        attribution=text,
        walking=Walking(80, 1.3, text),
        label="Karte",
    )


def every(rendered: MapParts) -> str:
    return "\n".join([*rendered.styles, rendered.css, rendered.body, *rendered.scripts, rendered.script])


def test_nothing_is_loaded_from_elsewhere() -> None:
    rendered = parts(build())
    assert "http:" not in every(rendered)
    assert "https:" not in every(rendered)
    assert "//" not in every(rendered)
    assert rendered.styles == [URLS["leaflet.css"], URLS["srk-map.css"]]
    assert rendered.scripts[:2] == [URLS["leaflet.js"], URLS["srk-map.js"]]
    assert set(rendered.styles + rendered.scripts) < set(URLS.values())


def test_files_of_a_bare_map_are_leaflet_and_ours_only() -> None:
    rendered = parts(canvas(HAMBURG, urls=URLS, tiles=None, attribution=""))
    assert [Path(url).name for url in rendered.scripts] == ["leaflet.js", "srk-map.js"]


def test_css_body_and_script_are_bare() -> None:
    rendered = parts(build())
    for text in (rendered.css, rendered.body, rendered.script):
        assert not re.search(r"<\s*/?\s*(script|style|link|meta)\b", text, re.IGNORECASE)
    assert not re.search(r"\s(on\w+|style)\s*=", rendered.body)
    assert re.search(r'role="region"\s+aria-label="Karte"', rendered.body)
    assert rendered.body.count("<") == 2
    assert "html, body" not in rendered.css


def test_two_renderings_are_the_same_bytes() -> None:
    tiles = Tiles("/kacheln/{z}/{x}/{y}.png", "Karte: Amt")
    assert parts(build(tiles=tiles)) == parts(build(tiles=tiles))
    same = build(tiles=tiles)
    assert parts(same) == parts(same)


def test_hostile_texts_stay_data() -> None:
    rendered = parts(build(HOSTILE, Tiles("/kacheln/{z}/{x}/{y}.png", HOSTILE)))
    assert "<img" not in every(rendered)
    assert "</script" not in every(rendered).lower()
    assert "\u2028" not in every(rendered)
    found = re.search(r'srkMap\.areas\("map_sozialraumkarte", (.*)\);', rendered.script)
    assert found
    assert json.loads(found[1])["levels"][0]["title"] == HOSTILE
    # Leaflet writes a tile attribution as HTML, so it is escaped once more.
    assert "\\u0026lt;img src=x onerror=alert(1)\\u0026gt;" in rendered.script


def test_no_text_is_run_as_a_template() -> None:
    """What a part renders is compiled once more: a name with braces in it would be executed on the server."""
    text = "{{ 7*191 }}{% set x = 1337 %}{# 1337 #}{{ cycler.__init__.__globals__.os.getcwd() }}"
    rendered = parts(build(text, Tiles("/kacheln/{z}/{x}/{y}.png", text)))
    assert "1337" not in every(rendered).replace("set x = 1337", "").replace("# 1337 #", "")
    found = re.search(r'srkMap\.areas\("map_sozialraumkarte", (.*)\);', rendered.script)
    assert found
    assert json.loads(found[1])["levels"][0]["title"] == text
    assert "getcwd()" in rendered.script
    with pytest.raises(ValueError, match="URL"):
        canvas(HAMBURG, urls=URLS, tiles=Tiles("/{{ 7*191 }}/{z}", ""), attribution="")


def test_a_page_may_hold_two_maps() -> None:
    one = parts(canvas(HAMBURG, urls=URLS, tiles=None, attribution="", name="vorher"))
    assert 'id="map_vorher"' in one.body


def test_parts_refuse_what_a_strict_policy_would_block() -> None:
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="")
    target.get_root().html.add_child(folium.Element('<b onclick="x()">x</b>'))
    with pytest.raises(ValueError, match="inline"):
        parts(target)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: canvas((10.3, 53.4, 9.7, 53.7), urls=URLS, tiles=None, attribution=""),
        lambda: canvas(HAMBURG, urls=URLS, tiles=None, attribution="", name='x"><b>'),
        lambda: canvas(HAMBURG, urls=URLS, tiles=Tiles("OpenStreetMap", "x"), attribution=""),
        lambda: call(build(), "alert(1)//", None),
        lambda: add_facilities(build(), [], url="/o", detail_url="/ohne", urls=URLS),
        lambda: add_area_levels(
            build(), [AreaLayer("a", "A", "/a", shown=True), AreaLayer("b", "B", "/b", shown=True)], urls=URLS
        ),
    ],
)
def test_wrong_use_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_a_map_without_areas_or_places_has_no_switches() -> None:
    rendered = parts(
        public_map(
            HAMBURG, [], [], addresses=Addresses("", "", None, "", ""), urls=URLS, tiles=None, attribution="",
            walking=Walking(80, 1.3, ""),
        )
    )  # fmt: skip
    assert "srkMap.areas" not in rendered.script
    assert "srkMap.facilities" not in rendered.script
    assert "srkMap.filters" not in rendered.script
    assert "srkMap.legend" not in rendered.script


def test_legend_names_categories_without_a_switch() -> None:
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="")
    add_legend(target, ["kita"])
    script = parts(target).script
    assert "Kindertagesbetreuung" in script
    assert "zusammengefasste Einrichtungen" in script


def test_assets_exist_and_have_a_type() -> None:
    for name, path in ASSETS.items():
        assert path.is_file(), f"{name}: npm ci --ignore-scripts in layers/assets"
        assert media_type(name).startswith("text/")


def test_our_scripts_never_parse_html_from_data() -> None:
    for name, path in ASSETS.items():
        if name.startswith("srk-"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"\.innerHTML\s*\+?=|insertAdjacentHTML|outerHTML|document\.write|eval\(|new Function", text
            )
            assert not re.search(r"url\(|@import", text) or name.endswith(".js")
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
            assert len(text.splitlines()) < 300


def test_lock_pins_versions_and_names_no_host() -> None:
    folder = ASSETS["srk-map.js"].parent
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in wanted.items():
        entry = lock["packages"][f"node_modules/{name}"]
        assert entry["version"] == version
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry
