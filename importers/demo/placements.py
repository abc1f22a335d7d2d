"""Invented placements under § 34: young people who come and go by quarter, counted by responsible office and origin.

Nobody of them is written down: the rows are counts. Stadtteile and Sozialräume count the same young people, so do the
quarters: many are in several. About half are with providers outside Hamburg, of those who came last somewhat fewer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import MultiPolygon, STRtree
from shapely import points as shapely_points

from geodata.figure_tables import ABROAD, UNKNOWN_STATE, WITHOUT_AREA
from importers.demo.dice import Dice
from importers.demo.places import STATE as HOME

COLUMNS = (
    "area_level", "area_key", "area_role", "period", "paragraph", "counting", "provider_state", "provider_area_level",
    "provider_area_key", "cases",
)  # fmt: skip
"""Columns of the table (canonical placements)."""

PARAGRAPH = "34"
PERIODS = ("2023-Q4", "2024-Q4", "2025-Q3", "2025-Q4")
"""Quarters with the cases on their last day."""

BEGUN_PERIODS = ("2025-Q3", "2025-Q4")
"""Quarters with the cases begun in them, too."""

ORIGIN_LEVELS = ("stadtteil", "sozialraum")
"""Levels of origin."""

TELLING = ("1", "3", "5")
"""Bezirke of whose young people, by office and by origin, it is told in which area of Hamburg they are placed."""

WITHOUT_STATE = ("S103", "S506")
"""Sozialräume of origin whose offices often do not note the provider's Bundesland."""

_TOPIC = 10
_FIRST_YEAR, _QUARTERS = 2014, 48
_BEGUN, _BEGUN_OFF = 256, 0.08
_MEAN_QUARTERS = 8.6
_WITHOUT_ORIGIN, _OTHER_OFFICE, _STATE_NOT_NOTED = 0.02, 0.04, 0.22
_OUTSIDE = {"1": 0.53, "2": 0.46, "3": 0.48, "4": 0.52, "5": 0.55, "6": 0.60, "7": 0.50}
# Since then a smaller part goes outside, most of all in the first Bezirk.
_TURN_YEAR, _TURN, _TURN_FIRST = 2023, 0.03, 0.07
_AWAY = {
    "Schleswig-Holstein": 470, "Niedersachsen": 300, "Mecklenburg-Vorpommern": 95, "Brandenburg": 28,
    "Nordrhein-Westfalen": 24, "Sachsen-Anhalt": 20, "Hessen": 14, "Bremen": 12, ABROAD: 11, "Berlin": 8,
    "Thüringen": 6, "Bayern": 5, "Sachsen": 4, "Rheinland-Pfalz": 2, "Baden-Württemberg": 1,
}  # fmt: skip
# A home in the own Sozialraum, or at least in the own Bezirk, is chosen so many times more often.
_OWN_RAUM, _OWN_BEZIRK = 18.0, 4.0
_USUAL_PLACES = 8

Row = tuple[str, ...]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Home:
    """A place in Hamburg with offers under § 34: the statistisches Gebiet it stands in, and how many it takes in."""

    gebiet: str
    places: int


@dataclass(frozen=True)
class Young:
    """Who was placed: quarters of begin and end (counted from the first; end excluded), and where.

    Arrays of equal length but for the lists: `origin`: Gebiet or `ohne`; `office`: the responsible Bezirk; `state` of
    the provider; `placed`: the Gebiet of the home, "" where it is not told.
    """

    begin: Ints
    end: Ints
    origin: Sequence[str]
    office: Sequence[str]
    state: Sequence[str]
    placed: Sequence[str]


def homes(rows: Sequence[Mapping[str, str]], gebiete: Mapping[str, MultiPolygon]) -> list[Home]:
    """Return the homes among the facilities (canonical rows) that stand in a Gebiet (EPSG:25832) and have not ended.

    An offer that tells no places counts as one of usual size.
    """
    wanted = [row for row in rows if PARAGRAPH in row["paragraphs"].split(";") and not row["valid_to"] and row["lon"]]
    to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:25832", always_xy=True)
    x, y = to_metres.transform([float(row["lon"]) for row in wanted], [float(row["lat"]) for row in wanted])
    keys = list(gebiete)
    places: Counter[str] = Counter()
    for number, cell in STRtree(list(gebiete.values())).query(shapely_points(x, y), predicate="within").T.tolist():
        places[keys[cell]] += int(wanted[number]["supply"] or _USUAL_PLACES)
    return [Home(key, count) for key, count in sorted(places.items())]


