"""Addresses are searched by everybody: streets and house numbers of the public list, nothing about people."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE VIEW address_visible AS
        SELECT d.id AS dataset_id, a.import_id, a.number, a.street, a.house_number, a.postcode, a.city,
               a.street_plain, a.number_plain, a.geom
        FROM dataset d JOIN address a ON a.import_id = d.current_import_id
    """)
    op.execute("GRANT SELECT ON address_visible TO srk_read, srk_write")


def downgrade() -> None:
    op.execute("DROP VIEW address_visible")
