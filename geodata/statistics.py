"""The question "what is known of an indicator at a level": published figures per area, as their source gives them.

Nothing is summed here. An area without a figure is listed as missing; figures on areas that a source reports
together stay together, unless they are residents: those are split by residents and flagged as estimated.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import Answer, Meta, footnotes, read_sources
from geodata.areas import LevelRow, area_sources, keys_inside, require_level
from geodata.errors import ParameterError
from geodata.figure_notes import kept_by_office, small_suppressed
from geodata.figure_tables import SCENARIOS, WITHOUT_AREA
from geodata.geometry import area_geojson
from geodata.indicator_words import counted_in_words, position_title, unit_in_words
from geodata.indicators import COUNTS_HELPS, HIDDEN_COUNTS, IndicatorInfo, indicator_of
from geodata.periods import parse_period, spoken
from geodata.viewer import Version

_MOST_ALLOWED = 20

# (area key, position, counting, dataset) of the last row of the page before.
After = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class StatisticsRequest:
    """Figures of ``indicator`` at ``level``; ``period`` None: the latest there is.

    ``position`` and ``counting`` None: all; "": figures that have none. ``area`` is (level, key): only that area, or
    those inside it; the key ``ohne`` means what belongs to no area. ``after`` names the last row of the page before.
    """

    indicator: str
    level: str
    period: str | None = None
    scenario: str = "ist"
    position: str | None = None
    counting: str | None = None
    area: tuple[str, str] | None = None
    geometry: bool = False
    limit: int = 1000
    after: After | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """One figure. ``value`` None: suppressed or missing, as ``flag`` says; ``dataset`` None: nobody has the figure.

    ``counting`` says how was counted, ``unit`` in what. ``area_key`` is ``ohne`` for what belongs to no area, several
    keys joined by ``+`` for areas reported together.
    """

    area_level: str
    area_key: str
    area_name: str | None
    indicator: str
    position: str
    period: str
    scenario: str
    counting: str | None
    value: float | None
    flag: str
    unit: str | None
    kind: str | None
    dataset: str | None
    geometry: str | None


# Blocks are what belongs side by side: each has a row for every area. Where figures are visible only inside the
# viewer's own areas, no others are listed: they are not missing, they are not shown. Open are figures that others see.
_ROWS = """
WITH RECURSIVE inside(level, key) AS (
    SELECT CAST(:area_level AS text), CAST(:area_key AS text)
    UNION
    SELECT a.level, a.key FROM area_visible a JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
), figure AS MATERIALIZED (
    SELECT DISTINCT ON (o.dataset, o.counting, o.position, o.area_key)
           o.dataset, o.counting, o.position, o.area_key, o.value, o.flag, o.unit, o.merged_key
    FROM observation_visible o
    WHERE o.indicator = :indicator AND o.level = :level AND o.period = :period AND o.scenario = :scenario
      AND (CAST(:position AS text) IS NULL OR o.position = :position)
      AND (CAST(:counting AS text) IS NULL OR coalesce(o.counting, '') = :counting)
    ORDER BY o.dataset, o.counting, o.position, o.area_key, o.merged_key NULLS FIRST
), shown AS (
    SELECT f.* FROM figure f
    WHERE NOT EXISTS (SELECT FROM figure s WHERE s.merged_key = f.area_key AND s.dataset = f.dataset
                          AND s.counting IS NOT DISTINCT FROM f.counting AND s.position = f.position)
), block AS (
    SELECT f.counting, f.position,
           bool_or(srk_viewer_role() = 'admin' OR (:level, f.area_key) NOT IN (SELECT level, key FROM own_area)
                   OR d.release = 'public' AND NOT srk_counts_helps(:indicator, f.unit)) AS open
    FROM figure f JOIN dataset_visible d ON d.dataset = f.dataset GROUP BY f.counting, f.position
), place AS (
    SELECT a.key, (a.level, a.key) IN (SELECT level, key FROM own_area) AS own FROM area_visible a
    WHERE a.level = :level AND EXISTS (SELECT FROM figure)
), listed AS (
    SELECT area_key, position, counting, dataset, value, flag, unit, merged_key FROM shown
    UNION ALL
    SELECT p.key, b.position, b.counting, NULL, NULL, 'missing', NULL, NULL
    FROM place p JOIN block b ON b.open OR p.own
    WHERE NOT EXISTS (SELECT FROM shown s WHERE s.area_key = p.key AND s.position = b.position
                          AND s.counting IS NOT DISTINCT FROM b.counting)
)
SELECT l.area_key, coalesce(a.name, m.name, CASE WHEN l.area_key = :without THEN 'ohne räumliche Zuordnung' END)
           AS area_name,
       l.position, l.counting, l.dataset, l.value, l.flag, l.unit, l.merged_key, m.key IS NOT NULL AS is_merged,
       {geometry} AS geometry
