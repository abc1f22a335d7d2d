"""What is searched: addresses of the public list by everybody, places by one spelling, as far as they are visible.

The spelling is that of ``geodata.spelling.street_plain``, here in SQL: texts of places and what is looked for go
through the same function, so that they cannot differ.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ADDRESSES = """
CREATE VIEW address_visible AS
SELECT d.id AS dataset_id, a.import_id, a.number, a.street, a.house_number, a.postcode, a.city,
       a.street_plain, a.number_plain, a.geom
FROM dataset d JOIN address a ON a.import_id = d.current_import_id
"""

# Umlauts before lower(): a database without a language knows the letters of ASCII only.
SPELLING = r"""
CREATE FUNCTION srk_letters(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN regexp_replace(lower(normalize(
    replace(replace(replace(replace(replace(replace(replace(replace(normalize(given, NFKC),
    'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'), 'Ä', 'Ae'), 'Ö', 'Oe'), 'Ü', 'Ue'), '_', ' '),
    NFKD)), '[\u0300-\u036f]', '', 'g');

-- Words of letters and digits, a space between them; what hyphens and apostrophes join is one word.
CREATE FUNCTION srk_words(letters text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN btrim(regexp_replace(
    regexp_replace(letters, '([[\:alpha\:]])[-''’‐‑]+(?=[[\:alpha\:]])', '\1', 'g'), '[^[\:alnum\:]]+', ' ', 'g'));

-- As it is typed: what may be the beginning of a word stays as it is.
CREATE FUNCTION srk_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN srk_words(srk_letters(given));

-- With abbreviations spelt out: "St." is "sankt", "Gr. Bergstr." is "grosse bergstrasse".
CREATE FUNCTION srk_spelt(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN srk_words(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    srk_letters(given),
    '\mst\M', 'sankt', 'g'), 'str\M', 'strasse', 'g'), '\mpl\M', 'platz', 'g'), 'pl\.', 'platz', 'g'),
    '\mgr\.', 'grosse', 'g'), '\mkl\.', 'kleine', 'g'));
"""

# Of so many places a look through all is quick (docs/benchmarks.md); an index would cost an import a third of its time.
COLUMNS = """
ALTER TABLE place
    ADD COLUMN spelt text GENERATED ALWAYS AS (srk_spelt(name || ' ' || coalesce(provider, ''))) STORED,
    ADD COLUMN spelt_address text GENERATED ALWAYS AS
        (srk_spelt(coalesce(street, '') || ' ' || coalesce(house_number, '') || ' ' || coalesce(postcode, '') || ' '
                   || coalesce(city, ''))) STORED;
ALTER TABLE offer ADD COLUMN spelt text GENERATED ALWAYS AS (srk_spelt(name || ' ' || coalesce(type, ''))) STORED;
"""

# What may be looked for, each with the days on which it counts.
TEXTS = """
CREATE VIEW place_text_visible AS
SELECT p.import_id, p.facility_id, p.spelt, NULL::date AS valid_from, NULL::date AS valid_to
FROM place p JOIN place_visible v ON v.import_id = p.import_id AND v.facility_id = p.facility_id
UNION ALL
-- Where the address is hidden it is not searched either.
SELECT p.import_id, p.facility_id, p.spelt_address, NULL, NULL
FROM place p JOIN place_visible v ON v.import_id = p.import_id AND v.facility_id = p.facility_id
WHERE v.exact
UNION ALL
SELECT o.import_id, o.facility_id, o.spelt, o.valid_from, o.valid_to
FROM offer o JOIN offer_visible v ON v.import_id = o.import_id AND v.offer_id = o.offer_id
"""


def upgrade() -> None:
    for sql in (ADDRESSES, SPELLING, COLUMNS, TEXTS):
        op.execute(sql)
    op.execute("GRANT SELECT ON address_visible, place_text_visible TO srk_read, srk_write")


def downgrade() -> None:
    op.execute("DROP VIEW place_text_visible, address_visible")
    op.execute("ALTER TABLE offer DROP COLUMN spelt")
    op.execute("ALTER TABLE place DROP COLUMN spelt, DROP COLUMN spelt_address")
    for name in ("srk_spelt", "srk_plain", "srk_words", "srk_letters"):
        op.execute(f"DROP FUNCTION {name}")
