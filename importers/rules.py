"""Rules: how one canonical column is made from the columns of a source, step by step."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from importers.errors import MappingError
from importers.parts import PARTS
from importers.sources.base import objects

Columns: TypeAlias = AbstractMapping[str, NDArray[Any]]


def is_empty(value: object) -> bool:
    """Tell whether a cell holds nothing."""
    return value is None or value == ""


def plain_text(value: object) -> str:
    """Return a cell as text without blanks around; a whole number stored as 2101.0 is ``2101``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


class Strict(BaseModel):
    """A part of a mapping: unknown entries are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


def compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern ready for use; raise ``ValueError`` with a German half sentence if it is none."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"das Muster ist kein gültiger regulärer Ausdruck ({error})") from error


class Rule(Strict):
    """How one canonical column is made. Steps: ``from``, ``pattern``, ``part``, ``chars``, ``zfill``, ``values``.

    ``from``: one source column, or several of which the first filled one counts. ``pattern``: the first group
    of the first match. ``part``: that part of an address. ``chars``: positions from 1 (``3`` or ``1-5``).
    ``zfill``: leading zeros up to that width (with ``lookup`` for numbers only). ``values``: a table of values.
    ``default``: for what the table does not hold (or, without a table, for empty). ``constant``: the same for
    every row. ``factor``: what the number is multiplied by once it is read (percent to fraction: 0.01);
    ``lookup``: the value is the name or key of an area of that level, or of the level that this canonical
    column names.
    """

    source: str | tuple[str, ...] | None = Field(default=None, alias="from")
    pattern: str | None = None
    part: Literal["street", "house_number", "postcode", "city"] | None = None
    chars: str | None = None
    zfill: int | None = None
    values: dict[str, str] | None = None
    default: str | None = None
    constant: str | None = None
    factor: float | None = Field(default=None, allow_inf_nan=False)
    lookup: str | None = Field(default=None, min_length=1)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None and compiled(value).groups != 1:
            raise ValueError("das Muster braucht genau eine Gruppe in runden Klammern")
        return value

    @field_validator("chars")
    @classmethod
    def _positions(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)?", value):
            raise ValueError("chars ist eine Stelle wie „3“ oder ein Bereich wie „1-5“")
        return value

    @field_validator("factor")
    @classmethod
    def _not_zero(cls, value: float | None) -> float | None:
        if value == 0:
            raise ValueError("der Faktor darf nicht 0 sein")
        return value

    @model_validator(mode="after")
    def _has_origin(self) -> "Rule":
        if (self.source is None or self.source == ()) == (self.constant is None):
            raise ValueError("eine Regel braucht entweder „from“ oder „constant“")
        return self

    def sources(self) -> tuple[str, ...]:
        """Return the source columns the rule reads."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    def apply(self, columns: Columns, count: int) -> NDArray[Any]:
        """Return the canonical column (objects: str, number or None) for ``count`` rows of the source's columns.

        ``factor`` and ``lookup`` are not applied here: numbers are read and areas known only later
        (``scaled``, ``importers.lookup.resolved``).
        """
        if self.constant is not None:
            return objects([self.constant] * count)
        first, *others = self.sources()
        column = columns[first]
        for other in others:
            column = np.where([is_empty(value) for value in column], columns[other], column)
        if self.pattern or self.part or self.chars or self.zfill or self.values is not None:
            column = objects([None if value is None else self._step(value) for value in column])
        if self.default is not None:
            column = objects([self.default if is_empty(value) else value for value in column])
        return column

    def _step(self, value: object) -> str | None:
        text: str | None = plain_text(value)
        if self.pattern is not None:
            match = re.search(self.pattern, str(text))
            text = match.group(1) if match else None
        if text is not None and self.part is not None:
            text = PARTS[self.part](text)
        if text is not None and self.chars is not None:
            first, _, last = self.chars.partition("-")
            text = text[int(first) - 1 : int(last or first)] or None
        if text is not None and self.zfill is not None and (self.lookup is None or text.isdecimal()):
            text = text.zfill(self.zfill)
        if self.values is not None:
            return self.values.get(text or "", self.default if self.default is not None else text)
        return text


def canonical(
    columns: Columns, count: int, rules: AbstractMapping[str, Rule], names: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """Return ``count`` rows in canonical columns: by rule, else by the column of that name, else empty (None)."""
    by_name = {name.strip().lower(): name for name in columns}
    made: dict[str, NDArray[Any]] = {}
    for name in names:
        if name in rules:
            made[name] = rules[name].apply(columns, count)
        elif name in by_name:
            made[name] = columns[by_name[name]]
        else:
            made[name] = np.full(count, None, dtype=object)
    return made


def factors(rules: AbstractMapping[str, Rule], numeric: Iterable[str]) -> dict[str, float]:
    """Return the factors of the rules: canonical column -> what its numbers are multiplied by (``scaled``).

    Raises ``MappingError`` if a rule gives a factor to a column that is not among the ``numeric`` ones.
    """
    found = {name: rule.factor for name, rule in rules.items() if rule.factor is not None}
    wrong = sorted(set(found) - set(numeric))
    if wrong:
        raise MappingError(
            f"Die Zuordnung gibt der Spalte „{wrong[0]}“ einen Faktor, aber dort stehen keine Zahlen. "
            f"Möglich ist er bei: {', '.join(numeric)}."
        )
    return found


def scaled(values: NDArray[np.float64], factor: "float | NDArray[np.float64]") -> NDArray[np.float64]:
    """Return the numbers times the factor (one, or one per number); NaN stays NaN.

    The product is taken to 15 digits, as many as a number surely has: 62.3 percent are 0.623 and not
    0.6230000000000001. A factor of 1 changes nothing.
    """
    given = np.broadcast_to(np.asarray(factor, dtype=np.float64), values.shape)
    made = np.array(values, dtype=np.float64)
    at = given != 1
    made[at] = [float(f"{product:.15g}") for product in made[at] * given[at]]
    return made
