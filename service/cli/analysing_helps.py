"""``analyse placements|controlling|budget``: where young people are placed, and what helps and steering them cost."""

import typer

from service.area_names import area_pair
from service.cli import analysing_options as options
from service.cli.answering import Output, answer, said, stated_only
from service.cli.common import load_settings

_AREA = "Bitte mit --area ein Gebiet angeben, etwa --area bezirk:1."
_LEVEL = "Bitte mit --level eine Gebietsebene angeben, etwa --level bezirk."


def placements(
    context: typer.Context,
    level: options.Level = None,
    paragraph: options.Paragraph = None,
    period: options.Quarter = None,
    compare: options.Compare = None,
    area_role: options.AreaRole = None,
    counting: options.CountingWord = None,
    area: options.AreaOption = None,
    series: options.Series = False,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell how many are placed outside the home state."""
    from geodata.placements import PlacementsRequest  # noqa: PLC0415 - heavy libraries
    from geodata.placements import placements as ask  # noqa: PLC0415
    from service.api.placing import render_placements  # noqa: PLC0415
    from service.cli import analysing_helps_tables as show  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    wanted = PlacementsRequest(
        level=said(level, "level", _LEVEL),
        paragraph=paragraph or "34",
        period=period or None,
        compare=compare or None,
        area_role=area_role or None,
        counting=counting or "stichtag",
        area=area_pair("area", area),
        series=series,
        home_state=load_settings().home_state,
        geometry=output.geometry,
        limit=limit,
        version=output.version,
    )
    answer(output, lambda session: ask(session, wanted), render_placements, show.placements)


def controlling(
    context: typer.Context,
    level: options.Level = None,
    period_from: options.From = None,
    period_to: options.To = None,
    area: options.AreaOption = None,
    base: options.Base = None,
    yearly_growth: options.YearlyGrowth = None,
    scenario: options.Scenario = None,
    measure: options.Compared = None,
    city_level: options.CityLevel = None,
    position: options.HelpPosition = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell the figures of controlling."""
    from geodata.controlling import ControllingRequest  # noqa: PLC0415 - heavy libraries
    from geodata.controlling import controlling as ask  # noqa: PLC0415
    from geodata.controlling_line import ControllingRow  # noqa: PLC0415
    from service.api.placing import CONTROLLING  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415
    from service.cli import analysing_helps_tables as show  # noqa: PLC0415
    from service.formats import Format  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    wanted = ControllingRequest(
        level=said(level, "level", _LEVEL),
        period_from=period_from or None,
        period_to=period_to or None,
        area=area_pair("area", area),
        base=base or None,
        city_level=city_level or None,
        position=position or None,
        limit=limit or load_settings().max_rows,
        version=output.version,
        **stated_only(yearly_growth=yearly_growth, scenario=scenario, measure=measure),
    )
    flat = (Format.JSON, Format.CSV, Format.XLSX)
    answer(
        output, lambda session: ask(session, wanted), render_flat(CONTROLLING, ControllingRow), show.controlling, flat
    )


def budget(
    context: typer.Context,
    area: options.TheArea = None,
    period_from: options.From = None,
    period_to: options.To = None,
    base: options.BudgetBase = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell what was expected and what steering has brought."""
    from geodata.controlling_budget_question import BudgetRequest, BudgetRow  # noqa: PLC0415 - heavy libraries
    from geodata.controlling_budget_question import budget as ask  # noqa: PLC0415
    from service.api.placing import BUDGET  # noqa: PLC0415
    from service.api.routes import render_flat  # noqa: PLC0415
    from service.cli import analysing_helps_tables as show  # noqa: PLC0415
    from service.formats import Format  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    level, key = area_pair("area", said(area, "area", _AREA)) or ("", "")
    wanted = BudgetRequest((level, key), period_from or None, period_to or None, base or None, output.version)
    flat = (Format.JSON, Format.CSV, Format.XLSX)
    answer(output, lambda session: ask(session, wanted), render_flat(BUDGET, BudgetRow), show.budget, flat)
