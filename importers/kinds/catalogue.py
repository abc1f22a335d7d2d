"""The office's catalogue: indicators, Hilfearten and their groups, Richtwerte, and which dataset goes first.

.. code-block:: toml

    [[indicator]]
    code = "u18_share"
    title = "Anteil der unter 18-Jährigen"
    unit = "%"
    kind = "share"
    numerator = "population:0-18"
    denominator = "population:total"
    factor = 100

    [[help_type]]
    code = "31"
    title = "Sozialpädagogische Familienhilfe"
    paragraphs = ["31"]
    groups = ["ambulant"]
    unit = "familien"

    [[help_group]]
    code = "ambulant"
    title = "Ambulante Hilfen"

    [[standard]]
    code = "okja_plaetze"
    title = "Plätze der offenen Arbeit"
    category = "okja"
    measure = "supply"
    value = 30
    unit = "places"
    age_from = 6
    age_to = 14
    source = "Jugendhilfeplan 2024"
    resolution = "Jugendhilfeausschuss, Drucksache 21-0815"
    resolved_on = 2024-03-14

    [[rank]]
    dataset = "statistics.regionalstatistik_stadtteile"
    rank = 1
"""

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from sqlalchemy import Engine, text

from geodata.conflicts import conflicts
from geodata.figure_tables import MOST_PER_1000, UNITS
from geodata.indicators import HELP_GROUPS, OFFICE_CATALOGUE, described_codes
from geodata.tables import CATEGORIES, SUPPLY_UNITS
from importers.errors import MappingError, RefusedError
from importers.load import NOTHING_SAID, Footnotes, Job, Limit, Rules, importing, publish
from importers.mapping import DatasetInfo
from importers.report import Report
from importers.rules import Strict
from importers.sources import Provenance
from importers.sources.base import checksum

SHIPPED = Path(__file__).parents[1] / "catalogues"
_MAX_BYTES = 4 * 1024**2
_CODE = re.compile(r"[^\s:·]([^:·\n\t]{0,118}[^\s:·])?")


def _plain_code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError("ein Kürzel hat 1 bis 120 Zeichen und keinen Doppelpunkt")
    return value


class _Coded(Strict):
    code: str
    title: str = Field(min_length=1, max_length=500)

    @field_validator("code")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        return _plain_code(value)


class IndicatorEntry(_Coded):
    """An indicator. ``numerator`` and ``denominator`` are ``indicator`` or ``indicator:position``."""

    kind: Literal["count", "share", "rate", "index"]
    unit: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    factor: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    residents: bool = False
    description: str | None = None

    @model_validator(mode="after")
    def _is_rebuilt_from_two(self) -> "IndicatorEntry":
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("„numerator“ und „denominator“ gehören zusammen")
        if self.kind == "share" and self.numerator is None:
            raise ValueError("ein Anteil (share) braucht „numerator“ und „denominator“")
        if self.kind == "count" and self.numerator is not None:
            raise ValueError("eine Anzahl (count) wird nicht aus „numerator“ und „denominator“ gebildet")
        if self.residents and self.kind != "count":
            raise ValueError("„residents“ gilt nur für eine Anzahl (count)")
        return self


class HelpTypeEntry(_Coded):
    """A Hilfeart as the office counts it."""

    paragraphs: tuple[str, ...] = ()
    variant: str | None = None
    groups: tuple[str, ...] = ()
    unit: str | None = None

    @field_validator("unit")
    @classmethod
    def _known_unit(cls, value: str | None) -> str | None:
        if value is not None and value not in UNITS:
            raise ValueError(f"die Einheit „{value}“ gibt es nicht; möglich sind {', '.join(UNITS)}")
        return value


class HelpGroupEntry(_Coded):
    """A group of Hilfearten; ``composition`` says in words what it holds."""

    composition: str | None = None


