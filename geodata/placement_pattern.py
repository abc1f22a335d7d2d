"""Which counts of placements are left out of what is published: one pattern for each (period, paragraph, counting).

Computed in the transaction of an import of placements or areas, and only where counts, areas or rules changed; every
viewer gets the same one (see ``geodata.disclosure`` for what it promises). A single total that cannot be kept is left
out; states are not merged, so that quarters stay comparable. Where a dataset that is not public has placements in a
cube, nothing of that cube is published: it stays with the offices.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.database import refresh_statistics
from geodata.disclosure.cube import Rule, Sheet, build, masks
from geodata.disclosure.suppress import Pattern, protect
from geodata.placement_cube import ORIGIN, categories_of, is_published, read_sheets
from geodata.placement_ground import Ground, read_ground, stage_inside
from geodata.placement_raw import (
    Cube,
    Delivered,
    delivered,
    forget,
    placed_levels,
    rebuild_near,
    stage_spoken,
    write_counts,
)
from geodata.placement_rule import read_rule
from geodata.placement_tables import OUTSIDE, TOTAL

# A new way of computing makes every stored pattern out of date.
_METHOD = "2"


def rebuild(session: Session) -> dict[str, int]:
    """Bring all that is published of placements up to date; return what was counted, under German names.

    To be called in a writing transaction. Raises ``ConflictError`` where two datasets speak for the same placements.
    """
    stored = {
        Cube(row.period, row.paragraph, row.counting): row.digest
        for row in session.execute(text("SELECT period, paragraph, counting, digest FROM placement_pattern"))
    }
    levels = placed_levels(session)
    if not levels and not stored:
        return {}
    rule = read_rule(session)
    ground = read_ground(session, rule, levels)
    stage_inside(session, ground)
    stage_spoken(session)
    basis = f"{_METHOD} {ground.digest()}"
    wanted = {
        cube: Delivered(hashlib.sha256(f"{basis} {one.digest}".encode()).hexdigest(), one.public)
        for cube, one in delivered(session).items()
    }
    changed = sorted(cube for cube, one in wanted.items() if stored.get(cube) != one.digest)
    gone = stored.keys() - wanted.keys()
    rebuild_near(session, rule.home_state)
    if not changed and not gone:
        return {}
    forget(session, [*changed, *gone])
    write_counts(session, ground, changed)
    left_out = sum(_publish(session, ground, cube, wanted[cube]) for cube in changed)
    refresh_statistics(session, ("placement_cell", "placement_sheet"))
    return {"unterdrückte Angaben zu Unterbringungen": left_out} if changed else {}


def _publish(session: Session, ground: Ground, cube: Cube, given: Delivered) -> int:
    """Publish a cube as far as disclosure control allows; return how many cells are suppressed."""
    rule = ground.rule
    sheets = read_sheets(session, ground, cube) if given.public and is_published(cube.period) else []
    pattern = protect(build(sheets, Rule(small=rule.small))) if sheets else None
    rows = []
    for sheet in sheets:
        _show(session, ground, cube, sheet)
        if pattern is not None:
            rows += [{**cube.values(), "role": sheet.name, **cell} for cell in _suppressed(pattern, sheet)]
    if rows:
        session.execute(
            text("""
                INSERT INTO placement_cell (level, area_role, paragraph, counting, period, area_key, category, value,
                                            published, suppressed)
                VALUES (:level, :role, :paragraph, :counting, :period, :key, :category, 0, true, true)
                ON CONFLICT (level, area_role, paragraph, counting, period, area_key, category)
                DO UPDATE SET published = true, suppressed = true
            """),
            rows,
        )
    session.execute(
        text("""
            INSERT INTO placement_pattern (period, paragraph, counting, digest, home_state, home_level, small,
                                           published, cells, suppressed, loss, bound)
            VALUES (:period, :paragraph, :counting, :digest, :home_state, :home_level, :small, :published, :cells,
                    :suppressed, :loss, :bound)
        """),
        {
            **cube.values(),
            "digest": given.digest,
            "home_state": rule.home_state,
            "home_level": rule.home_level,
            "small": rule.small,
            "published": pattern is not None,
            "cells": 0 if pattern is None else int((~pattern.table.hidden).sum()),
            "suppressed": len(rows),
            "loss": None if pattern is None else pattern.loss,
            "bound": None if pattern is None else pattern.bound,
        },
    )
    return len(rows)


def _show(session: Session, ground: Ground, cube: Cube, sheet: Sheet) -> None:
    """Mark what a sheet publishes."""
    categories = [*categories_of(sheet.name, ground.rule.home_state), OUTSIDE, TOTAL] if sheet.name == ORIGIN else None
    for level in sheet.levels:
        if np.isnan(level.counts).all():
            continue
        values = {**cube.values(), "level": level.name, "role": sheet.name}
        session.execute(
            text("""
                UPDATE placement_cell SET published = true
                WHERE level = :level AND area_role = :role AND paragraph = :paragraph AND counting = :counting
                  AND period = :period AND area_key = ANY (:keys)
                  AND (CAST(:categories AS text[]) IS NULL OR category = ANY (:categories))
            """),
            {**values, "keys": list(level.areas), "categories": categories},
        )
        session.execute(
            text("""
                UPDATE placement_sheet SET published = true
                WHERE level = :level AND area_role = :role AND paragraph = :paragraph AND counting = :counting
                  AND period = :period
            """),
            values,
        )


def _suppressed(pattern: Pattern, sheet: Sheet) -> Iterator[dict[str, str]]:
    for level in sheet.levels:
        mask = masks(pattern, sheet, level.name)
        for names, hit in (
            (sheet.categories, mask.counts),
            (tuple(sheet.groups), mask.groups),
            ((TOTAL,), mask.totals[:, None]),
        ):
            for row, column in np.argwhere(hit).tolist():
                yield {"level": level.name, "key": level.areas[row], "category": names[column]}
