r"""Mappings: a TOML file that brings any layout to the canonical columns. A second city needs one and no code.

.. code-block:: toml

    level = "stadtteil"            # the area level of rows that name none (statistics)
    category = "okja"              # the category of rows that name none (facilities)

    [dataset]                      # footnotes of the data
    title = "Offene Kinder- und Jugendarbeit"
    licence = "dl-de/by-2-0"
    attribution = "Freie und Hansestadt Hamburg"
    as_of = 2026-01-01

    [source]                       # properties of the source
    crs = "EPSG:25832"             # only where the source does not say
    decimal = ","                  # how it writes numbers
    dash = "missing"               # what a lone dash says
    skip_rows = 1                  # rows above the header
    header_rows = 2                # rows of the header
    footer = '^Quelle'             # where the table ends

    [source.workbook]              # what differs where the same table comes as a workbook
    sheet = "Tabelle 1"

    [columns]                      # canonical column = source column, or a rule
    name = "einrichtung"
    parent_key = { from = "id", chars = "3" }
    house_number = { from = "adresse", part = "house_number" }
    category = { from = "angebotstyp", values = { "Öffentliche Bücherhalle" = "sonstige" }, default = "okja" }
    city = { constant = "Hamburg" }
    area_key = { from = "Stadtteil", lookup = "stadtteil" }

    [aliases.stadtteil]            # names that differ, and areas the table reports as one
    "Klein Grasbrook" = "02117"
    "Steinwerder/Kl. Grasbrook" = ["02116", "02117"]

    [identity]                     # columns that make an id where the source has none
    columns = ["name", "street"]

Wide tables: see ``importers.unpivot``; target ages from ticked age groups: ``importers.ages_rule``.
"""

import codecs
import datetime as dt
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from importers.ages_rule import Ages
from importers.errors import MappingError
from importers.rules import Columns, Rule, Strict, canonical, compiled, factors, is_empty, scaled
from importers.sources.base import Layout
from importers.unpivot import Unpivot, planned

__all__ = [
    "Columns", "DatasetInfo", "Identity", "Mapping", "Rule", "SourceInfo", "TableInfo", "canonical", "factors",
    "is_empty", "read_mapping", "require_columns", "require_known", "scaled",
]  # fmt: skip

SHIPPED = Path(__file__).parent / "mappings"
WORKBOOKS = frozenset({".xlsx", ".xlsm"})
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-1", "iso8859-15", "cp850", "cp437", "mac-roman")


class DatasetInfo(Strict):
    """Footnotes of the data a mapping brings.

    ``counting`` (how it counts), ``unit`` (what it counts), ``scope`` (what is in and out, in words) and
    ``population_period`` (of the residents that rates refer to) are for figures; their kinds check them.
    """

    name: str | None = None
    title: str | None = None
    licence: str | None = None
    attribution: str | None = None
    as_of: dt.date | None = None
    counting: str | None = None
    unit: str | None = None
    scope: str | None = None
    population_period: str | None = None
    release: Literal["public", "internal"] | None = None


