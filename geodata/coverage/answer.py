"""The question "how are the areas covered": residents, places and ways put together into rows with footnotes."""

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import Answer, Source, footnotes, read_sources
from geodata.areas import area_sources
from geodata.coverage import notes, ways
from geodata.coverage.catchment import Supply, access, per_area
from geodata.coverage.decay import parse_decay
from geodata.coverage.frame import Frame, frame_of
from geodata.coverage.people import Floats, Ints, People, people_of
from geodata.coverage.places import Places, areas_of_spots, read_places, read_spots
from geodata.coverage.reach import reached
from geodata.coverage.request import CoverageRequest, CoverageRow, Mode, require_fitting, without_network
from geodata.coverage.supply import Supplied, supplied
from geodata.errors import ConflictError, ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.geometry import area_geojson
from geodata.rounding import cleaned
from geodata.tables import USE_UNITS

# Straight lines are drawn from every cell to every place: a city's are done in seconds, a country's never.
MOST_LINES = 2_000_000_000
WITHOUT_AREA_NAME = "ohne räumliche Zuordnung"
WITHOUT_PEOPLE = (
    "Es sind keine Einwohnerzahlen geladen; Erreichbarkeit und Einzugsbereiche lassen sich ohne sie nicht berechnen."
)


@dataclass(slots=True)
class _Measured:
    """Columns per area, the last for what lies in none; NaN: missing. Those a measure does not give stay NaN."""

    areas: int
    population: Floats = field(init=False)
    reached: Floats = field(init=False)
    median_m: Floats = field(init=False)
    unconnected: Floats = field(init=False)
    access: Floats = field(init=False)
    mode: Mode | None = None
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("population", "reached", "median_m", "unconnected", "access"):
            setattr(self, name, np.full(self.areas + 1, np.nan))


def coverage(session: Session, request: CoverageRequest) -> Answer[CoverageRow]:
    """Return the coverage of each area, ordered by key, ``ohne`` last (see ``CoverageRow``).

    Sums of residents and places over the rows of a level are the city's. Raises ``ParameterError`` for an unknown
    level, category or value, ages or minutes out of bounds, a period the residents are not known for; and
    ``ConflictError`` where ways are asked for and no residents, or not the network asked for, are loaded.
    """
    require_fitting(request)
    people = people_of(session)
    frame = frame_of(session, request, people)
    _require_period(request, people)
    places = read_places(session, request, frame)
    area = places.area
    if frame.drawn is not None:
        area = areas_of_spots(read_spots(session, places, "line"), frame, len(places.keys))
    supply = supplied(places, area, len(frame.keys), request.ages, people)
    measured = _measured(session, request, people, frame, places)
    numbers = _shown(frame, supply, measured)
    if request.after is not None:
        numbers = [i for i in numbers if i == frame.outside or frame.keys[i] > request.after]
    more = request.limit is not None and len(numbers) > request.limit
    numbers = numbers[: request.limit]
    estimated = people is not None and people.is_estimated(request.ages)
    rows = _rows(session, request, numbers, frame, supply, measured, estimated)
    meta = footnotes(
        session,
        title=notes.title(request, frame.title),
        method=notes.method(request, measured.mode, places.sentence),
        unit=notes.unit(request),
        version=request.version,
        sources=_sources(session, frame, places, people, measured.mode),
        missing=sum(row.flag == "missing" for row in rows),
        warnings=[
            *notes.warnings(request, frame, places, supply, people, estimated=estimated),
            *measured.warnings,
            *(people.notes if people is not None else ()),
        ],
    )
    meta.next = rows[-1].area_key if more else None
    return Answer(meta, rows)


def _require_period(request: CoverageRequest, people: People | None) -> None:
    there = None if people is None else people.period
    if request.period is not None and request.period != there:
        offered = f"Möglich ist nur „{there}“." if there else "Möglich ist nur, keinen Zeitraum anzugeben."
        raise ParameterError(
            "period", f"Einwohner auf der Karte gibt es für „{request.period[:60]}“ nicht. {offered}",
            [there] if there else [],
        )  # fmt: skip


def _measured(
    session: Session, request: CoverageRequest, people: People | None, frame: Frame, places: Places
) -> _Measured:
    made = _Measured(len(frame.keys))
    if people is None:
        if request.measure != "supply":
            raise ConflictError(WITHOUT_PEOPLE)
        return made
    residents = people.of(request.ages)
    if residents is None:
        return made
    made.population = _per_area(residents, frame.cells, made.areas)
    if request.measure == "supply":
        return made
    found = ways.ways_of(session, request, people, places)
    made.mode = found.mode
    if found.mode == "line" and request.mode is None:
        made.warnings.append(without_network(request.pace))
    if request.measure == "reach":
        metres = found.travel.nearest()
        limit_m = request.minutes * request.pace.metres_per_minute(found.mode)
        there = reached(metres, residents, frame.cells, made.areas, limit_m)
        made.reached, made.median_m, made.unconnected = there.reached, there.median_m, there.unconnected
        made.warnings += ways.warnings(session, found, residents, metres, frame, places)
    else:
        _compete(made, request, people, residents, frame, places, found)
    return made


