"""Figures, people and ways: observations, placements, the catalogue, the population surface, networks, addresses.

Counts of helps stay with the office's planners (for their own areas) until disclosure control publishes them; that
rule is in ``observation_visible``. Placements, addresses and the raw census grid have no view: nobody reads them yet.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KINDS_BEFORE = "'areas', 'facilities'"
KINDS = "'areas', 'facilities', 'statistics', 'placements', 'population', 'network', 'addresses', 'catalogue'"
STATES = (
    "'Baden-Württemberg', 'Bayern', 'Berlin', 'Brandenburg', 'Bremen', 'Hamburg', 'Hessen', 'Mecklenburg-Vorpommern', "
    "'Niedersachsen', 'Nordrhein-Westfalen', 'Rheinland-Pfalz', 'Saarland', 'Sachsen', 'Sachsen-Anhalt', "
    "'Schleswig-Holstein', 'Thüringen', 'Ausland', 'ohne Angabe'"
)

TABLES = f"""
ALTER TABLE dataset DROP CONSTRAINT dataset_kind_known;
ALTER TABLE dataset ADD CONSTRAINT dataset_kind_known CHECK (kind IS NULL OR kind IN ({KINDS}));
ALTER TABLE dataset ADD COLUMN refused_digest text;
ALTER TABLE import_run
    ADD COLUMN content_digest text,
    ADD COLUMN counting text,
    ADD COLUMN unit text,
    ADD COLUMN scope text,
    ADD COLUMN population_period text,
    ADD COLUMN release release_level NOT NULL DEFAULT 'public';
ALTER TABLE place ADD COLUMN location_quality double precision;

CREATE TABLE source_state (
    dataset text PRIMARY KEY, recipe text, etag text, last_modified text,
    checked_at timestamptz, failed_at timestamptz, failure text);

-- When a source was last looked at is shown, though no import changed: answers made before are out of date.
CREATE TRIGGER source_state_changes_visibility AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON source_state
FOR EACH STATEMENT EXECUTE FUNCTION srk_raise_visibility_version();

CREATE TABLE merged_area (
    level text NOT NULL REFERENCES level (level), key text NOT NULL, name text NOT NULL, members text[] NOT NULL,
    PRIMARY KEY (level, key));

CREATE TABLE observation (
    import_id integer NOT NULL REFERENCES import_run (id), level text NOT NULL, area_key text NOT NULL,
    indicator text NOT NULL, position text NOT NULL DEFAULT '', period text NOT NULL,
    scenario text NOT NULL DEFAULT 'ist', value double precision, flag text NOT NULL,
    starts date NOT NULL, ends date NOT NULL,
    PRIMARY KEY (import_id, level, area_key, indicator, position, period, scenario),
    CONSTRAINT observation_flag_known
        CHECK (flag IS NULL OR flag IN ('ok', 'suppressed', 'missing', 'estimated', 'provisional')),
    CONSTRAINT observation_scenario_known CHECK (scenario IS NULL OR scenario IN ('ist', 'prognose', 'plan')),
    CONSTRAINT observation_value_fits_flag CHECK ((value IS NULL) = (flag IN ('suppressed', 'missing'))),
    CONSTRAINT observation_value_finite CHECK (value > '-Infinity' AND value < 'Infinity'),
    CONSTRAINT observation_period_ordered CHECK (starts <= ends));
CREATE INDEX observation_asked ON observation (indicator, level, period, import_id);

CREATE TABLE observation_split (
    import_id integer NOT NULL, level text NOT NULL, area_key text NOT NULL, indicator text NOT NULL,
    position text NOT NULL, period text NOT NULL, scenario text NOT NULL, merged_key text NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (import_id, level, area_key, indicator, position, period, scenario));

CREATE TABLE indicator (
    import_id integer NOT NULL REFERENCES import_run (id), code text NOT NULL, title text NOT NULL, unit text,
    kind text NOT NULL, numerator text, denominator text, factor double precision NOT NULL DEFAULT 1,
    residents boolean NOT NULL DEFAULT false, description text,
    PRIMARY KEY (import_id, code),
    CONSTRAINT indicator_kind_known CHECK (kind IS NULL OR kind IN ('count', 'share', 'rate', 'index')));

CREATE TABLE help_type (
    import_id integer NOT NULL REFERENCES import_run (id), code text NOT NULL, title text NOT NULL,
    paragraphs text[] NOT NULL DEFAULT '{{}}', variant text, groups text[] NOT NULL DEFAULT '{{}}', unit text,
    PRIMARY KEY (import_id, code));

