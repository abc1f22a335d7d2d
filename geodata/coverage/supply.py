"""Supply: how many places (or hours a week) stand in an area for residents of the ages asked for.

For an offer with its own ages o and supply S, the ages asked for w, and P(·) the residents of an age over the whole
population surface, the offer counts with

    S · P(o ∩ w) / P(o)

so that the parts of an age range add up to the whole, and areas to the areas that contain them, whatever the level.
Per area, Versorgungsdichte = 1,000 · (sum of that) / (residents of the area aged w).

Example: 60 places for ages 6 to 18, asked for 10 to 18; of 12,000 residents aged 6 to 18 in the city 8,000 are 10 or
older: 60 · 8,000 / 12,000 = 40 places; with 500 residents of 10 to 18 in the area that is 80 per 1,000.
"""

from dataclasses import dataclass

import numpy as np

from geodata.ages import Ages
from geodata.coverage.people import Floats, Ints, People
from geodata.coverage.places import Flags, Places


@dataclass(frozen=True, slots=True)
class Supplied:
    """Per area (the last: outside of all): places, those that state no figure, offers without ages, supply and use.

    ``supply`` and ``use``: 0 where there is no place, NaN where there are places but none states a figure.
    ``unshared``: offers whose supply could not be divided by age, because residents of their ages are not known.
    """

    facilities: Ints
    without: Ints
    ageless: Ints
    supply: Floats
    use: Floats
    unshared: int


def shares(spans: list[Ages], wanted: Ages, people: People | None) -> Floats:
    """Return for each span of ages the share of its residents that are of the wanted ages; NaN: not known."""
    made = np.full(len(spans), np.nan)
    for number, own in enumerate(spans):
        age_from, end = max(own.age_from, wanted.age_from), min(own.end, wanted.end)
        if (age_from, end) == (own.age_from, own.end):
            made[number] = 1.0
        elif people is not None:
            both = Ages(age_from, None if np.isinf(end) else int(end))
            everyone = people.total(own)
            if everyone > 0:
                made[number] = people.total(both) / everyone
    return made


def supplied(places: Places, area: Ints, areas: int, wanted: Ages, people: People | None) -> Supplied:
    """Add the offers up per area; ``area``: the number of each place's area (``areas``: outside of all).

    Offers for the whole city belong to no single area: they count outside of all.
    """
    where = np.where(places.citywide, areas, area[places.place])
    taking = places.counted[places.place]
    # Each place counts once: where it stands if it offers anything there, else among those for the whole city.
    home = np.full(len(places.keys), areas, dtype=np.int64)
    home[places.place[~places.citywide]] = where[~places.citywide]
    amount = places.supply * shares(places.spans, wanted, people)[places.span]
    facilities = _counted(places.place[taking], home, areas)
    at_home = taking & (where == home[places.place])
    stating = _counted(places.place[at_home & np.isfinite(amount)], home, areas)
    using = _counted(places.place[at_home & np.isfinite(places.use)], home, areas)
    return Supplied(
        facilities,
        facilities - stating,
        np.bincount(where[taking & places.ageless], minlength=areas + 1),
        _added(amount, where, taking, (facilities > 0) & (stating == 0)),
        _added(places.use, where, taking, (facilities > 0) & (using == 0)),
        int((taking & np.isfinite(places.supply) & np.isnan(amount)).sum()),
    )


def _counted(place: Ints, home: Ints, areas: int) -> Ints:
    """Return how many different places there are per area."""
    return np.bincount(home[np.unique(place)], minlength=areas + 1)


def _added(values: Floats, where: Ints, taking: Flags, unstated: Flags) -> Floats:
    """Return the sum of the stated values per area; NaN where nobody states one and no offer for the city does."""
    given = taking & np.isfinite(values)
    sums = np.bincount(where[given], weights=values[given], minlength=len(unstated))
    stated = np.bincount(where[given], minlength=len(unstated)) > 0
    result: Floats = np.where(unstated & ~stated, np.nan, sums)
    return result
