"""What can be worked out from all answers about a quarter's placements: by the public, and by the planners of a Bezirk.

The attacker reads what the viewer may read in the database, and knows how areas hang together. That the answers to the
question hold nothing else is tested first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from disclosure_attack import Attack, Name
from hand_rows import rows_in
from placement_town import BEZIRKE, LAND, PIECES, RAEUME, STADTTEILE, build, derive, drawn, place
from sqlalchemy import text

from geodata.database import Access, reading
from geodata.figure_tables import PROVIDER_STATES
from geodata.placements import PlacementsRequest, placements
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

ORIGIN = ("Hamburg", "außerhalb", "ohne Angabe")
AWAY = tuple(state for state in PROVIDER_STATES if state not in {"Hamburg", "ohne Angabe"})
SHEETS = (
    ("zustaendig", "land", (LAND,), PROVIDER_STATES),
    ("zustaendig", "bezirk", BEZIRKE, PROVIDER_STATES),
    ("herkunft", "stadtteil", STADTTEILE, ORIGIN),
    ("herkunft", "sozialraum", RAEUME, ORIGIN),
)
Held = dict[Name, float]


def read(town: "Database", viewer: Viewer) -> Held:
    """Return every count the viewer may read, NaN where it is suppressed; by role, level, area and category."""
    held: Held = {}
    with reading(town.serving, Access(viewer)) as session:
        found = session.execute(
            text("""
                SELECT area_role, level, area_key, category, value FROM placement_visible
                WHERE period = '2021-Q3' AND counting = 'stichtag'
            """)
        )
        counts = {(row[0], row[1], row[2], row[3]): row[4] for row in found}
    for role, level, areas, categories in SHEETS:
        for area in areas:
            names = [*categories, "gesamt", *(["außerhalb"] if role == "zustaendig" else [])]
            for category in names:
                value = counts.get((role, level, area, category), 0)
                held[role, level, area, category] = np.nan if value is None else float(value)
    return held


def equations() -> tuple[list[tuple[list[Name], list[Name]]], set[Name]]:
    """Return what everybody knows to be equal, and the pieces of ground of which nobody knows anything."""
    made: list[tuple[list[Name], list[Name]]] = []
    for role, level, areas, categories in SHEETS:
        for area in areas:
            made.append(([(role, level, area, one) for one in categories], [(role, level, area, "gesamt")]))
            if role == "zustaendig":
                made.append(([(role, level, area, one) for one in AWAY], [(role, level, area, "außerhalb")]))
    for category in (*PROVIDER_STATES, "außerhalb", "gesamt"):
        parts: list[Name] = [("zustaendig", "bezirk", one, category) for one in BEZIRKE]
        made.append((parts, [("zustaendig", "land", LAND, category)]))
    pieces: set[Name] = set()
    for category in (*ORIGIN, "gesamt"):
        for level, areas, side in (("sozialraum", RAEUME, 0), ("stadtteil", STADTTEILE, 1)):
            for area in areas:
                inside: list[Name] = [("piece", *piece, category) for piece in PIECES if piece[side] == area]
                pieces |= set(inside)
                made.append((inside, [("herkunft", level, area, category)]))
    return made, pieces


def office_of(name: Name) -> str | None:
    _role, level, area, _category = name
    return {"land": None, "bezirk": area, "stadtteil": area[0], "sozialraum": area[1:2]}[level]


def lone(true: Held) -> list[list[Name]]:
    """For each area of fewer than ten that lies wholly in one category (or in außerhalb): the others."""
    found: list[list[Name]] = []
    for role, level, areas, categories in SHEETS:
        alone = [(one,) for one in categories] + ([AWAY] if role == "zustaendig" else [])
        for area in areas:
            counts = {one: true[role, level, area, one] for one in categories}
            total = sum(counts.values())
            found += [
                [(role, level, area, one) for one in counts if one not in inside]
                for inside in alone
                if 0 < total < 10 and sum(counts[one] for one in inside) == total
            ]
    return found


@pytest.fixture(scope="module", params=[(1, 40), (2, 150), (3, 600), pytest.param((4, 90), marks=pytest.mark.long)])
def town(new_database: "Callable[[], Database]", request: pytest.FixtureRequest) -> "Database":
    seed, cases = request.param
    made = new_database()
    build(made.writing)
    with rows_in(made.writing) as rows:
        version = place(rows, drawn(seed, cases)[0])
        place(rows, drawn(seed + 100, cases)[0], period="2021-Q2", version=version)
        place(rows, drawn(seed + 200, cases // 3 + 9)[0], counting="begonnen", version=version)
        derive(rows)
    return made


def viewers() -> dict[str | None, Viewer]:
    return {None: PUBLIC, **{key: Viewer(Role.PLANNER, office_areas=(("bezirk", key),)) for key in BEZIRKE}}


def test_nobody_bounds_a_suppressed_count_more_tightly_than_promised(town: "Database") -> None:
    true = read(town, Viewer(Role.ADMIN))
    known, pieces = equations()
    small = [name for name, value in true.items() if 0 < value < 3]
    assert small
    for office, viewer in viewers().items():
        held = read(town, viewer)
        assert all(np.isnan(held[name]) for name in small if office is None or office_of(name) != office)
        before = {name: value if office and office_of(name) == office else np.nan for name, value in held.items()}
        if office is not None:
            assert all(held[name] == true[name] for name in held if office_of(name) == office)
        attack = Attack({**held, **dict.fromkeys(pieces, np.nan)}, known)
        nothing = Attack({**before, **dict.fromkeys(pieces, np.nan)}, known)
        wanted = [([name], 1.0, 3.0) for name in small]
        wanted += [(rest, 1.0, 3.0) for rest in lone(true) if rest]
        wanted = [one for one in wanted if office is None or office_of(one[0][0]) != office]
        for names in attack.too_tight(wanted):
            (low, high), (least, most) = attack.interval(*names), nothing.interval(*names)
            assert low <= max(1.0, least) + 1e-5, (office, names, low)
            assert high >= min(3.0, most) - 1e-5, (office, names, high)


def test_answers_hold_nothing_but_what_follows_from_the_counts_that_are_read(town: "Database") -> None:
    for office, viewer in viewers().items():
        version = Version.PUBLISHED if office is None else Version.INTERNAL
        held = read(town, viewer)
        with reading(town.serving, Access(viewer)) as session:
            begun = _others(town, viewer, "2021-Q3", "begonnen")
            before = _others(town, viewer, "2021-Q2", "stichtag")
            for role, level, areas, _categories in SHEETS:
                request = PlacementsRequest(level, compare="2021-Q2", area_role=role, version=version)
                answer = placements(session, request)
                assert [row.area_key for row in answer.rows] == sorted(areas)
                for row in answer.rows:
                    own = {name[3]: value for name, value in held.items() if name[:3] == (role, level, row.area_key)}
                    _is(row.cases, own["gesamt"])
                    _is(row.outside_cases, own["außerhalb"])
                    _is(row.unknown_cases, own["ohne Angabe"])
                    _is(row.outside_share, _share(own))
                    _is(row.begun_outside_share, _share(begun[role, level, row.area_key]))
                    earlier = before[role, level, row.area_key]
                    _is(row.change_cases, own["gesamt"] - earlier["gesamt"])
                    _is(row.change_pp, 100 * (_share(own) - _share(earlier)))
                    for bound in (row.ci_low, row.ci_high):
                        assert (bound is None) == (row.outside_share is None)
                    for bound in (row.change_ci_low, row.change_ci_high):
                        assert (bound is None) == (row.change_pp is None)
                    if role == "zustaendig":
                        assert row.by_state is not None
                        for state in PROVIDER_STATES:
                            _is(row.by_state.get(state, 0), own[state])
                    elif office is None or office_of((role, level, row.area_key, "")) != office:
                        assert row.by_state is None


def _share(counts: dict[str, float]) -> float:
    known = counts["Hamburg"] + counts["außerhalb"]
    return counts["außerhalb"] / known if known else np.nan


def _is(shown: float | None, expected: float) -> None:
    assert shown is None if np.isnan(expected) else shown == pytest.approx(expected)


def _others(town: "Database", viewer: Viewer, period: str, counting: str) -> dict[tuple[str, ...], dict[str, float]]:
    with reading(town.serving, Access(viewer)) as session:
        found = session.execute(
            text("""
                SELECT area_role, level, area_key, category, value FROM placement_visible
                WHERE period = :period AND counting = :counting
            """),
            {"period": period, "counting": counting},
        )
        made: dict[tuple[str, ...], dict[str, float]] = {}
        for role, level, area, category, value in found:
            plain = made.setdefault((role, level, area), dict.fromkeys(ORIGIN, 0.0))
            plain[category] = np.nan if value is None else float(value)
    return made
