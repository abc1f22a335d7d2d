"""Addresses: from any table or geodata file to one visible version of the list that the local geocoder reads."""

from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from geodata.database import refresh_statistics
from importers.copying import copy_rows, staging_table
from importers.kinds import address_rows
from importers.load import NOTHING_SAID, Footnotes, Job, Limit, Rules, check_rejects, check_shrink, importing, publish
from importers.mapping import Mapping, require_columns, require_known
from importers.report import Report
from importers.sources import Source

SAME_ADDRESS_M = 50.0
_SAME = "street_plain, number_plain, coalesce(postcode, ''), lower(coalesce(city, ''))"


@dataclass(frozen=True, slots=True)
class AddressesImport:
    """What to load. ``home_level``: addresses outside the union of its areas are kept and counted.

    ``crs``: of geometry, or of ``x`` and ``y``, where the source does not say it.
    """

    dataset: str | None = None
    home_level: str = "bezirk"
    crs: str | None = None
    mapping: Mapping = field(default_factory=Mapping)
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))


def import_addresses(engine: Engine, source: Source, wanted: AddressesImport) -> Report:
    """Load a list of addresses (one row each, with its point) in one transaction; return the report.

    The same address twice counts once; more than 50 m apart, the later row is a reject. Raises ``MappingError`` when
    columns or CRS do not fit, ``RefusedError`` when the limits on rejects or shrinkage are passed. Nothing is changed
    then.
    """
    info = wanted.mapping.dataset
    rules = wanted.mapping.columns
    report = Report(wanted.dataset or info.name or "addresses", "addresses", source.provenance.source)
    require_known(wanted.mapping.makes(), address_rows.COLUMNS, "Adressen")
    require_columns(rules, source.columns, ("street", "house_number"), source.provenance.source)
    notes = wanted.footnotes.over(info, "Adressen")
    with importing(engine, report, source.provenance, notes, wanted.rules) as job:
        staging_table(job.session, "stage_address", address_rows.STAGE)
        columns = [name for name, _kind in address_rows.STAGE]
        declared = wanted.crs or wanted.mapping.source.crs or source.provenance.crs
        for chunk in source.chunks():
            copy_rows(job.session, "stage_address", columns, address_rows.checked(chunk, rules, declared, report))
        for row, why in source.bad_rows.items():
            report.rows_read += 1
            report.reject(row, None, None, why)
        for note in source.notes:
            report.info(note)
        job.session.execute(text("ANALYZE stage_address"))
        _once_each(job)
        check_rejects(job)
        _load(job)
        _count_outside(job, wanted.home_level)
        publish(job, loaded=report.rows_loaded)
        refresh_statistics(job.session, ("address",))
    return report


def _once_each(job: Job) -> None:
    """Leave each address once: that of the lowest row. Far from it, a later one is no repetition but a reject."""
    repeated = job.session.execute(
        text(f"""
            DELETE FROM stage_address s USING (
                SELECT row, first, ST_Distance(geom, at) AS apart_m FROM (
                    SELECT row, geom, first_value(row) OVER same AS first, first_value(geom) OVER same AS at
                    FROM stage_address WINDOW same AS (PARTITION BY {_SAME} ORDER BY row)) all_rows
                WHERE row <> first) r
            WHERE s.row = r.row
            RETURNING s.row, concat_ws(' ', s.street, s.house_number) AS address, r.first, r.apart_m
        """)  # noqa: S608 - the columns are constants
    ).all()
    count = 0
    for row, address, first, apart_m in sorted(repeated):
        if apart_m > SAME_ADDRESS_M:
            job.report.reject(
                row, "street", address, f"Die Adresse steht schon in Zeile {first}, {apart_m:.0f} m entfernt.",
                "Bitte Straße, Hausnummer, Postleitzahl und Ort prüfen.",
            )  # fmt: skip
        else:
            count += 1
            job.report.info("Die Adresse steht mehrfach da; sie zählt einmal.", row=row, field="street", value=address)
    if count:
        job.report.counts["Wiederholte Adressen"] = count


def _load(job: Job) -> None:
    """Write the staged addresses, numbered by what they say, so that the order of the source makes no difference."""
    session, report = job.session, job.report
    values = {"import_id": job.import_id, "previous_id": job.previous_id}
    loaded = session.execute(text("SELECT count(*) FROM stage_address")).scalar_one()
    before = session.execute(text("SELECT count(*) FROM address WHERE import_id = :previous_id"), values).scalar_one()
    check_shrink(job, before, loaded)
    session.execute(
        text(f"""
            INSERT INTO address (import_id, number, street, house_number, postcode, city, street_plain, number_plain,
                                 geom)
            SELECT :import_id, row_number() OVER (ORDER BY {_SAME}), street, house_number, postcode, city,
                   street_plain, number_plain, geom
            FROM stage_address
        """),  # noqa: S608 - the columns are constants
        values,
    )
    report.counts["Straßen"] = session.execute(
        text("SELECT count(DISTINCT street_plain) FROM stage_address")
    ).scalar_one()
    report.rows_loaded = loaded


def _count_outside(job: Job, home_level: str) -> None:
    """Count the addresses outside the home level's areas (a neighbour's list is fine); without areas nothing is."""
    outside = job.session.execute(
        text("""
            SELECT CASE WHEN EXISTS (SELECT FROM area_visible WHERE level = :home AND geom IS NOT NULL) THEN (
                SELECT count(*) FROM (
                    SELECT row FROM stage_address EXCEPT
                    SELECT s.row FROM area_visible a JOIN stage_address s ON ST_Covers(a.geom, s.geom)
                    WHERE a.level = :home) o) ELSE 0 END
        """),
        {"home": home_level},
    ).scalar_one()
    if outside:
        job.report.counts["Adressen außerhalb, behalten"] = outside
