"""From names to keys: areas are found by key, by alias or by their name made comparable, never by likeness."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from geodata.figure_tables import WITHOUT_AREA
from geodata.spelling import normalised
from importers.errors import MappingError
from importers.report import MAX_FINDINGS_PER_REASON, Report
from importers.rules import Rule, is_empty, plain_text
from importers.sources.base import objects

Aliases: TypeAlias = Mapping[str, Mapping[str, str | Sequence[str]]]

_JOIN = "+"
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The area's key."""

    key: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No area of the level has this key or name."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several areas of the level have this name."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergedArea:
    """Several areas that a table reports as one; ``key`` is the members' keys, sorted and joined by ``+``."""

    level: str
    key: str
    name: str
    members: tuple[str, ...]


Answer: TypeAlias = Found | Unknown | Ambiguous


class Lookup:
    """Finds areas of several levels: a key as it is, then an alias, then a name.

    ``areas``: level -> {key: name}. ``aliases``: level -> {name: key, or several keys for a merged area}; the key
    ``ohne`` (no area) is always known. Raises ``MappingError`` for an alias that names an unknown key, or that
    says two things.
    """

    def __init__(self, areas: Mapping[str, Mapping[str, str]], aliases: Aliases | None = None) -> None:
        self._areas = {level: dict(of_level) for level, of_level in areas.items()}
        self._names: dict[str, dict[str, tuple[str, ...]]] = {}
        for level, of_level in self._areas.items():
            found: defaultdict[str, list[str]] = defaultdict(list)
            for key, name in of_level.items():
                found[normalised(name)].append(key)
            found.pop("", None)  # a name of signs only can be told from no other
            self._names[level] = {name: tuple(sorted(keys)) for name, keys in found.items()}
        self._aliases: dict[tuple[str, str], str | MergedArea] = {}
        for level, of_aliases in (aliases or {}).items():
            for alias, target in of_aliases.items():
                self._add(level, alias, target)
        self._met: dict[tuple[str, str], MergedArea] = {}
        self._answers: dict[tuple[str, str], Answer] = {}

    def _add(self, level: str, alias: str, target: str | Sequence[str]) -> None:
        where = f"Die Zuordnung nennt unter [aliases.{level}] für „{alias}“"
        keys = (target,) if isinstance(target, str) else tuple(sorted(set(target)))
        if not keys:
            raise MappingError(f"{where} keinen Schlüssel.")
        for key in keys:
            if key not in self._areas.get(level, {}) and (key != WITHOUT_AREA or len(keys) > 1):
                raise MappingError(f"{where} den Schlüssel „{key}“, den es auf der Ebene „{level}“ nicht gibt.")
        name = normalised(alias)
        if not name:
            raise MappingError(f"{where} einen Schlüssel, aber der Name hat weder Buchstaben noch Ziffern.")
        made = keys[0] if len(keys) == 1 else MergedArea(level, _JOIN.join(keys), alias, keys)
        before = self._aliases.setdefault((level, name), made)
        if _key(before) != _key(made):
            raise MappingError(f"{where} etwas anderes als für denselben Namen in anderer Schreibung.")

    @property
    def merged(self) -> tuple[MergedArea, ...]:
        """The merged areas found so far, by level and key."""
        return tuple(self._met[at] for at in sorted(self._met))

    def has_level(self, level: str) -> bool:
        """Tell whether any area of the level is known."""
        return bool(self._areas.get(level))

    def name(self, level: str, key: str) -> str | None:
        """Return the name of an area, None if there is no such area."""
        return self._areas.get(level, {}).get(key)

    def find(self, level: str, text: str) -> Answer:
        """Return the area a text means at a level: its key, or that there is none, or that there are several."""
        known = self._answers.get((level, text))
        if known is None:
            known = self._answers[level, text] = self._find(level, text.strip())
        return known

    def _find(self, level: str, text: str) -> Answer:
        of_level = self._areas.get(level, {})
        if text in of_level or text == WITHOUT_AREA:
            return Found(text)
        name = normalised(text)
        alias = self._aliases.get((level, name))
        if isinstance(alias, MergedArea):
            self._met.setdefault((level, alias.key), alias)
            return Found(alias.key)
        if alias is not None:
            return Found(alias)
        members = tuple(sorted(set(text.split(_JOIN))))
        if len(members) > 1 and all(member in of_level for member in members):
            area = MergedArea(level, _JOIN.join(members), " / ".join(of_level[m] for m in members), members)
            self._met.setdefault((level, area.key), area)
            return Found(area.key)
        keys = self._names.get(level, {}).get(name, ())
        if not keys:
            return Unknown()
        return Found(keys[0]) if len(keys) == 1 else Ambiguous(keys)

    def nearest(self, level: str, text: str) -> tuple[tuple[str, str], ...]:
        """Return up to three areas (key, name) whose names resemble a text, the likest first: advice, no answer."""
        names = self._names.get(level, {})
        like = difflib.get_close_matches(normalised(text), names, n=_SUGGESTIONS, cutoff=0.6)
        found = [(key, self._areas[level][key]) for name in like for key in names[name]]
        return tuple(found[:_SUGGESTIONS])


