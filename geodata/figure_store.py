"""Figures of helps in the database: those that disclosure control speaks of, and what it lets through."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.bulk import raw_connection
from geodata.figure_periods import Counted, Why
from geodata.figure_tables import COUNTS_HELPS, TELLS_OF_HELPS
from geodata.periods import parse_period
from geodata.placement_ground import Area

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "cases": ("cases",),
    "counselling": ("counselling_new", "counselling_followed"),
    "hours": ("hours",),
    "spending": ("spending_eur",),
}
"""Indicators by family: what is protected in one table."""

HELP_UNITS = ("hilfen", "junge_menschen", "familien")
_STAGE = "figure_stage"
_FAMILY = f"""CASE {
    " ".join(f"WHEN indicator = ANY ('{{{','.join(codes)}}}') THEN '{family}'" for family, codes in FAMILIES.items())
} END"""
_KEY = "import_id, level, area_key, indicator, position, period, scenario"


@dataclass(frozen=True, slots=True, order=True)
class Cube:
    """What one pattern is computed for."""

    family: str
    counting: str
    period: str

    def counted(self) -> Counted:
        """Return how is counted, and when."""
        return self.counting, parse_period(self.period)

    def values(self) -> dict[str, Any]:
        """Return the three as bound values of a statement, with the family's indicators."""
        return {
            "family": self.family, "counting": self.counting, "period": self.period,
            "codes": list(FAMILIES[self.family]),
        }  # fmt: skip


def signature(session: Session) -> str:
    """Return a text that changes whenever something does from which published figures follow."""
    return str(
        session.execute(
            text(f"""
                SELECT concat_ws('|',
                    (SELECT string_agg(d.current_import_id::text, ',' ORDER BY d.current_import_id) FROM dataset d
                     JOIN import_run r ON r.id = d.current_import_id
                     WHERE d.kind IN ('areas', 'catalogue')
                        OR d.kind = 'statistics' AND (r.unit = ANY (:units) OR EXISTS (
                            SELECT FROM observation o WHERE o.import_id = r.id AND ({TELLS_OF_HELPS})))),
                    (SELECT string_agg(period || paragraph || counting || digest, ',' ORDER BY 1)
                     FROM placement_pattern WHERE published),
                    (SELECT placement_rule::text FROM placement_rule),
                    (SELECT md5(string_agg(concat_ws(' ', level, parent_level), ',' ORDER BY level)) FROM level))
            """),
            {"units": list(HELP_UNITS)},
        ).scalar_one()
    )  # fmt: skip


def stage(session: Session) -> None:
    """Write the temporary table ``figure_stage``: every visible public figure that counts helps or amounts of them."""
    session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{_STAGE}"))
    session.execute(
        text(f"""
            CREATE TEMPORARY TABLE {_STAGE} ON COMMIT DROP AS
            SELECT {_KEY}, dataset, coalesce(counting, '') AS counting, {_FAMILY} AS family, value, flag
            FROM observation_current WHERE release = 'public' AND indicator = ANY (:codes)
        """),
        {"codes": list(COUNTS_HELPS)},
    )
    session.execute(text(f"ANALYZE {_STAGE}"))


def observed(session: Session) -> list[tuple[Cube, Area]]:
    """Return of which areas there are figures of which family, counting and period."""
    found = session.execute(
        text(f"SELECT DISTINCT family, counting, period, level, area_key FROM {_STAGE} WHERE scenario = 'ist'")
    )
    return sorted((Cube(family, counting, period), (level, key)) for family, counting, period, level, key in found)


def digests(session: Session) -> dict[Cube, str]:
    """Return of every cube a text that changes whenever its figures do."""
    found = session.execute(
        text(f"""
            SELECT family, counting, period, count(*) || ' ' || sum(hashtextextended(
                ROW(dataset, level, area_key, indicator, position, value, flag)::text, 0))
            FROM {_STAGE} WHERE scenario = 'ist' GROUP BY family, counting, period
        """)
    )
    return {Cube(family, counting, period): digest for family, counting, period, digest in found}


