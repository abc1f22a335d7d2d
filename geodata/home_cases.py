"""The number of cases of each area, as ``geodata.placements`` lists them, without all that placements tell besides.

What is suppressed there is suppressed here, and areas are the same ones; a test holds the two against each other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.areas import geometries, keys_inside
from geodata.coverage.answer import WITHOUT_AREA_NAME
from geodata.figure_tables import WITHOUT_AREA
from geodata.geometry import area_geojson
from geodata.home_places import Level
from geodata.placement_request import Asked
from geodata.placement_tables import TOTAL


@dataclass(frozen=True, slots=True)
class AreaCases:
    """The cases of one area; None: ``suppressed``, or missing. ``members``: keys of a merged area's, else only its own.

    ``name`` None: an area of which only its counts are left.
    """

    key: str
    name: str | None
    members: tuple[str, ...]
    cases: int | None
    suppressed: bool


def read_cases(session: Session, asked: Asked, areas: Level, *, rest: bool) -> list[AreaCases]:
    """Return the areas asked about in the order of their keys, what lies in none last.

    ``areas``: of the level; ``rest``: list what lies in none even where there are no cases.
    """
    request = asked.request
    (sheet,) = asked.sheets
    counts = {
        row.area_key: row
        for row in session.execute(
            text("""
                SELECT area_key, value, suppressed FROM placement_visible
                WHERE level = :level AND area_role = :role AND paragraph = :paragraph AND counting = :counting
                  AND period = :period AND category = :total
            """),
            {
                "level": request.level,
                "role": asked.area_role,
                "paragraph": request.paragraph,
                "counting": request.counting,
                "period": sheet.period,
                "total": TOTAL,
            },
        )
    }
    without = (request.level, WITHOUT_AREA)
    inside = keys_inside(session, request.area, asked.level) if request.area not in {None, without} else None
    names: dict[str, str | None] = dict(zip(areas.keys, areas.names, strict=True))
    members: dict[str, tuple[str, ...]] = {}
    gone = counts.keys() - names.keys() - {WITHOUT_AREA}
    if not sheet.published:
        own = _own(session, request.level)
        names = {key: name for key, name in names.items() if own is None or key in own}
    if gone:
        merged = _merged(session, request.level, gone)
        names |= {key: name for key, (name, _members) in merged.items()}
        members = {key: of_it for key, (_name, of_it) in merged.items()}
    if inside is not None:
        names = {key: name for key, name in names.items() if set(members.get(key, (key,))) <= inside}
    elif request.area == without:
        names = {}
    else:
        names |= dict.fromkeys(sorted(gone - names.keys()))
    if (rest or WITHOUT_AREA in counts) and inside is None:
        names[WITHOUT_AREA] = WITHOUT_AREA_NAME
    made = []
    for key in sorted(names, key=lambda key: (key == WITHOUT_AREA, key)):
        found = counts.get(key)
        cases, suppressed = (None, False) if found is None else (found.value, found.suppressed)
        made.append(AreaCases(key, names[key], members.get(key, (key,)), cases, suppressed))
    return made


def _own(session: Session, level: str) -> set[str] | None:
    """Return the areas whose counts the viewer reads as they are; None: all."""
    if session.execute(text("SELECT srk_viewer_role() = 'admin'")).scalar_one():
        return None
    return set(session.execute(text("SELECT key FROM own_area WHERE level = :level"), {"level": level}).scalars())


def _merged(session: Session, level: str, keys: Collection[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = session.execute(
        text("SELECT key, name, members FROM merged_area_visible WHERE level = :level AND key = ANY (:keys)"),
        {"level": level, "keys": sorted(keys)},
    )
    return {row.key: (row.name, tuple(row.members)) for row in found}


def shapes(session: Session, level: str, rows: Sequence[AreaCases]) -> Mapping[str, str | None]:
    """Return the areas' geometries as GeoJSON (CRS84) by key, of merged areas that of all members together."""
    made = geometries(session, level, [row.key for row in rows])
    joint = [(row.key, member) for row in rows if len(row.members) > 1 for member in row.members]
    if joint:
        found = session.execute(
            text("""
                SELECT m.key, ST_AsBinary(ST_Multi(ST_Union(a.geom))) AS geometry
                FROM unnest(CAST(:keys AS text[]), CAST(:members AS text[])) AS m(key, member)
                JOIN area_visible a ON a.level = :level AND a.key = m.member
                GROUP BY m.key
            """),
            {"level": level, "keys": [key for key, _ in joint], "members": [member for _, member in joint]},
        ).all()
        made |= dict(zip((row.key for row in found), area_geojson([row.geometry for row in found]), strict=True))
    return made
