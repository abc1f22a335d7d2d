"""Published figures of helps: what of them everyone may see, with what disclosure control leaves out.

Until now counts of helps were for the own office only. From now everyone sees those that are on a list, which is
derived from the figures: it is there after the next import, or once ``figure_pattern.rebuild`` was called. Until then
nothing is published, neither printed rates and changes, which were: residents times a rate is a count.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COUNTS = "'cases', 'hours', 'spending_eur', 'counselling_new', 'counselling_followed'"
PRINTED = "'hilfedichte', 'kosten_je_jew_eur', 'hilfequotient', 'anteil_folgehilfen_pct', 'quotient_beratungen'"
TELLS = (
    f"indicator IN ({COUNTS}, {PRINTED}) OR indicator LIKE 'ausgaben_veraenderung_%' "
    "OR indicator LIKE 'faelle_veraenderung_%'"
)

TABLES = f"""
CREATE TABLE observation_published (
    import_id integer NOT NULL, level text NOT NULL, area_key text NOT NULL, indicator text NOT NULL,
    position text NOT NULL, period text NOT NULL, scenario text NOT NULL, suppressed boolean NOT NULL,
    PRIMARY KEY (import_id, level, area_key, indicator, position, period, scenario));
CREATE INDEX observation_published_asked ON observation_published (indicator, level, period, import_id);

CREATE TABLE observation_guarded (
    import_id integer NOT NULL, indicator text NOT NULL, PRIMARY KEY (import_id, indicator));

CREATE TABLE figure_pattern (
    family text NOT NULL, counting text NOT NULL, period text NOT NULL, digest text NOT NULL, cells integer NOT NULL,
    suppressed integer NOT NULL, loss double precision NOT NULL, PRIMARY KEY (family, counting, period));

CREATE TABLE figure_withheld (
    family text NOT NULL, counting text NOT NULL, period text NOT NULL, level text NOT NULL, reason text NOT NULL,
    PRIMARY KEY (family, counting, period, level, reason),
    CONSTRAINT figure_withheld_reason_known
        CHECK (reason IS NULL OR reason IN ('placements', 'period', 'counting', 'level', 'ties')));

CREATE TABLE figure_state (
    one_row boolean PRIMARY KEY DEFAULT true, signature text NOT NULL,
    CONSTRAINT figure_state_one_row CHECK (one_row));

CREATE INDEX observation_of_helps ON observation (import_id, indicator) WHERE {TELLS};

-- What may rest on counts of helps in the datasets that are there: guarded from now on.
INSERT INTO observation_guarded
SELECT DISTINCT o.import_id, o.indicator FROM observation o
JOIN import_run r ON r.id = o.import_id LEFT JOIN indicator i ON i.code = o.indicator
WHERE (i.kind IN ('share', 'rate', 'index') OR r.unit = 'eur')
  AND o.import_id IN (SELECT import_id FROM observation WHERE indicator IN ({COUNTS}))
  AND o.indicator NOT IN ('population', 'fee_increase_pct', 'budget_eur', 'uma_spending_eur', 'refunds_eur',
                          'staff_cost_eur', 'prevention_cost_eur', 'base_effect_eur');
