"""Standards say within how many minutes, and how one goes: a share reached without minutes says nothing.

Standards stored before keep both open; questions then ask for the minutes.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS_BEFORE = """
    d.name AS dataset, s.code, s.title, s.category, s.measure, s.value, s.unit, s.age_from, s.age_to, s.source,
    s.resolution, s.resolved_on
"""


def _show(columns: str) -> None:
    op.execute("DROP VIEW standard_visible")
    op.execute(f"""
        CREATE VIEW standard_visible AS
        SELECT {columns} FROM dataset d JOIN standard s ON s.import_id = d.current_import_id
    """)
    op.execute("GRANT SELECT ON standard_visible TO srk_read, srk_write")


def upgrade() -> None:
    op.execute("""
        ALTER TABLE standard
            ADD COLUMN minutes integer CONSTRAINT standard_minutes_bounded CHECK (minutes BETWEEN 1 AND 120),
            ADD COLUMN mode text CONSTRAINT standard_mode_known CHECK (mode IS NULL OR mode IN ('walk', 'bike', 'line'))
    """)
    _show(f"{COLUMNS_BEFORE}, s.minutes, s.mode")


def downgrade() -> None:
    _show(COLUMNS_BEFORE)
    op.execute("ALTER TABLE standard DROP COLUMN minutes, DROP COLUMN mode")
