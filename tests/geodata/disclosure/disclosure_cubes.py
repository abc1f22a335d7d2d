"""Quarters of the published shape, drawn at random."""

import numpy as np

from geodata.disclosure.cube import Crossing, Level, Sheet, Sums, origin_sheet, responsible_sheet

STATES = (
    "Hamburg", "Schleswig-Holstein", "Niedersachsen", "Mecklenburg-Vorpommern", "Baden-Württemberg", "Bayern", "Berlin",
    "Brandenburg", "Bremen", "Hessen", "Nordrhein-Westfalen", "Rheinland-Pfalz", "Saarland", "Sachsen",
    "Sachsen-Anhalt", "Thüringen", "Ausland", "ohne Angabe",
)  # fmt: skip
OFFICES = tuple(str(number) for number in range(1, 8))
STADTTEILE, SOZIALRAEUME = 104, 60


def quarter(
    rng: np.random.Generator, cases: int, *, crossing: bool = False, city: bool = True, bezirke: bool = False
) -> list[Sheet]:
    """Return both sheets of a quarter: by office and state, and by origin.

    ``city``: the city's row by origin is published; ``bezirke``: those of the Bezirke are as well; ``crossing``: the
    attacker knows which Sozialraum overlaps which Stadtteil.
    """
    return [offices_by_state(rng, cases), origins(rng, cases, crossing=crossing, city=city, bezirke=bezirke)]


def offices_by_state(rng: np.random.Generator, cases: int) -> Sheet:
    chances = np.r_[0.5, 0.2, 0.1, 0.05, rng.dirichlet(np.ones(14)) * 0.15]
    counts = [rng.multinomial(round(cases * share), chances) for share in rng.dirichlet(np.full(7, 3.0))]
    bezirk = Level("bezirk", OFFICES, np.array(counts, dtype=np.float64))
    return responsible_sheet(bezirk, STATES, home_state="Hamburg", city="hh")


def origins(rng: np.random.Generator, cases: int, *, crossing: bool, city: bool, bezirke: bool) -> Sheet:
    home = np.arange(STADTTEILE) * 7 // STADTTEILE
    home_of_raum = np.arange(SOZIALRAEUME) * 7 // SOZIALRAEUME
    overlaps = np.zeros((SOZIALRAEUME, STADTTEILE), dtype=np.bool_)
    for bezirk in range(7):
        mine, raeume = np.flatnonzero(home == bezirk), np.flatnonzero(home_of_raum == bezirk)
        first = np.sort(rng.integers(0, len(raeume), len(mine)))
        overlaps[raeume[first], mine] = True
        torn = rng.random(len(mine)) < 0.3
        overlaps[raeume[(first[torn] + 1) % len(raeume)], mine[torn]] = True
        for raum in raeume:
            if not overlaps[raum].any():
                overlaps[raum, rng.choice(mine)] = True
    pieces = np.argwhere(overlaps)
    where = pieces[rng.choice(len(pieces), cases, p=rng.dirichlet(np.ones(len(pieces))))]
    outside = rng.binomial(1, rng.uniform(0.2, 0.6), cases)
    counts = {"sozialraum": np.zeros((SOZIALRAEUME, 2)), "stadtteil": np.zeros((STADTTEILE, 2))}
    np.add.at(counts["sozialraum"], (where[:, 0], outside), 1.0)
    np.add.at(counts["stadtteil"], (where[:, 1], outside), 1.0)
    levels = [
        Level("sozialraum", names("sr", SOZIALRAEUME), counts["sozialraum"], offices=offices(home_of_raum)),
        Level("stadtteil", names("st", STADTTEILE), counts["stadtteil"], offices=offices(home)),
    ]
    sums = []
    if bezirke:
        by_bezirk = np.zeros((7, 2))
        np.add.at(by_bezirk, home, counts["stadtteil"])
        levels.append(Level("bezirk", OFFICES, by_bezirk, offices=OFFICES))
        sums = [_sums("stadtteil", home), _sums("sozialraum", home_of_raum)]
    return origin_sheet(
        levels,
        ("Hamburg", "außerhalb"),
        city=Level("land", ("hh",), counts["stadtteil"].sum(axis=0, keepdims=True)) if city else None,
        sums=sums,
        crossings=[Crossing("sozialraum", "stadtteil", overlaps)] if crossing else [],
    )


def names(prefix: str, number: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{one:03}" for one in range(number))


def offices(home: np.ndarray) -> tuple[str | None, ...]:
    return tuple(OFFICES[one] for one in home)


def _sums(level: str, home: np.ndarray) -> Sums:
    return Sums(level, "bezirk", tuple(OFFICES[one] for one in home))