class StandardEntry(_Coded):
    """A Richtwert: none without source, Beschluss and date.

    ``supply``: so much of ``unit`` per 1,000 residents; ``reach``: the share (0 to 1) of residents within so many
    ``minutes``; ``catchment``: so much of ``unit`` per 1,000 competing residents within so many ``minutes``.
    """

    category: str
    measure: Literal["supply", "reach", "catchment"]
    value: float = Field(gt=0, le=MOST_PER_1000, allow_inf_nan=False)
    unit: str
    age_from: int | None = Field(default=None, ge=0, le=120)
    age_to: int | None = Field(default=None, ge=1, le=120)
    minutes: int | None = Field(default=None, ge=1, le=120)
    mode: Literal["walk", "bike", "line"] | None = None
    source: str = Field(min_length=1)
    resolution: str = Field(min_length=1)
    resolved_on: dt.date

    @model_validator(mode="after")
    def _fits(self) -> "StandardEntry":
        if self.category not in CATEGORIES:
            raise ValueError(f"die Kategorie „{self.category}“ gibt es nicht; möglich sind {', '.join(CATEGORIES)}")
        if self.age_to is not None and (self.age_from or 0) >= self.age_to:
            raise ValueError("„age_to“ muss über „age_from“ liegen")
        units = ("share",) if self.measure == "reach" else SUPPLY_UNITS
        if self.unit not in units:
            raise ValueError(
                f"die Einheit „{self.unit}“ passt nicht zu „measure = {self.measure}“; möglich: {', '.join(units)}"
            )
        if self.measure == "reach" and self.value > 1:
            raise ValueError("der Wert bei „measure = reach“ ist ein Anteil von 0 bis 1, etwa 0.8 für 80 %")
        if self.measure == "supply" and (self.minutes is not None or self.mode is not None):
            raise ValueError("„minutes“ und „mode“ gelten nicht bei „measure = supply“")
        if self.measure != "supply" and self.minutes is None:
            raise ValueError(f"„measure = {self.measure}“ braucht „minutes“, etwa 15")
        return self


class RankEntry(Strict):
    """Where two datasets have the same figures, the one with the lower rank is shown."""

    dataset: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_-]+)*$")
    rank: int = Field(ge=0, le=1_000_000)


class Catalogue(Strict):
    """A whole catalogue file."""

    dataset: DatasetInfo = DatasetInfo()
    indicator: tuple[IndicatorEntry, ...] = ()
    help_type: tuple[HelpTypeEntry, ...] = ()
    help_group: tuple[HelpGroupEntry, ...] = ()
    standard: tuple[StandardEntry, ...] = ()
    rank: tuple[RankEntry, ...] = ()

    @model_validator(mode="after")
    def _names_once(self) -> "Catalogue":
        coded: dict[str, Sequence[_Coded]] = {
            "indicator": self.indicator,
            "help_type": self.help_type,
            "help_group": self.help_group,
            "standard": self.standard,
        }
        for table, entries in coded.items():
            _require_once(f"[[{table}]]", [entry.code for entry in entries])
        _require_once("[[rank]]", [entry.dataset for entry in self.rank])
        _require_once("[[rank]] bei rank", [str(entry.rank) for entry in self.rank])
        groups = {*HELP_GROUPS, *(entry.code for entry in self.help_group)}
        for entry in self.help_type:
            for group in entry.groups:
                if group not in groups:
                    raise ValueError(
                        f"die Hilfeart „{entry.code}“ nennt die Gruppe „{group}“, die es nicht gibt; möglich sind "
                        f"{', '.join(sorted(groups))}"
                    )
        return self

    def size(self) -> int:
        """Return the number of entries."""
        return sum(map(len, (self.indicator, self.help_type, self.help_group, self.standard, self.rank)))


def _require_once(where: str, codes: Sequence[str]) -> None:
    twice = [code for i, code in enumerate(codes) if code in codes[:i]]
    if twice:
        raise ValueError(f"„{twice[0]}“ steht unter {where} zweimal")


@dataclass(frozen=True, slots=True)
class CatalogueImport:
    """What to load. A file holds the whole catalogue of its dataset."""

    dataset: str | None = None
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(number=0)))


def found_catalogue(path: Path) -> Path:
    """Return the file meant: as given, else the shipped one of that name (``hamburg.toml``)."""
    return path if path.exists() or path.is_absolute() else SHIPPED / path


def read_catalogue(path: Path) -> Catalogue:
    """Read a catalogue file; raise ``MappingError`` with a German sentence for whatever is wrong with it."""
    name, path = path.name, found_catalogue(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MappingError(f"Die Katalogdatei „{name}“ ist größer als {_MAX_BYTES // 1024**2} MiB.")
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"Die Katalogdatei „{name}“ lässt sich nicht lesen.") from error
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"Die Katalogdatei „{name}“ ist kein gültiges TOML ({error}).") from error
    try:
        made = Catalogue.model_validate(raw)
    except ValidationError as error:
        raise MappingError(f"Die Katalogdatei „{name}“: {_said(error)}") from error
    if made.size() == 0:
        raise MappingError(f"Die Katalogdatei „{name}“ enthält keinen Eintrag.")
    return made


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    # Entries are counted from 1, as people count.
    where = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
    where = f"{where}: " if where else ""
    if first["type"] == "extra_forbidden":
        return f"{where}diesen Eintrag gibt es nicht."
    if first["type"] == "missing":
        return f"{where}die Angabe fehlt."
    if first["type"] == "value_error":
        return f"{where}{first['msg'].removeprefix('Value error, ')}."
    return f"{where}der Wert „{first['input']}“ passt hier nicht."