def _key(target: str | MergedArea) -> str:
    return target if isinstance(target, str) else target.key


def read_lookup(session: Session, levels: Iterable[str] | None, aliases: Aliases | None = None) -> Lookup:
    """Return the lookup over the visible areas of some levels (None: of all), with the aliases of a mapping.

    Raises ``MappingError`` as ``Lookup`` does.
    """
    wanted = None if levels is None else sorted(set(levels) | set(aliases or {}))
    areas: dict[str, dict[str, str]] = {level: {} for level in wanted or ()}
    statement = sql(
        "SELECT level, key, name FROM area_visible WHERE CAST(:levels AS text[]) IS NULL OR level = ANY (:levels)"
    )
    for level, key, name in session.execute(statement, {"levels": wanted}):
        areas.setdefault(level, {})[key] = name
    return Lookup(areas, aliases)


def resolved(
    table: Mapping[str, NDArray[Any]],
    rows: NDArray[Any],
    rules: Mapping[str, Rule],
    lookup: Lookup,
    report: Report,
    *,
    level: str | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the canonical table with keys instead of names in the columns whose rule says ``lookup``.

    ``rows``: the row numbers. ``level``: for rows that name none. Unknown and ambiguous names are noted in the report
    as rejects, with advice, and are None in the result; empty cells stay empty.
    """
    made = dict(table)
    for name, rule in rules.items():
        if rule.lookup is None or name not in table:
            continue
        # The rule names a canonical column that holds each row's level, or the level itself.
        levels = table.get(rule.lookup, [rule.lookup] * len(rows))
        made[name] = objects([
            _looked_up(value, None if is_empty(at) else str(at), level, int(row), name, lookup, report)
            for value, at, row in zip(table[name], levels, rows, strict=True)
        ])  # fmt: skip
    return made


def _looked_up(
    value: object, at: str | None, default: str | None, row: int, field: str, lookup: Lookup, report: Report
) -> str | None:
    if is_empty(value):
        return None
    level = at or default
    if level is None:
        report.reject(row, field, value, "Die Zeile nennt keine Ebene, auf der das Gebiet zu suchen ist.")
        return None
    text = plain_text(value)
    answer = lookup.find(level.strip(), text)
    if isinstance(answer, Found):
        return answer.key
    where = f"[aliases.{level}]"
    if isinstance(answer, Ambiguous):
        report.reject(
            row, field, text, f"Auf der Ebene „{level}“ heißen mehrere Gebiete so.",
            f"Gemeint sein kann {_or(answer.keys)}: bitte den Schlüssel eintragen oder in der Zuordnung unter {where} "
            "festlegen.",
        )  # fmt: skip
    elif not lookup.has_level(level):
        report.reject(
            row, field, text, f"Auf der Ebene „{level}“ sind keine Gebiete geladen.",
            "Bitte zuerst die Gebiete dieser Ebene laden („import areas“) oder die Ebene berichtigen.",
        )  # fmt: skip
    else:
        # Comparing costs time, and the report lists no more than so many of one reason.
        few = len(report.findings) < MAX_FINDINGS_PER_REASON
        like = [f"„{name}“ ({key})" for key, name in lookup.nearest(level, text)] if few else []
        meant = f"Meinten Sie {_or(like)}? " if like else ""
        report.reject(
            row, field, text, f"Auf der Ebene „{level}“ gibt es kein Gebiet mit diesem Namen oder Schlüssel.",
            f"{meant}Bitte die Schreibweise berichtigen oder das Gebiet in der Zuordnung unter {where} festlegen.",
        )  # fmt: skip
    return None


def _or(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} oder {last}" if first else last
