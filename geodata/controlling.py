"""The question of controlling: how many helps there are per area, period and position, what they cost, against what.

One row per area, period, position and counting. Nothing is summed: totals and groups are published figures of their
own. What is counted differently, in other units, of other Hilfearten or over periods of other length is not compared;
the value is then missing and the row's note says why.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.orm import Session

from geodata import controlling_notes as notes
from geodata.answer import Answer, footnotes, read_sources
from geodata.areas import area_sources
from geodata.controlling_areas import Area, Chosen, choose
from geodata.controlling_figures import YEARLY_GROWTH
from geodata.controlling_line import After, Asked, ControllingRow, Line, area_rest, line_of, order, position_rest
from geodata.controlling_measures import MEASURES, Side
from geodata.controlling_offices import Offices, read_offices
from geodata.controlling_rests import SUFFIX, rests_of_areas, rests_of_positions, whole_cities
from geodata.controlling_rows import (
    ALL_HELPS,
    AMBULANT,
    CODES,
    OUTSIDE_FAMILY,
    PUBLISHED_CHANGES,
    SPENDING,
    Held,
    RowKey,
    read_held,
    read_laid,
    row_keys,
)
from geodata.errors import ParameterError
from geodata.figure_notes import kept_by_office, small_suppressed
from geodata.figure_tables import SCENARIOS
from geodata.periods import Period, parse_period, spoken
from geodata.viewer import Version

# So many areas are read at once: a page needs few of them.
_AREAS_AT_ONCE = 50
_BAD_CURSOR = "Der cursor ist ungültig; bitte den Wert von meta.next übernehmen."


@dataclass(frozen=True, slots=True)
class ControllingRequest:
    """Controlling of the areas of ``level`` (``area``: it, or those inside it).

    ``period_from``, ``period_to``: only periods that lie between the first day of one and the last of the other, both
    inclusive; None: all. ``base``: the period that change, Zielschwelle and Effekt are told against; None: these are
    not. ``measure`` (of ``MEASURES``): what change, difference to the city and Effekt are of. ``yearly_growth`` of the
    Zielschwelle is a fraction above −1. ``city_level``: at which level the city is found that an area is compared with;
    None: the widest of which there are figures. ``position``: only this Hilfeart or group, and what is lacking to it;
    None: all. ``after`` names the last row of the page before.
    """

    level: str
    period_from: str | None = None
    period_to: str | None = None
    area: Area | None = None
    base: str | None = None
    yearly_growth: float = YEARLY_GROWTH
    scenario: str = "ist"
    measure: str = SPENDING
    city_level: str | None = None
    position: str | None = None
    limit: int = 1000
    after: After | None = None
    version: Version = Version.PUBLISHED


def controlling(session: Session, request: ControllingRequest) -> Answer[ControllingRow]:
    """Return the rows by area, period, position and counting; all helps first, ``ohne`` (no area) and rests last.

    Where the viewer may count an area's helps, it has a row for everything that is reported around it, missing or not;
    elsewhere only what is visible. Raises ``ParameterError`` for an unknown level, area, measure, scenario, position or
    period, a range that ends before it begins, and a growth that is none.
    """
    asked = _checked(request)
    offices = read_offices(session)
    chosen = choose(
        session, request.level, request.area, city_level=request.city_level, scenario=request.scenario,
        codes=asked.codes,
    )  # fmt: skip
    table = _Table(session, request, asked, offices, chosen)
    found = list(islice(table.lines(), request.limit + 1))
    page = found[: request.limit]
    known = {part for line in page for part in line.known}
    # Where nothing is there at all, each row says so.
    unreported = [] if all(line.empty for line in page) else notes.unreported(known)
    datasets = {name for line in page for name in line.datasets}
    catalogues = {name for name in map(offices.catalogue_of, datasets) if name is not None}
    meta = footnotes(
        session,
        title=notes.title(chosen.level.title, request.scenario),
        method=notes.method(request.measure, request.yearly_growth),
        unit=notes.UNIT,
        version=request.version,
        sources=[
            *read_sources(session, "statistics", datasets),
            *read_sources(session, "catalogue", catalogues),
            *area_sources(session, request.level),
        ],
        missing=sum(line.noted.missing(unreported) for line in page),
        warnings=list(
            notes.warnings(
                [line.key for line in page],
                request.base,
                chosen.city_names(),
                unreported,
                offices,
                datasets,
                _hidden(session, request.level, page),
            )
        ),
    )
    if len(found) > request.limit and page:
        meta.next = "\n".join(page[-1].cursor())
    return Answer(meta, [line.row(unreported) for line in page])


def _hidden(session: Session, level: str, page: Collection[Line]) -> Iterator[str]:
    """Yield what is to be said of figures that are not shown."""
    if any(line.values.get("suppressed_fields") for line in page):
        yield small_suppressed(session)
    yield from kept_by_office(session, level, CODES)


def _checked(request: ControllingRequest) -> Asked:
    """Return the request's periods and codes, or raise ``ParameterError`` for what cannot be used."""
    if request.scenario not in SCENARIOS:
        raise ParameterError(
            "scenario", f"Das Szenario „{request.scenario}“ gibt es nicht. Möglich: {', '.join(SCENARIOS)}.", SCENARIOS
        )
    if request.measure not in MEASURES:
        raise ParameterError(
            "measure",
            f"Die Kennzahl „{request.measure[:60]}“ gibt es hier nicht. Möglich: {', '.join(MEASURES)}.",
            list(MEASURES),
        )
    if not -1 < request.yearly_growth < float("inf"):
        raise ParameterError(
            "yearly_growth", "Die jährliche Steigerung ist ein Bruch über −1, etwa 0.04 für 4\N{NO-BREAK SPACE}%."
        )
    first, last = parsed("from", request.period_from), parsed("to", request.period_to)
    if first and last and last.ends < first.starts:
        ends, starts = spoken(last.text), spoken(first.text)
        raise ParameterError("to", f"Der Zeitraum endet ({ends}), bevor er beginnt ({starts}).")
    base = parsed("base", request.base)
    change = PUBLISHED_CHANGES.get(request.measure)
    change_code = change.format(base.text) if change and base else None
    codes = (*CODES, change_code) if change_code else CODES
    return Asked(first, last, base, request.measure, request.yearly_growth, change_code, codes)