"""

COUNTS_HELPS_BEFORE = f"""
CREATE OR REPLACE FUNCTION srk_counts_helps(indicator text, unit text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN indicator IN ({COUNTS})
       OR coalesce(unit IN ('hilfen', 'junge_menschen', 'familien'), false);
"""

# Figures that count single helps or young people, or from which such a count can be told.
COUNTS_HELPS = f"""
CREATE OR REPLACE FUNCTION srk_counts_helps(indicator text, unit text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN {TELLS} OR coalesce(unit IN ('hilfen', 'junge_menschen', 'familien'), false);
"""

SPLIT = """
UNION ALL
SELECT o.dataset_id, o.dataset, o.import_id, o.level, s.area_key, o.indicator, o.position, o.period, o.starts, o.ends,
       o.scenario, o.counting, o.unit, s.value, 'estimated', s.merged_key
FROM observation_split s
JOIN observation_current o ON o.import_id = s.import_id AND o.level = s.level AND o.area_key = s.merged_key
    AND o.indicator = s.indicator AND o.position = s.position AND o.period = s.period AND o.scenario = s.scenario
WHERE (o.release = 'public' AND {open} OR srk_viewer_role() = 'admin')
  -- A published figure of the member itself, in whatever dataset, is better than an estimate.
  AND NOT EXISTS (
    SELECT FROM dataset d3
    JOIN import_run i3 ON i3.id = d3.current_import_id AND i3.counting IS NOT DISTINCT FROM o.counting
    JOIN observation o3 ON o3.import_id = i3.id AND o3.level = s.level AND o3.area_key = s.area_key
        AND o3.indicator = s.indicator AND o3.position = s.position AND o3.period = s.period
        AND o3.scenario = s.scenario
    WHERE o3.value IS NOT NULL);
"""

COLUMNS = """
    o.dataset_id, o.dataset, o.import_id, o.level, o.area_key, o.indicator, o.position, o.period, o.starts, o.ends,
    o.scenario, o.counting, o.unit
"""
WHOLE = """
    (srk_viewer_role() = 'admin'
     OR srk_viewer_role() = 'planner' AND (o.level, o.area_key) IN (SELECT level, key FROM own_area))
"""
GUARDED = """
    (srk_counts_helps(o.indicator, o.unit)
     OR (o.import_id, o.indicator) IN (SELECT import_id, indicator FROM observation_guarded))
"""

VIEW_BEFORE = f"""
CREATE OR REPLACE VIEW observation_visible AS
SELECT {COLUMNS}, o.value, o.flag, NULL::text AS merged_key
FROM observation_current o
WHERE srk_viewer_role() = 'admin'
   OR o.release = 'public' AND NOT srk_counts_helps(o.indicator, o.unit)
   OR srk_viewer_role() = 'planner' AND (o.level, o.area_key) IN (SELECT level, key FROM own_area)
{SPLIT.format(open="NOT srk_counts_helps(o.indicator, o.unit)")}
"""

# Of what tells of helps, everyone sees what is on the list; who may read an area's figures as they are, sees those.
VIEW = f"""
CREATE OR REPLACE VIEW observation_visible AS
SELECT {COLUMNS}, o.value, o.flag, NULL::text AS merged_key
FROM observation_current o
WHERE {WHOLE} OR o.release = 'public' AND NOT {GUARDED}
UNION ALL
SELECT {COLUMNS}, CASE WHEN NOT p.suppressed THEN o.value END,
       CASE WHEN p.suppressed THEN 'suppressed' ELSE o.flag END, NULL
FROM observation_published p
JOIN observation_current o USING (import_id, level, area_key, indicator, position, period, scenario)
WHERE o.release = 'public' AND {GUARDED} AND NOT {WHOLE}
{SPLIT.format(open=f"NOT {GUARDED}")}

-- That figures stay with the office, and why; not which.
CREATE VIEW figure_withheld_visible AS SELECT family, counting, period, level, reason FROM figure_withheld;
"""

WRITTEN = ("observation_published", "observation_guarded", "figure_pattern", "figure_withheld", "figure_state")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(COUNTS_HELPS)
    op.execute(VIEW)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(WRITTEN)} TO srk_write")
    op.execute("GRANT SELECT ON figure_withheld_visible TO srk_read, srk_write")


def downgrade() -> None:
    op.execute("DROP VIEW figure_withheld_visible")
    op.execute(VIEW_BEFORE)
    op.execute(COUNTS_HELPS_BEFORE)
    op.execute("DROP INDEX observation_of_helps")
    for table in reversed(WRITTEN):
        op.execute(f"DROP TABLE {table}")
