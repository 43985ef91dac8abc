"""Alembic's entry: runs in the unit of work that app.core.db.migrate has opened."""

from alembic import context

from app.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
# No context.begin_transaction(): the unit of work commits, or nothing is changed.
context.run_migrations()
