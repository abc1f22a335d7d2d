"""Areas: which there are at a level, and what is known of one.

Geometry leaves as GeoJSON in CRS84. An area without map has none; an area without facility counts 0.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import WITHOUT_RELEASE, Answer, Source, footnotes, read_sources
from geodata.errors import NotFoundError, ParameterError
from geodata.geometry import area_geojson
from geodata.viewer import Version


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level of areas with the number of its visible areas; ``parent_level`` contains it, if it nests."""

    level: str
    title: str
    parent_level: str | None
    areas: int
    mapped: int


@dataclass(frozen=True, slots=True)
class AreasRequest:
    """Areas of ``level``, optionally of one parent; ``after`` is the last key of the page before.

    ``on`` is the day on which an offer must be valid to count. ``simplify_m`` is in metres.
    """

    level: str
    on: date
    parent: tuple[str, str] | None = None
    geometry: bool = True
    simplify_m: float = 0.0
    limit: int = 1000
    after: str | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area. ``area_km2`` None: no geometry. ``facilities``: places with at least one visible, valid offer."""

    area_level: str
    area_key: str
    area_name: str
    parent_level: str | None
    parent_key: str | None
    parent_name: str | None
    area_km2: float | None
    facilities: int
    geometry: str | None


@dataclass(frozen=True, slots=True)
class AreaProfile:
    """What is known of one area: itself, what contains it, what it contains, what stands in it."""

    area_level: str
    area_key: str
    area_name: str
    level_title: str
    parent_level: str | None
    parent_key: str | None
    parent_name: str | None
    area_km2: float | None
    facilities: int
    facilities_by_category: dict[str, int]
    children: dict[str, int]
    attributes: dict[str, Any]
    geometry: str | None


# An offer counts on a day from its first to its last day, both inclusive; open ends count.
VALID_ON = "(o.valid_from IS NULL OR o.valid_from <= :on) AND (o.valid_to IS NULL OR o.valid_to >= :on)"

_AREA = """
SELECT a.level AS area_level, a.key AS area_key, a.name AS area_name, a.parent_level, a.parent_key,
       up.name AS parent_name,
       round((ST_Area(a.geom) / 1e6)::numeric, 3)::float AS area_km2, coalesce(n.facilities, 0) AS facilities,
       {geometry} AS geometry
