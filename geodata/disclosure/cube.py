"""What is published of one quarter, as a table of cells: areas of several levels by categories, with their totals.

A :class:`Sheet` is one table by one role: placements by responsible office (Land and Bezirk by provider's state), or by
origin (Sozialraum and Stadtteil by Hamburg and außerhalb). Everything that ties its cells together is an equality:

- the categories of an area add up to its total, those of a group ("außerhalb") to the group's subtotal;
- the areas of a level add up to the area of a wider level, column by column (:class:`Sums`), where both are published;
- where areas of two levels overlap, both are sums of the same pieces, column by column (:class:`Crossing`). Nobody
  knows the pieces, but a Sozialraum that is made of two Stadtteile less one of them is the other: without this, a
  difference between levels would give a suppressed count away.

What is delivered need not add up. The remainder is taken to be known to everybody, which is the safe side (who knows
less can work out less); ``slack`` says instead within which bounds it is known.

What must stay in doubt (:class:`Rule`): every count above 0 and below ``small`` is suppressed, and in the eyes of
everybody who does not know it anyway it may be as low as ``floor`` and as high as ``small``. An area whose total is
below ``sensitive_below`` and lies wholly in one category (or group) tells the category of each of its young people
to whoever knows that one is among them. The harm lies in the certain nothing in the other categories, so that is what
is protected: their sum may be ``small`` or more in the eyes of everybody. It is the same bound as for small counts, for
with a smaller one the interval itself would tell an attacker that the count is none of 1 or 2. Which of the area's
cells are suppressed for it (category, total, one of the noughts) is left to the choice of least loss.

Whose eyes: the public's, who know nothing but what is published, and those of each office, whose planners know all
cells of their own areas on every sheet (:attr:`Level.offices`); nobody is taken to pool knowledge with others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from geodata.disclosure.suppress import Pattern
from geodata.disclosure.table import Bools, Floats, Key, Table, TableBuilder

Slack = tuple[float, float]

_CATEGORY, _GROUP, _TOTAL = "category", "group", "total"
_SIZED = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Areas of one level. ``counts`` has the shape (areas, categories); NaN: nobody has this figure.

    ``totals`` (areas,): as printed; None: the sum of the categories, NaN where one is missing. ``offices``: for each
    area the office whose planners know it exactly, None for nobody's; empty: nobody's at all. ``slack``: the remainder
    of the totals is known only to lie within these bounds.
    """

    name: str
    areas: tuple[str, ...]
    counts: Floats
    totals: Floats | None = None
    offices: tuple[str | None, ...] = ()
    slack: Slack | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """The areas of the level ``parts`` add up to areas of the level ``whole``.

    ``of``: for each area of ``parts`` the key of the area it is a part of, None for none. ``slack``: as in Level.
    """

    parts: str
    whole: str
    of: tuple[str | None, ...]
    slack: Slack | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """Two levels that cover the same ground and do not nest; ``overlaps`` (areas of one, areas of other)."""

    one: str
    other: str
    overlaps: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Levels by the same categories. ``groups``: subtotals that are published as well, by the categories in them."""

    name: str
    categories: tuple[str, ...]
    levels: tuple[Level, ...]
    sums: tuple[Sums, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def level(self, name: str) -> Level:
        """Return a level by its name; KeyError if there is none."""
        for level in self.levels:
            if level.name == name:
                return level
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Rule:
    """What must stay in doubt; see the module. ``small`` itself is published."""

    small: float = 3.0
    floor: float = 1.0
    sensitive_below: float = 10.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What is lost with a cell: a category of an area that is nobody's sum, a total in one direction, in both.

    ``size`` is added per counted case up to ten, so that of two cells the smaller is given up. As every weight lies
    between 1 and under 2, the pattern of least loss has fewer than twice the cells of the one with the fewest.
    """

    cell: float = 1.0
    total: float = 1.5
    grand: float = 1.75
    size: float = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What is suppressed of a level.

    ``counts`` (areas, categories), ``groups`` (areas, groups), ``totals`` (areas,). What nobody has (NaN) is False.
    """

    counts: Bools
    groups: Bools
    totals: Bools


def build(sheets: Iterable[Sheet], rule: Rule = Rule(), weights: Weights = Weights()) -> Table:
    """Return the table that an attacker sees of some sheets.

    Raises ValueError for shapes that do not fit, negative counts and remainders outside their slack.
    """
    builder = TableBuilder()
    for sheet in sheets:
        wholes = {sums.whole for sums in sheet.sums}
        for level in sheet.levels:
            _add_level(builder, sheet, level, rule, weights, whole=level.name in wholes)
        for sums in sheet.sums:
            _add_sums(builder, sheet, sums)
        for crossing in sheet.crossings:
            _add_crossing(builder, sheet, crossing)
    return builder.build()


def masks(pattern: Pattern, sheet: Sheet, level: str) -> Masks:
    """Return what a pattern suppresses of a level, in the order of its areas and of the sheet's categories."""
    place = pattern.table.position

    def hit(kind: str, names: Sequence[str]) -> Bools:
        return np.array(
            [
                [bool(pattern.suppressed[place[_key(sheet, level, area, kind, name)]]) for name in names]
                for area in sheet.level(level).areas
            ],
            dtype=np.bool_,
        ).reshape(len(sheet.level(level).areas), len(names))

    return Masks(hit(_CATEGORY, sheet.categories), hit(_GROUP, tuple(sheet.groups)), hit(_TOTAL, ("",))[:, 0])


