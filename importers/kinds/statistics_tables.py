"""Statistics inside the database: from the staging table to one visible version, all in SQL."""

from sqlalchemy import text

from geodata.conflicts import conflicts
from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.indicators import COUNTS_HELPS
from importers.errors import RefusedError
from importers.kinds import figures, statistics_totals
from importers.kinds.statistics_rows import KEY
from importers.load import Job, check_rejects, publish
from importers.lookup import Lookup

_STAGE = "stage_observation"
_COLUMNS = (*KEY, "value", "flag", "starts", "ends")


def load(job: Job, lookup: Lookup, replace: figures.Replace) -> None:
    """Check over all rows, then write the new version, compare its totals, and make it visible."""
    session, report = job.session, job.report
    session.execute(text(f"ANALYZE {_STAGE} (row, level, area_key, period)"))
    figures.check_areas(job, _STAGE, lookup)
    figures.drop_rejected(job, _STAGE)
    figures.check_twice(job, _STAGE, KEY, "Dieser Wert")
    check_rejects(job)
    figures.drop_rejected(job, _STAGE)
    kept = figures.keep_other_periods(job, "observation", _STAGE, _COLUMNS, replace)
    listed = ", ".join(_COLUMNS)
    session.execute(
        text(f"INSERT INTO observation (import_id, {listed}) SELECT :import_id, {listed} FROM {_STAGE}"),  # noqa: S608
        {"import_id": job.import_id},
    )
    refresh_statistics(session, ("observation",))
    _require_one_source(job)
    figures.note_merged(job, lookup)
    _count(job, kept)
    statistics_totals.compare(job, _STAGE)
    statistics_totals.warn_of_zeros(job, _STAGE)
    statistics_totals.warn_of_fractions(job, _STAGE)
    _warn_of_uncounted(job)
    publish(job, loaded=report.rows_read - report.rows_rejected)
    report.counts |= rebuild(session, "statistics", job.import_id)


def _require_one_source(job: Job) -> None:
    found = conflicts(job.session, job.import_id)
    if found:
        raise RefusedError(f"{found[0].sentence()} Nichts wurde geändert.", job.report)


def _count(job: Job, kept: int) -> None:
    number, without = job.session.execute(
        text(f"SELECT count(*), count(*) FILTER (WHERE value IS NULL) FROM {_STAGE}")  # noqa: S608
    ).one()
    job.report.counts["Beobachtungen"] = number
    if without:
        job.report.counts["davon ohne Wert"] = without
    if kept:
        job.report.counts["Beobachtungen anderer Zeiträume, behalten"] = kept


def _warn_of_uncounted(job: Job) -> None:
    """Warn where helps are counted and nobody says how: such figures can be compared with none."""
    counted = job.session.execute(
        text(f"""
            SELECT EXISTS (SELECT FROM {_STAGE} WHERE indicator = ANY (:helps)) AND counting IS NULL
            FROM import_run WHERE id = :import_id
        """),  # noqa: S608
        {"helps": sorted(COUNTS_HELPS), "import_id": job.import_id},
    ).scalar_one()
    if counted:
        job.report.warn(
            "Wie gezählt wurde, ist nicht angegeben; solche Zahlen lassen sich mit keinen anderen vergleichen "
            "(--counting, etwa stichtag)."
        )