FROM area_visible a
LEFT JOIN area_visible up ON up.level = a.parent_level AND up.key = a.parent_key
LEFT JOIN (
    SELECT f.area_key, count(DISTINCT (f.import_id, f.facility_id)) AS facilities
    FROM facility_area_visible f
    JOIN offer_visible o ON o.import_id = f.import_id AND o.facility_id = f.facility_id
    WHERE f.level = :level {only} AND {valid}
    GROUP BY f.area_key
) n ON n.area_key = a.key
"""

_WKB = "ST_AsBinary(a.geom)"


def levels(session: Session) -> list[LevelRow]:
    """Return the levels that have visible areas, widest (fewest areas) first."""
    found = session.execute(
        text("""
            SELECT l.level, l.title, l.parent_level, count(*) AS areas, count(a.geom) AS mapped
            FROM level l JOIN area_visible a ON a.level = l.level
            GROUP BY l.level, l.title, l.parent_level ORDER BY count(*), l.level
        """)
    )
    return [LevelRow(*row) for row in found]


def require_level(session: Session, level: str, parameter: str = "level") -> LevelRow:
    """Return the level, or raise naming the levels that are there."""
    present = {row.level: row for row in levels(session)}
    if level in present:
        return present[level]
    if not present:
        raise ParameterError(parameter, "Es sind noch keine Gebiete geladen.")
    raise ParameterError(
        parameter, f"Die Gebietsebene „{level}“ gibt es nicht. Möglich sind: {', '.join(present)}.", list(present)
    )


def extent(
    session: Session, level: str | None = None, keys: Collection[str] = ()
) -> tuple[float, float, float, float] | None:
    """Return where most areas are as west, south, east, north (CRS84); None without mapped areas.

    Of the areas of a level with these keys, or taken from the level of about a hundred areas; an area far out
    (Neuwerk) does not shrink the city to a dot: beyond three times the spread of the middle 80 % of the areas it is
    left out.
    """
    row = session.execute(
        text("""
            WITH chosen AS (SELECT level FROM area_visible
                            WHERE geom IS NOT NULL AND (CAST(:own AS text) IS NULL OR level = :own)
                            GROUP BY level ORDER BY abs(count(*) - 100), level LIMIT 1),
            middle AS (SELECT a.geom, ST_PointOnSurface(a.geom) AS p FROM area_visible a JOIN chosen USING (level)
                       WHERE a.geom IS NOT NULL AND (CAST(:own AS text) IS NULL OR a.key = ANY (:keys))),
            quantile AS (SELECT percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY ST_X(p)) AS x,
                                percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY ST_Y(p)) AS y FROM middle),
            box AS (SELECT ST_Transform(ST_SetSRID(ST_Extent(m.geom)::geometry, 25832), 4326) AS g
                    FROM middle m, quantile q
                    WHERE abs(ST_X(m.p) - q.x[2]) <= 3 * (q.x[3] - q.x[1]) + 1000
                      AND abs(ST_Y(m.p) - q.y[2]) <= 3 * (q.y[3] - q.y[1]) + 1000)
            SELECT ST_XMin(g), ST_YMin(g), ST_XMax(g), ST_YMax(g) FROM box WHERE g IS NOT NULL
        """),
        {"own": level, "keys": list(keys)},
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3])


def areas(session: Session, request: AreasRequest) -> Answer[AreaRow]:
    """Return the areas of a level, ordered by key, each with its number of visible facilities.

    Raises ``ParameterError`` for an unknown level.
    """
    level = require_level(session, request.level)
    conditions = ["a.level = :level"]
    values: dict[str, Any] = {"level": request.level, "limit": request.limit + 1, "on": request.on}
    if request.after is not None:
        conditions.append("a.key > :after")
        values["after"] = request.after
    if request.parent is not None:
        conditions.append("a.parent_level = :parent_level AND a.parent_key = :parent_key")
        values["parent_level"], values["parent_key"] = request.parent
    query = _AREA.format(geometry=_WKB if request.geometry else "NULL", only="", valid=VALID_ON)
    found = session.execute(text(f"{query} WHERE {' AND '.join(conditions)} ORDER BY a.key LIMIT :limit"), values).all()
    page = found[: request.limit]
    geometries = area_geojson([row.geometry for row in page], request.simplify_m)
    rows = []
    for row, geometry in zip(page, geometries, strict=True):
        given: dict[str, Any] = dict(row._mapping) | {"geometry": geometry}  # noqa: SLF001 - SQLAlchemy's public name
        rows.append(AreaRow(**given))
    meta = footnotes(
        session,
        title=f"Gebiete der Ebene {level.title}",
        method="Gebiete mit Fläche und Zahl der Einrichtungen, die ein sichtbares, gültiges Angebot haben; "
        "eine Einrichtung zählt dort, wo ihr Punkt liegt.",
        unit="Gebiete",
        version=request.version,
        sources=area_sources(session, request.level) + read_sources(session, "facilities"),
        missing=sum(row.area_km2 is None for row in rows),
        warnings=[WITHOUT_RELEASE],
    )
    if len(found) > request.limit:
        meta.next = rows[-1].area_key
    return Answer(meta, rows)


def keys_inside(session: Session, area: tuple[str, str], level: LevelRow) -> set[str]:
    """Return the keys of a level's areas that are this area (level, key) or lie in it, by their parents.

    Raises ``ParameterError`` where there is none.
    """
    require_level(session, area[0], "area")
    found = set(
        session.execute(
            text("""
                WITH RECURSIVE inside(level, key) AS (
                    SELECT level, key FROM area_visible WHERE level = :area_level AND key = :area_key
                    UNION
                    SELECT a.level, a.key FROM area_visible a
                    JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
                )
                SELECT key FROM inside WHERE level = :level
            """),
            {"area_level": area[0], "area_key": area[1], "level": level.level},
        ).scalars()
    )
    if not found:
        raise ParameterError(
            "area", f"In „{':'.join(area)[:80]}“ liegt kein Gebiet der Ebene {level.title}, oder es gibt es nicht."
        )
    return found


def geometries(session: Session, level: str, keys: Sequence[str]) -> dict[str, str | None]:
    """Return the areas' geometries as GeoJSON (CRS84) by key; None: an area without map."""
    found = session.execute(
        text("SELECT key, ST_AsBinary(geom) FROM area_visible WHERE level = :level AND key = ANY (:keys)"),
        {"level": level, "keys": list(keys)},
    ).all()
    return dict(zip((row[0] for row in found), area_geojson([row[1] for row in found]), strict=True))