def parsed(parameter: str, period: str | None) -> Period | None:
    """Return a period asked for; raise ``ParameterError`` for what is none."""
    try:
        return None if period is None else parse_period(period)
    except ValueError as error:
        raise ParameterError(parameter, str(error)) from None


class _Table:
    """Makes the lines of one answer in order, as far as they are asked for."""

    def __init__(
        self, session: Session, request: ControllingRequest, asked: Asked, offices: Offices, chosen: Chosen
    ) -> None:
        self._session = session
        self._request = request
        self._asked = asked
        self._offices = offices
        self._chosen = chosen
        level = request.level
        # Areas that have nothing in common but the level are other offices': each is held against its own kind.
        self._roots = {key: ":".join(chosen.tree.widest((level, key))) for key in chosen.names}
        laid = read_laid(session, level, self._roots, request.scenario, asked.codes)
        self._reported = {root: row_keys(there, asked.change_code) for root, there in laid.items()}
        self._given = {root: frozenset(one.position for one in there) for root, there in laid.items()}
        self._cities = self._read_cities()
        self._sides: dict[tuple[int, RowKey], Side] = {}
        self._require_position()

    def _require_position(self) -> None:
        wanted = self._request.position
        there = {ALL_HELPS, AMBULANT, OUTSIDE_FAMILY}.union(*self._given.values())
        if wanted is not None and wanted not in there:
            raise ParameterError(
                "position",
                f"Zu „{wanted[:60]}“ gibt es auf dieser Ebene keine Zahlen. Möglich: {', '.join(sorted(there))}.",
                sorted(there),
            )

    def _wanted(self, key: RowKey) -> bool:
        """Tell whether a row is asked for; what is lacking to a position belongs to it."""
        position = self._request.position
        return self._asked.covers(key.period) and position in {None, key.position.removesuffix(SUFFIX)}

    def lines(self) -> Iterator[Line]:
        """Yield the lines that come after those of the page before."""
        after = self._request.after
        names = list(self._chosen.names)
        rest_keys = {f"{city[1]}{SUFFIX}": city for city in whole_cities(self._chosen)}
        first = 0
        if after is not None:
            if after[0] not in self._chosen.names and after[0] not in rest_keys:
                raise ParameterError("cursor", _BAD_CURSOR)
            first = names.index(after[0]) if after[0] in self._chosen.names else len(names)
        for line in self._all(names[first:], rest_keys, after):
            if after is None or line.area_key != after[0] or order(line.key) > _order_of(after):
                yield line

    def _all(self, names: list[str], rest_keys: Mapping[str, Area], after: After | None) -> Iterator[Line]:
        for start in range(0, len(names), _AREAS_AT_ONCE):
            batch = names[start : start + _AREAS_AT_ONCE]
            helds = self._read(self._request.level, dict.fromkeys(batch, ""))
            for key in batch:
                yield from self._of_area(key, helds[key])
        for rest_key in sorted(rest_keys):
            if after is None or after[0] not in rest_keys or rest_key >= after[0]:
                yield from self._of_rest(rest_key, rest_keys[rest_key])

    def _of_area(self, area_key: str, held: Held) -> Iterator[Line]:
        chosen, root = self._chosen, self._roots[area_key]
        every = self._reported.get(root, set()) if area_key in chosen.listed else None
        every = row_keys(held.laid(), self._asked.change_code) if every is None else every
        keys = {key for key in every if self._wanted(key)}
        rests = {rest.key: rest for rest in rests_of_positions(held, keys, self._given.get(root, frozenset()))}
        city = self._cities.get(chosen.cities.get(area_key, ("", "")))
        where = (self._request.level, area_key, chosen.names[area_key])
        for key in sorted(keys | rests.keys(), key=order):
            if key in rests:
                yield position_rest(where, rests[key], self._offices)
            else:
                side = Side.of(held, key, self._asked.base)
                against = None if city is None else self._side_of(city, key)
                yield line_of(where, side, against, self._asked, self._offices)

    def _side_of(self, city: Held, key: RowKey) -> Side:
        """Return a city's side of a row; all its areas share it."""
        made = self._sides.get((id(city), key))
        if made is None:
            made = self._sides[id(city), key] = Side.of(city, key, self._asked.base)
        return made

    def _of_rest(self, rest_key: str, city: Area) -> Iterator[Line]:
        inside = whole_cities(self._chosen)[city]
        held = self._cities[city]
        rests = rests_of_areas(
            self._session, self._chosen, inside, held, self._offices, self._request.scenario
        )  # fmt: skip
        where = (self._request.level, rest_key, self._chosen.tree.names[city])
        for rest in sorted(rests, key=lambda rest: order(rest.key)):
            if self._wanted(rest.key):
                yield area_rest(where, rest, self._offices)

    def _read(self, level: str, names: Mapping[str, str]) -> dict[str, Held]:
        return read_held(
            self._session, level, names, self._request.scenario, self._offices, self._asked.codes, self._asked.spans()
        )

    def _read_cities(self) -> dict[Area, Held]:
        held: dict[Area, Held] = {}
        cities = set(self._chosen.cities.values())
        for level in sorted({city[0] for city in cities}):
            names = {key: f" ({self._chosen.tree.names[at, key]})" for at, key in sorted(cities) if at == level}
            held |= {(level, key): one for key, one in self._read(level, names).items()}
        return held


def _order_of(after: After) -> tuple[object, ...]:
    _area_key, period, position, counting = after
    try:
        return order(RowKey(parse_period(period), position, counting or None))
    except ValueError:
        raise ParameterError("cursor", _BAD_CURSOR) from None
