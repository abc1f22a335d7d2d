"""The rows of the controlling question, sorted into series of what is counted alike.

Different counting, and periods of different length, are never put into one table.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from geodata.controlling_line import ControllingRow
from geodata.controlling_rows import ALL_HELPS
from geodata.controlling_values import span_of
from geodata.periods import parse_period
from service.cli.tables import printable
from service.exports.parts import Cell

Area = tuple[str, str]  # level, key

_COUNTINGS = {
    "stichtag": "am Stichtag",
    "mittel_12_stichtage": "Mittel aus zwölf Stichtagen",
    "kumuliert": "im Zeitraum kumuliert",
    "begonnen": "begonnene Hilfen",
    "beendet": "beendete Hilfen",
}
_SPANS = {"Jahr": "Jahre", "Halbjahr": "Halbjahre", "Quartal": "Quartale", "Monat": "Monate", "Tag": "Stichtage"}
_PLAIN = (
    "flag", "cases", "spending_eur", "residents", "help_density", "spending_per_resident", "spending_per_case",
    "hours_per_case", "group_offer_share", "target_eur", "help_quotient", "follow_up_share", "counselling_ratio",
)  # fmt: skip
# The question's columns that depend on what is compared.
_COMPARED = {"change_pct": "change", "diff_to_city": "diff", "effect_pp": "effect"}
# These rest on more than cases and spending: where no period has them, they are not reported.
_OF_OTHER_COUNTS = frozenset({"hours_per_case", "group_offer_share", "follow_up_share", "counselling_ratio"})
# Of these the row's flag says nothing: they do not rest on its period's helps.
_OF_THEIR_OWN = frozenset({"residents", "target_eur"})


@dataclass(slots=True)
class Series:
    """Rows counted alike, over periods of the same kind. ``rows``: by area, position and period."""

    counting: str | None
    span: str
    rows: dict[tuple[Area, str, str], dict[str, Any]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)

    def words(self) -> str:
        """Return how is counted, over which periods."""
        counted = "Zählweise nicht angegeben" if self.counting is None else _COUNTINGS[self.counting]
        return f"{counted}, {_SPANS[self.span]}" if self.span != "Jahr" else counted

    def weight(self) -> int:
        """Return how many rows tell of all helps."""
        return sum(position == ALL_HELPS for _area, position, _period in self.rows)

    def areas(self) -> set[Area]:
        """Return the areas that have rows."""
        return {area for area, _position, _period in self.rows}

    def periods(self, areas: Collection[Area]) -> list[str]:
        """Return the periods of some areas, in order."""
        return sorted({period for area, _position, period in self.rows if area in areas}, key=parse_period)

    def positions(self, areas: Collection[Area]) -> set[str]:
        """Return the positions of some areas."""
        return {position for area, position, _period in self.rows if area in areas}

    def cell(self, area: Area, position: str, period: str, measure: str) -> Cell:
        """Return a figure; without a value it is suppressed or missing, as its row says."""
        row = self.rows.get((area, position, period))
        if row is None:
            return Cell()
        value = row[measure]
        if value is None:
            told = measure not in _OF_OTHER_COUNTS or self._tells(area, position, measure)
            return Cell(suppressed=told and measure in row["suppressed"])
        return Cell(value, flag="ok" if measure in _OF_THEIR_OWN else row["flag"])

    def _tells(self, area: Area, position: str, measure: str) -> bool:
        return any(values[measure] is not None for (one, at, _period), values in self.rows.items()
                   if (one, at) == (area, position))  # fmt: skip


def series_of(spending: Iterable[ControllingRow], cases: Iterable[ControllingRow]) -> list[Series]:
    """Return the rows in their series, that with the most of all helps first.

    The same rows are given twice: asked for the changes of spending, and for those of cases.
    """
    made: dict[tuple[str | None, str], Series] = {}
    for compared, rows in (("spending", spending), ("cases", cases)):
        for row in rows:
            span = span_of(parse_period(row.period))
            one = made.setdefault((row.counting, span), Series(row.counting, span))
            key = ((row.area_level, row.area_key), row.position, row.period)
            values = one.rows.setdefault(key, {**dict.fromkeys(_names()), "suppressed": set()})
            values |= {name: getattr(row, name) for name in _PLAIN}
            hidden = getattr(row, "suppressed_fields", ())
            values["suppressed"] |= {f"{compared}_{_COMPARED[name]}" if name in _COMPARED else name for name in hidden}
            values |= {f"{compared}_{short}": getattr(row, name) for name, short in _COMPARED.items()}
            one.titles[row.position] = printable(row.position_title)
            if row.unit is not None:
                one.units.add(row.unit)
    return sorted(made.values(), key=lambda one: (-one.weight(), -len(one.rows), one.words()))


def _names() -> Iterator[str]:
    yield from (f"{compared}_{short}" for compared in ("spending", "cases") for short in _COMPARED.values())