def figures_of(session: Session, cube: Cube) -> Sequence[Any]:
    """Return a cube's figures: import_id, dataset, level, area_key, indicator, position, value, flag."""
    return session.execute(
        text(f"""
            SELECT import_id, dataset, level, area_key, indicator, position, value, flag FROM {_STAGE}
            WHERE scenario = 'ist' AND family = :family AND counting = :counting AND period = :period
            ORDER BY level, area_key COLLATE "C", indicator, position COLLATE "C"
        """),
        cube.values(),
    ).all()


def placed_periods(session: Session) -> list[Counted]:
    """Return how and when published placements are counted."""
    found = session.execute(text("SELECT DISTINCT counting, period FROM placement_pattern WHERE published"))
    return [(counting, parse_period(period)) for counting, period in found]


def follow_imports(session: Session) -> None:
    """Let what was published of a dataset's former version stand for the current one, until it is found changed."""
    session.execute(
        text("""
            DELETE FROM observation_published p WHERE NOT EXISTS (
                SELECT FROM import_run r JOIN dataset d ON d.id = r.dataset_id AND d.current_import_id IS NOT NULL
                WHERE r.id = p.import_id)
        """)
    )
    session.execute(
        text("""
            UPDATE observation_published p SET import_id = d.current_import_id
            FROM import_run r JOIN dataset d ON d.id = r.dataset_id
            WHERE r.id = p.import_id AND d.current_import_id <> r.id
        """)
    )


def forget(session: Session, cube: Cube) -> None:
    """Delete all that is published of a cube."""
    session.execute(
        text("""
            DELETE FROM observation_published p USING import_run r
            WHERE r.id = p.import_id AND coalesce(r.counting, '') = :counting AND p.period = :period
              AND p.indicator = ANY (:codes)
        """),
        cube.values(),
    )
    session.execute(
        text("DELETE FROM figure_pattern WHERE family = :family AND counting = :counting AND period = :period"),
        cube.values(),
    )


def forget_what_is_gone(session: Session) -> None:
    """Delete what is published of figures that there are no longer, and all that follows from other figures."""
    session.execute(
        text("DELETE FROM observation_published WHERE scenario <> 'ist' OR indicator <> ALL (:codes)"),
        {"codes": list(COUNTS_HELPS)},
    )
    session.execute(
        text(f"""
            DELETE FROM observation_published p
            WHERE NOT EXISTS (SELECT FROM {_STAGE} s WHERE {_same("s", "p")})
        """)
    )


