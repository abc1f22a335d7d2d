"""How addresses are matched: candidates for every row asked for, ranked, and the best one taken.

Ranks, best first; a rank with addresses more than 100 m apart is ambiguous:

====  =======  ====================================================================================
rank  quality  the address has
====  =======  ====================================================================================
1     1.0      street and number, and the postcode where both name one (else no other city)
2     0.9      the number without its letter, or the first of several
3     0.9      the number with a letter that is not asked for
4     0.9      a range that contains the number (on one side of the street, if its ends are)
5     0.9      a number that the range asked for contains
6     0.8      street and number in the same city, but another postcode
7     s x 0.9  the number in a street whose name is similar (s >= 0.75) and clearly more so than others
====  =======  ====================================================================================
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.spelling import city_plain, number_plain, number_range, street_plain
from importers import parts
from importers.copying import copy_rows, staging_table

AMBIGUOUS_M = 100.0
SIMILAR = 0.75
CLEARER_BY = 0.1
_MAX_STREET_CHARS = 500

# w: what is asked for, a: an address, h: its city. A postcode decides; without one the cities must not differ.
_SAME_CITY = """(w.city_plain IS NULL OR h.plain IS NULL OR starts_with(w.city_plain || ' ', h.plain || ' ')
                 OR starts_with(h.plain || ' ', w.city_plain || ' '))"""
HERE = f"""(coalesce(w.postcode = a.postcode, false)
             OR (w.postcode IS NULL OR a.postcode IS NULL) AND {_SAME_CITY})"""


def read_spellings(session: Session, imports: list[int]) -> None:
    """Make ``stage_wanted``: what is asked for, made comparable; and ``stage_city``: the names of cities."""
    found = session.execute(
        text("""
            SELECT DISTINCT street, coalesce(house_number, '') FROM stage_offer
            WHERE street IS NOT NULL AND length(street) <= :most
        """),
        {"most": _MAX_STREET_CHARS},
    ).all()
    columns = (("street", "text"), ("house_number", "text"), ("street_plain", "text"), ("number_plain", "text"),
               ("first_number", "int"), ("last_number", "int"), ("bare", "boolean"))  # fmt: skip
    staging_table(session, "stage_spelling", columns)
    copy_rows(session, "stage_spelling", [name for name, _ in columns], (_spelling(*row) for row in found))
    staging_table(session, "stage_city", (("city", "text"), ("plain", "text")))
    cities = session.execute(
        text("""
            SELECT city FROM stage_offer WHERE city IS NOT NULL
            UNION SELECT city FROM address WHERE import_id = ANY (:imports) AND city IS NOT NULL
        """),
        {"imports": imports},
    ).scalars()
    copy_rows(session, "stage_city", ("city", "plain"), [(city, city_plain(city)) for city in list(cities)])
    session.execute(text("ANALYZE stage_spelling"))
    session.execute(text("ANALYZE stage_city"))
    session.execute(
        text(r"""
            CREATE TEMPORARY TABLE stage_wanted ON COMMIT DROP AS
            SELECT s.row, s.geom, p.street_plain, p.number_plain, p.first_number, p.last_number, p.bare,
                   substring(s.postcode from '(?<!\d)\d{5}(?!\d)') AS postcode, c.plain AS city_plain
            FROM stage_offer s
            LEFT JOIN stage_spelling p ON p.street = s.street AND p.house_number = coalesce(s.house_number, '')
            LEFT JOIN stage_city c ON c.city = s.city
            WHERE s.street IS NOT NULL
        """)
    )
    session.execute(text("ANALYZE stage_wanted"))
    staging_table(
        session,
        "stage_candidate",
        (("row", "int"), ("rank", "smallint"), ("quality", "float8"), ("import_id", "int"), ("number", "int")),
    )


def _spelling(street: str, house_number: str) -> tuple[Any, ...]:
    """Return a row of ``stage_spelling``; where no number is given the street may hold it ("Sportplatzring 71")."""
    name, number = street, number_plain(house_number) if house_number else None
    if not house_number and (within := parts.house_number(street)):
        name, number = parts.street(street) or "", number_plain(within)
    ranged = number_range(number) if number else (None, None, None)
    return street, house_number, street_plain(name) or None, number, *ranged


def match_exactly(session: Session, imports: list[int]) -> None:
    """Find street and number as they are, in the postcode asked for or in another one of the same city."""
    session.execute(
        text(f"""
            INSERT INTO stage_candidate
            SELECT w.row, CASE WHEN {HERE} THEN 1 ELSE 6 END, CASE WHEN {HERE} THEN 1.0 ELSE 0.8 END,
                   a.import_id, a.number
            FROM stage_wanted w
            JOIN address a ON a.import_id = ANY (:imports) AND a.street_plain = w.street_plain
                AND a.number_plain = w.number_plain
            LEFT JOIN stage_city h ON h.city = a.city
            WHERE w.geom IS NULL AND ({HERE} OR {_SAME_CITY})
        """),  # noqa: S608 - the conditions are constants
        {"imports": imports},
    )
    session.execute(text("ANALYZE stage_candidate"))


def match_roughly(session: Session, imports: list[int]) -> None:
    """Find numbers without their letter, and ranges. Ends that are both odd or both even are one side of a street."""
    session.execute(
        text(rf"""
            INSERT INTO stage_candidate
            SELECT row, rank, 0.9, import_id, number FROM (
                SELECT w.row, a.import_id, a.number, CASE
                    WHEN a.number_plain = w.first_number::text THEN 2
                    WHEN n.first = w.first_number AND w.bare THEN 3
                    WHEN w.first_number BETWEEN n.first AND n.last
                        AND ((n.last - n.first) % 2 = 1 OR (w.first_number - n.first) % 2 = 0) THEN 4
                    WHEN n.first BETWEEN w.first_number AND w.last_number
                        AND ((w.last_number - w.first_number) % 2 = 1 OR (n.first - w.first_number) % 2 = 0) THEN 5
                    END AS rank
                FROM stage_wanted w
                JOIN address a ON a.import_id = ANY (:imports) AND a.street_plain = w.street_plain
                LEFT JOIN stage_city h ON h.city = a.city
                CROSS JOIN LATERAL (
                    SELECT substring(a.number_plain from '^\d+')::int AS first,
                           substring(a.number_plain from '^\d+[a-z]*-(\d{{1,5}})(?!\d)')::int AS last) n
                WHERE w.geom IS NULL AND w.number_plain IS NOT NULL AND {HERE}
                  AND NOT EXISTS (SELECT FROM stage_candidate c WHERE c.row = w.row AND c.rank = 1)) found
            WHERE rank IS NOT NULL
        """),  # noqa: S608 - the conditions are constants
        {"imports": imports},
    )
    session.execute(text("ANALYZE stage_candidate"))


LEFT_OVER = """
    SELECT w.* FROM stage_wanted w
    WHERE w.geom IS NULL AND NOT EXISTS (SELECT FROM stage_candidate c WHERE c.row = w.row)
