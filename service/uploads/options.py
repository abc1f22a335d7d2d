"""From a filled form to an import: the importers' own functions, as the commands call them."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import Engine

from geodata.errors import ParameterError
from geodata.import_reports import ImportRow
from importers.errors import MappingError
from importers.load import Footnotes, Job, Limit, Rules
from importers.mapping import SHIPPED, read_mapping
from importers.mapping import Mapping as ColumnMapping
from importers.report import Report
from importers.sources import open_source
from importers.sync_kinds import Home
from service.uploads.fields import Kind, fields_of

if TYPE_CHECKING:
    from importers.mapping import DatasetInfo
    from importers.sources import Source

_MAX_CHARS = 300
_MAX_KM = 1000.0
_USUAL_REJECTS = {Kind.AREAS: "0"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported and how: the kind, and the fields that were filled, by name."""

    kind: Kind
    given: Mapping[str, str] = field(default_factory=dict)

    def mapping(self) -> ColumnMapping:
        """Return the mapping chosen, or one that changes nothing."""
        return read_mapping(SHIPPED / self.given["mapping"]) if "mapping" in self.given else ColumnMapping()

    def dataset(self) -> str:
        """Return the name of the dataset this becomes, as the importers name it."""
        named = self.given.get("dataset") or self.mapping().dataset.name
        if named:
            return named
        if self.kind is Kind.AREAS:
            return f"areas.{self.required('level')}"
        if self.kind is Kind.FACILITIES:
            return f"facilities.{self.required('category')}"
        if self.kind is Kind.STATISTICS and "mapping" in self.given:
            return f"statistics.{Path(self.given['mapping']).stem.lower()}"
        return self.kind.value

    def required(self, name: Literal["level", "category"]) -> str:
        """Return the level or category of the form or else of the mapping; raise ``ParameterError`` for none."""
        mapping = self.mapping()
        said = self.given.get(name) or (mapping.level if name == "level" else mapping.category)
        if not said:
            label = {"level": "die Gebietsebene", "category": "die Kategorie"}[name]
            rest = "die gewählte Zuordnung nennt keine" if "mapping" in self.given else "ohne Zuordnung ist sie nötig"
            raise ParameterError(name, f"Bitte {label} angeben; {rest}.")
        return said


def read_form(kind: Kind, values: Mapping[str, str]) -> Wanted:
    """Return what a filled form asks for; raise ``ParameterError`` with the field that is wrong.

    Only what can be said without the file is checked here; the rest is the importers' to find.
    """
    given = {}
    for one in fields_of(kind):
        value = values.get(one.name, "").strip()
        if not value:
            continue
        if len(value) > _MAX_CHARS or not value.isprintable():
            raise ParameterError(one.name, f"„{one.label}“: Diese Angabe ist zu lang oder enthält Steuerzeichen.")
        if one.name == "mapping":
            if value not in {name for name, _title in shipped_mappings(kind)}:
                raise ParameterError(one.name, "Diese Zuordnung gibt es nicht.")
        elif one.choices is not None and value not in {choice for choice, _title in one.choices}:
            raise ParameterError(one.name, f"„{one.label}“: Diese Auswahl gibt es nicht.")
        given[one.name] = value
    wanted = Wanted(kind, given)
    _as_of(wanted)
    _keep_outside(wanted)
    _rules(wanted, dry_run=True, inspect=None)
    # What the import of this kind cannot do without, also where the dataset is named.
    if kind is Kind.AREAS:
        wanted.required("level")
    if kind is Kind.FACILITIES:
        wanted.required("category")
    wanted.dataset()
    return wanted


def _as_of(wanted: Wanted) -> dt.date | None:
    try:
        return dt.date.fromisoformat(wanted.given["as_of"]) if "as_of" in wanted.given else None
    except ValueError:
        raise ParameterError("as_of", "„Stand der Daten“ ist kein Datum; bitte als JJJJ-MM-TT schreiben.") from None


def _keep_outside(wanted: Wanted) -> float | None:
    if "keep_outside" not in wanted.given:
        return None
    try:
        km = float(wanted.given["keep_outside"].replace(",", "."))
    except ValueError:
        km = -1.0
    if not 0 < km <= _MAX_KM:
        raise ParameterError("keep_outside", f"„Außerhalb behalten“ ist eine Zahl von Kilometern bis {_MAX_KM:.0f}.")
    return km


def _rules(wanted: Wanted, *, dry_run: bool, inspect: Callable[[Job], None] | None) -> Rules:
    limits = []
    for name, usual in (("max_rejects", _USUAL_REJECTS.get(wanted.kind, "5%")), ("max_shrink", "30%")):
        label = {"max_rejects": "„Erlaubte Zurückweisungen“", "max_shrink": "„Erlaubte Schrumpfung“"}[name]
        try:
            limit = Limit.parse(wanted.given.get(name, usual), label)
        except MappingError as error:
            raise ParameterError(name, str(error)) from error
        if name == "max_shrink" and limit.share is None:
            raise ParameterError(name, f"{label} braucht einen Anteil wie „30%“.")
        limits.append(limit)
    return Rules(limits[0], limits[1], "allow_orphans" in wanted.given, dry_run, inspect=inspect)