class TableInfo(Strict):
    """How the table lies in its file (see ``Layout``); what is not said stays as recognised."""

    header_rows: int = Field(default=1, ge=1, le=20)
    title_row: int | None = Field(default=None, ge=1)
    skip_rows: int = Field(default=0, ge=0, le=1000)
    sheet: str | None = None
    rows_path: str | None = None
    fill_merged: bool = False
    encoding: str | None = None
    delimiter: Literal[";", ",", "\t", "|"] | None = None
    footer: str | None = None
    sections: dict[str, str] = Field(default={})

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            name = codecs.lookup(value).name
        except (LookupError, ValueError):
            name = ""
        if name not in _ENCODINGS:
            raise ValueError(f"die Zeichenkodierung „{value}“ wird nicht gelesen; möglich sind {', '.join(_ENCODINGS)}")
        return name

    @field_validator("footer")
    @classmethod
    def _footer_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            compiled(value)
        return value

    @field_validator("sections")
    @classmethod
    def _sections_compile(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value.values():
            compiled(pattern)
        return value

    def _said(self) -> dict[str, Any]:
        """Return what the mapping says outright about the layout."""
        names = self.model_fields_set & TableInfo.model_fields.keys()
        said = {name: getattr(self, name) for name in names}
        if "sections" in said:
            said["sections"] = tuple(self.sections.items())
        return said


class SourceInfo(TableInfo):
    """Properties of the source that it does not say itself. ``workbook``: what differs where it is a workbook."""

    crs: str | None = None
    layer: str | None = None
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None
    workbook: TableInfo | None = None

    @model_validator(mode="after")
    def _title_row_exists(self) -> "SourceInfo":
        for name in (None, "a.xlsx"):
            layout = self.layout(name)
            if layout.title_row is not None and layout.title_row > layout.header_rows:
                raise ValueError("title_row ist größer als header_rows")
        return self

    def layout(self, name: str | PurePath | None = None) -> Layout:
        """Return how the table lies in its file; ``name``: the file's, for what differs where it is a workbook."""
        said = self._said()
        if self.layer is not None:
            said.setdefault("sheet", self.layer)
        if self.workbook is not None and name is not None and PurePath(name).suffix.lower() in WORKBOOKS:
            said |= self.workbook._said()  # noqa: SLF001 - the same class
        return Layout(**said)


class Identity(Strict):
    """The canonical columns that make an id where the source has none."""

    columns: tuple[str, ...] = ()


class Mapping(Strict):
    """A whole mapping.

    ``level``: the area level of rows that name none; ``parent_level``, ``level_title``, ``keep_attributes`` and
    ``join_parts`` (``importers.joined``) are for areas; ``category`` for facilities that name none. ``aliases``:
    level -> {name: key, or the keys of a merged area}. ``agree``: pairs of source columns that should say the same;
    where they differ the report warns.
    """

    dataset: DatasetInfo = DatasetInfo()
    source: SourceInfo = SourceInfo()
    columns: dict[str, Rule] = Field(default={})
    aliases: dict[str, dict[str, str | tuple[str, ...]]] = Field(default={})
    unpivot: Unpivot | None = None
    ages: Ages | None = None
    identity: Identity = Identity()
    level: str | None = None
    category: str | None = None
    parent_level: str | None = None
    level_title: str | None = None
    keep_attributes: bool = False
    join_parts: bool = False
    agree: tuple[tuple[str, str], ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:  # noqa: ANN401 - raw TOML
        if isinstance(value, dict):
            return {name: {"from": rule} if isinstance(rule, str | list) else rule for name, rule in value.items()}
        return value

    @model_validator(mode="after")
    def _values_have_one_origin(self) -> "Mapping":
        if self.ages is not None and self.columns.keys() & {"age_from", "age_to"}:
            raise ValueError("age_from und age_to kommen aus [ages] und können nicht auch eine Regel haben")
        if self.unpivot is not None:
            for name in (self.unpivot.value, self.unpivot.rest, *self.unpivot.into):
                if name in self.columns:
                    raise ValueError(f"die Spalte „{name}“ kommt aus [unpivot] und kann nicht auch eine Regel haben")
            for name, rule in self.columns.items():
                if rule.lookup in self.unpivot.makes() or (rule.lookup and name in self.unpivot.makes()):
                    raise ValueError(f"für „{name}“ geht lookup nicht zusammen mit dem, was [unpivot] füllt")
        return self

    def makes(self) -> tuple[str, ...]:
        """Return every canonical column the mapping names, by rule or by unpivoting."""
        return tuple(dict.fromkeys([*self.columns, *(self.unpivot.makes() if self.unpivot else ())]))


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


def require_known(named: Iterable[str], known: tuple[str, ...], things: str) -> None:
    """Raise ``MappingError`` if the mapping names a canonical column these things (German, dative) do not have."""
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise MappingError(
            f"Die Zuordnung nennt die Spalte „{unknown[0]}“, die es bei {things} nicht gibt. "
            f"Möglich sind: {', '.join(known)}."
        )


def require_columns(
    rules: AbstractMapping[str, Rule],
    present: tuple[str, ...],
    needed: tuple[str, ...],
    source: str,
    unpivot: Unpivot | None = None,
) -> None:
    """Raise ``MappingError`` if a rule or [unpivot] reads a column the source lacks, or a needed one has no origin."""
    for column, rule in rules.items():
        for name in rule.sources():
            if name not in present:
                raise MappingError(
                    f"„{source}“ hat keine Spalte „{name}“ (gebraucht für „{column}“). Vorhanden: {', '.join(present)}."
                )
    made: tuple[str, ...] = ()
    if unpivot is not None:
        read = {name for rule in rules.values() for name in rule.sources()}
        planned(unpivot, present, frozenset(read), f"„{source}“")
        made = unpivot.makes()
    lower = {name.strip().lower() for name in present}
    for column in needed:
        if column not in rules and column not in lower and column not in made:
            raise MappingError(
                f"„{source}“ hat keine Spalte „{column}“. Vorhanden: {', '.join(present)}. "
                "Mit --mapping lässt sich eine andere Spalte zuordnen."
            )
