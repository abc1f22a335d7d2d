"""What is asked about coverage, and the row that answers it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, get_args

import shapely

from geodata import words
from geodata.ages import Ages
from geodata.errors import ParameterError
from geodata.tables import SUPPLY_UNITS
from geodata.viewer import Version

Measure: TypeAlias = Literal["supply", "reach", "catchment"]
Mode: TypeAlias = Literal["walk", "bike", "line"]

MEASURES: tuple[Measure, ...] = get_args(Measure)
MODES: tuple[Mode, ...] = get_args(Mode)
OLDEST_ASKED = 120
MOST_MINUTES = 120
# The level of what a user has drawn.
DRAWN = "auswahl"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast people go, in km per hour, and how much longer a way is than the straight line."""

    walk_km_per_h: float = 4.8
    bike_km_per_h: float = 15.0
    detour_factor: float = 1.3

    def metres_per_minute(self, mode: Mode) -> float:
        """Return the metres gone in a minute; in the straight line (``line``) people walk."""
        km_per_h = self.bike_km_per_h if mode == "bike" else self.walk_km_per_h
        return km_per_h * 1000 / 60


@dataclass(frozen=True, slots=True)
class Drawn:
    """An area a user has drawn: its key, its name, and a valid polygon in EPSG:25832."""

    key: str
    name: str
    shape: "shapely.Polygon | shapely.MultiPolygon"


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """Coverage of the areas of ``level`` (or of the ``drawn`` ones) with places of some categories.

    ``on``: the day on which offers must be valid. Ages are ``age_from`` inclusive to ``age_to`` exclusive (None:
    open). ``minutes`` (inclusive), ``mode`` and ``decay`` matter to reach and catchment; ``mode`` None: walking where
    a network is loaded, else the straight line. ``supply_unit``: ``places`` or ``hours_per_week``. ``area`` is
    (level, key): only that area or those inside it. ``period`` of the residents: the one there is. ``limit`` None:
    all rows; ``after`` is the last key of the page before.
    """

    level: str
    on: date
    categories: tuple[str, ...]
    measure: Measure = "supply"
    age_from: int = 0
    age_to: int | None = None
    minutes: int = 15
    mode: Mode | None = None
    decay: str | None = None
    supply_unit: str = "places"
    types: tuple[str, ...] = ()
    barrier_free: tuple[str, ...] = ()
    area: tuple[str, str] | None = None
    period: str | None = None
    drawn: tuple[Drawn, ...] = ()
    pace: Pace = Pace()
    geometry: bool = False
    limit: int | None = None
    after: str | None = None
    version: Version = Version.PUBLISHED

    @property
    def ages(self) -> Ages:
        """The ages asked for."""
        return Ages(self.age_from, self.age_to)


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Coverage of one area; ``area_key`` ``ohne``: what lies in no area of the level, or works for the whole city.

    ``population``: residents of the ages asked for, from the population surface; None: not known. ``facilities``:
    places with at least one matching offer; ``facilities_without_supply`` of them state no figure in ``supply_unit``;
    ``ages_unknown``: matching offers without ages. ``supply``: prorated to the ages asked for, 0 where there is no
    place, None where there are places but none states a figure; ``supply_per_1000`` residents. ``use``: what the
    places state (never a capacity). ``reached`` and ``not_reached`` residents, ``reach_share`` (0 to 1), ``nearest_m``
    (median way to the nearest place in metres), ``unconnected``: residents without any way to one. ``access_index``:
    supply per 1,000 competing residents. ``flag``: ``ok``, ``missing`` (the measure's own value is), ``estimated``.
    """

    area_level: str
    area_key: str
    area_name: str
    population: float | None
    facilities: int
    facilities_without_supply: int
    ages_unknown: int
    supply: float | None
    supply_unit: str
    supply_per_1000: float | None
    use: float | None
    use_unit: str
    reached: float | None
    not_reached: float | None
    reach_share: float | None
    nearest_m: float | None
    unconnected: float | None
    access_index: float | None
    flag: str
    geometry: str | None


def require_ages(age_from: int, age_to: int | None) -> None:
    """Raise ``ParameterError`` for ages out of bounds or reversed."""
    for name, value in (("age_from", age_from), ("age_to", age_to)):
        if value is not None and not 0 <= value <= OLDEST_ASKED:
            raise ParameterError(name, f"„{name}“ muss eine ganze Zahl von 0 bis {OLDEST_ASKED} sein.")
    if age_to is not None and age_to <= age_from:
        raise ParameterError(
            "age_to", f"Das Alter „{age_from} bis unter {age_to}“ ist leer: age_to muss über age_from liegen."
        )


def require_minutes(minutes: int) -> None:
    """Raise ``ParameterError`` for minutes out of bounds."""
    if not 1 <= minutes <= MOST_MINUTES:
        raise ParameterError("minutes", f"„minutes“ muss eine ganze Zahl von 1 bis {MOST_MINUTES} sein.")


def require_fitting(request: CoverageRequest) -> None:
    """Raise ``ParameterError`` for what needs no look at the data."""
    require_ages(request.age_from, request.age_to)
    require_minutes(request.minutes)
    for name, value, allowed in (
        ("measure", request.measure, MEASURES),
        ("mode", request.mode or "walk", MODES),
        ("supply_unit", request.supply_unit, SUPPLY_UNITS),
    ):
        if value not in allowed:
            raise ParameterError(
                name, f"„{name}“ kennt den Wert „{value[:60]}“ nicht. Möglich sind: {', '.join(allowed)}.", allowed
            )
    if not request.categories:
        raise ParameterError("category", "Bitte mit category eine Kategorie angeben, etwa category=okja.")


def without_network(pace: Pace) -> str:
    """Return what is said where ways are straight lines because no network is loaded."""
    factor = words.plain(pace.detour_factor)
    return f"Es ist kein Wegenetz geladen; Entfernungen sind Luftlinien mal {factor}."
