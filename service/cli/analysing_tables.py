"""How the answers of ``analyse`` look in a terminal: which columns, with how many decimals, in which order."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from geodata import words
from service.cli.tables import MOST_ROWS, Column, given, numbers, people, percents, printable, table, texts

if TYPE_CHECKING:
    from geodata.answer import Answer
    from geodata.clusters import ClusterRow
    from geodata.coverage.request import CoverageRow
    from geodata.gaps import GapRow
    from geodata.point_reach import PointReachAnswer
    from geodata.similar import SimilarRow
    from geodata.standards import StandardRow

_UNITS = {"places": "Plätze", "hours_per_week": "Wochenstunden"}
FLAGS = {
    "ok": None,
    "missing": "fehlt",
    "estimated": "geschätzt",
    "provisional": "vorläufig",
    "suppressed": "unterdrückt",
}
_MEASURES = {"supply": "Versorgung", "reach": "Erreichbarkeit", "catchment": "Einzugsbereich"}
_NONE = "–"


def supply(answer: "Answer[CoverageRow]") -> Iterator[str]:
    """Yield what there is in each area."""
    rows = answer.rows
    return table(given([
        *area(rows),
        _residents(rows),
        numbers("Einrichtungen", [row.facilities for row in rows]),
        numbers("ohne Angabe", [row.facilities_without_supply for row in rows]),
        numbers("ohne Alter", [row.ages_unknown for row in rows]),
        numbers(_unit(rows), [row.supply for row in rows], 1),
        numbers("je 1.000", [row.supply_per_1000 for row in rows], 1),
        _use(rows),
        flag(rows),
    ]))  # fmt: skip


def reach(answer: "Answer[CoverageRow]") -> Iterator[str]:
    """Yield how many get to a place."""
    rows = answer.rows
    return table(given([
        *area(rows),
        _residents(rows),
        numbers("Einrichtungen", [row.facilities for row in rows]),
        percents("erreicht", [row.reach_share for row in rows]),
        people("nicht erreicht", [row.not_reached for row in rows]),
        numbers("Weg in m", [row.nearest_m for row in rows]),
        people("ohne Verbindung", [row.unconnected for row in rows]),
        flag(rows),
    ]))  # fmt: skip


def catchment(answer: "Answer[CoverageRow]") -> Iterator[str]:
    """Yield what residents can get to, with those who compete for it."""
    rows = answer.rows
    return table(given([
        *area(rows),
        _residents(rows),
        numbers("Einrichtungen", [row.facilities for row in rows]),
        numbers("ohne Angabe", [row.facilities_without_supply for row in rows]),
        numbers(f"{_unit(rows)} je 1.000", [row.access_index for row in rows], 1),
        flag(rows),
    ]))  # fmt: skip


def gaps(answer: "Answer[GapRow]") -> Iterator[str]:
    """Yield what is missing where, and below it the sentences that say why."""
    rows = answer.rows
    there, needed, deficit = _against(rows)
    yield from table(given([
        numbers("Rang", [row.rank for row in rows], missing=_NONE),
        Column("Spanne", [_span(row.rank_low, row.rank_high) for row in rows]),
        *area(rows),
        _residents(rows),
        there,
        needed,
        deficit,
        numbers("je 1.000", [row.deficit_per_1000 for row in rows], 1),
        None if all(row.need_index is None for row in rows) else (
            numbers("Bedarfsindex", [row.need_index for row in rows], 2)
        ),
        numbers("Priorität", [row.priority for row in rows], 2, _NONE),
        flag(rows),
    ]))  # fmt: skip
    if rows:
        yield ""
        yield from (printable(row.reason) for row in rows[:MOST_ROWS])


def _against(rows: "Sequence[GapRow]") -> tuple[Column, Column, Column]:
    """Return what there is, what is needed and what is missing, in the unit of the measure."""
    if any(row.reached is not None for row in rows):
        # Rounded as the sentences below them are: two figures for one thing would look like a mistake.
        return (
            numbers("erreicht", [row.reached for row in rows]),
            numbers("nötig", [row.needed for row in rows]),
            numbers("Fehlbedarf", [row.deficit for row in rows]),
        )
    if any(row.access_index is not None for row in rows):
        there = numbers("erreichbar je 1.000", [row.access_index for row in rows], 1)
    else:
        there = numbers(_unit(rows), [row.supply for row in rows], 1)
    return (
        there,
        numbers("nötig", [row.needed for row in rows], 1),
        numbers("Fehlbedarf", [row.deficit for row in rows], 1),
    )


def _span(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return _NONE
    return words.number(low) if low == high else f"{words.number(low)}–{words.number(high)}"


def point(answer: "PointReachAnswer") -> Iterator[str]:
    """Yield the places in reach, nearest first, and the residents by age."""
    rows = answer.rows
    yield from table(given([
        numbers("Meter", [row.metres for row in rows]),
        numbers("Minuten", [row.minutes for row in rows], 1),
        texts("Einrichtung", [row.name for row in rows]),
        texts("Kategorien", [", ".join(row.categories) for row in rows]),
        texts("Träger", [row.provider for row in rows]),
        texts("Straße", [" ".join(filter(None, (row.street, row.house_number))) for row in rows]),
    ]))  # fmt: skip
    if answer.residents:
        bands = people("Einwohner", [band.residents for band in answer.residents])
        total = words.number(answer.residents_total or 0.0)
        yield ""
        yield from table([
            texts("Alter", [*(_ages(band.age_from, band.age_to) for band in answer.residents), "zusammen"]),
            Column(bands.heading, [*bands.cells, total]),
        ])  # fmt: skip


def similar(answer: "Answer[SimilarRow]") -> Iterator[str]:
    """Yield the most similar areas: with each indicator its value and its part in the distance."""
    rows = answer.rows
    names = list(rows[0].values) if rows else []
    yield from table(given([
        numbers("Rang", [row.rank for row in rows]),
        *area(rows),
        numbers("Abstand", [row.distance for row in rows], 2),
        *(_compared(rows, name) for name in names),
        flag(rows),
    ]))  # fmt: skip
    if rows:
        own = (f"{name} {words.number(value, _decimals([value]))}" for name, value in rows[0].own_values.items())
        yield ""
        yield printable(f"Das Gebiet selbst: {'; '.join(own)}")


def _compared(rows: "Sequence[SimilarRow]", name: str) -> Column:
    """Return an indicator's values, each with its part in the distance."""
    decimals = _decimals(row.values[name] for row in rows)
    cells = [
        f"{words.number(row.values[name], decimals)} ({words.percent(row.contributions.get(name, 0.0), 0)})"
        for row in rows
    ]
    return Column(f"{printable(name)} (Anteil)", [printable(cell) for cell in cells])


