"""Alembic's entry point: migrations run on the connection that ``geodata.migrate`` hands over."""

from alembic import context

import geodata.figure_tables
import geodata.placement_tables
import geodata.published_tables
import geodata.surface_tables  # noqa: F401 - their tables join the metadata
from geodata.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
