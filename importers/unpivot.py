r"""From wide to long: one row per area and many columns becomes one row per area and figure.

.. code-block:: toml

    [unpivot]                              # (a) columns that differ by a part of their name
    pattern = '^jahr_(\d{4})$'
    into = "period"

    [[unpivot.column]]                     # (b) one column per indicator
    from = "bev_u18"
    set = { indicator = "population", position = "0-18" }

    [unpivot]                              # (c) all columns that remain
    rest = "indicator"
    except = ["gid"]
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from geodata.spelling import UMLAUTS
from importers.errors import MappingError
from importers.lookup import Lookup, resolved
from importers.report import Report
from importers.rules import Columns, Strict, canonical, compiled, scaled
from importers.sources.base import CHUNK_ROWS, Chunk, objects

if TYPE_CHECKING:
    from importers.mapping import Mapping

_WORDS = str.maketrans({"%": " prozent ", "€": " eur ", "&": " und ", **UMLAUTS})


def slug(name: str) -> str:
    """Return a column's name made plain: lower case, ASCII where there is a way, words joined by ``_``.

    "Anteil der unter 18-Jährigen in %" is ``anteil_der_unter_18_jaehrigen_in_prozent``.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).replace("\u00ad", "").casefold())
    letters = unicodedata.normalize("NFKD", text.translate(_WORDS)).casefold()
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return "_".join(re.findall(r"[^\W_]+", kept))


class UnpivotColumn(Strict):
    """One wide column: ``from`` it come rows with the canonical values of ``set``, the number times ``factor``.

    ``digits``: rounded to so many decimals then, as the office publishes it (its workbook may hold more).
    ``optional``: the source may lack the column.
    """

    source: str = Field(alias="from")
    made: dict[str, str] = Field(default={}, alias="set")
    factor: float = Field(default=1.0, allow_inf_nan=False)
    digits: int | None = Field(default=None, ge=0, le=15)
    optional: bool = False

    @field_validator("factor")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if value == 0:
            raise ValueError("der Faktor darf nicht 0 sein")
        return value


