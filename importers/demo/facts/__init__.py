"""The facts the demo city stands on: names, official keys, rounded centres and rounded counts of residents."""

# Names and keys: Freie und Hansestadt Hamburg, dl-de/by-2-0. Residents: figures of the Statistikamt Nord of 31.12.2020,
# as published with the open repository ANN-RADAR/ann-radar-prototype.
# bezirke.csv and stadtteile.csv hold facts only, no border geometry.
# lon, lat: a point inside the Stadtteil (CRS84), rounded to 2 decimals, to 3 where 2 would coincide or fall outside.
# residents, residents_u18: on 31.12.2020, rounded to 10. St. Pauli, St. Georg, Steinwerder, Neuland, Gut Moor and
# Moorburg have no figure of their own in the Stadtteil table and take the sum of their statistische Gebiete.
# Waltershof and Altenwerder are 0 there, which may mean suppressed; for the demo they stay 0. Where a Gebiet says 0
# under 18 with residents, the figure may be suppressed too, so sums of them can be low.
# Neuwerk (02121) is in neither table: 30 residents, none under 18, one Gebiet are plausible fillers.
# gebiete: number of statistische Gebiete, at least 1.

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NEUWERK = "02121"
"""Key of the one Stadtteil that is an island far out in the North Sea."""


@dataclass(frozen=True)
class Bezirk:
    """One of the 7 Bezirke: `key` is one digit, "1" to "7"."""

    key: str
    name: str


@dataclass(frozen=True)
class Stadtteil:
    """One of the 104 Stadtteile.

    `key` is the official five-digit key, `lon` and `lat` a point inside (CRS84, degrees), `residents` and
    `residents_u18` (ages 0 to under 18) are persons rounded to 10, `gebiete` the number of statistische Gebiete.
    """

    key: str
    name: str
    bezirk_key: str
    lon: float
    lat: float
    residents: int
    residents_u18: int
    gebiete: int


def _rows(name: str) -> list[dict[str, str]]:
    with files(__package__).joinpath(name).open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@cache
def bezirke() -> tuple[Bezirk, ...]:
    """Return the Bezirke in the order of their keys."""
    return tuple(Bezirk(row["key"], row["name"]) for row in _rows("bezirke.csv"))


@cache
def stadtteile() -> tuple[Stadtteil, ...]:
    """Return the Stadtteile in the order of their keys."""
    return tuple(
        Stadtteil(
            key=row["key"],
            name=row["name"],
            bezirk_key=row["bezirk_key"],
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            residents=int(row["residents"]),
            residents_u18=int(row["residents_u18"]),
            gebiete=int(row["gebiete"]),
        )
        for row in _rows("stadtteile.csv")
    )
