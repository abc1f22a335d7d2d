r"""Mappings: a TOML file that brings any layout to the canonical columns. A second city needs one and no code.

.. code-block:: toml

    [dataset]                      # footnotes of the data
    title = "Offene Kinder- und Jugendarbeit"
    licence = "dl-de/by-2-0"
    attribution = "Freie und Hansestadt Hamburg"
    as_of = 2026-01-01

    [source]                       # properties of the source
    crs = "EPSG:25832"             # only where the source does not say
    decimal = ","                  # how it writes numbers
    dash = "missing"               # what a lone dash says

    [columns]                      # canonical column = source column, or a rule
    name = "einrichtung"
    parent_key = { from = "id", chars = "3" }
    house_number = { from = "adresse", pattern = '(\d+\s*[a-z]?)$' }
    category = { from = "angebotstyp", values = { "Öffentliche Bücherhalle" = "sonstige" }, default = "okja" }
    city = { constant = "Hamburg" }

    [identity]                     # columns that make an id where the source has none
    columns = ["name", "street"]
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from importers.errors import MappingError
from importers.sources.base import objects

SHIPPED = Path(__file__).parent / "mappings"
Columns: TypeAlias = AbstractMapping[str, NDArray[Any]]


def is_empty(value: object) -> bool:
    """Tell whether a cell holds nothing."""
    return value is None or value == ""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


class Rule(_Strict):
    """How one canonical column is made. Steps in order: ``from``, ``pattern``, ``chars``, ``zfill``, ``values``.

    ``from``: one source column, or several of which the first filled one counts. ``pattern``: the first group
    of the first match. ``chars``: positions from 1 (``3`` or ``1-5``). ``zfill``: leading zeros up to that
    width. ``values``: a table of values. ``default``: for what the table does not hold (or, without a table,
    for empty). ``constant``: the same for every row.
    """

    source: str | tuple[str, ...] | None = Field(default=None, alias="from")
    pattern: str | None = None
    chars: str | None = None
    zfill: int | None = None
    values: dict[str, str] | None = None
    default: str | None = None
    constant: str | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"das Muster ist kein gültiger regulärer Ausdruck ({error})") from error
            if groups != 1:
                raise ValueError("das Muster braucht genau eine Gruppe in runden Klammern")
        return value

    @field_validator("chars")
    @classmethod
    def _positions(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)?", value):
            raise ValueError("chars ist eine Stelle wie „3“ oder ein Bereich wie „1-5“")
        return value

    @model_validator(mode="after")
    def _has_origin(self) -> "Rule":
        if (self.source is None) == (self.constant is None):
            raise ValueError("eine Regel braucht entweder „from“ oder „constant“")
        return self

    def sources(self) -> tuple[str, ...]:
        """Return the source columns the rule reads."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    def apply(self, columns: Columns, count: int) -> NDArray[Any]:
        """Return the canonical column (objects: str, number or None) for ``count`` rows of the source's columns."""
        if self.constant is not None:
            return objects([self.constant] * count)
        first, *others = self.sources()
        column = columns[first]
        for other in others:
            column = np.where([is_empty(value) for value in column], columns[other], column)
        if self.pattern or self.chars or self.zfill or self.values is not None:
            column = objects([None if value is None else self._step(value) for value in column])
        if self.default is not None:
            column = objects([self.default if is_empty(value) else value for value in column])
        return column

    def _step(self, value: object) -> str | None:
        text: str | None = str(value).strip()
        if self.pattern is not None:
            match = re.search(self.pattern, str(text))
            text = match.group(1) if match else None
        if text is not None and self.chars is not None:
            first, _, last = self.chars.partition("-")
            text = text[int(first) - 1 : int(last or first)] or None
        if text is not None and self.zfill is not None:
            text = text.zfill(self.zfill)
        if self.values is not None:
            return self.values.get(text or "", self.default if self.default is not None else text)
        return text


class DatasetInfo(_Strict):
    """Footnotes of the data a mapping brings."""

    name: str | None = None
    title: str | None = None
    licence: str | None = None
    attribution: str | None = None
    as_of: dt.date | None = None


class SourceInfo(_Strict):
    """Properties of the source that it does not say itself."""

    crs: str | None = None
    layer: str | None = None
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None


class Identity(_Strict):
    """The canonical columns that make an id where the source has none."""

    columns: tuple[str, ...] = ()


class Mapping(_Strict):
    """A whole mapping. ``level`` and ``parent_level`` are for areas, ``category`` for facilities."""

    dataset: DatasetInfo = DatasetInfo()
    source: SourceInfo = SourceInfo()
    columns: dict[str, Rule] = {}
    identity: Identity = Identity()
    parent_level: str | None = None
    level_title: str | None = None
    keep_attributes: bool = False

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:  # noqa: ANN401 - raw TOML
        if isinstance(value, dict):
            return {name: {"from": rule} if isinstance(rule, str | list) else rule for name, rule in value.items()}
        return value


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; a name without folder is looked for among the shipped ones too."""
    found = path if path.exists() or path.is_absolute() else SHIPPED / path
    try:
        raw = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"Die Zuordnungsdatei „{path.name}“ lässt sich nicht lesen.") from error
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"Die Zuordnungsdatei „{path.name}“ ist kein gültiges TOML ({error}).") from error
    try:
        return Mapping.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            what = "diesen Eintrag gibt es nicht."
        elif first["type"] == "value_error":
            what = f"{first['msg'].removeprefix('Value error, ')}."
        else:
            what = f"der Wert „{first['input']}“ passt hier nicht."
        raise MappingError(f"Die Zuordnungsdatei „{path.name}“: {where}: {what}") from error


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


def require_known(named: Iterable[str], known: tuple[str, ...], things: str) -> None:
    """Raise ``MappingError`` if the mapping names a canonical column these things (German, dative) do not have."""
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise MappingError(
            f"Die Zuordnung nennt die Spalte „{unknown[0]}“, die es bei {things} nicht gibt. "
            f"Möglich sind: {', '.join(known)}."
        )


def require_columns(
    rules: AbstractMapping[str, Rule], present: tuple[str, ...], needed: tuple[str, ...], source: str
) -> None:
    """Raise ``MappingError`` if a rule reads a column the source lacks, or a needed column has no origin."""
    for column, rule in rules.items():
        for name in rule.sources():
            if name not in present:
                raise MappingError(
                    f"„{source}“ hat keine Spalte „{name}“ (gebraucht für „{column}“). Vorhanden: {', '.join(present)}."
                )
    lower = {name.strip().lower() for name in present}
    for column in needed:
        if column not in rules and column not in lower:
            raise MappingError(
                f"„{source}“ hat keine Spalte „{column}“. Vorhanden: {', '.join(present)}. "
                "Mit --mapping lässt sich eine andere Spalte zuordnen."
            )