def _compete(
    made: _Measured, request: CoverageRequest, people: People, residents: Floats, frame: Frame, places: Places,
    found: ways.Ways,
) -> None:  # fmt: skip
    """Fill in the access index; offers for the whole city are for no neighbourhood and take no part."""
    if found.mode == "line" and len(residents) * len(found.spots.number) > MOST_LINES:
        raise ParameterError(
            "mode",
            "Für Einzugsbereiche in Luftlinie sind es zu viele Wohnpunkte und Einrichtungen; bitte ein Wegenetz laden "
            "oder mit type weniger Einrichtungen fragen.",
        )
    spot_of = np.full(len(places.keys), -1, dtype=np.int64)
    spot_of[found.spots.number] = np.arange(len(found.spots.number))
    classes = [people.of(span) for span in places.spans]
    demand = np.zeros((len(residents), len(classes)))
    for number, own in enumerate(classes):
        if own is not None:
            demand[:, number] = own
    spot = spot_of[places.place]
    # An offer whose competitors are not known (ages the surface does not tell apart) takes no part: its demand is 0.
    taking = np.isfinite(places.supply) & ~places.citywide & (spot >= 0)
    supply = Supply(spot[taking], places.span[taking], places.supply[taking])
    decay = parse_decay(request.decay, request.minutes)
    pace = request.pace.metres_per_minute(found.mode)
    got = access(found.travel.blocks(decay.limit * pace), pace, decay, supply, demand)
    if taking.any() or not len(places.keys):
        made.access = per_area(got.index, residents, frame.cells, made.areas)
    if got.unused:
        made.warnings.append(notes.unused(got.unused, got.unused_supply, request.supply_unit))
    made.warnings += ways.without_point(found, places)


def _per_area(residents: Floats, owner: Ints, areas: int) -> Floats:
    """Return the residents per area, the last number for those in none."""
    number = np.where(owner < 0, areas, owner)
    sums = np.asarray(np.bincount(number, weights=residents, minlength=areas + 1), dtype=np.float64)
    return cleaned(sums)


def _shown(frame: Frame, supply: Supplied, measured: _Measured) -> list[int]:
    """Return the numbers of the areas whose rows are asked for, in order; that for none only where there is a sum."""
    shown: list[int] = np.flatnonzero(frame.wanted).tolist()
    outside = frame.outside
    there = supply.facilities[outside] or supply.supply[outside] > 0 or measured.population[outside] > 0
    return [*shown, outside] if frame.whole() and there else shown


def _rows(
    session: Session, request: CoverageRequest, numbers: list[int], frame: Frame, supply: Supplied,
    measured: _Measured, estimated: bool,
) -> list[CoverageRow]:  # fmt: skip
    keys, names = [*frame.keys, WITHOUT_AREA], [*frame.names, WITHOUT_AREA_NAME]
    unknown = [*frame.unknown.tolist(), False]
    shapes = _geometries(session, request, frame, [keys[i] for i in numbers])
    supplies, uses = _given(supply.supply), _given(supply.use)
    population, reached_, access_ = _given(measured.population), _given(measured.reached), _given(measured.access)
    nearest, unconnected = _given(measured.median_m), _given(measured.unconnected)
    rows = []
    for i in numbers:
        people = None if unknown[i] else population[i]
        there = None if people is None else reached_[i]
        stated = supplies[i]
        per_1000 = None if not people or stated is None else 1000 * stated / people
        share = there / people if people and there is not None else None
        index = access_[i] if people else None
        own = {"supply": per_1000, "reach": share, "catchment": index}[request.measure]
        rows.append(CoverageRow(
            area_level=frame.level,
            area_key=keys[i],
            area_name=names[i],
            population=people,
            facilities=int(supply.facilities[i]),
            facilities_without_supply=int(supply.without[i]),
            ages_unknown=int(supply.ageless[i]),
            supply=stated,
            supply_unit=request.supply_unit,
            supply_per_1000=per_1000,
            use=uses[i],
            use_unit=USE_UNITS[0],
            reached=there,
            not_reached=None if there is None or people is None else people - there,
            reach_share=share,
            nearest_m=nearest[i] if people else None,
            unconnected=None if people is None else unconnected[i],
            access_index=index,
            flag="missing" if own is None else "estimated" if estimated else "ok",
            geometry=shapes.get(keys[i]),
        ))  # fmt: skip
    return rows


def _given(values: Floats) -> list[float | None]:
    """Return a column for rows: missing and infinite values as None, whole numbers without the noise of sums."""
    return [value if math.isfinite(value) else None for value in cleaned(values).tolist()]


def _geometries(session: Session, request: CoverageRequest, frame: Frame, keys: list[str]) -> dict[str, str | None]:
    if not request.geometry:
        return {}
    if frame.drawn is not None:
        return dict(zip(frame.keys, area_geojson(shapely.to_wkb(frame.drawn.shapes).tolist()), strict=True))
    found = session.execute(
        text("SELECT key, ST_AsBinary(geom) FROM area_visible WHERE level = :level AND key = ANY (:keys)"),
        {"level": frame.level, "keys": keys},
    ).all()
    return dict(zip((row[0] for row in found), area_geojson([row[1] for row in found]), strict=True))


def _sources(session: Session, frame: Frame, places: Places, people: People | None, mode: str | None) -> list[Source]:
    made = read_sources(session, "facilities", set(places.datasets))
    if people is not None:
        made += read_sources(session, "statistics", {people.dataset} if people.dataset else set())
        if people.basis == "grid":
            made += read_sources(session, "population")
    if mode in {"walk", "bike"}:
        made += read_sources(session, "network")
    return made if frame.drawn is not None else [*made, *area_sources(session, frame.level)]