def _same(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{column} = {other}.{column}" for column in _KEY.split(", "))


def publish(session: Session, rows: Iterable[Sequence[Any]]) -> None:
    """Publish figures: import_id, level, area_key, indicator, position, period, scenario, suppressed."""
    with (
        raw_connection(session).cursor() as cursor,
        cursor.copy(f"COPY observation_published ({_KEY}, suppressed) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def store_pattern(session: Session, cube: Cube, digest: str, cells: int, suppressed: int, loss: float) -> None:
    """Keep what was computed of a cube, and from what."""
    session.execute(
        text("""
            INSERT INTO figure_pattern (family, counting, period, digest, cells, suppressed, loss)
            VALUES (:family, :counting, :period, :digest, :cells, :suppressed, :loss)
        """),
        {**cube.values(), "digest": digest, "cells": cells, "suppressed": suppressed, "loss": loss},
    )


def store_withheld(session: Session, withheld: Collection[tuple[Cube, str, Why]]) -> None:
    """Keep which figures stay with the office at which level, and why."""
    session.execute(text("DELETE FROM figure_withheld"))
    rows = [{**cube.values(), "level": level, "reason": why.value} for cube, level, why in sorted(withheld)]
    if rows:
        session.execute(
            text("""
                INSERT INTO figure_withheld (family, counting, period, level, reason)
                VALUES (:family, :counting, :period, :level, :reason)
            """),
            rows,
        )


def cases_beside(session: Session) -> Sequence[Any]:
    """Return all cases: level, area_key, position, period, value, flag, and whether they are published, suppressed."""
    return session.execute(
        text(f"""
            SELECT s.level, s.area_key, s.position, s.period, s.value, s.flag, p.import_id IS NOT NULL AS published,
                   coalesce(p.suppressed, false) AS suppressed
            FROM {_STAGE} s LEFT JOIN observation_published p ON {_same("s", "p")}
            WHERE s.scenario = 'ist' AND s.family = 'cases'
        """)
    ).all()


def statuses(session: Session) -> Sequence[Any]:
    """Return all figures with a status: level, area_key, indicator, position, period, status.

    ``open``: everyone sees the value; ``suppressed``; ``kept``: it stays with the office. What is missing has none.
    """
    return session.execute(
        text(f"""
            SELECT DISTINCT s.level, s.area_key, s.indicator, s.position, s.period,
                   CASE WHEN p.import_id IS NULL THEN 'kept'
                        WHEN p.suppressed OR s.value IS NULL THEN 'suppressed' ELSE 'open' END AS status
            FROM {_STAGE} s LEFT JOIN observation_published p ON {_same("s", "p")}
            WHERE s.scenario = 'ist' AND s.flag <> 'missing'
        """)
    ).all()


def foreseen(session: Session) -> Sequence[Any]:
    """Return forecasts and plans of what counts helps: the key's columns."""
    return session.execute(text(f"SELECT {_KEY} FROM {_STAGE} WHERE scenario <> 'ist'")).all()


def beside(session: Session) -> Sequence[Any]:
    """Return the other indicators in imports that tell of helps: import_id, indicator, unit, and whether it counts any.

    ``counting``: the import has counts of helps or amounts among its figures.
    """
    return session.execute(
        text(f"""
            WITH telling AS MATERIALIZED (
                SELECT r.id, r.unit, EXISTS (
                    SELECT FROM observation o
                    WHERE o.import_id = r.id AND ({TELLS_OF_HELPS}) AND o.indicator = ANY (:codes)) AS counting
                FROM dataset d JOIN import_run r ON r.id = d.current_import_id
                WHERE d.kind = 'statistics' AND r.release = 'public' AND (r.unit = ANY (:units) OR EXISTS (
                    SELECT FROM observation o WHERE o.import_id = r.id AND ({TELLS_OF_HELPS})))
            )
            SELECT DISTINCT t.id AS import_id, o.indicator, t.unit, t.counting
            FROM telling t JOIN observation o ON o.import_id = t.id
            WHERE o.indicator <> ALL (:codes)
        """),
        {"codes": list(COUNTS_HELPS), "units": list(HELP_UNITS)},
    ).all()


def figures_beside(session: Session, import_id: int, indicators: Collection[str]) -> Sequence[Any]:
    """Return the visible figures of some indicators of an import: the key's columns."""
    return session.execute(
        text(f"""
            SELECT {_KEY} FROM observation_current WHERE import_id = :import_id AND indicator = ANY (:indicators)
        """),
        {"import_id": import_id, "indicators": sorted(indicators)},
    ).all()


def guard(session: Session, guarded: Collection[tuple[int, str]]) -> None:
    """Keep which indicators of which imports are for everyone only where they are published."""
    session.execute(text("DELETE FROM observation_guarded"))
    if guarded:
        session.execute(
            text("INSERT INTO observation_guarded (import_id, indicator) VALUES (:import_id, :indicator)"),
            [{"import_id": import_id, "indicator": indicator} for import_id, indicator in sorted(guarded)],
        )


def is_due(session: Session) -> bool:
    """Tell whether there are figures that tell of helps and nothing was ever derived of them."""
    return bool(
        session.execute(
            text(f"""
                SELECT NOT EXISTS (SELECT FROM figure_state) AND EXISTS (
                    SELECT FROM dataset d JOIN observation o ON o.import_id = d.current_import_id
                    WHERE {TELLS_OF_HELPS})
            """)
        ).scalar_one()
    )


def read_signature(session: Session) -> str | None:
    """Return from what everything published was derived; None: nothing was yet."""
    return session.execute(text("SELECT signature FROM figure_state")).scalar()


def store_signature(session: Session, made_from: str) -> None:
    """Keep from what everything published is derived."""
    session.execute(text("DELETE FROM figure_state"))
    session.execute(text("INSERT INTO figure_state (signature) VALUES (:signature)"), {"signature": made_from})


def stored_digests(session: Session) -> dict[Cube, str]:
    """Return of every cube from what its pattern was computed."""
    found = session.execute(text("SELECT family, counting, period, digest FROM figure_pattern"))
    return {Cube(family, counting, period): digest for family, counting, period, digest in found}