def young_people(
    weights: Mapping[str, float], above: Mapping[str, Mapping[str, str]], there: Sequence[Home]
) -> Young:  # fmt: skip
    """Draw who was placed since 2014.

    `weights`: of each Gebiet as an origin; `above`: for each level the area in which each Gebiet lies; `there`: the
    homes that those whose area is told are placed in, as far as they have room.
    """
    begin = np.repeat(np.arange(_QUARTERS), [_begun(quarter) for quarter in range(_QUARTERS)])
    draws = Dice(_TOPIC, 0).many(len(begin), 7)
    end = begin + np.floor(-_MEAN_QUARTERS * np.log1p(-draws[:, 0])).astype(np.int64)
    gebiete = list(weights)
    origins = [gebiete[number] for number in _picked(draws[:, 1], np.array(list(weights.values())))]
    bezirke = sorted(set(above["bezirk"].values()))
    offices = [
        bezirke[int(other * len(bezirke))] if moved < _OTHER_OFFICE else above["bezirk"][origin]
        for origin, moved, other in zip(origins, draws[:, 2].tolist(), (draws[:, 2] / _OTHER_OFFICE).tolist(),
                                        strict=True)
    ]  # fmt: skip
    away = [list(_AWAY)[number] for number in _picked(draws[:, 3], np.array(list(_AWAY.values()), dtype=np.float64))]
    noted = [
        unnoted >= _STATE_NOT_NOTED or above["sozialraum"][origin] not in WITHOUT_STATE or moved < _OTHER_OFFICE
        for origin, unnoted, moved in zip(origins, draws[:, 5].tolist(), draws[:, 2].tolist(), strict=True)
    ]
    states = [
        UNKNOWN_STATE if not known else far if out < _outside(office, quarter) else HOME
        for office, quarter, out, known, far in zip(
            offices, begin.tolist(), draws[:, 4].tolist(), noted, away, strict=True
        )
    ]
    known = (draws[:, 6] >= _WITHOUT_ORIGIN).tolist()
    told = [
        state == HOME and (office in TELLING or (here and above["bezirk"][origin] in TELLING))
        for state, office, here, origin in zip(states, offices, known, origins, strict=True)
    ]
    placed = _placed(begin, end, origins, told, above, there)
    origins = [origin if here else WITHOUT_AREA for origin, here in zip(origins, known, strict=True)]
    return Young(begin, end, origins, offices, states, placed)


def placements(young: Young, above: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    """Yield the counts as rows of text under `COLUMNS`; combinations without cases are absent."""
    for period in PERIODS:
        quarter = _number(period)
        there = np.flatnonzero((young.begin <= quarter) & (young.end > quarter))
        yield from _counted(young, there.tolist(), above, period, "stichtag")
    for period in BEGUN_PERIODS:
        begun = np.flatnonzero(young.begin == _number(period))
        yield from _counted(young, begun.tolist(), above, period, "begonnen")


def _number(period: str) -> int:
    return (int(period[:4]) - _FIRST_YEAR) * 4 + int(period[-1]) - 1


def _begun(quarter: int) -> int:
    return round(_BEGUN * Dice(_TOPIC, 1, quarter).between(1 - _BEGUN_OFF, 1 + _BEGUN_OFF))


def _outside(office: str, quarter: int) -> float:
    """Return the chance of a provider outside Hamburg for those who begin in a quarter."""
    years = max(0.0, _FIRST_YEAR + quarter / 4 - _TURN_YEAR)
    return _OUTSIDE[office] - years * (_TURN_FIRST if office == "1" else _TURN)


def _picked(draws: NDArray[np.float64], weights: NDArray[np.float64]) -> list[int]:
    """Return for each draw (0 to below 1) the number of an item, by weight."""
    upto = np.cumsum(weights)
    found: list[int] = np.searchsorted(upto, draws * upto[-1], side="right").tolist()
    return found


def _placed(
    begin: Ints, end: Ints, origins: Sequence[str], told: Sequence[bool], above: Mapping[str, Mapping[str, str]],
    there: Sequence[Home],
) -> list[str]:  # fmt: skip
    """Return the Gebiet of each one's home, "" where it is not told; near homes with room come first."""
    places = np.array([home.places for home in there], dtype=np.float64)
    raum, bezirk = (np.array([above[level][home.gebiet] for home in there]) for level in ("sozialraum", "bezirk"))
    ends: list[list[int]] = [[] for _ in there]
    dice = Dice(_TOPIC, 2)
    made = []
    for number, (quarter, origin) in enumerate(zip(begin.tolist(), origins, strict=True)):
        if not told[number]:
            made.append("")
            continue
        taken = np.array([sum(one > quarter for one in home) for home in ends])
        room = np.maximum(places - taken, 0)
        near = np.where(bezirk == above["bezirk"][origin], _OWN_BEZIRK, 1.0)
        near = np.where(raum == above["sozialraum"][origin], _OWN_RAUM, near)
        chosen = _picked(dice.many(1), (room if room.any() else places) * near)[0]
        ends[chosen].append(int(end[number]))
        made.append(there[chosen].gebiet)
    return made


def _counted(
    young: Young, numbers: Sequence[int], above: Mapping[str, Mapping[str, str]], period: str, counting: str
) -> Iterator[Row]:
    cases: Counter[tuple[str, str, str, str, str, str]] = Counter()
    for number in numbers:
        state, origin, placed = young.state[number], young.origin[number], young.placed[number]
        for level in ("bezirk", *ORIGIN_LEVELS):
            where = (level, above[level][placed]) if placed else ("", "")
            if level == "bezirk":
                cases[level, young.office[number], "zustaendig", state, *where] += 1
            else:
                key = origin if origin == WITHOUT_AREA else above[level][origin]
                cases[level, key, "herkunft", state, *where] += 1
    for (level, key, role, state, placed_level, placed_key), count in sorted(cases.items()):
        yield level, key, role, period, PARAGRAPH, counting, state, placed_level, placed_key, str(count)