FROM listed l
LEFT JOIN area_visible a ON a.level = :level AND a.key = l.area_key
LEFT JOIN merged_area_visible m ON m.level = :level AND m.key = l.area_key
WHERE (CAST(:area_key AS text) IS NULL OR (:level, l.area_key) IN (SELECT level, key FROM inside)
       OR m.key IS NOT NULL AND NOT EXISTS (
           SELECT FROM unnest(m.members) AS member(key)
           WHERE (:level, member.key) NOT IN (SELECT level, key FROM inside)))
  AND (CAST(:after_key AS text) IS NULL
       OR (l.area_key = :without, l.area_key COLLATE "C", l.position COLLATE "C", coalesce(l.counting, '') COLLATE "C",
           coalesce(l.dataset, '') COLLATE "C")
          > (:after_key = :without, :after_key, :after_position, :after_counting, :after_dataset))
ORDER BY l.area_key = :without, l.area_key COLLATE "C", l.position COLLATE "C", coalesce(l.counting, '') COLLATE "C",
         coalesce(l.dataset, '') COLLATE "C"
LIMIT :limit
"""
_GEOMETRY = """
CASE WHEN m.key IS NULL THEN ST_AsBinary(a.geom)
     ELSE (SELECT ST_AsBinary(ST_Multi(ST_Union(part.geom))) FROM area_visible part
           WHERE part.level = :level AND part.key = ANY (m.members)) END
