"""The shipped tables as figures, and how a printed number is compared with one that was computed."""

import csv
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from geodata.controlling_values import Basis, Figure, observed
from geodata.periods import parse_period
from importers.examples import FOLDER
from importers.mapping import read_mapping

Key = tuple[str, str, str, str, str]  # area, indicator, position, period, scenario
GROUPS = {
    "ambulant": frozenset({"ambulant"}),
    "ausserhalb_familie": frozenset({"ausserhalb"}),
    "alle_hilfen": frozenset({"ambulant", "ausserhalb"}),
}


@cache
def table(name: str) -> dict[Key, tuple[Figure, str]]:
    """Return the figures of a shipped table, each with its printed form, under area, indicator, position, … ."""
    info = read_mapping(FOLDER / f"{name}.toml").dataset
    made: dict[Key, tuple[Figure, str]] = {}
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter=";"):
            basis = Basis(parse_period(row["period"]), name, info.counting, info.unit, GROUPS.get(row["position"]),
                          info.scope)  # fmt: skip
            key = row["area_key"], row["indicator"], row["position"], row["period"], row["scenario"]
            value = float(row["value"]) if row["value"] else None
            made[key] = observed(value, row["flag"], f"{row['indicator']} {row['period']}", basis), row["value"]
    return made


def figure(name: str, area: str, indicator: str, position: str, period: str, scenario: str = "ist") -> Figure:
    return table(name)[area, indicator, position, period, scenario][0]


def cases(area: str, group: str, year: str) -> Figure:
    """Return the cases of a group in Bremen or one of its Sozialzentren."""
    return figure("bremen-hilfen", area, "cases", group, year)


def printed(name: str, indicator: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield area, position, period and the printed number of every actual figure of an indicator."""
    for (area, code, position, period, scenario), (_figure, text) in table(name).items():
        if code == indicator and scenario == "ist":
            yield area, position, period, text


def as_printed(value: float | None, like: str) -> str:
    """Return the number with as many decimals as the printed one, halves away from zero, as offices round."""
    assert value is not None
    places = -int(Decimal(like).as_tuple().exponent)
    # Floating point leaves 0.5 at 0.49999999999: twelve digits are more than any input has.
    exact = Decimal(repr(round(value, 12)))
    return str(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def half_unit(text: str) -> float:
    """Return half a unit of the last printed place: by so much a printed number may have been rounded."""
    return float(Decimal(5).scaleb(int(Decimal(text).as_tuple().exponent) - 1))


def text_of(name: str, area: str, indicator: str, position: str, period: str) -> str:
    return table(name)[area, indicator, position, period, "ist"][1]