def load(
    engine: Engine,
    path: Path,
    wanted: Wanted,
    home: Home,
    held: ImportRow | None,
    *,
    dry_run: bool,
    inspect: Callable[[Job], None] | None = None,
) -> Report:
    """Import a file or rehearse it.

    ``held``: the version visible so far, whose footnotes hold where neither form nor mapping says anything. Raises
    what the import raises.
    """
    mapping = wanted.mapping()
    # What an archive unpacks to lies beside the upload and goes with it, whatever becomes of this process.
    rows = open_source(
        path,
        layer=wanted.given.get("layer") or mapping.source.layer,
        layout=mapping.source.layout(path),
        folder=path.parent,
    )
    rules = _rules(wanted, dry_run=dry_run, inspect=inspect)
    if wanted.kind is Kind.AREAS:
        return _load_areas(engine, rows, wanted, mapping, _notes(wanted, mapping, held), rules)
    if wanted.kind is Kind.FACILITIES:
        return _load_facilities(engine, rows, wanted, mapping, home, _notes(wanted, mapping, held), rules)
    return _load_figures(engine, rows, wanted, mapping, home, held, rules)


def _notes(wanted: Wanted, mapping: ColumnMapping, held: ImportRow | None) -> Footnotes:
    info, given = mapping.dataset, wanted.given
    return Footnotes(
        given.get("title") or info.title or (held.title if held else None),
        given.get("licence") or info.licence or (held.licence if held else None),
        given.get("attribution") or info.attribution or (held.attribution if held else None),
        _as_of(wanted),
    )


def _load_areas(
    engine: Engine, rows: "Source", wanted: Wanted, mapping: ColumnMapping, notes: Footnotes, rules: Rules
) -> Report:
    from importers.kinds.areas import AreasImport, import_areas  # noqa: PLC0415 - heavy libraries

    given = wanted.given
    areas = AreasImport(
        wanted.required("level"), given.get("dataset"), given.get("level_title"), given.get("parent_level"),
        given.get("key"), given.get("name"), given.get("crs"), mapping, notes, rules,
    )  # fmt: skip
    return import_areas(engine, rows, areas)


def _load_facilities(
    engine: Engine, rows: "Source", wanted: Wanted, mapping: ColumnMapping, home: Home, notes: Footnotes, rules: Rules
) -> Report:
    from importers.kinds.facilities import FacilitiesImport, import_facilities  # noqa: PLC0415 - heavy libraries

    given = wanted.given
    facilities = FacilitiesImport(
        wanted.required("category"), home.level, home.state, given.get("dataset"), given.get("crs"), _decimal(wanted),
        _dash(wanted), _keep_outside(wanted), mapping, notes, rules,
    )  # fmt: skip
    return import_facilities(engine, rows, facilities)


def _load_figures(
    engine: Engine,
    rows: "Source",
    wanted: Wanted,
    mapping: ColumnMapping,
    home: Home,
    held: ImportRow | None,
    rules: Rules,
) -> Report:
    given, info = wanted.given, mapping.dataset
    replaced: Literal["all", "periods"] = "all" if given.get("replace") == "all" else "periods"
    notes = _notes(wanted, mapping, held)
    if wanted.kind is Kind.PLACEMENTS:
        from importers.kinds.placements import PlacementsImport, import_placements  # noqa: PLC0415 - heavy libraries

        placements = PlacementsImport(
            dataset=wanted.dataset(), home_level=home.level, mapping=mapping, decimal=_decimal(wanted),
            dash=_dash(wanted), replace=replaced, scope=given.get("scope"), counting=given.get("counting"),
            release=_as_before("release", wanted, info, held), area_level=given.get("level"),
            period=given.get("period"), footnotes=notes,
            rules=rules,
        )  # fmt: skip
        return import_placements(engine, rows, placements)
    from importers.kinds.figures import counting_of  # noqa: PLC0415 - heavy libraries
    from importers.kinds.statistics import StatisticsImport, import_statistics  # noqa: PLC0415

    says = {
        name: _as_before(name, wanted, info, held)
        for name in ("counting", "unit", "scope", "population_period", "release")
    }
    statistics = StatisticsImport(
        wanted.dataset(), mapping, None, _decimal(wanted), _dash(wanted), replaced, counting_of(info, **says),
        given.get("level"), given.get("period"), notes, rules,
    )  # fmt: skip
    return import_statistics(engine, rows, statistics)


def _as_before(name: str, wanted: Wanted, info: "DatasetInfo", held: ImportRow | None) -> str | None:
    """Return what the form says; else None where the mapping says something, else what held for the version before."""
    given = wanted.given.get(name)
    if given is None and getattr(info, name) is None and held is not None:
        found: str | None = getattr(held, name)
        return found
    return given


def _decimal(wanted: Wanted) -> Literal[",", "."] | None:
    return cast("Literal[',', '.'] | None", wanted.given.get("decimal"))


def _dash(wanted: Wanted) -> Literal["zero", "missing"] | None:
    return cast("Literal['zero', 'missing'] | None", wanted.given.get("dash"))


@cache
def _mappings() -> tuple[tuple[Kind, str, str], ...]:
    found = []
    for path in sorted(SHIPPED.rglob("*.toml")):
        mapping = read_mapping(path)
        columns = set(mapping.columns)
        if mapping.unpivot is not None or columns & {"indicator", "value"}:
            kind = Kind.STATISTICS
        elif "cases" in columns:
            kind = Kind.PLACEMENTS
        else:
            kind = Kind.AREAS if "key" in columns else Kind.FACILITIES
        name = path.relative_to(SHIPPED).as_posix()
        title = f"{mapping.dataset.title} ({name})" if mapping.dataset.title else name
        found.append((kind, name, title))
    return tuple(found)


def shipped_mappings(kind: Kind) -> list[tuple[str, str]]:
    """Return the shipped mappings for a kind of data as (name, title), by title."""
    return sorted(((name, title) for of, name, title in _mappings() if of is kind), key=lambda pair: pair[1].casefold())
