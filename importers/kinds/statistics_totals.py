"""What figures say against each other: totals that differ between levels, and zeros that may be suppressed.

Nothing is reconciled; the report names both numbers.
"""

from typing import Any

from sqlalchemy import text

from geodata.figure_tables import WITHOUT_AREA
from geodata.indicators import POPULATION, TOTAL, indicators_of
from importers.copying import staging_table
from importers.kinds.figures import german
from importers.load import Job

_MOST_WARNINGS = 200
# Below that difference (relative) two sums are the same but for rounding of floating point numbers.
_SAME = 1e-6
# A narrow age band may well be empty in a small area; with so many residents it is worth a look.
_WORTH_A_LOOK = 100
# What is counted one by one has no fractions.
_WHOLE = (
    "personen",
    "haushalte",
    "wohnungen",
    "gebäude",
    "einrichtungen",
    "pkw",
    "hilfen",
    "junge_menschen",
    "familien",
)
_SUM = (
    ("dataset", "text"), ("own", "boolean"), ("level", "text"), ("indicator", "text"), ("position", "text"),
    ("period", "text"), ("scenario", "text"), ("total", "float8"), ("absent", "int"),
)  # fmt: skip
_SUMS_OF = {
    "bezirk": "der Bezirke", "region": "der Jugendamtsregionen", "stadtteil": "der Stadtteile",
    "ortsteil": "der Ortsteile", "statgebiet": "der statistischen Gebiete", "sozialraum": "der Sozialräume",
}  # fmt: skip


def compare(job: Job, stage: str) -> None:
    """Warn where the sums of counts over two levels differ, this dataset's or another visible one's.

    Compared is what counts alike (indicator, position, period, scenario, counting). A level of which less than half
    the areas are stated is left out: its sum says nothing.
    """
    session = job.session
    codes = session.execute(text(f"SELECT DISTINCT indicator FROM {stage}")).scalars().all()  # noqa: S608
    counts = {code: known for code, known in indicators_of(session, codes).items() if known.kind == "count"}
    _add_up(job, stage, sorted(counts))
    differing = session.execute(
        text("""
            SELECT a.indicator, a.position, a.period, a.scenario, a.level AS one, a.total AS one_total,
                   a.absent AS one_absent, b.level AS other, b.total AS other_total, b.absent AS other_absent,
                   CASE WHEN NOT b.own THEN b.dataset END AS other_dataset, count(*) OVER () AS number
            FROM stage_sum a JOIN stage_sum b USING (indicator, position, period, scenario)
            WHERE a.own AND a.level <> b.level AND (NOT b.own OR a.level < b.level)
              AND abs(a.total - b.total) > :same * GREATEST(abs(a.total), abs(b.total))
            ORDER BY abs(a.total - b.total) / GREATEST(abs(a.total), abs(b.total)) DESC, a.indicator, a.position,
                     a.period DESC, a.level, b.level, b.dataset
            LIMIT :most
        """),
        {"same": _SAME, "most": _MOST_WARNINGS},
    ).all()
    for row in differing:
        what = counts[row.indicator].title + (f", {row.position}" if row.position else "")
        job.report.warn(_sentence(what, row), field=row.indicator, value=row.period)
    if differing and differing[0].number > _MOST_WARNINGS:
        job.report.warn(
            f"Weitere {differing[0].number - _MOST_WARNINGS} Summen weichen zwischen Ebenen voneinander ab."
        )


def _add_up(job: Job, stage: str, counts: list[str]) -> None:
    """Fill the table stage_sum: each dataset's sum over each level, with the number of areas without a value."""
    session = job.session
    staging_table(session, "stage_sum", _SUM)
    session.execute(
        text(f"""
            WITH asked AS MATERIALIZED (
                SELECT DISTINCT indicator, position, period, scenario FROM {stage} WHERE indicator = ANY (:counts)
            ), figure AS (
                SELECT :dataset AS dataset, true AS own, o.level, o.area_key, indicator, position, period, scenario,
                       o.value
                FROM observation o JOIN asked USING (indicator, position, period, scenario)
                WHERE o.import_id = :import_id
                UNION ALL
                SELECT o.dataset, false, o.level, o.area_key, indicator, position, period, scenario, o.value
                FROM observation_current o JOIN asked USING (indicator, position, period, scenario)
                WHERE o.dataset_id <> :dataset_id
                  AND o.counting IS NOT DISTINCT FROM (SELECT counting FROM import_run WHERE id = :import_id)
            ), stated AS (
                SELECT dataset, own, level, indicator, position, period, scenario, sum(value) AS total,
                       coalesce(sum(cardinality(string_to_array(area_key, '+')))
                                FILTER (WHERE value IS NOT NULL AND area_key <> :without), 0) AS areas
                FROM figure GROUP BY 1, 2, 3, 4, 5, 6, 7
            )
            INSERT INTO stage_sum
            SELECT s.dataset, s.own, s.level, s.indicator, s.position, s.period, s.scenario, s.total,
                   GREATEST(n.areas - s.areas, 0)
            FROM stated s JOIN (SELECT level, count(*) AS areas FROM area_visible GROUP BY level) n USING (level)
            WHERE s.total IS NOT NULL AND 2 * s.areas >= n.areas
        """),  # noqa: S608 - the table is ours
        {
            "dataset": job.report.dataset,
            "dataset_id": job.dataset_id,
            "import_id": job.import_id,
            "counts": counts,
            "without": WITHOUT_AREA,
        },
    )
    # Without knowing its size the planner compares every sum with every other.
    session.execute(text("ANALYZE stage_sum"))


