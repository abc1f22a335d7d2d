"""A chart taken along: it says what it is, in which version, from which sources, and that data are invented."""

import re
from xml.etree import ElementTree as ET

import pytest
from number_maps import HOSTILE

from layers.chart_sheet import chart_sheet
from layers.charts import SUPPRESSED, Bar, BarChart, Series, SeriesChart
from layers.sheet import Caption

SVG = "{http://www.w3.org/2000/svg}"
CAPTION = Caption(
    title="Anteil außerhalb", unit="Prozent", version="Veröffentlichungsfassung",
    sources=["Unterbringungen, Amt; Stand: 01.01.2026; Lizenz: dl-de/by-2-0 (placements)", "Quelle: Amt Zwei"],
    subtitle="nach Herkunft, am Stichtag", notice="Beispieldaten – keine amtlichen Angaben",
    notes=["Methode: gezählt."],
)  # fmt: skip
SERIES = SeriesChart("A", "Linie.", "Prozent", ["2019", "2020"], [Series("Nord", [1.0, SUPPRESSED])], width=300)
BARS = BarChart("A", "Balken.", "Zahl", ["Wert"], [Bar("Nord", [1.0]), Bar("Süd", [None])])


@pytest.mark.parametrize("chart", [SERIES, BARS])
def test_a_file_says_everything_about_itself(chart: SeriesChart | BarChart) -> None:
    made = chart_sheet(chart, CAPTION)
    tree = ET.fromstring(made)  # noqa: S314 - what we drew
    texts = [one.text or "" for one in tree.iter(f"{SVG}text")]
    said = " ".join(texts)
    for wanted in ("Anteil außerhalb", "nach Herkunft, am Stichtag · Veröffentlichungsfassung",
                   "Beispieldaten – keine amtlichen Angaben", "Methode: gezählt.", "Quelle: Amt Zwei"):  # fmt: skip
        assert wanted in texts
    assert "Quelle: Unterbringungen, Amt; Stand: 01.01.2026; Lizenz: dl-de/by-2-0 (placements)" in said
    assert "Quelle: Quelle" not in said
    assert "Nord" in said
    assert tree.find(f"{SVG}title") is not None
    assert made == chart_sheet(chart, CAPTION)


@pytest.mark.parametrize("chart", [SERIES, BARS])
def test_nothing_lies_over_the_chart(chart: SeriesChart | BarChart) -> None:
    tree = ET.fromstring(chart_sheet(chart, CAPTION))  # noqa: S314 - what we drew
    (inner,) = tree.findall(f"{SVG}svg")
    top, height = float(inner.attrib["y"]), float(inner.attrib["height"])
    around = {one.text or "": float(one.attrib["y"]) for one in tree.findall(f"{SVG}text")}
    above = [y for said, y in around.items() if said.startswith(("Anteil", "nach", "Beispiel"))]
    assert len(above) == 3
    assert max(above) < top
    assert min(y for y in around.values() if y not in above) > top + height
    assert max(around.values()) < float(tree.attrib["height"])
    assert float(inner.attrib["x"]) + float(inner.attrib["width"]) < float(tree.attrib["width"])


def test_texts_of_files_are_texts() -> None:
    caption = Caption(HOSTILE, HOSTILE, HOSTILE, [HOSTILE], HOSTILE, HOSTILE, [HOSTILE])
    made = chart_sheet(SERIES, caption).decode()
    ET.fromstring(made)  # noqa: S314 - what we drew
    assert not re.search(r"<script|<img|\sstyle=|\son\w+=[\"']", made.replace("&lt;", ""))