"""


def statistics(session: Session, request: StatisticsRequest) -> Answer[ObservationRow]:
    """Return the figures, ordered by area, position, counting and dataset, ``ohne`` last.

    Raises ``ParameterError`` for an unknown indicator, level, period, scenario, position, counting or area.
    """
    level = require_level(session, request.level)
    if request.scenario not in SCENARIOS:
        raise ParameterError(
            "scenario", f"Das Szenario „{request.scenario}“ gibt es nicht. Möglich: {', '.join(SCENARIOS)}.", SCENARIOS
        )
    info = indicator_of(session, request.indicator)
    _require_area(session, request, level)
    named = _named_period(request)
    found = _rows(session, request, named) if named else []
    # To list what there is costs more than to answer: only where nothing was found.
    period = named if found else _period(session, request, level)
    if period is None:
        return Answer(_nothing_shown(session, request, info, level), [])
    found = found or _rows(session, request, period)
    page = found[: request.limit]
    geometries = area_geojson([row.geometry for row in page])
    rows = [
        ObservationRow(
            request.level, row.area_key, row.area_name, request.indicator, row.position, period, request.scenario,
            row.counting, row.value, row.flag, info.unit or row.unit, info.kind, row.dataset, geometry,
        )
        for row, geometry in zip(page, geometries, strict=True)
    ]  # fmt: skip
    datasets = {row.dataset for row in page if row.dataset is not None}
    meta = footnotes(
        session,
        title=_title(session, info, level, request, period, min(datasets, default=None)),
        method=_method(info),
        unit=", ".join(sorted({unit_in_words(row.unit) for row in rows if row.unit})) or "ohne Angabe",
        version=request.version,
        sources=read_sources(session, "statistics", datasets) + area_sources(session, request.level),
        missing=sum(row.value is None for row in rows),
        warnings=list(_warnings(session, request, page, datasets)),
    )
    if len(found) > request.limit:
        last = page[-1]
        meta.next = "\n".join((last.area_key, last.position, last.counting or "", last.dataset or ""))
    return Answer(meta, rows)


def _rows(session: Session, request: StatisticsRequest, period: str) -> Sequence[Any]:
    query = _ROWS.format(geometry=_GEOMETRY if request.geometry else "NULL")
    return session.execute(text(query), _values(request, period)).all()


def _named_period(request: StatisticsRequest) -> str | None:
    """Return the period asked for in its one form; None where none is, or what is asked for is none."""
    try:
        return None if request.period is None else parse_period(request.period).text
    except ValueError:
        return None


def _values(request: StatisticsRequest, period: str) -> dict[str, Any]:
    key, position, counting, dataset = request.after or (None, None, None, None)
    return {
        "indicator": request.indicator,
        "level": request.level,
        "period": period,
        "scenario": request.scenario,
        "position": request.position,
        "counting": request.counting,
        "area_level": request.area[0] if request.area else None,
        "area_key": request.area[1] if request.area else None,
        "without": WITHOUT_AREA,
        "limit": request.limit + 1,
        "after_key": key,
        "after_position": position,
        "after_counting": counting,
        "after_dataset": dataset,
    }


def _allowed(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))[:_MOST_ALLOWED]


def _refuse(parameter: str, what: str, allowed: Collection[str]) -> ParameterError:
    listed = _allowed(allowed)
    more = " …" if len(set(allowed)) > len(listed) else ""
    offered = f"Vorhanden: {', '.join(listed)}{more}." if listed else "Es sind noch keine Statistiken geladen."
    return ParameterError(parameter, f"{what} {offered}", listed)


def _period(session: Session, request: StatisticsRequest, level: LevelRow) -> str | None:
    """Return the period asked for, or the latest; None if what there may be is not for this viewer's eyes."""
    there = session.execute(
        text("""
            SELECT DISTINCT period, starts, ends, scenario, position, coalesce(counting, '') AS counting
            FROM observation_visible
            WHERE indicator = :indicator AND level = :level ORDER BY ends DESC, starts DESC, period, position, counting
        """),
        {"indicator": request.indicator, "level": request.level},
    ).all()
    asked = None
    if request.period is not None:
        try:
            asked = parse_period(request.period).text
        except ValueError as error:
            raise ParameterError("period", str(error), _allowed(row.period for row in there)) from None
    name = request.indicator[:60]
    if not there:
        _require_indicator(session, request, level, name)
        return None
    of_scenario = [row for row in there if row.scenario == request.scenario]
    if not of_scenario:
        raise _refuse("scenario", f"Zu „{name}“ gibt es keine Werte im Szenario „{request.scenario}“.",
                      [row.scenario for row in there])  # fmt: skip
    fitting = [row for row in of_scenario if request.position is None or row.position == request.position]
    if not fitting:
        raise _refuse("position", f"Die Position „{(request.position or '')[:60]}“ hat „{name}“ hier nicht.",
                      sorted(row.position for row in of_scenario))  # fmt: skip
    counted = sorted({row.counting for row in fitting})
    if request.counting not in (None, *counted):
        how = f"So gezählt („{request.counting[:60]}“)" if request.counting else "Ohne Angabe, wie gezählt ist,"
        raise _refuse("counting", f"{how} gibt es von „{name}“ hier keine Werte.", [one or "ohne" for one in counted])
    periods = [row.period for row in fitting if request.counting in (None, row.counting)]
    if asked is not None and asked not in periods:
        raise _refuse("period", f"Für „{asked}“ gibt es von „{name}“ auf der Ebene {level.title} keine Werte.", periods)
    return asked or periods[0]


def _require_indicator(session: Session, request: StatisticsRequest, level: LevelRow, name: str) -> None:
    """Raise for an indicator that is not there; whether there are counts of helps is nobody's business."""
    if request.indicator in COUNTS_HELPS:
        return
    levels = session.execute(
        text("SELECT DISTINCT level FROM observation_visible WHERE indicator = :indicator ORDER BY level"),
        {"indicator": request.indicator},
    ).scalars()
    allowed = list(levels)
    if allowed:
        raise _refuse("level", f"Von „{name}“ gibt es auf der Ebene {level.title} keine Werte.", allowed)
    known = session.execute(text("SELECT DISTINCT indicator FROM observation_visible ORDER BY indicator")).scalars()
    raise _refuse("indicator", f"Von der Kennzahl „{name}“ gibt es keine Werte.", list(known))


