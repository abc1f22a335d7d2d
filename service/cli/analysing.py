"""``sozialraumkarte analyse``: the questions of planning, each the same as its route of the API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from geodata.errors import ParameterError
from service.area_names import area_pair
from service.cli import analysing_helps as helps
from service.cli import analysing_homes
from service.cli import analysing_options as options
from service.cli import analysing_tables as show
from service.cli.answering import Output, Questions, answer, read_file, said, stated_only
from service.cli.common import load_settings

if TYPE_CHECKING:
    from geodata.answer import Answer
    from geodata.coverage.request import CoverageRow, Drawn

_AREA = "Bitte mit --area ein Gebiet angeben, etwa --area stadtteil:02101."
_POINT = "Bitte den Punkt mit --lon und --lat angeben, etwa --lon 9.99 --lat 53.55."
_INDICATOR = "Bitte mit --indicator eine Kennzahl angeben, etwa --indicator population."
_LEVEL = "Bitte mit --level eine Gebietsebene angeben, etwa --level stadtteil."

app = typer.Typer(
    cls=Questions,
    no_args_is_help=True,
    help="Auswerten: Versorgung, Erreichbarkeit, Einzugsbereiche, Bedarf, Vergleich, Unterbringungen, Controlling. Was "
    "die Maße bedeuten, steht in docs/methoden.md.",
)


@app.command(help="Versorgung: Plätze oder Wochenstunden je 1.000 Einwohner des Alters.")
def supply(
    context: typer.Context,
    level: options.Level = None,
    category: options.Category = None,
    age_from: options.AgeFrom = None,
    age_to: options.AgeTo = None,
    supply_unit: options.SupplyUnit = None,
    type_: options.Type = None,
    barrier_free: options.BarrierFree = None,
    area: options.AreaOption = None,
    period: options.Period = None,
    polygon: options.Polygon = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell how many places there are for residents of an age."""
    output = Output.of(context, as_json, out, version)
    _coverage(
        "supply", show.supply, output, level, polygon, category, type_, barrier_free, area,
        age_from=age_from, age_to=age_to, supply_unit=supply_unit, period=period, limit=limit,
    )  # fmt: skip