CREATE TABLE help_group (
    import_id integer NOT NULL REFERENCES import_run (id), code text NOT NULL, title text NOT NULL, composition text,
    PRIMARY KEY (import_id, code));

CREATE TABLE standard (
    import_id integer NOT NULL REFERENCES import_run (id), code text NOT NULL, title text NOT NULL,
    category text NOT NULL, measure text NOT NULL, value double precision NOT NULL, unit text NOT NULL,
    age_from integer, age_to integer, source text NOT NULL, resolution text NOT NULL, resolved_on date NOT NULL,
    PRIMARY KEY (import_id, code));

CREATE TABLE dataset_rank (
    import_id integer NOT NULL REFERENCES import_run (id), dataset text NOT NULL, rank integer NOT NULL,
    PRIMARY KEY (import_id, dataset));

CREATE TABLE placement (
    import_id integer NOT NULL REFERENCES import_run (id), level text NOT NULL, period text NOT NULL,
    paragraph text NOT NULL, area_key text NOT NULL, area_role text NOT NULL, counting text NOT NULL,
    provider_state text NOT NULL, provider_area_level text NOT NULL DEFAULT '',
    provider_area_key text NOT NULL DEFAULT '', place_state text NOT NULL DEFAULT '', cases integer NOT NULL,
    PRIMARY KEY (import_id, level, period, paragraph, area_key, area_role, counting, provider_state,
                 provider_area_level, provider_area_key, place_state),
    CONSTRAINT placement_role_known CHECK (area_role IS NULL OR area_role IN ('zustaendig', 'herkunft')),
    CONSTRAINT placement_counting_known CHECK (counting IS NULL OR counting IN ('stichtag', 'begonnen')),
    CONSTRAINT placement_provider_state_known CHECK (provider_state IS NULL OR provider_state IN ({STATES})),
    CONSTRAINT placement_place_state_known CHECK (place_state IS NULL OR place_state IN ('', {STATES})),
    CONSTRAINT placement_cases_counted CHECK (cases >= 0));

CREATE TABLE placement_delivery (
    import_id integer NOT NULL REFERENCES import_run (id), level text NOT NULL, period text NOT NULL,
    scope_level text, scope_key text,
    PRIMARY KEY (import_id, level, period),
    CONSTRAINT placement_delivery_scope_whole_or_null CHECK ((scope_level IS NULL) = (scope_key IS NULL)));

CREATE TABLE population_cell (
    import_id integer NOT NULL REFERENCES import_run (id), cell_id text NOT NULL, total integer, under_18 integer,
    from_18_to_30 integer, from_30_to_50 integer, from_50_to_65 integer, from_65 integer,
    geom geometry(Point, 25832) NOT NULL,
    PRIMARY KEY (import_id, cell_id),
    CONSTRAINT population_cell_counted CHECK (
        total >= 0 AND under_18 >= 0 AND from_18_to_30 >= 0 AND from_30_to_50 >= 0 AND from_50_to_65 >= 0
        AND from_65 >= 0));

CREATE TABLE surface (
    one_row boolean PRIMARY KEY DEFAULT true, basis text NOT NULL, level text, period text, dataset text,
    notes text[] NOT NULL DEFAULT '{{}}',
    CONSTRAINT surface_one_row CHECK (one_row),
    CONSTRAINT surface_basis_known CHECK (basis IS NULL OR basis IN ('grid', 'area')));

CREATE TABLE surface_band (number integer PRIMARY KEY, age_from integer NOT NULL, age_to integer);

CREATE TABLE surface_cell (
    cell integer PRIMARY KEY, geom geometry(Point, 25832) NOT NULL, people double precision[] NOT NULL,
    calibrated boolean NOT NULL);
CREATE INDEX surface_cell_geom_gist ON surface_cell USING gist (geom);

CREATE TABLE surface_area (
    cell integer NOT NULL, level text NOT NULL, area_key text NOT NULL, PRIMARY KEY (cell, level));
CREATE INDEX surface_area_area ON surface_area (level, area_key);

CREATE TABLE crosswalk (
    source_level text NOT NULL, source_key text NOT NULL, target_level text NOT NULL, target_key text NOT NULL,
    weight double precision, band_weights double precision[] NOT NULL,
    PRIMARY KEY (source_level, source_key, target_level, target_key));
