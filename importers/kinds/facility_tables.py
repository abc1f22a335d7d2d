"""Facilities inside the database: from the staging table to places, offers and their areas, all in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.loosening import Loosened, loosened
from importers import geocode
from importers.copying import staging_table
from importers.errors import MappingError, RefusedError
from importers.load import Job, check_rejects, check_shrink, publish

STAGE = (
    ("row", "int"), ("id", "text"), ("facility_id", "text"), ("name", "text"), ("category", "text"), ("type", "text"),
    ("provider", "text"), ("provider_key", "text"), ("street", "text"), ("house_number", "text"),
    ("postcode", "text"), ("city", "text"), ("state", "text"), ("paragraphs", "text[]"), ("age_from", "smallint"),
    ("age_to", "smallint"), ("supply", "float8"), ("supply_unit", "text"), ("use", "float8"), ("use_unit", "text"),
    ("service_area", "text"), ("opening_hours", "text"), ("barrier_free", "text"), ("phone", "text"),
    ("email", "text"), ("website", "text"), ("release", "release_level"), ("valid_from", "date"),
    ("valid_to", "date"), ("as_of", "date"), ("location_quality", "float8"), ("geom", "geometry(Point, 25832)"),
)  # fmt: skip

# Rows of one place may differ by rounding of their coordinates, not by more.
_SAME_PLACE_M = 1.0


def require_home_areas(job: Job, home_level: str) -> None:
    """Raise unless there are areas that say what is inside."""
    there = job.session.execute(
        text("SELECT count(geom) FROM area_visible WHERE level = :level"), {"level": home_level}
    ).scalar_one()
    if not there:
        raise MappingError(
            f"Auf der Ebene „{home_level}“ sind noch keine Gebiete mit Grenzen geladen; ohne sie ist nicht zu sagen, "
            "was innerhalb liegt. Bitte zuerst „import areas“ ausführen."
        )


def load(job: Job, home_level: str, home_state: str, keep_outside_km: float | None) -> None:
    """Check over all rows, then write places, offers and links, and make the version visible."""
    session, report = job.session, job.report
    geocode.place_by_address(job)
    session.execute(text("CREATE INDEX ON stage_offer (id)"))
    session.execute(text("CREATE INDEX ON stage_offer (facility_id, row)"))
    session.execute(text("ANALYZE stage_offer (row, id, facility_id, geom)"))
    values: dict[str, Any] = {
        "import_id": job.import_id,
        "previous_id": job.previous_id,
        "home": home_level,
        "home_state": home_state,
        "keep_m": None if keep_outside_km is None else keep_outside_km * 1000,
    }
    _check_ids(job)
    _check_places(job)
    _provider_keys(job)
    _check_outside(job, values)
    check_rejects(job)
    session.execute(
        text("DELETE FROM stage_offer WHERE row = ANY (:rejected)"), {"rejected": sorted(report.rejected_rows())}
    )
    loaded = session.execute(text("SELECT count(*) FROM stage_offer")).scalar_one()
    before = session.execute(text("SELECT count(*) FROM offer WHERE import_id = :previous_id"), values).scalar_one()
    check_shrink(job, before, loaded)
    session.execute(
        text("""
            INSERT INTO place (import_id, facility_id, name, provider, provider_key, street, house_number, postcode,
                               city, state, barrier_free, phone, email, website, location_quality, geom)
            SELECT DISTINCT ON (facility_id) :import_id, facility_id, name, provider, provider_key, street,
                   house_number, postcode, city,
                   coalesce(state, CASE WHEN row NOT IN (SELECT o.row FROM stage_outside o) THEN :home_state END),
                   barrier_free,
                   phone, email, website, location_quality, geom
            FROM stage_offer ORDER BY facility_id, row
        """),
        values,
    )
    session.execute(
        text("""
            INSERT INTO offer (import_id, offer_id, facility_id, name, category, type, paragraphs, age_from, age_to,
                               supply, supply_unit, use, use_unit, service_area, opening_hours, release, valid_from,
                               valid_to, as_of)
            SELECT :import_id, id, facility_id, name, category, type, paragraphs, age_from, age_to, supply,
                   supply_unit, use, use_unit, service_area, opening_hours, release, valid_from, valid_to, as_of
            FROM stage_offer
        """),
        values,
    )
    places = session.execute(text("SELECT count(*) FROM place WHERE import_id = :import_id"), values).scalar_one()
    report.counts["Einrichtungen"] = places
    _warn_of_hidden(job)
    _judge_releases(job)
    without = session.execute(text("SELECT count(*) FROM stage_offer WHERE supply IS NULL")).scalar_one()
    report.counts["Angebote ohne Platz- oder Stundenangabe"] = without
    publish(job, loaded=loaded)
    refresh_statistics(session, ("place", "offer"))
    rebuild(session, "facilities", job.import_id)
    refresh_statistics(session, ("facility_area",))


def _check_ids(job: Job) -> None:
    twice = job.session.execute(
        text("""
            SELECT row, id, first FROM (
                SELECT row, id, min(row) OVER (PARTITION BY id) AS first FROM stage_offer) s
            WHERE row <> first ORDER BY row
        """)
    )
    for row, key, first in twice:
        job.report.reject(
            row, "id", key, f"Die id steht schon in Zeile {first}.", "Jedes Angebot braucht eine eigene id."
        )


def _check_places(job: Job) -> None:
    """Rows of one place must agree on provider and position, else they are not one place."""
    differing = job.session.execute(
        text("""
            SELECT s.row, s.facility_id, f.row AS first, s.provider_key IS DISTINCT FROM f.provider_key
                   OR s.provider IS DISTINCT FROM f.provider AS other_provider
            FROM stage_offer s
            JOIN (SELECT DISTINCT ON (facility_id) * FROM stage_offer ORDER BY facility_id, row) f
              ON f.facility_id = s.facility_id AND f.row < s.row
            WHERE s.provider_key IS DISTINCT FROM f.provider_key OR s.provider IS DISTINCT FROM f.provider
               OR ST_Distance(s.geom, f.geom) > :same_place_m
            ORDER BY s.row
        """),
        {"same_place_m": _SAME_PLACE_M},
    )
    for row, key, first, other_provider in differing:
        what = "einen anderen Träger" if other_provider else "einen anderen Ort"
        job.report.reject(
            row,
            "facility_id",
            key,
            f"Die Zeile nennt für dieselbe Einrichtung {what} als Zeile {first}.",
            "Bitte angleichen oder eine eigene facility_id vergeben.",
        )


def _provider_keys(job: Job) -> None:
    """Give rows without provider key theirs: by the alias table, never by similarity; new names get a new key."""
    session = job.session
    alias = r"lower(regexp_replace(btrim(provider), '\s+', ' ', 'g'))"
    session.execute(
        text("""
            INSERT INTO provider (key, name)
            SELECT DISTINCT ON (provider_key) provider_key, coalesce(provider, provider_key) FROM stage_offer
            WHERE provider_key IS NOT NULL ORDER BY provider_key, row
            ON CONFLICT (key) DO NOTHING
        """)
    )
    session.execute(
        text(f"""
            WITH fresh AS (
                SELECT DISTINCT ON ({alias}) {alias} AS alias, provider AS name FROM stage_offer
                WHERE provider_key IS NULL AND provider IS NOT NULL
                  AND NOT EXISTS (SELECT FROM provider_alias a WHERE a.alias = {alias})
                ORDER BY {alias}, row
            ), made AS (
                INSERT INTO provider (key, name) SELECT 't-' || substr(md5(alias), 1, 12), name FROM fresh
                ON CONFLICT (key) DO UPDATE SET name = provider.name RETURNING key
            )
            INSERT INTO provider_alias (alias, provider_key)
            SELECT alias, 't-' || substr(md5(alias), 1, 12) FROM fresh WHERE (SELECT count(*) FROM made) > 0
        """)  # noqa: S608 - the alias expression is a constant
    )
    session.execute(
        text(f"""
            UPDATE stage_offer s SET provider_key = a.provider_key FROM provider_alias a
            WHERE s.provider_key IS NULL AND s.provider IS NOT NULL AND a.alias = {alias}
        """)  # noqa: S608 - the alias expression is a constant
    )


def _check_outside(job: Job, values: dict[str, Any]) -> None:
    """Places outside the union of the home level are rejects with their distance, but for hze and --keep-outside."""
    session, report = job.session, job.report
    staging_table(session, "stage_outside", (("row", "int"),))
    session.execute(
        text("""
            INSERT INTO stage_outside
            SELECT row FROM stage_offer EXCEPT
            SELECT s.row FROM area_visible a JOIN stage_offer s ON ST_Covers(a.geom, s.geom) WHERE a.level = :home
        """),
        values,
    )
    outside = session.execute(
        text("""
            SELECT row, s.name, near.distance_m, near.area,
                   bool_or(s.category = 'hze') OVER (PARTITION BY s.facility_id)
                   OR coalesce(near.distance_m <= CAST(:keep_m AS float8), false) AS kept
            FROM stage_offer s JOIN stage_outside USING (row)
            CROSS JOIN LATERAL (
                SELECT ST_Distance(a.geom, s.geom) AS distance_m, a.name AS area FROM area_visible a
                WHERE a.level = :home ORDER BY a.geom <-> s.geom LIMIT 1) near
            ORDER BY row
        """),
        values,
    ).all()
    kept = 0
    for row, name, distance_m, area, keep in outside:
        if keep:
            kept += 1
        else:
            report.reject(
                row, "lon", name, f"Der Ort liegt außerhalb, {_distance(distance_m)} von {area}.",
                "Bitte die Koordinate prüfen, oder --keep-outside KM angeben.",
            )  # fmt: skip
    if kept:
        report.counts["Angebote außerhalb, ohne Gebiet behalten"] = kept


def _warn_of_hidden(job: Job) -> None:
    """Tell what the releases mean for places that are only partly public, and names that give a hidden street away."""
    mixed = job.session.execute(
        text("""
            SELECT min(row), facility_id FROM stage_offer GROUP BY facility_id
            HAVING bool_or(release = 'public') AND bool_or(release <> 'public') ORDER BY 1
        """)
    )
    for row, facility_id in mixed:
        job.report.warn(
            "Nicht alle Angebote sind öffentlich: Der Ort dieser Einrichtung wird nicht gezeigt.",
            row=row, field="release", value=facility_id,
        )  # fmt: skip
    telling = job.session.execute(
        text("""
            SELECT row, name FROM stage_offer
            WHERE release = 'area_only' AND length(street) > 3
              AND position(lower(street) IN lower(concat_ws(' ', name, type, provider, opening_hours))) > 0
            ORDER BY row
        """)
    )
    for row, name in telling:
        job.report.warn(
            "Der Name verrät die Straße, obwohl nur das Gebiet gezeigt werden soll.", row=row, field="name", value=name
        )


def _judge_releases(job: Job) -> None:
    """Warn of offers that a wider circle would see than of the version so far; where nobody looks on, refuse them.

    A column ``release`` that a list has lost says of every protected home that it is public.
    """
    wider = loosened(job.session, job.dataset_id, job.previous_id, job.import_id)
    if not wider:
        return
    sentences = _wider(wider)
    if job.rules.unattended and not job.rules.allow_wider_release:
        raise RefusedError(
            f"{' '.join(sentences)} Unbeaufsichtigt geschieht das nicht; nichts wurde geändert. Bitte die Freigaben in "
            "der Quelle prüfen; sind sie so gewollt, erlaubt es „allow_wider_release = true“ in der Liste der Quellen.",
            job.report,
        )
    for sentence in sentences:
        job.report.warn(sentence, field="release")
    rows: dict[str, int] = dict(
        job.session.execute(
            text("SELECT id, row FROM stage_offer WHERE id = ANY (:ids)"), {"ids": [one.offer_id for one in wider]}
        ).all()
    )
    for one in wider:
        job.report.warn(
            "Dieses Angebot ist künftig für einen weiteren Kreis sichtbar." if one.itself
            else "An diesem Ort stand bisher ein Angebot mit engerer Freigabe; künftig ist der Ort weiter sichtbar.",
            row=rows[one.offer_id], field="release", value=one.name,
        )  # fmt: skip


def _wider(wider: Sequence[Loosened]) -> list[str]:
    """Return the sentences on offers that become public, and on the others that more people see."""
    public = sum(one.after == "public" for one in wider)
    others = len(wider) - public
    said = []
    if public:
        said.append(
            "1 Angebot, das bisher nicht öffentlich war, wird öffentlich." if public == 1
            else f"{public} Angebote, die bisher nicht öffentlich waren, werden öffentlich."
        )  # fmt: skip
    if others:
        said.append(
            "1 Angebot wird für einen weiteren Kreis sichtbar als bisher." if others == 1
            else f"{others} Angebote werden für einen weiteren Kreis sichtbar als bisher."
        )  # fmt: skip
    return said


def _distance(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km".replace(".", ",")
