"""The newest migration, as a constant: asking Alembic for it would cost every command its import."""

SCHEMA_VERSION = "0007"