def responsible_sheet(
    level: Level,
    states: tuple[str, ...],
    *,
    home_state: str,
    city: str,
    land: Level | None = None,
    unknown: str = "ohne Angabe",
    name: str = "zustaendig",
) -> Sheet:
    """Return the sheet of placements by responsible office: the offices' level and the Land by provider's state.

    ``level``: the offices' areas; where it names no ``offices``, each area is an office. ``land``: the Land as printed,
    with the one area ``city``; None: the sum. Every state but ``home_state`` and ``unknown`` is "außerhalb".
    """
    offices = level.offices or level.areas
    whole = land or Level("land", (city,), level.counts.sum(axis=0, keepdims=True))
    outside = tuple(state for state in states if state not in {home_state, unknown})
    return Sheet(
        name=name,
        categories=states,
        levels=(Level(level.name, level.areas, level.counts, level.totals, offices, level.slack), whole),
        sums=(Sums(level.name, whole.name, (city,) * len(level.areas)),),
        groups={"außerhalb": outside} if len(outside) > 1 else {},
    )


def origin_sheet(
    levels: Sequence[Level],
    categories: tuple[str, ...],
    *,
    city: Level | None = None,
    sums: Sequence[Sums] = (),
    crossings: Sequence[Crossing] = (),
    name: str = "herkunft",
) -> Sheet:
    """Return the sheet of placements by origin: levels by, say, Hamburg and außerhalb.

    ``city``: the city's own row, if it is published; every level but those that are in ``sums`` adds up to it.
    """
    ties = list(sums)
    if city is not None:
        part_of = {one.parts for one in sums}
        ties += [
            Sums(level.name, city.name, (city.areas[0],) * len(level.areas))
            for level in levels
            if level.name not in part_of
        ]
    whole = () if city is None else (city,)
    return Sheet(name, categories, (*levels, *whole), tuple(ties), tuple(crossings))


def _key(sheet: Sheet, level: str, area: str, kind: str, name: str) -> Key:
    return (sheet.name, level, area, kind, name)


def _columns(sheet: Sheet) -> list[tuple[str, str]]:
    """Return kind and name of every published column."""
    return [
        *((_CATEGORY, category) for category in sheet.categories),
        *((_GROUP, group) for group in sheet.groups),
        (_TOTAL, ""),
    ]


