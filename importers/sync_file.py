"""The list of sources of ``sync``: a TOML file that says what comes from where, and in which order.

.. code-block:: toml

    [http]                                   # limits for all servers; what is left out stays as it is
    read_timeout_s = 120

    [[source]]
    name = "areas.stadtteil"                 # the dataset
    kind = "areas"
    level = "stadtteil"
    url = "https://…/collections/stadtteile" # or file = "stadtteile.gpkg", beside this file
    mapping = "hamburg/stadtteile_oaf.toml"  # beside this file, or shipped (so is file = "catalogues/hamburg.toml")
    after = ["areas.bezirk"]                 # only where the usual order does not do
"""

import datetime as dt
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from importers.errors import MappingError
from importers.mapping import SHIPPED, Mapping, read_mapping
from importers.rules import Strict

Kind = Literal["areas", "facilities", "statistics", "placements", "population", "network", "addresses", "catalogue"]

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)*")
_LIMIT = re.compile(r"\d+|\d+([.,]\d+)?\s*%")
_TABLES = ("areas", "facilities", "statistics", "placements", "network", "addresses")
# Which kinds an entry is for; what stands here for none is for all.
_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "level": ("areas", "statistics", "placements"),
    "level_title": ("areas",),
    "parent_level": ("areas",),
    "allow_orphans": ("areas",),
    "category": ("facilities",),
    "keep_outside": ("facilities",),
    "allow_wider_release": ("facilities",),
    "mapping": _TABLES,
    "layer": _TABLES,
    "crs": ("areas", "facilities", "network", "addresses"),
    "decimal": ("facilities", "statistics", "placements", "network"),
    "dash": ("facilities", "statistics", "placements"),
    "replace": ("statistics", "placements"),
    "period": ("statistics", "placements"),
}
# What is to come before a kind, as far as the file has it.
_USUALLY_AFTER: dict[str, tuple[str, ...]] = {
    "facilities": ("areas", "addresses"),
    "statistics": ("areas", "catalogue"),
    "placements": ("areas", "catalogue"),
    "population": ("areas",),
}


class HttpLimits(Strict):
    """Limits of the conversation with servers; what is not said stays as ``HttpRules`` has it."""

    connect_timeout_s: float | None = Field(default=None, gt=0, le=600)
    read_timeout_s: float | None = Field(default=None, gt=0, le=3600)
    total_timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    max_bytes: int | None = Field(default=None, ge=1)
    attempts: int | None = Field(default=None, ge=1, le=20)
    backoff_s: float | None = Field(default=None, ge=0, le=60)
    allow_private_redirects: bool | None = None
    max_redirects: int | None = Field(default=None, ge=0, le=50)


class SyncSource(Strict):
    """One source: a dataset, its kind, where it comes from and how it is read (the options of ``import``).

    ``after``: datasets that must come before, instead of the usual ones. ``enabled = false``: left out.
    """

    name: str
    kind: Kind
    url: str | None = None
    file: str | None = None
    layer: str | None = None
    level: str | None = None
    level_title: str | None = None
    parent_level: str | None = None
    category: str | None = None
    mapping: str | None = None
    crs: str | None = None
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None
    replace: Literal["all", "periods"] | None = None
    period: str | None = None
    max_rejects: str | None = None
    max_shrink: str | None = None
    keep_outside: float | None = Field(default=None, gt=0)
    allow_orphans: bool = False
    allow_wider_release: bool = False
    title: str | None = None
    licence: str | None = None
    attribution: str | None = None
    as_of: dt.date | None = None
    after: tuple[str, ...] | None = None
    enabled: bool = True

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(
                f"„{value}“ taugt nicht als Name eines Bestands; erlaubt sind Kleinbuchstaben a–z, Ziffern, "
                "Unterstrich und Punkte dazwischen, etwa „facilities.okja“"
            )
        return value

    @field_validator("url")
    @classmethod
    def _web(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("url beginnt mit http:// oder https://; eine Datei steht unter file")
        return value

    @field_validator("max_rejects", "max_shrink", mode="before")
    @classmethod
    def _limit(cls, value: object) -> object:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and not _LIMIT.fullmatch(text):
            raise ValueError(f"„{text}“ ist keine Grenze; gebraucht wird eine Zahl oder ein Anteil wie „5%“")
        return text

    @field_validator("max_shrink")
    @classmethod
    def _share(cls, value: str | None) -> str | None:
        if value is not None and not value.endswith("%"):
            raise ValueError("max_shrink ist ein Anteil wie „30%“")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "SyncSource":
        if (self.url is None) == (self.file is None):
            raise ValueError("eine Quelle braucht entweder url oder file")
        for name, kinds in _ONLY_FOR.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"{name} gibt es bei {self.kind} nicht")
        if self.kind == "areas" and self.level is None:
            raise ValueError("bei areas fehlt level, die Gebietsebene")
        return self


