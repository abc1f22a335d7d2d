"""Import reports can be read: planners see how many rows came in, administrators also each finding."""

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


def upgrade() -> None:
    op.execute(VIEWS)
    op.execute("GRANT SELECT ON import_visible TO srk_read, srk_write")


def downgrade() -> None:
    op.execute("DROP VIEW import_visible")