def _add_level(builder: TableBuilder, sheet: Sheet, level: Level, rule: Rule, weights: Weights, *, whole: bool) -> None:
    if level.counts.shape != (len(level.areas), len(sheet.categories)):
        raise ValueError(f"counts of {level.name} have the shape {level.counts.shape}")
    if level.offices and len(level.offices) != len(level.areas):
        raise ValueError(f"{level.name}: {len(level.offices)} offices for {len(level.areas)} areas")
    totals = level.counts.sum(axis=1) if level.totals is None else level.totals
    where = {category: number for number, category in enumerate(sheet.categories)}
    for row, area in enumerate(level.areas):
        counts = {(_CATEGORY, name): float(level.counts[row, at]) for name, at in where.items()}
        sums = {
            (_GROUP, group): float(level.counts[row, [where[name] for name in inside]].sum())
            for group, inside in sheet.groups.items()
        }
        keys = {column: _key(sheet, level.name, area, *column) for column in _columns(sheet)}
        for column, value in {**counts, **sums, (_TOTAL, ""): float(totals[row])}.items():
            kinds = (whole, column[0] != _CATEGORY)
            base = weights.grand if all(kinds) else weights.total if any(kinds) else weights.cell
            if np.isnan(value):
                builder.hidden(keys[column])
                continue
            builder.cell(keys[column], value, base + weights.size * min(value, _SIZED))
            if 0 < value < rule.small:
                builder.suppress(keys[column])
                builder.keep_open(keys[column], at_most=rule.floor, at_least=rule.small)
        for group, inside in sheet.groups.items():
            builder.equal({**{keys[_CATEGORY, name]: 1.0 for name in inside}, keys[_GROUP, group]: -1.0})
        builder.equal({**{keys[column]: 1.0 for column in counts}, keys[_TOTAL, ""]: -1.0}, level.slack)
        _keep_categories_open(builder, sheet, level.name, area, counts, rule)
        if level.offices and (office := level.offices[row]) is not None:
            builder.knows(office, keys.values())


def _keep_categories_open(
    builder: TableBuilder, sheet: Sheet, level: str, area: str, counts: Mapping[tuple[str, str], float], rule: Rule
) -> None:
    """Keep the noughts beside the only category of a small area in doubt."""
    whole = sum(counts.values())
    if not 0 < whole < rule.sensitive_below:
        return
    present = {name for (_, name), value in counts.items() if value > 0}
    candidates = [*((name,) for name in sheet.categories), *sheet.groups.values()]
    others = {frozenset(sheet.categories) - frozenset(inside) for inside in candidates if present <= set(inside)}
    for rest in sorted(tuple(sorted(names)) for names in others if names):
        keys = [_key(sheet, level, area, _CATEGORY, name) for name in rest]
        kept = keys[0]
        if len(keys) > 1:
            kept = _key(sheet, level, area, "others", "\x1f".join(rest))
            builder.hidden(kept, 0.0)
            builder.equal({**dict.fromkeys(keys, 1.0), kept: -1.0})
        builder.keep_open(kept, at_least=rule.small)


def _add_sums(builder: TableBuilder, sheet: Sheet, sums: Sums) -> None:
    parts, whole = sheet.level(sums.parts), sheet.level(sums.whole)
    for area in whole.areas:
        inside = [part for part, of in zip(parts.areas, sums.of, strict=True) if of == area]
        if not inside:
            continue
        for column in _columns(sheet):
            terms = {_key(sheet, parts.name, part, *column): 1.0 for part in inside}
            builder.equal({**terms, _key(sheet, whole.name, area, *column): -1.0}, sums.slack)


def _add_crossing(builder: TableBuilder, sheet: Sheet, crossing: Crossing) -> None:
    one, other = sheet.level(crossing.one), sheet.level(crossing.other)
    if crossing.overlaps.shape != (len(one.areas), len(other.areas)):
        raise ValueError(f"overlaps of {one.name} and {other.name} have the shape {crossing.overlaps.shape}")
    for category in sheet.categories:
        pieces: dict[tuple[int, int], Key] = {}
        for left, right in np.argwhere(crossing.overlaps).tolist():
            names = f"{one.name}\x1f{other.name}", f"{one.areas[left]}\x1f{other.areas[right]}"
            pieces[left, right] = _key(sheet, *names, _CATEGORY, category)
            builder.hidden(pieces[left, right])
        for level, side in ((one, 0), (other, 1)):
            for number, area in enumerate(level.areas):
                terms = {piece: 1.0 for at, piece in pieces.items() if at[side] == number}
                if terms:
                    builder.equal({**terms, _key(sheet, level.name, area, _CATEGORY, category): -1.0})