"""


def match_similar_streets(session: Session, imports: list[int]) -> None:
    """Find the number in a street of similar name. Figures in the name must agree: "Straße 12" is not "Straße 13"."""
    left_over = session.execute(text(f"SELECT EXISTS ({LEFT_OVER})")).scalar_one()
    if not left_over:
        return
    session.execute(
        text("""
            CREATE TEMPORARY TABLE stage_street ON COMMIT DROP AS
            SELECT DISTINCT street_plain, postcode, city, regexp_replace(street_plain, '[^0-9]', '', 'g') AS figures
            FROM address WHERE import_id = ANY (:imports)
        """),
        {"imports": imports},
    )
    session.execute(text("CREATE INDEX ON stage_street USING gin (street_plain gin_trgm_ops)"))
    session.execute(text("ANALYZE stage_street"))
    similar_from(session, SIMILAR - CLEARER_BY)
    session.execute(
        text(f"""
            INSERT INTO stage_candidate
            WITH open AS (
                SELECT DISTINCT street_plain, postcode, city_plain FROM ({LEFT_OVER}) l
                WHERE street_plain IS NOT NULL AND number_plain IS NOT NULL
            ), likes AS (
                SELECT w.street_plain AS wanted, w.postcode, w.city_plain, a.street_plain AS street,
                       similarity(a.street_plain, w.street_plain)::numeric AS likeness
                FROM open w
                JOIN stage_street a ON a.street_plain % w.street_plain
                LEFT JOIN stage_city h ON h.city = a.city
                WHERE {HERE} AND a.figures = regexp_replace(w.street_plain, '[^0-9]', '', 'g')
                GROUP BY 1, 2, 3, 4
            ), ranked AS (
                SELECT *, row_number() OVER likest AS place, lead(likeness) OVER likest AS second FROM likes
                WINDOW likest AS (PARTITION BY wanted, postcode, city_plain ORDER BY likeness DESC, street)
            )
            SELECT w.row, 7, 0.9 * r.likeness, a.import_id, a.number
            FROM ranked r
            JOIN ({LEFT_OVER}) w ON w.street_plain = r.wanted AND w.postcode IS NOT DISTINCT FROM r.postcode
                AND w.city_plain IS NOT DISTINCT FROM r.city_plain
            JOIN address a ON a.import_id = ANY (:imports) AND a.street_plain = r.street
                AND a.number_plain = w.number_plain
            LEFT JOIN stage_city h ON h.city = a.city
            WHERE r.place = 1 AND r.likeness >= :similar AND r.likeness - coalesce(r.second, 0) >= :clearer_by
              AND {HERE}
        """),  # noqa: S608 - the conditions are constants
        {"imports": imports, "similar": SIMILAR, "clearer_by": CLEARER_BY},
    )


def similar_from(session: Session, threshold: float) -> None:
    """Set from what similarity on pg_trgm's ``%`` holds, for this transaction."""
    session.execute(
        text("SELECT set_config('pg_trgm.similarity_threshold', :threshold, true)"), {"threshold": str(threshold)}
    )


def take_best(session: Session) -> None:
    """Make ``stage_placed``: the best candidate of each row, and whether its rank is ambiguous; set the points."""
    session.execute(
        text("""
            CREATE TEMPORARY TABLE stage_placed ON COMMIT DROP AS
            SELECT DISTINCT ON (row) row, rank, quality, import_id, number, geom,
                   -- The diagonal of the box around them: of two points their distance.
                   sqrt((max(ST_X(geom)) OVER same - min(ST_X(geom)) OVER same) ^ 2
                        + (max(ST_Y(geom)) OVER same - min(ST_Y(geom)) OVER same) ^ 2) > :ambiguous_m AS ambiguous
            FROM (
                SELECT c.*, a.geom, a.number_plain, rank() OVER (PARTITION BY c.row ORDER BY c.rank) AS best
                FROM stage_candidate c JOIN address a ON a.import_id = c.import_id AND a.number = c.number) ranked
            WHERE best = 1
            WINDOW same AS (PARTITION BY row)
            ORDER BY row, length(number_plain), number_plain, import_id, number
        """),
        {"ambiguous_m": AMBIGUOUS_M},
    )
    session.execute(text("ANALYZE stage_placed"))
    session.execute(
        text("""
            UPDATE stage_offer s SET geom = f.geom, location_quality = f.quality
            FROM stage_placed f WHERE f.row = s.row AND NOT f.ambiguous
        """)
    )
