"""A town for homes: the areas of ``placement_town``, young people on a few points, and homes at known distances."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hand_rows import DAY, TODAY, Rows, point, rows_in
from placement_town import build, derive, place
from sqlalchemy import Engine

from geodata.answer import Answer
from geodata.database import Access, reading
from geodata.home_gaps import HomeGapRow, HomeGapsRequest, home_gaps
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
STRANGER = Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),))
PROVIDER = Viewer(Role.PROVIDER, provider_key="t2")

# (x, y) from the town's corner, young people, Stadtteil; in 34 only adults live, in 33 nobody.
CELLS: tuple[tuple[float, float, float, str], ...] = (
    (100, 1000, 30, "11"), (500, 1000, 10, "11"), (1500, 1000, 20, "12"), (2500, 500, 5, "13"), (2500, 1500, 5, "13"),
    (3500, 1000, 7, "14"), (4500, 1000, 3, "21"), (5500, 1000, 3, "22"), (6500, 1000, 3, "23"), (7500, 1000, 4, "24"),
    (8500, 1000, 4, "31"), (9500, 1000, 2, "32"),
)  # fmt: skip
ADULTS = ((100, 900, "11"), (11_900, 1900, "34"))


@dataclass(frozen=True)
class Home:
    """A home: ``at`` None: no point known. ``places`` None: not stated."""

    id: str
    at: tuple[float, float] | None
    places: float | None
    release: str = "public"
    citywide: bool = False


HOMES = (
    # 5 km to the metre from the centre of 11, which is at (200, 1000); 3-4-5.
    Home("border", (3200, 5000), 10),
    Home("unstated", (1500, 1100), None),
    Home("empty", (4600, 1000), 0),
    Home("east", (6500, 1900), 8),
    Home("city", (8600, 1000), 6, citywide=True),
    Home("beyond", (-3000, 1000), 4),
    Home("nowhere", None, 3),
    Home("by-area", (2500, 1000), 12, "area_only"),
    Home("empty-by-area", (9300, 700), 0, "area_only"),
    Home("internal", (3500, 1200), 9, "internal"),
    Home("internal-far", (10_500, 300), 7, "internal"),
    Home("protected", (300, 1000), 5, "protected"),
    Home("outside", (-500, 1500), 20, "internal"),
)
HIDDEN = ("internal", "internal-far", "protected", "outside")

ORIGIN: Mapping[tuple[str, str, str], Mapping[str, int]] = {
    ("stadtteil", "11", "herkunft"): {"Hamburg": 8, "Bayern": 4},
    ("stadtteil", "12", "herkunft"): {"Hamburg": 20, "Bayern": 10},
    ("stadtteil", "13", "herkunft"): {"Hamburg": 14, "Bayern": 6},
    ("stadtteil", "14", "herkunft"): {"Hamburg": 12, "Bayern": 8},
    ("stadtteil", "21", "herkunft"): {"Hamburg": 1},
    ("stadtteil", "22", "herkunft"): {"Hamburg": 2},
    ("stadtteil", "23", "herkunft"): {"Hamburg": 30, "Bayern": 12},
    ("stadtteil", "24", "herkunft"): {"Hamburg": 18, "Bayern": 12},
    ("stadtteil", "31", "herkunft"): {"Hamburg": 11, "Bayern": 9},
    ("stadtteil", "32", "herkunft"): {"Hamburg": 9, "Bayern": 3},
    ("stadtteil", "33", "herkunft"): {"Hamburg": 0},
}
BY_OFFICE: Mapping[tuple[str, str, str], Mapping[str, int]] = {
    ("bezirk", "1", "zustaendig"): {"Hamburg": 60, "Bayern": 30},
    ("bezirk", "2", "zustaendig"): {"Hamburg": 70, "Bayern": 30},
    ("bezirk", "3", "zustaendig"): {"Hamburg": 40, "Bayern": 20},
}


def build_homes(
    engine: Engine, *, hidden: bool = True, origin: Mapping[tuple[str, str, str], Mapping[str, int]] = ORIGIN
) -> None:
    """Load areas, people, homes (``hidden``: those too that the public may not see) and placements."""
    build(engine)
    with rows_in(engine) as rows:
        _people(rows)
        _homes(rows, [home for home in HOMES if hidden or home.id not in HIDDEN])
        place(rows, {**origin, **BY_OFFICE})
        derive(rows)


def _people(rows: Rows) -> None:
    rows.insert("surface", basis="grid")
    for number, (low, high) in enumerate(((0, 21), (21, None)), start=1):
        rows.insert("surface_band", number=number, age_from=low, age_to=high)
    cells = [(x, y, young, 0.0, key) for x, y, young, key in CELLS] + [(x, y, 0.0, 50.0, key) for x, y, key in ADULTS]
    for cell, (x, y, young, adults, key) in enumerate(cells, start=1):
        rows.insert("surface_cell", cell=cell, geom=point(x, y), people=[float(young), float(adults)], calibrated=True)
        for level, area in (("stadtteil", key), ("bezirk", key[0]), ("land", "02")):
            rows.insert("surface_area", cell=cell, level=level, area_key=area)


def _homes(rows: Rows, homes: list[Home]) -> None:
    version = rows.version("facilities.heime", "facilities")
    for key in ("t1", "t2"):
        rows.insert("provider", key=key, name=f"Träger {key}")
    for home in homes:
        stated = {} if home.places is None else {"supply": home.places, "supply_unit": "places"}
        rows.house(version, home.id, home.at, home.release, category="hze", paragraphs=["34", "41"],
                   service_area="citywide" if home.citywide else "local", **stated)  # fmt: skip
    rows.house(version, "ended", (200, 1000), category="hze", paragraphs=["34"], valid_to=TODAY - DAY)
    rows.house(version, "other", (200, 1000), category="hze", paragraphs=["341", "30"])
    rows.link()


def asked(database: "Database", viewer: Viewer = PUBLIC, level: str = "stadtteil", **given: Any) -> Answer[HomeGapRow]:
    request = HomeGapsRequest(level, TODAY, **given)
    if viewer.may_read_internal():
        request = replace(request, version=Version.INTERNAL)
    with reading(database.serving, Access(viewer)) as session:
        return home_gaps(session, request)


def by_key(answer: Answer[HomeGapRow]) -> dict[str, HomeGapRow]:
    return {row.area_key: row for row in answer.rows}
