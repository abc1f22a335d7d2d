"""The question "where are young people placed, and no place near": cases beside places in homes, area by area.

Which homes there are and how far is found in ``geodata.home_places``, said in ``geodata.home_reasons`` and
``geodata.home_notes``; cases are those of ``geodata.placements``, with all that is left out of them. Nothing here rests
on a count or a home that the viewer may not see: a suppressed number of cases has no rank, no ratio and no sentence.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import home_notes as notes
from geodata.answer import Answer, Source, footnotes, page_after, read_sources
from geodata.areas import area_sources
from geodata.coverage.people import People, people_of
from geodata.coverage.places import Flags
from geodata.figure_tables import WITHOUT_AREA
from geodata.home_cases import AreaCases, read_cases, shapes
from geodata.home_places import (
    Amounts,
    Ground,
    Homes,
    Near,
    Stock,
    centres,
    hidden_in_areas,
    near,
    read_ground,
    read_homes,
    rows_of,
    stock_of_areas,
    stock_of_rows,
)
from geodata.home_reasons import Found, Reasons
from geodata.home_request import KEY_DATE, HomeBand, HomeGapRow, HomeGapsRequest, near_km_of, placements_asked
from geodata.placement_request import Asked, filled
from geodata.viewer import Version

# To the millimetre, as distances are kept.
_KM_DECIMALS = 6

__all__ = ["HomeBand", "HomeGapRow", "HomeGapsRequest", "home_gaps"]


@dataclass(frozen=True, slots=True)
class _Measured:
    """Columns of the rows, in their order. ``local``: known and local cases by area key, where they may be read.

    ``inside``: stock of the areas themselves, ``office_stock`` of the office of number ``office`` (-1: none);
    ``hidden``: homes in the areas whose point is not shown.
    """

    offices: list[str]
    mapped: Flags
    inside: list[Amounts]
    office: list[int]
    office_stock: list[Amounts]
    near: Near
    bands: list[list[Amounts]]
    hidden: list[int]
    inner: Flags
    local: Mapping[str, tuple[int, int | None]]


def home_gaps(session: Session, request: HomeGapsRequest) -> Answer[HomeGapRow]:
    """Return cases and places of the areas, ordered by rank, then key; those not ranked last, ``ohne`` at the very end.

    Raises ``ParameterError`` for a paragraph that is none, bands that do not rise or are out of bounds, and whatever
    placements refuse.
    """
    near_km = near_km_of(request)
    asked = filled(session, placements_asked(request))
    ground = read_ground(session, request.level, asked.rule.home_level)
    homes = read_homes(session, ground, request.paragraph, request.on)
    stock = stock_of_areas(homes.places, len(ground.areas.keys))
    rest = bool(stock.homes[-1] > 0 or stock.places[-1] > 0)
    cases = read_cases(session, asked, ground.areas, rest=rest)
    people = people_of(session)
    measured = _measured(session, request, asked, near_km, ground, homes, stock, cases, people)
    rows = _rows(request, asked, near_km, cases, measured)
    page, following = page_after(rows, [row.area_key for row in rows], request.after, request.limit)
    office = _office_title(session, asked) if max(measured.office, default=-1) >= 0 else None
    named = [(row.name or row.key, row.key == WITHOUT_AREA) for row in cases]
    meta = footnotes(
        session,
        title=notes.title(asked),
        method=notes.method(asked, f"{request.on:%d.%m.%Y}", office, request.bands_km, near_km),
        unit="Plätze, Fälle",
        version=request.version,
        sources=_sources(session, asked, homes, people),
        missing=sum(row.cases is None or row.bands[0].homes is None for row in page if row.area_key != WITHOUT_AREA),
        warnings=list(
            notes.warnings(
                asked,
                homes,
                inner=[name for (name, _), inner in zip(named, measured.inner.tolist(), strict=True) if inner],
                unmapped=[
                    name
                    for (name, without), mapped in zip(named, measured.mapped.tolist(), strict=True)
                    if not mapped and not without
                ],
                suppressed=any(row.suppressed for row in cases),
                local=bool(measured.local),
            )
        ),
    )
    meta.next = following
    return Answer(meta, _with_geometry(session, request, cases, page) if request.geometry else page)


def _with_geometry(
    session: Session, request: HomeGapsRequest, cases: Sequence[AreaCases], page: Sequence[HomeGapRow]
) -> list[HomeGapRow]:
    shown = {row.area_key for row in page}
    geometry = shapes(session, request.level, [row for row in cases if row.key in shown])
    return [replace(row, geometry=geometry.get(row.area_key)) for row in page]


def _measured(
    session: Session, request: HomeGapsRequest, asked: Asked, near_km: float, ground: Ground, homes: Homes,
    stock: Stock, cases: Sequence[AreaCases], people: People | None,
) -> _Measured:  # fmt: skip
    rows = rows_of(ground.areas, [row.members for row in cases])
    without = np.array([row.key == WITHOUT_AREA for row in cases], dtype=np.bool_)
    centre, inner = centres(session, ground.areas, rows, people)
    found = near(homes, centre, request.bands_km, near_km)
    office = rows.first(ground.office)
    mapped = np.append(ground.offices.mapped, False)
    of_offices = stock_of_areas(homes.office, len(ground.offices.keys)).of_each(office)
    return _Measured(
        offices=ground.offices.keys,
        mapped=rows.mapped,
        inside=stock_of_rows(rows, stock, rows.mapped | without).amounts(),
        office=office.tolist(),
        office_stock=of_offices.known_where(mapped[office]).amounts(),
        near=found,
        bands=[band.amounts() for band in found.bands],
        hidden=rows.added(hidden_in_areas(homes, len(ground.areas.keys))).astype(int).tolist(),
        inner=inner,
        local=_local(session, request, asked),
    )


def _local(session: Session, request: HomeGapsRequest, asked: Asked) -> dict[str, tuple[int, int | None]]:
    found = session.execute(
        text("""
            SELECT area_key, known, local FROM placement_local_visible
            WHERE level = :level AND area_role = :role AND paragraph = :paragraph AND counting = :counting
              AND period = :period
        """),
        {
            "level": request.level,
            "role": asked.area_role,
            "paragraph": request.paragraph,
            "counting": request.counting,
            "period": asked.sheets[-1].period,
        },
    )
    return {row.area_key: (row.known, row.local) for row in found}


def _rows(
    request: HomeGapsRequest, asked: Asked, near_km: float, cases: Sequence[AreaCases], measured: _Measured
) -> list[HomeGapRow]:
    """Return all rows in order."""
    reasons = Reasons(request.paragraph, near_km, request.version is Version.PUBLISHED)
    near_band = measured.bands[request.bands_km.index(near_km)]
    found = [_found(row, measured, near_band[i], i) for i, row in enumerate(cases)]
    ranks = _ranks(found)
    rows = [_row(request, asked, row, measured, i, found[i], ranks[i], reasons) for i, row in enumerate(cases)]
    # By key already; the sort keeps that among equals.
    return sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.area_key == WITHOUT_AREA))


def _found(row: AreaCases, measured: _Measured, band: Amounts, i: int) -> Found:
    nearest_m = float(measured.near.nearest_m[i])
    return Found(
        key=row.key,
        name=row.name or row.key,
        cases=row.cases,
        suppressed=row.suppressed,
        mapped=bool(measured.mapped[i]),
        homes=band.homes or 0,
        without=band.without or 0,
        places=band.places,
        offering=int(measured.near.offering[i]),
        hidden=measured.hidden[i],
        nearest_km=None if math.isnan(nearest_m) else round(nearest_m / 1000, _KM_DECIMALS),
        stated=bool(measured.near.stated[i]),
    )


def _ranks(found: Sequence[Found]) -> list[int | None]:
    """Return ranks by number of cases, areas without a place near before all others; equal ones share the best."""
    order = sorted((not one.lacking, -(one.cases or 0)) for one in found if one.rankable)
    first = {place: number for number, place in reversed(list(enumerate(order, start=1)))}
    return [first[not one.lacking, -(one.cases or 0)] if one.rankable else None for one in found]


def _row(
    request: HomeGapsRequest, asked: Asked, row: AreaCases, measured: _Measured, i: int, found: Found, rank: int | None,
    reasons: Reasons,
) -> HomeGapRow:  # fmt: skip
    inside, office = measured.inside[i], measured.office_stock[i]
    known, local = measured.local.get(row.key, (0, None))
    by_place = local if request.counting == KEY_DATE else None
    occupancy = by_place / inside.places if by_place is not None and inside.places else None
    said = notes.of_row(
        merged=len(row.members) > 1,
        without=inside.without or 0,
        places=inside.places,
        local=by_place,
        unknown=(row.cases or 0) - known,
        occupancy=occupancy,
    )
    return HomeGapRow(
        area_level=request.level,
        area_key=row.key,
        area_name=row.name,
        period=asked.sheets[-1].period,
        paragraph=request.paragraph,
        area_role=asked.area_role,
        counting=request.counting,
        cases=row.cases,
        homes=inside.homes,
        homes_without_places=inside.without,
        places=inside.places,
        bands=tuple(
            HomeBand(km, band[i].homes, band[i].without, band[i].places)
            for km, band in zip(request.bands_km, measured.bands, strict=True)
        ),
        nearest_km=found.nearest_km,
        office_key=measured.offices[measured.office[i]] if measured.office[i] >= 0 else None,
        office_homes=office.homes,
        office_homes_without_places=office.without,
        office_places=office.places,
        none_near=found.none_near if found.mapped and row.key != WITHOUT_AREA else None,
        near_places_per_case=found.places / row.cases if row.cases and found.places is not None else None,
        local_share=local / known if local is not None and known else None,
        own_occupancy=occupancy,
        rank=rank,
        reason=reasons.of(found),
        note=" ".join(said) or None,
        suppressed=row.suppressed,
        suppressed_fields=_suppressed(row, found),
        geometry=None,
    )


def _suppressed(row: AreaCases, found: Found) -> tuple[str, ...]:
    """Return the fields that are None only because the number of cases is suppressed."""
    if not row.suppressed:
        return ()
    rank = ("rank",) if found.mapped else ()
    return ("cases", *(("near_places_per_case",) if found.places is not None else ()), *rank)


def _office_title(session: Session, asked: Asked) -> str | None:
    title: str | None = session.execute(
        text("SELECT title FROM level WHERE level = :level"), {"level": asked.rule.home_level}
    ).scalar()
    return title


def _sources(session: Session, asked: Asked, homes: Homes, people: People | None) -> list[Source]:
    return [
        *read_sources(session, "placements", set(asked.sheets[-1].datasets)),
        *read_sources(session, "facilities", set(homes.places.datasets)),
        *([] if people is None else people.sources(session)),
        *area_sources(session, asked.request.level),
    ]