@app.command(help="Erreichbarkeit: Anteil der Einwohner, die es in so vielen Minuten zu einer Einrichtung schaffen.")
def reach(
    context: typer.Context,
    level: options.Level = None,
    category: options.Category = None,
    age_from: options.AgeFrom = None,
    age_to: options.AgeTo = None,
    minutes: options.Minutes = None,
    mode: options.Mode = None,
    type_: options.Type = None,
    barrier_free: options.BarrierFree = None,
    area: options.AreaOption = None,
    period: options.Period = None,
    polygon: options.Polygon = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell how many residents get to a place in time."""
    output = Output.of(context, as_json, out, version)
    _coverage(
        "reach", show.reach, output, level, polygon, category, type_, barrier_free, area,
        age_from=age_from, age_to=age_to, minutes=minutes, mode=mode, period=period, limit=limit,
    )  # fmt: skip


@app.command(help="Einzugsbereich: erreichbare Kapazität, geteilt durch alle, die darum konkurrieren (E2SFCA).")
def catchment(
    context: typer.Context,
    level: options.Level = None,
    category: options.Category = None,
    age_from: options.AgeFrom = None,
    age_to: options.AgeTo = None,
    minutes: options.Minutes = None,
    mode: options.Mode = None,
    decay: options.Decay = None,
    supply_unit: options.SupplyUnit = None,
    type_: options.Type = None,
    barrier_free: options.BarrierFree = None,
    area: options.AreaOption = None,
    period: options.Period = None,
    polygon: options.Polygon = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell what residents can get to, and with how many they share it."""
    output = Output.of(context, as_json, out, version)
    _coverage(
        "catchment", show.catchment, output, level, polygon, category, type_, barrier_free, area,
        age_from=age_from, age_to=age_to, minutes=minutes, mode=mode, decay=decay, supply_unit=supply_unit,
        period=period, limit=limit,
    )  # fmt: skip


@app.command(help="Bestand und Bedarf: Was fehlt gegenüber einem Richtwert, und wo zuerst?")
def gaps(
    context: typer.Context,
    level: options.Level = None,
    category: options.Category = None,
    standard: options.Standard = None,
    standard_value: options.StandardValue = None,
    measure: options.Measure = None,
    age_from: options.AgeFrom = None,
    age_to: options.AgeTo = None,
    minutes: options.Minutes = None,
    mode: options.Mode = None,
    decay: options.Decay = None,
    supply_unit: options.SupplyUnit = None,
    need: options.Need = None,
    need_weight: options.NeedWeight = None,
    area: options.AreaOption = None,
    period: options.Period = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Rank areas by what they lack."""
    from geodata.coverage.request import MEASURES, MODES  # noqa: PLC0415 - heavy libraries
    from geodata.gap_request import GapsRequest  # noqa: PLC0415
    from geodata.gaps import GapRow  # noqa: PLC0415
    from geodata.gaps import gaps as ask  # noqa: PLC0415
    from service.api import parameters as query  # noqa: PLC0415
    from service.api.analysis import Stated  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415
    from service.context import today  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    stated = Stated(
        measure=query.one_of("measure", measure, MEASURES),
        age_from=age_from,
        age_to=age_to,
        minutes=minutes,
        mode=query.one_of("mode", mode, MODES),
        decay=decay,
        supply_unit=supply_unit,
    )
    if stated.measure or not standard:
        stated.require_applying(stated.measure or "supply")
    wanted = GapsRequest(
        level=said(level, "level", _LEVEL),
        on=today(),
        categories=query.listed(category),
        need=query.need_of(need),
        area=area_pair("area", area),
        pace=load_settings().pace(),
        geometry=output.geometry,
        version=output.version,
        **stated.given(),
        **stated_only(
            standard=standard, standard_value=standard_value, need_weight=need_weight, period=period, limit=limit
        ),
    )
    answer(output, lambda session: ask(session, wanted), render_flat("bedarf", GapRow), show.gaps)


@app.command(help="Blick von einem Punkt: Welche Einrichtungen, wie viele Menschen sind von hier aus erreichbar?")
def point(
    context: typer.Context,
    lon: options.Lon = None,
    lat: options.Lat = None,
    minutes: options.Minutes = None,
    mode: options.Mode = None,
    category: options.Category = None,
    type_: options.Type = None,
    barrier_free: options.BarrierFree = None,
    age_from: options.AgeFrom = None,
    age_to: options.AgeTo = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell what is in reach of a point."""
    from geodata.coverage.request import MODES  # noqa: PLC0415 - heavy libraries
    from geodata.point_reach import PointReachRequest  # noqa: PLC0415
    from geodata.point_reach import point_reach as ask  # noqa: PLC0415
    from service.api import parameters as query  # noqa: PLC0415
    from service.api.reaching import render_reach  # noqa: PLC0415
    from service.context import today  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    wanted = PointReachRequest(
        lon=said(lon, "lon", _POINT),
        lat=said(lat, "lat", _POINT),
        on=today(),
        categories=query.listed(category),
        types=query.listed(type_),
        barrier_free=query.listed(barrier_free),
        pace=load_settings().pace(),
        version=output.version,
        **stated_only(
            minutes=minutes, mode=query.one_of("mode", mode, MODES), age_from=age_from, age_to=age_to, limit=limit
        ),
    )
    answer(output, lambda session: ask(session, wanted), render_reach, show.point)


@app.command(help="Vergleichsgebiete: Welche Gebiete sind diesem in den Kennzahlen am ähnlichsten?")
def similar(
    context: typer.Context,
    area: options.TheArea = None,
    indicators: options.Indicators = None,
    period: options.Period = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell which areas resemble one the most."""
    from geodata.similar import SimilarRequest, SimilarRow  # noqa: PLC0415 - heavy libraries
    from geodata.similar import similar as ask  # noqa: PLC0415
    from service.api import parameters as query  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    own_level, key = said(area_pair("area", area), "area", _AREA)
    wanted = SimilarRequest(
        own_level,
        key,
        query.indicators_of(indicators),
        geometry=output.geometry,
        version=output.version,
        **stated_only(period=period, limit=limit),
    )
    answer(output, lambda session: ask(session, wanted), render_flat("vergleichsgebiete", SimilarRow), show.similar)


@app.command(help="Räumliche Häufungen: Wo liegen hohe oder niedrige Werte einer Kennzahl beieinander?")
def clusters(
    context: typer.Context,
    indicator: options.Indicator = None,
    level: options.Level = None,
    position: options.Position = None,
    period: options.Period = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell where high and low values lie together."""
    from geodata.clusters import ClusterRow, ClustersRequest  # noqa: PLC0415 - heavy libraries
    from geodata.clusters import clusters as ask  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    wanted = ClustersRequest(
        said(indicator, "indicator", _INDICATOR),
        said(level, "level", _LEVEL),
        geometry=output.geometry,
        version=output.version,
        **stated_only(position=position, period=period, limit=limit),
    )
    answer(output, lambda session: ask(session, wanted), render_flat("haeufungen", ClusterRow), show.clusters)


@app.command(help="Richtwerte, die hinterlegt sind, mit Quelle, Beschluss und Datum.")
def standards(
    context: typer.Context,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """List the standards that are stored."""
    from geodata.standards import StandardRow  # noqa: PLC0415 - heavy libraries
    from geodata.standards import standards as ask  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415
    from service.formats import Format  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    flat = (Format.JSON, Format.CSV, Format.XLSX)
    answer(
        output,
        lambda session: ask(session, output.version),
        render_flat("richtwerte", StandardRow),
        show.standards,
        flat,
    )


def _coverage(
    measure: str,
    lines: "Callable[[Answer[CoverageRow]], Iterator[str]]",
    output: Output,
    level: str | None,
    polygon: Path | None,
    category: str | None,
    type_: str | None,
    barrier_free: str | None,
    area: str | None,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Ask for the coverage of a level's areas, or of drawn ones; ``given`` without what is None."""
    from geodata.coverage.answer import coverage  # noqa: PLC0415 - heavy libraries
    from geodata.coverage.request import DRAWN, CoverageRequest, CoverageRow  # noqa: PLC0415
    from service.api import parameters as query  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415
    from service.context import today  # noqa: PLC0415

    if polygon is not None and (level or area):
        raise ParameterError("polygon", "Eigene Flächen gehören zu keiner Ebene; bitte --level und --area weglassen.")
    wanted = CoverageRequest(
        level=DRAWN if polygon else said(level, "level", _LEVEL),
        on=today(),
        categories=query.listed(category),
        types=query.listed(type_),
        barrier_free=query.listed(barrier_free),
        area=area_pair("area", area),
        drawn=_drawn(polygon) if polygon else (),
        pace=load_settings().pace(),
        geometry=output.geometry,
        version=output.version,
        **stated_only(measure=measure, **given),
    )
    answer(output, lambda session: coverage(session, wanted), render_flat("versorgung", CoverageRow), lines)


def _drawn(path: Path) -> "tuple[Drawn, ...]":
    from geodata.coverage.drawn import MAX_BODY_BYTES, drawn_of  # noqa: PLC0415 - heavy libraries

    return drawn_of(read_file(path, MAX_BODY_BYTES))


app.command(help="Unterbringungen: Wie viele sind bei Trägern außerhalb des Bundeslands, und wie ändert sich das?")(
    helps.placements
)
app.command(help="Controlling: Hilfedichte, Kosten, Hilfequotient und mehr je Gebiet, Zeitraum und Hilfeart.")(
    helps.controlling
)
app.command(help="Budget: erwartete Ausgaben, Steuerungseffekt und Nettoeffekt eines Gebiets nach Jahren.")(
    helps.budget
)
app.command(help="Fälle und Plätze in der Nähe: In welchen Gebieten fehlen Plätze in Einrichtungen, und wo zuerst?")(
    analysing_homes.homes
)
