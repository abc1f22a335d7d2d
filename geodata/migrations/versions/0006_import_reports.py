"""Import reports can be read: planners see how many rows came in, administrators also each finding.

Why renewing a source failed is the administrators' too: the sentence may quote a row of it.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What of a report tells of no single row. Everything else, whatever a later report may hold, is the administrators'.
FOR_PLANNERS = (
    "dataset", "kind", "source", "checksum", "format", "encoding", "crs", "dry_run", "unchanged", "rows_read",
    "rows_loaded", "rows_rejected", "rows_before", "data_version",
)  # fmt: skip

VIEWS = f"""
CREATE VIEW import_visible AS
SELECT i.id AS import_id, d.name AS dataset, d.kind, i.imported_at, i.source, i.checksum, i.title, i.licence,
       i.attribution, i.as_of, i.counting, i.unit, i.scope, i.population_period, i.release,
       i.rows_read, i.rows_loaded, i.rows_rejected,
       CASE i.id WHEN d.current_import_id THEN 'visible' WHEN d.previous_import_id THEN 'before' ELSE 'gone' END
           AS state,
       -- A finding may hold what this planner may not see: the address of a protected home, a small number.
       CASE WHEN srk_viewer_role() = 'admin' THEN i.report
            WHEN jsonb_typeof(i.report) = 'object' THEN
                (SELECT coalesce(jsonb_object_agg(part.key, part.value), '{{}}') FROM jsonb_each(i.report) AS part
                 WHERE part.key IN ({", ".join(f"'{key}'" for key in FOR_PLANNERS)}))
            ELSE '{{}}'
       END AS report
FROM import_run i JOIN dataset d ON d.id = i.dataset_id
WHERE srk_viewer_role() IN ('planner', 'admin');
"""


def states(failure_for: str) -> str:
    """Return the views on datasets and sources, with the sentence of a failure for these roles (SQL)."""
    return f"""
CREATE OR REPLACE VIEW dataset_visible AS
SELECT d.id AS dataset_id, d.name AS dataset, d.kind, i.id AS import_id, i.title, i.as_of, i.licence, i.attribution,
       i.imported_at,
       -- Loaded minus shown would be the number of hidden offers.
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_loaded END AS rows_loaded,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_rejected END AS rows_rejected,
       i.counting, i.unit, i.scope, i.population_period, i.release,
       GREATEST(i.imported_at, s.checked_at) AS checked_at, s.failed_at,
       CASE WHEN srk_viewer_role() IN ({failure_for}) THEN s.failure END AS failure
FROM dataset d JOIN import_run i ON i.id = d.current_import_id
LEFT JOIN source_state s ON s.dataset = d.name;

-- Sources that never came in have no version yet; their failure shows all the same.
CREATE OR REPLACE VIEW source_state_visible AS
SELECT dataset, checked_at, failed_at,
       CASE WHEN srk_viewer_role() IN ({failure_for}) THEN failure END AS failure
FROM source_state;
"""


def upgrade() -> None:
    op.execute(VIEWS)
    op.execute("GRANT SELECT ON import_visible TO srk_read, srk_write")
    # The sentence may quote the source: a name for a column that is none, the distance of a place that lies outside.
    op.execute(states("'admin'"))


def downgrade() -> None:
    op.execute(states("'planner', 'admin'"))
    op.execute("DROP VIEW import_visible")
