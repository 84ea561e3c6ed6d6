"""Alembic's entry: runs the steps on the connection that the caller has opened, each in a transaction of its own."""

from alembic import context

from cloud_api.operations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