class Unpivot(Strict):
    """How wide columns become rows; the three ways may stand together, a column is taken by the first that fits.

    ``column``: named columns. ``pattern``: every column whose name it matches; its groups become the canonical
    columns of ``into``. ``rest``: every other column that no rule reads and ``except`` does not name; the plain
    name (``slug``) becomes that canonical column. The cell becomes ``value``, times ``factor`` (that of a named
    column is its own).
    """

    column: tuple[UnpivotColumn, ...] = ()
    pattern: str | None = None
    into: tuple[str, ...] = ()
    rest: str | None = None
    left_out: tuple[str, ...] = Field(default=(), alias="except")
    value: str = "value"
    factor: float = Field(default=1.0, allow_inf_nan=False)

    @field_validator("into", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:  # noqa: ANN401 - raw TOML
        return (value,) if isinstance(value, str) else value

    @field_validator("factor")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        return UnpivotColumn._not_zero(value)  # noqa: SLF001 - the same check

    @model_validator(mode="after")
    def _is_whole(self) -> "Unpivot":
        if not self.column and self.pattern is None and self.rest is None:
            raise ValueError("[unpivot] braucht „pattern“, „rest“ oder wenigstens ein [[unpivot.column]]")
        if (self.pattern is None) != (not self.into):
            raise ValueError("„pattern“ und „into“ gehören zusammen")
        if self.pattern is not None and compiled(self.pattern).groups != len(self.into):
            raise ValueError("das Muster braucht für jede Spalte in „into“ genau eine Gruppe in runden Klammern")
        if self.left_out and self.rest is None:
            raise ValueError("„except“ gehört zu „rest“")
        if self.value in {*self.into, self.rest, *(name for column in self.column for name in column.made)}:
            raise ValueError(f"„{self.value}“ ist die Spalte der Werte und kann nicht auch anders gefüllt werden")
        twice = [c.source for i, c in enumerate(self.column) if c.source in {d.source for d in self.column[:i]}]
        if twice:
            raise ValueError(f"die Spalte „{twice[0]}“ ist unter [[unpivot.column]] zweimal genannt")
        return self

    def makes(self) -> tuple[str, ...]:
        """Return the canonical columns the unpivoting fills (for some rows at least)."""
        names = [self.value, *self.into, *([self.rest] if self.rest else [])]
        return tuple(dict.fromkeys([*names, *(name for column in self.column for name in column.made)]))


@dataclass(frozen=True, slots=True)
class Wide:
    """One wide column as it will be taken: its name, the canonical values its rows get, the factor, the decimals."""

    source: str
    made: dict[str, str]
    factor: float
    digits: int | None = None


def planned(
    unpivot: Unpivot, present: tuple[str, ...], used: frozenset[str] = frozenset(), source: str = "Die Quelle"
) -> tuple[Wide, ...]:
    """Return the wide columns of a source, in the source's order. ``used``: columns that ``rest`` leaves alone.

    Raises ``MappingError`` when a named column is missing, no column fits, or two would make the same rows.
    """
    named = {column.source: column for column in unpivot.column}
    for column in unpivot.column:
        if column.source not in present and not column.optional:
            raise MappingError(
                f"{source} hat keine Spalte „{column.source}“ (gebraucht unter [[unpivot.column]]). "
                f"Vorhanden: {', '.join(present)}."
            )
    absent = sorted(set(unpivot.left_out) - set(present))
    if absent:
        raise MappingError(f"{source} hat keine Spalte „{absent[0]}“ (genannt unter [unpivot] in „except“).")
    plan: list[Wide] = []
    for name in present:
        if name in named:
            plan.append(Wide(name, named[name].made, named[name].factor, named[name].digits))
        elif unpivot.pattern is not None and (match := re.search(unpivot.pattern, name)):
            groups = (group or "" for group in match.groups())
            plan.append(Wide(name, dict(zip(unpivot.into, groups, strict=True)), unpivot.factor))
        elif unpivot.rest is not None and name not in used and name not in unpivot.left_out:
            plan.append(Wide(name, {unpivot.rest: slug(name)}, unpivot.factor))
    if not plan:
        wanted = f" Keine passt auf das Muster „{unpivot.pattern}“." if unpivot.pattern else ""
        raise MappingError(f"{source} hat keine Spalte, die [unpivot] zu Zeilen machen könnte.{wanted}")
    same: defaultdict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for wide in plan:
        same[tuple(sorted(wide.made.items()))].append(wide.source)
    for sources in same.values():
        if len(sources) > 1:
            raise MappingError(
                f"{source}: Die Spalten „{sources[0]}“ und „{sources[1]}“ ergäben unter [unpivot] dieselben Angaben. "
                "Bitte eine davon unter „except“ oder beide mit eigenem „set“ unter [[unpivot.column]] nennen."
            )
    return tuple(plan)


@dataclass(frozen=True, slots=True)
class LongChunk:
    """Rows in canonical columns after unpivoting.

    ``rows``: the source's row number, as often as the row gave values. ``columns``: canonical name -> objects (str,
    number or None). ``fields``: the source column the value came from, None where it came from none. ``factors`` and
    ``digits`` (decimals, -1 for as it is): what becomes of the number read from the value, see ``scaled``.
    """

    rows: NDArray[Any]
    columns: dict[str, NDArray[Any]]
    fields: NDArray[Any]
    factors: NDArray[np.float64]
    digits: NDArray[np.int64]

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers read from the values (one per long row) times their factors, rounded; NaN stays NaN."""
        made = scaled(values, self.factors)
        for digits in np.unique(self.digits[self.digits >= 0]):
            at = self.digits == digits
            made[at] = np.round(made[at], int(digits))
        return made


def used_columns(mapping: "Mapping", present: tuple[str, ...], names: tuple[str, ...]) -> frozenset[str]:
    """Return the source columns that rules read or that have a canonical name themselves (not made by unpivoting)."""
    read = {name for rule in mapping.columns.values() for name in rule.sources()}
    made = mapping.unpivot.makes() if mapping.unpivot else ()
    free = {name for name in names if name not in mapping.columns and name not in made}
    return frozenset(read | {name for name in present if name.strip().lower() in free})


def unpivoted(
    chunk: Chunk,
    mapping: "Mapping",
    names: tuple[str, ...],
    *,
    lookup: Lookup | None = None,
    report: Report | None = None,
) -> LongChunk:
    """Return the chunk in the canonical columns ``names``, wide columns as rows (row by row, columns in order).

    With ``lookup`` (and ``report``) names of areas become keys, once per source row: what is not found is a reject
    there and None here. Without [unpivot] every row stays one row. Raises ``MappingError`` as ``planned``.
    """
    count = len(chunk.rows)
    base = canonical(chunk.columns, count, mapping.columns, names)
    if lookup is not None and report is not None:
        base = resolved(base, chunk.rows, mapping.columns, lookup, report, level=mapping.level)
    if mapping.unpivot is None:
        return _as_it_is(chunk, mapping, base)
    present = tuple(chunk.columns)
    plan = planned(mapping.unpivot, present, used_columns(mapping, present, names))
    return LongChunk(
        np.repeat(chunk.rows, len(plan)),
        _long_columns(chunk.columns, count, base, plan, mapping.unpivot.value),
        np.tile(objects([wide.source for wide in plan]), count),
        np.tile(np.array([wide.factor for wide in plan]), count),
        np.tile(np.array([-1 if wide.digits is None else wide.digits for wide in plan]), count),
    )


def _long_columns(
    columns: Columns, count: int, base: dict[str, NDArray[Any]], plan: tuple[Wide, ...], value: str
) -> dict[str, NDArray[Any]]:
    made: dict[str, NDArray[Any]] = {}
    for name, column in base.items():
        if name != value and not any(name in wide.made for wide in plan):
            made[name] = np.repeat(column, len(plan))
            continue
        cells = np.empty((count, len(plan)), dtype=object)
        for i, wide in enumerate(plan):
            cells[:, i] = columns[wide.source] if name == value else wide.made.get(name, column)
        made[name] = cells.ravel()
    return made


def _as_it_is(chunk: Chunk, mapping: "Mapping", base: dict[str, NDArray[Any]]) -> LongChunk:
    rule = mapping.columns.get("value")
    own = {name.strip().lower(): name for name in chunk.columns}.get("value")
    field = (rule.sources() or (None,))[0] if rule else own
    factor = rule.factor if rule and rule.factor is not None else 1.0
    count = len(chunk.rows)
    return LongChunk(chunk.rows, base, objects([field] * count), np.full(count, factor), np.full(count, -1))


def long_chunks(
    chunk: Chunk,
    mapping: "Mapping",
    names: tuple[str, ...],
    *,
    lookup: Lookup | None = None,
    report: Report | None = None,
    most: int = CHUNK_ROWS,
) -> Iterator[LongChunk]:
    """Yield the chunk unpivoted in pieces of about ``most`` long rows at a time, so that width costs no memory."""
    step = len(chunk.rows)
    if mapping.unpivot is not None:
        step = max(1, most // len(chunk.columns))
    for start in range(0, len(chunk.rows), max(1, step)):
        part = slice(start, start + step)
        piece = Chunk(chunk.rows[part], {name: column[part] for name, column in chunk.columns.items()})
        yield unpivoted(piece, mapping, names, lookup=lookup, report=report)