CREATE INDEX crosswalk_target ON crosswalk (target_level, target_key);

CREATE TABLE network_node (
    import_id integer NOT NULL REFERENCES import_run (id), node integer NOT NULL, osm_id bigint,
    component integer NOT NULL, geom geometry(Point, 25832) NOT NULL,
    PRIMARY KEY (import_id, node));
CREATE INDEX network_node_geom_gist ON network_node USING gist (geom);

CREATE TABLE network_edge (
    import_id integer NOT NULL REFERENCES import_run (id), edge integer NOT NULL, u integer NOT NULL,
    v integer NOT NULL, length_m double precision NOT NULL, walk boolean NOT NULL, bike_forward boolean NOT NULL,
    bike_backward boolean NOT NULL,
    PRIMARY KEY (import_id, edge),
    CONSTRAINT network_edge_length_finite CHECK (length_m >= 0 AND length_m < 'Infinity'));

CREATE TABLE facility_snap (
    import_id integer NOT NULL, facility_id text NOT NULL, mode text NOT NULL, node integer NOT NULL,
    distance_m double precision NOT NULL, PRIMARY KEY (import_id, facility_id, mode));

CREATE TABLE cell_snap (
    cell integer NOT NULL, mode text NOT NULL, node integer NOT NULL, distance_m double precision NOT NULL,
    PRIMARY KEY (cell, mode));

CREATE TABLE address (
    import_id integer NOT NULL REFERENCES import_run (id), number integer NOT NULL, street text NOT NULL,
    house_number text NOT NULL, postcode text, city text, street_plain text NOT NULL, number_plain text NOT NULL,
    geom geometry(Point, 25832) NOT NULL,
    PRIMARY KEY (import_id, number));
CREATE INDEX address_exact ON address (import_id, street_plain, number_plain);
CREATE INDEX address_street_trgm ON address USING gin (street_plain gin_trgm_ops);
"""

DATASETS_BEFORE = """
CREATE VIEW dataset_visible AS
SELECT d.id AS dataset_id, d.name AS dataset, d.kind, i.id AS import_id, i.title, i.as_of, i.licence, i.attribution,
       i.imported_at,
       -- Loaded minus shown would be the number of hidden offers.
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_loaded END AS rows_loaded,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_rejected END AS rows_rejected
FROM dataset d JOIN import_run i ON i.id = d.current_import_id;
"""

VIEWS = """
CREATE VIEW dataset_visible AS
SELECT d.id AS dataset_id, d.name AS dataset, d.kind, i.id AS import_id, i.title, i.as_of, i.licence, i.attribution,
       i.imported_at,
       -- Loaded minus shown would be the number of hidden offers.
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_loaded END AS rows_loaded,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_rejected END AS rows_rejected,
       i.counting, i.unit, i.scope, i.population_period, i.release,
       GREATEST(i.imported_at, s.checked_at) AS checked_at, s.failed_at,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN s.failure END AS failure
FROM dataset d JOIN import_run i ON i.id = d.current_import_id
LEFT JOIN source_state s ON s.dataset = d.name;

-- Sources that never came in have no version yet; their failure shows all the same.
CREATE VIEW source_state_visible AS
SELECT dataset, checked_at, failed_at,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN failure END AS failure
FROM source_state;

CREATE VIEW merged_area_visible AS SELECT level, key, name, members FROM merged_area;

-- The areas a planner's office answers for: those named, all that lie in them, and what is merged of nothing else.
CREATE VIEW own_area AS
WITH RECURSIVE own(level, key) AS (
    SELECT a.level, a.key FROM area_visible a WHERE a.level || ':' || a.key = ANY (srk_viewer_areas())
    UNION
    SELECT a.level, a.key FROM area_visible a JOIN own o ON a.parent_level = o.level AND a.parent_key = o.key
)
SELECT level, key FROM own
UNION ALL
SELECT m.level, m.key FROM merged_area m
WHERE NOT EXISTS (SELECT FROM unnest(m.members) AS member(key) WHERE NOT EXISTS (
    SELECT FROM own WHERE own.level = m.level AND own.key = member.key));

