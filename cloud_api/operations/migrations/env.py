"""Alembic's entry: runs the steps on the connection and in the transaction that the caller has opened.

All steps are one transaction, on SQLite too: a process that is killed in the middle leaves the schema it found.
A step writes its tables out and imports nothing of ``tables``: it must do the same after they have changed.
"""

from alembic import context

from cloud_api.operations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
