"""The question "where do high or low values lie together": local Moran's I of an indicator over a level's areas.

How it is computed stands in ``geodata.local_moran``; here it is asked which areas are neighbours, and what a reader has
to know. Two areas are neighbours if they touch in a side or a corner; gaps of up to one metre between the borders of a
source do not part them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, footnotes, read_sources, read_state
from geodata.areas import LevelRow, area_sources, geometries, require_level
from geodata.errors import ParameterError
from geodata.indicator_values import IndicatorValues, values_at
from geodata.kept import Kept, database_of
from geodata.local_moran import HIGH_HIGH, HIGH_LOW, LOW_HIGH, LOW_LOW, LocalMoran, differ, local_moran
from geodata.viewer import Version

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

TOUCH_M = 1.0
FEWEST_AREAS = 10
PERMUTATIONS = (99, 9999)
# With fewer, p-values are too coarse for a false discovery rate: of Hamburg's 104 Stadtteile 999 draws find hardly any
# of the clusters that 9,999 find.
USUAL_PERMUTATIONS = 9999
MOST_SIGNIFICANCE = 0.2
CLUSTERS = {
    HIGH_HIGH: "hoch-hoch", LOW_LOW: "niedrig-niedrig", HIGH_LOW: "hoch-niedrig", LOW_HIGH: "niedrig-hoch",
}  # fmt: skip
NOT_SIGNIFICANT = "nicht gesichert"
ALONE = "ohne Nachbarn"
_NAMED = 5


@dataclass(frozen=True, slots=True)
class ClustersRequest:
    """Clusters of ``indicator`` at ``level``; ``position`` None: the only one, ``period`` None: the latest.

    ``permutations``: draws per area; ``significance``: the share of false findings that is borne. ``after`` is the key
    of the last row of the page before.
    """

    indicator: str
    level: str
    position: str | None = None
    period: str | None = None
    permutations: int = USUAL_PERMUTATIONS
    significance: float = 0.05
    limit: int | None = None
    after: str | None = None
    geometry: bool = False
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One area: its value and how it lies among its neighbours.

    ``cluster``: own value, then the neighbours' mean (``hoch-niedrig``: a high one among low ones), or
    ``nicht gesichert``. ``significant``: ``p_adjusted`` (false discovery rate) is at most the significance asked for.
    ``neighbours``: those with a value. ``flag``: ``ok``, ``estimated``, ``missing`` (no value) or ``ohne Nachbarn``; in
    the last two everything but the value is None.
    """

    area_level: str
    area_key: str
    area_name: str
    indicator: str
    position: str
    period: str
    value: float | None
    local_i: float | None
    p_value: float | None
    p_adjusted: float | None
    significant: bool | None
    cluster: str | None
    neighbours: int | None
    flag: str
    geometry: str | None


@dataclass(frozen=True)
class Borders:
    """The areas of a level from west to east (so that no name decides on chance), and which of them touch.

    ``first``, ``second``: numbers of touching areas, each pair in both directions. ``mapped`` (areas,): has geometry.
    """

    keys: list[str]
    names: list[str]
    first: Ints
    second: Ints
    mapped: Flags


_borders: Kept[Borders] = Kept(8)


