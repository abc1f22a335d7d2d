"""What the geocoder has to say: what was placed how well, what was not and what it may mean, what lies far off."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from importers.geocode_match import HERE, LEFT_OVER, similar_from
from importers.load import Job
from importers.report import MAX_FINDINGS_PER_REASON

SURE = 0.9
APART_M = 1000.0
_ROUGHLY_SIMILAR = 0.45
_CANDIDATES = 3

# a: an address, s: the row that asks.
_LABEL = """concat_ws(', ', concat_ws(' ', a.street, a.house_number), nullif(concat_ws(' ', a.postcode, a.city), ''))"""
_ASKED = """concat_ws(', ', concat_ws(' ', s.street, s.house_number), nullif(concat_ws(' ', s.postcode, s.city), ''))"""


def tell_what_was_placed(job: Job) -> None:
    """Count what was placed, and warn of each place that is less than sure, with the address it matched."""
    placed, exact = job.session.execute(
        text("SELECT count(*), count(*) FILTER (WHERE quality = 1) FROM stage_placed WHERE NOT ambiguous")
    ).one()
    if placed:
        job.report.counts["über die Adresse verortet"] = placed
        job.report.counts["über die Adresse verortet, davon genau"] = exact
    doubtful = job.session.execute(
        text(f"""
            SELECT f.row, {_ASKED} AS asked, {_LABEL} AS found, f.quality
            FROM stage_placed f JOIN stage_offer s USING (row)
            JOIN address a ON a.import_id = f.import_id AND a.number = f.number
            WHERE NOT f.ambiguous AND f.quality < :sure ORDER BY f.row
        """),  # noqa: S608 - the labels are constants
        {"sure": SURE},
    )
    for row, asked, found, quality in doubtful:
        job.report.warn(
            "Die Adresse passt nur ungefähr; bitte den Ort prüfen.",
            row=row, field="street", value=f"{asked} → {found} (Güte {f'{quality:.2f}'.replace('.', ',')})",
        )  # fmt: skip


def reject_ambiguous(job: Job) -> None:
    """Reject the rows whose address may mean places far apart, each with up to three of them."""
    rejected = job.session.execute(
        text(f"""
            SELECT f.row, {_ASKED} AS asked, (
                SELECT array_agg(label ORDER BY label) FROM (
                    SELECT DISTINCT {_LABEL} AS label
                    FROM stage_candidate c JOIN address a ON a.import_id = c.import_id AND a.number = c.number
                    WHERE c.row = f.row AND c.rank = f.rank ORDER BY 1 LIMIT :candidates) l) AS labels
            FROM stage_placed f JOIN stage_offer s USING (row) WHERE f.ambiguous ORDER BY f.row
        """),  # noqa: S608 - the labels are constants
        {"candidates": _CANDIDATES},
    )
    for row, asked, labels in rejected:
        job.report.reject(
            row, "street", asked, "Die Adresse ist nicht eindeutig.",
            f"{_candidates(labels)} Bitte die Postleitzahl oder die Koordinate ergänzen.",
        )  # fmt: skip


def reject_others(job: Job, imports: list[int]) -> None:
    """Reject the rows for which no address was found, each with what it may mean."""
    left = job.session.execute(
        text(f"""
            SELECT l.row, {_ASKED} AS asked, l.street_plain IS NOT NULL AND l.number_plain IS NULL AS numberless
            FROM ({LEFT_OVER}) l JOIN stage_offer s USING (row) ORDER BY l.row
        """)  # noqa: S608 - the labels are constants
    ).all()
    # The report lists no more than so many of one reason; the rest need no candidates.
    listed = [
        row
        for without in (False, True)
        for row in [row for row, _asked, numberless in left if numberless is without][:MAX_FINDINGS_PER_REASON]
    ]
    candidates = _similar_addresses(job.session, imports, listed) if listed else {}
    for row, asked, numberless in left:
        may_be = _candidates(candidates.get(row))
        if numberless:
            job.report.reject(
                row, "house_number", asked, "Die Hausnummer fehlt; ohne sie ist der Ort nicht zu bestimmen.",
                f"{may_be} Bitte die Hausnummer oder die Koordinate ergänzen.".strip(),
            )  # fmt: skip
        else:
            job.report.reject(
                row, "street", asked, "Die Koordinate fehlt, und die Adresse ist nicht sicher zu finden.",
                f"{may_be} Bitte die Adresse berichtigen oder die Koordinate ergänzen.".strip(),
            )  # fmt: skip


def _similar_addresses(session: Session, imports: list[int], rows: list[int]) -> dict[int, list[str]]:
    """Return for rows up to three addresses they may mean: nearest numbers of their street, else similar streets."""
    similar_from(session, _ROUGHLY_SIMILAR)
    found = session.execute(
        text(rf"""
            WITH asked AS MATERIALIZED (SELECT * FROM stage_wanted w WHERE w.row = ANY (:rows)),
            streets AS MATERIALIZED (
                SELECT q.street_plain AS wanted, l.street_plain AS street, l.likeness
                FROM (SELECT DISTINCT street_plain FROM asked) q
                CROSS JOIN LATERAL (
                    SELECT t.street_plain, max(similarity(t.street_plain, q.street_plain)) AS likeness
                    FROM stage_street t WHERE t.street_plain % q.street_plain
                    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :candidates) l
            ), near AS (
                SELECT w.row, s.likeness, n.label, n.place
                FROM asked w
                JOIN streets s ON s.wanted = w.street_plain
                CROSS JOIN LATERAL (
                    SELECT {_LABEL} AS label, row_number() OVER (
                        ORDER BY {HERE} DESC, abs(substring(a.number_plain from '^\d+')::int - w.first_number),
                                 length(a.number_plain), a.number_plain, a.postcode, a.city) AS place
                    FROM address a LEFT JOIN stage_city h ON h.city = a.city
                    WHERE a.import_id = ANY (:imports) AND a.street_plain = s.street
                    ORDER BY place LIMIT :candidates) n
            )
            SELECT row, label FROM near
            ORDER BY row, CASE WHEN likeness = 1 THEN 0 ELSE place END, likeness DESC, place
        """),  # noqa: S608 - the conditions are constants
        {"imports": imports, "rows": rows, "candidates": _CANDIDATES},
    )
    labels: dict[int, list[str]] = {}
    for row, label in found:
        of_row = labels.setdefault(row, [])
        if label not in of_row and len(of_row) < _CANDIDATES:
            of_row.append(label)
    return labels


def _candidates(labels: list[str] | None) -> str:
    return f"Infrage kommen: {'; '.join(labels)}." if labels else ""


def warn_of_points_far_from_their_address(job: Job, imports: list[int]) -> None:
    """Warn of rows whose coordinates lie more than 1 km from the point of the very address they name."""
    found = job.session.execute(
        text(f"""
            SELECT row, asked, apart_m, count(*) OVER () FROM (
                SELECT s.row, {_ASKED} AS asked, min(ST_Distance(a.geom, w.geom)) AS apart_m
                FROM stage_wanted w JOIN stage_offer s USING (row)
                JOIN address a ON a.import_id = ANY (:imports) AND a.street_plain = w.street_plain
                    AND a.number_plain = w.number_plain
                LEFT JOIN stage_city h ON h.city = a.city
                WHERE w.geom IS NOT NULL AND {HERE}
                GROUP BY s.row, asked) d
            WHERE apart_m > :apart_m ORDER BY row LIMIT :most
        """),  # noqa: S608 - the conditions are constants
        {"imports": imports, "apart_m": APART_M, "most": MAX_FINDINGS_PER_REASON},
    ).all()
    for row, asked, apart_m, _count in found:
        job.report.warn(
            f"Koordinate und Adresse liegen {apart_m:.0f} m auseinander.", row=row, field="street", value=asked
        )
    if found:
        job.report.counts["Koordinate und Adresse über 1 km auseinander"] = found[0][3]
