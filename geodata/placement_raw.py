"""Placements as delivered, brought to one count per area and category, before anything is left out of them.

A delivery (level, period) speaks for the areas of its scope, or for those that occur in it: there an absent
combination is 0, elsewhere it is missing. It speaks for the paragraphs, ways of counting and roles that occur in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.errors import ConflictError
from geodata.figure_tables import UNKNOWN_STATE, WITHOUT_AREA
from geodata.periods import parse_period
from geodata.placement_ground import INSIDE, Ground
from geodata.placement_tables import OUTSIDE, TOTAL

CURRENT = """
    current_delivery AS (
        SELECT i.id AS import_id, d.name, i.release FROM dataset d JOIN import_run i ON i.id = d.current_import_id
        WHERE d.kind = 'placements'
    )
"""
_SPOKEN, _CHANGED = "placement_spoken", "placement_changed"


@dataclass(frozen=True, slots=True, order=True)
class Cube:
    """What one pattern is computed for."""

    period: str
    paragraph: str
    counting: str

    def values(self) -> dict[str, str]:
        """Return the three as bound values of a statement."""
        return {"period": self.period, "paragraph": self.paragraph, "counting": self.counting}


@dataclass(frozen=True, slots=True)
class Delivered:
    """Of a cube: a ``digest`` that changes whenever its counts, its areas or whose they are does.

    ``public``: every dataset that has placements in it may be published.
    """

    digest: str
    public: bool


def is_due(session: Session) -> bool:
    """Tell whether there are placements of which nothing was ever derived."""
    return bool(
        session.execute(
            text(f"""
                WITH {CURRENT}
                SELECT EXISTS (SELECT FROM placement_delivery d JOIN current_delivery USING (import_id)
                               WHERE NOT EXISTS (SELECT FROM placement_pattern p WHERE p.period = d.period))
            """)
        ).scalar_one()
    )


def placed_levels(session: Session) -> set[str]:
    """Return the levels that have placements in a visible version."""
    return set(
        session.execute(
            text(f"""
                WITH {CURRENT} SELECT DISTINCT level FROM placement_delivery JOIN current_delivery USING (import_id)
            """)
        ).scalars()
    )


def stage_spoken(session: Session) -> None:
    """Write the temporary table ``placement_spoken``: name of the dataset, level, period, key of an area it speaks for.

    Members of a merged area that occurs are spoken for by it, unless they occur themselves.
    """
    session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{_SPOKEN}"))
    session.execute(
        text(f"""
            CREATE TEMPORARY TABLE {_SPOKEN} ON COMMIT DROP AS
            WITH {CURRENT}, occurring AS MATERIALIZED (
                SELECT DISTINCT c.name, p.level, p.period, p.area_key
                FROM placement p JOIN current_delivery c USING (import_id)
            ), scoped AS (
                SELECT c.name, d.level, d.period, i.key AS area_key
                FROM placement_delivery d JOIN current_delivery c USING (import_id)
                JOIN {INSIDE} i ON i.level = d.level AND i.ancestor_level = d.scope_level
                    AND i.ancestor_key = d.scope_key AND i.key <> :without
            )
            SELECT name, level, period, area_key FROM occurring
            UNION
            SELECT name, level, period, area_key FROM scoped s
            WHERE NOT EXISTS (
                SELECT FROM occurring o JOIN merged_area m ON m.level = o.level AND m.key = o.area_key
                WHERE o.name = s.name AND o.level = s.level AND o.period = s.period AND s.area_key = ANY (m.members))
        """),
        {"without": WITHOUT_AREA},
    )
    session.execute(text(f"ANALYZE {_SPOKEN}"))


def delivered(session: Session) -> dict[Cube, Delivered]:
    """Return what is delivered, by cube."""
    found = session.execute(
        text(f"""
            WITH {CURRENT}, told AS (
                SELECT period, count(*) || ' ' || sum(hashtextextended(ROW(s.*)::text, 0)) AS digest
                FROM {_SPOKEN} s GROUP BY period
            ), counted AS (
                SELECT p.period, p.paragraph, p.counting, count(*) || ' ' || sum(hashtextextended(
                    ROW(c.name, c.release, p.level, p.area_key, p.area_role, p.provider_state, p.cases)::text, 0))
                    AS digest, bool_and(c.release = 'public') AS public
                FROM placement p JOIN current_delivery c USING (import_id)
                GROUP BY p.period, p.paragraph, p.counting
            )
            SELECT period, paragraph, counting, counted.digest || ' ' || told.digest, public
            FROM counted JOIN told USING (period)
        """)
    )
    return {
        Cube(period, paragraph, counting): Delivered(digest, public)
        for period, paragraph, counting, digest, public in found
    }


def forget(session: Session, cubes: Collection[Cube]) -> None:
    """Delete all that was derived for some cubes."""
    for table in ("placement_cell", "placement_sheet", "placement_pattern"):
        session.execute(
            text(f"""
                DELETE FROM {table} WHERE (period, paragraph, counting) IN (
                    SELECT * FROM unnest(CAST(:periods AS text[]), CAST(:paragraphs AS text[]),
                                         CAST(:countings AS text[])))
            """),
            _columns(cubes),
        )


def _columns(cubes: Collection[Cube]) -> dict[str, list[str]]:
    return {
        "periods": [cube.period for cube in cubes],
        "paragraphs": [cube.paragraph for cube in cubes],
        "countings": [cube.counting for cube in cubes],
    }


def write_counts(session: Session, ground: Ground, cubes: Collection[Cube]) -> None:
    """Write sheets and cells of some cubes as they are, nothing of it published yet.

    Raises ``ConflictError`` where two datasets speak for the same area.
    """
    session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{_CHANGED}"))
    session.execute(
        text(f"""
            CREATE TEMPORARY TABLE {_CHANGED} ON COMMIT DROP AS
            SELECT * FROM unnest(CAST(:periods AS text[]), CAST(:paragraphs AS text[]), CAST(:countings AS text[]))
                AS c(period, paragraph, counting)
        """),
        _columns(cubes),
    )
    session.execute(text(f"ANALYZE {_CHANGED}"))
    _write_sheets(session)
    _require_one_speaker(session)
    _write_cells(session, ground.rule.home_state)
    for level in ground.wide:
        if level != ground.rule.home_level:
            _add_up(session, ground.rule.home_level, level)


def _write_sheets(session: Session) -> None:
    found = session.execute(
        text(f"""
            WITH {CURRENT}
            SELECT p.level, p.area_role, p.paragraph, p.counting, p.period, array_agg(DISTINCT c.name) AS datasets
            FROM placement p JOIN current_delivery c USING (import_id)
            JOIN {_CHANGED} USING (period, paragraph, counting)
            GROUP BY p.level, p.area_role, p.paragraph, p.counting, p.period
        """)
    )
    _insert_sheets(session, [dict(row) for row in found.mappings()], summed=False)


def _insert_sheets(session: Session, sheets: Collection[Mapping[str, object]], *, summed: bool) -> None:
    if not sheets:
        return
    rows = []
    for sheet in sheets:
        period = parse_period(sheet["period"])
        rows.append({**sheet, "starts": period.starts, "ends": period.ends, "summed": summed})
    session.execute(
        text("""
            INSERT INTO placement_sheet (level, area_role, paragraph, counting, period, starts, ends, published, summed,
                                         datasets)
            VALUES (:level, :area_role, :paragraph, :counting, :period, :starts, :ends, false, :summed, :datasets)
        """),
        rows,
    )


_SHEET_AREAS = f"""
    SELECT s.level, s.area_role, s.paragraph, s.counting, s.period, k.area_key, k.name
    FROM placement_sheet s JOIN {_CHANGED} USING (period, paragraph, counting)
    JOIN {_SPOKEN} k ON k.level = s.level AND k.period = s.period AND k.name = ANY (s.datasets)