def clusters(session: Session, request: ClustersRequest) -> Answer[ClusterRow]:
    """Return all areas of the level by key, each with its cluster.

    The same request on the same data gives the same answer, whatever areas are called and however they are ordered.
    Raises ``ParameterError`` for an unknown level or indicator, values that cannot be compared, are all the same or
    too few, and numbers out of bounds.
    """
    level = require_level(session, request.level)
    _require_fitting(request)
    borders = _borders_of(session, request.level)
    if not borders.mapped.any():
        raise ParameterError("level", f"Die Ebene {level.title} hat keine Karte; Nachbarn sind nicht bekannt.")
    found = values_at(session, request.level, borders.keys, request.indicator, request.position, request.period)
    known = np.isfinite(found.values)
    first, second = borders.first, borders.second
    joined = known[first] & known[second]
    first, second = first[joined], second[joined]
    neighbours = np.bincount(first, minlength=len(known))
    taking = neighbours > 0
    _require_usable(found, level, taking)
    number = np.cumsum(taking) - 1
    made = local_moran(found.values[taking], number[first], number[second], request.permutations)
    order = sorted(range(len(borders.keys)), key=borders.keys.__getitem__)
    if request.after is not None:
        order = [i for i in order if borders.keys[i] > request.after]
    page = order if request.limit is None else order[: request.limit]
    rows = _rows(session, request, borders, found, (taking, number, neighbours), made, page)
    meta = footnotes(
        session,
        title=f"Räumliche Häufungen · {found.title} · Ebene {level.title}",
        method=_method(request, found),
        unit=found.info.unit or "ohne Angabe",
        version=request.version,
        sources=read_sources(session, "statistics", found.datasets) + area_sources(session, request.level),
        missing=sum(row.local_i is None for row in rows),
        warnings=list(_warnings(request, borders, found, taking, made)),
    )
    meta.next = rows[-1].area_key if len(page) < len(order) else None
    return Answer(meta, rows)


def touching(shapes: Sequence[shapely.Geometry | None]) -> tuple[Ints, Ints]:
    """Return the numbers of areas (EPSG:25832) that lie within 1 m of each other, each pair in both directions."""
    given = np.array(shapes, dtype=object)
    there = np.flatnonzero(~shapely.is_missing(given))
    if not len(there):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    first, second = shapely.STRtree(given[there]).query(given[there], predicate="dwithin", distance=TOUCH_M)
    other = first != second
    return there[first[other]], there[second[other]]


def _borders_of(session: Session, level: str) -> Borders:
    key = (*database_of(session), read_state(session).data_version, level)
    return _borders.get(key, lambda: _read_borders(session, level))


def _read_borders(session: Session, level: str) -> Borders:
    rows = session.execute(
        text("SELECT key, name, ST_AsBinary(geom) AS geom FROM area_visible WHERE level = :level ORDER BY key"),
        {"level": level},
    ).all()
    shapes = shapely.from_wkb(np.array([row.geom for row in rows], dtype=object))
    mapped: Flags = np.asarray(~shapely.is_missing(shapes))
    xy = np.full((len(rows), 2), np.inf)
    xy[mapped] = shapely.get_coordinates(shapely.centroid(shapes[mapped]))
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    first, second = touching(shapes[order].tolist())
    listed = [rows[i] for i in order.tolist()]
    return Borders([row.key for row in listed], [row.name for row in listed], first, second, mapped[order])


def _require_fitting(request: ClustersRequest) -> None:
    fewest, most = PERMUTATIONS
    if not fewest <= request.permutations <= most:
        raise ParameterError(
            "permutations", f"„permutations“ muss eine ganze Zahl von {fewest} bis {words.number(most)} sein."
        )
    if not 0 < request.significance <= MOST_SIGNIFICANCE:
        raise ParameterError(
            "significance",
            f"„significance“ muss über 0 und höchstens {words.plain(MOST_SIGNIFICANCE)} sein, etwa 0.05.",
        )


def _require_usable(found: IndicatorValues, level: LevelRow, taking: Flags) -> None:
    if found.from_coarser:
        raise ParameterError(
            "level",
            f"{found.title} ist auf der Ebene {level.title} nur aus größeren Gebieten geschätzt; was dort beieinander "
            "läge, folgte aus der Schätzung. Bitte eine Ebene wählen, auf der es Werte gibt.",
        )
    if taking.sum() < FEWEST_AREAS:
        raise ParameterError(
            "indicator",
            f"Häufungen lassen sich erst ab {FEWEST_AREAS} Gebieten prüfen, die einen Wert und Nachbarn mit Wert "
            f"haben; {found.title} hat auf der Ebene {level.title} nur {int(taking.sum())}.",
        )
    if not differ(found.values[taking]):
        raise ParameterError(
            "indicator", f"{found.title} hat in allen Gebieten der Ebene {level.title} denselben Wert."
        )