def import_catalogue(engine: Engine, path: Path, wanted: CatalogueImport) -> Report:
    """Load a catalogue in one transaction; return the report.

    Raises ``MappingError`` when the file or a reference in it does not fit, ``RefusedError`` when without a rank that
    it no longer holds two datasets would show the same figures. Nothing is changed then.
    """
    made = read_catalogue(path)
    info = made.dataset
    report = Report(wanted.dataset or info.name or OFFICE_CATALOGUE, "catalogue", path.name)
    notes = wanted.footnotes.over(info, "Kennzahlenkatalog")
    provenance = Provenance(path.name, checksum(found_catalogue(path)), "TOML", "utf-8")
    with importing(engine, report, provenance, notes, wanted.rules) as job:
        report.rows_read = made.size()
        _require_known(job, made, path.name)
        _insert(job, made)
        _count(job, made)
        publish(job, loaded=made.size())
        found = conflicts(job.session)
        if found:
            raise RefusedError(f"Ohne Rangfolge: {found[0].sentence()} Nichts wurde geändert.", report)
    return report


def _require_known(job: Job, made: Catalogue, name: str) -> None:
    """Raise unless what shares and rates are made from is described here, elsewhere, or has figures."""
    used = {
        (entry.code, part.partition(":")[0])
        for entry in made.indicator
        for part in (entry.numerator, entry.denominator)
        if part is not None
    }
    known = {entry.code for entry in made.indicator} | described_codes(job.session)
    missing = sorted((code, part) for code, part in used if part not in known)
    if missing:
        held = set(
            job.session.execute(
                text("SELECT DISTINCT indicator FROM observation WHERE indicator = ANY (:codes)"),
                {"codes": sorted({part for _code, part in missing})},
            ).scalars()
        )
        missing = [(code, part) for code, part in missing if part not in held]
    if missing:
        code, part = missing[0]
        raise MappingError(
            f"Die Katalogdatei „{name}“: Die Kennzahl „{code}“ wird aus „{part}“ gebildet, das niemand beschreibt. "
            "Bitte unter [[indicator]] ergänzen oder berichtigen."
        )


def _insert(job: Job, made: Catalogue) -> None:
    tables: dict[str, tuple[Sequence[Strict], tuple[str, ...]]] = {
        "indicator": (made.indicator, ("code", "title", "unit", "kind", "numerator", "denominator", "factor",
                                       "residents", "description")),
        "help_type": (made.help_type, ("code", "title", "paragraphs", "variant", "groups", "unit")),
        "help_group": (made.help_group, ("code", "title", "composition")),
        "standard": (made.standard, ("code", "title", "category", "measure", "value", "unit", "age_from", "age_to",
                                     "minutes", "mode", "source", "resolution", "resolved_on")),
        "dataset_rank": (made.rank, ("dataset", "rank")),
    }  # fmt: skip
    for table, (entries, columns) in tables.items():
        if not entries:
            continue
        listed = ", ".join(columns)
        bound = ", ".join(f":{column}" for column in columns)
        job.session.execute(
            text(f"INSERT INTO {table} (import_id, {listed}) VALUES (:import_id, {bound})"),  # noqa: S608
            [{"import_id": job.import_id, **{c: _cell(getattr(entry, c)) for c in columns}} for entry in entries],
        )


def _cell(value: Any) -> Any:  # noqa: ANN401 - what an entry holds
    return list(value) if isinstance(value, tuple) else value


def _count(job: Job, made: Catalogue) -> None:
    counted = {
        "Kennzahlen": made.indicator, "Hilfearten": made.help_type, "Gruppen von Hilfearten": made.help_group,
        "Richtwerte": made.standard, "Bestände mit Rang": made.rank,
    }  # fmt: skip
    job.report.counts |= {name: len(entries) for name, entries in counted.items() if entries}
    known = set(job.session.execute(text("SELECT name FROM dataset WHERE kind = 'statistics'")).scalars())
    for entry in made.rank:
        if entry.dataset not in known:
            job.report.warn("Diesen Bestand gibt es noch nicht.", field="rank", value=entry.dataset)
