"""``analyse homes``: where young people are placed, and how many places there are near."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from geodata import words
from service.area_names import area_pair
from service.cli import analysing_options as options
from service.cli.analysing_tables import area as area_columns
from service.cli.answering import Output, answer, said, stated_only
from service.cli.tables import MOST_ROWS, column_of, given, numbers, percents, printable, table

if TYPE_CHECKING:
    from geodata.answer import Answer
    from geodata.home_gaps import HomeGapRow

_LEVEL = "Bitte mit --level eine Gebietsebene angeben, etwa --level stadtteil."
_NONE = "–"

_BandsKm = Annotated[
    str | None,
    typer.Option(help="Bis zu fünf ansteigende Entfernungen in km (Luftlinie), mit Komma; ohne Angabe 5,10,20."),
]
_NearKm = Annotated[float | None, typer.Option(help="Welche der Entfernungen als nah gilt; ohne Angabe die kleinste.")]


def homes(
    context: typer.Context,
    level: options.Level = None,
    paragraph: options.Paragraph = None,
    period: options.Quarter = None,
    area_role: options.AreaRole = None,
    counting: options.CountingWord = None,
    area: options.AreaOption = None,
    bands_km: _BandsKm = None,
    near_km: _NearKm = None,
    limit: options.Limit = None,
    version: options.Version = None,
    as_json: options.AsJson = False,
    out: options.Out = None,
) -> None:
    """Tell how many places there are near the areas whose young people are placed."""
    from geodata.home_gaps import HomeGapsRequest, home_gaps  # noqa: PLC0415 - heavy libraries
    from service.api.homes import bands_of, render_homes  # noqa: PLC0415
    from service.context import today  # noqa: PLC0415

    output = Output.of(context, as_json, out, version)
    wanted = HomeGapsRequest(
        level=said(level, "level", _LEVEL),
        on=today(),
        paragraph=paragraph or "34",
        period=period or None,
        area_role=area_role or None,
        counting=counting or "stichtag",
        area=area_pair("area", area),
        geometry=output.geometry,
        version=output.version,
        **bands_of(bands_km),
        **stated_only(near_km=near_km, limit=limit),
    )
    answer(output, lambda session: home_gaps(session, wanted), render_homes, shown)


def shown(answer: "Answer[HomeGapRow]") -> Iterator[str]:
    """Yield cases and places, and below them the sentences that say why, with what is to be noted."""
    rows = answer.rows
    bands = [
        numbers(f"Plätze bis {words.plain(band.km, 3)} km", [row.bands[i].places for row in rows])
        for i, band in enumerate(rows[0].bands if rows else ())
    ]
    local = any(row.local_share is not None for row in rows)
    yield from table(given([
        numbers("Rang", column_of(rows, "rank"), missing=_NONE),
        *area_columns(rows),
        numbers("Fälle", column_of(rows, "cases")),
        numbers("Einrichtungen", [row.homes for row in rows]),
        numbers("ohne Angabe", [row.homes_without_places for row in rows]),
        numbers("Plätze", [row.places for row in rows]),
        *bands,
        numbers("nächste in km", [row.nearest_km for row in rows], 1, _NONE),
        percents("örtlich", [row.local_share for row in rows], missing=_NONE) if local else None,
        percents("Belegung", [row.own_occupancy for row in rows], missing=_NONE) if local else None,
    ]))  # fmt: skip
    if rows:
        yield ""
        for row in rows[:MOST_ROWS]:
            yield printable(f"{row.area_name or row.area_key}: {' '.join(filter(None, (row.reason, row.note)))}")
