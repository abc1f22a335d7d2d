"""Which figures of helps everyone may see: one pattern for each family of figures, counting and period.

Cases, counselling, hours and spending, and what sources print beside them. Computed in the transaction of an import of
statistics, placements, areas or catalogues, and only where figures, areas or rules changed; every viewer gets the same
one (``geodata.disclosure`` says what it promises). What is not published stays with the office, as all did before.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from geodata import figure_store as store
from geodata.controlling_offices import read_offices
from geodata.database import refresh_statistics
from geodata.disclosure.cube import Rule
from geodata.disclosure.divide import protect_in_parts
from geodata.figure_ground import FigureGround, read_figure_ground
from geodata.figure_periods import Counted, Why, overlap, withheld_amounts, withheld_cases
from geodata.figure_positions import is_whole
from geodata.figure_printed import Statuses, is_guarded, printed
from geodata.figure_store import Cube
from geodata.figure_table import Given, Kind, Spot, build_table, key_of
from geodata.indicators import indicators_of
from geodata.periods import Period, parse_period
from geodata.placement_ground import Area
from geodata.placement_rule import read_rule

# A new way of computing makes every stored pattern out of date.
_METHOD = "1"
_TABLES = ("observation_published", "observation_guarded")
_CASES, _AMOUNTS = "cases", frozenset({"hours", "spending"})


def rebuild(session: Session) -> dict[str, int]:
    """Bring all that is published of figures of helps up to date; return what was counted, under German names.

    To be called in a writing transaction, after ``placement_pattern.rebuild``. Quick where nothing changed that
    matters.
    """
    made_from = f"{_METHOD} {store.signature(session)}"
    if store.read_signature(session) == made_from:
        return {}
    store.stage(session)
    work = _Rebuilding(session)
    suppressed = work.run()
    store.store_signature(session, made_from)
    refresh_statistics(session, _TABLES)
    return {"unterdrückte Angaben zu Hilfen": suppressed} if work.changed else {}


class _Rebuilding:
    """One run: what there is, what of it is withheld, and the patterns that are out of date."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._offices = read_offices(session)
        observed = store.observed(session)
        areas = {area for _cube, area in observed}
        self._ground = read_figure_ground(session, read_rule(session), areas)
        self._withheld = _withheld(self._ground, observed, store.placed_periods(session))
        self._notes = _notes(self._ground, observed, self._withheld)
        self.changed = False

    def run(self) -> int:
        """Bring everything up to date; return how many figures are suppressed in patterns computed anew."""
        session = self._session
        store.follow_imports(session)
        stored, wanted = store.stored_digests(session), self._digests()
        out_of_date = sorted(cube for cube, digest in wanted.items() if stored.get(cube) != digest)
        for cube in {*out_of_date, *stored.keys() - wanted.keys()}:
            store.forget(session, cube)
        store.forget_what_is_gone(session)
        self.changed = bool(out_of_date)
        # Amounts follow from the cases.
        counts = [cube for cube in out_of_date if cube.family not in _AMOUNTS]
        amounts = [cube for cube in out_of_date if cube.family in _AMOUNTS]
        suppressed = sum(self._publish(cube, wanted[cube], Kind(counts=True)) for cube in counts)
        cases = _Cases(store.cases_beside(session), self._ground.rule.small) if amounts else None
        for cube in amounts:
            assert cases is not None  # noqa: S101 - for the type checker
            suppressed += self._publish(cube, wanted[cube], cases)
        store.store_withheld(session, self._notes)
        self._publish_beside()
        return suppressed

    def _digests(self) -> dict[Cube, str]:
        # Sets have no order of their own.
        groups = [
            (name, sorted((group, sorted(codes)) for group, codes in catalogue.members.items()))
            for name, catalogue in sorted(self._offices.catalogues.items())
        ]
        basis = f"{_METHOD} {self._ground.digest()} {_digest(groups)}"
        own = {
            cube: _digest((basis, digest, sorted(map(str, self._withheld.get(cube, {}).items()))))
            for cube, digest in store.digests(self._session).items()
        }
        cases = [cube for cube in own if cube.family == _CASES]

        def beside(cube: Cube) -> list[str]:
            when = parse_period(cube.period)
            return sorted(own[other] for other in cases if overlap(parse_period(other.period), when))

        return {
            cube: _digest((digest, beside(cube))) if cube.family in _AMOUNTS else digest for cube, digest in own.items()
        }

    def _publish(self, cube: Cube, digest: str, kind: "Kind | _Cases") -> int:
        """Publish a cube as far as disclosure control allows; return how many of its figures are suppressed."""
        rows = store.figures_of(self._session, cube)
        withheld = self._withheld.get(cube, {})
        given: dict[Spot, Given] = {}
        shown: dict[Spot, int] = {}
        missing: list[Spot] = []
        for import_id, dataset, level, area, indicator, position, value, flag in rows:
            spot = Spot(level, area, indicator, position)
            if not self._ground.is_published((level, area)) or self._ground.city((level, area)) in withheld:
                continue
            shown[spot] = import_id
            if flag == "missing":
                missing.append(spot)
            else:
                given[spot] = Given(value, partial(self._offices.members, dataset))
        if isinstance(kind, _Cases):
            kind = kind.kind(cube, given, self._ground)
        rule = Rule(small=self._ground.rule.small)
        made = build_table(self._ground, given, kind, rule)
        pattern = protect_in_parts(made.table, made.outer)
        place = made.table.position
        closed = {spot for spot in made.published if pattern.suppressed[place[key_of(spot)]]}
        if cube.family == "counselling":
            # Who knows how many led to a help knows that there were as many.
            closed |= {spot for spot in made.published
                       if spot._replace(indicator="counselling_new") in closed}  # fmt: skip
        store.publish(
            self._session,
            [(shown[spot], *spot, cube.period, "ist", spot in closed) for spot in sorted([*made.published, *missing])],
        )
        ties = {spot.level for spot in given if spot not in made.published and spot not in kind.kept}
        self._notes |= {(cube, level, Why.TIES) for level in ties}
        store.store_pattern(self._session, cube, digest, int((~made.table.hidden).sum()), len(closed), pattern.loss)
        return len(closed)

    def _publish_beside(self) -> None:
        """Publish forecasts, and what is printed beside the figures, where these are open."""
        session, ground = self._session, self._ground
        statuses = store.statuses(session)
        not_open = {tuple(row[:5]) for row in statuses if row.status != "open"}
        rows: list[tuple[Any, ...]] = [
            (*row, False) for row in store.foreseen(session)
            if tuple(row[1:6]) not in not_open and ground.is_published((row.level, row.area_key))
        ]  # fmt: skip
        beside = store.beside(session)
        infos = indicators_of(session, {row.indicator for row in beside})
        guarded: dict[int, set[str]] = {}
        units: dict[int, str | None] = {}
        for row in beside:
            if is_guarded(row.indicator, infos[row.indicator], row.unit, counting=row.counting):
                guarded.setdefault(row.import_id, set()).add(row.indicator)
                units[row.import_id] = row.unit
        known = Statuses.read(statuses)
        for import_id, indicators in sorted(guarded.items()):
            figures = store.figures_beside(session, import_id, indicators)
            rows += printed(ground, known, infos, units[import_id], figures)
        store.guard(session, {(import_id, code) for import_id, codes in guarded.items() for code in codes})
        store.publish(session, rows)