"""


def _require_one_speaker(session: Session) -> None:
    found = session.execute(
        text(f"""
            SELECT level, area_key, period, paragraph, array_agg(DISTINCT name ORDER BY name) AS names
            FROM ({_SHEET_AREAS}) a WHERE area_key <> :without
            GROUP BY level, area_role, paragraph, counting, period, area_key
            HAVING count(DISTINCT name) > 1 ORDER BY 1, 2, 3, 4 LIMIT 1
        """),
        {"without": WITHOUT_AREA},
    ).one_or_none()
    if found is not None:
        named = " und ".join(f"„{name}“" for name in found.names[:2])
        raise ConflictError(
            f"Unterbringungen nach § {found.paragraph} für {found.level}:{found.area_key}, {found.period}, stehen in "
            f"zwei Beständen ({named}); nichts wurde geändert. Bitte einen der Bestände ohne diese Angaben liefern "
            "oder denselben Bestand ersetzen (--dataset)."
        )


def _write_cells(session: Session, home_state: str) -> None:
    key = "level, area_role, paragraph, counting, period, area_key"
    session.execute(
        text(f"""
            WITH {CURRENT}, counted AS MATERIALIZED (
                SELECT p.level, p.area_role, p.paragraph, p.counting, p.period, p.area_key, p.provider_state,
                       sum(p.cases) AS cases
                FROM placement p JOIN current_delivery c USING (import_id)
                JOIN {_CHANGED} USING (period, paragraph, counting)
                GROUP BY p.level, p.area_role, p.paragraph, p.counting, p.period, p.area_key, p.provider_state
            )
            INSERT INTO placement_cell ({key}, category, value)
            SELECT {key}, provider_state, cases FROM counted WHERE cases > 0
            UNION ALL
            SELECT {key}, CAST(:outside AS text), sum(cases) FROM counted
            WHERE provider_state <> :home AND provider_state <> :unknown AND cases > 0 GROUP BY {key}
            UNION ALL
            -- Added, not joined: of what was counted just now the planner knows no numbers.
            SELECT {key}, CAST(:total AS text), sum(cases)
            FROM (SELECT {key}, cases FROM counted UNION ALL SELECT {key}, 0 FROM ({_SHEET_AREAS}) told) a
            GROUP BY {key}
            -- What is asked for together then lies together: out of millions a quarter is read five times as fast.
            ORDER BY {key}
        """),
        {"home": home_state, "unknown": UNKNOWN_STATE, "outside": OUTSIDE, "total": TOTAL},
    )


def _add_up(session: Session, home_level: str, level: str) -> None:
    """Add a wider level's areas up from those of the home level, where nobody delivers the level.

    Only where all visible areas of the home level inside, at least two, have a figure: a single one is rather all that
    was loaded. What lies in no area belongs to them.
    """
    made = session.execute(
        text(f"""
            WITH wanted AS (
                SELECT ancestor_key AS key, count(*) AS areas FROM {INSIDE}
                WHERE level = :home AND ancestor_level = :level AND key <> :without GROUP BY ancestor_key
                HAVING count(*) > 1
            ), part AS MATERIALIZED (
                SELECT c.paragraph, c.counting, c.period, c.area_key, c.category, c.value, i.ancestor_key AS key,
                       s.datasets
                FROM placement_cell c JOIN {_CHANGED} USING (period, paragraph, counting)
                JOIN placement_sheet s USING (level, area_role, paragraph, counting, period)
                JOIN {INSIDE} i ON i.level = c.level AND i.key = c.area_key AND i.ancestor_level = :level
                WHERE c.level = :home AND c.area_role = 'zustaendig'
                  AND NOT EXISTS (SELECT FROM placement_sheet w
                                  WHERE w.level = :level AND w.area_role = c.area_role AND w.paragraph = c.paragraph
                                    AND w.counting = c.counting AND w.period = c.period)
            ), whole AS (
                SELECT paragraph, counting, period, key FROM part
                WHERE category = :total AND area_key <> :without
                GROUP BY paragraph, counting, period, key
                HAVING count(*) = (SELECT areas FROM wanted WHERE wanted.key = part.key)
            ), added AS (
                INSERT INTO placement_cell (level, area_role, paragraph, counting, period, area_key, category, value)
                SELECT :level, 'zustaendig', paragraph, counting, period, key, category, sum(value)
                FROM part JOIN whole USING (paragraph, counting, period, key)
                GROUP BY paragraph, counting, period, key, category
            )
            SELECT DISTINCT CAST(:level AS text) AS level, 'zustaendig' AS area_role, paragraph, counting, period,
                            datasets
            FROM part JOIN whole USING (paragraph, counting, period, key)
        """),
        {"home": home_level, "level": level, "without": WITHOUT_AREA, "total": TOTAL},
    )
    _insert_sheets(session, [dict(row) for row in made.mappings()], summed=True)


def rebuild_near(session: Session, home_state: str) -> None:
    """Rebuild how near young people are placed from the areas of providers that are given.

    By origin how far away and what share in the own area, by either role how many with providers in the own area.
    """
    _rebuild_local(session, home_state)
    session.execute(text("DELETE FROM placement_near"))
    session.execute(
        text(f"""
            WITH {CURRENT}, given AS MATERIALIZED (
                SELECT p.* FROM placement p JOIN current_delivery c USING (import_id)
                WHERE p.area_role = 'herkunft' AND p.cases > 0
            ), middle AS MATERIALIZED (
                SELECT level, key, ST_PointOnSurface(geom) AS geom FROM area_visible
                WHERE geom IS NOT NULL
                  AND level IN (SELECT level FROM given UNION SELECT provider_area_level FROM given)
            )
            INSERT INTO placement_near (level, paragraph, counting, period, area_key, placed, distance_km,
                                        own_area_share)
            SELECT g.level, g.paragraph, g.counting, g.period, g.area_key,
                   coalesce(sum(g.cases) FILTER (WHERE home.key IS NOT NULL AND away.key IS NOT NULL), 0),
                   sum(g.cases * ST_Distance(home.geom, away.geom))
                       / sum(g.cases) FILTER (WHERE home.key IS NOT NULL AND away.key IS NOT NULL) / 1000,
                   CASE WHEN bool_and(g.provider_state <> :home OR own.key IS NOT NULL) THEN
                       coalesce(sum(g.cases) FILTER (
                           WHERE own.ancestor_key = g.area_key OR own.ancestor_key = ANY (m.members)
                       ), 0)::double precision
                       / sum(g.cases) FILTER (WHERE g.provider_state <> :unknown) END
            FROM given g
            LEFT JOIN {INSIDE} own ON own.level = g.provider_area_level AND own.key = g.provider_area_key
                AND own.ancestor_level = g.level
            LEFT JOIN merged_area m ON m.level = g.level AND m.key = g.area_key
            LEFT JOIN middle home ON home.level = g.level AND home.key = g.area_key
            LEFT JOIN middle away ON away.level = g.provider_area_level AND away.key = g.provider_area_key
            GROUP BY g.level, g.paragraph, g.counting, g.period, g.area_key
            HAVING bool_or(g.provider_area_key <> '')
        """),
        {"home": home_state, "unknown": UNKNOWN_STATE},
    )


def _rebuild_local(session: Session, home_state: str) -> None:
    session.execute(text("DELETE FROM placement_local"))
    session.execute(
        text(f"""
            WITH {CURRENT}, given AS (
                SELECT p.*, p.provider_state <> :unknown AS known,
                       p.provider_state <> :home OR own.key IS NOT NULL AS told,
                       own.ancestor_key = p.area_key OR own.ancestor_key = ANY (m.members) AS inside
                FROM placement p JOIN current_delivery c USING (import_id)
                LEFT JOIN {INSIDE} own ON own.level = p.provider_area_level AND own.key = p.provider_area_key
                    AND own.ancestor_level = p.level
                LEFT JOIN merged_area m ON m.level = p.level AND m.key = p.area_key
                WHERE p.cases > 0 AND p.area_key <> :without
            )
            INSERT INTO placement_local (level, area_role, paragraph, counting, period, area_key, known, local)
            SELECT level, area_role, paragraph, counting, period, area_key,
                   coalesce(sum(cases) FILTER (WHERE known), 0),
                   CASE WHEN bool_and(told) THEN coalesce(sum(cases) FILTER (WHERE known AND inside), 0) END
            FROM given
            GROUP BY level, area_role, paragraph, counting, period, area_key
            HAVING bool_or(provider_area_key <> '')
        """),
        {"home": home_state, "unknown": UNKNOWN_STATE, "without": WITHOUT_AREA},
    )