def _sentence(what: str, row: Any) -> str:  # noqa: ANN401 - a row of the query
    held = f" im Bestand „{row.other_dataset}“" if row.other_dataset else ""
    scenario = "" if row.scenario == "ist" else f", {row.scenario}"
    absent = [
        f"ohne Wert {_areas(number)} {_of(level)}"
        for level, number in ((row.one, row.one_absent), (row.other, row.other_absent))
        if number
    ]
    beside = f" ({'; '.join(absent)})" if absent else ""
    return (
        f"{what}, {row.period}{scenario}: Die Summe {_of(row.one)} ({german(row.one_total)}) weicht von der "
        f"{_of(row.other)}{held} ({german(row.other_total)}) ab{beside}."
    )


def _areas(number: int) -> str:
    return "ist 1" if number == 1 else f"sind {number}"


def _of(level: str) -> str:
    return _SUMS_OF.get(level, f"der Ebene „{level}“")


def warn_of_zeros(job: Job, stage: str) -> None:
    """Warn of residents of an age that are exactly 0 where the area has residents: small numbers may be hidden so.

    For all under-age together (0 to 18 or wider) any resident will do, else at least 100.
    """
    suspicious = job.session.execute(
        text(f"""
            SELECT s.row, s.field, s.position, s.area_key, t.value AS total
            FROM {stage} s
            JOIN observation t ON t.import_id = :import_id AND t.level = s.level AND t.area_key = s.area_key
                AND t.indicator = s.indicator AND t.position = :total AND t.period = s.period
                AND t.scenario = s.scenario
            WHERE s.indicator = :population AND s.position <> :total AND s.value = 0
              AND t.value >= CASE WHEN substring(s.position FROM '^0-([0-9]+)$')::int >= 18 THEN 1 ELSE :many END
            ORDER BY s.row, s.position
        """),  # noqa: S608 - the table is ours
        {"import_id": job.import_id, "total": TOTAL, "population": POPULATION, "many": _WORTH_A_LOOK},
    )
    for row in suspicious:
        job.report.warn(
            "Der Wert ist 0, vielleicht unterdrückt: Das Gebiet hat Einwohnerinnen und Einwohner.",
            row=row.row, field=row.field, value=f"0 (von {german(row.total)}, {row.area_key}, {row.position})",
        )  # fmt: skip


def warn_of_fractions(job: Job, stage: str) -> None:
    """Warn of numbers of people, flats and the like that are no whole numbers: often another column slipped in."""
    codes = job.session.execute(text(f"SELECT DISTINCT indicator FROM {stage} WHERE value <> floor(value)")).scalars()  # noqa: S608
    known = indicators_of(job.session, list(codes))
    whole = sorted(code for code, info in known.items() if info.kind == "count" and info.unit in _WHOLE)
    broken = job.session.execute(
        text(f"""
            SELECT row, field, area_key, period, value FROM {stage}
            WHERE indicator = ANY (:whole) AND value <> floor(value) AND flag <> 'estimated'
              AND (SELECT counting FROM import_run WHERE id = :import_id) IS DISTINCT FROM 'mittel_12_stichtage'
            ORDER BY row, period
        """),  # noqa: S608 - the table is ours
        {"whole": whole, "import_id": job.import_id},
    )
    for row in broken:
        job.report.warn(
            "Eine Anzahl ist keine ganze Zahl; vielleicht steht hier die Angabe einer anderen Spalte.",
            row=row.row, field=row.field, value=f"{german(row.value)} ({row.area_key}, {row.period})",
        )  # fmt: skip
