"""A town of single cells in a row, loaded by the importers, with numbers one can reckon with on paper.

Young people are 10 to 17 years old. One point of the surface lies in the middle of each 100 m: Stadtteil A has one,
B has ten, every other one. Distances are straight lines times 1.3, 80 metres a minute.
"""

from pathlib import Path

from importer_help import load_facilities, offer, write_csv, write_toml
from people_help import box, load_areas, load_statistics, residents_rows
from sqlalchemy import Engine

from importers.kinds.catalogue import CatalogueImport, import_catalogue

# West end and width in metres, young people (None: no figures at all), and name.
STADTTEILE: dict[str, tuple[int, int, int | None]] = {
    "A": (0, 100, 100),
    "B": (500, 1000, 200),
    "C": (3000, 100, 50),
    "D": (6000, 100, 400),
    "E": (9000, 100, None),
    "F": (10000, 100, 0),
    "G": (20000, 100, 100),
}
# What indicators say; the rest is missing.
SGB2 = {"A": 10.0, "B": 20.0, "C": 30.0, "D": 40.0, "E": 25.0, "F": 5.0, "G": 10.0}
SPACE = {"A": 40.0, "B": 30.0, "C": 20.0, "D": 10.0, "F": 35.0, "G": 25.0}
ESTIMATED = ("wohnflaeche", "A")
GARDENS = {"A": 5.0, "B": 7.0, "D": 2.0, "F": 1.0, "G": 3.0}

CATALOGUE = """
[dataset]
title = "Katalog der Probe"

[[indicator]]
code = "sgb2"
title = "SGB-II-Quote"
unit = "%"
kind = "rate"

[[indicator]]
code = "wohnflaeche"
title = "Wohnfläche je Kopf"
unit = "m²"
kind = "rate"

[[indicator]]
code = "gaerten"
title = "Kleingärten"
unit = "gaerten"
kind = "count"

[[standard]]
code = "plaetze"
title = "Plätze je 1.000"
category = "okja"
measure = "supply"
value = 50
unit = "places"
age_from = 10
age_to = 18
source = "Jugendhilfeplan"
resolution = "Drucksache 1-23"
resolved_on = 2024-03-14

[[standard]]
code = "wege"
title = "Kurze Wege"
category = "okja"
measure = "reach"
value = 0.8
unit = "share"
age_from = 10
age_to = 18
minutes = 10
mode = "line"
source = "Jugendhilfeplan"
resolution = "Drucksache 1-24"
resolved_on = 2024-03-14

[[standard]]
code = "kapazitaet"
title = "Erreichbare Plätze"
category = "okja"
measure = "catchment"
value = 20
unit = "places"
age_from = 10
age_to = 18
minutes = 10
source = "Jugendhilfeplan"
resolution = "Drucksache 1-25"
resolved_on = 2024-03-14

[[standard]]
code = "alle_alter"
title = "Stunden für alle"
category = "okja"
measure = "supply"
value = 2.5
unit = "hours_per_week"
source = "Jugendhilfeplan"
resolution = "Drucksache 1-26"
resolved_on = 2024-03-14
"""


def build(engine: Engine, folder: Path, catalogue: str = CATALOGUE) -> None:
    """Load areas, residents, indicators, places and the catalogue."""
    load_areas(engine, folder, "bezirk", {"1": box(0, 0, 8000, 1000), "2": box(8000, 0, 22000, 1000)})
    shapes = {key: box(west, 0, width, 100) for key, (west, width, _young) in STADTTEILE.items()}
    load_areas(engine, folder, "stadtteil", shapes, parent_level="bezirk")
    residents = {
        key: {"0-10": 80, "10-18": young, "18-": 300}
        for key, (_west, _width, young) in STADTTEILE.items() if young is not None
    }  # fmt: skip
    load_statistics(engine, folder, residents_rows("stadtteil", residents), dataset="statistics.einwohner")
    figures = [
        {"area_level": "stadtteil", "area_key": key, "indicator": code, "position": "", "period": "2024",
         "value": value, "flag": "estimated" if (code, key) == ESTIMATED else ""}
        for code, values in (("sgb2", SGB2), ("wohnflaeche", SPACE), ("gaerten", GARDENS))
        for key, value in values.items()
    ]  # fmt: skip
    load_statistics(engine, folder, figures, dataset="statistics.merkmale")
    young = {"age_from": 10, "age_to": 18}
    rows = [
        offer("a", 50, 50, supply=2, supply_unit="places", **young),
        offer("c", 3050, 50, supply=10, supply_unit="places", **young),
        offer("d", 6050, 50, **young),
        offer("city", 50, 60, supply=7, supply_unit="places", service_area="citywide", **young),
    ]
    load_facilities(engine, write_csv(folder / "okja.csv", rows))
    import_catalogue(engine, write_toml(folder / "katalog.toml", catalogue), CatalogueImport())
