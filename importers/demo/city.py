"""The whole demo city in memory: areas with residents and indicators, a census grid, ways, facilities, addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely import MultiPolygon

from importers.demo import addresses, borders, facilities, facts, helps, indicators, network, placements, population
from importers.demo.sozialraeume import sozialraeume

LEVELS = ("land", "bezirk", "stadtteil", "statgebiet", "sozialraum")
"""The levels in the order in which they are to be loaded: parents before children."""

LAND_KEY = "02"
"""Official key of the Land Hamburg."""


@dataclass(frozen=True)
class DemoArea:
    """One area.

    `key` is unique within its level, `parent_key` the key of the area above it (None for the Land),
    `geometry` is in EPSG:25832 (metres), `residents` are persons by column of `population.COLUMNS`.
    """

    key: str
    name: str
    parent_key: str | None
    geometry: MultiPolygon
    residents: Mapping[str, int]


@dataclass(frozen=True)
class DemoCity:
    """The city: `areas` by level in the order of `LEVELS`, `facilities` by category as canonical rows of text.

    `grid`: the census grid as rows of text under `population.GRID_COLUMNS`; `figures`: social indicators as rows of
    `indicators.figures`; `ways`: the edges of the network as rows of text under `network.COLUMNS`; `youth`: the
    Jugendeinwohner, and `helps`: tables of helps by name, as rows of text under `helps.COLUMNS`; `placements`: rows of
    text under `placements.COLUMNS`; `addresses`: rows of text under `addresses.COLUMNS`.
    """

    areas: Mapping[str, Sequence[DemoArea]]
    facilities: Mapping[str, Sequence[Mapping[str, str]]]
    grid: Sequence[tuple[str, ...]]
    figures: Sequence[tuple[str, ...]]
    ways: Sequence[tuple[str, ...]]
    youth: Sequence[tuple[str, ...]]
    helps: Mapping[str, Sequence[tuple[str, ...]]]
    placements: Sequence[tuple[str, ...]]
    addresses: Sequence[tuple[str, ...]]


def build() -> DemoCity:
    """Build the city. The result is the same every time."""
    cells = borders.statgebiete(facts.stadtteile())
    people = population.residents(facts.stadtteile())
    gebiete = [DemoArea(key, f"Beispielgebiet {key}", key[:5], cells[key], people[key]) for key in cells]
    stadtteile = [
        _whole(place.key, place.name, place.bezirk_key, [part for part in gebiete if part.parent_key == place.key])
        for place in facts.stadtteile()
    ]
    bezirke = [
        _whole(place.key, place.name, LAND_KEY, [part for part in stadtteile if part.parent_key == place.key])
        for place in facts.bezirke()
    ]
    members = sozialraeume(cells, {key: row[population.TOTAL] for key, row in people.items()})
    areas: dict[str, Sequence[DemoArea]] = {
        "land": (_whole(LAND_KEY, "Hamburg", None, bezirke),),
        "bezirk": tuple(bezirke),
        "stadtteil": tuple(stadtteile),
        "statgebiet": tuple(gebiete),
        "sozialraum": tuple(_sozialraeume(gebiete, members)),
    }
    young = {key: population.under_18(row) for key, row in people.items()}
    grid = population.grid(cells, people)
    totals = {key: row[population.TOTAL] for key, row in people.items()}
    places = facilities.facilities(facts.stadtteile(), cells, young)
    above = _above(areas)
    figures = tuple(indicators.figures(cells, people, above))
    above |= {"sozialraum": {gebiet: key for key, group in members.items() for gebiet in group}}
    youth, needs = helps.youth(people), helps.need(figures, people)
    drawn = placements.young_people(
        {key: helps.young(row) * needs[key] for key, row in people.items()},
        above,
        placements.homes(places["hze"], cells),
    )
    return DemoCity(
        areas=areas,
        facilities=places,
        grid=grid,
        figures=figures,
        ways=network.ways(cells, totals, grid),
        youth=tuple(helps.youth_rows(youth, above)),
        helps=helps.helps(youth, needs, above),
        placements=tuple(placements.placements(drawn, above)),
        addresses=tuple(addresses.addresses((area.key, area.geometry) for area in stadtteile)),
    )


def _above(areas: Mapping[str, Sequence[DemoArea]]) -> dict[str, dict[str, str]]:
    """Return for Land, Bezirk and Stadtteil in which of their areas each Gebiet lies."""
    parent = {area.key: str(area.parent_key) for area in areas["stadtteil"]}
    stadtteil = {area.key: str(area.parent_key) for area in areas["statgebiet"]}
    bezirk = {key: parent[own] for key, own in stadtteil.items()}
    return {"land": dict.fromkeys(stadtteil, LAND_KEY), "bezirk": bezirk, "stadtteil": stadtteil}


def _sozialraeume(gebiete: Sequence[DemoArea], groups: Mapping[str, Sequence[str]]) -> list[DemoArea]:
    by_key = {area.key: area for area in gebiete}
    bezirk_names = {place.key: place.name for place in facts.bezirke()}
    return [
        _whole(key, f"Beispiel-Sozialraum {bezirk_names[key[1]]} {int(key[2:])}", key[1], [by_key[m] for m in members])
        for key, members in groups.items()
    ]


def _whole(key: str, name: str, parent_key: str | None, parts: Sequence[DemoArea]) -> DemoArea:
    geometry = borders.merge([part.geometry for part in parts])
    return DemoArea(key, name, parent_key, geometry, population.added(part.residents for part in parts))
