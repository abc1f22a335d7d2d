"""What is published of one quarter's placements, as the sheets that disclosure control works on.

By responsible office: the home level and the levels that contain it, by the provider's state. By origin: the origin
levels (and wider ones, where delivered), by home state, außerhalb and ohne Angabe. Nothing below these levels, and of
periods that are no quarters nothing at all: the cases of a month, quarter and year are not independent.

How their areas hang together is told by ``geodata.area_ties``; what cannot be tied to a wider level that is published,
is not published.
"""

import re
from collections.abc import Mapping

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.area_ties import tie
from geodata.disclosure.cube import Level, Sheet
from geodata.figure_tables import PROVIDER_STATES, UNKNOWN_STATE
from geodata.placement_ground import Ground
from geodata.placement_raw import Cube
from geodata.placement_tables import OUTSIDE, TOTAL

RESPONSIBLE, ORIGIN = "zustaendig", "herkunft"
_QUARTER = re.compile(r"\d{4}-Q[1-4]")

# Area key -> category -> cases; a category that is not there is 0.
Counts = Mapping[str, Mapping[str, int]]


def is_published(period: str) -> bool:
    """Tell whether placements of a period are published: only of quarters."""
    return _QUARTER.fullmatch(period) is not None


def categories_of(role: str, home_state: str) -> tuple[str, ...]:
    """Return the categories published by a role, which add up to all cases."""
    return PROVIDER_STATES if role == RESPONSIBLE else (home_state, OUTSIDE, UNKNOWN_STATE)


def read_sheets(session: Session, ground: Ground, cube: Cube) -> list[Sheet]:
    """Return what is to be published of a cube, from the counts written before; sheets are named by their role."""
    found = session.execute(
        text("""
            SELECT level, area_role, area_key, category, value FROM placement_cell
            WHERE period = :period AND paragraph = :paragraph AND counting = :counting AND level = ANY (:levels)
            ORDER BY level, area_role, area_key COLLATE "C"
        """),
        {**cube.values(), "levels": sorted({*ground.wide, *ground.rule.origin_levels})},
    )
    by_role: dict[str, dict[str, dict[str, dict[str, int]]]] = {}
    for level, role, key, category, value in found:
        by_role.setdefault(role, {}).setdefault(level, {}).setdefault(key, {})[category] = value
    sheets = (make_sheet(ground, role, levels) for role, levels in sorted(by_role.items()))
    return [sheet for sheet in sheets if sheet is not None]


def make_sheet(ground: Ground, role: str, counts: Mapping[str, Counts]) -> Sheet | None:
    """Return the sheet of one role: what is published of each level, and all that ties it together.

    ``counts``: level to area to category. None where nothing is published.
    """
    allowed = ground.wide if role == RESPONSIBLE else (*ground.wide, *ground.rule.origin_levels)
    ties = tie(ground, {level: counts[level] for level in counts if level in allowed})
    if not ties.areas:
        return None
    states = categories_of(role, ground.rule.home_state)
    levels = [_level(ground, states, level, keys, counts[level]) for level, keys in ties.areas.items()]
    hidden = [Level(level, keys, np.full((len(keys), len(states)), np.nan)) for level, keys in ties.hidden.items()]
    groups = {}
    if role == RESPONSIBLE:
        away = tuple(state for state in states if state not in {ground.rule.home_state, UNKNOWN_STATE})
        groups = {OUTSIDE: away}
    return Sheet(role, states, (*levels, *hidden), ties.sums, ties.crossings, groups)


def _level(ground: Ground, states: tuple[str, ...], level: str, keys: tuple[str, ...], counts: Counts) -> Level:
    table = np.array([[counts[key].get(state, 0) for state in states] for key in keys], dtype=np.float64)
    totals = np.array([counts[key][TOTAL] for key in keys], dtype=np.float64)
    return Level(level, keys, table, totals, tuple(ground.office((level, key)) for key in keys))
