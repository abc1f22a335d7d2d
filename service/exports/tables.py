"""The tables of the report: of one area by year, of its Hilfearten, and of areas beside each other."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from geodata.controlling_offices import Offices
from geodata.controlling_rests import SUFFIX
from geodata.controlling_rows import ALL_HELPS, AMBULANT, OUTSIDE_FAMILY
from service.exports.lines import CITY, GROWTH, LINES, PERCENT, RATE, WHOLE, Spec, formulas_of, total_less
from service.exports.parts import Cell, Formula, Group, Key, Line, Parameter, Table
from service.exports.series import Area, Series

_FIGURES: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("Fälle", (
        ("cases", ALL_HELPS), ("cases", AMBULANT), ("cases", OUTSIDE_FAMILY), ("help_quotient", ALL_HELPS),
        ("cases_change", ALL_HELPS),
    )),
    ("Ausgaben", (
        ("spending_eur", ALL_HELPS), ("target_eur", ALL_HELPS), ("spending_change", ALL_HELPS),
        ("spending_per_case", ALL_HELPS),
    )),
    ("Bezogen auf die Jugendeinwohner", (
        ("residents", ALL_HELPS), ("help_density", ALL_HELPS), ("spending_per_resident", ALL_HELPS),
    )),
    ("Leistung und Beratung", (
        ("hours_per_case", ALL_HELPS), ("group_offer_share", ALL_HELPS), ("follow_up_share", ALL_HELPS),
        ("counselling_ratio", ALL_HELPS),
    )),
)  # fmt: skip
_BESIDE_CITY: tuple[Key, ...] = (
    ("help_density", CITY), ("cases_diff", ALL_HELPS), ("spending_per_resident", CITY), ("spending_diff", ALL_HELPS),
    ("cases_effect", ALL_HELPS), ("spending_effect", ALL_HELPS),
)  # fmt: skip
_OF_HELP_TYPES = ("cases", "spending_eur", "spending_per_case", "hours_per_case")
# Hours are reported of few Hilfearten: the others are not listed there.
_WHERE_KNOWN = frozenset({"hours_per_case"})
_OF_AREAS = (
    "cases", "spending_eur", "residents", "help_density", "spending_per_resident", "spending_per_case",
    "help_quotient", "follow_up_share", "counselling_ratio", "cases_change", "spending_change", "cases_diff",
    "spending_diff", "cases_effect", "spending_effect",
)  # fmt: skip
_COUNTS = frozenset({"cases"})


@dataclass(frozen=True, slots=True)
class Told:
    """What tables are told against: the base period, the yearly growth of the Zielschwelle."""

    base: str | None
    yearly_growth: float

    def parameters(self) -> tuple[Parameter, ...]:
        """Return what the formula of the Zielschwelle needs."""
        title = "Jährliche Steigerung der Zielschwelle"
        return (Parameter(GROWTH, title, 100 * self.yearly_growth, PERCENT),)


def of_area(
    series: Series, area: Area, told: Told, offices: Offices, name: str, city: tuple[Area, str] | None
) -> Table | None:
    """Return the Kennzahlen of an area by period, all helps; None where there are none. ``city``: it and its name."""
    periods = [period for period in series.periods({area}) if (area, ALL_HELPS, period) in series.rows]
    if not periods:
        return None
    groups = list(_FIGURES)
    if city is not None:
        groups.append((f"Vergleich mit: {city[1]}", _BESIDE_CITY))

    def line(key: Key) -> Line:
        measure, subject = key
        spec, beside = LINES[measure], subject == CITY and city is not None
        of, position = (city[0] if beside and city else area), (ALL_HELPS if beside else subject)
        cells = [series.cell(of, position, period, measure) for period in periods]
        title = f"{spec.title}: {city[1]}" if beside and city else spec.title
        if measure == "cases":
            title = f"Fälle: {series.titles.get(subject) or offices.title(None, subject)}"
        kept = (measure, WHOLE) if measure == "residents" else key
        return _line(kept, Spec(title, spec.look), cells, () if beside else formulas_of(measure, subject))

    made = [Group(title, tuple(map(line, keys))) for title, keys in groups]
    grown = any(not one.empty() for group in made for one in group.lines if one.key[0] == "target_eur")
    without = tuple(one.title for group in made for one in group.lines if one.empty())
    return Table(
        name,
        f"Kennzahlen ({series.words()})",
        tuple(periods),
        _known(made),
        told.base,
        told.parameters() if grown else (),
        without,
    )


def of_help_types(series: Series, area: Area, told: Told, offices: Offices, datasets: Collection[str], name: str) -> (
    Table | None
):  # fmt: skip
    """Return an area's Hilfearten and groups by period; None where there are none.

    ``datasets``: those the rows are from; their catalogue says which Hilfeart belongs to which group.
    """
    positions = series.positions({area})
    if not positions - {ALL_HELPS, AMBULANT, OUTSIDE_FAMILY}:
        return None
    periods = series.periods({area})
    members = {group: _members(offices, datasets, group) & positions for group in (AMBULANT, OUTSIDE_FAMILY, ALL_HELPS)}
    ordered = _ordered(positions, members)
    groups = []
    for measure in _OF_HELP_TYPES:
        spec = LINES[measure]
        lines = [
            _line(
                (measure, position), Spec(series.titles[position], spec.look),
                [series.cell(area, position, period, measure) for period in periods],
                _of_position(measure, position, positions, members),
            )
            for position in ordered
        ]  # fmt: skip
        # Most groups lack nothing, and of a rest there are no costs per case.
        lines = [line for line in lines
                 if not line.empty() or not (measure in _WHERE_KNOWN or line.key[1].endswith(SUFFIX))]  # fmt: skip
        groups.append(Group(spec.title, tuple(lines)))
    known = _known(groups, lines=True)
    return Table(name, f"Hilfearten ({series.words()})", tuple(periods), known, told.base) if known else None


def of_areas(
    series: Series, areas: Sequence[Area], names: dict[Area, str], told: Told, name: str, title: str, city: Area | None
) -> Table | None:
    """Return areas beside each other and beside their city, all helps; None where fewer than two have figures.

    What the areas lack to their city ("nicht zuordenbar / Rundung") follows where the rows tell it.
    """
    there = [one for one in (*areas, *([city] if city and city not in areas else [])) if _tells(series, one)]
    if len(there) < 2:
        return None
    rests = sorted(one for one in series.areas() if city is not None and one[1] == f"{city[1]}{SUFFIX}")
    periods = [period for period in series.periods(set(there))
               if any((area, ALL_HELPS, period) in series.rows for area in there)]  # fmt: skip
    groups = []
    for measure in _OF_AREAS:
        spec = LINES[measure]
        lines = []
        for area in (*there, *rests):
            formulas = formulas_of(measure, _subject(area), _subject(area), _subject(city) if city else CITY)
            if area in rests and city is not None:
                formulas = (
                    total_less((measure, _subject(city)), [(measure, _subject(one)) for one in areas if one != city]),
                )
            if measure == "help_quotient":  # its parts are not in this table
                formulas = ()
            cells = [series.cell(area, ALL_HELPS, period, measure) for period in periods]
            made = _line((measure, _subject(area)), Spec(names[area], spec.look), cells, formulas)
            if area == city and measure.endswith(("_diff", "_effect")):
                continue  # the city is not compared with itself
            if area not in rests or not made.empty():
                lines.append(made)
        groups.append(Group(spec.title, tuple(lines)))
    without = tuple(group.title for group in groups if all(line.empty() for line in group.lines))
    known = tuple(group for group in groups if group.title not in without)
    return Table(name, title, tuple(periods), known, told.base, (), without)


def _tells(series: Series, area: Area) -> bool:
    return any(one == area and position == ALL_HELPS for one, position, _period in series.rows)


def _subject(area: Area) -> str:
    return ":".join(area)


def _line(key: Key, spec: Spec, cells: Iterable[Cell], formulas: tuple[Formula, ...]) -> Line:
    given = tuple(cells)
    look = spec.look
    # Means of key dates are fractional; whole counts stay whole.
    if key[0] in _COUNTS and any(cell.value is not None and cell.value % 1 for cell in given):
        look = RATE
    return Line(key, spec.title, look, given, formulas)


def _known(groups: Iterable[Group], *, lines: bool = False) -> tuple[Group, ...]:
    """Return the groups without lines of which nothing is known; ``lines``: only where a whole group is unknown."""
    kept = [
        group if lines else replace(group, lines=tuple(line for line in group.lines if not line.empty()))
        for group in groups
    ]
    return tuple(group for group in kept if any(not line.empty() for line in group.lines))


def _members(offices: Offices, datasets: Collection[str], group: str) -> frozenset[str]:
    found = (offices.members(dataset, group) for dataset in sorted(datasets))
    return next((members for members in found if members), frozenset())


def _ordered(positions: set[str], members: dict[str, frozenset[str]]) -> list[str]:
    """Return the positions in order: all helps, each group with its Hilfearten and what these lack, then the others."""
    order = [ALL_HELPS, f"{ALL_HELPS}{SUFFIX}"]
    for group in (AMBULANT, OUTSIDE_FAMILY):
        order += [group, *sorted(members[group]), f"{group}{SUFFIX}"]
    left = sorted(positions - set(order))
    return [one for one in dict.fromkeys((*order, *left)) if one in positions]


def _of_position(
    measure: str, position: str, positions: set[str], members: dict[str, frozenset[str]]
) -> tuple[Formula, ...]:
    if not position.endswith(SUFFIX):
        return formulas_of(measure, position)
    group = position.removesuffix(SUFFIX)
    parts = [[AMBULANT, OUTSIDE_FAMILY]] if group == ALL_HELPS and {AMBULANT, OUTSIDE_FAMILY} <= positions else []
    parts += [sorted(members[group])] if members.get(group) else []
    return tuple(total_less((measure, group), [(measure, part) for part in one]) for one in parts)