def _require_area(session: Session, request: StatisticsRequest, level: LevelRow) -> None:
    if request.area is None or request.area == (request.level, WITHOUT_AREA):
        return
    keys_inside(session, request.area, level)


def _title(
    session: Session, info: IndicatorInfo, level: LevelRow, request: StatisticsRequest, period: str | None,
    dataset: str | None,
) -> str:  # fmt: skip
    position = position_title(session, request.position, dataset)
    parts = [info.title, position, f"Ebene {level.title}", None if period is None else spoken(period)]
    if request.scenario != "ist":
        parts.append({"prognose": "Prognose", "plan": "Plan"}[request.scenario])
    if request.counting is not None:
        parts.append(counted_in_words(request.counting))
    return " · ".join(part for part in parts if part)


def _method(info: IndicatorInfo) -> str:
    if info.residents:
        return (
            "Werte je Gebiet, wie die Quelle sie veröffentlicht, nicht aus Teilen summiert; gemeinsam ausgewiesene "
            "Gebiete sind nach Einwohnerinnen und Einwohnern aufgeteilt und als geschätzt gekennzeichnet."
        )
    return (
        "Werte je Gebiet, wie die Quelle sie veröffentlicht, nicht aus Teilen summiert; gemeinsam ausgewiesene Gebiete "
        "bleiben zusammen."
    )


def _nothing_shown(session: Session, request: StatisticsRequest, info: IndicatorInfo, level: LevelRow) -> Meta:
    return footnotes(
        session,
        title=_title(session, info, level, request, _named_period(request), None),
        method=_method(info),
        unit=unit_in_words(info.unit) or "ohne Angabe",
        version=request.version,
        sources=[],
        missing=0,
        warnings=[HIDDEN_COUNTS, *kept_by_office(session, request.level, [request.indicator])],
    )


def _warnings(session: Session, request: StatisticsRequest, page: Collection[Any], datasets: set[str]) -> Iterable[str]:
    if request.indicator in COUNTS_HELPS:
        yield HIDDEN_COUNTS
        yield from kept_by_office(session, request.level, [request.indicator])
    countings = sorted({row.counting or "" for row in page})
    if len(countings) > 1:
        words = ", ".join(counted_in_words(counting) for counting in countings)
        yield f"Verschieden gezählte Werte ({words}) sind nicht vergleichbar und dürfen nicht summiert werden."
    suppressed = sum(row.flag == "suppressed" for row in page)
    if suppressed:
        yield "Ein Wert ist unterdrückt." if suppressed == 1 else f"{suppressed} Werte sind unterdrückt."
    if suppressed and request.indicator in COUNTS_HELPS:
        yield small_suppressed(session)
    estimated = sorted({row.merged_key for row in page if row.merged_key is not None})
    if estimated:
        names = session.execute(
            text("SELECT name FROM merged_area_visible WHERE level = :level AND key = ANY (:keys) ORDER BY name"),
            {"level": request.level, "keys": estimated},
        ).scalars()
        listed = ", ".join(f"„{name}“" for name in names)
        yield f"Gemeinsam ausgewiesen und nach Einwohnerinnen und Einwohnern geschätzt aufgeteilt: {listed}."
    together = sorted({row.area_name for row in page if row.is_merged and row.area_name})
    if together:
        listed = ", ".join(f"„{name}“" for name in together)
        yield f"Nur gemeinsam ausgewiesen: {listed}; die einzelnen Gebiete stehen als fehlend daneben."
    scopes = session.execute(
        text("SELECT title, scope FROM dataset_visible WHERE dataset = ANY (:names) AND scope <> '' ORDER BY dataset"),
        {"names": sorted(datasets)},
    )
    for title, scope in scopes:
        yield f"Umfang von „{title}“: {scope}"