class SyncFile(Strict):
    """The whole file."""

    http: HttpLimits = HttpLimits()
    source: tuple[SyncSource, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Task:
    """One source ready to be worked on.

    ``path`` or ``url`` says where it is, ``mapping_bytes`` is the mapping's file as it stands. ``after``: the datasets
    of this run that come before; without a version of those in ``needs`` there is no sense in trying. ``broken``: why
    the mapping cannot be used; the source then fails, the others do not.
    """

    source: SyncSource
    path: Path | None
    url: str | None
    mapping: Mapping
    mapping_bytes: bytes
    after: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    broken: str | None = None

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return self.source.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: the sources in an order in which each comes after those it needs."""

    tasks: tuple[Task, ...]
    http: HttpLimits = field(default_factory=HttpLimits)


def read_plan(path: Path, only: Collection[str] = (), home_level: str = "bezirk") -> Plan:
    """Read a list of sources; ``only`` these datasets, where some are named.

    ``home_level``: the level without whose areas facilities and residents cannot be placed.

    Raises ``MappingError`` with a German sentence for whatever is wrong with the file or the order.
    """
    listed = _read(path)
    sources = [source for source in listed.source if source.enabled]
    known = [source.name for source in sources]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise MappingError(
            f"Die Quelle „{unknown[0]}“ gibt es in „{path.name}“ nicht, oder sie ist abgeschaltet. "
            f"Möglich sind: {', '.join(known)}."
        )
    tasks = [_task(source, path.parent, listed.source, home_level) for source in sources]
    order = _ordered(tasks, path.name)
    wanted = {name for name in order if not only or name in only}
    by_name = {task.name: task for task in tasks}
    return Plan(tuple(by_name[name] for name in order if name in wanted), listed.http)


def _read(path: Path) -> SyncFile:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(f"Die Datei „{path.name}“ gibt es nicht.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"Die Liste der Quellen „{path.name}“ lässt sich nicht lesen.") from error
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"Die Liste der Quellen „{path.name}“ ist kein gültiges TOML ({error}).") from error
    try:
        listed = SyncFile.model_validate(raw)
    except ValidationError as error:
        raise MappingError(f"Die Liste der Quellen „{path.name}“: {_said(error, raw)}") from error
    names = [source.name for source in listed.source]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise MappingError(f"Die Liste der Quellen „{path.name}“ nennt „{twice[0]}“ zweimal.")
    return listed


def _said(error: ValidationError, raw: object) -> str:
    first = error.errors()[0]
    where = ": ".join([*_entry(first["loc"], raw), *(part for part in first["loc"][-1:] if isinstance(part, str))])
    kind, given = first["type"], first["input"]
    if kind == "extra_forbidden":
        return f"{where}: diesen Eintrag gibt es nicht."
    if kind == "missing":
        return f"{where}: die Angabe fehlt."
    if kind == "value_error":
        return f"{where}: {first['msg'].removeprefix('Value error, ')}."
    if kind == "literal_error":
        allowed = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return f"{where}: „{given}“ gibt es hier nicht; möglich sind: {allowed}."
    return f"{where}: der Wert „{given}“ passt hier nicht."


def _entry(where: Sequence[object], raw: object) -> list[str]:
    """Return which source is meant: by its name, or counted as people count."""
    number = next((part for part in where if isinstance(part, int)), None)
    if number is None or not isinstance(raw, dict):
        return []
    entry = raw["source"][number]
    name = entry.get("name") if isinstance(entry, dict) else None
    return [f"Quelle „{name}“" if isinstance(name, str) else f"Quelle {number + 1}"]


def _task(source: SyncSource, folder: Path, listed: Sequence[SyncSource], home_level: str) -> Task:
    path = None if source.file is None else folder / source.file
    if path is not None and source.kind == "catalogue" and not path.exists():
        path = SHIPPED.parent / str(source.file)
    mapping, body, broken = Mapping(), b"", None
    if source.mapping is not None:
        beside = folder / source.mapping
        found = beside if beside.exists() else SHIPPED / source.mapping
        try:
            mapping, body = read_mapping(found), found.read_bytes()
        except MappingError as error:
            broken = str(error)
    if broken is None and source.kind == "facilities" and (source.category or mapping.category) is None:
        broken = "Bei facilities fehlt category, die Kategorie."
    others = [other for other in listed if other.enabled and other.name != source.name]
    areas = {other.name: other.level for other in others if other.kind == "areas"}
    if source.kind == "areas":
        level = source.parent_level or mapping.parent_level
    elif source.kind in {"facilities", "population"}:
        level = home_level
    else:
        level = source.level or mapping.level
    needs = {name for name, held in areas.items() if held == level}
    before = {other.name for other in others if other.kind in _USUALLY_AFTER.get(source.kind, ())} | needs
    if source.after is not None:
        before = needs = set(source.after)
    return Task(source, path, source.url, mapping, body, frozenset(before), frozenset(needs), broken)


def _ordered(tasks: Sequence[Task], file: str) -> list[str]:
    """Return the names with each after those it needs; the file's order where that leaves it open."""
    names = {task.name for task in tasks}
    for task in tasks:
        unknown = sorted(task.after - names)
        if unknown:
            raise MappingError(
                f"Quelle „{task.name}“: after nennt „{unknown[0]}“, das in „{file}“ nicht steht oder abgeschaltet ist."
            )
    sorter = TopologicalSorter({task.name: task.after for task in tasks})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " → ".join(f"„{name}“" for name in error.args[1])
        raise MappingError(f"In „{file}“ warten Quellen im Kreis aufeinander: {circle}.") from None
    place = {task.name: number for number, task in enumerate(tasks)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered
