"""Published placements: counts by area and provider's state, with what disclosure control leaves out of them.

What is in these tables is derived from ``placement``: it is there after the next import of placements or areas, or
once ``rebuild`` was called. The views show everyone the published counts (suppressed: NULL), planners the raw ones of
the own areas, and administrators all raw ones.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = (
    "'Baden-Württemberg', 'Bayern', 'Berlin', 'Brandenburg', 'Bremen', 'Hamburg', 'Hessen', 'Mecklenburg-Vorpommern', "
    "'Niedersachsen', 'Nordrhein-Westfalen', 'Rheinland-Pfalz', 'Saarland', 'Sachsen', 'Sachsen-Anhalt', "
    "'Schleswig-Holstein', 'Thüringen'"
)

TABLES = f"""
CREATE TABLE placement_rule (
    one_row boolean PRIMARY KEY DEFAULT true, home_state text NOT NULL DEFAULT 'Hamburg',
    home_level text NOT NULL DEFAULT 'bezirk', origin_levels text[] NOT NULL DEFAULT '{{stadtteil,sozialraum}}',
    small integer NOT NULL DEFAULT 3,
    CONSTRAINT placement_rule_one_row CHECK (one_row),
    CONSTRAINT placement_rule_home_state_known CHECK (home_state IS NULL OR home_state IN ({STATES})),
    CONSTRAINT placement_rule_small_bounded CHECK (small >= 2));
INSERT INTO placement_rule DEFAULT VALUES;

CREATE TABLE placement_pattern (
    period text NOT NULL, paragraph text NOT NULL, counting text NOT NULL, digest text NOT NULL,
    home_state text NOT NULL, home_level text NOT NULL, small integer NOT NULL, published boolean NOT NULL,
    cells integer NOT NULL, suppressed integer NOT NULL, loss double precision, bound double precision,
    PRIMARY KEY (period, paragraph, counting));

CREATE TABLE placement_sheet (
    level text NOT NULL, area_role text NOT NULL, paragraph text NOT NULL, counting text NOT NULL,
    period text NOT NULL, starts date NOT NULL, ends date NOT NULL, published boolean NOT NULL,
    summed boolean NOT NULL, datasets text[] NOT NULL,
    PRIMARY KEY (level, area_role, paragraph, counting, period),
    CONSTRAINT placement_sheet_role_known CHECK (area_role IS NULL OR area_role IN ('zustaendig', 'herkunft')),
    CONSTRAINT placement_sheet_counting_known CHECK (counting IS NULL OR counting IN ('stichtag', 'begonnen')));

CREATE TABLE placement_cell (
    level text NOT NULL, area_role text NOT NULL, paragraph text NOT NULL, counting text NOT NULL,
    period text NOT NULL, area_key text NOT NULL, category text NOT NULL, value bigint NOT NULL,
    published boolean NOT NULL DEFAULT false, suppressed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (level, area_role, paragraph, counting, period, area_key, category),
    CONSTRAINT placement_cell_counted CHECK (value >= 0),
    CONSTRAINT placement_cell_suppressed_is_published CHECK (published OR NOT suppressed));

CREATE TABLE placement_near (
    level text NOT NULL, paragraph text NOT NULL, counting text NOT NULL, period text NOT NULL,
    area_key text NOT NULL, placed bigint NOT NULL, distance_km double precision, own_area_share double precision,
    PRIMARY KEY (level, paragraph, counting, period, area_key));

CREATE TABLE placement_local (
    level text NOT NULL, area_role text NOT NULL, paragraph text NOT NULL, counting text NOT NULL,
    period text NOT NULL, area_key text NOT NULL, known bigint NOT NULL, local bigint,
    PRIMARY KEY (level, area_role, paragraph, counting, period, area_key),
    CONSTRAINT placement_local_role_known CHECK (area_role IS NULL OR area_role IN ('zustaendig', 'herkunft')),
    CONSTRAINT placement_local_part_of_known CHECK (local >= 0 AND local <= known));
"""

WHOLE = """
    srk_viewer_role() = 'admin'
    OR srk_viewer_role() = 'planner' AND ({table}.level, {table}.area_key) IN (SELECT level, key FROM own_area)
"""

VIEWS = f"""
CREATE VIEW placement_rule_visible AS
SELECT home_state, home_level, origin_levels, small FROM placement_rule;

CREATE VIEW placement_sheet_visible AS
SELECT level, area_role, paragraph, counting, period, starts, ends, published, summed, datasets
FROM placement_sheet
WHERE published OR srk_viewer_role() = 'admin'
   OR srk_viewer_role() = 'planner' AND cardinality(srk_viewer_areas()) > 0;

-- "whole": this viewer may read the area's counts as they are.
CREATE VIEW placement_visible AS
SELECT c.level, c.area_role, c.paragraph, c.counting, c.period, c.area_key, c.category,
       CASE WHEN NOT c.suppressed OR w.whole THEN c.value END AS value,
       c.suppressed AND NOT w.whole AS suppressed, w.whole
FROM placement_cell c
CROSS JOIN LATERAL (SELECT {WHOLE.format(table="c")} AS whole) w
WHERE c.published OR w.whole;

CREATE VIEW placement_near_visible AS
SELECT n.level, n.paragraph, n.counting, n.period, n.area_key, n.placed, n.distance_km, n.own_area_share
FROM placement_near n WHERE {WHOLE.format(table="n")};

CREATE VIEW placement_local_visible AS
SELECT l.level, l.area_role, l.paragraph, l.counting, l.period, l.area_key, l.known, l.local
FROM placement_local l WHERE {WHOLE.format(table="l")};
"""

WRITTEN = (
    "placement_rule",
    "placement_pattern",
    "placement_sheet",
    "placement_cell",
    "placement_near",
    "placement_local",
)
VISIBLE = (
    "placement_rule_visible",
    "placement_sheet_visible",
    "placement_visible",
    "placement_near_visible",
    "placement_local_visible",
)


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(VIEWS)
    op.execute(f"GRANT SELECT ON {', '.join(VISIBLE)} TO srk_read, srk_write")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(WRITTEN)} TO srk_write")


def downgrade() -> None:
    for view in reversed(VISIBLE):
        op.execute(f"DROP VIEW {view}")
    for table in reversed(WRITTEN):
        op.execute(f"DROP TABLE {table}")