-- Figures that count single helps or young people, or from which such a count can be told.
CREATE FUNCTION srk_counts_helps(indicator text, unit text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN indicator IN ('cases', 'hours', 'spending_eur', 'counselling_new', 'counselling_followed')
       OR coalesce(unit IN ('hilfen', 'junge_menschen', 'familien'), false);

CREATE VIEW dataset_rank_visible AS
SELECT r.dataset, min(r.rank) AS rank FROM dataset d JOIN dataset_rank r ON r.import_id = d.current_import_id
GROUP BY r.dataset;

-- Every current figure; where two datasets have the same one (same counting), the better ranked.
CREATE VIEW observation_current AS
SELECT d.id AS dataset_id, d.name AS dataset, o.import_id, o.level, o.area_key, o.indicator, o.position, o.period,
       o.starts, o.ends, o.scenario, i.counting, i.unit, i.release, o.value, o.flag
FROM dataset d
JOIN import_run i ON i.id = d.current_import_id
JOIN observation o ON o.import_id = i.id
-- Nearly every dataset has no rank: asked first, once per query, that saves the search per row.
WHERE d.name <> ALL (ARRAY(SELECT dataset FROM dataset_rank_visible)) OR NOT EXISTS (
    SELECT FROM dataset_rank_visible better
    JOIN dataset_rank_visible own ON own.dataset = d.name AND better.rank < own.rank
    JOIN dataset d2 ON d2.name = better.dataset
    JOIN import_run i2 ON i2.id = d2.current_import_id AND i2.counting IS NOT DISTINCT FROM i.counting
    JOIN observation o2 ON o2.import_id = i2.id AND o2.level = o.level AND o2.area_key = o.area_key
        AND o2.indicator = o.indicator AND o2.position = o.position AND o2.period = o.period
        AND o2.scenario = o.scenario);

CREATE VIEW observation_visible AS
SELECT o.dataset_id, o.dataset, o.import_id, o.level, o.area_key, o.indicator, o.position, o.period, o.starts, o.ends,
       o.scenario, o.counting, o.unit, o.value, o.flag, NULL::text AS merged_key
FROM observation_current o
WHERE srk_viewer_role() = 'admin'
   OR o.release = 'public' AND NOT srk_counts_helps(o.indicator, o.unit)
   OR srk_viewer_role() = 'planner' AND (o.level, o.area_key) IN (SELECT level, key FROM own_area)
UNION ALL
SELECT o.dataset_id, o.dataset, o.import_id, o.level, s.area_key, o.indicator, o.position, o.period, o.starts, o.ends,
       o.scenario, o.counting, o.unit, s.value, 'estimated', s.merged_key
FROM observation_split s
JOIN observation_current o ON o.import_id = s.import_id AND o.level = s.level AND o.area_key = s.merged_key
    AND o.indicator = s.indicator AND o.position = s.position AND o.period = s.period AND o.scenario = s.scenario
WHERE (o.release = 'public' AND NOT srk_counts_helps(o.indicator, o.unit) OR srk_viewer_role() = 'admin')
  -- A published figure of the member itself, in whatever dataset, is better than an estimate.
  AND NOT EXISTS (
    SELECT FROM dataset d3
    JOIN import_run i3 ON i3.id = d3.current_import_id AND i3.counting IS NOT DISTINCT FROM o.counting
    JOIN observation o3 ON o3.import_id = i3.id AND o3.level = s.level AND o3.area_key = s.area_key
        AND o3.indicator = s.indicator AND o3.position = s.position AND o3.period = s.period
        AND o3.scenario = s.scenario
    WHERE o3.value IS NOT NULL);

CREATE VIEW indicator_visible AS
SELECT d.name AS dataset, i.code, i.title, i.unit, i.kind, i.numerator, i.denominator, i.factor, i.residents,
       i.description
FROM dataset d JOIN indicator i ON i.import_id = d.current_import_id;

CREATE VIEW help_type_visible AS
SELECT d.name AS dataset, h.code, h.title, h.paragraphs, h.variant, h.groups, h.unit
FROM dataset d JOIN help_type h ON h.import_id = d.current_import_id;

CREATE VIEW help_group_visible AS
SELECT d.name AS dataset, g.code, g.title, g.composition
FROM dataset d JOIN help_group g ON g.import_id = d.current_import_id;

CREATE VIEW standard_visible AS
SELECT d.name AS dataset, s.code, s.title, s.category, s.measure, s.value, s.unit, s.age_from, s.age_to, s.source,
       s.resolution, s.resolved_on
FROM dataset d JOIN standard s ON s.import_id = d.current_import_id;

-- The surface holds residents only, from census and registers; it is as public as they are.
CREATE VIEW surface_visible AS SELECT basis, level, period, dataset, notes FROM surface;
CREATE VIEW surface_band_visible AS SELECT number, age_from, age_to FROM surface_band;
CREATE VIEW surface_cell_visible AS SELECT cell, geom, people, calibrated FROM surface_cell;
CREATE VIEW surface_area_visible AS SELECT cell, level, area_key FROM surface_area;
CREATE VIEW crosswalk_visible AS
SELECT source_level, source_key, target_level, target_key, weight, band_weights FROM crosswalk;

CREATE VIEW network_node_visible AS
SELECT d.name AS dataset, n.import_id, n.node, n.component, n.geom
FROM dataset d JOIN network_node n ON n.import_id = d.current_import_id;
CREATE VIEW network_edge_visible AS
SELECT d.name AS dataset, e.import_id, e.edge, e.u, e.v, e.length_m, e.walk, e.bike_forward, e.bike_backward
FROM dataset d JOIN network_edge e ON e.import_id = d.current_import_id;
CREATE VIEW cell_snap_visible AS SELECT cell, mode, node, distance_m FROM cell_snap;
-- A node near a place gives the place away: only where the viewer may know it exactly.
CREATE VIEW facility_snap_visible AS
SELECT p.dataset_id, s.import_id, s.facility_id, s.mode, s.node, s.distance_m
FROM facility_snap s
JOIN place_point_visible p ON p.import_id = s.import_id AND p.facility_id = s.facility_id;
"""

WRITTEN = (
    "source_state",
    "merged_area",
    "observation",
    "observation_split",
    "indicator",
    "help_type",
    "help_group",
    "standard",
    "dataset_rank",
    "placement",
    "placement_delivery",
    "population_cell",
    "surface",
    "surface_band",
    "surface_cell",
    "surface_area",
    "crosswalk",
    "network_node",
    "network_edge",
    "facility_snap",
    "cell_snap",
    "address",
)
VISIBLE = (
    "source_state_visible",
    "merged_area_visible",
    "own_area",
    "dataset_rank_visible",
    "observation_visible",
    "indicator_visible",
    "help_type_visible",
    "help_group_visible",
    "standard_visible",
    "surface_visible",
    "surface_band_visible",
    "surface_cell_visible",
    "surface_area_visible",
    "crosswalk_visible",
    "network_node_visible",
    "network_edge_visible",
    "cell_snap_visible",
    "facility_snap_visible",
)
NOT_GRANTED = "observation_current"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("DROP VIEW dataset_visible")
    op.execute(VIEWS)
    op.execute(f"GRANT SELECT ON dataset_visible, {', '.join(VISIBLE)} TO srk_read")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(WRITTEN)} TO srk_write")
    op.execute(f"GRANT SELECT ON dataset_visible, {NOT_GRANTED}, {', '.join(VISIBLE)} TO srk_write")


def downgrade() -> None:
    for view in (
        "facility_snap_visible",
        "observation_visible",
        NOT_GRANTED,
        *(v for v in reversed(VISIBLE) if v not in {"facility_snap_visible", "observation_visible"}),
        "dataset_visible",
    ):
        op.execute(f"DROP VIEW {view}")
    op.execute("DROP FUNCTION srk_counts_helps")
    for table in reversed(WRITTEN):
        op.execute(f"DROP TABLE {table}")
    # What only this revision knows goes with it: datasets of the newer kinds and their imports.
    op.execute(f"""
        UPDATE dataset SET current_import_id = NULL, previous_import_id = NULL WHERE kind NOT IN ({KINDS_BEFORE});
        DELETE FROM import_run WHERE dataset_id IN (SELECT id FROM dataset WHERE kind NOT IN ({KINDS_BEFORE}));
        DELETE FROM dataset WHERE kind NOT IN ({KINDS_BEFORE});
        ALTER TABLE dataset DROP CONSTRAINT dataset_kind_known;
        ALTER TABLE dataset ADD CONSTRAINT dataset_kind_known CHECK (kind IN ({KINDS_BEFORE}));
        ALTER TABLE dataset DROP COLUMN refused_digest;
        ALTER TABLE import_run
            DROP COLUMN content_digest, DROP COLUMN counting, DROP COLUMN unit, DROP COLUMN scope,
            DROP COLUMN population_period, DROP COLUMN release;
        ALTER TABLE place DROP COLUMN location_quality;
    """)
    op.execute(DATASETS_BEFORE)
    op.execute("GRANT SELECT ON dataset_visible TO srk_read, srk_write")