def names(session: Session, level: str) -> dict[str, str]:
    """Return the names of a level's areas by key, ordered by name; empty for a level without areas."""
    found = session.execute(
        text("SELECT key, name FROM area_visible WHERE level = :level ORDER BY name, key"), {"level": level}
    )
    return {row.key: row.name for row in found}


def unmapped(session: Session, level: str, keys: Collection[str]) -> set[str]:
    """Return those of the keys that have no geometry: areas without map, or no areas at all."""
    found = session.execute(
        text("SELECT key FROM area_visible WHERE level = :level AND key = ANY (:keys) AND geom IS NOT NULL"),
        {"level": level, "keys": list(keys)},
    ).scalars()
    return set(keys) - set(found)


def area_sources(session: Session, level: str) -> list[Source]:
    """Return the datasets of this level's areas."""
    names = session.execute(
        text("""
            SELECT DISTINCT d.dataset FROM area_visible a JOIN dataset_visible d ON d.dataset_id = a.dataset_id
            WHERE a.level = :level
        """),
        {"level": level},
    ).scalars()
    return read_sources(session, "areas", set(names))


def area_profile(
    session: Session, level: str, key: str, *, on: date, version: Version = Version.PUBLISHED
) -> Answer[AreaProfile]:
    """Return one area with its parents, children and facilities by category.

    Raises ``ParameterError`` for an unknown level, ``NotFoundError`` for an unknown key.
    """
    level_row = require_level(session, level)
    values = {"level": level, "key": key, "on": on}
    query = _AREA.format(geometry=_WKB, only="AND f.area_key = :key", valid=VALID_ON)
    row = session.execute(text(f"{query} WHERE a.level = :level AND a.key = :key"), values).one_or_none()
    if row is None:
        raise NotFoundError(f"Ein Gebiet „{key}“ gibt es auf der Ebene {level_row.title} nicht.")
    attributes = session.execute(
        text("SELECT attributes FROM area_visible WHERE level = :level AND key = :key"), values
    ).scalar_one()
    categories = session.execute(
        text(f"""
            SELECT o.category, count(DISTINCT (f.import_id, f.facility_id))
            FROM facility_area_visible f
            JOIN offer_visible o ON o.import_id = f.import_id AND o.facility_id = f.facility_id
            WHERE f.level = :level AND f.area_key = :key AND {VALID_ON}
            GROUP BY o.category ORDER BY o.category
        """),
        values,
    )
    children = session.execute(
        text("""
            SELECT level, count(*) FROM area_visible WHERE parent_level = :level AND parent_key = :key
            GROUP BY level ORDER BY level
        """),
        values,
    )
    profile = AreaProfile(
        area_level=row.area_level,
        area_key=row.area_key,
        area_name=row.area_name,
        level_title=level_row.title,
        parent_level=row.parent_level,
        parent_key=row.parent_key,
        parent_name=row.parent_name,
        area_km2=row.area_km2,
        facilities=row.facilities,
        facilities_by_category={category: count for category, count in categories},
        children={child: count for child, count in children},
        attributes=attributes,
        geometry=area_geojson([row.geometry])[0],
    )
    meta = footnotes(
        session,
        title=f"{level_row.title} {row.area_name}",
        method="Ein Gebiet mit Fläche, übergeordnetem Gebiet und den Einrichtungen, deren Punkt darin liegt.",
        unit="Gebiet",
        version=version,
        sources=area_sources(session, level) + read_sources(session, "facilities"),
        missing=int(row.area_km2 is None),
        warnings=[WITHOUT_RELEASE],
    )
    return Answer(meta, [profile])