def _decimals(values: Iterable[float | None]) -> int:
    """Return how many decimals show values of any unit: none where all are whole, else two."""
    return 0 if all(value is None or value == round(value) for value in values) else 2


def clusters(answer: "Answer[ClusterRow]") -> Iterator[str]:
    """Yield where high or low values lie together; those areas first that are certain."""
    rows = sorted(answer.rows, key=lambda row: not row.significant)
    return table(given([
        *area(rows),
        numbers("Wert", [row.value for row in rows], _decimals(row.value for row in rows)),
        texts("Häufung", [row.cluster for row in rows]),
        numbers("I", [row.local_i for row in rows], 2, _NONE),
        numbers("p", [row.p_value for row in rows], 4, _NONE),
        numbers("p berichtigt", [row.p_adjusted for row in rows], 4, _NONE),
        numbers("Nachbarn", [row.neighbours for row in rows], missing=_NONE),
        texts("Kennzeichen", [FLAGS.get(row.flag, row.flag) for row in rows]),
    ]))  # fmt: skip


def standards(answer: "Answer[StandardRow]") -> Iterator[str]:
    """Yield the standards with where they come from."""
    from geodata.standards import value_in_words  # noqa: PLC0415 - not for --help

    rows = answer.rows
    return table(given([
        texts("Kürzel", [row.code for row in rows]),
        texts("Titel", [row.title for row in rows]),
        texts("Kategorie", [row.category for row in rows]),
        texts("Maß", [_MEASURES.get(row.measure, row.measure) for row in rows]),
        texts("Wert", [value_in_words(row.measure, row.value, row.unit, row.minutes, row.mode) for row in rows]),
        texts("Alter", [_ages(row.age_from, row.age_to) for row in rows]),
        texts("Quelle", [row.source for row in rows]),
        texts("Beschluss", [row.resolution for row in rows]),
        texts("Datum", [f"{row.resolved_on:%d.%m.%Y}" for row in rows]),
    ]))  # fmt: skip


def area(rows: Sequence[Any]) -> tuple[Column, Column]:
    """Return the columns that say which area a row is of."""
    return texts("Schlüssel", [row.area_key for row in rows]), texts("Gebiet", [row.area_name for row in rows])


def _residents(rows: "Sequence[CoverageRow]") -> Column:
    return people("Einwohner", [row.population for row in rows])


def _unit(rows: "Sequence[CoverageRow]") -> str:
    return _UNITS.get(rows[0].supply_unit, rows[0].supply_unit) if rows else ""


def _use(rows: "Sequence[CoverageRow]") -> Column | None:
    """Return what is stated about use, where anything is."""
    if not any(row.use for row in rows):
        return None
    return numbers("Inanspruchnahme", [row.use for row in rows], 1)


def flag(rows: Iterable[Any]) -> Column:
    """Return how reliable each row is, in words; nothing where it is as it should be."""
    return texts("Kennzeichen", [FLAGS.get(row.flag, row.flag) for row in rows])


def _ages(age_from: int | None, age_to: int | None) -> str | None:
    if age_from is None and age_to is None:
        return None
    from geodata.ages import Ages  # noqa: PLC0415 - not for --help

    return Ages(age_from or 0, age_to).words()