def _rows(
    session: Session,
    request: ClustersRequest,
    borders: Borders,
    found: IndicatorValues,
    taking: tuple[Flags, Ints, Ints],
    made: LocalMoran,
    page: Sequence[int],
) -> list[ClusterRow]:
    shapes = geometries(session, request.level, [borders.keys[i] for i in page]) if request.geometry else {}
    takes, number, neighbours = taking
    rows = []
    for i in page:
        value = float(found.values[i])
        key, at = borders.keys[i], int(number[i])
        part = bool(takes[i])
        significant = bool(made.p_adjusted[at] <= request.significance) if part else None
        flag = "estimated" if found.estimated[i] else "ok"
        rows.append(ClusterRow(
            area_level=request.level,
            area_key=key,
            area_name=borders.names[i],
            indicator=found.info.code,
            position=found.position,
            period=found.period,
            value=value if math.isfinite(value) else None,
            local_i=float(made.statistic[at]) if part else None,
            p_value=float(made.p[at]) if part else None,
            p_adjusted=float(made.p_adjusted[at]) if part else None,
            significant=significant,
            cluster=(CLUSTERS[int(made.quadrant[at])] if significant else NOT_SIGNIFICANT) if part else None,
            neighbours=int(neighbours[i]) if part else None,
            flag="missing" if math.isnan(value) else flag if part else ALONE,
            geometry=shapes.get(key),
        ))  # fmt: skip
    return rows


def _method(request: ClustersRequest, found: IndicatorValues) -> str:
    return (
        f"Lokales Moran-I von {found.title}: der Wert jedes Gebiets wird mit dem Mittel seiner Nachbarn verglichen "
        f"(Gebiete, die sich auf {words.plain(TOUCH_M)} m berühren, alle mit gleichem Gewicht); zweiseitiger p-Wert "
        f"aus {words.number(request.permutations)} zufälligen Vertauschungen der übrigen Werte, gesichert bei einer "
        f"Rate falscher Funde von höchstens {words.plain(100 * request.significance, 2)}\N{NO-BREAK SPACE}% "
        "(Benjamini-Hochberg)."
    )


def _warnings(
    request: ClustersRequest, borders: Borders, found: IndicatorValues, taking: Flags, made: LocalMoran
) -> Iterator[str]:
    significant = int((made.p_adjusted <= request.significance).sum())
    if not significant:
        yield "Keine Häufung ist gesichert: Die Unterschiede zwischen den Gebieten können Zufall sein."
        # The smallest p-value there can be, against the threshold of the k-th of n ordered ones.
        needed = math.ceil(len(made.p) * 2 / (request.permutations + 1) / request.significance)
        if needed > 1:
            yield (
                f"Bei {words.number(len(made.p))} Gebieten und {words.number(request.permutations)} Vertauschungen "
                f"kann eine Häufung erst ab {words.number(needed)} auffälligen Gebieten gesichert sein; mehr "
                "permutations senken diese Schwelle."
            )
    missing = [name for name, value in zip(borders.names, found.values.tolist(), strict=True) if math.isnan(value)]
    if missing:
        has, counts = ("hat", "zählt") if len(missing) == 1 else ("haben", "zählen")
        yield (
            f"{words.counted(len(missing), 'Ein Gebiet', 'Gebiete')} {has} keinen Wert und {counts} auch nicht als "
            f"Nachbar: {words.listed(sorted(missing), _NAMED)}."
        )
    alone = [borders.names[i] for i in np.flatnonzero(np.isfinite(found.values) & ~taking).tolist()]
    if alone:
        yield (
            f"{words.counted(len(alone), 'Ein Gebiet hat', 'Gebiete haben')} keinen Nachbarn mit Wert und "
            f"{'ist' if len(alone) == 1 else 'sind'} nicht geprüft: {words.listed(sorted(alone), _NAMED)}."
        )
    if found.info.kind == "count":
        yield (
            f"„{found.info.title}“ ist eine Anzahl, kein Anteil: Hohe Werte häufen sich schon dort, wo viele Menschen "
            "leben oder Gebiete groß geschnitten sind."
        )
    if found.note:
        yield found.note