class _Cases:
    """The cases beside amounts: where a count is closed, so is the amount."""

    def __init__(self, rows: Iterable[Any], small: float) -> None:
        self._beside: dict[tuple[Area, str], list[tuple[Period, bool, bool]]] = {}
        periods: dict[str, Period] = {}
        for row in rows:
            if row.flag == "missing":
                continue
            when = periods.setdefault(row.period, parse_period(row.period))
            shut = row.suppressed or row.value is None or 0 < row.value < small
            known = (when, shut, row.published)
            self._beside.setdefault(((row.level, row.area_key), _position(row.position)), []).append(known)

    def kind(self, cube: Cube, given: Mapping[Spot, Given], ground: FigureGround) -> Kind:
        """Return what is closed and what is kept of a cube of amounts.

        An amount beside which no cases are published is only for wide areas: of a small one it may be of one child.
        """
        when = parse_period(cube.period)
        closed, kept = set(), set()
        for spot in given:
            beside = [
                (shut, published)
                for period, shut, published in self._beside.get((spot[:2], _position(spot.position)), ())
                if overlap(period, when)
            ]
            if any(shut for shut, _published in beside):
                closed.add(spot)
            elif not any(published for _shut, published in beside) and not ground.is_wide(spot[:2]):
                kept.add(spot)
        return Kind(counts=cube.family == "hours", amounts=True, closed=frozenset(closed), kept=frozenset(kept))


def _position(position: str) -> str:
    return "" if is_whole(position) else position


def _withheld(
    ground: FigureGround, observed: Iterable[tuple[Cube, Area]], placed: Collection[Counted]
) -> dict[Cube, dict[str | None, Why]]:
    """Return of which cities which cubes stay with the office, and why; None: of what belongs to no one city."""
    there: dict[tuple[str | None, str], dict[Counted, Cube]] = {}
    for cube, area in observed:
        if ground.is_published(area):
            there.setdefault((ground.city(area), cube.family), {})[cube.counted()] = cube
    found: dict[Cube, dict[str | None, Why]] = {}
    for (city, family), cubes in there.items():
        withheld = withheld_cases(cubes, placed) if family == _CASES else withheld_amounts(cubes)
        for counted, why in withheld.items():
            found.setdefault(cubes[counted], {})[city] = why
    return found


def _notes(
    ground: FigureGround, observed: Iterable[tuple[Cube, Area]], withheld: Mapping[Cube, Mapping[str | None, Why]]
) -> set[tuple[Cube, str, Why]]:
    """Return which cubes stay with the office at which level, and why, as far as it is known beforehand."""
    found = set()
    for cube, area in observed:
        if not ground.is_published(area):
            found.add((cube, area[0], Why.LEVEL))
        elif (why := withheld.get(cube, {}).get(ground.city(area))) is not None:
            found.add((cube, area[0], why))
    return found


def _digest(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()
